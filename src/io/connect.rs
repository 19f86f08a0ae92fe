//! Makes connections: resolves a URL's host, connects over TCP within a time limit, and adds TLS if the scheme requires
//! it.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Url;

use super::options::{ClientError, ClientOptions, ConnectTo, Destination, Protocol};
use super::own::{OwnPorts, is_control};
use super::stream::Stream;
use super::tls::Tls;
use crate::model::webhook::ExchangeFailure;

/// The time limit for connecting to an address if there is another one to try. An address that doesn't respond must
/// leave time for the next one, even within SignalWire's limit of two seconds.
const ATTEMPT_MAX: Duration = Duration::from_millis(800);
/// The time limit for connecting to the last address of a host.
const LAST_ATTEMPT_MAX: Duration = Duration::from_secs(5);

/// The addresses that `localhost` and its subdomains stand for.
const LOOPBACK: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// Makes connections according to the client's options.
#[derive(Clone)]
pub(super) struct Connector {
    connect_to: Arc<[ConnectTo]>,
    own: OwnPorts,
    private_only: bool,
    tls: Tls,
}

impl Connector {
    pub(super) fn new(options: &ClientOptions) -> Result<Self, ClientError> {
        let tls = Tls::new(&options.trust_ca, options.insecure)?;
        let own = OwnPorts::new(&options.own_addresses);
        let connect_to = options.connect_to.as_slice().into();
        Ok(Self { connect_to, own, private_only: options.private_only, tls })
    }

    /// Connects to the URL's host, or to the host that `--connect-to` puts in its place.
    pub(super) async fn connect(&self, url: &Url, patience: Duration) -> Result<Stream, ExchangeFailure> {
        let port = url.port_or_known_default().unwrap_or(80);
        let Destination { host, port, protocol } = self.destination(url.host_str().unwrap_or_default(), port);
        let stream = timeout(patience, reach_allowed(host, port, self.private_only))
            .await
            .unwrap_or(Err(ExchangeFailure::ConnectTimeout))?;
        // Checked on the open connection, so that no other name for this machine can circumvent the check.
        let ends = stream.local_addr().and_then(|local| Ok((local.ip(), stream.peer_addr()?)));
        if is_control(url.path()) && ends.is_ok_and(|(local, peer)| self.own.lead_here(local, peer)) {
            let why = ExchangeFailure::OWN_CONTROL_API;
            return Err(ExchangeFailure::InvalidUrl(format!("{}: {why}", url.path())));
        }
        // Requests are small, so they are sent without delay. A failure of this call would only make them slower.
        let _ = stream.set_nodelay(true);
        if url.scheme() == "http" || protocol == Protocol::PlainHttp {
            return Ok(Box::new(stream));
        }
        self.tls.connect(url, stream).await
    }

    /// Returns whether an `https` URL is requested over plain HTTP, because TLS ends in front of the app.
    pub(super) fn replaces_tls(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or(80);
        url.scheme() == "https" && self.destination(host, port).protocol == Protocol::PlainHttp
    }

    /// Returns the place where a host and port are really reached: the first matching `--connect-to` decides.
    pub(super) fn destination<'a>(&'a self, host: &'a str, port: u16) -> Destination<'a> {
        let replaced = self.connect_to.iter().find_map(|rule| rule.instead_of(host, port));
        replaced.unwrap_or(Destination { host, port, protocol: Protocol::OfUrl })
    }
}

/// Tries a host's addresses one after another, and connects to the first that accepts.
pub(crate) async fn reach(host: &str, port: u16) -> Result<TcpStream, ExchangeFailure> {
    reach_allowed(host, port, false).await
}

/// Does the same as [`reach`], but fails if one of the addresses is public and only private ones are allowed. The
/// addresses are resolved once, so those that are checked are also those that are connected to.
async fn reach_allowed(host: &str, port: u16, private_only: bool) -> Result<TcpStream, ExchangeFailure> {
    let unknown = || ExchangeFailure::BadHostName(host.to_owned());
    let addresses: Vec<SocketAddr> = if is_loopback_name(host) {
        LOOPBACK.map(|ip| SocketAddr::new(ip, port)).to_vec()
    } else {
        let found = tokio::net::lookup_host((host.trim_matches(['[', ']']), port)).await;
        found.map_err(|_| unknown())?.collect()
    };
    if let Some(public) = addresses.iter().find(|address| private_only && !is_private(address.ip())) {
        return Err(ExchangeFailure::InvalidUrl(format!("{host} is at the public address {}", public.ip())));
    }
    first_that_accepts(&addresses, unknown()).await
}

/// Tries addresses one after another. Fails with `failure` if there are none.
async fn first_that_accepts(
    addresses: &[SocketAddr],
    mut failure: ExchangeFailure,
) -> Result<TcpStream, ExchangeFailure> {
    for (index, address) in addresses.iter().enumerate() {
        let limit = if index + 1 == addresses.len() { LAST_ATTEMPT_MAX } else { ATTEMPT_MAX };
        match timeout(limit, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            // One address may refuse while another is unreachable, such as ::1 without IPv6. A refusal is the more
            // helpful error.
            Ok(Err(_)) | Err(_) if failure == ExchangeFailure::ConnectionRefused => {}
            Ok(Err(error)) => {
                failure = if error.kind() == ErrorKind::ConnectionRefused {
                    ExchangeFailure::ConnectionRefused
                } else if error.kind() == ErrorKind::TimedOut {
                    ExchangeFailure::ConnectTimeout
                } else {
                    ExchangeFailure::ConnectionFailure(error.to_string())
                };
            }
            Err(_) => failure = ExchangeFailure::ConnectTimeout,
        }
    }
    Err(failure)
}

/// Returns whether an address belongs to this machine or to a private network (RFC 1918, RFC 4193). Link-local
/// addresses don't count, because clouds serve secrets at one of them.
pub(crate) fn is_private(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private() || ip.is_unspecified(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unspecified(),
    }
}

/// Returns whether a name means this machine (RFC 6761 §6.3). Such names aren't looked up, because some resolvers don't
/// know subdomains of `localhost`.
fn is_loopback_name(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_under_localhost_mean_this_machine() {
        for name in ["localhost", "app.localhost", "a.b.LocalHost", "app.localhost."] {
            assert!(is_loopback_name(name), "{name}");
        }
        for name in ["localhost.test", "mylocalhost", "app.local", "127.0.0.1", ""] {
            assert!(!is_loopback_name(name), "{name}");
        }
    }

    #[test]
    fn loopback_and_private_addresses_are_private_and_all_others_are_not() {
        for ip in ["127.0.0.1", "127.9.9.9", "::1", "10.0.0.1", "172.31.0.1", "192.168.1.1", "fd00::1", "0.0.0.0"] {
            assert!(is_private(ip.parse().expect("an address")), "{ip}");
        }
        for ip in ["8.8.8.8", "172.32.0.1", "169.254.169.254", "2001:db8::1", "fe80::1", "::ffff:8.8.8.8"] {
            assert!(!is_private(ip.parse().expect("an address")), "{ip}");
        }
    }

    #[tokio::test]
    async fn an_address_that_does_not_respond_leaves_time_for_the_next_one() {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.bind(([127, 0, 0, 1], 0).into()).expect("a port");
        let full = socket.listen(1).expect("a listener");
        let silent = full.local_addr().expect("an address");
        // The kernel drops further connections once the backlog is full.
        let mut held = Vec::new();
        while let Ok(stream) = timeout(Duration::from_millis(300), TcpStream::connect(silent)).await {
            held.push(stream.expect("a connection"));
            assert!(held.len() < 64, "the backlog never fills");
        }
        let good = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let addresses = [silent, good.local_addr().expect("an address")];
        let reached = timeout(Duration::from_secs(2), first_that_accepts(&addresses, ExchangeFailure::ConnectTimeout));
        let stream = reached.await.expect("within SignalWire's limit").expect("the second address accepts");
        assert_eq!(stream.peer_addr().ok(), Some(addresses[1]));
    }

    #[tokio::test]
    async fn an_app_under_localhost_is_reached_on_either_loopback_address() {
        for ip in LOOPBACK {
            // The machine may lack IPv6.
            let Ok(listener) = tokio::net::TcpListener::bind((ip, 0)).await else { continue };
            let port = listener.local_addr().expect("an address").port();
            reach("tenant-1.app.localhost", port).await.expect("it is this machine");
        }
    }
}
