"use strict";
// Turns the control API's verdict on an expectation into an error that shows the closest events field by field.

const { FauxfaxError } = require("./error.js");

/**
 * Makes the error for a journal that lacks the expected events.
 *
 * @param {object | object[]} expected The expected event, or several in their order.
 * @param {number | { atLeast?: number, atMost?: number } | undefined} times How often it was expected.
 * @param {any} verdict The response of `POST /verify`.
 */
function notVerified(expected, times, verdict) {
  const lines = [summary(expected, times, verdict)];
  if (verdict.missed > 0) {
    lines.push(`  ${verdict.missed} events could not be checked, because the journal doesn't have them`);
  }
  for (const { event, differs } of verdict.closest) {
    lines.push(`  ${event.seq} ${event.kind} differs:`);
    for (const [field, { want, got }] of Object.entries(differs)) {
      lines.push(`    ${field}: want ${JSON.stringify(want)}, got ${JSON.stringify(got)}`);
    }
  }
  const title = "the journal doesn't have what the test expects";
  return new FauxfaxError(title, lines.join("\n"), { code: "not-verified" });
}

/**
 * @param {object | object[]} expected
 * @param {number | { atLeast?: number, atMost?: number } | undefined} times
 * @param {any} verdict
 */
function summary(expected, times, verdict) {
  if (Array.isArray(expected)) {
    const at = verdict.missing_step ?? verdict.found;
    return `expected ${expected.length} events in this order, but number ${at + 1} is missing: ${JSON.stringify(expected[at])}`;
  }
  return `expected ${wanted(times)} of ${JSON.stringify(expected)}, found ${verdict.found}`;
}

/** @param {number | { atLeast?: number, atMost?: number } | undefined} times */
function wanted(times) {
  if (typeof times === "number") return String(times);
  const { atLeast = times === undefined ? 1 : 0, atMost } = times ?? {};
  return atMost === undefined ? `${atLeast} or more` : `${atLeast} to ${atMost}`;
}

module.exports = { notVerified };
