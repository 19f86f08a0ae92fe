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

/** Remembers the filters of the list. */
export function rememberList() {
  try {
    sessionStorage.setItem(listKey(), location.pathname + location.search);
  } catch {
    // Storage is off, so the link leads to the whole list.
  }
}

/** Points a page's link back to the list at the faxes that the list showed last. */
export function linkBack(main) {
  const link = main.querySelector("a.back");
  if (link?.pathname !== "/console") return;
  let last = null;
  try {
    last = sessionStorage.getItem(listKey());
  } catch {
    // Storage is off, as above.
  }
  if (last) link.setAttribute("href", last);
}
