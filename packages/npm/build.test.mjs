// Tests that the script that makes the packages refuses programs that would not run on the package's platform.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { platformOf } from "./header.mjs";

const script = fileURLToPath(new URL("build.mjs", import.meta.url));
const build = (...args) => {
  const { status, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: "utf8" });
  return [status, stderr];
};

/** Makes the beginning of a program: zeros, except for these bytes. */
function header(parts) {
  const bytes = Buffer.alloc(512);
  for (const [at, hex] of Object.entries(parts)) Buffer.from(hex, "hex").copy(bytes, Number(at));
  return bytes;
}

test("headers tell the platforms apart", () => {
  const elf = { 0: "7f454c460201" };
  // One program header of 56 bytes, at 64.
  const one = { ...elf, 18: "3e00", 32: "4000000000000000", 54: "38000100" };
  for (const [parts, expected] of [
    [
      { ...one, 64: "01000000" },
      { platform: "linux-x64", linked: false },
    ],
    [
      { ...one, 64: "03000000" },
      { platform: "linux-x64", linked: true },
    ],
    [
      { ...elf, 18: "b700" },
      { platform: "linux-arm64", linked: false },
    ],
    [{ ...elf, 18: "f300" }, null],
    [{ 0: "cffaedfe07000001" }, { platform: "darwin-x64", linked: false }],
    [{ 0: "cffaedfe0c000001" }, { platform: "darwin-arm64", linked: false }],
    [
      { 0: "4d5a", 60: "80000000", 128: "504500006486" },
      { platform: "win32-x64", linked: false },
    ],
    [{ 0: "4d5a", 60: "ffffff7f" }, null],
    [{ 0: "23212f62696e" }, null],
  ]) {
    assert.deepEqual(platformOf(header(parts)), expected, JSON.stringify(parts));
  }
  assert.equal(platformOf(Buffer.from("#!")), null);
});

test(
  "Node itself is recognised as linked dynamically, as it is on Linux",
  { skip: process.platform !== "linux" && "not Linux" },
  () => {
    assert.deepEqual(platformOf(readFileSync(process.execPath)), { platform: `linux-${process.arch}`, linked: true });
  },
);

test("a program that is missing, of another platform, or linked dynamically is refused", () => {
  const out = ["--out", "/nowhere"];
  assert.deepEqual(build("platform", "linux-x64", "/nowhere/fauxfax", ...out), [
    2,
    "/nowhere/fauxfax does not exist; build the program first\n",
  ]);
  assert.deepEqual(build("platform", "linux-x64", script, ...out), [
    2,
    `${script} is not a program, but the package is for linux-x64\n`,
  ]);
  const own = `linux-${process.arch}`;
  assert.match(
    build("platform", own, process.execPath, ...out).join(),
    /^2,.* needs a dynamic linker, .* build it with crt-static\n$/,
  );
  const other = build("platform", "win32-x64", process.execPath, ...out).join();
  assert.match(other, new RegExp(`^2,.* is a program for ${own}, but the package is for win32-x64\n$`));
});

test("an incorrect call is answered with the usage", () => {
  for (const args of [
    [],
    ["main"],
    ["platform", "linux-x64", "--out", "x"],
    ["nonsense", "--out", "x"],
    ["main", "--outt", "x"],
  ]) {
    const [status, said] = build(...args);
    assert.equal(status, 2, said);
    assert.match(said, /usage: build\.mjs main --out DIR|outt/);
  }
  assert.match(build("platform", "sunos-x64", script, "--out", "x")[1], /^there is no package for sunos-x64\nusage: /);
});
