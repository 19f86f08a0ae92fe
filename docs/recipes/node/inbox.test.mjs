// The inbox against the emulator: faxes that come and go, things that fail, time that passes. No test sleeps.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { setUp, startEmulator } from "./setting.mjs";

const timeout = 10_000;
let emulator;
before(async () => (emulator = await startEmulator()));
after(() => emulator.stop());

const media = (url) => fetch(url, { headers: { "User-Agent": "inbox" } });

test("a fax lands in the inbox", { timeout }, async (t) => {
  const { account, app } = await setUp(emulator.url, t);
  const conversation = await account("POST", "/incoming-faxes", { json: { pages: 2 }, wait: true });
  assert.equal(conversation.outcome, "received");
  assert.deepEqual([...app.inbox.keys()], [conversation.fax_sid]);
  const part = { kind: "webhook.attempt", data: { purpose: "action", status: 204, params: { NumPages: "2" } } };
  const verdict = await account("POST", "/verify", { json: { match: part, times: 1 } });
  assert.ok(verdict.verified, JSON.stringify(verdict.closest));
});

test("a broken transmission lands nowhere", { timeout }, async (t) => {
  const { account, app } = await setUp(emulator.url, t);
  const outcome = { status: "failed", code: 34004, after_pages: 1 };
  const conversation = await account("POST", "/incoming-faxes", { json: { pages: 3, outcome }, wait: true });
  assert.equal(conversation.outcome, "failed");
  assert.equal(app.inbox.size, 0);
});

for (const signature of ["bad", "missing"]) {
  test(`a request with a ${signature} signature is refused`, { timeout }, async (t) => {
    const { account, app } = await setUp(emulator.url, t);
    await account("POST", "/rules", { json: { match: { purpose: "action" }, webhook: { signature } } });
    await account("POST", "/incoming-faxes", { json: {}, wait: true });
    const refused = { kind: "webhook.attempt", data: { purpose: "action", status: 403 } };
    const verdict = await account("POST", "/verify", { json: { match: refused, times: 1 } });
    assert.ok(verdict.verified, JSON.stringify(verdict.closest));
    assert.equal(app.inbox.size, 0);
  });
}

test("a busy line is called again", { timeout }, async (t) => {
  const { account, app, sample } = await setUp(emulator.url, t);
  await account("POST", "/rules", { json: { match: { to: "+1555*" }, times: 1, outcome: { status: "busy" } } });
  const first = await app.send("+15558675310", sample);
  await account("GET", "/wait", { fax: first, status: "busy" });
  const delivered = await account("GET", "/wait", { status: "delivered" });
  await account("GET", "/wait", { for: "idle" });
  assert.deepEqual([...app.sent], [[first, "busy"], [delivered.event.fax_sid, "delivered"]]);
});

test("the link to a document expires after two hours", { timeout }, async (t) => {
  const { account, app } = await setUp(emulator.url, t);
  await account("POST", "/incoming-faxes", { json: {}, wait: true });
  const [url] = app.inbox.values();
  assert.equal((await media(url)).status, 200);
  await account("PUT", "/clock", { json: { mode: "frozen" } });
  await account("POST", "/clock/advance", { json: { seconds: 7201 } });
  assert.equal((await media(url)).status, 403);
});

test("the app passes every check that it must", { timeout }, async (t) => {
  const { account, url } = await setUp(emulator.url, t);
  const order = { url: `${url}/fax`, status_callback: `${url}/fax/status`, quick: true, patience: 0.5 };
  const report = await account("POST", "/check", { json: order });
  const failed = report.checks.filter((check) => check.verdict === "fail").map((check) => `${check.id}: ${check.seen}`);
  assert.deepEqual(failed, []);
  assert.ok(report.summary.pass > 10, JSON.stringify(report.summary));
});

test("a reset forgets everything", { timeout }, async (t) => {
  const { account } = await setUp(emulator.url, t);
  await account("POST", "/incoming-faxes", { json: {}, wait: true });
  assert.equal((await account("GET", "/faxes")).total, 1);
  assert.deepEqual((await account("POST", "/reset")).removed, { faxes: 1 });
  assert.deepEqual((await account("GET", "/faxes")).faxes, []);
});
