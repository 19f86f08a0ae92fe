// What the tests share: one emulator for all of them, and for each an account of its own with the app behind it.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

import { createApp } from "./inbox.mjs";

const NUMBER = "+15017122661";

/** Starts the emulator. Returns its address and a function that stops it. */
export async function startEmulator() {
  const command = process.env.FAUXFAX_BIN ?? "fauxfax";
  const flags = ["serve", "--listen", "127.0.0.1:0", "--seed", "7", "--pace", "max"];
  const child = spawn(command, flags, { stdio: ["ignore", "pipe", "ignore"] });
  // The emulator prints this line when it is ready: `fauxfax ready http://127.0.0.1:49152 account …`.
  const [line] = await once(createInterface(child.stdout), "line");
  const stop = async () => {
    const exit = once(child, "exit");
    child.kill("SIGTERM");
    assert.deepEqual(await exit, [0, null]);
  };
  return { url: line.split(" ")[2], stop };
}

/** Creates an account, which no other test sees, starts the app, and buys a number whose faxes go to the app. */
export async function setUp(url, t) {
  const credential = await (await fetch(`${url}/_fauxfax/v1/accounts`, { method: "POST" })).json();
  const account = async (method, path, { json, ...query } = {}) => {
    const search = new URLSearchParams({ account: credential.sid, ...query });
    const answer = await fetch(`${url}/_fauxfax/v1${path}?${search}`, { method, body: json && JSON.stringify(json) });
    const text = await answer.text();
    assert.ok(answer.ok, text);
    return text && JSON.parse(text);
  };
  const config = { faxApi: url, accountSid: credential.sid, authToken: credential.auth_token, number: NUMBER };
  const app = createApp(config);
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  config.publicUrl = `http://127.0.0.1:${server.address().port}`;
  t.after(() => server.close());
  const bought = await fetch(`${url}/2010-04-01/Accounts/${credential.sid}/IncomingPhoneNumbers.json`, {
    method: "POST",
    headers: { Authorization: `Basic ${Buffer.from(`${credential.sid}:${credential.auth_token}`).toString("base64")}` },
    body: new URLSearchParams({ PhoneNumber: NUMBER, VoiceReceiveMode: "fax", VoiceUrl: `${config.publicUrl}/fax` }),
  });
  assert.ok(bought.ok, await bought.text());
  return { account, app, url: config.publicUrl, sample: `${url}/_fauxfax/v1/samples/one-page.pdf` };
}
