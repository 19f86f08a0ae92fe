//! HTTP Basic credentials of REST clients: in with AccountSid and AuthToken, and a journal entry for each call that was
//! let in. It doesn't decide which credentials are taken.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::reply::AnsweredCode;
use super::{PathParams, asked_path, asked_target};
use crate::dialect::error::{ApiError, CODE_TOO_MANY};
use crate::emulator::{Emulator, SignInError, World};
use crate::engine::journal::EventKind;
use crate::model::sid::{AccountSid, FaxSid, KeySid};

/// So much of a target is journaled; real ones are shorter.
const TARGET_LEN_MAX: usize = 2_048;

/// The world that the request's credential opens; only behind [`sign_in`].
pub(super) struct SignedIn(pub(super) World);

/// The fax that an answer is about, where the path doesn't say.
#[derive(Debug, Clone, Copy)]
pub(super) struct AboutFax(pub(super) FaxSid);

/// Lets a request with a good credential pass, with its world, and journals the call.
pub(super) async fn sign_in(
    State(emulator): State<Emulator>,
    params: PathParams,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let world = match enter(&emulator, &parts, &params) {
        Ok(world) => world,
        Err(error) => return error.into_response(),
    };
    parts.extensions.insert(world.clone());
    let method = parts.method.as_str().into();
    let path = asked_target(&parts).path_and_query().map_or("", |target| target.as_str());
    let path = path.chars().take(TARGET_LEN_MAX).collect::<String>().into();
    let response = next.run(Request::from_parts(parts, body)).await;
    let code = response.extensions().get().map(|AnsweredCode(code)| *code);
    let fax = params.parse("fax").or_else(|| response.extensions().get().map(|AboutFax(fax)| *fax));
    world.note(fax, EventKind::ApiRequest { method, path, status: response.status().as_u16(), code });
    response
}

impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let world = parts.extensions.get().cloned();
        world.map(Self).ok_or_else(|| ApiError::unauthenticated("Authenticate"))
    }
}

fn enter(emulator: &Emulator, parts: &Parts, params: &PathParams) -> Result<World, ApiError> {
    let (account, token) = credential(&parts.headers)?;
    if let Some(named) = params.text("account") {
        let named: AccountSid = named.parse().map_err(|_| ApiError::not_found(asked_path(parts)))?;
        if named != account {
            let message = format!("Authentication Error - the path is of account {named}, the credential of {account}");
            return Err(ApiError::unauthenticated(message));
        }
    }
    emulator.sign_in(account, &token).map_err(|error| match error {
        SignInError::UnknownAccount(_) | SignInError::WrongToken(_) => ApiError::unauthenticated("Authenticate"),
        SignInError::TooManyWorlds { .. } => ApiError::new(429, CODE_TOO_MANY, format!("Too Many Requests: {error}")),
    })
}

/// AccountSid and AuthToken of the `Authorization` header.
fn credential(headers: &HeaderMap) -> Result<(AccountSid, String), ApiError> {
    let error = |message| ApiError::unauthenticated(format!("Authentication Error - {message}"));
    let missing = || error("No credentials provided");
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).ok_or_else(missing)?;
    let (scheme, encoded) = value.trim().split_once(' ').ok_or_else(missing)?;
    let decoded = scheme.eq_ignore_ascii_case("basic").then(|| BASE64_STANDARD.decode(encoded.trim()));
    let text = decoded.and_then(Result::ok).and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(missing)?;
    let (username, token) = text.split_once(':').ok_or_else(missing)?;
    if username.starts_with(KeySid::PREFIX) {
        return Err(error("API keys are not served yet; use the AccountSid and the AuthToken"));
    }
    let account = username.parse().map_err(|_| error("invalid username"))?;
    if token.is_empty() {
        return Err(error("no AuthToken provided"));
    }
    Ok((account, token.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SID: &str = "AC0123456789abcdef0123456789abcdef";

    fn read(value: &str) -> Result<(AccountSid, String), String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        credential(&headers).map_err(|error| error.message)
    }

    fn basic(text: &str) -> String {
        format!("Basic {}", BASE64_STANDARD.encode(text))
    }

    #[test]
    fn a_credential_is_an_account_and_its_token() {
        let (account, token) = read(&basic(&format!("{SID}:a:b"))).unwrap();
        assert_eq!((account.to_string().as_str(), token.as_str()), (SID, "a:b"));
        assert!(read(&basic(&format!("{SID}:x")).replace("Basic", "basic")).is_ok());
    }

    #[test]
    fn each_bad_credential_says_what_is_wrong() {
        let missing = "Authentication Error - No credentials provided";
        assert_eq!(credential(&HeaderMap::new()).map_err(|error| error.message), Err(missing.to_owned()));
        for (value, part) in [
            ("Bearer abc".to_owned(), "No credentials"),
            ("Basic".to_owned(), "No credentials"),
            ("Basic !!!".to_owned(), "No credentials"),
            (basic(SID), "No credentials"),
            (basic(&format!("{SID}:")), "no AuthToken"),
            (basic("alice:secret"), "invalid username"),
            (basic("AC123:secret"), "invalid username"),
            (basic(&format!("SK{}:secret", &SID[2..])), "API keys"),
        ] {
            let message = read(&value).unwrap_err();
            assert!(message.contains(part) && !message.contains("secret"), "{value}: {message}");
        }
    }
}
