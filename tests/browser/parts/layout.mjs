// Finds content of a page that nobody can see: cut off by its own box, or beyond the edge of the window.

import assert from "node:assert/strict";

/** Fails if the page scrolls sideways, or if an element cuts off its content without a scrollbar. */
export async function assertNothingCut(page, where) {
  const { wide, window, cut } = await page.evaluate(() => {
    const hides = (overflow) => overflow === "hidden" || overflow === "clip";
    const name = (element) => `${element.tagName.toLowerCase()}${element.className ? `.${String(element.className).replaceAll(" ", ".")}` : ""} "${element.textContent.trim().slice(0, 40)}"`;
    const cut = [];
    for (const element of document.body.querySelectorAll("*")) {
      const style = getComputedStyle(element);
      if (element.closest(".unseen, svg") || element.clientWidth === 0 || style.clipPath !== "none") continue;
      // An ellipsis marks text that is cut; a title, or the page that the link or the row leads to, shows all of it.
      const isMarked = style.textOverflow === "ellipsis" && (element.closest("[title], a, button, summary") || element.querySelector("[title]") || element.closest("tr")?.querySelector("a"));
      // A field scrolls its text, whatever its style says.
      if (element.matches("input, textarea, select")) continue;
      if (hides(style.overflowX) && element.scrollWidth > element.clientWidth + 1 && !isMarked) cut.push(`${name(element)}: ${element.scrollWidth} px wide in ${element.clientWidth}`);
      if (hides(style.overflowY) && element.scrollHeight > element.clientHeight + 1) cut.push(`${name(element)}: ${element.scrollHeight} px high in ${element.clientHeight}`);
    }
    return { wide: document.documentElement.scrollWidth, window: innerWidth, cut };
  });
  assert.ok(wide <= window, `${where} is ${wide} px wide in a window of ${window}`);
  assert.deepEqual(cut, [], where);
}

/** Fails if an open dialog is wider than the window, or if its end can't be scrolled to. */
export async function assertDialogFits(page, where) {
  const faults = await page.evaluate(() => [...document.querySelectorAll("dialog[open]")].filter((dialog) => {
    const box = dialog.getBoundingClientRect();
    const scrolls = dialog.scrollHeight <= dialog.clientHeight + 1 || getComputedStyle(dialog).overflowY === "auto";
    return box.left < 0 || box.right > innerWidth || dialog.scrollWidth > dialog.clientWidth + 1 || !scrolls;
  }).map((dialog) => dialog.textContent.slice(0, 40)));
  assert.deepEqual(faults, [], where);
}
