"use strict";
// A running emulator: a private process that a test starts, or one that is running already.

const os = require("node:os");

const { Account } = require("./account.js");
const { checkBinary, findBinary } = require("./binary.js");
const { Client } = require("./client.js");
const {
  badArgument,
  camelCase,
  checkList,
  checkOptions,
  checkText,
  checkTimeout,
  kindOf,
  snakeCase,
} = require("./options.js");
const { EmulatorProcess } = require("./process.js");

/** The default time limit for the start of the process, in milliseconds: far longer than it takes, even on a busy machine. */
const START_MS = 30_000;
/** The default time limit for a test's waits, in milliseconds: far longer than anything takes at the pace of tests. */
const PATIENCE_MS = 10_000;

const START_OPTIONS = [
  "seed",
  "pace",
  "dialect",
  "port",
  "config",
  "controlToken",
  "args",
  "env",
  "binary",
  "startTimeoutMs",
  "timeoutMs",
];
const ACCOUNT_OPTIONS = [
  "sid",
  "authToken",
  "signingKey",
  "dialect",
  "friendlyName",
  "callbacks",
  "service",
  "debuggerUrl",
  "numbers",
  "callerIds",
];

/** The fields of an account without which it can't be used. */
const ACCOUNT_FIELDS = ["sid", "auth_token", "dialect"];

/** @import { AccountOptions, AtOptions, Connection, ControlOptions, Dialect, Running, StartOptions } from "./types.js" */

/**
 * A running emulator. One can serve all tests of a program: each test creates its own {@link Account}.
 *
 * ```js
 * const emulator = await Emulator.start();
 * const account = await emulator.account();
 * ```
 */
class Emulator {
  #client;
  #running;
  #dialect;
  #timeoutMs;

  /**
   * Not for callers: {@link Emulator.start} and {@link Emulator.at} make emulators.
   *
   * @param {Connection} client
   * @param {Running | null} running
   * @param {{ dialect?: Dialect, timeoutMs?: number }} options
   */
  constructor(client, running, { dialect, timeoutMs = PATIENCE_MS }) {
    this.#client = client;
    this.#running = running;
    this.#dialect = dialect;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Starts a private emulator on a free port of 127.0.0.1 and waits until it is ready. It runs until it is stopped, or until this
   * process ends, and doesn't keep this process from ending.
   *
   * @param {StartOptions} [options]
   * @returns {Promise<Emulator>}
   * @throws {FauxfaxError} If there is no program for this platform, or it doesn't start; the error has its output.
   */
  static async start(options = {}) {
    const what = "Emulator.start()";
    checkOptions(what, options, START_OPTIONS);
    const { seed = 1, pace = "max", dialect, port = 0, config, controlToken, args = [], env = {}, binary } = options;
    const { startTimeoutMs = START_MS, timeoutMs = PATIENCE_MS } = options;
    checkList(what, "args", args);
    checkTimeout(what, startTimeoutMs);
    checkTimeout(what, timeoutMs);
    /** @type {[string, string | undefined][]} */
    const settings = [
      ["--listen", `127.0.0.1:${port}`],
      ["--seed", String(seed)],
      ["--pace", String(pace)],
      // Without this flag the emulator would read fauxfax.toml, and save its state where that file says.
      ["--config", config ?? os.devNull],
      ["--dialect", dialect],
    ];
    // The program refuses a flag that comes twice.
    const isGiven = (/** @type {string} */ flag) => args.some((arg) => arg === flag || arg.startsWith(`${flag}=`));
    const flags = settings.flatMap(([flag, value]) => (value === undefined || isGiven(flag) ? [] : [flag, value]));
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith("FAUXFAX_"));
    // Passed as a variable, because other users of the machine can see a process's flags.
    const token = controlToken === undefined ? {} : { FAUXFAX_CONTROL_TOKEN: controlToken };
    const environment = { ...Object.fromEntries(own), ...token, ...env };
    const program = binary === undefined ? findBinary() : checkBinary(binary, "binary");
    const emulator = new EmulatorProcess(program, ["serve", ...flags, ...args], environment);
    const url = await emulator.ready(startTimeoutMs);
    return new Emulator(new Client(url, controlToken, () => emulator.end), emulator, { dialect, timeoutMs });
  }

  /**
   * Returns an emulator that is running already, such as one in a container. Nothing is sent yet.
   *
   * @param {string | { readonly href: string }} url Its URL, such as `http://127.0.0.1:8329`, as text or as a URL object; or only
   *   its host and port.
   * @param {AtOptions} [options]
   * @returns {Emulator}
   * @throws {FauxfaxError} If the URL is invalid.
   */
  static at(url, options = {}) {
    const what = "Emulator.at()";
    checkOptions(what, options, ["controlToken", "dialect", "timeoutMs"]);
    checkTimeout(what, options.timeoutMs ?? PATIENCE_MS);
    return new Emulator(new Client(baseUrl(what, url), options.controlToken, () => null), null, options);
  }

  /** The base URL of the REST and control APIs, such as `http://127.0.0.1:49152`, without a slash at its end. */
  get url() {
    return this.#client.url;
  }

  /** The last 65,536 characters that the emulator's process wrote; empty for one that was running already. */
  get output() {
    return this.#running?.output ?? "";
  }

  /**
   * Creates an account: an isolated world with a new SID, a new token and no numbers, unless the options give them.
   *
   * @param {AccountOptions} [options]
   * @returns {Promise<Account>}
   */
  async account(options = {}) {
    checkOptions("account()", options, ACCOUNT_OPTIONS);
    const dialect = options.sid === undefined ? this.#dialect : undefined;
    for (const list of ["numbers", "callerIds"]) checkList("account()", list, options[/** @type {"numbers"} */ (list)]);
    const numbers = options.numbers?.map((number) =>
      // Without this mode the number would accept voice calls, not faxes.
      typeof number === "string" ? { phoneNumber: number, voiceReceiveMode: "fax" } : number,
    );
    const callerIds = options.callerIds?.map((id) => (typeof id === "string" ? { phoneNumber: id } : id));
    const json = snakeCase({ dialect, ...options, numbers, callerIds });
    const created = await this.#client.control("POST", "/accounts", { json, fields: ACCOUNT_FIELDS });
    return new Account(this.#client, camelCase(created), this.#timeoutMs);
  }

  /**
   * Returns the account that exists from the start, with the number `+15005550006` unless the configuration names others.
   *
   * @returns {Promise<Account>}
   */
  async defaultAccount() {
    const { default_account: sid } = await this.#client.control("GET", "/health", { fields: ["default_account"] });
    return this.existingAccount(sid);
  }

  /**
   * Returns an account that exists already.
   *
   * @param {string} sid
   * @returns {Promise<Account>}
   */
  async existingAccount(sid) {
    checkText("existingAccount()", "the SID", sid);
    const found = await this.#client.control("GET", `/accounts/${encodeURIComponent(sid)}`, { fields: ACCOUNT_FIELDS });
    return new Account(this.#client, camelCase(found), this.#timeoutMs);
  }

  /**
   * Makes any other call of the control API.
   *
   * @param {string} method
   * @param {string} path The path after `/_fauxfax/v1`, such as `/traffic`.
   * @param {ControlOptions} [options]
   * @returns {Promise<any>} The response's JSON, with the names of the control API.
   */
  async control(method, path, options = {}) {
    checkOptions("control()", options, ["query", "json", "timeoutMs"]);
    return this.#client.control(method, path, options);
  }

  /** Stops the emulator's process and waits until it has ended. One that was running already keeps running. */
  async stop() {
    await this.#running?.stop();
  }

  /** Stops the emulator at the end of a block with `await using`. */
  [Symbol.asyncDispose]() {
    return this.stop();
  }
}

/**
 * Returns the URL of an emulator without a slash at its end, so that paths can be appended to it.
 *
 * @param {string} what The call, such as `Emulator.at()`.
 * @param {unknown} given
 */
function baseUrl(what, given) {
  const text = given instanceof Object && "href" in given ? given.href : given;
  const shown = typeof text === "string" ? text : kindOf(text);
  const wrong = badArgument(what, `the URL must be one such as http://127.0.0.1:8329, without a path, not ${shown}`);
  if (typeof text !== "string") throw wrong;
  const whole = text.includes("://") ? text : `http://${text}`;
  if (!URL.canParse(whole)) throw wrong;
  const url = new URL(whole);
  const isBase = /^https?:$/.test(url.protocol) && /^\/*$/.test(url.pathname);
  if (!isBase || url.search || url.hash || url.username || url.password) throw wrong;
  return url.origin;
}

module.exports = { Emulator };
