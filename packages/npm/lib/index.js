"use strict";
// The package's exports, for import and for require(). The code is CommonJS, because Jest loads packages with require() unless
// it is started with an experimental flag. Node derives the names for import from the last statement.

const { Account } = require("./account.js");
const { findBinary } = require("./binary.js");
const { Clock } = require("./clock.js");
const { Emulator } = require("./emulator.js");
const { FauxfaxError } = require("./error.js");
const { Rules } = require("./rules.js");

/**
 * @typedef {import("./types.js").StartOptions} StartOptions
 * @typedef {import("./types.js").AtOptions} AtOptions
 * @typedef {import("./types.js").AccountOptions} AccountOptions
 * @typedef {import("./types.js").AddedRule} AddedRule
 * @typedef {import("./types.js").ClockMoved} ClockMoved
 * @typedef {import("./types.js").ClockState} ClockState
 * @typedef {import("./types.js").ControlOptions} ControlOptions
 * @typedef {import("./types.js").Conversation} Conversation
 * @typedef {import("./types.js").Dialect} Dialect
 * @typedef {import("./types.js").Direction} Direction
 * @typedef {import("./types.js").Document} Document
 * @typedef {import("./types.js").Exchange} Exchange
 * @typedef {import("./types.js").Fax} Fax
 * @typedef {import("./types.js").FaxLike} FaxLike
 * @typedef {import("./types.js").FaxesOptions} FaxesOptions
 * @typedef {import("./types.js").JournalEvent} JournalEvent
 * @typedef {import("./types.js").JournalOptions} JournalOptions
 * @typedef {import("./types.js").NumberOptions} NumberOptions
 * @typedef {import("./types.js").PhoneNumber} PhoneNumber
 * @typedef {import("./types.js").Quality} Quality
 * @typedef {import("./types.js").ReceiveOptions} ReceiveOptions
 * @typedef {import("./types.js").ResetReport} ResetReport
 * @typedef {import("./types.js").Rule} Rule
 * @typedef {import("./types.js").RuleMatch} RuleMatch
 * @typedef {import("./types.js").SendOptions} SendOptions
 * @typedef {import("./types.js").SignatureExplanation} SignatureExplanation
 * @typedef {import("./types.js").SignatureQuestion} SignatureQuestion
 * @typedef {import("./types.js").Status} Status
 * @typedef {import("./types.js").VerifyOptions} VerifyOptions
 * @typedef {import("./types.js").Waited} Waited
 * @typedef {import("./types.js").WaitOptions} WaitOptions
 * @typedef {import("./types.js").Webhook} Webhook
 */

module.exports = { Account, Clock, Emulator, FauxfaxError, Rules, findBinary };
