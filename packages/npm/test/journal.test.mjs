// Tests the journal of an account (events, webhooks, expectations and signatures), and the ways back to an earlier state.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Emulator } from "fauxfax";

import { startApp } from "./app.mjs";

const timeout = 60_000;
const NUMBER = "+15017122661";
let emulator;
before(async () => (emulator = await Emulator.start()));
after(() => emulator.stop());

/** Returns an account that has received a fax, together with the app and the fax's SID. */
async function setUp(t) {
  const app = await startApp(t);
  const account = await emulator.account();
  await account.number(NUMBER, { faxUrl: `${app.url}/fax` });
  const { sid } = await account.receive({ pages: 2 });
  return { account, app, sid };
}

test("an expectation matches parts of events", { timeout }, async (t) => {
  const { account, sid } = await setUp(t);
  const action = { kind: "webhook.attempt", fax_sid: sid, data: { purpose: "action", params: { NumPages: "2" } } };
  const [event] = await account.verify(action, { times: 1 });
  assert.deepEqual([event.kind, event.data.status], ["webhook.attempt", 204]);
  await account.verify({ kind: "fax.page", data: { page: 2, text: { contains: "Page 2 of 2" } } });
  await account.verify({ kind: "fax.status", data: { new: "failed" } }, { times: 0 });
  await account.verify({ kind: "webhook.attempt" }, { times: { atLeast: 2, atMost: 2 } });
  await account.verify([{ data: { new: "receiving" } }, { kind: "fax.page" }, { data: { new: "received" } }]);
  await assert.rejects(account.verify(action, { since: (await account.events()).at(-1).seq }), { code: "not-verified" });
});

test("an expectation that isn't met shows the closest events field by field", { timeout }, async (t) => {
  const { account } = await setUp(t);
  const expected = { kind: "webhook.attempt", data: { purpose: "action", status: 200, params: { FaxStatus: "failed" } } };
  await assert.rejects(account.verify(expected), (error) => {
    assert.deepEqual([error.name, error.code], ["FauxfaxError", "not-verified"]);
    assert.equal(error.title, "the journal doesn't have what the test expects");
    const [summary, closest, ...differences] = error.detail.split("\n");
    assert.equal(summary, `expected 1 or more of ${JSON.stringify(expected)}, found 0`);
    assert.match(closest, /^ {2}\d+ webhook\.attempt differs:$/);
    assert.ok(differences.includes("    data.status: want 200, got 204"), error.detail);
    assert.ok(differences.includes('    data.params.FaxStatus: want "failed", got "received"'), error.detail);
    return true;
  });
  const twice = account.verify({ kind: "fax.status" }, { times: { atLeast: 3, atMost: 4 } });
  await assert.rejects(twice, { detail: /^expected 3 to 4 of {"kind":"fax.status"}, found 2/ });
  await assert.rejects(account.verify({ kind: "fax.status" }, { times: 0 }), { detail: /^expected 0 of .*, found 2/ });
  await assert.rejects(account.verify({ kind: "fax.status" }, { times: { atMost: 1 } }), {
    detail: /^expected 0 to 1 of .*, found 2/,
  });
  await assert.rejects(account.verify([{ data: { new: "received" } }, { data: { new: "receiving" } }]), {
    detail: /^expected 2 events in this order, but number 2 is missing: {"data":{"new":"receiving"}}/,
  });
  await assert.rejects(account.verify({ kind: "fax.status" }, { time: 1 }), { code: "bad-argument" });
  await assert.rejects(account.verify({ data: { new: { regexp: "x" } } }), { name: "FauxfaxError" });
});

test("events and webhooks can be listed, and a webhook sent again", { timeout }, async (t) => {
  const { account, app, sid } = await setUp(t);
  const statuses = await account.events({ fax: sid, kind: "fax.status" });
  assert.deepEqual(
    statuses.map((event) => event.data.new),
    ["receiving", "received"],
  );
  assert.equal((await account.events({ limit: 1 })).length, 1);
  assert.deepEqual(await account.events({ since: (await account.events()).at(-1).seq }), []);
  const webhooks = await account.webhooks({ fax: sid });
  assert.deepEqual(
    webhooks.map(({ purpose, delivered }) => [purpose, delivered]),
    [
      ["fax-url", true],
      ["action", true],
    ],
  );
  const before = app.received.length;
  await account.replay(webhooks[1].id, { params: { FaxStatus: "failed", NumPages: null } });
  const { params } = app.received[before];
  assert.deepEqual([params.FaxStatus, params.NumPages, params.FaxSid], ["failed", undefined, sid]);
  await account.replay(webhooks[1].id);
  assert.equal(app.received.at(-1).params.FaxStatus, "received");
  await assert.rejects(account.events({ kinds: "x" }), { code: "bad-argument" });
  await assert.rejects(account.events({ kind: "fax.stat" }), { code: "bad-query", detail: /did you mean fax\.status/ });
});

test("a signature that doesn't match is explained", { timeout }, async (t) => {
  const { account, app } = await setUp(t);
  const { params, headers } = app.received.at(-1);
  const valid = await account.explainSignature({
    url: `${app.url}/received`,
    params,
    signature: headers["x-twilio-signature"],
  });
  assert.deepEqual([valid.valid, valid.mistake], [true, null]);
  const slash = await account.explainSignature({ url: `${app.url}/received`, params, appUrl: `${app.url}/received/` });
  assert.deepEqual([slash.valid, slash.mistake, slash.expected], [false, "trailing-slash", headers["x-twilio-signature"]]);
});

test("a snapshot brings back faxes and numbers, and a reset removes them", { timeout }, async (t) => {
  const { account, sid } = await setUp(t);
  await account.snapshot("one-fax");
  await account.receive();
  assert.equal((await account.faxes()).length, 2);
  assert.equal((await account.restore("one-fax")).removed.faxes, 2);
  assert.deepEqual(
    (await account.faxes()).map((fax) => fax.sid),
    [sid],
  );
  assert.deepEqual((await account.reset()).removed, { faxes: 1 });
  assert.deepEqual([await account.faxes(), await account.numbers()], [[], []]);
  assert.deepEqual(
    (await account.events()).map((event) => event.kind),
    ["world.reset"],
  );
  assert.ok((await account.events({ all: true })).length > 1);
  await assert.rejects(account.restore("nothing"), { code: "snapshot-not-found" });
  await assert.rejects(account.snapshot("with a blank"), { code: "bad-name" });
  const sids = [];
  for (let run = 0; run < 2; run++) {
    await account.reset({ seed: 7 });
    await account.number(NUMBER, { faxTwiml: "<Response><Receive/></Response>" });
    sids.push((await account.receive()).sid);
  }
  assert.equal(sids[0], sids[1]);
});
