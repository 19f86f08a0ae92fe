//! Statistics of many requests: how long apps took, how requests ended, and at which addresses they failed.

import { h, s } from "./dom.js";
import { count } from "./format.js";

/** The upper limit, in milliseconds, of each bar of the latency chart. */
const STEPS_MS = [1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, Infinity];
/** The maximum number of addresses shown; those with the most failures come first. */
const ADDRESSES_MAX = 5;

/** Whether a request failed: it has no usable response, or one with an error status. */
export const failed = (request) => Boolean(request.error) || request.status === null || request.status >= 400;

/** Formats a duration given in milliseconds. */
export const took = (ms) => (ms < 1 ? "< 1 ms" : ms < 10_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

/**
 * The smallest value such that at least the fraction `part` of all values is less than or equal to it; `sorted` must not be
 * empty.
 */
export const percentile = (sorted, part) => sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)];

/** The figures as a line and, if `isOpen`, also as charts. */
export function figures(requests, isOpen) {
  const hooks = requests.filter((request) => request.direction === "out" && request.kind !== "document" && request.status !== null);
  const times = hooks.map((request) => request.duration_ms).sort((a, b) => a - b);
  const bad = requests.filter(failed);
  const line = [
    h("span", {}, count(requests.length, "request")),
    h("span", { data: { tone: bad.length > 0 ? "bad" : "good" } }, bad.length > 0 ? `${bad.length.toLocaleString("en")} failed` : "none failed"),
    h("span", {}, times.length > 0 ? `webhooks: median ${took(percentile(times, 0.5))}, 95 % within ${took(percentile(times, 0.95))}` : "no webhooks"),
  ];
  return { line, charts: isOpen && charts(requests, bad, times) };
}

function charts(requests, bad, times) {
  const outcomes = [["2xx", "good", (each) => !failed(each) && each.status < 300], ["3xx", "busy", (each) => !failed(each) && each.status >= 300], ["4xx", "odd", (each) => each.status >= 400 && each.status < 500], ["5xx", "bad", (each) => each.status >= 500], ["unusable or none", "bad", (each) => failed(each) && !(each.status >= 400)]];
  const addresses = new Map();
  for (const { url } of bad) if (url) addresses.set(address(url), (addresses.get(address(url)) ?? 0) + 1);
  const worst = [...addresses].sort((a, b) => b[1] - a[1]).slice(0, ADDRESSES_MAX);
  return h(
    "div",
    { class: "charts" },
    chart("How long your app took", times.length > 0 && latency(times)),
    chart("How requests ended", bars(outcomes.map(([name, tone, is]) => [name, requests.filter(is).length, tone]).filter(([, n]) => n > 0))),
    chart("Failures by address of your app", worst.length > 0 && bars(worst.map(([name, n]) => [name, n, "bad"]))),
  );
}

function chart(name, content) {
  return h("section", { class: "stack tight" }, h("h3", {}, name), content || h("p", { class: "muted small" }, "none"));
}

/** An address without its query. */
const address = (url) => url.split(/[?#]/)[0];

/** A table with one row per [name, count, tone], each with a horizontal bar. */
function bars(rows) {
  const most = Math.max(...rows.map(([, n]) => n));
  return h("table", { class: "bars" }, h("tbody", {}, rows.map(([name, n, tone]) => h("tr", {}, h("th", { scope: "row", title: name }, name), h("td", {}, s("svg", { viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true", "data-tone": tone }, s("rect", { width: String(Math.max(1, (100 * n) / most)), height: "8", rx: "1" }))), h("td", {}, n.toLocaleString("en"))))));
}

/**
 * The distribution of the webhooks' durations: one bar per range, from the range with the shortest duration to the range with the
 * longest.
 */
function latency(times) {
  const used = STEPS_MS.map((top, i) => [top, times.filter((ms) => ms <= top && ms > (STEPS_MS[i - 1] ?? -1)).length]);
  const first = used.findIndex(([, n]) => n > 0);
  const last = used.findLastIndex(([, n]) => n > 0);
  const shown = used.slice(first, last + 1);
  return bars(shown.map(([top, n], i) => [top === Infinity ? `over ${took(10_000)}` : first + i === 0 ? "up to 1 ms" : `up to ${took(top)}`, n, "accent"]));
}
