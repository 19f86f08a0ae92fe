//! SignalWire's compatibility API: reads parameters into commands, and writes views as JSON with SignalWire's own keys
//! (docs/fidelity.md, "SignalWire").

pub mod callback;
pub mod codes;
pub mod faxes;
pub mod media;
pub mod webhook;

use crate::model::sid::AccountSid;

/// The root of the API's documented paths, which most libraries leave out.
pub const ROOT: &str = "/api/laml";

/// Returns the path of a project's resources.
#[must_use]
pub fn account_path(account: AccountSid) -> String {
    format!("{ROOT}/2010-04-01/Accounts/{account}")
}
