//! API keys in the 2010-04-01 API: the parameters of the API calls, and the Key resources.

use serde::Serialize;

use super::account_path;
use crate::dialect::date;
use crate::dialect::error::ApiError;
use crate::dialect::form::Form;
use crate::dialect::paging::{Extent, Flat, PageRequest};
use crate::dialect::parameter;
use crate::engine::Page;
use crate::model::credential::ApiKey;
use crate::model::sid::{AccountSid, KeySid};

/// Reads the name of a key from a create or update call.
///
/// # Errors
/// Returns error 20002 for a name that is too long.
pub fn key_name(form: &Form) -> Result<Option<Box<str>>, ApiError> {
    parameter::friendly_name(form)
}

/// Reads the parameters of a list of keys.
///
/// # Errors
/// Returns error 20422 with a message that names the parameter.
pub fn list_keys(query: &Form) -> Result<PageRequest, ApiError> {
    PageRequest::parse(query, KeySid::PREFIX, &[])
}

/// A key as clients see it, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyResource {
    sid: String,
    friendly_name: String,
    date_created: String,
    date_updated: String,
}

impl KeyResource {
    /// Returns the resource of a key.
    #[must_use]
    pub fn of(key: &ApiKey) -> Self {
        Self {
            sid: key.sid.to_string(),
            friendly_name: key.friendly_name.to_string(),
            date_created: date::rfc2822(key.created),
            date_updated: date::rfc2822(key.updated),
        }
    }
}

/// A new key in the response to its creation. No other response shows the secret.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct NewKeyResource {
    #[serde(flatten)]
    key: KeyResource,
    secret: String,
}

impl NewKeyResource {
    /// Returns the resource of a newly created key.
    #[must_use]
    pub fn of(key: &ApiKey) -> Self {
        Self { key: KeyResource::of(key), secret: key.secret.to_string() }
    }
}

/// A page of keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyList {
    keys: Vec<KeyResource>,
    #[serde(flatten)]
    paging: Flat,
}

impl KeyList {
    /// Returns one page of the list, with links to the previous and the next page.
    #[must_use]
    pub fn of(page: &Page<'_, ApiKey>, request: &PageRequest, account: AccountSid) -> Self {
        let uri = format!("{}/Keys.json", account_path(account));
        Self {
            keys: page.items.iter().map(|key| KeyResource::of(key)).collect(),
            paging: request.flat(&uri, &Extent::of(page, |key| key.ordinal)),
        }
    }
}
