//! Receiving a fax: a document or a sample, who calls whom, and how the line behaves. The fax's page then shows its progress.

import { at, control, world } from "./api.js";
import { fill, h, say } from "./dom.js";
import { phone, size } from "./format.js";
import { icon } from "./icons.js";
import { service } from "./service.js";
import { button, field, head, note, once, outcome, select } from "./ui.js";

/** The types of files that the file dialog offers. */
const TAKES = ".pdf,.tif,.tiff,.png,.jpg,.jpeg,application/pdf,image/tiff,image/png,image/jpeg";
/** The longest time that an upload may take. */
const PATIENCE_MS = 120_000;

const OUTCOMES = [
  ["", "Received"],
  ["34004", "The transmission breaks before the first page (34004)"],
  ["34004-after", "The transmission breaks after some pages (34004)"],
  ["34108", "The machines are incompatible (34108)"],
];

/** The page. */
export async function page(context) {
  context.title("Receive a fax");
  const [own, samples] = await Promise.all([world(), askSamples()]);
  const numbers = own.numbers.filter((number) => number.voice_receive_mode === "fax");
  const document_ = new DocumentChoice(samples, context.keep?.file);
  const to = numbers.length ? select(numbers.map((number) => [number.phone_number, label(number)]), context.query.get("to") ?? usual(numbers)) : null;
  const from = h("input", { type: "text", value: "+15558675310", autocomplete: "off", spellcheck: "false" });
  const station = h("input", { type: "text", maxlength: 20, placeholder: "the calling number", autocomplete: "off", spellcheck: "false" });
  const quality = select([["fine", "Fine, 204 × 196 dpi"], ["standard", "Standard, 204 × 98 dpi"], ["superfine", "Superfine, 204 × 391 dpi"]], "fine");
  const after = h("input", { type: "number", min: 1, value: 1, inputmode: "numeric" });
  const afterField = field("Pages before the break", after);
  afterField.hidden = true;
  const ends = select(OUTCOMES.filter(([code]) => code !== "34108" || !service.isSignalWire), "", { on: { change: () => { afterField.hidden = ends.value !== "34004-after"; } } });

  const told = outcome({ to, from, station_id: station, quality, pages: document_.pages, after_pages: after });
  const send = once(async () => {
    told.clear();
    const form = new FormData();
    document_.addTo(form);
    form.set("to", to.value);
    if (from.value.trim()) form.set("from", from.value.trim());
    if (station.value.trim()) form.set("station_id", station.value.trim());
    form.set("quality", quality.value);
    if (ends.value) form.set("outcome", JSON.stringify({ status: "failed", code: Number(ends.value.slice(0, 5)), after_pages: ends.value === "34004-after" ? Number(after.value) : 0 }));
    const call = await control("POST", "/incoming-faxes", { form, patience: PATIENCE_MS });
    context.go(at(`/console/faxes/${call.fax_sid}`), { keep: { call } });
  }, told.fail);

  if (!to) {
    return [head("Receive a fax"), h("div", { class: "card empty" }, icon("numbers"), h("h2", {}, "This account has no fax number"), h("p", {}, "A fax machine needs a number to call. Buy one, or switch one of yours to faxes."), h("a", { class: "button first", href: at("/console/phone-numbers/search") }, "Buy a number"), h("a", { class: "button", href: at("/console/phone-numbers/incoming") }, "Your numbers"))];
  }
  const silent = numbers.every((number) => !number.voice_url);
  return [
    head("Receive a fax", { back: ["Faxes", at("/console")], lead: `A fax machine calls one of this account's numbers, and the emulator asks the app behind it for ${service.markup}, as ${service.name} would.` }),
    silent && note("odd", "No number of this account has a URL for ", h("em", {}, "A Fax Comes In"), " yet, so nobody will take the call. ", h("a", { href: at(`/console/phone-numbers/${numbers[0].sid}`) }, "Set it")),
    h(
      "form",
      { class: "stack", on: { submit: send } },
      document_.element,
      h("div", { class: "card pad fields roomy" }, field("To", to), field("From", from, { hint: "A number, a SIP address or a name" }), field("Station id", station, { hint: "The calling machine's own id, at most 20 characters" }), field("Quality", quality), field("Outcome", ends), afterField),
      told.element,
      h("div", { class: "row" }, button("Receive it", null, { kind: "first", type: "submit", mark: "in" })),
    ),
  ];
}

/** A number with its name, unless the name repeats the number. */
function label(number) {
  const digits = (text) => text.replace(/\D/g, "");
  const name = number.friendly_name ?? "";
  const isNumber = name === "" || (digits(name) !== "" && digits(number.phone_number).endsWith(digits(name)));
  return `${phone(number.phone_number)}${isNumber ? "" : `, ${name}`}`;
}

/** The preselected number: one with a URL, otherwise the oldest, so that buying another number doesn't change the selection. */
export function usual(numbers) {
  return (numbers.find((number) => number.voice_url) ?? numbers.at(-1))?.phone_number;
}

/** The sample documents of this build. */
export async function askSamples() {
  const { samples } = await control("GET", "/samples");
  return samples.map((sample) => ({ name: sample.name, title: sample.name, pages: sample.pages, url: sample.url }));
}

/** A place to drop a file, and a choice of samples and test pages to use instead. */
export class DocumentChoice {
  constructor(samples, file) {
    this.samples = samples;
    this.input = h("input", { type: "file", accept: TAKES, class: "unseen", id: "document", on: { change: () => this.take(this.input.files[0]) } });
    this.words = h("span", { class: "words" });
    this.clear = button("Choose another", () => this.take(null), { kind: "small bare" });
    this.place = h("label", { class: "place", for: "document" }, icon("page"), this.words);
    for (const kind of ["dragenter", "dragover"]) this.place.addEventListener(kind, (event) => { event.preventDefault(); this.place.classList.add("over"); });
    this.place.addEventListener("dragleave", () => this.place.classList.remove("over"));
    this.place.addEventListener("drop", (event) => {
      event.preventDefault();
      event.handled = true;
      this.place.classList.remove("over");
      this.take(event.dataTransfer.files[0]);
    });
    this.pages = h("input", { type: "number", min: 1, max: 500, value: 2, inputmode: "numeric", id: "pages" });
    this.choice = select([["pages", "Test pages"], ...samples.map((sample, i) => [String(i), sample.pages ? `${sample.title}, ${sample.pages} ${sample.pages === 1 ? "page" : "pages"}` : sample.title])], "pages", { on: { change: () => this.tell() } });
    this.pagesField = field("How many pages", this.pages);
    this.instead = h("div", { class: "fields" }, field("Or a sample", this.choice), this.pagesField);
    this.element = h("section", { class: "card pad stack", "aria-label": "Document" }, this.input, this.place, this.clear, this.instead);
    this.take(file ?? null);
  }

  take(file) {
    this.file = file ?? null;
    if (!file) this.input.value = "";
    this.tell();
  }

  tell() {
    if (this.file) fill(this.words, h("strong", { class: "break" }, this.file.name), h("span", { class: "muted" }, ` ${size(this.file.size)}`));
    else fill(this.words, h("strong", {}, "Drop a document here"), h("span", { class: "muted" }, " or click to choose one: PDF, TIFF, PNG, JPEG"));
    this.place.classList.toggle("full", Boolean(this.file));
    this.clear.hidden = !this.file;
    this.instead.hidden = Boolean(this.file);
    this.pagesField.hidden = this.choice.value !== "pages";
    say(this.clear.lastChild, "Choose another");
  }

  get sample() {
    return this.choice.value === "pages" ? null : this.samples[Number(this.choice.value)];
  }

  addTo(form) {
    if (this.file) form.set("file", this.file, this.file.name);
    else if (this.sample) form.set("media_url", new URL(this.sample.url, location.href).href);
    else form.set("pages", this.pages.value);
  }
}
