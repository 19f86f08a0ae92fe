//! What the list shows before the first fax: commands to copy that receive or send one.

import { at, world } from "./api.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { faxesOf, service } from "./service.js";
import { code, linkButton, note } from "./ui.js";

const isNamed = () => new URLSearchParams(location.search).has("account");

/** The flags with which a command of the command line reaches this world. */
export const flags = (own) => `${location.origin === "http://127.0.0.1:8329" ? "" : ` --url ${location.origin}`}${own && isNamed() ? ` --account ${own.sid}` : ""}`;

/** The commands, with this world's numbers. */
export async function emptyFaxes() {
  const own = await world().catch(() => null);
  const line = own?.numbers?.find((each) => each.voice_receive_mode === "fax");
  const number = line?.phone_number ?? "+15005550006";
  const where = location.origin;
  const query = own && isNamed() ? `?account=${own.sid}` : "";
  const token = own?.auth_token ? service.tokenVariable : "any-token";
  return h(
    "div",
    { class: "card teach" },
    h("div", { class: "empty" }, icon("faxes"), h("h2", {}, "No faxes yet"), h("p", {}, "Drop a PDF, TIFF or picture anywhere on this page to receive it as a fax, or do it as a program would:")),
    line && !line.voice_url && h("div", { class: "lessons" }, note("odd", `The number ${number} has no URL yet, so no app takes its calls. `, h("a", { href: at(`/console/phone-numbers/incoming/${line.sid}`) }, "Set the URL of your app"), ".")),
    h(
      "div",
      { class: "lessons" },
      h("section", { class: "stack tight" }, h("h3", {}, "A machine calls your number"), h("p", { class: "muted small" }, `The emulator asks the app behind ${number} for ${service.markup}.`), code(`curl -X POST '${where}/_fauxfax/v1/incoming-faxes${query}' \\\n  -H 'Content-Type: application/json' \\\n  -d '{"to":"${number}","pages":2}'`, "curl, a fax comes in"), code(`fauxfax receive --to ${number} letter.pdf${flags(own)}`, "Command line, a fax comes in")),
      h("section", { class: "stack tight" }, h("h3", {}, "Your app sends a fax"), h("p", { class: "muted small" }, `The same call as ${service.name}'s, but to this address.`), code(`curl -X POST '${where}${faxesOf(own?.sid ?? service.somebody)}' \\\n  -u "${own?.sid ?? service.somebody}:${token}" \\\n  --data-urlencode 'From=${number}' \\\n  --data-urlencode 'To=+15558675310' \\\n  --data-urlencode 'MediaUrl=http://localhost:3000/letter.pdf'`, "curl, a fax goes out"), code(`fauxfax send --from ${number} --to +15558675310 letter.pdf${flags(own)}`, "Command line, a fax goes out")),
    ),
    h("div", { class: "lessons-end" }, linkButton("Connect your app", at("/console/connect"), { mark: "connect" })),
  );
}
