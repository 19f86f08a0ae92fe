"use strict";
// The types of what the emulator returns, and of the options that several methods take. This file has no code.
//
// Everything is in camelCase, except for the journal (events and webhooks), which is returned as the control API shows it:
// `verify()` compares fields by those names.

/** @typedef {"twilio" | "signalwire"} Dialect The company whose API an account uses. */
/** @typedef {"inbound" | "outbound"} Direction The direction of a fax, as seen from the account. */
/**
 * The status of a fax.
 *
 * @typedef {"queued" | "processing" | "sending" | "delivered" | "receiving" | "received" | "no-answer" | "busy" | "failed" |
 *   "canceled"} Status
 */
// Without this name, TypeScript would write the type with a parameter, which version 5.6 doesn't accept.
/** @typedef {Uint8Array} Bytes The content of a file. */
/**
 * A document: the path of a file, or its content. The last form stands for a Blob, because not every project has that type.
 *
 * @typedef {string | Bytes | ArrayBuffer | { readonly size: number, readonly type: string, arrayBuffer(): Promise<ArrayBuffer> }}
 *   Document
 */
/** @typedef {string | { sid: string }} FaxLike A fax: its SID, or the Fax or Conversation that has it. */
/** @typedef {"standard" | "fine" | "superfine"} Quality The vertical resolution of a fax. */

/**
 * How a private emulator is started.
 *
 * @typedef {object} StartOptions
 * @property {number | bigint} [seed] The seed of SIDs, jitter and random draws. It is 1 by default, so that every run of a test
 *   is the same.
 * @property {number | "max"} [pace] The speed of transmissions relative to a real line; `max` by default, so that they take no
 *   time.
 * @property {Dialect} [dialect] The company whose API the default account and new accounts use; `twilio` by default.
 * @property {number} [port] The port on 127.0.0.1; a free one by default.
 * @property {string} [config] The path of a configuration file. By default none is read, not even `fauxfax.toml` in the current
 *   folder.
 * @property {string} [controlToken] A token that protects the control API and the console; none by default.
 * @property {string[]} [args] Further flags of `fauxfax serve`, such as `["--connect-to", "app.example.com=localhost"]`. A flag
 *   among them takes the place of the option or default that would set it.
 * @property {Record<string, string>} [env] Further environment variables of the process. It gets those of this process, except
 *   for the ones that begin with `FAUXFAX_`, which may be settings of another emulator.
 * @property {string} [binary] The path of the program, instead of `FAUXFAX_BIN` or the one that npm installed.
 * @property {number} [startTimeoutMs] The time limit for the start, in milliseconds; 30,000 by default.
 * @property {number} [timeoutMs] The default time limit for waits, in milliseconds; 10,000 by default.
 */

/**
 * How a running emulator is called.
 *
 * @typedef {object} AtOptions
 * @property {string} [controlToken] The emulator's control token, if it has one.
 * @property {Dialect} [dialect] The company whose API new accounts use; `twilio` by default.
 * @property {number} [timeoutMs] The default time limit for waits, in milliseconds; 10,000 by default.
 */

/**
 * An account to be created. A field that is left out is generated or has its default.
 *
 * @typedef {object} AccountOptions
 * @property {string} [sid] `AC` and 32 hexadecimal digits, or the UUID of a SignalWire project.
 * @property {string} [authToken] The token with which clients sign in.
 * @property {string} [signingKey] The key that signs the webhooks of a SignalWire account, instead of its token.
 * @property {Dialect} [dialect] The company whose API the account uses; by default that of the emulator.
 * @property {string} [friendlyName] A name for the console.
 * @property {"all" | "queued-and-final" | "final"} [callbacks] The statuses of which a StatusCallback is notified.
 * @property {"full" | "retired" | "test-credentials"} [service] How much of the Fax API works for the account.
 * @property {string} [debuggerUrl] The URL that is notified of each alert.
 * @property {(string | Record<string, unknown>)[]} [numbers] Numbers that a reset keeps: each in E.164 form, to receive faxes, or
 *   with REST attributes: `{ phoneNumber: "+15017122661", voiceReceiveMode: "fax", voiceUrl: "http://localhost:3000/fax" }`.
 * @property {(string | { phoneNumber: string })[]} [callerIds] Outgoing caller ids.
 */

/**
 * What a call sends, and how its response is read. Not for callers.
 *
 * @typedef {object} Call
 * @property {Record<string, string | number | boolean | null | undefined>} [query] Parameters; those without a value are left
 *   out.
 * @property {unknown} [json] The body as JSON.
 * @property {unknown} [form] The body as a form: FormData or URLSearchParams.
 * @property {string} [authorization] The Authorization header, instead of the control token.
 * @property {number} [timeoutMs] How long the emulator may take to do what the call asks for.
 * @property {string[]} [fields] The fields that the response must have.
 * @property {"json" | "text" | "bytes"} [as] The form in which the response is returned; JSON by default.
 */

/** @typedef {(method: string, path: string, call?: Call) => Promise<any>} Send Makes a call. Not for callers. */

/**
 * The connection to an emulator. Not for callers.
 *
 * @typedef {{ url: string, control: Send, send: Send }} Connection
 */

/**
 * The process of an emulator. Not for callers.
 *
 * @typedef {{ output: string, stop(): Promise<void> }} Running
 */

/**
 * How to make any other call of the control API.
 *
 * @typedef {object} ControlOptions
 * @property {Record<string, string | number | boolean | null | undefined>} [query] The query's parameters.
 * @property {unknown} [json] The body.
 * @property {number} [timeoutMs] How long the emulator may take, in milliseconds.
 */

/**
 * A fax, as the account's REST API shows it, with the reason if it failed.
 *
 * @typedef {object} Fax
 * @property {string} sid
 * @property {string} accountSid
 * @property {Direction} direction
 * @property {Status | "not-answered"} status
 * @property {string} from
 * @property {string} to
 * @property {Quality} quality
 * @property {string | null} mediaSid
 * @property {string | null} mediaUrl The URL of the pages; in a Twilio account, it is valid for two hours by the account's clock.
 * @property {number | null} numPages
 * @property {number | null} duration The seconds that the transmission took.
 * @property {string | number | null} price
 * @property {string | null} priceUnit
 * @property {string} dateCreated
 * @property {string} dateUpdated
 * @property {string} url
 * @property {number | null} [errorCode]
 * @property {string | null} [errorMessage]
 * @property {string | null} [cause] Why the fax failed, in plain words.
 * @property {string | null} [advice] What to do about it.
 * @property {number} [callbacksFailed] The number of callbacks and actions that the app did not accept, not even on a retry.
 * @property {string | null} [lastFailure] The last of them, such as `action 500`.
 */

/**
 * A telephone number of an account. It has all attributes of the REST resource.
 *
 * @typedef {object} PhoneNumber
 * @property {string} sid
 * @property {string} phoneNumber The number in E.164 form.
 * @property {string} friendlyName
 * @property {string | null} voiceUrl The URL from which TwiML is requested when a fax comes in.
 * @property {string | null} statusCallback
 */

/**
 * An event of the journal, as the control API shows it.
 *
 * @typedef {object} JournalEvent
 * @property {number} seq Its place in the journal.
 * @property {string} at The time by the account's clock.
 * @property {string} kind Such as `fax.status` or `webhook.attempt`.
 * @property {string | null} fax_sid
 * @property {any} data
 */

/**
 * One attempt to send a request to the app, with the app's response, as the control API shows it.
 *
 * @typedef {object} Exchange
 * @property {"fax-url" | "fallback-url" | "action" | "status-callback"} purpose
 * @property {string} method
 * @property {string} url
 * @property {Record<string, string | string[]>} params
 * @property {Record<string, string | string[]>} request_headers
 * @property {number | null} status The HTTP status of the app's response; null if there was none.
 * @property {Record<string, string | string[]>} response_headers
 * @property {string} body The beginning of the response's body.
 * @property {number} duration_ms
 * @property {{ code: number, message: string } | null} error
 * @property {number} attempt 2 and higher are retries.
 * @property {string | null} note What is unusual about it.
 */

/**
 * A request to the app with all its attempts, as the control API shows it.
 *
 * @typedef {object} Webhook
 * @property {string} id The id with which it can be sent again: its idempotency token or, if it has none, as in a SignalWire
 *   account, the place of its first attempt in the journal.
 * @property {string | null} fax_sid
 * @property {string} purpose
 * @property {string} method
 * @property {string} url
 * @property {Record<string, string | string[]>} params
 * @property {boolean} delivered Whether any attempt succeeded.
 * @property {{ seq: number, at: string, replay: boolean, exchange: Exchange }[]} attempts
 */

/**
 * A fax or call from beginning to end: what happened, and every request to the app.
 *
 * @typedef {object} Conversation
 * @property {string} sid The SID that the webhooks carried as `FaxSid`.
 * @property {Fax | null} fax The fax; null if the call never became one, or the fax has been deleted.
 * @property {string | null} outcome `received`, `failed`, `rejected` or `not-answered` or, for a sent fax, its final status; null
 *   while the conversation is in progress.
 * @property {JournalEvent[]} events Its events, oldest first.
 * @property {Exchange[]} webhooks The requests to the app and its responses, oldest first, including retries.
 */

/**
 * A call by a fax machine to one of the account's numbers. At most one of `pages`, `file` and `mediaUrl` may be given; without
 * any, one test page is sent.
 *
 * @typedef {object} ReceiveOptions
 * @property {number} [pages] Sends this many numbered test pages.
 * @property {Document} [file] Sends a PDF, TIFF, PNG or JPEG: the path of a file, or its content.
 * @property {string} [mediaUrl] Sends the document at this URL.
 * @property {string} [to] The number called; not needed if the account has exactly one fax number.
 * @property {string} [from] The caller: a number, a SIP URI or a name; `+15558675310` by default.
 * @property {string} [stationId] The station id of the sending machine, of at most 20 characters; by default the caller.
 * @property {Quality} [quality] The vertical resolution; `fine` by default.
 * @property {string} [sid] The SID of the fax, instead of one drawn from the seed.
 * @property {"received" | { status: "failed", code?: number, afterPages?: number, message?: string }} [outcome] How the
 *   transmission ends: after how many pages it fails, and with which error.
 * @property {string} [action] The URL to notify of the fax, as `<Receive action>` does. The number's own app is then not asked.
 * @property {number} [timeoutMs] How long to wait, in milliseconds; the account's time limit by default.
 */

/**
 * A fax to be sent, as the app would request it.
 *
 * @typedef {object} SendOptions
 * @property {string} to The number to call, in E.164 form, or a SIP URI.
 * @property {string} [mediaUrl] The URL of the document; by default a sample of one page. `account.sampleUrl()` returns the URLs of
 *   other samples.
 * @property {string} [from] The caller; by default the number that the account has owned for the longest time.
 * @property {Quality} [quality] The vertical resolution; `fine` by default.
 * @property {string} [statusCallback] The URL to notify of the fax's statuses.
 * @property {number} [ttl] The number of minutes for which a busy or unanswered call is retried.
 * @property {boolean} [storeMedia] Whether the document is kept as media; true by default.
 * @property {number} [timeoutMs] How long to wait, in milliseconds; the account's time limit by default.
 */

/**
 * What to wait for: with a `status`, for a fax to enter it; otherwise, for `fax` to end and for all its webhooks to be sent.
 *
 * @typedef {object} WaitOptions
 * @property {FaxLike} [fax] The fax, or its SID; with a `status`, any fax by default.
 * @property {Status | Status[]} [status] A status, or several of which any will do.
 * @property {number} [since] The place in the journal after which to look; by default the last reset.
 * @property {number} [timeoutMs] How long to wait, in milliseconds; the account's time limit by default.
 */

/**
 * What ended a wait.
 *
 * @typedef {object} Waited
 * @property {string} faxSid
 * @property {Status | "not-answered"} status The status that the fax entered, or with which it ended.
 * @property {number} seq The place in the journal from which the next wait can continue, as its `since`.
 */

/**
 * Attributes of a number. The others don't change.
 *
 * @typedef {object} NumberOptions
 * @property {string} [faxUrl] The URL from which TwiML is requested when a fax comes in (the REST attribute `VoiceUrl`).
 * @property {string} [faxTwiml] TwiML to execute when a fax comes in, instead of asking an app: `<Response><Receive/></Response>`
 *   accepts every fax.
 * @property {string} [statusCallback] The URL to notify of how a fax ended, if the `<Receive>` names no `action`.
 * @property {"GET" | "POST"} [statusCallbackMethod]
 * @property {"GET" | "POST"} [voiceMethod]
 * @property {string} [voiceFallbackUrl] The URL from which TwiML is requested if the first request fails.
 * @property {"GET" | "POST"} [voiceFallbackMethod]
 * @property {"fax" | "voice"} [voiceReceiveMode] Whether the number accepts faxes; `fax` by default for a number that is bought.
 * @property {string} [friendlyName]
 */

/**
 * How many events must match, and where to look.
 *
 * @typedef {object} VerifyOptions
 * @property {number | { atLeast?: number, atMost?: number }} [times] The number of events; at least one by default. 0 means that
 *   no such event may exist.
 * @property {number} [since] The place in the journal after which to look; by default the last reset.
 */

/**
 * Which events or webhooks to return.
 *
 * @typedef {object} JournalOptions
 * @property {FaxLike} [fax] Only those of this fax.
 * @property {string} [kind] Only events of this kind, such as `fax.status`. Not for webhooks.
 * @property {number} [since] Only those after this place in the journal; by default after the last reset.
 * @property {boolean} [all] Also those before the last reset; not together with `since`.
 * @property {number} [limit] The maximum number of events; 1,000 by default. Not for webhooks.
 */

/**
 * Which faxes to list.
 *
 * @typedef {object} FaxesOptions
 * @property {string} [q] A search, such as `status:failed to:+1555* pages:>10`.
 * @property {Direction} [direction]
 * @property {Status | "not-answered" | "any"} [status] `not-answered` lists the calls that nobody took.
 * @property {string} [number]
 * @property {number} [limit] The maximum number of faxes, up to 500; 50 by default.
 */

/**
 * A request whose signature is in question.
 *
 * @typedef {object} SignatureQuestion
 * @property {string} url The URL that was called, as the journal shows it.
 * @property {Record<string, string>} [params] The form parameters.
 * @property {string} [body] The raw body, instead of the parameters.
 * @property {string} [signature] The signature that the app computed or received.
 * @property {string} [appUrl] The URL that the app checked, instead of the signature.
 * @property {string} [token] The key to check with; by default the account's own.
 */

/**
 * Whether a signature is valid, and if it isn't, why.
 *
 * @typedef {object} SignatureExplanation
 * @property {boolean} valid
 * @property {string | null} mistake Such as `trailing-slash`; null if the signature is valid.
 * @property {string} detail The mistake, and how to correct it.
 * @property {string} signature The signature in question.
 * @property {string} expected The valid signature.
 * @property {string} signed The text that is signed.
 * @property {string} header The header that holds the signature.
 */

/**
 * What a reset or a restore has undone.
 *
 * @typedef {object} ResetReport
 * @property {{ faxes: number, webhooks: number, faxSids: string[] }} canceled What was in progress, and was canceled.
 * @property {{ faxes: number }} removed What had ended, and was removed.
 * @property {number} seq Its place in the journal.
 */

/**
 * What a clock shows.
 *
 * @typedef {object} ClockState
 * @property {"running" | "frozen"} mode
 * @property {string} now
 * @property {{ at: string, kind: string, faxSid: string | null }[]} next What is due next.
 */

/**
 * What a clock shows after it was moved, and the events that the move caused.
 *
 * @typedef {ClockState & { events: JournalEvent[] }} ClockMoved
 */

/**
 * A rule that makes something go wrong on purpose. It has exactly one of the five effects: `outcome`, `line`, `api`,
 * `webhook` or `media`. docs/control-api.md describes them all.
 *
 * @typedef {object} Rule
 * @property {RuleMatch} [match] What it acts on; everything by default.
 * @property {number} [after] The number of matches to let pass before it acts.
 * @property {number} [times] How often it acts; without limit by default.
 * @property {number} [chance] The probability that it acts, from 0 to 1, drawn with the seed.
 * @property {boolean} [enabled] Whether it takes part; true by default.
 * @property {{ status: "delivered" | "received" | "busy" | "no-answer" | "failed", code?: number, afterPages?: number,
 *   message?: string }} [outcome] How a call ends.
 * @property {{ rateBps?: number, noise?: number }} [line] The quality of the line.
 * @property {{ status?: number, code?: number, delayMs?: number, reset?: boolean }} [api] The response to a REST call.
 * @property {{ delayMs?: number, duplicate?: boolean, reorder?: boolean, drop?: boolean,
 *   signature?: "bad" | "missing" | "other-token" | "stale" | "tampered", params?: RuleParams, headers?: RuleHeaders,
 *   signedUrl?: string }} [webhook] How a request to the app is sent. `signedUrl` is signed instead of the URL that is called.
 * @property {{ delayMs?: number, bytesPerSecond?: number, cutAfterBytes?: number, redirects?: number, status?: number }} [media]
 *   How a fax's media are served to the app.
 */

/**
 * Changes to a webhook's parameters, made in this order, before the request is signed.
 *
 * @typedef {object} RuleParams
 * @property {string[]} [remove] The names of parameters to remove.
 * @property {Record<string, string>} [set] Parameters to replace or, if the request doesn't have them, to append.
 * @property {Record<string, string>} [add] Parameters to append, even if the request already has one with the same name.
 * @property {string[]} [pad] The names of parameters whose values get a space at both ends.
 * @property {"reversed" | string[]} [order] The order of the parameters; a list names those that come first.
 */

/**
 * Changes to a webhook's headers.
 *
 * @typedef {object} RuleHeaders
 * @property {Record<string, string>} [set] Headers to replace or, if the request doesn't have them, to add.
 * @property {string[]} [remove] The names of headers to remove.
 * @property {boolean} [lowerCase] Whether all header names are sent in lower case.
 */

/**
 * What a rule acts on. In patterns, `*` stands for any characters.
 *
 * @typedef {object} RuleMatch
 * @property {Direction} [direction]
 * @property {string} [from] The pattern of the caller.
 * @property {string} [to] The pattern of the number called, such as `+1555*`.
 * @property {number | { min?: number, max?: number }} [pages]
 * @property {string} [method] The HTTP method of a REST call or of a download.
 * @property {string} [path] The pattern of the path of a REST call or of a download, such as `/v1/Faxes*`.
 * @property {string} [url] The pattern of a webhook's URL.
 * @property {"fax-url" | "fallback-url" | "action" | "status-callback"} [purpose] The purpose of a webhook.
 */

/**
 * A rule that an account has.
 *
 * @typedef {Rule & { id: number, matched: number, fired: number, warning: string | null }} AddedRule
 */

module.exports = {};
