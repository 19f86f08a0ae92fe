// Tests searching, buying, changing and releasing numbers with SignalWire's libraries, and their applications.

import assert from "node:assert/strict";
import { receiveXml, refusal, scenario, NUMBER, UUID } from "./setting.mjs";

const isNow = (date) => date instanceof Date && Math.abs(Date.now() - date) < 60_000;

async function isNotFound(promise) {
  const error = await refusal(promise);
  assert.deepEqual([error.status, Number(error.code)], [404, 20404], error.message);
}

scenario("offers are found by area code and list no fax capability", async ({ client }) => {
  const offers = await client.availablePhoneNumbers("US").local.list({ areaCode: 415, faxEnabled: true, limit: 2 });
  assert.equal(offers.length, 2);
  for (const offer of offers) {
    assert.match(offer.phoneNumber, /^\+1415[2-9]\d{6}$/);
    assert.deepEqual([offer.isoCountry, offer.region], ["US", "CA"]);
    assert.deepEqual(offer.capabilities, { voice: true, SMS: true, MMS: true });
  }
  const [tollFree] = await client.availablePhoneNumbers("US").tollFree.list({ limit: 1 });
  assert.equal(tollFree.isoCountry, "US");
  const country = await client.availablePhoneNumbers("US").fetch();
  assert.deepEqual(Object.keys(country.subresourceUris).sort(), ["local", "toll_free"]);
  assert.ok((await client.availablePhoneNumbers.list()).some(({ countryCode }) => countryCode === "US"));
});

scenario("an offer is bought as a fax number, changed and released", async ({ client, project }) => {
  const [offer] = await client.availablePhoneNumbers("US").local.list({ areaCode: 206, limit: 1 });
  const numbers = client.incomingPhoneNumbers;
  const number = await numbers.create({
    phoneNumber: offer.phoneNumber,
    friendlyName: "My Fax",
    voiceReceiveMode: "fax",
    voiceUrl: "http://127.0.0.1:1/fax",
    voiceMethod: "GET",
    voiceFallbackUrl: "http://127.0.0.1:1/fallback",
    voiceFallbackMethod: "GET",
  });
  assert.match(number.sid, UUID);
  assert.deepEqual(
    [number.accountSid, number.phoneNumber, number.friendlyName, number.apiVersion],
    [project.id, offer.phoneNumber, "My Fax", "2010-04-01"],
  );
  assert.deepEqual(
    [number.voiceUrl, number.voiceMethod, number.voiceFallbackUrl, number.voiceFallbackMethod],
    ["http://127.0.0.1:1/fax", "GET", "http://127.0.0.1:1/fallback", "GET"],
  );
  assert.deepEqual(Object.keys(number.capabilities).sort(), ["fax", "mms", "sms", "voice"]);
  assert.equal(number.voiceReceiveMode, undefined, "SignalWire doesn't show the mode");
  assert.ok(isNow(number.dateCreated) && isNow(number.dateUpdated));
  assert.equal(number.uri, `/api/laml/2010-04-01/Accounts/${project.id}/IncomingPhoneNumbers/${number.sid}.json`);
  const updated = await numbers(number.sid).update({ friendlyName: "Front desk", voiceUrl: "http://127.0.0.1:1/other" });
  assert.deepEqual([updated.friendlyName, updated.voiceUrl], ["Front desk", "http://127.0.0.1:1/other"]);
  assert.equal((await numbers(number.sid).fetch()).friendlyName, "Front desk");
  assert.deepEqual((await numbers.list({ friendlyName: "Front desk" })).map(({ sid }) => sid), [number.sid]);
  assert.deepEqual((await numbers.list({ phoneNumber: offer.phoneNumber })).map(({ sid }) => sid), [number.sid]);
  assert.deepEqual(await numbers.list({ friendlyName: "Nobody" }), []);
  assert.equal(await numbers(number.sid).remove(), true);
  await isNotFound(numbers(number.sid).fetch());
  await isNotFound(numbers(number.sid).remove());
});

scenario("numbers are paginated", async ({ client }) => {
  const bought = new Set((await client.incomingPhoneNumbers.list()).map(({ sid }) => sid));
  for (const { phoneNumber } of await client.availablePhoneNumbers("US").local.list({ areaCode: 206, limit: 5 })) {
    bought.add((await client.incomingPhoneNumbers.create({ phoneNumber })).sid);
  }
  const listed = await client.incomingPhoneNumbers.list({ pageSize: 2 });
  assert.deepEqual(new Set(listed.map(({ sid }) => sid)), bought);
  assert.equal(listed.length, bought.size);
});

scenario("an invalid number or receive mode is refused", async ({ client }) => {
  const error = await refusal(client.incomingPhoneNumbers.create({ phoneNumber: "hello" }));
  assert.equal(error.status, 422, error.message);
  const mode = await refusal(client.incomingPhoneNumbers.create({ phoneNumber: NUMBER, voiceReceiveMode: "telegraph" }));
  assert.deepEqual([mode.status, Number(mode.code)], [422, 21209], mode.message);
});

scenario("a voice number accepts no fax until its mode is fax", async ({ app, client, emulator, faxNumber, project }) => {
  const { sid } = await faxNumber({ VoiceReceiveMode: "voice" });
  app.answers["/fax"] = receiveXml();
  await assert.rejects(emulator.receive(project.id, { to: NUMBER }), /not-a-fax-number/);
  await client.incomingPhoneNumbers(sid).update({ voiceReceiveMode: "fax" });
  assert.equal((await emulator.receive(project.id, { to: NUMBER })).outcome, "received");
});

scenario("a number's application decides where its webhooks go", async (setting) => {
  const { app, client, emulator, faxNumber, project } = setting;
  const order = { friendlyName: "Desk", voiceUrl: app.url + "/app/fax", voiceMethod: "GET" };
  const application = await client.applications.create(order);
  assert.match(application.sid, UUID);
  assert.deepEqual(
    [application.accountSid, application.friendlyName, application.voiceUrl, application.voiceMethod],
    [project.id, "Desk", app.url + "/app/fax", "GET"],
  );
  assert.ok(isNow(application.dateCreated));
  const { sid } = await faxNumber();
  const number = await client.incomingPhoneNumbers(sid).update({ voiceApplicationSid: application.sid });
  assert.equal(number.voiceApplicationSid, application.sid);
  app.answers["/app/fax"] = receiveXml();
  assert.equal((await emulator.receive(project.id, { to: NUMBER })).outcome, "received");
  assert.deepEqual(app.exchanges.map(({ method, path }) => `${method} ${path}`), ["GET /app/fax"]);
  const context = client.applications(application.sid);
  assert.equal((await context.update({ friendlyName: "Front desk" })).friendlyName, "Front desk");
  assert.equal((await context.fetch()).friendlyName, "Front desk");
  const listed = await client.applications.list({ friendlyName: "Front desk", pageSize: 1 });
  assert.deepEqual(listed.map((one) => one.sid), [application.sid]);
  assert.equal(await context.remove(), true);
  await isNotFound(context.fetch());
});
