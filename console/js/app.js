//! Starts the console: finds the page for an address, shows it, and goes from page to page without a reload.

import { account, at, forget } from "./api.js";
import { h } from "./dom.js";
import { watchDrops } from "./drop.js";
import { frame, PLACES } from "./frame.js";
import { always, forPage, help } from "./keys.js";
import * as live from "./live.js";
import { linkBack, moved, rememberPlace, returnTo } from "./returning.js";
import { button, head, linkButton, note, once, problemNote } from "./ui.js";

const ROUTES = [
  [/^\/console\/?$/, () => import("./faxes.js")],
  [/^\/console\/faxes\/?$/, () => import("./faxes.js")],
  [/^\/console\/faxes\/(FX[0-9a-fA-F]{32}|[0-9a-fA-F-]{36})$/, () => import("./fax.js")],
  [/^\/console\/receive$/, () => import("./receive.js")],
  [/^\/console\/send$/, () => import("./send.js")],
  [/^\/console\/phone-numbers(?:\/incoming)?\/?$/, () => import("./numbers.js")],
  [/^\/console\/phone-numbers\/search$/, () => import("./search.js")],
  [/^\/console\/phone-numbers\/(?:incoming\/)?(PN[0-9a-fA-F]{32}|[0-9a-fA-F-]{36})$/, () => import("./number.js")],
  [/^\/console\/twiml-bins$/, () => import("./bins.js")],
  [/^\/console\/(?:clock|rules)$/, () => import("./clock.js")],
  [/^\/console\/alerts$/, () => import("./alerts.js")],
  [/^\/console\/check$/, () => import("./check.js")],
  [/^\/console\/worlds$/, () => import("./worlds.js")],
  [/^\/console\/all$/, () => import("./all.js")],
  [/^\/console\/traffic$/, () => import("./traffic.js")],
  [/^\/console\/api$/, () => import("./explorer.js")],
  [/^\/console\/connect$/, () => import("./connect.js")],
];

const shell = frame({ switchWorld: once(switchWorld) });
let leave = () => {};
let shownAccount;
let turn = 0;
let mayLeave = null;

/** Goes to an address of the console. */
export async function go(address, { replace = false, keep } = {}) {
  if (mayLeave && !(await mayLeave())) return;
  rememberPlace();
  if (replace) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  await show({ keep });
}

/**
 * Shows the page that the address names. `quiet` leaves the focus and the scroll position as they are; `place` is the focus and
 * scroll position to return to.
 */
async function show({ quiet = false, keep = null, place = null } = {}) {
  const mine = ++turn;
  const path = location.pathname;
  if (shownAccount !== account()) {
    forget();
    live.stop();
  }
  const stops = [];
  const abort = new AbortController();
  const context = {
    signal: abort.signal,
    go,
    keep,
    announce: shell.announce,
    query: new URLSearchParams(location.search),
    events: (listener) => stops.push(live.on("events", listener)),
    /**
     * Calls `action` when the stream opens, so that the page can ask for earlier events. If the stream is open already, `action`
     * isn't called.
     */
    whenLive: (action) => {
      if (live.currentState() === "live" && shownAccount === account()) return;
      const stop = live.on("state", (state) => state === "live" && (stop(), action()));
      stops.push(stop);
    },
    onLeave: (action) => stops.push(action),
    title: (text) => { if (mine === turn) document.title = `${/^\(\d+\+?\) /.exec(document.title) ?? ""}${text} · fauxfax`; },
    reload: () => show({ quiet: true }),
  };
  const found = ROUTES.map(([pattern, load]) => [pattern.exec(path), load]).find(([match]) => match);
  let content;
  try {
    if (found) {
      context.params = found[0].slice(1);
      content = await (await found[1]()).page(context);
    } else {
      context.title("No such page");
      content = [head("No such page"), note("", `There is no page ${path}. `, h("a", { href: at("/console") }, "Go to the faxes"))];
    }
  } catch (problem) {
    if (mine !== turn) return;
    context.title("Something went wrong");
    content = [head("This page can't be shown"), problemNote(problem), waysOn(problem)];
  }
  if (mine !== turn) {
    abort.abort();
    stops.forEach((stop) => stop());
    return;
  }
  leave();
  leave = () => {
    abort.abort();
    stops.forEach((stop) => stop());
  };
  const first = shownAccount === undefined;
  const switched = shownAccount !== account();
  shownAccount = account();
  const scroll = scrollY;
  const focus = quiet ? document.activeElement?.id : "";
  shell.main.replaceChildren(h("div", { class: "page" }, [content].flat(Infinity).filter(Boolean)));
  moved();
  linkBack(shell.main);
  forPage(context.keys ?? []);
  mayLeave = context.mayLeave ?? null;
  context.shown?.();
  if (quiet) {
    scrollTo(0, scroll);
    if (focus) document.getElementById(focus)?.focus({ preventScroll: true });
  } else {
    // The first page leaves the focus where browsers put it.
    if (!returnTo(place, shell.main) && !first) shell.main.querySelector("h1")?.focus({ preventScroll: true });
    if (!first) shell.announce(document.title);
  }
  // The page itself is on the screen now; the rest of the frame can follow.
  setTimeout(() => {
    shell.arrived(path);
    if (switched) {
      live.start();
      // The first paint needs none of these: the count of alerts, the time zone, printing.
      import("./late.js").then(({ begin }) => begin(shell, () => show({ quiet: true })));
    }
  }, 0);
}

/** The buttons for a page that can't be shown. If the account is the problem, its SID is left out of the links. */
function waysOn(problem) {
  if (problem.status === 0) return h("div", { class: "row" }, button("Try again", () => show(), { kind: "first" }));
  const isOfAccount = account() && /account/.test(`${problem.name_} ${problem.message}`);
  const [faxes, worlds] = isOfAccount ? ["/console", "/console/worlds"] : [at("/console"), at("/console/worlds")];
  return h("div", { class: "row" }, linkButton(isOfAccount ? "Show the default account" : "Show the faxes", faxes, { kind: "first" }), linkButton("Choose another account", worlds));
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (!link || event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  if (link.target || link.hasAttribute("download") || link.origin !== location.origin || !link.pathname.startsWith("/console")) return;
  if (link.pathname.startsWith("/console/assets/")) return;
  event.preventDefault();
  go(link.href);
});

addEventListener("popstate", ({ state }) => show({ place: state ?? {} }));
live.on("restart", () => {
  forget();
  show({ quiet: true });
});
live.on("events", (events) => {
  if (events.some((event) => event.kind === "world.reset")) {
    forget();
    show({ quiet: true });
  }
});

/** Loads and opens the switcher of worlds. */
async function switchWorld() {
  const { openSwitcher } = await import("./switcher.js");
  await openSwitcher(go);
}

always(
  ["?", "Show the keyboard shortcuts", help],
  ...PLACES.map(([text, path, , key]) => [`g ${key}`, `Go to ${text}`, () => go(at(path))]),
  ["r", "Receive a fax", () => go(at("/console/receive"))],
  ["s", "Send a fax", () => go(at("/console/send"))],
  ["g x", "Go to the API explorer", () => go(at("/console/api"))],
  ["g e", "Go to all worlds", () => go(at("/console/all"))],
  ["w", "Switch to another world", once(switchWorld)],
);
watchDrops((file) => go(at("/console/receive"), { keep: { file } }));
show({ place: history.state });
