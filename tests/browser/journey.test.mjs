// Tests a developer's first day: buying a number, setting it to faxes, dropping a document, watching, replaying, and moving
// the clock.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { App, Emulator, LETTER } from "./parts/emulator.mjs";
import { assertClean, launch, open } from "./parts/browser.mjs";

let browser;
let emulator;
let app;
let page;
let bought;

before(async () => {
  [browser, emulator, app] = await Promise.all([launch(), Emulator.start({ flags: ["--pace", "40"] }), App.start()]);
  page = await open(browser, `${emulator.url}/`);
});
after(async () => {
  await browser?.close();
  await emulator?.stop();
  app?.stop();
});

/** Drops a file onto an element, as a person does. */
async function drop(target, name, bytes, type) {
  const transfer = await page.evaluateHandle(([name, data, type]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], name, { type }));
    return transfer;
  }, [name, Buffer.from(bytes).toString("base64"), type]);
  for (const kind of ["dragenter", "dragover", "drop"]) await target.dispatchEvent(kind, { dataTransfer: transfer });
}

test("a browser at / is redirected to the console, which shows examples while there is no fax", async () => {
  assert.match(page.url(), /\/console$/);
  await page.getByRole("heading", { name: "No faxes yet" }).waitFor();
  const lesson = await page.getByLabel("curl, a fax comes in", { exact: true }).innerText();
  assert.match(lesson, new RegExp(`${emulator.url}/_fauxfax/v1/incoming-faxes`));
  assert.match(await page.getByLabel("curl, a fax goes out", { exact: true }).innerText(), /AC0{32}/);
  assert.ok(!(await page.content()).includes(`:${"0".repeat(32)}`), "the token is not in the page");
});

test("a number is bought on the search page, exactly once", async () => {
  await page.goto(`${emulator.url}/console/phone-numbers/search`);
  await page.getByRole("checkbox", { name: "Fax" }).check();
  await page.getByRole("button", { name: "Search" }).click();
  const row = page.getByRole("row").nth(1);
  const number = await row.locator(".number").innerText();
  await row.getByRole("button", { name: "Buy" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Buy" }).dblclick();
  await page.getByRole("heading", { level: 1, name: number }).waitFor();
  const { numbers } = await emulator.control("GET", `/accounts/AC${"0".repeat(32)}`);
  assert.equal(numbers.filter((own) => own.phone_number === number).length, 1);
  assert.equal(numbers.length, 2);
  bought = number;
});

test("the number is set to faxes and to the app's URL on its page", async () => {
  await page.goto(`${emulator.url}/console/phone-numbers/incoming`);
  await page.getByRole("link", { name: bought }).click();
  await page.getByRole("combobox", { name: "Accepts" }).selectOption({ label: "Faxes" });
  await page.getByLabel("A Fax Comes In").first().fill(`${app.url}/fax`);
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved.").waitFor();
  const { numbers } = await emulator.control("GET", `/accounts/AC${"0".repeat(32)}`);
  const own = numbers.find((number) => number.phone_number === bought);
  assert.deepEqual([own.voice_receive_mode, own.voice_url], ["fax", `${app.url}/fax`]);
});

test("a PDF dropped on the list is received, and its pages and conversation are shown as they happen", async () => {
  await page.goto(`${emulator.url}/console`);
  await page.getByText("No faxes yet").waitFor();
  await drop(page.locator("body"), "from-the-clinic.pdf", readFileSync(LETTER), "application/pdf");
  await page.getByText("from-the-clinic.pdf").waitFor();
  await page.getByRole("combobox", { name: "To", exact: true }).selectOption(bought);
  await page.getByLabel("Station id").fill("ACME CLINIC");
  // With a frozen clock, the moment between two pages lasts for as long as the browser needs.
  await emulator.control("PUT", "/clock", { body: { mode: "frozen" } });
  await page.getByRole("button", { name: "Receive it" }).click();
  await page.waitForURL(/\/console\/faxes\/FX/);
  const conversation = page.getByRole("region", { name: "Conversation" });
  let moved = await emulator.control("POST", "/clock/advance", { body: { seconds: 0 } });
  while (!moved.events.some((event) => event.kind === "fax.page")) {
    assert.ok(moved.next.length > 0, "a page is still to come");
    moved = await emulator.control("POST", "/clock/advance", { body: { to: moved.next[0].at } });
  }
  await conversation.getByText("App asked for TwiML").waitFor();
  await conversation.getByText(/^Page 1 of 2 transmitted/).waitFor();
  await emulator.control("PUT", "/clock", { body: { mode: "running" } });
  await conversation.getByText("Pages 1–2 of 2 transmitted").waitFor();
  await conversation.getByText("App notified of the end: received").waitFor();
  await page.getByText("2 pages", { exact: true }).waitFor();
  assert.deepEqual(app.heard.map((each) => each.path), ["/fax", "/fax/received"]);
  assert.equal(await page.getByText("ACME CLINIC").first().isVisible(), true);
});

test("the fax's pages are pictures that the emulator drew, turned by button and by key", async () => {
  // The last page that arrived is shown.
  await page.getByRole("img", { name: "Page 2 of 2" }).waitFor();
  await page.getByRole("button", { name: "Previous page" }).click();
  const picture = page.getByRole("img", { name: "Page 1 of 2" });
  await picture.waitFor();
  const [width, height] = await picture.evaluate(async (image) => { await image.decode(); return [image.naturalWidth, image.naturalHeight]; });
  assert.ok(width >= 400 && height > width, `${width} by ${height}`);
  await page.getByRole("button", { name: "Next page" }).click();
  await page.getByRole("img", { name: "Page 2 of 2" }).waitFor();
  await page.keyboard.press("ArrowLeft");
  await page.getByRole("img", { name: "Page 1 of 2" }).waitFor();
});

test("an exchange shows its parameters, and explains its signature", async () => {
  const exchange = page.locator("details.exchange").filter({ hasText: "App notified of the end" });
  await exchange.locator("summary").first().click();
  await exchange.getByRole("row", { name: /^FaxStatus received$/ }).waitFor();
  await exchange.getByRole("row", { name: /^NumPages 2$/ }).waitFor();
  await exchange.getByText("Signature", { exact: true }).click();
  await exchange.getByRole("button", { name: "Explain" }).click();
  await exchange.getByText("This is the valid signature of this URL").waitFor();
});

test("a webhook is replayed unchanged, and then edited and replayed with a new signature", async () => {
  const exchange = page.locator("details.exchange").filter({ hasText: "App notified of the end" });
  await exchange.getByRole("button", { name: "Replay", exact: true }).click();
  await exchange.getByText("Sent again: the app responded with 204.").waitFor();
  assert.equal(app.told("/fax/received").length, 2);
  await exchange.getByRole("button", { name: "Edit and replay" }).click();
  await page.getByLabel("Value of NumPages").fill("3");
  await page.getByRole("dialog").getByRole("button", { name: "Send" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await exchange.getByText("Sent again with NumPages 2 → 3: the app responded with 204.").waitFor();
  const [first, second, third] = app.told("/fax/received");
  assert.deepEqual([first.params.NumPages, second.params.NumPages, third.params.NumPages], ["2", "2", "3"]);
  assert.equal(first.signature, second.signature);
  assert.notEqual(third.signature, first.signature);
  await page.getByText("Sent again by hand").first().waitFor();
});

test("an exchange is copied as curl and as a test in three languages", async () => {
  const exchange = page.locator("details.exchange").filter({ hasText: "App notified of the end" });
  await exchange.getByRole("button", { name: "Copy as curl" }).click();
  const curl = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(curl, /^curl -X POST '.*\/fax\/received' \\\n/);
  assert.match(curl, /--data-urlencode 'FaxStatus=received'/);
  await exchange.getByRole("button", { name: "Copy as test" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("import requests").waitFor();
  await dialog.getByRole("button", { name: "node:test" }).click();
  await dialog.getByText('import { test } from "node:test"').waitFor();
  await dialog.getByRole("button", { name: "Rust" }).click();
  await dialog.getByText("reqwest::blocking").waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
});

test("the document is downloaded", async () => {
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download PDF" }).click()]);
  assert.match(download.suggestedFilename(), /^FX[0-9a-f]{32}\.pdf$/);
  const bytes = readFileSync(await download.path());
  assert.equal(bytes.subarray(0, 5).toString(), "%PDF-");
});

test("the clock is advanced by two hours, and the media URL has expired", async () => {
  const mediaUrl = app.told("/fax/received")[0].params.MediaUrl;
  assert.equal((await fetch(mediaUrl)).status, 200);
  await page.getByRole("link", { name: "Clock and rules" }).click();
  await page.getByLabel("Advance by").fill("2h 1min");
  await page.getByRole("button", { name: "Advance", exact: true }).click();
  await page.getByText("Moved by 2 h 1 min.").waitFor();
  await page.getByText("The clock runs on.").waitFor();
  assert.equal((await fetch(mediaUrl)).status, 403);
  await page.getByText("running", { exact: true }).waitFor();
});

test("nothing forbidden happened: no dialog, no CSP report, no script error", () => assertClean(page));
