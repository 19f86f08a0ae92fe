//! Decides for which hosts the emulator itself answers connections and presents certificates, which connections the
//! proxy passes through to the real host, and which it refuses. This module itself opens no connections.

use std::net::{IpAddr, SocketAddr};

use crate::config::{Config, ProxyClients};
use crate::dialect::hosts::{is_service, is_under_service};

/// The domains for which the local CA may sign, as its certificate states: if its key leaks, certificates for other
/// domains can't be forged. They are the domains of the services, and those in which `--allow-host` and `--public-url`
/// can give the emulator a name that works with TLS. All of `internal` would be too broad, because companies and clouds
/// have hosts there.
pub const PERMITTED: [&str; 8] = [
    SERVICE_DOMAINS[0],
    SERVICE_DOMAINS[1],
    SERVICE_DOMAINS[2],
    "localhost",
    "fauxfax",
    "docker.internal",
    "containers.internal",
    "test",
];
/// The domains of the emulated services.
pub const SERVICE_DOMAINS: [&str; 3] = ["twilio.com", "media.twiliocdn.com", "signalwire.com"];
/// The emulator's usual host name in a container network.
const CONTAINER_NAME: &str = "fauxfax";

/// The way in which the proxy handles a connection that a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// The emulator itself answers the connection.
    Here,
    /// The connection is passed through to the host, unread.
    Through,
    /// The connection would leave this machine, which `--offline` forbids.
    Offline,
}

/// The rules for which clients may use the proxy, and for routing their connections.
#[derive(Debug, Clone)]
pub struct Policy {
    own_names: Vec<String>,
    own_ports: Vec<u16>,
    offline: bool,
    clients: ProxyClients,
}

impl Policy {
    /// Returns the policy of this configuration, for an emulator that listens on these addresses.
    #[must_use]
    pub fn new(config: &Config, listening: &[SocketAddr]) -> Self {
        let public = config.public_url.as_deref().and_then(|url| url.parse::<url::Url>().ok());
        let public = public.and_then(|url| url.host_str().map(str::to_owned));
        let named = config.allow_hosts.iter().cloned().chain(public).chain([CONTAINER_NAME.to_owned()]);
        Self {
            // A name outside `PERMITTED` may lead to something else, such as a reverse proxy in front of the emulator.
            own_names: named.map(|name| normal(&name)).filter(|name| is_permitted(name)).collect(),
            own_ports: listening.iter().map(SocketAddr::port).collect(),
            offline: config.offline,
            clients: config.proxy_clients,
        }
    }

    /// Returns the route of a connection to this host and port.
    #[must_use]
    pub fn route(&self, host: &str, port: u16) -> Route {
        let host = normal(host);
        if is_service(&host) || self.own_names.contains(&host) {
            return Route::Here;
        }
        if is_this_machine(&host) {
            // Other ports of this machine belong to the user's own services, which `--offline` doesn't affect.
            return if self.own_ports.contains(&port) { Route::Here } else { Route::Through };
        }
        if self.offline { Route::Offline } else { Route::Through }
    }

    /// Returns whether a host is `localhost`, a subdomain of it, a loopback address, or an unspecified address such as
    /// 0.0.0.0. Other names and addresses of this machine aren't recognised.
    #[must_use]
    pub fn is_on_this_machine(&self, host: &str) -> bool {
        is_this_machine(&normal(host))
    }

    /// Returns whether a host belongs to one of the services, whether the emulator answers for it or not.
    #[must_use]
    pub fn is_under_service(&self, host: &str) -> bool {
        is_under_service(&normal(host))
    }

    /// Returns whether a TLS client that asks for this host may get a certificate for it.
    #[must_use]
    pub fn answers_for(&self, host: &str) -> bool {
        let host = normal(host);
        is_service(&host) || self.own_names.contains(&host) || is_localhost(&host)
    }

    /// Returns whether the proxy serves a client with this address.
    #[must_use]
    pub fn serves(&self, client: IpAddr) -> bool {
        self.clients == ProxyClients::Any || client.to_canonical().is_loopback()
    }

    /// Returns whether a connection from `local` to `peer` leads back to the emulator, on a port that it listens on.
    #[must_use]
    pub fn is_self(&self, local: IpAddr, peer: SocketAddr) -> bool {
        // A socket for both IP versions shows IPv4 addresses as IPv6 ones.
        let (local, remote) = (local.to_canonical(), peer.ip().to_canonical());
        // A connection from this machine to itself has the same address at both ends, or two loopback addresses.
        let same_machine = local == remote || (local.is_loopback() && remote.is_loopback());
        same_machine && self.own_ports.contains(&peer.port())
    }
}

/// Returns whether a host is one of [`PERMITTED`], or a subdomain of one, so that the CA may sign for it.
#[must_use]
pub fn is_permitted(host: &str) -> bool {
    PERMITTED.iter().any(|name| host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}

/// Returns a host in lower case, without the trailing dot of a full name or the brackets of an address.
fn normal(host: &str) -> String {
    host.trim_end_matches('.').trim_matches(['[', ']']).to_ascii_lowercase()
}

fn is_localhost(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost")
}

fn is_this_machine(host: &str) -> bool {
    let of_this_machine = |ip: IpAddr| ip.to_canonical().is_loopback() || ip.is_unspecified();
    is_localhost(host) || host.parse().is_ok_and(of_this_machine)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(change: impl FnOnce(&mut Config)) -> Policy {
        let mut config = Config::default();
        change(&mut config);
        Policy::new(&config, &[config.listen])
    }

    const SERVICE: [&str; 12] = [
        "fax.twilio.com",
        "API.Twilio.com",
        "monitor.twilio.com.",
        "lookups.twilio.com",
        "lookups.ie1.twilio.com",
        "fax.us1.twilio.com",
        "fax.sydney.au1.twilio.com",
        "api.dublin.ie1.twilio.com",
        "media.twiliocdn.com",
        "example.signalwire.com",
        "Files.SignalWire.com",
        "a.b.signalwire.com",
    ];
    const OTHERS: [&str; 15] = [
        "example.com",
        "twilio.com",
        "www.twilio.com",
        "verify.twilio.com",
        "fax.a.b.c.twilio.com",
        "fax.twilio.com.example.com",
        "evilfax.twilio.com",
        "fax-twilio.com",
        "eviltwilio.com",
        "signalwire.com",
        "evilsignalwire.com",
        "twiliocdn.com",
        "db",
        "db.internal",
        "10.0.0.1",
    ];

    #[test]
    fn the_emulator_answers_for_the_services_hosts_and_others_pass_through() {
        let policy = policy(|_| ());
        for host in SERVICE {
            assert_eq!(policy.route(host, 443), Route::Here, "{host}");
        }
        for host in OTHERS {
            assert_eq!(policy.route(host, 443), Route::Through, "{host}");
        }
    }

    #[test]
    fn no_certificate_is_presented_for_a_host_that_passes_through() {
        let policy = policy(|config| config.allow_hosts = vec!["fax.test".to_owned(), "ci.example".to_owned()]);
        for host in OTHERS.into_iter().chain(["ci.example", "x.fax.test", ""]) {
            assert_eq!((policy.route(host, 443), policy.answers_for(host)), (Route::Through, false), "{host}");
        }
        for host in SERVICE.into_iter().chain(["fax.test", "FAX.test", "fauxfax", "localhost", "a.localhost"]) {
            assert!(policy.answers_for(host), "{host}");
        }
    }

    #[test]
    fn in_offline_mode_nothing_leaves_this_machine() {
        let policy = policy(|config| config.offline = true);
        for host in OTHERS {
            assert_eq!(policy.route(host, 443), Route::Offline, "{host}");
        }
        for host in ["localhost", "127.0.0.1", "[::1]", "127.8.0.1", "app.localhost", "::ffff:127.0.0.1"] {
            assert_eq!(policy.route(host, 3000), Route::Through, "{host}");
        }
        assert_eq!(policy.route("fax.twilio.com", 443), Route::Here);
    }

    #[test]
    fn hosts_of_other_products_belong_to_the_services_but_lookalikes_do_not() {
        let policy = policy(|_| ());
        let theirs =
            ["example.com", "fax.twilio.com.example.com", "fax-twilio.com", "eviltwilio.com", "evilsignalwire.com"];
        for host in theirs.into_iter().chain(["twiliocdn.com", "db", "db.internal", "10.0.0.1", ""]) {
            assert!(!policy.is_under_service(host), "{host}");
        }
        for host in ["twilio.com", "www.twilio.com", "Video.Twilio.com.", "fax.a.b.c.twilio.com", "signalwire.com"] {
            assert!(policy.is_under_service(host) && policy.route(host, 443) == Route::Through, "{host}");
        }
    }

    #[test]
    fn the_emulator_answers_on_its_own_port_of_this_machine() {
        let policy = policy(|_| ());
        for host in ["localhost", "127.0.0.1", "::1", "0.0.0.0"] {
            assert_eq!((policy.route(host, 8329), policy.route(host, 80)), (Route::Here, Route::Through), "{host}");
        }
        let at = |ip: [u8; 4], port| SocketAddr::from((ip, port));
        assert!(policy.is_self([10, 0, 0, 5].into(), at([10, 0, 0, 5], 8329)));
        assert!(!policy.is_self([10, 0, 0, 5].into(), at([10, 0, 0, 6], 8329)));
        assert!(!policy.is_self([10, 0, 0, 5].into(), at([10, 0, 0, 5], 80)));
    }

    #[test]
    fn an_ipv4_address_is_recognised_in_its_ipv6_form_too() {
        let policy = policy(|_| ());
        for (local, peer, is_self) in [
            ("::ffff:127.0.0.1", "[::ffff:127.8.0.1]:8329", true),
            ("127.0.0.1", "[::ffff:127.8.0.1]:8329", true),
            ("::ffff:10.0.0.5", "10.0.0.5:8329", true),
            ("::ffff:10.0.0.5", "[::ffff:10.0.0.6]:8329", false),
        ] {
            let addresses = (local.parse().expect("an address"), peer.parse().expect("an address"));
            assert_eq!(policy.is_self(addresses.0, addresses.1), is_self, "{local} {peer}");
        }
    }

    #[test]
    fn only_programs_on_this_machine_may_use_the_proxy_by_default() {
        let clients: [IpAddr; 3] =
            [[127, 0, 0, 1].into(), "::ffff:127.0.0.1".parse().expect("an address"), [10, 0, 0, 1].into()];
        assert_eq!(clients.map(|client| policy(|_| ()).serves(client)), [true, true, false]);
        let anyone = policy(|config| config.proxy_clients = ProxyClients::Any);
        assert_eq!(clients.map(|client| anyone.serves(client)), [true; 3]);
    }
}
