//! What TwiML can say about a fax: the two verbs, their attributes and defaults. It reads no text.

use super::error::{TwimlError, excerpt};
use crate::model::account::TwimlTypes;
use crate::model::fault::Fault;
use crate::model::fax::{MediaType, PageSize};
use crate::model::webhook::Method;

/// What an app's answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// What to do, or why nothing can be done.
    pub verb: Result<Verb, TwimlError>,
    /// What was passed over.
    pub warnings: Vec<Warning>,
}

impl Reading {
    /// The reading where only the content types of TwiML are taken.
    #[must_use]
    pub fn held_to(self, types: TwimlTypes) -> Self {
        let odd = self.warnings.iter().find(|warning| warning.fault == Fault::ContentType);
        match (types, odd) {
            (TwimlTypes::Strict, Some(odd)) => {
                let verb = Err(TwimlError::ContentType(format!("{}, and --twiml-types is strict", odd.text)));
                Self { verb, warnings: Vec::new() }
            }
            (TwimlTypes::Strict, None) | (TwimlTypes::Lenient, _) => self,
        }
    }

    /// The reading of an answer whose body came compressed: that it can't be read has this reason.
    #[must_use]
    pub fn compressed(self, coding: &str) -> Self {
        let verb = self.verb.map_err(|error| {
            if matches!(error, TwimlError::Malformed(_) | TwimlError::ContentType(_)) {
                TwimlError::Compressed { coding: excerpt(coding), fault: error.fault() }
            } else {
                error
            }
        });
        Self { verb, ..self }
    }
}

/// Something in an answer that a developer should see, though it was passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// What kind of fault it is.
    pub fault: Fault,
    /// What it is, for a person.
    pub text: String,
}

impl Warning {
    /// An element, attribute or value that was passed over.
    pub(super) const fn of_schema(text: String) -> Self {
        Self { fault: Fault::TwimlSchema, text }
    }
}

/// What to do with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verb {
    /// Take the fax.
    Receive(Receive),
    /// Refuse it.
    Reject,
}

impl Verb {
    /// The element's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Receive(_) => "Receive",
            Self::Reject => "Reject",
        }
    }
}

/// The attributes of `<Receive>` (Twilio's TwiML reference).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receive {
    /// Who is told of the end: an absolute address, or one relative to the document's own.
    pub action: Option<String>,
    /// How.
    pub method: Method,
    /// What the fax is stored as.
    pub media_type: MediaType,
    /// The paper it is put on.
    pub page_size: PageSize,
    /// Whether it is kept; if not, it goes to the action as a file.
    pub store_media: bool,
}

impl Default for Receive {
    fn default() -> Self {
        Self {
            action: None,
            method: Method::Post,
            media_type: MediaType::Pdf,
            page_size: PageSize::Letter,
            store_media: true,
        }
    }
}
