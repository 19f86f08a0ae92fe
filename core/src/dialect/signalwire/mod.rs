//! SignalWire's compatibility API: reads parameters into commands, and writes resources as JSON with SignalWire's own
//! keys (docs/fidelity.md, "SignalWire").

pub mod accounts;
pub mod applications;
pub mod available;
pub mod bins;
pub mod callback;
pub mod codes;
pub mod faxes;
pub mod logs;
pub mod media;
pub mod numbers;
pub mod webhook;

use crate::model::phone::PhoneNumber;
use crate::model::sid::AccountSid;

/// The root of the API's documented paths. Most libraries leave it out.
pub const ROOT: &str = "/api/laml";

/// The version that all resources except faxes show.
const API_VERSION: &str = "2010-04-01";

/// Returns the path of a project's resources.
#[must_use]
pub fn account_path(account: AccountSid) -> String {
    format!("{ROOT}/2010-04-01/Accounts/{account}")
}

/// Formats a number as SignalWire does: a North American number in groups, such as `310-338-6745`, and any other in
/// E.164.
fn national_format(number: PhoneNumber) -> String {
    let text = number.digits().to_string();
    match text.strip_prefix('1') {
        Some(rest) if rest.len() == 10 => format!("{}-{}-{}", &rest[..3], &rest[3..6], &rest[6..]),
        _ => number.to_string(),
    }
}

/// Returns `None`, which is serialized as null, for an unset string.
fn or_null(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
