// Tests the console without a mouse: the listed keys, a visible focus, and forms that are filled in with the keyboard alone.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { App, Emulator } from "./parts/emulator.mjs";
import { assertClean, launch, open } from "./parts/browser.mjs";

let browser;
let emulator;
let app;
let page;

before(async () => {
  [browser, app] = await Promise.all([launch(), App.start()]);
  emulator = await Emulator.start({ flags: ["--pace", "max", "--fax-url", `${app.url}/fax`] });
  await emulator.receive();
  page = await open(browser, `${emulator.url}/console`, { reducedMotion: "reduce" });
  await page.getByRole("heading", { level: 1 }).waitFor();
});
after(async () => {
  await browser?.close();
  await emulator?.stop();
  app?.stop();
});

/** Presses Tab until the focused element has this name; fails after `most` times. */
async function tabTo(name, most = 60) {
  for (let i = 0; i < most; i += 1) {
    await page.keyboard.press("Tab");
    const found = await page.evaluate(() => (document.activeElement.getAttribute("aria-label") ?? document.activeElement.labels?.[0]?.textContent ?? document.activeElement.textContent).trim());
    if (found === name || (name instanceof RegExp && name.test(found))) return;
  }
  assert.fail(`Tab never reached ${name}`);
}

test("? lists the keys, and Escape closes the list", async () => {
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
  await page.getByText("Go to Numbers").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
});

test("the first Tab focuses a link that skips to the page", async () => {
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the page");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "H1");
});

test("a fax is reached by j and Enter, and its page by the arrows", async () => {
  await page.keyboard.press("j");
  assert.match(await page.evaluate(() => document.activeElement.getAttribute("aria-label")), /^Inbound fax from/);
  await page.keyboard.press("Enter");
  await page.getByText("Page 1 of 2", { exact: true }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "H1");
  await page.keyboard.press("ArrowRight");
  await page.getByText("Page 2 of 2", { exact: true }).waitFor();
  await page.keyboard.press("+");
  const zoom = page.getByRole("combobox", { name: "Zoom" });
  assert.match(await zoom.locator("option:checked").innerText(), /^\d+ %$/);
  await page.keyboard.press("0");
  assert.equal(await zoom.locator("option:checked").innerText(), "Fit page");
});

test("g n goes to the numbers, and a number is bought, set and saved by keys alone", async () => {
  await page.keyboard.press("g");
  await page.keyboard.press("n");
  await page.getByRole("heading", { level: 1, name: "Numbers" }).waitFor();
  await tabTo("Buy a number");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Buy a number" }).waitFor();
  await tabTo("Fax");
  await page.keyboard.press("Space");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Buy" }).first().waitFor();
  await tabTo("Buy");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("combobox", { name: "Accepts" }).waitFor();
  await tabTo("Accepts");
  await page.keyboard.type("F");
  await tabTo("A Fax Comes In");
  await page.keyboard.type(`${app.url}/fax`);
  await page.keyboard.press("Enter");
  await page.getByText("Saved.").waitFor();
});

test("typing in a field triggers no shortcut", async () => {
  await page.goto(`${emulator.url}/console`);
  await page.locator(".faxes tbody tr").first().waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("r?gn");
  assert.equal(await page.getByRole("searchbox", { name: "Search" }).inputValue(), "r?gn");
  assert.match(page.url(), /\/console(\?|$)/);
});

test("the focus is always visible", async () => {
  await page.goto(`${emulator.url}/console/connect`);
  await page.getByRole("heading", { level: 1 }).waitFor();
  for (let i = 0; i < 25; i += 1) {
    await page.keyboard.press("Tab");
    const shown = await page.evaluate(() => {
      const element = document.activeElement;
      if (element === document.body) return true;
      const style = getComputedStyle(element);
      return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    });
    assert.ok(shown, await page.evaluate(() => document.activeElement.outerHTML));
  }
  assertClean(page);
});
