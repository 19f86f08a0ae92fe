"use strict";
// The one class of errors that this package throws.

/**
 * The reason why fauxfax couldn't do what a test asked for. `title` says what failed, and `detail` why and what to do; the
 * message has both.
 */
class FauxfaxError extends Error {
  /**
   * Describes a failure.
   *
   * @param {string} title What failed.
   * @param {string} detail Why it failed, and what to do about it.
   * @param {{ code: string, status?: number | null, cause?: unknown }} about The code, the HTTP status if the emulator refused a
   *   call, and the underlying error.
   */
  constructor(title, detail, { code, status = null, cause }) {
    super(`${title}: ${detail}`, cause === undefined ? undefined : { cause });
    this.name = "FauxfaxError";
    /** What failed. */
    this.title = title;
    /** Why it failed, and what to do about it. */
    this.detail = detail;
    /**
     * A short name for programs: that of the control API's problem, such as `clock-frozen`; the code of a REST API's error, such
     * as `21211`; or `bad-argument`, `no-binary`, `not-started`, `no-response`, `not-verified`, `document-unreadable`,
     * `version-mismatch`, or `refused` for a refusal without a code.
     */
    this.code = code;
    /** The HTTP status if the emulator refused a call, otherwise null. */
    this.status = status;
  }
}

module.exports = { FauxfaxError };
