//! Follows the journal of the page's world in a stream that all parts of the page share, reports when the connection is lost, and
//! reconnects. `follow` opens further streams, for pages that show more than one world. Nothing is rendered here.

import { control, controlUrl } from "./api.js";

/**
 * The time for which events are collected before they are passed on as a batch. It is so short that nobody notices it, and even a
 * busy world causes only about eight batches per second.
 */
const BUNCH_MS = 120;
/** The time before each attempt to reach a lost emulator; further attempts wait as long as the last one here. */
const RETRY_MS = [400, 800, 1500, 3000];
/** If more events than this happened while there was no connection, the page starts afresh instead of catching up. */
const MISSED_MAX = 5000;
/** The maximum number of events of another stream that are passed on in one batch; more would block the page. */
const HANDED_MAX = 50;
/** The maximum number of events of another stream that may wait; a page shows no more of them anyway. */
const WAITING_MAX = 2000;
/** The interval at which the journal is polled if the emulator refuses the stream. */
const POLL_MS = 1000;

const listeners = { events: new Set(), state: new Set(), restart: new Set() };
let source = null;
let seq = null;
let bunch = [];
let timer = 0;
let tries = 0;
let state = "connecting";
let round = 0;
let startedAt = null;

/** Calls back with `events` (a list), `state` (a word) or `restart`; returns a function that stops this. */
export function on(what, listener) {
  listeners[what].add(listener);
  return () => listeners[what].delete(listener);
}

/**
 * `connecting`, `live`, `lost` if the emulator can't be reached, or `refused` if it responds but refuses the stream and the
 * events.
 */
export const currentState = () => state;

/** Starts the stream, or restarts it for another world, with the events after `since`, or with the next event if that is null. */
export function start(since = null) {
  stop();
  seq = since;
  open();
}

/** Ends the stream, for example because the page is hidden: a hidden page doesn't follow the journal. */
export function stop() {
  round += 1;
  source?.close();
  source = null;
  clearTimeout(timer);
  timer = 0;
}

/** Reconnects at once, without waiting for the next attempt. */
export function retry() {
  stop();
  open();
}

document.addEventListener("visibilitychange", () => (document.hidden ? stop() : retry()));
addEventListener("pagehide", stop);

async function open() {
  const mine = round;
  try {
    const health = await control("GET", "/health", { patience: 5000 });
    const { last_seq: last } = await control("GET", "/events", { query: { limit: 0 }, patience: 5000 });
    if (mine !== round) return;
    const began = Date.now() / 1000 - health.uptime_seconds;
    const restarted = startedAt !== null && Math.abs(began - startedAt) > 3;
    startedAt = began;
    if (restarted || (seq !== null && (last < seq || last - seq > MISSED_MAX))) {
      seq = last;
      setState("live");
      for (const listener of listeners.restart) listener();
    }
    seq ??= last;
  } catch (problem) {
    if (mine === round) lost(problem);
    return;
  }
  if (mine !== round) return;
  stream(mine);
}

function stream(mine) {
  source = new EventSource(controlUrl("/events", { since: seq }));
  const arrived = (message) => {
    bunch.push(message.data);
    timer ||= setTimeout(flush, BUNCH_MS);
  };
  source.onopen = () => {
    tries = 0;
    setState("live");
  };
  source.onmessage = arrived;
  // The journal dropped events that this page has not seen, so the page starts afresh.
  source.addEventListener("evicted", () => listeners.restart.forEach((listener) => listener()));
  source.onerror = () => {
    if (mine !== round) return;
    const refused = source.readyState === EventSource.CLOSED;
    source.close();
    source = null;
    if (refused) poll(mine);
    else lost();
  };
}

/** Polls the journal, because the emulator refuses the stream. */
async function poll(mine) {
  try {
    const { events } = await control("GET", "/events", { query: { since: seq }, patience: 5000 });
    if (mine !== round) return;
    tries = 0;
    setState("live");
    tell(events);
    setTimeout(() => mine === round && poll(mine), POLL_MS);
  } catch (problem) {
    if (mine === round) lost(problem);
  }
}

function lost(problem) {
  if (problem && problem.status !== 0) setState("refused");
  else setState("lost");
  const mine = round;
  const wait = RETRY_MS[Math.min(tries, RETRY_MS.length - 1)];
  tries += 1;
  setTimeout(() => mine === round && !document.hidden && open(), wait);
}

function flush() {
  timer = 0;
  const texts = bunch;
  bunch = [];
  const events = [];
  for (const text of texts) {
    try {
      events.push(JSON.parse(text));
    } catch {
      // Not an event.
    }
  }
  tell(events);
}

function tell(events) {
  const news = events.filter((event) => Number.isInteger(event?.seq) && event.seq > (seq ?? 0));
  if (news.length === 0) return;
  seq = news[news.length - 1].seq;
  for (const listener of [...listeners.events]) listener(news);
}

/**
 * Follows another stream of the control API; returns a function that stops following it. While the page is hidden, the stream is closed,
 * unless `isWanted` returns true.
 */
export function follow(path, query, since, { arrived, dropped = () => {}, isWanted = () => false }) {
  let last = since;
  let own = null;
  let wait = 0;
  let again = 0;
  let waiting = [];
  const hand = () => {
    const texts = waiting.splice(0, HANDED_MAX);
    wait = waiting.length > 0 ? setTimeout(hand, BUNCH_MS / 4) : 0;
    arrived(texts.map((text) => JSON.parse(text)));
  };
  const close = () => {
    own?.close();
    own = null;
    clearTimeout(again);
  };
  const connect = () => {
    if (own || (document.hidden && !isWanted())) return;
    own = new EventSource(controlUrl(path, { ...query, since: last }));
    own.onmessage = ({ data, lastEventId }) => {
      last = Number(lastEventId) || last;
      waiting.push(data);
      if (waiting.length > WAITING_MAX) {
        waiting.splice(0, WAITING_MAX / 2);
        dropped();
      }
      wait ||= setTimeout(hand, BUNCH_MS);
    };
    own.addEventListener("evicted", ({ lastEventId }) => {
      last = Number(lastEventId) || last;
      dropped();
    });
    own.onerror = () => {
      close();
      again = setTimeout(connect, RETRY_MS[2]);
    };
  };
  const turn = () => (document.hidden && !isWanted() ? close() : connect());
  document.addEventListener("visibilitychange", turn);
  addEventListener("pagehide", close);
  connect();
  return () => {
    document.removeEventListener("visibilitychange", turn);
    removeEventListener("pagehide", close);
    close();
    clearTimeout(wait);
  };
}

function setState(next) {
  if (state === next) return;
  state = next;
  for (const listener of listeners.state) listener(next);
}
