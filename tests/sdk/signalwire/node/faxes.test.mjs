// Tests sending with SignalWire's libraries: create, fetch, list, cancel, delete, media, errors, and the callback at the end.

import assert from "node:assert/strict";
import { pdf } from "../../node/documents.mjs";
import { clientOf, filesOrigin, FROM, projectOf, refusal, scenario, TO, UUID } from "./setting.mjs";

const FINAL = "delivered,busy,no-answer,failed,canceled";
const NOBODYS = "831455c6-574e-4d8b-b6ee-2418140bf4cd";

const send = (client, app, options) =>
  client.fax.faxes.create({ to: TO, from: FROM, mediaUrl: app.url + "/letter.pdf", ...options });

async function ended({ emulator, project, client }, fax) {
  await emulator.wait(project.id, fax.sid, FINAL);
  return client.fax.faxes(fax.sid).fetch();
}

async function isRefused(promise, status, code) {
  const error = await refusal(promise);
  assert.deepEqual([error.status, Number(error.code)], [status, code], error.message);
  assert.ok(error.message);
  assert.match(error.moreInfo, /^https:\/\/[a-z.]*signalwire\.com\//);
}

const isNow = (date) => date instanceof Date && Math.abs(Date.now() - date) < 60_000;

scenario("a new fax is queued and already has a media SID", async ({ app, client, project }) => {
  const fax = await send(client, app);
  assert.match(fax.sid, UUID);
  assert.match(fax.mediaSid, UUID);
  assert.deepEqual(
    [fax.accountSid, fax.apiVersion, fax.from, fax.to, fax.direction, fax.status, fax.quality],
    [project.id, "v1", FROM, TO, "outbound", "queued", "fine"],
  );
  assert.deepEqual([fax.mediaUrl, fax.numPages, fax.price, fax.priceUnit, fax.duration], [null, null, null, "USD", 0]);
  assert.ok(isNow(fax.dateCreated) && isNow(fax.dateUpdated));
  assert.equal(fax.url, `/api/laml/2010-04-01/Accounts/${project.id}/Faxes/${fax.sid}`);
  assert.deepEqual(fax.links, { media: `${fax.url}/Media` });
});

scenario("a delivered fax has a page count, a duration, a price and its document", async (setting) => {
  const { app, client, rest } = setting;
  const queued = await send(client, app);
  const fax = await ended(setting, queued);
  assert.deepEqual([fax.status, fax.numPages, fax.priceUnit, fax.mediaSid], ["delivered", 2, "USD", queued.mediaSid]);
  assert.ok(Number.isInteger(fax.duration) && fax.duration > 0);
  assert.ok(fax.price > 0, `${fax.price}`);
  assert.ok(fax.mediaUrl.startsWith(filesOrigin() + "/"), fax.mediaUrl);
  assert.ok(fax.dateUpdated >= fax.dateCreated);
  const document = await fetch(fax.mediaUrl);
  assert.deepEqual([document.status, document.headers.get("content-type")], [200, "application/pdf"]);
  assert.deepEqual(Buffer.from(await document.arrayBuffer()).subarray(0, 5), Buffer.from("%PDF-"));
  // What the library hides: the JSON types, and two properties that it doesn't know.
  const { body } = await rest("GET", `/Faxes/${fax.sid}`);
  assert.deepEqual([typeof body.num_pages, typeof body.price, typeof body.duration], ["number", "number", "number"]);
  assert.deepEqual([body.error_code, body.error_message], [null, null]);
  assert.match(body.date_created, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
});

scenario("every option of create is accepted", async (setting) => {
  const { app, client, emulator, project } = setting;
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
  assert.deepEqual([done.status, done.mediaUrl], ["delivered", null]);
  await emulator.settle(project.id);
  assert.deepEqual(app.of("/letter.pdf").map((exchange) => exchange.params), [{ x: "1", y: "a b" }]);
  assert.deepEqual(app.of("/status").map(({ form }) => form.FaxStatus), ["delivered"]);
});

scenario("only the end of a fax is notified", async (setting) => {
  const { app, client, emulator, project } = setting;
  app.answers["/status"] = null;
  const fax = await ended(setting, await send(client, app, { statusCallback: app.url + "/status" }));
  await emulator.settle(project.id);
  const [told, ...others] = app.of("/status");
  assert.deepEqual([told.method, others], ["POST", []]);
  const { RemoteStationId, Timestamp, MediaUrl, ...rest } = told.form;
  assert.deepEqual(rest, {
    FaxSid: fax.sid,
    AccountSid: project.id,
    From: FROM,
    To: TO,
    ApiVersion: "v1",
    FaxStatus: "delivered",
    NumPages: "2",
    MediaSid: fax.mediaSid,
    OriginalMediaUrl: app.url + "/letter.pdf",
  });
  assert.ok(RemoteStationId && isNow(new Date(Timestamp)));
  assert.equal((await fetch(MediaUrl)).status, 200);
});

scenario("parameters that the library doesn't know request more callbacks", async (setting) => {
  const { app, emulator, project, rest } = setting;
  app.answers["/status"] = null;
  const form = new URLSearchParams({ To: TO, From: FROM, MediaUrl: app.url + "/letter.pdf" });
  form.set("StatusCallback", app.url + "/status?job=7");
  form.set("StatusCallbackMethod", "GET");
  for (const event of ["initiated", "answered", "completed"]) form.append("StatusCallbackEvent", event);
  const { status, body } = await rest("POST", "/Faxes.json", form);
  assert.equal(status, 201);
  await emulator.wait(project.id, body.sid, "delivered");
  await emulator.settle(project.id);
  const told = app.of("/status");
  assert.equal(told.length, 3);
  assert.ok(told.every(({ method, params }) => method === "GET" && params.job === "7" && params.FaxSid === body.sid));
  assert.equal(told.at(-1).params.FaxStatus, "delivered");
});

for (const [to, status] of [
  ["+15005550101", "busy"],
  ["+15005550102", "no-answer"],
  ["+15005550103", "failed"],
  ["+15005550104", "failed"],
  ["+15005550105", "failed"],
  ["+15005550107", "delivered"],
]) {
  scenario(`a fax to ${to} ends as ${status}`, async (setting) => {
    const { app, client, emulator, project, rest } = setting;
    app.answers["/status"] = null;
    const fax = await ended(setting, await send(client, app, { to, statusCallback: app.url + "/status" }));
    assert.equal(fax.status, status);
    await emulator.settle(project.id);
    const [told, ...others] = app.of("/status");
    assert.deepEqual([told.form.FaxStatus, others], [status, []]);
    const { body } = await rest("GET", `/Faxes/${fax.sid}.json`);
    assert.equal(told.form.ErrorCode, body.error_code?.toString());
    assert.equal(told.form.ErrorMessage, body.error_message ?? undefined);
    if (status === "failed") assert.ok(body.error_code && body.error_message);
  });
}

scenario("a missing document fails the fax before any call", async (setting) => {
  const { app, client, rest } = setting;
  app.answers["/none.pdf"] = (_, response) => response.status(404).send("nothing here");
  const fax = await ended(setting, await send(client, app, { mediaUrl: app.url + "/none.pdf" }));
  assert.deepEqual([fax.status, fax.mediaUrl, fax.numPages, fax.price, fax.duration], ["failed", null, null, null, 0]);
  const { body } = await rest("GET", `/Faxes/${fax.sid}`);
  assert.ok(body.error_message);
});

scenario("only a queued fax can be canceled", async (setting) => {
  const { app, client, emulator, project } = setting;
  const delivered = await ended(setting, await send(client, app));
  await isRefused(delivered.update({ status: "canceled" }), 422, 10000);
  const release = app.hold("/held.pdf", pdf(1));
  const fax = await send(client, app, { mediaUrl: app.url + "/held.pdf" });
  await app.arrival("/held.pdf");
  assert.equal((await client.fax.faxes(fax.sid).fetch()).status, "processing");
  await isRefused(fax.update({ status: "canceled" }), 422, 10000);
  release();
  assert.equal((await ended(setting, fax)).status, "delivered");
  await emulator.control("PUT", "/clock", { account: project.id, json: { mode: "frozen" } });
  const waiting = await send(client, app);
  assert.equal((await waiting.update({ status: "canceled" })).status, "canceled");
  assert.equal((await client.fax.faxes(waiting.sid).fetch()).status, "canceled");
});

scenario("neither an active fax nor its document can be deleted", async (setting) => {
  const { app, client } = setting;
  const release = app.hold("/held.pdf", pdf(1));
  const fax = await send(client, app, { mediaUrl: app.url + "/held.pdf" });
  await app.arrival("/held.pdf");
  await isRefused(fax.remove(), 409, 20009);
  await isRefused(client.fax.faxes(fax.sid).media(fax.mediaSid).remove(), 409, 20009);
  release();
  assert.equal((await ended(setting, fax)).status, "delivered");
});

scenario("a deleted fax and its media are gone", async (setting) => {
  const { app, client } = setting;
  const fax = await ended(setting, await send(client, app));
  assert.equal(await fax.remove(), true);
  const context = client.fax.faxes(fax.sid);
  for (const call of [context.fetch(), context.remove(), context.media(fax.mediaSid).fetch(), context.media.list()]) {
    await isRefused(call, 404, 20404);
  }
  assert.deepEqual(await client.fax.faxes.list(), []);
  assert.equal((await fetch(fax.mediaUrl)).status, 404);
});

scenario("the media of a fax are listed, fetched and deleted", async (setting) => {
  const { app, client, project } = setting;
  const fax = await ended(setting, await send(client, app));
  const [media, ...others] = await client.fax.faxes(fax.sid).media.list({ pageSize: 7 });
  assert.deepEqual(others, []);
  assert.deepEqual(
    [media.sid, media.faxSid, media.accountSid, media.contentType],
    [fax.mediaSid, fax.sid, project.id, "application/pdf"],
  );
  assert.ok(isNow(media.dateCreated) && isNow(media.dateUpdated));
  const fetched = await client.fax.faxes(fax.sid).media(media.sid).fetch();
  assert.equal(fetched.sid, media.sid);
  assert.equal(fetched.url, `/api/laml/2010-04-01/Accounts/${project.id}/Faxes/${fax.sid}/Media/${media.sid}.json`);
  assert.equal(await client.fax.faxes(fax.sid).media(media.sid).remove(), true);
  assert.deepEqual(await client.fax.faxes(fax.sid).media.list(), []);
  await isRefused(client.fax.faxes(fax.sid).media(media.sid).fetch(), 404, 20404);
  const kept = await client.fax.faxes(fax.sid).fetch();
  assert.deepEqual([kept.status, kept.mediaUrl, kept.numPages], ["delivered", null, 2]);
  assert.equal((await fetch(fax.mediaUrl)).status, 404);
});

scenario("a list is paginated, newest first", async ({ app, client }) => {
  const sent = [];
  for (let count = 0; count < 7; count += 1) sent.unshift((await send(client, app)).sid);
  const sids = async (options) => (await client.fax.faxes.list(options)).map((fax) => fax.sid);
  assert.deepEqual(await sids(), sent);
  assert.deepEqual(await sids({ pageSize: 2 }), sent);
  assert.deepEqual(await sids({ pageSize: 7 }), sent);
  assert.deepEqual(await sids({ pageSize: 1000 }), sent);
  assert.deepEqual(await sids({ pageSize: 2, limit: 5 }), sent.slice(0, 5));
  assert.deepEqual(await sids({ limit: 3 }), sent.slice(0, 3));
  const each = await new Promise((resolve, reject) => {
    const seen = [];
    const done = (error) => (error ? reject(error) : resolve(seen));
    client.fax.faxes.each({ pageSize: 3, callback: (fax) => seen.push(fax.sid), done });
  });
  assert.deepEqual(each, sent);
  const first = await client.fax.faxes.page({ pageSize: 3 });
  assert.equal(first.previousPage(), undefined);
  const second = await first.nextPage();
  assert.deepEqual(second.instances.map((fax) => fax.sid), sent.slice(3, 6));
  const back = await second.previousPage();
  assert.deepEqual(back.instances.map((fax) => fax.sid), sent.slice(0, 3));
  const third = await client.fax.faxes.getPage(second.nextPageUrl);
  assert.deepEqual(third.instances.map((fax) => fax.sid), sent.slice(6));
  assert.equal(third.nextPage(), undefined);
});

scenario("a page has SignalWire's names and paths", async ({ app, client, project, rest }) => {
  for (let count = 0; count < 3; count += 1) await send(client, app);
  const list = `/api/laml/2010-04-01/Accounts/${project.id}/Faxes?Page=`;
  const first = (await rest("GET", "/Faxes?PageSize=2")).body;
  assert.deepEqual(
    [first.uri, first.first_page_uri, first.previous_page_uri, first.page, first.page_size, first.faxes.length],
    [`${list}0&PageSize=2`, `${list}0&PageSize=2`, null, 0, 2, 2],
  );
  assert.ok(first.next_page_uri.startsWith(`${list}1&PageSize=2&PageToken=PA`), first.next_page_uri);
  const second = (await rest("GET", first.next_page_uri.replace(/^.*(?=\/Faxes)/, ""))).body;
  assert.deepEqual([second.next_page_uri, second.page, second.faxes.length], [null, 1, 1]);
  assert.ok(second.previous_page_uri.startsWith(`${list}0&PageSize=2&PageToken=PB`), second.previous_page_uri);
  assert.equal((await rest("GET", "/Faxes.json")).body.page_size, 50);
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
  assert.deepEqual(await sids({ dateCreatedOnOrBefore: yesterday }), []);
});

for (const [what, options, code] of [
  ["a To that is missing", { to: "" }, 21603],
  ["a To that is no number", { to: "5551234567" }, 21211],
  ["a From that is no number", { from: "hello" }, 21212],
  ["a MediaUrl that is no URL", { mediaUrl: "letter.pdf" }, 21620],
  ["a MediaUrl of another scheme", { mediaUrl: "ftp://example.com/letter.pdf" }, 21620],
  ["a StatusCallback that is no URL", { statusCallback: "status" }, 21456],
  ["a quality that does not exist", { quality: "ultra" }, 10000],
  ["a Ttl below the range", { ttl: 4 }, 10000],
  ["a Ttl above the range", { ttl: 301 }, 10000],
]) {
  scenario(`${what} is refused`, async ({ app, client }) => {
    await isRefused(send(client, app, options), 422, code);
    assert.deepEqual(await client.fax.faxes.list(), []);
  });
}

scenario("a callback's method and events are checked", async ({ app, rest }) => {
  const order = { To: TO, From: FROM, MediaUrl: app.url + "/letter.pdf", StatusCallback: app.url + "/status" };
  for (const [wrong, code] of [[{ StatusCallbackMethod: "PUT" }, 21209], [{ StatusCallbackEvent: "sent" }, 21626]]) {
    const { status, body } = await rest("POST", "/Faxes", { ...order, ...wrong });
    assert.deepEqual([status, Number(body.code), body.status], [422, code, 422]);
  }
});

scenario("a page that does not exist is refused", async ({ app, client }) => {
  await send(client, app);
  await isRefused(client.fax.faxes.list({ pageSize: 1001 }), 422, 54454);
  await isRefused(client.fax.faxes.page({ pageNumber: 1 }), 422, 54453);
});

scenario("a fax that nobody sent is not found", async ({ client }) => {
  for (const sid of [NOBODYS, "nonsense"]) {
    await isRefused(client.fax.faxes(sid).fetch(), 404, 20404);
    await isRefused(client.fax.faxes(sid).update({ status: "canceled" }), 404, 20404);
    await isRefused(client.fax.faxes(sid).remove(), 404, 20404);
    await isRefused(client.fax.faxes(sid).media(NOBODYS).fetch(), 404, 20404);
  }
});

scenario("a wrong token is refused", async ({ app, client, project }) => {
  const fax = await send(client, app);
  const stranger = clientOf(project.id, "PT" + "1".repeat(48));
  await isRefused(stranger.fax.faxes.list(), 401, 20003);
  await isRefused(stranger.fax.faxes(fax.sid).fetch(), 401, 20003);
  await isRefused(send(stranger, app), 401, 20003);
});

scenario("another project can't see the fax", async ({ app, client, project }) => {
  const fax = await send(client, app);
  const other = projectOf(project.id);
  const stranger = clientOf(other.id, other.token);
  assert.deepEqual(await stranger.fax.faxes.list(), []);
  await isRefused(stranger.fax.faxes(fax.sid).fetch(), 404, 20404);
});
