//! The list of faxes and calls: newest first, live, searched, paged. No row moves while it is pointed at or being read.

import { account, at, control } from "./api.js";
import { fill, h, say } from "./dom.js";
import { count, isFinal } from "./format.js";
import { icon } from "./icons.js";
import { moved, rememberList } from "./returning.js";
import { copier, copySid, Row } from "./row.js";
import { SearchBox } from "./searchbox.js";
import { button, confirm, head, linkButton, once, problemNote, toast } from "./ui.js";

const PAGE_SIZE = 50;
/** After a change, the list is requested again once this many milliseconds have passed. */
const REFRESH_MS = 600;
/** If the pointer has moved on the list within this many milliseconds, the user may be about to click a row. */
const POINTING_MS = 1500;
/**
 * The maximum number of further requests that look for a rare text in a very long list. After that, "Older" continues the search.
 */
const LOOKS_MAX = 20;
/** The time limit for a deletion, in milliseconds. It is long because there may be very many faxes. */
const DELETE_PATIENCE_MS = 120_000;

/** The scope of the list: this world's faxes. Another page lists those of all worlds. */
const OWN_WORLD = { path: "/console", query: {}, heads: ["Fax", "Status", "Why", "Pages", "Took", "When"], where: "in this world", isOwn: true, row: (fax) => new Row(fax) };

/** The page. */
export async function page(context) {
  context.title("Faxes");
  const list = new List(context);
  context.events((events) => list.hear(events));
  context.whenLive(() => list.refresh());
  await list.load();
  // For measurements: the mark is set right after the first frame that shows the rows.
  context.shown = () => requestAnimationFrame(() => setTimeout(() => performance.mark("faxes-shown")));
  context.onLeave(() => list.close());
  context.keys = list.keys;
  return [
    head("Faxes", { actions: [linkButton("Receive a fax", at("/console/receive"), { kind: "first", mark: "in" }), linkButton("Send a fax", at("/console/send"), { mark: "out" })] }),
    list.search.element,
    list.bar,
    list.news,
    list.body,
    list.pager,
  ];
}

export class List {
  constructor(context, scope = OWN_WORLD) {
    this.context = context;
    this.scope = scope;
    this.token = context.query.get("page_token") ?? "";
    this.newer = this.token && Array.isArray(history.state?.newer) ? [...history.state.newer] : [];
    this.search = new SearchBox(context.query, { changed: (typed) => this.searched(typed), leave: () => this.step(1, true) });
    this.rows = new Map();
    this.pointedAt = -Infinity;
    this.tbody = h("tbody", { on: { pointermove: () => { this.pointedAt = performance.now(); }, pointerleave: () => { this.pointedAt = -Infinity; }, click: follow } });
    copier(this.tbody);
    this.table = h("div", { class: "card faxes" }, h("table", {}, h("caption", { class: "unseen" }, "Faxes and calls, newest first"), h("thead", {}, h("tr", {}, scope.heads.map((name) => h("th", { scope: "col" }, name)))), this.tbody));
    this.body = h("div", { class: "stack" });
    this.pager = h("nav", { class: "pager", "aria-label": "Pages of the list" });
    this.newsButton = button("", () => this.showNews(), { kind: "small first" });
    this.news = h("div", { class: "news", role: "status" });
    this.tally = h("span", { class: "muted small" });
    this.clear = button("", once(() => this.remove()), { kind: "small bare", mark: "trash" });
    this.bar = h("div", { class: "listbar" }, this.search.chips, h("span", { class: "totals" }, this.tally, this.clear));
    this.timer = 0;
  }

  async load() {
    if (this.scope.isOwn) rememberList();
    try {
      this.show(await this.ask());
    } catch (problem) {
      if (problem.status !== 422) throw problem;
      this.refused(problem);
    }
  }

  async ask() {
    const mine = (this.asked = (this.asked ?? 0) + 1);
    const answer = await askFaxes({ q: this.search.query, ...this.scope.query }, this.token, this.context.signal);
    return mine === this.asked ? answer : null;
  }

  /** Starts a new search at its newest hit. Text typed in one go is one entry in the browser's history. */
  searched(typed) {
    this.token = "";
    this.newer = [];
    return this.reload(typed && history.state?.typed);
  }

  /** Asks for another page or another search, and updates the address. */
  async reload(replace = false, typed = true) {
    const address = at(this.scope.path, { q: this.search.query, page_token: this.token, account: account() });
    const state = { newer: this.newer, typed: typed && !this.token };
    if (replace) history.replaceState(state, "", address);
    else history.pushState(state, "", address);
    moved();
    if (this.scope.isOwn) rememberList();
    try {
      const answer = await this.ask();
      if (!answer) return;
      this.show(answer);
      this.context.announce(this.tally.textContent);
    } catch (problem) {
      if (!this.context.signal.aborted) this.refused(problem);
    }
  }

  /** Explains an invalid search at the box, and keeps the earlier results. Any other problem takes the place of the list. */
  refused(problem) {
    if (problem.status !== 422) {
      fill(this.body, problemNote(problem));
      return;
    }
    this.search.refuse(problem.message);
    this.clear.hidden = true;
    say(this.tally, "");
  }

  show(answer, { fresh = true } = {}) {
    this.answer = answer;
    this.search.refuse("");
    fill(this.news);
    if (answer.faxes.length === 0) {
      this.rows.clear();
      fill(this.tbody);
      if (this.search.query || this.token) fill(this.body, h("div", { class: "card empty" }, icon("search"), h("h2", {}, "No matching fax"), h("p", {}, answer.next === null ? `Nothing ${this.scope.where} matches the search.` : "No match so far; choose Older to search further."), linkButton("Show all", at(this.scope.path))));
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
    const onFirst = !this.token;
    const to = (token) => {
      this.token = String(token ?? "");
      this.reload(false, false).then(() => scrollTo(0, 0));
    };
    const older = () => {
      this.newer.push(this.token);
      to(answer.next);
    };
    const more = answer.next !== null;
    fill(
      this.pager,
      (!onFirst || more) && [
        button("Newest", () => { this.newer = []; to(""); }, { kind: "small", disabled: onFirst }),
        button("Newer", () => to(this.newer.pop()), { kind: "small", disabled: this.newer.length === 0 }),
        button("Older", older, { kind: "small", disabled: !more }),
      ],
    );
    const { hits, faxes, calls } = answer.counts;
    const all = [count(faxes, "fax", "faxes"), calls > 0 && `${count(calls, "call")} that nobody took`].filter(Boolean).join(" and ");
    const some = `${answer.counts.complete ? "" : "At least "}${hits.toLocaleString("en")} of ${(faxes + calls).toLocaleString("en")}`;
    say(this.tally, this.search.query ? some : hits > 0 ? `${all} ${this.scope.where}` : "");
    say(this.clear.lastChild, this.search.query ? `Delete ${hits === 1 ? "this one" : `these ${hits.toLocaleString("en")}`}` : "Delete all faxes");
    this.clear.hidden = hits === 0 || !this.scope.isOwn;
  }

  /** Deletes everything that the search finds, on all pages, after one confirmation. */
  async remove() {
    const { hits, faxes, calls, complete } = this.answer.counts;
    const what = this.search.query ? `${complete ? "" : "at least "}${count(hits, "fax or call", "faxes and calls")} that this search finds` : calls > 0 ? `${count(faxes, "fax", "faxes")} and ${count(calls, "call")}` : count(faxes, "fax", "faxes");
    const text = "Their documents are deleted, too. Numbers, rules and the clock stay as they are, and so do faxes that are still in progress.";
    if (!(await confirm(`Delete ${what}?`, text, "Delete"))) return;
    const done = await control("DELETE", "/faxes", { query: { q: this.search.query, status: "any" }, patience: DELETE_PATIENCE_MS });
    const gone = [(done.deleted > 0 || done.deleted_calls === 0) && count(done.deleted, "fax", "faxes"), done.deleted_calls > 0 && count(done.deleted_calls, "call")].filter(Boolean).join(" and ");
    toast(`Deleted ${gone}.${done.in_progress > 0 ? ` ${count(done.in_progress, "fax", "faxes")} in progress ${done.in_progress === 1 ? "was" : "were"} left.` : ""}`);
    this.token = "";
    this.newer = [];
    await this.reload(true, false);
    this.search.field.focus();
  }

  /** Changes statuses in place; requests the list again soon, but only once, if faxes or calls are new, or if faxes have ended or have alerts. */
  hear(events) {
    let stale = false;
    for (const event of events) {
      if (event.kind === "call.not-answered") stale = true;
      // The alert may be about a callback that the app did not accept, which the row shows.
      if (event.kind === "alert") stale ||= this.rows.has(event.fax_sid);
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
      // The frame reports the lost connection, and the list is requested again once the stream is back.
    }
    this.refreshing = false;
  }

  /** Shows new faxes: immediately if that disturbs nobody, otherwise on request. */
  take(answer) {
    const unseen = answer.faxes.filter((fax) => !this.rows.has(fax.sid)).length;
    const isReading = scrollY > 120 || performance.now() - this.pointedAt < POINTING_MS || this.tbody.contains(document.activeElement) || this.isSelecting();
    if (unseen === 0 || this.rows.size === 0 || !isReading) {
      this.show(answer, { fresh: false });
      return;
    }
    for (const fax of answer.faxes) this.rows.get(fax.sid)?.update(fax);
    this.held = answer;
    const text = `Show ${count(unseen, "new fax", "new faxes")}`;
    say(this.newsButton, text);
    if (!this.newsButton.isConnected) fill(this.news, this.newsButton);
  }

  isSelecting() {
    const selection = getSelection();
    return !selection.isCollapsed && this.tbody.contains(selection.anchorNode);
  }

  showNews() {
    scrollTo(0, 0);
    this.show(this.held, { fresh: false });
    this.tbody.querySelector("a")?.focus({ preventScroll: true });
  }

  /** The keys of a page that shows the list. */
  get keys() {
    return [
      ["/", "Search", () => this.search.field.focus()],
      ["j", "Next fax", () => this.step(1)],
      ["k", "Previous fax", () => this.step(-1)],
      ["c", "Copy the SID of the fax that has the focus", () => copySid(document.activeElement)],
    ];
  }

  /** Moves the focus by this many rows, or to the first one. */
  step(by, first = false) {
    const links = [...this.tbody.querySelectorAll("a")];
    const now = first ? -1 : links.indexOf(document.activeElement);
    const next = links[now < 0 ? 0 : Math.min(links.length - 1, Math.max(0, now + by))];
    next?.focus();
  }

  close() {
    clearTimeout(this.timer);
    this.search.close();
  }
}

/** Follows a row's link when the row is clicked anywhere, unless the click ends a text selection. */
function follow(event) {
  if (event.target.closest("a, button") || !getSelection().isCollapsed) return;
  const { ctrlKey, metaKey, shiftKey } = event;
  event.target.closest("tr")?.querySelector("a").dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, ctrlKey, metaKey, shiftKey }));
}

/** A page of faxes and calls. An empty page isn't necessarily the last, so further pages are requested, up to a limit. */
async function askFaxes(query, from, signal) {
  let token = from;
  for (let i = 0; ; i += 1) {
    const answer = await control("GET", "/faxes", { query: { ...query, status: "any", page_token: token, limit: PAGE_SIZE }, signal });
    const { faxes, total, total_calls: calls, hits, hits_complete: complete, next_page_token: next } = answer;
    if (faxes.length > 0 || next === null || i === LOOKS_MAX) return { faxes, next, counts: { faxes: total, calls, hits, complete } };
    token = String(next);
  }
}
