//! The credential in a request's `Authorization` header. `emulator.rs` decides which world a credential opens.

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::dialect::error::ApiError;
use crate::model::sid::{AccountSid, KeySid};

/// The credential that a client signs in with.
#[derive(PartialEq, Eq)]
pub(super) enum Credential {
    /// An AccountSid and its AuthToken.
    Token(AccountSid, String),
    /// An API key's SID and its secret.
    Key(KeySid, String),
}

/// Reads the credential from the `Authorization` header.
pub(super) fn credential(headers: &HeaderMap) -> Result<Credential, ApiError> {
    let error = |message| ApiError::unauthenticated(format!("Authentication Error - {message}"));
    let missing = || error("No credentials provided");
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).ok_or_else(missing)?;
    let (scheme, encoded) = value.trim().split_once(' ').ok_or_else(missing)?;
    let decoded = scheme.eq_ignore_ascii_case("basic").then(|| BASE64_STANDARD.decode(encoded.trim()));
    let mut text = decoded.and_then(Result::ok).and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(missing)?;
    let (username, token) = text.split_once(':').ok_or_else(missing)?;
    if token.is_empty() {
        return Err(error("no AuthToken provided"));
    }
    let invalid = |_| error("invalid username");
    // The rest of `text` becomes the secret without a copy.
    let username_len = username.len();
    if username.starts_with(KeySid::PREFIX) {
        let key = username.parse().map_err(invalid)?;
        text.drain(..=username_len);
        return Ok(Credential::Key(key, text));
    }
    let account = username.parse().map_err(invalid)?;
    text.drain(..=username_len);
    Ok(Credential::Token(account, text))
}

/// Returns the account that a request's credential names; `None` for an API key, or without a valid credential.
pub(super) fn account_of(headers: &HeaderMap) -> Option<AccountSid> {
    match credential(headers).ok()? {
        Credential::Token(account, _) => Some(account),
        Credential::Key(..) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SID: &str = "AC0123456789abcdef0123456789abcdef";

    /// Returns the user name and password, or the error message.
    fn read(value: &str) -> Result<(String, String), String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        credential(&headers).map_err(|error| error.message).map(|credential| match credential {
            Credential::Token(account, token) => (account.to_string(), token),
            Credential::Key(key, secret) => (key.to_string(), secret),
        })
    }

    fn basic(text: &str) -> String {
        format!("Basic {}", BASE64_STANDARD.encode(text))
    }

    #[test]
    fn a_credential_is_an_account_sid_and_its_token() {
        let (account, token) = read(&basic(&format!("{SID}:a:b"))).unwrap();
        assert_eq!((account.as_str(), token.as_str()), (SID, "a:b"));
        let key = format!("SK{}", &SID[2..]);
        assert_eq!(read(&basic(&format!("{key}:x"))), Ok((key, "x".to_owned())));
        assert!(read(&basic(&format!("{SID}:x")).replace("Basic", "basic")).is_ok());
    }

    #[test]
    fn each_bad_credential_gets_an_error_that_says_what_is_wrong() {
        let missing = "Authentication Error - No credentials provided";
        assert_eq!(credential(&HeaderMap::new()).err().map(|error| error.message), Some(missing.to_owned()));
        for (value, part) in [
            ("Bearer abc".to_owned(), "No credentials"),
            ("Basic".to_owned(), "No credentials"),
            ("Basic !!!".to_owned(), "No credentials"),
            (basic(SID), "No credentials"),
            (basic(&format!("{SID}:")), "no AuthToken"),
            (basic("alice:secret"), "invalid username"),
            (basic("AC123:secret"), "invalid username"),
            (basic("SK123:secret"), "invalid username"),
        ] {
            let message = read(&value).unwrap_err();
            assert!(message.contains(part) && !message.contains("secret"), "{value}: {message}");
        }
    }
}
