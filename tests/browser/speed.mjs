// Measures how soon the list of 100,000 faxes is visible, and how soon a search among them shows its hits. Creating the faxes takes
// minutes, so no other script runs this one.
//
//   FAUXFAX_BIN=target/release/fauxfax node speed.mjs [FAXES]

import { App, Emulator } from "./parts/emulator.mjs";
import { launch, open } from "./parts/browser.mjs";

const FAXES = Number(process.argv[2] ?? 100_000);
const AT_ONCE = 64;
const RUNS = 15;

const [browser, app] = await Promise.all([launch(), App.start()]);
const emulator = await Emulator.start({ flags: ["--pace", "max", "--callbacks", "final"] });
let made = 0;
const make = async () => {
  while (made < FAXES) {
    made += 1;
    await emulator.send({ MediaUrl: `${app.url}/letter.pdf`, To: `+1555${String(made % 10_000_000).padStart(7, "0")}` });
  }
};
const began = performance.now();
await Promise.all(Array.from({ length: AT_ONCE }, make));
await emulator.control("GET", "/wait?for=idle&timeout=600");
const { total } = await emulator.control("GET", "/faxes?limit=1");
console.log(`${total} faxes after ${Math.round((performance.now() - began) / 1000)} s`);

const seen = async (page) => {
  await page.locator(".faxes tbody tr").nth(49).waitFor();
  return page.evaluate(async () => {
    await document.fonts.ready;
    const [paint] = performance.getEntriesByName("first-contentful-paint");
    return { paint: paint.startTime, rows: performance.getEntriesByName("faxes-shown")[0].startTime };
  });
};
const told = (name, values) => {
  values.sort((a, b) => a - b);
  console.log(`${name}: median ${values[Math.floor(values.length / 2)].toFixed(0)} ms, worst ${values.at(-1).toFixed(0)} ms of ${values.length}`);
};
for (const kind of ["cold", "warm"]) {
  const paints = [];
  const rows = [];
  let page = await open(browser, kind === "warm" ? `${emulator.url}/console` : null);
  for (let i = 0; i < RUNS; i += 1) {
    if (kind === "cold") {
      await page.context().close();
      page = await open(browser, null);
    }
    await page.goto(`${emulator.url}/console`);
    const { paint, rows: shown } = await seen(page);
    paints.push(paint);
    rows.push(shown);
  }
  told(`first paint, ${kind}`, paints);
  told(`the rows are painted, ${kind}`, rows);
  await page.context().close();
}
{
  const page = await open(browser, `${emulator.url}/console`);
  await seen(page);
  await page.evaluate(() => {
    globalThis.longest = 0;
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => { globalThis.longest = Math.max(globalThis.longest, entry.duration); })).observe({ type: "longtask" });
  });
  const searches = [];
  for (let i = 0; i < RUNS; i += 1) {
    const number = `+1555${String(1000 + i * 37).padStart(7, "0")}`;
    const began = performance.now();
    await page.getByRole("searchbox").fill(`to:${number}`);
    await page.waitForFunction((number) => document.querySelector(".faxes .other")?.textContent === number, number);
    searches.push(performance.now() - began);
  }
  told("a number is found", searches);
  console.log(`the longest task of the page: ${Math.round(await page.evaluate(() => globalThis.longest))} ms`);
  await page.context().close();
}
await browser.close();
await emulator.stop();
app.stop();
