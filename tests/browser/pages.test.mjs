// Tests each page: it has a title, axe finds nothing serious in light and dark mode, and it fits the window, even a phone's. The
// other tests use pages: alerts, a conversation, the search, worlds, rules and snapshots.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ACCOUNT, App, Emulator } from "./parts/emulator.mjs";
import { assertAccessible, assertClean, assertFits, launch, open } from "./parts/browser.mjs";

let browser;
let emulator;
let app;
let places;

before(async () => {
  [browser, app] = await Promise.all([launch(), App.start()]);
  emulator = await Emulator.start({ flags: ["--pace", "max", "--fax-url", `${app.url}/fax`] });
  const { fax } = await emulator.receive({ station_id: "ACME CLINIC" });
  const sent = await emulator.send({ MediaUrl: `${app.url}/letter.pdf`, To: "+15005550104", StatusCallback: `${app.url}/status` });
  const gone = await emulator.send({ MediaUrl: "http://127.0.0.1:9/none.pdf" });
  await emulator.control("GET", "/wait?for=idle");
  await emulator.control("POST", "/twiml-bins", { body: { name: "Accept", twiml: "<Response><Receive/></Response>" } });
  const { numbers } = await emulator.control("GET", `/accounts/${ACCOUNT}`);
  places = {
    Faxes: "/console",
    "An inbound fax": `/console/faxes/${fax.sid}`,
    "A fax that broke": `/console/faxes/${sent.sid}`,
    "A fax without a document": `/console/faxes/${gone.sid}`,
    "Receive a fax": "/console/receive",
    "Send a fax": "/console/send",
    Numbers: "/console/phone-numbers/incoming",
    "A number": `/console/phone-numbers/incoming/${numbers[0].sid}`,
    "Buy a number": "/console/phone-numbers/search?country=US&type=Local&fax=1",
    "TwiML Bins": "/console/twiml-bins",
    "Clock and rules": "/console/clock",
    Alerts: "/console/alerts",
    Check: "/console/check",
    Worlds: "/console/worlds",
    "All worlds": "/console/all",
    Traffic: "/console/traffic",
    "API explorer": "/console/api",
    Connect: "/console/connect",
    "No such page": "/console/nowhere",
  };
});
after(async () => {
  await browser?.close();
  await emulator?.stop();
  app?.stop();
});

/** Opens every `details` element, so that its content is checked too. */
const unfold = (page) => page.evaluate(() => document.querySelectorAll("main details").forEach((each) => { each.open = true; }));
const settled = async (page) => {
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.getByText("Live", { exact: true }).waitFor({ state: "attached" });
};

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing serious on any page, ${colorScheme}`, async () => {
    const page = await open(browser, null, { colorScheme, reducedMotion: "reduce" });
    for (const [name, path] of Object.entries(places)) {
      await page.goto(`${emulator.url}${path}`);
      await settled(page);
      await unfold(page);
      assert.ok((await assertAccessible(page, `${name}, ${colorScheme}`)) > 10, name);
      assert.match(await page.title(), /\S+ · fauxfax$/);
    }
    assertClean(page);
    await page.context().close();
  });
}

for (const [width, height] of [[360, 740], [768, 1024], [3840, 2160]]) {
  test(`every page fits a window of ${width} by ${height}`, async () => {
    const page = await open(browser, null, { viewport: { width, height } });
    for (const [name, path] of Object.entries(places)) {
      await page.goto(`${emulator.url}${path}`);
      await settled(page);
      await unfold(page);
      await assertFits(page, name);
    }
    assertClean(page);
    await page.context().close();
  });
}

test("axe finds nothing serious on a phone with its menu open", async () => {
  const page = await open(browser, `${emulator.url}/console`, { viewport: { width: 360, height: 740 } });
  await page.getByRole("button", { name: "Menu" }).click();
  await page.getByRole("link", { name: "Alerts" }).waitFor();
  await assertAccessible(page, "the menu");
  await page.getByRole("link", { name: "Alerts" }).click();
  await page.getByRole("heading", { level: 1, name: "Alerts" }).waitFor();
  await page.context().close();
});

test("dark mode is dark, and light is light", async () => {
  const brightness = async (colorScheme) => {
    const page = await open(browser, `${emulator.url}/console`, { colorScheme });
    await settled(page);
    const [r, g, b] = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor.match(/\d+/g).map(Number));
    await page.context().close();
    return r + g + b;
  };
  assert.ok((await brightness("dark")) < 150);
  assert.ok((await brightness("light")) > 600);
});

test("a failure is explained in plain words with Twilio's code, and the alert says what to do", async () => {
  const page = await open(browser, `${emulator.url}${places["A fax that broke"]}`);
  await page.getByText(/Twilio's code 34004/).waitFor();
  await page.goto(`${emulator.url}/console/alerts`);
  await page.getByText("Start your app, or correct the port in the URL.").waitFor();
  await page.getByRole("link", { name: "The conversation" }).first().click();
  await page.getByRole("heading", { name: "Conversation" }).waitFor();
  await page.context().close();
});

test("a conversation shows each call, each duplicate and the rule behind it, and why a document failed", async () => {
  const rule = { match: { purpose: "status-callback" }, times: 1, webhook: { duplicate: true, signature: "bad" } };
  const { id } = await emulator.control("POST", "/rules", { body: rule });
  const fax = await emulator.send({ MediaUrl: `${app.url}/letter.pdf`, To: "+15005550101", StatusCallback: `${app.url}/status` });
  await emulator.control("GET", "/wait?for=idle");
  await emulator.control("DELETE", `/rules/${id}`);
  const page = await open(browser, `${emulator.url}/console/faxes/${fax.sid}`);
  await page.getByText("Call 1: busy; the number is not called again").waitFor();
  await page.getByText(`Rule ${id} sends this webhook twice and gives it an invalid signature`).waitFor();
  const second = page.locator("details.exchange").filter({ hasText: "second delivery, same token" });
  await second.locator("summary").first().click();
  await second.getByText("Signature", { exact: true }).click();
  await second.getByRole("button", { name: "Explain" }).click();
  await second.getByText(`rule ${id} spoiled this signature on purpose`).waitFor();
  await page.goto(`${emulator.url}${places["A fax without a document"]}`);
  await page.getByText("Start your app, or correct the port in the URL.").nth(1).waitFor();
  await page.context().close();
});

test("the list is searched in one box, which chips write into, and says when nothing matches", async () => {
  const page = await open(browser, `${emulator.url}/console`);
  const rows = page.locator(".faxes tbody tr");
  const box = page.getByRole("searchbox", { name: "Search" });
  await rows.nth(2).waitFor();
  await page.getByRole("button", { name: "In", exact: true }).click();
  await rows.nth(1).waitFor({ state: "detached" });
  assert.equal(await rows.count(), 1);
  assert.equal(await box.inputValue(), "direction:inbound");
  await page.getByRole("button", { name: "In", exact: true }).click();
  await page.getByRole("button", { name: "Failed", exact: true }).click();
  await page.waitForFunction(() => document.querySelectorAll(".faxes tbody tr").length === 2);
  await box.fill("status:failed to:+15005550104");
  await page.waitForFunction(() => document.querySelectorAll(".faxes tbody tr").length === 1);
  assert.equal(new URL(page.url()).searchParams.get("q"), "status:failed to:+15005550104");
  await box.fill('"nothing like it"');
  await page.getByRole("heading", { name: "No matching fax" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "No matching fax" }).waitFor();
  await page.getByRole("link", { name: "Show all" }).click();
  await rows.nth(2).waitFor();
  await page.context().close();
});

test("a long list can be paged forwards and backwards", async () => {
  const sid = `AC${"7".repeat(32)}`;
  await emulator.control("POST", "/accounts", { body: { sid, auth_token: "t", numbers: [{ phone_number: "+15017122661", voice_receive_mode: "fax", voice_url: `${app.url}/fax` }] } });
  await Promise.all(Array.from({ length: 60 }, () => emulator.control("POST", `/incoming-faxes?wait=true&account=${sid}`, { body: { pages: 1 } })));
  const page = await open(browser, `${emulator.url}/console?account=${sid}`);
  const rows = page.locator(".faxes tbody tr");
  await rows.nth(49).waitFor();
  assert.equal(await rows.count(), 50);
  await page.getByText("60 faxes in this world").waitFor();
  await page.getByRole("button", { name: "Older" }).click();
  await page.waitForFunction(() => document.querySelectorAll(".faxes tbody tr").length === 10);
  await page.getByRole("button", { name: "Newer" }).click();
  await page.waitForFunction(() => document.querySelectorAll(".faxes tbody tr").length === 50);
  await page.context().close();
});

test("every page keeps the account in its links, and secrets show only on request", async () => {
  const { sid, auth_token: token } = await emulator.control("POST", "/accounts", { body: { friendly_name: "Second" } });
  const page = await open(browser, `${emulator.url}/console/worlds?account=${sid}`);
  await page.getByRole("rowheader", { name: "Second" }).waitFor();
  assert.ok(!(await page.locator("body").innerText()).includes(token));
  await page.locator("tr.current").getByRole("button", { name: "Show auth token" }).click();
  await page.getByText(token).waitFor();
  for (const name of ["Numbers", "Clock and rules", "Alerts", "Connect", "Faxes"]) {
    await page.getByRole("navigation", { name: "Pages", exact: true }).getByRole("link", { name }).click();
    await page.waitForURL((url) => url.searchParams.get("account") === sid);
    await page.getByRole("heading", { level: 1, name }).waitFor();
  }
  assert.ok((await page.getByLabel("curl, a fax goes out", { exact: true }).innerText()).includes(sid));
  await page.context().close();
});

test("a world is created, shown and closed", async () => {
  const page = await open(browser, `${emulator.url}/console/worlds`);
  await page.getByRole("button", { name: "New world" }).click();
  await page.getByLabel("Name").fill("Third");
  await page.getByRole("button", { name: "Create it" }).click();
  await page.waitForURL(/account=AC/);
  await page.getByText("shown here").waitFor();
  const sid = new URL(page.url()).searchParams.get("account");
  await page.getByRole("button", { name: `Close ${sid}` }).click();
  await page.getByRole("button", { name: "Close the world" }).click();
  await page.waitForURL(/\/console\/worlds$/);
  await page.getByRole("heading", { level: 1, name: "Worlds" }).waitFor();
  assert.equal((await fetch(`${emulator.url}/_fauxfax/v1/accounts/${sid}`)).status, 404);
  await page.context().close();
});

test("a rule is created with the form, shown as JSON, and removed", async () => {
  const page = await open(browser, `${emulator.url}/console/clock`);
  await page.getByRole("button", { name: "New rule" }).click();
  await page.getByLabel("To", { exact: true }).fill("+1555*");
  await page.getByText("As JSON", { exact: true }).click();
  await page.getByText('"to": "+1555*"').waitFor();
  await page.getByRole("button", { name: "Add the rule" }).click();
  await page.getByText("Rule 2 is active.").waitFor();
  const fax = await emulator.send({ MediaUrl: `${app.url}/letter.pdf`, To: "+15551230000" });
  await emulator.control("GET", `/wait?fax=${fax.sid}&status=busy`);
  await page.getByText("Calls to +1555* are busy").waitFor();
  await page.getByText("acted once").waitFor();
  await page.getByRole("button", { name: /^Remove rule/ }).click();
  await page.getByText("No rules: everything behaves as usual.").waitFor();
  await page.context().close();
});

test("a snapshot is taken and restored", async () => {
  const page = await open(browser, `${emulator.url}/console/clock`);
  await page.getByLabel("New snapshot").fill("before");
  await page.getByRole("button", { name: "Take snapshot" }).click();
  await page.getByRole("button", { name: "Restore before" }).waitFor();
  const { total } = await emulator.control("GET", "/faxes");
  await emulator.receive();
  await page.getByRole("button", { name: "Restore before" }).click();
  await page.getByText("The world was restored to before.").waitFor();
  assert.equal((await emulator.control("GET", "/faxes")).total, total);
  await page.context().close();
});
