//! The alerts of this world, newest first: what went wrong, why, and what to do.

import { at, control, world } from "./api.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { service } from "./service.js";
import { head, time } from "./ui.js";

/** Alerts shown; the journal holds a world's latest. */
const SHOWN = 200;
/** Events asked for at once. */
const EVENTS_MAX = 10_000;

/** The page. */
export async function page(context) {
  context.title("Alerts");
  await world();
  const list = h("ol", { class: "alerts" });
  const empty = h("div", { class: "card empty" }, icon("check"), h("h2", {}, "No alerts"), h("p", {}, `Failed webhooks, unreadable documents and invalid ${service.markup} are listed here with ${service.name}'s error codes.`));
  // The first answer begins at the last reset: earlier alerts are about faxes that are gone.
  let seen = null;
  const add = (event) => {
    if (event.kind !== "alert" || event.seq <= (seen ?? 0)) return;
    seen = event.seq;
    list.prepend(card(event));
    while (list.children.length > SHOWN) list.lastChild.remove();
    empty.hidden = true;
  };
  const early = [];
  let ready = false;
  context.events((events) => (ready ? events.forEach(add) : early.push(...events)));
  const ask = async () => (await control("GET", "/events", { query: { kind: "alert", since: seen, limit: EVENTS_MAX }, signal: context.signal })).events.forEach(add);
  await ask();
  ready = true;
  early.forEach(add);
  context.whenLive(() => ask().catch(() => {}));
  return [head("Alerts", { lead: service.debugger }), empty, list];
}

function card(event) {
  const { code, level, message, cause, advice: remedy, request_url: url } = event.data;
  return h(
    "li",
    { class: "card alertcard", data: { level } },
    h("div", { class: "top" }, h("span", { class: "badge", data: { tone: level === "warning" ? "odd" : "bad" } }, level), h("strong", { class: "mono" }, String(code)), h("span", { class: "when muted small" }, time(event.at))),
    h("p", { class: "message break" }, message),
    url && h("p", { class: "mono small break muted" }, url),
    cause && h("p", { class: "small" }, cause, remedy && [" ", h("strong", {}, remedy)]),
    h("p", { class: "row small" }, event.fax_sid && h("a", { href: at(`/console/faxes/${event.fax_sid}`) }, "The conversation"), h("a", { href: service.aboutCode(code), rel: "noreferrer", target: "_blank" }, `${service.name} on ${code}`)),
  );
}
