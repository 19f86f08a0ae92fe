//! Handles the requests that the emulator would make to itself. Those to the control API are refused, whatever host
//! name they use, and those to a bin are answered within the process.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use url::Url;

use crate::dialect::hosts::is_service;
use crate::dialect::twiml_bin::bin_at_end;
use crate::model::sid::TwimlBinSid;

/// The root of the control API's paths.
pub const CONTROL_ROOT: &str = "/_fauxfax";
/// The root of the control API's paths in its present version.
pub const CONTROL_BASE: &str = "/_fauxfax/v1";
/// The path of the Model Context Protocol, whose tools control the emulator too.
pub const MCP_PATH: &str = "/mcp";
/// The root of the sample documents' paths. The samples are harmless, and a fax may be sent from their URLs.
const SAMPLES: &str = "/_fauxfax/v1/samples";

/// The ports that the emulator listens on.
#[derive(Debug, Clone, Default)]
pub(super) struct OwnPorts(Arc<[u16]>);

impl OwnPorts {
    pub(super) fn new(listening: &[SocketAddr]) -> Self {
        Self(listening.iter().map(SocketAddr::port).collect())
    }

    /// Returns whether a connection leads back to the emulator. The addresses of both ends decide, so no other name for
    /// this machine can circumvent the check.
    pub(super) fn lead_here(&self, local: IpAddr, peer: SocketAddr) -> bool {
        let (local, remote) = (local.to_canonical(), peer.ip().to_canonical());
        let is_this_machine = local == remote || (local.is_loopback() && remote.is_loopback());
        is_this_machine && self.0.contains(&peer.port())
    }
}

/// The host names that the emulator answers to.
#[derive(Debug, Clone, Default)]
pub struct OwnNames {
    allowed: Arc<[String]>,
    public: Option<Arc<str>>,
}

impl OwnNames {
    /// Creates the set of names: the built-in ones, those added by `--allow-host`, and the host of `--public-url`.
    #[must_use]
    pub fn new(allowed: &[String], public_url: Option<&str>) -> Self {
        let public = public_url.and_then(|url| Url::parse(url).ok()).and_then(|url| url.host_str().map(Arc::from));
        Self { allowed: allowed.into(), public }
    }

    /// Returns the bin that a URL leads to, if its host is one of the emulator's names. The port doesn't matter,
    /// because a container may publish the emulator under a different port.
    pub(super) fn bin_at(&self, url: &str) -> Option<TwimlBinSid> {
        let url = Url::parse(url).ok()?;
        let name = url.host_str()?.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
        let is_own = name.parse::<IpAddr>().is_ok()
            || is_own_name(&name)
            || self.allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(&name))
            || self.public.as_deref().is_some_and(|public| public.eq_ignore_ascii_case(&name));
        bin_at_end(url.path()).filter(|_| is_own)
    }
}

/// Returns whether the emulator answers to a name, given in lower case, without being configured to. It does so for the
/// hosts that it emulates, and for names that nobody else can register and point at this machine: `localhost`,
/// `*.localhost`, `*.internal`, `*.test` (RFC 6761: never in the public DNS), and single labels such as the name of a
/// Compose service.
#[must_use]
pub fn is_own_name(name: &str) -> bool {
    name == "localhost"
        || name.ends_with(".localhost")
        || name.ends_with(".internal")
        || name.ends_with(".test")
        || !name.contains('.')
        || is_service(name)
}

/// Returns whether a path belongs to the control API or to the tools of the Model Context Protocol, with which a caller
/// controls the emulator. Percent-encoded paths and dot segments are recognised, too.
#[must_use]
pub(super) fn is_control(path: &str) -> bool {
    let path = percent_decode_str(path).decode_utf8_lossy();
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    // Any segment counts: servers differ in how they resolve dot segments and doubled slashes.
    let roots = [CONTROL_ROOT, MCP_PATH].map(|root| root.strip_prefix('/'));
    segments.any(|segment| roots.contains(&Some(segment))) && !is_sample(&path)
}

/// Returns whether a path belongs to a sample document, which anyone may read.
#[must_use]
pub fn is_sample(path: &str) -> bool {
    // Dot segments could lead from the samples to other paths.
    is_below(path, SAMPLES) && !path.contains("/.")
}

/// Returns whether a path is `root` or lies under it.
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
            "/mcp",
            "//mcp/",
            "/x/../%6dcp",
        ] {
            assert!(is_control(path), "{path}");
        }
        for path in ["/v1/Faxes", "/fax?next=/_fauxfax", "/a_fauxfax/v1", "/mcps", "/_fauxfax/v1/samples/letter.pdf"] {
            assert!(!is_control(path.split('?').next().unwrap_or_default()), "{path}");
        }
    }

    #[test]
    fn a_bin_is_the_emulators_own_under_any_name_it_answers_to() {
        let names = OwnNames::new(&["fax.example.com".to_owned()], Some("https://public.example.com:8443/x"));
        let path = "/laml-bins/831455c6-574e-4d8b-b6ee-2418140bf4cd";
        for origin in [
            "http://localhost:8329",
            "http://127.0.0.1:9999",
            "https://[::1]",
            "http://fauxfax:8329",
            "http://user:p@fax.EXAMPLE.com.",
            "https://public.example.com",
            "https://public.example.com/base",
        ] {
            assert!(names.bin_at(&format!("{origin}{path}?x=1#rc=2")).is_some(), "{origin}");
        }
        for url in [format!("http://example.com{path}"), path.to_owned()] {
            assert_eq!(names.bin_at(&url), None, "{url}");
        }
    }

    #[test]
    fn a_connection_to_our_own_port_leads_here_via_any_local_address() {
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
