//! SignalWire's Applications: the parameters of the API calls, and the resource.

use serde::Serialize;

use super::account_path;
use crate::dialect::attribute::{self, Attribute, OF_APPLICATION};
use crate::dialect::date;
use crate::dialect::error::ApiError;
use crate::dialect::form::Form;
use crate::dialect::paging::{Extent, PageRequest, Uris};
use crate::dialect::parameter::{self, Empty};
use crate::engine::Page;
use crate::model::application::{Application, ApplicationChange};
use crate::model::sid::{AccountSid, IdForm};

/// The filters that are carried over into a list's paging links.
const LIST_FILTERS: &[&str] = &["FriendlyName"];
/// Marks the page tokens of the list of applications, so that other lists refuse them: `apps` in ASCII.
const LIST_OF_APPLICATIONS: u32 = 0x6170_7073;
/// An attribute that only Twilio's API has. Like unknown parameters, it is ignored.
const NOT_SET_HERE: &str = "ApiVersion";

/// Reads the parameters of a create call.
///
/// # Errors
/// Returns an error with the documented code that fits best and a message that names the parameter.
pub fn create_application(form: &Form) -> Result<ApplicationChange, ApiError> {
    let change = change(form, Empty::LeftOut)?;
    if change.friendly_name.is_none() { Err(ApiError::missing("FriendlyName")) } else { Ok(change) }
}

/// Reads the parameters of an update call.
///
/// # Errors
/// Returns an error with the documented code that fits best and a message that names the parameter.
pub fn update_application(form: &Form) -> Result<ApplicationChange, ApiError> {
    change(form, Empty::Cleared)
}

fn change(form: &Form, empty: Empty) -> Result<ApplicationChange, ApiError> {
    let is_set_here = |attribute: &&Attribute<ApplicationChange>| attribute.parameter != NOT_SET_HERE;
    attribute::read(OF_APPLICATION.iter().filter(is_set_here), form, empty, IdForm::Uuid)
}

/// Reads the parameters of a list, and returns the name to filter by, if there is one.
///
/// # Errors
/// Returns an error with the documented code that fits best and a message that names the parameter.
pub fn list_applications(query: &Form) -> Result<(Option<String>, PageRequest), ApiError> {
    let name = parameter::given(query, "FriendlyName").map(str::to_owned);
    Ok((name, PageRequest::parse_strictly(query, LIST_OF_APPLICATIONS, LIST_FILTERS)?))
}

/// An application as clients see it. An unset URL is an empty string, as in the captured responses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApplicationResource {
    sid: String,
    date_created: String,
    date_updated: String,
    account_sid: String,
    friendly_name: String,
    voice_url: String,
    voice_method: &'static str,
    voice_fallback_url: String,
    voice_fallback_method: &'static str,
    status_callback: String,
    status_callback_method: &'static str,
    voice_caller_id_lookup: bool,
    sms_url: String,
    sms_method: &'static str,
    sms_fallback_url: String,
    sms_fallback_method: &'static str,
    sms_status_callback: String,
    sms_status_callback_method: &'static str,
    message_status_callback: String,
    api_version: &'static str,
    uri: String,
}

impl ApplicationResource {
    /// Returns the resource of an application.
    #[must_use]
    pub fn of(application: &Application, account: AccountSid) -> Self {
        let attributes = &application.attributes;
        Self {
            sid: application.sid.to_string(),
            date_created: date::rfc2822(application.created),
            date_updated: date::rfc2822(application.updated),
            account_sid: account.to_string(),
            friendly_name: attributes.friendly_name.to_string(),
            voice_url: attributes.voice_url.to_string(),
            voice_method: attributes.voice_method.as_str(),
            voice_fallback_url: attributes.voice_fallback_url.to_string(),
            voice_fallback_method: attributes.voice_fallback_method.as_str(),
            status_callback: attributes.status_callback.to_string(),
            status_callback_method: attributes.status_callback_method.as_str(),
            voice_caller_id_lookup: attributes.voice_caller_id_lookup,
            sms_url: attributes.sms_url.to_string(),
            sms_method: attributes.sms_method.as_str(),
            sms_fallback_url: attributes.sms_fallback_url.to_string(),
            sms_fallback_method: attributes.sms_fallback_method.as_str(),
            sms_status_callback: attributes.sms_status_callback.to_string(),
            sms_status_callback_method: "POST",
            message_status_callback: attributes.message_status_callback.to_string(),
            api_version: super::API_VERSION,
            uri: format!("{}/Applications/{}.json", account_path(account), application.sid),
        }
    }
}

/// A page of applications.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApplicationList {
    #[serde(flatten)]
    paging: Uris,
    applications: Vec<ApplicationResource>,
}

impl ApplicationList {
    /// Returns one page of the list, with links to the previous and the next page.
    #[must_use]
    pub fn of(page: &Page<'_, Application>, request: &PageRequest, account: AccountSid) -> Self {
        let uri = format!("{}/Applications", account_path(account));
        Self {
            paging: request.uris(&uri, &Extent::of(page, |each| each.ordinal)),
            applications: page.items.iter().map(|each| ApplicationResource::of(each, account)).collect(),
        }
    }
}
