//! IncomingPhoneNumbers in the 2010-04-01 API: the parameters of purchases and changes, and the resources of numbers.

use serde::Serialize;

use super::account_path;
use crate::dialect::attribute::{self, OF_NUMBER};
use crate::dialect::date;
use crate::dialect::error::{ApiError, Reason};
use crate::dialect::form::Form;
use crate::dialect::paging::{Extent, Flat, PageRequest};
use crate::dialect::parameter::{self, Empty};
use crate::engine::Page;
use crate::engine::input::{BuyNumber, NumberRequest};
use crate::model::inventory::{self, Capabilities, NumberKind};
use crate::model::number::{IncomingNumber, NumberChange};
use crate::model::phone::PhoneNumber;
use crate::model::sid::{AccountSid, IdForm, NumberSid};

/// The filters that are carried over into a list's paging links.
const LIST_FILTERS: &[&str] = &["Beta", "FriendlyName", "PhoneNumber", "Origin"];
/// The area codes of North American toll-free numbers.
const TOLL_FREE_AREAS: &[u64] = &[800, 833, 844, 855, 866, 877, 888];

/// Reads the parameters of a purchase; `kind` is the type of the sub-list, such as `Local`, to which the purchase was
/// posted, and `seed` is the seed of the inventory.
///
/// # Errors
/// Returns an error with the documented code that fits best and a message that names the parameter.
pub fn buy_number(form: &Form, kind: Option<NumberKind>, seed: u64) -> Result<BuyNumber, ApiError> {
    let change = attribute::read(OF_NUMBER, form, Empty::LeftOut, IdForm::Prefixed)?;
    Ok(BuyNumber { wanted: wanted(form, kind, seed)?, change })
}

/// Reads the parameters of a change.
///
/// # Errors
/// Returns error 21473 for a move to another account, otherwise an error with the documented code that fits best and a
/// message that names the parameter.
pub fn update_number(form: &Form, account: AccountSid) -> Result<NumberChange, ApiError> {
    if parameter::given(form, "AccountSid").is_some_and(|text| text.parse() != Ok(account)) {
        let message = "Invalid parameter AccountSid: numbers can't be moved between accounts of this emulator; release \
                       the number in this account and buy it in the other";
        return Err(ApiError::new(Reason::NotRelated, message));
    }
    attribute::read(OF_NUMBER, form, Empty::Cleared, IdForm::Prefixed)
}

/// The filters of a list of numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NumberFilter {
    friendly_name: Option<String>,
    pattern: Option<DigitPattern>,
    kind: Option<NumberKind>,
    no_beta: bool,
    hosted_only: bool,
}

/// Digits that a number must contain or, if the filter began with `+`, begin with. `*` means any digit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dialect) struct DigitPattern {
    text: String,
    from_start: bool,
}

/// Reads the parameters of a list; `kind` is the type of the sub-list that was requested.
///
/// # Errors
/// Returns error 20422 with a message that names the parameter.
pub fn list_numbers(query: &Form, kind: Option<NumberKind>) -> Result<(NumberFilter, PageRequest), ApiError> {
    let origin = parameter::word(query, "Origin", &["twilio", "hosted"], |word| word)?;
    let filter = NumberFilter {
        friendly_name: parameter::given(query, "FriendlyName").map(str::to_owned),
        pattern: parameter::given(query, "PhoneNumber").map(DigitPattern::parse).transpose()?,
        kind,
        no_beta: parameter::boolean(query, "Beta")? == Some(false),
        hosted_only: origin == Some("hosted"),
    };
    Ok((filter, PageRequest::parse(query, NumberSid::PREFIX, LIST_FILTERS)?))
}

impl NumberFilter {
    /// Returns whether the list shows the number; `seed` is the seed of the inventory.
    #[must_use]
    pub fn shows(&self, number: &IncomingNumber, seed: u64) -> bool {
        let beta = || inventory::offer_of(seed, number.number).is_some_and(|offer| offer.beta);
        // Hosted numbers are those of other carriers, and the emulator has none.
        !self.hosted_only
            && self.friendly_name.as_deref().is_none_or(|name| *name == *number.attributes.friendly_name)
            && self.pattern.as_ref().is_none_or(|pattern| pattern.fits(number.number))
            && self.kind.is_none_or(|kind| kind_of(seed, number.number) == kind)
            && !(self.no_beta && beta())
    }
}

/// A number as clients see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NumberResource {
    sid: String,
    account_sid: String,
    friendly_name: String,
    phone_number: String,
    api_version: String,
    address_requirements: &'static str,
    address_sid: Option<String>,
    beta: bool,
    capabilities: CapabilitiesResource,
    date_created: String,
    date_updated: String,
    emergency_status: String,
    emergency_address_sid: Option<String>,
    emergency_address_status: &'static str,
    identity_sid: Option<String>,
    bundle_sid: Option<String>,
    origin: &'static str,
    status: &'static str,
    sms_application_sid: String,
    sms_fallback_method: &'static str,
    sms_fallback_url: String,
    sms_method: &'static str,
    sms_url: String,
    status_callback: String,
    status_callback_method: &'static str,
    trunk_sid: Option<String>,
    voice_application_sid: String,
    voice_caller_id_lookup: bool,
    voice_fallback_method: &'static str,
    voice_fallback_url: Option<String>,
    voice_method: &'static str,
    voice_url: Option<String>,
    voice_receive_mode: &'static str,
    uri: String,
    subresource_uris: NumberSubresources,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct CapabilitiesResource {
    voice: bool,
    sms: bool,
    mms: bool,
    fax: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct NumberSubresources {
    assigned_add_ons: String,
}

impl NumberResource {
    /// Returns the resource of a number; `seed` is the seed of the inventory.
    #[must_use]
    pub fn of(number: &IncomingNumber, account: AccountSid, seed: u64) -> Self {
        let attributes = number.attributes.clone();
        // A number from outside the inventory, such as a configured one, has no offer.
        let offer = inventory::offer_of(seed, number.number);
        let path = format!("{}/IncomingPhoneNumbers/{}", account_path(account), number.sid);
        Self {
            sid: number.sid.to_string(),
            account_sid: account.to_string(),
            friendly_name: attributes.friendly_name.into(),
            phone_number: number.number.to_string(),
            api_version: attributes.api_version.into(),
            address_requirements: offer.map_or("none", |offer| offer.address_requirements.as_str()),
            address_sid: or_null(&attributes.address_sid),
            beta: offer.is_some_and(|offer| offer.beta),
            capabilities: number.capabilities.into(),
            date_created: date::rfc2822(number.created),
            date_updated: date::rfc2822(number.updated),
            emergency_status: attributes.emergency_status.into(),
            emergency_address_sid: or_null(&attributes.emergency_address_sid),
            emergency_address_status: "unregistered",
            identity_sid: or_null(&attributes.identity_sid),
            bundle_sid: or_null(&attributes.bundle_sid),
            origin: "twilio",
            status: "in-use",
            sms_application_sid: attributes.sms_application_sid.into(),
            sms_fallback_method: attributes.sms_fallback_method.as_str(),
            sms_fallback_url: attributes.sms_fallback_url.into(),
            sms_method: attributes.sms_method.as_str(),
            sms_url: attributes.sms_url.into(),
            status_callback: attributes.status_callback.into(),
            status_callback_method: attributes.status_callback_method.as_str(),
            trunk_sid: or_null(&attributes.trunk_sid),
            voice_application_sid: attributes.voice_application_sid.into(),
            voice_caller_id_lookup: attributes.voice_caller_id_lookup,
            voice_fallback_method: attributes.voice_fallback_method.as_str(),
            voice_fallback_url: or_null(&attributes.voice_fallback_url),
            voice_method: attributes.voice_method.as_str(),
            voice_url: or_null(&attributes.voice_url),
            voice_receive_mode: attributes.voice_receive_mode.as_str(),
            uri: format!("{path}.json"),
            subresource_uris: NumberSubresources { assigned_add_ons: format!("{path}/AssignedAddOns.json") },
        }
    }
}

/// A page of numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NumberList {
    incoming_phone_numbers: Vec<NumberResource>,
    #[serde(flatten)]
    paging: Flat,
}

impl NumberList {
    /// Returns the resource of a page of all numbers of the account or, with a `kind`, of that sub-list.
    #[must_use]
    pub fn of(
        page: &Page<'_, IncomingNumber>,
        request: &PageRequest,
        kind: Option<NumberKind>,
        account: AccountSid,
        seed: u64,
    ) -> Self {
        let list = kind.map_or(String::new(), |kind| format!("/{kind}"));
        let uri = format!("{}/IncomingPhoneNumbers{list}.json", account_path(account));
        Self {
            incoming_phone_numbers: page.items.iter().map(|number| NumberResource::of(number, account, seed)).collect(),
            paging: request.flat(&uri, &Extent::of(page, |number| number.ordinal)),
        }
    }
}

/// Reads the number or the area code that a purchase requests.
pub(in crate::dialect) fn wanted(form: &Form, kind: Option<NumberKind>, seed: u64) -> Result<NumberRequest, ApiError> {
    let Some(text) = parameter::given(form, "PhoneNumber") else { return area(form, kind) };
    let number: PhoneNumber = text.parse().map_err(|_| ApiError::invalid_number(text))?;
    if kind.is_some_and(|kind| kind_of(seed, number) != kind) {
        // `kind` is never `None` here, because the condition would then be false.
        let (own, list) = (kind_of(seed, number), kind.unwrap_or(NumberKind::Local));
        let message = format!("PhoneNumber {number} is of the type {own} and can't be bought as {list}");
        return Err(ApiError::new(Reason::NumberTypeMismatch, message));
    }
    Ok(NumberRequest::Number(number))
}

fn area(form: &Form, kind: Option<NumberKind>) -> Result<NumberRequest, ApiError> {
    let Some(text) = parameter::given(form, "AreaCode") else {
        return Err(ApiError::missing(if kind.is_some() { "PhoneNumber" } else { "PhoneNumber or AreaCode" }));
    };
    if let Some(kind) = kind {
        let message = format!("AreaCode is not supported for {kind} numbers; give a PhoneNumber");
        return Err(ApiError::new(Reason::AreaCodeNotSupported, message));
    }
    // Parsing alone would accept `+12`, which is not an area code.
    let digits = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    let area = text.parse().ok().filter(|_| digits);
    area.map(NumberRequest::Area).ok_or_else(|| {
        ApiError::new(
            Reason::InvalidAreaCode,
            format!("AreaCode '{}' is not a three-digit area code", parameter::excerpt(text)),
        )
    })
}

impl DigitPattern {
    pub(in crate::dialect) fn parse(text: &str) -> Result<Self, ApiError> {
        // A plus that wasn't encoded has become a space. No number contains a space, so turning it back is safe.
        let tail = text.strip_prefix(['+', ' ']);
        let digits = tail.unwrap_or(text);
        if !digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'*') {
            return Err(ApiError::invalid(
                "PhoneNumber",
                &format!("'{}' has characters other than digits and *", parameter::excerpt(text)),
            ));
        }
        Ok(Self { text: digits.to_owned(), from_start: tail.is_some() })
    }

    pub(in crate::dialect) fn fits(&self, number: PhoneNumber) -> bool {
        let (digits, pattern) = (number.digits().to_string(), self.text.as_bytes());
        let fits = |part: &[u8]| part.iter().zip(pattern).all(|(digit, wanted)| *wanted == b'*' || digit == wanted);
        // If the pattern is longer than the number, the range doesn't matter, since the lengths are compared below.
        let mut starts =
            0..=digits.len().checked_sub(pattern.len()).map_or(0, |last| if self.from_start { 0 } else { last });
        pattern.len() <= digits.len() && starts.any(|start| fits(&digits.as_bytes()[start..start + pattern.len()]))
    }
}

impl From<Capabilities> for CapabilitiesResource {
    fn from(capabilities: Capabilities) -> Self {
        let Capabilities { voice, sms, mms, fax } = capabilities;
        Self { voice, sms, mms, fax }
    }
}

/// Returns a number's type in the inventory. For a number outside the inventory, the area code decides.
fn kind_of(seed: u64, number: PhoneNumber) -> NumberKind {
    let digits = number.digits();
    // A North American number is 1, a three-digit area code and seven digits.
    let toll_free = digits / 10_000_000_000 == 1 && TOLL_FREE_AREAS.contains(&(digits / 10_000_000 % 1_000));
    let by_area = if toll_free { NumberKind::TollFree } else { NumberKind::Local };
    inventory::offer_of(seed, number).map_or(by_area, |offer| offer.kind)
}

fn or_null(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
#[path = "numbers_tests.rs"]
mod tests;
