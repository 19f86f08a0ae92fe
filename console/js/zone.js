//! The line that names the time zone of the page, with a switch between the browser's zone and UTC.

import { fill, h } from "./dom.js";
import { inUtc, localZone, setZone, zoneName } from "./format.js";

/** Names the zone in these places, and redraws the page when the zone is switched. */
export function nameZone(places, reshow) {
  const show = () => {
    const local = localZone();
    const other = inUtc() ? local : "UTC";
    for (const place of places) {
      const change = () => {
        setZone(!inUtc());
        show();
        place.querySelector("button").focus();
        reshow();
      };
      fill(place, h("p", { class: "zone" }, "Times in ", h("strong", {}, zoneName()), local !== "UTC" && h("span", { class: "other-zone" }, " · ", h("button", { type: "button", class: "plainlink", "aria-label": `Show times in ${other}`, on: { click: change } }, other))));
    }
  };
  show();
}
