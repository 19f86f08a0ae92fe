//! Lists the calls in the OpenAPI description of the control API: the parameters of each call, and a form to try it.

import { account, control, controlUrl } from "./api.js";
import { body } from "./body.js";
import { fill, h, say } from "./dom.js";
import { size } from "./format.js";
import { icon } from "./icons.js";
import { took } from "./statistics.js";
import { button, code, field, head, linkButton, note, once, outcome, select } from "./ui.js";

const DESCRIPTION = "/openapi.json";
/** The page shows at most this many characters of a response. */
const SHOWN_CHARS = 200_000;
/** Nested schemas are described to this depth. */
const DEPTH_MAX = 3;
const METHODS = ["get", "post", "put", "delete"];
/** The maximum number of milliseconds that a call may take. */
const PATIENCE_MS = 130_000;

/** The page. */
export async function page(context) {
  context.title("API explorer");
  const api = await control("GET", DESCRIPTION, { signal: context.signal });
  const calls = Object.entries(api.paths).flatMap(([path, methods]) => METHODS.filter((method) => methods[method]).map((method) => ({ path, method, ...methods[method] })));
  const groups = new Map();
  for (const call of calls) groups.set(call.tags[0], [...(groups.get(call.tags[0]) ?? []), call]);
  const told = h("span", { class: "muted small", role: "status" });
  const sections = [...groups].map(([name, own]) => {
    const entries = own.map((call) => [entry(call, api), `${call.method} ${call.path} ${call.summary}`.toLowerCase()]);
    return { element: h("section", { class: "stack tight" }, h("h2", {}, name), h("div", { class: "card calls" }, entries.map(([element]) => element))), entries };
  });
  const filter = h("input", { type: "search", placeholder: "Method, path or words", "aria-label": "Filter the calls", autocomplete: "off", spellcheck: "false", value: context.query.get("text") ?? "", on: { input: () => show() } });
  const show = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let n = 0;
    for (const { element, entries } of sections) {
      for (const [each, text] of entries) each.hidden = !words.every((word) => text.includes(word));
      const found = entries.filter(([each]) => !each.hidden).length;
      element.hidden = found === 0;
      n += found;
    }
    say(told, n === calls.length ? `${n} calls` : `${n} of ${calls.length} calls`);
  };
  show();
  context.keys = [["/", "Filter", () => filter.focus()]];
  return [
    head("API explorer", { actions: [linkButton("openapi.json", controlUrl(DESCRIPTION), { mark: "down", target: "_blank" })], lead: "Every call of the control API, with its parameters, ready to try on this emulator." }),
    h("form", { class: "row calm", role: "search", "aria-label": "Filter the calls", on: { submit: (event) => event.preventDefault() } }, h("span", { class: "searchbox grow" }, icon("search"), filter), told),
    sections.map(({ element }) => element),
  ];
}

/** A call that can be unfolded; what is then shown is built when it is first unfolded. */
function entry(call, api) {
  const inside = h("div", { class: "inside stack" });
  return h("details", { class: "call", on: { toggle: ({ currentTarget }) => currentTarget.open && !inside.firstChild && fill(inside, contents(call, api)) } }, h("summary", {}, h("span", { class: "verb mono", data: { method: call.method } }, call.method.toUpperCase()), h("span", { class: "mono path" }, call.path.replace("/_fauxfax/v1", "")), h("span", { class: "muted" }, call.summary)), inside);
}

function contents(call, api) {
  const parameters = (call.parameters ?? []).map((each) => resolved(each, api)).filter((each) => each.name);
  const inputs = parameters.map((each) => [each, input(each, api)]);
  const content = call.requestBody?.content?.["application/json"];
  const schema = content && resolved(content.schema, api);
  const text = schema && h("textarea", { spellcheck: "false", value: JSON.stringify(content.example ?? example(schema, api), null, 2) });
  const told = outcome();
  const place = h("div", { class: "stack tight", "aria-live": "polite" });
  const send = once(async () => {
    told.clear();
    const [url, options] = request(call, inputs, text?.value);
    await attempt(url, options, place);
  }, told.fail);
  return h(
    "form",
    { class: "stack", on: { submit: send } },
    call.description && call.description !== call.summary && h("p", { class: "muted" }, call.description),
    inputs.length > 0 && h("div", { class: "fields" }, inputs.map(([each, own]) => field(`${each.name}${each.required ? " (required)" : ""}`, own, { hint: each.description ?? each.schema?.description }))),
    text && [field("Body, as JSON", text), properties(schema, api)],
    h("div", { class: "row" }, button("Try it", null, { kind: call.method === "get" ? "first" : "", type: "submit", mark: "play" }), button("Show as curl", () => {
      const [url, options] = request(call, inputs, text?.value);
      fill(place, code(curl(url, options), "curl"));
    }, { kind: "bare" })),
    told.element,
    place,
  );
}

function input(parameter, api) {
  const schema = resolved(parameter.schema ?? {}, api);
  const words = schema.enum ?? schema.anyOf?.map((each) => resolved(each, api).enum).find(Boolean);
  const types = [schema.type].flat();
  if (words) return select([["", ""], ...words.filter((word) => word !== null).map((word) => [String(word), String(word)])], "");
  if (types.includes("boolean")) return select([["", ""], ["true", "true"], ["false", "false"]], "");
  const isAccount = parameter.name === "account";
  return h("input", { type: "text", required: Boolean(parameter.required), autocomplete: "off", spellcheck: "false", inputmode: types.includes("integer") ? "numeric" : null, placeholder: isAccount ? account() ?? "default account" : schema.default === undefined ? null : String(schema.default), value: isAccount ? account() ?? "" : "" });
}

/** Returns the URL and the fetch options of a call, as filled in. */
function request(call, inputs, text) {
  let path = call.path;
  const query = new URLSearchParams();
  for (const [{ name, in: where }, { value }] of inputs) {
    if (where === "path") path = path.replace(`{${name}}`, encodeURIComponent(value));
    else if (where === "query" && value !== "") query.set(name, value);
  }
  const options = { method: call.method.toUpperCase(), headers: { accept: "application/json" }, credentials: "same-origin", cache: "no-store" };
  if (text?.trim()) {
    JSON.parse(text);
    options.headers["content-type"] = "application/json";
    options.body = text;
  }
  return [query.size > 0 ? `${path}?${query}` : path, options];
}

async function attempt(url, options, place) {
  const began = performance.now();
  const response = await fetch(url, { ...options, signal: AbortSignal.timeout(PATIENCE_MS) });
  const type = response.headers.get("content-type") ?? "";
  const bytes = new Uint8Array(await response.arrayBuffer());
  const isText = /json|text|xml|pem|yaml|har/.test(type);
  const text = isText ? new TextDecoder().decode(bytes).slice(0, SHOWN_CHARS) : "";
  fill(place, h("p", {}, h("span", { class: "http", data: { tone: response.ok ? "good" : "bad" } }, String(response.status)), h("span", { class: "muted" }, ` after ${took(performance.now() - began)}, ${size(bytes.length)}${type && `, ${type}`}`)), text ? body(text, { type, name: "Response" }) : bytes.length > 0 && note("", "The response is not text. ", h("a", { href: url, target: "_blank" }, "Open it")));
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function curl(url, { method, body: text }) {
  return `curl${method === "GET" ? "" : ` -X ${method}`} ${quoted(`${location.origin}${url}`)}${text ? ` \\\n  -H 'Content-Type: application/json' \\\n  -d ${quoted(text)}` : ""}`;
}

/** The schema that a reference names. */
function resolved(schema, api) {
  const name = schema?.$ref;
  if (!name) return schema ?? {};
  return name.replace("#/", "").split("/").reduce((place, step) => place?.[step], api) ?? {};
}

/** The smallest body that a schema allows. */
function example(schema, api) {
  return Object.fromEntries((schema.required ?? []).map((name) => [name, sample(resolved(schema.properties?.[name], api))]));
}

const sample = (schema) => schema.default ?? schema.enum?.[0] ?? { array: [], object: {}, integer: 1, number: 1, boolean: true }[[schema.type].flat()[0]] ?? "";

/** The fields of a body, with their meanings. */
function properties(schema, api) {
  const rows = [];
  const add = (own, prefix, depth) => {
    for (const [name, each] of Object.entries(own.properties ?? {})) {
      const inner = resolved(each.anyOf?.find(({ $ref }) => $ref) ?? each, api);
      const item = resolved(inner.items, api);
      rows.push([`${prefix}${name}`, [inner.type ?? each.type].flat().filter((type) => type !== "null").join(" or "), each.description ?? inner.description ?? "", own.required?.includes(name)]);
      if (depth < DEPTH_MAX) add(inner.properties ? inner : item, `${prefix}${name}${inner.properties ? "." : "[]."}`, depth + 1);
    }
  };
  add(schema, "", 1);
  return rows.length > 0 && h("details", { class: "part" }, h("summary", {}, `What the body may contain (${rows.length})`), h("div", { class: "scroll" }, h("table", { class: "properties" }, h("tbody", {}, rows.map(([name, type, words, isRequired]) => h("tr", {}, h("th", { scope: "row", class: "mono" }, name), h("td", { class: "muted" }, `${type}${isRequired ? ", required" : ""}`), h("td", {}, words)))))));
}
