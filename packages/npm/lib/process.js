"use strict";
// The process of a private emulator: once it is ready, it doesn't keep Node alive, and it ends with Node.

const { spawn } = require("node:child_process");
const { once } = require("node:events");
const { createInterface } = require("node:readline");

const { reason } = require("./binary.js");
const { FauxfaxError } = require("./error.js");
const { stopWithNode } = require("./watch.js");

/** The maximum number of characters of the process's output that are kept: enough for the lines before a failure. */
const OUTPUT_CHARS_MAX = 64 * 1024;
/** The number of milliseconds after which a process that was asked to stop is killed. */
const STOP_MS = 5_000;

/** The processes to stop when Node exits. @type {Set<EmulatorProcess>} */
const running = new Set();
let stopsAtExit = false;

/** A running `fauxfax serve`. */
class EmulatorProcess {
  #child;
  #ended;
  #output = "";
  /** @type {import("node:child_process").ChildProcess | null} */
  #watch = null;

  /**
   * Starts the process. It is ready once `ready` has resolved.
   *
   * @param {string} binary The path of the program.
   * @param {string[]} args Its arguments.
   * @param {NodeJS.ProcessEnv} env Its environment.
   */
  constructor(binary, args, env) {
    const child = spawn(binary, args, { env, stdio: ["ignore", "pipe", "pipe"], windowsHide: true });
    this.#child = child;
    child.stdout.setEncoding("utf8").on("data", (text) => this.#keep(text));
    child.stderr.setEncoding("utf8").on("data", (text) => this.#keep(text));
    /** How the process ended. @type {string | null} */
    this.end = null;
    this.#ended = new Promise((resolve) => {
      child.once("error", (error) => resolve(`it could not be run (${reason(error)})`));
      // Unlike "exit", "close" comes after all of the output has been read.
      child.once("close", (status, signal) => resolve(signal ? `it was ended by ${signal}` : `it ended with status ${status}`));
    }).then((end) => {
      this.end = end;
      this.#release();
    });
    running.add(this);
    stopAtExit();
  }

  /** The end of the process's output, at most 65,536 characters. */
  get output() {
    return this.#output;
  }

  /**
   * Waits for the ready line, and from then on lets Node end while the process is running.
   *
   * @param {number} timeoutMs How long to wait.
   * @returns {Promise<string>} The URL on which the emulator listens.
   */
  async ready(timeoutMs) {
    const late = AbortSignal.timeout(timeoutMs);
    const lines = createInterface(this.#child.stdout);
    const line = await Promise.race([
      once(lines, "line", { signal: late }).then(
        ([text]) => text,
        () => null,
      ),
      this.#ended.then(() => null),
    ]);
    lines.close();
    // Closing `lines` has paused the stream, but the rest of the output must be read, so that the pipe doesn't fill up.
    this.#child.stdout.resume();
    const url = readyUrl(line ?? "");
    if (url === null) {
      const what =
        this.end ?? (line === null ? `it wasn't ready within ${timeoutMs} ms` : "its first line was not the ready line");
      await this.stop();
      const said = this.#output.trim();
      const detail = `${what}. ${said ? `It wrote:\n${said}` : "It wrote nothing; is FAUXFAX_BIN another program?"}`;
      throw new FauxfaxError("the emulator did not start", detail, { code: "not-started" });
    }
    this.#watch = stopWithNode(this.#child.pid);
    this.#setHeld(false);
    return url;
  }

  /** Asks the process to stop, as an init system would, and waits until it has ended. */
  async stop() {
    if (this.end !== null) return;
    // Otherwise Node would end while it waits for the process.
    this.#setHeld(true);
    this.#child.kill("SIGTERM");
    const late = AbortSignal.timeout(STOP_MS);
    const kill = () => this.#child.kill("SIGKILL");
    late.addEventListener("abort", kill);
    await this.#ended;
    late.removeEventListener("abort", kill);
    const watch = this.#watch;
    if (watch?.exitCode === null && watch.signalCode === null) {
      watch.ref();
      await once(watch, "exit");
    }
  }

  /** Stops the process without waiting. */
  kill() {
    this.#child.kill("SIGTERM");
  }

  /**
   * Sets whether the process and its output keep Node alive.
   *
   * @param {boolean} held
   */
  #setHeld(held) {
    // At run time these are sockets, which have ref() and unref().
    const streams = /** @type {import("node:net").Socket[]} */ (
      /** @type {unknown} */ ([this.#child.stdout, this.#child.stderr])
    );
    for (const handle of [this.#child, ...streams]) {
      if (held) handle.ref();
      else handle.unref();
    }
  }

  #release() {
    running.delete(this);
    // Otherwise the watcher could later stop another process that is given the same id.
    this.#watch?.kill("SIGKILL");
  }

  /** @param {string} text */
  #keep(text) {
    this.#output = (this.#output + text).slice(-OUTPUT_CHARS_MAX);
  }
}

/**
 * Returns the URL in a ready line; null if the line is another one.
 *
 * @param {string} line Text or JSON, depending on `--log-format`.
 * @returns {string | null}
 */
function readyUrl(line) {
  const text = /^fauxfax ready (\S+)/.exec(line);
  if (text !== null) return text[1];
  try {
    const { event, url } = JSON.parse(line);
    return event === "ready" && typeof url === "string" ? url : null;
  } catch {
    return null;
  }
}

function stopAtExit() {
  if (stopsAtExit) return;
  stopsAtExit = true;
  process.once("exit", () => {
    for (const emulator of running) emulator.kill();
  });
}

module.exports = { EmulatorProcess };
