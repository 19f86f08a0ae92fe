//! The normal form of a configured URL: the form that is sent and signed, and that `sign` and `explain-signature` use.
//! Twilio sends and signs a URL as configured, so the normal form changes as little as possible (docs/fidelity.md,
//! "Webhooks").

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use url::Url;

/// ASCII characters that must be percent-encoded before a URL is sent.
const UNSENDABLE: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`').add(b'\\');

/// Returns a URL as it is sent and signed: without user, password or fragment, with a lower-case scheme and host, and
/// with unsendable characters percent-encoded. A colon without a port and a question mark without a query are dropped,
/// and a missing path becomes `/`. Dot segments, a port, `%7E` and `'` stay as they are. `None` if the string is not a
/// URL with a host.
#[must_use]
pub fn normal(url: &str) -> Option<String> {
    // URL parsers ignore white space around a URL too.
    let url = url.trim_matches(|c: char| c.is_ascii_whitespace());
    let (scheme, rest) = url.split_once("://")?;
    let rest = rest.split('#').next().unwrap_or_default();
    // URL parsers treat a backslash like a slash, so it ends the authority too.
    let (authority, target) = rest.split_at(rest.find(['/', '?', '\\']).unwrap_or(rest.len()));
    // The last `@` ends the credentials, since a password may contain one.
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    // An explicit port stays even if it is the default one, since the signature covers it.
    let (host, port) = split_port(place);
    let scheme = scheme.to_ascii_lowercase();
    let host = normal_host(&scheme, host)?;
    // A framework that rebuilds the URL drops a question mark without a query, so a signature that covered the `?`
    // would not validate.
    let target =
        if target.find('?') == Some(target.len().wrapping_sub(1)) { &target[..target.len() - 1] } else { target };
    let slash = if target.starts_with('/') { "" } else { "/" };
    Some(format!("{scheme}://{host}{port}{slash}{}", utf8_percent_encode(target, UNSENDABLE)))
}

/// Returns the normal form, or the string unchanged if it is not a URL, because testers may ask about any string.
#[must_use]
pub fn normal_or_as_is(url: &str) -> Cow<'_, str> {
    normal(url).map_or(Cow::Borrowed(url), Cow::Owned)
}

/// Splits off the port together with its colon; a colon without a port is dropped.
fn split_port(place: &str) -> (&str, &str) {
    // The colons within the brackets of an IPv6 literal don't begin a port.
    let after_bracket = place.rfind(']').map_or(0, |bracket| bracket + 1);
    let Some(colon) = place[after_bracket..].find(':').map(|colon| after_bracket + colon) else { return (place, "") };
    let (host, port) = place.split_at(colon);
    (host, if port == ":" { "" } else { port })
}

/// Returns the host in lower case, with an international name in Punycode, the form in which it is resolved. `None` if
/// the host is empty or invalid.
fn normal_host(scheme: &str, host: &str) -> Option<String> {
    // Most hosts need no URL parser: only international and percent-encoded names do.
    if host.is_ascii() && !host.contains('%') {
        return (!host.is_empty()).then(|| host.to_ascii_lowercase());
    }
    let url = Url::parse(&format!("{scheme}://{host}/")).ok()?;
    url.host_str().filter(|host| !host.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sendable_urls_are_unchanged() {
        for url in [
            "http://h/s?n=o'brien",
            "http://h/a/../b/./c",
            "https://h:443/",
            "http://h:80/x",
            "http://h/%7Euser/~user/%2f?a=%7e&b=~",
            "http://h/!$%&'()*+,-./:;=@[]^_{|}~?!$%&'()*+,-./:;=?@[]^_{|}~",
            "http://[2001:db8::1]:8080/x",
            "http://127.0.0.1:3000/fax?x=1&x=2",
        ] {
            assert_eq!(normal(url).as_deref(), Some(url));
        }
    }

    #[test]
    fn unsendable_characters_are_encoded() {
        assert_eq!(
            normal("http://h/a b\"<>`\\é\u{7f}?a b\"<>`\\é\u{1}").as_deref(),
            Some("http://h/a%20b%22%3C%3E%60%5C%C3%A9%7F?a%20b%22%3C%3E%60%5C%C3%A9%01")
        );
        assert_eq!(normal("http://BÜCHER.test/x").as_deref(), Some("http://xn--bcher-kva.test/x"));
    }

    #[test]
    fn scheme_and_host_are_lowercased_and_unsent_parts_are_dropped() {
        for (url, expected) in [
            ("HTTPS://App.Example.COM/Fax?A=B", "https://app.example.com/Fax?A=B"),
            ("http://us%40er:p%2Bw@h:81/x#rc=2", "http://h:81/x"),
            ("http://u:p@ss@h/x", "http://h/x"),
            ("http://h", "http://h/"),
            ("http://h?x=1", "http://h/?x=1"),
            ("http://h/x?", "http://h/x"),
            ("http://h/x??", "http://h/x??"),
            ("http://h:/x", "http://h/x"),
            (" http://h/x\n", "http://h/x"),
            ("http://h\\x", "http://h/%5Cx"),
        ] {
            assert_eq!(normal(url).as_deref(), Some(expected), "{url}");
        }
    }

    #[test]
    fn a_string_that_is_not_a_url_has_no_normal_form() {
        for text in ["", "no url", "http://", "http:///x", "http://u:p@/x", "//h/x"] {
            assert_eq!(normal(text), None, "{text}");
            assert_eq!(normal_or_as_is(text), text);
        }
    }

    #[test]
    fn a_normal_form_is_its_own_normal_form() {
        for url in ["http://h/a b?c\"d", "HTTP://u:p@H/é#f", "http://h\\x"] {
            let once = normal(url).expect("a URL");
            assert_eq!(normal(&once), Some(once.clone()));
            assert!(Url::parse(&once).is_ok(), "{once}");
        }
    }
}
