//! The parts that load after the first paint: the count of new alerts, the time zone, and printing.

import * as live from "./live.js";
import "./print.js";
import { countAlerts, watchAlerts } from "./unseen.js";
import { nameZone } from "./zone.js";

let begun = false;

/** Starts everything once, and counts the new alerts again each time that it is called, for the world that is then shown. */
export function begin(shell, reshow) {
  if (!begun) {
    begun = true;
    watchAlerts(shell.alerts);
    nameZone(shell.zones, reshow);
    live.on("restart", countAlerts);
  }
  countAlerts();
}
