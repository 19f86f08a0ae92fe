// Tests receiving with an Express app whose cXML the library builds: each attribute of <Receive>, <Reject/>, and failures.
// Version 3 of @signalwire/node has no client, so the fax is read from the control API's response.

import assert from "node:assert/strict";
import { pdf } from "../../node/documents.mjs";
import { filesOrigin, NUMBER, receiveXml, rejectXml, scenario, TO, UUID } from "./setting.mjs";

const purposes = (conversation) => conversation.webhooks.map((webhook) => webhook.purpose);
const executed = (conversation) => conversation.events.find((event) => event.kind === "twiml.executed").data;
const isNow = (date) => Math.abs(Date.now() - new Date(date)) < 60_000;

/** Lets a fax machine call the project's number. */
const receive = ({ emulator, project }, fields, file) => emulator.receive(project.id, { to: NUMBER, ...fields }, file);

scenario("an app is asked for cXML and notified of the fax", async (setting) => {
  const { app, faxNumber, project, rest } = setting;
  await faxNumber();
  app.answers["/fax"] = receiveXml({ action: "/fax/received?tenant=7" });
  app.answers["/fax/received"] = null;
  const { outcome, fax } = await receive(setting, { pages: 3, station_id: "EXAMPLE INC" });
  assert.equal(outcome, "received");
  const common = { FaxSid: fax.sid, AccountSid: project.id, From: TO, To: NUMBER, ApiVersion: "v1" };
  const [asked] = app.of("/fax");
  assert.deepEqual([asked.method, asked.form], ["POST", common]);
  const [told] = app.of("/fax/received");
  const { MediaSid, MediaUrl, Timestamp, ...others } = told.form;
  assert.deepEqual(others, { ...common, RemoteStationId: "EXAMPLE INC", FaxStatus: "received", NumPages: "3" });
  assert.match(MediaSid, UUID);
  assert.ok(isNow(Timestamp), Timestamp);
  const stored = await fetch(MediaUrl);
  assert.deepEqual([stored.status, stored.headers.get("content-type")], [200, "application/pdf"]);
  const { body } = await rest("GET", `/Faxes/${fax.sid}.json`);
  assert.deepEqual(
    [body.direction, body.status, body.from, body.to, body.num_pages, body.media_sid],
    ["inbound", "received", TO, NUMBER, 3, MediaSid],
  );
});

scenario("the library shows the fax and its media", async (setting) => {
  const { app, client, faxNumber } = setting;
  if (!client) return;
  await faxNumber();
  app.answers["/fax"] = receiveXml();
  const { fax: { sid } } = await receive(setting, {}, pdf(2));
  const [fax, ...others] = await client.fax.faxes.list({ to: NUMBER });
  assert.deepEqual([fax.sid, fax.direction, fax.status, fax.numPages, others], [sid, "inbound", "received", 2, []]);
  assert.ok(fax.mediaUrl.startsWith(filesOrigin() + "/"), fax.mediaUrl);
  assert.deepEqual((await fax.media().list()).map((media) => media.sid), [fax.mediaSid]);
  const document = Buffer.from(await (await fetch(fax.mediaUrl)).arrayBuffer());
  assert.deepEqual(document.subarray(0, 5), Buffer.from("%PDF-"));
});

scenario("an action by GET has its parameters in the query", async (setting) => {
  const { app, faxNumber } = setting;
  await faxNumber();
  app.answers["/received"] = null;
  app.answers["/fax"] = receiveXml({ action: app.url + "/received?key=a%26b", method: "GET" });
  await receive(setting);
  const [told] = app.of("/received");
  assert.equal(told.method, "GET");
  assert.deepEqual([told.params.key, told.params.FaxStatus, told.params.To], ["a&b", "received", NUMBER]);
  assert.ok(!told.url.includes("+"), told.url);
});

scenario("a fax is stored in the media type and page size that the app chooses", async (setting) => {
  const { app, faxNumber } = setting;
  await faxNumber();
  app.answers["/received"] = null;
  for (const pageSize of ["letter", "legal", "a4"]) {
    app.exchanges.length = 0;
    app.answers["/fax"] = receiveXml({ action: "/received", mediaType: "image/tiff", pageSize });
    const conversation = await receive(setting);
    assert.deepEqual([executed(conversation).mediaType, executed(conversation).pageSize], ["image/tiff", pageSize]);
    const stored = await fetch(app.of("/received")[0].form.MediaUrl);
    assert.deepEqual([stored.status, stored.headers.get("content-type")], [200, "image/tiff"]);
    const magic = Buffer.from(await stored.arrayBuffer()).toString("latin1", 0, 4);
    assert.ok(["II*\0", "MM\0*"].includes(magic), magic);
  }
});

scenario("storeMedia, which only the library knows, does no harm", async (setting) => {
  const { app, faxNumber } = setting;
  await faxNumber();
  app.answers["/received"] = null;
  for (const storeMedia of [true, false]) {
    app.exchanges.length = 0;
    app.answers["/fax"] = receiveXml({ action: "/received", storeMedia });
    assert.equal((await receive(setting, {}, pdf(1))).outcome, "received");
    const [told] = app.of("/received");
    assert.deepEqual([told.form.FaxStatus, told.form.NumPages], ["received", "1"]);
  }
});

scenario("without an action the fax is stored and nobody is notified", async (setting) => {
  const { app, faxNumber } = setting;
  await faxNumber();
  for (const attributes of [{}, { action: "" }]) {
    app.answers["/fax"] = receiveXml(attributes);
    const conversation = await receive(setting);
    assert.deepEqual([conversation.outcome, purposes(conversation)], ["received", ["fax-url"]]);
  }
});

scenario("a rejected fax is canceled", async (setting) => {
  const { app, faxNumber, rest } = setting;
  await faxNumber();
  app.answers["/fax"] = rejectXml();
  const conversation = await receive(setting);
  assert.deepEqual([conversation.outcome, purposes(conversation)], ["rejected", ["fax-url"]]);
  const { body } = await rest("GET", `/Faxes/${conversation.fax.sid}`);
  assert.deepEqual([body.status, body.media_url, body.num_pages], ["canceled", null, null]);
});

scenario("an app may be asked by GET", async (setting) => {
  const { app, faxNumber } = setting;
  await faxNumber({ VoiceMethod: "GET", VoiceUrl: app.url + "/fax?tenant=7" });
  app.answers["/fax"] = receiveXml();
  const { fax } = await receive(setting);
  const [asked] = app.of("/fax");
  assert.deepEqual([asked.method, asked.params.tenant, asked.params.FaxSid], ["GET", "7", fax.sid]);
});

scenario("the fallback is asked when the app fails", async (setting) => {
  const { app, faxNumber } = setting;
  await faxNumber({ VoiceFallbackUrl: app.url + "/fallback" });
  app.answers["/fax"] = (_, response) => response.status(500).send("broken");
  app.answers["/fallback"] = receiveXml();
  const conversation = await receive(setting);
  assert.deepEqual([conversation.outcome, purposes(conversation)], ["received", ["fax-url", "fallback-url"]]);
});

scenario("a redirect is followed and signed for its target", async (setting) => {
  const { app, faxNumber } = setting;
  await faxNumber();
  app.answers["/fax"] = (_, response) => response.redirect(307, "/moved");
  app.answers["/moved"] = receiveXml();
  assert.equal((await receive(setting)).outcome, "received");
  assert.equal(app.of("/moved").length, 1);
});

scenario("a broken transmission fails the fax, and the app is notified of the reason", async (setting) => {
  const { app, faxNumber, rest } = setting;
  await faxNumber();
  app.answers["/fax"] = receiveXml({ action: "/received" });
  app.answers["/received"] = null;
  const outcome = { status: "failed", code: 34004, after_pages: 1 };
  const conversation = await receive(setting, { pages: 3, outcome });
  assert.equal(conversation.outcome, "failed");
  const [told] = app.of("/received");
  assert.deepEqual([told.form.FaxStatus, told.form.ErrorCode], ["failed", "34004"]);
  const { body } = await rest("GET", `/Faxes/${conversation.fax.sid}`);
  assert.deepEqual([body.status, String(body.error_code), body.error_message], ["failed", "34004", told.form.ErrorMessage]);
});

scenario("a fax to a number of the project rings there", async (setting) => {
  const { app, emulator, faxNumber, project, rest } = setting;
  await faxNumber();
  app.answers["/fax"] = receiveXml({ action: "/received" });
  app.answers["/received"] = app.answers["/status"] = null;
  const order = { To: NUMBER, From: NUMBER, MediaUrl: app.url + "/letter.pdf", StatusCallback: app.url + "/status" };
  const sent = await rest("POST", "/Faxes", order);
  assert.equal(sent.status, 201, JSON.stringify(sent.body));
  await emulator.wait(project.id, sent.body.sid, "delivered");
  await emulator.settle(project.id);
  const [received] = app.of("/received");
  assert.deepEqual([received.form.FaxStatus, received.form.NumPages], ["received", "2"]);
  const { body } = await rest("GET", "/Faxes");
  assert.deepEqual(
    new Set(body.faxes.map(({ sid, direction }) => `${direction} ${sid}`)),
    new Set([`outbound ${sent.body.sid}`, `inbound ${received.form.FaxSid}`]),
  );
});
