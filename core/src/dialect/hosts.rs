//! The host names of the emulated APIs, at which apps may reach the emulator.

/// The emulated products of Twilio. Each has hosts such as `fax.twilio.com` and `fax.{edge}.{region}.twilio.com`.
const PRODUCTS: [&str; 4] = ["api", "fax", "lookups", "monitor"];
/// Twilio's libraries put at most an edge and a region between product and domain.
const EDGE_LABELS_MAX: usize = 2;
/// The domains of the two companies; most hosts under Twilio's belong to products that are not emulated.
const DOMAINS: [&str; 2] = ["twilio.com", "signalwire.com"];
/// The host of Twilio's stored media.
const MEDIA_HOST: &str = "media.twiliocdn.com";

/// The host of SignalWire's stored media.
pub(super) const SIGNALWIRE_MEDIA_HOST: &str = "files.signalwire.com";
/// SignalWire's domain; each space is a host under it.
const SIGNALWIRE: &str = ".signalwire.com";

/// Returns whether a host, in lower case and without a port, belongs to one of the emulated APIs.
#[must_use]
pub fn is_service(host: &str) -> bool {
    if host == MEDIA_HOST || is_signalwire(host) {
        return true;
    }
    let Some(labels) = host.strip_suffix(".twilio.com") else { return false };
    let mut labels = labels.split('.');
    labels.next().is_some_and(|product| PRODUCTS.contains(&product)) && labels.count() <= EDGE_LABELS_MAX
}

/// Returns whether a host, in lower case and without a port, is at or under the domain of Twilio or SignalWire,
/// emulated or not.
#[must_use]
pub fn is_under_service(host: &str) -> bool {
    DOMAINS.iter().any(|domain| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}

/// Returns whether a host, in lower case and without a port, is under SignalWire's domain.
#[must_use]
pub fn is_signalwire(host: &str) -> bool {
    host.strip_suffix(SIGNALWIRE).is_some_and(|space| !space.is_empty())
}
