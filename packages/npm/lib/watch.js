"use strict";
// Stops another process when this one ends, even if this one is killed.

const { spawn } = require("node:child_process");

/**
 * The shell's script: it waits until this Node process is gone, and then stops the other process. It ignores the signals that a
 * terminal sends to Node and the shell alike, so that the shell outlives Node.
 */
const WATCH = 'trap "" HUP INT TERM; read -r _; kill "$1" 2>/dev/null';

/**
 * Starts a shell that stops a process if Node is killed, in which case no exit handler runs. The shell notices, because the
 * system then closes the other end of the shell's standard input. The shell doesn't keep Node alive.
 *
 * @param {number | undefined} pid The process to stop; undefined if it could not be run.
 * @returns {import("node:child_process").ChildProcess | null} The shell, which must be killed with SIGKILL once the process has
 *   ended. Null on Windows, which has no such shell; there, the process keeps running if Node is killed.
 */
function stopWithNode(pid) {
  if (process.platform === "win32" || pid === undefined) return null;
  const watch = spawn("sh", ["-c", WATCH, "sh", String(pid)], { stdio: ["pipe", "ignore", "ignore"] });
  // In container images without a shell, only the exit handler stops the process.
  watch.once("error", () => {});
  watch.unref();
  /** @type {import("node:net").Socket} */ (watch.stdin).unref();
  return watch;
}

module.exports = { stopWithNode };
