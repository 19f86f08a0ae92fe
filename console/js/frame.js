//! The frame of every page: the navigation, the name of the world, and the state of the connection.

import { at, world } from "./api.js";
import { h, say } from "./dom.js";
import { frozenNote } from "./frozen.js";
import { icon, mark } from "./icons.js";
import * as live from "./live.js";
import { help } from "./keys.js";

/** The pages in the navigation. */
export const PLACES = [
  ["Faxes", "/console", "faxes", "f"],
  ["Traffic", "/console/traffic", "traffic", "t"],
  ["Numbers", "/console/phone-numbers/incoming", "numbers", "n"],
  ["Bins", "/console/twiml-bins", "bins", "b"],
  ["Clock and rules", "/console/clock", "clock", "c"],
  ["Alerts", "/console/alerts", "alerts", "a"],
  ["Check", "/console/check", "judge", "k"],
  ["Worlds", "/console/worlds", "worlds", "w"],
  ["Connect", "/console/connect", "connect", "o"],
];

const WORDS = { connecting: "Connecting…", live: "Live", lost: "Not connected", refused: "No live events" };

/** Builds the frame; returns the elements that other files fill, and functions that change the frame. */
export function frame({ switchWorld }) {
  const links = PLACES.map(([text, path, name]) => h("a", { href: at(path), data: { path } }, icon(name), h("span", {}, text)));
  const side = h("header", { class: "side" });
  const menu = h("button", { type: "button", class: "button small menu", "aria-expanded": "false", "aria-controls": "navigation", on: { click: () => toggle(!side.classList.contains("open")) } }, icon("menu"), "Menu");
  let before;
  const toggle = (open) => {
    side.classList.toggle("open", open);
    menu.setAttribute("aria-expanded", String(open));
  };
  const sid = h("span", { class: "sid mono" }, " ");
  const name = h("span", { class: "what" }, "World");
  const stateWords = h("span", {}, WORDS.connecting);
  const state = h("div", { class: "state", role: "status", data: { state: "connecting" } }, h("span", { class: "dot" }), stateWords, h("button", { type: "button", class: "button small bare icon", "aria-label": "Keyboard shortcuts", title: "Keyboard shortcuts (?)", on: { click: help } }, "?"));
  const frozen = frozenNote();
  const allLink = h("a", { class: "alllink", href: "/console/all", title: "The faxes of every account in one live list (g e)" }, icon("worlds"), "All worlds, live");
  const zones = [h("div"), h("footer", { class: "end-of-page" })];
  side.append(
    h("a", { class: "brand", href: at("/console") }, mark(), "fauxfax"),
    menu,
    h("nav", { id: "navigation", "aria-label": "Pages", on: { click: () => toggle(false) } }, h("ul", {}, links.map((link) => h("li", {}, link)))),
    frozen.element,
    h("div", { class: "foot" }, h("button", { type: "button", class: "world", "aria-haspopup": "dialog", title: "A world is one account with its own faxes, numbers, clock and rules. Switch to another (w)", on: { click: switchWorld } }, name, sid, h("span", { class: "what" }, "Switch world")), allLink, zones[0], state),
  );
  const lost = h("div", { class: "lost", role: "alert", hidden: true });
  const main = h("main", { id: "main" });
  const announcer = h("div", { class: "unseen", "aria-live": "polite", role: "status" });
  document.body.replaceChildren(h("a", { class: "skip", href: "#main", on: { click: (event) => { event.preventDefault(); main.querySelector("h1")?.focus(); } } }, "Skip to the page"), h("div", { class: "frame" }, side, h("div", {}, lost, main, zones[1])), announcer);

  live.on("state", (word) => {
    state.dataset.state = word;
    say(stateWords, WORDS[word]);
    if (word === "lost") showLost(lost);
    else if (word === "live" && !lost.hidden) {
      lost.hidden = true;
      say(announcer, "Connected again.");
    }
  });

  return {
    main,
    /** The places that name the time zone: in the frame, and below the page if the frame is folded. */
    zones,
    alerts: links.find((link) => link.dataset.path === "/console/alerts"),
    announce: (text) => say(announcer, text),
    /** Marks the current page, and keeps the world in every link. */
    async arrived(path) {
      // The console's first page, and a page that is shown again, leave an open menu as it is.
      if (before !== undefined && before !== path) toggle(false);
      before = path;
      for (const link of links) {
        link.setAttribute("href", at(link.dataset.path));
        const own = link.dataset.path;
        const here = own === "/console" ? path === own || path.startsWith("/console/faxes") || path === "/console/receive" || path === "/console/send" : own.startsWith("/console/phone-numbers") ? path.startsWith("/console/phone-numbers") : path === own || (own === "/console/clock" && path === "/console/rules");
        if (here) link.setAttribute("aria-current", "page");
        else link.removeAttribute("aria-current");
      }
      side.querySelector(".brand").setAttribute("href", at("/console"));
      frozen.arrived();
      allLink.toggleAttribute("aria-current", path === "/console/all");
      if (path === "/console/all") allLink.setAttribute("aria-current", "page");
      try {
        const own = await world();
        say(name, `World: ${own.friendly_name || "unnamed"}`);
        say(sid, own.sid);
      } catch {
        say(sid, "unknown");
      }
    },
  };
}

function showLost(element) {
  element.replaceChildren(icon("alert"), h("span", {}, "The emulator doesn't respond. Trying to reconnect; this page may be out of date."), h("button", { type: "button", class: "button small", on: { click: live.retry } }, "Try now"));
  element.hidden = false;
}
