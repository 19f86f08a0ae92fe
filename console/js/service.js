//! The service of this world, Twilio or SignalWire: its name, the paths of its API, and its terms.

const TWILIO = {
  isSignalWire: false,
  name: "Twilio",
  markup: "TwiML",
  bins: "TwiML Bins",
  faxes: "/v1/Faxes",
  sid: "Account SID",
  token: "Auth token",
  tokenVariable: "$TWILIO_AUTH_TOKEN",
  somebody: "AC…",
  debugger: "The alerts that Twilio's debugger would list; the REST API has them at /v1/Alerts.",
  mediaUrl: ["a fresh one", "Valid for two hours of this world's clock"],
  aboutCode: (code) => `https://www.twilio.com/docs/errors/${code}`,
};

const SIGNALWIRE = {
  isSignalWire: true,
  name: "SignalWire",
  markup: "cXML",
  bins: "LaML Bins",
  faxes: "/api/laml/2010-04-01/Accounts/{account}/Faxes",
  sid: "Project id",
  token: "API token",
  tokenVariable: "$SIGNALWIRE_API_TOKEN",
  somebody: "UUID",
  debugger: "What went wrong between the emulator and your app, with SignalWire's error codes where it has one.",
  mediaUrl: ["it", "It stays the same until the document is deleted"],
  aboutCode: (code) => `https://developer.signalwire.com/compatibility-api/reference/error-codes#${code}`,
};

/** The terms of the shown world's service; Twilio's until the world is known. Always the same object, so that modules can import it. */
export const service = { ...TWILIO };

/** Switches to the terms of a world's dialect. */
export function speak(dialect) {
  Object.assign(service, dialect === "signalwire" ? SIGNALWIRE : TWILIO);
}

/** The path of the faxes of an account. */
export function faxesOf(sid) {
  return service.faxes.replace("{account}", sid);
}
