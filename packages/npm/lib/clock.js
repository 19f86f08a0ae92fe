"use strict";
// The virtual clock of one account.

const { camelCase, checkOptions, checkTimeout } = require("./options.js");

/** @import { ClockMoved, ClockState, Send } from "./types.js" */

/**
 * The virtual clock of one account.
 *
 * It runs with real time until it is frozen. While frozen, it moves only through {@link Clock.advance} and {@link Clock.drain},
 * and the work that falls due on the way is performed: redials, retries, expiries.
 */
class Clock {
  #control;
  #timeoutMs;

  /**
   * Not for callers: `account.clock` returns the clock.
   *
   * @param {Send} control
   * @param {number} timeoutMs
   */
  constructor(control, timeoutMs) {
    this.#control = control;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Returns the time that the clock shows, whether it is frozen, and what is due next.
   *
   * @returns {Promise<ClockState>}
   */
  async state() {
    return camelCase(await this.#control("GET", "/clock", { fields: ["mode", "now"] }));
  }

  /**
   * Stops the clock; from now on it moves only through `advance()` and `drain()`.
   *
   * @returns {Promise<ClockState>}
   */
  async freeze() {
    return camelCase(await this.#control("PUT", "/clock", { json: { mode: "frozen" } }));
  }

  /**
   * Lets the clock run with real time again, from the time shown now.
   *
   * @returns {Promise<ClockState>}
   */
  async run() {
    return camelCase(await this.#control("PUT", "/clock", { json: { mode: "running" } }));
  }

  /**
   * Moves a frozen clock forward and performs the work that falls due; resolves when the account has settled.
   *
   * @param {{ seconds: number } | { by: string } | { to: string }} move A number of seconds, a duration such as `1h30m`, or a time
   *   such as `2026-03-01T00:00:00Z`.
   * @param {{ timeoutMs?: number }} [options] How long to wait, in milliseconds of real time.
   * @returns {Promise<ClockMoved>}
   * @throws {FauxfaxError} If the clock is running, or already shows a later time.
   */
  async advance(move, options = {}) {
    checkOptions("clock.advance()", move, ["seconds", "by", "to"]);
    return this.#move("advance", move, options);
  }

  /**
   * Moves a frozen clock from deadline to deadline until no work is left.
   *
   * @param {{ timeoutMs?: number }} [options] How long to wait, in milliseconds of real time.
   * @returns {Promise<ClockMoved>}
   * @throws {FauxfaxError} If the clock is running.
   */
  async drain(options = {}) {
    return this.#move("drain", {}, options);
  }

  /**
   * @param {"advance" | "drain"} how
   * @param {object} move
   * @param {{ timeoutMs?: number }} options
   * @returns {Promise<ClockMoved>}
   */
  async #move(how, move, options) {
    checkOptions(`clock.${how}()`, options, ["timeoutMs"]);
    const timeoutMs = checkTimeout(`clock.${how}()`, options.timeoutMs ?? this.#timeoutMs);
    const call = { json: { ...move, timeout: timeoutMs / 1000 }, timeoutMs, fields: ["events"] };
    const { events, ...state } = await this.#control("POST", `/clock/${how}`, call);
    return { ...camelCase(state), events };
  }
}

module.exports = { Clock };
