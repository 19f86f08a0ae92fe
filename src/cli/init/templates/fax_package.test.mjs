// Tests with faxes. Run them with: node --test
import assert from "node:assert/strict";
import { test } from "node:test";
import { Emulator } from "fauxfax";

test("a fax arrives", async () => {
  const emulator = await Emulator.start();
  const account = await emulator.account();
  await account.number("+15017122661", { faxTwiml: "<Response><Receive/></Response>" }); // or faxUrl: your app's URL
  const { outcome, fax } = await account.receive({ pages: 2 });
  assert.deepEqual([outcome, fax.numPages], ["received", 2]);
  await emulator.stop();
});
