// Tests an open page while its world changes: rows appear and change in place, a busy world is followed with few requests, and
// the page reports a stopped server and reconnects to it later.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { App, Emulator } from "./parts/emulator.mjs";
import { assertClean, launch, open } from "./parts/browser.mjs";

/** How many faxes make a world busy, and how many of them are sent at a time. Each causes four events. */
const BUSY_FAXES = 400;
const SENT_AT_ONCE = 20;
/** The minimum number of milliseconds between two requests for the list (faxes.js). */
const REFRESH_MS = 600;

let browser;
let emulator;
let app;

before(async () => {
  [browser, app] = await Promise.all([launch(), App.start()]);
  emulator = await Emulator.start({ flags: ["--pace", "30", "--fax-url", `${app.url}/fax`] });
});
after(async () => {
  await browser?.close();
  await emulator?.stop();
  app?.stop();
});

test("a fax that arrives is added to the list, and its status changes in place", async () => {
  const page = await open(browser, `${emulator.url}/console`);
  await page.getByText("Live", { exact: true }).waitFor();
  await page.getByText("No faxes yet").waitFor();
  const { fax_sid: sid } = await emulator.control("POST", "/incoming-faxes", { body: { pages: 2 } });
  const row = page.locator(`tr:has(a[href*="${sid}"])`);
  await row.waitFor();
  await row.evaluate((element) => { element.mark = "the same"; });
  await row.getByText("received").waitFor();
  await row.getByText("2 pages").waitFor();
  assert.equal(await row.evaluate((element) => element.mark), "the same");
  assertClean(page);
  await page.context().close();
});

test("nothing moves while a row has the focus: new faxes wait behind a button", async () => {
  const page = await open(browser, `${emulator.url}/console`);
  await page.getByText("Live", { exact: true }).waitFor();
  const first = page.locator(".faxes tbody tr").first();
  await first.getByRole("link").focus();
  const href = await first.getByRole("link").getAttribute("href");
  await emulator.control("POST", "/incoming-faxes", { body: { pages: 1 } });
  await page.getByRole("button", { name: "Show 1 new fax" }).waitFor();
  assert.equal(await first.getByRole("link").getAttribute("href"), href);
  await page.getByRole("button", { name: "Show 1 new fax" }).click();
  await page.waitForFunction((href) => document.querySelector(".faxes tbody a").getAttribute("href") !== href, href);
  await page.context().close();
});

test("in a busy world, the list is requested once per interval and not once per event, and is complete in the end", async () => {
  const busy = await Emulator.start({ flags: ["--pace", "max", "--callbacks", "final", "--fax-url", `${app.url}/fax`] });
  const page = await open(browser, `${busy.url}/console`);
  await page.getByText("Live", { exact: true }).waitFor();
  let requests = 0;
  page.on("request", (request) => { requests += new URL(request.url()).pathname.endsWith("/faxes") ? 1 : 0; });
  const began = performance.now();
  for (let sent = 0; sent < BUSY_FAXES; sent += SENT_AT_ONCE) {
    await Promise.all(Array.from({ length: SENT_AT_ONCE }, () => busy.send({ MediaUrl: `${app.url}/letter.pdf` })));
  }
  await busy.control("GET", "/wait?for=idle");
  await page.waitForFunction(() => {
    const rows = [...document.querySelectorAll(".faxes tbody tr")];
    return rows.length === 50 && rows.every((row) => row.textContent.includes("delivered"));
  });
  // The interval bounds the number of requests, however long the faxes take on this machine.
  const intervals = Math.ceil((performance.now() - began) / REFRESH_MS) + 1;
  console.log(`${requests} requests in ${intervals} intervals`);
  assert.ok(requests > 0 && requests <= intervals, `the page requested the list ${requests} times in ${intervals} intervals`);
  assertClean(page);
  await page.context().close();
  await busy.stop();
});

test("a stopped server is reported, and the page reconnects when it is back", async () => {
  const first = await Emulator.start();
  const { port } = first;
  const page = await open(browser, `${first.url}/console`);
  await page.getByText("Live", { exact: true }).waitFor();
  await first.stop();
  await page.getByText("The emulator doesn't respond.").waitFor();
  await page.getByText("Not connected").waitFor();
  const second = await Emulator.start({ port, flags: ["--fax-url", `${app.url}/fax`] });
  await page.getByText("Live", { exact: true }).waitFor();
  await page.getByText("The emulator doesn't respond.").waitFor({ state: "hidden" });
  const { fax_sid: sid } = await second.control("POST", "/incoming-faxes", { body: { pages: 1 } });
  await page.locator(`tr:has(a[href*="${sid}"])`).waitFor();
  assertClean(page);
  await page.context().close();
  await second.stop();
});

test("a reset empties the open list", async () => {
  const page = await open(browser, `${emulator.url}/console`);
  await page.locator(".faxes tbody tr").first().waitFor();
  await page.getByText("Live", { exact: true }).waitFor();
  await emulator.control("GET", "/wait?for=idle");
  await emulator.control("POST", "/reset");
  await page.getByText("No faxes yet").waitFor();
  await page.context().close();
});
