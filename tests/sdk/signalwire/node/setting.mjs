// Provides one emulator per file, and for each test a project, a client of the library and a webhook app.
// FAUXFAX_WAY says how the client reaches the emulator: by its base URL, by its environment (proxy, exec), or by https with
// the emulator's address as its space.

import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { pdf } from "../../node/documents.mjs";
import { Emulator } from "../../node/emulator.mjs";
import { WebhookApp } from "../../node/webhook-app.mjs";

export const FROM = "+15017122661";
export const TO = "+15558675310";
/** The number that the project of each test buys. */
export const NUMBER = "+15005550006";
export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export const way = process.env.FAUXFAX_WAY ?? "base-url";
/** The library under test: signalwire-compatibility-3, signalwire-node-2 or signalwire-node-3. */
export const library = process.env.SIGNALWIRE_LIBRARY;
const { RestClient, WebAPI } = createRequire(import.meta.url)(library);
export { RestClient };

// No recording shows how SignalWire capitalises the header, nor that it signs the fetch of a document.
const SERVICE = {
  signatureHeader: /^x-signalwire-signature$/i,
  userAgent: /^SignalwireCallback\/1\.0$/,
  signsDocuments: false,
};

/** The library's checks of a request. Version 3 of @signalwire/node has one for a raw body, and no client. */
const validators = RestClient
  ? { validateRequest: RestClient.validateRequest }
  : { validateRequest: (key, header, url, form) => WebAPI.validateRequest(key, header, url, JSON.stringify(form)) };
// The checks for Express in version 2 of @signalwire/node are Twilio's, which know only Twilio's header.
if (library === "signalwire-compatibility-3") {
  validators.validateExpressRequest = RestClient.validateExpressRequest;
  validators.webhook = RestClient.webhook;
}
export const { validateRequest } = validators;

let emulator;
before(async () => (emulator = await Emulator.aroundTheTests("--dialect", "signalwire")));
after(() => emulator.stop());

/** Returns the scheme and host of the media URLs that clients get. */
export function filesOrigin() {
  if (way === "base-url") return emulator.url;
  return way === "space" ? `https://${process.env.SIGNALWIRE_SPACE_URL}` : "https://files.signalwire.com";
}

/** Creates a client of the library. At most its base URLs are changed, as an app's own tests would do. */
export function clientOf(project, token) {
  const space = way === "space" ? process.env.SIGNALWIRE_SPACE_URL : "example.signalwire.com";
  const client = RestClient(project, token, { signalwireSpaceUrl: space });
  if (way === "base-url") client.fax.baseUrl = client.api.baseUrl = emulator.url;
  return client;
}

/** Returns a project that no other test uses, so that each test has its own world. */
export function projectOf(text) {
  const digest = createHash("md5").update(text).digest("hex");
  const id = digest.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, "$1-$2-4$3-8$4-$5");
  return { id, token: "PT" + digest + digest.slice(0, 16) };
}

/** Calls the REST API without the library, for parameters and properties that the library doesn't know. */
async function rest(project, method, path, form) {
  const url = `${emulator.url}/api/laml/2010-04-01/Accounts/${project.id}${path}`;
  const authorization = "Basic " + Buffer.from(`${project.id}:${project.token}`).toString("base64");
  const body = form && new URLSearchParams(form);
  const response = await fetch(url, { method, headers: { authorization }, body });
  const text = await response.text();
  return { status: response.status, body: text && JSON.parse(text) };
}

/** Defines a test that has its own world. */
export function scenario(name, body) {
  test(name, { timeout: 60_000 }, async () => {
    const project = projectOf(`${library} ${name}`);
    const app = await WebhookApp.start(validators, project.token, SERVICE);
    app.serve("/letter.pdf", pdf(2));
    const setting = {
      emulator,
      project,
      app,
      client: RestClient && clientOf(project.id, project.token),
      rest: (...call) => rest(project, ...call),
      /** Buys the project a number that accepts faxes and asks the app at /fax for cXML. */
      async faxNumber(changes = {}) {
        const order = { PhoneNumber: NUMBER, VoiceReceiveMode: "fax", VoiceUrl: app.url + "/fax", ...changes };
        const bought = await rest(project, "POST", "/IncomingPhoneNumbers.json", order);
        if (bought.status !== 201) throw new Error(`the number was not bought: ${JSON.stringify(bought)}`);
        return bought.body;
      },
    };
    let passed = false;
    try {
      await body(setting);
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

/** Returns cXML that accepts the fax, built by the library if it can build cXML. */
export function receiveXml(attributes = {}) {
  if (!RestClient) {
    const escaped = (value) => String(value).replace(/&/g, "&amp;");
    const written = Object.entries(attributes).map(([name, value]) => ` ${name}="${escaped(value)}"`);
    return `<Response><Receive${written.join("")}/></Response>`;
  }
  const response = new RestClient.LaML.FaxResponse();
  response.receive(attributes);
  return response;
}

/** Returns cXML that rejects the fax, built by the library if it can build cXML. */
export function rejectXml() {
  if (!RestClient) return "<Response><Reject/></Response>";
  const response = new RestClient.LaML.FaxResponse();
  response.reject();
  return response;
}
