//! A fax: its pages, its facts, and the conversation about it, live.

import { at, control, controlUrl, rest, world } from "./api.js";
import { Conversation } from "./conversation.js";
import { fill, h, say } from "./dom.js";
import { count, isFinal, phone, span } from "./format.js";
import { icon } from "./icons.js";
import { ruleOfFax } from "./makerule.js";
import { service } from "./service.js";
import { badge, button, confirm, copyButton, linkButton, note, once, setBadge, time, toast } from "./ui.js";
import { Viewer } from "./viewer.js";

const QUALITIES = { standard: "standard, 204 × 98 dpi", fine: "fine, 204 × 196 dpi", superfine: "superfine, 204 × 391 dpi" };
/** The fax is asked for again at most this often while it goes over the line. */
const REFRESH_MS = 250;
/** Events asked for at once. */
const EVENTS_MAX = 5000;

/** A text that stays on one line. */
const unbroken = (text) => text.replaceAll(" ", "\u00a0");

/** The page. */
export async function page(context) {
  await world();
  const fax = new FaxPage(context, context.params[0]);
  context.events((events) => fax.hear(events.filter((event) => event.fax_sid === fax.sid)));
  context.whenLive(() => fax.catchUp());
  await fax.load();
  context.keys = fax.viewer.keys();
  context.onLeave(() => fax.viewer.close());
  context.shown = () => fax.viewer.measure();
  return fax.view();
}

class FaxPage {
  constructor(context, sid) {
    this.context = context;
    this.sid = sid;
    this.resource = null;
    this.seq = 0;
    this.viewer = new Viewer(sid);
    this.conversation = new Conversation(context);
    this.status = badge("ringing");
    this.pages = h("span", { class: "muted" });
    this.title = h("h1", { tabindex: "-1" }, "Fax");
    this.actions = h("div", { class: "actions" });
    const exports = [["JSON", "json"], ["HAR", "har"], ["Markdown for an issue", "md"]];
    this.exports = h(
      "details",
      { class: "more" },
      h("summary", {}, "Export"),
      h("div", { class: "actions" }, exports.map(([name, ending]) => linkButton(name, controlUrl(`/faxes/${sid}/conversation.${ending}`), { kind: "small", mark: "down", download: `${sid}.${ending}` }))),
    );
    this.facts = h("dl", { class: "facts" });
    this.trouble = h("div", {});
    this.extra = {};
  }

  view() {
    return [
      h("a", { class: "back", href: at("/console") }, icon("left"), "Faxes"),
      h("header", { class: "head fax-title" }, this.title, this.status, this.pages, this.actions),
      this.trouble,
      h(
        "div",
        { class: "fax" },
        this.viewer.element,
        h("div", { class: "stack" }, h("section", { class: "card pad", "aria-labelledby": "facts" }, h("h2", { id: "facts" }, "Facts"), this.facts, this.exports), this.conversation.element),
      ),
    ];
  }

  async load() {
    const [resource] = await Promise.all([this.ask(), this.readJournal()]);
    // A call that has only just begun has left no trace yet.
    const call = this.context.keep?.call;
    if (call) this.extra = { from: call.from, to: call.to, ...this.extra };
    if (!resource && this.seq === 0 && !call) throw new Error(`There is no fax ${this.sid} in this world.`);
    this.resource = resource;
    this.show();
  }

  /** The fax, or nothing while the call still rings. The control API is asked, so that looking leaves no trace. */
  async ask() {
    try {
      return await control("GET", `/faxes/${this.sid}`, { signal: this.context.signal });
    } catch (problem) {
      if (problem.status === 404) return null;
      throw problem;
    }
  }

  /** Asks for what the journal holds beyond what is shown; what is heard meanwhile waits, so that all stays in order. */
  async readJournal() {
    this.waiting ??= [];
    try {
      const { events } = await control("GET", "/events", { query: { fax: this.sid, since: this.seq, limit: EVENTS_MAX }, signal: this.context.signal });
      this.waiting.push(...events);
    } finally {
      const all = this.waiting.sort((a, b) => a.seq - b.seq);
      this.waiting = null;
      this.take(all);
    }
  }

  async catchUp() {
    try {
      await this.readJournal();
      this.update();
      this.refreshSoon();
    } catch {
      // The frame says that the line is lost.
    }
  }

  hear(events) {
    if (this.waiting) {
      this.waiting.push(...events);
      return;
    }
    const before = this.seq;
    this.take(events);
    if (this.seq === before) return;
    this.update();
    if (events.some((event) => ["fax.status", "fax.page", "media.evicted", "call.not-answered"].includes(event.kind))) this.refreshSoon();
  }

  take(events) {
    for (const event of events) {
      if (event.seq <= this.seq) continue;
      this.seq = event.seq;
      this.conversation.add(event);
      const { kind, data } = event;
      if (kind === "fax.status") {
        this.current = data.new;
        this.error = data.error_message ? data : null;
      } else if (kind === "fax.page") {
        this.pageCount = data.pages;
        this.viewer.arrived(data.page, data.pages);
      } else if (kind === "document.loss") {
        this.viewer.lost(data.page, data.what);
      } else if (kind === "call.not-answered") this.current = "not-answered";
      else if (kind === "webhook.attempt") {
        for (const [name, own] of [["RemoteStationId", "station"], ["BitRate", "bitRate"], ["From", "from"], ["To", "to"]]) {
          if (data.params?.[name] !== undefined) this.extra[own] ??= data.params[name];
        }
      }
    }
  }

  refreshSoon() {
    this.timer ??= setTimeout(async () => {
      this.timer = null;
      try {
        this.resource = (await this.ask()) ?? this.resource;
        this.show();
      } catch {
        // As above.
      }
    }, REFRESH_MS);
  }

  show() {
    this.update();
    this.showActions();
  }

  update() {
    const fax = this.resource;
    const status = this.current ?? fax?.status ?? "ringing";
    const from = fax?.from ?? this.extra.from;
    const to = fax?.to ?? this.extra.to;
    const words = from || to ? `Fax from ${unbroken(phone(from))} to ${unbroken(phone(to))}` : "Incoming call";
    say(this.title, words);
    this.context.title(words);
    setBadge(this.status, status);
    const pages = fax?.num_pages ?? this.pageCount ?? null;
    say(this.pages, pages === null ? "" : count(pages, "page"));
    this.viewer.show({ pages, isOver: isFinal(status), hasMedia: Boolean(fax?.media_sid), status });
    this.showTrouble(status);
    this.showFacts(status, pages);
  }

  showTrouble(status) {
    const text = this.resource?.error_message ?? this.error?.error_message;
    const number = this.resource?.error_code ?? this.error?.error_code;
    const advice = this.resource?.advice;
    const key = `${status} ${text} ${advice}`;
    if (this.told === key) return;
    this.told = key;
    if (status === "not-answered") fill(this.trouble, note("odd", "No app took the call, so there is no fax. ", text ? `${text}. ` : "", advice && h("p", {}, `${this.resource.cause} `, h("em", {}, "What to do: "), advice), "The conversation shows why."));
    else if (text && isFinal(status)) fill(this.trouble, note(status === "failed" ? "bad" : "odd", h("strong", {}, `${text}. `), advice && h("p", {}, `${this.resource.cause} `, h("em", {}, "What to do: "), advice), number && [`${service.name}'s code ${number}. `, h("a", { href: service.aboutCode(number), rel: "noreferrer", target: "_blank" }, `What ${service.name} says about it`)]));
    else fill(this.trouble);
  }

  showFacts(status, pages) {
    const fax = this.resource ?? {};
    const station = fax.remote_station_id ?? this.extra.station;
    const rate = fax.bit_rate ?? this.extra.bitRate;
    const rows = [
      ["From", phone(fax.from ?? this.extra.from)],
      ["To", phone(fax.to ?? this.extra.to)],
      ["Direction", fax.direction],
      ["Remote station", station],
      ["Quality", QUALITIES[fax.quality] ?? fax.quality],
      ["Pages", pages === null ? null : String(pages)],
      ["Duration", fax.duration === null || fax.duration === undefined ? null : span(fax.duration)],
      ["Bit rate", rate ? `${Number(rate).toLocaleString("en")} bit/s` : null],
      ["Price", fax.price === null || fax.price === undefined ? null : `${fax.price} ${fax.price_unit ?? ""}`],
      ["Created", fax.date_created && time(fax.date_created)],
      ["Fax SID", h("span", { class: "copyline" }, h("span", { class: "mono break" }, this.sid), copyButton(this.sid, "Copy fax SID"))],
      ["Media SID", fax.media_sid && h("span", { class: "copyline" }, h("span", { class: "mono break" }, fax.media_sid), copyButton(fax.media_sid, "Copy media SID"))],
      ["Media URL", fax.media_sid && button(`Copy ${service.mediaUrl[0]}`, once(() => this.mediaUrl()), { kind: "small", mark: "copy", title: service.mediaUrl[1] })],
    ];
    const key = JSON.stringify(rows.map(([name, value]) => [name, value instanceof Element ? value.textContent : value]));
    if (this.factsKey === key) return;
    this.factsKey = key;
    fill(this.facts, rows.filter(([, value]) => value).map(([name, value]) => h("div", { class: name.endsWith(" SID") ? "long" : null }, h("dt", {}, name), h("dd", { class: "break" }, value))));
  }

  showActions() {
    const fax = this.resource;
    if (!fax) return;
    const over = isFinal(fax.status);
    const key = `${fax.media_sid} ${over}`;
    if (this.actionsKey === key) return;
    this.actionsKey = key;
    fill(
      this.actions,
      fax.media_type && ["PDF", "TIFF"].map((kind) => this.file(kind)),
      !over && button("Cancel the fax", once(() => this.cancel()), { kind: "grave" }),
      ruleOfFax(fax),
      over && fax.status !== "not-answered" && button("Delete", once(() => this.remove()), { kind: "grave", mark: "trash" }),
    );
  }

  file(kind) {
    const ending = kind.toLowerCase();
    return linkButton(kind, controlUrl(`/faxes/${this.sid}/document.${ending}`), { mark: "down", download: `${this.sid}.${ending}`, "aria-label": `Download ${kind}` });
  }

  async mediaUrl() {
    const fax = await rest("GET", `${service.faxes}/${this.sid}`);
    if (!fax.media_url) throw new Error("The document has been deleted.");
    await navigator.clipboard?.writeText(fax.media_url);
    toast(`Copied the media URL. ${service.mediaUrl[1]}.`);
  }

  async cancel() {
    await rest("POST", `${service.faxes}/${this.sid}`, { Status: "canceled" });
    toast("Canceled.");
  }

  async remove() {
    if (!(await confirm("Delete this fax?", "This deletes the fax and its document, as DELETE in the API does.", "Delete"))) return;
    await rest("DELETE", `${service.faxes}/${this.sid}`);
    toast("Deleted.");
    this.context.go(at("/console"));
  }
}
