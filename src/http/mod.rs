//! The HTTP layer: routes, authentication, and functions that read a request's head. Handlers hold no policy.

mod auth;
mod bins;
mod body;
#[cfg(feature = "console")]
mod console;
pub mod control;
mod credential;
mod dialects;
mod dispatch;
#[cfg(feature = "mcp")]
mod docs;
mod download;
mod guard;
mod media;
mod range;
mod reply;
mod rest;
mod router;
mod signalwire;
mod traffic;
mod twilio;
mod user_agent;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::request::Parts;
use axum::http::uri::{Authority, Uri};
use axum::http::{HeaderMap, HeaderName, Method, header};

use crate::io::client::X_FORWARDED_PROTO;

pub use self::control::ca::{CaFile, CaFiles};
pub use self::control::check::Checks;
pub use self::router::{App, service, service_with};

const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// The scheme of a request: plain HTTP, or HTTP over TLS. Listeners other than the plain one add it to the request's
/// extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
}

impl Scheme {
    /// Returns the word before `://`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// The address that the server listens on. Links contain it if a request names no host at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenAddress(pub SocketAddr);

/// The host that a client asked the proxy to connect to via CONNECT; used if a request in the tunnel names no host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedHost(pub Arc<str>);

/// A handle for resetting the client's connection instead of responding. A listener passes it along with each request,
/// or adds it to the request's extensions.
#[derive(Debug, Clone, Default)]
pub struct AbortHandle(Arc<AtomicBool>);

impl AbortHandle {
    /// Makes the listener reset the connection before anything else is written to it.
    pub fn reset(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Returns whether the connection is to be reset.
    #[must_use]
    pub fn is_reset(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// The target as the client wrote it, kept if routing has rewritten it.
#[derive(Debug, Clone)]
struct AskedTarget(Uri);

/// Returns the scheme and host that links begin with, without a slash at the end. In order of precedence:
/// `public_url`; an absolute-form target; a reverse proxy's headers; the request's own scheme and host.
#[must_use]
pub fn origin(parts: &Parts, public_url: Option<&Arc<str>>) -> Arc<str> {
    if let Some(url) = public_url {
        return url.trim_end_matches('/').into();
    }
    if let (Some(scheme), Some(host)) = (parts.uri.scheme_str(), parts.uri.authority().filter(|host| is_host(host))) {
        return format!("{scheme}://{host}").into();
    }
    let came = parts.extensions.get().copied().unwrap_or(Scheme::Http);
    let forwarded = forwarded(&parts.headers, &X_FORWARDED_PROTO);
    // Only these two words may get from the header into links.
    let scheme = [Scheme::Http, Scheme::Https].into_iter().find(|scheme| forwarded == Some(scheme.as_str()));
    // A reverse proxy that terminated TLS says so in a header; otherwise the connection's own scheme applies.
    let scheme = scheme.unwrap_or(came).as_str();
    let named = |text: Option<&str>| text?.parse().ok().filter(is_host);
    let host = named(self::forwarded(&parts.headers, &X_FORWARDED_HOST))
        .or_else(|| named(parts.headers.get(header::HOST).and_then(|host| host.to_str().ok())));
    if let Some(host) = host {
        return [scheme, "://", host.as_str()].concat().into();
    }
    let host = (parts.extensions.get().map(|AskedHost(host)| host.to_string()))
        .or_else(|| parts.extensions.get().map(|ListenAddress(address)| address.to_string()))
        .unwrap_or_else(|| "localhost".to_owned());
    format!("{scheme}://{host}").into()
}

/// Returns whether requests with this method are read-only.
fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// Returns the whole path that the client asked for, including a root or a suffix that routing has removed.
fn asked_path(parts: &Parts) -> &str {
    asked_target(parts).path()
}

fn asked_target(parts: &Parts) -> &Uri {
    parts.extensions.get().map_or(&parts.uri, |AskedTarget(uri)| uri)
}

// Links never carry credentials, even if the client's target did.
fn is_host(authority: &Authority) -> bool {
    let host = authority.as_str();
    !host.is_empty() && !host.contains('@')
}

/// Returns the first value of a forwarding header, which the proxy nearest the client has set.
fn forwarded<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()?.split(',').next().map(str::trim)
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn parts(target: &str, headers: &[(&str, &str)]) -> Parts {
        let request = headers.iter().fold(Request::get(target), |request, (name, value)| request.header(*name, *value));
        request.body(()).unwrap().into_parts().0
    }

    fn of(target: &str, headers: &[(&str, &str)]) -> String {
        origin(&parts(target, headers), None).to_string()
    }

    #[test]
    fn links_point_to_the_host_that_the_client_used() {
        assert_eq!(of("/v1/Faxes", &[("host", "localhost:8329")]), "http://localhost:8329");
        assert_eq!(of("/v1/Faxes", &[("host", "[::1]:8329")]), "http://[::1]:8329");
        assert_eq!(of("https://fax.twilio.com/v1/Faxes", &[("host", "127.0.0.1:8080")]), "https://fax.twilio.com");
        let proxied = [("host", "10.0.0.1"), ("x-forwarded-proto", "https, http"), ("x-forwarded-host", "fax.test, b")];
        assert_eq!(of("/v1/Faxes", &proxied), "https://fax.test");
        assert_eq!(of("/v1/Faxes", &[("host", "a.test"), ("x-forwarded-proto", "https")]), "https://a.test");
    }

    #[test]
    fn nonsense_in_headers_does_not_get_into_links() {
        assert_eq!(of("/", &[("host", "a\"b")]), "http://localhost");
        assert_eq!(of("/", &[("host", "user:pass@evil")]), "http://localhost");
        assert_eq!(of("/", &[("host", "a.test"), ("x-forwarded-proto", "javascript")]), "http://a.test");
    }

    #[test]
    fn a_public_url_takes_precedence_and_the_listeners_address_is_the_last_resort() {
        let mut parts = parts("/v1/Faxes", &[]);
        parts.extensions.insert(ListenAddress(SocketAddr::from(([127, 0, 0, 1], 8329))));
        parts.extensions.insert(Scheme::Https);
        assert_eq!(&*origin(&parts, None), "https://127.0.0.1:8329");
        parts.extensions.insert(AskedHost("fax.twilio.com".into()));
        assert_eq!(&*origin(&parts, None), "https://fax.twilio.com");
        assert_eq!(&*origin(&parts, Some(&"https://public.test/".into())), "https://public.test");
    }
}
