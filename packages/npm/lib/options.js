"use strict";
// Checks what callers pass, and converts between JavaScript's names and those of the HTTP APIs.

const { FauxfaxError } = require("./error.js");

/** The greatest number of milliseconds to wait for the emulator: Node's fetch gives up on a response after five minutes. */
const TIMEOUT_MAX_MS = 290_000;

/**
 * Refuses options that the call does not take, so that a misspelt name isn't silently ignored.
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
  // A seed is sent as text, so it may be a bigint; a file is checked where it is read.
  const { seed, file, ...values } = /** @type {Record<string, unknown>} */ (options);
  for (const [name, value] of Object.entries(values)) checkValue(what, name, value);
  if (typeof seed !== "bigint") checkValue(what, "seed", seed);
}

/**
 * Refuses a value that JSON can't express, or would silently turn into another one, such as NaN, which becomes null.
 *
 * @param {string} what The call, such as `receive()`.
 * @param {string} name The name of the value.
 * @param {unknown} value The value as given.
 * @param {readonly unknown[]} [around] The objects that the value is in.
 */
function checkValue(what, name, value, around = []) {
  const isNumber = typeof value === "number";
  if (["bigint", "function", "symbol"].includes(typeof value) || (isNumber && !Number.isFinite(value))) {
    throw badArgument(what, `${name} can't be ${isNumber ? value : kindOf(value)}`);
  }
  if (value === null || typeof value !== "object") return;
  const kind = kindOf(value);
  if (/^an? (Map|Promise|RegExp|Set)$/.test(kind)) {
    const advice = { "a Promise": ": await it first", "a RegExp": ': give its text as { regex: "…" }' }[kind];
    throw badArgument(what, `${name} can't be ${kind}${advice ?? ""}`);
  }
  if (around.includes(value)) throw badArgument(what, `${name} contains itself`);
  for (const [field, inner] of Object.entries(value)) checkValue(what, `${name}.${field}`, inner, [...around, value]);
}

/**
 * Refuses anything but a non-empty string, such as the result of a lookup that found nothing.
 *
 * @param {string} what The call, such as `snapshot()`.
 * @param {string} name What the text is, such as `the name`.
 * @param {unknown} value The text as given.
 */
function checkText(what, name, value) {
  if (typeof value !== "string") throw badArgument(what, `${name} must be a string, not ${kindOf(value)}`);
  if (value === "") throw badArgument(what, `${name} must not be empty`);
}

/**
 * Refuses an option that is given but isn't an array.
 *
 * @param {string} what The call, such as `account()`.
 * @param {string} name The name of the option.
 * @param {unknown} value The option as given, or undefined.
 */
function checkList(what, name, value) {
  if (value === undefined || Array.isArray(value)) return;
  throw badArgument(what, `${name} must be an array, not ${kindOf(value)}`);
}

/**
 * Refuses a page number that isn't a positive integer.
 *
 * @param {string} what The call, such as `page()`.
 * @param {unknown} page The number as given.
 */
function checkPage(what, page) {
  if (Number.isInteger(page) && Number(page) >= 1) return;
  const given = typeof page === "object" ? kindOf(page) : String(page);
  throw badArgument(what, `pages are counted from 1, so there is no page ${given}`);
}

/**
 * Names the type of a value, such as `a Date` or `undefined`.
 *
 * @param {unknown} value
 */
function kindOf(value) {
  if (value === null || value === undefined) return String(value);
  if (value === "") return "an empty string";
  // Unlike instanceof, this also recognises the classes of another context, such as that of a test runner.
  const kind = typeof value === "object" ? Object.prototype.toString.call(value).slice("[object ".length, -1) : typeof value;
  const name = kind === "Object" ? "object" : kind;
  return `${/^[AEIOaeio]/.test(name) ? "an" : "a"} ${name}`;
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

/**
 * Returns a form with the REST API's names.
 *
 * @param {string} what The call, such as `number()`.
 * @param {Record<string, unknown>} options
 * @param {Record<string, string>} parameters The REST API's name of each option.
 */
function formOf(what, options, parameters) {
  const form = new URLSearchParams();
  for (const [option, name] of Object.entries(parameters)) {
    const value = options[option];
    if (value === undefined) continue;
    if (value === null || (typeof value === "object" && !(value instanceof URL))) {
      const detail = `${option} can't be ${kindOf(value)}; leave it out; to remove an attribute of a number, give ""`;
      throw badArgument(what, detail);
    }
    form.set(name, String(value));
  }
  return form;
}

module.exports = {
  badArgument,
  camelCase,
  checkList,
  checkOptions,
  checkPage,
  checkText,
  checkTimeout,
  checkValue,
  formOf,
  kindOf,
  snakeCase,
};
