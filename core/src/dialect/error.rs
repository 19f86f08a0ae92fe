//! Errors of Twilio's APIs: HTTP status, code and message (docs/fidelity.md, "The surface"). The codes' descriptions
//! quote the title that Twilio's error dictionary gives them.

use serde::Serialize;

use super::twilio::codes;
use crate::model::refusal::Refusal;

/// `Unknown parameters`. The v1 APIs use it for a missing parameter.
pub const CODE_MISSING_PARAMETER: u32 = 20001;
/// `Invalid FriendlyName`: the name has more than 64 characters.
pub const CODE_FRIENDLY_NAME: u32 = 20002;
/// `Permission Denied`: the credential is missing, wrong or not sufficient.
pub const CODE_UNAUTHENTICATED: u32 = 20003;
/// `Method not allowed`: the path exists, but not with this method.
pub const CODE_METHOD_NOT_ALLOWED: u32 = 20004;
/// `Account not active`: the account is suspended or closed.
pub const CODE_NOT_ACTIVE: u32 = 20005;
/// `Access Denied`: also for refused hosts, origins and changes of subaccounts.
pub const CODE_ACCESS_DENIED: u32 = 20006;
/// `Test Credentials`: the resource is not available to them.
pub const CODE_TEST_CREDENTIALS: u32 = 20008;
/// `Cannot delete this resource before it is complete`.
pub const CODE_STILL_ACTIVE: u32 = 20009;
/// `Not Found`: no resource has this path.
pub const CODE_NOT_FOUND: u32 = 20404;
/// `403 Forbidden`: here a download of media without a User-Agent.
pub const CODE_FORBIDDEN: u32 = 20403;
/// `Conflict`: the resource's state doesn't allow the change.
pub const CODE_CONFLICT: u32 = 20409;
/// `Request Entity Too Large`: the body is over its limit.
pub const CODE_TOO_LARGE: u32 = 20413;
/// `Invalid Parameter`, where no more specific code is documented.
pub const CODE_INVALID_PARAMETER: u32 = 20422;
/// `Invalid SID`: the text has not the form of one.
pub const CODE_INVALID_SID: u32 = 20423;
/// `Too Many Requests`: here for every limit on the number of things.
pub const CODE_TOO_MANY: u32 = 20429;
/// `Internal Server Error`: a fault of the emulator.
pub const CODE_INTERNAL: u32 = 20500;
/// `No Called number specified`: `To` is missing.
pub const CODE_TO_MISSING: u32 = 21201;
/// `'From' phone number not verified`: the account neither owns nor has verified it.
pub const CODE_FROM_NOT_OWNED: u32 = 21210;
/// `Invalid 'To' Phone Number`, also for a SIP address that is malformed.
pub const CODE_INVALID_TO: u32 = 21211;
/// `Invalid From Number (caller ID)`: it has not the form of one.
pub const CODE_INVALID_FROM: u32 = 21212;
/// `Caller phone number is required`: `From` is missing.
pub const CODE_FROM_MISSING: u32 = 21213;
/// `Invalid Url`, for a URL among a phone number's attributes.
pub const CODE_INVALID_URL: u32 = 21402;
/// `Invalid Method`, for a method among a phone number's attributes.
pub const CODE_INVALID_METHOD: u32 = 21403;
/// `Cannot set VoiceFallbackUrl without setting Url`, after the change is applied.
pub const CODE_FALLBACK_WITHOUT_URL: u32 = 21405;
/// `Invalid Phone Number`, in a validation request of a caller id.
pub const CODE_INVALID_NUMBER: u32 = 21401;
/// `ApplicationSid is not accessible`: the account has no such application.
pub const CODE_APPLICATION: u32 = 21420;
/// `Phone Number is invalid`, in a purchase.
pub const CODE_NUMBER_INVALID: u32 = 21421;
/// `PhoneNumber is not available`: it is owned already, or not for sale.
pub const CODE_NUMBER_UNAVAILABLE: u32 = 21422;
/// `Phone number already validated on your account`.
pub const CODE_CALLER_ID_EXISTS: u32 = 21450;
/// `Invalid area code`: it is not three digits.
pub const CODE_INVALID_AREA: u32 = 21451;
/// `No phone numbers found in area code`: all are owned, or there were none.
pub const CODE_NONE_IN_AREA: u32 = 21452;
/// `Invalid CallDelay`: it is not 0 to 60 seconds.
pub const CODE_INVALID_CALL_DELAY: u32 = 21454;
/// `AreaCode Parameter not Supported`, for mobile and toll-free numbers.
pub const CODE_AREA_NOT_SUPPORTED: u32 = 21457;
/// `PhoneNumber Provisioning Type Mismatch`: the number is not of the list's type.
pub const CODE_TYPE_MISMATCH: u32 = 21458;
/// `AccountSid you are transferring to is not related to the originating owner of the phone number`.
pub const CODE_NOT_RELATED: u32 = 21473;
/// `Unable to update Status, invalid Status.`
pub const CODE_INVALID_STATUS: u32 = 21475;
/// `Unable to update Status for parent accounts`.
pub const CODE_PARENT_STATUS: u32 = 21477;
/// `Unable to update Status for subaccount, subaccount has been closed.`
pub const CODE_ACCOUNT_CLOSED: u32 = 21479;
/// `Invalid callback url`, in a validation request of a caller id.
pub const CODE_CALLBACK_URL: u32 = 21502;
/// `Invalid 'StatusCallback'`, of a fax: not an absolute URL, or too long.
pub const CODE_STATUS_CALLBACK: u32 = 21609;
/// `Invalid media URL(s)`: `MediaUrl` is not an absolute URL.
pub const CODE_MEDIA_URL: u32 = 21620;

/// `Programmable Fax is no longer available`: the response to each fax call since Twilio retired the product.
pub const CODE_RETIRED: u32 = 34005;

/// The second text of a 401 (captured).
const DETAIL_UNAUTHENTICATED: &str = "Your AccountSid or AuthToken was incorrect.";

/// An error as a client sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status of the response.
    pub status: u16,
    /// Code of Twilio's error dictionary.
    pub code: u32,
    /// What is wrong, for people.
    pub message: String,
    /// A second text, which only a 401 has.
    pub detail: Option<&'static str>,
}

impl ApiError {
    /// Creates an error without a second text.
    #[must_use]
    pub fn new(status: u16, code: u32, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), detail: None }
    }

    /// Creates a 400 for an invalid parameter, which the message names.
    #[must_use]
    pub fn bad_request(code: u32, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// Creates a 400 for an invalid parameter that has no specific code.
    #[must_use]
    pub fn invalid(parameter: &str, reason: &str) -> Self {
        Self::bad_request(CODE_INVALID_PARAMETER, format!("Invalid parameter {parameter}: {reason}"))
    }

    /// Creates a 400 for a missing parameter (text captured from v1 APIs).
    #[must_use]
    pub fn missing(parameter: &str) -> Self {
        Self::bad_request(CODE_MISSING_PARAMETER, format!("Missing required parameter {parameter} in the post body"))
    }

    /// Creates a 404; the message has the whole path that the client asked for.
    #[must_use]
    pub fn not_found(path: &str) -> Self {
        Self::new(404, CODE_NOT_FOUND, format!("The requested resource {path} was not found"))
    }

    /// Creates a 405 for a path without this method.
    #[must_use]
    pub fn method_not_allowed(method: &str, path: &str) -> Self {
        Self::new(405, CODE_METHOD_NOT_ALLOWED, format!("Method {method} is not allowed on {path}"))
    }

    /// Creates a 401 for a missing or wrong credential.
    #[must_use]
    pub fn unauthenticated(message: impl Into<String>) -> Self {
        Self { detail: Some(DETAIL_UNAUTHENTICATED), ..Self::new(401, CODE_UNAUTHENTICATED, message) }
    }

    /// Creates a 413 for a body over its limit.
    #[must_use]
    pub fn too_large(limit_bytes: usize) -> Self {
        Self::new(413, CODE_TOO_LARGE, format!("The request body is over {limit_bytes} bytes"))
    }

    /// Translates what the engine refused; `path` is what the client asked for.
    #[must_use]
    pub fn refused(refusal: &Refusal, path: &str) -> Self {
        match refusal {
            Refusal::NoFax(_)
            | Refusal::NoMedia(_)
            | Refusal::NoNumber(_)
            | Refusal::NoApplication(_)
            | Refusal::NoKey(_)
            | Refusal::NoAlert(_) => Self::not_found(path),
            Refusal::ApplicationNotOwned(sid) => {
                Self::bad_request(CODE_APPLICATION, format!("VoiceApplicationSid {sid} is not accessible"))
            }
            Refusal::CallerIdExists(number) => {
                let message = format!("PhoneNumber {number} is already validated on your account");
                Self::bad_request(CODE_CALLER_ID_EXISTS, message)
            }
            Refusal::AccountNotActive(sid) => Self::new(403, CODE_NOT_ACTIVE, format!("Account {sid} is not active")),
            Refusal::ServiceRetired => Self::new(403, CODE_RETIRED, "Programmable Fax is no longer available"),
            Refusal::TestCredentials => {
                Self::new(403, CODE_TEST_CREDENTIALS, "Resource not accessible with Test Account Credentials")
            }
            Refusal::AccountClosed => Self::bad_request(
                CODE_ACCOUNT_CLOSED,
                "Unable to update Status for subaccount, subaccount has been closed.",
            ),
            Refusal::NotASubaccount => {
                Self::bad_request(CODE_PARENT_STATUS, "Unable to update Status for parent accounts")
            }
            Refusal::TooLateToCancel(_) => Self::new(409, CODE_CONFLICT, format!("Fax {refusal}")),
            Refusal::StillActive(_) => Self::new(
                409,
                CODE_STILL_ACTIVE,
                format!("Cannot delete this resource before it is complete: {refusal}"),
            ),
            Refusal::InvalidTo(to) => Self::invalid_to(&to.to_string()),
            Refusal::InvalidFrom(from) => Self::invalid_from(&from.to_string()),
            Refusal::FromMissing => Self::bad_request(CODE_FROM_MISSING, "A 'From' phone number is required"),
            Refusal::FromNotOwned(number) => Self::bad_request(
                CODE_FROM_NOT_OWNED,
                format!(
                    "The source phone number provided, {number}, is not yet verified for your account. You may only \
                     send faxes from phone numbers that you've verified or purchased from Twilio."
                ),
            ),
            Refusal::NumberUnavailable(number) => {
                Self::bad_request(CODE_NUMBER_UNAVAILABLE, format!("PhoneNumber {number} is not available"))
            }
            Refusal::NumberInvalid(number) => Self::invalid_number(&number.to_string()),
            Refusal::NoneInArea(area) => {
                Self::bad_request(CODE_NONE_IN_AREA, format!("No phone numbers found in area code {area}"))
            }
            Refusal::CannotFax(_) => Self::invalid("VoiceReceiveMode", &format!("{refusal}")),
            Refusal::FallbackWithoutUrl => {
                Self::bad_request(CODE_FALLBACK_WITHOUT_URL, "Cannot set VoiceFallbackUrl without setting VoiceUrl")
            }
            Refusal::WorldBroken(_) => Self::new(500, CODE_INTERNAL, format!("Internal Server Error: {refusal}")),
            Refusal::LimitReached { .. } => Self::new(429, CODE_TOO_MANY, format!("Too Many Requests: {refusal}")),
            // Only the control API's commands are refused with these, so no REST client ever sees them.
            Refusal::NumberNotOwned(_)
            | Refusal::NotAFaxNumber(_)
            | Refusal::AmbiguousNumber(_)
            | Refusal::SidTaken(_)
            | Refusal::NoRule(_)
            | Refusal::NoSnapshot(_)
            | Refusal::Unclaimed => Self::new(409, CODE_CONFLICT, refusal.to_string()),
        }
    }

    /// Creates the error for a `To` that can't be dialled.
    #[must_use]
    pub fn invalid_to(to: &str) -> Self {
        let message = format!("The 'To' number {to} is not a valid phone number.{}", plus_hint(to));
        Self::bad_request(CODE_INVALID_TO, message)
    }

    /// Creates the error for a `From` that can't call.
    #[must_use]
    pub fn invalid_from(from: &str) -> Self {
        Self::bad_request(CODE_INVALID_FROM, format!("From is not a valid phone number: {from}{}", plus_hint(from)))
    }

    /// Creates the error for a `PhoneNumber` that can't be bought.
    #[must_use]
    pub fn invalid_number(number: &str) -> Self {
        let message = format!("PhoneNumber {number} is not a valid phone number{}", plus_hint(number));
        Self::bad_request(CODE_NUMBER_INVALID, message)
    }

    /// Returns the URL of the page that explains the code.
    #[must_use]
    pub fn more_info(&self) -> String {
        codes::more_info(self.code)
    }

    /// Returns the JSON body of the response.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        let body = Body {
            code: self.code,
            detail: self.detail,
            message: &self.message,
            more_info: self.more_info(),
            status: self.status,
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

// By far the most common reason: a plus that wasn't encoded means a space in forms and queries.
fn plus_hint(text: &str) -> &'static str {
    if text.starts_with(' ') { " (write + as %2B)" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::phone::{Party, PhoneNumber};
    use crate::model::sid::{FaxSid, MediaSid, NumberSid};

    const NUMBER: PhoneNumber = PhoneNumber::from_digits(15_005_550_001);

    #[test]
    fn the_body_has_the_four_keys_and_a_401_one_more() {
        let body = String::from_utf8(ApiError::not_found("/v1/Faxes/FX1").body()).unwrap();
        let expected = r#"{"code":20404,"message":"The requested resource /v1/Faxes/FX1 was not found","#.to_owned()
            + r#""more_info":"https://www.twilio.com/docs/errors/20404","status":404}"#;
        assert_eq!(body, expected);
        let body = String::from_utf8(ApiError::unauthenticated("Authenticate").body()).unwrap();
        assert!(body.contains(r#""detail":"Your AccountSid or AuthToken was incorrect.""#), "{body}");
    }

    #[test]
    fn each_refusal_has_its_status_and_code() {
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
            let error = ApiError::refused(&refusal, "/v1/Faxes");
            assert_eq!((error.status, error.code), (status, code), "{refusal:?}");
        }
    }

    #[test]
    fn messages_name_the_parameter_or_the_path() {
        let message = |refusal: &Refusal| ApiError::refused(refusal, "/v1/Faxes/FX2").message;
        assert!(message(&Refusal::NoFax(FaxSid::from_bytes([0; 16]))).contains("/v1/Faxes/FX2 was not found"));
        assert!(message(&Refusal::CannotFax(NUMBER)).contains("VoiceReceiveMode"));
        assert!(ApiError::invalid_to(" 15005550001").message.contains("%2B"));
        assert!(!ApiError::invalid_to("5551234567").message.contains("%2B"));
    }
}
