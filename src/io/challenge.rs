//! Answers a server's `WWW-Authenticate` with the credential of its URL: Digest where offered, else Basic (RFC 7616,
//! RFC 7617). It sends nothing and offers no credential unasked.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use percent_encoding::percent_decode_str;
use sha2::Sha256;
use url::Url;

use crate::model::webhook::Method;

/// A user and a password, as they stood in a URL.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Credential {
    user: String,
    password: String,
    /// Both as they stand in a URL.
    userinfo: String,
}

impl Credential {
    /// The userinfo of a URL, if it has any.
    pub(super) fn of(url: &Url) -> Option<Self> {
        let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let any = !url.username().is_empty() || url.password().is_some();
        any.then(|| Self {
            user: plain(url.username()),
            password: plain(url.password().unwrap_or_default()),
            userinfo: url[url::Position::BeforeUsername..url::Position::AfterPassword].to_owned(),
        })
    }

    /// A URL that has none, with this one.
    pub(super) fn within(&self, url: &str) -> String {
        url.split_once("://")
            .map_or_else(|| url.to_owned(), |(scheme, rest)| format!("{scheme}://{}@{rest}", self.userinfo))
    }
}

/// The `Authorization` that answers the challenges to a request for `target`, path and query, if one of them can be
/// answered.
pub(super) fn answer<'a>(
    challenges: impl Iterator<Item = &'a str>,
    credential: &Credential,
    method: Method,
    target: &str,
) -> Option<String> {
    let challenges: Vec<&str> = challenges.collect();
    let of_scheme = |scheme: &str| {
        let rest = |text: &&'a str| Some(text.get(scheme.len()..)?.trim());
        let is = |text: &&&'a str| text.get(..scheme.len()).is_some_and(|own| own.eq_ignore_ascii_case(scheme));
        challenges.iter().filter(is).find_map(rest)
    };
    if let Some(parameters) = of_scheme("Digest") {
        return digest(parameters, credential, method, target);
    }
    of_scheme("Basic")?;
    let pair = STANDARD.encode(format!("{}:{}", credential.user, credential.password));
    Some(format!("Basic {pair}"))
}

/// Whether an `Authorization` may be sent again to the same origin; a Digest is for one request.
pub(super) fn is_reusable(authorization: &str) -> bool {
    authorization.starts_with("Basic ")
}

fn digest(parameters: &str, credential: &Credential, method: Method, target: &str) -> Option<String> {
    let parameters = parse(parameters);
    let get = |name: &str| parameters.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| &**value);
    let algorithm = get("algorithm").unwrap_or("MD5");
    let hash: fn(&str) -> String = match algorithm.to_ascii_uppercase().as_str() {
        "MD5" => |text| hex(&Md5::digest(text)),
        "SHA-256" => |text| hex(&Sha256::digest(text)),
        _ => return None,
    };
    let (realm, nonce) = (get("realm")?, get("nonce")?);
    let secret = hash(&format!("{}:{realm}:{}", credential.user, credential.password));
    let asked = hash(&format!("{}:{target}", method.as_str()));
    let mut header = format!(
        "Digest username=\"{}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{target}\", algorithm={algorithm}",
        credential.user
    );
    match get("qop") {
        Some(offered) if offered.split(',').any(|qop| qop.trim() == "auth") => {
            // The client's nonce need only differ where the server's does.
            let own = &hash(&format!("fauxfax:{nonce}:{target}"))[..16];
            let response = hash(&format!("{secret}:{nonce}:00000001:{own}:auth:{asked}"));
            header += &format!(", response=\"{response}\", qop=auth, nc=00000001, cnonce=\"{own}\"");
        }
        Some(_) => return None,
        None => header += &format!(", response=\"{}\"", hash(&format!("{secret}:{nonce}:{asked}"))),
    }
    if let Some(opaque) = get("opaque") {
        header += &format!(", opaque=\"{opaque}\"");
    }
    Some(header)
}

/// `name=value` and `name="value"`, with commas between.
fn parse(text: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim_matches([',', ' ', '\t']).to_owned();
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(',').unwrap_or((after, "")),
        };
        pairs.push((name, value.trim().to_owned()));
        rest = after;
    }
    pairs
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
    fn basic_takes_the_urls_credential_decoded() {
        let basic = answered(&["Basic realm=\"app\""], "http://us%40er:p%2Bw@app.test/");
        assert_eq!(basic, Some(format!("Basic {}", STANDARD.encode("us@er:p+w"))));
    }

    #[test]
    fn digest_is_answered_as_in_the_rfc() {
        // RFC 2617 §3.5 without qop, computed from its own values.
        let challenge = "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", \
                         opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
        let digest = answered(&["Basic realm=\"x\"", challenge], "http://Mufasa:Circle%20Of%20Life@h/dir/index.html");
        let digest = digest.expect("an answer");
        assert!(digest.contains("response=\"670fd8c2df070c60b045671b8b24ff02\""), "{digest}");
        assert!(digest.contains("opaque=\"5ccc069c403ebaf9f0171e9517f40e41\""), "{digest}");
    }

    #[test]
    fn what_is_not_understood_is_not_answered() {
        assert_eq!(answered(&["Bearer realm=\"x\""], "http://u:p@h/"), None);
        assert_eq!(answered(&["Digest realm=\"x\", nonce=\"n\", algorithm=SHA-512-256"], "http://u:p@h/"), None);
        assert_eq!(answered(&["Digest realm=\"x\", nonce=\"n\", qop=\"auth-int\""], "http://u:p@h/"), None);
        assert_eq!(answered(&["Basic"], "http://h/"), None);
    }
}
