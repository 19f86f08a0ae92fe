//! The page on which a number is searched for and bought, as Twilio's guide to receiving faxes describes.

import { at, forget, rest, world } from "./api.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { service } from "./service.js";
import { button, dialog, field, head, once, outcome, problemNote, select, toast } from "./ui.js";

const COUNTRIES = [["US", "United States"], ["CA", "Canada"], ["GB", "United Kingdom"], ["JP", "Japan"], ["DE", "Germany"]];
const KINDS = [["Local", "Local"], ["TollFree", "Toll-free"], ["Mobile", "Mobile"], ["National", "National"]];
/** The number of search results that are requested and shown. */
const SHOWN = 30;

/** The page. */
export async function page(context) {
  context.title("Buy a number");
  await world();
  const value = (name, otherwise = "") => context.query.get(name) ?? otherwise;
  const country = select(COUNTRIES, value("country", "US"));
  const kind = select(KINDS, value("type", "Local"));
  const area = h("input", { type: "text", inputmode: "numeric", maxlength: 5, value: value("area"), placeholder: "any", autocomplete: "off" });
  const contains = h("input", { type: "text", value: value("contains"), placeholder: "digits, letters, *", autocomplete: "off", spellcheck: "false" });
  const fax = h("input", { type: "checkbox", checked: value("fax") === "1" });
  const results = h("div", { class: "stack", "aria-live": "polite" });

  const search = once(async () => {
    history.replaceState(null, "", at("/console/phone-numbers/search", { country: country.value, type: kind.value, area: area.value.trim(), contains: contains.value.trim(), fax: fax.checked ? "1" : "" }));
    const params = { PageSize: SHOWN, AreaCode: area.value.trim() || null, Contains: contains.value.trim() || null, FaxEnabled: fax.checked ? "true" : null };
    const answer = await rest("GET", `/2010-04-01/Accounts/{account}/AvailablePhoneNumbers/${country.value}/${kind.value}.json`, params, { signal: context.signal });
    show(results, answer.available_phone_numbers, context);
  }, (problem) => fill(results, problemNote(problem)));

  if (context.query.has("country")) context.shown = () => search();
  return [
    head("Buy a number", { back: ["Numbers", at("/console/phone-numbers/incoming")], lead: service.isSignalWire ? "The numbers are invented and free." : "The numbers are invented and free. As at Twilio, not every number can fax." }),
    h(
      "form",
      { class: "card pad stack", on: { submit: search } },
      h("div", { class: "fields" }, field("Country", country), field("Type", kind), field("Area code", area, { hint: "United States and Canada" }), field("Contains", contains)),
      h("div", { class: "row" }, h("fieldset", { class: "grow" }, h("legend", {}, "Capabilities"), h("label", { class: "check" }, fax, "Fax")), button("Search", null, { kind: "first", type: "submit", mark: "search" })),
    ),
    results,
  ];
}

function show(results, numbers, context) {
  if (numbers.length === 0) {
    fill(results, h("div", { class: "card empty" }, icon("search"), h("h2", {}, "No matching number"), h("p", {}, "Try another area code or type.")));
    return;
  }
  const rows = numbers.map((number) => {
    const can = number.capabilities ?? {};
    const words = [["voice", "Voice"], ["SMS", "SMS"], ["MMS", "MMS"], ["fax", "Fax"]].filter(([name]) => can[name]).map(([, text]) => h("span", { class: `tag${text === "Fax" ? " strong" : ""}` }, text));
    const place = [number.locality ?? number.rate_center, number.region, number.iso_country].filter(Boolean).join(", ");
    return h("tr", {}, h("td", { class: "number mono", id: `offer-${number.phone_number.slice(1)}` }, number.phone_number), h("td", { class: "name" }, place), h("td", { class: "can" }, h("span", { class: "tags" }, words)), h("td", { class: "act" }, button("Buy", () => ask(number, context), { kind: "small", "aria-describedby": `offer-${number.phone_number.slice(1)}` })));
  });
  fill(results, h("div", { class: "card scroll numbers" }, h("table", {}, h("caption", { class: "unseen" }, `${numbers.length} numbers`), h("thead", {}, h("tr", {}, ["Number", "Place", "Capabilities", ""].map((name) => h("th", { scope: "col" }, name || h("span", { class: "unseen" }, "Buy"))))), h("tbody", {}, rows))));
}

/** Asks for confirmation, buys the number, and goes to its page. */
function ask(number, context) {
  const told = outcome();
  let bought = false;
  const buy = once(async () => {
    if (bought) return;
    bought = true;
    told.clear();
    try {
      const own = await rest("POST", "/2010-04-01/Accounts/{account}/IncomingPhoneNumbers.json", { PhoneNumber: number.phone_number });
      forget();
      box.close();
      toast(`${own.phone_number} is yours.`);
      context.go(at(`/console/phone-numbers/incoming/${own.sid}`));
    } catch (problem) {
      bought = false;
      throw problem;
    }
  }, told.fail);
  const yes = button("Buy", buy, { kind: "first" });
  const box = dialog(`Buy ${number.phone_number}?`, h("div", { class: "stack" }, h("p", {}, number.capabilities?.fax ? "It can receive faxes; switch it to faxes on its page." : "This number can't receive faxes."), told.element, h("div", { class: "end" }, button("Close", () => box.close()), yes)));
  yes.focus();
}
