//! The advice for error codes: those of refused REST calls, for which there is no alert, and those of faults when
//! nothing but the code is known.

use super::{Advice, Case, Place};
use crate::model::account::Dialect;
use crate::model::fault::Fault;

/// Returns the advice for an error code, if it says more than the error's message.
#[must_use]
pub fn of_code(code: u32, dialect: Dialect) -> Option<Advice> {
    let told = match dialect {
        Dialect::Twilio => of_twilio(code),
        Dialect::SignalWire => of_signalwire(code),
    };
    let advice = |(cause, remedy): (&str, &str)| Advice { cause: cause.to_owned(), remedy: remedy.to_owned() };
    told.or_else(|| of_both(code)).map(advice).or_else(|| of_fault(code, dialect))
}

/// Returns the advice for codes that mean the same in both dialects.
const fn of_both(code: u32) -> Option<(&'static str, &'static str)> {
    Some(match code {
        20003 => {
            ("The credential is wrong.", "Use this account's SID and token; the console's Worlds page shows them.")
        }
        20404 => {
            ("No resource has this path.", "Check the SIDs in the path, and that the resource wasn't deleted or reset.")
        }
        20409 => ("The state of the resource doesn't allow this.", "Fetch the resource to see its state."),
        20429 => ("There were too many requests at once.", "Slow down, and retry after the time in Retry-After."),
        21210 => (
            "The account neither owns nor has verified the number in From.",
            "Buy the number, or verify it as a caller id.",
        ),
        21211 => ("To isn't a phone number.", "Write it as +15558675310."),
        21212 => ("From isn't a phone number.", "Write it as +15017122661."),
        21405 => ("A fallback URL is set, but no main URL.", "Set the main URL (VoiceUrl) first."),
        _ => return None,
    })
}

const fn of_twilio(code: u32) -> Option<(&'static str, &'static str)> {
    Some(match code {
        14107 => ("There were too many messages at once.", "Slow down."),
        20005 => ("The account is suspended or closed.", "Set the account's status to active."),
        20008 => ("Test credentials can't use this resource.", "Use the credentials of the account itself."),
        20009 => ("The fax hasn't ended yet.", "Wait until it has ended, or cancel it."),
        21201 => ("To is missing.", "Add the parameter To."),
        21213 => ("From is missing.", "Add the parameter From."),
        34001 => ("The fax could not be set up.", "Try again."),
        34005 => (
            "The account's service is retired, as Twilio's has been since December 2021.",
            "Give the account the service `full`, or serve without --retired.",
        ),
        _ => return None,
    })
}

const fn of_signalwire(code: u32) -> Option<(&'static str, &'static str)> {
    Some(match code {
        20009 => ("The fax hasn't ended yet.", "Wait until it has ended, or cancel it."),
        21603 => ("To or From is missing.", "Add the parameter that the message names."),
        _ => return None,
    })
}

/// Returns the advice for the code of a fault when only the code is known.
fn of_fault(code: u32, dialect: Dialect) -> Option<Advice> {
    let fault = *Fault::ALL.iter().find(|fault| dialect.code(**fault) == code)?;
    let (place, status, detail, record, pages_over) = (Place::Call, None, "", None, None);
    Some(Case { dialect, fault, place, status, detail, record, pages_over }.advice())
}
