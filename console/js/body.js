//! A body in readable form: indented and coloured, as received, or byte by byte; an error in XML is marked in its place.
//! It calls no API.

import { fill, h } from "./dom.js";

const JSON_PARTS = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b/g;
const XML_PARTS = /(<!--[\s\S]*?(?:-->|$))|(<[/?!]?[\w:.-]*|[/?]?>)|([\w:.-]+)(?==)|("[^"<]*"|'[^'<]*')|(&[#\w]+;)/g;
const MARKUP = /<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>|<\?[\s\S]*?\?>|<![^<>]*>|<(\/?)([^\s<>/"'=]+)((?:[^<>"']|"[^"<]*"|'[^'<]*')*?)(\/?)>|[<&]/g;
const ENTITY = /^&(?:amp|lt|gt|quot|apos|#\d+|#x[\da-fA-F]+);/;
/** HTML tags that have no end tag. */
const VOID = new Set(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]);
/** The position of an error in the emulator's messages. */
const PLACE = /\bat (\d+):(\d+)/;
const BYTES_A_LINE = 16;

/** Shows control and direction characters as symbols, so that a binary body is recognised as such. */
export function printable(text) {
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, (found) => String.fromCharCode(0x2400 + found.charCodeAt(0))).replace(/[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "\u2423");
}

/** The kind of a body: `json`, `html`, `xml` or `text`. */
export function kindOf(text, type = "") {
  const start = text.trimStart().slice(0, 300).toLowerCase();
  if (/json/.test(type) || /^[[{]/.test(start)) return parsed(text) === undefined ? "text" : "json";
  if (/html/.test(type) || start.startsWith("<!doctype html") || start.startsWith("<html")) return "html";
  return start.startsWith("<") || (/xml/.test(type) && start) ? "xml" : "text";
}

/** A body with its views to choose from. `told` is the emulator's message about it. */
export function body(text, { type = "", told = "", name = "Body" } = {}) {
  const kind = kindOf(text, type);
  const wrong = kind === "xml" && mistake(text, told);
  return tabbed(name, {
    ...(kind !== "text" && { Pretty: () => (wrong ? marked(text, wrong) : source(pretty(text, kind), kind, name)) }),
    Raw: () => source(printable(text), "", name),
    Hex: () => source(hex(text), "", name),
  });
}

/** Several views of one thing, one shown at a time; each is built when it is first chosen. */
export function tabbed(name, views) {
  const place = h("div", {});
  const tabs = Object.entries(views).map(([word, build], at) => h("button", { type: "button", "aria-pressed": String(at === 0), "aria-label": `${name}, ${word}`, on: { click: ({ currentTarget }) => {
    for (const tab of tabs) tab.setAttribute("aria-pressed", String(tab === currentTarget));
    fill(place, build());
  } } }, word));
  fill(place, Object.values(views)[0]());
  return h("div", { class: "bodyview" }, h("div", { class: "top" }, h("h4", {}, name), h("div", { class: "tabs", role: "group", "aria-label": `View of: ${name}` }, tabs)), place);
}

function source(text, kind, name) {
  return h("pre", { class: "body", tabindex: "0", "aria-label": name }, colour(text, kind));
}

/** The parts of a text, coloured by their kind. */
function colour(text, kind) {
  if (kind === "json") return parts(text, JSON_PARTS, ([whole, string, colon, number]) => (colon ? [["name", string], ["", colon]] : [[string ? "string" : number ? "number" : "word", whole]]));
  if (kind === "xml" || kind === "html") return parts(text, XML_PARTS, ([whole, comment, tag, attribute, string]) => [[comment ? "still" : tag ? "name" : attribute ? "word" : string ? "string" : "number", whole]]);
  return [text];
}

function parts(text, pattern, named) {
  const found = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > end) found.push(text.slice(end, match.index));
    found.push(named(match).map(([kind, part]) => (kind ? h("span", { class: `tok-${kind}` }, part) : part)));
    end = match.index + match[0].length;
  }
  found.push(text.slice(end));
  return found;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The text, indented; not indented if its tags don't match, or if it has scripts or styles. */
function pretty(text, kind) {
  return printable(kind === "json" ? JSON.stringify(parsed(text), null, 2) : indented(text, kind === "html"));
}

function indented(text, isHtml) {
  const lines = [];
  let depth = 0;
  let end = 0;
  let joins = false;
  const put = (piece, joined) => (joined && lines.length > 0 ? lines.push(lines.pop() + piece) : lines.push("  ".repeat(depth) + piece));
  const words = (upTo) => {
    const between = text.slice(end, upTo).trim();
    // The text of an element stays on the line of the tag before it.
    if (between) put(between, joins);
    return between !== "";
  };
  for (const match of text.matchAll(MARKUP)) {
    const [whole, closes, tag, , empty] = match;
    if (whole === "&") continue;
    const hadWords = words(match.index);
    end = match.index + whole.length;
    if (closes) {
      depth -= 1;
      if (depth < 0) return text;
      put(whole, joins);
      joins = false;
    } else {
      if (hadWords) joins = false;
      put(whole, false);
      const opens = tag && !empty && !(isHtml && VOID.has(tag.toLowerCase()));
      if (opens) depth += 1;
      joins = Boolean(opens);
      // The content of scripts and styles is not markup.
      if (isHtml && opens && /^(?:script|style)$/i.test(tag)) return text;
    }
  }
  words(text.length);
  return depth === 0 ? lines.join("\n") : text;
}

/** Where XML is wrong, and why, from the emulator's message or else from a check of its tags; nothing if it is right. */
export function mistake(text, told = "") {
  const place = PLACE.exec(told);
  if (place) return { line: Number(place[1]), column: Number(place[2]), why: told.replace(PLACE, "").trim() };
  const found = firstMistake(text);
  if (!found) return null;
  const before = text.slice(0, found.index).split("\n");
  return { line: before.length, column: before.at(-1).length + 1, why: found.why };
}

function firstMistake(text) {
  const open = [];
  let roots = 0;
  for (const { 0: whole, 1: closes, 2: tag, 4: empty, index } of text.matchAll(MARKUP)) {
    if (whole === "&") {
      if (!ENTITY.test(text.slice(index, index + 12))) return { index, why: "An ampersand must be written as &amp;." };
    } else if (whole === "<") return { index, why: "This < begins no complete tag. In a text, it must be written as &lt;." };
    else if (closes) {
      const last = open.pop();
      if (!last) return { index, why: `</${tag}> closes nothing.` };
      if (last.tag !== tag) return { index, why: `</${tag}> comes before </${last.tag}>.` };
    } else if (tag) {
      if (open.length === 0 && (roots += 1) > 1) return { index, why: `<${tag}> is a second root.` };
      if (!empty) open.push({ tag, index });
    }
  }
  const last = open.pop();
  if (last) return { index: last.index, why: `<${last.tag}> is never closed.` };
  return roots === 0 ? { index: 0, why: "There is no tag." } : null;
}

/** The text with its lines numbered, and the mistake marked. */
function marked(text, { line, column, why }) {
  const lines = text.split("\n");
  const at = Math.min(line, lines.length);
  return h("pre", { class: "body lines", tabindex: "0", "aria-label": "Body, with the error marked" }, lines.map((each, i) => {
    const number = { data: { n: String(i + 1) } };
    if (i + 1 !== at) return h("span", number, colour(printable(each), "xml"), "\n");
    const cut = Math.min(Math.max(column - 1, 0), Math.max(each.length - 1, 0));
    return [h("span", { class: "wrong", ...number }, colour(printable(each.slice(0, cut)), "xml"), h("mark", {}, printable(each.slice(cut)) || " "), "\n"), h("span", { class: "why" }, `↑ line ${line}, column ${column}: ${why}`, "\n")];
  }));
}

/** The bytes, sixteen per line: their offset, their hexadecimal digits and their characters. */
function hex(text) {
  const bytes = new TextEncoder().encode(text);
  const lines = [];
  for (let at = 0; at < bytes.length; at += BYTES_A_LINE) {
    const own = [...bytes.slice(at, at + BYTES_A_LINE)];
    const digits = own.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    lines.push(`${at.toString(16).padStart(4, "0")}  ${digits.padEnd(BYTES_A_LINE * 3)} ${own.map((byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : "·")).join("")}`);
  }
  return lines.join("\n");
}
