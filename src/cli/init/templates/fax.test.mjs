// Tests with faxes. Run them with: fauxfax exec -- node --test
import assert from "node:assert/strict";
import { test } from "node:test";

// Calls the control API, through which tests drive the emulator.
async function fauxfax(path, body) {
  const url = `${process.env.FAUXFAX_URL}/_fauxfax/v1${path}`;
  const response = await fetch(url, body && { method: "POST", body: JSON.stringify(body) });
  assert.ok(response.ok, await response.clone().text());
  return response.json();
}

test("a fax arrives", async () => {
  const { outcome, fax } = await fauxfax("/incoming-faxes?wait=true", { pages: 2 });
  assert.deepEqual([outcome, fax.num_pages], ["received", 2]);
});
