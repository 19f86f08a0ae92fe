// Tests an open page while its world changes: rows appear and change in place, a busy world leaves the page responsive, and
// the page reports a stopped server and reconnects to it later.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { App, Emulator } from "./parts/emulator.mjs";
import { assertClean, launch, open } from "./parts/browser.mjs";

/** The page must stay responsive during this many status changes per second, for this many seconds. */
const CHANGES_A_SECOND = 200;
const BUSY_S = 4;
/** A user notices a task that is longer than this. */
const TASK_MAX_MS = 100;

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

test("nothing moves under a pointer that is about to press: new faxes wait behind a button", async () => {
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

test(`${CHANGES_A_SECOND} status changes per second cause no task over ${TASK_MAX_MS} ms`, async (t) => {
  const busy = await Emulator.start({ flags: ["--pace", "max", "--callbacks", "final", "--fax-url", `${app.url}/fax`] });
  const page = await open(browser, `${busy.url}/console`);
  await page.getByText("Live", { exact: true }).waitFor();
  await page.evaluate(() => {
    globalThis.longest = 0;
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => { globalThis.longest = Math.max(globalThis.longest, entry.duration); })).observe({ type: "longtask" });
  });
  const began = performance.now();
  const before = (await busy.control("GET", "/events?limit=0")).last_seq;
  let sent = 0;
  let changes = 0;
  while (performance.now() - began < BUSY_S * 1000) {
    // Queued, processing, sending and delivered are four changes per fax.
    const due = ((performance.now() - began) / 1000) * (CHANGES_A_SECOND / 4);
    if (sent < due) {
      await Promise.all(Array.from({ length: Math.ceil(due - sent) }, () => busy.send({ MediaUrl: `${app.url}/letter.pdf` })));
      sent += Math.ceil(due - sent);
    } else await busy.control("GET", "/wait?for=idle");
  }
  const { last_seq: last } = await busy.control("GET", "/events?limit=0");
  for (let since = before; since < last;) {
    const { events } = await busy.control("GET", `/events?since=${since}&limit=10000`);
    if (events.length === 0) break;
    changes += events.filter((event) => event.kind === "fax.status").length;
    since = events.at(-1).seq;
  }
  const rate = changes / ((performance.now() - began) / 1000);
  await page.waitForFunction(() => document.querySelectorAll(".faxes tbody tr").length === 50);
  const longest = await page.evaluate(() => globalThis.longest);
  console.log(`${Math.round(rate)} status changes a second, the longest task ${Math.round(longest)} ms`);
  assertClean(page);
  await page.context().close();
  await busy.stop();
  assert.ok(longest <= TASK_MAX_MS, `a task took ${longest} ms`);
  if (rate < CHANGES_A_SECOND * 0.7) t.skip(`this machine made only ${Math.round(rate)} changes a second`);
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
