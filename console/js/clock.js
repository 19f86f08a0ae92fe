//! The clock of this world, its rules and its snapshots.

import { at, control } from "./api.js";
import { fill, h, say } from "./dom.js";
import { fullMoment, moment, readSpan, span } from "./format.js";
import { onClock, setMode, tellClock } from "./frozen.js";
import { RuleList } from "./rules.js";
import { button, confirm, field, head, once, outcome, problemNote, toast } from "./ui.js";

const STEPS = [["1 min", 60], ["15 min", 900], ["1 hour", 3600], ["2 hours", 7200], ["1 day", 86400], ["180 days", 15552000]];
/** The browser's time limit for a clock move, longer than the emulator's: the response comes only once the world has settled. */
const PATIENCE_MS = 130_000;
/** How long the emulator waits for the world to settle, in seconds; webhooks may be slow. */
const TIMEOUT_S = 120;
const TICK_MS = 1000;
/** The clock, with what is due next, is requested again at most this often. */
const REFRESH_MS = 500;

/** The page; at `/console/rules` the rules come first. */
export async function page(context) {
  context.title("Clock and rules");
  const clock = new Clock(context);
  const rules = new RuleList(context);
  const snapshots = new Snapshots(context);
  await Promise.all([clock.load(), rules.load(), snapshots.load()]);
  context.onLeave(() => clock.close());
  context.onLeave(onClock((each) => clock.take(each)));
  context.events((events) => {
    clock.refreshSoon();
    if (events.some((event) => event.kind.startsWith("rule."))) rules.refreshSoon();
  });
  context.whenLive(() => clock.refreshSoon());
  context.shown = () => rules.openFromAddress();
  const parts = [h("div", { class: "pair" }, clock.element, h("div", { class: "stack" }, clock.dueElement, snapshots.element)), rules.element];
  if (location.pathname.endsWith("/rules")) parts.reverse();
  return [head("Clock and rules", { lead: "Move this account's clock, or make things go wrong on purpose." }), parts];
}

class Clock {
  constructor(context) {
    this.context = context;
    this.time = h("span", {});
    this.zone = h("span", { class: "tz" });
    this.face = h("time", { class: "face" }, this.time, " ", this.zone);
    this.day = h("span", { class: "muted" });
    this.mode = h("span", { class: "badge" });
    this.told = outcome();
    this.freeze = button(" ", once(() => this.toggle(), this.told.fail), { kind: "first" });
    this.text = h("input", { type: "text", placeholder: "2h", autocomplete: "off", spellcheck: "false" });
    this.moves = STEPS.map(([words, seconds]) => button(`+ ${words}`, once(() => this.advance(seconds), this.told.fail), { kind: "small" }));
    const byText = once(() => {
      const seconds = readSpan(this.text.value);
      if (seconds === null || seconds <= 0) throw new Error("Enter a duration such as 2h, 90 min or 1 d 6 h.");
      return this.advance(seconds);
    }, this.told.fail);
    this.drain = button("Run until idle", once(() => this.move("/clock/drain", {}, "Ran until idle."), this.told.fail), {});
    this.hint = h("p", { class: "muted small" });
    this.element = h(
      "section",
      { class: "card pad stack clock", "aria-labelledby": "clock" },
      h("div", { class: "row top" }, h("h2", { id: "clock" }, "Clock"), this.mode),
      h("div", {}, this.face, this.day),
      h("div", { class: "row" }, this.freeze),
      h("div", { class: "stack tight" }, h("h3", {}, "Advance"), h("div", { class: "chips bare", role: "group", "aria-label": "Steps" }, this.moves), h("form", { class: "row", on: { submit: byText } }, field("Advance by", this.text, { kind: "grow" }), button("Advance", null, { type: "submit" }), this.drain)),
      this.told.element,
      this.hint,
    );
    this.due = h("ol", { class: "due" });
    this.dueElement = h("section", { class: "card pad stack tight", "aria-labelledby": "due" }, h("h2", { id: "due", tabindex: "-1" }, "Due next"), this.due);
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
    this.mode.dataset.tone = isRunning ? "good" : "wait";
    say(this.freeze.lastChild, isRunning ? "Freeze" : "Run");
    say(this.hint, isRunning ? "The clock follows real time. After an advance it goes on from the new time." : "The clock stands still, so queued faxes wait. An advance moves it, and then it stands still again.");
    this.tick();
    this.showDue((clock.next ?? []).map((each) => [each.at, each.what[0].toUpperCase() + each.what.slice(1), each.fax_sid]));
  }

  showDue(items) {
    const key = JSON.stringify(items);
    if (this.dueKey === key) return;
    this.dueKey = key;
    const hadFocus = this.due.contains(document.activeElement);
    fill(this.due, items.length ? items.map((item) => this.dueItem(...item)) : h("li", { class: "muted" }, "Nothing is due."));
    // The item that had the focus is no longer in the list.
    if (hadFocus) (this.due.querySelector("button") ?? this.dueElement.querySelector("h2")).focus();
  }

  dueItem(when, words, fax) {
    const go = once(() => this.move("/clock/advance", { to: when }, `Moved to ${fullMoment(when)}.`), this.told.fail);
    const name = fax ? h("a", { href: at(`/console/faxes/${fax}`) }, words, h("span", { class: "mono small muted" }, ` ${fax}`)) : h("span", {}, words);
    return h("li", {}, h("time", { datetime: when, title: fullMoment(when) }, moment(when)), h("span", { class: "break" }, name), button("Go there", go, { kind: "small", "aria-label": `Go there: advance to ${fullMoment(when)}` }));
  }

  now() {
    const passed = this.clock.mode === "running" ? performance.now() - this.takenAt : 0;
    return new Date(new Date(this.clock.now).getTime() + passed);
  }

  tick() {
    if (!this.clock) return;
    const now = this.now().toISOString();
    const [, day, time, zone] = /^(.*?),? (\d\d:\d\d:\d\d) (.+)$/.exec(fullMoment(now)) ?? ["", "", fullMoment(now), ""];
    say(this.time, time);
    say(this.zone, zone);
    say(this.day, day);
    this.face.setAttribute("datetime", now);
  }

  toggle() {
    this.told.clear();
    return setMode(this.clock.mode === "running" ? "frozen" : "running");
  }

  advance(seconds) {
    return this.move("/clock/advance", { seconds }, `Moved by ${span(seconds)}.`);
  }

  /** Moves the clock. Only a frozen clock can be moved, so a running one is frozen for the move and then runs again. */
  async move(call, order, words) {
    this.told.clear();
    // The clock may have been changed elsewhere since the page was drawn.
    const wasRunning = (await control("GET", "/clock")).mode === "running";
    if (wasRunning) await control("PUT", "/clock", { body: { mode: "frozen" } });
    let answer;
    try {
      answer = await control("POST", call, { body: { ...order, timeout: TIMEOUT_S }, patience: PATIENCE_MS });
      if (!wasRunning) tellClock(answer);
    } finally {
      if (wasRunning) await setMode("running");
    }
    const events = answer.events?.filter((event) => event.kind !== "clock.moved").length ?? 0;
    const happened = events === 0 ? "Nothing happened." : events === 1 ? "One event happened." : `${events} events happened.`;
    this.told.good(words, " ", happened, wasRunning ? " The clock runs on." : " The clock stands still.");
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
    this.name = h("input", { type: "text", placeholder: "before-the-test", autocomplete: "off", spellcheck: "false", pattern: "[A-Za-z0-9._\\-]+", title: "Letters, digits, dots, hyphens and underscores" });
    const take = once(async () => {
      this.told.clear();
      const name = this.name.value.trim();
      if (!name) throw new Error("Enter a name for the snapshot.");
      await control("PUT", `/snapshots/${encodeURIComponent(name)}`);
      this.name.value = "";
      await this.load();
    }, this.told.fail);
    const reset = once(async () => {
      if (!(await confirm("Reset this world?", "Numbers and rules return to the configured start. All faxes are removed, and pending ones are canceled.", "Reset"))) return;
      const answer = await control("POST", "/reset");
      toast(`Reset: ${answer.removed?.faxes ?? 0} faxes removed, ${answer.canceled?.faxes ?? 0} were pending.`);
    }, this.told.fail);
    this.form = h("form", { class: "row", on: { submit: take } }, field("New snapshot", this.name, { kind: "grow" }), button("Take snapshot", null, { type: "submit" }));
    this.element = h("section", { class: "card pad stack tight", "aria-labelledby": "snapshots" }, h("h2", { id: "snapshots" }, "Snapshots and reset"), this.list, this.form, this.told.element, h("div", {}, button("Reset this world", reset, { kind: "grave", mark: "replay" })));
  }

  async load() {
    let all;
    try {
      all = (await control("GET", "/snapshots", { signal: this.context.signal })).snapshots;
    } catch (problem) {
      fill(this.list, h("li", {}, problemNote(problem)));
      return;
    }
    fill(this.list, all.map(({ name, taken, faxes }) => {
      const restore = once(async () => {
        await control("POST", `/snapshots/${encodeURIComponent(name)}`);
        toast(`The world was restored to ${name}.`);
      }, this.told.fail);
      const drop = once(async () => {
        await control("DELETE", `/snapshots/${encodeURIComponent(name)}`);
        await this.load();
      }, this.told.fail);
      return h("li", {}, h("strong", { class: "break" }, name), h("span", { class: "muted small" }, moment(taken)), h("span", { class: "muted small" }, `${faxes} faxes`), h("span", { class: "acts" }, button("Restore", restore, { kind: "small", "aria-label": `Restore ${name}` }), button("", drop, { kind: "small bare icon", mark: "trash", label: `Delete ${name}` })));
    }));
    if (all.length === 0) fill(this.list, h("li", { class: "muted" }, "None yet. Taking or restoring one is instant."));
  }
}
