//! The settable attributes of numbers and applications. For each resource, a table lists the attributes' names, types
//! and fields. The REST APIs read parameters by these tables. The control API, the configuration file and its schema
//! use the table of numbers, too.

use super::error::{ApiError, Reason};
use super::form::Form;
use super::parameter::{self, Empty};
use crate::model::application::ApplicationChange;
use crate::model::number::{NumberChange, ReceiveMode};
use crate::model::sid::IdForm;
use crate::model::webhook::Method;

/// API versions that a number or an application may name.
const API_VERSIONS: &[&str] = &["2010-04-01", "2008-08-01"];
/// Values of a number's emergency calling status.
const EMERGENCY_STATUSES: &[&str] = &["Active", "Inactive"];

/// A function that returns the field for an attribute in a change of type `C`.
pub type Slot<C, T> = fn(&mut C) -> &mut Option<T>;

/// The type of an attribute's value, and its field in a change.
#[derive(Debug, Clone, Copy)]
pub enum Kind<C> {
    /// A name of at most 64 characters.
    FriendlyName(Slot<C, Box<str>>),
    /// An absolute `http` or `https` URL, or empty.
    Url(Slot<C, Box<str>>),
    /// The id of another resource, or empty. An id in prefixed form begins with this prefix.
    Sid(&'static str, Slot<C, Box<str>>),
    /// One of these words, matched exactly.
    Word(&'static [&'static str], Slot<C, Box<str>>),
    /// An HTTP method, `GET` or `POST`.
    Method(Slot<C, Method>),
    /// A boolean, `true` or `false` in any case.
    Boolean(Slot<C, bool>),
    /// The receive mode of the number: `voice` or `fax`.
    ReceiveMode(Slot<C, ReceiveMode>),
}

/// One attribute: its two names and the type of its value.
#[derive(Debug, Clone, Copy)]
pub struct Attribute<C> {
    /// The name in resources and in the configuration file, in snake_case.
    pub name: &'static str,
    /// The name as a parameter of REST calls, in upper camel case.
    pub parameter: &'static str,
    /// The type of the value, and its field in a change.
    pub kind: Kind<C>,
}

macro_rules! table {
    ($($field:ident $parameter:literal $kind:ident $($argument:expr)?;)+) => {
        &[$(Attribute {
            name: stringify!($field),
            parameter: $parameter,
            kind: Kind::$kind($($argument,)? |change| &mut change.$field),
        },)+]
    };
}

/// All settable attributes of a number.
pub const OF_NUMBER: &[Attribute<NumberChange>] = table! {
    friendly_name "FriendlyName" FriendlyName;
    api_version "ApiVersion" Word API_VERSIONS;
    voice_url "VoiceUrl" Url;
    voice_method "VoiceMethod" Method;
    voice_fallback_url "VoiceFallbackUrl" Url;
    voice_fallback_method "VoiceFallbackMethod" Method;
    status_callback "StatusCallback" Url;
    status_callback_method "StatusCallbackMethod" Method;
    voice_application_sid "VoiceApplicationSid" Sid "AP";
    trunk_sid "TrunkSid" Sid "TK";
    voice_caller_id_lookup "VoiceCallerIdLookup" Boolean;
    voice_receive_mode "VoiceReceiveMode" ReceiveMode;
    sms_url "SmsUrl" Url;
    sms_method "SmsMethod" Method;
    sms_fallback_url "SmsFallbackUrl" Url;
    sms_fallback_method "SmsFallbackMethod" Method;
    sms_application_sid "SmsApplicationSid" Sid "AP";
    address_sid "AddressSid" Sid "AD";
    bundle_sid "BundleSid" Sid "BU";
    identity_sid "IdentitySid" Sid "RI";
    emergency_status "EmergencyStatus" Word EMERGENCY_STATUSES;
    emergency_address_sid "EmergencyAddressSid" Sid "AD";
};

/// All settable attributes of an application.
pub const OF_APPLICATION: &[Attribute<ApplicationChange>] = table! {
    api_version "ApiVersion" Word API_VERSIONS;
    friendly_name "FriendlyName" FriendlyName;
    voice_url "VoiceUrl" Url;
    voice_method "VoiceMethod" Method;
    voice_fallback_url "VoiceFallbackUrl" Url;
    voice_fallback_method "VoiceFallbackMethod" Method;
    status_callback "StatusCallback" Url;
    status_callback_method "StatusCallbackMethod" Method;
    voice_caller_id_lookup "VoiceCallerIdLookup" Boolean;
    sms_url "SmsUrl" Url;
    sms_method "SmsMethod" Method;
    sms_fallback_url "SmsFallbackUrl" Url;
    sms_fallback_method "SmsFallbackMethod" Method;
    sms_status_callback "SmsStatusCallback" Url;
    message_status_callback "MessageStatusCallback" Url;
};

/// Reads the attributes of a table from the parameters of a request; attributes without a parameter stay `None`. `ids`
/// is the format of the account's ids.
///
/// # Errors
/// Returns an error for the first invalid parameter, in the order of the table.
pub(super) fn read<'a, C: Default + 'a>(
    table: impl IntoIterator<Item = &'a Attribute<C>>,
    form: &Form,
    empty: Empty,
    ids: IdForm,
) -> Result<C, ApiError> {
    let mut change = C::default();
    for Attribute { parameter: name, kind, .. } in table {
        match kind {
            Kind::FriendlyName(slot) => *slot(&mut change) = parameter::friendly_name(form)?,
            Kind::Url(slot) => *slot(&mut change) = parameter::address(form, name, empty)?,
            Kind::Sid(prefix, slot) => *slot(&mut change) = parameter::sid(form, name, (prefix, ids), empty)?,
            Kind::Word(words, slot) => {
                *slot(&mut change) = parameter::word(form, name, words, |word| word)?.map(Box::from);
            }
            Kind::Method(slot) => *slot(&mut change) = parameter::method(form, name)?,
            Kind::Boolean(slot) => *slot(&mut change) = parameter::boolean(form, name)?,
            Kind::ReceiveMode(slot) => {
                let mode = parameter::word(form, name, ReceiveMode::ALL, ReceiveMode::as_str);
                *slot(&mut change) = mode.map_err(|error| ApiError::new(Reason::ReceiveMode, error.message))?;
            }
        }
    }
    Ok(change)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::application::ApplicationAttributes;
    use crate::model::number::NumberAttributes;

    /// Converts a name such as `voice_url` to REST's spelling, `VoiceUrl`.
    fn in_camel_case(name: &str) -> String {
        let capitalised = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
        name.split('_').map(capitalised).collect()
    }

    fn check<C>(table: &[Attribute<C>], names: &[&str]) {
        let sorted = |names: &[&'static str]| names.iter().copied().collect::<BTreeSet<_>>();
        let own: Vec<&str> = table.iter().map(|attribute| attribute.name).collect();
        assert_eq!(sorted(&own), names.iter().copied().collect());
        for attribute in table {
            assert_eq!(attribute.parameter, in_camel_case(attribute.name));
        }
    }

    #[test]
    fn the_tables_hold_every_attribute_under_its_rest_name() {
        check(OF_NUMBER, NumberAttributes::NAMES);
        check(OF_APPLICATION, ApplicationAttributes::NAMES);
    }
}
