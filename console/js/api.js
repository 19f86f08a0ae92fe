//! Calls the control API and the REST API for the world that the page is about. It shows nothing itself, but lets `token.js` ask
//! for the control token.

import { speak } from "./service.js";

const CONTROL = "/_fauxfax/v1";
/** A call without a response within this time has failed; calls that may take longer have limits of their own. */
const PATIENCE_MS = 20_000;

const GONE = "The emulator can't be reached. Is it running?";

/** A refusal by the emulator, or the failure to reach it (status 0). */
class Problem extends Error {
  constructor(status, detail, name = "") {
    super(detail);
    this.status = status;
    this.name_ = name;
  }
}

/** The account that the page's address names; null for the default account. */
export function account() {
  return new URLSearchParams(location.search).get("account");
}

/** The address of a page about the same world, with this query. */
export function at(path, query = {}) {
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== ""));
  const named = account();
  if (named && !search.has("account")) search.set("account", named);
  const text = search.toString();
  return text ? `${path}?${text}` : path;
}

/** A control call's address, in this world. */
export function controlUrl(path, query = {}) {
  return at(`${CONTROL}${path}`, query);
}

/** Calls the control API; returns the JSON of the response. */
export async function control(method, path, { query, body, form, signal, patience = PATIENCE_MS } = {}) {
  const headers = { accept: "application/json" };
  if (body !== undefined) headers["content-type"] = "application/json";
  const options = { method, headers, body: form ?? (body === undefined ? undefined : JSON.stringify(body)), credentials: "same-origin" };
  const ask = () => send(controlUrl(path, query), options, signal, patience);
  let response = await ask();
  while (response.status === 401) {
    const { askForToken } = await import("./token.js");
    await askForToken(openSession);
    response = await ask();
  }
  return read(response);
}

/** Exchanges the control token for a cookie, which images and event streams also send. Returns whether the token was right. */
async function openSession(token) {
  const headers = { authorization: `Bearer ${token}` };
  const response = await send(`${CONTROL}/console-session`, { method: "POST", headers, credentials: "same-origin" }, undefined, PATIENCE_MS);
  return response.ok;
}

let known = null;

/** This page's world: sid, token, numbers. Requested once, and again after `forget`, a failure, or a change of account. */
export async function world() {
  const key = account() ?? "";
  if (known?.key !== key) known = { key, promise: askWorld(), };
  try {
    const own = await known.promise;
    speak(own.dialect);
    return own;
  } catch (problem) {
    known = null;
    throw problem;
  }
}

async function askWorld() {
  let sid = account();
  if (!sid) sid = (await control("GET", "/health")).default_account;
  try {
    return await control("GET", `/accounts/${encodeURIComponent(sid)}`, { query: { account: sid } });
  } catch (problem) {
    if (problem.status !== 404) throw problem;
    // Nobody has used this account yet, and asking about it creates no world. The next call fails if the account is refused;
    // otherwise the page shows the world with which the account would start.
    await control("GET", "/clock", { query: { account: sid } });
    return { sid, auth_token: null, friendly_name: "", dialect: /^[0-9a-f]{8}-/i.test(sid) ? "signalwire" : "twilio", status: "active", numbers: [] };
  }
}

/** Makes the next call of `world` request it again. */
export function forget() {
  known = null;
}

/** Calls the REST API with the credential of the world's account, which is sent in a header and is never part of the URL. */
export async function rest(method, path, params, { signal } = {}) {
  const own = await world();
  if (!own.auth_token) throw new Problem(409, "No client has claimed this account yet. The first REST call with its SID and any token claims it, or you can do so on the Worlds page.", "unclaimed");
  const headers = { accept: "application/json", authorization: basic(own.sid, own.auth_token) };
  let url = path.replace("{account}", own.sid);
  let body;
  const pairs = new URLSearchParams(Object.entries(params ?? {}).filter(([, value]) => value !== null && value !== undefined));
  if (method === "GET") url += pairs.size ? `?${pairs}` : "";
  else if (pairs.size) body = pairs;
  return read(await send(url, { method, headers, body }, signal, PATIENCE_MS));
}

/** The value of the Authorization header for a credential. */
export function basic(sid, token) {
  return `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(`${sid}:${token}`)))}`;
}

async function send(url, options, signal, patience) {
  const limit = AbortSignal.timeout(patience);
  try {
    // With `omit`, a 401 from the REST API doesn't open the browser's own login dialog.
    return await fetch(url, { credentials: "omit", ...options, cache: "no-store", signal: signal ? AbortSignal.any([signal, limit]) : limit });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0, limit.aborted ? "The emulator didn't respond in time." : GONE, "unreachable");
  }
}

async function read(response) {
  if (response.status === 204) return null;
  const text = await response.text();
  let data = null;
  try {
    data = JSON.parse(text);
  } catch {
    // The response isn't JSON, so its status is reported below.
  }
  if (response.ok && data !== null) return data;
  if (data?.type || data?.detail) throw new Problem(response.status, data.detail ?? data.title, data.type);
  if (data?.message) throw new Problem(response.status, data.code ? `${data.message} (${data.code})` : data.message);
  throw new Problem(response.status, `The emulator responded with ${response.status}, without a reason.`);
}
