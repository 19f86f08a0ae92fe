"use strict";
// An account as a test sees it: its credential, numbers, faxes and journal.

const { advise } = require("./advice.js");
const { Clock } = require("./clock.js");
const { FauxfaxError } = require("./error.js");
const { conversationOf, faxPath, noPage, queryOf, sidOf, upload } = require("./fax.js");
const {
  badArgument,
  camelCase,
  checkOptions,
  checkPage,
  checkText,
  checkTimeout,
  checkValue,
  formOf,
  snakeCase,
} = require("./options.js");
const { Rules } = require("./rules.js");
const { notVerified } = require("./verdict.js");

/**
 * @import {
 *   Call, Connection, ControlOptions, Conversation, Dialect, Fax, FaxesOptions, FaxLike, JournalEvent, JournalOptions,
 *   NumberOptions, PhoneNumber, ReceiveOptions, ResetReport, SendOptions, SignatureExplanation, SignatureQuestion,
 *   VerifyOptions, WaitOptions, Waited, Webhook
 * } from "./types.js"
 */

const RECEIVE_OPTIONS = ["pages", "file", "mediaUrl", "to", "from", "stationId", "quality", "sid", "outcome", "action"];
/** The REST parameters of `send()`. */
const SEND_PARAMETERS = {
  to: "To",
  from: "From",
  mediaUrl: "MediaUrl",
  quality: "Quality",
  statusCallback: "StatusCallback",
  ttl: "Ttl",
  storeMedia: "StoreMedia",
};
/** The REST parameters of `number()`. */
const NUMBER_PARAMETERS = {
  faxUrl: "VoiceUrl",
  voiceMethod: "VoiceMethod",
  voiceFallbackUrl: "VoiceFallbackUrl",
  voiceFallbackMethod: "VoiceFallbackMethod",
  voiceReceiveMode: "VoiceReceiveMode",
  statusCallback: "StatusCallback",
  statusCallbackMethod: "StatusCallbackMethod",
  friendlyName: "FriendlyName",
};

/**
 * An account of an emulator: an isolated world with its own numbers, faxes, clock, rules and journal. It exists until it is
 * removed, or the emulator stops.
 */
class Account {
  #client;
  #facts;
  #timeoutMs;

  /**
   * Not for callers: {@link Emulator.account} makes accounts.
   *
   * @param {Connection} client
   * @param {{ sid: string, authToken: string, signingKey: string, dialect: Dialect }} facts
   * @param {number} timeoutMs
   */
  constructor(client, facts, timeoutMs) {
    this.#client = client;
    // Private, so that a failed assertion doesn't print the token into a log.
    this.#facts = facts;
    this.#timeoutMs = timeoutMs;
    /** The account's SID, which is the user name of REST calls: `AC…`, or the UUID of a SignalWire project. */
    this.sid = facts.sid;
    /** The service whose API the account uses. */
    this.dialect = facts.dialect;
  }

  /** The account's token, which is the password of REST calls and, for Twilio, the key of `X-Twilio-Signature`. */
  get authToken() {
    return this.#facts.authToken;
  }

  /** The key that signs the account's webhooks: its token, unless it is a SignalWire account with a signing key. */
  get signingKey() {
    return this.#facts.signingKey;
  }

  /** The base URL of the emulator's APIs, the same as `emulator.url`. */
  get url() {
    return this.#client.url;
  }

  /** The account's clock. */
  get clock() {
    return new Clock((method, path, call) => this.#control(method, path, call), this.#timeoutMs);
  }

  /** The account's rules, which make things go wrong on purpose. */
  get rules() {
    return new Rules((method, path, call) => this.#control(method, path, call));
  }

  /**
   * Returns a handle to the same account with this time limit for waits.
   *
   * @param {number} timeoutMs
   * @returns {Account}
   */
  withTimeout(timeoutMs) {
    return new Account(this.#client, this.#facts, checkTimeout("withTimeout()", timeoutMs));
  }

  /**
   * Returns one of the account's numbers, after setting the given attributes. A number that the account doesn't own yet is bought
   * and set to receive faxes.
   *
   * ```js
   * await account.number("+15017122661", { faxUrl: "http://localhost:3000/fax" });
   * ```
   *
   * @param {string} phoneNumber The number in E.164 form.
   * @param {NumberOptions} [options]
   * @returns {Promise<PhoneNumber>}
   * @throws {FauxfaxError} If the number is not for sale, or an attribute is invalid.
   */
  async number(phoneNumber, options = {}) {
    const what = "number()";
    checkText(what, "the number", phoneNumber);
    checkOptions(what, options, [...Object.keys(NUMBER_PARAMETERS), "faxTwiml"]);
    const { faxTwiml, ...attributes } = options;
    if (faxTwiml !== undefined) {
      if (attributes.faxUrl !== undefined) throw badArgument(what, "give only one of faxUrl and faxTwiml");
      const name = `for ${phoneNumber}`;
      attributes.faxUrl = (await this.#control("POST", "/twiml-bins", { json: { name, twiml: faxTwiml }, fields: ["url"] })).url;
    }
    const owned = (await this.numbers()).find((number) => number.phoneNumber === phoneNumber);
    if (owned === undefined) {
      // Without this mode the number would accept voice calls, not faxes.
      const bought = { voiceReceiveMode: "fax", ...attributes };
      const form = formOf(what, bought, NUMBER_PARAMETERS);
      form.set("PhoneNumber", phoneNumber);
      return this.#rest("/IncomingPhoneNumbers", form);
    }
    if (Object.keys(attributes).length === 0) return owned;
    return this.#rest(`/IncomingPhoneNumbers/${owned.sid}`, formOf(what, attributes, NUMBER_PARAMETERS));
  }

  /**
   * Lists the account's numbers, the newest first.
   *
   * @returns {Promise<PhoneNumber[]>}
   */
  async numbers() {
    const { numbers } = await this.#client.control("GET", `/accounts/${this.sid}`, { fields: ["numbers"] });
    return camelCase(numbers);
  }

  /**
   * Acts as a fax machine that calls one of the account's numbers, and waits until the conversation has settled: the fax has
   * ended, and the app has been notified.
   *
   * @param {ReceiveOptions} [options]
   * @returns {Promise<Conversation>}
   * @throws {FauxfaxError} If the call can't be made as described, the conversation doesn't settle in time, or the clock is
   *   frozen.
   */
  async receive(options = {}) {
    const what = "receive()";
    checkOptions(what, options, [...RECEIVE_OPTIONS, "timeoutMs"]);
    const { timeoutMs: limit, ...fields } = options;
    const timeoutMs = this.#limit(what, limit);
    const query = { wait: true, timeout: timeoutMs / 1000 };
    const call = { query, timeoutMs, fields: ["fax_sid", "outcome", "events"], ...(await upload(what, fields)) };
    const { fax, ...settled } = await this.#control("POST", "/incoming-faxes", call);
    // The response has the resource of the REST API, which doesn't say why a fax failed.
    return conversationOf({ ...settled, fax: fax && (await this.#control("GET", faxPath(what, settled.fax_sid))) });
  }

  /**
   * Makes the same call as `receive()` without waiting for its end. This is the only way to make a call while the clock is
   * frozen; advance or drain the clock afterwards.
   *
   * @param {Omit<ReceiveOptions, "timeoutMs">} [options]
   * @returns {Promise<string>} The SID that the fax will have if the app takes the call.
   */
  async ring(options = {}) {
    checkOptions("ring()", options, RECEIVE_OPTIONS);
    const rung = await this.#control("POST", "/incoming-faxes", { fields: ["fax_sid"], ...(await upload("ring()", options)) });
    return rung.fax_sid;
  }

  /**
   * Sends a fax, as the app would through the REST API, and waits until it has ended and its webhooks have been sent.
   *
   * @param {SendOptions} options
   * @returns {Promise<Fax>}
   * @throws {FauxfaxError} If the service refuses the fax, it doesn't end in time, or the clock is frozen.
   */
  async send(options) {
    checkOptions("send()", options, [...Object.keys(SEND_PARAMETERS), "timeoutMs"]);
    const { timeoutMs: limit, ...fax } = options;
    const timeoutMs = this.#limit("send()", limit);
    // Checked before the fax is created, so that no fax is left behind if the clock is frozen.
    if ((await this.clock.state()).mode === "frozen") {
      const detail = advise("clock-frozen", "the clock is frozen, so the fax would never end");
      throw new FauxfaxError("send() would wait forever", detail, { code: "clock-frozen" });
    }
    const sid = await this.queue(fax);
    await this.wait({ fax: sid, timeoutMs });
    return this.fax(sid);
  }

  /**
   * Creates the same fax as `send()` without waiting for its end. This is the only way to send a fax while the clock is frozen;
   * advance or drain the clock afterwards.
   *
   * @param {Omit<SendOptions, "timeoutMs">} options
   * @returns {Promise<string>} The fax's SID.
   * @throws {FauxfaxError} If the account has no number to call from, or the service refuses the fax.
   */
  async queue(options) {
    checkOptions("queue()", options, Object.keys(SEND_PARAMETERS));
    const { mediaUrl = this.sampleUrl() } = options;
    const from = options.from ?? (await this.numbers()).at(-1)?.phoneNumber;
    if (from === undefined) {
      throw badArgument("send() or queue()", "the account has no number to call from: buy one with number(), or give from");
    }
    const created = await this.#rest("/Faxes", formOf("send() or queue()", { ...options, mediaUrl, from }, SEND_PARAMETERS));
    return created.sid;
  }

  /**
   * Returns the URL of one of the emulator's sample documents, which can be sent as a fax.
   *
   * @param {string} [name] Its name; `emulator.control("GET", "/samples")` lists them.
   * @returns {string}
   */
  sampleUrl(name = "one-page.pdf") {
    checkText("sampleUrl()", "the name", name);
    return `${this.url}/_fauxfax/v1/samples/${encodeURIComponent(name)}`;
  }

  /**
   * Returns a fax in its current state, or a call that never became a fax.
   *
   * @param {FaxLike} fax
   * @returns {Promise<Fax>}
   * @throws {FauxfaxError} If the account has no such fax.
   */
  async fax(fax) {
    return camelCase(await this.#control("GET", faxPath("fax()", fax)));
  }

  /**
   * Lists the account's faxes, the newest first.
   *
   * @param {FaxesOptions} [options]
   * @returns {Promise<Fax[]>}
   */
  async faxes(options = {}) {
    checkOptions("faxes()", options, ["q", "direction", "status", "number", "limit"]);
    return camelCase((await this.#control("GET", "/faxes", { query: { ...options }, fields: ["faxes"] })).faxes);
  }

  /**
   * Returns the account's newest fax; null if there are none.
   *
   * @returns {Promise<Fax | null>}
   */
  async newestFax() {
    return (await this.faxes({ limit: 1 }))[0] ?? null;
  }

  /**
   * Waits until a fax has entered a status, or has ended; returns immediately if it has already done so since the last reset.
   *
   * ```js
   * await account.wait({ fax, status: "delivered" });
   * await account.wait({ status: "received" });           // any fax
   * await account.wait({ fax });                          // its end, and that of its webhooks
   * ```
   *
   * @param {WaitOptions} options
   * @returns {Promise<Waited>}
   * @throws {FauxfaxError} With the code `status-unreachable` as soon as the fax can no longer enter the status, and with a code
   *   such as `not-reached` after the time limit.
   */
  async wait(options) {
    const what = "wait()";
    checkOptions(what, options, ["fax", "status", "since", "timeoutMs"]);
    const { status, since, timeoutMs: limit } = options;
    const fax = options.fax === undefined ? undefined : sidOf(what, options.fax);
    if (fax === undefined && status === undefined) throw badArgument(what, "give fax or status, or call waitIdle()");
    const timeoutMs = this.#limit(what, limit);
    const wanted = status === undefined ? { for: "settled" } : { status: [status].flat().join(",") };
    const query = { fax, since, timeout: timeoutMs / 1000, ...wanted };
    const { event, outcome, seq } = await this.#control("GET", "/wait", { query, timeoutMs, fields: ["seq"] });
    const faxSid = event?.fax_sid ?? fax;
    // If the response has neither an event nor an outcome, the journal has dropped the event, but the fax is still known.
    return { faxSid, status: event?.data.new ?? outcome ?? (await this.fax(faxSid)).status, seq };
  }

  /**
   * Waits until every fax and call has ended and no webhook is due.
   *
   * @param {{ timeoutMs?: number }} [options]
   * @returns {Promise<{ seq: number }>} The place in the journal from which a wait can continue, as its `since`.
   */
  async waitIdle(options = {}) {
    checkOptions("waitIdle()", options, ["timeoutMs"]);
    const timeoutMs = this.#limit("waitIdle()", options.timeoutMs);
    const query = { for: "idle", timeout: timeoutMs / 1000 };
    const { seq } = await this.#control("GET", "/wait", { query, timeoutMs, fields: ["seq"] });
    return { seq };
  }

  /**
   * Checks that the journal has an event, or several in this order. An expected event need not be complete: each of its fields
   * must match, exactly or with `{ prefix }`, `{ regex }` or `{ contains }`.
   *
   * ```js
   * await account.verify({ kind: "webhook.attempt", data: { purpose: "action", params: { NumPages: "2" } } });
   * await account.verify({ kind: "fax.page", data: { text: { contains: "Jane Doe" } } }, { times: 1 });
   * ```
   *
   * @param {object | object[]} expected
   * @param {VerifyOptions} [options] `times` can be given only if one event is expected.
   * @returns {Promise<JournalEvent[]>} The first twenty events that match.
   * @throws {FauxfaxError} With the code `not-verified`; it compares the closest events field by field.
   */
  async verify(expected, options = {}) {
    checkOptions("verify()", options, ["times", "since"]);
    checkValue("verify()", "the expectation", expected);
    const { times, since } = options;
    const what = Array.isArray(expected) ? { in_order: expected } : { match: expected };
    const json = { ...what, times: snakeCase(times), since };
    const verdict = await this.#control("POST", "/verify", { json, fields: ["verified"] });
    if (!verdict.verified) throw notVerified(expected, times, verdict);
    return verdict.matched;
  }

  /**
   * Returns everything that has happened to a fax or call.
   *
   * @param {FaxLike} fax
   * @returns {Promise<Conversation>}
   */
  async conversation(fax) {
    const path = faxPath("conversation()", fax, "/conversation.json");
    return conversationOf(await this.#control("GET", path, { fields: ["fax_sid", "events"] }));
  }

  /**
   * Returns everything that has happened to a fax or call as Markdown, to be printed by a failed test or attached to an issue.
   *
   * @param {FaxLike} fax
   * @returns {Promise<string>}
   */
  async conversationMarkdown(fax) {
    return this.#control("GET", faxPath("conversationMarkdown()", fax, "/conversation.md"), { as: "text" });
  }

  /**
   * Returns the image of a page as it was transmitted.
   *
   * @param {FaxLike} fax
   * @param {number} page The page, counted from 1.
   * @param {{ width?: number }} [options] The width in pixels; by default that of the page.
   * @returns {Promise<Uint8Array>} A PNG.
   */
  async page(fax, page, options = {}) {
    checkOptions("page()", options, ["width"]);
    return this.#page("page()", fax, page, ".png", { query: { ...options }, as: "bytes" });
  }

  /**
   * Returns the images of all pages of a fax.
   *
   * @param {FaxLike} fax
   * @param {{ width?: number }} [options] The width in pixels; by default that of each page.
   * @returns {Promise<Uint8Array[]>} A PNG for each page.
   */
  async pages(fax, options = {}) {
    checkOptions("pages()", options, ["width"]);
    const sid = sidOf("pages()", fax);
    const { numPages } = await this.fax(sid);
    const pages = [];
    for (let page = 1; page <= (numPages ?? 0); page++) pages.push(await this.page(sid, page, options));
    return pages;
  }

  /**
   * Returns the text of a page; null if it is not known, for example because the page is a scan or another picture.
   *
   * @param {FaxLike} fax
   * @param {number} page The page, counted from 1.
   * @returns {Promise<string | null>}
   */
  async pageText(fax, page) {
    return (await this.#page("pageText()", fax, page, "/text")).text ?? null;
  }

  /**
   * Returns the pages of a fax as a file.
   *
   * @param {FaxLike} fax
   * @param {"pdf" | "tiff"} [format]
   * @returns {Promise<Uint8Array>}
   */
  async document(fax, format = "pdf") {
    const what = "document()";
    if (format !== "pdf" && format !== "tiff") throw badArgument(what, `the format must be pdf or tiff, not ${String(format)}`);
    return this.#control("GET", faxPath(what, fax, `/document.${format}`), { as: "bytes" });
  }

  /**
   * Returns the account's journal, oldest first.
   *
   * @param {JournalOptions} [options]
   * @returns {Promise<JournalEvent[]>}
   */
  async events(options = {}) {
    checkOptions("events()", options, ["fax", "kind", "since", "all", "limit"]);
    return (await this.#control("GET", "/events", { query: queryOf("events()", options), fields: ["events"] })).events;
  }

  /**
   * Returns the requests to the app with all their attempts, oldest first.
   *
   * @param {Pick<JournalOptions, "fax" | "since" | "all">} [options]
   * @returns {Promise<Webhook[]>}
   */
  async webhooks(options = {}) {
    checkOptions("webhooks()", options, ["fax", "since", "all"]);
    return (await this.#control("GET", "/webhooks", { query: queryOf("webhooks()", options), fields: ["webhooks"] })).webhooks;
  }

  /**
   * Sends a webhook again, with a new signature.
   *
   * @param {string} id The webhook's id.
   * @param {{ url?: string, method?: "GET" | "POST", params?: Record<string, string | null> }} [edits] What to change; null
   *   removes a parameter.
   * @returns {Promise<Webhook>}
   */
  async replay(id, edits = {}) {
    checkText("replay()", "the id", id);
    checkOptions("replay()", edits, ["url", "method", "params"]);
    return this.#control("POST", `/webhooks/${encodeURIComponent(id)}/replay`, { json: edits, timeoutMs: this.#timeoutMs });
  }

  /**
   * Explains why a request's signature is invalid: names the mistake that would produce it, or the rule that spoiled it on
   * purpose, and gives the valid signature.
   *
   * @param {SignatureQuestion} question
   * @returns {Promise<SignatureExplanation>}
   */
  async explainSignature(question) {
    checkOptions("explainSignature()", question, ["url", "params", "body", "signature", "appUrl", "token"]);
    const { appUrl, ...fields } = question;
    return camelCase(await this.#control("POST", "/explain-signature", { json: { ...fields, app_url: appUrl } }));
  }

  /**
   * Saves the account's current state under this name, in place of an earlier snapshot with that name.
   *
   * @param {string} name At most 64 letters, digits, dots, dashes or underscores.
   */
  async snapshot(name) {
    checkText("snapshot()", "the name", name);
    await this.#control("PUT", `/snapshots/${encodeURIComponent(name)}`);
  }

  /**
   * Returns the account to a snapshot: restores its faxes, numbers and rules, as well as the work that was pending then. The
   * clock is not moved.
   *
   * @param {string} name
   * @returns {Promise<ResetReport>} What the restore has undone.
   * @throws {FauxfaxError} If there is no snapshot with this name.
   */
  async restore(name) {
    checkText("restore()", "the name", name);
    return camelCase(await this.#control("POST", `/snapshots/${encodeURIComponent(name)}`));
  }

  /**
   * Returns the account to its initial state: removes its faxes and cancels pending work. Numbers that were bought later are
   * gone.
   *
   * @param {{ seed?: number | bigint }} [options] A seed from which ids and random draws start again; without it, earlier SIDs
   *   are not reused.
   * @returns {Promise<ResetReport>} What the reset has undone.
   */
  async reset(options = {}) {
    checkOptions("reset()", options, ["seed"]);
    return camelCase(await this.#control("POST", "/reset", { query: { seed: options.seed?.toString() } }));
  }

  /** Removes the account with everything that belongs to it. */
  async remove() {
    await this.#client.control("DELETE", `/accounts/${this.sid}`);
  }

  /**
   * Makes any other call of the control API for this account.
   *
   * @param {string} method
   * @param {string} path The path after `/_fauxfax/v1`, such as `/twiml-bins`.
   * @param {ControlOptions} [options]
   * @returns {Promise<any>} The response's JSON, with the names of the control API.
   */
  async control(method, path, options = {}) {
    checkOptions("control()", options, ["query", "json", "timeoutMs"]);
    return this.#control(method, path, options);
  }

  /**
   * Returns something about a page of a fax.
   *
   * @param {string} what The caller, such as `page()`.
   * @param {FaxLike} fax
   * @param {number} page The page, counted from 1.
   * @param {string} rest The end of the path.
   * @param {Call} [call]
   */
  async #page(what, fax, page, rest, call) {
    checkPage(what, page);
    const sid = sidOf(what, fax);
    try {
      return await this.#control("GET", faxPath(what, sid, `/pages/${page}${rest}`), call);
    } catch (error) {
      if (!(error instanceof FauxfaxError) || error.code !== "page-not-found") throw error;
      throw noPage(page, (await this.fax(sid)).numPages, error);
    }
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {Call} [call]
   */
  #control(method, path, { query, ...call } = {}) {
    return this.#client.control(method, path, { ...call, query: { ...query, account: this.sid } });
  }

  /**
   * Makes a call of the account's REST API, as the app would.
   *
   * @param {"/Faxes" | "/IncomingPhoneNumbers" | `/IncomingPhoneNumbers/${string}`} resource
   * @param {URLSearchParams} form
   * @returns {Promise<any>}
   */
  async #rest(resource, form) {
    // An account that nobody has signed in to has no token. The first token that is used becomes the account's, so none may be
    // made up here.
    if (!this.authToken) {
      const detail = advise("account-unclaimed", "nobody has signed in to it");
      throw new FauxfaxError(`account ${this.sid} has no token`, detail, { code: "account-unclaimed" });
    }
    const account = `/2010-04-01/Accounts/${this.sid}`;
    const twilio = resource === "/Faxes" ? "/v1/Faxes" : `${account}${resource}.json`;
    const path = this.dialect === "signalwire" ? `/api/laml${account}${resource}` : twilio;
    const authorization = `Basic ${Buffer.from(`${this.sid}:${this.authToken}`).toString("base64")}`;
    return camelCase(await this.#client.send("POST", path, { form, authorization, fields: ["sid"] }));
  }

  /**
   * @param {string} what
   * @param {number | undefined} timeoutMs
   */
  #limit(what, timeoutMs) {
    return checkTimeout(what, timeoutMs ?? this.#timeoutMs);
  }
}

module.exports = { Account };
