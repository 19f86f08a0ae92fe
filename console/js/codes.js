//! What the services' codes mean here, in plain words: the likely cause, and what to do. It knows no fax.

import { service } from "./service.js";

const ADVICE = {
  11100: ["The URL isn't an absolute http or https URL.", "Check the URL of the number or of the request: scheme, host and path."],
  11200: ["The app responded with an error, too late, or with something other than TwiML.", "Look at the response in the conversation, and at your app's log for the same moment."],
  11201: ["No connection could be made in time.", "Is the host reachable from where the emulator runs? In a container, --connect-to redirects localhost."],
  11202: ["Nothing listens on that port.", "Start your app, or correct the port in the URL. In a container localhost is the container: see --connect-to."],
  11203: ["The whole response took longer than Twilio waits (15 s).", "Respond first and do the work afterwards."],
  11205: ["The connection broke.", "Your app may have crashed, or a proxy closed the connection."],
  11206: ["The response isn't HTTP.", "Does the port speak TLS while the URL says http, or the other way round?"],
  11210: ["The host name doesn't resolve.", "Correct the name, or map it with --connect-to."],
  11215: ["Too many redirects.", "Use the final URL."],
  11217: ["The app responded with an error (4xx or 5xx).", "Look at the response in the conversation, and at your app's log for the same moment."],
  11251: ["The connection broke, or the response isn't HTTP.", "Your app may have crashed, or a proxy closed the connection."],
  11220: ["TLS failed.", "Does the port speak TLS at all?"],
  11235: ["The certificate is for another host.", "Use a name that the certificate has."],
  11236: ["The certificate has expired.", "Renew it. In tests, --insecure-webhooks accepts it."],
  11237: ["The certificate isn't signed by an authority that the emulator trusts.", "Name its authority with --trust-ca, or accept it with --insecure-webhooks."],
  11750: ["The TwiML is over 64 kB.", "Send a shorter response."],
  12100: ["The response isn't well-formed XML.", "Escape & and < in attributes, and close every element."],
  12102: ["The root isn't <Response>.", "Wrap the verb in <Response>…</Response>."],
  12200: ["An element or attribute is unknown and was ignored.", "Verbs are case-sensitive: <Receive>, not <receive>."],
  12300: ["The content type isn't one of TwiML's.", "Respond with text/xml."],
  14107: ["Too many messages at once.", "Slow down."],
  34001: ["Fax setup failed.", "Try again."],
  34002: ["The line was busy.", "Try again later, or set a Ttl so that the call is repeated."],
  34003: ["Nobody picked up.", "Is a fax machine at that number?"],
  34004: ["The transmission broke.", "Your app is not at fault; decide whether to send again."],
  34005: ["Twilio has ended its fax service.", "Only emulators respond today."],
  34106: ["The response has neither <Receive> nor <Reject>.", "The simplest is <Response><Receive/></Response>."],
  34108: ["The machine at the other end can't receive this fax.", "Send US Letter or A4, upright, in a lower quality."],
  20003: ["The credential is wrong.", "Use this world's SID and token; Worlds shows them."],
  21201: ["To is missing.", "Add the parameter To."],
  21210: ["From isn't yours.", "Buy the number or verify it as a caller id."],
  21211: ["To isn't a phone number.", "Write it as +15558675310."],
  21212: ["From isn't a phone number.", "Write it as +15017122661."],
  21405: ["A fallback URL is set, but no primary URL.", "Set A Fax Comes In first."],
};

/** Cause and remedy of a code; empty where there is nothing to add. */
export function advice(code) {
  return (ADVICE[code] ?? []).map((text) => text.replaceAll("TwiML", service.markup).replace("Twilio", service.name));
}
