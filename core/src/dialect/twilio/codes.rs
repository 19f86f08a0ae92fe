//! Twilio's error codes, for the faults that webhooks and alerts report and for refused REST calls (Twilio's error
//! dictionary; docs/fidelity.md).

use crate::dialect::error::Reason;
use crate::model::fault::{Failure, Fault};

/// The code for `Error during fax transmission`.
pub const TRANSMISSION: u32 = 34004;
/// The code for `Other End Incompatible`.
pub const INCOMPATIBLE: u32 = 34108;

/// Returns the code of a fault.
#[must_use]
pub const fn code(fault: Fault) -> u32 {
    match fault {
        Fault::AccountNotActive => 20005,
        Fault::InvalidUrl => 11100,
        Fault::HttpStatus | Fault::ReadTimeout | Fault::BodyTooLarge => 11200,
        Fault::ConnectTimeout => 11201,
        Fault::ConnectionRefused => 11202,
        Fault::TotalTimeout => 11203,
        Fault::ConnectionFailure => 11205,
        Fault::ProtocolViolation => 11206,
        Fault::BadHostName => 11210,
        Fault::TooManyRedirects | Fault::BadRedirect => 11215,
        Fault::TlsHandshake => 11220,
        Fault::CertificateName => 11235,
        Fault::CertificateExpired => 11236,
        Fault::CertificateUntrusted => 11237,
        Fault::UnknownEdge => 11240,
        Fault::PrivateEdge => 11242,
        Fault::RetryPolicy => 11243,
        Fault::TwimlTooLarge => 11750,
        Fault::TwimlEmpty => 11770,
        Fault::TwimlMalformed => 12100,
        Fault::TwimlRoot => 12102,
        Fault::TwimlSchema => 12200,
        Fault::ContentType => 12300,
        Fault::Internal => 12400,
        Fault::Busy => 34002,
        Fault::NoAnswer => 34003,
        Fault::Transmission | Fault::Document => TRANSMISSION,
        Fault::NoFaxVerb => 34106,
        Fault::Incompatible => INCOMPATIBLE,
    }
}

/// Returns the error message of a failed fax: the failure's own detail or, if it has none, the fault's title in the
/// error dictionary.
#[must_use]
pub fn failure_text(failure: &Failure) -> &str {
    failure.text()
}

/// Returns the HTTP status and the code of a refused REST call.
#[must_use]
pub const fn status_and_code(reason: Reason) -> (u16, u32) {
    match reason {
        Reason::Missing => (400, 20001),
        Reason::FriendlyName => (400, 20002),
        Reason::Unauthenticated => (401, 20003),
        Reason::MethodNotAllowed => (405, 20004),
        Reason::NotActive => (403, 20005),
        Reason::AccessDenied => (403, 20006),
        Reason::Misdirected => (421, 20006),
        Reason::TestCredentials => (403, 20008),
        Reason::StillActive => (409, 20009),
        Reason::Forbidden => (403, 20403),
        Reason::NotFound => (404, 20404),
        Reason::Conflict | Reason::TooLateToCancel => (409, 20409),
        Reason::TooLarge => (413, 20413),
        Reason::InvalidParameter
        | Reason::PageSize
        | Reason::PageToken
        | Reason::PageTokenMissing
        | Reason::CallbackEvent
        | Reason::ReceiveMode
        | Reason::CannotFax => (400, 20422),
        Reason::RequestTimeout => (408, 20422),
        Reason::InvalidSid => (400, 20423),
        Reason::TooMany => (429, 20429),
        Reason::Internal => (500, 20500),
        Reason::Overloaded => (503, 20500),
        Reason::ToMissing => (400, 21201),
        Reason::FromNotOwned => (400, 21210),
        Reason::InvalidTo => (400, 21211),
        Reason::InvalidFrom => (400, 21212),
        Reason::FromMissing => (400, 21213),
        Reason::SipUsernameTooLong => (400, 21221),
        Reason::SipUsernameIllegal => (400, 21222),
        Reason::SipPasswordTooLong => (400, 21223),
        Reason::SipPasswordIllegal => (400, 21224),
        Reason::SipPasswordMissing => (400, 21225),
        Reason::SipHeadersTooLong => (400, 21227),
        Reason::InvalidCallerId => (400, 21401),
        Reason::InvalidUrl => (400, 21402),
        Reason::InvalidMethod => (400, 21403),
        Reason::FallbackWithoutUrl => (400, 21405),
        Reason::ApplicationNotOwned => (400, 21420),
        Reason::InvalidNumber => (400, 21421),
        Reason::NumberUnavailable => (400, 21422),
        Reason::CallerIdExists => (400, 21450),
        Reason::InvalidAreaCode => (400, 21451),
        Reason::NoneInArea => (400, 21452),
        Reason::InvalidCallDelay => (400, 21454),
        Reason::AreaCodeNotSupported => (400, 21457),
        Reason::NumberTypeMismatch => (400, 21458),
        Reason::NotRelated => (400, 21473),
        Reason::InvalidAccountStatus => (400, 21475),
        Reason::ParentStatus => (400, 21477),
        Reason::AccountClosed => (400, 21479),
        Reason::CallbackUrl => (400, 21502),
        Reason::BodyMissing => (400, 21602),
        Reason::SenderMissing => (400, 21603),
        Reason::RecipientMissing => (400, 21604),
        Reason::SenderNotOwned => (400, 21606),
        Reason::StatusCallback => (400, 21609),
        Reason::BodyTooLong => (400, 21617),
        Reason::MediaUrl => (400, 21620),
        Reason::TooManyMedia => (400, 21623),
        Reason::Retired => (403, 34005),
        Reason::OnPurpose { status, code } => (status, code),
    }
}

/// Returns the additional text of an error. In captured responses, only a 401 has one.
#[must_use]
pub fn error_detail(reason: Reason) -> Option<&'static str> {
    (reason == Reason::Unauthenticated).then_some("Your AccountSid or AuthToken was incorrect.")
}

/// Returns the URL of a code's page in Twilio's error dictionary.
#[must_use]
pub fn more_info(code: u32) -> String {
    format!("https://www.twilio.com/docs/errors/{code}")
}

/// The error for a code with which no transmission can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{TRANSMISSION} or {INCOMPATIBLE}, not {0}")]
pub struct UnknownFaultCode(u32);

/// Returns the fault for a transmission that fails with this code.
///
/// # Errors
/// Returns [`UnknownFaultCode`] if no failed transmission ends with this code.
pub const fn fault_of_line(code: u32) -> Result<Fault, UnknownFaultCode> {
    match code {
        TRANSMISSION => Ok(Fault::Transmission),
        INCOMPATIBLE => Ok(Fault::Incompatible),
        _ => Err(UnknownFaultCode(code)),
    }
}

/// Returns the default error code for a rule that refuses REST requests with this HTTP status.
#[must_use]
pub const fn usual_code(status: u16) -> u32 {
    20_000 + status as u32
}
