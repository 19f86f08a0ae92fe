// Tests searching, buying, changing and releasing numbers, and the account. All versions of the library have these calls.

import assert from "node:assert/strict";
import { BUYABLE, clientOf, refusal, scenario } from "./setting.mjs";

scenario("offers are found by area code and capability", async ({ client }) => {
  const offers = await client.availablePhoneNumbers("US").local.list({ areaCode: 415, faxEnabled: true, limit: 2 });
  assert.equal(offers.length, 2);
  for (const offer of offers) {
    assert.match(offer.phoneNumber, /^\+1415[2-9]\d{6}$/);
    assert.deepEqual([offer.isoCountry, offer.region, offer.capabilities.fax], ["US", "CA", true]);
  }
  for (const [country, kind] of [["US", "tollFree"], ["GB", "mobile"], ["JP", "local"]]) {
    const [offer] = await client.availablePhoneNumbers(country)[kind].list({ limit: 1 });
    assert.equal(offer.isoCountry, country);
  }
  assert.equal((await client.availablePhoneNumbers("US").fetch()).country, "United States");
  assert.ok((await client.availablePhoneNumbers.list()).length > 1);
});

scenario("a number is bought, switched to fax and released", async ({ client, account }) => {
  const numbers = client.incomingPhoneNumbers;
  const number = await numbers.create({ phoneNumber: BUYABLE, friendlyName: "My Fax", voiceUrl: "http://127.0.0.1:1/" });
  assert.match(number.sid, /^PN[0-9a-f]{32}$/);
  assert.deepEqual(
    [number.accountSid, number.phoneNumber, number.friendlyName, number.voiceReceiveMode, number.voiceMethod],
    [account.sid, BUYABLE, "My Fax", "voice", "POST"],
  );
  assert.ok(number.dateCreated instanceof Date && Math.abs(Date.now() - number.dateCreated) < 60_000);
  const updated = await numbers(number.sid).update({ voiceReceiveMode: "fax" });
  assert.deepEqual([updated.voiceReceiveMode, updated.voiceUrl], ["fax", "http://127.0.0.1:1/"]);
  assert.equal((await numbers(number.sid).fetch()).voiceReceiveMode, "fax");
  assert.equal(await numbers(number.sid).remove(), true);
  const gone = await refusal(numbers(number.sid).fetch());
  assert.deepEqual([gone.status, gone.code], [404, 20404]);
});

scenario("each kind has its own list", async ({ client }) => {
  for (const [country, kind] of [["US", "local"], ["US", "tollFree"], ["GB", "mobile"]]) {
    const [offer] = await client.availablePhoneNumbers(country)[kind].list({ limit: 1 });
    const numbers = client.incomingPhoneNumbers[kind];
    const { sid } = await numbers.create({ phoneNumber: offer.phoneNumber });
    assert.deepEqual((await numbers.list()).map((number) => number.sid), [sid], kind);
  }
  assert.equal((await client.incomingPhoneNumbers.list()).length, 3);
});

scenario("a list is paginated, newest first", async ({ client }) => {
  const bought = [];
  for (let count = 0; count < 5; count += 1) {
    bought.unshift((await client.incomingPhoneNumbers.create({ areaCode: "415" })).sid);
  }
  const sids = async (options) => (await client.incomingPhoneNumbers.list(options)).map((number) => number.sid);
  assert.deepEqual(await sids(), bought);
  assert.deepEqual(await sids({ pageSize: 2 }), bought);
  assert.deepEqual(await sids({ pageSize: 2, limit: 3 }), bought.slice(0, 3));
  const first = await client.incomingPhoneNumbers.page({ pageSize: 2 });
  const second = await first.nextPage();
  assert.deepEqual(second.instances.map((number) => number.sid), bought.slice(2, 4));
  assert.deepEqual((await second.previousPage()).instances.map((number) => number.sid), bought.slice(0, 2));
});

scenario("Twilio's magic numbers for buying behave as documented", async ({ client }) => {
  for (const [order, code] of [
    [{ phoneNumber: "+15005550000" }, 21422],
    [{ phoneNumber: "+15005550001" }, 21421],
    [{ areaCode: "533" }, 21452],
  ]) {
    const error = await refusal(client.incomingPhoneNumbers.create(order));
    assert.deepEqual([error.status, error.code], [400, code]);
    assert.equal(error.moreInfo, `https://www.twilio.com/docs/errors/${code}`);
  }
});

scenario("an account can fetch itself and a wrong token is refused", async ({ client, account }) => {
  // The first write claims the account; a read would not.
  const shown = await client.api.accounts(account.sid).update({ friendlyName: "claimed" });
  assert.deepEqual([shown.sid, shown.authToken, shown.status], [account.sid, account.token, "active"]);
  assert.ok(shown.dateCreated instanceof Date);
  assert.deepEqual((await client.api.accounts.list({ pageSize: 2 })).map(({ sid }) => sid), [account.sid]);
  const error = await refusal(clientOf(account.sid, "0".repeat(32)).api.accounts(account.sid).fetch());
  assert.deepEqual([error.status, error.code], [401, 20003]);
});
