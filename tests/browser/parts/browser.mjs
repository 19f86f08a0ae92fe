// Launches the browser, and opens pages that record what must not happen: dialogs, CSP violations, script errors.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const executablePath = process.env.FAUXFAX_CHROMIUM ?? "/usr/bin/chromium";
/** How long a test waits for an event before it fails. Tests wait for events and never for a fixed time. */
const PATIENCE_MS = 20_000;

/** Launches Chromium, without its sandbox, because tests may run as root. */
export function launch(args = []) {
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage", ...args] });
}

/** Opens a page in a new context. `page.faults` records everything that must not happen. */
export async function open(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, permissions: ["clipboard-read", "clipboard-write"], ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  page.faults = [];
  page.on("dialog", (dialog) => {
    page.faults.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("pageerror", (error) => page.faults.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (/Content Security Policy|TrustedHTML|Refused to/.test(message.text())) page.faults.push(`policy: ${message.text()}`);
  });
  await page.exposeFunction("ranHostileScript", (what) => page.faults.push(`hostile script: ${what}`));
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => console.error(`Content Security Policy: ${event.violatedDirective} ${event.blockedURI}`));
  });
  if (url) await page.goto(url);
  return page;
}

/** Fails if something happened that must not. */
export function assertClean(page) {
  assert.deepEqual(page.faults, []);
}

/** Fails if axe finds a serious violation. Returns the number of rules that passed. */
export async function assertAccessible(page, where) {
  // The page's policy forbids eval, but doesn't apply to the debugger protocol, by which `evaluate` runs scripts.
  await page.evaluate(axeSource);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const grave = found.violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  const told = grave.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 3).map((node) => `${node.html} ${node.failureSummary}`).join(" | ")}`);
  assert.deepEqual(told, [], where);
  return found.passes.length;
}

/** Fails if the page is wider than the window. */
export async function assertFits(page, where) {
  const [wide, own] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wide <= own, `${where} is ${wide} px wide in a window of ${own}`);
}
