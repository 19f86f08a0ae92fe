//! The world's numbers, each a link to its page.

import { at, forget, world } from "./api.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { head, linkButton } from "./ui.js";

/** The page. */
export async function page(context) {
  context.title("Numbers");
  forget();
  const own = await world();
  const rows = own.numbers.map((number) =>
    h(
      "tr",
      {},
      h("td", { class: "number" }, h("a", { class: "mono", href: at(`/console/phone-numbers/incoming/${number.sid}`) }, number.phone_number)),
      h("td", { class: "name break" }, number.friendly_name),
      h("td", { class: "mode" }, h("span", { class: "tag" }, number.voice_receive_mode === "fax" ? "Faxes" : "Voice Calls")),
      h("td", { class: "url mono break small" }, number.voice_url || h("span", { class: "muted" }, "no URL yet")),
    ),
  );
  const buy = linkButton("Buy a number", at("/console/phone-numbers/search"), { kind: "first", mark: "plus" });
  return [
    head("Numbers", { actions: rows.length > 0 ? [buy] : [], lead: "The numbers of this account, and what happens when one is called." }),
    rows.length > 0
      ? h("div", { class: "card scroll numbers" }, h("table", {}, h("caption", { class: "unseen" }, "Numbers"), h("thead", {}, h("tr", {}, ["Number", "Name", "Accepts", "A Fax Comes In"].map((name) => h("th", { scope: "col" }, name)))), h("tbody", {}, rows)))
      : h("div", { class: "card empty" }, icon("numbers"), h("h2", {}, "No numbers yet"), h("p", {}, "Buying costs nothing here."), buy),
  ];
}
