//! A phone number of an account and its attributes, as the IncomingPhoneNumbers resource has them (OpenAPI: twilio_api_v2010).

use super::attributes::attributes;
use super::inventory::Capabilities;
use super::phone::PhoneNumber;
use super::sid::NumberSid;
use super::time::Timestamp;
use super::webhook::Method;
use super::words::words;

words!(
    /// What a number answers: calls or faxes, never both (`VoiceReceiveMode`).
    ReceiveMode {
        /// Voice calls.
        Voice = "voice",
        /// Faxes; `VoiceUrl` is then the FaxUrl.
        Fax = "fax",
    }
);

/// A number the account owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncomingNumber {
    /// Its id.
    pub sid: NumberSid,
    /// Its place in the order of purchase.
    pub ordinal: u64,
    /// The number.
    pub number: PhoneNumber,
    /// What it can do.
    pub capabilities: Capabilities,
    /// When it was bought.
    pub created: Timestamp,
    /// When an attribute last changed.
    pub updated: Timestamp,
    /// Its settable attributes.
    pub attributes: NumberAttributes,
}

attributes! {
    /// The settable attributes of a number; text is empty where nothing is set.
    NumberAttributes,
    /// Which attributes of a number a request sets; the others stay.
    NumberChange,
    /// At most 64 characters; by default the number in national format.
    friendly_name: Box<str>,
    /// `2010-04-01`, or what was asked for.
    api_version: Box<str>,
    /// The FaxUrl of a number in fax mode.
    voice_url: Box<str>,
    /// How `voice_url` is asked.
    voice_method: Method,
    /// Asked where `voice_url` brings no usable TwiML.
    voice_fallback_url: Box<str>,
    /// How `voice_fallback_url` is asked.
    voice_fallback_method: Method,
    /// Told how a fax ended where `<Receive>` names no action.
    status_callback: Box<str>,
    /// How `status_callback` is told.
    status_callback_method: Method,
    /// `AP…` whose URLs are used instead.
    voice_application_sid: Box<str>,
    /// A SIP trunk.
    trunk_sid: Box<str>,
    /// Kept and shown only.
    voice_caller_id_lookup: bool,
    /// Calls or faxes.
    voice_receive_mode: ReceiveMode,
    /// Kept and shown only.
    sms_url: Box<str>,
    /// Kept and shown only.
    sms_method: Method,
    /// Kept and shown only.
    sms_fallback_url: Box<str>,
    /// Kept and shown only.
    sms_fallback_method: Method,
    /// Kept and shown only.
    sms_application_sid: Box<str>,
    /// Kept and shown only.
    address_sid: Box<str>,
    /// Kept and shown only.
    bundle_sid: Box<str>,
    /// Kept and shown only.
    identity_sid: Box<str>,
    /// `Active` or `Inactive`; kept and shown only.
    emergency_status: Box<str>,
    /// Kept and shown only.
    emergency_address_sid: Box<str>,
}

impl NumberAttributes {
    /// What a number has when just bought.
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
    fn a_change_sets_only_what_it_names() {
        let number = PhoneNumber::from_digits(15_017_122_661);
        let before = NumberAttributes::of_new(number);
        let change = NumberChange { voice_receive_mode: Some(ReceiveMode::Fax), ..NumberChange::default() };
        let after = before.clone().with(&change);
        assert_eq!(after.voice_receive_mode, ReceiveMode::Fax);
        assert_eq!(NumberAttributes { voice_receive_mode: ReceiveMode::Voice, ..after }, before);
    }
}
