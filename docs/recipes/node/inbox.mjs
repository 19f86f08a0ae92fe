// A fax inbox in Express, as an app would be written. It reads Twilio's address from its configuration, and nothing in
// it knows that it is being tested.

import express from "express";
import twilio from "twilio";

// How often a busy number is called again. A line may be busy for hours, and each attempt is a new fax.
const REDIALS_MAX = 3;

/** `config` has faxApi (https://fax.twilio.com in production), accountSid, authToken, number and publicUrl. */
export function createApp(config) {
  const app = express();
  const inbox = new Map();
  const sent = new Map();
  const redials = new Map();
  app.use(express.urlencoded({ extended: false }));

  app.use((request, response, next) => {
    // The URL that Twilio signed, even if a proxy in front of the app speaks https.
    const url = config.publicUrl + request.originalUrl;
    const signature = request.get("X-Twilio-Signature");
    if (twilio.validateRequest(config.authToken, signature, url, request.body ?? {})) next();
    else response.sendStatus(403);
  });

  app.post("/fax", (request, response) => {
    response.type("text/xml").send('<Response><Receive action="/fax/received"/></Response>');
  });

  app.post("/fax/received", (request, response) => {
    if (request.body.FaxStatus === "received") inbox.set(request.body.FaxSid, request.body.MediaUrl);
    response.sendStatus(204);
  });

  app.post("/fax/status", async (request, response) => {
    const { FaxSid, FaxStatus, To, OriginalMediaUrl } = request.body;
    sent.set(FaxSid, FaxStatus);
    const fax = `${To} ${OriginalMediaUrl}`;
    const redialed = redials.get(fax) ?? 0;
    if (FaxStatus === "busy" && redialed < REDIALS_MAX) {
      redials.set(fax, redialed + 1);
      await send(To, OriginalMediaUrl);
    }
    response.sendStatus(204);
  });

  async function send(to, mediaUrl) {
    const credential = Buffer.from(`${config.accountSid}:${config.authToken}`).toString("base64");
    const answer = await fetch(`${config.faxApi}/v1/Faxes`, {
      method: "POST",
      headers: { Authorization: `Basic ${credential}` },
      body: new URLSearchParams({
        From: config.number,
        To: to,
        MediaUrl: mediaUrl,
        StatusCallback: `${config.publicUrl}/fax/status`,
      }),
    });
    if (!answer.ok) throw new Error(await answer.text());
    return (await answer.json()).sid;
  }

  return Object.assign(app, { inbox, sent, send });
}
