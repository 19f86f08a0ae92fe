// Tests what apps use besides faxes: messages and look-ups of numbers. All versions of the library have these calls, except
// that version 3 has no Lookups v2.

import assert from "node:assert/strict";
import { BUYABLE, library, refusal, scenario, TO } from "./setting.mjs";

async function isRefused(promise, status, code) {
  const error = await refusal(promise);
  assert.deepEqual([error.status, error.code], [status, code], error.message);
}

scenario("a message is created, fetched, listed, redacted and deleted", async ({ emulator, client, account }) => {
  const message = await client.messages.create({ to: TO, from: BUYABLE, body: "Your fax was sent 👍" });
  assert.match(message.sid, /^SM[0-9a-f]{32}$/);
  assert.deepEqual(
    [message.status, message.direction, message.to, message.from, message.body, message.numSegments],
    ["queued", "outbound-api", TO, BUYABLE, "Your fax was sent 👍", "1"],
  );
  assert.ok(message.dateCreated instanceof Date && message.errorCode === null);
  await emulator.settle(account.sid);
  const delivered = await client.messages(message.sid).fetch();
  assert.deepEqual([delivered.status, delivered.price, delivered.priceUnit], ["delivered", "-0.00750", "USD"]);
  assert.ok(delivered.dateSent instanceof Date);
  assert.deepEqual((await client.messages.list({ to: TO, pageSize: 1 })).map(({ sid }) => sid), [message.sid]);
  assert.deepEqual(await client.messages.list({ dateSentAfter: new Date(Date.now() + 86_400_000) }), []);
  assert.equal((await client.messages(message.sid).update({ body: "" })).body, "");
  assert.equal(await client.messages(message.sid).remove(), true);
  await isRefused(client.messages(message.sid).fetch(), 404, 20404);
});

scenario("a message without a sender or with a wrong number is refused", async ({ client }) => {
  await isRefused(client.messages.create({ to: TO, body: "x" }), 400, 21603);
  await isRefused(client.messages.create({ to: "5558675310", from: BUYABLE, body: "x" }), 400, 21211);
  await isRefused(client.messages.create({ to: TO, from: BUYABLE }), 400, 21602);
});

scenario("the app is notified of each later status", async ({ emulator, client, account, app }) => {
  app.answers["/message"] = null;
  const message = await client.messages.create({
    to: TO, from: BUYABLE, body: "x", mediaUrl: [app.url + "/a.png"], statusCallback: app.url + "/message",
  });
  assert.equal(message.numMedia, "1");
  await emulator.settle(account.sid);
  const told = app.of("/message").map(({ form }) => [form.MessageStatus, form.MessageSid, form.From]);
  assert.deepEqual(told, [["sent", message.sid, BUYABLE], ["delivered", message.sid, BUYABLE]]);
});

scenario("a number is looked up", async ({ emulator, client }) => {
  const found = await client.lookups.v1.phoneNumbers("+14155550132").fetch();
  assert.deepEqual(
    [found.phoneNumber, found.countryCode, found.nationalFormat, found.carrier],
    ["+14155550132", "US", "(415) 555-0132", null],
  );
  const origin = emulator.underTwiliosName ? "https://lookups.twilio.com" : emulator.url;
  assert.equal(found.url, origin + "/v1/PhoneNumbers/+14155550132");
  const british = await client.lookups.v1.phoneNumbers("02077651182").fetch({ countryCode: "GB" });
  assert.equal(british.phoneNumber, "+442077651182");
  await isRefused(client.lookups.v1.phoneNumbers("+1415").fetch(), 404, 20404);
});

scenario("Lookups v2 says what is wrong with a number", async ({ client }) => {
  assert.equal("v2" in client.lookups, library !== "twilio-3");
  if (library === "twilio-3") return;
  const valid = await client.lookups.v2.phoneNumbers("+14155550132").fetch();
  assert.deepEqual([valid.valid, valid.callingCountryCode, valid.callerName], [true, "1", null]);
  const invalid = await client.lookups.v2.phoneNumbers("+141555501320").fetch();
  assert.deepEqual([invalid.valid, invalid.validationErrors], [false, ["TOO_LONG"]]);
});
