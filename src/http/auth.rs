//! Who makes a REST call and what an account lets its callers do: HTTP Basic with AccountSid and AuthToken or an API key.
//! It doesn't decide which credentials are taken.

use std::time::Duration;

use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::{Resettable, asked_path, is_read, reply};
use crate::dialect::error::{ApiError, CODE_INTERNAL, CODE_TOO_MANY};
use crate::emulator::{Emulator, SignInError, World};
use crate::engine::door::{Action, Area, Terms};
use crate::engine::input::ApiCalled;
use crate::model::account::AccountStatus;
use crate::model::refusal::Refusal;
use crate::model::sid::{AccountSid, KeySid};

/// What a client signs in with.
#[derive(PartialEq, Eq)]
enum Credential {
    /// An account and its AuthToken.
    Token(AccountSid, String),
    /// An API key and its secret.
    Key(KeySid, String),
}

/// Whose credential a request came with and which world its path addresses.
pub(super) struct SignedIn {
    /// The credential's own world.
    pub(super) own: World,
    /// The subaccount's world that the path names, if it names one.
    named: Option<World>,
    /// The terms of the world that is addressed, as they stood when the call came.
    terms: Terms,
}

impl SignedIn {
    /// The world that the path names, else the credential's own.
    pub(super) fn world(&self) -> &World {
        self.named.as_ref().unwrap_or(&self.own)
    }

    /// Whether a tester's rule may have calls answered otherwise.
    pub(super) const fn has_api_rules(&self) -> bool {
        self.terms.has_api_rules
    }
}

/// The answer that a tester's rule has this call get, if any, when the rule's delay is over; with its error code.
pub(super) async fn otherwise(
    emulator: &Emulator,
    signed_in: &SignedIn,
    parts: &Parts,
    connection: &Resettable,
) -> Option<(Response, Option<u32>)> {
    if !signed_in.has_api_rules() {
        return None;
    }
    let (method, path) = (parts.method.as_str().into(), asked_path(parts).into());
    let Ok(Some(fault)) = signed_in.world().handle(ApiCalled { method, path }) else {
        return None;
    };
    if fault.delay_ms > 0 {
        emulator.pause(Duration::from_millis(fault.delay_ms)).await;
    }
    if fault.reset {
        return Some((reply::reset(connection), None));
    }
    fault.refusal.map(|(status, code)| (reply::on_purpose(status, code), Some(code)))
}

/// Finds the world of a request with a good credential; `named` is the account that its path names, if it names one.
pub(super) fn sign_in(
    emulator: &Emulator,
    parts: &Parts,
    named: Option<Option<AccountSid>>,
    area: Area,
) -> Result<SignedIn, ApiError> {
    let credential = credential(&parts.headers)?;
    let named = named.map(|named| named.ok_or_else(|| ApiError::not_found(asked_path(parts)))).transpose()?;
    // A path of a stranger is refused before it could found a world.
    if let Credential::Token(account, _) = credential
        && let Some(named) = named.filter(|named| *named != account)
        && owner_of(emulator, named) != Some(account)
    {
        return Err(of_another(named));
    }
    let own = match &credential {
        Credential::Token(account, token) if is_read(&parts.method) => emulator.look_in_on_terms(*account, token),
        Credential::Token(account, token) => emulator.sign_in_on_terms(*account, token),
        Credential::Key(key, secret) => emulator.sign_in_with_key(*key, secret).map(|own| {
            let terms = own.terms();
            (own, terms)
        }),
    };
    let (own, own_terms) = own.map_err(|error| match error {
        SignInError::UnknownAccount(_) | SignInError::WrongToken(_) | SignInError::WrongKey(_) => {
            ApiError::unauthenticated("Authenticate")
        }
        SignInError::Broken(_) => ApiError::new(500, CODE_INTERNAL, format!("Internal Server Error: {error}")),
        SignInError::TooManyWorlds { .. } => ApiError::new(429, CODE_TOO_MANY, format!("Too Many Requests: {error}")),
    })?;
    if matches!(credential, Credential::Key(..)) && area.needs_token() {
        let message = "a standard API key doesn't reach Accounts and Keys; use the AccountSid and the AuthToken";
        return Err(ApiError::unauthenticated(format!("Authentication Error - {message}")));
    }
    let named = match named.filter(|named| *named != own.sid()) {
        None => None,
        Some(named) if owner_of(emulator, named) == Some(own.sid()) => {
            Some(emulator.world(named).ok_or_else(|| of_another(named))?)
        }
        Some(named) => return Err(of_another(named)),
    };
    let terms = named.as_ref().map_or(own_terms, World::terms);
    Ok(SignedIn { own, named, terms })
}

fn owner_of(emulator: &Emulator, account: AccountSid) -> Option<AccountSid> {
    emulator.world(account)?.read(|engine| engine.account().owner)
}

fn of_another(named: AccountSid) -> ApiError {
    let message = format!("Authentication Error - the credential is not that of account {named}");
    ApiError::unauthenticated(message)
}

/// Whether the accounts' terms let the call pass.
pub(super) fn admit(signed_in: &SignedIn, area: Area, action: Action) -> Result<(), Refusal> {
    let is_own = signed_in.named.is_none();
    if !is_own {
        // A suspended owner does nothing, not even in a subaccount.
        let owner = signed_in.own.terms();
        if owner.status != AccountStatus::Active {
            return Err(Refusal::AccountNotActive(owner.account));
        }
    }
    signed_in.terms.admit(area, action, !is_own)
}

/// The credential of the `Authorization` header.
fn credential(headers: &HeaderMap) -> Result<Credential, ApiError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    const SID: &str = "AC0123456789abcdef0123456789abcdef";

    /// User and password.
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
    fn a_credential_is_an_account_and_its_token() {
        let (account, token) = read(&basic(&format!("{SID}:a:b"))).unwrap();
        assert_eq!((account.as_str(), token.as_str()), (SID, "a:b"));
        let key = format!("SK{}", &SID[2..]);
        assert_eq!(read(&basic(&format!("{key}:x"))), Ok((key, "x".to_owned())));
        assert!(read(&basic(&format!("{SID}:x")).replace("Basic", "basic")).is_ok());
    }

    #[test]
    fn each_bad_credential_says_what_is_wrong() {
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
