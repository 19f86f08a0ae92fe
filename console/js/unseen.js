//! Shows, in the navigation and in the page's title, how many alerts a world has raised since its Alerts page was last visited.

import { control, world } from "./api.js";
import { h, say } from "./dom.js";
import * as live from "./live.js";

/** A count above this is shown as `99+`. */
const SHOWN_MAX = 99;
/** If start times differ by more seconds than this, the emulator is another one, whose events are numbered from 1 again. */
const SAME_START_S = 5;

let count = 0;
let visits = 0;
/** The world's last event at the last visit: `{ key, seq, began }`. */
let mark = null;
let turn = 0;
let show = () => {};

const number = () => (count > SHOWN_MAX ? `${SHOWN_MAX}+` : String(count));

/** Keeps the number beside the link to the alerts, and in the page's title, up to date. */
export function watchAlerts(link) {
  const shown = h("span", { class: "count" });
  const rest = h("span", { class: "unseen" });
  const all = h("span", { class: "counted", hidden: true }, shown, rest);
  link.append(" ", all);
  show = () => {
    all.hidden = count === 0;
    say(shown, number());
    say(rest, count === 1 ? " new alert" : " new alerts");
    document.title = `${count === 0 ? "" : `(${number()}) `}${document.title.replace(/^\(\d+\+?\) /, "")}`;
  };
  live.on("events", (events) => {
    // A restore also causes this event; the alerts that it brings back are not new.
    const reset = events.findLastIndex(({ kind }) => kind === "world.reset");
    if (reset >= 0) count = 0;
    count += events.slice(reset + 1).filter(({ kind }) => kind === "alert").length;
    if (visits > 0) seen(events.at(-1).seq);
    show();
  });
}

/** Recounts the alerts, for example after a change of worlds. */
export async function countAlerts() {
  const mine = ++turn;
  try {
    const own = await load();
    if (visits > 0) return;
    // Alerts from before the last reset are about faxes that are gone.
    const { events: [first] } = await control("GET", "/events", { query: { limit: 1 } });
    const since = Math.max(own.seq, (first?.seq ?? 1) - 1);
    const { events } = await control("GET", "/events", { query: { kind: "alert", since, limit: SHOWN_MAX + 1 } });
    if (mine !== turn || visits > 0) return;
    count = events.length;
    show();
  } catch {
    // The frame reports the lost connection.
  }
}

/**
 * Begins a visit to the alerts, which marks all as seen; returns the number of the last event at the previous visit, and a function
 * that ends this visit.
 */
export async function visitAlerts() {
  const own = await load();
  const { last_seq: last } = await control("GET", "/events", { query: { limit: 0 } });
  const before = own.seq;
  visits += 1;
  seen(last);
  show();
  return [before, () => { visits -= 1; }];
}

async function load() {
  const [own, health] = await Promise.all([world(), control("GET", "/health")]);
  const key = `fauxfax-seen:${own.sid}`;
  mark = { key, seq: 0, began: Date.now() / 1000 - health.uptime_seconds };
  try {
    const kept = JSON.parse(localStorage.getItem(key));
    if (kept && Math.abs(kept.began - mark.began) <= SAME_START_S) mark.seq = kept.seq;
  } catch {
    // Storage is off or its content is invalid, so every alert counts.
  }
  return mark;
}

function seen(seq) {
  count = 0;
  if (!mark) return;
  mark.seq = seq;
  try {
    localStorage.setItem(mark.key, JSON.stringify({ seq, began: mark.began }));
  } catch {
    // Storage is off, so a page that is loaded later counts the same alerts again.
  }
}
