//! The two verbs that TwiML has for a fax, their attributes and the defaults.

use super::error::{TwimlError, excerpt};
use crate::model::account::TwimlTypes;
use crate::model::fault::Fault;
use crate::model::fax::{MediaType, PageSize};
use crate::model::webhook::Method;

/// The content of an app's response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The verb to carry out, or why there is none.
    pub verb: Result<Verb, TwimlError>,
    /// What was ignored, so that the developer can see it.
    pub warnings: Vec<Warning>,
}

impl Reading {
    /// Turns an odd content type into an error if `types` is strict.
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

    /// Marks the response as compressed: if its body can't be read, that is the reason reported.
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

/// Something in a response that was ignored but that the developer should see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The kind of fault, from which the alert's code follows.
    pub fault: Fault,
    /// What was ignored and why, written for a person.
    pub text: String,
}

impl Warning {
    /// Creates a warning about an ignored element, attribute or value.
    pub(super) const fn of_schema(text: String) -> Self {
        Self { fault: Fault::TwimlSchema, text }
    }
}

/// What to do with an incoming call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verb {
    /// Receive the fax, with these attributes.
    Receive(Receive),
    /// Refuse the call, so that the fax is canceled.
    Reject,
}

impl Verb {
    /// The name of the verb's element.
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
    /// The URL to notify when the fax ends: absolute, or relative to the document's own; `None` if the attribute is
    /// absent or empty.
    pub action: Option<String>,
    /// The method of the request to `action`.
    pub method: Method,
    /// The format in which the fax is stored.
    pub media_type: MediaType,
    /// The paper size that the fax is printed on.
    pub page_size: PageSize,
    /// Whether the fax is stored; otherwise it is posted to the action as a file.
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
