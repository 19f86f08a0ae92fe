// Tests the list of faxes: what its rows say, the search, the way back from a fax, copying, deleting, and the zone of times.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { ACCOUNT, App, Emulator } from "./parts/emulator.mjs";
import { assertAccessible, assertClean, assertFits, launch, open } from "./parts/browser.mjs";

let browser;
let emulator;
let app;
let page;

before(async () => {
  [browser, app] = await Promise.all([launch(), App.start({ "/broken": { status: 500 }, "/odd": { body: '<Response><Receive action="/broken"/></Response>' } })]);
  emulator = await Emulator.start({ flags: ["--pace", "max", "--fax-url", `${app.url}/fax`] });
});
after(async () => {
  await browser?.close();
  await emulator?.stop();
  app?.stop();
});
beforeEach(async () => {
  await emulator.control("GET", "/wait?for=idle");
  await emulator.control("POST", "/reset");
});

const box = () => page.getByRole("searchbox", { name: "Search" });
const row = (text) => page.locator(".faxes tbody tr").filter({ hasText: text });
const tally = (text) => page.locator(".totals").getByText(text, { exact: true }).waitFor();
const rowsAre = (n) => page.waitForFunction((n) => document.querySelectorAll(".faxes tbody tr").length === n, n);

/** Opens the list; the test closes it. */
async function look(path = "/console", options = {}) {
  page = await open(browser, `${emulator.url}${path}`, { reducedMotion: "reduce", ...options });
  await page.getByText("Live", { exact: true }).waitFor({ state: "attached" });
}

async function close() {
  assertClean(page);
  await page.context().close();
}

/** Sets the first number's VoiceUrl to a path of the app. */
async function lead(path) {
  const { numbers } = await emulator.control("GET", `/accounts/${ACCOUNT}`);
  await emulator.rest("POST", numbers[0].uri, { VoiceUrl: `${app.url}${path}` });
}

/** Sends faxes to consecutive numbers, which are all delivered. */
async function sendMany(count) {
  await Promise.all(Array.from({ length: count }, (_, i) => emulator.send({ MediaUrl: `${app.url}/letter.pdf`, To: `+1555867${String(1000 + i)}` })));
  await emulator.control("GET", "/wait?for=idle");
}

test("a row begins with the other party and says what went wrong: an error, a failed callback, a call that nobody took", async () => {
  await lead("/broken");
  await emulator.receive({ pages: "1", from: "+14155550123" });
  await lead("/odd");
  await emulator.receive({ pages: "1", from: "+14155550188" });
  await emulator.send({ MediaUrl: `${app.url}/letter.pdf`, To: "+15005550101" });
  await emulator.send({ MediaUrl: `${app.url}/letter.pdf`, To: "+15558675310", StatusCallback: `${app.url}/broken` });
  await emulator.control("GET", "/wait?for=idle");
  await look();
  await row("+14155550123").getByText("not-answered").waitFor();
  await row("+14155550123").getByText("11200 fax-url 500").waitFor();
  await row("+14155550188").getByText("received").waitFor();
  await row("+14155550188").getByText("action 500").waitFor();
  await row("+15005550101").getByText("34002 Callee Busy").waitFor();
  await row("+15558675310").getByText("4 callbacks failed").waitFor();
  await tally("3 faxes and 1 call that nobody took in this world");
  await page.getByRole("button", { name: "Callbacks failed" }).click();
  await rowsAre(2);
  await tally("2 of 4");
  await assertAccessible(page, "the list with reasons");
  // One step leads from the list to the reason.
  await row("+14155550188").getByText("action 500").click();
  await page.getByRole("heading", { name: "Conversation" }).waitFor();
  await close();
});

test("calls and failed callbacks appear while one watches, and the alerts are counted until they are visited", async () => {
  await look();
  const alerts = page.getByRole("navigation", { name: "Pages", exact: true }).getByRole("link", { name: "Alerts" });
  await page.getByText("No faxes yet").waitFor();
  await lead("/broken");
  await emulator.receive({ pages: "1", from: "+14155550123" });
  await row("+14155550123").getByText("not-answered").waitFor();
  await page.waitForFunction(() => document.title === "(1) Faxes · fauxfax");
  await emulator.send({ MediaUrl: `${app.url}/letter.pdf`, To: "+15558675310", StatusCallback: `${app.url}/broken` });
  await row("+15558675310").getByText("4 callbacks failed").waitFor();
  await page.waitForFunction(() => document.title === "(5) Faxes · fauxfax");
  assert.match(await alerts.innerText(), /5/);
  await page.reload();
  await page.waitForFunction(() => document.title === "(5) Faxes · fauxfax");
  await alerts.click();
  await tally("5 alerts, 5 new");
  assert.equal(await page.title(), "Alerts · fauxfax");
  const groups = page.locator(".alertgroup");
  assert.equal(await groups.count(), 1, "the same code about the same URL");
  await groups.first().getByText("5 ×").waitFor();
  await groups.first().getByRole("button", { name: "All 5" }).click();
  assert.equal(await groups.first().locator(".each a").count(), 5);
  await assertAccessible(page, "grouped alerts");
  await page.getByRole("searchbox", { name: "Filter the alerts" }).fill("nothing");
  await page.getByRole("heading", { name: "No matching alert" }).waitFor();
  await page.getByRole("searchbox", { name: "Filter the alerts" }).fill("broken 11200");
  await groups.first().waitFor();
  await page.getByRole("button", { name: "Mark as seen" }).click();
  await tally("5 alerts");
  await page.getByRole("link", { name: "Faxes", exact: true }).first().click();
  await page.getByRole("heading", { level: 1, name: "Faxes" }).waitFor();
  await page.reload();
  await row("+15558675310").waitFor();
  assert.equal(await page.title(), "Faxes · fauxfax");
  await close();
});

test("an invalid search is explained, and the earlier results stay", async () => {
  await sendMany(3);
  await look();
  await box().fill("stauts:failed");
  await page.getByText("did you mean status?").waitFor();
  assert.equal(await box().getAttribute("aria-invalid"), "true");
  await rowsAre(3);
  await assertAccessible(page, "a wrong search");
  await page.reload();
  await page.getByText("did you mean status?").waitFor();
  await box().fill("(555) 867-1001");
  await rowsAre(1);
  await tally("1 of 3");
  assert.equal(await box().getAttribute("aria-invalid"), null);
  await page.getByRole("button", { name: "What can be searched" }).click();
  await page.getByRole("button", { name: "pages:>10" }).click();
  await page.getByRole("heading", { name: "No matching fax" }).waitFor();
  await close();
});

test("Escape keeps the search, and Enter and the arrow go to the first fax", async () => {
  await sendMany(3);
  await look();
  await page.keyboard.press("/");
  await page.keyboard.type("8671002");
  await page.keyboard.press("Escape");
  await rowsAre(1);
  assert.equal(await box().inputValue(), "8671002");
  await page.keyboard.press("j");
  await page.waitForFunction(() => document.activeElement.closest("tr"));
  await page.keyboard.press("/");
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("8671001");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement.getAttribute("aria-label") === "Outbound fax from +15005550006 to +15558671001");
  await page.keyboard.press("/");
  await page.keyboard.press("ArrowDown");
  await page.waitForFunction(() => document.activeElement.closest("tr"));
  await close();
});

test("Back from a fax, by the browser or by the link, restores the search; the browser also restores the scroll position and the focus", async () => {
  await sendMany(60);
  await look("/console", { viewport: { width: 1280, height: 500 } });
  await box().fill("direction:outbound");
  await page.waitForURL(/q=direction/);
  await tally("60 of 60");
  await page.getByRole("button", { name: "Older" }).click();
  await rowsAre(10);
  await page.goBack();
  await rowsAre(50);
  for (const back of [() => page.goBack(), () => page.getByRole("link", { name: "Faxes", exact: true }).last().click()]) {
    const link = page.locator(".faxes tbody tr").nth(30).getByRole("link");
    await link.scrollIntoViewIfNeeded();
    await link.focus();
    const [href, scroll] = [await link.getAttribute("href"), await page.evaluate(() => Math.round(scrollY))];
    assert.ok(scroll > 200, `scrolled to ${scroll}`);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Conversation" }).waitFor();
    await back();
    await rowsAre(50);
    assert.equal(await box().inputValue(), "direction:outbound");
    if (back.toString().includes("goBack")) {
      await page.waitForFunction(([href, scroll]) => document.activeElement.getAttribute("href") === href && Math.abs(scrollY - scroll) < 3, [href, scroll]);
    }
  }
  await close();
});

test("numbers can be selected and are copied in E.164 form, and SIDs are copied by button or key", async () => {
  await sendMany(1);
  await look();
  const own = page.locator(".faxes .other .number");
  const { x, y, width, height } = await own.boundingBox();
  await page.mouse.move(x + 1, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + width - 1, y + height / 2, { steps: 5 });
  await page.mouse.up();
  await page.keyboard.press("ControlOrMeta+c");
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "+15558671000");
  assert.match(page.url(), /\/console$/);
  const { faxes: [{ sid }] } = await emulator.control("GET", "/faxes");
  await page.evaluate(() => getSelection().removeAllRanges());
  await page.locator(".faxes tbody tr").hover();
  await page.getByRole("button", { name: "Copy SID" }).click();
  await page.waitForFunction((sid) => navigator.clipboard.readText().then((text) => text === sid), sid);
  await page.evaluate(() => navigator.clipboard.writeText(""));
  await page.keyboard.press("j");
  await page.keyboard.press("c");
  await page.getByText(`Copied ${sid}.`).waitFor();
  await close();
});

test("the faxes that a search finds are deleted after a confirmation, and then all others that aren't in progress", async () => {
  const slow = await Emulator.start({ flags: ["--pace", "1", "--fax-url", `${app.url}/broken`] });
  try {
    for (const To of ["+15558671001", "+15558671002", "+15558671003"]) await slow.send({ MediaUrl: "http://127.0.0.1:9/none.pdf", To });
    await slow.receive({ pages: "1", from: "+14155550123" });
    await slow.control("GET", "/wait?for=idle");
    page = await open(browser, `${slow.url}/console`, { reducedMotion: "reduce" });
    await tally("3 faxes and 1 call that nobody took in this world");
    await box().fill("8671002");
    await page.getByRole("button", { name: "Delete this one" }).click();
    await page.getByRole("dialog", { name: "Delete 1 fax or call that this search finds?" }).getByRole("button", { name: "Delete" }).click();
    await page.getByText("Deleted 1 fax.").waitFor();
    await slow.send({ MediaUrl: `${app.url}/letter.pdf`, To: "+15558679999" });
    await page.getByRole("link", { name: "Show all" }).click();
    await tally("3 faxes and 1 call that nobody took in this world");
    await page.getByRole("button", { name: "Delete all faxes" }).click();
    await page.getByRole("dialog", { name: "Delete 3 faxes and 1 call?" }).getByRole("button", { name: "Delete" }).click();
    await page.getByText("Deleted 2 faxes and 1 call. 1 fax in progress was left.").waitFor();
    await rowsAre(1);
    assert.equal((await slow.control("GET", `/accounts/${ACCOUNT}`)).numbers.length, 1, "numbers stay");
    await close();
  } finally {
    await slow.stop();
  }
});

test("times name their zone once, and a switch to UTC is remembered on all pages", async () => {
  await sendMany(1);
  const { faxes: [{ date_created: created }] } = await emulator.control("GET", "/faxes");
  await look("/console", { timezoneId: "America/Phoenix" });
  const zone = page.getByText(/^Times in/).locator("visible=true");
  assert.equal(await zone.innerText(), "Times in GMT−7 · UTC");
  const shown = () => page.locator(".faxes time").innerText();
  const hour = (zone) => new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" }).format(new Date(created));
  assert.ok((await shown()).includes(hour("America/Phoenix")));
  await page.getByRole("button", { name: "Show times in UTC" }).locator("visible=true").click();
  await page.waitForFunction((hour) => document.querySelector(".faxes time").textContent.includes(hour), hour("UTC"));
  await page.locator(".faxes tbody tr a").click();
  await page.getByRole("heading", { name: "Conversation" }).waitFor();
  assert.ok((await page.locator(".steps time").first().innerText()).includes(hour("UTC")));
  await page.reload();
  for (const width of [1280, 360]) {
    await page.setViewportSize({ width, height: 800 });
    await page.getByText("Times in UTC · GMT−7").locator("visible=true").waitFor();
    assert.equal(await page.getByText("Times in UTC · GMT−7").locator("visible=true").count(), 1, `once at ${width} px`);
  }
  await close();
});

test("a page for an invalid account has links to valid ones", async () => {
  await sendMany(1);
  page = await open(browser, `${emulator.url}/console?account=nonsense`);
  await page.getByRole("link", { name: "Show the default account" }).click();
  await rowsAre(1);
  assert.equal(page.url(), `${emulator.url}/console`);
  await page.context().close();
});

for (const width of [360, 720, 768, 920, 1000, 1280]) {
  test(`nothing in the list is cut off at ${width} px`, async () => {
    await lead("/broken");
    await emulator.receive({ pages: "1", from: "sip:a-rather-long-name@clinic.example.com" });
    await sendMany(1);
    await look("/console", { viewport: { width, height: 900 } });
    await row("clinic").waitFor();
    await assertFits(page, `the list at ${width}`);
    const [wide, own] = await page.locator(".faxes").evaluate((element) => [element.scrollWidth, element.clientWidth]);
    assert.ok(wide <= own, `${wide} px in ${own}`);
    await close();
  });
}

test("on paper, the rows and the unfolded conversation are printed without buttons", async () => {
  await lead("/odd");
  const { fax } = await emulator.receive({ pages: "1", from: "+14155550188" });
  await look();
  await row("+14155550188").waitFor();
  await page.emulateMedia({ media: "print" });
  for (const name of ["Receive a fax", "Delete all faxes", "In"]) assert.equal(await page.getByText(name, { exact: true }).isVisible(), false, name);
  assert.equal(await page.getByRole("navigation", { name: "Pages", exact: true }).isVisible(), false);
  await row("+14155550188").getByText("action 500").waitFor();
  await page.emulateMedia({ media: "screen" });
  await page.goto(`${emulator.url}/console/faxes/${fax.sid}`);
  await page.getByRole("heading", { name: "Conversation" }).waitFor();
  await page.emulateMedia({ media: "print" });
  await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  await page.getByRole("row", { name: /^FaxStatus received$/ }).waitFor();
  assert.equal(await page.locator("main button").locator("visible=true").count(), 0);
  await page.evaluate(() => dispatchEvent(new Event("afterprint")));
  assert.equal(await page.locator(".conversation .exchange[open]").count(), 0);
  await close();
});
