//! The clock of this world, its rules and its snapshots: time and behaviour on purpose.

import { control, controlIfThere } from "./api.js";
import { fill, h, say } from "./dom.js";
import { fullMoment, moment, readSpan, span } from "./format.js";
import { RuleList } from "./rules.js";
import { button, confirm, field, head, once, outcome, problemNote, toast } from "./ui.js";

const STEPS = [["1 min", 60], ["15 min", 900], ["1 hour", 3600], ["2 hours", 7200], ["1 day", 86400], ["180 days", 15552000]];
/** A move answers when the world has settled; webhooks may take their time. */
const PATIENCE_MS = 130_000;
const TIMEOUT_S = 120;
const TICK_MS = 1000;
/** What is due is asked for again at most this often. */
const REFRESH_MS = 500;
const WAITS = { start: "a queued fax starts", dial: "a number is called", redial: "a number is called again", "ring-end": "ringing ends", page: "a page has been transmitted", retention: "an old fax is deleted", retry: "a webhook is retried", delay: "a delayed webhook is sent" };

/** The page. */
export async function page(context) {
  context.title("Clock and rules");
  const clock = new Clock(context);
  const rules = new RuleList(context);
  const snapshots = new Snapshots(context);
  await Promise.all([clock.load(), rules.load(), snapshots.load()]);
  context.onLeave(() => clock.close());
  context.events((events) => {
    clock.refreshSoon();
    if (events.some((event) => event.kind.startsWith("rule."))) rules.refreshSoon();
  });
  return [head("Clock and rules", { lead: "Freeze the clock, jump ahead two hours, or make a line busy on purpose." }), h("div", { class: "pair" }, clock.element, h("div", { class: "stack" }, clock.dueElement, snapshots.element)), rules.element];
}

class Clock {
  constructor(context) {
    this.context = context;
    this.face = h("time", { class: "face" });
    this.day = h("span", { class: "muted" });
    this.mode = h("span", { class: "badge" });
    this.told = outcome();
    this.freeze = button("", once(() => this.setMode(this.clock.mode === "running" ? "frozen" : "running"), this.told.fail), { kind: "first" });
    this.text = h("input", { type: "text", placeholder: "2h", autocomplete: "off", spellcheck: "false" });
    this.moves = STEPS.map(([words, seconds]) => button(`+ ${words}`, once(() => this.advance({ seconds }), this.told.fail), { kind: "small" }));
    const byText = once(() => {
      const seconds = readSpan(this.text.value);
      if (seconds === null || seconds <= 0) throw new Error("Enter a duration such as 2h, 90 min or 1 d 6 h.");
      return this.advance({ seconds });
    }, this.told.fail);
    this.drain = button("Run until idle", once(() => this.move("/clock/drain", {}), this.told.fail), {});
    this.hint = h("p", { class: "muted small" }, "A running clock follows real time. Moving it by hand freezes it first.");
    this.element = h(
      "section",
      { class: "card pad stack clock", "aria-labelledby": "clock" },
      h("div", { class: "row top" }, h("h2", { id: "clock" }, "Clock"), this.mode),
      h("div", {}, this.face, this.day),
      h("div", { class: "row" }, this.freeze),
      h("div", { class: "stack tight" }, h("h3", {}, "Advance"), h("div", { class: "chips bare", role: "group", "aria-label": "Steps" }, this.moves), h("form", { class: "row", on: { submit: byText } }, field("Advance by", this.text, { kind: "grow" }), button("Advance", null, { type: "submit" })), this.drain),
      this.hint,
      this.told.element,
    );
    this.due = h("ol", { class: "due" });
    this.dueElement = h("section", { class: "card pad stack tight", "aria-labelledby": "due" }, h("h2", { id: "due" }, "Due next"), this.due);
    this.ticking = setInterval(() => this.tick(), TICK_MS);
  }

  close() {
    clearInterval(this.ticking);
    clearTimeout(this.timer);
  }

  async load() {
    this.take(await control("GET", "/clock", { signal: this.context.signal }));
  }

  take(clock) {
    this.clock = clock;
    this.takenAt = performance.now();
    const isRunning = clock.mode === "running";
    say(this.mode, clock.mode);
    this.mode.dataset.tone = isRunning ? "good" : "busy";
    say(this.freeze.lastChild, isRunning ? "Freeze" : "Let it run");
    this.tick();
    const shown = (clock.next ?? []).map((each) => [each.at, WAITS[each.kind] ?? each.kind, each.fax_sid]);
    const key = JSON.stringify(shown);
    if (this.dueKey === key) return;
    this.dueKey = key;
    fill(this.due, shown.length ? shown.map(([at_, words, fax]) => h("li", {}, h("time", { datetime: at_, title: fullMoment(at_) }, moment(at_)), h("span", {}, words), fax && h("span", { class: "mono muted small break" }, fax))) : h("li", { class: "muted" }, "Nothing is due."));
  }

  now() {
    const passed = this.clock.mode === "running" ? performance.now() - this.takenAt : 0;
    return new Date(new Date(this.clock.now).getTime() + passed);
  }

  tick() {
    if (!this.clock) return;
    const now = this.now();
    say(this.face, now.toLocaleTimeString("en-GB"));
    say(this.day, now.toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric" }));
    this.face.setAttribute("datetime", now.toISOString());
  }

  async setMode(mode) {
    this.told.clear();
    this.take(await control("PUT", "/clock", { body: { mode } }));
  }

  advance(order) {
    return this.move("/clock/advance", order);
  }

  async move(call, order) {
    this.told.clear();
    if (this.clock.mode === "running") await this.setMode("frozen");
    const answer = await control("POST", call, { body: { ...order, timeout: TIMEOUT_S }, patience: PATIENCE_MS });
    this.take(answer);
    const events = answer.events?.filter((event) => event.kind !== "clock.moved").length ?? 0;
    this.told.good(`${order.seconds ? `Moved by ${span(order.seconds)}.` : "Run until idle."} ${events === 0 ? "Nothing happened." : events === 1 ? "One event happened." : `${events} events happened.`}`);
  }

  refreshSoon() {
    this.timer ??= setTimeout(async () => {
      this.timer = null;
      await this.load().catch(() => {});
    }, REFRESH_MS);
  }
}

class Snapshots {
  constructor(context) {
    this.context = context;
    this.list = h("ul", { class: "snapshots" });
    this.told = outcome();
    this.name = h("input", { type: "text", placeholder: "before-the-test", autocomplete: "off", spellcheck: "false", pattern: "[A-Za-z0-9._\\-]+" });
    const take = once(async () => {
      this.told.clear();
      const name = this.name.value.trim();
      if (!name) throw new Error("Enter a name for the snapshot.");
      await control("PUT", `/snapshots/${encodeURIComponent(name)}`);
      this.name.value = "";
      await this.load();
    }, this.told.fail);
    const reset = once(async () => {
      if (!(await confirm("Reset this world?", "Faxes, numbers and rules return to the configured start, and pending faxes are canceled.", "Reset"))) return;
      const answer = await control("POST", "/reset");
      toast(`Reset: ${answer.removed?.faxes ?? 0} faxes removed, ${answer.canceled?.faxes ?? 0} were pending.`);
    }, this.told.fail);
    this.form = h("form", { class: "row", on: { submit: take } }, field("New snapshot", this.name, { kind: "grow" }), button("Take snapshot", null, { type: "submit" }));
    this.element = h("section", { class: "card pad stack tight", "aria-labelledby": "snapshots" }, h("h2", { id: "snapshots" }, "Snapshots and reset"), this.list, this.form, this.told.element, h("div", {}, button("Reset this world", reset, { kind: "grave", mark: "replay" })));
  }

  async load() {
    const answer = await controlIfThere("GET", "/snapshots", { signal: this.context.signal }).catch((problem) => {
      fill(this.list, h("li", {}, problemNote(problem)));
      return { snapshots: [] };
    });
    this.form.hidden = answer === null;
    const all = answer?.snapshots ?? [];
    fill(this.list, all.map((each) => {
      const name = typeof each === "string" ? each : each.name;
      const restore = once(async () => {
        await control("POST", `/snapshots/${encodeURIComponent(name)}`);
        toast(`The world was restored to ${name}.`);
      }, this.told.fail);
      const drop = once(async () => {
        await control("DELETE", `/snapshots/${encodeURIComponent(name)}`);
        await this.load();
      }, this.told.fail);
      const when = each.taken;
      return h("li", {}, h("strong", { class: "break" }, name), when && h("span", { class: "muted small" }, moment(when)), each.faxes !== undefined && h("span", { class: "muted small" }, `${each.faxes} faxes`), h("span", { class: "acts" }, button("Restore", restore, { kind: "small", "aria-label": `Restore ${name}` }), button("", drop, { kind: "small bare icon", mark: "trash", label: `Delete ${name}` })));
    }));
    if (all.length === 0) fill(this.list, h("li", { class: "muted" }, answer === null ? "This build has no snapshots." : "None yet. Taking or restoring one is instant."));
  }
}
