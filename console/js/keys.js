//! Keyboard shortcuts: a few that work everywhere, and those that a page adds. Typing in a field never triggers them.

import { h } from "./dom.js";
import { dialog } from "./ui.js";

const everywhere = [];
let ofPage = [];
let pending = "";
let pendingTimer = 0;
const SEQUENCE_MS = 1200;

/** Adds keys that work on every page: `[keys, words, action]`; `g f` means one key after the other. */
export function always(...keys) {
  everywhere.push(...keys);
}

/** Sets the keys of the page. */
export function forPage(keys) {
  ofPage = keys;
}

/** Opens a dialog that lists the keys, unless a dialog is open already. */
export function help() {
  if (document.querySelector("dialog[open]")) return;
  const list = (keys) => h("table", { class: "pairs" }, h("tbody", {}, keys.map(([combination, words]) => h("tr", {}, h("th", { scope: "row" }, combination.split(" ").flatMap((key, i) => (i ? [" ", h("kbd", {}, shown(key))] : [h("kbd", {}, shown(key))]))), h("td", { class: "plain" }, words)))));
  const close = h("button", { type: "button", class: "button", on: { click: () => box.close() } }, "Close");
  const box = dialog("Keyboard shortcuts", h("div", { class: "stack" }, ofPage.length > 0 && [h("h3", {}, "On this page"), list(ofPage)], h("h3", {}, "Everywhere"), list(everywhere), h("div", { class: "end" }, close)));
  close.focus();
}

const NAMES = { ArrowLeft: "←", ArrowRight: "→", PageUp: "PgUp", PageDown: "PgDn" };
const shown = (key) => NAMES[key] ?? key;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
  if (document.querySelector("dialog[open]")) return;
  const target = event.target;
  if (target.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]")) {
    if (event.key === "Escape") target.blur();
    return;
  }
  const wanted = pending ? `${pending} ${event.key}` : event.key;
  clearTimeout(pendingTimer);
  pending = "";
  const keys = [...ofPage, ...everywhere];
  const found = keys.find(([combination]) => combination === wanted);
  if (found) {
    if (found[2](event) !== false) event.preventDefault();
  } else if (keys.some(([combination]) => combination.startsWith(`${event.key} `))) {
    pending = event.key;
    pendingTimer = setTimeout(() => { pending = ""; }, SEQUENCE_MS);
  }
});
