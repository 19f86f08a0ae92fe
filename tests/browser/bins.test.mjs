// TwiML bins on their page: created, used by a number, changed, refused with the reason, deleted.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ACCOUNT, Emulator } from "./parts/emulator.mjs";
import { assertClean, launch, open } from "./parts/browser.mjs";

let browser;
let emulator;
let page;

before(async () => {
  [browser, emulator] = await Promise.all([launch(), Emulator.start({ flags: ["--pace", "max"] })]);
  page = await open(browser, `${emulator.url}/console/twiml-bins`);
});
after(async () => {
  await browser?.close();
  await emulator?.stop();
});

test("a bin is created and used for a number, which then receives without an app", async () => {
  await page.getByText("No bins yet").waitFor();
  await page.getByRole("button", { name: "New bin" }).click();
  const dialog = page.getByRole("dialog");
  assert.match(await dialog.getByLabel("TwiML", { exact: true }).inputValue(), /<Receive\/>/);
  await dialog.getByLabel("Name").fill("Accept everything");
  await dialog.getByRole("button", { name: "Create" }).click();
  await page.getByRole("heading", { name: "Accept everything" }).waitFor();
  await page.getByRole("button", { name: "Use for this number" }).click();
  await page.getByRole("link", { name: "+15005550006" }).waitFor();
  const { numbers } = await emulator.control("GET", `/accounts/${ACCOUNT}`);
  const { twiml_bins: [bin] } = await emulator.control("GET", "/twiml-bins");
  assert.equal(numbers[0].voice_url, bin.url);
  assert.equal((await emulator.receive()).outcome, "received");
});

test("TwiML that can't be executed is refused with the reason, and nothing typed is lost", async () => {
  await page.getByRole("button", { name: "Edit Accept everything" }).click();
  const dialog = page.getByRole("dialog");
  const twiml = dialog.getByLabel("TwiML", { exact: true });
  await twiml.fill("<Response><Recieve/></Response>");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByText("neither <Receive> nor <Reject>").waitFor();
  assert.equal(await twiml.inputValue(), "<Response><Recieve/></Response>");
  await twiml.fill("<Response><Reject/></Response>");
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.getByText("<Reject/>").waitFor();
  assert.equal((await emulator.receive()).outcome, "rejected");
});

test("a bin is deleted after a confirmation", async () => {
  await page.getByRole("button", { name: "Delete Accept everything" }).click();
  await page.getByRole("dialog").getByText("+15005550006").waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByText("No bins yet").waitFor();
  assert.deepEqual((await emulator.control("GET", "/twiml-bins")).twiml_bins, []);
  assertClean(page);
});
