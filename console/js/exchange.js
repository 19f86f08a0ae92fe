//! Shows one request to an app and its response as a line. Opened, the line shows their parameters, headers and bodies, and
//! buttons for actions such as a replay.

import { printable } from "./body.js";
import { compareButton } from "./compare.js";
import { fill, h } from "./dom.js";
import { ruleOfExchange } from "./makerule.js";
import { span } from "./format.js";
import { replayTools } from "./replay.js";
import { signaturePart } from "./signature.js";
import { snippets } from "./snippets.js";
import { button, copyButton, dialog, pairs } from "./ui.js";

/** An exchange that can be opened; its content is built when it is first opened. */
export function exchange(event, title, remark, context) {
  const { data } = event;
  const inside = h("div", { class: "inside" });
  const [origin] = /^https?:\/\/[^/]*/.exec(data.url) ?? [""];
  const summary = h(
    "summary",
    {},
    h("span", { class: "name" }, title, remark && h("span", { class: "muted remark" }, ` ${remark}`)),
    h("span", { class: "request mono", title: data.url }, data.method, " ", h("span", { class: "origin" }, origin), data.url.slice(origin.length)),
    h("span", { class: "answer" }, data.status ? h("span", { class: "http", data: { tone: data.status < 300 ? "good" : data.status < 400 ? "busy" : "bad" } }, String(data.status)) : h("span", { class: "http", data: { tone: "bad" } }, "no response"), h("span", { class: "muted nowrap" }, data.duration_ms < 1 ? "< 1 ms" : span((data.duration_ms ?? 0) / 1000))),
  );
  return [
    h("details", { class: "exchange", on: { toggle: ({ currentTarget }) => currentTarget.open && !inside.firstChild && fill(inside, contents(event, title, context)) } }, summary, inside),
    data.error && h("p", { class: "fault" }, `${data.error.message} (${data.error.code})`),
  ];
}

function contents(event, title) {
  const { data } = event;
  const replays = replayTools(event, title);
  return [
    h("div", { class: "tools" }, replays?.buttons, compareButton(data, title), copyButton(() => snippets.curl(data), "Copy as curl", { kind: "small", word: "Copy as curl" }), button("Copy as test", () => tests(data), { kind: "small", mark: "copy" })),
    replays?.statuses,
    replays?.place,
    signaturePart(data),
    part("Parameters", pairs(data.params), true),
    part("Request headers", pairs(data.request_headers)),
    data.redirected_to && part("Redirected to", h("p", { class: "mono break" }, data.redirected_to), true),
    data.status && part(`Response ${data.status}`, [h("h3", {}, "Headers"), pairs(data.response_headers), h("h3", {}, "Body"), data.body ? h("pre", { class: "body", tabindex: "0", "aria-label": "Body" }, printable(data.body)) : h("p", { class: "muted small" }, "empty")], true),
    h("p", { class: "muted small" }, "The journal keeps only the beginning of long bodies, and masks secrets."),
    h("div", {}, ruleOfExchange(data)),
  ];
  function part(name, content, open = false) {
    return h("details", { class: "part", open }, h("summary", {}, name), content);
  }
}

function tests(data) {
  const kinds = [["pytest", "pytest"], ["node", "node:test"], ["rust", "Rust"]];
  const place = h("div", {});
  const show = (kind, pressed) => {
    for (const each of tabs) each.setAttribute("aria-pressed", String(each === pressed));
    const text = snippets[kind](data);
    fill(place, h("div", { class: "code" }, h("pre", { tabindex: "0", "aria-label": "The test" }, h("code", {}, text)), h("span", { class: "copy" }, copyButton(text, "Copy the test", { kind: "small" }))));
  };
  const tabs = kinds.map(([kind, text]) => h("button", { type: "button", "aria-pressed": "false", on: { click: ({ currentTarget }) => show(kind, currentTarget) } }, text));
  const box = dialog("This request as a test", h("div", { class: "stack" }, h("div", { class: "tabs", role: "group", "aria-label": "Language" }, tabs), place, h("div", { class: "end" }, button("Close", () => box.close()))), { kind: "wide" });
  show("pytest", tabs[0]);
}
