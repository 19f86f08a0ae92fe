//! The Accounts resource of the 2010-04-01 API: its JSON, and the parameters of the API calls.

use serde::Serialize;

use super::account_path;
use crate::dialect::date;
use crate::dialect::error::{ApiError, Reason};
use crate::dialect::form::Form;
use crate::dialect::paging::{Extent, Flat, PageRequest};
use crate::dialect::parameter;
use crate::model::account::{Account, AccountChange, AccountStatus};
use crate::model::sid::AccountSid;
use crate::model::time::Timestamp;

/// The subresources of an account: the key of each in JSON, and the last part of its path.
const SUBRESOURCES: &[(&str, &str)] = &[
    ("available_phone_numbers", "AvailablePhoneNumbers"),
    ("calls", "Calls"),
    ("conferences", "Conferences"),
    ("incoming_phone_numbers", "IncomingPhoneNumbers"),
    ("notifications", "Notifications"),
    ("outgoing_caller_ids", "OutgoingCallerIds"),
    ("recordings", "Recordings"),
    ("transcriptions", "Transcriptions"),
    ("addresses", "Addresses"),
    ("signing_keys", "SigningKeys"),
    ("connect_apps", "ConnectApps"),
    ("sip", "SIP"),
    ("authorized_connect_apps", "AuthorizedConnectApps"),
    ("usage", "Usage"),
    ("keys", "Keys"),
    ("applications", "Applications"),
    ("short_codes", "SMS/ShortCodes"),
    ("queues", "Queues"),
    ("messages", "Messages"),
    ("balance", "Balance"),
];
/// The filters that are carried over into a list's paging links.
const LIST_FILTERS: &[&str] = &["FriendlyName", "Status"];

/// An account as clients see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AccountResource {
    sid: String,
    friendly_name: String,
    status: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    auth_token: Option<String>,
    owner_account_sid: String,
    date_created: String,
    date_updated: String,
    uri: String,
    subresource_uris: serde_json::Map<String, serde_json::Value>,
}

impl AccountResource {
    /// Returns the resource of an account.
    #[must_use]
    pub fn of(account: &Account) -> Self {
        let path = account_path(account.sid);
        let subresources =
            SUBRESOURCES.iter().map(|(key, name)| ((*key).to_owned(), format!("{path}/{name}.json").into()));
        Self {
            sid: account.sid.to_string(),
            friendly_name: account.friendly_name.to_string(),
            status: account.status.as_str(),
            kind: "Full",
            auth_token: account.auth_token.as_deref().map(str::to_owned),
            // A main account is its own owner.
            owner_account_sid: account.owner.unwrap_or(account.sid).to_string(),
            date_created: date::rfc2822(account.created),
            date_updated: date::rfc2822(account.updated),
            uri: format!("{path}.json"),
            subresource_uris: subresources.collect(),
        }
    }
}

/// The parameters of a list of accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountsRequest {
    friendly_name: Option<String>,
    status: Option<AccountStatus>,
    paging: PageRequest,
}

/// Reads the parameters of a list of accounts.
///
/// # Errors
/// Returns error 20422 with a message that names the parameter.
pub fn list_accounts(query: &Form) -> Result<AccountsRequest, ApiError> {
    let status = parameter::word(query, "Status", AccountStatus::ALL, AccountStatus::as_str)?;
    Ok(AccountsRequest {
        friendly_name: parameter::given(query, "FriendlyName").map(str::to_owned),
        status,
        paging: PageRequest::parse(query, AccountSid::PREFIX, LIST_FILTERS)?,
    })
}

/// Reads the parameters of a new subaccount and returns its name.
///
/// # Errors
/// Returns error 20002 for a name that is too long.
pub fn create_account(form: &Form, now: Timestamp) -> Result<Box<str>, ApiError> {
    let name = parameter::friendly_name(form)?;
    // Twilio's default name, which contains the time on a 12-hour clock.
    Ok(name.unwrap_or_else(|| format!("SubAccount Created at {}", date::with_meridian(now)).into()))
}

/// Reads the parameters of an account change.
///
/// # Errors
/// Returns error 20002 for a name that is too long, or 21475 for an unknown status.
pub fn update_account(form: &Form) -> Result<AccountChange, ApiError> {
    let status = parameter::given(form, "Status").map(|text| {
        let known = AccountStatus::from_word(text);
        known.ok_or_else(|| {
            let message = format!("Unable to update Status, invalid Status '{}'.", parameter::excerpt(text));
            ApiError::new(Reason::InvalidAccountStatus, message)
        })
    });
    let friendly_name = parameter::friendly_name(form)?;
    Ok(AccountChange { friendly_name, status: status.transpose()?, ..AccountChange::default() })
}

/// The list of accounts that a credential can access: the credential's own account and its subaccounts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AccountList {
    accounts: Vec<AccountResource>,
    #[serde(flatten)]
    paging: Flat,
}

impl AccountList {
    /// Returns the requested page of those accounts that meet the request's conditions. `reached` must be newest first.
    #[must_use]
    pub fn of(reached: &[Account], request: &AccountsRequest) -> Self {
        let shown = reached.iter().filter(|account| {
            request.friendly_name.as_deref().is_none_or(|name| *name == *account.friendly_name)
                && request.status.is_none_or(|status| status == account.status)
        });
        let page = request.paging.cut(shown, |account| account.ordinal);
        Self {
            accounts: page.items.iter().map(|account| AccountResource::of(account)).collect(),
            paging: request.paging.flat("/2010-04-01/Accounts.json", &Extent::of(&page, |account| account.ordinal)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::twilio::keys_of;

    fn account() -> Account {
        let created = Timestamp::from_seconds(1_438_298_344);
        let account = Account::new(AccountSid::from_bytes([0; 16]), Some("a token".into()), created);
        Account { friendly_name: "fauxfax".into(), ..account }
    }

    fn list(query: &str) -> serde_json::Value {
        let request = list_accounts(&Form::parse(query.as_bytes()).unwrap()).unwrap();
        serde_json::to_value(AccountList::of(&[account()], &request)).unwrap()
    }

    #[test]
    fn an_account_has_every_documented_key() {
        let resource = serde_json::to_value(AccountResource::of(&account())).unwrap();
        let documented = [
            "sid",
            "friendly_name",
            "status",
            "type",
            "auth_token",
            "owner_account_sid",
            "date_created",
            "date_updated",
            "uri",
            "subresource_uris",
        ];
        assert_eq!(keys_of(&resource), documented.into());
        assert_eq!(resource["uri"], "/2010-04-01/Accounts/AC00000000000000000000000000000000.json");
        assert_eq!(resource["date_created"], "Thu, 30 Jul 2015 23:19:04 +0000");
        assert_eq!(keys_of(&resource["subresource_uris"]).len(), 20);
        let short_codes = "/2010-04-01/Accounts/AC00000000000000000000000000000000/SMS/ShortCodes.json";
        assert_eq!(resource["subresource_uris"]["short_codes"], short_codes);
    }

    #[test]
    fn a_list_of_one_account_is_filtered_by_status_and_name() {
        let all = list("PageSize=2");
        assert_eq!(all["accounts"].as_array().map(Vec::len), Some(1));
        assert_eq!(all["uri"], "/2010-04-01/Accounts.json?PageSize=2&Page=0");
        for (query, count) in
            [("Status=active", 1), ("Status=closed", 0), ("FriendlyName=fauxfax", 1), ("FriendlyName=x", 0)]
        {
            assert_eq!(list(query)["accounts"].as_array().map(Vec::len), Some(count), "{query}");
        }
    }
}
