// An app whose client isn't configured for an emulator: it sends faxes, pages through the list and downloads a document.

"use strict";

const assert = require("node:assert/strict");
const client = require("twilio-3")(process.env.TWILIO_ACCOUNT_SID, process.env.TWILIO_AUTH_TOKEN);

async function main() {
  const mediaUrl = process.env.FAUXFAX_URL + "/_fauxfax/v1/samples/one-page.pdf";
  const order = { from: "+15005550006", to: "+15558675310", mediaUrl };
  const { sid } = await client.fax.faxes.create(order);
  await client.fax.faxes.create(order);
  assert.ok((await client.fax.faxes.list({ pageSize: 1 })).length >= 2);
  const wait = `${process.env.FAUXFAX_URL}/_fauxfax/v1/wait?fax=${sid}&status=delivered&timeout=20`;
  assert.ok((await fetch(wait)).ok);
  const fax = await client.fax.faxes(sid).fetch();
  assert.ok(fax.url.startsWith("https://fax.twilio.com/"), fax.url);
  const document = Buffer.from(await (await fetch(fax.mediaUrl)).arrayBuffer());
  assert.equal(document.subarray(0, 5).toString(), "%PDF-");
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
