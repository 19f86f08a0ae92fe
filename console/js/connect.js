//! How to lead an app to this very port: environment, client libraries, curl, HTTPS and the certificate authority.

import { at, control, controlUrl, world } from "./api.js";
import { fill, h } from "./dom.js";
import { service } from "./service.js";
import { code, copyButton, head, linkButton, note, secret } from "./ui.js";

/** The page. */
export async function page(context) {
  context.title("Connect");
  const [own, health, authority] = await Promise.all([world(), control("GET", "/health"), hasAuthority()]);
  const origin = location.origin;
  const token = own.auth_token ?? "any-token";
  const number = own.numbers[0]?.phone_number ?? "+15005550006";
  const names = { own, origin, number };
  const recipes = [
    ...(service.isSignalWire ? signalwire(names) : twilio(names)),
    ["Compose", `services:\n  fauxfax:\n    image: fauxfax\n    ports: ["8329:8329"]\n    environment:\n      FAUXFAX_FAX_URL: http://app:3000/fax\n  app:\n    build: .\n    environment:\n      FAUXFAX_URL: http://fauxfax:8329\n`, "In a container, localhost is the container itself; --connect-to localhost=host.docker.internal sends webhooks to the host."],
    ["A test", `# a fax arrives; the response comes once the conversation has settled\ncurl -X POST '${origin}/_fauxfax/v1/incoming-faxes?wait=true${new URLSearchParams(location.search).has("account") ? `&account=${own.sid}` : ""}' \\\n  -F to=${number} -F file=@letter.pdf\n`, "Every call of the control API takes ?account=, so tests can run in parallel."],
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
    head("Connect", { actions: [linkButton("API explorer", at("/console/api"), { mark: "bins" })], lead: `Your app calls this address instead of ${service.name}'s, with this world's credential.` }),
    h("section", { class: "card pad stack tight", "aria-labelledby": "address" }, h("h2", { id: "address" }, "Address and credential"), h("dl", { class: "facts roomy" }, row("Address", line(origin, "address")), service.isSignalWire && row("Space", line(location.host, "space")), row(service.sid, line(own.sid, service.isSignalWire ? "project id" : "account SID")), row(service.token, own.auth_token ? secret(token, service.isSignalWire ? "API token" : "auth token") : h("span", { class: "muted" }, "any: the first one used becomes this world's")), service.isSignalWire && own.signing_key && row("Signing key", secret(own.signing_key, "signing key")), row("Control API", line(`${origin}/_fauxfax/v1`, "control API address")), row("Version", `${health.version}, seed ${health.seed}`))),
    h("section", { class: "card pad stack", "aria-labelledby": "recipes" }, h("h2", { id: "recipes" }, "Recipes"), h("div", { class: "tabs", role: "group", "aria-label": "Recipe" }, tabs), place),
    h("section", { class: "card pad stack tight", "aria-labelledby": "https" }, h("h2", { id: "https" }, "HTTPS"), authority ? h("div", { class: "stack tight" }, h("p", {}, `Apps that only call https://${service.isSignalWire ? "YOUR-SPACE.signalwire.com" : "fax.twilio.com"} can be redirected here with the emulator's own certificate authority. Trust it in the app, never on the whole machine.`), h("div", {}, linkButton("Download the CA", controlUrl("/ca.pem"), { mark: "down", download: "fauxfax-ca.pem" }))) : note("", "Start with --tls-listen 127.0.0.1:8443 to serve HTTPS with a local certificate authority; you can then download its certificate here.")),
  ];
}

const line = (text, name) => h("span", { class: "copyline" }, h("span", { class: "mono break" }, text), copyButton(text, `Copy ${name}`));

async function hasAuthority() {
  try {
    const response = await fetch(controlUrl("/ca.pem"), { method: "GET", credentials: "same-origin" });
    return response.ok;
  } catch {
    return false;
  }
}

const twilio = ({ own, origin, number }) => [
  ["Shell", `export TWILIO_ACCOUNT_SID=${own.sid}\nexport TWILIO_AUTH_TOKEN=…\nexport FAUXFAX_URL=${origin}\n`, "Or run it as fauxfax exec -- your-command, which sets all of this for unmodified apps."],
  ["Python", `from twilio.rest import Client\n\nclient = Client("${own.sid}", auth_token)\nclient.fax.base_url = "${origin}"\nclient.api.base_url = "${origin}"\n\nfax = client.fax.faxes.create(\n    from_="${number}", to="+15558675310",\n    media_url="http://localhost:3000/letter.pdf",\n)\n`, "twilio 6.63 to 7.5.1 can send faxes; later ones only read them."],
  ["Node", `const client = require("twilio")("${own.sid}", authToken);\nclient.fax.baseUrl = "${origin}";\nclient.api.baseUrl = "${origin}";\n\nawait client.fax.faxes.create({\n  from: "${number}", to: "+15558675310",\n  mediaUrl: "http://localhost:3000/letter.pdf",\n});\n`, "twilio 3.73.1 is the last version that can send faxes."],
  ["curl", `curl -X POST ${origin}/v1/Faxes -u "${own.sid}:$TWILIO_AUTH_TOKEN" \\\n  --data-urlencode From=${number} \\\n  --data-urlencode To=+15558675310 \\\n  --data-urlencode MediaUrl=http://localhost:3000/letter.pdf\n`, "Any HTTP client works."],
];

const signalwire = ({ own, origin, number }) => [
  ["Shell", `export SIGNALWIRE_SPACE_URL=example.signalwire.com\nexport SIGNALWIRE_PROJECT_ID=${own.sid}\nexport SIGNALWIRE_API_TOKEN=…\nexport SIGNALWIRE_SIGNING_KEY=…\nexport FAUXFAX_URL=${origin}\n`, "Or run it as fauxfax exec --dialect signalwire -- your-command, which sets all of this for unmodified apps and redirects *.signalwire.com here."],
  ["Node", `const { RestClient } = require("@signalwire/compatibility-api");\n\nconst client = RestClient("${own.sid}", apiToken, { signalwireSpaceUrl: "example.signalwire.com" });\nclient.fax.baseUrl = "${origin}";\nclient.api.baseUrl = "${origin}";\n\nawait client.fax.faxes.create({\n  from: "${number}", to: "+15558675310",\n  mediaUrl: "http://localhost:3000/letter.pdf",\n});\n`, "The library puts https:// before the space's name, so the two base URLs are set for plain HTTP."],
  ["Python", `from signalwire.rest import Client\n\nclient = Client("${own.sid}", api_token, signalwire_space_url="example.signalwire.com")\nclient.fax.base_url = "${origin}"\nclient.api.base_url = "${origin}"\n\nfax = client.fax.faxes.create(\n    from_="${number}", to="+15558675310",\n    media_url="http://localhost:3000/letter.pdf",\n)\n`, "signalwire 2.1.1 from PyPI. Newer releases named signalwire-sdk have no compatibility API."],
  ["curl", `curl -X POST ${origin}/api/laml/2010-04-01/Accounts/${own.sid}/Faxes -u "${own.sid}:$SIGNALWIRE_API_TOKEN" \\\n  --data-urlencode From=${number} \\\n  --data-urlencode To=+15558675310 \\\n  --data-urlencode MediaUrl=http://localhost:3000/letter.pdf\n`, "Any HTTP client works, with or without /api/laml and .json."],
];
