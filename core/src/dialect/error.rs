//! Errors as Twilio's APIs answer them: HTTP status, code, message (docs/fidelity.md, "The surface"). It refuses nothing by itself.

use serde::Serialize;

use super::twilio::codes;
use crate::model::refusal::Refusal;

/// `Unknown parameters`; v1 APIs use it for a missing one.
pub const CODE_MISSING_PARAMETER: u32 = 20001;
/// `Invalid FriendlyName`.
pub const CODE_FRIENDLY_NAME: u32 = 20002;
/// `Permission Denied`: the answer to any credential that is not taken.
pub const CODE_UNAUTHENTICATED: u32 = 20003;
/// `Method not allowed`.
pub const CODE_METHOD_NOT_ALLOWED: u32 = 20004;
/// `Account not active`.
pub const CODE_NOT_ACTIVE: u32 = 20005;
/// `Access Denied`.
pub const CODE_ACCESS_DENIED: u32 = 20006;
/// `Test Credentials`.
pub const CODE_TEST_CREDENTIALS: u32 = 20008;
/// `Cannot delete this resource before it is complete`.
pub const CODE_STILL_ACTIVE: u32 = 20009;
/// `Not Found`.
pub const CODE_NOT_FOUND: u32 = 20404;
/// `403 Forbidden`.
pub const CODE_FORBIDDEN: u32 = 20403;
/// `Conflict`.
pub const CODE_CONFLICT: u32 = 20409;
/// `Request Entity Too Large`.
pub const CODE_TOO_LARGE: u32 = 20413;
/// `Invalid Parameter`, where no code of its own is documented.
pub const CODE_INVALID_PARAMETER: u32 = 20422;
/// `Invalid SID`.
pub const CODE_INVALID_SID: u32 = 20423;
/// `Too Many Requests`.
pub const CODE_TOO_MANY: u32 = 20429;
/// `Internal Server Error`.
pub const CODE_INTERNAL: u32 = 20500;
/// `No Called number specified`.
pub const CODE_TO_MISSING: u32 = 21201;
/// `'From' phone number not verified`.
pub const CODE_FROM_NOT_OWNED: u32 = 21210;
/// `Invalid 'To' Phone Number`.
pub const CODE_INVALID_TO: u32 = 21211;
/// `Invalid From Number (caller ID)`.
pub const CODE_INVALID_FROM: u32 = 21212;
/// `Caller phone number is required`.
pub const CODE_FROM_MISSING: u32 = 21213;
/// `Invalid Url`, of a phone number's attributes.
pub const CODE_INVALID_URL: u32 = 21402;
/// `Invalid Method`, of a phone number's attributes.
pub const CODE_INVALID_METHOD: u32 = 21403;
/// `Cannot set VoiceFallbackUrl without setting Url`.
pub const CODE_FALLBACK_WITHOUT_URL: u32 = 21405;
/// `Invalid Phone Number`.
pub const CODE_INVALID_NUMBER: u32 = 21401;
/// `ApplicationSid is not accessible`.
pub const CODE_APPLICATION: u32 = 21420;
/// `Phone Number is invalid`.
pub const CODE_NUMBER_INVALID: u32 = 21421;
/// `PhoneNumber is not available`.
pub const CODE_NUMBER_UNAVAILABLE: u32 = 21422;
/// `Phone number already validated on your account`.
pub const CODE_CALLER_ID_EXISTS: u32 = 21450;
/// `Invalid area code`.
pub const CODE_INVALID_AREA: u32 = 21451;
/// `No phone numbers found in area code`.
pub const CODE_NONE_IN_AREA: u32 = 21452;
/// `Invalid CallDelay`.
pub const CODE_INVALID_CALL_DELAY: u32 = 21454;
/// `AreaCode Parameter not Supported`.
pub const CODE_AREA_NOT_SUPPORTED: u32 = 21457;
/// `PhoneNumber Provisioning Type Mismatch`.
pub const CODE_TYPE_MISMATCH: u32 = 21458;
/// `AccountSid you are transferring to is not related to the originating owner of the phone number`.
pub const CODE_NOT_RELATED: u32 = 21473;
/// `Unable to update Status, invalid Status.`
pub const CODE_INVALID_STATUS: u32 = 21475;
/// `Unable to update Status for parent accounts`.
pub const CODE_PARENT_STATUS: u32 = 21477;
/// `Unable to update Status for subaccount, subaccount has been closed.`
pub const CODE_ACCOUNT_CLOSED: u32 = 21479;
/// `Invalid callback url`.
pub const CODE_CALLBACK_URL: u32 = 21502;
/// `Invalid 'StatusCallback'`.
pub const CODE_STATUS_CALLBACK: u32 = 21609;
/// `Invalid media URL(s)`.
pub const CODE_MEDIA_URL: u32 = 21620;

/// `Programmable Fax is no longer available`.
pub const CODE_RETIRED: u32 = 34005;

/// What a 401 says beside its message (captured).
const DETAIL_UNAUTHENTICATED: &str = "Your AccountSid or AuthToken was incorrect.";

/// A request that is not done, as the client is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// Twilio's code.
    pub code: u32,
    /// What is wrong, for a person.
    pub message: String,
    /// A second text; only a 401 has one.
    pub detail: Option<&'static str>,
}

impl ApiError {
    /// An error of any kind.
    #[must_use]
    pub fn new(status: u16, code: u32, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), detail: None }
    }

    /// A parameter that makes no sense; the message names it.
    #[must_use]
    pub fn bad_request(code: u32, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// A parameter that makes no sense and has no code of its own.
    #[must_use]
    pub fn invalid(parameter: &str, reason: &str) -> Self {
        Self::bad_request(CODE_INVALID_PARAMETER, format!("Invalid parameter {parameter}: {reason}"))
    }

    /// A parameter that was left out (captured from v1 APIs).
    #[must_use]
    pub fn missing(parameter: &str) -> Self {
        Self::bad_request(CODE_MISSING_PARAMETER, format!("Missing required parameter {parameter} in the post body"))
    }

    /// No resource at this path, named whole as the client asked for it.
    #[must_use]
    pub fn not_found(path: &str) -> Self {
        Self::new(404, CODE_NOT_FOUND, format!("The requested resource {path} was not found"))
    }

    /// The resource takes no such method.
    #[must_use]
    pub fn method_not_allowed(method: &str, path: &str) -> Self {
        Self::new(405, CODE_METHOD_NOT_ALLOWED, format!("Method {method} is not allowed on {path}"))
    }

    /// No credential, or one that is not taken.
    #[must_use]
    pub fn unauthenticated(message: impl Into<String>) -> Self {
        Self { detail: Some(DETAIL_UNAUTHENTICATED), ..Self::new(401, CODE_UNAUTHENTICATED, message) }
    }

    /// A body over its limit.
    #[must_use]
    pub fn too_large(limit_bytes: usize) -> Self {
        Self::new(413, CODE_TOO_LARGE, format!("The request body is over {limit_bytes} bytes"))
    }

    /// What the service refused; `path` is what the client asked for.
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
            // Only controls are refused so; a REST client never sees these.
            Refusal::NumberNotOwned(_)
            | Refusal::NotAFaxNumber(_)
            | Refusal::AmbiguousNumber(_)
            | Refusal::SidTaken(_)
            | Refusal::NoRule(_)
            | Refusal::NoSnapshot(_)
            | Refusal::Unclaimed => Self::new(409, CODE_CONFLICT, refusal.to_string()),
        }
    }

    /// A `To` that can't be dialled.
    #[must_use]
    pub fn invalid_to(to: &str) -> Self {
        let message = format!("The 'To' number {to} is not a valid phone number.{}", plus_hint(to));
        Self::bad_request(CODE_INVALID_TO, message)
    }

    /// A `From` that can't call.
    #[must_use]
    pub fn invalid_from(from: &str) -> Self {
        Self::bad_request(CODE_INVALID_FROM, format!("From is not a valid phone number: {from}{}", plus_hint(from)))
    }

    /// A `PhoneNumber` that can't be bought.
    #[must_use]
    pub fn invalid_number(number: &str) -> Self {
        let message = format!("PhoneNumber {number} is not a valid phone number{}", plus_hint(number));
        Self::bad_request(CODE_NUMBER_INVALID, message)
    }

    /// Where the code is explained.
    #[must_use]
    pub fn more_info(&self) -> String {
        codes::more_info(self.code)
    }

    /// The JSON body.
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

// The commonest reason by far: a plus sent as it is means a space in forms and queries.
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
