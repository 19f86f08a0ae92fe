// Tests hostile content: markup in names, station ids, TwiML, headers and URLs, and broken, large or binary content. None of it
// may run as a script.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { App, Emulator } from "./parts/emulator.mjs";
import { assertClean, assertFits, launch, open } from "./parts/browser.mjs";

const SCRIPT = `"><img src=x onerror="ranHostileScript('image')"><script>ranHostileScript('script')</script>`;
const SHORT = "<svg onload=alert(1)>"; // a station id has at most twenty characters
let browser;
let emulator;
let app;
let page;

before(async () => {
  [browser, app] = await Promise.all([
    launch(),
    App.start({
      "/evil": { headers: { "content-type": "text/xml", "x-evil": SCRIPT, link: "</x>; rel=preload" }, body: `<?xml version="1.0"?><Response><Receive action="/heard?x=${encodeURIComponent(SCRIPT)}"/><!-- ${SCRIPT.replaceAll("--", "")} --></Response>` },
      "/wrong": { status: 500, headers: { "content-type": "text/html" }, body: `<html><body onload="ranHostileScript('body')">${SCRIPT}</body></html>` },
      "/binary": { headers: { "content-type": "application/octet-stream" }, body: Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 7) % 256)) },
      "/huge": { headers: { "content-type": "text/xml" }, body: `<Response><Receive/>${SCRIPT}${"x".repeat(1024 * 1024)}</Response>` },
      "/heard": { status: 200, headers: { "content-type": "text/html" }, body: SCRIPT },
    }),
  ]);
  emulator = await Emulator.start({ flags: ["--pace", "max", "--fax-url", `${app.url}/evil`] });
  page = await open(browser, null);
});
after(async () => {
  await browser?.close();
  await emulator?.stop();
  app?.stop();
});

async function receive(fields = { pages: "1" }) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  const call = await emulator.control("POST", "/incoming-faxes", { form });
  // Four hundred pages take long in an unoptimised build on a busy machine.
  await emulator.control("GET", "/wait?for=idle&timeout=120");
  return call.fax_sid;
}

async function look(path) {
  await page.goto(`${emulator.url}${path}`);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.getByText("Live", { exact: true }).waitFor({ state: "attached" });
  await page.evaluate(() => document.querySelectorAll("main details").forEach((each) => { each.open = true; }));
  await assertFits(page, path);
}

async function lead(path) {
  const { numbers } = await emulator.control("GET", `/accounts/AC${"0".repeat(32)}`);
  await emulator.rest("POST", numbers[0].uri, { VoiceUrl: `${app.url}${path}`, FriendlyName: SCRIPT.slice(0, 64) });
}

test("markup in a station id, in TwiML, in a header, in a response and in a friendly name stays text", async () => {
  await lead("/evil");
  const sid = await receive({ pages: "1", station_id: SHORT.slice(0, 20), from: "sip:a%22%3E@evil.example" });
  await look("/console");
  await look(`/console/faxes/${sid}`);
  await page.getByText(SHORT.slice(0, 20)).first().waitFor();
  await page.getByText(/ranHostileScript\('image'\)/).first().waitFor();
  await look("/console/phone-numbers/incoming");
  await look("/console/receive");
  assertClean(page);
});

test("an error page with markup is shown as text, in the conversation and among the alerts", async () => {
  await lead("/wrong");
  const sid = await receive();
  await look(`/console/faxes/${sid}`);
  await page.getByText(/ranHostileScript\('body'\)/).first().waitFor();
  await look("/console/alerts");
  await page.getByText("11200").first().waitFor();
  assertClean(page);
});

test("a binary response and one of a megabyte are shown in part and do no harm", async () => {
  for (const path of ["/binary", "/huge"]) {
    await lead(path);
    await look(`/console/faxes/${await receive()}`);
    await page.getByRole("heading", { name: "Conversation" }).waitFor();
  }
  assertClean(page);
});

test("a broken document with a hostile name is reported in place", async () => {
  await page.goto(`${emulator.url}/console/receive`);
  await page.locator("input[type=file]").setInputFiles({ name: `${SCRIPT.replaceAll("/", "_")}.pdf`, mimeType: "application/pdf", buffer: Buffer.from("%PDF-1.7 and then nothing of the sort") });
  await page.locator(".place").getByText(/ranHostileScript\('image'\)/).waitFor();
  await page.getByRole("button", { name: "Receive it" }).click();
  await page.getByRole("alert").getByText(/./).first().waitFor();
  assert.match(page.url(), /\/console\/receive/);
  assertClean(page);
});

test("markup in any part of a URL stays text", async () => {
  for (const path of [`/console?text=${encodeURIComponent(SCRIPT)}`, `/console?account=${encodeURIComponent(SCRIPT)}`, `/console/${encodeURIComponent(SCRIPT)}`, `/console/phone-numbers/search?country=${encodeURIComponent(SCRIPT)}`, "/console/send?to=javascript:ranHostileScript('link')"]) {
    await page.goto(`${emulator.url}${path}`);
    await page.getByRole("heading", { level: 1 }).waitFor();
  }
  assertClean(page);
});

test("a world's hostile name is text on the page of worlds", async () => {
  await emulator.control("POST", "/accounts", { body: { friendly_name: SCRIPT } });
  await look("/console/worlds");
  await page.getByText(/ranHostileScript\('script'\)/).first().waitFor();
  assertClean(page);
});

test("a fax of four hundred pages is shown, and its last page can be opened", async () => {
  await lead("/evil");
  const sid = await receive({ pages: "400" });
  await look(`/console/faxes/${sid}`);
  await page.getByText("400 pages", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Page 400" }).click();
  await page.getByRole("img", { name: "Page 400 of 400" }).waitFor();
  await page.getByText("Pages 1–400 of 400 transmitted").waitFor();
  assertClean(page);
});

test("these tests would notice a script that runs and a violated policy", async () => {
  const other = await open(browser, `${emulator.url}/console`);
  await other.evaluate(() => globalThis.ranHostileScript("on purpose"));
  const refused = await other.evaluate(() => {
    new Image().src = "https://evil.example/x.png";
    try {
      document.body.innerHTML = "<b>markup</b>";
      return "nothing";
    } catch (error) {
      return error.name;
    }
  });
  assert.equal(refused, "TypeError");
  assert.ok(other.faults.some((fault) => fault.startsWith("hostile script")), String(other.faults));
  assert.ok(other.faults.some((fault) => fault.startsWith("policy")), String(other.faults));
  await other.context().close();
});
