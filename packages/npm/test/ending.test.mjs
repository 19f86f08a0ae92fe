// Tests that an emulator ends with a program that forgets to stop it, however the program ends, and that it doesn't keep
// the program alive.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";

import { watchEmulator } from "./app.mjs";

const timeout = 60_000;
const entry = JSON.stringify(createRequire(import.meta.url).resolve("fauxfax"));
const start = `const { Emulator } = require(${entry});
const started = Emulator.start().then((emulator) => console.log(emulator.url));
`;

/** Runs a program that starts an emulator, waits for the URL, and returns the process and a promise of the emulator's end. */
async function run(t, script, args = []) {
  const folder = mkdtempSync(join(tmpdir(), "fauxfax-npm-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "program.test.cjs");
  writeFileSync(path, start + script);
  const env = { ...process.env };
  // Otherwise the inner test runner would report to this one.
  delete env.NODE_TEST_CONTEXT;
  const child = spawn(process.execPath, [...args, path], { env, stdio: ["pipe", "pipe", "inherit"] });
  const exit = once(child, "exit");
  let url;
  for await (const line of createInterface(child.stdout)) {
    url = line.match(/http:\S+/)?.[0];
    if (url) break;
  }
  child.stdout.resume();
  const { ended } = await watchEmulator(url);
  return { child, exit, ended, goOn: () => child.stdin.end("go on\n") };
}

/** The script waits for a line, so that the test can watch the emulator before the script ends. */
const afterLine = (code) => `started.then(() => process.stdin.once("data", () => { process.stdin.pause(); ${code} }));`;

for (const [name, code, status] of [
  ["a program ends by itself", "", 0],
  ["a program exits", "process.exit(3);", 3],
  ["a program throws", 'throw new Error("on purpose, as a part of the test");', 1],
]) {
  test(`${name} without stopping its emulator, which ends too`, { timeout }, async (t) => {
    const { exit, ended, goOn } = await run(t, afterLine(code));
    goOn();
    assert.deepEqual(await exit, [status, null]);
    await ended;
  });
}

for (const signal of ["SIGTERM", "SIGKILL"]) {
  test(`a program is ended by ${signal}, and its emulator ends too`, { timeout }, async (t) => {
    const { child, exit, ended } = await run(t, afterLine(""));
    child.kill(signal);
    assert.deepEqual(await exit, [null, signal]);
    await ended;
  });
}

test("a test run ends by itself if a test has forgotten to stop its emulator", { timeout }, async (t) => {
  const script = `require("node:test").test("forgets", async () => {
    await started;
    await new Promise((resolve) => require("node:fs").readFile("/dev/null", resolve));
  });`;
  const { exit, ended } = await run(t, script, ["--test"]);
  assert.deepEqual(await exit, [0, null]);
  await ended;
});
