//! Twilio's resources: parameters to commands, views to JSON in Twilio's own keys. It decides nothing.

pub mod accounts;
pub mod alerts;
pub mod applications;
pub mod available;
pub mod caller_ids;
pub mod codes;
pub mod debugger;
pub mod faxes;
pub mod keys;
pub mod numbers;
pub mod webhook;

use crate::model::account::PriceForm;
use crate::model::sid::AccountSid;
use crate::model::time::Timestamp;

/// The path of the 2010-04-01 API's resources of an account.
#[must_use]
pub fn account_path(account: AccountSid) -> String {
    format!("/2010-04-01/Accounts/{account}")
}

/// What v1 resources show beside the fax itself.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Whose resources they are.
    pub account: AccountSid,
    /// Scheme and host that the client used.
    pub origin: &'a str,
    /// The world's time, from which media URLs live.
    pub now: Timestamp,
    /// The key of media URLs.
    pub signing_key: &'a [u8],
    /// How a price is written.
    pub price: PriceForm,
}

/// The keys of a JSON object, for tests that hold resources to a list of them.
#[cfg(test)]
fn keys_of(value: &serde_json::Value) -> std::collections::BTreeSet<&str> {
    value.as_object().map(|object| object.keys().map(String::as_str).collect()).unwrap_or_default()
}
