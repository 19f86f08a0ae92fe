//! The conversation about a fax, in order: request, TwiML, pages, statuses, callbacks, and what went wrong.

import { h, say } from "./dom.js";
import { exchange } from "./exchange.js";
import { size, stamp } from "./format.js";
import { changesOf, changesText } from "./replay.js";
import { badge, button, note, pairs, toast } from "./ui.js";
import { service } from "./service.js";

const PURPOSES = {
  "media-url": () => "Document fetched",
  "fax-url": () => `App asked for ${service.markup}`,
  "fallback-url": () => `Fallback asked for ${service.markup}`,
  action: () => "App notified of the end",
  "status-callback": () => "App notified",
};

const TOKEN = "i-twilio-idempotency-token";
/** The short names of requests, by their purpose. */
const PLACES = { "fax-url": "FaxUrl", "fallback-url": "FallbackUrl", action: "action", "status-callback": "StatusCallback" };

/** A timeline that grows at its end and never moves earlier steps. */
export class Conversation {
  constructor(context, tools) {
    this.context = context;
    this.steps = h("ol", { class: "steps" });
    /** The element of each step, by the step's place in the journal. */
    this.items = new Map();
    /** The first attempt of each request, by the id with which a replay names the request: its idempotency token, or its place in the journal. */
    this.requests = new Map();
    /**
     * What the page links to at its top, oldest first, as `{ seq, words }`: requests that failed, and alerts about other errors,
     * which also have a `code`.
     */
    this.failures = [];
    /** The places of all steps that failed, apart from reads. */
    this.bad = [];
    this.reads = 0;
    this.readsToggle = h("button", { type: "button", class: "button small bare", "aria-pressed": "false", hidden: true, on: { click: () => this.showReads() } });
    this.empty = h("p", { class: "muted pad" }, "Nothing has happened yet, or the journal has dropped the events.");
    this.element = h("section", { class: "card conversation", "aria-labelledby": "conversation" }, h("div", { class: "title" }, h("h2", { id: "conversation" }, "Conversation"), this.readsToggle, tools), this.empty, this.steps);
  }

  add(event) {
    const { kind, data } = event;
    if (kind === "fax.page") return this.addPage(event);
    const isRead = kind === "api.request" && data.method === "GET";
    // Reads are hidden by default, so a read between two pages doesn't split their list.
    if (!isRead) this.openPages = null;
    if (kind === "webhook.attempt") this.remember(event);
    const [tone, ...content] = this.step(kind, data, event);
    this.append(event, tone, content, isRead);
    if (tone === "bad" && !isRead) this.bad.push(event.seq);
    // An alert about a failed request isn't added, because the request is in the list already. An alert about a response that can't be
    // used is added, because the request itself counts as successful.
    if (kind === "alert" && data.level === "error" && !(data.request_url && this.listed === data.request_url)) this.failures.push({ seq: event.seq, code: data.code, words: `alert ${data.code}` });
    if (isRead) this.countRead();
  }

  append(event, tone, content, isRead = false) {
    this.empty.hidden = true;
    const item = h("li", { id: `step-${event.seq}`, data: { tone, kind: event.kind }, class: isRead ? "read" : null }, h("a", { class: "at", href: `#${event.seq}`, title: `${event.at}. Copies a link to this step.`, "aria-label": `${stamp(event.at)}, link to this step`, on: { click: (click) => this.link(click, event.seq) } }, h("time", { datetime: event.at }, stamp(event.at))), h("div", { class: "what" }, content));
    this.steps.append(item);
    this.items.set(event.seq, item);
    return item;
  }

  /** Copies the address of a step, and makes it the page's address. */
  async link(click, seq) {
    if (click.ctrlKey || click.metaKey || click.shiftKey) return;
    click.preventDefault();
    history.replaceState(history.state, "", `${location.pathname}${location.search}#${seq}`);
    this.mark(seq);
    await navigator.clipboard?.writeText(location.href);
    toast("Copied the link to this step.");
  }

  /** Scrolls to a step, opens it, and puts the focus there. */
  jump(seq) {
    const item = this.mark(seq);
    if (!item) return false;
    if (item.classList.contains("read")) this.steps.classList.contains("with-reads") || this.showReads();
    const exchange = item.querySelector("details.exchange");
    if (exchange) exchange.open = true;
    item.scrollIntoView({ block: "start" });
    (item.querySelector("summary") ?? item.querySelector("a")).focus({ preventScroll: true });
    return true;
  }

  /** Jumps to the first request that failed, or else to the first step that failed. */
  jumpToFailure() {
    const exchange = this.bad.find((seq) => this.items.get(seq).querySelector("details.exchange"));
    return this.jump(exchange ?? this.bad[0]);
  }

  mark(seq) {
    this.steps.querySelector(".marked")?.classList.remove("marked");
    const item = this.items.get(seq);
    item?.classList.add("marked");
    return item;
  }

  addPage(event) {
    const { page, pages } = event.data;
    if (this.openPages) {
      this.openPages.last = page;
    } else {
      const words = h("span", {});
      const bar = h("progress", { max: pages, value: page, "aria-label": "Pages transmitted" });
      this.append(event, "busy", [words, bar]);
      this.openPages = { first: page, last: page, words, bar };
    }
    const { first, last, words, bar } = this.openPages;
    say(words, first === last ? `Page ${first} of ${pages} transmitted` : `Pages ${first}–${last} of ${pages} transmitted`);
    bar.value = page;
  }

  countRead() {
    this.reads += 1;
    this.readsToggle.hidden = false;
    this.tellReads();
  }

  showReads() {
    this.steps.classList.toggle("with-reads");
    this.tellReads();
  }

  tellReads() {
    const shown = this.steps.classList.contains("with-reads");
    this.readsToggle.setAttribute("aria-pressed", String(shown));
    say(this.readsToggle, `${shown ? "Hide" : "Show"} ${this.reads} ${this.reads === 1 ? "read" : "reads"}`);
  }

  remember({ seq, data }) {
    const token = Object.entries(data.request_headers ?? {}).find(([name]) => name.toLowerCase() === TOKEN);
    const id = token ? String(token[1]) : String(seq);
    if (!this.requests.has(id)) this.requests.set(id, { seq, data });
    this.listed = data.error && data.url;
    if (data.error) this.failures.push({ seq, words: [PLACES[data.purpose] ?? data.purpose, data.params?.FaxStatus && `(${data.params.FaxStatus})`, data.status ?? "without a response"].filter(Boolean).join(" ") });
  }

  /** Shows which request was sent again, with its changes and a link to the original. */
  replayed(event) {
    const original = this.requests.get(event.data.webhook);
    const changes = original && changesText(changesOf(original.data, event.data));
    return [exchange(event, "Sent again by hand", changes && `with ${changes}`, this.context), original && h("p", { class: "small" }, button("The original", () => this.jump(original.seq), { kind: "small bare", mark: "up" }))];
  }

  step(kind, data, event) {
    switch (kind) {
      case "api.request":
        return [data.status < 400 ? "plain" : "bad", h("span", { class: "mono break" }, `${data.method} ${data.path}`), " ", answered(data.status), data.code ? h("span", { class: "muted" }, ` code ${data.code}`) : null, data.advice && h("p", { class: "small muted" }, `${data.cause} ${data.advice}`)];
      case "fax.status":
        return [data.error_code ? "bad" : "status", data.old ? h("span", { class: "muted" }, `${data.old} → `) : null, badge(data.new), data.error_message ? h("p", { class: "fault" }, `${data.error_message} (${data.error_code})`) : null];
      case "document.fetched":
        return [data.reason || data.error ? "bad" : "plain", exchange(event, PURPOSES["media-url"](), data.document ? `${data.document.pages} ${data.document.pages === 1 ? "page" : "pages"}, ${size(data.document.bytes)}` : data.reason, this.context)];
      case "webhook.attempt": {
        const status = data.params?.FaxStatus;
        const title = `${PURPOSES[data.purpose]?.() ?? data.purpose}${status && data.purpose !== "fax-url" ? `: ${status}` : ""}`;
        return [data.error ? "bad" : data.note ? "odd" : "plain", exchange(event, title, remark(data), this.context)];
      }
      case "webhook.replayed":
        return [data.error ? "bad" : "plain", ...this.replayed(event)];
      case "twiml.executed": {
        const { verb, ...attributes } = data;
        const given = Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== null && value !== undefined));
        return ["plain", h("span", {}, `${service.markup} says `, h("code", {}, `<${verb}>`)), Object.keys(given).length > 0 && h("details", { class: "more" }, h("summary", {}, "Attributes"), pairs(given))];
      }
      case "call.attempt":
        return [data.outcome === "connected" ? "plain" : "odd", `Call ${data.attempt}: ${data.what}`];
      case "call.not-answered":
        return ["bad", "No app took the call, so there is no fax."];
      case "alert":
        return alertStep(data);
      case "document.loss":
        return ["odd", h("strong", {}, data.page === null ? "Missing from the fax: " : `Missing from page ${data.page}: `), h("span", { class: "break" }, data.what)];
      case "rule.fired":
      case "pedantic.acted":
        return ["odd", data.what ? sentence(data.what) : `Rule ${data.rule_id} acted`, h("details", { class: "more" }, h("summary", {}, "What it does"), h("pre", { class: "json" }, JSON.stringify(data[data.kind] ?? data, null, 2)))];
      case "caller-id.adopted":
        return ["plain", `${data.phone_number} became a caller id of this account`];
      case "media.refused":
        return ["bad", "A download of the document was refused ", answered(data.status), h("p", { class: "fault" }, data.detail)];
      case "media.warning":
        return ["odd", "The document was downloaded", h("p", {}, data.detail)];
      case "media.evicted":
        return ["odd", "The document was dropped to make room for newer ones (media budget)"];
      default:
        return ["plain", h("span", { class: "muted" }, kind), h("details", { class: "more" }, h("summary", {}, "Details"), h("pre", { class: "json" }, JSON.stringify(data, null, 2)))];
    }
  }
}

/** What is unusual about a delivery, in parentheses: a retry, a duplicate, a delay, or another effect of a rule. */
function remark(data) {
  return data.note ? `(${data.note})` : null;
}

function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** An HTTP status, coloured by its class. */
export function answered(status) {
  return h("span", { class: "http", data: { tone: status < 300 ? "good" : status < 400 ? "busy" : "bad" } }, String(status));
}

function alertStep(data) {
  const { cause, advice: remedy } = data;
  const body = note(data.level === "warning" ? "odd" : "bad", h("strong", {}, `${data.code} `), data.message, cause && h("p", {}, cause), remedy && h("p", {}, h("em", {}, "What to do: "), remedy), h("p", {}, h("a", { href: service.aboutCode(data.code), rel: "noreferrer", target: "_blank" }, `${service.name}'s page about this code`)));
  return [data.level === "warning" ? "odd" : "bad", body];
}
