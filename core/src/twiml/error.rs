//! The reasons that an app's response is not usable TwiML.

use crate::model::fault::Fault;

/// The longest TwiML document, in bytes.
pub const TWIML_BYTES_MAX: usize = 64 * 1024;
/// The maximum number of characters of an app's response that a message quotes.
const EXCERPT_CHARS_MAX: usize = 80;

/// A hint for a developer whose app responded with an HTML page.
pub(super) const HTML_HINT: &str = "probably an error page, a login page or a tunnel's warning; open the URL to see it, \
                                    and make the webhook return <Response>…</Response>";

/// The reason that a response contains no usable TwiML.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TwimlError {
    /// The content type is missing or not used for TwiML. An unusual type alone is an error only in SignalWire's
    /// accounts and with `--twiml-types strict`. Otherwise, the error means that the body is not TwiML either.
    #[error("{0}; TwiML is <Response>…</Response> as text/xml or application/xml")]
    ContentType(String),
    /// The body is longer than `TWIML_BYTES_MAX`.
    #[error("the TwiML is over {TWIML_BYTES_MAX} bytes")]
    TooLarge,
    /// The response has no body, or one that consists of white space.
    #[error("the response is empty; the simplest TwiML is <Response><Receive/></Response>")]
    Empty,
    /// The body is not well-formed XML.
    #[error("the TwiML can't be parsed: {0}")]
    Malformed(String),
    /// The body is compressed. No request asks for that, unless a rule gives it an Accept-Encoding header.
    #[error(
        "the response is compressed (Content-Encoding: {coding}), and the emulator reads no compressed response; make the \
         app, or the proxy in front of it, send the response uncompressed"
    )]
    Compressed {
        /// The value of the Content-Encoding header.
        coding: String,
        /// The fault that was found first, because the compressed body is not readable as TwiML: `TwimlMalformed` or
        /// `ContentType`.
        fault: Fault,
    },
    /// The root element is not `<Response>`.
    #[error("the root element is <{0}>; it must be <Response>")]
    Root(String),
    /// The body is an HTML page.
    #[error("the response is an HTML page, {HTML_HINT}")]
    HtmlPage {
        /// The fault of the stage that failed: parsing, or the check of the root element.
        fault: Fault,
    },
    /// The document has neither `<Receive>` nor `<Reject>`.
    #[error("the TwiML has neither <Receive> nor <Reject>; <Receive/> is enough to accept a fax")]
    NoVerb,
}

impl TwimlError {
    /// Returns the kind of fault, which determines the error code.
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

/// Returns the beginning of an app's response, for a message that quotes it.
pub(super) fn excerpt(text: &str) -> String {
    text.chars().take(EXCERPT_CHARS_MAX).collect()
}
