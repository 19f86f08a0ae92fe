// Tests `npx fauxfax`: it finds the program, passes signals on to it and its exit status back, and says what to do if the
// program is missing.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";

import { findBinary } from "fauxfax";

import { watchEmulator } from "./app.mjs";

const timeout = 60_000;
const require = createRequire(import.meta.url);
const script = join(dirname(require.resolve("fauxfax/package.json")), "bin/fauxfax.js");
const fauxfax = (args, env = {}) =>
  spawnSync(process.execPath, [script, ...args], { encoding: "utf8", env: { ...process.env, ...env } });

test("the program prints its version", { timeout }, () => {
  const { stdout, status } = fauxfax(["--version"]);
  assert.equal(status, 0);
  assert.match(stdout, /^fauxfax \d+\.\d+\.\d+\n$/);
});

test("the exit status is the program's", { timeout }, () => {
  assert.equal(fauxfax(["healthcheck", "--url", "http://127.0.0.1:9"]).status, 3);
  assert.equal(fauxfax(["nonsense"]).status, 2);
});

for (const signal of ["SIGTERM", "SIGINT"]) {
  test(`${signal} stops the program, which ends cleanly`, { timeout }, async () => {
    const child = spawn(process.execPath, [script, "serve", "--listen", "127.0.0.1:0", "--config", "/dev/null"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const exit = once(child, "exit");
    const [line] = await once(createInterface(child.stdout), "line");
    const { ended } = await watchEmulator(line.split(" ")[2]);
    child.kill(signal);
    assert.deepEqual(await exit, [0, null]);
    await ended;
  });
}

test("a script that is killed takes the program with it", { timeout }, async () => {
  const child = spawn(process.execPath, [script, "serve", "--listen", "127.0.0.1:0", "--config", "/dev/null"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const exit = once(child, "exit");
  const [line] = await once(createInterface(child.stdout), "line");
  const { ended } = await watchEmulator(line.split(" ")[2]);
  child.kill("SIGKILL");
  assert.deepEqual(await exit, [null, "SIGKILL"]);
  await ended;
});

test("a program that is killed by a signal ends npx's script with the same signal", { timeout }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), "fauxfax-npm-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "program");
  writeFileSync(path, "#!/bin/sh\nkill -KILL $$\n");
  chmodSync(path, 0o755);
  assert.equal(fauxfax([], { FAUXFAX_BIN: path }).signal, "SIGKILL");
});

test("FAUXFAX_BIN takes precedence, and must be a program", { timeout }, () => {
  assert.equal(findBinary({ FAUXFAX_BIN: process.execPath }), process.execPath);
  assert.throws(() => findBinary({ FAUXFAX_BIN: "/nowhere/fauxfax" }), {
    code: "no-binary",
    message: /^fauxfax is not at .*ENOENT/,
  });
  assert.throws(() => findBinary({ FAUXFAX_BIN: tmpdir() }), {
    code: "no-binary",
    detail: "FAUXFAX_BIN must be the path of the program, but this is a folder: append the name of the program to it",
  });
  const { status, stderr } = fauxfax(["--version"], { FAUXFAX_BIN: import.meta.filename ?? "/etc/passwd" });
  assert.equal(status, 1);
  assert.match(stderr, /^fauxfax: fauxfax is not at .* there is nothing that can be run \(EACCES\)/);
});

test("a platform without a package, and a package that is not installed, are errors that say what to do", { timeout }, () => {
  assert.throws(() => findBinary({}, "freebsd-x64"), {
    code: "no-binary",
    message: /^there is no fauxfax program for freebsd-x64: packages exist for linux-x64, .* set FAUXFAX_BIN to its path$/,
  });
  assert.throws(() => findBinary({}, "win32-x64"), {
    code: "no-binary",
    message: /^the package @fauxfax\/cli-win32-x64, which has the program, is not installed: .*npm install --include=optional/,
  });
});
