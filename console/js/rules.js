//! The rules of this world: behaviour on purpose, by a form and the JSON that it makes.

import { control, controlIfThere } from "./api.js";
import { fill, h } from "./dom.js";
import { service } from "./service.js";
import { button, code, field, once, outcome, problemNote, select } from "./ui.js";

const REFRESH_MS = 500;

/** What a rule may do, and the fields each needs. */
const EFFECTS = {
  outcome: {
    words: "A fax ends as",
    fields: () => [
      ["status", "Status", select([["busy", "busy"], ["no-answer", "no-answer"], ["failed", "failed"], ["delivered", "delivered"], ["received", "received"]], "busy")],
      ["code", "Error code, if failed", select([["", "none"], ["34004", "34004, transmission broke"], ["34108", "34108, incompatible machine"]], "")],
      ["after_pages", "After pages", number()],
    ],
  },
  line: { words: "The line is bad", fields: () => [["rate_bps", "Bits per second", select([["", "as usual"], ["14400", "14400"], ["9600", "9600"], ["4800", "4800"], ["2400", "2400"]], "2400")], ["noise", "Noise, fraction of rows", number({ step: "0.01", max: 1 })]] },
  api: { words: "The API responds", fields: () => [["status", "HTTP status", number({ value: 503 })], ["code", `${service.name} code`, number()], ["delay_ms", "Delay in ms", number()], ["reset", "Reset the connection", box()]] },
  webhook: { words: "A webhook misbehaves", fields: () => [["delay_ms", "Delay in ms", number()], ["duplicate", "Send twice", box()], ["reorder", "Send out of order", box()], ["drop", "Don't send", box()], ["signature", "Signature", select([["", "valid"], ["bad", "bad"], ["missing", "missing"], ["stale", "stale"]], "")]] },
};

const MATCHES = [
  ["direction", "Direction", () => select([["", "any"], ["outbound", "outbound"], ["inbound", "inbound"]], ""), ["outcome", "line", "webhook"]],
  ["to", "To", () => text("+1555*"), ["outcome", "line", "webhook"]],
  ["from", "From", () => text("any"), ["outcome", "line", "webhook"]],
  ["path", "Path", () => text(service.isSignalWire ? "*/Faxes*" : "/v1/Faxes*"), ["api"]],
  ["purpose", "Purpose", () => select([["", "any"], ["fax-url", "fax-url"], ["fallback-url", "fallback-url"], ["action", "action"], ["status-callback", "status-callback"]], ""), ["webhook"]],
  ["url", "URL", () => text("any"), ["webhook"]],
];

function number(props = {}) {
  return h("input", { type: "number", min: 0, inputmode: "decimal", ...props });
}
function text(placeholder) {
  return h("input", { type: "text", placeholder, autocomplete: "off", spellcheck: "false" });
}
function box() {
  return h("input", { type: "checkbox" });
}

/** The section with the list and the form. */
export class RuleList {
  constructor(context) {
    this.context = context;
    this.list = h("ul", { class: "rules" });
    this.told = outcome();
    this.json = h("div", {});
    this.kind = select(Object.entries(EFFECTS).map(([name, { words }]) => [name, words]), "outcome", { on: { change: () => this.build() } });
    this.matches = h("div", { class: "fields" });
    this.effects = h("div", { class: "fields" });
    this.after = number({ placeholder: "0" });
    this.times = number({ placeholder: "always", min: 1 });
    this.chance = number({ placeholder: "1", step: "0.05", max: 1 });
    const add = once(async () => {
      this.told.clear();
      const added = await control("POST", "/rules", { body: this.rule() });
      await this.refresh();
      this.told.good("The rule is active.", added.warning ? ` Warning: ${added.warning}.` : "");
    }, this.told.fail);
    this.form = h(
      "form",
      { class: "stack", on: { submit: add, input: () => this.tell() } },
      h("div", { class: "fields" }, field("Effect", this.kind)),
      h("fieldset", { class: "stack tight" }, h("legend", {}, "Where"), this.matches),
      h("fieldset", { class: "stack tight" }, h("legend", {}, "What happens"), this.effects),
      h("fieldset", { class: "stack tight" }, h("legend", {}, "How often"), h("div", { class: "fields" }, field("Skip the first", this.after), field("At most", this.times), field("Chance", this.chance, { hint: "0 to 1, drawn from this world's seed" }))),
      this.json,
      this.told.element,
      h("div", {}, button("Add the rule", null, { kind: "first", type: "submit" })),
    );
    this.element = h("section", { class: "card pad stack", "aria-labelledby": "rules" }, h("h2", { id: "rules" }, "Rules"), this.list, h("details", { class: "more" }, h("summary", {}, "New rule"), this.form));
    this.build();
  }

  build() {
    const kind = this.kind.value;
    this.matchFields = MATCHES.filter(([, , , kinds]) => kinds.includes(kind)).map(([name, words, make]) => [name, words, make()]);
    this.effectFields = EFFECTS[kind].fields();
    const rows = (fields) => fields.map(([, words, input]) => (input.type === "checkbox" ? h("div", { class: "field" }, h("span", { class: "label" }, words), h("label", { class: "check" }, input, "Yes", h("span", { class: "unseen" }, `, ${words}`))) : field(words, input)));
    fill(this.matches, rows(this.matchFields));
    fill(this.effects, rows(this.effectFields));
    this.tell();
  }

  rule() {
    const values = (fields) => Object.fromEntries(fields.map(([name, , input]) => [name, valueOf(name, input)]).filter(([, value]) => value !== null));
    const rule = { match: values(this.matchFields), [this.kind.value]: values(this.effectFields) };
    for (const [name, input] of [["after", this.after], ["times", this.times], ["chance", this.chance]]) if (input.value !== "") rule[name] = Number(input.value);
    return rule;
  }

  tell() {
    fill(this.json, code(JSON.stringify(this.rule(), null, 2), "The rule as JSON"));
  }

  async load() {
    try {
      this.show(await controlIfThere("GET", "/rules", { signal: this.context.signal }));
    } catch (problem) {
      fill(this.list, h("li", {}, problemNote(problem)));
    }
  }

  refresh() {
    return this.load();
  }

  refreshSoon() {
    this.timer ??= setTimeout(async () => {
      this.timer = null;
      await this.refresh();
    }, REFRESH_MS);
  }

  show(answer) {
    const rules = answer?.rules ?? [];
    this.form.parentNode.hidden = answer === null;
    if (rules.length === 0) {
      fill(this.list, h("li", { class: "muted" }, answer === null ? "This build has no rules." : "No rules: numbers behave as usual."));
      return;
    }
    fill(this.list, rules.map((rule) => {
      const { id, fired, matched, ...own } = rule;
      const drop = once(async () => {
        await control("DELETE", `/rules/${encodeURIComponent(id)}`);
        await this.refresh();
      }, this.told.fail);
      return h("li", {}, h("div", { class: "row top" }, h("strong", {}, `Rule ${id}`), h("span", { class: "tag" }, `matched ${matched}, fired ${fired}`), h("span", { class: "acts" }, button("", drop, { kind: "small bare icon", mark: "trash", label: `Remove rule ${id}` }))), h("pre", { class: "json" }, JSON.stringify(own, null, 2)));
    }));
  }
}

function valueOf(name, input) {
  if (input.type === "checkbox") return input.checked ? true : null;
  const value = input.value.trim();
  if (value === "") return null;
  return input.type === "number" || name === "code" || name === "rate_bps" ? Number(value) : value;
}
