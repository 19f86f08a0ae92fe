//! Parts that pages share: badges, buttons that copy, fields, dialogs, notes. It calls no API.

import { fill, freshId, h, say } from "./dom.js";
import { icon } from "./icons.js";
import { fullMoment, moment, tone } from "./format.js";

const SHOWN_MS = 4500;
const DOTS = "•".repeat(10);

/** A status as a badge. */
export function badge(status) {
  return h("span", { class: "badge", data: { tone: tone(status) } }, status);
}

/** Changes a badge in place. */
export function setBadge(element, status) {
  say(element, status);
  element.dataset.tone = tone(status);
}

/** A moment, with the date only if it isn't today; the full date and time are its tooltip. */
export function time(text) {
  return text ? h("time", { datetime: text, title: fullMoment(text), class: "nowrap" }, moment(text)) : h("span", {}, "–");
}

/** A button. */
export function button(text, onclick, { kind = "", mark, label, type = "button", ...rest } = {}) {
  return h("button", { type, class: `button ${kind}`.trim(), "aria-label": label, title: label && !text ? label : null, on: onclick ? { click: onclick } : null, ...rest }, mark && icon(mark), text && h("span", {}, text));
}

/** A button that copies a text, or the text that a function returns, and says so. */
export function copyButton(text, label = "Copy", { kind = "small bare", word = "" } = {}) {
  const mark = h("span", { class: "unseen", role: "status" });
  const inner = h("span", {}, word);
  const element = button("", async () => {
    await copy(typeof text === "function" ? await text() : text);
    element.firstChild.replaceWith(icon("check"));
    say(mark, "Copied");
    if (word) say(inner, "Copied");
    setTimeout(() => {
      element.firstChild.replaceWith(icon("copy"));
      say(mark, "");
      if (word) say(inner, word);
    }, 1600);
  }, { kind: `${kind}${word ? "" : " icon"}`, mark: "copy", label: word ? null : label });
  element.append(word ? inner : "", mark);
  return element;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without HTTPS, a page may have no clipboard API, but the old command still works.
    const area = h("textarea", { class: "unseen", value: text, "aria-hidden": "true" });
    (document.querySelector("dialog[open]") ?? document.body).append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

/** A piece of code with a copy button. */
export function code(text, name) {
  return h("div", { class: "code" }, name && h("span", { class: "name" }, name), h("pre", { tabindex: "0", "aria-label": name ?? "Code" }, h("code", {}, text)), h("span", { class: "copy" }, copyButton(text, name ? `Copy ${name}` : "Copy", { kind: "small" })));
}

/** A secret, hidden until asked for. */
export function secret(text, name) {
  const shown = h("span", { class: "secret" }, DOTS);
  const toggle = button("", () => {
    const visible = toggle.getAttribute("aria-pressed") !== "true";
    toggle.setAttribute("aria-pressed", String(visible));
    shown.textContent = visible ? text : DOTS;
  }, { kind: "small bare icon", mark: "eye", label: `Show ${name}`, "aria-pressed": "false" });
  return h("span", { class: "copyline" }, shown, toggle, copyButton(text, `Copy ${name}`));
}

/** A label, its control, and a hint. */
export function field(label, input, { hint, kind = "" } = {}) {
  input.id ||= freshId("field");
  const notes = h("span", { class: "hint", id: `${input.id}-hint` }, hint);
  if (hint) input.setAttribute("aria-describedby", notes.id);
  return h("div", { class: `field ${kind}`.trim() }, h("label", { for: input.id }, label), input, hint && notes);
}

/** A select of `[value, text]` pairs. */
export function select(options, value, props = {}) {
  return h("select", props, options.map(([own, text]) => h("option", { value: own, selected: own === value }, text)));
}

/** A checkbox with its label. */
export function check(text, checked, props = {}) {
  return h("label", { class: "check" }, h("input", { type: "checkbox", checked, ...props }), text);
}

/** A note in the style of its severity. */
export function note(kind, ...text) {
  return h("div", { class: `note ${kind}` }, icon(kind === "good" ? "check" : kind ? "alert" : "info"), h("div", { class: "break" }, ...text));
}

/** A message with a capital letter at its beginning and a full stop at its end. */
export const capitalized = (text) => text.charAt(0).toUpperCase() + text.slice(1) + (/[.?!)]$/.test(text) ? "" : ".");

/** A note that reports a problem. */
export function problemNote(problem) {
  return h("div", { role: "alert" }, note("bad", capitalized(problem.message)));
}

/** The place where a form's outcome is shown. A failure that names one of the inputs is shown below that input. */
export function outcome(inputs = {}) {
  const element = h("div", { class: "outcome" });
  let unmark = () => {};
  const clear = () => {
    fill(element);
    unmark();
    unmark = () => {};
  };
  const fail = (problem) => {
    clear();
    // A name in lower case, such as pages, may be an ordinary word of a message, unless the message begins with it.
    const pattern = (name) => new RegExp(/[A-Z]/.test(name) ? `\\b${name}\\b` : `^${name}:`);
    const places = Object.keys(inputs).map((name) => [problem.message.search(pattern(name)), inputs[name]]);
    const [found] = places.filter(([place]) => place >= 0).sort(([a], [b]) => a - b);
    const input = found?.[1];
    const field = input?.checkVisibility() ? input.closest(".field") : null;
    // A hidden input, or one without a field of its own, has no room for the message.
    if (!field) return fill(element, problemNote(problem));
    const fault = h("span", { class: "fault", role: "alert", id: freshId("fault") }, capitalized(problem.message));
    field.append(fault);
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-errormessage", fault.id);
    unmark = () => {
      fault.remove();
      input.removeAttribute("aria-invalid");
      input.removeAttribute("aria-errormessage");
    };
    return input.focus();
  };
  const good = (...text) => {
    clear();
    fill(element, h("div", { role: "status" }, note("good", ...text)));
  };
  return { element, clear, fail, good };
}

let toasts = null;

/** Shows a short message at the edge of the screen. */
export function toast(text, kind = "") {
  toasts ??= document.body.appendChild(h("div", { class: "toasts", role: "status", "aria-live": "polite" }));
  const element = h("div", { class: `toast ${kind}` }, text);
  toasts.append(element);
  setTimeout(() => element.remove(), SHOWN_MS);
}

/** Opens a dialog, which is removed when it is closed; the focus then returns to where it was. */
export function dialog(title, content, { kind = "" } = {}) {
  const before = document.activeElement;
  const id = freshId("title");
  const element = h("dialog", { class: kind, "aria-labelledby": id, on: { close: () => { element.remove(); before?.focus?.(); } } });
  element.append(h("div", {}, h("h2", { id }, title), content));
  element.addEventListener("click", (event) => event.target === element && element.close());
  document.body.append(element);
  element.showModal();
  return element;
}

/** Asks for confirmation before something that can't be undone; returns whether to go on. */
export function confirm(title, text, verb, { kind = "grave", keep = "Cancel" } = {}) {
  return new Promise((resolve) => {
    const yes = button(verb, () => { resolve(true); box.close(); }, { kind });
    const box = dialog(title, h("div", { class: "stack" }, h("p", {}, text), h("div", { class: "end" }, button(keep, () => box.close()), yes)));
    box.addEventListener("close", () => resolve(false));
    yes.focus();
  });
}

/** Wraps a button's action so that it can't run again before it has ended, and its failure is reported. */
export function once(action, tell = (problem) => toast(problem.message, "bad")) {
  return async (event) => {
    const trigger = event?.submitter ?? event?.currentTarget;
    event?.preventDefault?.();
    if (trigger?.getAttribute?.("aria-disabled") === "true") return;
    trigger?.setAttribute?.("aria-disabled", "true");
    try {
      await action(event);
    } catch (problem) {
      tell(problem);
    } finally {
      trigger?.removeAttribute?.("aria-disabled");
    }
  };
}

/** The head of a page. */
export function head(title, { lead, actions = [], back } = {}) {
  return [
    back && h("a", { class: "back", href: back[1] }, icon("left"), back[0]),
    h("header", { class: "head" }, h("h1", { tabindex: "-1" }, title), actions.length > 0 && h("div", { class: "actions" }, actions), lead && h("p", { class: "lead" }, lead)),
  ];
}

/** A link that looks like a button. */
export function linkButton(text, href, { kind = "", mark, ...rest } = {}) {
  return h("a", { class: `button ${kind}`.trim(), href, ...rest }, mark && icon(mark), text);
}

/** A table of a record's names and values; several values of a name are joined by commas. */
export function pairs(record) {
  const rows = Object.entries(record ?? {});
  if (rows.length === 0) return h("p", { class: "muted small" }, "none");
  return h("table", { class: "pairs" }, h("tbody", {}, rows.map(([name, value]) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, Array.isArray(value) ? value.join(", ") : String(value ?? ""))))));
}
