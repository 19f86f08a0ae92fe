// Counts the steps of the tasks that the console is for. A step is one click, or one text typed or pasted into a field and
// confirmed with Enter. Each task has a maximum number of steps; if it can't be done, the test names what the console lacks.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { App, Emulator } from "./parts/emulator.mjs";
import { assertClean, launch, open } from "./parts/browser.mjs";

/** A control that doesn't appear within this time is missing: the page's data has long arrived by then. */
const MISSING_MS = 6_000;

let browser;
let emulator;
let app;

before(async () => {
  [browser, app] = await Promise.all([
    launch(),
    App.start({
      "/crashes": { status: 500, headers: { "content-type": "text/plain" }, body: "KeyError: 'FaxSid'" },
      "/refuses": { status: 403, headers: { "content-type": "text/plain" }, body: "invalid signature" },
    }),
  ]);
  emulator = await Emulator.start({ flags: ["--pace", "max", "--fax-url", `${app.url}/fax`] });
});
after(async () => {
  await browser?.close();
  await emulator?.stop();
  app?.stop();
});

/** A tester at a page, whose steps are counted. */
class Tester {
  static async at(path) {
    const self = new Tester();
    self.page = await open(browser, `${emulator.url}${path}`, { reducedMotion: "reduce" });
    await self.page.getByRole("heading", { level: 1 }).waitFor();
    self.steps = 0;
    return self;
  }

  async click(locator, what) {
    await this.found(locator, what);
    this.steps += 1;
    await locator.first().click();
  }

  async type(locator, text, what) {
    await this.found(locator, what);
    this.steps += 1;
    await locator.first().fill(text);
    await locator.first().press("Enter");
  }

  async found(locator, what) {
    await locator.first().waitFor({ timeout: MISSING_MS }).catch(() => assert.fail(`the console lacks ${what}`));
  }

  async done(t, goal) {
    t.diagnostic(`${this.steps} of at most ${goal} steps`);
    assert.ok(this.steps <= goal, `${this.steps} steps instead of ${goal}`);
    assertClean(this.page);
    await this.page.context().close();
  }
}

const main = (tester) => tester.page.locator("main");
const nav = (tester, name) => tester.page.getByRole("navigation", { name: "Pages", exact: true }).getByRole("link", { name });

test("why a call was not taken: 1 step", async (t) => {
  const { numbers } = await emulator.control("GET", `/accounts/AC${"0".repeat(32)}`);
  const set = (url) => emulator.rest("POST", `/2010-04-01/Accounts/AC${"0".repeat(32)}/IncomingPhoneNumbers/${numbers[0].sid}.json`, { VoiceUrl: url });
  await set(`${app.url}/crashes`);
  await emulator.control("POST", "/incoming-faxes?wait=true", { body: { pages: 1 } });
  await set(`${app.url}/fax`);
  const tester = await Tester.at("/console");
  const row = main(tester).getByRole("row").filter({ hasText: "not-answered" });
  await tester.found(row.getByText(/500/), "the reason, in the list, why nobody took a call");
  await tester.click(row.getByRole("link"), "a row for a call that nobody took");
  await tester.found(main(tester).getByText(/11200/), "the error that says why nobody took a call");
  await tester.done(t, 1);
});

test("why a callback of a delivered fax failed: 1 step", async (t) => {
  const fax = await emulator.send({ MediaUrl: `${app.url}/letter.pdf`, StatusCallback: `${app.url}/crashes` });
  await emulator.control("GET", `/wait?fax=${fax.sid}&status=delivered`);
  await emulator.control("GET", "/wait?for=idle");
  const tester = await Tester.at("/console");
  const row = main(tester).getByRole("row").filter({ hasText: /callbacks? failed/ });
  await tester.click(row.getByRole("link"), "a mark for failed callbacks in the list");
  await tester.found(main(tester).getByText(/500/), "the response that failed");
  await tester.done(t, 1);
});

test("replay a callback with another status: 3 steps", async (t) => {
  const { fax } = await emulator.receive();
  const before_ = app.told("/fax/received").length;
  const tester = await Tester.at(`/console/faxes/${fax.sid}`);
  const exchange = tester.page.locator("details.exchange").filter({ hasText: "received" }).last();
  await tester.click(exchange.locator("summary"), "the exchange");
  await tester.click(exchange.getByRole("group", { name: "Replay with another status" }).getByRole("button", { name: "failed" }), "a replay with another status");
  await tester.found(exchange.getByText(/FaxStatus received → failed/), "what the replay changed");
  const [replayed] = app.told("/fax/received").slice(before_);
  assert.equal(replayed.params.FaxStatus, "failed");
  await tester.done(t, 3);
});

test("see a signature mismatch: 2 steps", async (t) => {
  const { numbers } = await emulator.control("GET", `/accounts/AC${"0".repeat(32)}`);
  const number = `/2010-04-01/Accounts/AC${"0".repeat(32)}/IncomingPhoneNumbers/${numbers[0].sid}.json`;
  await emulator.rest("POST", number, { VoiceUrl: `${app.url}/refuses` });
  const { fax_sid: sid } = await emulator.control("POST", "/incoming-faxes?wait=true", { body: { pages: 1 } });
  await emulator.rest("POST", number, { VoiceUrl: `${app.url}/fax` });
  const tester = await Tester.at(`/console/faxes/${sid}`);
  const exchange = tester.page.locator("details.exchange").filter({ hasText: "403" }).first();
  // The refused request may be open already.
  await tester.found(exchange, "the request that was refused");
  if (!(await exchange.evaluate((element) => element.open))) await tester.click(exchange.locator("summary"), "the exchange");
  const input = exchange.getByLabel(/What did your app compute/);
  await tester.type(input, `https://${new URL(app.url).host}/refuses`, "a field for what the app computed");
  await tester.found(exchange.getByText(/Scheme/), "the mistake");
  await tester.done(t, 2);
});

test("find a fax by its number, as the console prints it: 1 step", async (t) => {
  await emulator.send({ MediaUrl: `${app.url}/letter.pdf`, To: "+15557654321" });
  const tester = await Tester.at("/console");
  await tester.type(tester.page.getByRole("searchbox"), "+1 555 765 4321", "a search box");
  const rows = main(tester).locator("tbody tr");
  await tester.page.waitForFunction(() => document.querySelectorAll("main tbody tr").length === 1, null, { timeout: MISSING_MS }).catch(() => assert.fail("the search doesn't find a number with spaces"));
  assert.match(await rows.innerText(), /765\s*4321/);
  await tester.done(t, 1);
});

test("simulate a busy line: 3 steps", async (t) => {
  const tester = await Tester.at("/console");
  await tester.click(nav(tester, "Clock and rules"), "the page of rules");
  await tester.click(main(tester).getByRole("button", { name: "Busy line" }), "a template for a busy line");
  await tester.click(tester.page.getByRole("dialog").getByRole("button", { name: "Add the rule" }), "the rules' form");
  await tester.found(main(tester).getByText(/^Rule \d+ is active\.$/), "the outcome");
  const fax = await emulator.send({ MediaUrl: `${app.url}/letter.pdf` });
  await emulator.control("GET", `/wait?fax=${fax.sid}&status=busy`);
  await emulator.control("DELETE", "/rules");
  await tester.done(t, 3);
});

test("make a fax fail like one that is shown: 2 steps", async (t) => {
  const fax = await emulator.send({ MediaUrl: `${app.url}/letter.pdf`, To: "+15552223333" });
  await emulator.control("GET", `/wait?fax=${fax.sid}&status=delivered`);
  const tester = await Tester.at(`/console/faxes/${fax.sid}`);
  await tester.click(main(tester).getByRole("link", { name: "Make a rule of this" }), "a link from a fax to the rules' form");
  const dialog = tester.page.getByRole("dialog", { name: "New rule" });
  await dialog.getByText("Calls from +15005550006 to +15552223333 are busy.").waitFor();
  await tester.click(dialog.getByRole("button", { name: "Add the rule" }), "the rules' form");
  await tester.found(main(tester).getByText("Calls from +15005550006 to +15552223333 are busy", { exact: true }), "the rule");
  assert.ok(!tester.page.url().includes("rule="), "a reload doesn't open the form again");
  await emulator.control("DELETE", "/rules");
  await tester.done(t, 2);
});

test("advance two hours and run on: 2 steps", async (t) => {
  const before_ = new Date((await emulator.control("GET", "/clock")).now);
  const tester = await Tester.at("/console");
  await tester.click(nav(tester, "Clock and rules"), "the clock");
  await tester.click(main(tester).getByRole("button", { name: "+ 2 hours" }), "a step of two hours");
  await tester.found(main(tester).getByText(/Moved by 2 h\..*The clock runs on\./), "the outcome");
  const clock = await emulator.control("GET", "/clock");
  assert.equal(clock.mode, "running");
  assert.ok(new Date(clock.now) - before_ >= 7_200_000);
  await tester.done(t, 2);
});

test("export a conversation: 1 step", async (t) => {
  const { fax } = await emulator.receive();
  const tester = await Tester.at(`/console/faxes/${fax.sid}`);
  const download = tester.page.waitForEvent("download", { timeout: MISSING_MS });
  download.catch(() => {});
  await tester.click(main(tester).getByRole("link", { name: /HAR/ }), "a link that exports the conversation, without a menu to open first");
  assert.match((await download.catch(() => assert.fail("nothing was downloaded"))).suggestedFilename(), /\.har$/);
  await tester.done(t, 1);
});

test("delete all faxes: 2 steps", async (t) => {
  await emulator.receive();
  const tester = await Tester.at("/console");
  await tester.click(main(tester).getByRole("button", { name: /^Delete all/ }), "a button that deletes all faxes");
  await tester.click(tester.page.getByRole("dialog").getByRole("button", { name: /^Delete/ }), "a dialog that asks whether to delete all faxes");
  await tester.found(main(tester).getByText("No faxes yet"), "the empty list");
  assert.equal((await emulator.control("GET", "/faxes")).total, 0);
  await tester.done(t, 2);
});
