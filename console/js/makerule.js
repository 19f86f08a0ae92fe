//! Links to the rules' form, filled in for a fax or for a request to the app. It calls no API.

import { at } from "./api.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";

const link = (rule) => h("a", { class: "button small", href: at("/console/rules", { rule: JSON.stringify(rule) }) }, icon("rules"), "Make a rule of this");

/** A link to a new rule for faxes like this one: inbound ones fail after a page, and outbound ones find the number busy. */
export function ruleOfFax({ direction, from, to }) {
  const match = { direction, from, to };
  return link(direction === "inbound" ? { match, outcome: { status: "failed", code: 34004, after_pages: 1 } } : { match, outcome: { status: "busy" } });
}

/** A link to a new rule that delays requests like this one; null for the request for a document, on which rules for webhooks don't act. */
export function ruleOfExchange({ purpose, url }) {
  if (!url || purpose === "media-url") return null;
  const [address, query] = url.split("?");
  return link({ match: { purpose, url: query === undefined ? address : `${address}*` }, webhook: { delay_ms: 10_000 } });
}
