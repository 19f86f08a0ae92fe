//! Formats values as text for people, and reads durations that people write.

const ZONE_KEY = "fauxfax-zone";
let zone = remembered();
let formats = formatsIn(zone);

function remembered() {
  try {
    return localStorage.getItem(ZONE_KEY) === "UTC" ? "UTC" : undefined;
  } catch {
    // Storage is off, so no earlier choice is known.
    return undefined;
  }
}

function formatsIn(timeZone) {
  const format = (options) => new Intl.DateTimeFormat("en-GB", { ...options, timeZone });
  return {
    time: format({ hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false }),
    day: format({ day: "numeric", month: "short" }),
    date: format({ year: "numeric", month: "2-digit", day: "2-digit" }),
    full: format({ dateStyle: "medium", timeStyle: "long" }),
  };
}

/** Whether the user has chosen to see times in UTC. */
export const inUtc = () => zone === "UTC";

/** Shows all times from now on in UTC, or in the browser's zone. */
export function setZone(utc) {
  zone = utc ? "UTC" : undefined;
  formats = formatsIn(zone);
  try {
    if (utc) localStorage.setItem(ZONE_KEY, "UTC");
    else localStorage.removeItem(ZONE_KEY);
  } catch {
    // Storage is off, so the choice lasts until the page is loaded again.
  }
}

/** The browser's zone at this moment, as `GMT−5`; `UTC` if it is UTC. */
export function localZone() {
  const format = new Intl.DateTimeFormat("en-US", { timeZoneName: "shortOffset" });
  if (/^(Etc\/)?(UTC|UCT|GMT|Universal|Zulu)$/.test(format.resolvedOptions().timeZone)) return "UTC";
  const name = format.formatToParts(new Date()).find((part) => part.type === "timeZoneName")?.value ?? "local time";
  return name.replace(/\+0$/, "").replace("-", "−");
}

/** The zone in which times are shown. */
export const zoneName = () => (zone === "UTC" ? "UTC" : localZone());

const TONES = {
  queued: "wait", processing: "wait", sending: "busy", receiving: "busy", ringing: "busy", delivered: "good", received: "good",
  busy: "odd", "no-answer": "odd", failed: "bad", canceled: "still", "not-answered": "odd",
};

/** Every status of a fax, in the order of its life. */
export const STATUSES = ["queued", "processing", "sending", "delivered", "receiving", "received", "busy", "no-answer", "failed", "canceled"];

/** The colour that a status is shown in. */
export const tone = (status) => TONES[status] ?? "still";

/** Whether a status is final. */
export const isFinal = (status) => ["delivered", "received", "busy", "no-answer", "failed", "canceled", "not-answered"].includes(status);

/** A number with its noun, as `2 pages`. */
export const count = (n, one, many = `${one}s`) => `${Number(n).toLocaleString("en")} ${n === 1 ? one : many}`;

/** The time of day, preceded by the date if that isn't today. */
export function moment(text) {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return String(text ?? "");
  const [day, today] = [date, new Date()].map((each) => formats.date.format(each));
  const clock = formats.time.format(date);
  if (day === today) return clock;
  const year = day.slice(-4);
  return `${formats.day.format(date)}${year === today.slice(-4) ? "" : ` ${year}`}, ${clock}`;
}

/** Date, time and zone. */
export function fullMoment(text) {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? String(text ?? "") : formats.full.format(date);
}

/** The time of day with milliseconds. */
export function stamp(text) {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? "" : `${formats.time.format(date)}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** A duration as its two largest parts that aren't zero: `1 h 5 min`. */
export function span(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  const parts = [];
  let rest = Math.round(seconds);
  for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]]) {
    const n = Math.floor(rest / size);
    if (n > 0) parts.push(`${n} ${unit}`);
    rest -= n * size;
  }
  return parts.slice(0, 2).join(" ") || "0 s";
}

/** Returns the seconds of a duration such as `2h`, `1 h 30 min`, `90s`, `3 days` or `45`; null if the text is no duration. */
export function readSpan(text) {
  const units = { ms: 0.001, s: 1, sec: 1, second: 1, m: 60, min: 60, minute: 60, h: 3600, hr: 3600, hour: 3600, d: 86400, day: 86400, w: 604800, week: 604800 };
  const clean = text.trim().toLowerCase();
  if (/^\d+(\.\d+)?$/.test(clean)) return Number(clean);
  const pattern = /(\d+(?:\.\d+)?)\s*([a-z]+)/g;
  if (clean.replace(pattern, "").replace(/[\s,]|and/g, "") !== "" || clean === "") return null;
  let total = 0;
  for (const [, amount, unit] of clean.matchAll(pattern)) {
    const size = units[unit] ?? units[unit.replace(/s$/, "")];
    if (size === undefined) return null;
    total += Number(amount) * size;
  }
  return total;
}

/** A North American number in groups, as `+1 501 712 2661`; any other number unchanged. */
export function phone(text) {
  const parts = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(text ?? "");
  return parts ? `+1 ${parts[1]} ${parts[2]} ${parts[3]}` : text ?? "";
}

/** A size in bytes, in a suitable unit. */
export function size(bytes) {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} kB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

/** A text cut to a length. */
export const cut = (text, max) => (text.length > max ? `${text.slice(0, max - 1)}…` : text);

const AGES = [[60, 1, "s"], [3600, 60, "min"], [86_400, 3600, "h"], [Infinity, 86_400, "d"]];

/** How long ago something was by this computer's clock, in one unit. */
export function ago(text) {
  const seconds = Math.max(0, (Date.now() - new Date(text).getTime()) / 1000);
  if (seconds < 2) return "now";
  const [, size, unit] = AGES.find(([max]) => seconds < max);
  return `${Math.floor(seconds / size)} ${unit} ago`;
}
