//! The line that names the zone of a page's times, with a switch between the browser's zone and UTC.

import { h } from "./dom.js";
import { inUtc, localZone, setZone, zoneName } from "./format.js";

/** What is sent to the document when the zone has changed. */
export const ZONE_CHANGED = "fauxfax-zone";

/** Names the zone once for all times of a page. The id belongs to the switch, which keeps the focus by it. */
export function zoneLine(id) {
  const local = localZone();
  const other = inUtc() ? local : "UTC";
  const change = () => {
    setZone(!inUtc());
    document.dispatchEvent(new CustomEvent(ZONE_CHANGED));
    document.getElementById(id)?.focus();
  };
  return h("p", { class: "zone" }, "Times in ", h("strong", {}, zoneName()), local !== "UTC" && [" · ", h("button", { id, type: "button", class: "plainlink", "aria-label": `Show times in ${other}`, on: { click: change } }, other)]);
}
