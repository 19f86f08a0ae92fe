// An Express app for webhooks behind the library's middleware: it responds as a test specifies, and records every request. With
// each it records whether the validator accepts it as received, and which changed copies the validator accepts.

import assert from "node:assert/strict";
import { once } from "node:events";
import express from "express";
import multer from "multer";

// While a file arrives, apps name it after FaxSid, which must therefore come first. So the fields before the file are recorded.
const uploads = multer({
  storage: multer.memoryStorage(),
  fileFilter: (request, file, accept) => {
    file.fieldsBefore = Object.keys(request.body);
    accept(null, true);
  },
});

/** What the tests expect of every request from Twilio. */
const TWILIO = { signatureHeader: /^X-Twilio-Signature$/, userAgent: /^TwilioProxy\/1\.1/, signsDocuments: true };

export class WebhookApp {
  answers = {};
  exchanges = [];
  faults = [];
  #watchers = new Set();

  /** Starts an app that uses the validators of the library under test, and its middleware for Express if it has one. */
  static async start(validators, token, service = TWILIO) {
    const app = Object.assign(new WebhookApp(), { validators, token, service });
    const server = express();
    server.use(express.urlencoded({ extended: false }), uploads.any());
    // First, this app's own check records the request. Then the middleware runs as in any app.
    server.use((request, _, next) => (app.#remember(request), next()));
    const middleware = validators.webhook?.(token);
    server.use((request, response, next) => {
      if (!middleware || app.#isUnsigned(request)) next();
      else middleware(request, response, next);
    });
    server.use((request, response) => app.#answer(request, response));
    // Express recognises an error handler by its four parameters.
    server.use((error, request, response, _next) => {
      app.faults.push(error);
      response.status(500).end();
    });
    app.listener = server.listen(0, "127.0.0.1");
    await once(app.listener, "listening");
    app.url = `http://127.0.0.1:${app.listener.address().port}`;
    return app;
  }

  serve(path, body, type = "application/pdf") {
    this.answers[path] = (_, response) => response.type(type).send(body);
    return this.url + path;
  }

  /** Serves a document only once the returned function has been called. */
  hold(path, body) {
    let release;
    const released = new Promise((resolve) => (release = resolve));
    this.answers[path] = async (_, response) => {
      await released;
      response.type("application/pdf").send(body);
    };
    return release;
  }

  of(path) {
    return this.exchanges.filter((exchange) => exchange.path === path);
  }

  /** Waits until a request has come to the path, and returns the first one. */
  async arrival(path) {
    while (!this.of(path).length) await new Promise((resolve) => this.#watchers.add(resolve));
    return this.of(path)[0];
  }

  /** Stops the app, and checks what must be true of every request. */
  async stop() {
    const closed = once(this.listener, "close");
    this.listener.close();
    this.listener.closeAllConnections();
    await closed;
    assert.deepEqual(this.faults, []);
    for (const exchange of this.exchanges) {
      const at = `${exchange.method} ${exchange.url}`;
      assert.match(exchange.headers["user-agent"], this.service.userAgent, at);
      if (this.#isUnsigned(exchange)) continue;
      assert.ok(exchange.isValid, `the validator refuses ${at}`);
      assert.deepEqual(exchange.acceptedThoughChanged, [], at);
      // Some apps look a header up with its exact case, so the case must be Twilio's or SignalWire's own.
      const isWritten = exchange.rawHeaders.some((name) => this.service.signatureHeader.test(name));
      assert.ok(isWritten, `${exchange.rawHeaders}: ${at}`);
      const values = Object.values(exchange.form);
      assert.ok(values.every((value) => typeof value === "string" && value), `a repeated or empty parameter: ${at}`);
    }
  }

  /** Returns whether a request fetches a document and the service doesn't sign such requests. */
  #isUnsigned({ method, path }) {
    return !this.service.signsDocuments && method === "GET" && /\.(pdf|tiff)$/.test(path);
  }

  #remember(request) {
    const url = `http://${request.headers.host}${request.originalUrl}`;
    const form = { ...request.body };
    const name = request.rawHeaders.find((name) => this.service.signatureHeader.test(name));
    const signature = name && request.header(name);
    const valid = (params, at = url, header = signature, token = this.token) =>
      this.validators.validateRequest(token, header, at, params);
    const { validateExpressRequest = () => true } = this.validators;
    const changed = {
      parameter: valid({ ...form, FaxSid: "FX" + "0".repeat(32) }),
      path: valid(form, url.replace(request.path, request.path + "x")),
      query: valid(form, url + (url.includes("?") ? "&" : "?") + "x=1"),
      token: valid(form, url, signature, this.token.slice(0, -1) + "~"),
      signature: valid(form, url, ""),
    };
    const { method, path, headers, rawHeaders } = request;
    const files = request.files ?? [];
    const params = method === "POST" ? form : { ...request.query };
    this.exchanges.push({
      method, path, url, headers, rawHeaders, form, params, files,
      isValid: valid(form) && validateExpressRequest(request, this.token),
      acceptedThoughChanged: Object.keys(changed).filter((what) => changed[what]),
    });
    for (const wake of this.#watchers) wake();
    this.#watchers.clear();
  }

  async #answer(request, response) {
    if (!(request.path in this.answers)) throw new Error(`no answer is set for ${request.path}`);
    const answer = this.answers[request.path];
    if (typeof answer === "function") return answer(request, response);
    if (answer === null) return response.status(204).end();
    return response.type("text/xml").send(answer.toString());
  }
}
