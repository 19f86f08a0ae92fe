#!/usr/bin/env node
"use strict";
// `npx fauxfax …`: runs the program with the same arguments and standard streams, passes signals on, and exits with the
// program's status or signal. If this script is killed, the program ends too, except on Windows.

const { spawn } = require("node:child_process");

const { findBinary } = require("../lib/binary.js");
const { stopWithNode } = require("../lib/watch.js");

/** The signals that ask a program to stop. A terminal sends them to the program too, so it may get them twice. */
const SIGNALS = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);

/**
 * Prints why the program can't be run.
 *
 * @param {unknown} error What was thrown.
 */
function fail(error) {
  process.stderr.write(`fauxfax: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}

function main() {
  const child = spawn(findBinary(), process.argv.slice(2), { stdio: "inherit" });
  const watch = stopWithNode(child.pid);
  const passOn = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal);
  for (const signal of SIGNALS) process.on(signal, passOn);
  child.once("error", fail);
  child.once("exit", (status, signal) => {
    // The watcher is killed first, so that it can't stop another process that is given the program's id.
    watch?.kill("SIGKILL");
    for (const name of SIGNALS) process.removeListener(name, passOn);
    if (signal) process.kill(process.pid, signal);
    else process.exitCode = status ?? 1;
  });
}

try {
  main();
} catch (error) {
  fail(error);
}
