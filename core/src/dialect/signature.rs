//! Signatures of requests to apps, as real validators check them (Twilio docs: security). SignalWire's signatures are
//! computed in the same way, but with a different key, and are sent in a different header.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Params, form, hmac};
use crate::model::hex;
use crate::model::webhook::Signature;

/// The key with which a rule makes a bad signature. No account has this key.
const NOT_THE_KEY: &str = "not the key";
/// From this text and an account's key, a token is derived that isn't the account's.
const OTHER_TOKEN: &str = "a token of another account";
/// The number of characters in an account's token.
const TOKEN_CHARS: usize = 32;
/// The parameters that matter most to an app. To tamper with a request, the first one of them that it has is changed
/// after signing.
const TAMPERED: [&str; 2] = ["FaxStatus", "From"];

/// The parts of a request that its signature covers.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// The URL as it is sent.
    pub url: &'a str,
    /// All parameters, whether they are sent in the URL or in the body. If a rule changes one after signing, the URL
    /// and the parameters here are those from before the change.
    pub params: &'a [(String, String)],
    /// Whether the parameters are sent in the body and not in the URL.
    pub in_body: bool,
}

/// Returns the signature of a request without a form. It covers only the URL.
#[must_use]
pub fn of_url(auth_token: &str, url: &str) -> String {
    of_form(auth_token, url, &[])
}

/// Returns the signature of a posted form, which covers the URL and the parameters, sorted by the bytes of their
/// names.
#[must_use]
pub fn of_form(auth_token: &str, url: &str, params: &[(String, String)]) -> String {
    STANDARD.encode(hmac::sha1(auth_token.as_bytes(), signed_parts(url, params)))
}

/// Returns the signature of a request, which is valid unless a rule says otherwise; `None` if the request must have no
/// signature.
pub(super) fn on_purpose(key: &str, signature: Signature, request: &Signed<'_>) -> Option<String> {
    let Signed { url, params, in_body } = *request;
    let sign = |key: &str| if in_body { of_form(key, url, params) } else { of_url(key, url) };
    match signature {
        Signature::Good => Some(sign(key)),
        Signature::Bad => Some(sign(NOT_THE_KEY)),
        Signature::OtherToken => Some(sign(&other_token(key))),
        // The change is made to the request that is sent, so the signature is made as usual.
        Signature::Tampered => Some(sign(key)),
        Signature::Missing => None,
        // A form contains the fax's status, so the signature of an earlier request covers other parameters.
        Signature::Stale if in_body => Some(of_form(key, url, &earlier(params))),
        // A GET contains the fax's status in the URL, so the signature of an earlier request covers another URL.
        Signature::Stale => {
            let url = url.split('?').next().unwrap_or_default();
            Some(of_url(key, &form::with_query(url, &earlier(params))))
        }
    }
}

/// Returns a token that looks like an account's, derived from an account's key.
fn other_token(key: &str) -> String {
    let mut token = hex::encode(hmac::sha256(key.as_bytes(), [OTHER_TOKEN]));
    token.truncate(TOKEN_CHARS);
    token
}

/// Returns the parameters with one of them changed: the fax's status, or else the sender, or else the first parameter.
/// If there are none, a status is added.
#[must_use]
pub fn tampered(params: &[(String, String)]) -> Params {
    let mut params = params.to_vec();
    let found = TAMPERED.iter().find_map(|name| params.iter().position(|(own, _)| own == name));
    // If the request has neither parameter, any other will do: an app must refuse every change.
    match params.get_mut(found.unwrap_or_default()) {
        Some((name, value)) if name == "FaxStatus" => {
            *value = if value == "failed" { "delivered" } else { "failed" }.to_owned();
        }
        Some((_, value)) => value.push('0'),
        None => params.push(("FaxStatus".to_owned(), "failed".to_owned())),
    }
    params
}

/// Returns the parameters of an imaginary earlier request about the same fax: they have a different status, if they
/// have one at all.
fn earlier(params: &[(String, String)]) -> Params {
    let changed = |(name, value): &(String, String)| {
        let was = if value == "queued" { "processing" } else { "queued" };
        (name.clone(), if name == "FaxStatus" { was.to_owned() } else { value.clone() })
    };
    params.iter().map(changed).collect()
}

/// Returns the parts of the signed string: the URL, then each name and value, sorted by the bytes of the names.
pub(super) fn signed_parts<'a>(url: &'a str, params: &'a [(String, String)]) -> impl Iterator<Item = &'a str> {
    let mut sorted: Vec<_> = params.iter().collect();
    sorted.sort_by(|(a, _), (b, _)| a.as_bytes().cmp(b.as_bytes()));
    let pairs = sorted.into_iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
    std::iter::once(url).chain(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(from: &str) -> Vec<(String, String)> {
        // The pairs are not in order, so the test fails if they aren't sorted.
        let pairs = [
            ("To", "+18005551212"),
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", from),
            ("From", from),
            ("Digits", "1234"),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    }

    /// The vectors from Twilio's security page and its libraries' own tests.
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
    fn a_url_is_signed_with_its_query() {
        let url = "https://mycompany.com/myapp.php?foo=1&bar=2\
                   &bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";
        assert_eq!(of_url("12345", url), "a9nBmqA0ju/hNViExpshrM61xv4=");
    }

    fn on_purpose_of(signature: Signature, params: &[(String, String)]) -> String {
        on_purpose("12345", signature, &Signed { url: "http://h/", params, in_body: true }).expect("a signature")
    }

    #[test]
    fn another_tokens_signature_depends_on_the_accounts_key_only() {
        let params = call("+14158675310");
        let other = on_purpose_of(Signature::OtherToken, &params);
        assert_eq!(other, on_purpose_of(Signature::OtherToken, &params));
        for signature in [Signature::Good, Signature::Bad, Signature::Stale] {
            assert_ne!(other, on_purpose_of(signature, &params), "{signature}");
        }
        let token = other_token("12345");
        assert!(token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_hexdigit()), "{token}");
        assert_ne!(token, other_token("12346"));
        assert_eq!(other, of_form(&token, "http://h/", &params));
    }

    #[test]
    fn one_parameter_is_changed_after_signing() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let status = |value: &str| vec![pair("From", "+1"), pair("FaxStatus", value)];
        assert_eq!(tampered(&status("received")), status("failed"));
        assert_eq!(tampered(&status("failed")), status("delivered"));
        assert_eq!(tampered(&[pair("To", "+2"), pair("From", "+1")]), [pair("To", "+2"), pair("From", "+10")]);
        assert_eq!(tampered(&[pair("To", "+2")]), [pair("To", "+20")]);
        assert_eq!(tampered(&[]), [pair("FaxStatus", "failed")]);
        let params = status("received");
        assert_eq!(on_purpose_of(Signature::Tampered, &params), of_form("12345", "http://h/", &params));
    }

    #[test]
    fn names_are_sorted_by_their_bytes() {
        let pair = |name: &str| (name.to_owned(), "1".to_owned());
        let sorted = of_form("t", "http://h/", &[pair("B"), pair("_"), pair("a")]);
        assert_eq!(of_form("t", "http://h/", &[pair("a"), pair("B"), pair("_")]), sorted);
        assert_eq!(of_url("t", "http://h/B1_1a1"), sorted);
    }
}
