// What each test begins with: one emulator a file; for each test an account, its client and a customer's app of its own.

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

/** A test in a world of its own. */
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
      // What the app saw is worth telling only where the test itself has not failed.
      await app.stop().catch((error) => {
        if (passed) throw error;
      });
    }
  });
}

/** The error that a call must be refused with. */
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
