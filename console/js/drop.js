//! Offers to receive as a fax any document that is dropped on the console. It reads no file.

import { h } from "./dom.js";
import { icon } from "./icons.js";

/** Calls back with each file that is dropped on the page, or with the first of several, unless a drop area of the page takes it. */
export function watchDrops(dropped) {
  const veil = h("div", { class: "veil", hidden: true, "aria-hidden": "true" }, h("div", {}, icon("page"), h("p", {}, "Drop to receive it as a fax")));
  document.body.append(veil);
  const carriesFile = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  let depth = 0;
  addEventListener("dragenter", (event) => {
    if (!carriesFile(event)) return;
    depth += 1;
    veil.hidden = document.querySelector("dialog[open]") !== null;
  });
  addEventListener("dragleave", (event) => {
    if (!carriesFile(event)) return;
    depth = Math.max(0, depth - 1);
    if (depth === 0) veil.hidden = true;
  });
  addEventListener("dragover", (event) => carriesFile(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    depth = 0;
    veil.hidden = true;
    if (!carriesFile(event)) return;
    event.preventDefault();
    const [file] = event.dataTransfer.files;
    if (file && !event.handled) dropped(file);
  });
}
