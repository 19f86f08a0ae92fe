//! One request to a customer's app and its answer, to be opened: parameters, headers, body, signature, replay, copies.

import { control } from "./api.js";
import { fill, h } from "./dom.js";
import { ruleOfExchange } from "./makerule.js";
import { span } from "./format.js";
import { snippets } from "./snippets.js";
import { button, copyButton, dialog, field, note, once, outcome, pairs, problemNote, select, toast } from "./ui.js";

const SIGNATURES = ["x-signalwire-signature", "x-twilio-signature"];
const TOKEN = "i-twilio-idempotency-token";
/** A webhook may take its fifteen seconds. */
const REPLAY_MS = 40_000;

/** An exchange as something to open; its inside is built when it is opened first. */
export function exchange(event, title, remark, context) {
  const { data } = event;
  const inside = h("div", { class: "inside" });
  const summary = h(
    "summary",
    {},
    h("span", { class: "name" }, title),
    remark && h("span", { class: "muted" }, ` ${remark}`),
    h("span", { class: "request mono" }, `${data.method} ${data.url}`),
    h("span", { class: "answer" }, data.status ? h("span", { class: "http", data: { tone: data.status < 300 ? "good" : data.status < 400 ? "busy" : "bad" } }, String(data.status)) : h("span", { class: "http", data: { tone: "bad" } }, "no response"), h("span", { class: "muted" }, ` ${span((data.duration_ms ?? 0) / 1000)}`)),
  );
  return [
    h("details", { class: "exchange", on: { toggle: ({ currentTarget }) => currentTarget.open && !inside.firstChild && fill(inside, contents(event, context)) } }, summary, inside),
    data.error && h("p", { class: "fault" }, `${data.error.message} (${data.error.code})`),
  ];
}

function contents(event, context) {
  const { data } = event;
  const explained = h("div", {});
  const signature = SIGNATURES.map((name) => header(data.request_headers, name)).find(Boolean);
  return [
    h("div", { class: "tools" }, webhookId(event) && button("Replay", once(() => replay(event, {})), { kind: "small", mark: "replay" }), webhookId(event) && button("Edit and replay", () => edit(event), { kind: "small", mark: "pen" }), copyButton(() => snippets.curl(data), "Copy as curl", { kind: "small", word: "Copy as curl" }), button("Copy as test", () => tests(data), { kind: "small", mark: "copy" })),
    part("Parameters", pairs(data.params), true),
    signature && h("div", { class: "signature" }, h("h4", {}, "Signature"), h("p", {}, h("code", { class: "break" }, signature), " ", button("Explain", once(() => explain(data, signature, explained), (problem) => fill(explained, problemNote(problem))), { kind: "small", mark: "key" })), explained),
    part("Request headers", pairs(data.request_headers)),
    data.redirected_to && part("Redirected to", h("p", { class: "mono break" }, data.redirected_to), true),
    data.status && part(`Response ${data.status}`, [h("h4", {}, "Headers"), pairs(data.response_headers), h("h4", {}, "Body"), data.body ? h("pre", { class: "body", tabindex: "0", "aria-label": "Body" }, printable(data.body)) : h("p", { class: "muted small" }, "empty")], true),
    h("p", { class: "muted small" }, "The journal keeps only the beginning of long bodies, and masks secrets."),
    h("div", {}, ruleOfExchange(data)),
  ];
  function part(name, content, open = false) {
    return h("details", { class: "part", open }, h("summary", {}, name), content);
  }
}

/** Control characters as pictures, so that a binary body shows itself. */
function printable(text) {
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, (found) => String.fromCharCode(0x2400 + found.charCodeAt(0))).replace(/[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "\u2423");
}

function header(headers, name) {
  const found = Object.entries(headers ?? {}).find(([own]) => own.toLowerCase() === name);
  return found && String(found[1]);
}

async function explain(data, signature, place) {
  const answer = await control("POST", "/explain-signature", { body: { url: data.url, params: data.method === "GET" ? {} : data.params, signature } });
  fill(place, answer.valid ? note("good", "This is the valid signature of this URL and these parameters, made with this world's key.") : note("bad", h("strong", {}, `${answer.mistake ?? "Not valid"}: `), answer.detail ?? ""), h("p", { class: "small muted" }, "What is signed:"), h("pre", { class: "body", tabindex: "0", "aria-label": "What is signed" }, String(answer.signed ?? "")));
}

/** The id that the control API knows an exchange by. */
function webhookId(event) {
  return event.data.webhook ?? header(event.data.request_headers, TOKEN);
}

async function replay(event, changes) {
  const answer = await control("POST", `/webhooks/${encodeURIComponent(webhookId(event))}/replay`, { body: changes, patience: REPLAY_MS });
  if (answer.status) toast(`Sent again: the app responded with ${answer.status}.`, answer.status < 400 ? "" : "bad");
  else toast(`Sent again, without a response: ${answer.error?.message ?? "unknown"}`, "bad");
}

function edit(event) {
  const { data } = event;
  const url = h("input", { type: "text", value: data.url, spellcheck: "false" });
  const method = select([["POST", "POST"], ["GET", "GET"]], data.method);
  const rows = h("div", { class: "stack tight" });
  const addRow = (name = "", value = "") => {
    const row = h("div", { class: "param" }, h("input", { type: "text", value: name, "aria-label": "Name", spellcheck: "false" }), h("input", { type: "text", value: String(value), "aria-label": name ? `Value of ${name}` : "Value", spellcheck: "false" }), button("", () => row.remove(), { kind: "small bare icon", mark: "cross", label: `Remove ${name || "row"}` }));
    rows.append(row);
  };
  Object.entries(data.params ?? {}).forEach(([name, value]) => addRow(name, value));
  const told = outcome();
  const send = once(async () => {
    told.clear();
    const given = Object.fromEntries([...rows.children].map((row) => [...row.querySelectorAll("input")].map((input) => input.value)).filter(([name]) => name));
    const gone = Object.keys(data.params ?? {}).filter((name) => !(name in given)).map((name) => [name, null]);
    const changes = { method: method.value, params: { ...given, ...Object.fromEntries(gone) } };
    if (url.value.trim() !== data.url) changes.url = url.value.trim();
    await replay(event, changes);
    box.close();
  }, told.fail);
  const box = dialog("Edit and replay", h("form", { class: "stack", on: { submit: send } }, h("p", { class: "muted" }, "The replay gets a new signature, made with this world's token."), h("div", { class: "with" }, field("URL", url), field("Method", method)), h("h3", {}, "Parameters"), rows, h("div", {}, button("Add a parameter", () => addRow(), { kind: "small", mark: "plus" })), told.element, h("div", { class: "end" }, button("Close", () => box.close()), button("Send", null, { kind: "first", type: "submit" }))), { kind: "wide" });
}

function tests(data) {
  const kinds = [["pytest", "pytest"], ["node", "node:test"], ["rust", "Rust"]];
  const place = h("div", {});
  const show = (kind, pressed) => {
    for (const each of tabs) each.setAttribute("aria-pressed", String(each === pressed));
    const text = snippets[kind](data);
    fill(place, h("div", { class: "code" }, h("pre", { tabindex: "0", "aria-label": "The test" }, h("code", {}, text)), h("span", { class: "copy" }, copyButton(text, "Copy the test", { kind: "small" }))));
  };
  const tabs = kinds.map(([kind, text]) => h("button", { type: "button", "aria-pressed": "false", on: { click: ({ currentTarget }) => show(kind, currentTarget) } }, text));
  const box = dialog("This request as a test", h("div", { class: "stack" }, h("div", { class: "tabs", role: "group", "aria-label": "Language" }, tabs), place, h("div", { class: "end" }, button("Close", () => box.close()))), { kind: "wide" });
  show("pytest", tabs[0]);
}
