//! Twilio's resources: reads parameters into commands, and writes resources as JSON with Twilio's own keys.

pub mod accounts;
pub mod alerts;
pub mod applications;
pub mod available;
pub mod caller_ids;
pub mod codes;
pub mod debugger;
pub mod faxes;
pub mod keys;
pub mod lookups;
pub mod messages;
mod numbering;
pub mod numbers;
pub mod webhook;

use crate::model::sid::AccountSid;

/// Returns the path of an account's resources in the 2010-04-01 API.
#[must_use]
pub fn account_path(account: AccountSid) -> String {
    format!("/2010-04-01/Accounts/{account}")
}

/// Returns the keys of a JSON object, for tests that compare them with a list.
#[cfg(test)]
fn keys_of(value: &serde_json::Value) -> std::collections::BTreeSet<&str> {
    value.as_object().map(|object| object.keys().map(String::as_str).collect()).unwrap_or_default()
}
