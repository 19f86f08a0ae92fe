// Tests the page Check: runs with a careless and a careful app, their results and advice, and how a run is stopped.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { ACCOUNT, Emulator } from "./parts/emulator.mjs";
import { assertAccessible, assertClean, assertFits, launch, open } from "./parts/browser.mjs";

const TOKEN = "0".repeat(32);
const HOSTILE = `<img src=x onerror="ranHostileScript('check')"><script>ranHostileScript("check")</script>`;
const TWIML = '<?xml version="1.0" encoding="UTF-8"?><Response><Receive action="/fax/received"/></Response>';
/** Two checks that the careless app fails, one that every app passes, and one that needs a page of the app to be judged. */
const CHECKS = ["signature-missing", "received-failed", "reachable", "escaped"];

let browser;
let emulator;
let careless;
let careful;

/** Starts an app on a free port. The careful one verifies signatures. The careless one doesn't, and it breaks when a fax has failed. */
async function startApp(isCareful) {
  const server = createServer(async (request, response) => {
    const text = (await request.toArray()).join("");
    const params = new URLSearchParams(text);
    const signed = `http://${request.headers.host}${request.url}${[...params].sort(([a], [b]) => (a < b ? -1 : 1)).flat().join("")}`;
    const isValid = createHmac("sha1", TOKEN).update(signed).digest("base64") === request.headers["x-twilio-signature"];
    const answer = (status, type, body) => response.writeHead(status, { "content-type": type, "x-hostile": HOSTILE }).end(body);
    if (isCareful && !isValid) answer(403, "text/plain", "");
    else if (request.url === "/fax") answer(200, "text/xml", isCareful ? TWIML : `${TWIML}<!-- ${HOSTILE} -->`);
    else if (!isCareful && params.get("FaxStatus") === "failed") answer(500, "text/html", HOSTILE);
    else answer(204, "text/plain");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${server.address().port}/fax`, stop };
}

before(async () => {
  [browser, careless, careful] = await Promise.all([launch(), startApp(false), startApp(true)]);
  emulator = await Emulator.start({ flags: ["--pace", "max", "--fax-url", careless.url] });
});
after(async () => {
  await browser?.close();
  await emulator?.stop();
  careless?.stop();
  careful?.stop();
});

/** Opens the page, without a remembered form. */
const openCheck = async (options) => {
  const page = await open(browser, `${emulator.url}/console/check`, options);
  await page.getByRole("heading", { level: 1, name: "Check" }).waitFor();
  return page;
};

/** Chooses checks in the form. */
async function choose(page, names) {
  await page.getByText("Options", { exact: true }).click();
  await page.getByText("Choose the checks").click();
  await page.getByRole("button", { name: "None" }).click();
  for (const name of names) await page.getByRole("checkbox", { name: new RegExp(`^${name} `) }).check();
}

/** The button that starts a run. */
const runButton = (page) => page.locator("form").getByRole("button", { name: /^Run/ });

/** The row of a check in the results. */
const row = (page, name) => page.locator("details.call").filter({ hasText: name });

test("before the first run, the page says what a run does, and the form has the URL of the account's number", async () => {
  const page = await openCheck();
  await page.getByRole("heading", { name: "No run yet" }).waitFor();
  await page.getByText(`fauxfax check ${careless.url} --url ${emulator.url}`).waitFor();
  assert.equal(await page.getByLabel("The app's URL for incoming faxes").inputValue(), careless.url);
  await page.getByText("this account's clock is frozen").waitFor();
  await assertAccessible(page, "no run");
  assertClean(page);
  await page.context().close();
});

test("a careless app's failures say what was seen and what to change, with the request as curl, and run no script", async () => {
  const page = await openCheck();
  await choose(page, CHECKS);
  await runButton(page).click();
  await page.getByText("2 failed, 1 not judged, 1 passed", { exact: true }).waitFor();
  await page.getByText("The run has ended: 2 failed, 1 not judged, 1 passed.").waitFor({ state: "attached" });
  await page.getByRole("heading", { name: "Who is calling" }).waitFor();

  const missing = row(page, "signature-missing");
  await missing.getByText("Fail", { exact: true }).waitFor();
  await missing.locator("summary").first().click();
  await missing.getByText("Treat a missing signature header like a wrong signature: respond 403.").waitFor();
  await missing.getByText("Why it matters").waitFor();
  await missing.getByRole("button", { name: "Copy The request with curl" }).click();
  const curl = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(curl, /^curl -X POST 'http:\/\/127\.0\.0\.1:\d+\/fax' \\\n[^]*--data-urlencode 'FaxSid=FX[0-9a-f]{32}'/);
  assert.doesNotMatch(curl, /x-twilio-signature/i);

  const broken = row(page, "received-failed");
  await broken.locator("summary").first().click();
  await broken.getByRole("button", { name: "Body, Raw" }).click();
  assert.equal(await broken.getByLabel("Body", { exact: true }).innerText(), HOSTILE);
  await broken.getByText("Response headers").click();
  await broken.getByText("x-hostile").waitFor();
  assert.equal(await page.locator("main :is(img, script)").count(), 0);

  await row(page, "escaped").getByText("Not judged", { exact: true }).waitFor();
  await row(page, "escaped").getByText(/--probe/).waitFor();
  await assertAccessible(page, "results");
  assertClean(page);
  await page.context().close();
});

test("the results of the last run are there when the page is opened, can be filtered, and are copied without markup", async () => {
  const page = await openCheck({ viewport: { width: 360, height: 740 } });
  await page.getByText("2 failed, 1 not judged, 1 passed", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Not judged 1" }).click();
  await row(page, "signature-missing").waitFor({ state: "hidden" });
  assert.deepEqual(await page.getByRole("heading", { level: 2 }).allInnerTexts(), ["Odd but legal content"]);
  await page.getByRole("button", { name: "All 4" }).click();
  await row(page, "signature-missing").waitFor();
  await page.getByRole("button", { name: "Copy as Markdown" }).click();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(text, /^# Check of http:/);
  assert.match(text, /## Fail: signature-missing\n\nThe app refuses a request without a signature, and doesn't act on it\.\n\n- Seen: /);
  assert.doesNotMatch(text, /reachable|escaped/);
  await page.getByRole("button", { name: "Copy as JSON" }).click();
  const report = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
  assert.deepEqual(report.summary, { pass: 1, fail: 2, warn: 0, not_judged: 1 });
  for (const each of await page.locator("details.call > summary").all()) await each.click();
  await assertFits(page, "results on a phone");
  assertClean(page);
  await page.context().close();
});

test("the form is remembered, and a second run judges the app anew", async () => {
  const page = await openCheck();
  await choose(page, CHECKS);
  await page.getByLabel("Status callback").fill(careful.url);
  await page.reload();
  assert.equal(await page.getByLabel("Status callback").inputValue(), careful.url);
  assert.equal(await page.getByRole("checkbox", { name: /^escaped / }).isChecked(), true);
  assert.equal(await page.getByRole("checkbox", { name: /^twiml / }).isChecked(), false);
  await page.getByLabel("The app's URL for incoming faxes").fill(careful.url);
  await runButton(page).click();
  await page.getByText("1 not judged, 3 passed", { exact: true }).waitFor();
  await row(page, "signature-missing").getByText("Pass", { exact: true }).waitFor();
  assertClean(page);
  await page.context().close();
});

test("a run is stopped, and the clock runs again afterwards", async () => {
  const page = await openCheck();
  await runButton(page).click();
  await page.getByRole("progressbar", { name: "Progress of the run" }).waitFor();
  await page.getByText(/^\d+ of \d+ checks/).waitFor();
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByText("Ended early: ").waitFor();
  assert.equal((await emulator.control("GET", "/clock")).mode, "running");
  assert.equal(await page.evaluate(() => document.activeElement.textContent.slice(0, 40)), "Run again");
  assertClean(page);
  await page.context().close();
});

test("a run that was started elsewhere is shown while the page is open", async () => {
  const page = await openCheck();
  await page.getByText("Live", { exact: true }).waitFor();
  await emulator.control("POST", "/check", { body: { url: careful.url, only: ["signature-wrong"], wait: false } });
  await page.getByText("1 passed", { exact: true }).waitFor();
  await page.reload();
  await page.getByText("1 passed", { exact: true }).waitFor();
  assert.equal(await page.getByLabel("The app's URL for incoming faxes").inputValue(), careful.url);
  assertClean(page);
  await page.context().close();
});

test("a wrong URL and an empty selection are refused with advice", async () => {
  const page = await openCheck();
  const url = page.getByLabel("The app's URL for incoming faxes");
  await url.fill("localhost:3000/fax");
  await runButton(page).click();
  await page.getByRole("alert").getByText("write it like http://localhost:3000/fax").waitFor();
  await url.fill("http://192.0.2.1/fax");
  await runButton(page).click();
  await page.getByRole("alert").getByText("unless you say --i-own-this-host").waitFor();
  await page.getByLabel("The host is mine").waitFor();
  await page.getByText("Choose the checks").click();
  await page.getByRole("button", { name: "None" }).click();
  await runButton(page).click();
  await page.getByRole("alert").getByText("Choose at least one check.").waitFor();
  assertClean(page);
  await page.context().close();
});

test("the keys g k open the page, in the same account", async () => {
  const page = await open(browser, `${emulator.url}/console?account=${ACCOUNT}`);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.keyboard.press("g");
  await page.keyboard.press("k");
  await page.getByRole("heading", { level: 1, name: "Check" }).waitFor();
  assert.equal(new URL(page.url()).searchParams.get("account"), ACCOUNT);
  await page.context().close();
});
