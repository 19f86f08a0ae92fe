//! The host names of the emulated service, under which apps can reach the emulator.

/// The emulated products of Twilio. Each has hosts such as `fax.twilio.com` and `fax.{edge}.{region}.twilio.com`.
const PRODUCTS: [&str; 3] = ["api", "fax", "monitor"];
/// Twilio's libraries put at most an edge and a region between product and domain.
const EDGE_LABELS_MAX: usize = 2;
/// The host of Twilio's stored media.
const MEDIA_HOST: &str = "media.twiliocdn.com";

/// Whether a host, in lower case and without a port, belongs to the emulated service.
#[must_use]
pub fn is_service(host: &str) -> bool {
    if host == MEDIA_HOST {
        return true;
    }
    let Some(labels) = host.strip_suffix(".twilio.com") else { return false };
    let mut labels = labels.split('.');
    labels.next().is_some_and(|product| PRODUCTS.contains(&product)) && labels.count() <= EDGE_LABELS_MAX
}
