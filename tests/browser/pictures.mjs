// Takes the screenshots in docs/images: each page, and some also in dark mode and on a phone. No test compares them. If pngquant
// is installed, it makes them smaller.

import { spawnSync } from "node:child_process";
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { ACCOUNT, App, Emulator } from "./parts/emulator.mjs";
import { assertClean, launch, open } from "./parts/browser.mjs";

/** The maximum size of a picture, because everyone who clones the project downloads it. */
const PICTURE_MAX_BYTES = 150_000;

const folder = new URL("../../docs/images", import.meta.url).pathname;
mkdirSync(folder, { recursive: true });
const [browser, app] = await Promise.all([launch(), App.start({ "/broken": { status: 500, headers: { "content-type": "text/plain" }, body: "NameError: name 'fax' is not defined" } })]);
const emulator = await Emulator.start({ port: 8329, flags: ["--pace", "max", "--fax-url", `${app.url}/fax`] });

/** Fills the world with numbers, and with faxes that have ended in different ways. */
async function live() {
  const { numbers } = await emulator.control("GET", `/accounts/${ACCOUNT}`);
  await emulator.rest("POST", numbers[0].uri, { FriendlyName: "Front desk" });
  const bought = await emulator.rest("POST", `/2010-04-01/Accounts/${ACCOUNT}/IncomingPhoneNumbers.json`, { AreaCode: "500" });
  await emulator.rest("POST", bought.uri, { FriendlyName: "Back office", VoiceReceiveMode: "fax", VoiceUrl: `${app.url}/broken` });
  const letter = `${app.url}/letter.pdf`;
  for (const To of ["+15558675310", "+15005550101", "+15005550104", "+15558675311", "+15005550102", "+15005550106"]) {
    await emulator.send({ To, MediaUrl: letter, StatusCallback: `${app.url}/status` });
    await emulator.control("GET", "/wait?for=idle");
  }
  await emulator.receive({ to: bought.phone_number, from: "+14155550123" });
  await emulator.send({ To: "+15558675312", MediaUrl: "http://127.0.0.1:9/none.pdf" });
  await emulator.receive({ pages: "12", to: numbers[0].phone_number, from: "+14155550188", station_id: "NORTHSIDE LAB" });
  const { fax } = await emulator.receive({ to: numbers[0].phone_number, station_id: "ACME CLINIC" });
  await emulator.control("POST", "/rules", { body: { match: { direction: "outbound", to: "+1555*" }, after: 2, times: 1, outcome: { status: "busy" } } }).catch(() => {});
  await emulator.control("PUT", "/snapshots/before-the-test");
  await emulator.control("POST", "/accounts", { body: { friendly_name: "Billing tests" } });
  await emulator.control("GET", "/wait?for=idle");
  return { fax, number: numbers[0] };
}

/** The pages that are also drawn in dark mode and on a phone. Drawing all of them would double the size of the pictures. */
const ALSO_DARK_AND_SMALL = ["faxes", "fax", "traffic"];
const LIGHT = ["", { viewport: { width: 1280, height: 800 } }];
const DARK = ["-dark", { viewport: { width: 1280, height: 800 }, colorScheme: "dark" }];
const PHONE = ["-phone", { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true }];

async function draw(name, path, prepare) {
  for (const [suffix, options] of ALSO_DARK_AND_SMALL.includes(name) ? [LIGHT, DARK, PHONE] : [LIGHT]) {
    const page = await open(browser, `${emulator.url}${path}`, { reducedMotion: "reduce", ...options });
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.getByText("Live", { exact: true }).waitFor({ state: "attached" });
    await prepare?.(page);
    await page.waitForLoadState("networkidle", { timeout: 1500 }).catch(() => {});
    const file = join(folder, `console-${name}${suffix}.png`);
    await page.screenshot({ path: file });
    spawnSync("pngquant", ["--force", "--strip", "--speed", "1", "--quality", "70-95", "--output", file, file]);
    const { size } = statSync(file);
    if (size > PICTURE_MAX_BYTES) throw new Error(`${file} has ${size} bytes`);
    console.log(`${file.slice(folder.length + 1)} ${size}`);
    assertClean(page);
    await page.context().close();
  }
}

try {
  const wanted = process.argv.slice(2);
  const want = (name, ...rest) => (wanted.length === 0 || wanted.includes(name) ? draw(name, ...rest) : null);
  await want("empty", "/console", (page) => page.getByText("No faxes yet").waitFor());
  const { fax, number } = await live();
  await want("faxes", "/console", (page) => page.locator(".faxes tbody tr").nth(5).waitFor());
  await want("fax", `/console/faxes/${fax.sid}`, async (page) => {
    await page.getByRole("img", { name: "Page 1 of 2" }).evaluate((image) => image.decode());
  });
  await want("exchange", `/console/faxes/${fax.sid}`, async (page) => {
    const exchange = page.locator("details.exchange").filter({ hasText: "App notified of the end" });
    await exchange.locator("summary").first().click();
    await exchange.getByText("Signature", { exact: true }).click();
    await exchange.getByRole("button", { name: "Explain" }).click();
    await exchange.getByText("This is the valid signature").waitFor();
    await exchange.evaluate((element) => element.scrollIntoView({ block: "start" }));
    await page.evaluate(() => scrollBy(0, -80));
  });
  await want("receive", "/console/receive");
  await want("send", "/console/send");
  await want("numbers", "/console/phone-numbers/incoming");
  await want("number", `/console/phone-numbers/incoming/${number.sid}`);
  await want("search", "/console/phone-numbers/search?country=US&type=Local&fax=1", (page) => page.getByRole("button", { name: "Buy" }).first().waitFor());
  await emulator.control("POST", "/twiml-bins", { body: { name: "After hours: reject", twiml: "<Response>\n  <Reject/>\n</Response>" } });
  await emulator.control("POST", "/twiml-bins", { body: { name: "Accept everything", twiml: "<Response>\n  <Receive action=\"https://app.example.com/received\" pageSize=\"letter\"/>\n</Response>" } });
  await want("bins", "/console/twiml-bins", (page) => page.getByText("<Receive action").first().waitFor());
  await want("clock", "/console/clock");
  await want("alerts", "/console/alerts");
  await want("traffic", "/console/traffic", (page) => page.locator("tbody tr").nth(5).waitFor());
  await want("all", "/console/all", (page) => page.locator("tbody tr").first().waitFor());
  await want("api", "/console/api");
  await want("worlds", "/console/worlds");
  await want("connect", "/console/connect");
  await emulator.control("POST", "/check", { body: { url: `${app.url}/fax`, quick: true } });
  await want("check", "/console/check", async (page) => {
    await page.getByRole("button", { name: /^Fail / }).click();
    await page.locator("details.call").filter({ hasText: "signature-missing" }).locator("summary").first().click();
  });
} finally {
  await browser.close();
  await emulator.stop();
  app.stop();
}
