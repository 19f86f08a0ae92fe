//! Keeps webhooks and fetches away from the emulator's own control API, by whatever name it is addressed.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use percent_encoding::percent_decode_str;

/// The root of all paths that control the emulator.
pub const CONTROL_ROOT: &str = "/_fauxfax";
/// The sample documents below it. They are harmless, and a fax may be sent from their URLs.
const SAMPLES: &str = "/_fauxfax/v1/samples";

/// The ports that the emulator listens on.
#[derive(Debug, Clone, Default)]
pub(super) struct OwnPorts(Arc<[u16]>);

impl OwnPorts {
    pub(super) fn new(listening: &[SocketAddr]) -> Self {
        Self(listening.iter().map(SocketAddr::port).collect())
    }

    /// Whether a connection leads back to the emulator. The addresses of its two ends decide, so no other name for this
    /// machine gets around the check.
    pub(super) fn lead_here(&self, local: IpAddr, peer: SocketAddr) -> bool {
        let (local, remote) = (local.to_canonical(), peer.ip().to_canonical());
        let is_this_machine = local == remote || (local.is_loopback() && remote.is_loopback());
        is_this_machine && self.0.contains(&peer.port())
    }
}

/// Whether a path leads to the control API, even if it is percent-encoded or has dot segments.
#[must_use]
pub(super) fn is_control(path: &str) -> bool {
    let path = percent_decode_str(path).decode_utf8_lossy();
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    // Any segment counts: servers differ in how they resolve dot segments and doubled slashes.
    segments.any(|segment| Some(segment) == CONTROL_ROOT.strip_prefix('/')) && !is_sample(&path)
}

/// Whether a path is that of a sample document, which anyone may read.
#[must_use]
pub fn is_sample(path: &str) -> bool {
    is_below(path, SAMPLES) && !path.contains("/.")
}

/// Whether a path is `root` or below it.
#[must_use]
pub fn is_below(path: &str, root: &str) -> bool {
    path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_control_api_is_recognized_however_its_path_is_written() {
        for path in [
            "/_fauxfax/v1/reset",
            "//_fauxfax/v1/reset",
            "/%5ffauxfax/v1/reset",
            "/x/../_fauxfax/v1/reset",
            "/_fauxfax",
            "/_fauxfax/v1/samples/../reset",
        ] {
            assert!(is_control(path), "{path}");
        }
        for path in ["/v1/Faxes", "/fax?next=/_fauxfax", "/a_fauxfax/v1", "/_fauxfax/v1/samples/letter.pdf"] {
            assert!(!is_control(path.split('?').next().unwrap_or_default()), "{path}");
        }
    }

    #[test]
    fn a_connection_to_an_own_port_leads_here_by_any_address_of_this_machine() {
        let own = OwnPorts::new(&[SocketAddr::from(([0, 0, 0, 0], 8329))]);
        let at = |text: &str| text.parse::<SocketAddr>().expect("an address");
        for (local, peer) in [
            ("127.0.0.1", "127.0.0.1:8329"),
            ("127.0.0.1", "127.8.0.1:8329"),
            ("::1", "[::1]:8329"),
            ("::ffff:127.0.0.1", "[::ffff:127.0.0.1]:8329"),
            ("10.0.0.5", "10.0.0.5:8329"),
        ] {
            assert!(own.lead_here(local.parse().expect("an address"), at(peer)), "{peer}");
        }
        for (local, peer) in [("127.0.0.1", "127.0.0.1:3000"), ("10.0.0.5", "10.0.0.6:8329")] {
            assert!(!own.lead_here(local.parse().expect("an address"), at(peer)), "{peer}");
        }
    }
}
