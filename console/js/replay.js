//! Sends a webhook again, unchanged or edited, and shows the response beside the original one.

import { control } from "./api.js";
import { sideBySide } from "./compare.js";
import { fill, h } from "./dom.js";
import { STATUSES } from "./format.js";
import { button, dialog, field, note, once, outcome, problemNote, select } from "./ui.js";

const TOKEN = "i-twilio-idempotency-token";
/**
 * The time limit for a replay. The call returns only when the app has responded or timed out, which by default takes up to fifteen
 * seconds.
 */
const REPLAY_MS = 40_000;
/**
 * The statuses of inbound and of outbound faxes for which there are buttons that replay a webhook with that status instead of its
 * own.
 */
const INBOUND = ["received", "failed"];
const OUTBOUND = ["queued", "processing", "sending", "delivered", "failed", "busy", "no-answer", "canceled"];

/** The id by which the control API identifies an exchange. */
function webhookId({ data, kind, seq }) {
  const header = Object.entries(data.request_headers ?? {}).find(([name]) => name.toLowerCase() === TOKEN);
  // A webhook without a token is identified by the sequence number of its first attempt.
  return data.webhook ?? (header ? String(header[1]) : kind === "webhook.attempt" && (data.attempt ?? 1) === 1 ? String(seq) : undefined);
}

/** Buttons that replay an exchange, and the place for the response; nothing if it can't be replayed. */
export function replayTools(event, title) {
  if (!webhookId(event)) return null;
  const place = h("div", { class: "replayed" });
  const run = (changes) => once(() => replay(event, title, changes, place), (problem) => fill(place, problemNote(problem)));
  const status = event.data.params?.FaxStatus;
  const others = (status === undefined ? [] : INBOUND.includes(status) && event.data.purpose !== "status-callback" ? INBOUND : OUTBOUND).filter((each) => each !== status);
  return {
    buttons: [button("Replay", run({}), { kind: "small", mark: "replay" }), button("Edit and replay", () => edit(event, title, place), { kind: "small", mark: "pen" })],
    statuses: others.length > 0 && h("div", { class: "tools as", role: "group", "aria-label": "Replay with another status" }, h("span", { class: "muted small" }, "Replay as"), others.map((each) => button(each, run({ params: withStatus(event.data, each) }), { kind: "small bare" }))),
    place,
  };
}

/** The parameters that name the status, set to another one. */
function withStatus(data, status) {
  return Object.fromEntries(["FaxStatus", "Status"].filter((name) => data.params?.[name] === data.params?.FaxStatus && data.params?.[name] !== undefined).map((name) => [name, status]));
}

/**
 * The differences between two requests in their method, URL and parameters, as `[name, before, after]`. The URLs of two GETs are
 * not compared, since they contain the parameters.
 */
export function changesOf(before, after) {
  const names = [...new Set([...Object.keys(before.params ?? {}), ...Object.keys(after.params ?? {})])];
  const own = [["method", before.method, after.method], ["URL", before.method === after.method && before.method === "GET" ? "" : before.url, before.method === after.method && before.method === "GET" ? "" : after.url]];
  return [...own, ...names.map((name) => [name, before.params?.[name], after.params?.[name]])].filter(([, a, b]) => a !== b);
}

/** The changes in words: `FaxStatus received → failed`. */
export function changesText(changes) {
  return changes.map(([name, a, b]) => `${name} ${a ?? "none"} → ${b ?? "none"}`).join(", ");
}

async function replay(event, title, changes, place) {
  const answer = await control("POST", `/webhooks/${encodeURIComponent(webhookId(event))}/replay`, { body: changes, patience: REPLAY_MS });
  const what = changesText(changesOf(event.data, answer));
  const words = answer.status ? `Sent again${what ? ` with ${what}` : ""}: the app responded with ${answer.status}.` : `Sent again${what ? ` with ${what}` : ""}, without a response: ${answer.error?.message ?? "unknown"}`;
  fill(
    place,
    h("div", { role: "status" }, note(answer.status && answer.status < 400 ? "good" : "bad", words)),
    h("div", { class: "beside" }, response("Original", event.data), response("Replay", answer)),
    h("details", { class: "more" }, h("summary", {}, "All differences"), sideBySide({ title: "Original", data: event.data }, { title: "Replay", data: answer })),
  );
}

function response(name, data) {
  const status = data.status ? h("span", { class: "http", data: { tone: data.status < 300 ? "good" : data.status < 400 ? "busy" : "bad" } }, String(data.status)) : h("span", { class: "http", data: { tone: "bad" } }, "no response");
  return h("section", { "aria-label": `${name}: response` }, h("h3", {}, name, " ", status), data.body ? h("pre", { class: "body", tabindex: "0", "aria-label": `Body of the ${name.toLowerCase()}'s response` }, data.body) : h("p", { class: "muted small" }, data.error ? data.error.message : "empty body"));
}

function edit(event, title, place) {
  const { data } = event;
  const url = h("input", { type: "text", value: data.url, spellcheck: "false" });
  const method = select([["POST", "POST"], ["GET", "GET"]], data.method);
  const rows = h("div", { class: "stack tight" });
  const offer = h("div", { role: "status" });
  const addRow = (name = "", value = "") => {
    const input = h("input", { type: "text", value: String(value), "aria-label": name ? `Value of ${name}` : "Value", spellcheck: "false", list: name === "FaxStatus" || name === "Status" ? "statuses" : null });
    if (name === "FaxStatus") input.addEventListener("input", () => offerStatus(input.value));
    const row = h("div", { class: "param" }, h("input", { type: "text", value: name, "aria-label": "Name", spellcheck: "false" }), input, button("", () => row.remove(), { kind: "small bare icon", mark: "cross", label: `Remove ${name || "row"}` }));
    rows.append(row);
    if (name === "FaxStatus" && data.params?.Status !== undefined) rows.append(offer);
  };
  const offerStatus = (wanted) => {
    const other = rows.querySelector('[aria-label="Value of Status"]');
    if (!other || other.value === wanted) fill(offer);
    else fill(offer, button(`Set Status to ${wanted}, too`, () => { other.value = wanted; fill(offer); other.focus(); }, { kind: "small" }));
  };
  Object.entries(data.params ?? {}).forEach(([name, value]) => addRow(name, value));
  const told = outcome();
  const send = once(async () => {
    told.clear();
    const given = Object.fromEntries([...rows.querySelectorAll(".param")].map((row) => [...row.querySelectorAll("input")].map((input) => input.value)).filter(([name]) => name));
    const gone = Object.keys(data.params ?? {}).filter((name) => !(name in given)).map((name) => [name, null]);
    const changes = { method: method.value, params: { ...given, ...Object.fromEntries(gone) } };
    if (url.value.trim() !== data.url) changes.url = url.value.trim();
    await replay(event, title, changes, place);
    box.close();
    place.scrollIntoView({ block: "nearest" });
  }, told.fail);
  const box = dialog("Edit and replay", h("form", { class: "stack", on: { submit: send } }, h("datalist", { id: "statuses" }, STATUSES.map((status) => h("option", { value: status }))), h("p", { class: "muted" }, "The replay is signed anew, with this account's signing key or token. Cookies, an attached file and a rule's changes to the headers are not sent again."), h("div", { class: "with" }, field("URL", url), field("Method", method)), h("h3", {}, "Parameters"), rows, h("div", {}, button("Add a parameter", () => addRow(), { kind: "small", mark: "plus" })), told.element, h("div", { class: "end" }, button("Close", () => box.close()), button("Send", null, { kind: "first", type: "submit" }))), { kind: "wide" });
}
