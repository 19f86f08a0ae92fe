// Shared by the tests: an app that receives faxes, and a way to wait until an emulator has ended.

import { once } from "node:events";
import { createServer } from "node:http";

/** Starts an app that accepts every fax, and answers all other requests with the given status. */
export async function startApp(t, { status = 204 } = {}) {
  const received = [];
  const server = createServer(async (request, response) => {
    const chunks = await request.toArray();
    const params = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()));
    received.push({ path: request.url, params, headers: request.headers });
    if (request.url !== "/fax") return response.writeHead(status).end();
    response.writeHead(200, { "Content-Type": "text/xml" }).end('<Response><Receive action="/received"/></Response>');
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${server.address().port}`, received };
}

/** Watches the emulator at this URL. `ended` resolves when its stream of events ends, together with its process. */
export async function watchEmulator(url) {
  const response = await fetch(`${url}/_fauxfax/v1/events`, { headers: { Accept: "text/event-stream" } });
  const reader = response.body.getReader();
  const end = async () => {
    try {
      while (!(await reader.read()).done);
    } catch {
      // If the process is killed, the stream breaks off, and the read fails.
    }
  };
  return { ended: end() };
}
