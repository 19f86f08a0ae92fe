//! How to connect an app to this port: environment, client libraries, curl, HTTPS and the certificate authority. The code of most recipes comes from the control API's quickstart.

import { at, control, controlUrl, world } from "./api.js";
import { fill, h } from "./dom.js";
import { service } from "./service.js";
import { code, copyButton, head, linkButton, note, secret } from "./ui.js";

/** The page. */
export async function page(context) {
  context.title("Connect");
  const [own, health, quickstart, authority] = await Promise.all([world(), control("GET", "/health"), control("GET", "/quickstart"), hasAuthority()]);
  const origin = location.origin;
  const token = own.auth_token ?? "any-token";
  const recipes = [
    ["Shell", exported(quickstart.env), `Or run your app as fauxfax exec ${service.isSignalWire ? "--dialect signalwire " : ""}-- your-command: this starts an emulator for your app alone, sets all of it and redirects ${service.name}'s hosts there, so that the app needs no change.`],
    ...quickstart.recipes.map((recipe) => [recipe.name, recipe.code, recipe.remark]),
    ["Compose", `services:\n  fauxfax:\n    image: fauxfax\n    ports: ["8329:8329"]\n    environment:\n      FAUXFAX_FAX_URL: http://app:3000/fax\n  app:\n    build: .\n    environment:\n      FAUXFAX_URL: http://fauxfax:8329\n`, "In a container, localhost is the container itself; --connect-to localhost=host.docker.internal sends webhooks to the host."],
    ["A test", quickstart.commands.map(({ what, command }) => `# ${what}\n${command}\n`).join("\n"), "Every call of the control API takes ?account=, so tests can run in parallel."],
  ];
  const place = h("div", { class: "stack tight" });
  const show = (i) => {
    tabs.forEach((tab, j) => tab.setAttribute("aria-pressed", String(i === j)));
    const [, text, remark] = recipes[i];
    fill(place, code(text), h("p", { class: "muted small" }, remark));
  };
  const tabs = recipes.map(([name], i) => h("button", { type: "button", "aria-pressed": "false", on: { click: () => show(i) } }, name));
  show(0);
  const row = (name, value) => h("div", {}, h("dt", {}, name), h("dd", { class: "break" }, value));
  return [
    head("Connect", { actions: [linkButton("API explorer", at("/console/api"), { mark: "bins" })], lead: `Your app calls this address instead of ${service.name}'s, with this account's credential. Each account is a world of its own, with its own numbers, faxes, clock and rules.` }),
    h("section", { class: "card pad stack tight", "aria-labelledby": "address" }, h("h2", { id: "address" }, "Address and credential"), h("dl", { class: "facts roomy" }, row("Address", line(origin, "address")), service.isSignalWire && row("Space", line(location.host, "space")), row(service.sid, line(own.sid, service.isSignalWire ? "project id" : "account SID")), row(service.token, own.auth_token ? secret(token, service.isSignalWire ? "API token" : "auth token") : h("span", { class: "muted" }, "any: the first one used becomes this account's")), service.isSignalWire && own.signing_key && row("Signing key", secret(own.signing_key, "signing key")), row("Control API", line(`${origin}/_fauxfax/v1`, "control API address")), row("Version", `${health.version}, seed ${health.seed}${own.pedantic ? ", pedantic" : ""}`))),
    h("section", { class: "card pad stack", "aria-labelledby": "recipes" }, h("h2", { id: "recipes" }, "Recipes"), h("div", { class: "tabs", role: "group", "aria-label": "Recipe" }, tabs), place),
    h("section", { class: "card pad stack tight", "aria-labelledby": "https" }, h("h2", { id: "https" }, "HTTPS"), authority ? h("div", { class: "stack tight" }, h("p", {}, `Apps that only call https://${service.isSignalWire ? "YOUR-SPACE.signalwire.com" : "fax.twilio.com"} can be redirected here with the emulator's own certificate authority, which is created when it is first needed or downloaded. Trust it in the app, never on the whole machine. --tls-listen 127.0.0.1:8443 opens a port for HTTPS.`), h("div", {}, linkButton("Download the CA", controlUrl("/ca.pem"), { mark: "down", download: "fauxfax-ca.pem" }))) : note("", "This emulator was built without HTTPS.")),
  ];
}

/** The variables as commands of a shell. The page shows secrets only on demand. */
const exported = (env) => env.replaceAll(/^([A-Z_]+)=/gm, "export $1=").replaceAll(/^(export \w+_(?:TOKEN|KEY)=).*$/gm, "$1…");

const line = (text, name) => h("span", { class: "copyline" }, h("span", { class: "mono break" }, text), copyButton(text, `Copy ${name}`));

/** Whether this build serves HTTPS. The method is HEAD, because a download would create the CA. */
async function hasAuthority() {
  const response = await fetch(controlUrl("/ca.pem"), { method: "HEAD", credentials: "same-origin" }).catch(() => null);
  return response?.ok === true;
}
