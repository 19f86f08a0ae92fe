// Tests the layout. At widths from that of a phone to that of a wall display, and at a zoom of 200 %, nothing may be
// cut off and no page may scroll sideways. axe must find nothing serious in any state of the pages.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ACCOUNT, App, Emulator } from "./parts/emulator.mjs";
import { assertAccessible, assertClean, launch, open } from "./parts/browser.mjs";
import { assertDialogFits, assertNothingCut } from "./parts/layout.mjs";

const LONG = `Rechnungsprüfungsausschuss-${"x".repeat(30)}`;

let browser;
let emulator;
let app;
let places;

before(async () => {
  [browser, app] = await Promise.all([launch(), App.start({ "/broken": { status: 500, body: "Traceback (most recent call last)" } })]);
  emulator = await Emulator.start({ flags: ["--pace", "max", "--fax-url", `${app.url}/fax`] });
  const { fax } = await emulator.receive({ station_id: "ACME CLINIC" });
  const busy = await emulator.send({ MediaUrl: `${app.url}/letter.pdf`, To: "+15005550101" });
  const broken = await emulator.send({ MediaUrl: `${app.url}/letter.pdf`, To: "+15005550104", StatusCallback: `${app.url}/broken?${"query=long&".repeat(20)}` });
  await emulator.send({ MediaUrl: `${app.url}/letter.pdf`, To: `sip:${"fax-".repeat(10)}machine@${"a-long-name.".repeat(5)}example.com` });
  await emulator.control("GET", "/wait?for=idle");
  await emulator.control("POST", "/accounts", { body: { friendly_name: LONG } });
  await emulator.control("POST", "/twiml-bins", { body: { name: LONG, twiml: `<Response><Receive action="https://${LONG}.example.com/"/></Response>` } });
  for (const rule of [
    { match: { to: "+1999*" }, times: 2, outcome: { status: "busy" } },
    { match: { purpose: "status-callback", url: `https://${LONG}.example.com/*` }, webhook: { delay_ms: 5000, duplicate: true } },
    { enabled: false, line: { noise: 0.1 } },
    { match: { path: "/nowhere" }, api: { status: 429 } },
    { match: { path: "/nowhere" }, times: 1, api: { status: 503 } },
  ]) await emulator.control("POST", "/rules", { body: rule });
  await emulator.control("PUT", "/snapshots/before");
  // With a frozen clock, work stays due, and each page shows that.
  await emulator.control("PUT", "/clock", { body: { mode: "frozen" } });
  const pending = await emulator.send({ MediaUrl: `${app.url}/letter.pdf` });
  const { numbers } = await emulator.control("GET", `/accounts/${ACCOUNT}`);
  places = {
    Faxes: "/console",
    "No match": "/console?q=nothing-like-it",
    "An empty account": `/console?account=AC${"5".repeat(32)}`,
    "An inbound fax": `/console/faxes/${fax.sid}`,
    "A busy fax": `/console/faxes/${busy.sid}`,
    "A fax that broke": `/console/faxes/${broken.sid}`,
    "A fax that waits": `/console/faxes/${pending.sid}`,
    "Receive a fax": "/console/receive",
    "Send a fax": "/console/send",
    Numbers: "/console/phone-numbers/incoming",
    "A number": `/console/phone-numbers/incoming/${numbers[0].sid}`,
    "Buy a number": "/console/phone-numbers/search?country=US&type=Local&fax=1",
    "TwiML Bins": "/console/twiml-bins",
    "Clock and rules": "/console/clock",
    Alerts: "/console/alerts",
    Worlds: "/console/worlds",
    Connect: "/console/connect",
    "An account that can't be": "/console?account=nonsense",
  };
});
after(async () => {
  await browser?.close();
  await emulator?.stop();
  app?.stop();
});

const unfold = (page) => page.evaluate(() => document.querySelectorAll("main details").forEach((each) => { each.open = true; }));

/** Opens each page and gives it to `check`, first as it is, then with everything unfolded. */
async function everyPage(options, check) {
  const page = await open(browser, null, { reducedMotion: "reduce", ...options });
  // All pages are checked before the test fails, since one width often breaks several of them.
  const faults = [];
  const checked = (name) => check(page, name).catch((fault) => faults.push(`${name}: ${fault.actual ?? fault.message}`));
  for (const [name, path] of Object.entries(places)) {
    await page.goto(`${emulator.url}${path}`);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.getByText(/^(Live|No live events)$/).waitFor({ state: "attached" });
    await checked(name);
    await unfold(page);
    await checked(`${name}, unfolded`);
  }
  assert.deepEqual(faults, []);
  assertClean(page);
  await page.context().close();
}

for (const [width, height, deviceScaleFactor, what] of [
  [360, 740, 1, "360 pixels"],
  [768, 1024, 1, "768 pixels"],
  [960, 700, 1, "960 pixels"],
  [1280, 800, 1, "1280 pixels"],
  [3840, 2160, 1, "3840 pixels"],
  [720, 450, 2, "1440 pixels and a zoom of 200 %"],
  [640, 400, 2, "1280 pixels and a zoom of 200 %"],
]) {
  test(`nothing is cut off on any page at ${what}`, () => everyPage({ viewport: { width, height }, deviceScaleFactor }, assertNothingCut));
}

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing serious with a frozen clock, pending faxes, rules and long names, ${colorScheme}`, () =>
    everyPage({ colorScheme }, async (page, name) => { await assertAccessible(page, `${name}, ${colorScheme}`); }));

  test(`axe finds nothing serious in the rules' form, when a rule is edited, and with a wrong field, ${colorScheme}`, async () => {
    const page = await open(browser, `${emulator.url}/console/rules`, { colorScheme, reducedMotion: "reduce" });
    for (const template of ["Busy line", "Call breaks after page 1", "Slow, noisy line", "Duplicate callbacks", "Too many requests (429)"]) {
      await page.getByRole("button", { name: template }).click();
      await page.getByText("As JSON", { exact: true }).click();
      await assertAccessible(page, `${template}, ${colorScheme}`);
      await page.keyboard.press("Escape");
    }
    await page.getByRole("button", { name: "Edit rule 1" }).click();
    await page.getByLabel("To", { exact: true }).fill("1555");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText(/numbers begin with a plus/).waitFor();
    await assertAccessible(page, `a wrong rule, ${colorScheme}`);
    await page.goto(`${emulator.url}/console/receive`);
    await page.getByLabel("How many pages").fill("900");
    await page.locator("form").evaluate((form) => { form.noValidate = true; });
    await page.getByRole("button", { name: "Receive it" }).click();
    await page.getByText(/1 to 500 test pages/).waitFor();
    await assertAccessible(page, `a wrong field, ${colorScheme}`);
    assertClean(page);
    await page.context().close();
  });
}

test("the rules' form fits a phone, and its end can be reached", async () => {
  const page = await open(browser, `${emulator.url}/console/rules`, { viewport: { width: 360, height: 560 } });
  for (const template of ["Busy line", "Call breaks after page 1", "Duplicate callbacks", "Slow API"]) {
    await page.getByRole("button", { name: template }).click();
    await assertDialogFits(page, template);
    await page.getByRole("button", { name: "Add the rule" }).scrollIntoViewIfNeeded();
    await page.keyboard.press("Escape");
  }
  await page.context().close();
});

test("a switch, a pressed filter and the current page can be recognised in forced colours", async () => {
  const page = await open(browser, `${emulator.url}/console/rules`, { forcedColors: "active" });
  const outline = (locator) => locator.evaluate((element) => getComputedStyle(element).outlineStyle);
  assert.equal(await outline(page.getByRole("switch", { name: "Rule 1 is on" })), "solid");
  assert.equal(await outline(page.getByRole("switch", { name: "Rule 3 is on" })), "none");
  assert.equal(await outline(page.getByRole("link", { name: "Clock and rules" })), "solid");
  await page.context().close();
});
