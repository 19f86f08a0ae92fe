//! Links to the rules' form, filled in for a fax or for a request to the app. It calls no API.

import { at } from "./api.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";

const link = (rule) => h("a", { class: "button small", href: at("/console/rules", { rule: JSON.stringify(rule) }) }, icon("rules"), "Make a rule of this");

/** A rule that makes the next fax like this one fail. */
export function ruleOfFax({ direction, from, to }) {
  const match = { direction, from, to };
  return link(direction === "inbound" ? { match, outcome: { status: "failed", code: 34004, after_pages: 1 } } : { match, outcome: { status: "busy" } });
}

/** A rule that delays the next request like this one. Rules don't act on the request for a document. */
export function ruleOfExchange({ purpose, url }) {
  if (!url || purpose === "media-url") return null;
  const [address, query] = url.split("?");
  return link({ match: { purpose, url: query === undefined ? address : `${address}*` }, webhook: { delay_ms: 10_000 } });
}
