// Tests sending with twilio-node 3.73.1, the last version that can: create, fetch, list, cancel, delete, media, and the callbacks.

import assert from "node:assert/strict";
import { clientOf, FROM, refusal, scenario, TO } from "./setting.mjs";
import { pdf } from "./documents.mjs";

const FINAL = "delivered,busy,no-answer,failed,canceled";

const send = (client, app, options) =>
  client.fax.faxes.create({ to: TO, from: FROM, mediaUrl: app.url + "/letter.pdf", ...options });

async function ended({ emulator, account, client }, fax) {
  await emulator.wait(account.sid, fax.sid, FINAL);
  return client.fax.faxes(fax.sid).fetch();
}

const isNow = (date) => date instanceof Date && Math.abs(Date.now() - date) < 60_000;

scenario("a new fax is queued and has no results yet", async ({ emulator, account, app, client }) => {
  const fax = await send(client, app);
  assert.match(fax.sid, /^FX[0-9a-f]{32}$/);
  assert.deepEqual(
    [fax.accountSid, fax.apiVersion, fax.from, fax.to, fax.direction, fax.status, fax.quality],
    [account.sid, "v1", FROM, TO, "outbound", "queued", "fine"],
  );
  for (const unknown of ["mediaSid", "mediaUrl", "numPages", "duration", "price", "priceUnit"]) {
    assert.equal(fax[unknown], null, unknown);
  }
  assert.ok(isNow(fax.dateCreated) && isNow(fax.dateUpdated));
  assert.equal(fax.url, `${emulator.origin}/v1/Faxes/${fax.sid}`);
  assert.deepEqual(fax.links, { media: `${fax.url}/Media` });
});

scenario("a delivered fax has a page count, a duration, a price and its document", async (setting) => {
  const { app, client, emulator } = setting;
  const fax = await ended(setting, await send(client, app));
  assert.deepEqual([fax.status, fax.numPages, fax.priceUnit], ["delivered", 2, "USD"]);
  assert.ok(Number.isInteger(fax.duration) && fax.duration > 0);
  assert.equal(fax.price, Number((-0.007 * Math.ceil(fax.duration / 60)).toFixed(3)));
  assert.match(fax.mediaSid, /^ME[0-9a-f]{32}$/);
  assert.ok(fax.mediaUrl.startsWith(emulator.origin));
  assert.ok(fax.dateUpdated >= fax.dateCreated);
  const document = await fetch(fax.mediaUrl);
  assert.deepEqual([document.status, document.headers.get("content-type")], [200, "application/pdf"]);
  assert.deepEqual(Buffer.from(await document.arrayBuffer()).subarray(0, 5), Buffer.from("%PDF-"));
});

scenario("every option of create is accepted", async (setting) => {
  const { account, app, client, emulator } = setting;
  app.answers["/status"] = null;
  const fax = await send(client, app, {
    to: "sip:kate@example.com?hatchkey=4815162342;transport=TCP",
    mediaUrl: app.url + "/letter.pdf?x=1&y=a%20b",
    quality: "superfine",
    statusCallback: app.url + "/status?a=1&b=x%20y",
    sipAuthUsername: "us er",
    sipAuthPassword: "p+w&",
    storeMedia: false,
    ttl: 5,
  });
  assert.equal(fax.quality, "superfine");
  const done = await ended(setting, fax);
  assert.deepEqual([done.status, done.mediaSid, done.mediaUrl], ["delivered", null, null]);
  await emulator.settle(account.sid);
  assert.deepEqual(app.of("/letter.pdf").map((exchange) => exchange.params), [{ x: "1", y: "a b" }]);
  assert.ok(!("MediaUrl" in app.of("/status").at(-1).form));
});

scenario("each status is notified in order", async (setting) => {
  const { account, app, client, emulator } = setting;
  app.answers["/status"] = null;
  const fax = await ended(setting, await send(client, app, { statusCallback: app.url + "/status" }));
  await emulator.settle(account.sid);
  const told = app.of("/status").map((exchange) => exchange.form);
  assert.deepEqual(told.map((form) => form.FaxStatus), ["queued", "processing", "sending", "delivered"]);
  for (const form of told) {
    const known = [form.FaxSid, form.AccountSid, form.From, form.To, form.ApiVersion, form.OriginalMediaUrl];
    assert.deepEqual(known, [fax.sid, account.sid, FROM, TO, "v1", app.url + "/letter.pdf"]);
    assert.equal(form.Status, form.FaxStatus);
  }
  assert.equal(told.at(-1).NumPages, "2");
  assert.equal((await fetch(told.at(-1).MediaUrl)).status, 200);
});

for (const [to, status, code] of [
  ["+15005550101", "busy", "34002"],
  ["+15005550102", "no-answer", "34003"],
  ["+15005550103", "failed", "34004"],
  ["+15005550104", "failed", "34004"],
  ["+15005550105", "failed", "34108"],
  ["+15005550107", "delivered", undefined],
]) {
  scenario(`a fax to ${to} ends as ${status}`, async (setting) => {
    const { account, app, client, emulator } = setting;
    app.answers["/status"] = null;
    const fax = await ended(setting, await send(client, app, { to, statusCallback: app.url + "/status" }));
    assert.equal(fax.status, status);
    assert.equal(fax.price === null, status !== "delivered");
    await emulator.settle(account.sid);
    const told = app.of("/status").at(-1).form;
    assert.deepEqual([told.FaxStatus, told.ErrorCode], [status, code]);
  });
}

scenario("a fax whose document is being fetched can be canceled, and a delivered one can't", async (setting) => {
  const { app, client } = setting;
  const delivered = await ended(setting, await send(client, app));
  const late = await refusal(delivered.update({ status: "canceled" }));
  assert.deepEqual([late.status, late.code], [409, 20409]);
  assert.match(late.moreInfo, /\/20409$/);
  const release = app.hold("/held.pdf", pdf(1));
  const fax = await send(client, app, { mediaUrl: app.url + "/held.pdf" });
  await app.arrival("/held.pdf");
  assert.equal((await fax.update()).status, "processing", "an update without a status changes nothing");
  assert.equal((await fax.update({ status: "canceled" })).status, "canceled");
  release();
  assert.equal((await client.fax.faxes(fax.sid).fetch()).status, "canceled");
});

scenario("a fax whose document is being fetched can't be deleted", async (setting) => {
  const { app, client } = setting;
  const release = app.hold("/held.pdf", pdf(1));
  const fax = await send(client, app, { mediaUrl: app.url + "/held.pdf" });
  await app.arrival("/held.pdf");
  const refused = await refusal(fax.remove());
  assert.deepEqual([refused.status, refused.code], [409, 20009]);
  release();
  assert.equal((await ended(setting, fax)).status, "delivered");
});

scenario("a deleted fax and its media are gone", async (setting) => {
  const { app, client } = setting;
  const fax = await ended(setting, await send(client, app));
  assert.equal(await fax.remove(), true);
  const context = client.fax.faxes(fax.sid);
  for (const call of [context.fetch(), context.remove(), context.media(fax.mediaSid).fetch(), context.media.list()]) {
    const error = await refusal(call);
    assert.deepEqual([error.status, error.code], [404, 20404]);
    assert.match(error.message, /^The requested resource \/v1\/Faxes\/FX[0-9a-f/MeEdia]+.* was not found$/);
  }
  assert.equal((await fetch(fax.mediaUrl)).status, 404);
});

scenario("the media of a fax are listed, fetched and deleted", async (setting) => {
  const { account, app, client, emulator } = setting;
  const fax = await ended(setting, await send(client, app));
  const [media, ...others] = await client.fax.faxes(fax.sid).media.list({ pageSize: 7 });
  assert.deepEqual(others, []);
  assert.deepEqual(
    [media.sid, media.faxSid, media.accountSid, media.contentType],
    [fax.mediaSid, fax.sid, account.sid, "application/pdf"],
  );
  assert.ok(isNow(media.dateCreated) && isNow(media.dateUpdated));
  assert.equal(media.url, `${emulator.origin}/v1/Faxes/${fax.sid}/Media/${media.sid}`);
  assert.equal((await client.fax.faxes(fax.sid).media(media.sid).fetch()).sid, media.sid);
  assert.equal(await client.fax.faxes(fax.sid).media(media.sid).remove(), true);
  assert.deepEqual(await client.fax.faxes(fax.sid).media.list(), []);
  const kept = await client.fax.faxes(fax.sid).fetch();
  assert.deepEqual([kept.status, kept.mediaSid, kept.mediaUrl, kept.numPages], ["delivered", null, null, 2]);
});

scenario("a list is paginated, newest first", async ({ app, client }) => {
  const sent = [];
  for (let count = 0; count < 7; count += 1) sent.unshift((await send(client, app)).sid);
  const sids = async (options) => (await client.fax.faxes.list(options)).map((fax) => fax.sid);
  assert.deepEqual(await sids(), sent);
  assert.deepEqual(await sids({ pageSize: 2 }), sent);
  assert.deepEqual(await sids({ pageSize: 7 }), sent);
  assert.deepEqual(await sids({ pageSize: 2, limit: 5 }), sent.slice(0, 5));
  assert.deepEqual(await sids({ limit: 3 }), sent.slice(0, 3));
  const first = await client.fax.faxes.page({ pageSize: 3 });
  const second = await first.nextPage();
  assert.deepEqual(second.instances.map((fax) => fax.sid), sent.slice(3, 6));
  const back = await second.previousPage();
  assert.deepEqual(back.instances.map((fax) => fax.sid), sent.slice(0, 3));
  const third = await client.fax.faxes.getPage(second.nextPageUrl);
  assert.deepEqual(third.instances.map((fax) => fax.sid), sent.slice(6));
  assert.equal(third.nextPage(), undefined);
});

scenario("a list is filtered", async ({ app, client }) => {
  const wanted = (await send(client, app, { to: "+15558675311" })).sid;
  const other = (await send(client, app, { from: "+15017122662" })).sid;
  const sids = async (options) => (await client.fax.faxes.list(options)).map((fax) => fax.sid);
  assert.deepEqual(await sids({ to: "+15558675311" }), [wanted]);
  assert.deepEqual(await sids({ from: "+15017122662", pageSize: 1 }), [other]);
  const [yesterday, tomorrow] = [-1, 1].map((days) => new Date(Date.now() + days * 86_400_000));
  assert.deepEqual(await sids({ dateCreatedAfter: yesterday, dateCreatedOnOrBefore: tomorrow }), [other, wanted]);
  assert.deepEqual(await sids({ dateCreatedAfter: tomorrow }), []);
});

for (const [what, options, code] of [
  ["a To that is no number", { to: "5551234567" }, 21211],
  ["a From that is no number", { from: "hello" }, 21212],
  ["a MediaUrl that is no URL", { mediaUrl: "letter.pdf" }, 21620],
  ["a StatusCallback that is no URL", { statusCallback: "status" }, 21609],
  ["a quality that does not exist", { quality: "ultra" }, 20422],
]) {
  scenario(`${what} is refused`, async ({ app, client }) => {
    const error = await refusal(send(client, app, options));
    assert.deepEqual([error.status, error.code], [400, code]);
    assert.equal(error.moreInfo, `https://www.twilio.com/docs/errors/${code}`);
    assert.deepEqual(await client.fax.faxes.list(), []);
  });
}

scenario("a wrong token is refused", async ({ account, app, client }) => {
  await send(client, app);
  const error = await refusal(clientOf(account.sid, "0".repeat(32)).fax.faxes.list());
  assert.deepEqual([error.status, error.code], [401, 20003]);
});
