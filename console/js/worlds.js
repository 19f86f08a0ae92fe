//! The worlds, one for each account: which one this console shows, their credentials, creating and closing.

import { account, basic, control, forget, world } from "./api.js";
import { h } from "./dom.js";
import { count } from "./format.js";
import { button, confirm, copyButton, dialog, field, head, linkButton, note, once, outcome, secret, select, toast } from "./ui.js";

/** Worlds shown; a test run may create thousands. */
const SHOWN = 200;

/** The page. */
export async function page(context) {
  context.title("Worlds");
  const [{ accounts }, health] = await Promise.all([control("GET", "/accounts"), control("GET", "/health")]);
  const current = (await world().catch(() => null))?.sid ?? account();
  accounts.sort((a, b) => Number(b.sid === current) - Number(a.sid === current));
  return [
    head("Worlds", { actions: [button("New world", () => create(context), { kind: "first", mark: "plus" })], lead: "Each account is a separate world with its own faxes, numbers, clock and rules, so tests with different accounts never affect each other." }),
    h("ul", { class: "worlds" }, accounts.slice(0, SHOWN).map((each) => card(each, each.sid === current, each.sid === health.default_account, context))),
    accounts.length > SHOWN && h("p", { class: "muted" }, `${accounts.length - SHOWN} more are not shown. Open any world with ?account= in the address.`),
  ];
}

function card(each, isCurrent, isDefault, context) {
  const close = once(async () => {
    if (!(await confirm("Close this world?", `This removes ${each.sid} and everything in it.`, "Close the world"))) return;
    await control("DELETE", `/accounts/${each.sid}`);
    toast("Closed.");
    forget();
    if (isCurrent) context.go("/console/worlds");
    else context.reload();
  });
  const isSignalWire = each.dialect === "signalwire";
  const claim = once(async () => claimWorld(each, context));
  return h(
    "li",
    { class: `card pad stack tight${isCurrent ? " current" : ""}` },
    h("div", { class: "row top" }, h("h2", { class: "break" }, each.friendly_name || "World"), isDefault && h("span", { class: "tag" }, "default"), isCurrent && h("span", { class: "tag strong" }, "shown here"), each.dialect !== "twilio" && h("span", { class: "tag" }, each.dialect)),
    h("dl", { class: "facts" }, h("div", { class: "long" }, h("dt", {}, isSignalWire ? "Project id" : "Account SID"), h("dd", {}, h("span", { class: "copyline" }, h("span", { class: "mono break" }, each.sid), copyButton(each.sid, isSignalWire ? "Copy project id" : "Copy account SID")))), h("div", {}, h("dt", {}, isSignalWire ? "API token" : "Auth token"), h("dd", {}, each.auth_token ? secret(each.auth_token, isSignalWire ? "API token" : "auth token") : h("span", { class: "muted" }, "not claimed yet"))), h("div", {}, h("dt", {}, "Holds"), h("dd", {}, `${count(each.faxes ?? 0, "fax", "faxes")}, ${count(each.numbers.length, "number")}`))),
    h("div", { class: "row" }, !isCurrent && linkButton("Show this world", `/console?account=${encodeURIComponent(each.sid)}`, { kind: "small", "aria-label": `Show ${each.sid}` }), !each.auth_token && button("Claim", claim, { kind: "small", mark: "key" }), !isDefault && button("Close", close, { kind: "small grave", label: `Close ${each.sid}` })),
  );
}

function claimWorld(each, context) {
  const told = outcome();
  const token = h("input", { type: "text", autocomplete: "off", spellcheck: "false", required: true, value: [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("") });
  const save = once(async () => {
    const response = await fetch(`/2010-04-01/Accounts/${each.sid}.json`, { headers: { authorization: basic(each.sid, token.value) }, credentials: "omit" });
    if (!response.ok) throw new Error(`The emulator responded with ${response.status}.`);
    box.close();
    forget();
    context.reload();
  }, told.fail);
  const box = dialog("Claim this world", h("form", { class: "stack", on: { submit: save } }, h("p", {}, "Its webhooks are signed with this token from now on."), field("Auth token", token), told.element, h("div", { class: "end" }, button("Close", () => box.close()), button("Claim", null, { kind: "first", type: "submit" }))));
}

function create(context) {
  const told = outcome();
  const name = h("input", { type: "text", maxlength: 64, placeholder: "fauxfax account", autocomplete: "off" });
  const sid = h("input", { type: "text", placeholder: "generated", pattern: "AC[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", autocomplete: "off", spellcheck: "false" });
  const service = select([["", "According to the SID, otherwise Twilio"], ["twilio", "Twilio"], ["signalwire", "SignalWire"]], "");
  const number = h("input", { type: "text", value: "+15017122661", autocomplete: "off", spellcheck: "false" });
  const save = once(async () => {
    told.clear();
    const body = {};
    if (name.value.trim()) body.friendly_name = name.value.trim();
    if (sid.value.trim()) body.sid = sid.value.trim();
    if (service.value) body.dialect = service.value;
    if (number.value.trim()) body.numbers = [{ phone_number: number.value.trim(), voice_receive_mode: "fax" }];
    const made = await control("POST", "/accounts", { body });
    box.close();
    context.go(`/console/worlds?account=${made.sid}`);
  }, told.fail);
  const box = dialog("New world", h("form", { class: "stack", on: { submit: save } }, note("", "Empty fields are generated."), field("Name", name), field("Service", service), field("Account SID", sid, { hint: "AC and 32 hexadecimal digits, or the UUID of a SignalWire project" }), field("First fax number", number), told.element, h("div", { class: "end" }, button("Close", () => box.close()), button("Create it", null, { kind: "first", type: "submit" }))));
}
