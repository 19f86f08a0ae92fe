//! Checking an app: a form that starts a run, the progress of the run, and its results by group with what to change.

import { account, control, world } from "./api.js";
import { body } from "./body.js";
import { fill, h, say } from "./dom.js";
import { flags } from "./empty.js";
import { count, span } from "./format.js";
import { icon } from "./icons.js";
import { recall, remember } from "./returning.js";
import { usual } from "./receive.js";
import { button, capitalized, check, code, copyButton, field, head, note, once, outcome, pairs, problemNote, select } from "./ui.js";

/** The interval at which the progress of a run is requested. */
const POLL_MS = 1000;
/** The time limit for stopping a run, since the emulator then puts everything back. */
const STOP_MS = 60_000;
/** The id of the button that ends a run. A button with an id gets the focus back when the page is shown again. */
const STOP = "stop-check";
/** Each verdict: its tone, icon and words, and the words that follow a number of them. */
const VERDICTS = {
  fail: ["bad", "cross", "Fail", "failed"],
  warn: ["odd", "alerts", "Warning", "with a warning"],
  not_judged: ["still", "minus", "Not judged", "not judged"],
  pass: ["good", "check", "Pass", "passed"],
};

/** The world whose run was seen under way, so that its end is announced even if the page has been shown again. */
let watched = null;

/** The page. */
export async function page(context) {
  context.title("Check");
  const [own, run] = await Promise.all([world(), control("GET", "/check", { signal: context.signal })]);
  const checker = new Checker(context, own, run);
  context.onLeave(() => checker.wait(false));
  context.events((events) => !checker.timer && events.some(({ kind }) => kind === "clock.moved") && checker.ask());
  checker.show(run);
  // The end of a run resets the world, so the page is shown again.
  const isStop = document.activeElement?.id === STOP;
  context.shown = () => isStop && checker.start.focus();
  return [head("Check", { lead: "Sends your app faxes and requests, right and wrong ones, and judges from outside what it does." }), checker.form, checker.progress, checker.results];
}

class Checker {
  constructor(context, own, run) {
    this.context = context;
    this.turn = 0;
    this.key = `fauxfax-check:${account() ?? ""}`;
    const last = JSON.parse(recall(this.key) ?? "{}");
    const line = own.numbers.find((number) => number.phone_number === usual(own.numbers));
    const text = (name, props) => h("input", { type: "url", value: last[name] ?? "", autocomplete: "off", spellcheck: "false", ...props });
    const url = text("url", { value: last.url ?? run.report?.url ?? line?.voice_url ?? "", placeholder: "http://localhost:3000/fax" });
    const [action, callback, probe] = ["action", "status_callback", "probe"].map((name) => text(name));
    const patience = text("patience", { type: "number", min: 0, max: 60, step: "any", placeholder: "5", inputmode: "decimal" });
    const profile = select([["all", "Received and sent"], ["inbound", "Received"], ["outbound", "Sent"]], last.profile ?? "all");
    const quick = check("Quick: only what every app must pass", last.quick);
    const owns = check("The host is mine, so a public address may be checked (--i-own-this-host)", last.i_own_this_host);
    this.only = last.only ?? [];
    this.boxes = [];
    this.command = () => `fauxfax check ${url.value.trim() || "http://localhost:3000/fax"}${flags(own)}`;
    this.order = () => {
      const order = Object.fromEntries(Object.entries({ url: url.value, action: action.value, status_callback: callback.value, probe: probe.value, profile: profile.value }).map(([name, value]) => [name, value.trim() || null]));
      return { ...order, url: order.url ?? "", patience: patience.value ? Number(patience.value) : null, quick: quick.firstChild.checked, i_own_this_host: owns.firstChild.checked, only: this.chosen() };
    };
    this.told = outcome({ url, action, status_callback: callback, probe, patience });
    this.start = button("Run", null, { kind: "first", type: "submit", mark: "play", id: "run-check" });
    const isChanged = Object.entries(last).some(([name, value]) => name !== "url" && value && value !== "all" && value.length !== 0);
    this.options = h(
      "details",
      { class: "more", open: isChanged },
      h("summary", {}, "Options"),
      h("div", { class: "stack" }, h(
        "div",
        { class: "fields roomy" },
        field("Action", action, { hint: "Notified of received faxes, if not the action in the app's response" }),
        field("Status callback", callback, { hint: "Notified of faxes that the app sends" }),
        field("Probe", probe, { hint: "A page of the app, such as its list of faxes: shows what can't be seen otherwise" }),
        field("Faxes", profile),
        field("Patience", patience, { hint: "Seconds for what the app does in the background" }),
        h("div", { class: "field" }, quick, owns),
      ), this.choice(), h("p", { class: "muted small" }, "To check the app with faxes that it sends itself, a shell command must make it send some. Only the command line takes such a command: --send.")),
    );
    this.form = h(
      "form",
      { class: "card pad stack", novalidate: true, on: { submit: once((event) => this.run(event), this.told.fail), input: () => remember(this.key, JSON.stringify(this.order())) } },
      h("div", { class: "row top" }, field("The app's URL for incoming faxes", url, { hint: "As the app knows it, because signatures cover it", kind: "grow" }), this.start),
      this.options,
      h("p", { class: "muted small" }, "During a run, this account's clock is frozen and its rules are set aside. Afterwards, everything is put back as it was, except that the clock can't be turned back."),
      this.told.element,
    );
    this.bar = h("progress", { "aria-label": "Progress of the run" });
    this.words = h("p", { class: "muted" });
    this.stop = button("Stop", once(() => this.end(), this.told.fail), { kind: "small", id: STOP });
    this.progress = h("section", { class: "card pad stack tight checking", "aria-label": "Run" }, h("div", { class: "row top" }, this.words, h("span", { class: "acts" }, this.stop)), this.bar);
    this.results = h("div", { class: "stack" });
  }

  /** The list of all checks, to choose from. It is requested when it is opened. */
  choice() {
    const place = h("div", { class: "stack" });
    const all = (checked) => () => {
      for (const box of this.boxes) box.checked = checked;
      this.form.dispatchEvent(new Event("input"));
    };
    const load = async ({ currentTarget }) => {
      if (!currentTarget.open || place.firstChild) return;
      try {
        const { checks } = await control("GET", "/check/list");
        const groups = Object.entries(Object.groupBy(checks, ({ group }) => group)).map(([name, own]) => h("fieldset", { class: "group" }, h("legend", {}, name), h("div", { class: "fields roomy small" }, own.map(({ id, title }) => {
          const label = check(h("span", {}, h("strong", {}, id), ` ${title}`), this.only.length === 0 || this.only.includes(id), { value: id });
          this.boxes.push(label.firstChild);
          return label;
        }))));
        fill(place, h("div", { class: "chips bare" }, button("All", all(true), { kind: "small" }), button("None", all(false), { kind: "small" })), groups);
      } catch (problem) {
        fill(place, problemNote(problem));
      }
    };
    return h("details", { class: "more", open: this.only.length > 0, on: { toggle: load } }, h("summary", {}, "Choose the checks"), place);
  }

  /** The chosen checks; empty if all are. */
  chosen() {
    const chosen = this.boxes.filter((box) => box.checked).map((box) => box.value);
    return this.boxes.length === 0 ? this.only : chosen.length === this.boxes.length ? [] : chosen;
  }

  async run() {
    if (this.boxes.length > 0 && !this.boxes.some((box) => box.checked)) throw new Error("Choose at least one check.");
    this.told.clear();
    this.turn += 1;
    this.show(await control("POST", "/check", { body: { ...this.order(), wait: false } }));
  }

  async end() {
    await control("DELETE", "/check", { patience: STOP_MS });
    await this.ask();
  }

  wait(goesOn) {
    clearTimeout(this.timer);
    this.timer = goesOn ? setTimeout(() => this.ask(), POLL_MS) : 0;
  }

  async ask() {
    const { signal } = this.context;
    const mine = ++this.turn;
    try {
      const run = await control("GET", "/check", { signal });
      // Another run may have begun meanwhile.
      if (mine === this.turn) this.show(run);
    } catch {
      // If the connection is lost, the frame says so.
      this.wait(!signal.aborted);
    }
  }

  show(run) {
    const { state, done, total, latest, report, error } = run;
    const isRunning = state === "running";
    this.wait(isRunning && !this.context.signal.aborted);
    // A report that is shown already isn't drawn again, so that its open parts stay open.
    const text = JSON.stringify(run);
    if (text === this.shown) return;
    this.shown = text;
    const focused = document.activeElement;
    this.start.hidden = isRunning;
    this.progress.hidden = !isRunning;
    say(this.start.lastChild, state === "none" ? "Run" : "Run again");
    if (focused === this.start && isRunning) this.stop.focus();
    if (focused === this.stop && !isRunning) this.start.focus();
    if (isRunning) {
      watched = this.key;
      this.told.clear();
      this.bar.max = total;
      this.bar.value = done;
      say(this.words, `${done} of ${total} checks${latest ? `; the last was ${latest}` : ""}`);
      fill(this.results);
    } else if (state === "failed") {
      this.told.fail(new Error(error));
      if (/--i-own/.test(error)) this.options.open = true;
    } else if (state === "none") {
      fill(this.results, h("div", { class: "card teach" }, h("div", { class: "empty" }, icon("judge"), h("h2", {}, "No run yet"), h("p", {}, "Does your app verify signatures? Does it cope with requests that come twice or late, with faxes that fail and with odd contents? A run takes about half a minute and shows what to change, with the request as curl. The same from the command line:")), h("div", { class: "lessons" }, code(this.command(), "Command line")), h("div", { class: "lessons-end" })));
    } else if (report) {
      fill(this.results, results(report));
    }
    if (watched !== this.key || isRunning) return;
    watched = null;
    if (report) this.context.announce(`The run has ended: ${summary(report)}.`);
  }
}

/** `1 failed, 52 passed`. */
const summary = ({ summary: counts }) => Object.entries(VERDICTS).filter(([verdict]) => counts[verdict]).map(([verdict, { 3: word }]) => `${counts[verdict]} ${word}`).join(", ");

/** The whole report, and buttons that show only the results with one verdict. */
function results(report) {
  const counts = report.summary;
  const rows = report.checks.map((result) => [result, row(result)]);
  const groups = Object.entries(Object.groupBy(rows, ([{ group }]) => group)).map(([name, own]) => h("section", { class: "stack tight" }, h("h2", {}, name), h("div", { class: "card calls" }, own.map(([, element]) => element))));
  const choose = ({ currentTarget }) => {
    const wanted = currentTarget.value;
    for (const chip of chips) chip.setAttribute("aria-pressed", String(chip === currentTarget));
    for (const [{ verdict }, element] of rows) element.hidden = wanted !== "" && verdict !== wanted;
    for (const group of groups) group.hidden = !group.querySelector("details:not([hidden])");
  };
  const chips = [["", "All", rows.length], ...Object.entries(VERDICTS).map(([verdict, { 2: word }]) => [verdict, word, counts[verdict]])].filter(([, , n]) => n > 0).map(([value, word, n], i) => button(`${word} ${n}`, choose, { kind: "small chip", value, "aria-pressed": String(i === 0) }));
  return [
    note(counts.fail ? "bad" : counts.warn ? "odd" : "good", h("strong", {}, report.interrupted && "Ended early: ", summary(report)), h("p", { class: "small" }, `${report.url} in ${span(report.duration_ms / 1000)}, with ${count(report.requests, "request")}`)),
    h("div", { class: "row calm" }, h("div", { class: "chips bare", role: "group", "aria-label": "Show" }, chips), h("span", { class: "acts" }, copyButton(() => markdown(report), "Copy as Markdown", { kind: "small", word: "Copy as Markdown" }), copyButton(() => JSON.stringify(report, null, 2), "Copy as JSON", { kind: "small", word: "Copy as JSON" }))),
    groups,
    report.notes.map((text) => h("p", { class: "muted small break" }, capitalized(text))),
  ];
}

/** The result of one check, which can be opened; its content is built when it is first opened. */
function row(result) {
  const { verdict, id, title, seen } = result;
  const [tone, mark, word] = VERDICTS[verdict];
  const inside = h("div", { class: "inside stack" });
  return h(
    "details",
    { class: "call", on: { toggle: () => inside.firstChild || fill(inside, contents(result)) } },
    h("summary", {}, h("span", { class: "badge", data: { tone } }, icon(mark), word), h("span", { class: "what" }, title, verdict !== "pass" && h("span", { class: "seen muted break" }, capitalized(seen))), h("span", { class: "mono small muted" }, id)),
    inside,
  );
}

function contents({ verdict, severity, seen, why, fix, source, request, response }) {
  const facts = { Seen: verdict === "pass" && capitalized(seen), "Why it matters": why, "What to change": (verdict === "fail" || verdict === "warn") && fix, Severity: severity, Source: source };
  return [
    h("dl", { class: "facts" }, Object.entries(facts).filter(([, text]) => text).map(([name, text]) => h("div", { class: "long" }, h("dt", {}, name), h("dd", { class: "break" }, text)))),
    request && code(request.curl, "The request with curl"),
    response && h(
      "section",
      { class: "stack tight", "aria-label": "The app's response" },
      h("h3", {}, "The app's response ", h("span", { class: "http", data: { tone: response.status < 300 ? "good" : "bad" } }, String(response.status ?? "none"))),
      response.error && h("p", { class: "fault" }, response.error),
      response.redirected_to && h("p", { class: "mono small break" }, `Redirected to ${response.redirected_to}`),
      response.body ? body(response.body, { type: String(response.headers["content-type"] ?? "") }) : h("p", { class: "muted small" }, "No body"),
      h("details", { class: "part" }, h("summary", {}, "Response headers"), pairs(response.headers)),
    ),
  ];
}

/** What the app should change, as Markdown in which no text from the app acts as markup. */
function markdown(report) {
  const plain = (text) => text.replace(/\s+/g, " ").replace(/[\\`*_[\]<>|#~&]/g, "\\$&");
  const parts = report.checks.filter(({ verdict }) => verdict === "fail" || verdict === "warn").map(({ verdict, id, title, seen, why, fix, source }) => `## ${VERDICTS[verdict][2]}: ${id}\n\n${plain(title)}.\n\n${Object.entries({ Seen: seen, "Why it matters": why, "What to change": fix, Source: source }).map(([name, text]) => `- ${name}: ${plain(text)}\n`).join("")}`);
  return [`# Check of ${plain(report.url)}\n\n${summary(report)}.\n`, ...parts].join("\n");
}
