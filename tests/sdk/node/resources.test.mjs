// Tests an account's resources other than numbers: subaccounts, API keys, caller ids, applications and alerts. All versions
// of the library have these calls.

import assert from "node:assert/strict";
import { BUYABLE, clientOf, FROM, receiveTwiml, refusal, scenario } from "./setting.mjs";

const isNow = (date) => date instanceof Date && Math.abs(Date.now() - date) < 60_000;

async function isRefused(promise, status, code) {
  const error = await refusal(promise);
  assert.deepEqual([error.status, error.code], [status, code], error.message);
}

scenario("a subaccount has its own world, which its owner can reach", async ({ client, account }) => {
  const sub = await client.api.accounts.create({ friendlyName: "Branch office" });
  assert.deepEqual([sub.ownerAccountSid, sub.friendlyName, sub.status], [account.sid, "Branch office", "active"]);
  assert.deepEqual((await client.api.accounts.list()).map(({ sid }) => sid).sort(), [account.sid, sub.sid].sort());
  const number = await client.api.accounts(sub.sid).incomingPhoneNumbers.create({ phoneNumber: BUYABLE });
  assert.equal(number.accountSid, sub.sid);
  const own = clientOf(sub.sid, sub.authToken);
  assert.deepEqual((await own.incomingPhoneNumbers.list()).map(({ sid }) => sid), [number.sid]);
  assert.deepEqual(await client.incomingPhoneNumbers.list(), []);
  assert.equal((await client.api.accounts(sub.sid).update({ status: "closed" })).status, "closed");
});

scenario("an API key is created with its secret, and authenticates", async ({ client, account }) => {
  const key = await client.newKeys.create({ friendlyName: "CI" });
  assert.match(key.sid, /^SK[0-9a-f]{32}$/);
  assert.ok(key.secret && isNow(key.dateCreated));
  assert.deepEqual((await client.keys.list({ pageSize: 1 })).map(({ sid }) => sid), [key.sid]);
  const byKey = clientOf(key.sid, key.secret, { accountSid: account.sid });
  const number = await byKey.incomingPhoneNumbers.create({ phoneNumber: BUYABLE });
  assert.equal(number.accountSid, account.sid);
  assert.equal((await client.keys(key.sid).update({ friendlyName: "Old" })).friendlyName, "Old");
  assert.equal(await client.keys(key.sid).remove(), true);
  await isRefused(byKey.incomingPhoneNumbers(number.sid).fetch(), 401, 20003);
});

scenario("a caller id is verified, listed, renamed and deleted", async ({ client, account }) => {
  const asked = await client.validationRequests.create({ phoneNumber: FROM, friendlyName: "Front desk" });
  assert.deepEqual([asked.accountSid, asked.phoneNumber], [account.sid, FROM]);
  const [callerId, ...others] = await client.outgoingCallerIds.list({ phoneNumber: FROM });
  assert.deepEqual([callerId.phoneNumber, callerId.friendlyName, others], [FROM, "Front desk", []]);
  const context = client.outgoingCallerIds(callerId.sid);
  assert.equal((await context.update({ friendlyName: "Back office" })).friendlyName, "Back office");
  assert.equal(await context.remove(), true);
  await isRefused(context.fetch(), 404, 20404);
});

scenario("a number's application decides where its webhooks go", async (setting) => {
  const { emulator, account, app, client, faxNumber } = setting;
  const application = await client.applications.create({ friendlyName: "Desk", voiceUrl: app.url + "/app/fax" });
  assert.match(application.sid, /^AP[0-9a-f]{32}$/);
  const { sid } = await faxNumber();
  await client.incomingPhoneNumbers(sid).update({ voiceApplicationSid: application.sid });
  app.answers["/app/fax"] = receiveTwiml();
  assert.equal((await emulator.receive(account.sid)).outcome, "received");
  assert.deepEqual(app.exchanges.map(({ path }) => path), ["/app/fax"]);
  assert.deepEqual((await client.applications.list({ friendlyName: "Desk" })).map((one) => one.sid), [application.sid]);
  assert.equal(await client.applications(application.sid).remove(), true);
});

scenario("a failed webhook raises an alert with its request and response", async (setting) => {
  const { emulator, account, app, client, faxNumber } = setting;
  await faxNumber();
  app.answers["/fax"] = (_, response) => response.status(500).send("Oops");
  const { fax_sid: called } = await emulator.receive(account.sid);
  const [alert, ...others] = await client.monitor.v1.alerts.list({ logLevel: "error", pageSize: 1 });
  assert.deepEqual(others, []);
  assert.deepEqual(
    [alert.errorCode, alert.logLevel, alert.resourceSid, alert.requestMethod, alert.requestUrl],
    ["11200", "error", called, "POST", app.url + "/fax"],
  );
  assert.ok(isNow(alert.dateCreated));
  const whole = await client.monitor.v1.alerts(alert.sid).fetch();
  assert.equal(new URLSearchParams(whole.requestVariables).get("FaxSid"), called);
  assert.equal(whole.responseBody, "Oops");
});
