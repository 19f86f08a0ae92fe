//! SignalWire's error codes for faults, which webhooks report, and for refused REST calls (docs/fidelity.md,
//! "SignalWire"). The HTTP status is documented for only a few codes; invalid requests get 422.

use crate::dialect::error::Reason;
use crate::model::account::Dialect;
use crate::model::fault::{Failure, Fault};

/// `The call dropped prematurely`: the only fax failure code that SignalWire has published.
const TRANSMISSION: u32 = 34004;

/// Returns the code of a fault.
#[must_use]
pub const fn code(fault: Fault) -> u32 {
    match fault {
        Fault::InvalidUrl => 11100,
        Fault::ReadTimeout | Fault::ConnectTimeout | Fault::TotalTimeout | Fault::ConnectionRefused => 11200,
        Fault::BadHostName => 11210,
        Fault::TooManyRedirects | Fault::BadRedirect => 11215,
        Fault::HttpStatus => 11217,
        Fault::TlsHandshake | Fault::CertificateName | Fault::CertificateExpired | Fault::CertificateUntrusted => 11220,
        Fault::ConnectionFailure | Fault::ProtocolViolation => 11251,
        Fault::BodyTooLarge | Fault::TwimlTooLarge => 11750,
        Fault::TwimlEmpty
        | Fault::TwimlMalformed
        | Fault::TwimlRoot
        | Fault::TwimlSchema
        | Fault::NoFaxVerb
        | Fault::UnknownEdge
        | Fault::PrivateEdge
        | Fault::RetryPolicy => 12100,
        Fault::ContentType => 12300,
        Fault::AccountNotActive => 20003,
        Fault::Busy | Fault::NoAnswer | Fault::Transmission | Fault::Incompatible | Fault::Document => TRANSMISSION,
        Fault::Internal => 20500,
    }
}

/// Returns the error code that the fax shows; `None` if the far end was busy or didn't answer, since the fax's status
/// already says that.
#[must_use]
pub fn failure_code(failure: &Failure) -> Option<u32> {
    (!is_told_by_status(failure.fault)).then_some(TRANSMISSION)
}

/// Returns the error message that the fax shows: one of SignalWire's common errors or, for a failed call and for a fault of
/// the emulator itself, the failure's own detail. `None` if the far end was busy or didn't answer.
#[must_use]
pub fn failure_text(failure: &Failure) -> Option<&str> {
    let fault = failure.fault;
    if is_told_by_status(fault) {
        None
    } else if matches!(fault, Fault::Transmission | Fault::Incompatible) {
        Some(failure.text_of_call(Dialect::SignalWire))
    } else if fault == Fault::Document {
        Some("Document generation error")
    } else if fault == Fault::Internal {
        Some(failure.text())
    } else {
        // All other faults concern the document fetch.
        Some("Document loading error")
    }
}

fn is_told_by_status(fault: Fault) -> bool {
    matches!(fault, Fault::Busy | Fault::NoAnswer)
}

/// Returns the fault for a transmission that fails with this code.
///
/// # Errors
/// Returns the only valid code, worded as part of an error message.
pub fn fault_of_line(code: u32) -> Result<Fault, String> {
    let why = || {
        format!(
            "{TRANSMISSION}, not {code}: SignalWire has no other code for failed calls; say in message why the call \
             failed"
        )
    };
    (code == TRANSMISSION).then_some(Fault::Transmission).ok_or_else(why)
}

/// Returns the default error code for a rule that refuses REST requests with this HTTP status.
#[must_use]
pub const fn usual_code(status: u16) -> u32 {
    match status {
        401 => 20003,
        403 => 20403,
        404 => 20404,
        405 => 20004,
        409 => 20009,
        413 => 20413,
        429 => 20429,
        500.. => 20500,
        _ => 10000,
    }
}

/// Returns the HTTP status and the code of a refused REST call.
#[must_use]
pub const fn status_and_code(reason: Reason) -> (u16, u32) {
    match reason {
        Reason::Unauthenticated | Reason::NotActive => (401, 20003),
        Reason::MethodNotAllowed => (405, 20004),
        Reason::AccessDenied => (403, 20006),
        Reason::Misdirected => (421, 20006),
        Reason::StillActive => (409, 20009),
        Reason::Forbidden => (403, 20403),
        Reason::NotFound | Reason::Retired | Reason::TestCredentials => (404, 20404),
        Reason::Conflict => (409, 20409),
        Reason::TooLarge => (413, 20413),
        Reason::RequestTimeout => (408, 10000),
        Reason::TooMany => (429, 20429),
        Reason::Internal => (500, 20500),
        Reason::Overloaded => (503, 20500),
        Reason::Missing
        | Reason::InvalidParameter
        | Reason::FriendlyName
        | Reason::InvalidSid
        | Reason::TooLateToCancel
        | Reason::SipUsernameTooLong
        | Reason::SipUsernameIllegal
        | Reason::SipPasswordTooLong
        | Reason::SipPasswordIllegal
        | Reason::SipPasswordMissing
        | Reason::SipHeadersTooLong
        | Reason::InvalidCallDelay
        | Reason::InvalidAccountStatus
        | Reason::ParentStatus
        | Reason::AccountClosed
        | Reason::NotRelated => (422, 10000),
        Reason::InvalidMethod | Reason::ReceiveMode => (422, 21209),
        Reason::FromNotOwned => (422, 21210),
        Reason::InvalidTo => (422, 21211),
        Reason::InvalidFrom => (422, 21212),
        Reason::InvalidCallerId => (422, 21401),
        Reason::InvalidUrl => (422, 21402),
        Reason::FallbackWithoutUrl => (422, 21405),
        Reason::ApplicationNotOwned => (422, 21420),
        Reason::InvalidNumber => (422, 21421),
        Reason::NumberUnavailable => (422, 21422),
        Reason::CallerIdExists => (422, 21450),
        Reason::InvalidAreaCode => (422, 21451),
        Reason::NoneInArea => (422, 21452),
        Reason::StatusCallback | Reason::CallbackUrl => (422, 21456),
        Reason::AreaCodeNotSupported => (422, 21457),
        Reason::NumberTypeMismatch => (422, 21458),
        Reason::PageToken => (422, 21481),
        Reason::CannotFax => (422, 21601),
        // The last six of these reasons are for messages, which SignalWire accounts don't have here.
        Reason::ToMissing
        | Reason::FromMissing
        | Reason::RecipientMissing
        | Reason::SenderMissing
        | Reason::BodyMissing
        | Reason::BodyTooLong
        | Reason::TooManyMedia
        | Reason::SenderNotOwned => (422, 21603),
        Reason::MediaUrl => (422, 21620),
        Reason::CallbackEvent => (422, 21626),
        Reason::PageTokenMissing => (422, 54453),
        Reason::PageSize => (422, 54454),
        Reason::OnPurpose { status, code } => (status, code),
    }
}

/// Returns the URL of the error code in SignalWire's documentation.
#[must_use]
pub fn more_info(code: u32) -> String {
    format!("https://developer.signalwire.com/compatibility-api/reference/error-codes#{code}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_fault_of_the_document_is_described_as_one() {
        let text = |fault| failure_text(&Failure::with_detail(fault, "the detail")).map(str::to_owned);
        assert_eq!(text(Fault::HttpStatus).as_deref(), Some("Document loading error"));
        assert_eq!(text(Fault::Document).as_deref(), Some("Document generation error"));
        assert_eq!(text(Fault::Transmission).as_deref(), Some("the detail"));
        assert_eq!(text(Fault::Internal).as_deref(), Some("the detail"), "a fault of the emulator");
        assert_eq!(text(Fault::Busy), None);
    }
}
