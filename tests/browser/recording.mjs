// Records a fax that arrives in the console, as docs/images/arriving.webp: the list, then the page as it comes over the line.
// Needs img2webp (Debian package webp). No test compares the recording; run this script by hand when the console looks different:
//
//   tests/browser/run.sh --recording

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App, Emulator } from "./parts/emulator.mjs";
import { assertClean, launch, open } from "./parts/browser.mjs";

/** The maximum size of the recording: it is the first thing that a visitor of the README loads. */
const RECORDING_MAX_BYTES = 1_000_000;
/** How many times faster than over a real line the fax arrives: a letter takes about eight seconds. */
const PACE = 5;
/** The time between two frames, if the machine manages that. */
const FRAME_MS = 125;
/** How long the last frame stays. */
const STILL_MS = 1500;

const file = new URL("../../docs/images/arriving.webp", import.meta.url).pathname;
const frames = mkdtempSync(join(tmpdir(), "fauxfax-frames-"));
const [browser, app] = await Promise.all([launch(), App.start()]);
const emulator = await Emulator.start({ flags: ["--pace", String(PACE), "--fax-url", `${app.url}/fax`] });

/** The frames that were taken: each one's file, and how long it stays. */
const taken = [];
async function take(page) {
  const path = join(frames, `${String(taken.length).padStart(4, "0")}.png`);
  const at = performance.now();
  await page.screenshot({ path });
  if (taken.length > 0) taken.at(-1).ms = Math.round(at - taken.at(-1).at);
  taken.push({ path, at, ms: STILL_MS });
}

try {
  const page = await open(browser, `${emulator.url}/console`, { viewport: { width: 1360, height: 860 } });
  await page.getByText("Live", { exact: true }).waitFor({ state: "attached" });
  await take(page);
  const { fax_sid: sid } = await emulator.control("POST", "/incoming-faxes", { body: { media_url: `${app.url}/letter.pdf`, station_id: "ACME CLINIC" } });
  await page.locator(`a[href*="${sid}"]`).waitFor();
  await take(page);
  await page.locator(`a[href*="${sid}"]`).click();
  const ended = page.locator(".fax-title").getByText("received");
  while (!(await ended.isVisible())) {
    const next = performance.now() + FRAME_MS;
    await take(page);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, next - performance.now())));
  }
  await page.locator(".online").waitFor({ state: "hidden" });
  await take(page);
  assertClean(page);
  const shown = taken.flatMap(({ path, ms }) => ["-d", String(ms), path]);
  const made = spawnSync("img2webp", ["-loop", "0", "-mixed", "-q", "60", "-m", "6", "-min_size", ...shown, "-o", file], { encoding: "utf8" });
  if (made.error || made.status !== 0) throw new Error(`img2webp failed: ${made.error?.message ?? made.stderr}; it is in the package webp`);
  const { size } = statSync(file);
  console.log(`${taken.length} frames, ${size} bytes`);
  if (size > RECORDING_MAX_BYTES) throw new Error(`the recording has more than ${RECORDING_MAX_BYTES} bytes`);
} finally {
  await browser.close();
  await emulator.stop();
  app.stop();
  rmSync(frames, { recursive: true });
}
