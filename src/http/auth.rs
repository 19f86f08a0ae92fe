//! Authenticates REST calls by HTTP Basic authentication, with an AccountSid and its AuthToken or with an API key. Also
//! checks admission: whether the addressed account permits the call. `emulator.rs` decides which credentials are valid.

use std::time::Duration;

use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use subtle::ConstantTimeEq;

use super::credential::{Credential, credential};
use super::dialects::{dialect_of, elsewhere};
use super::reply::ErrorForm;
use super::traffic::{ResponseRecord, Unassignable};
use super::{AbortHandle, asked_path, is_read, reply};
use crate::dialect::error::{ApiError, Reason};
use crate::emulator::{NoWorld, Registry, SignInError, World};
use crate::engine::admission::{Action, Admission, Area};
use crate::engine::input::ApiCalled;
use crate::model::account::{AccountStatus, Dialect};
use crate::model::refusal::Refusal;
use crate::model::sid::AccountSid;
use crate::world::journal::Excerpt;

/// The result of a successful sign-in: the credential's world, and the world that the path addresses.
pub(super) struct SignedIn {
    /// The world that the credential belongs to.
    pub(super) own: World,
    /// The world of the subaccount named in the path; `None` if the path names no account, or the credential's own
    /// account.
    named: Option<World>,
    /// The addressed world's admission as of the moment the call came in.
    admission: Admission,
}

impl SignedIn {
    /// Returns the addressed world: that of the subaccount named in the path, or otherwise the credential's own.
    pub(super) fn world(&self) -> &World {
        self.named.as_ref().unwrap_or(&self.own)
    }

    /// Returns whether the addressed world has rules that may change how calls are answered.
    pub(super) const fn has_api_rules(&self) -> bool {
        self.admission.has_api_rules
    }
}

/// Applies an `api` rule to the call, either a tester's or one of pedantic mode: waits for the rule's delay, then
/// returns the response that replaces the usual one, and its description. Returns `None` if no rule acts, or if the
/// rule only delays the call.
pub(super) async fn otherwise(
    registry: &Registry,
    signed_in: &SignedIn,
    parts: &Parts,
    connection: &AbortHandle,
) -> Option<(Response, ResponseRecord)> {
    // A REST call becomes a command only in a world with such rules.
    if !signed_in.has_api_rules() {
        return None;
    }
    let (method, path) = (parts.method.as_str().into(), asked_path(parts).into());
    // If no rule matches this call, or the world has broken meanwhile, the call proceeds as usual.
    let Ok(Some((rule, fault))) = signed_in.world().handle(ApiCalled { method, path }) else {
        return None;
    };
    if fault.delay_ms > 0 {
        registry.pause(Duration::from_millis(fault.delay_ms)).await;
    }
    if fault.reset {
        return Some((reply::reset(connection), ResponseRecord::reset(rule)));
    }
    let form = ErrorForm::at(parts, dialect_of(parts));
    fault.refusal.map(|(status, code)| {
        let code = code.unwrap_or_else(|| form.dialect.usual_code(status));
        let error = reply::on_purpose(status, code);
        let body = Excerpt::of(&form.body(&error));
        let answered = ResponseRecord { status, code: Some(code), body, is_reset: false, rule: Some(rule) };
        (reply::refused_on_purpose(form, &error), answered)
    })
}

/// Checks the credential and finds a request's worlds. `named` is the account in the path: `None` if there is none,
/// `Some(None)` if it is not a SID. An error includes the reason the request is assigned to no world.
pub(super) fn sign_in(
    registry: &Registry,
    parts: &Parts,
    named: Option<Option<AccountSid>>,
    area: Area,
) -> Result<SignedIn, (Unassignable, ApiError)> {
    let named_account = named.flatten();
    let credential = credential(&parts.headers)
        .map_err(|error| (Unassignable { account: named_account, reason: NoWorld::NoCredential }, error))?;
    let refused = |reason, error| {
        let of_credential = if let Credential::Token(account, _) = &credential { Some(*account) } else { None };
        (Unassignable { account: named_account.or(of_credential), reason }, error)
    };
    let named = named
        .map(|named| named.ok_or_else(|| refused(NoWorld::UnknownAccount, ApiError::not_found(asked_path(parts)))));
    let named = named.transpose()?;
    // A credential of one dialect neither opens nor creates an account of the other.
    if let Credential::Token(account, _) = credential
        && Dialect::of(account) != dialect_of(parts)
    {
        return Err(refused(
            NoWorld::OtherDialect,
            ApiError::unauthenticated(format!("Authenticate: {}", elsewhere(account))),
        ));
    }
    // Checked before the credential: signing in may create a world, which must not happen if the path names a
    // stranger's account.
    if let Credential::Token(account, _) = credential
        && let Some(named) = named.filter(|named| *named != account)
        && owner_of(registry, named) != Some(account)
    {
        return Err(refused(NoWorld::OtherAccount, of_another(named)));
    }
    let own = match &credential {
        // If the client's account has no world yet, a read gets a fresh world that isn't kept; only a write creates one
        // and claims it.
        Credential::Token(account, token) if is_read(&parts.method) => registry.look_in_with_admission(*account, token),
        Credential::Token(account, token) => registry.sign_in_with_admission(*account, token),
        Credential::Key(key, secret) => registry.sign_in_with_key(*key, secret).map(|own| {
            let admission = own.admission();
            (own, admission)
        }),
    };
    let (own, own_terms) = own.map_err(|error| refused(reason_of(&error), error_of(&error)))?;
    if matches!(credential, Credential::Key(..)) && area.needs_token() {
        let message = "a standard API key can't access Accounts and Keys; use the AccountSid and the AuthToken";
        let error = ApiError::unauthenticated(format!("Authentication Error - {message}"));
        return Err(refused(NoWorld::KeyNotEnough, error));
    }
    let of_another = |named| refused(NoWorld::OtherAccount, of_another(named));
    // A call with an API key is checked only here, since the key's account was unknown before the look-up.
    let named = match named.filter(|named| *named != own.sid()) {
        None => None,
        Some(named) if owner_of(registry, named) == Some(own.sid()) => {
            Some(registry.world(named).ok_or_else(|| of_another(named))?)
        }
        Some(named) => return Err(of_another(named)),
    };
    let admission = named.as_ref().map_or(own_terms, World::admission);
    Ok(SignedIn { own, named, admission })
}

/// Returns the error for a client whose sign-in fails.
fn error_of(error: &SignInError) -> ApiError {
    match error {
        SignInError::UnknownAccount(_) | SignInError::WrongToken(_) | SignInError::WrongKey(_) => {
            ApiError::unauthenticated("Authenticate")
        }
        SignInError::Broken(_) => ApiError::new(Reason::Internal, format!("Internal Server Error: {error}")),
        SignInError::TooManyWorlds { .. } => ApiError::new(Reason::TooMany, format!("Too Many Requests: {error}")),
    }
}

const fn reason_of(error: &SignInError) -> NoWorld {
    match error {
        SignInError::UnknownAccount(_) => NoWorld::UnknownAccount,
        SignInError::WrongToken(_) | SignInError::WrongKey(_) => NoWorld::WrongCredential,
        SignInError::Broken(_) => NoWorld::Broken,
        SignInError::TooManyWorlds { .. } => NoWorld::TooManyAccounts,
    }
}

fn owner_of(registry: &Registry, account: AccountSid) -> Option<AccountSid> {
    registry.world(account)?.read(|engine| engine.account().owner)
}

fn of_another(named: AccountSid) -> ApiError {
    let message = format!("Authentication Error - the credential doesn't belong to account {named}");
    ApiError::unauthenticated(message)
}

/// Checks that the addressed account admits the call and, if the account's owner makes the call, that the owner is
/// active.
pub(super) fn admit(signed_in: &SignedIn, area: Area, action: Action) -> Result<(), Refusal> {
    let is_own = signed_in.named.is_none();
    if !is_own {
        // A suspended owner can't do anything, not even in subaccounts.
        let owner = signed_in.own.admission();
        if owner.status != AccountStatus::Active {
            return Err(Refusal::AccountNotActive(owner.account));
        }
    }
    signed_in.admission.admit(area, action, !is_own)
}

/// Returns whether a request carries the credential of a world's owner: the account and token, or the token alone as a
/// Bearer token.
pub(super) fn is_of_owner(headers: &HeaderMap, world: &World) -> bool {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| {
        let (scheme, token) = value.trim().split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
    });
    let basic = || match credential(headers) {
        Ok(Credential::Token(account, token)) => (account == world.sid()).then_some(token),
        Ok(Credential::Key(..)) | Err(_) => None,
    };
    let own = world.read(|engine| engine.account().auth_token.clone());
    let given = bearer.or_else(basic);
    // Compared in constant time, so that the time taken reveals nothing about the token.
    own.zip(given).is_some_and(|(own, given)| bool::from(own.as_bytes().ct_eq(given.as_bytes())))
}
