// Tests signatures with the library's validator. The app checks every request of every test; these tests add the signing key,
// and the space and each ASCII punctuation character that can stand in the path or the query of a StatusCallback. Characters
// that can't be sent are encoded.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { Emulator } from "../../node/emulator.mjs";
import { FROM, NUMBER, scenario, TO, validateRequest } from "./setting.mjs";

const ENCODED = { " ": "%20", '"': "%22", "<": "%3C", ">": "%3E", "`": "%60", "\\": "%5C" };
const MARKS = Array.from({ length: 95 }, (_, at) => String.fromCharCode(32 + at)).filter((mark) => !/[a-z0-9]/i.test(mark));

const sent = (text) => [...text].map((mark) => ENCODED[mark] ?? mark).join("");

/** Starts an app that records each URL exactly as received, which a web framework would not. */
async function rawApp() {
  const app = { requests: [] };
  app.server = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    const form = Object.fromEntries(new URLSearchParams(body));
    const signature = request.headers["x-signalwire-signature"];
    if (request.method === "POST") app.requests.push({ target: request.url, signature, form });
    response.writeHead(request.method === "POST" ? 204 : 404).end();
  });
  app.server.listen(0, "127.0.0.1");
  await once(app.server, "listening");
  app.url = `http://127.0.0.1:${app.server.address().port}`;
  app.stop = () => {
    app.server.closeAllConnections();
    app.server.close();
  };
  return app;
}

scenario("a mark is sent and signed as it is configured, or encoded", async ({ emulator, project, rest }) => {
  const app = await rawApp();
  const inPath = MARKS.filter((mark) => !"?#".includes(mark)).map((mark) => `/a${mark}z`);
  const inQuery = MARKS.filter((mark) => mark !== "#").map((mark) => `/s?n=o${mark}b`);
  try {
    for (const target of [...inPath, ...inQuery, "/%7Ejoe?x=%7E", "/s?n=o'brien"]) {
      app.requests.length = 0;
      const order = { To: TO, From: FROM, MediaUrl: app.url + "/none", StatusCallback: app.url + target };
      const { status, body } = await rest("POST", "/Faxes", order);
      assert.equal(status, 201, JSON.stringify(body));
      await emulator.settle(project.id);
      assert.ok(app.requests.length > 0, target);
      for (const { target: came, signature, form } of app.requests) {
        assert.equal(came, sent(target));
        assert.ok(validateRequest(project.token, signature, app.url + sent(target), form), target);
        assert.ok(!validateRequest(project.token, signature, app.url + sent(target) + "x", form), target);
        assert.ok(!validateRequest(project.token, signature, app.url + sent(target), { ...form, To: FROM }), target);
      }
    }
  } finally {
    app.stop();
  }
});

test("a project's signing key signs, and its token doesn't", { timeout: 60_000 }, async () => {
  const project = { id: "b3877c40-da60-4998-90ad-b792e98472ac", token: "PT" + "7".repeat(48) };
  const signingKey = "PSK_localtestsigningkey0001";
  const variables = {
    SIGNALWIRE_PROJECT_ID: project.id,
    SIGNALWIRE_API_TOKEN: project.token,
    SIGNALWIRE_SIGNING_KEY: signingKey,
  };
  const app = await rawApp();
  const emulator = await Emulator.start(["--dialect", "signalwire"], variables);
  try {
    const response = await fetch(`${emulator.url}/2010-04-01/Accounts/${project.id}/Faxes`, {
      method: "POST",
      headers: { authorization: "Basic " + Buffer.from(`${project.id}:${project.token}`).toString("base64") },
      body: new URLSearchParams({ To: TO, From: NUMBER, MediaUrl: app.url, StatusCallback: app.url + "/status?job=7" }),
    });
    assert.equal(response.status, 201, await response.text());
    await emulator.settle(project.id);
    const [{ signature, form }, ...others] = app.requests;
    assert.deepEqual([form.AccountSid, others], [project.id, []]);
    assert.ok(validateRequest(signingKey, signature, app.url + "/status?job=7", form));
    assert.ok(!validateRequest(project.token, signature, app.url + "/status?job=7", form));
  } finally {
    await emulator.stop();
    app.stop();
  }
});
