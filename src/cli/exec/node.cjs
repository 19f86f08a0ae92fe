// Redirects Node's connections to Twilio's and SignalWire's hosts to the emulator: fetch, axios and got use no proxy,
// or do so only in newer versions of Node. fauxfax names this file in NODE_OPTIONS. TLS still asks for the original
// host, so the certificate is checked as usual. Connections to other hosts are not changed.

"use strict";

const { Socket } = require("node:net");

const SERVICE =
  /^(?:api|fax|lookups|monitor)(?:\.[a-z0-9-]+){0,2}\.twilio\.com$|^media\.twiliocdn\.com$|^.+\.signalwire\.com$/i;
const emulator = process.env.FAUXFAX_URL && new URL(process.env.FAUXFAX_URL);
const connect = Socket.prototype.connect;

if (emulator) {
  Socket.prototype.connect = function (...given) {
    // Node itself passes options and callback as one array.
    const [options, ...rest] = Array.isArray(given[0]) ? given[0] : given;
    if (typeof options !== "object" || options === null || !SERVICE.test(options.host ?? "")) {
      return connect.apply(this, given);
    }
    const host = emulator.hostname.replace(/^\[|\]$/g, "");
    const callback = rest.filter((one) => typeof one === "function");
    return connect.call(this, { ...options, host, port: Number(emulator.port || 80) }, ...callback);
  };
}
