"use strict";
// What the methods about a fax share: finding out which fax is meant, reading a document, and converting a conversation.

const { readFile } = require("node:fs/promises");
const { basename } = require("node:path");
const { types } = require("node:util");

const { reason } = require("./binary.js");
const { FauxfaxError } = require("./error.js");
const { badArgument, camelCase, kindOf, snakeCase } = require("./options.js");

/** @import { Call, Conversation, Document, FaxLike, JournalEvent, ReceiveOptions } from "./types.js" */

/**
 * Returns the SID of a fax.
 *
 * @param {string} what The call, such as `page()`.
 * @param {FaxLike} fax The SID, or an object that has it.
 * @returns {string}
 */
function sidOf(what, fax) {
  const sid = typeof fax === "object" && fax !== null ? fax.sid : fax;
  if (typeof sid === "string" && sid !== "") return sid;
  const detail =
    `the fax must be a Fax, a Conversation or a SID, not ${kindOf(fax)}. The SID of a Fax or Conversation is its .sid, that of ` +
    "what wait() returns its .faxSid, and that of an event its .fax_sid";
  throw badArgument(what, detail);
}

/**
 * Returns the path of a fax in the control API.
 *
 * @param {string} what The call, such as `page()`.
 * @param {FaxLike} fax
 * @param {string} [rest]
 */
function faxPath(what, fax, rest = "") {
  return `/faxes/${encodeURIComponent(sidOf(what, fax))}${rest}`;
}

/**
 * Returns a query in which the fax is given by its SID.
 *
 * @template {{ fax?: FaxLike }} Options
 * @param {string} what The call, such as `events()`.
 * @param {Options} options
 * @returns {Omit<Options, "fax"> & { fax?: string }}
 */
function queryOf(what, { fax, ...query }) {
  return fax === undefined ? query : { ...query, fax: sidOf(what, fax) };
}

/**
 * Returns the body for an incoming fax: JSON, or a form if a file is sent along.
 *
 * @param {string} what The call, such as `receive()`.
 * @param {Omit<ReceiveOptions, "timeoutMs">} fields
 * @returns {Promise<Call>}
 */
async function upload(what, { file, ...fields }) {
  if (file === undefined) return { json: snakeCase(fields) };
  const form = new FormData();
  for (const [name, value] of Object.entries(snakeCase(fields))) {
    if (value !== undefined) form.set(name, typeof value === "object" ? JSON.stringify(value) : String(value));
  }
  form.set("file", new Blob([await bytesOf(what, file)]), typeof file === "string" ? basename(file) : "document");
  return { form };
}

/**
 * Returns the content of a document. `instanceof` can't tell what was given, because test runners run tests in a separate context
 * with its own classes.
 *
 * @param {string} what The call, such as `receive()`.
 * @param {Document} file
 */
async function bytesOf(what, file) {
  if (typeof file === "string") return read(file);
  if (ArrayBuffer.isView(file)) return Uint8Array.from(Buffer.from(file.buffer, file.byteOffset, file.byteLength));
  if (types.isAnyArrayBuffer(file)) return Uint8Array.from(Buffer.from(file));
  if (["Blob", "File"].includes(kindOf(file).replace(/^an? /, ""))) return new Uint8Array(await file.arrayBuffer());
  const detail = `file must be a path, a Uint8Array, an ArrayBuffer or a Blob, not ${kindOf(file)}`;
  throw badArgument(what, `${detail}; the document at a URL is sent with mediaUrl`);
}

/** @param {string} path */
async function read(path) {
  try {
    return Uint8Array.from(await readFile(path));
  } catch (cause) {
    const detail = `the file can't be read (${reason(cause)}); give the path of a PDF, TIFF, PNG or JPEG, or its bytes`;
    throw new FauxfaxError(`${path} can't be sent`, detail, { code: "document-unreadable", cause });
  }
}

/**
 * Replaces the control API's error with a clearer one if the fax has no such page; returns any other error unchanged.
 *
 * @param {number} page The page that was asked for.
 * @param {number | null} pages The number of pages that the fax has, if it is known.
 * @param {unknown} error What the control API said.
 */
function noPage(page, pages, error) {
  if (pages === null || page <= pages || !(error instanceof FauxfaxError)) return error;
  const detail = `it has ${pages === 1 ? "1 page" : `${pages} pages`}`;
  return new FauxfaxError(`the fax has no page ${page}`, detail, { code: error.code, status: error.status, cause: error });
}

/**
 * Turns a conversation of the control API into one with JavaScript's names. The journal's events stay as they are.
 *
 * @param {any} body
 * @returns {Conversation}
 */
function conversationOf({ fax_sid: sid, fax, outcome, events }) {
  const attempts = events.filter((/** @type {JournalEvent} */ event) => event.kind === "webhook.attempt");
  const webhooks = attempts.map((/** @type {JournalEvent} */ event) => event.data);
  return { sid, fax: camelCase(fax ?? null), outcome: outcome ?? null, events, webhooks };
}

module.exports = { conversationOf, faxPath, noPage, queryOf, sidOf, upload };
