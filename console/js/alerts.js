//! The alerts of this world, grouped by error code, level and URL: what went wrong, how often, why, and what to do.

import { at, control, world } from "./api.js";
import { fill, freshId, h, say } from "./dom.js";
import { count, moment } from "./format.js";
import { icon } from "./icons.js";
import { service } from "./service.js";
import { button, head, time } from "./ui.js";
import { visitAlerts } from "./unseen.js";

/** The maximum number of groups; beyond it, the group whose last alert is the oldest is dropped. */
const GROUPS_MAX = 200;
/** The maximum number of alerts of one group that are listed. */
const LISTED_MAX = 50;
/** The maximum number of events that are requested in one call. */
const EVENTS_MAX = 10_000;
/** The maximum number of alerts of one group that are kept; earlier ones are only counted. */
const KEPT_MAX = 1000;
/** Alerts that arrive within this many milliseconds are drawn together. */
const DRAW_MS = 150;

/** The page. */
export async function page(context) {
  context.title("Alerts");
  await world();
  const [before, leave] = await visitAlerts();
  context.onLeave(leave);
  const board = new Board(context, before);
  const early = [];
  let ready = false;
  context.events((events) => (ready ? board.add(events) : early.push(...events)));
  const ask = async () => board.add((await control("GET", "/events", { query: { kind: "alert", since: board.last, limit: EVENTS_MAX }, signal: context.signal })).events);
  await ask();
  ready = true;
  board.add(early);
  board.draw();
  context.whenLive(() => ask().catch(() => {}));
  context.onLeave(() => clearTimeout(board.timer));
  context.keys = [["/", "Filter the alerts", () => board.field.focus()]];
  return [head("Alerts", { lead: service.debugger }), board.bar, board.empty, board.list];
}

class Board {
  constructor(context, before) {
    this.context = context;
    this.before = before;
    // The first response begins at the last reset or restore: earlier alerts may be about faxes that are gone.
    this.last = null;
    this.groups = new Map();
    this.only = "";
    this.list = h("ol", { class: "alerts card" });
    this.empty = h("div", { class: "card empty" });
    this.field = h("input", { type: "search", id: "alert-filter", "aria-label": "Filter the alerts", placeholder: "Code, URL or text", autocomplete: "off", spellcheck: "false", on: { input: () => this.draw() } });
    this.chips = [["All", ""], ["Errors", "error"], ["Warnings", "warning"], ["New", "new"]].map(([text, value]) => button(text, () => this.choose(value), { "aria-pressed": String(value === ""), data: { value } }));
    for (const chip of this.chips) chip.className = "";
    this.tally = h("span", { class: "muted small", role: "status" });
    this.mark = button("Mark as seen", () => this.markSeen(), { kind: "small", mark: "check" });
    this.bar = h("div", { class: "alertbar" }, h("div", { class: "segments", role: "group", "aria-label": "Which alerts" }, this.chips), h("span", { class: "searchbox" }, icon("search"), this.field), h("span", { class: "totals" }, this.tally, this.mark));
  }

  add(events) {
    for (const event of events) {
      if (event.kind !== "alert" || event.seq <= (this.last ?? 0)) continue;
      this.last = event.seq;
      const key = `${event.data.code} ${event.data.level} ${event.data.request_url ?? ""}`;
      const group = this.groups.get(key) ?? new Group(event);
      // The group moves to the end, so that the groups are in the order of their last alerts.
      this.groups.delete(key);
      this.groups.set(key, group);
      group.add(event);
      if (this.groups.size > GROUPS_MAX) this.groups.delete(this.groups.keys().next().value);
    }
    this.timer ||= setTimeout(() => {
      this.timer = 0;
      this.draw();
    }, DRAW_MS);
  }

  choose(value) {
    this.only = value;
    for (const chip of this.chips) chip.setAttribute("aria-pressed", String(chip.dataset.value === value));
    this.draw();
  }

  markSeen() {
    this.before = this.last ?? this.before;
    this.context.announce("All alerts are marked as seen");
    this.draw();
  }

  draw() {
    const text = this.field.value.trim().toLowerCase();
    const groups = [...this.groups.values()].reverse();
    const shown = groups.filter((group) => group.fits(text, this.only, this.before));
    const news = groups.reduce((sum, group) => sum + group.news(this.before), 0);
    const all = groups.reduce((sum, group) => sum + group.n, 0);
    const elements = shown.map((group) => group.draw(this.before));
    if (elements.length !== this.list.children.length || elements.some((element, i) => element !== this.list.children[i])) fill(this.list, elements);
    this.list.hidden = shown.length === 0;
    this.empty.hidden = shown.length > 0;
    this.bar.hidden = all === 0;
    const words = all === 0 ? "none" : "no match";
    if (!this.empty.hidden && this.empty.dataset.words !== words) {
      this.empty.dataset.words = words;
      fill(this.empty, all === 0 ? [icon("check"), h("h2", {}, "No alerts"), h("p", {}, `Failed webhooks, unreadable documents and invalid ${service.markup} are listed here with ${service.name}'s error codes.`)] : [icon("search"), h("h2", {}, "No matching alert")]);
    }
    say(this.tally, `${count(all, "alert")}${news > 0 ? `, ${news.toLocaleString("en")} new` : ""}`);
    this.mark.hidden = news === 0;
  }
}

/** All alerts with the same code and level about the same URL. */
class Group {
  constructor(event) {
    const { code, level, request_url: url } = event.data;
    this.level = level;
    this.words = `${code} ${url ?? ""}`.toLowerCase();
    this.events = [];
    this.n = 0;
    this.times = h("span", { class: "times" });
    this.fresh = h("span", { class: "tag strong", hidden: true }, "new");
    this.message = h("strong", { class: "message break" });
    this.advice = h("p", { class: "small" });
    this.when = h("span", { class: "when muted small" });
    this.links = h("span", { class: "links small" });
    this.each = h("ul", { class: "each small", id: freshId("each"), hidden: true });
    this.whole = h("button", { type: "button", class: "plainlink", "aria-expanded": "false", "aria-controls": this.each.id, on: { click: () => this.unfold() } });
    this.element = h(
      "li",
      { class: "alertgroup", data: { level } },
      h("div", { class: "top" }, h("span", { class: "badge", data: { tone: level === "warning" ? "odd" : "bad" } }, level), h("strong", { class: "mono" }, String(code)), this.message, this.fresh, this.times, this.when),
      h("div", { class: "about" }, url ? h("p", { class: "mono small break muted" }, url) : this.advice, this.links),
      url && this.advice,
      this.each,
    );
  }

  add(event) {
    this.events.push(event);
    this.first ??= event.at;
    this.n += 1;
    if (this.events.length > KEPT_MAX) this.events.shift();
    const message = event.data.message.toLowerCase();
    if (!this.words.includes(message)) this.words += ` ${message}`;
    this.isStale = true;
  }

  news(before) {
    return this.events.filter((event) => event.seq > before).length;
  }

  fits(text, only, before) {
    if (only === "new" && this.news(before) === 0) return false;
    if ((only === "error" || only === "warning") && this.level !== only) return false;
    return text.split(/\s+/).every((word) => this.words.includes(word));
  }

  draw(before) {
    const news = this.news(before);
    this.fresh.hidden = news === 0;
    say(this.fresh, news > 1 && news < this.n ? `${news.toLocaleString("en")} new` : "new");
    if (!this.isStale) return this.element;
    this.isStale = false;
    const last = this.events.at(-1);
    const { code, message, cause, advice } = last.data;
    const { n } = this;
    say(this.message, message);
    say(this.times, n > 1 ? `${n.toLocaleString("en")} ×` : "");
    this.times.title = n > 1 ? `${n.toLocaleString("en")} times since ${moment(this.first)}` : "";
    fill(this.when, time(last.at));
    fill(this.advice, cause, advice && [" ", h("strong", {}, advice)]);
    fill(this.links, n > 1 && this.whole, last.fax_sid && h("a", { href: conversation(last) }, n > 1 ? "The last conversation" : "The conversation"), h("a", { href: service.aboutCode(code), rel: "noreferrer", target: "_blank" }, `${service.name} on ${code}`));
    say(this.whole, `All ${n.toLocaleString("en")}`);
    if (!this.each.hidden) this.listEach();
    return this.element;
  }

  unfold() {
    this.each.hidden = !this.each.hidden;
    this.whole.setAttribute("aria-expanded", String(!this.each.hidden));
    if (!this.each.hidden) this.listEach();
  }

  listEach() {
    const shown = this.events.slice(-LISTED_MAX).reverse();
    fill(this.each, shown.map((event) => h("li", {}, time(event.at), event.fax_sid ? h("a", { href: conversation(event), class: "mono break" }, event.fax_sid) : h("span", { class: "muted" }, "no fax"), h("span", { class: "break" }, event.data.message))), this.n > shown.length && h("li", { class: "muted" }, `and ${count(this.n - shown.length, "older alert")}`));
  }
}

const conversation = (event) => at(`/console/faxes/${event.fax_sid}`);
