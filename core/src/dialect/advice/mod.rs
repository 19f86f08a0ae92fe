//! The cause of an alert or a failed fax in plain words, and what to do about it. The code alone isn't enough: one code
//! can mean a damaged document or a broken call, another a wrong URL or an app that crashed.

mod codes;
mod response;
mod words;

use crate::engine::event::Alert;
use crate::engine::{Cause, UnansweredCall};
use crate::model::account::Dialect;
use crate::model::fault::{Failure, Fault};
use crate::model::webhook::{ExchangeFailure, ExchangeRecord, Purpose, Signature};

pub use self::codes::of_code;

/// The beginning of the text about a document that could not be fetched or read.
const OF_MEDIA_URL: &str = "MediaUrl: ";
/// The beginning of the text about an `action` that isn't a URL.
const OF_ACTION: &str = "<Receive action=";

/// A cause and its remedy, each in whole sentences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// What went wrong, and why.
    pub cause: String,
    /// What to do about it.
    pub remedy: String,
}

/// What the emulator was doing when a fault occurred.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Fetching or reading the document of an outbound fax.
    Document,
    /// Asking an app for TwiML.
    Question,
    /// Notifying an app of a status or of an alert.
    Notice,
    /// The call itself, its line, or the pages received over it. Also stands for a request of which no record is known,
    /// unless it was for the document.
    Call,
}

/// A fault with everything that is known about it.
struct Case<'a> {
    dialect: Dialect,
    fault: Fault,
    place: Place,
    /// The status of the response, if one arrived.
    status: Option<u16>,
    /// The details of the fault, without the prefix of texts about a document.
    detail: &'a str,
    /// The request and its response, if a request was made and is still known.
    record: Option<&'a ExchangeRecord>,
    /// The number of pages that were transmitted before the call broke, if it did.
    pages_over: Option<u32>,
}

/// Returns the advice for an alert.
#[must_use]
pub fn of_alert(alert: &Alert, dialect: Dialect) -> Advice {
    of_fault(alert.fault, &alert.message, alert.record.as_deref(), dialect)
}

/// Returns the advice for a request to an app; `None` if it succeeded.
#[must_use]
pub fn of_exchange(record: &ExchangeRecord, dialect: Dialect) -> Option<Advice> {
    let failure = record.failure.as_ref()?;
    Some(of_fault(failure.fault(), &failure.to_string(), Some(record), dialect))
}

/// Returns the advice for a call that ended without a fax; `None` if it ended because the caller hung up.
#[must_use]
pub fn of_unanswered(call: &UnansweredCall, dialect: Dialect) -> Option<Advice> {
    let Cause { fault, message, record } = &call.cause;
    Some(of_fault((*fault)?, message, record.as_deref(), dialect))
}

fn of_fault(fault: Fault, message: &str, record: Option<&ExchangeRecord>, dialect: Dialect) -> Advice {
    let (of_media_url, detail) = split(message);
    let place = record.map_or(if of_media_url { Place::Document } else { Place::Call }, place_of);
    let status = record.and_then(|record| record.status);
    Case { dialect, fault, place, status, detail, record, pages_over: None }.advice()
}

/// Returns the advice for a failed fax.
#[must_use]
pub fn of_failure(failure: &Failure, dialect: Dialect) -> Advice {
    let (of_media_url, detail) = split(failure.detail.as_deref().unwrap_or_default());
    let place = if of_media_url { Place::Document } else { Place::Call };
    let (fault, pages_over) = (failure.fault, failure.pages_over);
    Case { dialect, fault, place, status: status_in(detail), detail, record: None, pages_over }.advice()
}

/// Returns whether a text is about a document, and the text without the prefix that says so.
fn split(text: &str) -> (bool, &str) {
    text.strip_prefix(OF_MEDIA_URL).map_or((false, text), |detail| (true, detail))
}

fn place_of(record: &ExchangeRecord) -> Place {
    match record.purpose {
        Purpose::MediaUrl => Place::Document,
        Purpose::FaxUrl | Purpose::FallbackUrl => Place::Question,
        Purpose::Action | Purpose::StatusCallback | Purpose::Debugger => Place::Notice,
    }
}

/// Returns the status named in the text of a failed exchange. A failed fax keeps this text, but not the exchange.
fn status_in(detail: &str) -> Option<u16> {
    let text = ExchangeFailure::HttpStatus(0).to_string();
    let after = detail.strip_prefix(text.trim_end_matches('0'))?;
    let digits = after.find(|sign: char| !sign.is_ascii_digit()).map_or(after, |end| &after[..end]);
    digits.parse().ok()
}

impl Case<'_> {
    fn advice(&self) -> Advice {
        let is_about_response =
            matches!(self.fault, Fault::TwimlMalformed | Fault::TwimlRoot | Fault::TwimlTooLarge | Fault::ContentType);
        let of_response = if is_about_response { self.of_response() } else { None };
        let Advice { cause, remedy } =
            of_response.unwrap_or_else(|| Advice { cause: self.cause(), remedy: self.remedy() });
        Advice { cause: self.worded(&cause), remedy: self.worded(&remedy) }
    }

    /// Replaces "TwiML" with the dialect's own name for its instruction language, which is cXML in SignalWire's.
    fn worded(&self, text: &str) -> String {
        text.replace("TwiML", self.dialect.instruction_language())
    }

    /// Returns whether a rule spoiled the signature of the request on purpose.
    fn is_spoiled(&self) -> bool {
        self.record.is_some_and(|record| record.delivery.signature != Signature::Good)
    }

    /// Returns whether a rule or pedantic mode changed the request before it was signed.
    fn is_edited(&self) -> bool {
        self.record.is_some_and(|record| record.delivery.edits().is_some())
    }

    /// Returns whether pedantic mode acted on the request.
    fn is_pedantic(&self) -> bool {
        self.record.is_some_and(|record| record.delivery.is_pedantic())
    }

    /// Returns whether the URL, or one that it redirects to, belongs to the emulator's own control API.
    fn leads_to_control_api(&self) -> bool {
        self.detail.contains(ExchangeFailure::OWN_CONTROL_API)
    }

    fn is_of_action(&self) -> bool {
        self.detail.starts_with(OF_ACTION)
    }

    fn was_dropped_by_rule(&self) -> bool {
        self.detail.ends_with(ExchangeFailure::DROPPED_BY_RULE)
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
