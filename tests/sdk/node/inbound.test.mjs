// Tests receiving with an Express app whose TwiML the library builds. The newest versions of the library have no Fax API, so
// the fax is read from the control API's response, and all versions can run these tests.

import assert from "node:assert/strict";
import { BUYABLE, receiveTwiml, scenario, TO } from "./setting.mjs";
import { pdf } from "./documents.mjs";

const purposes = (conversation) => conversation.webhooks.map((webhook) => webhook.purpose);
const executed = (conversation) => conversation.events.find((event) => event.kind === "twiml.executed").data;

scenario("an app is asked for TwiML and notified of the fax", async ({ emulator, account, app, faxNumber }) => {
  await faxNumber();
  app.answers["/fax"] = receiveTwiml({ action: "/fax/received" });
  app.answers["/fax/received"] = null;
  const { outcome, fax } = await emulator.receive(account.sid, { pages: 3, station_id: "EXAMPLE INC" });
  assert.equal(outcome, "received");
  const common = { FaxSid: fax.sid, AccountSid: account.sid, From: TO, To: BUYABLE, ApiVersion: "v1" };
  const [asked] = app.of("/fax");
  assert.deepEqual([asked.method, asked.form], ["POST", common]);
  const [told] = app.of("/fax/received");
  const { MediaUrl, ...rest } = told.form;
  const expected = { RemoteStationId: "EXAMPLE INC", FaxStatus: "received", Status: "received", NumPages: "3", BitRate: "14400" };
  assert.deepEqual(rest, { ...common, ...expected });
  const stored = await fetch(MediaUrl);
  assert.deepEqual([stored.status, stored.headers.get("content-type")], [200, "application/pdf"]);
});

scenario("each attribute of Receive is read", async ({ emulator, account, app, faxNumber }) => {
  await faxNumber();
  app.answers["/received"] = null;
  const attributes = { action: app.url + "/received?key=a%26b", method: "GET", mediaType: "image/tiff", pageSize: "a4" };
  app.answers["/fax"] = receiveTwiml(attributes);
  const conversation = await emulator.receive(account.sid);
  assert.deepEqual(executed(conversation), { verb: "Receive", ...attributes, storeMedia: true });
  const [told] = app.of("/received");
  assert.equal(told.method, "GET");
  assert.deepEqual([told.params.key, told.params.FaxStatus, told.params.To], ["a&b", "received", BUYABLE]);
  assert.ok(!told.url.includes("+"), told.url);
});

scenario("media that are not stored follow the fields of the action", async (setting) => {
  const { emulator, account, app, faxNumber } = setting;
  await faxNumber();
  app.answers["/fax"] = receiveTwiml({ action: "received", storeMedia: false });
  app.answers["/received"] = null;
  const { fax } = await emulator.receive(account.sid, {}, pdf(2));
  const [told] = app.of("/received");
  assert.match(told.headers["content-type"], /^multipart\/form-data; boundary=/);
  assert.deepEqual([told.form.FaxSid, told.form.FaxStatus, told.form.NumPages], [fax.sid, "received", "2"]);
  const [{ fieldname, originalname, mimetype, buffer, fieldsBefore }, ...others] = told.files;
  assert.deepEqual([fieldname, originalname, mimetype], ["Media", `${fax.sid}.pdf`, "application/pdf"]);
  assert.deepEqual(buffer.subarray(0, 5), Buffer.from("%PDF-"));
  assert.deepEqual(others, []);
  assert.deepEqual(fieldsBefore, Object.keys(told.form), "all text fields come before the file");
  assert.deepEqual([fax.media_sid, fax.media_url, told.form.MediaUrl], [null, null, undefined]);
});

scenario("a rejected fax is canceled", async ({ emulator, account, app, faxNumber }) => {
  await faxNumber();
  app.answers["/fax"] = "<Response><Reject/></Response>";
  const conversation = await emulator.receive(account.sid);
  assert.deepEqual([conversation.outcome, conversation.fax.status], ["rejected", "canceled"]);
  assert.deepEqual(purposes(conversation), ["fax-url"]);
});

scenario("an app may be asked by GET", async ({ emulator, account, app, client, faxNumber }) => {
  const { sid } = await faxNumber();
  await client.incomingPhoneNumbers(sid).update({ voiceMethod: "GET", voiceUrl: app.url + "/fax?tenant=7" });
  app.answers["/fax"] = receiveTwiml();
  const { fax } = await emulator.receive(account.sid);
  const [asked] = app.of("/fax");
  assert.deepEqual([asked.method, asked.params.tenant, asked.params.FaxSid], ["GET", "7", fax.sid]);
});

scenario("a response without a verb creates no fax", async ({ emulator, account, app, faxNumber }) => {
  await faxNumber();
  app.answers["/fax"] = "<Response/>";
  const { outcome, fax, events } = await emulator.receive(account.sid);
  assert.deepEqual([outcome, fax], ["not-answered", null]);
  assert.deepEqual(events.filter(({ kind }) => kind === "alert").map(({ data }) => data.code), [34106]);
});

scenario("the fallback is asked with the reason", async ({ emulator, account, app, client, faxNumber }) => {
  const { sid } = await faxNumber();
  await client.incomingPhoneNumbers(sid).update({ voiceFallbackUrl: app.url + "/fallback" });
  app.answers["/fax"] = (_, response) => response.status(500).send("broken");
  app.answers["/fallback"] = receiveTwiml();
  assert.deepEqual(purposes(await emulator.receive(account.sid)), ["fax-url", "fallback-url"]);
  const [asked] = app.of("/fallback");
  assert.deepEqual([asked.form.ErrorCode, asked.form.ErrorUrl], ["11200", app.url + "/fax"]);
});

scenario("a redirect is signed for its target", async ({ emulator, account, app, faxNumber }) => {
  await faxNumber();
  app.answers["/fax"] = (_, response) => response.redirect(307, "/moved");
  app.answers["/moved"] = receiveTwiml();
  assert.equal((await emulator.receive(account.sid)).outcome, "received");
  assert.equal(app.of("/moved").length, 1);
});

scenario("the callbacks of a sent fax and the GET of its document are signed", async (setting) => {
  const { emulator, account, app, client } = setting;
  await client.api.accounts(account.sid).fetch();
  app.answers["/status"] = null;
  const form = { To: TO, From: BUYABLE, MediaUrl: app.url + "/letter.pdf?a=x%20y", StatusCallback: app.url + "/status" };
  const created = await fetch(emulator.url + "/v1/Faxes", {
    method: "POST",
    headers: { Authorization: "Basic " + Buffer.from(`${account.sid}:${account.token}`).toString("base64") },
    body: new URLSearchParams(form),
  });
  assert.equal(created.status, 201);
  await emulator.wait(account.sid, (await created.json()).sid, "delivered");
  await emulator.settle(account.sid);
  assert.deepEqual(app.exchanges.map(({ path }) => path).sort(), ["/letter.pdf", ...Array(4).fill("/status")]);
});
