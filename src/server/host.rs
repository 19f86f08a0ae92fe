//! Checks that a request names its host as HTTP requires (RFC 9112 §3.2): in exactly one `Host` header with a valid
//! value.

use axum::http::uri::Authority;
use axum::http::{HeaderMap, Version, header};

/// A fault in a request's `Host` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum HostFault {
    #[error("an HTTP/1.1 request needs a Host header")]
    Missing,
    #[error("the request has several Host headers, but only one is allowed")]
    Several,
    #[error("the Host header is not a host with an optional port")]
    Invalid,
}

/// Checks the `Host` header of a request. An HTTP/1.0 request may omit it.
pub(super) fn check(version: Version, headers: &HeaderMap) -> Result<(), HostFault> {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) if version < Version::HTTP_11 => Ok(()),
        (None, _) => Err(HostFault::Missing),
        (Some(_), Some(_)) => Err(HostFault::Several),
        (Some(host), None) if is_host(host.as_bytes()) => Ok(()),
        (Some(_), None) => Err(HostFault::Invalid),
    }
}

/// Returns whether this is `uri-host [ ":" port ]` with a host that isn't empty.
fn is_host(value: &[u8]) -> bool {
    let Ok(authority) = Authority::try_from(value) else { return false };
    let text = authority.as_str();
    let is_port = |digits: &str| {
        digits.is_empty() || (digits.bytes().all(|digit| digit.is_ascii_digit()) && digits.parse::<u16>().is_ok())
    };
    let rest = text.strip_prefix(authority.host());
    let has_port = rest.is_some_and(|rest| rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port));
    // With userinfo in front, the host would not be at the beginning.
    !authority.host().is_empty() && !text.contains('@') && has_port
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn checked(version: Version, hosts: &[&str]) -> Result<(), HostFault> {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, HeaderValue::from_bytes(host.as_bytes()).expect("a value"));
        }
        check(version, &headers)
    }

    #[test]
    fn a_request_must_name_its_host_exactly_once() {
        assert_eq!(checked(Version::HTTP_11, &["fax.twilio.com"]), Ok(()));
        assert_eq!(checked(Version::HTTP_11, &[]), Err(HostFault::Missing));
        assert_eq!(checked(Version::HTTP_10, &[]), Ok(()));
        for version in [Version::HTTP_10, Version::HTTP_11] {
            assert_eq!(checked(version, &["a", "a"]), Err(HostFault::Several));
            assert_eq!(checked(version, &["localhost", "b", "c"]), Err(HostFault::Several));
        }
    }

    #[test]
    fn the_value_must_be_a_host() {
        for host in ["localhost:8329", "127.0.0.1", "[::1]:8329", "[::1]", "a_b-c.test", "fauxfax:", "EXAMPLE.com."] {
            assert_eq!(checked(Version::HTTP_11, &[host]), Ok(()), "{host}");
        }
        for host in [
            "", ":80", "a b", "a/b", "http://a", "user@a", "a:port", "a:99999", "a?b", "a#b", "[::1", "::1", "a:1:2",
            "\u{e9}",
        ] {
            assert_eq!(checked(Version::HTTP_11, &[host]), Err(HostFault::Invalid), "{host}");
        }
    }
}
