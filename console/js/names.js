//! The names of the worlds, for pages that show several at once.

import { control } from "./api.js";
import { h, say } from "./dom.js";

/** The minimum time between two requests for the names, since there may be thousands of worlds. */
const ASK_MS = 5000;
/** The emulator's default name for an account. */
const UNNAMED = "fauxfax account";

const names = new Map();
let askedAt = -Infinity;
let timer = 0;

/** Requests the names soon, once for all marks that need one, and updates the marks on the page. */
export function learnNames() {
  timer ||= setTimeout(async () => {
    askedAt = performance.now();
    try {
      remember((await control("GET", "/accounts")).accounts);
      for (const mark of document.querySelectorAll(".worldmark")) say(mark, nameOf(mark.dataset.sid));
    } catch {
      // Without the names, the marks continue to show the SIDs.
    }
    timer = 0;
  }, Math.max(0, askedAt + ASK_MS - performance.now()));
}

/** Takes the names from a list of accounts. */
export function remember(accounts) {
  for (const { sid, friendly_name: name } of accounts) names.set(sid, name);
}

/** A world's name, or the beginning and the end of its SID. */
export function nameOf(sid) {
  const name = names.get(sid);
  return name && name !== UNNAMED ? name : `${sid.slice(0, 4)}…${sid.slice(-4)}`;
}

/** A world's name in its own colour, as a link to its faxes unless it is inside a choice. */
export function worldMark(sid, { isLink = true } = {}) {
  if (!sid) return h("span", { class: "muted" }, "–");
  if (!names.has(sid)) learnNames();
  const mark = h(isLink ? "a" : "span", { class: "worldmark", href: isLink ? `/console?account=${encodeURIComponent(sid)}` : null, title: sid, data: { sid } }, nameOf(sid));
  mark.style.setProperty("--hue", String(hue(sid)));
  return mark;
}

/** The hue of a SID: always the same for one SID, and far apart for SIDs that differ by one. */
function hue(sid) {
  let sum = 0;
  for (const letter of sid) sum = (sum * 31 + letter.codePointAt(0)) % 100_003;
  return Math.round((sum * 137.508) % 360);
}
