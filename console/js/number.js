//! A number's page: what it accepts, and which URLs the emulator calls. The fields are named as in Twilio's Console.

import { at, forget, rest, world } from "./api.js";
import { h } from "./dom.js";
import { phone } from "./format.js";
import { service } from "./service.js";
import { button, confirm, copyButton, field, head, linkButton, note, once, outcome, select, toast } from "./ui.js";

const METHODS = [["POST", "HTTP POST"], ["GET", "HTTP GET"]];
const ROOT = "/2010-04-01/Accounts/{account}/IncomingPhoneNumbers";

/** The page. */
export async function page(context) {
  const sid = context.params[0];
  forget();
  const [number, own] = await Promise.all([rest("GET", `${ROOT}/${sid}.json`), world()]);
  // SignalWire's own resource doesn't say what a number accepts.
  const mode = own.numbers.find((each) => each.sid === sid)?.voice_receive_mode ?? number.voice_receive_mode;
  context.title(number.phone_number);
  const address = (value, placeholder) => h("input", { type: "text", inputmode: "url", value: value ?? "", placeholder, autocomplete: "off", spellcheck: "false" });
  const name = h("input", { type: "text", maxlength: 64, value: number.friendly_name ?? "", autocomplete: "off" });
  const accepts = select([["voice", "Voice Calls"], ["fax", "Faxes"]], mode === "fax" ? "fax" : "voice", { on: { change: () => tell() } });
  const url = address(number.voice_url, "http://localhost:3000/fax");
  const method = select(METHODS, number.voice_method ?? "POST", { "aria-label": "Method of A Fax Comes In" });
  const fallback = address(number.voice_fallback_url, "none");
  const fallbackMethod = select(METHODS, number.voice_fallback_method ?? "POST", { "aria-label": "Method of Primary Handler Fails" });
  const callback = address(number.status_callback, "none");
  const callbackMethod = select(METHODS, number.status_callback_method ?? "POST", { "aria-label": "Method of Fax Status Changes" });
  const row = (words, input, choice, hint) => {
    const element = field(words, input, { hint });
    const both = h("div", { class: "with" });
    input.replaceWith(both);
    both.append(input, choice);
    return element;
  };
  const rows = [
    row("A Fax Comes In", url, method, `Asked for ${service.markup} when a fax machine calls`),
    row("Primary Handler Fails", fallback, fallbackMethod, "Asked if the first URL fails"),
    row("Fax Status Changes", callback, callbackMethod, "Notified of how a fax ended, but only if <Receive> has no action"),
  ];
  const tell = () => {
    voiceNote.hidden = accepts.value === "fax";
  };
  const cannot = number.capabilities?.fax === false;
  const voiceNote = note(cannot ? "odd" : "", cannot ? "This number has no fax capability, so it can't be switched to faxes." : "A number that accepts voice calls doesn't answer faxes. Choose Faxes.");
  tell();
  const told = outcome({ VoiceUrl: url, VoiceFallbackUrl: fallback, StatusCallback: callback, FriendlyName: name });
  let saved = true;
  const warn = (event) => saved || event.preventDefault();
  addEventListener("beforeunload", warn);
  context.onLeave(() => removeEventListener("beforeunload", warn));
  context.mayLeave = () => saved || confirm("Leave without saving?", "Your changes to this number are not saved yet.", "Leave", { keep: "Stay" });
  const save = once(async () => {
    told.clear();
    const answer = await rest("POST", `${ROOT}/${sid}.json`, {
      FriendlyName: name.value, VoiceReceiveMode: accepts.value, VoiceUrl: url.value.trim(), VoiceMethod: method.value,
      VoiceFallbackUrl: fallback.value.trim(), VoiceFallbackMethod: fallbackMethod.value, StatusCallback: callback.value.trim(), StatusCallbackMethod: callbackMethod.value,
    });
    saved = true;
    forget();
    if (answer.voice_receive_mode) accepts.value = answer.voice_receive_mode === "fax" ? "fax" : "voice";
    tell();
    told.good("Saved.");
  }, told.fail);
  const release = once(async () => {
    if (!(await confirm(`Release ${number.phone_number}?`, "It returns to the inventory, and its settings are lost.", "Release"))) return;
    await rest("DELETE", `${ROOT}/${sid}.json`);
    saved = true;
    forget();
    toast("Released.");
    context.go(at("/console/phone-numbers/incoming"));
  });
  const can = Object.entries(number.capabilities ?? {}).filter(([, has]) => has).map(([word]) => h("span", { class: "tag" }, { voice: "Voice", sms: "SMS", mms: "MMS", fax: "Fax" }[word.toLowerCase()] ?? word));
  return [
    head(number.phone_number, { back: ["Numbers", at("/console/phone-numbers/incoming")], actions: [linkButton("Receive a fax on it", at("/console/receive", { to: number.phone_number }), { mark: "in" })] }),
    h("p", { class: "row top muted small" }, h("span", {}, phone(number.phone_number)), h("span", { class: "tags" }, can), h("span", { class: "copyline" }, h("span", { class: "mono" }, number.sid), copyButton(number.sid, "Copy number SID"))),
    h(
      "form",
      { class: "stack", on: { submit: save, input: () => { saved = false; } }, novalidate: true },
      h("div", { class: "card pad stack" }, h("h2", {}, "Voice and fax"), h("div", { class: "fields" }, field("Accepts", accepts), field("Friendly name", name)), voiceNote, rows),
      told.element,
      h("div", { class: "row" }, button("Save", null, { kind: "first", type: "submit" }), button("Release the number", release, { kind: "grave" })),
    ),
  ];
}
