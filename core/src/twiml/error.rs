//! Why an app's response is no usable TwiML.

use crate::model::fault::Fault;

/// The longest TwiML, in bytes.
pub const TWIML_BYTES_MAX: usize = 64 * 1024;
/// So much of a wrong value is repeated in a warning.
const EXCERPT_CHARS_MAX: usize = 80;

/// What an HTML page most likely is, and what to do.
pub(super) const HTML_HINT: &str = "most likely an error page, a login page or a tunnel's warning; open the URL and see, and let the \
                         webhook answer <Response>…</Response>";

/// Why an answer says nothing usable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TwimlError {
    /// Another content type, or none, and a body that is no TwiML.
    #[error("{0}; TwiML is <Response>…</Response> as text/xml or application/xml")]
    ContentType(String),
    /// Over `TWIML_BYTES_MAX`.
    #[error("the TwiML is over {TWIML_BYTES_MAX} bytes")]
    TooLarge,
    /// Nothing at all.
    #[error("the answer is empty; the simplest TwiML is <Response><Receive/></Response>")]
    Empty,
    /// No well-formed XML.
    #[error("the TwiML can't be parsed: {0}")]
    Malformed(String),
    /// A body in a coding that was not asked for.
    #[error(
        "the answer is compressed (Content-Encoding: {coding}), though the request doesn't accept that; let the app, or \
         the proxy before it, compress only what Accept-Encoding asks for"
    )]
    Compressed {
        /// Which coding.
        coding: String,
        /// Which fault that amounts to.
        fault: Fault,
    },
    /// Another root element.
    #[error("the root element is <{0}>; it must be <Response>")]
    Root(String),
    /// A page for a person.
    #[error("the answer is an HTML page, {HTML_HINT}")]
    HtmlPage {
        /// Which fault that amounts to.
        fault: Fault,
    },
    /// Neither `<Receive>` nor `<Reject>`.
    #[error("the TwiML has neither <Receive> nor <Reject>; the simplest implementation is <Receive/>")]
    NoVerb,
}

impl TwimlError {
    /// What kind of fault it is.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::TooLarge => Fault::TwimlTooLarge,
            Self::Empty => Fault::TwimlEmpty,
            Self::Malformed(_) => Fault::TwimlMalformed,
            Self::Root(_) => Fault::TwimlRoot,
            Self::ContentType(_) => Fault::ContentType,
            Self::Compressed { fault, .. } | Self::HtmlPage { fault } => *fault,
            Self::NoVerb => Fault::NoFaxVerb,
        }
    }
}

/// The beginning of what an app wrote, for a message.
pub(super) fn excerpt(text: &str) -> String {
    text.chars().take(EXCERPT_CHARS_MAX).collect()
}
