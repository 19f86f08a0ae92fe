//! Determines a request's dialect from its path: each dialect has paths that the other doesn't have.

use axum::http::request::Parts;

use super::credential::account_of;
use super::{asked_path, origin};
use crate::dialect::signalwire::{self, logs};
use crate::dialect::twiml_bin::LAML_BINS;
use crate::model::account::Dialect;
use crate::model::sid::AccountSid;

/// The root of an account's resources, in both dialects.
const ACCOUNTS: &str = "/2010-04-01/Accounts/";
/// The roots of paths that only SignalWire has.
const SIGNALWIRE_ROOTS: &[&str] = &[signalwire::ROOT, logs::ROOT, LAML_BINS];

/// Returns the dialect of a request: SignalWire's if the path is under one of its roots or names a project, otherwise
/// Twilio's. The list of accounts has the same path in both dialects, so there the credential decides.
pub(super) fn dialect_of(parts: &Parts) -> Dialect {
    let path = asked_path(parts);
    let below = |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let account = || path.strip_prefix(ACCOUNTS)?.split(['/', '.']).next()?.parse::<AccountSid>().ok();
    if SIGNALWIRE_ROOTS.iter().any(|root| below(root)) {
        return Dialect::SignalWire;
    }
    // Only the credential reveals whose list of accounts this is.
    let is_list = path.trim_end_matches(".json") == ACCOUNTS.trim_end_matches('/');
    let named = if is_list { account_of(&parts.headers) } else { account() };
    named.map_or(Dialect::Twilio, Dialect::of)
}

/// Returns the dialect in which a request's client expects errors: that of its path, or SignalWire's if the client came
/// via a SignalWire host name or signs in as a project.
pub(super) fn dialect_of_client(parts: &Parts) -> Dialect {
    let is_project = || account_of(&parts.headers).map(Dialect::of) == Some(Dialect::SignalWire);
    let came_to_signalwire = || Dialect::SignalWire.is_own_origin(&origin(parts, None));
    let by_path = dialect_of(parts);
    if by_path == Dialect::Twilio && (is_project() || came_to_signalwire()) { Dialect::SignalWire } else { by_path }
}

/// Returns a message that directs a client to the APIs of the account's dialect.
pub(super) fn elsewhere(account: AccountSid) -> String {
    match Dialect::of(account) {
        Dialect::Twilio => format!(
            "{account} is a Twilio account; its faxes are at /v1/Faxes, its other resources at {ACCOUNTS}{account}"
        ),
        Dialect::SignalWire => format!(
            "{account} is a SignalWire project; its resources, including faxes, are at {}",
            signalwire::account_path(account)
        ),
    }
}
