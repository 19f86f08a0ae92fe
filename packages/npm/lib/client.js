"use strict";
// Calls the emulator over HTTP: its control API, and the REST APIs of its accounts. Each refusal becomes a FauxfaxError.

const { advise } = require("./advice.js");
const { reason } = require("./binary.js");
const { FauxfaxError } = require("./error.js");
const { versions, warnIfDifferent } = require("./version.js");

/** The path of the control API. */
const BASE = "/_fauxfax/v1";
/** The number of milliseconds to wait for a response, in addition to those that the call itself may take. */
const RESPONSE_MS = 10_000;
/** The beginning of the types of the control API's problems; the rest is their short name. */
const PROBLEM = "urn:fauxfax:problem:";
/** The codes of the problems with calls that the emulator doesn't know, perhaps because it has another version. */
const UNKNOWN_CALLS = ["no-such-call", "wrong-method"];

/** @import { Call } from "./types.js" */

/** A client of one emulator. */
class Client {
  #controlToken;
  #ended;
  /** The emulator's version, once it has been requested. @type {Promise<string | undefined> | null} */
  #version = null;

  /**
   * Makes a client; nothing is sent yet.
   *
   * @param {string} url The emulator's URL, without a slash at its end.
   * @param {string | undefined} controlToken The emulator's control token, if it has one.
   * @param {() => string | null} ended Says how the emulator's process ended; null if it is running or unknown.
   */
  constructor(url, controlToken, ended) {
    /** The emulator's URL, without a slash at its end. */
    this.url = url;
    this.#controlToken = controlToken;
    this.#ended = ended;
  }

  /**
   * Makes a call of the control API.
   *
   * @param {string} method
   * @param {string} path The path after `/_fauxfax/v1`.
   * @param {Call} [call]
   * @returns {Promise<any>}
   */
  async control(method, path, call = {}) {
    // The version is requested first, so that the warning precedes an error that a different version causes.
    const version = await this.#askVersion();
    try {
      return await this.send(method, BASE + path, { authorization: this.#authorization(), ...call });
    } catch (error) {
      if (!(error instanceof FauxfaxError) || !UNKNOWN_CALLS.includes(error.code)) throw error;
      const detail = `${error.detail}. It has ${versions(version)}`;
      throw new FauxfaxError(error.title, detail, { code: error.code, status: error.status, cause: error });
    }
  }

  #authorization() {
    return this.#controlToken === undefined ? undefined : `Bearer ${this.#controlToken}`;
  }

  /** Returns the emulator's version, and warns if it differs from this package's; undefined if the emulator doesn't say it. */
  #askVersion() {
    this.#version ??= this.#health().catch((error) => {
      this.#version = null;
      // The call itself will be refused for the same reason, and then throws the error.
      if (error instanceof FauxfaxError && error.code !== "no-response") return undefined;
      throw error;
    });
    return this.#version;
  }

  /** @returns {Promise<string | undefined>} */
  async #health() {
    const { version } = await this.send("GET", `${BASE}/health`, { authorization: this.#authorization() });
    if (typeof version !== "string") return undefined;
    warnIfDifferent(this.url, version);
    return version;
  }

  /**
   * Makes a call and returns its response.
   *
   * @param {string} method
   * @param {string} path
   * @param {Call} [call]
   * @returns {Promise<any>}
   */
  async send(method, path, { query = {}, json, form, authorization, timeoutMs = 0, as = "json", fields = [] } = {}) {
    const url = new URL(this.url + path);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined && value !== null) url.searchParams.set(name, String(value));
    }
    /** @type {Record<string, string>} */
    const headers = {};
    if (authorization !== undefined) headers.Authorization = authorization;
    if (json !== undefined) headers["Content-Type"] = "application/json";
    if (as === "text") headers.Accept = "text/plain, text/markdown";
    const content = json === undefined ? /** @type {FormData | URLSearchParams | undefined} */ (form) : JSON.stringify(json);
    const signal = AbortSignal.timeout(timeoutMs + RESPONSE_MS);
    try {
      const response = await fetch(url, { method, headers, body: content, signal });
      if (!response.ok) throw refusal(`${method} ${path}`, response, await response.text());
      if (as === "bytes") return new Uint8Array(await response.arrayBuffer());
      const text = await response.text();
      if (as === "text") return text;
      const body = text && JSON.parse(text);
      const missing = fields.find((field) => body?.[field] === undefined);
      if (missing !== undefined) throw await this.#incomplete(`${method} ${path}`, missing);
      return body;
    } catch (error) {
      throw error instanceof FauxfaxError ? error : this.#unreachable(error);
    }
  }

  /**
   * @param {string} call The method and path.
   * @param {string} field The field that the response lacks.
   */
  async #incomplete(call, field) {
    const title = `the emulator's response to ${call} has no field ${field}`;
    return new FauxfaxError(title, `it has ${versions(await this.#askVersion())}`, { code: "version-mismatch" });
  }

  /** @param {unknown} error */
  #unreachable(error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    const end = this.#ended();
    const advice = "start an emulator with Emulator.start() or fauxfax serve, or correct the URL";
    const detail = end === null ? `${describe(cause)}; ${advice}` : `its process has stopped: ${end}`;
    return new FauxfaxError(`no emulator responds at ${this.url}`, detail, { code: "no-response", cause: error });
  }
}

/**
 * Describes why there was no response.
 *
 * @param {unknown} cause
 */
function describe(cause) {
  if (reason(cause) === "ECONNREFUSED") return "nothing listens there";
  if (cause instanceof Error) return cause.name === "TimeoutError" ? "there was no response in time" : cause.message;
  return String(cause);
}

/**
 * Turns a response that is not a success into an error: a problem of the control API, or an error of a REST API.
 *
 * @param {string} call The method and path.
 * @param {Response} response
 * @param {string} text The body.
 */
function refusal(call, response, text) {
  /** @type {any} */
  let body = {};
  try {
    body = JSON.parse(text);
  } catch {
    // The body is plain text, which is shown as it is, or empty.
  }
  const type = typeof body.type === "string" && body.type.startsWith(PROBLEM) ? body.type.slice(PROBLEM.length) : undefined;
  const code = type ?? (body.code === undefined ? "refused" : String(body.code));
  const said = type === undefined ? body.message : body.detail && advise(type, String(body.detail));
  const title = `the emulator refused ${call} (${response.status}, ${code})`;
  return new FauxfaxError(title, said ?? (text || response.statusText), { code, status: response.status });
}

module.exports = { Client };
