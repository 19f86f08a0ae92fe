// Tests starting, finding and stopping an emulator, and the errors if that fails.

import assert from "node:assert/strict";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { Emulator, FauxfaxError } from "fauxfax";

const timeout = 60_000;

/** Makes a program out of these shell commands, in a folder that the test removes. */
function program(t, commands) {
  const folder = mkdtempSync(join(tmpdir(), "fauxfax-npm-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "program");
  writeFileSync(path, `#!/bin/sh\n${commands}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** Lists the processes that this one has started, as Linux shows them. */
function children() {
  const stats = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return stats.filter((pid) => {
    const path = `/proc/${pid}/stat`;
    try {
      // The parent is the second field after the program's name, which stands in parentheses.
      return readFileSync(path, "utf8").split(") ").at(-1).split(" ")[1] === String(process.pid);
    } catch {
      return false;
    }
  });
}

test("an emulator starts on a free port and stops without leaving a process behind", { timeout }, async () => {
  const before = children();
  const emulator = await Emulator.start();
  assert.match(emulator.url, /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.equal((await fetch(`${emulator.url}/readyz`)).status, 200);
  assert.match(emulator.output, /fauxfax ready /);
  assert.notDeepEqual(children(), before, "the processes are visible while it runs");
  await emulator.stop();
  await emulator.stop();
  await assert.rejects(fetch(`${emulator.url}/readyz`));
  assert.deepEqual(children(), before);
});

test("two emulators with the same seed make the same ids", { timeout }, async (t) => {
  const sids = [];
  for (const seed of [7, 7, 8]) {
    const emulator = await Emulator.start({ seed });
    t.after(() => emulator.stop());
    sids.push((await emulator.account()).sid);
  }
  assert.equal(sids[0], sids[1]);
  assert.notEqual(sids[0], sids[2]);
});

test("an emulator stops at the end of its block", { timeout }, async () => {
  const emulator = await Emulator.start();
  await emulator[Symbol.asyncDispose]();
  await assert.rejects(fetch(`${emulator.url}/readyz`));
});

test("a running emulator is called by its URL and token, and goes on after stop()", { timeout }, async (t) => {
  const own = await Emulator.start({ controlToken: "s3cret" });
  t.after(() => own.stop());
  const emulator = Emulator.at(`${own.url}/`, { controlToken: "s3cret" });
  assert.equal(emulator.url, own.url);
  assert.equal(emulator.output, "");
  const account = await emulator.account();
  await emulator.stop();
  assert.equal((await own.existingAccount(account.sid)).authToken, account.authToken);
  const refused = Emulator.at(own.url).account();
  await assert.rejects(
    refused,
    (error) => error instanceof FauxfaxError && error.status === 401 && /token/i.test(error.detail),
  );
});

test("neither the environment's settings nor a fauxfax.toml in the current folder apply", { timeout }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "fauxfax-npm-"));
  const home = process.cwd();
  t.after(() => {
    process.chdir(home);
    delete process.env.FAUXFAX_STATE;
    rmSync(folder, { recursive: true });
  });
  process.chdir(folder);
  process.env.FAUXFAX_STATE = join(folder, "from-environment.json");
  writeFileSync("fauxfax.toml", `state = "${join(folder, "from-file.json")}"\n`);
  await (await Emulator.start()).stop();
  assert.deepEqual(readdirSync(folder), ["fauxfax.toml"]);
  await (await Emulator.start({ config: "fauxfax.toml" })).stop();
  assert.ok(existsSync("from-file.json"));
});

test("flags and environment variables reach the program", { timeout }, async (t) => {
  const emulator = await Emulator.start({ pace: 1000, args: ["--accounts", "strict"], env: { FAUXFAX_PRICE: "none" } });
  t.after(() => emulator.stop());
  const account = await emulator.account();
  await account.number("+15017122661");
  const sid = await account.queue({ to: "+15558675310", mediaUrl: `${emulator.url}/_fauxfax/v1/samples/one-page.pdf` });
  await account.wait({ fax: sid });
  assert.equal((await account.fax(sid)).price, null);
  const unknown = await fetch(`${emulator.url}/v1/Faxes`, {
    headers: { Authorization: `Basic ${btoa(`AC${"1".repeat(32)}:x`)}` },
  });
  assert.equal(unknown.status, 401);
});

test("a port that is taken is an error with the program's output", { timeout }, async (t) => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const start = Emulator.start({ port: server.address().port });
  await assert.rejects(start, (error) => {
    assert.equal(error.code, "not-started");
    assert.match(error.message, /did not start: it ended with status \d+\. It wrote:\n[^]*in use/);
    return true;
  });
});

for (const [name, commands, expected] of [
  ["fails", "echo out of luck >&2; exit 9", /ended with status 9\. It wrote:\nout of luck$/],
  ["says something else", "echo hello; exec sleep 600", /first line was not the ready line\. It wrote:\nhello$/],
  ["says nothing", "exec sleep 600", /wasn't ready within 200 ms\. It wrote nothing; is FAUXFAX_BIN another program\?$/],
]) {
  test(`a program that ${name} is an error`, { timeout }, async (t) => {
    const before = children();
    const start = Emulator.start({ binary: program(t, commands), startTimeoutMs: name === "says nothing" ? 200 : 30_000 });
    await assert.rejects(start, (error) => error.code === "not-started" && expected.test(error.message));
    assert.deepEqual(children(), before);
  });
}

test("a program that ignores the request to stop is killed", { timeout }, async (t) => {
  const before = children();
  const stubborn = "trap '' TERM\necho fauxfax ready http://127.0.0.1:9\nwhile :; do read -r _ </dev/zero; done";
  const emulator = await Emulator.start({ binary: program(t, stubborn) });
  await emulator.stop();
  assert.deepEqual(children(), before);
});

test("a call after the end of the process says how it ended", { timeout }, async () => {
  const emulator = await Emulator.start();
  await emulator.stop();
  await assert.rejects(emulator.account(), {
    name: "FauxfaxError",
    code: "no-response",
    message: `no emulator responds at ${emulator.url}: its process has stopped: it ended with status 0`,
  });
});

test("a call to a URL where nothing listens says what to do", { timeout }, async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${server.address().port}`;
  server.close();
  await once(server, "close");
  await assert.rejects(Emulator.at(url).account(), (error) => {
    assert.equal(error.code, "no-response");
    assert.match(error.detail, /^nothing listens there; start an emulator with Emulator\.start\(\)/);
    return true;
  });
});

test("options that don't exist, and values that make no sense, are errors", { timeout }, async () => {
  await assert.rejects(Emulator.start({ sead: 7 }), {
    code: "bad-argument",
    detail: /^it has no option sead; it takes seed, /,
  });
  await assert.rejects(Emulator.start({ args: "--insecure-webhooks" }), { detail: "args must be an array, not a string" });
  await assert.rejects(Emulator.start(7), { code: "bad-argument" });
  await assert.rejects(Emulator.start({ timeoutMs: "1s" }), {
    code: "bad-argument",
    detail: /0 to 290000 milliseconds, not 1s/,
  });
  for (const url of ["http://localhost:8329/console", "http://exa mple", "ftp://a.test", "", undefined, 8329n, {}]) {
    assert.throws(() => Emulator.at(url), { code: "bad-argument", detail: /must be one such as http/ });
  }
});

test("a URL can be an object, and needs no scheme", { timeout }, () => {
  assert.equal(Emulator.at(new URL("http://127.0.0.1:8329/")).url, "http://127.0.0.1:8329");
  assert.equal(Emulator.at("127.0.0.1:8329").url, "http://127.0.0.1:8329");
  assert.equal(Emulator.at("localhost:8329").url, "http://localhost:8329");
});

test("a flag among the arguments takes the place of an option", { timeout }, async (t) => {
  const emulator = await Emulator.start({ seed: 5, args: ["--pace", "1000", "--seed=7", "--log-format", "json"] });
  t.after(() => emulator.stop());
  assert.equal((await emulator.control("GET", "/health")).seed, 7);
  const lines = emulator.output.trim().split("\n");
  assert.ok(lines.some((line) => JSON.parse(line).event === "ready"));
});

test("a folder is not a program", { timeout }, async () => {
  await assert.rejects(Emulator.start({ binary: tmpdir() }), {
    code: "no-binary",
    detail: "binary must be the path of the program, but this is a folder: append the name of the program to it",
  });
});

test("other calls of the control API are possible", { timeout }, async (t) => {
  const emulator = await Emulator.start();
  t.after(() => emulator.stop());
  assert.equal((await emulator.control("GET", "/health")).seed, 1);
  const account = await emulator.defaultAccount();
  assert.equal(account.sid, "AC" + "0".repeat(32));
  assert.deepEqual(
    (await account.numbers()).map((number) => number.phoneNumber),
    ["+15005550006"],
  );
  assert.deepEqual(await account.control("GET", "/twiml-bins"), { twiml_bins: [] });
});
