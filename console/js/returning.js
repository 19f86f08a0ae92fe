//! Going back: restores a page's scroll position and focus, and the faxes that the list showed. It renders nothing.

import { account } from "./api.js";

/** The scroll position is remembered once the page has not been scrolled for this long. */
const REST_MS = 200;

const listKey = () => `fauxfax-list:${account() ?? ""}`;
let timer = 0;
let address = location.href;

history.scrollRestoration = "manual";

/** Remembers the scroll position and the focus in the history entry of the page that is shown. */
export function rememberPlace() {
  clearTimeout(timer);
  // The entry of another page may already be current.
  if (location.href !== address) return;
  history.replaceState({ ...history.state, scroll: Math.round(scrollY), focus: document.activeElement?.closest?.("main a[href]")?.getAttribute("href") ?? null }, "");
}

/** Notes that the current entry now has another address. */
export function moved() {
  address = location.href;
}

addEventListener("scroll", () => {
  clearTimeout(timer);
  timer = setTimeout(rememberPlace, REST_MS);
}, { passive: true });

/** Restores scroll and focus; returns whether an element got the focus. */
export function returnTo(place, main) {
  scrollTo(0, place?.scroll ?? 0);
  const link = place?.focus && main.querySelector(`a[href="${CSS.escape(place.focus)}"]`);
  link?.focus({ preventScroll: true });
  return Boolean(link);
}

/** Remembers a text until the tab is closed. */
export function remember(key, text) {
  try {
    sessionStorage.setItem(key, text);
  } catch {
    // Storage is off, so nothing is remembered.
  }
}

/** Returns the remembered text, if there is one. */
export function recall(key) {
  try {
    return sessionStorage.getItem(key);
  } catch {
    // Storage is off, as above.
    return null;
  }
}

/** Remembers the filters of the list. */
export function rememberList() {
  remember(listKey(), location.pathname + location.search);
}

/** Makes a page's link back to the list lead to the search and the page that the list showed last. */
export function linkBack(main) {
  const link = main.querySelector("a.back");
  if (link?.pathname !== "/console") return;
  const last = recall(listKey());
  if (last) link.setAttribute("href", last);
}
