//! The Digest scheme of RFC 7616: MD5, SHA-256 and SHA-512-256, each also as `-sess`, with `qop=auth` or no quality of
//! protection.

use md5::{Digest, Md5};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Sha256, Sha512_256};

use super::{Challenge, Credential};
use crate::model::hex;
use crate::model::webhook::Method;

/// All characters except those that an extended parameter may contain unescaped (RFC 8187 §3.2.1, `attr-char`).
const EXTENDED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');
/// The nonce count, which is always 1, since each of the server's nonces is used for only one request.
const COUNT: &str = "00000001";
/// The length of the client's nonce, in characters.
const NONCE_CHARS: usize = 16;

/// A digest algorithm that a challenge asks for.
struct Algorithm {
    hash: fn(&str) -> String,
    /// Whether the secret is derived from both nonces for a session (`-sess`).
    is_of_session: bool,
}

impl Algorithm {
    fn named(name: &str) -> Option<Self> {
        let name = name.to_ascii_uppercase();
        let (own, is_of_session) = name.strip_suffix("-SESS").map_or((&*name, false), |own| (own, true));
        let hash: fn(&str) -> String = match own {
            "MD5" => |text| hex::encode(Md5::digest(text)),
            "SHA-256" => |text| hex::encode(Sha256::digest(text)),
            "SHA-512-256" => |text| hex::encode(Sha512_256::digest(text)),
            _ => return None,
        };
        Some(Self { hash, is_of_session })
    }
}

/// Returns the `Authorization` that answers a challenge, if its algorithm and quality of protection are supported. The
/// client's nonce is derived from the server's nonce and the target, so that runs are reproducible; it needs to differ
/// only when the server's nonce does.
pub(super) fn answer(challenge: &Challenge, credential: &Credential, method: Method, target: &str) -> Option<String> {
    let algorithm = Algorithm::named(challenge.get("algorithm").unwrap_or("MD5"))?;
    let own_nonce = (algorithm.hash)(&format!("fauxfax:{}:{target}", challenge.get("nonce")?));
    answer_with_nonce(challenge, credential, method, target, &own_nonce[..NONCE_CHARS])
}

fn answer_with_nonce(
    challenge: &Challenge,
    credential: &Credential,
    method: Method,
    target: &str,
    own_nonce: &str,
) -> Option<String> {
    let name = challenge.get("algorithm").unwrap_or("MD5");
    let Algorithm { hash, is_of_session } = Algorithm::named(name)?;
    let (realm, nonce) = (challenge.get("realm")?, challenge.get("nonce")?);
    let protected = match challenge.get("qop") {
        Some(offered) if offered.split(',').any(|qop| qop.trim().eq_ignore_ascii_case("auth")) => true,
        // The only alternative to `auth` is `auth-int`, which isn't supported.
        Some(_) => return None,
        // A session's secret needs the client's nonce, which may only be sent together with a `qop`.
        None if is_of_session => return None,
        None => false,
    };
    let mut secret = hash(&format!("{}:{realm}:{}", credential.user, credential.password));
    if is_of_session {
        secret = hash(&format!("{secret}:{nonce}:{own_nonce}"));
    }
    let request = hash(&format!("{}:{target}", method.as_str()));
    let is_user_hashed = challenge.get("userhash").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let mut header = format!(
        "Digest {}, realm={}, nonce={}, uri={}, algorithm={name}",
        user(credential, is_user_hashed.then(|| hash(&format!("{}:{realm}", credential.user)))),
        quoted(realm),
        quoted(nonce),
        quoted(target)
    );
    if protected {
        let response = hash(&format!("{secret}:{nonce}:{COUNT}:{own_nonce}:auth:{request}"));
        header += &format!(", response=\"{response}\", qop=auth, nc={COUNT}, cnonce={}", quoted(own_nonce));
    } else {
        header += &format!(", response=\"{}\"", hash(&format!("{secret}:{nonce}:{request}")));
    }
    if let Some(opaque) = challenge.get("opaque") {
        header += &format!(", opaque={}", quoted(opaque));
    }
    if is_user_hashed {
        header += ", userhash=true";
    }
    Some(header)
}

/// Returns the parameter that names the user: hashed, plain, or encoded if a quoted string can't hold it (RFC 7616
/// §3.4.4).
fn user(credential: &Credential, hashed: Option<String>) -> String {
    match hashed {
        Some(hashed) => format!("username=\"{hashed}\""),
        None if credential.user.chars().all(|c| c == ' ' || c.is_ascii_graphic()) => {
            format!("username={}", quoted(&credential.user))
        }
        None => format!("username*=UTF-8''{}", utf8_percent_encode(&credential.user, EXTENDED)),
    }
}

/// Quotes a string (RFC 9110 §5.6.4).
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    /// The part that both challenges in RFC 7616 §3.9.1 share.
    const MUFASA: &str = "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", \
                          nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
                          opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";
    const MUFASAS_NONCE: &str = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";

    fn credential(user: &str, password: &str) -> Credential {
        Credential { user: user.to_owned(), password: password.to_owned(), userinfo: String::new() }
    }

    fn of_mufasa(more: &str) -> Option<String> {
        let challenge = parse(&format!("{MUFASA}{more}")).remove(0);
        let credential = credential("Mufasa", "Circle of Life");
        answer_with_nonce(&challenge, &credential, Method::Get, "/dir/index.html", MUFASAS_NONCE)
    }

    #[test]
    fn the_examples_in_the_rfc_give_the_expected_answers() {
        for (algorithm, response) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let answer = of_mufasa(&format!(", algorithm={algorithm}")).expect("an answer");
            let expected = format!(
                "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", \
                 nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", uri=\"/dir/index.html\", \
                 algorithm={algorithm}, response=\"{response}\", qop=auth, nc=00000001, cnonce=\"{MUFASAS_NONCE}\", \
                 opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            );
            assert_eq!(answer, expected);
        }
    }

    /// The example in §3.9.2, with the digests from erratum 4897: those in the RFC are truncated SHA-512 digests.
    #[test]
    fn a_user_name_is_hashed_if_the_server_asks_for_it() {
        let challenge = parse(
            "Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, \
             nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", \
             opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", charset=UTF-8, userhash=true",
        );
        let credential = credential("Jäsøn Doe", "Secret, or not?");
        let nonce = "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v";
        let answer = answer_with_nonce(&challenge[0], &credential, Method::Get, "/doe.json", nonce).expect("an answer");
        for part in [
            "username=\"793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b\"",
            "response=\"3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5\"",
            "userhash=true",
        ] {
            assert!(answer.contains(part), "{answer}");
        }
        assert_eq!(user(&credential, None), "username*=UTF-8''J%C3%A4s%C3%B8n%20Doe");
    }

    /// A session's secret is the digest of the plain secret and both nonces (§3.4.2). The expected values were computed
    /// with Python's hashlib.
    #[test]
    fn a_session_secret_includes_both_nonces() {
        for (algorithm, response) in [
            ("MD5-sess", "e783283f46242139c486a698fec7211d"),
            ("SHA-256-SESS", "2fd51b3a77ad75bad6afad6003e818d767133c46d9e2749e7f5232ae1ea3efd7"),
        ] {
            let answer = of_mufasa(&format!(", algorithm={algorithm}")).expect("an answer");
            assert!(answer.contains(&format!("algorithm={algorithm}, response=\"{response}\"")), "{answer}");
        }
        let unprotected = parse("Digest realm=\"r\", nonce=\"n\", algorithm=MD5-sess");
        assert_eq!(answer(&unprotected[0], &credential("u", "p"), Method::Get, "/"), None);
    }

    #[test]
    fn quotation_marks_within_a_value_are_escaped() {
        let challenge = parse(r#"Digest realm="a \"b\" \\c", nonce="n""#);
        let answer = answer(&challenge[0], &credential("u\"v", "p"), Method::Get, "/").expect("an answer");
        assert!(answer.starts_with(r#"Digest username="u\"v", realm="a \"b\" \\c", nonce="n""#), "{answer}");
    }
}
