// Runs the emulator as a process, calls its APIs, and provides an app for its webhooks. This file uses no browser.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export const LETTER = new URL("../../../fixtures/documents/two-pages.pdf", import.meta.url).pathname;
export const ACCOUNT = `AC${"0".repeat(32)}`;
const TOKEN = "0".repeat(32);

export class Emulator {
  /** Starts `fauxfax serve` on a port (0: a free one), with only PATH in its environment and without a configuration file. */
  static async start({ port = 0, flags = [] } = {}) {
    const self = new Emulator();
    self.folder = mkdtempSync(join(tmpdir(), "fauxfax-browser-"));
    const command = ["serve", "--listen", `127.0.0.1:${port}`, "--seed", "2017", ...flags];
    self.process = spawn(process.env.FAUXFAX_BIN, command, { cwd: self.folder, env: { PATH: process.env.PATH }, stdio: ["ignore", "pipe", "pipe"] });
    self.log = "";
    self.process.stderr.on("data", (text) => { self.log += text; });
    const exited = once(self.process, "exit").then(() => assert.fail(`the emulator ended at once: ${self.log}`));
    exited.catch(() => {});
    const ready = (async () => {
      for await (const line of createInterface(self.process.stdout)) {
        const found = /fauxfax ready (http:\/\/\S+)/.exec(line);
        if (found) return found[1];
      }
      return assert.fail(`the emulator never was ready: ${self.log}`);
    })();
    self.url = await Promise.race([ready, exited]);
    self.process.stdout.resume();
    return self;
  }

  get port() {
    return Number(new URL(this.url).port);
  }

  async stop() {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill("SIGTERM");
      await once(this.process, "exit");
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Makes a control call, and returns the response's JSON. */
  async control(method, path, { body, form } = {}) {
    const response = await fetch(`${this.url}/_fauxfax/v1${path}`, { method, headers: body ? { "content-type": "application/json" } : {}, body: form ?? (body && JSON.stringify(body)) });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }

  /** Makes a REST call as an account, and returns the response's JSON. */
  async rest(method, path, params, { sid = ACCOUNT, token = TOKEN } = {}) {
    const response = await fetch(`${this.url}${path}`, { method, headers: { authorization: `Basic ${btoa(`${sid}:${token}`)}` }, body: params && new URLSearchParams(params) });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }

  /** Receives a fax, and returns the conversation once it has ended. */
  async receive(fields = {}, query = "") {
    const form = new FormData();
    if (fields.file === undefined && !fields.pages) fields = { ...fields, file: new File([readFileSync(LETTER)], "letter.pdf", { type: "application/pdf" }) };
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    return this.control("POST", `/incoming-faxes?wait=true${query}`, { form });
  }

  /** Sends a fax, and returns it as created. */
  send(params) {
    return this.rest("POST", "/v1/Faxes", { From: "+15005550006", To: "+15558675310", ...params });
  }
}

/** An app that accepts every fax and records its requests. `answers` overrides the responses of paths. */
export class App {
  static async start(answers = {}) {
    const self = new App();
    self.heard = [];
    self.server = createServer((request, response) => {
      let body = Buffer.alloc(0);
      request.on("data", (part) => { body = Buffer.concat([body, part]); });
      request.on("end", () => {
        const url = new URL(request.url, "http://app");
        self.heard.push({ method: request.method, path: url.pathname, params: Object.fromEntries(new URLSearchParams(body.toString())), signature: request.headers["x-twilio-signature"] });
        const answer = answers[url.pathname] ?? STANDARD[url.pathname] ?? { status: 204 };
        response.writeHead(answer.status ?? 200, answer.headers ?? { "content-type": "text/xml" });
        response.end(answer.body);
      });
    });
    self.server.listen(0, "127.0.0.1");
    await once(self.server, "listening");
    self.url = `http://127.0.0.1:${self.server.address().port}`;
    return self;
  }

  /** Returns the requests to a path. */
  told(path) {
    return this.heard.filter((each) => each.path === path);
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

const STANDARD = {
  "/fax": { body: '<?xml version="1.0" encoding="UTF-8"?><Response><Receive action="/fax/received"/></Response>' },
  "/letter.pdf": { headers: { "content-type": "application/pdf" }, body: readFileSync(LETTER) },
};
