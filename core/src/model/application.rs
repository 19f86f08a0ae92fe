//! A TwiML application: URLs that several numbers may share (OpenAPI: twilio_api_v2010). It serves no call itself.

use super::attributes::attributes;
use super::sid::ApplicationSid;
use super::time::Timestamp;
use super::webhook::Method;

/// An application of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// Its id.
    pub sid: ApplicationSid,
    /// Its place in the order of creation.
    pub ordinal: u64,
    /// When it was created.
    pub created: Timestamp,
    /// When an attribute last changed.
    pub updated: Timestamp,
    /// Its settable attributes.
    pub attributes: ApplicationAttributes,
}

attributes! {
    /// The settable attributes of an application; text is empty where nothing is set.
    ApplicationAttributes,
    /// Which attributes of an application a request sets; the others stay.
    ApplicationChange,
    /// At most 64 characters.
    friendly_name: Box<str>,
    /// `2010-04-01`, or what was asked for.
    api_version: Box<str>,
    /// The FaxUrl of the numbers in fax mode that name this application.
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
    /// Kept and shown only.
    voice_caller_id_lookup: bool,
    /// Kept and shown only.
    sms_url: Box<str>,
    /// Kept and shown only.
    sms_method: Method,
    /// Kept and shown only.
    sms_fallback_url: Box<str>,
    /// Kept and shown only.
    sms_fallback_method: Method,
    /// Kept and shown only.
    sms_status_callback: Box<str>,
    /// Kept and shown only.
    message_status_callback: Box<str>,
}

impl Default for ApplicationAttributes {
    fn default() -> Self {
        Self {
            friendly_name: "".into(),
            api_version: "2010-04-01".into(),
            voice_url: "".into(),
            voice_method: Method::Post,
            voice_fallback_url: "".into(),
            voice_fallback_method: Method::Post,
            status_callback: "".into(),
            status_callback_method: Method::Post,
            voice_caller_id_lookup: false,
            sms_url: "".into(),
            sms_method: Method::Post,
            sms_fallback_url: "".into(),
            sms_fallback_method: Method::Post,
            sms_status_callback: "".into(),
            message_status_callback: "".into(),
        }
    }
}
