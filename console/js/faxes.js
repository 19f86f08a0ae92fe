//! The list of faxes: newest first, live, filtered, paged. Nothing moves under a pointer or a reader's eyes.

import { account, at, control } from "./api.js";
import { fill, h, say } from "./dom.js";
import { count, isFinal, phone, span, STATUSES } from "./format.js";
import { icon } from "./icons.js";
import { badge, button, head, linkButton, problemNote, select, setBadge, time } from "./ui.js";

const PAGE_SIZE = 50;
/** The list is asked for again at most this often while faxes come and go. */
const REFRESH_MS = 600;
/** Typing rests this long before the list is asked for. */
const TYPING_MS = 220;
/** A pointer that has moved within this is about to press something. */
const POINTING_MS = 1500;

/** A rare text in a very long list is looked for in so many steps before "Older" takes over. */
const LOOKS_MAX = 20;

const FILTERS = ["direction", "status", "number", "text", "page_token"];

/** What a list is about: this world's faxes. `all.js` has those of all worlds. */
const OWN_WORLD = { path: "/console", query: {}, heads: [], where: "in this world", row: (fax) => new Row(fax) };

/** The page. */
export async function page(context) {
  context.title("Faxes");
  const list = new List(context);
  context.events((events) => list.hear(events));
  context.whenLive(() => list.refresh());
  await list.load();
  // For whoever measures: the frame after the next is the first that shows the rows.
  context.shown = () => requestAnimationFrame(() => setTimeout(() => performance.mark("faxes-shown")));
  context.onLeave(() => list.close());
  context.keys = [
    ["/", "Search", () => list.searchField.focus()],
    ["j", "Next fax", () => list.step(1)],
    ["k", "Previous fax", () => list.step(-1)],
  ];
  return [
    head("Faxes", { actions: [linkButton("Receive a fax", at("/console/receive"), { kind: "first", mark: "in" }), linkButton("Send a fax", at("/console/send"), { mark: "out" })] }),
    list.filters,
    list.news,
    list.body,
    list.pager,
  ];
}

export class List {
  constructor(context, scope = OWN_WORLD) {
    this.context = context;
    this.scope = scope;
    this.query = Object.fromEntries(FILTERS.map((name) => [name, context.query.get(name) ?? ""]));
    this.rows = new Map();
    this.tbody = h("tbody", { on: { pointermove: () => { this.pointedAt = performance.now(); }, pointerleave: () => { this.pointedAt = -Infinity; } } });
    this.pointedAt = -Infinity;
    this.table = h("div", { class: "card faxes" }, h("table", {}, h("caption", { class: "unseen" }, "Faxes, newest first"), h("thead", {}, h("tr", {}, ["Fax", "Status", "From", "To", "Pages", "Took", "When", ...scope.heads].map((name) => h("th", { scope: "col" }, name)))), this.tbody));
    this.body = h("div", { class: "stack" });
    this.pager = h("nav", { class: "pager", "aria-label": "Pages of the list" });
    this.newsButton = button("", () => this.showNews(), { kind: "small first" });
    this.news = h("div", { class: "news", role: "status" });
    this.filters = this.filterBar();
    this.timer = 0;
    this.newer = [];
  }

  filterBar() {
    const changed = (name, value) => {
      if (this.query[name] === value) return;
      this.query[name] = value;
      this.query.page_token = "";
      this.newer = [];
      this.reload();
    };
    const typed = (name) => {
      let wait = 0;
      return (event) => {
        clearTimeout(wait);
        const value = event.target.value.trim();
        wait = setTimeout(() => changed(name, value), event.type === "change" ? 0 : TYPING_MS);
      };
    };
    const directions = [["", "All"], ["inbound", "In"], ["outbound", "Out"]].map(([value, text]) => button(text, null, { "aria-pressed": String(this.query.direction === value), data: { value } }));
    const segments = h("div", { class: "segments", role: "group", "aria-label": "Direction" }, directions.map((each) => { each.className = ""; return each; }));
    segments.addEventListener("click", (event) => {
      const pressed = event.target.closest("button");
      if (!pressed) return;
      for (const each of directions) each.setAttribute("aria-pressed", String(each === pressed));
      changed("direction", pressed.dataset.value);
    });
    const number = h("input", { type: "search", value: this.query.number, placeholder: "Number, +1555…", on: { input: typed("number"), change: typed("number") }, "aria-label": "Number", autocomplete: "off", spellcheck: "false" });
    this.searchField = h("input", { type: "search", value: this.query.text, placeholder: "SID, number or error", on: { input: typed("text"), change: typed("text") }, "aria-label": "Text", autocomplete: "off", spellcheck: "false" });
    const status = select([["", "Any status"], ...[...STATUSES, "not-answered"].map((word) => [word, word])], this.query.status, { "aria-label": "Status", on: { change: (event) => changed("status", event.target.value) } });
    return h("form", { class: "filters", role: "search", "aria-label": "Filter the faxes", on: { submit: (event) => event.preventDefault() } }, segments, status, number, h("span", { class: "searchbox" }, icon("search"), this.searchField));
  }

  get isFiltered() {
    return FILTERS.some((name) => this.query[name]);
  }

  /** Whether anything but the page is chosen. */
  get isSearch() {
    return FILTERS.some((name) => name !== "page_token" && this.query[name]);
  }

  async load() {
    const answer = await this.ask();
    this.show(answer);
  }

  async ask() {
    const mine = (this.asked = (this.asked ?? 0) + 1);
    const answer = await askFaxes({ ...this.query, ...this.scope.query }, this.context.signal);
    return mine === this.asked ? answer : null;
  }

  /** Asks for another page or another filter, and keeps the address true. */
  async reload() {
    history.replaceState(null, "", at(this.scope.path, { ...this.query, account: account() }));
    try {
      const answer = await this.ask();
      if (answer) {
        this.show(answer, { fresh: true });
        this.context.announce(count(answer.faxes.length, "fax", "faxes") + " shown");
      }
    } catch (problem) {
      if (!this.context.signal.aborted) fill(this.body, problemNote(problem));
    }
  }

  show(answer, { fresh = true } = {}) {
    this.answer = answer;
    fill(this.news);
    if (answer.faxes.length === 0) {
      this.rows.clear();
      fill(this.tbody);
      if (this.isFiltered) fill(this.body, h("div", { class: "card empty" }, icon("search"), h("h2", {}, "No matching fax"), h("p", {}, answer.next ? "No match so far; choose Older to search further." : `Nothing ${this.scope.where} matches the filters.`), linkButton("Show all", at(this.scope.path))));
      else if (this.scope.empty) fill(this.body, this.scope.empty());
      else if (!this.body.querySelector(".teach")) import("./empty.js").then(({ emptyFaxes }) => emptyFaxes()).then((content) => this.rows.size === 0 && fill(this.body, content));
    } else {
      this.reconcile(answer.faxes, fresh);
      if (this.table.parentNode !== this.body) fill(this.body, this.table);
    }
    this.page(answer);
  }

  /** Puts rows where they belong, keeping those that are there already. */
  reconcile(faxes, fresh) {
    const wanted = new Set(faxes.map((fax) => fax.sid));
    for (const [sid, row] of this.rows) {
      if (!wanted.has(sid)) {
        row.element.remove();
        this.rows.delete(sid);
      }
    }
    let place = this.tbody.firstChild;
    for (const fax of faxes) {
      let row = this.rows.get(fax.sid);
      if (row) row.update(fax);
      else {
        row = this.scope.row(fax);
        if (!fresh) row.element.classList.add("arriving");
        this.rows.set(fax.sid, row);
      }
      if (row.element === place) place = place.nextSibling;
      else this.tbody.insertBefore(row.element, place);
    }
  }

  page(answer) {
    const onFirst = !this.query.page_token;
    const to = (token) => {
      this.query.page_token = String(token ?? "");
      this.reload().then(() => scrollTo(0, 0));
    };
    const older = () => {
      this.newer.push(this.query.page_token);
      to(answer.next);
    };
    const more = answer.next !== null && answer.next !== undefined;
    fill(
      this.pager,
      (!onFirst || more) && [
        button("Newest", () => { this.newer = []; to(""); }, { kind: "small", disabled: onFirst }),
        button("Newer", () => to(this.newer.pop()), { kind: "small", disabled: this.newer.length === 0 }),
        button("Older", older, { kind: "small", disabled: !more }),
      ],
      h("span", { class: "muted small" }, this.isSearch ? `${answer.complete ? "" : "At least "}${answer.hits.toLocaleString("en")} of ${count(answer.total, "fax", "faxes")}` : `${count(answer.total, "fax", "faxes")} ${this.scope.where}`),
    );
  }

  /** Statuses change in place; what is new or has ended brings the list again, soon and once. */
  hear(events) {
    let stale = false;
    for (const event of events) {
      if (event.kind === "call.not-answered") stale ||= this.query.status === "not-answered";
      if (event.kind !== "fax.status") continue;
      const row = this.rows.get(event.fax_sid);
      if (row) {
        row.status(event.data.new);
        stale ||= isFinal(event.data.new);
      } else if (!event.data.old) stale = true;
    }
    if (stale) this.refreshSoon();
  }

  refreshSoon() {
    this.timer ||= setTimeout(async () => {
      await this.refresh();
      this.timer = 0;
      if (this.again) {
        this.again = false;
        this.refreshSoon();
      }
    }, REFRESH_MS);
    if (this.refreshing) this.again = true;
  }

  async refresh() {
    this.refreshing = true;
    try {
      const answer = await this.ask();
      if (answer) this.take(answer);
    } catch {
      // The line is lost; the frame says so, and the stream brings the list again.
    }
    this.refreshing = false;
  }

  /** Shows what came by itself: at once if nobody would be disturbed, else on request. */
  take(answer) {
    const unseen = answer.faxes.filter((fax) => !this.rows.has(fax.sid)).length;
    const isBusy = this.rows.size > 0 && (scrollY > 120 || performance.now() - this.pointedAt < POINTING_MS || this.tbody.contains(document.activeElement));
    if (unseen === 0 || !isBusy) {
      this.show(answer, { fresh: false });
      return;
    }
    for (const fax of answer.faxes) this.rows.get(fax.sid)?.update(fax);
    this.held = answer;
    const text = `Show ${count(unseen, "new fax", "new faxes")}`;
    say(this.newsButton, text);
    if (!this.newsButton.isConnected) fill(this.news, this.newsButton);
  }

  showNews() {
    scrollTo(0, 0);
    this.show(this.held, { fresh: false });
    this.tbody.querySelector("a")?.focus({ preventScroll: true });
  }

  step(by) {
    const links = [...this.tbody.querySelectorAll("a")];
    const now = links.indexOf(document.activeElement);
    const next = links[now < 0 ? 0 : Math.min(links.length - 1, Math.max(0, now + by))];
    next?.focus();
  }

  close() {
    clearTimeout(this.timer);
  }
}

export class Row {
  constructor(fax) {
    const isIn = fax.direction === "inbound";
    this.fax = fax;
    this.badge = badge(fax.status);
    this.pages = h("span");
    this.took = h("span");
    this.element = h(
      "tr",
      {},
      h("td", { class: "way" }, h("a", { href: at(`/console/faxes/${fax.sid}`), "aria-label": `${isIn ? "Inbound" : "Outbound"} fax from ${fax.from ?? "unknown"} to ${fax.to}` }, icon(isIn ? "in" : "out"), h("span", {}, isIn ? "Inbound" : "Outbound"))),
      h("td", { class: "status" }, this.badge),
      h("td", { class: "from mono" }, phone(fax.from)),
      h("td", { class: "to mono" }, phone(fax.to)),
      h("td", { class: "pages" }, this.pages),
      h("td", { class: "took" }, this.took),
      h("td", { class: "when" }, time(fax.date_created)),
    );
    this.update(fax);
  }

  update(fax) {
    this.fax = fax;
    this.status(fax.status);
    say(this.pages, fax.num_pages === null || fax.num_pages === undefined ? "–" : count(fax.num_pages, "page"));
    say(this.took, span(fax.duration));
  }

  status(word) {
    setBadge(this.badge, word);
  }
}

/** A page of faxes. One that found nothing among many faxes is not yet the last: it is looked further, within reason. */
async function askFaxes(query, signal) {
  let token = query.page_token;
  for (let i = 0; ; i += 1) {
    const answer = await control("GET", "/faxes", { query: { ...query, page_token: token, limit: PAGE_SIZE }, signal });
    if (answer.faxes.length > 0 || answer.next_page_token === null || i === LOOKS_MAX) return { faxes: answer.faxes, next: answer.next_page_token, total: answer.total, hits: answer.hits, complete: answer.hits_complete };
    token = String(answer.next_page_token);
  }
}
