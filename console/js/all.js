//! The faxes of all worlds in one live list, for watching tests that run in parallel, each with its own account.

import { control } from "./api.js";
import { List } from "./faxes.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { follow } from "./live.js";
import { learnNames, worldMark } from "./names.js";
import { Row } from "./row.js";
import { head, linkButton } from "./ui.js";

const ALL_WORLDS = {
  path: "/console/all",
  query: { account: "*" },
  heads: ["Fax", "Status", "Why", "Pages", "Took", "World", "When"],
  where: "in all worlds",
  row: (fax) => new RowOfWorld(fax),
  empty: () => h("div", { class: "card empty" }, icon("faxes"), h("h2", {}, "No faxes yet"), h("p", {}, "The faxes of all accounts appear here as soon as they exist. Give each of your tests an account of its own, and watch them run side by side."), linkButton("Connect your app", "/console/connect", { kind: "first", mark: "connect" })),
};

/** The page. */
export async function page(context) {
  context.title("All worlds");
  const { last_seq: last } = await control("GET", "/events", { query: { account: "*", limit: 0 }, signal: context.signal });
  const list = new List(context, ALL_WORLDS);
  learnNames();
  await list.load();
  context.onLeave(follow("/events", { account: "*" }, last, { arrived: (events) => list.hear(events), dropped: () => list.refreshSoon() }));
  context.onLeave(() => list.close());
  context.keys = list.keys;
  return [
    head("All worlds", { actions: [linkButton("Manage worlds", "/console/worlds", { mark: "worlds" })], lead: "The faxes of all accounts, updated live. A world is one account with its own faxes, numbers, clock and rules." }),
    list.search.element,
    list.bar,
    list.news,
    h("div", { class: "ofall" }, list.body),
    list.pager,
  ];
}

/** A row that names the world of its fax and links to the fax there. */
class RowOfWorld extends Row {
  constructor(fax) {
    super(fax);
    const account = encodeURIComponent(fax.account_sid);
    for (const link of this.element.querySelectorAll("a")) link.setAttribute("href", `/console/faxes/${fax.sid}?account=${account}`);
    this.element.lastChild.before(h("td", { class: "ofworld" }, worldMark(fax.account_sid)));
  }
}
