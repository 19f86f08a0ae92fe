//! How requests to apps are made: where they really go, whom they trust, what they may take.

use std::net::SocketAddr;
use std::str::FromStr;

use url::{Host, Url};

use super::budget::Budget;
use crate::model::account::TwimlTypes;

/// How the client reaches and trusts apps.
#[derive(Debug, Clone, Default)]
pub struct ClientOptions {
    /// Where requests for a host really go.
    pub connect_to: Vec<ConnectTo>,
    /// Certificates in PEM that are trusted besides the public roots.
    pub trust_ca: Vec<Vec<u8>>,
    /// Take any certificate.
    pub insecure: bool,
    /// Have webhooks carry a W3C `traceparent`.
    pub traceparent: bool,
    /// Where the emulator itself listens: no request is made to its control API there.
    pub own_addresses: Vec<SocketAddr>,
    /// With which content types TwiML is taken.
    pub twiml_types: TwimlTypes,
    /// What bytes in flight are taken out of: those of answers, and those of whoever shares it.
    pub budget: Budget,
}

/// Why there is no client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// A trusted certificate can't be read.
    #[error("--trust-ca: {0}")]
    BadCertificate(String),
    /// The TLS library refuses its own defaults.
    #[error("TLS can't be set up: {0}")]
    Tls(String),
}

/// Where requests for a host really go, as with curl's option of this name; URL, `Host` and signature stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectTo {
    from: Place,
    to: Place,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    host: String,
    port: Option<u16>,
}

/// What is wrong with a `FROM=TO`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConnectToError {
    /// No `=`.
    #[error("there is no =")]
    NoEquals,
    /// One side is no host, or no host and port.
    #[error("{0} is no host or host:port")]
    NoHost(&'static str),
}

impl FromStr for ConnectTo {
    type Err = ConnectToError;

    fn from_str(text: &str) -> Result<Self, ConnectToError> {
        let (from, to) = text.split_once('=').ok_or(ConnectToError::NoEquals)?;
        let from = Place::parse(from).ok_or(ConnectToError::NoHost("FROM"))?;
        let to = Place::parse(to).ok_or(ConnectToError::NoHost("TO"))?;
        Ok(Self { from, to })
    }
}

impl ConnectTo {
    /// Where a request for this host and port goes; `None` where it is about another.
    pub(super) fn instead_of(&self, host: &str, port: u16) -> Option<(&str, u16)> {
        let is_meant = self.from.host == host && self.from.port.is_none_or(|from| from == port);
        is_meant.then(|| (self.to.host.as_str(), self.to.port.unwrap_or(port)))
    }
}

impl Place {
    fn parse(text: &str) -> Option<Self> {
        // A URL's authority has the same form; parsed as one, IPv6 brackets and names are checked.
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
    fn a_connect_to_names_two_hosts_with_or_without_ports() {
        let place = |host: &str, port| Place { host: host.to_owned(), port };
        let parsed = "localhost=host.docker.internal".parse();
        assert_eq!(parsed, Ok(ConnectTo { from: place("localhost", None), to: place("host.docker.internal", None) }));
        let parsed = "app.test:443=[::1]:8443".parse();
        assert_eq!(parsed, Ok(ConnectTo { from: place("app.test", Some(443)), to: place("[::1]", Some(8443)) }));
    }

    #[test]
    fn a_connect_to_that_names_no_hosts_is_refused() {
        for bad in ["localhost", "=", "a=", "=b", "http://a=b", "a=b/c", "a:99999=b", "a=b@c"] {
            assert!(bad.parse::<ConnectTo>().is_err(), "{bad}");
        }
    }
}
