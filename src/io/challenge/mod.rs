//! Answers a server's `WWW-Authenticate` with the credential in the URL: by Digest if the server offers it, otherwise
//! by Basic (RFC 7616, RFC 7617). A credential is never sent before a server asks for it.
//!
//! The crate `http-auth` (0.1.10, MIT or Apache-2.0) does the same, but without sessions and hashed users. It would add
//! second versions of `rand`, `digest`, `md-5` and `sha2`, and it draws the client's nonce at random, so that requests
//! would differ from run to run.

mod digest;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use url::Url;

use crate::model::webhook::Method;

/// The user name and password in a URL.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Credential {
    user: String,
    password: String,
    /// The user name and password as spelled in the URL, percent-encoded.
    userinfo: String,
}

impl Credential {
    /// Returns the credential in a URL, decoded; `None` if the URL has no userinfo.
    pub(super) fn of(url: &Url) -> Option<Self> {
        let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let any = !url.username().is_empty() || url.password().is_some();
        any.then(|| Self {
            user: plain(url.username()),
            password: plain(url.password().unwrap_or_default()),
            userinfo: url[url::Position::BeforeUsername..url::Position::AfterPassword].to_owned(),
        })
    }

    /// Adds this credential to a URL without userinfo.
    pub(super) fn within(&self, url: &str) -> String {
        url.split_once("://")
            .map_or_else(|| url.to_owned(), |(scheme, rest)| format!("{scheme}://{}@{rest}", self.userinfo))
    }
}

/// Returns the `Authorization` that answers the challenges to a request for `target` (path and query), if one of them
/// can be answered. The first supported Digest challenge wins, since servers list the preferred one first (RFC 7616
/// §3.7); Basic comes last.
pub(super) fn answer<'a>(
    headers: impl Iterator<Item = &'a str>,
    credential: &Credential,
    method: Method,
    target: &str,
) -> Option<String> {
    let challenges: Vec<Challenge> = headers.flat_map(parse).collect();
    let of_scheme =
        |scheme: &'static str| challenges.iter().filter(move |challenge| challenge.scheme.eq_ignore_ascii_case(scheme));
    let digest = of_scheme("Digest").find_map(|challenge| digest::answer(challenge, credential, method, target));
    let basic = || {
        let pair = STANDARD.encode(format!("{}:{}", credential.user, credential.password));
        format!("Basic {pair}")
    };
    // Digest is preferred because it doesn't reveal the password.
    digest.or_else(|| of_scheme("Basic").next().map(|_| basic()))
}

/// Returns whether an `Authorization` may be sent again to the same origin. A Digest value is valid for one request
/// only.
pub(super) fn is_reusable(authorization: &str) -> bool {
    authorization.starts_with("Basic ")
}

/// A parsed challenge from a server.
#[derive(Debug, PartialEq, Eq)]
struct Challenge {
    scheme: String,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }
}

/// Parses the challenges in one header, which may contain several (RFC 9110 §11.6.1). Commas separate both challenges
/// and their parameters, so an element starts a new challenge if its first word is not followed by an equals sign.
fn parse(header: &str) -> Vec<Challenge> {
    let mut challenges: Vec<Challenge> = Vec::new();
    for element in elements(header) {
        let is_name = |name: &str| !name.is_empty() && !name.contains([' ', '\t', '"']);
        let parameter = |text: &str| {
            let (name, value) = text.split_once('=')?;
            Some((name.trim().to_owned(), unquoted(value.trim()))).filter(|(name, _)| is_name(name))
        };
        match (parameter(element), challenges.last_mut()) {
            (Some(parameter), Some(challenge)) => challenge.parameters.push(parameter),
            // A parameter before any scheme belongs to no challenge.
            (Some(_), None) => {}
            (None, _) => {
                let (scheme, rest) = element.split_once([' ', '\t']).unwrap_or((element, ""));
                let parameters = parameter(rest.trim()).into_iter().collect();
                challenges.push(Challenge { scheme: scheme.to_owned(), parameters });
            }
        }
    }
    challenges
}

/// Returns the elements of a comma-separated list, ignoring commas within quotation marks and skipping empty elements.
fn elements(header: &str) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let parts = header.split(move |c| {
        let is_plain = !std::mem::take(&mut is_escaped);
        is_escaped = is_quoted && is_plain && c == '\\';
        is_quoted ^= is_plain && c == '"';
        c == ',' && !is_quoted
    });
    parts.map(str::trim).filter(|part| !part.is_empty())
}

/// Returns the text of a token or quoted string.
fn unquoted(value: &str) -> String {
    let Some(text) = value.strip_prefix('"') else { return value.to_owned() };
    let text = text.strip_suffix('"').unwrap_or(text);
    let mut is_escaped = false;
    let keeps = |c: &char| {
        is_escaped = *c == '\\' && !is_escaped;
        !is_escaped
    };
    text.chars().filter(keeps).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(challenges: &[&str], url: &str) -> Option<String> {
        let url: Url = url.parse().unwrap();
        let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
        answer(challenges.iter().copied(), &Credential::of(&url)?, Method::Get, target)
    }

    #[test]
    fn basic_uses_the_decoded_credential_from_the_url() {
        let basic = answered(&["Basic realm=\"app\""], "http://us%40er:p%2Bw@app.test/");
        assert_eq!(basic, Some(format!("Basic {}", STANDARD.encode("us@er:p+w"))));
    }

    #[test]
    fn digest_is_answered_as_the_rfc_specifies() {
        // The example in RFC 2617 §3.5 without `qop`. The expected response was computed from the RFC's values.
        let challenge = "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", \
                         opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
        let digest = answered(&["Basic realm=\"x\"", challenge], "http://Mufasa:Circle%20Of%20Life@h/dir/index.html");
        let digest = digest.expect("an answer");
        assert!(digest.contains("response=\"670fd8c2df070c60b045671b8b24ff02\""), "{digest}");
        assert!(digest.contains("opaque=\"5ccc069c403ebaf9f0171e9517f40e41\""), "{digest}");
    }

    #[test]
    fn an_unsupported_challenge_is_not_answered() {
        assert_eq!(answered(&["Bearer realm=\"x\""], "http://u:p@h/"), None);
        assert_eq!(answered(&["Digest realm=\"x\", nonce=\"n\", algorithm=SHA-1"], "http://u:p@h/"), None);
        assert_eq!(answered(&["Digest realm=\"x\", nonce=\"n\", qop=\"auth-int\""], "http://u:p@h/"), None);
        assert_eq!(answered(&["Basic"], "http://h/"), None);
    }

    #[test]
    fn several_challenges_in_one_header_are_distinguished() {
        let header =
            "Negotiate, Bearer abc==, ,Basic realm=\"a, \\\"b\\\"=c\" , Digest realm=\"r\",qop = auth, nonce=n";
        let parameters = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>()
        };
        let told: Vec<_> = parse(header).into_iter().map(|each| (each.scheme, each.parameters)).collect();
        let expected = [
            ("Negotiate", parameters(&[])),
            ("Bearer", parameters(&[("abc", "=")])),
            ("Basic", parameters(&[("realm", "a, \"b\"=c")])),
            ("Digest", parameters(&[("realm", "r"), ("qop", "auth"), ("nonce", "n")])),
        ];
        assert_eq!(told, expected.map(|(scheme, parameters)| (scheme.to_owned(), parameters)));
        assert_eq!(parse("realm=\"of nothing\", , "), []);
    }

    #[test]
    fn the_first_supported_digest_is_preferred_over_basic() {
        let digest = "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-1, Basic realm=\"r\", \
                      Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256, Digest realm=\"r\", nonce=\"n\"";
        let answer = answered(&[digest], "http://u:p@h/").expect("an answer");
        assert!(answer.starts_with("Digest ") && answer.contains("algorithm=SHA-256"), "{answer}");
        let basic = answered(&["Digest realm=\"r\", nonce=\"n\", algorithm=SHA-1, Basic realm=\"r\""], "http://u:p@h/");
        assert_eq!(basic, Some(format!("Basic {}", STANDARD.encode("u:p"))));
    }
}
