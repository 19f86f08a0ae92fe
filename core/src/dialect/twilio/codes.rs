//! Twilio's error codes of faults (the error dictionary, docs/fidelity.md).

use crate::model::fault::Fault;
use crate::model::line::LineFault;

/// `Error during fax transmission`.
pub const TRANSMISSION: u32 = 34004;
/// `Other End Incompatible`.
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

/// Returns the URL of a code's page in Twilio's error dictionary.
#[must_use]
pub fn more_info(code: u32) -> String {
    format!("https://www.twilio.com/docs/errors/{code}")
}

/// A code that a failed transmission never has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{TRANSMISSION} or {INCOMPATIBLE}, not {0}")]
pub struct UnknownFaultCode(u32);

/// Returns the fault of a transmission that breaks with this code after a number of pages.
///
/// # Errors
/// [`UnknownFaultCode`] if no failed transmission ends with this code.
pub const fn line_fault(code: u32, after_pages: u32) -> Result<LineFault, UnknownFaultCode> {
    let fault = match code {
        TRANSMISSION => Fault::Transmission,
        INCOMPATIBLE => Fault::Incompatible,
        _ => return Err(UnknownFaultCode(code)),
    };
    Ok(LineFault { fault, after_pages })
}
