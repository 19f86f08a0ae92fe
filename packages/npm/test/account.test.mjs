// Tests an account's faxes: receiving and sending them, waiting for them, and reading them, in both dialects.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { Account, Emulator, FauxfaxError } from "fauxfax";

import { startApp } from "./app.mjs";

const timeout = 60_000;
const NUMBER = "+15017122661";
const OUTSIDE = "+15558675310";
const PNG = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
let emulator;
/** The URL of a document with two pages, and the path of a copy. */
let sample;
let file;
before(async () => {
  emulator = await Emulator.start();
  sample = `${emulator.url}/_fauxfax/v1/samples/two-pages.pdf`;
  file = join(mkdtempSync(join(tmpdir(), "fauxfax-npm-")), "two-pages.pdf");
  writeFileSync(file, Buffer.from(await (await fetch(sample)).arrayBuffer()));
});
after(async () => {
  await emulator.stop();
  rmSync(join(file, ".."), { recursive: true });
});

/** Returns an account whose number is answered by an app. */
async function setUp(t, options) {
  const app = await startApp(t);
  const account = await emulator.account(options);
  await account.number(NUMBER, { faxUrl: `${app.url}/fax` });
  return { account, app };
}

test("an account has a credential that a failed assertion doesn't print", { timeout }, async () => {
  const account = await emulator.account({ authToken: "s3cret", friendlyName: "Test 17" });
  assert.ok(account instanceof Account);
  assert.match(account.sid, /^AC[0-9a-f]{32}$/);
  assert.deepEqual([account.authToken, account.signingKey, account.dialect], ["s3cret", "s3cret", "twilio"]);
  assert.equal(account.url, emulator.url);
  assert.doesNotMatch(JSON.stringify(account) + (await import("node:util")).inspect(account), /s3cret/);
  await account.remove();
  await assert.rejects(emulator.existingAccount(account.sid), { code: "account-not-found", status: 404 });
});

test("an account can have numbers from the start, which a reset keeps", { timeout }, async () => {
  const numbers = [{ phoneNumber: NUMBER, voiceReceiveMode: "fax", voiceUrl: "http://localhost:3000/fax" }];
  const account = await emulator.account({ numbers, callerIds: [{ phoneNumber: OUTSIDE }] });
  await account.number("+15017122662");
  await account.reset();
  assert.deepEqual(
    (await account.numbers()).map((number) => [number.phoneNumber, number.voiceUrl]),
    [[NUMBER, "http://localhost:3000/fax"]],
  );
  await assert.rejects(emulator.account({ numbers: [{ phoneNumber: "555-0100" }] }), FauxfaxError);
  await assert.rejects(emulator.account({ token: "x" }), {
    code: "bad-argument",
    detail: /^it has no option token; it takes sid, /,
  });
});

test("numbers of a new account can be given as text, and receive faxes", { timeout }, async () => {
  const account = await emulator.account({ numbers: [NUMBER], callerIds: [OUTSIDE] });
  const [number] = await account.numbers();
  assert.deepEqual([number.phoneNumber, number.voiceReceiveMode], [NUMBER, "fax"]);
  assert.equal((await account.receive({ action: "http://127.0.0.1:9/" })).outcome, "received");
});

test("a number is bought once, and its attributes can be changed", { timeout }, async () => {
  const account = await emulator.account();
  const bought = await account.number(NUMBER, { faxUrl: "http://localhost:3000/fax", friendlyName: "Front desk" });
  assert.deepEqual([bought.phoneNumber, bought.friendlyName, bought.voiceReceiveMode], [NUMBER, "Front desk", "fax"]);
  const changed = await account.number(NUMBER, { statusCallback: "http://localhost:3000/status", statusCallbackMethod: "GET" });
  assert.deepEqual(
    [changed.sid, changed.voiceUrl, changed.statusCallbackMethod],
    [bought.sid, "http://localhost:3000/fax", "GET"],
  );
  assert.deepEqual(await account.number(NUMBER), changed);
  assert.equal((await account.numbers()).length, 1);
  await assert.rejects(account.number("555-0100"), { name: "FauxfaxError", status: 400, code: "21421" });
  await assert.rejects(account.number(NUMBER, { voiceUrl: "x" }), { code: "bad-argument" });
  await assert.rejects(account.number(NUMBER, { faxUrl: "http://a.test", faxTwiml: "<Response/>" }), { code: "bad-argument" });
});

test("a fax is received, and the app hears of it", { timeout }, async (t) => {
  const { account, app } = await setUp(t);
  const conversation = await account.receive({ pages: 2, from: "+15552223333", stationId: "THE SENDER", quality: "superfine" });
  assert.equal(conversation.outcome, "received");
  assert.deepEqual(
    [conversation.fax.numPages, conversation.fax.from, conversation.fax.quality],
    [2, "+15552223333", "superfine"],
  );
  assert.deepEqual(
    app.received.map(({ path, params }) => [path, params.FaxSid]),
    [
      ["/fax", conversation.sid],
      ["/received", conversation.sid],
    ],
  );
  assert.deepEqual(
    conversation.webhooks.map(({ purpose, status }) => [purpose, status]),
    [
      ["fax-url", 200],
      ["action", 204],
    ],
  );
  assert.ok(conversation.events.some((event) => event.kind === "fax.page" && event.data.page === 2));
  assert.deepEqual(await account.conversation(conversation.sid).then(({ sid, outcome }) => ({ sid, outcome })), {
    sid: conversation.sid,
    outcome: "received",
  });
  assert.match(await account.conversationMarkdown(conversation.sid), new RegExp(`^### Fax \`${conversation.sid}\`: received`));
});

test("TwiML can answer in place of an app", { timeout }, async () => {
  const account = await emulator.account();
  await account.number(NUMBER, { faxTwiml: "<Response><Receive/></Response>" });
  assert.equal((await account.receive()).outcome, "received");
  await account.number(NUMBER, { faxTwiml: "<Response><Reject/></Response>" });
  const rejected = await account.receive();
  assert.equal(rejected.outcome, "rejected");
  await assert.rejects(account.number(NUMBER, { faxTwiml: "<Answer/>" }), { name: "FauxfaxError", status: 422 });
});

test("the URL of an action is notified, and the number's app is not asked", { timeout }, async (t) => {
  const { account, app } = await setUp(t);
  await account.receive({ action: `${app.url}/elsewhere`, sid: `FX${"7".repeat(32)}` });
  assert.deepEqual(
    app.received.map(({ path, params }) => [path, params.FaxSid]),
    [["/elsewhere", `FX${"7".repeat(32)}`]],
  );
});

test("a call that no app takes is not a fax", { timeout }, async () => {
  const account = await emulator.account();
  await account.number(NUMBER, { faxUrl: "http://127.0.0.1:9/fax" });
  const conversation = await account.receive({ to: NUMBER });
  assert.deepEqual([conversation.outcome, conversation.fax], ["not-answered", null]);
  assert.deepEqual(
    (await account.faxes({ status: "not-answered" })).map((call) => call.sid),
    [conversation.sid],
  );
  assert.equal((await account.fax(conversation.sid)).status, "not-answered");
  assert.equal(await account.newestFax(), null);
});

test("a transmission can fail on purpose", { timeout }, async (t) => {
  const { account } = await setUp(t);
  const outcome = { status: "failed", code: 34004, afterPages: 1, message: "Connection failed" };
  for (const document of [{ pages: 3 }, { file }]) {
    const { fax, outcome: found } = await account.receive({ ...document, outcome });
    assert.equal(found, "failed");
    assert.deepEqual([fax.errorCode, fax.errorMessage], [34004, "Connection failed"]);
  }
});

test("a document is sent from a file, from bytes and from a URL", { timeout }, async (t) => {
  const { account } = await setUp(t);
  const bytes = new Uint8Array(await (await fetch(sample)).arrayBuffer());
  for (const document of [{ file }, { file: bytes }, { mediaUrl: sample }]) {
    assert.equal((await account.receive(document)).fax.numPages, 2);
  }
  await assert.rejects(account.receive({ file: "nowhere.pdf" }), {
    code: "document-unreadable",
    message: /nowhere\.pdf.*ENOENT/,
  });
  await assert.rejects(account.receive({ file: new TextEncoder().encode("no document") }), {
    code: "document-unreadable",
    status: 422,
  });
  await assert.rejects(account.receive({ pages: 1, mediaUrl: sample }), { code: "bad-field" });
  await assert.rejects(account.receive({ page: 1 }), { code: "bad-argument", detail: /no option page; it takes pages, / });
  await assert.rejects(account.receive({ to: "+15550000000" }), { code: "number-not-found", status: 404 });
});

test("the pages of a fax are pictures, text and files", { timeout }, async (t) => {
  const { account } = await setUp(t);
  const { sid } = await account.receive({ pages: 2 });
  const pages = await account.pages(sid, { width: 200 });
  assert.equal(pages.length, 2);
  for (const page of pages) {
    assert.deepEqual(Buffer.from(page.subarray(0, 8)), PNG);
    assert.equal(Buffer.from(page).readUInt32BE(16), 200, "the PNG has the given width");
  }
  assert.ok((await account.page(sid, 2)).length > pages[1].length, "without a width, the picture is larger");
  assert.match(await account.pageText(sid, 2), /Page 2 of 2/);
  assert.equal(Buffer.from((await account.document(sid)).subarray(0, 5)).toString(), "%PDF-");
  const tiff = await account.document(sid, "tiff");
  assert.equal(Buffer.from(tiff.subarray(0, 2)).toString(), "II");
  const scan = await account.receive({ file: tiff });
  assert.equal(await account.pageText(scan.sid, 1), null);
  await assert.rejects(account.page(sid, 3), { name: "FauxfaxError", status: 404 });
});

test("a fax is sent, and its callbacks come", { timeout }, async (t) => {
  const { account, app } = await setUp(t);
  const options = { quality: "superfine", statusCallback: `${app.url}/status`, ttl: 5, storeMedia: false };
  const fax = await account.send({ to: OUTSIDE, mediaUrl: sample, ...options });
  assert.deepEqual(
    [fax.status, fax.from, fax.numPages, fax.quality, fax.mediaUrl],
    ["delivered", NUMBER, 2, "superfine", null],
  );
  assert.deepEqual(app.received.at(-1).params.FaxStatus, "delivered");
  assert.deepEqual((await account.newestFax()).sid, fax.sid);
  assert.deepEqual(
    (await account.faxes({ q: "status:delivered", limit: 5 })).map(({ sid }) => sid),
    [fax.sid],
  );
});

test("a fax that the service refuses is an error with the service's code", { timeout }, async () => {
  const account = await emulator.account();
  await assert.rejects(account.queue({ to: OUTSIDE, mediaUrl: sample }), {
    code: "bad-argument",
    detail: /buy one with number\(\)/,
  });
  await account.number(NUMBER);
  await assert.rejects(account.queue({ to: "+15005550001", mediaUrl: sample }), { code: "21211", status: 400 });
  await assert.rejects(account.send({ to: OUTSIDE, url: sample }), { code: "bad-argument" });
});

test("a wait ends with the status, with the end of the fax, or when nothing is pending", { timeout }, async (t) => {
  const { account } = await setUp(t);
  const sid = await account.queue({ to: "+15005550101", mediaUrl: sample });
  const busy = await account.wait({ fax: sid, status: ["delivered", "busy"] });
  assert.deepEqual([busy.faxSid, busy.status], [sid, "busy"]);
  assert.equal((await account.wait({ fax: sid })).status, "busy");
  const { seq } = await account.waitIdle();
  const late = account.wait({ status: "received", since: seq });
  const rung = await account.ring({ pages: 1 });
  assert.equal((await late).faxSid, rung);
  await assert.rejects(account.wait({ fax: sid, status: "delivered" }), { code: "status-unreachable", status: 409 });
  await assert.rejects(account.withTimeout(20).wait({ status: "failed" }), { status: 408 });
  await assert.rejects(account.wait({}), { code: "bad-argument" });
  await assert.rejects(account.wait({ fax: sid, timeoutMs: 1e9 }), { code: "bad-argument" });
});

test("a frozen clock moves only when the test moves it", { timeout }, async (t) => {
  const { account, app } = await setUp(t);
  const { clock } = account;
  const { now, mode } = await clock.freeze();
  assert.equal(mode, "frozen");
  await assert.rejects(account.receive(), { code: "clock-frozen" });
  const sent = account.send({ to: OUTSIDE, mediaUrl: sample });
  await assert.rejects(sent, { code: "clock-frozen", detail: /use ring\(\) or queue\(\), and then clock\.advance\(\)/ });
  assert.deepEqual(await account.faxes(), []);
  // At the pace of tests a fax takes no time, but a webhook that a rule delays waits for the clock.
  await account.rules.add({ webhook: { delayMs: 60_000 } });
  const sid = await account.queue({ to: OUTSIDE, mediaUrl: sample, statusCallback: `${app.url}/status` });
  await assert.rejects(account.wait({ fax: sid, timeoutMs: 20 }), {
    status: 408,
    detail: /the clock is frozen: advance or drain it/,
  });
  assert.equal((await clock.state()).next[0].faxSid, sid);
  const drained = await clock.drain();
  assert.ok(drained.events.some((event) => event.fax_sid === sid && event.data.params?.FaxStatus === "delivered"));
  const moved = await clock.advance({ by: "1h30m" });
  assert.ok(Date.parse(moved.now) - Date.parse(now) >= 5_400_000);
  await clock.advance({ seconds: 0.5 }, { timeoutMs: 5_000 });
  await assert.rejects(clock.advance({ to: "2001-01-01T00:00:00Z" }), { name: "FauxfaxError", status: 422 });
  await assert.rejects(clock.advance({ minutes: 1 }), { code: "bad-argument" });
  assert.equal((await clock.run()).mode, "running");
  await assert.rejects(clock.drain(), { name: "FauxfaxError", status: 409 });
});

test("rules make things go wrong on purpose", { timeout }, async (t) => {
  const { account } = await setUp(t);
  const once = await account.rules.add({
    match: { to: "+1555*" },
    after: 1,
    times: 1,
    outcome: { status: "failed", afterPages: 1 },
  });
  const late = await account.rules.add({ webhook: { delayMs: 1 }, match: { purpose: "action" } });
  assert.deepEqual([once.outcome.afterPages, late.webhook.delayMs], [1, 1]);
  const outcomes = [];
  for (let fax = 0; fax < 3; fax++) outcomes.push((await account.send({ to: OUTSIDE, mediaUrl: sample })).status);
  assert.deepEqual(outcomes, ["delivered", "failed", "delivered"]);
  assert.deepEqual(
    (await account.rules.list()).map(({ id, fired }) => [id, fired]),
    [
      [once.id, 1],
      [late.id, 0],
    ],
  );
  assert.equal((await account.rules.setEnabled(late.id, false)).enabled, false);
  await account.rules.remove(once.id);
  await assert.rejects(account.rules.remove(once.id), { code: "rule-not-found" });
  await account.rules.clear();
  assert.deepEqual(await account.rules.list(), []);
  await assert.rejects(account.rules.add({ outcome: { status: "bussy" } }), { name: "FauxfaxError", status: 422 });
  await assert.rejects(account.rules.add({ nonsense: 1 }), { name: "FauxfaxError", status: 422 });
});

test("a rule that changes parameters and headers keeps their names as they are written", { timeout }, async (t) => {
  const { account } = await setUp(t);
  const webhook = {
    params: { set: { NumPages: "0", an_own_one: "1" }, add: { FaxSid: "FX1" }, order: ["FaxStatus"] },
    headers: { set: { "X-Own": "1", x_own_too: "2" }, lowerCase: true },
    signedUrl: "https://app.example.com/fax",
  };
  const added = await account.rules.add({ match: { purpose: "action" }, webhook });
  assert.deepEqual(added.webhook, webhook);
  assert.deepEqual((await account.rules.list()).map((rule) => rule.webhook), [webhook]);
  assert.deepEqual((await account.rules.setEnabled(added.id, false)).webhook, webhook);
  const { rules } = await account.control("GET", "/rules");
  assert.deepEqual([rules[0].webhook.params, rules[0].webhook.signed_url], [webhook.params, webhook.signedUrl]);
});

test("a rule can change how media are served", { timeout }, async (t) => {
  const { account } = await setUp(t);
  const media = { bytesPerSecond: 2_000, cutAfterBytes: 10_000 };
  assert.deepEqual((await account.rules.add({ times: 1, media })).media, media);
});

test("a reset takes a seed that only a bigint can hold", { timeout }, async () => {
  const account = await emulator.account({ numbers: [NUMBER] });
  const sids = [];
  for (const seed of [2n ** 60n + 1n, 2n ** 60n + 1n, 2n ** 60n]) {
    await account.reset({ seed });
    sids.push((await account.send({ to: OUTSIDE, mediaUrl: sample })).sid);
  }
  assert.equal(sids[0], sids[1]);
  assert.notEqual(sids[1], sids[2]);
});

test("a SignalWire project works the same way, under its own addresses", { timeout }, async (t) => {
  const { account, app } = await setUp(t, { dialect: "signalwire", signingKey: "PSK_secret" });
  assert.match(account.sid, /^[0-9a-f]{8}-/);
  assert.equal(account.signingKey, "PSK_secret");
  assert.notEqual(account.authToken, account.signingKey);
  assert.equal((await account.receive()).outcome, "received");
  assert.ok(app.received.at(-1).headers["x-signalwire-signature"]);
  const fax = await account.send({ to: OUTSIDE, mediaUrl: sample, statusCallback: `${app.url}/status` });
  assert.equal(fax.status, "delivered");
  await account.number(NUMBER, { friendlyName: "Front desk" });
  assert.equal((await account.numbers())[0].friendlyName, "Front desk");
  const project = await Emulator.start({ dialect: "signalwire" });
  t.after(() => project.stop());
  assert.equal((await project.account()).dialect, "signalwire");
  assert.equal((await project.defaultAccount()).sid, "00000000-0000-4000-8000-000000000000");
  assert.equal((await Emulator.at(project.url, { dialect: "signalwire" }).account()).dialect, "signalwire");
});
