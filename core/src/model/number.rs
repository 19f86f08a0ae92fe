//! A phone number of an account and its attributes, as in the IncomingPhoneNumbers resource (OpenAPI:
//! twilio_api_v2010).

use super::attributes::attributes;
use super::inventory::Capabilities;
use super::phone::PhoneNumber;
use super::sid::NumberSid;
use super::time::Timestamp;
use super::webhook::Method;
use super::words::words;

words!(
    /// Whether a number accepts calls or faxes; it never accepts both (`VoiceReceiveMode`).
    ReceiveMode {
        /// The number accepts voice calls, which is the default.
        Voice = "voice",
        /// The number accepts faxes, and its `VoiceUrl` is the FaxUrl.
        Fax = "fax",
    }
);

/// A number that the account owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncomingNumber {
    /// The SID that addresses the number in the API.
    pub sid: NumberSid,
    /// The number's rank in the order of purchase, by which lists are sorted.
    pub ordinal: u64,
    /// The number itself, in E.164 form.
    pub number: PhoneNumber,
    /// The kinds of traffic that the number carries.
    pub capabilities: Capabilities,
    /// The time at which the number was bought.
    pub created: Timestamp,
    /// The time of the last change to an attribute.
    pub updated: Timestamp,
    /// The attributes that a create or update request may set.
    pub attributes: NumberAttributes,
}

attributes! {
    /// The attributes of a number that a request may set; unset strings are empty.
    NumberAttributes,
    /// A partial update of a number; `None` leaves an attribute unchanged.
    NumberChange,
    /// A name of at most 64 characters; by default the number in national format.
    friendly_name: Box<str>,
    /// The API version: `2010-04-01`, or the requested one. It is only stored and returned.
    api_version: Box<str>,
    /// The FaxUrl of a number in fax mode, requested when a call comes in.
    voice_url: Box<str>,
    /// The method of requests to `voice_url`.
    voice_method: Method,
    /// The URL to request if `voice_url` returns no usable TwiML.
    voice_fallback_url: Box<str>,
    /// The method of requests to `voice_fallback_url`.
    voice_fallback_method: Method,
    /// The URL to notify when a fax ends, if `<Receive>` named no action.
    status_callback: Box<str>,
    /// The method of requests to `status_callback`.
    status_callback_method: Method,
    /// The `AP…` SID of an application whose URLs replace the number's own.
    voice_application_sid: Box<str>,
    /// The SID of a SIP trunk; stored and returned, with no effect on faxes.
    trunk_sid: Box<str>,
    /// Stored and returned, with no effect on faxes.
    voice_caller_id_lookup: bool,
    /// Whether the number accepts calls or faxes.
    voice_receive_mode: ReceiveMode,
    /// Stored and returned, with no effect on faxes.
    sms_url: Box<str>,
    /// Stored and returned, with no effect on faxes.
    sms_method: Method,
    /// Stored and returned, with no effect on faxes.
    sms_fallback_url: Box<str>,
    /// Stored and returned, with no effect on faxes.
    sms_fallback_method: Method,
    /// Stored and returned, with no effect on faxes.
    sms_application_sid: Box<str>,
    /// Stored and returned, with no effect on faxes.
    address_sid: Box<str>,
    /// Stored and returned, with no effect on faxes.
    bundle_sid: Box<str>,
    /// Stored and returned, with no effect on faxes.
    identity_sid: Box<str>,
    /// `Active` or `Inactive`; stored and returned, with no effect on faxes.
    emergency_status: Box<str>,
    /// Stored and returned, with no effect on faxes.
    emergency_address_sid: Box<str>,
}

impl NumberAttributes {
    /// Returns the attributes of a newly bought number.
    #[must_use]
    pub fn of_new(number: PhoneNumber) -> Self {
        Self {
            friendly_name: number.national_format().into(),
            api_version: "2010-04-01".into(),
            voice_url: "".into(),
            voice_method: Method::Post,
            voice_fallback_url: "".into(),
            voice_fallback_method: Method::Post,
            status_callback: "".into(),
            status_callback_method: Method::Post,
            voice_application_sid: "".into(),
            trunk_sid: "".into(),
            voice_caller_id_lookup: false,
            voice_receive_mode: ReceiveMode::Voice,
            sms_url: "".into(),
            sms_method: Method::Post,
            sms_fallback_url: "".into(),
            sms_fallback_method: Method::Post,
            sms_application_sid: "".into(),
            address_sid: "".into(),
            bundle_sid: "".into(),
            identity_sid: "".into(),
            emergency_status: "Inactive".into(),
            emergency_address_sid: "".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_sets_only_the_attributes_it_names() {
        let number = PhoneNumber::from_digits(15_017_122_661);
        let before = NumberAttributes::of_new(number);
        let change = NumberChange { voice_receive_mode: Some(ReceiveMode::Fax), ..NumberChange::default() };
        let after = before.clone().with(&change);
        assert_eq!(after.voice_receive_mode, ReceiveMode::Fax);
        assert_eq!(NumberAttributes { voice_receive_mode: ReceiveMode::Voice, ..after }, before);
    }
}
