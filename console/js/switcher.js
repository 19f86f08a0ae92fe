//! The switcher of worlds: type a few letters, choose with the arrow keys, and see the same page of another world.

import { control, world } from "./api.js";
import { fill, freshId, h, say } from "./dom.js";
import { ago, count } from "./format.js";
import { remember, worldMark } from "./names.js";
import { dialog } from "./ui.js";

/** The maximum number of worlds that are listed; the others are found by typing. */
const SHOWN = 50;
/** Pages in place of which the switcher shows the faxes of the other world: those of one fax or number, and of all worlds. */
const OF_ONE = /^\/console\/all$|[\da-fA-F-]{32}$/;

/** The worlds, the one with the newest activity first. */
export const byActivity = (accounts) => [...accounts].sort((a, b) => (b.last_activity ?? "").localeCompare(a.last_activity ?? "") || b.date_created.localeCompare(a.date_created));

/** The worlds in whose name, SID, dialect or numbers each word of a text occurs. */
export function matching(accounts, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return accounts.filter((each) => {
    const own = `${each.friendly_name} ${each.sid} ${each.dialect} ${each.numbers.map((number) => number.phone_number).join(" ")}`.toLowerCase();
    return words.every((word) => own.includes(word));
  });
}

/** Opens the switcher; `go` shows the chosen world. */
export async function openSwitcher(go) {
  if (document.querySelector("dialog[open]")) return;
  const [{ accounts }, own] = await Promise.all([control("GET", "/accounts"), world().catch(() => null)]);
  remember(accounts);
  const sorted = byActivity(accounts);
  const [listId, told] = [freshId("worlds"), h("p", { class: "muted small", role: "status" })];
  const list = h("ul", { class: "choices", id: listId, role: "listbox", "aria-label": "Worlds" });
  const input = h("input", { type: "search", role: "combobox", "aria-label": "Filter the worlds", "aria-controls": listId, "aria-expanded": "true", "aria-autocomplete": "list", autocomplete: "off", spellcheck: "false", placeholder: "Name, SID or number" });
  let chosen = 0;
  const mark = (next) => {
    const options = [...list.children];
    chosen = Math.max(0, Math.min(options.length - 1, next));
    options.forEach((option, i) => option.setAttribute("aria-selected", String(i === chosen)));
    input.setAttribute("aria-activedescendant", options[chosen]?.id ?? "");
    options[chosen]?.scrollIntoView({ block: "nearest" });
  };
  const take = (address) => {
    box.close();
    go(address);
  };
  const option = (address, ...content) => h("li", { role: "option", id: freshId("choice"), "aria-selected": "false", data: { address }, on: { click: () => take(address) } }, content);
  const show = () => {
    const found = matching(sorted, input.value);
    const every = "all worlds".includes(input.value.trim().toLowerCase()) && option("/console/all", h("span", { class: "worldname" }, "All worlds"), h("span", { class: "muted small" }, "the faxes of every account in one live list"));
    fill(list, found.slice(0, SHOWN).map((each) => option(addressIn(each.sid), h("span", { class: "worldname" }, worldMark(each.sid, { isLink: false }), each.sid === own?.sid && h("span", { class: "tag strong" }, "shown here")), h("span", { class: "muted small" }, holds(each)))), every);
    say(told, found.length > SHOWN ? `${count(found.length, "world")}; the ${SHOWN} with the latest activity are shown. Type to find others.` : found.length === 0 ? "No world matches." : count(found.length, "world"));
    // The first choice is another world: the current one needs no choosing.
    mark(!input.value && found.length > 1 && found[0].sid === own?.sid ? 1 : 0);
  };
  input.addEventListener("input", show);
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (step) mark(chosen + step);
    else if (event.key === "Enter") take(list.children[chosen]?.dataset.address ?? location.href);
    else return;
    event.preventDefault();
  });
  const box = dialog("Switch to another world", h("div", { class: "stack tight switcher" }, h("p", { class: "muted small" }, "A world is one account with its own faxes, numbers, clock and rules."), input, list, told));
  show();
  input.focus();
}

/** The content of a world in one line. */
function holds(each) {
  return [`${each.sid.slice(0, 6)}…${each.sid.slice(-4)}`, count(each.faxes, "fax", "faxes"), each.pending > 0 && `${each.pending} pending`, each.alerts > 0 && count(each.alerts, "alert"), each.last_activity ? ago(each.last_activity) : "not used yet"].filter(Boolean).join(" · ");
}

/** The same page in another world, or its faxes. */
function addressIn(sid) {
  const path = OF_ONE.test(location.pathname) ? "/console" : location.pathname;
  return `${path}?account=${encodeURIComponent(sid)}`;
}
