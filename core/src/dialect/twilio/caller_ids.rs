//! OutgoingCallerIds in the 2010-04-01 API: validation requests, and the resources of caller ids.

use serde::Serialize;

use super::account_path;
use crate::dialect::date;
use crate::dialect::error::{ApiError, Reason};
use crate::dialect::form::Form;
use crate::dialect::paging::{Extent, Flat, PageRequest};
use crate::dialect::parameter;
use crate::engine::Page;
use crate::model::credential::CallerId;
use crate::model::hex;
use crate::model::phone::PhoneNumber;
use crate::model::sid::{AccountSid, NumberSid};

/// The filters that are carried over into a list's paging links.
const LIST_FILTERS: &[&str] = &["PhoneNumber", "FriendlyName"];
/// The longest `CallDelay`, in seconds (Twilio's OpenAPI, 2010-04-01).
const CALL_DELAY_MAX_S: u64 = 60;

/// Reads a validation request and returns the number to verify and the name for it.
///
/// # Errors
/// Returns an error with the documented code that fits best and a message that names the parameter.
pub fn validate(form: &Form) -> Result<(PhoneNumber, Option<Box<str>>), ApiError> {
    let text = parameter::given(form, "PhoneNumber").ok_or_else(|| ApiError::missing("PhoneNumber"))?;
    let number = text.parse().map_err(|_| {
        let excerpt = parameter::excerpt(text);
        ApiError::new(Reason::InvalidCallerId, format!("PhoneNumber {excerpt} is not a valid phone number"))
    })?;
    // No call is placed, but the parameters are checked as if one were.
    let delay_s = parameter::whole_number(form, "CallDelay").ok().flatten();
    if parameter::given(form, "CallDelay").is_some() && delay_s.is_none_or(|delay_s| delay_s > CALL_DELAY_MAX_S) {
        let message = format!("CallDelay must be a number of seconds from 0 to {CALL_DELAY_MAX_S}");
        return Err(ApiError::new(Reason::InvalidCallDelay, message));
    }
    if let Some(url) = parameter::given(form, "StatusCallback") {
        parameter::check_url(url).map_err(|reason| {
            let excerpt = parameter::excerpt(url);
            ApiError::new(Reason::CallbackUrl, format!("StatusCallback '{excerpt}' is invalid: {reason}"))
        })?;
    }
    parameter::method(form, "StatusCallbackMethod")?;
    Ok((number, parameter::friendly_name(form)?))
}

/// Reads a caller id's new name.
///
/// # Errors
/// Returns error 20002 for a name that is too long.
pub fn caller_id_name(form: &Form) -> Result<Option<Box<str>>, ApiError> {
    parameter::friendly_name(form)
}

/// The filters of a list of caller ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerIdFilter {
    number: Option<String>,
    friendly_name: Option<String>,
}

/// Reads the parameters of a list of caller ids.
///
/// # Errors
/// Returns error 20422 with a message that names the parameter.
pub fn list_caller_ids(query: &Form) -> Result<(CallerIdFilter, PageRequest), ApiError> {
    // A plus that wasn't encoded has become a space. No number contains a space, so turning it back is safe.
    let number = parameter::given(query, "PhoneNumber").map(|text| text.replace(' ', "+"));
    let friendly_name = parameter::given(query, "FriendlyName").map(str::to_owned);
    Ok((CallerIdFilter { number, friendly_name }, PageRequest::parse(query, NumberSid::PREFIX, LIST_FILTERS)?))
}

impl CallerIdFilter {
    /// Returns whether the list shows this caller id.
    #[must_use]
    pub fn shows(&self, caller_id: &CallerId) -> bool {
        self.number.as_ref().is_none_or(|number| *number == caller_id.number.to_string())
            && self.friendly_name.as_deref().is_none_or(|name| name == &*caller_id.friendly_name)
    }
}

/// The response to a validation request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ValidationResource {
    account_sid: String,
    call_sid: String,
    friendly_name: String,
    phone_number: String,
    validation_code: String,
}

impl ValidationResource {
    /// Returns the resource of a newly verified number. No call is placed, so the call's SID and the code are derived
    /// from the caller id's SID.
    #[must_use]
    pub fn of(caller_id: &CallerId, account: AccountSid) -> Self {
        let digits = hex::encode(caller_id.sid.bytes());
        // Below 900,000, so that adding 100,000 always makes six digits.
        let code = caller_id.sid.bytes().iter().fold(0u32, |code, byte| (code * 31 + u32::from(*byte)) % 900_000);
        Self {
            account_sid: account.to_string(),
            call_sid: format!("CA{digits}"),
            friendly_name: caller_id.friendly_name.to_string(),
            phone_number: caller_id.number.to_string(),
            validation_code: (100_000 + code).to_string(),
        }
    }
}

/// A caller id as clients see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CallerIdResource {
    sid: String,
    account_sid: String,
    friendly_name: String,
    phone_number: String,
    date_created: String,
    date_updated: String,
    uri: String,
}

impl CallerIdResource {
    /// Returns the resource of a caller id.
    #[must_use]
    pub fn of(caller_id: &CallerId, account: AccountSid) -> Self {
        Self {
            sid: caller_id.sid.to_string(),
            account_sid: account.to_string(),
            friendly_name: caller_id.friendly_name.to_string(),
            phone_number: caller_id.number.to_string(),
            date_created: date::rfc2822(caller_id.created),
            date_updated: date::rfc2822(caller_id.updated),
            uri: format!("{}/OutgoingCallerIds/{}.json", account_path(account), caller_id.sid),
        }
    }
}

/// A page of caller ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CallerIdList {
    outgoing_caller_ids: Vec<CallerIdResource>,
    #[serde(flatten)]
    paging: Flat,
}

impl CallerIdList {
    /// Returns one page of the list, with links to the previous and the next page.
    #[must_use]
    pub fn of(page: &Page<'_, CallerId>, request: &PageRequest, account: AccountSid) -> Self {
        let uri = format!("{}/OutgoingCallerIds.json", account_path(account));
        Self {
            outgoing_caller_ids: page.items.iter().map(|id| CallerIdResource::of(id, account)).collect(),
            paging: request.flat(&uri, &Extent::of(page, |id| id.ordinal)),
        }
    }
}
