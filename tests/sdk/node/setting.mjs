// Provides one emulator per file, and for each test an account, a client of the library and a webhook app.

import { after, before, test } from "node:test";
import { createRequire } from "node:module";
import { accountOf, Emulator } from "./emulator.mjs";
import { pdf } from "./documents.mjs";
import { WebhookApp } from "./webhook-app.mjs";

/** The number that Twilio's own test credentials can always buy. */
export const BUYABLE = "+15005550006";
export const FROM = "+15017122661";
export const TO = "+15558675310";

/** The library under test: twilio-3, twilio-5 or twilio-6. */
export const library = process.env.TWILIO_LIBRARY;
export const twilio = createRequire(import.meta.url)(library);

let emulator;
before(async () => (emulator = await Emulator.aroundTheTests()));
after(() => emulator.stop());

export function clientOf(username, password, options) {
  const client = twilio(username, password, options);
  if (emulator.underTwiliosName) return client;
  client.api.baseUrl = client.monitor.baseUrl = client.lookups.baseUrl = emulator.url;
  if (client.fax) client.fax.baseUrl = emulator.url;
  return client;
}

/** Defines a test that has its own world. */
export function scenario(name, body) {
  test(name, { timeout: 60_000 }, async () => {
    const account = accountOf(`${library} ${name}`);
    const app = await WebhookApp.start(twilio, account.token);
    app.serve("/letter.pdf", pdf(2));
    const client = clientOf(account.sid, account.token);
    const faxNumber = () =>
      client.incomingPhoneNumbers.create({
        phoneNumber: BUYABLE, voiceUrl: app.url + "/fax", voiceReceiveMode: "fax",
      });
    let passed = false;
    try {
      await body({ emulator, account, app, client, faxNumber });
      passed = true;
    } finally {
      // What the app found is reported only if the test itself has passed.
      await app.stop().catch((error) => {
        if (passed) throw error;
      });
    }
  });
}

/** Returns the error of a call that must be refused. */
export async function refusal(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("the call was not refused");
}

export function receiveTwiml(attributes) {
  const response = new twilio.twiml.FaxResponse();
  response.receive(attributes);
  return response;
}
