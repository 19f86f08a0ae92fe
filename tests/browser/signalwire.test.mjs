// Tests the console of a SignalWire world: the pages of a project have SignalWire's ids and paths, none of them mentions Twilio,
// and faxes can be sent and deleted.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { App, Emulator } from "./parts/emulator.mjs";
import { assertAccessible, assertClean, assertFits, launch, open } from "./parts/browser.mjs";

const PROJECT = "00000000-0000-4000-8000-000000000000";
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let browser;
let emulator;
let app;

before(async () => {
  [browser, app] = await Promise.all([launch(), App.start()]);
  emulator = await Emulator.start({ flags: ["--dialect", "signalwire", "--pace", "max", "--fax-url", `${app.url}/fax`] });
});
after(async () => {
  await browser?.close();
  await emulator?.stop();
  app?.stop();
});

const settled = async (page) => {
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.getByText("Live", { exact: true }).waitFor({ state: "attached" });
};

test("no page of a project mentions Twilio", async () => {
  const { fax } = await emulator.receive({ station_id: "ACME CLINIC" });
  assert.match(fax.sid, UUID);
  const { numbers } = await emulator.control("GET", `/accounts/${PROJECT}`);
  const page = await open(browser);
  for (const path of ["", `/faxes/${fax.sid}`, "/receive", "/send", "/phone-numbers/incoming", `/phone-numbers/incoming/${numbers[0].sid}`, "/phone-numbers/search", "/twiml-bins", "/clock", "/alerts", "/check", "/connect"]) {
    await page.goto(`${emulator.url}/console${path}`);
    await settled(page);
    const main = await page.locator("main").innerText();
    assert.doesNotMatch(main, /Twilio|TwiML|TWILIO|\/v1\/Faxes|\bAC…/, path);
    await assertAccessible(page, path);
    await assertFits(page, path);
  }
  assertClean(page);
});

test("the page Connect shows the space, the project and SignalWire's libraries", async () => {
  const page = await open(browser, `${emulator.url}/console/connect`);
  await settled(page);
  await page.getByText(PROJECT).first().waitFor();
  await page.getByText("Signing key").waitFor();
  for (const [tab, text] of [["Node", "@signalwire/compatibility-api"], ["Python", "from signalwire.rest import Client"], ["curl", `/api/laml/2010-04-01/Accounts/${PROJECT}/Faxes`], ["Shell", "SIGNALWIRE_SPACE_URL"]]) {
    await page.getByRole("button", { name: tab, exact: true }).click();
    await page.getByText(text).first().waitFor();
  }
  assertClean(page);
});

test("a fax is sent and deleted from the console, and saving a number doesn't change what it accepts", async () => {
  const page = await open(browser, `${emulator.url}/console/send`);
  await settled(page);
  await page.getByLabel("MediaUrl").fill(`${app.url}/letter.pdf`);
  await page.getByLabel("To", { exact: true }).fill("+15005550105");
  await page.getByRole("button", { name: "Send it" }).click();
  await page.getByText("Failed to train with any of the compatible modems").first().waitFor();
  await page.getByText("SignalWire's code 34004").waitFor();
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByText("Deleted.").waitFor();
  await page.goto(`${emulator.url}/console/phone-numbers/incoming`);
  await page.getByRole("link", { name: "+15005550006" }).click();
  await page.getByLabel("Friendly name").fill("Front desk");
  assert.equal(await page.getByLabel("Accepts").inputValue(), "fax");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved.").waitFor();
  await page.reload();
  assert.equal(await page.getByLabel("Accepts").inputValue(), "fax");
  assert.equal(await page.getByLabel("Friendly name").inputValue(), "Front desk");
  assertClean(page);
});
