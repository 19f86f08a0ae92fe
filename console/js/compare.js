//! Two requests side by side, with their differences. It calls no API.

import { h } from "./dom.js";
import { button, dialog, toast } from "./ui.js";

/** Beyond this many lines, bodies count as wholly different, since the best match would take too long. */
const LINES_MAX = 400;

/** The exchange that was picked first; it stays picked from one fax's page to the next. */
let picked = null;

/** A button that picks an exchange, or compares it with the one picked before. */
export function compareButton(data, title) {
  return button("Compare", () => {
    if (!picked || picked.data === data) {
      picked = { data, title };
      toast("Picked. Press Compare on the other request, here or on another fax's page.");
      return;
    }
    compare(picked, { data, title });
    picked = null;
  }, { kind: "small" });
}

function compare(one, other) {
  const box = dialog("Two requests compared", h("div", { class: "stack" }, sideBySide(one, other), h("div", { class: "end" }, button("Close", () => box.close()))), { kind: "widest" });
}

/** A table of two exchanges: their differences, and, folded, the parts that are the same. */
export function sideBySide(one, other) {
  const parts = [
    ["Request", [["Method", one.data.method, other.data.method], ["URL", one.data.url, other.data.url]]],
    ["Parameters", both(one.data.params, other.data.params)],
    ["Request headers", both(one.data.request_headers, other.data.request_headers)],
    ["Response", [["Status", one.data.status ?? "none", other.data.status ?? "none"], ["Error", one.data.error?.message, other.data.error?.message], ["Duration", `${one.data.duration_ms} ms`, `${other.data.duration_ms} ms`]]],
    ["Response headers", both(one.data.response_headers, other.data.response_headers)],
  ];
  const isSame = ([, a, b]) => a === b;
  const row = ([name, a, b]) => h("tr", { class: isSame([name, a, b]) ? null : "differs" }, h("th", { scope: "row" }, name), cell(a), cell(b));
  const body = (part, same) => {
    const rows = part[1].filter((each) => isSame(each) === same && (each[1] !== undefined || each[2] !== undefined));
    return rows.length > 0 && h("tbody", {}, h("tr", {}, h("th", { colspan: "3", scope: "rowgroup", class: "group" }, part[0])), rows.map(row));
  };
  const heads = h("thead", {}, h("tr", {}, h("th", { scope: "col" }, ""), h("th", { scope: "col" }, one.title), h("th", { scope: "col" }, other.title)));
  const table = (same) => {
    const bodies = parts.map((part) => body(part, same)).filter(Boolean);
    return bodies.length > 0 ? h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": same ? "What is the same" : "What differs" }, h("table", { class: "compared" }, heads.cloneNode(true), bodies)) : null;
  };
  return [
    table(false) ?? h("p", { class: "muted" }, "The requests and the heads of their responses are the same."),
    bodies(one.data.body ?? "", other.data.body ?? ""),
    h("details", { class: "more" }, h("summary", {}, "What is the same"), table(true) ?? h("p", { class: "muted" }, "Nothing.")),
  ];
}

function cell(value) {
  return h("td", {}, value === undefined || value === null ? h("span", { class: "muted" }, "absent") : String(value));
}

function both(a = {}, b = {}) {
  return [...new Set([...Object.keys(a ?? {}), ...Object.keys(b ?? {})])].map((name) => [name, a?.[name], b?.[name]]);
}

function bodies(a, b) {
  if (a === b) return h("p", { class: "muted small" }, a ? "The response bodies are the same." : "Both responses are empty.");
  const marks = { "-": "removed", "+": "added", " ": "same" };
  return [h("h3", {}, "Response bodies"), h("pre", { class: "body diff", tabindex: "0", "aria-label": "Differences of the response bodies" }, difference(a.split("\n"), b.split("\n")).map(([mark, line]) => h("span", { class: marks[mark] }, `${mark} ${line}\n`)))];
}

/** Lines marked with `-`, `+` or a space; those with a space are the longest common subsequence. */
export function difference(a, b) {
  if (a.length > LINES_MAX || b.length > LINES_MAX) return [...a.map((line) => ["-", line]), ...b.map((line) => ["+", line])];
  const common = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) common[i][j] = a[i] === b[j] ? common[i + 1][j + 1] + 1 : Math.max(common[i + 1][j], common[i][j + 1]);
  }
  const lines = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push([" ", a[i]]);
      i += 1;
      j += 1;
    } else if (i < a.length && (j === b.length || common[i + 1][j] >= common[i][j + 1])) lines.push(["-", a[i++]]);
    else lines.push(["+", b[j++]]);
  }
  return lines;
}
