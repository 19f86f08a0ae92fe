//! A rule as a sentence: its target, its effect, and how often it acts. It builds no elements.

import { count, span } from "./format.js";

const TIMES = (n) => (n === 1 ? "once" : `${n} times`);
const percent = (fraction) => `${Number((fraction * 100).toFixed(1))} %`;
const delay = (ms) => (ms < 1000 ? `${ms} ms` : ms < 60_000 ? `${ms / 1000} s` : span(ms / 1000));
const list = (parts) => (parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`);

const ENDS = {
  busy: ["Calls", "are busy"],
  "no-answer": ["Calls", "aren't answered"],
  delivered: ["Outgoing faxes", "are delivered"],
  received: ["Incoming faxes", "are received"],
};
const REQUESTS = { "fax-url": "Requests to the fax URL", "fallback-url": "Requests to the fallback URL", action: "Action callbacks", "status-callback": "Status callbacks" };

function pagesOf(pages) {
  if (!pages) return "";
  if (typeof pages === "number") return ` of ${count(pages, "page")}`;
  const { min = 1, max } = pages;
  return max ? ` of ${min} to ${max} pages` : ` of at least ${count(min, "page")}`;
}

const parties = ({ from, to, pages }) => `${pagesOf(pages)}${from ? ` from ${from}` : ""}${to ? ` to ${to}` : ""}`;
const faxes = ({ direction }) => ({ outbound: "Outgoing faxes", inbound: "Incoming faxes" })[direction] ?? "Faxes";

function outcome(match, { status, code, after_pages: after, message }) {
  if (status !== "failed") return `${ENDS[status]?.[0] ?? faxes(match)}${parties(match)} ${ENDS[status]?.[1] ?? `end as ${status}`}`;
  return `${faxes(match)}${parties(match)} fail${code ? ` with ${code}` : ""}${after ? ` after ${count(after, "page")}` : " before the first page"}${message ? ` (“${message}”)` : ""}`;
}

function line(match, { rate_bps: rate, noise }) {
  const what = [rate && `at ${rate.toLocaleString("en")} bit/s`, noise !== undefined && noise !== null && `with ${percent(noise)} of the rows damaged`].filter(Boolean);
  return `${faxes(match)}${parties(match)} are sent ${list(what) || "as usual"}`;
}

function api({ method, path }, { status, code, delay_ms: ms, reset }) {
  const does = [ms && `wait ${delay(ms)}`, status && `are refused with ${status}${code ? ` (${code})` : ""}`, reset && "lose their connection"].filter(Boolean);
  return `${method ? `${method} requests` : "Requests"}${path ? ` to ${path}` : " to the API"} ${list(does) || "are answered as usual"}`;
}

/** Describes the changes to a request: `parameters: set A and B, order reversed`. */
function edits(what, changes) {
  const names = (value) => (value === true ? "" : Array.isArray(value) ? list(value) : value instanceof Object ? list(Object.keys(value)) : value);
  return changes && `${what}: ${Object.entries(changes).map(([verb, value]) => `${verb.replace("_", " ")} ${names(value)}`.trim()).join(", ")}`;
}

function webhook(match, { delay_ms: ms, duplicate, late, reorder, drop, signature, params, headers, signed_url: url }) {
  const signed = { bad: "have a wrong signature", missing: "have no signature", stale: "have the signature of an earlier one", "other-token": "are signed with another token", tampered: "are changed after signing" }[signature];
  const changed = [edits("parameters", params), edits("headers", headers)].filter(Boolean).join("; ");
  const sent = [ms && `${delay(ms)} late`, duplicate && (late ? "twice, the second time after the next one" : "twice"), reorder && "out of order"].filter(Boolean);
  const does = [drop && "aren't sent", sent.length > 0 && `are sent ${list(sent)}`, signed, changed && `are changed (${changed})`, url && `are signed for ${url}`].filter(Boolean);
  const { direction, from, to, url: address, purpose } = match;
  const about = direction || from || to ? ` about ${faxes({ direction }).toLowerCase()}${parties({ from, to })}` : "";
  return `${REQUESTS[purpose] ?? "All requests to your app"}${address ? ` at ${address}` : ""}${about} ${list(does) || "are sent as usual"}`;
}

function media(match, { delay_ms: ms, bytes_per_second: rate, cut_after_bytes: cut, redirects, status }) {
  const does = [ms && `wait ${delay(ms)}`, redirects && `are redirected ${TIMES(redirects)}`, rate && `are slowed to ${rate.toLocaleString("en")} bytes a second`, cut !== undefined && cut !== null && `break off after ${count(cut, "byte")}`, status && `are refused with ${status}`].filter(Boolean);
  const { method, path } = match;
  return `${method ? `${method} downloads` : "Downloads"} of ${faxes(match).toLowerCase()}${parties(match)}${path ? ` at ${path}` : ""} ${list(does) || "are served as usual"}`;
}

/** Describes a rule: `Calls to +1555* are busy, at most 2 times`. */
export function sentence(rule) {
  const match = rule.match ?? {};
  const what = rule.outcome ? outcome(match, rule.outcome) : rule.line ? line(match, rule.line) : rule.api ? api(match, rule.api) : rule.media ? media(match, rule.media) : webhook(match, rule.webhook ?? {});
  const often = [rule.after && `not the first ${rule.after === 1 ? "time" : `${rule.after} times`}`, rule.times && (rule.times === 1 ? "once" : `at most ${rule.times} times`), rule.chance && rule.chance < 1 && `in ${percent(rule.chance)} of cases`].filter(Boolean);
  return [what, ...often].join(", ");
}

/** How often the rule has acted: `acted 0 times`. */
export const acted = ({ fired = 0, matched = 0 }) => `acted ${TIMES(fired)}${matched > fired ? `, matched ${TIMES(matched)}` : ""}`;
