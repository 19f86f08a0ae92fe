// A fax inbox in Express, as an app would be written. It reads where Twilio is from its configuration, and nothing else
// of it knows that it is being tested.

import express from "express";
import twilio from "twilio";

/** `config` has faxApi (https://fax.twilio.com in production), accountSid, authToken, number and publicUrl. */
export function createApp(config) {
  const app = express();
  const inbox = new Map();
  const sent = new Map();
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
    sent.set(request.body.FaxSid, request.body.FaxStatus);
    if (request.body.FaxStatus === "busy") await send(request.body.To, request.body.OriginalMediaUrl);
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
