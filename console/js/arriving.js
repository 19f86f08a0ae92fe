//! The progress of a fax: the current phase of the call, the bit rate, and how much of the current page has arrived.
//! The animations are the browser's own and run without scripts; this file only sets where they start and end, and how long they take.

import { control } from "./api.js";
import { fill, h, say } from "./dom.js";
import { stamp } from "./format.js";
import { button, once } from "./ui.js";

const ENDED = "ended";
/** The phases of a call, in order, each with the steps of the fax and the parts of a page's transmission that belong to it. */
const PHASES = [
  ["Ring", ["ringing", "redial", "asking", "rendering"]],
  ["Handshake", ["handshake", "training"]],
  ["Page", ["picture"]],
  ["Confirmation", ["confirmation", "release"]],
];

const reduced = matchMedia("(prefers-reduced-motion: reduce)");

/** The strip that says what the fax is doing or waiting for, and how far the page on the line has come. */
export class Arriving {
  constructor() {
    this.covers = [];
    this.phases = PHASES.map(([name]) => h("li", {}, name));
    this.words = h("p", { role: "status" });
    this.rate = h("p", { class: "rate mono" });
    this.acts = h("div", { class: "acts" });
    this.element = h("section", { class: "online card", "aria-label": "Progress", hidden: true }, h("ol", { class: "phases", "aria-hidden": "true" }, this.phases), this.words, this.rate, this.acts);
  }

  /** Shows the fax's progress, or hides the strip if the fax has ended and so has no progress. */
  show(progress) {
    clearTimeout(this.timer);
    this.progress = progress;
    this.heard = performance.now();
    this.element.hidden = !progress;
    if (!progress) {
      this.uncover();
      return;
    }
    this.isFrozen = progress.clock === "frozen";
    this.element.classList.toggle("frozen", this.isFrozen);
    say(this.words, this.sentence());
    say(this.rate, progress.page ? `${progress.rate_bps.toLocaleString("en")} bit/s · ${progress.coding}` : "");
    this.showActs();
    this.showPhase();
    this.cover();
  }

  /** The page that is on the line, or 0. */
  get page() {
    return this.progress?.page ?? 0;
  }

  /** The time by the emulator's clock, in milliseconds. */
  now() {
    const told = Date.parse(this.progress.now);
    return this.isFrozen ? told : told + performance.now() - this.heard;
  }

  sentence() {
    const { step, page, pages, call, ends_at: ends } = this.progress;
    const at = ends ? ` at ${stamp(ends).slice(0, 8)}` : "";
    const words = {
      queued: "The fax is in the queue.",
      fetching: "The document is being fetched.",
      converting: "The document is being converted to fax pages.",
      ringing: call > 1 ? `Call ${call} is ringing.` : "The other end is ringing.",
      redial: `Call ${call} did not connect. The number is called again${at}.`,
      asking: "Waiting for the app to say what to do with the call.",
      rendering: "The app took the call. The pages are being prepared.",
      page: `Page ${page} of ${pages} is on the line.`,
    }[step] ?? step;
    // A step without an end waits for an app or a download, whatever the clock does.
    return this.isFrozen && ends ? `${words.slice(0, -1)}, but the clock is frozen.` : words;
  }

  showActs() {
    const key = `${this.isFrozen} ${this.progress.ends_at}`;
    if (this.actsKey === key) return;
    this.actsKey = key;
    const hadFocus = this.acts.contains(document.activeElement);
    const { ends_at: ends } = this.progress;
    fill(this.acts, this.isFrozen && [
      ends && button("Next step", once(() => control("POST", "/clock/advance", { body: { to: ends } })), { kind: "small" }),
      button("Run the clock", once(() => control("PUT", "/clock", { body: { mode: "running" } })), { kind: "small" }),
    ]);
    if (hadFocus) this.acts.querySelector("button")?.focus();
  }

  /** Marks the current phase of the call, and runs again when the next part of the page's transmission begins. */
  showPhase() {
    const { step, parts } = this.progress;
    const now = this.now();
    const part = parts?.find((each) => Date.parse(each.ends_at) > now) ?? parts?.at(-1);
    const name = part?.part ?? step;
    const at = PHASES.findIndex(([, own]) => own.includes(name));
    this.phases.forEach((element, i) => {
      element.dataset.state = at < 0 || i > at ? "next" : i === at ? "now" : "done";
    });
    if (part && !this.isFrozen && part !== parts.at(-1)) this.timer = setTimeout(() => this.showPhase(), Date.parse(part.ends_at) - now + 1);
  }

  /**
   * Covers what has not arrived yet. `covers` has pairs of an element and the number of its page; the cover of the current page
   * recedes.
   */
  lay(covers) {
    this.uncover();
    this.covers = covers;
    if (this.progress) this.cover();
  }

  cover() {
    const [from, to, wait, span] = this.course();
    for (const [element, page] of this.covers) {
      element.getAnimations().forEach((each) => each.cancel());
      const state = this.page === 0 || page > this.page ? "next" : page < this.page ? ENDED : "now";
      element.dataset.state = state;
      if (state !== "now") continue;
      element.dataset.moves = String(span > 0);
      const at = (part) => ({ transform: `translateY(${part * 100}%)` });
      if (span > 0) element.animate([at(from), at(to)], { duration: span, delay: wait, fill: "both" });
      else element.animate([at(from), at(from)], { duration: 1, fill: "both" });
    }
  }

  /**
   * Returns how the cover moves: the fraction of the page that has arrived now, the fraction that will have arrived at the end of
   * the step, and the delay and the duration of the motion in milliseconds. The duration is 0 if nothing moves.
   */
  course() {
    const { parts, started_at: started, ends_at: ends } = this.progress;
    const i = parts?.findIndex(({ part }) => part === "picture") ?? -1;
    if (i < 0) return [0, 0, 0, 0];
    const begins = Date.parse(parts[i - 1]?.ends_at ?? started);
    const over = Date.parse(parts[i].ends_at);
    const until = Math.min(over, Date.parse(ends));
    const share = (at) => Math.min(1, Math.max(0, (at - begins) / Math.max(1, over - begins)));
    const now = this.now();
    if (this.isFrozen) return [share(now), share(now), 0, 0];
    // With reduced motion, a page is shown once it is complete.
    if (reduced.matches) return [0, 0, 0, 0];
    return [share(now), share(until), Math.max(0, begins - now), Math.max(0, until - Math.max(begins, now))];
  }

  uncover() {
    for (const [element] of this.covers) {
      element.getAnimations().forEach((each) => each.cancel());
      element.dataset.state = ENDED;
    }
  }

  close() {
    clearTimeout(this.timer);
    this.uncover();
  }
}
