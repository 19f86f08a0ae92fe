//! What TwiML can say about a fax: the two verbs, their attributes and defaults. It reads no text.

use super::TwimlError;
use crate::model::fax::{MediaType, PageSize};
use crate::model::webhook::Method;

/// `Schema validation warning`: what is unknown or wrong and was passed over.
pub const WARNING_CODE: u32 = 12200;

/// What an app's answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// What to do, or why nothing can be done.
    pub verb: Result<Verb, TwimlError>,
    /// What was passed over, for a person; each is a `WARNING_CODE`.
    pub warnings: Vec<String>,
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
