//! REST API errors: the reason for a refusal, and its message. Each dialect chooses the status, code and body
//! (`seam.rs`).

use serde::Serialize;

use crate::model::account::Dialect;
use crate::model::phone::PhoneNumber;
use crate::model::refusal::Refusal;

/// The reason for refusing a REST call. Reasons are common to all dialects; each dialect assigns an HTTP status and an
/// error code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A required parameter is missing or empty.
    Missing,
    /// The parameter's value is invalid, and no more specific reason applies.
    InvalidParameter,
    /// A `FriendlyName` is too long.
    FriendlyName,
    /// A parameter that names another resource isn't a valid id.
    InvalidSid,
    /// The credential is missing, wrong or not sufficient.
    Unauthenticated,
    /// The path exists, but not with this method.
    MethodNotAllowed,
    /// The account is suspended or closed.
    NotActive,
    /// The account's dialect or kind doesn't allow the call, or the caller may not make it: it is a web page from a
    /// foreign origin, lacks the control token, or sent a webhook.
    AccessDenied,
    /// The request is addressed to a host that isn't served here.
    Misdirected,
    /// The resource is not available to test credentials.
    TestCredentials,
    /// The resource can't be deleted before it is complete.
    StillActive,
    /// The fax can no longer be canceled.
    TooLateToCancel,
    /// No resource has this path.
    NotFound,
    /// A media download had no User-Agent.
    Forbidden,
    /// The resource's state doesn't allow the change.
    Conflict,
    /// The body is over its limit.
    TooLarge,
    /// The body took too long to arrive.
    RequestTimeout,
    /// A limit on the number of resources has been reached.
    TooMany,
    /// The emulator itself is at fault, not the request.
    Internal,
    /// The emulator has no room for the request now.
    Overloaded,
    /// `PageSize` is out of its range.
    PageSize,
    /// `PageToken` is not a token of this list.
    PageToken,
    /// `Page` was sent without the `PageToken` that it needs.
    PageTokenMissing,
    /// `To` is missing.
    ToMissing,
    /// `To` can't be dialled.
    InvalidTo,
    /// `From` is missing.
    FromMissing,
    /// `From` is not a valid caller for this `To`.
    InvalidFrom,
    /// The account neither owns nor has verified the number in `From`.
    FromNotOwned,
    /// `MediaUrl` is not an absolute `http` or `https` URL.
    MediaUrl,
    /// The `StatusCallback` of a fax is not an absolute URL, or is too long.
    StatusCallback,
    /// A `StatusCallbackEvent` doesn't exist.
    CallbackEvent,
    /// The SIP user name is too long.
    SipUsernameTooLong,
    /// The SIP user name has control characters.
    SipUsernameIllegal,
    /// The SIP password is too long.
    SipPasswordTooLong,
    /// The SIP password has control characters.
    SipPasswordIllegal,
    /// A SIP user name was sent without a password.
    SipPasswordMissing,
    /// The headers of a SIP address are too long.
    SipHeadersTooLong,
    /// A URL among the attributes of a number or an application is invalid.
    InvalidUrl,
    /// The method of a URL, such as `StatusCallbackMethod`, is neither GET nor POST.
    InvalidMethod,
    /// The change would leave a fallback URL without a main URL.
    FallbackWithoutUrl,
    /// The account has no such application.
    ApplicationNotOwned,
    /// The receive mode doesn't exist.
    ReceiveMode,
    /// The number can't receive faxes.
    CannotFax,
    /// The `PhoneNumber` of a purchase is not a phone number.
    InvalidNumber,
    /// The number is owned already, or not for sale.
    NumberUnavailable,
    /// The area code is not three digits.
    InvalidAreaCode,
    /// The area has no numbers, or none are left.
    NoneInArea,
    /// Mobile and toll-free numbers have no area code.
    AreaCodeNotSupported,
    /// The number to buy is not of the type that the path names.
    NumberTypeMismatch,
    /// The number can't be moved to another account.
    NotRelated,
    /// The number in a validation request is not a phone number.
    InvalidCallerId,
    /// The number is already a verified caller id.
    CallerIdExists,
    /// `CallDelay` is not 0 to 60 seconds.
    InvalidCallDelay,
    /// The callback of a validation request is not an absolute URL.
    CallbackUrl,
    /// The `Status` of an account is an unknown word.
    InvalidAccountStatus,
    /// Only subaccounts have a status that can be changed.
    ParentStatus,
    /// The subaccount is closed, and can't be reopened.
    AccountClosed,
    /// `To` of a message is missing.
    RecipientMissing,
    /// A message has neither a `From` nor a messaging service.
    SenderMissing,
    /// A message has neither text nor media.
    BodyMissing,
    /// The text of a message is too long.
    BodyTooLong,
    /// A message has too many media.
    TooManyMedia,
    /// The account can't send messages from the number in `From`.
    SenderNotOwned,
    /// The service has been switched off, as Twilio's was in December 2021.
    Retired,
    /// A tester's rule chose this status and code.
    OnPurpose {
        /// The HTTP status.
        status: u16,
        /// The error code.
        code: u32,
    },
}

/// The error of a refused REST call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// The reason for the refusal.
    pub reason: Reason,
    /// A human-readable message.
    pub message: String,
}

impl ApiError {
    /// Creates an error; if a parameter is invalid, the message must name it.
    #[must_use]
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }

    /// Creates an error for an invalid parameter that has no specific code.
    #[must_use]
    pub fn invalid(parameter: &str, reason: &str) -> Self {
        Self::new(Reason::InvalidParameter, format!("Invalid parameter {parameter}: {reason}"))
    }

    /// Creates the error for a missing parameter, with the message captured from Twilio's v1 APIs.
    #[must_use]
    pub fn missing(parameter: &str) -> Self {
        Self::new(Reason::Missing, format!("Missing required parameter {parameter} in the post body"))
    }

    /// Creates a 404; the message contains the whole path that the client asked for.
    #[must_use]
    pub fn not_found(path: &str) -> Self {
        Self::new(Reason::NotFound, format!("The requested resource {path} was not found"))
    }

    /// Creates a 405 for a path without this method.
    #[must_use]
    pub fn method_not_allowed(method: &str, path: &str) -> Self {
        Self::new(Reason::MethodNotAllowed, format!("Method {method} is not allowed on {path}"))
    }

    /// Creates a 401 for a missing or wrong credential.
    #[must_use]
    pub fn unauthenticated(message: impl Into<String>) -> Self {
        Self::new(Reason::Unauthenticated, message)
    }

    /// Creates a 413 for a body over its limit.
    #[must_use]
    pub fn too_large(limit_bytes: usize) -> Self {
        Self::new(Reason::TooLarge, format!("The request body is over {limit_bytes} bytes"))
    }

    /// Creates the error for a refusal by the engine; `path` is the path that the client requested.
    #[must_use]
    pub fn refused(refusal: &Refusal, path: &str, dialect: Dialect) -> Self {
        match refusal {
            Refusal::NoFax(_)
            | Refusal::NoMedia(_)
            | Refusal::NoNumber(_)
            | Refusal::NoApplication(_)
            | Refusal::NoTwimlBin(_)
            | Refusal::NoMessage(_)
            | Refusal::NoKey(_)
            | Refusal::NoAlert(_) => Self::not_found(path),
            Refusal::ApplicationNotOwned(sid) => {
                Self::new(Reason::ApplicationNotOwned, format!("VoiceApplicationSid {sid} is not accessible"))
            }
            Refusal::CallerIdExists(number) => {
                let message = format!("PhoneNumber {number} is already validated on your account");
                Self::new(Reason::CallerIdExists, message)
            }
            Refusal::AccountNotActive(sid) => Self::new(Reason::NotActive, format!("Account {sid} is not active")),
            Refusal::ServiceRetired => Self::new(Reason::Retired, "Programmable Fax is no longer available"),
            Refusal::TestCredentials => {
                Self::new(Reason::TestCredentials, "Resource not accessible with Test Account Credentials")
            }
            Refusal::AccountClosed => {
                Self::new(Reason::AccountClosed, "Unable to update Status for subaccount, subaccount has been closed.")
            }
            Refusal::NotASubaccount => Self::new(Reason::ParentStatus, "Unable to update Status for parent accounts"),
            Refusal::TooLateToCancel(sid) => {
                let which = match dialect {
                    Dialect::Twilio => "queued or processing",
                    Dialect::SignalWire => "queued",
                };
                let message = format!("Fax {sid} can no longer be canceled: only a {which} fax can");
                Self::new(Reason::TooLateToCancel, message)
            }
            Refusal::StillActive(_) | Refusal::MessageNotDelivered(_) => {
                Self::new(Reason::StillActive, format!("Cannot delete this resource before it is complete: {refusal}"))
            }
            Refusal::InvalidTo(to) => Self::invalid_to(&to.to_string()),
            Refusal::InvalidFrom(from) => Self::invalid_from(&from.to_string()),
            Refusal::FromMissing => Self::new(Reason::FromMissing, "A 'From' phone number is required"),
            Refusal::FromNotOwned(number) => Self::from_not_owned(*number, dialect),
            Refusal::SenderNotOwned(number) => Self::sender_not_owned(*number),
            Refusal::NumberUnavailable(number) => {
                Self::new(Reason::NumberUnavailable, format!("PhoneNumber {number} is not available"))
            }
            Refusal::NumberInvalid(number) => Self::invalid_number(&number.to_string()),
            Refusal::NoneInArea(area) => {
                Self::new(Reason::NoneInArea, format!("No phone numbers found in area code {area}"))
            }
            Refusal::CannotFax(_) => {
                Self::new(Reason::CannotFax, format!("Invalid parameter VoiceReceiveMode: {refusal}"))
            }
            Refusal::FallbackWithoutUrl => {
                Self::new(Reason::FallbackWithoutUrl, "Cannot set VoiceFallbackUrl without setting VoiceUrl")
            }
            Refusal::WorldBroken(_) => Self::new(Reason::Internal, format!("Internal Server Error: {refusal}")),
            Refusal::LimitReached { .. } => Self::new(Reason::TooMany, format!("Too Many Requests: {refusal}")),
            // Only the control API's commands are refused with these, so no REST client ever sees them.
            Refusal::NumberNotOwned(_)
            | Refusal::NotAFaxNumber(_)
            | Refusal::AmbiguousNumber(_)
            | Refusal::SidTaken(_)
            | Refusal::NoRule(_)
            | Refusal::NoSnapshot(_)
            | Refusal::Unclaimed => Self::new(Reason::Conflict, refusal.to_string()),
        }
    }

    /// Creates the error for a `To` that can't be dialled.
    #[must_use]
    pub fn invalid_to(to: &str) -> Self {
        let message = format!("The 'To' number {to} is not a valid phone number.{}", plus_hint(to));
        Self::new(Reason::InvalidTo, message)
    }

    /// Creates the error for a `From` that is not a valid caller.
    #[must_use]
    pub fn invalid_from(from: &str) -> Self {
        Self::new(Reason::InvalidFrom, format!("From is not a valid phone number: {from}{}", plus_hint(from)))
    }

    /// Creates the error for a `From` of a fax that the account neither owns nor has verified.
    fn from_not_owned(number: PhoneNumber, dialect: Dialect) -> Self {
        let message = format!(
            "The source phone number provided, {number}, is not yet verified for your account. You may only send faxes \
             from phone numbers that you've verified or purchased from {}.",
            dialect.service()
        );
        Self::new(Reason::FromNotOwned, message)
    }

    /// Creates the error for a `From` of a message that the account neither owns nor has verified.
    fn sender_not_owned(number: PhoneNumber) -> Self {
        let message = format!(
            "The From phone number {number} is not a valid, SMS-capable inbound phone number or short code for your \
             account."
        );
        Self::new(Reason::SenderNotOwned, message)
    }

    /// Creates the error for a `PhoneNumber` that can't be bought.
    #[must_use]
    pub fn invalid_number(number: &str) -> Self {
        let message = format!("PhoneNumber {number} is not a valid phone number{}", plus_hint(number));
        Self::new(Reason::InvalidNumber, message)
    }

    /// Returns the HTTP status of the response in this dialect.
    #[must_use]
    pub const fn status(&self, dialect: Dialect) -> u16 {
        dialect.status_and_code(self.reason).0
    }

    /// Returns the error code in this dialect.
    #[must_use]
    pub const fn code(&self, dialect: Dialect) -> u32 {
        dialect.status_and_code(self.reason).1
    }

    /// Returns the JSON body of the response in this dialect.
    #[must_use]
    pub fn body(&self, dialect: Dialect) -> Vec<u8> {
        let (status, code) = dialect.status_and_code(self.reason);
        let body = Body {
            code,
            detail: dialect.error_detail(self.reason),
            message: &self.message,
            more_info: dialect.more_info(code),
            status,
        };
        serde_json::to_vec(&body).expect("text and integers are JSON")
    }
}

#[derive(Serialize)]
struct Body<'a> {
    code: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    message: &'a str,
    more_info: String,
    status: u16,
}

// In forms and queries, an unencoded plus means a space, so a space at the start was probably meant as a plus.
fn plus_hint(text: &str) -> &'static str {
    if text.starts_with(' ') { " (write + as %2B)" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::phone::Party;
    use crate::model::sid::{FaxSid, MediaSid, NumberSid};

    const NUMBER: PhoneNumber = PhoneNumber::from_digits(15_005_550_001);

    #[test]
    fn error_bodies_have_four_keys_and_a_401_has_five() {
        let body = String::from_utf8(ApiError::not_found("/v1/Faxes/FX1").body(Dialect::Twilio)).unwrap();
        let expected = r#"{"code":20404,"message":"The requested resource /v1/Faxes/FX1 was not found","#.to_owned()
            + r#""more_info":"https://www.twilio.com/docs/errors/20404","status":404}"#;
        assert_eq!(body, expected);
        let body = String::from_utf8(ApiError::unauthenticated("Authenticate").body(Dialect::Twilio)).unwrap();
        assert!(body.contains(r#""detail":"Your AccountSid or AuthToken was incorrect.""#), "{body}");
    }

    #[test]
    fn refusals_map_to_a_status_and_a_code() {
        let fax = FaxSid::from_bytes([0; 16]);
        let expected = [
            (Refusal::NoFax(fax), 404, 20404),
            (Refusal::NoMedia(MediaSid::from_bytes([0; 16])), 404, 20404),
            (Refusal::NoNumber(NumberSid::from_bytes([0; 16])), 404, 20404),
            (Refusal::TooLateToCancel(fax), 409, 20409),
            (Refusal::StillActive(fax), 409, 20009),
            (Refusal::InvalidTo(Party::Number(NUMBER)), 400, 21211),
            (Refusal::FromMissing, 400, 21213),
            (Refusal::InvalidFrom(Party::Number(NUMBER)), 400, 21212),
            (Refusal::FromNotOwned(NUMBER), 400, 21210),
            (Refusal::NumberUnavailable(NUMBER), 400, 21422),
            (Refusal::NumberInvalid(NUMBER), 400, 21421),
            (Refusal::NoneInArea(533), 400, 21452),
            (Refusal::CannotFax(NUMBER), 400, 20422),
            (Refusal::FallbackWithoutUrl, 400, 21405),
            (Refusal::LimitReached { what: "faxes", limit: 1 }, 429, 20429),
        ];
        for (refusal, status, code) in expected {
            let error = ApiError::refused(&refusal, "/v1/Faxes", Dialect::Twilio);
            assert_eq!((error.status(Dialect::Twilio), error.code(Dialect::Twilio)), (status, code), "{refusal:?}");
        }
    }

    #[test]
    fn error_messages_name_the_parameter_or_the_path() {
        let message = |refusal: &Refusal| ApiError::refused(refusal, "/v1/Faxes/FX2", Dialect::Twilio).message;
        assert!(message(&Refusal::NoFax(FaxSid::from_bytes([0; 16]))).contains("/v1/Faxes/FX2 was not found"));
        assert!(message(&Refusal::CannotFax(NUMBER)).contains("VoiceReceiveMode"));
        assert!(ApiError::invalid_to(" 15005550001").message.contains("%2B"));
        assert!(!ApiError::invalid_to("5551234567").message.contains("%2B"));
    }
}
