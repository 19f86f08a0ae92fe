//! The two TwiML verbs for a fax, their attributes and the defaults.

use super::error::{TwimlError, excerpt};
use crate::model::account::TwimlTypes;
use crate::model::fault::Fault;
use crate::model::fax::{MediaType, PageSize};
use crate::model::webhook::Method;

/// The result of reading an app's response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The verb to execute, or the reason that there is none.
    pub verb: Result<Verb, TwimlError>,
    /// Warnings for the developer, most of them about ignored parts.
    pub warnings: Vec<Warning>,
}

impl Reading {
    /// Turns an unusual content type into an error if `types` is strict.
    #[must_use]
    pub fn held_to(self, types: TwimlTypes) -> Self {
        match types {
            TwimlTypes::Strict => self.refused_if_odd(", and --twiml-types is strict"),
            TwimlTypes::Lenient => self,
        }
    }

    /// Turns an unusual content type into an error, whatever the settings.
    #[must_use]
    pub fn with_known_type(self) -> Self {
        self.refused_if_odd("")
    }

    /// Makes the verb store the fax, and adds this warning if the TwiML specified otherwise.
    #[must_use]
    pub fn always_stored(mut self, warning: &str) -> Self {
        if let Ok(Verb::Receive(receive)) = &mut self.verb
            && !receive.store_media
        {
            receive.store_media = true;
            self.warnings.push(Warning::of_schema(warning.to_owned()));
        }
        self
    }

    fn refused_if_odd(self, why: &str) -> Self {
        let odd = self.warnings.iter().find(|warning| warning.fault == Fault::ContentType);
        let Some(odd) = odd else { return self };
        let verb = Err(TwimlError::ContentType(format!("{}{why}", odd.text)));
        // The error concerns the whole response, so warnings about its parts would only distract.
        Self { verb, warnings: Vec::new() }
    }

    /// Marks the response as compressed with this coding: if the body can't be read, the compression is reported as the
    /// reason.
    #[must_use]
    pub fn compressed(self, coding: &str) -> Self {
        let verb = self.verb.map_err(|error| {
            // Any other error means that the body was readable, empty or too long, which compression doesn't explain.
            if matches!(error, TwimlError::Malformed(_) | TwimlError::ContentType(_)) {
                TwimlError::Compressed { coding: excerpt(coding), fault: error.fault() }
            } else {
                error
            }
        });
        Self { verb, ..self }
    }
}

/// A problem in a response that is reported to the developer, but doesn't by itself prevent the response from being
/// used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The kind of fault, which determines the alert's code.
    pub fault: Fault,
    /// A description of the problem, for people.
    pub text: String,
}

impl Warning {
    /// Creates a warning about an element, an attribute, a value or a declared encoding that is ignored.
    pub(super) const fn of_schema(text: String) -> Self {
        Self { fault: Fault::TwimlSchema, text }
    }
}

/// The handling of an incoming call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verb {
    /// Receive the fax, with these attributes.
    Receive(Receive),
    /// Refuse the call, so that the fax is canceled.
    Reject,
}

impl Verb {
    /// Returns the name of the verb's element.
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
    /// The URL to notify when the fax ends: absolute, or relative to the URL of the TwiML; `None` if the attribute is
    /// absent or empty.
    pub action: Option<String>,
    /// The HTTP method of the request to `action`.
    pub method: Method,
    /// The format in which the fax is stored.
    pub media_type: MediaType,
    /// The paper size of the printed fax.
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
