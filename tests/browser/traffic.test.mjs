// Tests the pages about all worlds: the traffic, which shows requests and their responses as they happen; the list of every
// account's faxes; the table of worlds; and the switcher between worlds. Also tests the API explorer.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ACCOUNT, App, Emulator } from "./parts/emulator.mjs";
import { assertAccessible, assertClean, assertFits, launch, open } from "./parts/browser.mjs";

/** The number of requests in a flood of requests, and of faxes in a flood of faxes. */
const BUSY_REQUESTS = 1_200;
const BUSY_FAXES = 200;
/** The number of them that are sent at the same time. */
const SENT_AT_ONCE = 20;
/** The maximum number of rows, however many requests arrive. */
const ROWS_MAX = 500;

let browser;
let emulator;
let app;

before(async () => {
  const broken = { headers: { "content-type": "text/xml" }, body: "<Response>\n  <Receive>\n</Response>" };
  const json = { status: 503, headers: { "content-type": "application/json" }, body: '{"error":{"retry":true,"after":2.5}}' };
  [browser, app] = await Promise.all([launch(), App.start({ "/broken": broken, "/busy": json })]);
  emulator = await Emulator.start({ flags: ["--pace", "max", "--fax-url", `${app.url}/broken`] });
});
after(async () => {
  await browser?.close();
  await emulator?.stop();
  app?.stop();
});

/** Makes this many calls, successful and failing ones. */
async function flood(target, count) {
  for (let sent = 0; sent < count; sent += SENT_AT_ONCE) {
    await Promise.all(Array.from({ length: SENT_AT_ONCE }, (_, i) => fetch(`${target.url}/v1/${i % 3 ? "Faxes" : "Nowhere"}?n=${sent + i}`, { headers: { authorization: `Basic ${btoa(`${ACCOUNT}:${"0".repeat(32)}`)}` } }).then((response) => response.text())));
  }
}

test("a webhook that failed is a red row, and one click shows why, with the line of the error", async () => {
  await emulator.control("POST", "/incoming-faxes?wait=true", { body: { pages: 1 } });
  const page = await open(browser, `${emulator.url}/console/traffic`);
  const row = page.locator('tr[data-tone="bad"]', { hasText: "/broken" }).first();
  await row.getByText("12100").waitFor();
  await row.click();
  const detail = page.locator("tr.detail");
  await detail.getByText("The response isn't well-formed XML.").waitFor();
  assert.match(await detail.locator(".wrong").textContent(), /<\/Response>/);
  assert.equal(await detail.locator(".wrong").getAttribute("data-n"), "3");
  await detail.getByRole("button", { name: "Body, Raw" }).click();
  assert.equal(await detail.locator("pre[aria-label=Body]").textContent(), "<Response>\n  <Receive>\n</Response>");
  await detail.getByRole("button", { name: "Body, Hex" }).click();
  assert.match(await detail.locator("pre[aria-label=Body]").textContent(), /^0000 {2}3c 52 65 73 70 6f 6e 73 65 3e 0a .*<Response>·/);
  await detail.getByRole("button", { name: "Copy as curl" }).click();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^curl -X POST 'http:\/\/127\.0\.0\.1:\d+\/broken'/);
  // The address leads to the same request again.
  await page.goto(page.url());
  await page.locator("tr.detail").getByText("The response isn't well-formed XML.").waitFor();
  await assertAccessible(page, "an opened request");
  assertClean(page);
  await page.context().close();
});

test("refused calls appear as they happen, with the reason in words", async () => {
  const page = await open(browser, `${emulator.url}/console/traffic?direction=in`);
  await page.getByRole("heading", { level: 1, name: "Traffic" }).waitFor();
  const call = (path, init) => fetch(`${emulator.url}${path}`, init).then((response) => response.text());
  await call("/v1/Faxes");
  await page.getByText("The request has no credential, or a malformed one.").waitFor();
  await call("/v1/Faxes", { headers: { authorization: `Basic ${btoa(`${ACCOUNT}:wrong`)}` } });
  await page.getByText("The token or the key's secret is wrong.").waitFor();
  await call("/v1/Fax");
  await page.getByText("No resource has this path.").waitFor();
  await call("/v1/Faxes", { headers: { origin: "http://page.example" } });
  await page.getByText("or to this web page").waitFor();
  const { sid, auth_token: token } = await emulator.control("POST", "/accounts", { body: { friendly_name: "Elsewhere" } });
  await emulator.rest("GET", "/v1/Faxes?PageSize=7", null, { sid, token });
  await page.locator(".traffic tr", { hasText: "PageSize=7" }).getByText("Elsewhere").waitFor();
  assertClean(page);
  await page.context().close();
});

test("filters are in the address, and a wrong one is explained", async () => {
  await emulator.send({ MediaUrl: `${app.url}/letter.pdf`, StatusCallback: `${app.url}/busy` });
  await emulator.control("GET", "/wait?for=idle");
  const page = await open(browser, `${emulator.url}/console/traffic`);
  await page.getByLabel("Status").selectOption("failed");
  await page.getByLabel("Direction").selectOption("out");
  await page.getByLabel("Path").fill("/busy");
  await page.waitForURL(/path=%2Fbusy/);
  await page.waitForFunction(() => [...document.querySelectorAll(".traffic tbody tr")].every((row) => row.textContent.includes("/busy")));
  assert.match(page.url(), /status=failed/);
  assert.match(page.url(), /direction=out/);
  await page.locator(".traffic .open").first().click();
  await page.locator("tr.detail .tok-name", { hasText: '"retry"' }).waitFor();
  await page.getByText(/median/).click();
  await page.getByRole("heading", { name: "Failures by address of your app" }).waitFor();
  await page.getByRole("rowheader", { name: `${app.url}/busy` }).waitFor();
  await assertAccessible(page, "figures");
  await page.getByLabel("Error code").fill("none");
  await page.getByRole("alert").getByText("code").waitFor();
  assertClean(page);
  await page.context().close();
});

test("while the list is paused or a row is open, rows stay where they are, and a button shows the new ones", async () => {
  const page = await open(browser, `${emulator.url}/console/traffic?direction=in`);
  const rows = page.locator(".traffic tbody tr:not(.detail)");
  await rows.first().waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  const count = await rows.count();
  await emulator.rest("GET", "/v1/Faxes?PageSize=3");
  await page.getByRole("button", { name: "Show 1 new request" }).waitFor();
  assert.equal(await rows.count(), count);
  await page.getByRole("button", { name: "Resume", exact: true }).click();
  await page.locator(".traffic tr", { hasText: "PageSize=3" }).waitFor();
  await rows.first().click();
  await emulator.rest("GET", "/v1/Faxes?PageSize=4");
  await page.getByRole("button", { name: "Show 1 new request" }).click();
  await page.locator(".traffic tr", { hasText: "PageSize=4" }).waitFor();
  // The newest request has the focus; the one that is open comes after it.
  await page.keyboard.press("j");
  await page.keyboard.press("k");
  await page.keyboard.press("Enter");
  await page.locator("tr.detail").nth(1).waitFor();
  assertClean(page);
  await page.context().close();
});

test(`a flood of ${BUSY_REQUESTS} requests is shown in at most ${ROWS_MAX} rows, and the newest is among them`, async () => {
  const busy = await Emulator.start({ flags: ["--pace", "max"] });
  const page = await open(browser, `${busy.url}/console/traffic`);
  await page.getByText("No requests yet").waitFor();
  await page.evaluate(() => {
    globalThis.most = 0;
    const count = () => { globalThis.most = Math.max(globalThis.most, document.querySelectorAll(".traffic tbody tr").length); };
    new MutationObserver(count).observe(document.querySelector("main"), { subtree: true, childList: true });
  });
  await flood(busy, BUSY_REQUESTS);
  await page.locator(".traffic tr", { hasText: `n=${BUSY_REQUESTS - 1}` }).waitFor();
  const most = await page.evaluate(() => globalThis.most);
  assert.ok(most > 400 && most <= ROWS_MAX, `${most} rows`);
  assertClean(page);
  await page.context().close();
  await busy.stop();
});

test("tests that each have their own account are watched in one list while they run, and each fax opens in its world", async () => {
  const page = await open(browser, `${emulator.url}/console/all`);
  await page.getByRole("heading", { level: 1, name: "All worlds" }).waitFor();
  const accounts = await Promise.all(["Invoices", "Retries", "Receipts"].map((name) => emulator.control("POST", "/accounts", { body: { friendly_name: name, numbers: [{ phone_number: "+15017122661", voice_receive_mode: "fax" }] } })));
  const faxes = await Promise.all(accounts.map(({ sid, auth_token: token }) => emulator.rest("POST", "/v1/Faxes", { From: "+15017122661", To: "+15558675310", MediaUrl: `${app.url}/letter.pdf` }, { sid, token })));
  for (const [i, { friendly_name: name }] of accounts.entries()) {
    const row = page.locator(".faxes tbody tr", { hasText: name });
    await row.getByText("delivered").waitFor();
    assert.equal(await row.locator("td.who a").getAttribute("href"), `/console/faxes/${faxes[i].sid}?account=${accounts[i].sid}`);
  }
  await assertAccessible(page, "all worlds");
  await page.locator(".faxes tbody tr", { hasText: "Retries" }).getByRole("link").first().click();
  await page.waitForURL(new RegExp(`account=${accounts[1].sid}`));
  await page.locator("button.world").getByText("Retries").waitFor();
  assertClean(page);
  await page.context().close();
});

test(`one list shows ${BUSY_FAXES} faxes of several worlds as they progress`, async () => {
  const busy = await Emulator.start({ flags: ["--pace", "max", "--callbacks", "final"] });
  const accounts = await Promise.all(Array.from({ length: 5 }, (_, i) => busy.control("POST", "/accounts", { body: { friendly_name: `Worker ${i}`, numbers: [{ phone_number: "+15017122661", voice_receive_mode: "fax" }] } })));
  const page = await open(browser, `${busy.url}/console/all`);
  await page.getByText("No faxes yet").waitFor();
  for (let sent = 0; sent < BUSY_FAXES; sent += SENT_AT_ONCE) {
    await Promise.all(Array.from({ length: SENT_AT_ONCE }, (_, i) => {
      const { sid, auth_token: token } = accounts[(sent + i) % accounts.length];
      return busy.rest("POST", "/v1/Faxes", { From: "+15017122661", To: "+15558675310", MediaUrl: `${app.url}/letter.pdf` }, { sid, token });
    }));
  }
  await Promise.all(accounts.map(({ sid }) => busy.control("GET", `/wait?for=idle&account=${sid}`)));
  const { total, hits } = await busy.control("GET", "/faxes?account=*&status=delivered&limit=1");
  assert.deepEqual([total, hits], [BUSY_FAXES, BUSY_FAXES]);
  await page.waitForFunction(() => {
    const rows = [...document.querySelectorAll(".faxes tbody tr")];
    return rows.length === 50 && rows.every((row) => row.textContent.includes("delivered"));
  });
  assertClean(page);
  await page.context().close();
  await busy.stop();
});

test("the switcher finds a world by a few letters, and shows the same page of it", async () => {
  const page = await open(browser, `${emulator.url}/console/alerts`);
  await page.getByText("Live", { exact: true }).waitFor();
  await page.keyboard.press("w");
  const box = page.getByRole("combobox", { name: "Filter the worlds" });
  await box.fill("receipt");
  await page.getByRole("option", { name: "Receipts" }).waitFor();
  await assertAccessible(page, "the switcher");
  await box.press("Enter");
  await page.waitForURL(/\/console\/alerts\?account=AC/);
  await page.locator("button.world").getByText("Receipts").click();
  await page.getByRole("option", { name: "All worlds" }).click();
  await page.waitForURL(/\/console\/all/);
  assertClean(page);
  await page.context().close();
});

test("the switcher stays on a list of numbers, and leaves the page of one number for the faxes", async () => {
  const { accounts } = await emulator.control("GET", "/accounts");
  const { numbers: [{ sid }] } = accounts.find((each) => each.sid === ACCOUNT);
  const pages = [["/console/phone-numbers/incoming", "/console/phone-numbers/incoming"], ["/console/phone-numbers/search", "/console/phone-numbers/search"], [`/console/phone-numbers/incoming/${sid}`, "/console"]];
  const page = await open(browser, `${emulator.url}/console`);
  for (const [from, to] of pages) {
    await page.goto(`${emulator.url}${from}`);
    await page.getByText("Live", { exact: true }).waitFor();
    await page.locator("button.world").click();
    await page.getByRole("combobox", { name: "Filter the worlds" }).fill("receipt");
    await page.getByRole("option", { name: "Receipts" }).click();
    await page.waitForURL((address) => address.search.startsWith("?account=AC"));
    assert.equal(new URL(page.url()).pathname, to, from);
  }
  assertClean(page);
  await page.context().close();
});

test("the table of worlds is sorted by activity, counts live and can be filtered", async () => {
  const page = await open(browser, `${emulator.url}/console/worlds`);
  const names = () => page.locator(".worldtable tbody th .worldmark").allTextContents();
  await page.getByRole("rowheader", { name: "Retries" }).waitFor();
  const { accounts } = await emulator.control("GET", "/accounts");
  const own = accounts.find((each) => each.friendly_name === "Retries");
  await emulator.rest("POST", "/v1/Faxes", { From: "+15017122661", To: "+15558675310", MediaUrl: "http://127.0.0.1:9/none.pdf" }, { sid: own.sid, token: own.auth_token });
  const row = page.locator(".worldtable tbody tr", { hasText: "Retries" });
  await row.locator('td[data-name="faxes"]').getByText("2").waitFor();
  await row.locator('td[data-name="alerts"]').getByText("1").waitFor();
  await page.waitForFunction(() => document.querySelector(".worldtable tbody th").textContent.startsWith("Retries"));
  const created = await emulator.control("POST", "/accounts", { body: { friendly_name: "Newcomer" } });
  await emulator.rest("GET", "/v1/Faxes", null, { sid: created.sid, token: created.auth_token });
  await page.waitForFunction(() => document.querySelector(".worldtable tbody th").textContent.startsWith("Newcomer"));
  await page.keyboard.press("/");
  await page.keyboard.type("retr");
  assert.deepEqual(await names(), ["Retries"]);
  assertClean(page);
  await page.context().close();
});

test("if the emulator has stopped, a page whose script isn't loaded yet is replaced by an explanation", async () => {
  const short = await Emulator.start();
  const page = await open(browser, `${short.url}/console`);
  await page.getByText("Live", { exact: true }).waitFor();
  await short.stop();
  await page.getByRole("link", { name: "Connect", exact: true }).click();
  await page.getByRole("heading", { name: "This page can't be shown" }).waitFor();
  await page.locator("main").getByText("The emulator can't be reached. Is it running?").waitFor();
  await page.context().close();
});

for (const [width, colorScheme] of [[360, "dark"], [768, "light"], [960, "dark"], [3840, "light"]]) {
  test(`the pages traffic, all worlds and worlds fit ${width} pixels, ${colorScheme}, and axe finds nothing wrong`, async () => {
    const page = await open(browser, null, { viewport: { width, height: 900 }, colorScheme, reducedMotion: "reduce" });
    for (const path of ["traffic", "all", "worlds"]) {
      await page.goto(`${emulator.url}/console/${path}`);
      await page.locator("main tbody tr").first().waitFor();
      if (path === "traffic") await page.keyboard.press("e");
      await assertFits(page, path);
      await assertAccessible(page, `${path}, ${width}`);
    }
    assertClean(page);
    await page.context().close();
  });
}

test("the API explorer lists every call, and tries one", async () => {
  const page = await open(browser, `${emulator.url}/console/api`);
  await page.getByRole("searchbox", { name: "Filter the calls" }).fill("verify");
  await page.getByText("/verify").click();
  await page.getByLabel("Body, as JSON").fill('{"match":{"kind":"api.request"}}');
  await page.getByRole("button", { name: "Show as curl" }).click();
  await page.getByText(`curl -X POST '${emulator.url}/_fauxfax/v1/verify'`).waitFor();
  await page.getByRole("button", { name: "Try it" }).click();
  await page.locator(".tok-name", { hasText: "verified" }).waitFor();
  await assertAccessible(page, "a call of the API");
  assertClean(page);
  await page.context().close();
});
