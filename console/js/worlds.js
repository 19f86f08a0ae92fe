//! The worlds, one for each account: their content, updated live, and their credentials. Worlds are created and closed here.

import { account, basic, control, forget, world } from "./api.js";
import { fill, h, say } from "./dom.js";
import { ago, count, fullMoment } from "./format.js";
import { icon } from "./icons.js";
import { follow } from "./live.js";
import { remember, worldMark } from "./names.js";
import { byActivity, matching } from "./switcher.js";
import { button, confirm, copyButton, dialog, field, head, linkButton, note, once, outcome, secret, select, toast } from "./ui.js";

/** The maximum number of worlds shown; a test run may create thousands. */
const SHOWN = 200;
/** The worlds are requested again at most this often. */
const REFRESH_MS = 1000;
/**
 * The pause between two requests is at least this many times as long as the last request took, which is long with very many
 * worlds.
 */
const PAUSES = 10;
/** The interval at which the times since each world's last use are updated. */
const AGES_MS = 5000;

const SERVICES = { retired: "fax retired", "test-credentials": "test credentials" };

/** The page. */
export async function page(context) {
  context.title("Worlds");
  const [{ accounts }, health, { last_seq: last }] = await Promise.all([control("GET", "/accounts"), control("GET", "/health"), control("GET", "/events", { query: { account: "*", limit: 0 } })]);
  const current = (await world().catch(() => null))?.sid ?? account();
  const worlds = new Worlds(context, current, health.default_account);
  worlds.take(accounts);
  context.onLeave(follow("/events", { account: "*" }, last, { arrived: () => worlds.refreshSoon(), dropped: () => worlds.refreshSoon() }));
  context.onLeave(() => worlds.close());
  context.keys = [["/", "Filter", () => worlds.filter.focus()]];
  return [
    head("Worlds", { actions: [linkButton("Watch all worlds", "/console/all", { mark: "faxes" }), button("New world", () => create(context), { kind: "first", mark: "plus" })], lead: "A world is one account with its own faxes, numbers, clock and rules, so tests with different accounts never affect each other." }),
    h("form", { class: "row calm", role: "search", "aria-label": "Filter the worlds", on: { submit: (event) => event.preventDefault() } }, h("span", { class: "searchbox grow" }, icon("search"), worlds.filter), worlds.told),
    h("div", { class: "card scroll worldtable" }, h("table", {}, h("caption", { class: "unseen" }, "Worlds, newest activity first"), h("thead", {}, h("tr", {}, ["World", "Account", "Token", "Faxes", "Pending", "Alerts", "Last activity", "Service", ""].map((name) => h("th", { scope: "col" }, name || h("span", { class: "unseen" }, "Actions"))))), worlds.tbody)),
  ];
}

class Worlds {
  constructor(context, current, standard) {
    Object.assign(this, { context, current, standard });
    this.rows = new Map();
    this.tbody = h("tbody", {});
    this.told = h("span", { class: "muted small", role: "status" });
    this.filter = h("input", { type: "search", placeholder: "Name, SID or number", "aria-label": "Filter the worlds", autocomplete: "off", spellcheck: "false", value: context.query.get("text") ?? "", on: { input: () => this.show() } });
    this.clock = setInterval(() => this.rows.forEach((row) => row.age()), AGES_MS);
    this.timer = 0;
  }

  take(accounts) {
    remember(accounts);
    this.accounts = byActivity(accounts);
    this.show();
  }

  show() {
    const found = matching(this.accounts, this.filter.value);
    const shown = found.slice(0, SHOWN);
    const wanted = new Set(shown.map((each) => each.sid));
    for (const [sid, row] of this.rows) {
      if (wanted.has(sid)) continue;
      row.element.remove();
      this.rows.delete(sid);
    }
    // Rows keep their places while one of them has the pointer or the focus.
    const stays = this.tbody.contains(document.activeElement) || this.tbody.matches(":hover");
    let place = this.tbody.firstChild;
    for (const each of shown) {
      let row = this.rows.get(each.sid);
      const isNew = !row;
      if (isNew) this.rows.set(each.sid, row = new Row(each, this));
      else row.update(each);
      if (row.element === place) place = place.nextSibling;
      else if (isNew || !stays) this.tbody.insertBefore(row.element, place);
    }
    say(this.told, found.length > SHOWN ? `${SHOWN} of ${count(found.length, "world")}; filter to find others` : this.filter.value ? `${found.length} of ${count(this.accounts.length, "world")}` : count(found.length, "world"));
  }

  refreshSoon() {
    this.timer ||= setTimeout(async () => {
      const began = performance.now();
      try {
        this.take((await control("GET", "/accounts", { signal: this.context.signal })).accounts);
      } catch {
        // The frame reports the lost connection; the next event makes the page request the worlds again.
      }
      this.pause = (performance.now() - began) * PAUSES;
      this.timer = 0;
    }, Math.max(REFRESH_MS, this.pause ?? 0));
  }

  close() {
    clearInterval(this.clock);
    clearTimeout(this.timer);
  }
}

class Row {
  constructor(each, { context, current, standard }) {
    const isSignalWire = each.dialect === "signalwire";
    const isCurrent = each.sid === current;
    const close = once(async () => {
      if (!(await confirm("Close this world?", `This removes ${each.sid} and everything in it.`, "Close the world"))) return;
      await control("DELETE", `/accounts/${each.sid}`);
      toast("Closed.");
      forget();
      if (isCurrent) context.go("/console/worlds");
      else context.reload();
    });
    [this.faxes, this.pending, this.alerts] = ["faxes", "pending", "alerts"].map((name) => h("td", { class: "n", data: { name } }));
    this.when = h("time", { class: "nowrap" });
    this.token = h("td", { class: "token" });
    this.acts = h("td", { class: "acts" });
    this.mark = worldMark(each.sid);
    this.service = h("td", { class: "nowrap" });
    this.ends = each.sid !== standard && button("Close", close, { kind: "small bare", "aria-label": `Close ${each.sid}` });
    this.claim = button("Claim", once(async () => claimWorld(each, context)), { kind: "small", mark: "key" });
    this.tokenName = isSignalWire ? "API token" : "auth token";
    this.element = h(
      "tr",
      { class: isCurrent ? "current" : "" },
      h("th", { scope: "row" }, h("span", { class: "tags" }, this.mark, isCurrent && h("span", { class: "tag strong" }, "shown here"), each.sid === standard && h("span", { class: "tag" }, "default"))),
      h("td", {}, h("span", { class: "copyline" }, h("span", { class: "mono sid", title: each.sid }, each.sid), copyButton(each.sid, isSignalWire ? "Copy project id" : "Copy account SID"))),
      this.token,
      this.faxes,
      this.pending,
      this.alerts,
      h("td", {}, this.when),
      this.service,
      this.acts,
    );
    fill(this.acts, this.ends);
    this.update(each);
  }

  update(each) {
    this.each = each;
    say(this.mark, each.friendly_name || "unnamed");
    const here = `account=${encodeURIComponent(each.sid)}`;
    number(this.faxes, each.faxes, `/console?${here}`);
    number(this.pending, each.pending, `/console?${here}`, "busy");
    number(this.alerts, each.alerts, `/console/alerts?${here}`, "bad");
    say(this.service, [each.dialect === "signalwire" ? "SignalWire" : "Twilio", SERVICES[each.service], each.status !== "active" && each.status].filter(Boolean).join(", "));
    if (this.shownToken !== each.auth_token) {
      this.shownToken = each.auth_token;
      fill(this.token, each.auth_token ? secret(each.auth_token, this.tokenName) : this.claim);
    }
    this.age();
  }

  age() {
    const { last_activity: at } = this.each;
    say(this.when, at ? ago(at) : "not used yet");
    if (!at) return;
    this.when.dateTime = at;
    this.when.title = fullMoment(at);
  }
}

/** A count as a link to the counted items; zero is not a link. */
function number(cell, n, href, tone = "") {
  if (cell.dataset.n === String(n)) return;
  cell.dataset.n = String(n);
  fill(cell, n > 0 ? h("a", { href, data: { tone } }, n.toLocaleString("en")) : h("span", { class: "muted" }, "0"));
}

function claimWorld(each, context) {
  const told = outcome();
  const token = h("input", { type: "text", autocomplete: "off", spellcheck: "false", required: true, value: [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("") });
  const save = once(async () => {
    const response = await fetch(`/2010-04-01/Accounts/${each.sid}.json`, { headers: { authorization: basic(each.sid, token.value) }, credentials: "omit" });
    if (!response.ok) throw new Error(`The emulator responded with ${response.status}.`);
    box.close();
    forget();
    context.reload();
  }, told.fail);
  const box = dialog("Claim this world", h("form", { class: "stack", on: { submit: save } }, h("p", {}, "Its webhooks are signed with this token from now on."), field("Auth token", token), told.element, h("div", { class: "end" }, button("Close", () => box.close()), button("Claim", null, { kind: "first", type: "submit" }))));
}

function create(context) {
  const told = outcome();
  const name = h("input", { type: "text", maxlength: 64, placeholder: "fauxfax account", autocomplete: "off" });
  const sid = h("input", { type: "text", placeholder: "generated", pattern: "AC[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", autocomplete: "off", spellcheck: "false" });
  const service = select([["", "According to the SID, otherwise Twilio"], ["twilio", "Twilio"], ["signalwire", "SignalWire"]], "");
  const number = h("input", { type: "text", value: "+15017122661", autocomplete: "off", spellcheck: "false" });
  const save = once(async () => {
    told.clear();
    const body = {};
    if (name.value.trim()) body.friendly_name = name.value.trim();
    if (sid.value.trim()) body.sid = sid.value.trim();
    if (service.value) body.dialect = service.value;
    if (number.value.trim()) body.numbers = [{ phone_number: number.value.trim(), voice_receive_mode: "fax" }];
    const made = await control("POST", "/accounts", { body });
    box.close();
    context.go(`/console/worlds?account=${made.sid}`);
  }, told.fail);
  const box = dialog("New world", h("form", { class: "stack", on: { submit: save } }, note("", "Empty fields are filled with generated values."), field("Name", name), field("Service", service), field("Account SID", sid, { hint: "AC and 32 hexadecimal digits, or the UUID of a SignalWire project" }), field("First fax number", number), told.element, h("div", { class: "end" }, button("Close", () => box.close()), button("Create it", null, { kind: "first", type: "submit" }))));
}
