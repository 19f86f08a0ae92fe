//! Every request in both directions as it happens: a live table, and each request beside its response.

import { account, at, control } from "./api.js";
import { tabbed, body } from "./body.js";
import { fill, h, say } from "./dom.js";
import { count, cut, size, stamp, zoneName } from "./format.js";
import { icon } from "./icons.js";
import { follow } from "./live.js";
import { learnNames, worldMark } from "./names.js";
import { moved } from "./returning.js";
import { service } from "./service.js";
import { snippets } from "./snippets.js";
import { failed, figures, took } from "./statistics.js";
import { button, copyButton, head, linkButton, note, pairs, problemNote, select, toast } from "./ui.js";

/** The maximum number of rows: more would slow the page down. */
const ROWS_MAX = 500;
/** Requests that would give a section of the table more rows than this begin a new section. */
const SECTION_ROWS = 50;
/** The maximum number of rows that the page starts with. */
const FIRST_ROWS = 300;
/** Typing must pause this long before the list is requested. */
const TYPING_MS = 250;
/** The figures are drawn again at most this often. */
const FIGURES_MS = 1000;
/** The maximum length of the reason in a row or a notification, in characters. */
const REASON_MAX = 220;

const FILTERS = ["text", "path", "method", "status", "direction", "kind", "code", "fax"];
const METHODS = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"];
const KINDS = { rest: "REST calls", media: "Media downloads", webhook: "Webhooks", document: "Documents", replay: "Replays" };
const PURPOSES = { "fax-url": "asks for instructions", "fallback-url": "asks the fallback", action: "action", "status-callback": "status callback", "media-url": "fetches the document", debugger: "debugger" };

/** The page. */
export async function page(context) {
  context.title("Traffic");
  const traffic = new Traffic(context);
  context.onLeave(() => traffic.close());
  context.keys = [
    ["/", "Search", () => traffic.searchField.focus()],
    ["j", "Next request", () => traffic.step(1)],
    ["k", "Previous request", () => traffic.step(-1)],
    ["e", "Open the newest failed request", () => traffic.openFailed()],
    ["p", "Pause or resume", () => traffic.pause()],
  ];
  await traffic.start();
  return [
    head("Traffic", { actions: [traffic.notifyButton, traffic.pauseButton], lead: "Every request between your app and the emulator, in both directions, as it happens." }),
    traffic.filters,
    traffic.figures,
    traffic.news,
    traffic.place,
  ];
}

class Traffic {
  constructor(context) {
    this.context = context;
    this.query = Object.fromEntries(FILTERS.map((name) => [name, context.query.get(name) ?? ""]));
    this.all = context.query.get("world") ? context.query.get("world") === "all" : account() === null;
    this.rows = [];
    this.held = [];
    this.isPaused = false;
    this.lost = 0;
    this.columns = h("tr", {});
    this.inner = h("table", { on: { click: (event) => this.click(event) } }, h("caption", { class: "unseen" }, "Requests, newest first"), h("thead", {}, this.columns));
    this.table = h("div", { class: "card traffic" }, this.inner);
    this.place = h("div", { class: "stack" });
    this.pauseButton = button("Pause", () => this.pause(), { mark: "pause" });
    this.notifyButton = "Notification" in globalThis && button("Notify me of failures", () => this.notify(), { mark: "bell", "aria-pressed": "false", title: "Shows a browser notification when a request fails, as long as this page is open" });
    this.newsButton = button("", () => this.release(true), { kind: "small first" });
    this.news = h("div", { class: "news", role: "status" });
    this.figures = h("details", { class: "card figures", on: { toggle: () => this.draw() } });
    this.filters = this.filterBar();
    this.onScroll = () => scrollY < 60 && this.canShow() && this.release();
    addEventListener("scroll", this.onScroll, { passive: true });
  }

  filterBar() {
    const changed = (name, value) => {
      if (this.query[name] === value) return;
      this.query[name] = value;
      this.again();
    };
    const typed = (name, label, placeholder, props = {}) => {
      let wait = 0;
      const listener = ({ target, type }) => {
        clearTimeout(wait);
        wait = setTimeout(() => changed(name, target.value.trim()), type === "change" ? 0 : TYPING_MS);
      };
      return h("input", { type: "search", value: this.query[name], placeholder, "aria-label": label, autocomplete: "off", spellcheck: "false", on: { input: listener, change: listener }, ...props });
    };
    const chosen = (name, label, all, options) => select([["", all], ...options], this.query[name], { "aria-label": label, on: { change: ({ target }) => changed(name, target.value) } });
    this.searchField = typed("text", "Text", "Text in any part");
    const scope = select([["all", "All worlds"], ["one", "This world"]], this.all ? "all" : "one", { "aria-label": "Worlds", on: { change: ({ target }) => { this.all = target.value === "all"; this.again(); } } });
    return h(
      "form",
      { class: "trafficfilters", role: "search", "aria-label": "Filter the requests", on: { submit: (event) => event.preventDefault() } },
      h("span", { class: "searchbox" }, icon("search"), this.searchField),
      typed("path", "Path", "Path or URL"),
      chosen("method", "Method", "Any method", METHODS.map((word) => [word, word])),
      chosen("status", "Status", "Any status", [["failed", "Failed"], ["2xx", "2xx"], ["3xx", "3xx"], ["4xx", "4xx"], ["5xx", "5xx"]]),
      typed("code", "Error code", "Code", { inputmode: "numeric" }),
      chosen("direction", "Direction", "Both directions", [["in", "From your app"], ["out", "To your app"]]),
      chosen("kind", "Kind", "All kinds", Object.entries(KINDS)),
      scope,
    );
  }

  get isFiltered() {
    return FILTERS.some((name) => this.query[name]);
  }

  /** Asks for the newest requests, and follows those that come after. */
  async start() {
    const mine = (this.round = (this.round ?? 0) + 1);
    const asked = { ...this.query, account: this.all ? "*" : null };
    const answer = await control("GET", "/traffic", { query: { ...asked, last: FIRST_ROWS }, signal: this.context.signal });
    if (mine !== this.round || this.isClosed) return;
    this.stop?.();
    this.rows = [];
    this.held = [];
    this.lost = 0;
    for (const section of [...this.inner.tBodies]) section.remove();
    fill(this.columns, ["Time", "", "Request", "Status", "Code", "Took", "Fax", this.all && "World"].filter((name) => name !== false).map((name) => h("th", { scope: "col" }, name || h("span", { class: "unseen" }, "Direction"), name === "Time" && h("span", { class: "inzone" }, ` ${zoneName()}`))));
    if (this.all) learnNames();
    this.show(answer.requests);
    const chosen = Number(this.context.query.get("request"));
    const row = chosen && this.rows.find((each) => each.request.seq === chosen);
    if (row) this.toggle(row, true);
    this.stop = follow("/traffic", asked, answer.last_seq, { arrived: (requests) => this.hear(requests), dropped: () => { this.lost += 1; this.tell(); }, isWanted: () => this.notifies });
  }

  /** Starts again with other filters, and puts them into the address. */
  async again() {
    rewrite(at("/console/traffic", { ...this.query, world: this.all === (account() === null) ? "" : this.all ? "all" : "one" }));
    try {
      await this.start();
      this.context.announce(`${count(this.rows.length, "request")} shown`);
    } catch (problem) {
      if (this.context.signal.aborted) return;
      this.stop?.();
      fill(this.place, problemNote(problem));
    }
  }

  hear(requests) {
    if (this.notifies) this.warn(requests.filter(failed));
    if (this.canShow()) this.show([...this.held.splice(0), ...requests]);
    else {
      this.held.push(...requests);
      this.held.splice(0, this.held.length - ROWS_MAX);
    }
    this.tell();
  }

  /** Returns whether rows may move, because nobody is reading them. */
  canShow() {
    return !this.isPaused && scrollY < 60 && !this.rows.some((row) => row.detail) && !this.inner.contains(document.activeElement);
  }

  /** Adds requests, which are given oldest first, above the others, so that the newest is on top. */
  show(requests) {
    const fresh = requests.slice(-ROWS_MAX).map((request) => new Row(request, this.all));
    this.rows.unshift(...fresh.reverse());
    // The table is split into sections, since browsers then lay out only the section that changes.
    let top = this.inner.tBodies[0];
    if (!top || top.rows.length + fresh.length > SECTION_ROWS) this.inner.tHead.after((top = h("tbody")));
    top.prepend(...fresh.map((row) => row.element));
    for (const row of this.rows.splice(ROWS_MAX)) {
      const section = row.element.parentNode;
      row.detail?.remove();
      row.element.remove();
      if (!section.firstChild) section.remove();
    }
    const content = this.rows.length > 0 ? this.table : this.empty();
    if (content !== this.place.firstChild) fill(this.place, content);
    this.drawSoon();
  }

  empty() {
    if (this.isFiltered) return h("div", { class: "card empty" }, icon("search"), h("h2", {}, "No matching request"), h("p", {}, "Requests that match appear here as they happen."), linkButton("Show all", at("/console/traffic")));
    return h("div", { class: "card empty" }, icon("traffic"), h("h2", {}, "No requests yet"), h("p", {}, `Your app's calls to ${location.origin} and the emulator's requests to your app appear here as they happen, even those that are refused.`), linkButton("Connect your app", at("/console/connect"), { kind: "first", mark: "connect" }));
  }

  tell() {
    const words = [this.held.length > 0 && `Show ${this.held.length >= ROWS_MAX ? "over " : ""}${count(this.held.length, "new request")}`, this.isPaused && (this.held.length > 0 ? "and resume" : "")].filter(Boolean).join(" ");
    say(this.newsButton, words);
    const wanted = this.held.length > 0;
    if (wanted !== this.newsButton.isConnected) fill(this.news, wanted && this.newsButton, this.lost > 0 && h("span", { class: "muted small" }, "There were more requests than can be shown, so older ones were left out."));
  }

  /** Shows the requests that were held back. */
  release(asked = false) {
    if (asked) {
      if (this.isPaused) this.pause();
      scrollTo(0, 0);
    }
    if (this.held.length === 0) return;
    this.show(this.held.splice(0));
    this.tell();
    if (asked) this.rows[0]?.element.querySelector("button").focus({ preventScroll: true });
  }

  pause() {
    this.isPaused = !this.isPaused;
    fill(this.pauseButton, icon(this.isPaused ? "play" : "pause"), h("span", {}, this.isPaused ? "Resume" : "Pause"));
    this.context.announce(this.isPaused ? "Paused" : "Resumed");
    if (!this.isPaused && this.held.length > 0) this.show(this.held.splice(0));
    this.tell();
  }

  click(event) {
    if (event.target.closest("a, .detail") || String(getSelection())) return;
    const element = event.target.closest("tr");
    const row = this.rows.find((each) => each.element === element);
    if (row) this.toggle(row);
  }

  toggle(row, quiet = false) {
    if (row.detail) row.close();
    else row.open();
    if (!quiet) rewrite(at("/console/traffic", { ...Object.fromEntries(new URLSearchParams(location.search)), request: row.detail ? row.request.seq : "" }));
    this.tell();
  }

  step(by) {
    const buttons = this.rows.map((row) => row.button);
    const now = buttons.indexOf(document.activeElement);
    buttons[now < 0 ? 0 : Math.min(buttons.length - 1, Math.max(0, now + by))]?.focus();
  }

  openFailed() {
    const row = this.rows.find((each) => failed(each.request));
    if (!row) return;
    if (!row.detail) this.toggle(row);
    row.button.focus();
  }

  drawSoon() {
    this.drawTimer ||= setTimeout(() => {
      this.drawTimer = 0;
      this.draw();
    }, this.rows.length > 0 && !this.figures.firstChild ? 0 : FIGURES_MS);
  }

  draw() {
    const focused = this.figures.contains(document.activeElement);
    this.figures.hidden = this.rows.length === 0;
    const { line, charts } = figures(this.rows.map((row) => row.request), this.figures.open);
    const summary = this.figures.querySelector("summary") ?? this.figures.appendChild(h("summary", {}));
    fill(summary, line);
    for (const old of [...this.figures.children].slice(1)) old.remove();
    if (charts) this.figures.append(charts);
    if (focused) summary.focus();
  }

  async notify() {
    if (!this.notifies && (await Notification.requestPermission()) !== "granted") {
      toast("The browser doesn't allow notifications from this page.", "bad");
      return;
    }
    this.notifies = !this.notifies;
    this.notifyButton.setAttribute("aria-pressed", String(this.notifies));
  }

  /** Reports all failures that arrived together in a single notification. */
  warn(requests) {
    if (requests.length === 0) return;
    const last = requests.at(-1);
    const more = requests.length > 1 ? ` and ${requests.length - 1} more` : "";
    new Notification(`${last.method} ${cut(last.path, 60)}: ${last.status ?? "no response"}${more}`, { body: cut(reason(last) ?? "", REASON_MAX), tag: "fauxfax-failure" });
  }

  close() {
    this.isClosed = true;
    this.stop?.();
    clearTimeout(this.drawTimer);
    removeEventListener("scroll", this.onScroll);
  }
}

/** Changes the address of the page without leaving it. */
function rewrite(address) {
  history.replaceState(history.state, "", address);
  moved();
}

/** Why a request failed, in words. */
function reason(request) {
  if (!failed(request)) return null;
  if (request.reason) return `${request.cause} ${request.advice}`;
  const told = request.error?.message ?? request.answer?.message;
  return typeof told === "string" ? told.replace(/^\p{Ll}/u, (first) => first.toUpperCase()) : request.cause ?? null;
}

class Row {
  constructor(request, ofAll) {
    this.request = request;
    this.columns = ofAll ? 8 : 7;
    this.detail = null;
    const isIn = request.direction === "in";
    const hasFailed = failed(request);
    const why = reason(request);
    const tone = hasFailed ? "bad" : request.status < 300 ? "good" : "busy";
    const purpose = PURPOSES[request.purpose] ?? request.purpose;
    this.button = h("button", { type: "button", class: "open", "aria-expanded": "false", title: request.url ?? request.path }, h("strong", {}, request.method), " ", h("span", {}, request.url?.replace(/^http:\/\//, "") ?? request.path));
    this.element = h(
      "tr",
      { data: hasFailed ? { tone: "bad" } : {} },
      h("td", { class: "at mono" }, h("time", { datetime: request.at }, stamp(request.at))),
      h("td", { class: "way", data: { way: request.direction }, title: isIn ? "from your app" : "to your app" }, icon(isIn ? "in" : "out"), h("span", { class: "unseen" }, isIn ? "from your app" : "to your app")),
      h("td", { class: "what" }, h("div", { class: "line" }, this.button, (purpose || request.kind === "replay") && h("span", { class: "tag" }, request.kind === "replay" ? "replay" : purpose)), why && h("p", { class: "why" }, cut(why, REASON_MAX))),
      h("td", { class: "outcome" }, h("span", { class: "http", data: { tone } }, request.status === null ? "none" : String(request.status))),
      h("td", { class: "errcode mono" }, request.code ? String(request.code) : ""),
      h("td", { class: "took" }, took(request.duration_ms)),
      h("td", { class: "ofax mono" }, request.fax_sid && h("a", { href: faxOf(request), title: `The conversation of ${request.fax_sid}` }, short(request.fax_sid))),
      ofAll && h("td", { class: "ofworld" }, worldMark(request.account_sid)),
    );
  }

  open() {
    this.button.setAttribute("aria-expanded", "true");
    this.element.classList.add("opened");
    this.detail = h("tr", { class: "detail" }, h("td", { colspan: String(this.columns) }, detail(this.request)));
    this.element.after(this.detail);
  }

  close() {
    this.button.setAttribute("aria-expanded", "false");
    this.element.classList.remove("opened");
    this.detail.remove();
    this.detail = null;
  }
}

const short = (sid) => (sid.length > 14 ? `${sid.slice(0, 6)}…${sid.slice(-4)}` : sid);
const faxOf = (request) => at(`/console/faxes/${request.fax_sid}`, { account: request.account_sid });

/** A request beside its response. */
function detail(request) {
  const isIn = request.direction === "in";
  const why = reason(request);
  const answer = request.answer === null || typeof request.answer === "string" ? request.answer : JSON.stringify(request.answer);
  const type = headerOf(request.response_headers, "content-type") ?? "";
  const advice = !request.reason && [request.cause && request.cause !== why && request.cause, request.advice].filter(Boolean).join(" ");
  const params = Object.entries(request.params ?? {}).flatMap(([name, value]) => [value].flat().map((each) => [name, String(each)]));
  const form = new URLSearchParams(params).toString();
  const address = isIn ? `${location.origin}${request.path}` : request.url;
  return h(
    "div",
    { class: "exchangeof" },
    failed(request) && note("bad", h("strong", {}, request.status === null ? "No response" : `Status ${request.status}`), request.code && [" · code ", h("a", { href: service.aboutCode(request.code), rel: "noreferrer", target: "_blank" }, String(request.code))], why && [": ", why], advice && h("p", {}, advice)),
    request.note && h("p", { class: "muted small" }, `(${request.note})`),
    h("div", { class: "row" }, copyButton(() => curl(request, params, address), "Copy as curl", { kind: "small", word: "Copy as curl" }), copyButton(() => JSON.stringify(request, null, 2), "Copy as JSON", { kind: "small", word: "Copy as JSON" }), request.fax_sid && linkButton("The whole conversation", faxOf(request), { kind: "small", mark: "faxes" })),
    h(
      "div",
      { class: "sides" },
      h("section", { class: "stack tight" }, h("h3", {}, "Request ", h("span", { class: "muted" }, isIn ? "from your app" : "to your app")), h("p", { class: "mono break address" }, h("strong", {}, request.method), " ", address), params.length > 0 ? tabbed("Parameters", { Table: () => pairs(readable(request.params)), Raw: () => h("pre", { class: "body", tabindex: "0", "aria-label": "Parameters" }, form.replaceAll("&", "&\u200b")) }) : h("p", { class: "muted small" }, "No parameters"), headers("Request headers", request.request_headers)),
      h("section", { class: "stack tight" }, h("h3", {}, "Response ", h("span", { class: "muted" }, isIn ? "from the emulator" : "from your app")), h("p", { class: "address" }, h("span", { class: "http", data: { tone: failed(request) ? "bad" : "good" } }, request.status === null ? "no response" : String(request.status)), h("span", { class: "muted" }, ` after ${took(request.duration_ms)}${request.answer_bytes ? `, ${size(request.answer_bytes)}` : ""}`)), answer ? body(answer, { type, told: request.error?.message }) : h("p", { class: "muted small" }, "No body"), headers("Response headers", request.response_headers)),
    ),
  );
}

function headers(name, record) {
  return record && Object.keys(record).length > 0 && h("details", { class: "part" }, h("summary", {}, `${name} (${Object.keys(record).length})`), pairs(record));
}

function headerOf(record, name) {
  const found = Object.entries(record ?? {}).find(([own]) => own.toLowerCase() === name);
  return found && String(found[1]);
}

const readable = (params) => Object.fromEntries(Object.entries(params).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value]));

/** The request as a curl command. A call by your app needs the account's token, which is never shown here. */
function curl(request, params, address) {
  if (request.direction === "out") return snippets.curl(request);
  const asked = new URLSearchParams(request.path.split("?")[1]);
  const own = Object.fromEntries(params.filter(([name]) => !asked.has(name)));
  const text = snippets.curl({ method: request.method, url: address, params: own });
  return request.account_sid ? text.replace(" \\\n", ` \\\n  -u "${request.account_sid}:${service.tokenVariable}" \\\n`).replace(/^(curl [^\\]*)\n$/, `$1 -u "${request.account_sid}:${service.tokenVariable}"\n`) : text;
}
