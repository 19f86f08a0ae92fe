// Tests the space and each ASCII punctuation character that can stand in the path or the query of a StatusCallback: it is sent
// as configured, or encoded if it can't be sent, and the library's validateRequest accepts the request for the URL as sent.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { FROM, library, scenario, TO, twilio } from "./setting.mjs";

const ENCODED = { " ": "%20", '"': "%22", "<": "%3C", ">": "%3E", "`": "%60", "\\": "%5C" };
const MARKS = Array.from({ length: 95 }, (_, at) => String.fromCharCode(32 + at)).filter((mark) => !/[a-z0-9]/i.test(mark));

// The validator of twilio-node 5 encodes these characters in a path before it signs, so it refuses any server's signature.
const REFUSED_BY_THE_LIBRARY = library === "twilio-5" ? ["/a{z", "/a}z"] : [];

const sent = (text) => [...text].map((mark) => ENCODED[mark] ?? mark).join("");

/** Starts an app that records each URL exactly as received, which a web framework would not. */
async function rawApp() {
  const app = { requests: [] };
  app.server = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    const form = Object.fromEntries(new URLSearchParams(body));
    if (request.method === "POST") app.requests.push({ target: request.url, signature: request.headers["x-twilio-signature"], form });
    response.writeHead(request.method === "POST" ? 204 : 404).end();
  });
  app.server.listen(0, "127.0.0.1");
  await once(app.server, "listening");
  app.url = `http://127.0.0.1:${app.server.address().port}`;
  return app;
}

scenario("a mark is sent and signed as it is configured, or encoded", async ({ emulator, account }) => {
  const app = await rawApp();
  const inPath = MARKS.filter((mark) => !"?#".includes(mark)).map((mark) => `/a${mark}z`);
  const inQuery = MARKS.filter((mark) => mark !== "#").map((mark) => `/s?n=o${mark}b`);
  try {
    for (const target of [...inPath, ...inQuery, "/%7Ejoe?x=%7E", "/s?n=o'brien"]) {
      app.requests.length = 0;
      const form = new URLSearchParams({ To: TO, From: FROM, MediaUrl: app.url + "/none", StatusCallback: app.url + target });
      const authorization = `Basic ${Buffer.from(`${account.sid}:${account.token}`).toString("base64")}`;
      const created = await fetch(emulator.url + "/v1/Faxes", { method: "POST", body: form, headers: { authorization } });
      assert.equal(created.status, 201, await created.text());
      await emulator.settle(account.sid);
      assert.ok(app.requests.length > 0, target);
      for (const { target: came, signature, form } of app.requests) {
        assert.equal(came, sent(target));
        const isValid = twilio.validateRequest(account.token, signature, app.url + sent(target), form);
        assert.equal(isValid, !REFUSED_BY_THE_LIBRARY.includes(target), target);
        assert.ok(!twilio.validateRequest(account.token, signature, app.url + sent(target) + "x", form), target);
      }
    }
  } finally {
    app.server.closeAllConnections();
    app.server.close();
  }
});
