"use strict";
// The rules of one account, which make things go wrong on purpose.

const { badArgument, camelCase, checkValue, kindOf, snakeCase } = require("./options.js");

/** @import { AddedRule, Rule, Send } from "./types.js" */

/** The fields of `webhook` whose keys are the names of parameters or headers, as the caller has written them. */
const NAMED_BY_CALLER = [
  ["params", "set"],
  ["params", "add"],
  ["headers", "set"],
];

/**
 * The rules of one account. They are checked in the order in which they were added; among rules with the same kind of effect, the
 * first acts that matches and that `after`, `times` and `chance` let act.
 */
class Rules {
  #control;

  /**
   * Not for callers: `account.rules` returns the rules.
   *
   * @param {Send} control
   */
  constructor(control) {
    this.#control = control;
  }

  /**
   * Adds a rule.
   *
   * ```js
   * await account.rules.add({ match: { to: "+1555*" }, times: 1, outcome: { status: "busy" } });
   * await account.rules.add({ webhook: { signature: "bad" } });
   * ```
   *
   * @param {Rule} rule
   * @returns {Promise<AddedRule>} The rule with its id.
   * @throws {FauxfaxError} If the rule is invalid or could never act.
   */
  async add(rule) {
    checkValue("rules.add()", "the rule", rule);
    return converted(await this.#control("POST", "/rules", { json: converted(rule, snakeCase) }), camelCase);
  }

  /**
   * Lists the rules, with how often each has matched and acted.
   *
   * @returns {Promise<AddedRule[]>}
   */
  async list() {
    const { rules } = await this.#control("GET", "/rules", { fields: ["rules"] });
    return rules.map((/** @type {unknown} */ rule) => converted(rule, camelCase));
  }

  /**
   * Enables or disables a rule. A disabled rule leaves its matches to later rules.
   *
   * @param {number} id
   * @param {boolean} enabled
   * @returns {Promise<AddedRule>}
   */
  async setEnabled(id, enabled) {
    const what = "rules.setEnabled()";
    checkId(what, id);
    if (typeof enabled !== "boolean") throw badArgument(what, `enabled must be true or false, not ${kindOf(enabled)}`);
    return converted(await this.#control("POST", `/rules/${id}`, { json: { enabled } }), camelCase);
  }

  /**
   * Removes the rule with this id.
   *
   * @param {number} id
   * @throws {FauxfaxError} If the account has no such rule.
   */
  async remove(id) {
    checkId("rules.remove()", id);
    await this.#control("DELETE", `/rules/${id}`);
  }

  /** Removes all rules. */
  async clear() {
    await this.#control("DELETE", "/rules");
  }
}

/**
 * Copies a rule with other names for its fields, except for the names of parameters and headers, which are data.
 *
 * @param {any} rule The rule as JSON.
 * @param {(value: any) => any} convert Copies JSON with other names for its fields.
 * @returns {any} The copy.
 */
function converted(rule, convert) {
  const copy = convert(rule);
  for (const [group, list] of NAMED_BY_CALLER) {
    const named = rule?.webhook?.[group]?.[list];
    if (named !== undefined) copy.webhook[group][list] = named;
  }
  return copy;
}

/**
 * Refuses a rule id that isn't an integer.
 *
 * @param {string} what The call.
 * @param {unknown} id
 */
function checkId(what, id) {
  if (!Number.isInteger(id)) throw badArgument(what, `the rule must be given by its id, a number, not ${kindOf(id)}`);
}

module.exports = { Rules };
