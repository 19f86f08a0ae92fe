// Runs the emulator as a process and calls its control API. This file uses no client library.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

// The control API responds as soon as the event has happened; a test that waits for longer than this fails.
const PATIENCE_S = 20;

export class Emulator {
  /** Whether clients call Twilio's host names, which only their environment directs to the emulator. */
  underTwiliosName = false;

  /** Returns the running emulator in whose environment the tests were started, or starts one for them. */
  static async aroundTheTests(...flags) {
    if ((process.env.FAUXFAX_WAY ?? "base-url") === "base-url") return Emulator.start(flags);
    return Object.assign(new Emulator(), { url: process.env.FAUXFAX_URL, underTwiliosName: true });
  }

  /** Starts `fauxfax serve` on a free port, with only PATH and `variables` as its environment and no configuration file. */
  static async start(flags = [], variables = {}) {
    const folder = mkdtempSync(join(tmpdir(), "fauxfax-sdk-"));
    const portFile = join(folder, "port");
    const command = ["serve", "--listen", "127.0.0.1:0", "--port-file", portFile, "--seed", "2017", "--pace", "max"];
    const child = spawn(process.env.FAUXFAX_BIN, [...command, ...flags], {
      cwd: folder,
      env: { PATH: process.env.PATH, ...variables },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let log = "";
    child.stderr.on("data", (chunk) => (log += chunk));
    const ready = await new Promise((resolve, reject) => {
      createInterface(child.stdout).once("line", resolve);
      child.once("error", reject);
      child.once("exit", (status) => reject(new Error(`the emulator ended with ${status}: ${log}`)));
    });
    child.removeAllListeners("exit");
    const [name, word, url] = ready.split(" ");
    assert.deepEqual([name, word], ["fauxfax", "ready"], ready);
    assert.equal(url, `http://127.0.0.1:${readFileSync(portFile, "utf8").trim()}`);
    return Object.assign(new Emulator(), { child, folder, url });
  }

  /** The scheme and host of the URLs in the resources that clients get. */
  get origin() {
    return this.underTwiliosName ? "https://fax.twilio.com" : this.url;
  }

  /** Stops the emulator with SIGTERM, as an init system would, and checks that it exits with 0. */
  async stop() {
    if (!this.child) return;
    const exit = once(this.child, "exit");
    this.child.kill("SIGTERM");
    const [status] = await exit;
    rmSync(this.folder, { recursive: true });
    assert.equal(status, 0, "SIGTERM ends the emulator cleanly");
  }

  /** Calls the control API, and returns the response's JSON. A refusal fails the test. */
  async control(method, path, { account, json, body = json && JSON.stringify(json), ...query } = {}) {
    const url = new URL(this.url + "/_fauxfax/v1" + path);
    for (const [name, value] of Object.entries({ account, ...query })) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    const headers = json ? { "Content-Type": "application/json" } : {};
    const signal = AbortSignal.timeout((PATIENCE_S + 10) * 1000);
    const response = await fetch(url, { method, headers, body, signal });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${url}: ${response.status} ${text}`);
    return text && JSON.parse(text);
  }

  /** Lets a fax machine call a number of the account, and returns the conversation once it has ended. */
  receive(account, fields = {}, file) {
    const query = { account, wait: true, timeout: PATIENCE_S };
    if (!file) return this.control("POST", "/incoming-faxes", { ...query, json: fields });
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.set(name, value);
    body.set("file", new Blob([file]), "in.pdf");
    return this.control("POST", "/incoming-faxes", { ...query, body });
  }

  /** Waits until the fax has entered one of the statuses. */
  wait(account, fax, status) {
    return this.control("GET", "/wait", { account, fax, status, timeout: PATIENCE_S });
  }

  /** Waits until nothing of the account is pending, callbacks included. */
  settle(account) {
    return this.control("GET", "/wait", { account, for: "idle", timeout: PATIENCE_S });
  }
}

/** Returns an account that no other test uses, so that each test has its own world. */
export function accountOf(test) {
  const digest = createHash("md5").update(test).digest("hex");
  return { sid: "AC" + digest, token: [...digest].reverse().join("") };
}
