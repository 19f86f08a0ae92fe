//! SignalWire's Accounts: the project itself, the only account that its credential can access.

use serde::Serialize;

use super::{ROOT, account_path};
use crate::dialect::date;
use crate::dialect::error::ApiError;
use crate::dialect::form::Form;
use crate::dialect::paging::{Extent, PageRequest, Uris};
use crate::dialect::parameter;
use crate::model::account::Account;

/// The subresources that have a path in captured responses about projects.
const SUBRESOURCES: &[(&str, &str)] = &[
    ("available_phone_numbers", "AvailablePhoneNumbers"),
    ("applications", "Applications"),
    ("calls", "Calls"),
    ("conferences", "Conferences"),
    ("incoming_phone_numbers", "IncomingPhoneNumbers"),
    ("queues", "Queues"),
    ("recordings", "Recordings"),
    ("messages", "Messages"),
    ("transcriptions", "Transcriptions"),
];
/// The subresources of Twilio accounts that are null in SignalWire's captured responses.
const NO_SUBRESOURCES: &[&str] = &[
    "addresses",
    "authorized_connect_apps",
    "connect_apps",
    "keys",
    "notifications",
    "outgoing_caller_ids",
    "sandbox",
    "signing_keys",
    "sip",
    "short_codes",
    "usage",
];
/// The filters that are carried over into a list's paging links.
const LIST_FILTERS: &[&str] = &["FriendlyName"];
/// Marks the page tokens of the list of accounts, so that other lists refuse them: `acct` in ASCII.
const LIST_OF_ACCOUNTS: u32 = 0x6163_6374;
/// The string shown in place of the token.
const REDACTED: &str = "redacted";

/// A project as clients see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AccountResource {
    sid: String,
    friendly_name: String,
    status: &'static str,
    auth_token: &'static str,
    date_created: String,
    date_updated: String,
    #[serde(rename = "type")]
    kind: &'static str,
    owner_account_sid: Option<String>,
    subproject: bool,
    uri: String,
    subresource_uris: serde_json::Map<String, serde_json::Value>,
}

impl AccountResource {
    /// Returns the resource of a project.
    #[must_use]
    pub fn of(account: &Account) -> Self {
        let path = account_path(account.sid);
        let own: Vec<_> =
            SUBRESOURCES.iter().map(|(key, name)| ((*key).to_owned(), format!("{path}/{name}").into())).collect();
        let none = NO_SUBRESOURCES.iter().map(|key| ((*key).to_owned(), serde_json::Value::Null));
        Self {
            sid: account.sid.to_string(),
            friendly_name: account.friendly_name.to_string(),
            status: account.status.as_str(),
            auth_token: REDACTED,
            date_created: date::rfc2822(account.created),
            date_updated: date::rfc2822(account.updated),
            kind: "Full",
            owner_account_sid: account.owner.map(|owner| owner.to_string()),
            subproject: account.owner.is_some(),
            uri: path,
            subresource_uris: own.into_iter().chain(none).collect(),
        }
    }
}

/// Reads the parameters of a list, and returns the name to filter by, if there is one.
///
/// # Errors
/// Returns an error with the documented code that fits best and a message that names the parameter.
pub fn list_accounts(query: &Form) -> Result<(Option<String>, PageRequest), ApiError> {
    let name = parameter::given(query, "FriendlyName").map(str::to_owned);
    Ok((name, PageRequest::parse_strictly(query, LIST_OF_ACCOUNTS, LIST_FILTERS)?))
}

/// The list of projects that a credential can access.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AccountList {
    #[serde(flatten)]
    paging: Uris,
    accounts: Vec<AccountResource>,
}

impl AccountList {
    /// Returns the resource of the list, which contains one project at most.
    #[must_use]
    pub fn of(account: &Account, name: Option<&str>, request: &PageRequest) -> Self {
        let shown = Some(account).filter(|account| name.is_none_or(|name| *name == *account.friendly_name));
        let page = request.cut(shown.into_iter(), |account| account.ordinal);
        Self {
            paging: request.uris(&format!("{ROOT}/2010-04-01/Accounts"), &Extent::of(&page, |account| account.ordinal)),
            accounts: page.items.iter().map(|account| AccountResource::of(account)).collect(),
        }
    }
}
