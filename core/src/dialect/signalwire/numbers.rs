//! SignalWire's IncomingPhoneNumbers: the parameters of purchases and changes, and the resource of a number
//! (docs/fidelity.md, "SignalWire").

use serde::Serialize;

use super::{account_path, national_format, or_null};
use crate::dialect::attribute::{self, Attribute, OF_NUMBER};
use crate::dialect::date;
use crate::dialect::error::ApiError;
use crate::dialect::form::Form;
use crate::dialect::paging::{Extent, PageRequest, Uris};
use crate::dialect::parameter::{self, Empty};
use crate::dialect::twilio::numbers::{DigitPattern, wanted};
use crate::engine::Page;
use crate::engine::input::BuyNumber;
use crate::model::inventory::{self, Capabilities};
use crate::model::number::{IncomingNumber, NumberChange};
use crate::model::sid::{AccountSid, IdForm};

/// The filters that are carried over into a list's paging links.
const LIST_FILTERS: &[&str] = &["PhoneNumber", "FriendlyName"];
/// Marks the page tokens of the list of numbers, so that other lists refuse them: `numb` in ASCII.
const LIST_OF_NUMBERS: u32 = 0x6e75_6d62;
/// Attributes of Twilio's numbers that are ignored here, like unknown parameters.
const NOT_SET_HERE: &[&str] = &["ApiVersion", "BundleSid", "EmergencyStatus", "EmergencyAddressSid"];

/// Reads the parameters of a purchase; `seed` is the seed of the inventory.
///
/// # Errors
/// Returns an error with the documented code that fits best and a message that names the parameter.
pub fn buy_number(form: &Form, seed: u64) -> Result<BuyNumber, ApiError> {
    Ok(BuyNumber { wanted: wanted(form, None, seed)?, change: change(form, Empty::LeftOut)? })
}

/// Reads the parameters of a change.
///
/// # Errors
/// Returns an error with the documented code that fits best and a message that names the parameter.
pub fn update_number(form: &Form) -> Result<NumberChange, ApiError> {
    change(form, Empty::Cleared)
}

fn change(form: &Form, empty: Empty) -> Result<NumberChange, ApiError> {
    let is_set_here = |attribute: &&Attribute<NumberChange>| !NOT_SET_HERE.contains(&attribute.parameter);
    attribute::read(OF_NUMBER.iter().filter(is_set_here), form, empty, IdForm::Uuid)
}

/// The filters of a list of numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberFilter {
    friendly_name: Option<String>,
    pattern: Option<DigitPattern>,
}

/// Reads the parameters of a list.
///
/// # Errors
/// Returns an error with the documented code that fits best and a message that names the parameter.
pub fn list_numbers(query: &Form) -> Result<(NumberFilter, PageRequest), ApiError> {
    let filter = NumberFilter {
        friendly_name: parameter::given(query, "FriendlyName").map(str::to_owned),
        pattern: parameter::given(query, "PhoneNumber").map(DigitPattern::parse).transpose()?,
    };
    Ok((filter, PageRequest::parse_strictly(query, LIST_OF_NUMBERS, LIST_FILTERS)?))
}

impl NumberFilter {
    /// Returns whether the list shows the number.
    #[must_use]
    pub fn shows(&self, number: &IncomingNumber) -> bool {
        self.friendly_name.as_deref().is_none_or(|name| name == friendly_name(number))
            && self.pattern.as_ref().is_none_or(|pattern| pattern.fits(number.number))
    }
}

/// Returns the name that clients see; by default, the number itself in SignalWire's format.
fn friendly_name(number: &IncomingNumber) -> String {
    let name = &number.attributes.friendly_name;
    // A name that was never set is the number in Twilio's format.
    if **name == number.number.national_format() { national_format(number.number) } else { name.to_string() }
}

/// A number as clients see it. Its receive mode can be set, but is not shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NumberResource {
    sid: String,
    account_sid: String,
    account_id: String,
    friendly_name: String,
    phone_number: String,
    voice_url: Option<String>,
    voice_method: &'static str,
    voice_fallback_url: Option<String>,
    voice_fallback_method: &'static str,
    voice_caller_id_lookup: bool,
    voice_application_sid: Option<String>,
    status_callback: Option<String>,
    status_callback_method: &'static str,
    sms_url: Option<String>,
    sms_method: &'static str,
    sms_fallback_url: Option<String>,
    sms_fallback_method: &'static str,
    sms_application_sid: Option<String>,
    date_created: String,
    date_updated: String,
    capabilities: CapabilitiesResource,
    beta: bool,
    address_requirements: &'static str,
    address_sid: Option<String>,
    identity_sid: Option<String>,
    trunk_sid: Option<String>,
    emergency_status: &'static str,
    emergency_address_sid: Option<String>,
    origin: &'static str,
    api_version: &'static str,
    uri: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct CapabilitiesResource {
    voice: bool,
    sms: bool,
    mms: bool,
    fax: bool,
}

impl NumberResource {
    /// Returns the resource of a number; `seed` is the seed of the inventory.
    #[must_use]
    pub fn of(number: &IncomingNumber, account: AccountSid, seed: u64) -> Self {
        let attributes = &number.attributes;
        let offer = inventory::offer_of(seed, number.number);
        let Capabilities { voice, sms, mms, fax } = number.capabilities;
        Self {
            sid: number.sid.to_string(),
            account_sid: account.to_string(),
            account_id: account.to_string(),
            friendly_name: friendly_name(number),
            phone_number: number.number.to_string(),
            voice_url: or_null(&attributes.voice_url),
            voice_method: attributes.voice_method.as_str(),
            voice_fallback_url: or_null(&attributes.voice_fallback_url),
            voice_fallback_method: attributes.voice_fallback_method.as_str(),
            voice_caller_id_lookup: attributes.voice_caller_id_lookup,
            voice_application_sid: or_null(&attributes.voice_application_sid),
            status_callback: or_null(&attributes.status_callback),
            status_callback_method: attributes.status_callback_method.as_str(),
            sms_url: or_null(&attributes.sms_url),
            sms_method: attributes.sms_method.as_str(),
            sms_fallback_url: or_null(&attributes.sms_fallback_url),
            sms_fallback_method: attributes.sms_fallback_method.as_str(),
            sms_application_sid: or_null(&attributes.sms_application_sid),
            date_created: date::rfc2822(number.created),
            date_updated: date::rfc2822(number.updated),
            capabilities: CapabilitiesResource { voice, sms, mms, fax },
            beta: offer.is_some_and(|offer| offer.beta),
            address_requirements: offer.map_or("none", |offer| offer.address_requirements.as_str()),
            address_sid: or_null(&attributes.address_sid),
            identity_sid: or_null(&attributes.identity_sid),
            trunk_sid: or_null(&attributes.trunk_sid),
            emergency_status: "inactive",
            emergency_address_sid: None,
            origin: "signalwire",
            api_version: super::API_VERSION,
            uri: format!("{}/IncomingPhoneNumbers/{}.json", account_path(account), number.sid),
        }
    }
}

/// A page of numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NumberList {
    #[serde(flatten)]
    paging: Uris,
    incoming_phone_numbers: Vec<NumberResource>,
}

impl NumberList {
    /// Returns the resource of a page; `seed` is the seed of the inventory.
    #[must_use]
    pub fn of(page: &Page<'_, IncomingNumber>, request: &PageRequest, account: AccountSid, seed: u64) -> Self {
        let uri = format!("{}/IncomingPhoneNumbers", account_path(account));
        Self {
            paging: request.uris(&uri, &Extent::of(page, |number| number.ordinal)),
            incoming_phone_numbers: page.items.iter().map(|number| NumberResource::of(number, account, seed)).collect(),
        }
    }
}

#[cfg(test)]
#[path = "numbers_tests.rs"]
mod tests;
