//! The search box of the list: one line of terms, chips that write terms into the line, and an explanation of the terms.

import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { button } from "./ui.js";

/** Typing must pause this long before the list is requested. */
const TYPING_MS = 220;

const IN_PROGRESS = "queued,processing,sending,receiving";
/** The label of each chip, and the term that it writes. */
const CHIPS = [
  ["In", "direction", "inbound"],
  ["Out", "direction", "outbound"],
  ["Failed", "status", "failed"],
  ["Busy", "status", "busy"],
  ["Not answered", "status", "not-answered"],
  ["In progress", "status", IN_PROGRESS],
  ["Callbacks failed", "callbacks", "failed"],
];
/** What the terms mean, each with an example that can be pressed. */
const TERMS = [
  ["+1 555 867 5310", "a number, however it is written"],
  ["34002", "an error code; also part of a SID, or a word of the error"],
  ["from:+1555*", "the sender; to: the receiver, number: either"],
  ["status:failed,busy", "one of these statuses"],
  ["code:34004", "an error code; error: a part of its text"],
  ["callbacks:failed", "the app did not accept a callback"],
  ["pages:>10", "also 3, <5 or 1..5"],
  ["after:5m", "a time ago, or a date; also before:"],
  ["sid:FX12", "a part of the SID"],
  ["-from:Jack", "not this"],
  ['"no answer"', "words that belong together"],
];
/** Parameters that earlier versions had in the page's address; each is now a term of the search. */
const FORMER = ["direction", "status", "number", "text"];

/** The box with its parts: `element`, `chips`, `field`. */
export class SearchBox {
  constructor(params, { changed, leave }) {
    const former = FORMER.filter((name) => params.get(name)).map((name) => `${name}:${quoted(params.get(name))}`);
    this.query = [params.get("q"), ...former].filter(Boolean).join(" ").trim();
    this.changed = changed;
    this.leave = leave;
    this.wait = 0;
    this.field = h("input", {
      type: "search", id: "search", value: this.query, placeholder: "Search: a number, a SID, an error, status:failed, pages:>10 …", "aria-label": "Search", "aria-describedby": "search-fault", autocomplete: "off", autocapitalize: "off", spellcheck: "false",
      on: { input: () => this.typed(), change: () => this.settle(), keydown: (event) => this.key(event) },
    });
    this.fault = h("p", { class: "fault", id: "search-fault", role: "status" });
    const help = h("div", { class: "terms", id: "search-terms", hidden: true }, h("ul", {}, TERMS.map(([term, words]) => h("li", {}, h("button", { type: "button", class: "mono", on: { click: () => this.add(term) } }, term), " ", words))), h("p", { class: "muted small" }, "All terms must match. ", h("kbd", {}, "Enter"), " or ", h("kbd", {}, "↓"), " goes to the first fax."));
    const toggle = button("", () => {
      help.hidden = !help.hidden;
      toggle.setAttribute("aria-expanded", String(!help.hidden));
    }, { kind: "bare icon", mark: "info", label: "What can be searched", "aria-expanded": "false", "aria-controls": help.id });
    this.element = h("form", { class: "search", role: "search", "aria-label": "Search the faxes", on: { submit: (event) => event.preventDefault() } }, h("div", { class: "searchline" }, h("span", { class: "searchbox" }, icon("search"), this.field), toggle), this.fault, help);
    this.buttons = CHIPS.map(([text, key, value]) => button(text, () => this.toggle(key, value), { kind: "small chip", data: { key, value } }));
    this.chips = h("div", { class: "quick", role: "group", "aria-label": "Quick filters" }, this.buttons);
    this.press();
  }

  typed() {
    clearTimeout(this.wait);
    this.wait = setTimeout(() => this.settle(), TYPING_MS);
  }

  /** Searches for the text in the box without delay. */
  settle(typed = true) {
    clearTimeout(this.wait);
    const query = this.field.value.trim();
    if (query === this.query) return null;
    this.query = query;
    this.press();
    return this.changed(typed);
  }

  key(event) {
    if (event.isComposing) return;
    if (event.key === "Escape") {
      // Browsers would clear the box, and with it the search.
      event.preventDefault();
      this.settle();
      this.field.blur();
    } else if (event.key === "Enter" || event.key === "ArrowDown") {
      event.preventDefault();
      Promise.resolve(this.settle()).then(() => this.query === this.field.value.trim() && document.activeElement === this.field && this.leave());
    }
  }

  /** Writes a term into the box, or takes it out. */
  toggle(key, value) {
    const terms = split(this.field.value);
    const at = terms.findIndex((term) => term.toLowerCase().startsWith(`${key}:`));
    const values = at < 0 ? [] : terms[at].slice(key.length + 1).split(",").filter(Boolean);
    const own = value.split(",");
    const has = own.every((each) => values.includes(each));
    const others = values.filter((each) => !own.includes(each));
    // One direction replaces the other; statuses are combined.
    const next = has ? others : key === "status" ? [...others, ...own] : own;
    const term = next.length > 0 ? [`${key}:${next.join(",")}`] : [];
    if (at < 0) terms.push(...term);
    else terms.splice(at, 1, ...term);
    this.field.value = terms.join(" ");
    this.settle(false);
  }

  add(term) {
    this.field.value = `${this.field.value.trim()} ${term}`.trim();
    this.field.focus();
    this.settle(false);
  }

  /** Marks as pressed the chips whose terms are in the search. */
  press() {
    const terms = split(this.query.toLowerCase());
    for (const element of this.buttons) {
      const { key, value } = element.dataset;
      const values = terms.filter((term) => term.startsWith(`${key}:`)).flatMap((term) => term.slice(key.length + 1).split(","));
      element.setAttribute("aria-pressed", String(value.split(",").every((each) => values.includes(each))));
    }
  }

  /** Shows the message about an invalid search; an empty text removes the message. */
  refuse(text) {
    const words = text.replace(/^q: /, "");
    if (words) this.field.setAttribute("aria-invalid", "true");
    else this.field.removeAttribute("aria-invalid");
    if (this.fault.textContent !== words) fill(this.fault, words);
  }

  close() {
    clearTimeout(this.wait);
  }
}

/** The terms of a search; spaces within quotation marks don't separate terms. */
const split = (text) => text.match(/(?:[^\s"]|"[^"]*"?)+/g) ?? [];

const quoted = (text) => {
  const clean = text.replaceAll('"', " ").trim();
  return /^[\w+*.,-]+$/.test(clean) ? clean : `"${clean}"`;
};
