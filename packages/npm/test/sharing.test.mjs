// Tests an emulator of another version, an emulator that several runs share, and advice in this package's terms.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";

import { Emulator } from "fauxfax";

const timeout = 60_000;
const NUMBER = "+15017122661";
const { version } = createRequire(import.meta.url)("fauxfax/package.json");
let emulator;
before(async () => (emulator = await Emulator.start()));
after(() => emulator.stop());

/** Starts a server that responds to each path of the control API with this JSON or problem, and to all others with a problem. */
async function serve(t, responses) {
  const server = createServer((request, response) => {
    const found = responses[new URL(request.url, "http://a").pathname.replace("/_fauxfax/v1", "")];
    const problem = { type: "urn:fauxfax:problem:no-such-call", detail: "there is no such call" };
    const status = found === undefined ? 404 : (found.status ?? 200);
    response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(found ?? problem));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return Emulator.at(`http://127.0.0.1:${server.address().port}`);
}

/** Collects the warnings of this package during a test. */
function warnings(t) {
  const found = [];
  const keep = (warning) => warning.name === "FauxfaxWarning" && found.push(warning.message);
  process.on("warning", keep);
  t.after(() => process.removeListener("warning", keep));
  return found;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("an emulator of another version is warned about once", { timeout }, async (t) => {
  const found = warnings(t);
  for (let run = 0; run < 2; run++) {
    const other = await serve(t, { "/health": { version: "0.0.1" }, "/traffic": {} });
    await Promise.all([other.control("GET", "/traffic"), other.control("GET", "/traffic")]);
  }
  await emulator.account();
  await turn();
  assert.equal(found.length, 1);
  assert.match(found[0], /^the emulator at http:\/\/127.* has version 0\.0\.1, and this package /);
  assert.ok(found[0].includes(`this package has version ${version}; use the same version of both`));
});

test("a response without a field, and a call that doesn't exist, are errors that name both versions", { timeout }, async (t) => {
  const other = await serve(t, { "/health": { version: "0.0.2" }, "/accounts": { sid: "AC1" } });
  const both = `has version 0.0.2, and this package has version ${version}; use the same version of both`;
  await assert.rejects(other.account(), {
    name: "FauxfaxError",
    code: "version-mismatch",
    message: `the emulator's response to POST /_fauxfax/v1/accounts has no field auth_token: it ${both}`,
  });
  await assert.rejects(other.defaultAccount(), { code: "version-mismatch", message: /no field default_account/ });
  await assert.rejects(other.existingAccount("AC1"), { code: "no-such-call", detail: `there is no such call. It ${both}` });
  const nameless = await serve(t, { "/accounts": {} });
  await assert.rejects(nameless.account(), { code: "version-mismatch", detail: /unknown version/ });
});

test("advice is in the terms of this package", { timeout }, async () => {
  const account = await emulator.account();
  const says = async (call, code, detail) => assert.rejects(call, { code, detail });
  await says(account.clock.advance({ seconds: 1 }), "clock-running", "the clock is running; call clock.freeze() first");
  await account.number(NUMBER, { faxTwiml: "<Response><Receive/></Response>" });
  await account.clock.freeze();
  const frozen =
    "the clock is frozen, so the fax would never end; use ring() or queue(), and then clock.advance() or clock.drain(), or let " +
    "it run with clock.run()";
  await says(account.receive(), "clock-frozen", frozen);
  await says(account.send({ to: "+15558675310" }), "clock-frozen", frozen);
  await says(account.fax("FX1"), "fax-not-found", "there is no fax FX1; account.faxes() lists them");
  await says(account.ring({ to: "+15550000000" }), "number-not-found", /account\.number\("\+15017122661"\) buys one/);
  await says(account.rules.remove(7), "rule-not-found", /account\.rules\.list\(\) lists them$/);
  await says(account.restore("nothing"), "snapshot-not-found", /account\.snapshot\(name\) saves one$/);
  await says(account.replay("nothing"), "webhook-not-found", /account\.webhooks\(\) lists them$/);
});

test("an account that another run has removed is an error that says so", { timeout }, async (t) => {
  const advice = /another run that shares this emulator may have removed it: give each run an account .* emulator\.account\(\)$/;
  const account = await emulator.account({ numbers: [NUMBER] });
  await account.remove();
  await assert.rejects(account.receive(), { code: "account-unclaimed", detail: advice });
  await account.remove();
  await assert.rejects(account.numbers(), { code: "account-not-found", detail: advice });
  // This problem occurs only if the account is removed in the middle of a call, so a stub reports it here.
  const type = "urn:fauxfax:problem:account-gone";
  const shared = await serve(t, {
    "/health": { version },
    "/accounts": { sid: "AC1", auth_token: "x", dialect: "twilio" },
    "/wait": { type, status: 409, detail: "account AC1 was removed meanwhile" },
  });
  const wait = (await shared.account()).waitIdle();
  await assert.rejects(wait, { code: "account-gone", detail: /^account AC1 was removed meanwhile; another run that shares/ });
});

test("an account that nobody has signed in to has no token, and none is made up for it", { timeout }, async () => {
  const sid = `AC${"9".repeat(32)}`;
  // The emulator creates the account with the first call that changes something in it.
  await emulator.control("PUT", "/clock", { query: { account: sid }, json: { mode: "running" } });
  const account = await emulator.existingAccount(sid);
  const detail = /make a call of the REST API with any token, which then becomes its token; .*another run/;
  await assert.rejects(account.number(NUMBER), { code: "account-unclaimed", detail });
  await assert.rejects(account.send({ to: NUMBER, from: NUMBER }), { code: "account-unclaimed", detail });
  await assert.rejects(account.explainSignature({ url: "http://a.test" }), { code: "account-unclaimed", detail });
});
