//! The proxy for hosts that the emulator doesn't answer for: opens tunnels, forwards plain HTTP requests, and gives the
//! reason if it refuses either. It doesn't read what passes through a tunnel.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{self, HeaderName};
use axum::http::uri::{PathAndQuery, Uri};
use axum::http::{HeaderMap, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use url::Url;

use super::ca::Identity;
use super::host::HostFault;
use super::leftover::ReturnedBody;
use super::listener::{HEAD_BYTES_MAX, spawn};
use super::policy::{Policy, Route};
use crate::http::Scheme;
use crate::io::client::{Client, Destination, Protocol, X_FORWARDED_PROTO};
use crate::io::connect::reach;
use crate::model::webhook::ExchangeFailure;

/// The maximum number of open tunnels. Each has its own buffers.
const TUNNELS_MAX: usize = 1_024;
/// The time limit for connecting to a host.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// Headers that concern a single connection and are not forwarded (RFC 9110 §7.6.1).
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::UPGRADE,
];

/// Forwards requests and connections to other hosts.
pub(super) struct Proxy {
    policy: Arc<Policy>,
    client: Client,
    tunnels: Arc<Semaphore>,
    /// The listener's permits: a connection to a remote host takes a descriptor, as a client connection does.
    places: Arc<Semaphore>,
}

/// The host and port that a client wants to connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    host: Box<str>,
    port: u16,
}

/// The reason the proxy refuses a request.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error(transparent)]
    Host(HostFault),
    #[error("the request has no host and port to connect to; a CONNECT needs them, such as fax.twilio.com:443")]
    NoTarget,
    #[error(
        "the proxy serves only programs on its own machine; start the emulator with --proxy-clients any to serve others"
    )]
    Client,
    #[error("{0} is not on this machine, and the emulator runs with --offline")]
    Offline(Target),
    #[error(
        "{0}: this emulator serves only faxes, accounts, numbers, messages and lookups (at api, fax, lookups and \
         monitor.twilio.com, and at the subdomains of signalwire.com); it runs with --offline, so it doesn't pass other \
         requests on to the real service"
    )]
    NotServed(Target),
    #[error(
        "--connect-to redirects {0} to plain HTTP, which a TLS client can't speak through a tunnel; call the app directly"
    )]
    PlainHttp(Target),
    #[error("{0} leads back to this proxy; connect to it directly")]
    Loop(Target),
    #[error("{TUNNELS_MAX} tunnels are open, the most that the proxy allows; close some")]
    TooMany,
    #[error("the limit on connections has been reached; close some, or allow more open files (ulimit -n)")]
    NoPlace,
    #[error("can't reach {0}: {1}")]
    Unreachable(Target, ExchangeFailure),
    #[error("the connection to {0} failed: {1}")]
    BrokeOff(Target, String),
}

impl Proxy {
    /// Creates a proxy that connects to hosts with this client.
    pub(super) fn new(policy: Arc<Policy>, client: Client, places: Arc<Semaphore>) -> Self {
        Self { policy, client, tunnels: Arc::new(Semaphore::new(TUNNELS_MAX)), places }
    }

    /// Reserves a tunnel until the permit is dropped.
    pub(super) fn permit(&self) -> Result<OwnedSemaphorePermit, Refused> {
        Arc::clone(&self.tunnels).try_acquire_owned().map_err(|_| Refused::TooMany)
    }

    /// Reserves a connection to another host until the permit is dropped.
    pub(super) fn place(&self) -> Result<OwnedSemaphorePermit, Refused> {
        Arc::clone(&self.places).try_acquire_owned().map_err(|_| Refused::NoPlace)
    }

    /// Returns the route of a tunnel to this target, or the reason this client is refused.
    pub(super) fn route_of_tunnel(&self, target: &Target, client: IpAddr) -> Result<Route, Refused> {
        let destination = self.client.destination(&target.host, target.port);
        // Through a tunnel, the client would speak TLS to an app that doesn't. Connecting to the host itself instead
        // would ignore the user's redirect.
        if destination.protocol == Protocol::PlainHttp {
            tracing::warn!(%target, "refused a tunnel to a host that --connect-to redirects to plain HTTP");
            return Err(Refused::PlainHttp(target.clone()));
        }
        self.route(target, destination, client)
    }

    /// Returns the route of a request with an absolute target, or the reason this client is refused.
    pub(super) fn route_of(&self, uri: &Uri, client: IpAddr) -> Result<Route, Refused> {
        let target = Target::of(uri).ok_or(Refused::NoTarget)?;
        self.route(&target, self.client.destination(&target.host, target.port), client)
    }

    fn route(&self, target: &Target, destination: Destination<'_>, client: IpAddr) -> Result<Route, Refused> {
        if !self.policy.serves(client) {
            tracing::warn!(%client, %target, "refused a client on another machine; --proxy-clients any allows them");
            return Err(Refused::Client);
        }
        let route = match self.policy.route(&target.host, target.port) {
            // With --connect-to, a public name may lead to an app on this machine, which --offline allows.
            Route::Offline if self.policy.is_on_this_machine(destination.host) => Route::Through,
            route @ (Route::Here | Route::Through | Route::Offline) => route,
        };
        match route {
            Route::Here => tracing::debug!(%target, "the emulator answers this connection"),
            Route::Through => tracing::debug!(%target, "this connection is passed through"),
            Route::Offline => {
                tracing::warn!(%target, "refused a connection because of --offline");
                let target = target.clone();
                let is_of_service = self.policy.is_under_service(&target.host);
                return Err(if is_of_service { Refused::NotServed(target) } else { Refused::Offline(target) });
            }
        }
        Ok(route)
    }

    /// Connects to a host, unless the host turns out to be this proxy.
    pub(super) async fn reach(&self, target: &Target) -> Result<TcpStream, Refused> {
        let unreachable = |failure| {
            tracing::warn!(%target, "{failure}");
            Refused::Unreachable(target.clone(), failure)
        };
        let Destination { host, port, .. } = self.client.destination(&target.host, target.port);
        let reached = timeout(CONNECT_MAX, reach(host, port)).await;
        let stream = reached.unwrap_or(Err(ExchangeFailure::ConnectTimeout)).map_err(unreachable)?;
        // Checked on the open connection, because any name may lead here.
        if let (Ok(local), Ok(peer)) = (stream.local_addr(), stream.peer_addr())
            && self.policy.is_self(local.ip(), peer)
        {
            tracing::warn!(%target, "a client connects to the proxy through the proxy; add this host to its NO_PROXY");
            return Err(Refused::Loop(target.clone()));
        }
        // A failure would only make the tunnel slower.
        let _ = stream.set_nodelay(true);
        Ok(stream)
    }

    /// Forwards a request to the host in its target, and the response back. Both bodies are streamed.
    pub(super) async fn forward(
        &self,
        mut request: Request<ReturnedBody<Incoming>>,
    ) -> Result<Response<Body>, Refused> {
        let target = Target::of(request.uri()).ok_or(Refused::NoTarget)?;
        let url = Url::parse(&request.uri().to_string()).map_err(|_| Refused::NoTarget)?;
        let unreachable = |failure| Refused::Unreachable(target.clone(), failure);
        let place = self.place()?;
        let stream = self.client.connect(&url, CONNECT_MAX).await.map_err(unreachable)?;
        let broke_off = |error: hyper::Error| Refused::BrokeOff(target.clone(), error.to_string());
        let mut builder = http1::Builder::new();
        builder.max_buf_size(HEAD_BYTES_MAX);
        let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(broke_off)?;
        spawn(async move {
            // Ignored, because `send_request` or the response's body reports the same error.
            let _ = connection.await;
            // Held until the connection has ended.
            drop(place);
        });
        let path = request.uri().path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        *request.uri_mut() = Uri::from(path);
        // The client's HTTP version concerns only its own connection.
        *request.version_mut() = Version::HTTP_11;
        strip(request.headers_mut());
        // A proxy replaces the Host header with the host in the target (RFC 9112 §3.2.2).
        let host = url[url::Position::BeforeHost..url::Position::AfterPort].parse().map_err(|_| Refused::NoTarget)?;
        request.headers_mut().insert(header::HOST, host);
        if self.client.replaces_tls(&url) {
            request.headers_mut().insert(X_FORWARDED_PROTO, header::HeaderValue::from_static("https"));
        }
        let mut response = sender.send_request(request).await.map_err(broke_off)?;
        strip(response.headers_mut());
        Ok(response.map(Body::new))
    }
}

/// Removes the headers that concern a single connection.
fn strip(headers: &mut HeaderMap) {
    // `Connection` lists further headers of this kind.
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in HOP_BY_HOP.iter().chain(&named) {
        headers.remove(name);
    }
}

impl Target {
    /// Returns the target of a request: the `host:port` of a CONNECT, or the host and port of an absolute URL, whose
    /// scheme implies the default port.
    pub(super) fn of(uri: &Uri) -> Option<Self> {
        let authority = uri.authority()?;
        let port = authority.port_u16().or_else(|| match uri.scheme_str()? {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        })?;
        let host = authority.host();
        (!host.is_empty()).then(|| Self { host: host.into(), port })
    }

    /// Returns the target as it appears in a URL: without the port if it is the scheme's default.
    pub(super) fn authority(&self, scheme: Scheme) -> Arc<str> {
        let own = match scheme {
            Scheme::Http => 80,
            Scheme::Https => 443,
        };
        if self.port == own { (&*self.host).into() } else { self.to_string().into() }
    }

    /// Returns the identity that a client of this target expects a certificate for.
    pub(super) fn identity(&self) -> Identity {
        let host = self.host.trim_matches(['[', ']']);
        host.parse().map_or_else(|_| Identity::Host(host.to_ascii_lowercase().into()), Identity::Machine)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl Refused {
    const fn status(&self) -> StatusCode {
        match self {
            Self::Host(_) | Self::NoTarget => StatusCode::BAD_REQUEST,
            Self::Client | Self::PlainHttp(_) | Self::Offline(_) | Self::NotServed(_) => StatusCode::FORBIDDEN,
            Self::Loop(_) => StatusCode::LOOP_DETECTED,
            Self::TooMany | Self::NoPlace => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unreachable(_, ExchangeFailure::ConnectTimeout) => StatusCode::GATEWAY_TIMEOUT,
            Self::Unreachable(..) | Self::BrokeOff(..) => StatusCode::BAD_GATEWAY,
        }
    }

    /// Returns a response that gives the reason in plain text.
    pub(super) fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(format!("fauxfax: {self}\n")));
        *response.status_mut() = self.status();
        let text = header::HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, text);
        if matches!(self, Self::Host(_)) {
            // Closed, because another server on the way might read the next bytes differently (request smuggling).
            response.headers_mut().insert(header::CONNECTION, header::HeaderValue::from_static("close"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(uri: &str) -> Option<(String, u16)> {
        let target = Target::of(&uri.parse().ok()?)?;
        Some((target.host.to_string(), target.port))
    }

    #[test]
    fn a_target_uses_the_port_it_names_or_its_schemes_default() {
        assert_eq!(target("fax.twilio.com:443"), Some(("fax.twilio.com".to_owned(), 443)));
        assert_eq!(target("[::1]:8329"), Some(("[::1]".to_owned(), 8329)));
        assert_eq!(target("http://example.com/x"), Some(("example.com".to_owned(), 80)));
        assert_eq!(target("https://example.com:8443/x"), Some(("example.com".to_owned(), 8443)));
        for none in ["fax.twilio.com", "ftp://example.com/", "/v1/Faxes", "*", "a:b", ":443"] {
            assert_eq!(target(none), None, "{none}");
        }
    }

    #[test]
    fn an_authority_includes_a_port_that_is_not_the_schemes_default() {
        let target = Target { host: "fax.twilio.com".into(), port: 443 };
        assert_eq!(&*target.authority(Scheme::Https), "fax.twilio.com");
        assert_eq!(&*target.authority(Scheme::Http), "fax.twilio.com:443");
        assert_eq!(
            Target { host: "[::1]".into(), port: 1 }.identity(),
            Identity::Machine([0, 0, 0, 0, 0, 0, 0, 1].into())
        );
    }

    #[test]
    fn connection_headers_are_not_forwarded() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "x-mine, keep-alive"),
            ("x-mine", "1"),
            ("proxy-authorization", "Basic x"),
            ("proxy-connection", "keep-alive"),
            ("accept", "*/*"),
        ] {
            headers.insert(name, value.parse().expect("a value"));
        }
        strip(&mut headers);
        assert_eq!(headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["accept"]);
    }
}
