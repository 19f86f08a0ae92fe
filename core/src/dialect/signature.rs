//! `X-Twilio-Signature`, as real validators check it (Twilio docs: security). It sends nothing and changes no URL.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// A request to an app, as far as its signature covers it.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// The URL as it goes over the wire.
    pub url: &'a str,
    /// All parameters, wherever they go.
    pub params: &'a [(String, String)],
    /// Whether the parameters go in the body; otherwise they are in the URL.
    pub in_body: bool,
}

/// The signature of a request without a form: of its URL, just as it goes over the wire.
#[must_use]
pub fn of_url(auth_token: &str, url: &str) -> String {
    of_form(auth_token, url, &[])
}

/// The signature of a posted form: of its URL and the parameters in order of their names' bytes.
#[must_use]
pub fn of_form(auth_token: &str, url: &str, params: &[(String, String)]) -> String {
    let mut sorted: Vec<_> = params.iter().collect();
    sorted.sort_by(|(a, _), (b, _)| a.as_bytes().cmp(b.as_bytes()));
    let mut mac = Hmac::<Sha1>::new_from_slice(auth_token.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(url.as_bytes());
    for (name, value) in sorted {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(from: &str) -> Vec<(String, String)> {
        // Not in order, so that the sorting shows.
        let pairs = [
            ("To", "+18005551212"),
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", from),
            ("From", from),
            ("Digits", "1234"),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    }

    /// The vectors of Twilio's security page and of its libraries' own tests.
    #[test]
    fn the_published_vectors_hold() {
        let first = of_form("12345", "https://example.com/myapp.php?foo=1&bar=2", &call("+14158675310"));
        assert_eq!(first, "L/OH5YylLD5NRKLltdqwSvS0BnU=");
        for (url, signature) in [
            ("https://mycompany.com/myapp.php?foo=1&bar=2", "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
            ("http://mycompany.com:1234/myapp.php?foo=1&bar=2", "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
            ("https://mycompany.com:443/myapp.php?foo=1&bar=2", "kvajT1Ptam85bY51eRf/AJRuM3w="),
            ("http://mycompany.com:80/myapp.php?foo=1&bar=2", "0ZXoZLH/DfblKGATFgpif+LLRf4="),
        ] {
            assert_eq!(of_form("12345", url, &call("+14158675309")), signature, "{url}");
        }
    }

    #[test]
    fn a_url_alone_is_signed_with_its_query() {
        let url = "https://mycompany.com/myapp.php?foo=1&bar=2\
                   &bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";
        assert_eq!(of_url("12345", url), "a9nBmqA0ju/hNViExpshrM61xv4=");
    }

    #[test]
    fn names_are_sorted_by_their_bytes() {
        let pair = |name: &str| (name.to_owned(), "1".to_owned());
        let sorted = of_form("t", "http://h/", &[pair("B"), pair("_"), pair("a")]);
        assert_eq!(of_form("t", "http://h/", &[pair("a"), pair("B"), pair("_")]), sorted);
        assert_eq!(of_url("t", "http://h/B1_1a1"), sorted);
    }
}
