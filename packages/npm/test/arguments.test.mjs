// Tests the forms in which methods accept an argument, and the errors for anything else.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Emulator } from "fauxfax";

const timeout = 60_000;
const NUMBER = "+15017122661";
const OUTSIDE = "+15558675310";
const ACCEPTS = "<Response><Receive/></Response>";
let emulator;
/** An account that accepts every fax and has received one with two pages, and the conversation about that fax. */
let account;
let conversation;
before(async () => {
  emulator = await Emulator.start();
  account = await emulator.account();
  await account.number(NUMBER, { faxTwiml: ACCEPTS });
  conversation = await account.receive({ pages: 2 });
});
after(() => emulator.stop());

/** Checks that a call is refused before it is made, with this detail. */
const refuses = (call, detail) => assert.rejects(call, { name: "FauxfaxError", code: "bad-argument", detail });

test("a fax can be given by its SID, as a fax or as a conversation", { timeout }, async () => {
  const { sid, fax } = conversation;
  for (const given of [sid, fax, conversation]) {
    assert.equal((await account.fax(given)).sid, sid);
    assert.equal((await account.wait({ fax: given })).faxSid, sid);
    assert.equal((await account.conversation(given)).sid, sid);
    assert.match(await account.conversationMarkdown(given), new RegExp(sid));
    assert.equal((await account.pages(given)).length, 2);
    assert.ok((await account.page(given, 1)).length > 0);
    assert.match(await account.pageText(given, 1), /Page 1 of 2/);
    assert.ok((await account.document(given)).length > 0);
    for (const list of [await account.events({ fax: given }), await account.webhooks({ fax: given })]) {
      assert.ok(list.length > 0 && list.every((item) => item.fax_sid === sid));
    }
  }
});

test("what is not a fax is refused, and the error says which fields have a fax's SID", { timeout }, async () => {
  const expected = /must be a Fax, a Conversation or a SID, not an object\. .* is its \.sid, .*its \.faxSid, .*its \.fax_sid$/;
  const waited = await account.wait({ fax: conversation });
  await refuses(account.fax(waited), expected);
  await refuses(account.wait({ fax: waited }), expected);
  await refuses(account.pages({}), expected);
  await refuses(account.conversation(undefined), /not undefined/);
  await refuses(account.page("", 1), /not an empty string/);
  await refuses(account.events({ fax: 7 }), /not a number/);
  await refuses(account.document(Promise.resolve(conversation)), /not a Promise/);
});

test("a page that the fax doesn't have is an error with the number of its pages", { timeout }, async () => {
  for (const method of ["page", "pageText"]) {
    const message = "the fax has no page 3: it has 2 pages";
    await assert.rejects(account[method](conversation, 3), { code: "page-not-found", status: 404, message });
  }
  for (const page of [0, 1.5, NaN, "1", undefined]) await refuses(account.page(conversation, page), /pages are counted from 1/);
  await refuses(account.document(conversation, "png"), "the format must be pdf or tiff, not png");
});

test("a document can be any kind of bytes, and nothing else", { timeout }, async () => {
  const bytes = new Uint8Array(await (await fetch(account.sampleUrl("two-pages.pdf"))).arrayBuffer());
  const view = new DataView(bytes.buffer);
  for (const file of [bytes.buffer, new Blob([bytes]), new File([bytes], "fax.pdf"), Buffer.from(bytes), view]) {
    assert.equal((await account.receive({ file })).fax.numPages, 2);
  }
  for (const [file, kind] of [
    [3, "a number"],
    [null, "null"],
    [{}, "an object"],
    [new URL("http://a.test/x.pdf"), "an? URL"],
    [[1, 2], "an Array"],
  ]) {
    await refuses(account.receive({ file }), new RegExp(`^file must be a path, .* not ${kind}; .* mediaUrl$`));
    await refuses(account.ring({ file }), new RegExp(`not ${kind};`));
  }
});

test("values that JSON would change are refused by name", { timeout }, async () => {
  const { length } = await account.faxes();
  await refuses(account.receive({ pages: NaN }), "pages can't be NaN");
  await refuses(account.receive({ pages: () => 2 }), "pages can't be a function");
  await refuses(account.receive({ pages: 2n }), "pages can't be a bigint");
  await refuses(account.receive({ outcome: { status: "failed", afterPages: Infinity } }), "outcome.afterPages can't be Infinity");
  await refuses(account.send({ to: OUTSIDE, mediaUrl: Promise.resolve("x") }), "mediaUrl can't be a Promise: await it first");
  await refuses(account.verify({ kind: /fax/ }), /^the expectation\.kind can't be a RegExp: give its text as { regex: "…" }$/);
  await refuses(account.rules.add({ times: NaN, line: {} }), "the rule.times can't be NaN");
  await refuses(account.clock.advance({ seconds: NaN }), "seconds can't be NaN");
  const circular = {};
  circular.self = circular;
  await refuses(account.control("POST", "/verify", { json: circular }), /contains itself$/);
  assert.equal((await account.faxes()).length, length, "no fax was created");
});

test("names and ids must be given", { timeout }, async () => {
  await refuses(account.snapshot(), "the name must be a string, not undefined");
  await refuses(account.restore(""), "the name must not be empty");
  await refuses(account.replay({}), "the id must be a string, not an object");
  await refuses(account.number(), "the number must be a string, not undefined");
  await refuses(account.rules.setEnabled(99), "enabled must be true or false, not undefined");
  await refuses(account.rules.remove({ id: 1 }), "the rule must be given by its id, a number, not an object");
  await assert.rejects(account.rules.setEnabled(99, true), { code: "rule-not-found" });
});

test("an attribute of a number is removed by an empty text, and null is refused", { timeout }, async () => {
  const own = await emulator.account();
  await own.number(NUMBER, { faxUrl: new URL("http://localhost:3000/fax") });
  await refuses(own.number(NUMBER, { faxUrl: null }), /^faxUrl can't be null; .*""/);
  await refuses(own.number(NUMBER, { faxUrl: {} }), /^faxUrl can't be an object/);
  assert.equal((await own.numbers())[0].voiceUrl, "http://localhost:3000/fax");
  assert.ok(!(await own.number(NUMBER, { faxUrl: "" })).voiceUrl);
});

test("a sample is sent unless a document is given", { timeout }, async () => {
  assert.equal((await account.send({ to: OUTSIDE })).numPages, 1);
  assert.equal((await account.send({ to: OUTSIDE, mediaUrl: account.sampleUrl("two-pages.pdf") })).numPages, 2);
  const { samples } = await emulator.control("GET", "/samples");
  assert.ok(samples.length > 1);
});
