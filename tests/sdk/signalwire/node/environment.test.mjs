// Tests a client that is configured only by the environment, as `fauxfax exec` and `fauxfax env` set it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { RestClient, way } from "./setting.mjs";

const skip = ["exec", "proxy"].includes(way) ? false : "the environment does not lead to the emulator";

test("a client configured only by the environment sends a fax", { skip, timeout: 60_000 }, async () => {
  const { FAUXFAX_URL: emulator, SIGNALWIRE_API_TOKEN, SIGNALWIRE_PROJECT_ID } = process.env;
  const client = RestClient(SIGNALWIRE_PROJECT_ID, SIGNALWIRE_API_TOKEN);
  assert.match(client.fax.baseUrl, /^https:\/\/[a-z-]+\.signalwire\.com$/);
  const [number] = await client.incomingPhoneNumbers.list();
  assert.equal(number.phoneNumber, "+15005550006");
  const mediaUrl = `${emulator}/_fauxfax/v1/samples/one-page.pdf`;
  const { sid } = await client.fax.faxes.create({ to: "+15558675310", from: number.phoneNumber, mediaUrl });
  assert.ok((await fetch(`${emulator}/_fauxfax/v1/wait?fax=${sid}&status=delivered&timeout=20`)).ok);
  const fax = await client.fax.faxes(sid).fetch();
  assert.equal((await fetch(fax.mediaUrl)).status, 200);
});
