"use strict";
// Checks what callers pass, and converts between JavaScript's names and those of the HTTP APIs.

const { FauxfaxError } = require("./error.js");

/** The greatest number of milliseconds to wait for the emulator: Node's fetch gives up on a response after five minutes. */
const TIMEOUT_MAX_MS = 290_000;

/**
 * Refuses options that the caller does not know, so that a misspelt name isn't silently ignored.
 *
 * @param {string} what The call, such as `receive()`.
 * @param {object} options The options as given.
 * @param {readonly string[]} known The names that the call takes.
 */
function checkOptions(what, options, known) {
  if (options === null || typeof options !== "object" || Array.isArray(options)) {
    throw badArgument(what, `its options must be an object with ${known.join(", ")}`);
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw badArgument(what, `it has no option ${unknown}; it takes ${known.join(", ")}`);
  }
}

/**
 * Refuses a time limit that is not a number of milliseconds, or that is too long.
 *
 * @param {string} what The call, such as `receive()`.
 * @param {number} timeoutMs The limit as given.
 * @returns {number} The limit.
 */
function checkTimeout(what, timeoutMs) {
  if (typeof timeoutMs !== "number" || !(timeoutMs >= 0 && timeoutMs <= TIMEOUT_MAX_MS)) {
    throw badArgument(what, `timeoutMs must be 0 to ${TIMEOUT_MAX_MS} milliseconds, not ${timeoutMs}`);
  }
  return timeoutMs;
}

/**
 * Makes the error for a call that was written incorrectly.
 *
 * @param {string} what The call, such as `receive()`.
 * @param {string} detail What is wrong with it.
 */
function badArgument(what, detail) {
  return new FauxfaxError(`${what} can't be called like this`, detail, { code: "bad-argument" });
}

/**
 * Copies JSON with the names of all its fields in snake_case, as the control API spells them.
 *
 * @param {any} value Any JSON whose field names are known to be names, not data.
 * @returns {any} The copy.
 */
function snakeCase(value) {
  return renamed(value, (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
}

/**
 * Copies JSON with the names of all its fields in camelCase.
 *
 * @param {any} value Any JSON whose field names are known to be names, not data.
 * @returns {any} The copy.
 */
function camelCase(value) {
  return renamed(value, (name) => name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase()));
}

/**
 * Copies JSON with other names for its fields.
 *
 * @param {any} value Any JSON.
 * @param {(name: string) => string} rename Returns the new name of a field.
 * @returns {any} The copy.
 */
function renamed(value, rename) {
  if (Array.isArray(value)) return value.map((item) => renamed(item, rename));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [rename(name), renamed(item, rename)]));
}

module.exports = { badArgument, camelCase, checkOptions, checkTimeout, snakeCase };
