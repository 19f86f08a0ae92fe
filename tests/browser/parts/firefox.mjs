// Drives an ordinary Firefox through its built-in WebDriver BiDi. Playwright would need its own build of Firefox.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

// The WebSocket client that Playwright brings along, since this Node may have none.
const { ws: WebSocket } = createRequire(import.meta.url)("playwright-core/lib/utilsBundle");

const executable = process.env.FAUXFAX_FIREFOX ?? "/usr/bin/firefox-esr";
/** How long a test waits for something to appear before it fails. */
const PATIENCE_MS = 20_000;
const INTERVAL_MS = 50;
const PREFERENCES = { "app.update.enabled": false, "browser.shell.checkDefaultBrowser": false, "datareporting.policy.dataSubmissionEnabled": false, "remote.active-protocols": 1, "browser.startup.page": 0, "network.captive-portal-service.enabled": false, "network.connectivity-service.enabled": false };

export class Firefox {
  static async start() {
    const self = new Firefox();
    self.folder = mkdtempSync(join(tmpdir(), "fauxfax-firefox-"));
    writeFileSync(join(self.folder, "user.js"), Object.entries(PREFERENCES).map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`).join(""));
    const command = ["--headless", "--no-remote", "--remote-debugging-port=0", "--profile", self.folder];
    self.process = spawn(executable, command, { env: { ...process.env, HOME: self.folder }, stdio: ["ignore", "ignore", "pipe"] });
    await once(self.process, "spawn");
    let address;
    for await (const line of createInterface(self.process.stderr)) {
      address = /WebDriver BiDi listening on (ws:\S+)/.exec(line)?.[1];
      if (address) break;
    }
    assert.ok(address, "Firefox ended before it could be driven");
    self.process.stderr.resume();
    self.asked = 0;
    self.waiting = new Map();
    self.faults = [];
    self.socket = new WebSocket(`${address}/session`);
    self.socket.on("message", (text) => self.hear(JSON.parse(text)));
    await once(self.socket, "open");
    await self.call("session.new", { capabilities: {} });
    await self.call("session.subscribe", { events: ["log.entryAdded"] });
    const { contexts } = await self.call("browsingContext.getTree", {});
    self.context = contexts[0].context;
    await self.call("browsingContext.setViewport", { context: self.context, viewport: { width: 1280, height: 800 } });
    return self;
  }

  hear({ id, type, result, error, message, method, params }) {
    if (method === "log.entryAdded" && (params.type === "javascript" || /Content-Security-Policy/.test(params.text)) && params.level === "error") this.faults.push(params.text);
    const waiting = this.waiting.get(id);
    if (!waiting) return;
    this.waiting.delete(id);
    if (type === "error") waiting.reject(new Error(`${error}: ${message}`));
    else waiting.resolve(result);
  }

  /** Makes a call of the protocol. */
  call(method, params) {
    this.asked += 1;
    const id = this.asked;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.socket.send(JSON.stringify({ id, method, params }));
    });
  }

  goto(url) {
    return this.call("browsingContext.navigate", { context: this.context, url, wait: "complete" });
  }

  /** Runs a function in the page with strings as arguments, and returns its result, which passes through JSON. */
  async run(source, ...args) {
    const answer = await this.call("script.callFunction", { functionDeclaration: `async (...args) => JSON.stringify((await (${source})(...args)) ?? null)`, target: { context: this.context }, arguments: args.map((value) => ({ type: "string", value })), awaitPromise: true });
    assert.equal(answer.type, "success", answer.exceptionDetails?.text);
    return JSON.parse(answer.result.value);
  }

  /** Waits until an element with this selector and text is visible, and returns its centre. */
  async find(selector, text = "") {
    const end = Date.now() + PATIENCE_MS;
    while (Date.now() < end) {
      const place = await this.run(`(selector, text) => {
        const found = [...document.querySelectorAll(selector)].find((each) => each.checkVisibility() && (each.getAttribute("aria-label") || each.innerText || each.alt || "").includes(text));
        if (!found) return null;
        found.scrollIntoView({ block: "center", behavior: "instant" });
        const box = found.getBoundingClientRect();
        return [Math.round(box.left + box.width / 2), Math.round(box.top + box.height / 2)];
      }`, selector, text).catch(() => null);
      if (place) return place;
      await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
    }
    return assert.fail(`${selector} with ${JSON.stringify(text)} never appeared: ${await this.run("() => document.body.innerText")}`);
  }

  /** Clicks with the mouse, as a person does. */
  async click(selector, text) {
    const [x, y] = await this.find(selector, text);
    await this.call("input.performActions", { context: this.context, actions: [{ type: "pointer", id: "mouse", actions: [{ type: "pointerMove", x, y }, { type: "pointerDown", button: 0 }, { type: "pointerUp", button: 0 }] }] });
  }

  /** Types text into the focused element. */
  type(text) {
    const actions = [...text].flatMap((value) => [{ type: "keyDown", value }, { type: "keyUp", value }]);
    return this.call("input.performActions", { context: this.context, actions: [{ type: "key", id: "keys", actions }] });
  }

  async stop() {
    this.socket?.close();
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill("SIGTERM");
      await once(this.process, "exit");
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
