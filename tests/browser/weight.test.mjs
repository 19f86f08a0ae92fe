// Tests the size of the console as it is sent. speed.mjs measures how soon a list of 100,000 faxes is visible.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { request } from "node:http";
import { after, before, test } from "node:test";
import { Emulator } from "./parts/emulator.mjs";

/** The maximum size of scripts and styles together, compressed. The aim is 90 kB: as one file they would have 90 kB. */
const COMPRESSED_MAX_BYTES = 113_000;

let emulator;
before(async () => { emulator = await Emulator.start(); });
after(() => emulator?.stop());

/** Returns the status, the encoding and the length of a body as it is sent. */
function weigh(path) {
  return new Promise((resolve, reject) => {
    request(`${emulator.url}${path}`, { headers: { "accept-encoding": "gzip" } }, (response) => {
      let bytes = 0;
      response.on("data", (part) => { bytes += part.length; });
      response.on("end", () => resolve([response.statusCode, response.headers["content-encoding"], bytes]));
    }).on("error", reject).end();
  });
}

test("scripts and styles together have at most 113 kB, compressed", async () => {
  const root = new URL("../../console/", import.meta.url);
  const names = ["console.css", ...readdirSync(new URL("css/", root)).map((name) => `css/${name}`), ...readdirSync(new URL("js/", root)).map((name) => `js/${name}`)];
  let total = 0;
  for (const name of names) {
    const [status, encoding, bytes] = await weigh(`/console/assets/any/${name}`);
    assert.deepEqual([status, encoding], [200, "gzip"], name);
    total += bytes;
  }
  console.log(`${total} bytes in ${names.length} files`);
  assert.ok(total <= COMPRESSED_MAX_BYTES, `${total} bytes`);
});

test("browsers may cache a file of this build forever", async () => {
  const shell = await (await fetch(`${emulator.url}/console`)).text();
  const [, script] = /src="(\/console\/assets\/[^"]+\.js)"/.exec(shell);
  assert.match((await fetch(`${emulator.url}${script}`)).headers.get("cache-control"), /immutable/);
});
