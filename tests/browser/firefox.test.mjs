// Tests the main journey in Firefox: a fax is received and watched, its pages are turned, a rule makes the next one busy,
// and the clock is advanced.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { App, Emulator } from "./parts/emulator.mjs";
import { Firefox } from "./parts/firefox.mjs";

let firefox;
let emulator;
let app;

before(async () => {
  [firefox, app] = await Promise.all([Firefox.start(), App.start()]);
  emulator = await Emulator.start({ flags: ["--pace", "40", "--fax-url", `${app.url}/fax`] });
});
after(async () => {
  await firefox?.stop();
  await emulator?.stop();
  app?.stop();
});

test("a fax is received by clicks, and its pages and conversation appear live", async () => {
  await firefox.goto(`${emulator.url}/`);
  await firefox.find("h2", "No faxes yet");
  await firefox.find(".state", "Live");
  await firefox.click("main a.button", "Receive a fax");
  await firefox.find("h1", "Receive a fax");
  await firefox.click("main button", "Receive it");
  await firefox.find("h2", "Conversation");
  await firefox.find("main .badge", "received");
  await firefox.find("main .steps", "Pages 1–2 of 2 transmitted");
  assert.deepEqual(app.heard.map(({ path }) => path), ["/fax", "/fax/received"]);
});

test("the pages are pictures, turned by the arrow keys", async () => {
  // The page that came last is shown.
  await firefox.find(".sheet img", "Page 2 of 2");
  await firefox.type("\uE012");
  await firefox.find(".sheet img", "Page 1 of 2");
  const width = await firefox.run('async () => { const image = document.querySelector(".sheet img"); await image.decode(); return image.naturalWidth; }');
  assert.ok(width >= 400, String(width));
});

test("an exchange is opened and shows its parameters", async () => {
  await firefox.click("details.exchange > summary", "App asked for TwiML");
  await firefox.find("details.exchange[open] th", "FaxSid");
});

test("a rule from a template makes the next fax busy", async () => {
  await firefox.click(".side nav a", "Clock and rules");
  await firefox.click("main button", "Busy line");
  await firefox.find("dialog .sentence", "Calls are busy.");
  await firefox.type("+1555*");
  await firefox.find("dialog .sentence", "Calls to +1555* are busy.");
  await firefox.click("dialog button", "Add the rule");
  await firefox.find("main .note", "is active.");
  const fax = await emulator.send({ MediaUrl: `${app.url}/letter.pdf`, To: "+15551234567" });
  await emulator.control("GET", `/wait?fax=${fax.sid}&status=busy`);
  await firefox.find("main .rules", "acted once");
});

test("a frozen clock shows, is advanced, and runs again", async () => {
  await emulator.control("PUT", "/clock", { body: { mode: "frozen" } });
  await firefox.find(".frozen", "Clock frozen");
  await firefox.click("main button", "+ 2 hours");
  await firefox.find("main .note", "Moved by 2 h.");
  await firefox.click(".frozen button", "Run the clock");
  await firefox.find("main .badge", "running");
  assert.equal((await emulator.control("GET", "/clock")).mode, "running");
});

test("the list shows both faxes, and is narrow enough for a phone", async () => {
  await firefox.click(".side nav a", "Faxes");
  await firefox.find("main tbody tr .badge", "busy");
  await firefox.find("main tbody tr .badge", "received");
  await firefox.call("browsingContext.setViewport", { context: firefox.context, viewport: { width: 360, height: 740 } });
  const [wide, own] = await firefox.run("() => [document.documentElement.scrollWidth, innerWidth]");
  assert.ok(wide <= own, `${wide} px in ${own}`);
});

test("Firefox reports no script error and no violation of the policy", () => assert.deepEqual(firefox.faults, []));
