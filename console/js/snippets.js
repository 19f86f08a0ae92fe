//! Turns a recorded request into text to paste: a curl command, or a test in three languages. It sends nothing.

const KEPT_HEADERS = ["x-signalwire-signature", "x-twilio-signature", "i-twilio-idempotency-token", "user-agent"];

const shell = (text) => `'${String(text).replaceAll("'", "'\\''")}'`;
const script = (text) => JSON.stringify(String(text));
const rust = (text) => `"${String(text).replace(/["\\]/g, "\\$&").replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (found) => `\\u{${found.codePointAt(0).toString(16)}}`)}"`;

const headers = (data) => Object.entries(data.request_headers ?? {}).filter(([name]) => KEPT_HEADERS.includes(name.toLowerCase())).map(([name, value]) => [name, String(value)]);
const params = (data) => Object.entries(data.params ?? {}).flatMap(([name, value]) => [value].flat().map((each) => [name, String(each)]));
/** Returns the parameters in the body; the URL of a GET already contains them. */
const form = (data) => (data.method === "GET" ? [] : params(data));
const words = (data) => ({ "fax-url": "the app returns TwiML for a fax", "fallback-url": "the fallback returns TwiML for a fax", action: "the app is notified of how a fax ended", "status-callback": "the app is notified of a status" })[data.purpose] ?? "the app responds";
const name = (data) => words(data).replaceAll(" ", "_");
const expected = (data) => data.status ?? 200;
const asksForTwiml = (data) => data.purpose === "fax-url" || data.purpose === "fallback-url";

/** For each kind of text, the function that returns it for a recorded request. */
export const snippets = {
  curl(data) {
    const lines = [`curl -X ${data.method} ${shell(data.url)}`, ...headers(data).map(([key, value]) => `-H ${shell(`${key}: ${value}`)}`), ...form(data).map(([key, value]) => `--data-urlencode ${shell(`${key}=${value}`)}`)];
    return `${lines.join(" \\\n  ")}\n`;
  },
  pytest(data) {
    const table = (rows) => rows.map(([key, value]) => `        ${script(key)}: ${script(value)},\n`).join("");
    return `import requests\n\n\ndef test_${name(data)}():\n    headers = {\n${table(headers(data))}    }\n    params = {\n${table(form(data))}    }\n    answer = requests.request(\n        ${script(data.method)},\n        ${script(data.url)},\n        data=params,\n        headers=headers,\n        timeout=15,\n    )\n    assert answer.status_code == ${expected(data)}\n${asksForTwiml(data) ? '    assert "<Receive" in answer.text\n' : ""}`;
  },
  node(data) {
    const table = (rows) => rows.map(([key, value]) => `    [${script(key)}, ${script(value)}],\n`).join("");
    const body = data.method === "GET" ? "" : `, body: new URLSearchParams(params)`;
    return `import assert from "node:assert/strict";\nimport { test } from "node:test";\n\ntest(${script(words(data))}, async () => {\n  const headers = [\n${table(headers(data))}  ];\n${body && `  const params = [\n${table(form(data))}  ];\n`}  const answer = await fetch(${script(data.url)}, { method: ${script(data.method)}, headers${body} });\n  assert.equal(answer.status, ${expected(data)});\n${asksForTwiml(data) ? "  assert.match(await answer.text(), /<Receive/);\n" : ""}});\n`;
  },
  rust(data) {
    const calls = [...headers(data).map(([key, value]) => `        .header(${rust(key)}, ${rust(value)})\n`)];
    const rows = form(data).map(([key, value]) => `        (${rust(key)}, ${rust(value)}),\n`).join("");
    return `#[test]\nfn ${name(data)}() {\n${data.method === "GET" ? "" : `    let params = [\n${rows}    ];\n`}    let answer = reqwest::blocking::Client::new()\n        .${data.method === "GET" ? "get" : "post"}(${rust(data.url)})\n${calls.join("")}${data.method === "GET" ? "" : "        .form(&params)\n"}        .send()\n        .expect("an answer");\n    assert_eq!(answer.status(), ${expected(data)});\n${asksForTwiml(data) ? '    assert!(answer.text().expect("a body").contains("<Receive"));\n' : ""}}\n`;
  },
};
