//! The rules of this world as sentences, each with a switch, and the form that makes or changes one.

import { at, control } from "./api.js";
import { fill, h, say } from "./dom.js";
import { icon } from "./icons.js";
import { acted, sentence } from "./sentence.js";
import { service } from "./service.js";
import { button, code, dialog, field, note, once, outcome, problemNote, select } from "./ui.js";

const REFRESH_MS = 500;

/** Rules to begin with: a name and the rule. */
const templates = () => [
  ["Busy line", { outcome: { status: "busy" } }],
  ["No answer", { outcome: { status: "no-answer" } }],
  ["Call breaks after page 1", { outcome: { status: "failed", code: 34004, after_pages: 1 } }],
  ["Slow, noisy line", { line: { rate_bps: 2400, noise: 0.05 } }],
  ["Wrong signature", { webhook: { signature: "bad" } }],
  ["Duplicate callbacks", { match: { purpose: "status-callback" }, webhook: { duplicate: true } }],
  ["Late callbacks", { match: { purpose: "status-callback" }, webhook: { delay_ms: 10000 } }],
  ["Callbacks out of order", { match: { purpose: "status-callback" }, webhook: { reorder: true } }],
  ["Unknown parameter", { webhook: { params: { set: { NewParameter: "1" } } } }],
  ["Lost callbacks", { match: { purpose: "status-callback" }, webhook: { drop: true } }],
  ["Too many requests (429)", { match: { path: faxPath() }, times: 3, api: { status: 429 } }],
  ["Slow API", { match: { path: faxPath() }, api: { delay_ms: 3000 } }],
  ["Connection reset", { match: { path: faxPath() }, times: 1, api: { reset: true } }],
  ["Download breaks off", { times: 1, media: { cut_after_bytes: 1000 } }],
];
const faxPath = () => (service.isSignalWire ? "*/Faxes*" : "/v1/Faxes*");

const CODES = () => [["34004", "34004, transmission error"], ...(service.isSignalWire ? [] : [["34108", "34108, incompatible machine"]])];

/**
 * The effects of rules with their fields: name, label and input. Some fields also have the value that the first field must have
 * for them to be shown.
 */
const EFFECTS = {
  outcome: {
    words: "Decides how a fax ends",
    fields: () => [
      ["status", "The fax ends as", select(["busy", "no-answer", "failed", "delivered", "received"].map((each) => [each, each]), "busy")],
      ["code", "Error code", select(CODES(), "34004"), "failed"],
      ["after_pages", "Pages before the failure", number({ max: 500, placeholder: "0" }), "failed"],
      ["message", "Error message", text("the code's own"), "failed"],
    ],
  },
  line: { words: "Makes the line bad", fields: () => [["rate_bps", "Bits per second", number({ min: 2400, max: 33600, placeholder: "as usual" })], ["noise", "Damaged rows, from 0 to 1", number({ step: "any", max: 1, placeholder: "none" })]] },
  webhook: { words: "Spoils requests to your app", fields: () => [["delay_ms", "Delay in ms", number({ placeholder: "0" })], ["signature", "Signature", select([["", "valid"], ["bad", "wrong"], ["missing", "missing"], ["stale", "of an earlier request"], ["other-token", "made with another token"], ["tampered", "made before a parameter is changed"]], "")], ["duplicate", "Send twice", box()], ["late", "Send the second after the next request", box()], ["reorder", "Send out of order", box()], ["drop", "Don't send", box()], ["signed_url", "Signed for the URL", text("the one that is requested")], ["params", "Parameters to change, as JSON", json('{"set":{"NumPages":"0"},"remove":["From"]}')], ["headers", "Headers to change, as JSON", json('{"set":{"X-Forwarded-Proto":"https"}}')]] },
  api: { words: "Spoils API responses", fields: () => [["status", "HTTP status", number({ min: 400, max: 599, placeholder: "as usual" })], ["code", `${service.name} code`, number({ min: 1, placeholder: "the usual one" })], ["delay_ms", "Delay in ms", number({ placeholder: "0" })], ["reset", "Reset the connection", box()]] },
  media: { words: "Spoils downloads of faxes", fields: () => [["delay_ms", "Delay in ms", number({ placeholder: "0" })], ["bytes_per_second", "Bytes per second", number({ min: 10, placeholder: "as usual" })], ["cut_after_bytes", "Breaks off after this many bytes", number({ placeholder: "never" })], ["redirects", "Redirects", number({ max: 10, placeholder: "0" })], ["status", "HTTP status", number({ min: 400, max: 599, placeholder: "as usual" })]] },
};

const OF_FAXES = ["outcome", "line", "webhook", "media"];
const MATCHES = [
  ["direction", "Direction", () => select([["", "any"], ["outbound", "outgoing"], ["inbound", "incoming"]], ""), OF_FAXES],
  ["to", "To", () => text("any, such as +1555*"), OF_FAXES],
  ["from", "From", () => text("any"), OF_FAXES],
  ["pages", "Pages", () => h("input", { type: "text", placeholder: "any, such as 3 or 2-5", pattern: "\\d*(-\\d*)?", title: "A number such as 3, or a range such as 2-5 or 10-", autocomplete: "off" }), ["outcome", "line", "media"]],
  ["method", "Method", () => select(["", "GET", "HEAD", "POST", "DELETE"].map((each) => [each, each || "any"]), ""), ["api", "media"]],
  ["path", "Path", () => text(`any, such as ${faxPath()}`), ["api", "media"]],
  ["purpose", "Request", () => select([["", "any"], ["fax-url", "fax URL"], ["fallback-url", "fallback URL"], ["action", "action"], ["status-callback", "status callback"]], ""), ["webhook"]],
  ["url", "URL", () => text("any"), ["webhook"]],
];
const COUNTS = [["after", "Skip the first", { placeholder: "0" }], ["times", "At most", { placeholder: "no limit", min: 1 }], ["chance", "Probability", { placeholder: "1", step: "any", max: 1 }]];

function number(props = {}) {
  return h("input", { type: "number", min: 0, inputmode: "decimal", ...props });
}
function text(placeholder) {
  return h("input", { type: "text", placeholder, autocomplete: "off", spellcheck: "false" });
}
function json(placeholder) {
  return h("textarea", { class: "mono", rows: 2, placeholder, autocomplete: "off", spellcheck: "false" });
}
function box() {
  return h("input", { type: "checkbox" });
}

/** The section with the list and the templates. */
export class RuleList {
  constructor(context) {
    this.context = context;
    this.list = h("ul", { class: "rules" });
    this.told = outcome();
    this.make = h("div", { class: "chips bare", role: "group", "aria-label": "New rule" }, button("New rule", () => this.open({ outcome: { status: "busy" } }), { kind: "first small", mark: "plus" }), templates().map(([name, rule]) => button(name, () => this.open(rule), { kind: "small" })));
    this.heading = h("h2", { id: "rules", tabindex: "-1" }, "Rules");
    this.element = h("section", { class: "card pad stack", "aria-labelledby": "rules" }, this.heading, h("p", { class: "muted small" }, "A rule makes something go wrong on purpose. Of the rules of one kind, the first that matches acts."), this.list, this.told.element, this.make);
  }

  async load() {
    try {
      this.show(await control("GET", "/rules", { signal: this.context.signal }));
    } catch (problem) {
      fill(this.list, h("li", {}, problemNote(problem)));
    }
  }

  refreshSoon() {
    this.timer ??= setTimeout(async () => {
      this.timer = null;
      await this.load();
    }, REFRESH_MS);
  }

  show({ rules }) {
    const key = JSON.stringify(rules);
    if (this.key === key) return;
    this.key = key;
    // The list is rebuilt, so the focus moves to the same button of the new list.
    const focused = document.activeElement?.dataset.key;
    fill(this.list, rules.length ? rules.map((rule) => this.row(rule)) : h("li", { class: "muted" }, "No rules: everything behaves as usual."));
    if (focused) (this.list.querySelector(`[data-key="${focused}"]`) ?? this.heading).focus();
  }

  row(rule) {
    const { id, times, fired, enabled = true } = rule;
    const path = `/rules/${id}`;
    const words = sentence(rule);
    const change = (act) => once(async () => {
      this.told.clear();
      await act();
      await this.load();
    }, this.told.fail);
    const toggle = h("button", { type: "button", class: "switch", role: "switch", "aria-checked": String(enabled), "aria-label": `Rule ${id} is on`, data: { key: `switch-${id}` }, on: { click: change(() => control("POST", path, { body: { enabled: !enabled } })) } });
    const edit = button("", () => this.open(rule, id), { kind: "small bare icon", mark: "pen", label: `Edit rule ${id}`, data: { key: `edit-${id}` } });
    const drop = button("", change(() => control("DELETE", path)), { kind: "small bare icon", mark: "trash", label: `Remove rule ${id}`, data: { key: `drop-${id}` } });
    const state = !enabled ? "off" : times && fired >= times ? "used up" : null;
    return h(
      "li",
      { class: enabled ? null : "off" },
      toggle,
      h("div", { class: "break" }, h("span", { class: "mono small muted" }, `${id} `), h("span", { class: "sentence" }, words), h("span", { class: "muted" }, `; ${acted(rule)} `), state && h("span", { class: "tag" }, state), rule.warning && h("div", { class: "warning small" }, icon("alert"), h("span", {}, warned(rule.warning)))),
      h("span", { class: "acts" }, edit, drop),
    );
  }

  /** Opens the form for a new rule, or for the one with this id. */
  open(rule, id = null) {
    const form = new RuleForm(rule);
    const told = outcome();
    const save = once(async () => {
      told.clear();
      const kept = rule.enabled === false ? { enabled: false } : {};
      const saved = await control("POST", id === null ? "/rules" : `/rules/${id}`, { body: { ...form.rule(), ...kept } });
      box_.close();
      const words = `Rule ${saved.id} ${id === null ? `is ${saved.enabled === false ? "off" : "active"}` : "has been changed"}.`;
      if (saved.warning) fill(this.told.element, h("div", { role: "status" }, note("odd", words, " ", warned(saved.warning))));
      else this.told.good(words);
      await this.load();
    }, told.fail);
    const end = h("div", { class: "end" }, button("Cancel", () => box_.close()), button(id === null ? "Add the rule" : "Save", null, { kind: "first", type: "submit" }));
    form.element.addEventListener("submit", save);
    form.element.append(told.element, end);
    const box_ = dialog(id === null ? "New rule" : `Rule ${id}`, form.element, { kind: "wide" });
    form.first().focus();
  }

  /** Opens the form that the address asks for: `?rule={…}`, as links on a fax's page do. */
  openFromAddress() {
    const wanted = this.context.query.get("rule");
    if (!wanted) return;
    // The rule is taken out of the address, so that a reload doesn't open the form again.
    history.replaceState(history.state, "", at("/console/rules"));
    try {
      const rule = JSON.parse(wanted);
      if (!KINDS.some((kind) => rule[kind])) throw new SyntaxError(`it has none of ${KINDS.join(", ")}`);
      this.open(rule);
    } catch (problem) {
      this.told.fail(new Error(`The rule in the address can't be read: ${problem.message}.`));
    }
  }
}

const KINDS = Object.keys(EFFECTS);

/** The emulator's warning as a sentence of its own. */
function warned(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** The fields of a rule, its sentence, and its JSON. */
class RuleForm {
  constructor(rule) {
    this.kind = select(KINDS.map((name) => [name, EFFECTS[name].words]), KINDS.find((kind) => rule[kind]), { on: { change: () => this.build({ match: this.values(this.matchFields) }) } });
    this.matches = h("div", { class: "fields" });
    this.effects = h("div", { class: "fields" });
    this.counts = COUNTS.map(([name, words, props]) => [name, words, number(props)]);
    this.words = h("p", { class: "sentence", role: "status" });
    this.json = h("div", {});
    const group = (words, ...content) => h("fieldset", { class: "group" }, h("legend", {}, words), content);
    this.element = h(
      "form",
      { class: "stack", on: { input: () => this.tell() } },
      this.words,
      field("What the rule does", this.kind),
      group("What happens", this.effects),
      group("Applies to", this.matches),
      group("How often", h("div", { class: "fields" }, rows(this.counts))),
      h("details", { class: "more" }, h("summary", {}, "As JSON"), this.json),
    );
    put(this.counts, rule);
    this.build(rule);
  }

  /** Builds the fields of the chosen effect, with the values of a rule. */
  build(rule) {
    const kind = this.kind.value;
    this.matchFields = MATCHES.filter(([, , , kinds]) => kinds.includes(kind)).map(([name, words, make]) => [name, words, make()]);
    this.effectFields = EFFECTS[kind].fields();
    put(this.matchFields, rule.match ?? {});
    put(this.effectFields, rule[kind] ?? {});
    fill(this.matches, rows(this.matchFields));
    fill(this.effects, rows(this.effectFields));
    this.tell();
  }

  first() {
    return this.matchFields.find(([name]) => name === "to" || name === "url" || name === "path")[2];
  }

  /** The fields' values, without those of hidden fields. */
  values(fields) {
    const wanted = fields.filter((each) => isNeeded(each, fields));
    return Object.fromEntries(wanted.map(([name, , input]) => [name, valueOf(name, input)]).filter(([, value]) => value !== null));
  }

  rule() {
    return { match: this.values(this.matchFields), [this.kind.value]: this.values(this.effectFields), ...this.values(this.counts) };
  }

  tell() {
    for (const each of this.effectFields) each[2].closest(".field").hidden = !isNeeded(each, this.effectFields);
    const rule = this.rule();
    say(this.words, `${sentence(rule)}.`);
    fill(this.json, code(JSON.stringify(rule, null, 2), "The rule as JSON"));
  }
}

const isNeeded = ([, , , only], fields) => !only || fields[0][2].value === only;

/** The fields with their labels. */
function rows(fields) {
  return fields.map(([, words, input]) => (input.type === "checkbox" ? h("div", { class: "field" }, h("label", { class: "check" }, input, words)) : field(words, input)));
}

/** Puts a rule's values into the fields. */
function put(fields, values) {
  for (const [name, , input] of fields) {
    const value = values[name];
    if (value === undefined || value === null) continue;
    if (input.type === "checkbox") input.checked = value;
    else if (name === "pages" && typeof value === "object") input.value = `${value.min ?? 1}-${value.max ?? ""}`;
    else input.value = typeof value === "object" ? JSON.stringify(value) : String(value);
  }
}

function valueOf(name, input) {
  if (input.type === "checkbox") return input.checked ? true : null;
  const value = input.value.trim();
  if (input.tagName === "TEXTAREA") return parsed(input, value);
  if (value === "") return null;
  if (name === "pages") {
    const [min, max] = value.split("-");
    return max === undefined ? Number(value) : { ...(min && { min: Number(min) }), ...(max && { max: Number(max) }) };
  }
  return input.type === "number" || name === "code" ? Number(value) : value;
}

/** The JSON in an input. If it can't be read, the input is invalid, so the form can't be saved. */
function parsed(input, value) {
  input.setCustomValidity("");
  if (value === "") return null;
  try {
    return JSON.parse(value);
  } catch (problem) {
    input.setCustomValidity(`This isn't JSON: ${problem.message}`);
    return null;
  }
}
