//! Sending a fax, by the same REST call that an app makes. The fax's page then shows its progress.

import { at, rest, world } from "./api.js";
import { fill, h } from "./dom.js";
import { phone } from "./format.js";
import { askSamples, usual } from "./receive.js";
import { faxesOf, service } from "./service.js";
import { snippets } from "./snippets.js";
import { button, code, field, head, once, outcome, select } from "./ui.js";

/** Test numbers: the outcome of a fax to each, and Twilio's error code. Of these codes, SignalWire has only 34004. */
const BEHAVE = [
  ["+15558675310", "delivered"],
  ["+15005550101", "busy", 34002],
  ["+15005550102", "no answer", 34003],
  ["+15005550103", "fails before any page", 34004],
  ["+15005550104", "fails after page 1", 34004],
  ["+15005550105", "incompatible machine", 34108],
  ["+15005550106", "delivered over a slow noisy line"],
  ["+15005550107", "busy twice, then delivered unless the Ttl is too short"],
];

const behaviour = (words, code) => (code && (!service.isSignalWire || code === 34004) ? `${words}, ${code}` : words);

/** The page. */
export async function page(context) {
  context.title("Send a fax");
  const [own, samples] = await Promise.all([world(), askSamples()]);
  const callers = own.numbers.map((number) => number.phone_number);
  const from = h("input", { type: "text", value: usual(own.numbers) ?? "", list: "callers", autocomplete: "off", spellcheck: "false", required: true });
  const to = h("input", { type: "text", value: context.query.get("to") ?? "+15558675310", autocomplete: "off", spellcheck: "false", required: true });
  const behaviours = h("div", { class: "chips", role: "group", "aria-label": "Test numbers" }, BEHAVE.map(([number, words, code]) => h("button", { type: "button", on: { click: () => { to.value = number; shown(); } } }, h("span", { class: "mono" }, phone(number)), h("span", { class: "muted" }, behaviour(words, code)))));
  const media = h("input", { type: "url", placeholder: "http://localhost:3000/letter.pdf", value: samples[0] ? new URL(samples[0].url, location.href).href : "", autocomplete: "off", spellcheck: "false", required: true });
  const sample = samples.length > 0 && select([["", "Choose…"], ...samples.map((each, i) => [String(i), each.title])], "", { on: { change: () => { if (sample.value) media.value = new URL(samples[Number(sample.value)].url, location.href).href; shown(); } } });
  const quality = select([["", "Fine (default)"], ["standard", "Standard"], ["fine", "Fine"], ["superfine", "Superfine"]], "");
  const callback = h("input", { type: "url", placeholder: "http://localhost:3000/status", autocomplete: "off", spellcheck: "false" });
  const ttl = h("input", { type: "number", min: 1, placeholder: "none", inputmode: "numeric" });
  const store = h("input", { type: "checkbox", checked: true });
  const command = h("div", {});

  const order = () => ({ From: from.value.trim(), To: to.value.trim(), MediaUrl: media.value.trim(), Quality: quality.value || null, StatusCallback: callback.value.trim() || null, Ttl: ttl.value || null, StoreMedia: store.checked ? null : "false" });
  const shown = () => {
    const params = Object.fromEntries(Object.entries(order()).filter(([, value]) => value !== null));
    const text = snippets.curl({ method: "POST", url: `${location.origin}${faxesOf(own.sid)}`, params }).replace("curl -X POST", () => `curl -X POST -u "${own.sid}:${service.tokenVariable}"`);
    fill(command, code(text, "The same with curl"));
  };
  shown();
  const told = outcome({ From: from, To: to, MediaUrl: media, StatusCallback: callback, Ttl: ttl });
  const send = once(async () => {
    told.clear();
    const fax = await rest("POST", service.faxes, order());
    context.go(at(`/console/faxes/${fax.sid}`));
  }, told.fail);

  return [
    head("Send a fax", { back: ["Faxes", at("/console")], lead: `Sends a fax as an app does, by POST ${service.isSignalWire ? "…/Faxes" : service.faxes}. The emulator fetches the document from its URL, as ${service.name} would.` }),
    h(
      "form",
      { class: "stack", on: { submit: send, input: shown } },
      h("div", { class: "card pad stack" }, h("div", { class: "fields" }, field("From", from, { hint: "A number of this account, or a verified caller ID" }), field("To", to, { hint: "Faxes to any valid number are delivered, except to those of these test numbers that name another outcome:" })), behaviours, h("datalist", { id: "callers" }, callers.map((number) => h("option", { value: number })))),
      h("div", { class: "card pad fields" }, field("MediaUrl", media, { hint: "The document's URL", kind: "wide" }), sample && field("Sample document", sample), field("Quality", quality), field("StatusCallback", callback, { hint: "Notified of each status" }), field("Ttl", ttl, { hint: "Minutes during which a busy or unanswered number is called again" }), h("div", { class: "field" }, h("span", { class: "label" }, "StoreMedia"), h("label", { class: "check" }, store, "Keep the document"))),
      told.element,
      h("div", { class: "row" }, button("Send it", null, { kind: "first", type: "submit", mark: "out" })),
      command,
    ),
  ];
}
