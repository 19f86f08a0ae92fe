//! A fax: its pages, its facts, and the conversation about it, live.

import { at, control, controlUrl, rest, world } from "./api.js";
import { Arriving } from "./arriving.js";
import { Conversation } from "./conversation.js";
import { fill, h, put, say } from "./dom.js";
import { count, isFinal, phone, span } from "./format.js";
import { icon } from "./icons.js";
import { ruleOfFax } from "./makerule.js";
import { service } from "./service.js";
import { badge, button, confirm, copyButton, linkButton, note, once, setBadge, time, toast } from "./ui.js";
import { Viewer } from "./viewer.js";

const QUALITIES = { standard: "standard, 204 × 98 dpi", fine: "fine, 204 × 196 dpi", superfine: "superfine, 204 × 391 dpi" };
/** The minimum number of milliseconds between two requests for the fax. */
const REFRESH_MS = 250;
/** The fax is requested again after this many milliseconds while it has a progress, parts of which change without an event. */
const POLL_MS = 2000;
/** The same delay while pages are rendered; it is shorter, because rendering causes no events. */
const RENDERING_MS = 300;
/** The maximum number of problems with links at the top of the page; the conversation shows all. */
const FAILURES_MAX = 6;
/** The maximum number of events that are requested in one call. */
const EVENTS_MAX = 5000;

/** A text that stays on one line. */
const unbroken = (text) => text.replaceAll(" ", "\u00a0");

/** The page. */
export async function page(context) {
  await world();
  const fax = new FaxPage(context, context.params[0]);
  context.events((events) => fax.hear(events.filter((event) => event.fax_sid === fax.sid || event.kind === "clock.moved")));
  context.whenLive(() => fax.catchUp());
  await fax.load();
  const list = () => context.go(fax.back.href);
  context.keys = [["u", "Back to the list", list], ["Escape", "Back to the list", list], ["e", "Go to the first failure", () => fax.conversation.jumpToFailure()], ...fax.viewer.keys()];
  context.onLeave(() => fax.close());
  context.shown = () => fax.shown();
  return fax.view();
}

class FaxPage {
  constructor(context, sid) {
    this.context = context;
    this.sid = sid;
    this.resource = null;
    this.seq = 0;
    this.arriving = new Arriving();
    this.viewer = new Viewer(sid, this.arriving);
    const exports = [["JSON", "json"], ["HAR", "har"], ["Markdown", "md"]].map(([name, ending]) => h("a", { href: controlUrl(`/faxes/${sid}/conversation.${ending}`), download: `${sid}.${ending}`, "aria-label": `Export as ${name}` }, name));
    this.conversation = new Conversation(context, h("p", { class: "exports small" }, "Export ", exports));
    this.back = h("a", { class: "back", href: at("/console") }, icon("left"), "Faxes");
    this.status = badge("ringing");
    this.pages = h("span", { class: "muted" });
    this.title = h("h1", { tabindex: "-1" }, "Fax");
    this.toPages = button("Pages", () => this.viewer.element.scrollIntoView(), { kind: "small to-pages", mark: "page" });
    this.actions = h("div", { class: "actions" });
    this.facts = h("dl", { class: "strip" });
    this.trouble = h("div", { class: "stack tight" });
    this.columns = h("div", { class: "fax" }, this.conversation.element, this.viewer.element);
    this.extra = {};
  }

  view() {
    return [
      this.back,
      h("header", { class: "head fax-title" }, this.title, this.status, this.pages, this.toPages, this.actions),
      this.trouble,
      this.arriving.element,
      h("section", { class: "card facts-strip", "aria-label": "Facts" }, this.facts),
      this.columns,
    ];
  }

  shown() {
    this.viewer.measure();
    const step = /^#(\d+)$/.exec(location.hash);
    // Deferred, because the frame scrolls to the top once more.
    if (step) setTimeout(() => this.conversation.jump(Number(step[1])), 0);
  }

  close() {
    clearTimeout(this.timer);
    clearTimeout(this.poll);
    this.isClosed = true;
    this.arriving.close();
    this.viewer.close();
  }

  async load() {
    const [resource] = await Promise.all([this.ask(), this.readJournal()]);
    // A call that has only just begun is not in the journal yet.
    const call = this.context.keep?.call;
    if (call) this.extra = { from: call.from, to: call.to, ...this.extra };
    if (!resource && this.seq === 0 && !call) throw new Error(`There is no fax ${this.sid} in this world.`);
    this.resource = resource;
    this.show();
  }

  /** The fax, or null if the emulator has none with this SID. The control API is used because its reads aren't journaled. */
  async ask() {
    try {
      return await control("GET", `/faxes/${this.sid}`, { signal: this.context.signal });
    } catch (problem) {
      if (problem.status === 404) return null;
      throw problem;
    }
  }

  /** Requests the events after those shown. Events that arrive meanwhile wait, so that all stay in order. */
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
      // The frame reports the lost connection.
    }
  }

  hear(events) {
    if (this.waiting) {
      this.waiting.push(...events.filter((event) => event.fax_sid === this.sid));
      return;
    }
    const before = this.seq;
    this.take(events.filter((event) => event.fax_sid === this.sid));
    if (this.seq !== before) this.update();
    if (events.some((event) => ["fax.status", "fax.page", "media.evicted", "call.not-answered", "call.attempt", "document.fetched", "clock.moved"].includes(event.kind))) this.refreshSoon();
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

  /** Requests the fax now, or a little later if it has just been requested. */
  refreshSoon() {
    this.isStale = true;
    if (this.isAsking || this.isClosed) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.refresh(), Math.max(0, (this.asked ?? 0) + REFRESH_MS - performance.now()));
  }

  async refresh() {
    this.isAsking = true;
    this.isStale = false;
    this.asked = performance.now();
    try {
      const resource = await this.ask();
      if (this.isClosed) return;
      this.resource = resource ?? this.resource;
      this.show();
    } catch {
      // The frame reports the lost connection.
    } finally {
      this.isAsking = false;
      if (this.isStale) this.refreshSoon();
    }
  }

  /** Requests the fax again later if no event will announce the next change. */
  pollLater() {
    clearTimeout(this.poll);
    const progress = this.resource?.progress;
    if (!progress || this.isClosed) return;
    const wait = progress.step === "rendering" ? RENDERING_MS : POLL_MS;
    this.poll = setTimeout(() => (document.hidden ? this.pollLater() : this.refreshSoon()), wait);
  }

  show() {
    this.arriving.show(this.resource?.progress ?? null);
    this.update();
    this.showActions();
    this.pollLater();
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
    const pages = fax?.num_pages ?? fax?.progress?.pages ?? this.pageCount ?? null;
    say(this.pages, pages === null ? "" : count(pages, "page"));
    this.viewer.show({ pages, isOver: isFinal(status), hasMedia: Boolean(fax?.media_sid || fax?.progress?.pictures) && !(isFinal(status) && !fax?.media_sid), status, isOutbound: fax?.direction === "outbound" });
    this.columns.classList.toggle("single", this.viewer.isEmpty);
    this.toPages.hidden = this.viewer.isEmpty;
    this.showTrouble(status);
    this.showFacts();
    this.viewer.measure();
  }

  showTrouble(status) {
    const text = this.resource?.error_message ?? this.error?.error_message;
    const number = this.resource?.error_code ?? this.error?.error_code;
    const { cause, advice } = this.resource ?? {};
    const { bad } = this.conversation;
    // The fax's error has a note of its own, so the alert with the same code is left out.
    const failures = this.conversation.failures.filter(({ code }) => !code || code !== number);
    const key = JSON.stringify([status, text, advice, bad.length, failures.length]);
    if (this.told === key) return;
    this.told = key;
    const jump = bad.length > 0 && h("p", {}, button("Jump to it", () => this.conversation.jumpToFailure(), { kind: "small", mark: "down" }));
    const remedy = advice && h("p", {}, `${cause} `, h("em", {}, "What to do: "), advice);
    fill(this.trouble);
    if (status === "not-answered") put(this.trouble, note("odd", "No app took the call, so there is no fax. ", text ? `${text}. ` : "", remedy, jump));
    else if (text && isFinal(status)) put(this.trouble, note(status === "failed" ? "bad" : "odd", h("strong", {}, `${text}. `), remedy, number && [`${service.name}'s code ${number}. `, h("a", { href: service.aboutCode(number), rel: "noreferrer", target: "_blank" }, `What ${service.name} says about it`)], jump));
    if (failures.length > 0 && status !== "not-answered") {
      const links = failures.slice(0, FAILURES_MAX).map(({ seq, words }) => button(words, () => this.conversation.jump(seq), { kind: "small" }));
      put(this.trouble, note("odd", h("p", { class: "failures" }, h("strong", {}, `${count(failures.length, "problem")} with your app: `), links, failures.length > FAILURES_MAX && `and ${failures.length - FAILURES_MAX} more`)));
    }
  }

  showFacts() {
    const fax = this.resource ?? {};
    const station = fax.remote_station_id ?? this.extra.station;
    const rate = fax.bit_rate ?? this.extra.bitRate;
    const party = (text) => text && h("span", { class: "copyline" }, h("span", {}, phone(text)), copyButton(text, `Copy ${text}`));
    const sid = (text, name) => text && h("span", { class: "copyline" }, h("span", { class: "mono break" }, text), copyButton(text, `Copy ${name}`));
    const rows = [
      ["From", party(fax.from ?? this.extra.from)],
      ["To", party(fax.to ?? this.extra.to)],
      ["Direction", fax.direction],
      ["Quality", fax.quality && h("span", { title: QUALITIES[fax.quality] }, fax.quality)],
      ["Duration", fax.duration === null || fax.duration === undefined ? null : span(fax.duration)],
      ["Bit rate", rate ? `${Number(rate).toLocaleString("en")} bit/s` : null],
      ["Price", fax.price === null || fax.price === undefined ? null : `${fax.price} ${fax.price_unit ?? ""}`],
      ["Remote station", station],
      ["Created", fax.date_created && time(fax.date_created)],
      ["Fax SID", sid(this.sid, "fax SID")],
      ["Media SID", sid(fax.media_sid, "media SID")],
      ["Media URL", fax.media_sid && button(`Copy ${service.mediaUrl[0]}`, once(() => this.mediaUrl()), { kind: "small bare", mark: "copy", title: service.mediaUrl[1] })],
    ];
    const key = JSON.stringify(rows.map(([name, value]) => [name, value instanceof Element ? value.textContent : value]));
    if (this.factsKey === key) return;
    this.factsKey = key;
    fill(this.facts, rows.filter(([, value]) => value).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", { class: "break" }, value))));
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
