// Tests the console's page about a fax. Each fax page must be drawn as it comes over the line, and a pending fax must
// say what it waits for. Failures and links are tested, too, as is what can be done with a request: explain its
// signature, replay it, compare it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ACCOUNT, App, Emulator } from "./parts/emulator.mjs";
import { assertAccessible, assertClean, assertFits, launch, open } from "./parts/browser.mjs";

/** The longest that a task may take on the main thread. A longer one would drop frames while a fax page is drawn. */
const TASK_MAX_MS = 50;
const DESK = { width: 1440, height: 900 };

let browser;
let emulator;
let quick;
let app;

before(async () => {
  const answers = {
    "/fax/received": { status: 500, headers: { "content-type": "text/plain" }, body: "one\ntwo\nthree\n" },
    "/signed": { status: 403, headers: { "content-type": "application/json" }, body: '{"error":"invalid signature"}' },
    "/status": { status: 204 },
    "/empty": { headers: { "content-type": "text/xml" }, body: "<Response></Response>" },
  };
  [browser, app] = await Promise.all([launch(), App.start(answers)]);
  emulator = await Emulator.start({ flags: ["--pace", "10", "--fax-url", `${app.url}/fax`] });
  quick = await Emulator.start({ flags: ["--pace", "max", "--fax-url", `${app.url}/fax`] });
});
after(async () => {
  await browser?.close();
  await Promise.all([emulator?.stop(), quick?.stop()]);
  app?.stop();
});

/** Opens the page of a fax. */
async function show(sid, options = {}, { hash = "", of = emulator } = {}) {
  const page = await open(browser, `${of.url}/console/faxes/${sid}${hash}`, { viewport: DESK, ...options });
  await page.getByRole("heading", { level: 1 }).waitFor();
  return page;
}

/** Returns how much of the fax page has arrived, from 0 to 1: the place at which the cover over the rest begins. */
const share = (page) => page.evaluate(() => {
  const [cover, paper] = [".paper .veil-page", ".paper"].map((name) => document.querySelector(name).getBoundingClientRect());
  return (cover.top - paper.top) / paper.height;
});

/** The longest task of a page's main thread, in milliseconds of processor time, which other processes don't increase. */
function longestTask(trace) {
  const { traceEvents: events } = JSON.parse(trace);
  const names = new Map(events.filter(({ name }) => name === "thread_name").map(({ pid, tid, args }) => [`${pid} ${tid}`, args.name]));
  const tasks = events.filter((event) => event.name.endsWith("RunTask") && event.tdur !== undefined && names.get(`${event.pid} ${event.tid}`) === "CrRendererMain");
  assert.ok(tasks.length > 100, `${tasks.length} tasks`);
  return Math.max(...tasks.map(({ tdur }) => tdur)) / 1000;
}

const frozen = (action) => async (t) => {
  await emulator.control("PUT", "/clock", { body: { mode: "frozen" } });
  try {
    await action(t);
  } finally {
    await emulator.control("PUT", "/clock", { body: { mode: "running" } });
    await emulator.control("GET", "/wait?for=idle&timeout=60");
  }
};

/** Moves the frozen clock to the time at which this fraction of the rows of the page on the line has arrived. */
async function advanceInto(sid, part) {
  const { progress } = await emulator.control("GET", `/faxes/${sid}`);
  const picture = progress.parts.findIndex((each) => each.part === "picture");
  const [from, to] = [progress.parts[picture - 1].ends_at, progress.parts[picture].ends_at].map(Date.parse);
  await emulator.control("POST", "/clock/advance", { body: { to: new Date(from + (to - from) * part).toISOString() } });
}

test(`a fax is drawn as the line sends it, page by page, and no task takes longer than ${TASK_MAX_MS} ms`, async () => {
  const page = await open(browser, null, { viewport: DESK });
  await page.addInitScript(() => {
    globalThis.longest = 0;
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => { globalThis.longest = Math.max(globalThis.longest, entry.duration); })).observe({ type: "longtask" });
  });
  // The console is loaded first, so that only the fax is measured.
  await page.goto(`${emulator.url}/console`);
  await page.getByText("Live", { exact: true }).waitFor();
  await browser.startTracing(page, { categories: ["toplevel"] });
  const { fax_sid: sid } = await emulator.control("POST", "/incoming-faxes", { body: { pages: 3 } });
  await page.locator(`a[href*="${sid}"]`).click();
  await page.getByText("Page 1 of 3 is on the line.").waitFor();
  await page.getByText("14,400 bit/s · MMR").waitFor();
  for (const number of [1, 2, 3]) {
    await page.getByText(`Page ${number} of 3 is on the line.`).waitFor();
    await page.waitForFunction(() => document.querySelector(".paper .veil-page").getAnimations().some((each) => each.effect.getComputedTiming().progress > 0.2));
    const before = await share(page);
    await page.waitForFunction((least) => {
      const [cover, paper] = [".paper .veil-page", ".paper"].map((name) => document.querySelector(name).getBoundingClientRect());
      return (cover.top - paper.top) / paper.height > least;
    }, before + 0.1);
    const covers = await page.locator(".thumbs .veil-page").evaluateAll((all) => all.map((each) => each.dataset.state));
    assert.deepEqual(covers, [1, 2, 3].map((each) => (each < number ? "ended" : each === number ? "now" : "next")));
  }
  await page.locator(".fax-title").getByText("received").waitFor();
  await page.locator(".online").waitFor({ state: "hidden" });
  assert.equal(await page.locator(".paper .veil-page").isVisible(), false);
  const longest = longestTask(await browser.stopTracing());
  console.log(`the longest task took ${Math.round(longest)} ms of the processor, ${Math.round(await page.evaluate(() => globalThis.longest))} ms on the clock`);
  assert.ok(longest <= TASK_MAX_MS, `a task took ${longest} ms`);
  assertClean(page);
  await page.context().close();
});

test("a frozen clock holds the page where it is, says so, and is moved or run from there", frozen(async () => {
  const { fax_sid: sid } = await emulator.control("POST", "/incoming-faxes", { body: { pages: 2 } });
  await emulator.control("POST", "/clock/advance", { body: { seconds: 0 } });
  await advanceInto(sid, 0.5);
  const page = await show(sid);
  await page.getByText("Page 1 of 2 is on the line, but the clock is frozen.").waitFor();
  await page.getByRole("img", { name: "Page 1 of 2" }).waitFor();
  const half = await share(page);
  assert.ok(Math.abs(half - 0.5) < 0.03, `${half}`);
  assert.equal(await page.locator(".paper .veil-page").evaluate((cover) => cover.dataset.moves), "false");
  await assertAccessible(page, "a fax on the line");
  await page.getByRole("button", { name: "Next step" }).click();
  await page.getByText("Page 2 of 2 is on the line, but the clock is frozen.").waitFor();
  await page.getByRole("region", { name: "Progress" }).getByRole("button", { name: "Run the clock" }).click();
  await page.getByText("Page 2 of 2 is on the line.", { exact: true }).waitFor();
  await page.locator(".fax-title").getByText("received").waitFor();
  await page.context().close();
}));

test("with reduced motion, the state is shown, and a fax page appears once it is complete", frozen(async () => {
  const { fax_sid: sid } = await emulator.control("POST", "/incoming-faxes", { body: { pages: 2 } });
  await emulator.control("POST", "/clock/advance", { body: { seconds: 0 } });
  await emulator.control("PUT", "/clock", { body: { mode: "running" } });
  const page = await show(sid, { reducedMotion: "reduce" });
  await page.getByText("Page 1 of 2 is on the line.", { exact: true }).waitFor();
  assert.equal(await page.locator(".paper .veil-page").evaluate((cover) => cover.dataset.moves), "false");
  assert.ok((await share(page)) < 0.01);
  await page.locator(".fax-title").getByText("received").waitFor();
  await page.context().close();
}));

test("a pending fax says what it waits for", frozen(async () => {
  const { sid } = await emulator.send({ To: "+15005550107", MediaUrl: `${app.url}/letter.pdf` });
  const page = await show(sid);
  await page.getByText("The document is being converted to fax pages, but the clock is frozen.").waitFor();
  for (let steps = 0; steps < 6; steps += 1) {
    const { progress } = await emulator.control("GET", `/faxes/${sid}`);
    if (progress.step === "redial") break;
    await emulator.control("POST", "/clock/advance", { body: { to: progress.ends_at } });
  }
  await page.getByText(/^Call 1 did not connect\. The number is called again at \d\d:\d\d:\d\d, but/).waitFor();
  await page.context().close();
}));

test("a whole page fits the window, and a long fax has readable thumbnails and a box for a page's number", async () => {
  const { fax_sid: sid } = await quick.receive({ pages: 12 });
  const page = await show(sid, {}, { of: quick });
  await page.getByRole("img", { name: "Page 1 of 12" }).waitFor();
  const bottom = await page.locator(".thumbs").evaluate((strip) => strip.getBoundingClientRect().bottom);
  assert.ok(bottom <= DESK.height, `${bottom}`);
  const [paper, sheet] = await page.evaluate(() => [".paper", ".sheet"].map((name) => document.querySelector(name).getBoundingClientRect().height));
  assert.ok(paper > sheet * 0.8 && paper <= sheet, `${paper} of ${sheet}`);
  const sizes = await page.locator(".thumbs .leaf").evaluateAll((all) => all.map((each) => each.getBoundingClientRect().width));
  assert.ok(sizes.every((width) => width > 35), `${sizes}`);
  await page.getByLabel("Go to page").fill("11");
  await page.getByLabel("Go to page").press("Enter");
  await page.getByRole("img", { name: "Page 11 of 12" }).waitFor();
  await page.getByRole("combobox", { name: "Zoom" }).selectOption("Fit width");
  const wide = await page.locator(".paper").evaluate((each) => each.getBoundingClientRect().width);
  assert.ok(wide > paper * 0.9, `${wide}`);
  await page.getByRole("button", { name: "Text", exact: true }).click();
  await page.locator(".page-text").getByText("Page 11 of 12").waitFor();
  await page.keyboard.press("ArrowRight");
  await page.locator(".page-text").getByText("Page 12 of 12").waitFor();
  await assertAccessible(page, "a page's text");
  await page.context().close();
});

test("a failure is shown at the top with a button that jumps to it, and a fax without pages has no empty space for them", async () => {
  const { sid } = await quick.send({ MediaUrl: `${app.url}/nothing` });
  await quick.control("GET", `/wait?for=fax&fax=${sid}&status=failed`).catch(() => quick.control("GET", "/wait?for=idle"));
  const page = await show(sid, {}, { of: quick });
  await page.getByRole("button", { name: "Jump to it" }).click();
  const fetched = page.locator("details.exchange");
  assert.equal(await fetched.evaluate((each) => each.open && each.contains(document.activeElement)), true);
  assert.equal(await page.getByRole("region", { name: "Pages" }).isVisible(), false);
  const [wide, all] = await page.evaluate(() => [".conversation", ".fax"].map((name) => document.querySelector(name).getBoundingClientRect().width));
  assert.equal(wide, all);
  await page.keyboard.press("u");
  await page.waitForURL(/\/console$/);
  await page.context().close();
});

test("a failed callback is marked, and each step has a link to itself", async () => {
  const { fax_sid: sid } = await quick.receive();
  const page = await show(sid, {}, { of: quick });
  await page.getByText("1 problem with your app:").waitFor();
  await page.getByRole("button", { name: "action (received) 500" }).click();
  const step = page.locator(".steps > li.marked");
  await step.getByRole("button", { name: "Replay", exact: true }).waitFor();
  await step.getByRole("link", { name: /link to this step/ }).click();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(link, /#\d+$/);
  await page.context().close();
  const linked = await show(sid, {}, { hash: new URL(link).hash, of: quick });
  await linked.locator(".steps > li.marked details.exchange[open]").waitFor();
  await linked.reload();
  await linked.keyboard.press("e");
  await linked.locator(".steps > li.marked details.exchange[open]").waitFor();
  for (const [name, ending] of [["JSON", "json"], ["HAR", "har"], ["Markdown", "md"]]) {
    const [download] = await Promise.all([linked.waitForEvent("download"), linked.getByRole("link", { name: `Export as ${name}` }).click()]);
    assert.equal(download.suggestedFilename(), `${sid}.${ending}`);
  }
  await linked.context().close();
});

test("a response with the status 200 whose TwiML can't be used is one of the problems with the app", async () => {
  const numbers = `/2010-04-01/Accounts/${ACCOUNT}/IncomingPhoneNumbers`;
  const { incoming_phone_numbers: [number] } = await quick.rest("GET", `${numbers}.json`);
  const change = (urls) => quick.rest("POST", `${numbers}/${number.sid}.json`, urls);
  await change({ VoiceUrl: `${app.url}/empty`, VoiceFallbackUrl: `${app.url}/fax` });
  try {
    const { fax_sid: sid } = await quick.receive();
    const page = await show(sid, {}, { of: quick });
    await page.getByText("2 problems with your app:").waitFor();
    await page.getByRole("button", { name: /^alert \d+$/ }).click();
    await page.locator('.steps > li.marked[data-kind="alert"]').waitFor();
    await page.context().close();
  } finally {
    await change({ VoiceUrl: `${app.url}/fax`, VoiceFallbackUrl: "" });
  }
});

test("a webhook is replayed with another status and shown beside the original, and two requests are compared", async () => {
  const { fax_sid: sid } = await quick.receive();
  const page = await show(sid, {}, { of: quick });
  const before = app.told("/fax/received").length;
  const exchange = page.locator("details.exchange").filter({ hasText: "App notified of the end" });
  await exchange.locator("summary").first().click();
  await exchange.getByRole("button", { name: "failed", exact: true }).click();
  await exchange.getByText("Sent again with FaxStatus received → failed, Status received → failed: the app responded with 500.").waitFor();
  const told = app.told("/fax/received").slice(before);
  assert.deepEqual(told.map(({ params }) => [params.FaxStatus, params.Status]), [["failed", "failed"]]);
  await exchange.getByRole("region", { name: "Original: response" }).getByText("two").waitFor();
  await exchange.getByRole("region", { name: "Replay: response" }).getByText("two").waitFor();
  await exchange.getByRole("button", { name: "Edit and replay" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Value of FaxStatus").fill("canceled");
  await dialog.getByRole("button", { name: "Set Status to canceled, too" }).click();
  assert.equal(await dialog.getByLabel("Value of Status", { exact: true }).inputValue(), "canceled");
  await dialog.getByRole("button", { name: "Close" }).click();

  const again = page.locator("details.exchange").filter({ hasText: "Sent again by hand" });
  await again.getByText("with FaxStatus received → failed").waitFor();
  await page.getByRole("button", { name: "The original" }).click();
  await page.locator("li.marked").filter({ hasText: "App notified of the end" }).waitFor();
  await exchange.getByRole("button", { name: "Compare" }).click();
  await again.locator("summary").first().click();
  await again.getByRole("button", { name: "Compare" }).click();
  await dialog.getByRole("row", { name: /^FaxStatus received failed$/ }).waitFor();
  await dialog.getByText("The response bodies are the same.").waitFor();
  await assertAccessible(page, "two requests compared");
  await page.keyboard.press("Escape");
  await assertAccessible(page, "a replay beside the original");
  for (const width of [360, 768]) {
    await page.setViewportSize({ width, height: 800 });
    await assertFits(page, `a fax's page at ${width} px`);
  }
  assertClean(page);
  await page.context().close();
});

test("a refused signature is explained by what the app computed, or by the URL that it checked", async () => {
  const { sid } = await quick.send({ MediaUrl: `${app.url}/letter.pdf`, StatusCallback: `${app.url}/signed` });
  await quick.control("GET", "/wait?for=idle&timeout=60");
  const page = await show(sid, {}, { of: quick });
  const exchange = page.locator("details.exchange").filter({ hasText: "App notified: queued" });
  await exchange.locator("summary").first().click();
  const input = exchange.getByLabel("What did your app compute, or which URL did it check?");
  await input.fill(`${app.url}/signed/`);
  await input.press("Enter");
  await exchange.getByText("Trailing slash:").waitFor();
  const mine = exchange.locator(".variants tr.matches");
  await mine.getByText("yours").waitFor();
  const signature = await mine.locator("code").last().innerText();
  await input.fill(signature);
  await input.press("Enter");
  await exchange.getByText(`the app signed ${app.url}/signed/, but ${app.url}/signed was called`).waitFor();
  await input.fill("nonsense");
  await input.press("Enter");
  await exchange.getByText("Unknown:").waitFor();
  await assertAccessible(page, "a signature explained");
  assertClean(page);
  await page.context().close();
});
