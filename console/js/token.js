//! Asks once for the token that protects the emulator, if there is one. The browser then keeps a cookie in its place, which
//! neither this script nor any page can read.

import { h } from "./dom.js";
import { button, dialog, field, outcome } from "./ui.js";

let asking = null;

/** Resolves once the emulator has accepted a token; `open` sends it and returns whether it is right. Simultaneous calls share one dialog. */
export function askForToken(open) {
  asking ??= new Promise((resolve) => {
    const told = outcome();
    const token = h("input", { type: "password", autocomplete: "current-password", required: true });
    const send = async (event) => {
      event.preventDefault();
      told.clear();
      try {
        if (await open(token.value.trim())) {
          resolve();
          box.close();
        } else told.fail(new Error("This is not the token that the emulator was started with."));
      } catch (problem) {
        told.fail(problem);
      }
    };
    const box = dialog("Control token", h("form", { class: "stack", on: { submit: send } }, h("p", {}, "This emulator was started with --control-token. The console asks for the token once; your browser then stays signed in until it is closed."), field("Token", token), told.element, h("div", { class: "end" }, button("Open the console", null, { kind: "first", type: "submit" }))));
    // Without the token, the console can show nothing, so Escape doesn't close the dialog.
    box.addEventListener("cancel", (event) => event.preventDefault());
    token.focus();
  }).finally(() => { asking = null; });
  return asking;
}
