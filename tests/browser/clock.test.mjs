// Tests the clock and the rules: a frozen clock shows on every page and can be moved to the time of a deadline, and rules can be
// read, switched, edited and made from links. The tests at the end are about numbers, unreachable pages and the page Connect.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ACCOUNT, App, Emulator } from "./parts/emulator.mjs";
import { assertClean, launch, open } from "./parts/browser.mjs";

let browser;
let emulator;
let app;
let page;

before(async () => {
  [browser, app] = await Promise.all([launch(), App.start()]);
  emulator = await Emulator.start({ flags: ["--pace", "1", "--fax-url", `${app.url}/fax`] });
  page = await open(browser, `${emulator.url}/console`, { reducedMotion: "reduce", timezoneId: "UTC" });
});
after(async () => {
  await browser?.close();
  await emulator?.stop();
  app?.stop();
});

const rules = async () => (await emulator.control("GET", "/rules")).rules;
const send = () => emulator.send({ MediaUrl: `${app.url}/letter.pdf` });
const notice = () => page.locator(".frozen");

test("a clock that is frozen elsewhere is shown on the page, with the time zone, and a button makes it run again", async () => {
  await page.getByText("Live", { exact: true }).waitFor();
  assert.equal(await notice().isVisible(), false);
  await emulator.control("PUT", "/clock", { body: { mode: "frozen" } });
  await notice().waitFor();
  assert.match(await notice().innerText(), /Clock frozen at \d+ \w+ \d{4}, \d\d:\d\d:\d\d UTC/);
  for (const name of ["Numbers", "Alerts", "Connect"]) {
    await page.getByRole("navigation", { name: "Pages", exact: true }).getByRole("link", { name }).click();
    await page.getByRole("heading", { level: 1, name }).waitFor();
    assert.ok(await notice().isVisible(), name);
  }
  await notice().getByRole("button", { name: "Run the clock" }).click();
  await notice().waitFor({ state: "hidden" });
  assert.equal((await emulator.control("GET", "/clock")).mode, "running");
});

test("a frozen clock shows on a phone without opening the menu, and only in its own account", async () => {
  const { sid } = await emulator.control("POST", "/accounts", { body: { friendly_name: "Frozen" } });
  await emulator.control("PUT", `/clock?account=${sid}`, { body: { mode: "frozen" } });
  const phone = await open(browser, `${emulator.url}/console?account=${sid}`, { viewport: { width: 360, height: 740 } });
  await phone.getByText("Clock frozen").waitFor();
  await phone.goto(`${emulator.url}/console`);
  await phone.getByText("Live", { exact: true }).waitFor({ state: "attached" });
  assert.equal(await phone.getByText("Clock frozen").isVisible(), false);
  await phone.context().close();
});

test("a deadline has a link to its fax, and Go there advances the clock to it", async () => {
  await emulator.control("PUT", "/clock", { body: { mode: "frozen" } });
  const fax = await send();
  await page.goto(`${emulator.url}/console/clock`);
  await page.getByRole("link", { name: new RegExp(fax.sid) }).first().waitFor();
  const due = (await emulator.control("GET", "/clock")).next;
  const first = page.locator(".due li").first();
  assert.equal(await first.locator("time").getAttribute("datetime"), due[0].at);
  await first.getByRole("button", { name: "Go there" }).click();
  await page.getByText(/^Moved to .* The clock stands still\.$/).waitFor();
  assert.ok((await emulator.control("GET", "/clock")).now >= due[0].at);
  await page.waitForFunction(() => document.activeElement.closest("section")?.getAttribute("aria-labelledby") === "due");
  await page.getByRole("link", { name: new RegExp(fax.sid) }).first().click();
  await page.waitForURL(new RegExp(fax.sid));
});

test("a running clock that is advanced runs on, even if the move fails", async () => {
  await emulator.control("PUT", "/clock", { body: { mode: "running" } });
  await page.goto(`${emulator.url}/console/clock`);
  await page.getByText("running", { exact: true }).waitFor();
  await page.getByRole("button", { name: "+ 1 hour" }).click();
  await page.getByText(/Moved by 1 h\. .*The clock runs on\./).waitFor();
  assert.equal((await emulator.control("GET", "/clock")).mode, "running");
  await page.getByLabel("Advance by").fill("9000000000d");
  await page.getByRole("button", { name: "Advance", exact: true }).click();
  await page.getByRole("alert").getByText(/seconds/i).waitFor();
  assert.equal((await emulator.control("GET", "/clock")).mode, "running");
});

test("each rule is shown as a sentence, with what it did", async () => {
  const cases = [
    [{ match: { to: "+1999*" }, times: 2, outcome: { status: "busy" } }, "Calls to +1999* are busy, at most 2 times"],
    [{ match: { from: "+1999*", pages: { min: 3 } }, after: 1, chance: 0.25, outcome: { status: "failed", after_pages: 2 } }, "Faxes of at least 3 pages from +1999* fail with 34004 after 2 pages, not the first time, in 25 % of cases"],
    [{ match: { direction: "inbound", pages: 500 }, line: { rate_bps: 2400, noise: 0.05 } }, "Incoming faxes of 500 pages are sent at 2,400 bit/s and with 5 % of the rows damaged"],
    [{ match: { path: "/nowhere", method: "POST" }, times: 1, api: { status: 429, delay_ms: 1500 } }, "POST requests to /nowhere wait 1.5 s and are refused with 429 (20429), once"],
    [{ match: { purpose: "action", direction: "inbound", to: "+1999*" }, webhook: { delay_ms: 5000, duplicate: true, signature: "missing" } }, "Action callbacks about incoming faxes to +1999* are sent 5 s late and twice and have no signature"],
    [{ match: { purpose: "action", url: "http://other/*" }, webhook: { params: { set: { A: "1", B: "" }, pad: ["C"], order: "reversed" }, headers: { lower_case: true }, signed_url: "https://h/" } }, "Action callbacks at http://other/* are changed (parameters: set A and B, pad C, order reversed; headers: lower case) and are signed for https://h/"],
    [{ match: { direction: "inbound", from: "+1999*", pages: 2 }, times: 1, media: { bytes_per_second: 2000, cut_after_bytes: 1, redirects: 2 } }, "Downloads of incoming faxes of 2 pages from +1999* are redirected 2 times, are slowed to 2,000 bytes a second and break off after 1 byte, once"],
    [{ match: { url: "http://nowhere/*" }, webhook: { drop: true } }, "All requests to your app at http://nowhere/* aren't sent"],
  ];
  for (const [rule] of cases) await emulator.control("POST", "/rules", { body: rule });
  await page.goto(`${emulator.url}/console/rules`);
  await page.getByRole("switch").nth(cases.length - 1).waitFor();
  assert.deepEqual(await page.locator(".rules .sentence").allInnerTexts(), cases.map(([, words]) => words));
  await page.getByText("acted 0 times").first().waitFor();
  await emulator.control("DELETE", "/rules");
});

test("a rule is switched off and on by its switch, which keeps the focus", async () => {
  const { id } = await emulator.control("POST", "/rules", { body: { outcome: { status: "busy" } } });
  await page.goto(`${emulator.url}/console/rules`);
  const toggle = page.getByRole("switch", { name: `Rule ${id} is on` });
  await toggle.focus();
  await page.keyboard.press("Space");
  await page.locator('.switch[aria-checked="false"]').waitFor();
  assert.equal((await rules())[0].enabled, false);
  await page.waitForFunction(() => document.activeElement.getAttribute("role") === "switch");
  await page.keyboard.press("Space");
  await page.locator('.switch[aria-checked="true"]').waitFor();
  assert.equal((await rules())[0].enabled, undefined);
});

test("an edited rule keeps its id, its counters, and fields that it had before", async () => {
  await emulator.control("DELETE", "/rules");
  const rule = { match: { to: "+1555*", pages: { min: 1, max: 400 } }, times: 9, outcome: { status: "failed", code: 34108, message: "Far end cannot receive" } };
  const { id } = await emulator.control("POST", "/rules", { body: rule });
  await page.goto(`${emulator.url}/console/rules`);
  await page.getByRole("button", { name: `Edit rule ${id}` }).click();
  const form = page.getByRole("dialog", { name: `Rule ${id}` });
  assert.equal(await form.getByLabel("Pages", { exact: true }).inputValue(), "1-400");
  await form.getByLabel("At most").fill("3");
  await form.getByText(/at most 3 times\.$/).waitFor();
  await form.getByRole("button", { name: "Save" }).click();
  await page.getByText(`Rule ${id} has been changed.`).waitFor();
  const [{ matched, fired, warning, ...saved }] = await rules();
  assert.deepEqual(saved, { ...rule, id, times: 3, outcome: { ...rule.outcome, after_pages: 0 } });
  await emulator.control("DELETE", "/rules");
});

test("changes to requests are edited as JSON, and JSON that can't be read is not saved", async () => {
  await emulator.control("DELETE", "/rules");
  const webhook = { signature: "tampered", params: { add: { A: "1" }, order: ["B", "C"] }, headers: { remove: ["User-Agent"] }, signed_url: "https://h/" };
  const { id } = await emulator.control("POST", "/rules", { body: { webhook } });
  await page.goto(`${emulator.url}/console/rules`);
  await page.getByRole("button", { name: `Edit rule ${id}` }).click();
  const params = page.getByLabel("Parameters to change, as JSON");
  assert.deepEqual(JSON.parse(await params.inputValue()), webhook.params);
  await params.fill("{A");
  await page.getByRole("button", { name: "Save" }).click();
  assert.match(await params.evaluate((input) => input.validationMessage), /isn't JSON/);
  await params.fill('{"remove":["A"]}');
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText(`Rule ${id} has been changed.`).waitFor();
  assert.deepEqual((await rules())[0].webhook, { ...webhook, params: { remove: ["A"] } });
  await emulator.control("DELETE", "/rules");
});

test("a new rule begins empty each time, and one that can never act is announced in amber", async () => {
  await page.goto(`${emulator.url}/console/rules`);
  for (const kind of ["good", "odd"]) {
    await page.getByRole("button", { name: "Busy line" }).click();
    const to = page.getByRole("dialog").getByLabel("To", { exact: true });
    assert.equal(await to.inputValue(), "");
    await to.fill("+1555*");
    await page.getByRole("button", { name: "Add the rule" }).click();
    await page.locator(`.outcome .note.${kind}`).waitFor();
  }
  assert.match(await page.locator(".outcome .note.odd").innerText(), /It never acts: rule \d+ always acts first/);
  await page.locator(".rules .warning").waitFor();
  await emulator.control("DELETE", "/rules");
});

test("fields that only a failure needs are shown only for a failure", async () => {
  await page.goto(`${emulator.url}/console/rules`);
  await page.getByRole("button", { name: "Busy line" }).click();
  const form = page.getByRole("dialog");
  assert.equal(await form.getByLabel("Pages before the failure").isVisible(), false);
  await form.getByLabel("The fax ends as").selectOption("failed");
  await form.getByLabel("Pages before the failure").waitFor();
  await page.keyboard.press("Escape");
});

test("a request becomes a rule with its purpose and URL, and the page says so if a rule in the address can't be read", async () => {
  const { fax_sid: sid } = await emulator.control("POST", "/incoming-faxes", { body: { pages: 1 } });
  await page.goto(`${emulator.url}/console/faxes/${sid}`);
  const exchange = page.locator("details.exchange").filter({ hasText: `${app.url}/fax` }).first();
  await exchange.waitFor();
  if (!(await exchange.evaluate((element) => element.open))) await exchange.locator("summary").first().click();
  await exchange.getByRole("link", { name: "Make a rule of this" }).click();
  await page.getByRole("dialog").getByText(`Requests to the fax URL at ${app.url}/fax are sent 10 s late.`).waitFor();
  await page.goto(`${emulator.url}/console/rules?rule=${encodeURIComponent("{nonsense")}`);
  await page.getByText(/The rule in the address can't be read/).waitFor();
});

test("the page of an account that can't be shown has a link to one that can", async () => {
  await page.goto(`${emulator.url}/console?account=nonsense`);
  await page.getByRole("heading", { name: "This page can't be shown" }).waitFor();
  await page.getByRole("link", { name: "Show the default account" }).click();
  await page.getByRole("heading", { level: 1, name: "Faxes" }).waitFor();
  assert.equal(new URL(page.url()).searchParams.get("account"), null);
});

test("changes to a number are not lost without a question", async () => {
  const { numbers } = await emulator.control("GET", `/accounts/${ACCOUNT}`);
  await page.goto(`${emulator.url}/console/phone-numbers/incoming/${numbers[0].sid}`);
  await page.getByLabel("Friendly name").fill("Another name");
  await page.getByRole("link", { name: "Alerts" }).click();
  await page.getByRole("dialog", { name: "Leave without saving?" }).getByRole("button", { name: "Stay" }).click();
  assert.equal(await page.getByLabel("Friendly name").inputValue(), "Another name");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved.").waitFor();
  await page.getByRole("link", { name: "Alerts" }).click();
  await page.getByRole("heading", { level: 1, name: "Alerts" }).waitFor();
});

test("a page that can't be fetched says that the emulator can't be reached", async () => {
  await page.goto(`${emulator.url}/console`);
  await page.getByText("Live", { exact: true }).waitFor();
  const calls = /\/(_fauxfax\/v1|v1|2010-04-01)\//;
  await page.route(calls, (route) => route.abort());
  await page.getByRole("link", { name: "Alerts" }).click();
  await page.getByText("The emulator can't be reached. Is it running?").waitFor();
  await page.unroute(calls);
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("heading", { level: 1, name: "Alerts" }).waitFor();
});

test("the page Connect has a recipe for each language", async () => {
  await page.goto(`${emulator.url}/console/connect`);
  for (const name of ["Python", "Node", "Ruby", "PHP", "Java", "C#", "Go", "Rust", "curl", "twilio-cli"]) {
    await page.getByRole("group", { name: "Recipe" }).getByRole("button", { name, exact: true }).click();
    const text = await page.getByLabel("Code", { exact: true }).innerText();
    assert.ok(name === "twilio-cli" || text.includes(String(emulator.port)), `${name}: ${text}`);
  }
});

test("nothing forbidden happened: no dialog, no CSP report, no script error", () => assertClean(page));
