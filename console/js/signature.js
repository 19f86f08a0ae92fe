//! Why a signature doesn't match: what the app computed, or the URL that it checked, compared with what the emulator signed.

import { control } from "./api.js";
import { fill, h } from "./dom.js";
import { button, copyButton, field, note, once, problemNote } from "./ui.js";

const HEADERS = ["x-signalwire-signature", "x-twilio-signature"];
/** The statuses with which an app refuses a request whose signature it finds invalid. */
const REFUSALS = [401, 403];
/** The signature in a request's headers, or an empty string if the request was sent without one. */
function sent(data) {
  const found = Object.entries(data.request_headers ?? {}).find(([name]) => HEADERS.includes(name.toLowerCase()));
  return found ? String(found[1]) : "";
}

/**
 * The part of an exchange that explains its signature; null for the request for a document, and for a webhook that has no signature and
 * that the app didn't refuse.
 */
export function signaturePart(data) {
  const signature = sent(data);
  const refused = REFUSALS.includes(data.status);
  // The explanations are about webhooks, not about the request for a document, although Twilio accounts sign that one, too.
  if (data.purpose === "media-url" || (!signature && !refused)) return null;
  const place = h("div", { role: "status" });
  const input = h("input", { type: "text", spellcheck: "false", autocomplete: "off", placeholder: "abc…= or https://…" });
  const ask = once(() => explain(data, signature, input.value.trim(), place), (problem) => fill(place, problemNote(problem)));
  return h(
    "details",
    { class: "part signature", open: refused },
    h("summary", {}, refused ? `Signature: did the app refuse it with ${data.status}?` : "Signature"),
    signature ? h("p", { class: "copyline" }, h("code", { class: "break" }, signature), copyButton(signature, "Copy the signature")) : h("p", { class: "muted small" }, "This request was sent without a signature."),
    h("form", { class: "row", on: { submit: ask } }, field("What did your app compute, or which URL did it check?", input, { kind: "grow" }), button("Explain", null, { kind: "small", mark: "key", type: "submit" })),
    place,
  );
}

/** Formats the mistakes that the control API names, as in `Port and trailing slash`. */
function named(mistakes) {
  const words = mistakes.map((each) => each.replaceAll("-", " ")).join(" and ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

async function explain(data, signature, given, place) {
  const isUrl = /^https?:\/\//i.test(given);
  const question = isUrl ? { app_url: given } : { signature: given || signature };
  const answer = await control("POST", "/explain-signature", { body: { url: data.url, params: data.method === "GET" ? {} : data.params, ...question } });
  fill(
    place,
    answer.valid
      ? note("good", given && !isUrl ? "Your app computed the valid signature of this request." : isUrl ? "This is the URL that was called, so your app computes the valid signature if it has the right key and parameters." : "This is the valid signature of this URL and these parameters, made with this world's key.")
      : note("bad", h("strong", {}, `${named(answer.mistakes)}: `), answer.detail ?? ""),
    h("details", { class: "more" }, h("summary", {}, "What is signed"), h("pre", { class: "body", tabindex: "0", "aria-label": "What is signed" }, String(answer.signed ?? ""))),
    table(answer),
  );
}

/** The valid signature, and those that result from single mistakes; the one that the app computed is marked. */
function table(answer) {
  const rows = [{ name: "Valid", url: null, detail: "What the emulator computes", signature: answer.expected, matches: answer.valid }, ...(answer.variants ?? []).map((variant) => ({ ...variant, name: named([variant.mistake]) }))];
  const matching = rows.filter(({ matches }) => matches);
  const row = ({ name, url, detail, signature, matches }) => h("tr", { class: matches ? "matches" : null }, h("th", { scope: "row" }, name), h("td", { class: "break" }, url ? h("code", {}, url) : detail), h("td", {}, h("code", { class: "break" }, signature), matches && h("strong", {}, " yours")));
  return h(
    "details",
    { class: "more", open: matching.some(({ name }) => name !== "Valid") },
    h("summary", {}, `Signatures of ${rows.length - 1} usual mistakes`),
    h("div", { class: "scroll variants", tabindex: "0", role: "group", "aria-label": "Signatures of usual mistakes" }, h("table", {}, h("thead", {}, h("tr", {}, ["Mistake", "What is signed", "Signature"].map((name) => h("th", { scope: "col" }, name)))), h("tbody", {}, [...matching, ...rows.filter(({ matches }) => !matches)].map(row)))),
  );
}
