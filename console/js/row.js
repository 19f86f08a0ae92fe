//! One fax or call in the list: its parties, its outcome, and the reason. It calls no API.

import { at } from "./api.js";
import { fill, h, say } from "./dom.js";
import { count, span } from "./format.js";
import { icon } from "./icons.js";
import { badge, copyButton, setBadge, time, toast } from "./ui.js";

/** A row of the list, which is updated in place. */
export class Row {
  constructor(fax) {
    const isIn = fax.direction === "inbound";
    const [other, own] = isIn ? [fax.from, fax.to] : [fax.to, fax.from];
    const kind = `${isIn ? "Inbound" : "Outbound"} ${fax.status === "not-answered" ? "call" : "fax"}`;
    this.badge = badge(fax.status);
    this.why = h("div", { class: "reasons" });
    this.pages = h("td", { class: "pages" });
    this.took = h("td", { class: "took" });
    this.element = h(
      "tr",
      { data: { sid: fax.sid } },
      h("td", { class: "who" }, h("span", {}, h("a", { href: at(`/console/faxes/${fax.sid}`), "aria-label": `${kind} from ${fax.from ?? "unknown"} to ${fax.to}`, title: kind }, icon(isIn ? "in" : "out")), h("span", { class: "other" }, number(other)), h("span", { class: "own" }, isIn ? "to " : "from ", number(own)))),
      h("td", { class: "status" }, this.badge),
      h("td", { class: "why" }, this.why),
      this.pages,
      this.took,
      h("td", { class: "when" }, time(fax.date_created)),
    );
    this.update(fax);
  }

  update(fax) {
    this.status(fax.status);
    say(this.pages, fax.num_pages === null || fax.num_pages === undefined ? "–" : count(fax.num_pages, "page"));
    say(this.took, span(fax.duration));
    const reasons = why(fax);
    const key = JSON.stringify(reasons);
    if (this.reasons === key) return;
    this.reasons = key;
    fill(this.why, reasons.map(([tone, code, text, title]) => h("span", { class: "reason", data: { tone }, title }, code && h("span", { class: "mono" }, code), code && " ", text)));
  }

  status(word) {
    setBadge(this.badge, word);
  }
}

/** Returns what went wrong with a fax, in brief, each reason as `[tone, code, text, title]`. */
function why(fax) {
  const { error_code: code, error_message: message, callbacks_failed: failed = 0, last_failure: last } = fax;
  const reasons = [];
  if (code || message) {
    // The failed request gives the reason more briefly, with the app's status.
    const text = fax.status === "not-answered" && last ? last : message;
    reasons.push([fax.status === "failed" || fax.status === "not-answered" ? "bad" : "odd", code ? String(code) : "", text ?? "", [message, fax.advice].filter(Boolean).join(". ")]);
  }
  if (failed > 0) reasons.push(["bad", "", failed === 1 ? last : `${failed} callbacks failed`, failed === 1 ? "The app did not accept this callback" : `The last one: ${last}`]);
  return reasons;
}

/** A number grouped by spacing rather than characters, so that the copied number is in the form of the APIs. */
function number(text) {
  const parts = /^(\+1)(\d{3})(\d{3})(\d{4})$/.exec(text ?? "");
  return h("span", { class: "number" }, parts ? parts.slice(1).map((part) => h("span", {}, part)) : text ?? "unknown");
}

/** A button that copies the SID of the row under the pointer. There is one for the whole list. */
export function copier(tbody) {
  let sid = "";
  const element = h("span", { class: "copysid" }, copyButton(() => sid, "Copy SID"));
  element.firstChild.tabIndex = -1;
  tbody.addEventListener("pointerover", (event) => {
    const row = event.target.closest("tr");
    if (!row || row.dataset.sid === sid) return;
    sid = row.dataset.sid;
    row.firstChild.append(element);
  });
}

/** Copies the SID of the row that has the focus. */
export async function copySid(focused) {
  const sid = focused?.closest?.("tr[data-sid]")?.dataset.sid;
  if (!sid) return;
  await navigator.clipboard?.writeText(sid);
  toast(`Copied ${sid}.`);
}
