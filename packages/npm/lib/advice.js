"use strict";
// Replaces advice that names calls of the control API with advice that names this package's methods.

const OWN_ACCOUNT =
  "another run that shares this emulator may have removed it: give each run an account of its own with emulator.account()";

/** What to do about each problem. @type {Record<string, string>} */
const ADVICE = {
  "account-gone": OWN_ACCOUNT,
  "account-not-found": `emulator.account({ sid }) creates it; if it was there before, ${OWN_ACCOUNT}`,
  "account-unclaimed": `make a call of the REST API with any token, which then becomes its token; if it had a token before, ${OWN_ACCOUNT}`,
  "clock-frozen": "use ring() or queue(), and then clock.advance() or clock.drain(), or let it run with clock.run()",
  "clock-running": "call clock.freeze() first",
  "control-token-needed": "pass controlToken to Emulator.at()",
  "fax-not-found": "account.faxes() lists them",
  "not-a-fax-number": 'change it with account.number("+1…", { voiceReceiveMode: "fax" })',
  "number-ambiguous": "name one with to",
  "number-not-found": 'account.number("+15017122661") buys one that receives faxes',
  "rule-not-found": "account.rules.list() lists them",
  "snapshot-not-found": "account.snapshot(name) saves one",
  "webhook-not-found": "account.webhooks() lists them",
  "world-broken": "account.reset() repairs it",
};

/**
 * Returns the detail of a problem with advice in this package's terms.
 *
 * @param {string} code The problem's short name.
 * @param {string} detail What the control API says.
 */
function advise(code, detail) {
  const advice = Object.hasOwn(ADVICE, code) ? ADVICE[code] : undefined;
  if (advice === undefined) return detail;
  // The control API's advice follows a semicolon or begins with one of these phrases.
  const [what] = detail.split(/; |: (?:leave out|claim it first|give one in) /);
  return `${what}; ${advice}`;
}

module.exports = { advise };
