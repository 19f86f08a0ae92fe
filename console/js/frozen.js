//! A note on every page while the clock is frozen, with a button that lets it run.

import { account, at, control } from "./api.js";
import { h, say } from "./dom.js";
import { fullMoment } from "./format.js";
import { icon } from "./icons.js";
import * as live from "./live.js";
import { button, once } from "./ui.js";

/**
 * How many milliseconds after an event the clock is requested again. While the clock runs, only the events in `OF_THE_CLOCK`
 * cause a request.
 */
const REFRESH_MS = 400;
const OF_THE_CLOCK = new Set(["clock.moved", "world.reset"]);

const listeners = new Set();

/** Calls `listener` with the clock whenever `tellClock` is called; returns a function that removes the listener. */
export function onClock(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Sets the clock's mode and notifies all listeners. */
export async function setMode(mode) {
  return tellClock(await control("PUT", "/clock", { body: { mode } }));
}

/** Passes the clock to all listeners, and returns it. */
export function tellClock(clock) {
  for (const listener of listeners) listener(clock);
  return clock;
}

/** The note, and a function to call when a page is shown, since that page may be of another world. */
export function frozenNote() {
  const time = h("time", {});
  const link = h("a", { href: at("/console/clock") }, icon("clock"), h("span", {}, h("strong", {}, "Clock frozen"), " at ", time));
  const element = h("div", { class: "frozen", role: "status", hidden: true }, link, button("Run", once(() => setMode("running")), { kind: "small", "aria-label": "Run the clock" }));
  let timer = null;
  const show = (clock) => {
    const isFrozen = clock.mode === "frozen";
    say(time, fullMoment(clock.now));
    time.setAttribute("datetime", clock.now);
    link.setAttribute("href", at("/console/clock"));
    element.hidden = !isFrozen;
  };
  let asked;
  const ask = async () => {
    timer = null;
    asked = account();
    const mine = asked;
    const clock = await control("GET", "/clock").catch(() => ({ mode: "unknown" }));
    // Another world may have been chosen meanwhile.
    if (mine === asked) show(clock);
  };
  onClock(show);
  live.on("events", (events) => {
    if (element.hidden && !events.some((event) => OF_THE_CLOCK.has(event.kind))) return;
    timer ??= setTimeout(ask, REFRESH_MS);
  });
  live.on("state", (state) => state === "live" && ask());
  return { element, arrived: () => asked !== account() && ask() };
}
