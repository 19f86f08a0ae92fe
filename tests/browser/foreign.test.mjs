// Tests that a page of another origin can do nothing to the emulator. The page is served from another port,
// under two names of this machine: the browser treats one as same-site and the other as cross-site.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { ACCOUNT, App, Emulator } from "./parts/emulator.mjs";
import { launch } from "./parts/browser.mjs";

const TOKEN = "0".repeat(32);
let browser;
let emulator;
let app;
let evil;
let evilPort;

before(async () => {
  [browser, emulator, app] = await Promise.all([launch(["--host-resolver-rules=MAP rebound.example 127.0.0.1"]), Emulator.start({ flags: ["--pace", "max"] }), App.start()]);
  evil = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/html" });
    response.end("<!doctype html><title>elsewhere</title><body>elsewhere</body>");
  });
  evil.listen(0, "127.0.0.1");
  await once(evil, "listening");
  evilPort = evil.address().port;
});
after(async () => {
  await browser?.close();
  await emulator?.stop();
  app?.stop();
  evil?.closeAllConnections();
  evil?.close();
});

/** Opens a page of another origin under this host name. */
async function stranger(host) {
  const page = await browser.newPage();
  await page.goto(`http://${host}:${evilPort}/`);
  return page;
}

async function state() {
  const { faxes } = await emulator.control("GET", "/faxes");
  const { accounts } = await emulator.control("GET", "/accounts");
  const { events } = await emulator.control("GET", "/events?kind=world.reset&all=true");
  return { faxes: faxes.length, accounts: accounts.length, resets: events.length };
}

for (const host of ["127.0.0.1", "localhost"]) {
  test(`a page of ${host} sends no fax and resets nothing, by form, by fetch, by image or in a frame`, async () => {
    const before_ = await state();
    const page = await stranger(host);
    const target = new URL(emulator.url);
    await page.evaluate(async ({ origin, authority, sid, token }) => {
      const tries = [
        fetch(`${origin}/_fauxfax/v1/reset`, { method: "POST", mode: "no-cors" }),
        fetch(`${origin}/_fauxfax/v1/reset`, { method: "POST", mode: "cors" }),
        fetch(`${origin}/v1/Faxes`, { method: "POST", mode: "no-cors", body: new URLSearchParams({ From: "+15005550006", To: "+15558675310", MediaUrl: "http://127.0.0.1:9/a.pdf" }) }),
        fetch(`${origin}/v1/Faxes`, { method: "POST", mode: "cors", headers: { authorization: `Basic ${btoa(`${sid}:${token}`)}` } }),
        fetch(`${origin}/_fauxfax/v1/events`, { mode: "no-cors" }),
      ];
      await Promise.allSettled(tries);
      const done = [];
      for (const action of [`http://${sid}:${token}@${authority}/v1/Faxes`, `${origin}/_fauxfax/v1/reset`]) {
        const frame = document.createElement("iframe");
        frame.name = `frame${done.length}`;
        done.push(new Promise((resolve) => { frame.addEventListener("load", resolve); setTimeout(resolve, 2000); }));
        const form = document.createElement("form");
        Object.assign(form, { method: "POST", action, target: frame.name });
        for (const [name, value] of Object.entries({ From: "+15005550006", To: "+15558675310", MediaUrl: "http://127.0.0.1:9/a.pdf", StatusCallback: `${origin}/_fauxfax/v1/reset` })) {
          const input = document.createElement("input");
          Object.assign(input, { type: "hidden", name, value });
          form.append(input);
        }
        document.body.append(frame, form);
        form.submit();
      }
      await Promise.all(done);
    }, { origin: emulator.url, authority: target.host, sid: ACCOUNT, token: TOKEN });
    await emulator.control("GET", "/wait?for=idle&timeout=20");
    assert.deepEqual(await state(), before_);
    await page.close();
  });

  test(`a page of ${host} can't read the emulator's responses`, async () => {
    const page = await stranger(host);
    const read = await page.evaluate(async (origin) => {
      const ask = async (path) => {
        try {
          const response = await fetch(`${origin}${path}`);
          return `${response.status} ${await response.text()}`;
        } catch (error) {
          return error.name;
        }
      };
      return Promise.all(["/_fauxfax/v1/health", "/_fauxfax/v1/events", "/metrics", "/console"].map(ask));
    }, emulator.url);
    assert.deepEqual(read, ["TypeError", "TypeError", "TypeError", "TypeError"]);
    await page.close();
  });
}

test("images whose URLs name unused accounts create no worlds", async () => {
  const before_ = await state();
  const page = await stranger("localhost");
  await page.evaluate(async (origin) => {
    const image = (n) => new Promise((resolve) => {
      const element = new Image();
      element.onload = element.onerror = resolve;
      element.src = `${origin}/_fauxfax/v1/faxes?account=AC${String(n).padStart(32, "0")}`;
    });
    await Promise.all(Array.from({ length: 300 }, (_, n) => image(n + 1)));
  }, emulator.url);
  assert.deepEqual(await state(), before_);
  await page.close();
});

test("a host name that is rebound to this machine is refused everywhere", async () => {
  for (const path of ["/v1/Faxes", "/metrics", "/ca.pem", "/console", "/_fauxfax/v1/health"]) {
    const page = await browser.newPage();
    const response = await page.goto(`http://rebound.example:${emulator.port}${path}`);
    assert.equal(response.status(), 421, path);
    await page.close();
  }
});

test("a link on another origin's page opens the console", async () => {
  const { fax_sid: sid } = await emulator.control("POST", "/incoming-faxes", { body: { pages: 1 } });
  await emulator.control("GET", "/wait?for=idle&timeout=20");
  assert.ok(sid);
  const page = await stranger("localhost");
  await page.evaluate((url) => {
    const link = document.createElement("a");
    Object.assign(link, { href: url, textContent: "the console" });
    document.body.append(link);
  }, `${emulator.url}/console`);
  await page.getByText("the console").click();
  await page.getByRole("heading", { level: 1 }).waitFor();
  assert.match(page.url(), /\/console$/);
  await page.close();
});

test("the console asks once for a control token", async () => {
  const guarded = await Emulator.start({ flags: ["--control-token", "s3cret", "--pace", "max"] });
  try {
    const page = await browser.newPage();
    await page.goto(`${guarded.url}/console`);
    const dialog = page.getByRole("dialog", { name: "Control token" });
    await dialog.getByLabel("Token").fill("wrong");
    await dialog.getByRole("button", { name: "Open the console" }).click();
    await dialog.getByText("not the token").waitFor();
    await dialog.getByLabel("Token").fill("s3cret");
    await dialog.getByRole("button", { name: "Open the console" }).click();
    await page.getByRole("heading", { name: "No faxes yet" }).waitFor();
    await page.getByText("Live", { exact: true }).waitFor({ state: "attached" });
    await page.reload();
    await page.getByRole("heading", { name: "No faxes yet" }).waitFor();
    assert.equal(await page.getByRole("dialog").count(), 0, "the token is asked for only once");
    assert.ok(!(await page.evaluate(() => document.cookie)).includes("fauxfax"), "scripts can't read the cookie");
    await page.close();
  } finally {
    await guarded.stop();
  }
});
