//! The HTTP client's options: where requests really go, which certificates are trusted, which headers are sent, and
//! which content types are accepted for TwiML.

use std::net::SocketAddr;
use std::str::FromStr;

use url::{Host, Url};

use super::budget::Budget;
use crate::model::account::{SignatureHeaders, TwimlTypes};

/// The port of an `http` URL that names none.
const HTTP_PORT: u16 = 80;

/// The options for reaching apps and trusting their certificates.
#[derive(Debug, Clone, Default)]
pub struct ClientOptions {
    /// Hosts to connect to instead of the hosts in URLs.
    pub connect_to: Vec<ConnectTo>,
    /// PEM certificates that are trusted in addition to the public roots.
    pub trust_ca: Vec<Vec<u8>>,
    /// Whether any certificate is accepted, even an invalid one.
    pub insecure: bool,
    /// Whether webhooks carry a W3C `traceparent` header.
    pub traceparent: bool,
    /// The addresses that the emulator itself listens on. Requests to its control API there are refused.
    pub own_addresses: Vec<SocketAddr>,
    /// Whether only apps on this machine or in a private network may be reached, whatever a name resolves to and
    /// wherever a redirect leads.
    pub private_only: bool,
    /// The policy for TwiML's content types.
    pub twiml_types: TwimlTypes,
    /// The choice of headers for a SignalWire account's webhook signature.
    pub signature_headers: SignatureHeaders,
    /// The memory budget that responses are charged to, shared with the server.
    pub budget: Budget,
}

/// The reason the client can't be created.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// A certificate given with `--trust-ca` can't be read.
    #[error("--trust-ca: {0}")]
    BadCertificate(String),
    /// The TLS library rejects its own defaults.
    #[error("TLS can't be set up: {0}")]
    Tls(String),
}

/// A host to connect to in place of that in URLs, as with curl's `--connect-to`. The URL, the `Host` header and the
/// signature stay the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectTo {
    from: Place,
    to: Place,
    protocol: Protocol,
}

/// The protocol spoken on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// The protocol that the URL's scheme names: TLS for `https`.
    OfUrl,
    /// HTTP without TLS, even for `https`: the app's TLS ends at a tunnel or a hosting platform in front of it.
    PlainHttp,
}

/// The place that a connection really goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Destination<'a> {
    /// The host to resolve.
    pub(crate) host: &'a str,
    /// The TCP port.
    pub(crate) port: u16,
    /// The protocol to speak there.
    pub(crate) protocol: Protocol,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    host: String,
    port: Option<u16>,
}

/// The reason a string isn't a valid `FROM=TO` value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConnectToError {
    /// The value has no equals sign.
    #[error("there is no =")]
    NoEquals,
    /// One side is neither a host nor a host and a port.
    #[error("{0} is not a host or host:port")]
    NoHost(&'static str),
    /// TO is a URL with a scheme other than `http`.
    #[error("TO may begin with http://, for an app without TLS, but with no other scheme")]
    Scheme,
}

impl FromStr for ConnectTo {
    type Err = ConnectToError;

    fn from_str(text: &str) -> Result<Self, ConnectToError> {
        let (from, to) = text.split_once('=').ok_or(ConnectToError::NoEquals)?;
        let from = Place::parse(from).ok_or(ConnectToError::NoHost("FROM"))?;
        let (protocol, to) = match to.split_once("://") {
            None => (Protocol::OfUrl, to),
            Some((scheme, authority)) if scheme.eq_ignore_ascii_case("http") => {
                (Protocol::PlainHttp, authority.strip_suffix('/').unwrap_or(authority))
            }
            Some(_) => return Err(ConnectToError::Scheme),
        };
        let mut to = Place::parse(to).ok_or(ConnectToError::NoHost("TO"))?;
        if protocol == Protocol::PlainHttp {
            to.port.get_or_insert(HTTP_PORT);
        }
        Ok(Self { from, to, protocol })
    }
}

impl ConnectTo {
    /// Returns the destination to connect to instead of this host and port; `None` if `FROM` is another.
    pub(crate) fn instead_of(&self, host: &str, port: u16) -> Option<Destination<'_>> {
        let applies = self.from.host.eq_ignore_ascii_case(host) && self.from.port.is_none_or(|from| from == port);
        // If `TO` has no port, the URL's port stays.
        let port = self.to.port.unwrap_or(port);
        applies.then_some(Destination { host: &self.to.host, port, protocol: self.protocol })
    }
}

impl Place {
    fn parse(text: &str) -> Option<Self> {
        // A URL's authority has the same syntax, so the URL parser checks names and IPv6 brackets.
        let is_plain = !text.is_empty() && !text.contains(['/', '@', '?', '#', '\\']) && text.is_ascii();
        let url = Url::parse(&format!("fauxfax://{text}")).ok().filter(|_| is_plain)?;
        let host = Host::parse(url.host_str()?).ok()?.to_string();
        Some(Self { host, port: url.port() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connect_to_names_two_hosts_with_or_without_ports() {
        let place = |host: &str, port| Place { host: host.to_owned(), port };
        let rule = |from, to, protocol| Ok(ConnectTo { from, to, protocol });
        let parsed = "localhost=host.docker.internal".parse();
        assert_eq!(parsed, rule(place("localhost", None), place("host.docker.internal", None), Protocol::OfUrl));
        let parsed = "app.test:443=[::1]:8443".parse();
        assert_eq!(parsed, rule(place("app.test", Some(443)), place("[::1]", Some(8443)), Protocol::OfUrl));
    }

    #[test]
    fn connect_to_an_http_url_means_no_tls() {
        let app = |port| Destination { host: "localhost", port, protocol: Protocol::PlainHttp };
        for (text, port) in [
            ("app.example.com:443=http://localhost:3000", 3000),
            ("app.example.com=HTTP://localhost:3000/", 3000),
            ("app.example.com:443=http://localhost", HTTP_PORT),
        ] {
            let rule: ConnectTo = text.parse().expect(text);
            assert_eq!(rule.instead_of("App.example.com", 443), Some(app(port)), "{text}");
            assert_eq!(rule.instead_of("other.example.com", 443), None, "{text}");
        }
        assert_eq!("a=https://b".parse::<ConnectTo>(), Err(ConnectToError::Scheme));
        assert_eq!("a=http://b/path".parse::<ConnectTo>(), Err(ConnectToError::NoHost("TO")));
    }

    #[test]
    fn connect_to_without_hosts_is_refused() {
        for bad in ["localhost", "=", "a=", "=b", "http://a=b", "a=b/c", "a:99999=b", "a=b@c"] {
            assert!(bad.parse::<ConnectTo>().is_err(), "{bad}");
        }
    }
}
