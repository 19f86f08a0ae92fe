//! Applications of the 2010-04-01 API: the parameters of the API calls, and the Application resource.

use serde::Serialize;

use super::account_path;
use crate::dialect::attribute::{self, OF_APPLICATION};
use crate::dialect::date;
use crate::dialect::error::ApiError;
use crate::dialect::form::Form;
use crate::dialect::paging::{Extent, Flat, PageRequest};
use crate::dialect::parameter::{self, Empty};
use crate::engine::Page;
use crate::model::application::{Application, ApplicationChange};
use crate::model::sid::{AccountSid, ApplicationSid, IdForm};

/// The filters that are carried over into a list's paging links.
const LIST_FILTERS: &[&str] = &["FriendlyName"];

/// Reads the parameters of a create call.
///
/// # Errors
/// Returns an error with the documented code that fits best and a message that names the parameter.
pub fn create_application(form: &Form) -> Result<ApplicationChange, ApiError> {
    attribute::read(OF_APPLICATION, form, Empty::LeftOut, IdForm::Prefixed)
}

/// Reads the parameters of an update call.
///
/// # Errors
/// Returns an error with the documented code that fits best and a message that names the parameter.
pub fn update_application(form: &Form) -> Result<ApplicationChange, ApiError> {
    attribute::read(OF_APPLICATION, form, Empty::Cleared, IdForm::Prefixed)
}

/// Reads the parameters of a list, and returns the name to filter by, if there is one.
///
/// # Errors
/// Returns error 20422 with a message that names the parameter.
pub fn list_applications(query: &Form) -> Result<(Option<String>, PageRequest), ApiError> {
    let name = parameter::given(query, "FriendlyName").map(str::to_owned);
    Ok((name, PageRequest::parse(query, ApplicationSid::PREFIX, LIST_FILTERS)?))
}

/// An application as clients see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApplicationResource {
    sid: String,
    account_sid: String,
    friendly_name: String,
    api_version: String,
    date_created: String,
    date_updated: String,
    voice_url: Option<String>,
    voice_method: &'static str,
    voice_fallback_url: Option<String>,
    voice_fallback_method: &'static str,
    voice_caller_id_lookup: bool,
    status_callback: Option<String>,
    status_callback_method: &'static str,
    sms_url: Option<String>,
    sms_method: &'static str,
    sms_fallback_url: Option<String>,
    sms_fallback_method: &'static str,
    sms_status_callback: Option<String>,
    message_status_callback: Option<String>,
    uri: String,
}

impl ApplicationResource {
    /// Returns the resource of an application.
    #[must_use]
    pub fn of(application: &Application, account: AccountSid) -> Self {
        let attributes = &application.attributes;
        let url = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Self {
            sid: application.sid.to_string(),
            account_sid: account.to_string(),
            friendly_name: attributes.friendly_name.to_string(),
            api_version: attributes.api_version.to_string(),
            date_created: date::rfc2822(application.created),
            date_updated: date::rfc2822(application.updated),
            voice_url: url(&attributes.voice_url),
            voice_method: attributes.voice_method.as_str(),
            voice_fallback_url: url(&attributes.voice_fallback_url),
            voice_fallback_method: attributes.voice_fallback_method.as_str(),
            voice_caller_id_lookup: attributes.voice_caller_id_lookup,
            status_callback: url(&attributes.status_callback),
            status_callback_method: attributes.status_callback_method.as_str(),
            sms_url: url(&attributes.sms_url),
            sms_method: attributes.sms_method.as_str(),
            sms_fallback_url: url(&attributes.sms_fallback_url),
            sms_fallback_method: attributes.sms_fallback_method.as_str(),
            sms_status_callback: url(&attributes.sms_status_callback),
            message_status_callback: url(&attributes.message_status_callback),
            uri: format!("{}/Applications/{}.json", account_path(account), application.sid),
        }
    }
}

/// A page of applications.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApplicationList {
    applications: Vec<ApplicationResource>,
    #[serde(flatten)]
    paging: Flat,
}

impl ApplicationList {
    /// Returns one page of the list, with links to the previous and the next page.
    #[must_use]
    pub fn of(page: &Page<'_, Application>, request: &PageRequest, account: AccountSid) -> Self {
        let uri = format!("{}/Applications.json", account_path(account));
        Self {
            applications: page.items.iter().map(|each| ApplicationResource::of(each, account)).collect(),
            paging: request.flat(&uri, &Extent::of(page, |each| each.ordinal)),
        }
    }
}
