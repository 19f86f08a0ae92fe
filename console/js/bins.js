//! The world's TwiML bins: TwiML with an address of its own, which answers a number's calls without an app.

import { at, control, forget, rest, world } from "./api.js";
import { h } from "./dom.js";
import { count } from "./format.js";
import { icon } from "./icons.js";
import { service } from "./service.js";
import { button, code, confirm, copyButton, dialog, field, head, once, outcome, select, time, toast } from "./ui.js";

const NUMBERS = "/2010-04-01/Accounts/{account}/IncomingPhoneNumbers";
const SIMPLEST = "<Response>\n  <Receive/>\n</Response>";

/** The page. */
export async function page(context) {
  forget();
  const [{ twiml_bins: bins }, own] = await Promise.all([control("GET", "/twiml-bins"), world()]);
  context.title(service.bins);
  const create = button("New bin", () => edit(null, context), { kind: "first", mark: "plus" });
  return [
    head(service.bins, { actions: bins.length > 0 ? [create] : [], lead: `Stored ${service.markup} that answers a number's calls, so that receiving a fax needs no app.` }),
    bins.length > 0
      ? h("ul", { class: "worlds" }, bins.map((bin) => card(bin, own.numbers, context)))
      : h("div", { class: "card empty" }, icon("bins"), h("h2", {}, "No bins yet"), h("p", {}, "A bin with <Receive/> accepts every fax; one with <Reject/> accepts none."), create),
  ];
}

function card(bin, numbers, context) {
  const remove = once(async () => {
    const used = bin.numbers.length > 0 ? ` Calls to ${bin.numbers.join(", ")} will then get an error from the bin's URL.` : "";
    if (!(await confirm(`Delete ${bin.name}?`, `This can't be undone.${used}`, "Delete"))) return;
    await control("DELETE", `/twiml-bins/${bin.sid}`);
    toast("Deleted.");
    context.reload();
  });
  const others = numbers.filter((number) => !bin.numbers.includes(number.phone_number));
  const choice = select(others.map((number) => [number.sid, number.phone_number]), others[0]?.sid, { "aria-label": `Number for ${bin.name}` });
  const use = once(async () => {
    await rest("POST", `${NUMBERS}/${choice.value}.json`, { VoiceUrl: bin.url, VoiceMethod: "POST", VoiceReceiveMode: "fax" });
    toast("The number uses this bin now.");
    context.reload();
  });
  const used = bin.numbers.map((text) => {
    const sid = numbers.find((number) => number.phone_number === text)?.sid;
    return h("a", { class: "mono nowrap", href: at(`/console/phone-numbers/incoming/${sid}`) }, text);
  });
  return h(
    "li",
    { class: "card pad stack tight" },
    h("div", { class: "row top" }, h("h2", { class: "break" }, bin.name)),
    code(bin.twiml, service.markup),
    h("dl", { class: "facts" }, h("div", { class: "long" }, h("dt", {}, "URL"), h("dd", {}, h("span", { class: "copyline" }, h("span", { class: "mono break" }, bin.url), copyButton(bin.url, "Copy URL")))), h("div", {}, h("dt", {}, "Numbers"), h("dd", {}, used.length > 0 ? h("span", { class: "tags" }, used) : h("span", { class: "muted" }, "none"))), h("div", {}, h("dt", {}, "Requested"), h("dd", {}, count(bin.requests, "time"), bin.last_request && [", last ", time(bin.last_request)]))),
    h("div", { class: "row" }, others.length > 0 && [choice, button("Use for this number", use, { kind: "small" })], button("Edit", () => edit(bin, context), { kind: "small", label: `Edit ${bin.name}` }), button("Delete", remove, { kind: "small grave", label: `Delete ${bin.name}` })),
  );
}

/** Opens the form for a bin, or for a new one if `bin` is null. */
function edit(bin, context) {
  const told = outcome();
  const name = h("input", { type: "text", maxlength: 255, value: bin?.name ?? "", placeholder: "Untitled", autocomplete: "off" });
  const twiml = h("textarea", { class: "mono", rows: 8, spellcheck: "false", required: true, value: bin?.twiml ?? SIMPLEST });
  const save = once(async () => {
    told.clear();
    const body = { twiml: twiml.value };
    if (name.value.trim()) body.name = name.value.trim();
    await control("POST", bin ? `/twiml-bins/${bin.sid}` : "/twiml-bins", { body });
    box.close();
    context.reload();
  }, told.fail);
  const box = dialog(bin ? `Edit ${bin.name}` : "New bin", h("form", { class: "stack", on: { submit: save } }, field("Name", name), field(service.markup, twiml, { hint: "<Receive> with action, method, mediaType, pageSize or storeMedia; or <Reject>" }), told.element, h("div", { class: "end" }, button("Cancel", () => box.close()), button(bin ? "Save" : "Create", null, { kind: "first", type: "submit" }))));
}
