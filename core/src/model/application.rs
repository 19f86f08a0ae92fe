//! A TwiML application: a set of URLs that several numbers may share (OpenAPI: twilio_api_v2010).

use super::attributes::attributes;
use super::sid::ApplicationSid;
use super::time::Timestamp;
use super::webhook::Method;

/// A TwiML application of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// The application's SID, which numbers refer to.
    pub sid: ApplicationSid,
    /// The application's rank in the order of creation, by which lists are sorted.
    pub ordinal: u64,
    /// The time at which the application was created.
    pub created: Timestamp,
    /// The time of the last change to an attribute.
    pub updated: Timestamp,
    /// The attributes that a create or update request may set.
    pub attributes: ApplicationAttributes,
}

attributes! {
    /// The attributes of an application that a request may set; unset strings are empty.
    ApplicationAttributes,
    /// A partial update of an application; `None` leaves an attribute unchanged.
    ApplicationChange,
    /// A name of at most 64 characters.
    friendly_name: Box<str>,
    /// The API version: `2010-04-01`, or the requested one. It is only stored and returned.
    api_version: Box<str>,
    /// The FaxUrl of fax-mode numbers that name this application.
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
    /// Stored and returned, with no effect on faxes.
    voice_caller_id_lookup: bool,
    /// Stored and returned, with no effect on faxes.
    sms_url: Box<str>,
    /// Stored and returned, with no effect on faxes.
    sms_method: Method,
    /// Stored and returned, with no effect on faxes.
    sms_fallback_url: Box<str>,
    /// Stored and returned, with no effect on faxes.
    sms_fallback_method: Method,
    /// Stored and returned, with no effect on faxes.
    sms_status_callback: Box<str>,
    /// Stored and returned, with no effect on faxes.
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
