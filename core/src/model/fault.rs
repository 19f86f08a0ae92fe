//! Faults of faxes, calls, webhooks and accounts. A dialect maps each one to its error code.

use super::account::Dialect;
use super::words::words;

words!(
    /// A kind of fault, without the particulars of one case.
    Fault {
        /// The far end was busy.
        Busy = "busy",
        /// The far end did not pick up.
        NoAnswer = "no-answer",
        /// The transmission broke off.
        Transmission = "transmission",
        /// The two machines have no mode in common.
        Incompatible = "incompatible",
        /// The document can't be turned into fax pages.
        Document = "document",
        /// The URL is not an absolute `http` or `https` URL.
        InvalidUrl = "invalid-url",
        /// The server responded with a 4xx or 5xx status.
        HttpStatus = "http-status",
        /// No TCP connection was made in time.
        ConnectTimeout = "connect-timeout",
        /// Nothing listens on the port.
        ConnectionRefused = "connection-refused",
        /// No packet of the response arrived in time.
        ReadTimeout = "read-timeout",
        /// The response was not complete in time.
        TotalTimeout = "total-timeout",
        /// The connection broke or could not be made.
        ConnectionFailure = "connection-failure",
        /// The response is not valid HTTP.
        ProtocolViolation = "protocol-violation",
        /// The host name does not resolve.
        BadHostName = "bad-host-name",
        /// The server sent more redirects than are followed.
        TooManyRedirects = "too-many-redirects",
        /// A redirect has no usable `Location` header.
        BadRedirect = "bad-redirect",
        /// TLS failed for a reason other than the certificate.
        TlsHandshake = "tls-handshake",
        /// The certificate names another host.
        CertificateName = "certificate-name",
        /// The certificate has expired or is not valid yet.
        CertificateExpired = "certificate-expired",
        /// The certificate does not chain to a trusted root.
        CertificateUntrusted = "certificate-untrusted",
        /// The body is longer than its limit.
        BodyTooLarge = "body-too-large",
        /// A connection override names an unknown edge location.
        UnknownEdge = "unknown-edge",
        /// A connection override names a private edge location.
        PrivateEdge = "private-edge",
        /// A connection override names an unknown retry policy.
        RetryPolicy = "retry-policy",
        /// The TwiML is longer than its limit.
        TwimlTooLarge = "twiml-too-large",
        /// The response has no body where TwiML was expected.
        TwimlEmpty = "twiml-empty",
        /// The TwiML is not well-formed XML.
        TwimlMalformed = "twiml-malformed",
        /// The root element is not `<Response>`.
        TwimlRoot = "twiml-root",
        /// The TwiML has an unknown element, an unknown attribute or an invalid value.
        TwimlSchema = "twiml-schema",
        /// The response's content type is not used for TwiML.
        ContentType = "content-type",
        /// The TwiML has no verb for handling a fax.
        NoFaxVerb = "no-fax-verb",
        /// The account is suspended or closed.
        AccountNotActive = "account-not-active",
        /// The emulator itself is at fault.
        Internal = "internal",
    }
);

impl Fault {
    /// Describes a call that ended with this fault, in Twilio's words. A fault without its own description is described
    /// as a broken transmission.
    #[must_use]
    pub const fn call_description(self) -> &'static str {
        if matches!(self, Self::Busy) {
            "Callee Busy"
        } else if matches!(self, Self::NoAnswer) {
            "Callee did not answer"
        } else if matches!(self, Self::Incompatible) {
            "Other End Incompatible"
        } else {
            "Error during fax transmission"
        }
    }
}

/// The reason that a fax failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The kind of fault, which determines the error code.
    pub fault: Fault,
    /// The particulars, for people; `None` if the fault says everything.
    pub detail: Option<Box<str>>,
    /// The number of pages that got through before the call broke off; `None` for any other failure.
    pub pages_over: Option<u32>,
}

impl Failure {
    /// Creates the failure of a call that ended with this fault.
    #[must_use]
    pub const fn of_call(fault: Fault) -> Self {
        Self { fault, detail: None, pages_over: None }
    }

    /// Creates a failure with particulars, such as the reason that a document can't be read.
    #[must_use]
    pub fn with_detail(fault: Fault, detail: impl Into<Box<str>>) -> Self {
        Self { fault, detail: Some(detail.into()), pages_over: None }
    }

    /// Returns the particulars, or the fault's own description if there are none.
    #[must_use]
    pub fn text(&self) -> &str {
        self.detail.as_deref().unwrap_or_else(|| self.fault.call_description())
    }

    /// Returns the particulars of a failed call or, if there are none, its description in the dialect's words.
    #[must_use]
    pub fn text_of_call(&self, dialect: Dialect) -> &str {
        match dialect {
            Dialect::Twilio => self.text(),
            Dialect::SignalWire => self.detail.as_deref().unwrap_or_else(|| self.call_description_at_signalwire()),
        }
    }

    /// Describes a failed call with one of SignalWire's "Common fax errors". There is none for a far end that was busy
    /// or didn't answer.
    fn call_description_at_signalwire(&self) -> &'static str {
        if matches!(self.fault, Fault::Busy | Fault::NoAnswer) {
            self.fault.call_description()
        } else if self.fault == Fault::Incompatible {
            "Failed to train with any of the compatible modems"
        } else if self.pages_over.is_some_and(|pages| pages > 0) {
            "The call dropped prematurely"
        } else {
            "Fax transmission not established"
        }
    }
}
