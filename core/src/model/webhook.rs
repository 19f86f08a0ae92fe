//! The parts of a request to a customer's app, and its possible failures.

use std::fmt;
use std::sync::Arc;

use super::fault::Fault;
use super::request_edits::RequestEdits;
use super::words::words;

words!(
    /// The HTTP method of a webhook.
    #[derive(Default)]
    Method {
        /// Parameters are sent in the query.
        Get = "GET",
        /// Parameters are sent in a form body.
        #[default]
        Post = "POST",
    }
);

words!(
    /// The purpose of a request to a customer's app.
    Purpose {
        /// Fetches the document of an outbound fax.
        MediaUrl = "media-url",
        /// Asks a number's FaxUrl for TwiML.
        FaxUrl = "fax-url",
        /// Asks the fallback URL for TwiML after the FaxUrl failed. At SignalWire, this is also the purpose of a notice
        /// that goes to the fallback URL after an action failed.
        FallbackUrl = "fallback-url",
        /// Notifies the `<Receive action>` that a fax has ended.
        Action = "action",
        /// Notifies a StatusCallback of a new status.
        StatusCallback = "status-callback",
        /// Notifies the account's Debugger webhook of an alert.
        Debugger = "debugger",
    }
);

words!(
    /// The signature of a webhook. All values except the first are invalid on purpose, to test the app's validation.
    #[derive(Default)]
    Signature {
        /// A valid signature, made with the account's signing key or, if it has none, its token.
        #[default]
        Good = "good",
        /// An invalid signature, made with a different secret.
        Bad = "bad",
        /// No signature header at all.
        Missing = "missing",
        /// The signature that an earlier request about the same fax, with a different status, would have had.
        Stale = "stale",
        /// An invalid signature, made with a token that could be another account's.
        OtherToken = "other-token",
        /// A signature that was valid before one parameter of the request was changed.
        Tampered = "tampered",
    }
);

/// One exchange with a customer's app, as the journal stores it, with masked secrets and truncated bodies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeRecord {
    /// The purpose of the request.
    pub purpose: Purpose,
    /// The method of the first request.
    pub method: Method,
    /// The URL of the first request, without userinfo.
    pub url: String,
    /// The parameters of the request, in the order in which they were sent.
    pub params: Vec<(String, String)>,
    /// The headers of the first request.
    pub request_headers: Vec<(String, String)>,
    /// The URL after redirects, if there were any.
    pub redirected_to: Option<String>,
    /// The status of the last response; `None` if none arrived.
    pub status: Option<u16>,
    /// The headers of the last response.
    pub response_headers: Vec<(String, String)>,
    /// The beginning of the last response's body.
    pub response_body: String,
    /// The real time from the first request to the end of the exchange, in milliseconds.
    pub duration_ms: u64,
    /// The failure; `None` if the response was usable.
    pub failure: Option<ExchangeFailure>,
    /// The number of the attempt, and what a rule did to the request. The engine sets this when it journals the
    /// exchange.
    pub delivery: Delivery,
}

/// The place of a request among those made for the same event, and what a rule did to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The number of the attempt, from one.
    pub attempt: u64,
    /// The fault of the attempt before this one; `None` for the first.
    pub after: Option<Fault>,
    /// The signature that the request was sent with.
    pub signature: Signature,
    /// What a rule did to this request; `None` if it was sent as usual.
    pub by_rule: Option<RuleMark>,
}

impl Delivery {
    /// A first attempt that no rule has changed.
    pub const FIRST: Self = Self { attempt: 1, after: None, signature: Signature::Good, by_rule: None };

    /// Returns the delivery of this attempt at a webhook. Only the first attempt is held or reordered, and a rule that
    /// left no trace on the request is omitted.
    #[must_use]
    pub fn of(attempt: Attempt, signature: Signature, by_rule: Option<RuleMark>) -> Self {
        let is_first = attempt.number == 1;
        let of_attempt = |mark: RuleMark| RuleMark {
            held_ms: if is_first { mark.held_ms } else { 0 },
            is_reordered: mark.is_reordered && is_first,
            ..mark
        };
        let is_visible = |mark: &RuleMark| {
            let is_edited = mark.edits.is_some() || signature != Signature::Good;
            mark.held_ms > 0 || mark.is_reordered || mark.is_duplicate || is_edited
        };
        let by_rule = by_rule.map(of_attempt).filter(is_visible);
        Self { attempt: attempt.number, after: attempt.after, signature, by_rule }
    }

    /// Returns 2 for the duplicate that a rule ordered, and 1 for any other request.
    #[must_use]
    pub fn number(&self) -> u64 {
        if self.by_rule.as_ref().is_some_and(|mark| mark.is_duplicate) { 2 } else { 1 }
    }

    /// Returns the time for which a rule held the request, in milliseconds on the world's clock.
    #[must_use]
    pub fn held_ms(&self) -> u64 {
        self.by_rule.as_ref().map_or(0, |mark| mark.held_ms)
    }

    /// Returns the id of the tester's rule that changed this request, if one did.
    #[must_use]
    pub fn rule(&self) -> Option<u64> {
        match self.by_rule.as_ref()?.rule? {
            ActingRule::Tester(id) => Some(id),
            ActingRule::Pedantic => None,
        }
    }

    /// Returns whether pedantic mode changed this request.
    #[must_use]
    pub fn is_pedantic(&self) -> bool {
        self.by_rule.as_ref().is_some_and(|mark| mark.rule == Some(ActingRule::Pedantic))
    }

    /// Returns the changes that a rule made to the request without invalidating its signature, if it made any.
    #[must_use]
    pub fn edits(&self) -> Option<&RequestEdits> {
        self.by_rule.as_ref().and_then(|mark| mark.edits.as_deref())
    }
}

/// The rule that acted on something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActingRule {
    /// A tester's rule, with its id.
    Tester(u64),
    /// One of the rules that pedantic mode implies, which have no ids.
    Pedantic,
}

/// What a rule did to one webhook, apart from the webhook's signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleMark {
    /// The rule; `None` in a state from a version that did not record it.
    pub rule: Option<ActingRule>,
    /// The time for which the webhook was held, in milliseconds on the world's clock.
    pub held_ms: u64,
    /// Whether the webhook was sent after the fax's next one.
    pub is_reordered: bool,
    /// Whether this is the second of two deliveries with the same token.
    pub is_duplicate: bool,
    /// The changes to the request that don't invalidate its signature; `None` if there are none.
    pub edits: Option<Arc<RequestEdits>>,
}

impl RuleMark {
    /// Returns the mark of a rule that has neither held, reordered, repeated nor edited the webhook.
    #[must_use]
    pub const fn of(rule: Option<ActingRule>) -> Self {
        Self { rule, held_ms: 0, is_reordered: false, is_duplicate: false, edits: None }
    }
}

/// One attempt among those made for the same event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// The number of the attempt, from one.
    pub number: u64,
    /// The real time spent on earlier attempts, in milliseconds.
    pub spent_ms: u64,
    /// The fault of the attempt before this one; `None` for the first.
    pub after: Option<Fault>,
}

impl Attempt {
    /// The first attempt for an event.
    pub const FIRST: Self = Self { number: 1, spent_ms: 0, after: None };

    /// Returns the attempt after this one, which took `duration_ms` and failed with this fault.
    #[must_use]
    pub const fn next(self, duration_ms: u64, fault: Fault) -> Self {
        let spent_ms = self.spent_ms.saturating_add(duration_ms);
        Self { number: self.number + 1, spent_ms, after: Some(fault) }
    }
}

/// A cookie that a customer's app set, to be sent with later requests about the same fax (Twilio's fax TwiML docs).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cookie {
    /// The host that set the cookie.
    pub host: String,
    /// `name=value`, as in the Set-Cookie header.
    pub pair: String,
}

impl Cookie {
    /// Returns the cookie's name, without its value.
    #[must_use]
    pub fn name(&self) -> &str {
        self.pair.split('=').next().unwrap_or_default()
    }
}

/// The reason that a request to a customer's app, or for a document, returned no usable response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExchangeFailure {
    /// The URL is not an absolute `http` or `https` URL.
    InvalidUrl(String),
    /// The app responded with a 4xx or 5xx status.
    HttpStatus(u16),
    /// No TCP connection was made within the connect time.
    ConnectTimeout,
    /// Nothing listens on the port.
    ConnectionRefused,
    /// No packet arrived within the read time.
    ReadTimeout,
    /// The response was not complete within the total time.
    TotalTimeout,
    /// The connection broke or was reset, or there is no route to the host.
    ConnectionFailure(String),
    /// The response is not valid HTTP.
    ProtocolViolation(String),
    /// The host name does not resolve.
    BadHostName(String),
    /// The server sent more redirects than are followed.
    TooManyRedirects,
    /// A redirect has no usable `Location`.
    RedirectsNowhere {
        /// The HTTP status of the redirect.
        status: u16,
        /// The `Location` header, if the response has one.
        location: Option<String>,
    },
    /// TLS failed for a reason other than the certificate.
    TlsHandshake(String),
    /// The certificate names another host.
    CertificateName(String),
    /// The certificate has expired or is not valid yet.
    CertificateExpired(String),
    /// The certificate does not chain to a trusted root.
    CertificateUntrusted(String),
    /// The body is longer than its limit.
    TooLarge {
        /// The limit that the body exceeds, in bytes.
        limit: u64,
    },
}

impl ExchangeFailure {
    /// The particulars of the connection failure that is reported when a rule drops a request for TwiML.
    pub const DROPPED_BY_RULE: &'static str = "dropped by a rule";
    /// The particulars of the failure of a URL that leads to the emulator's own control API.
    pub const OWN_CONTROL_API: &'static str = "webhooks and documents can't use the emulator's own control API";

    /// Returns the kind of fault, which determines the error code.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::InvalidUrl(_) => Fault::InvalidUrl,
            Self::HttpStatus(_) => Fault::HttpStatus,
            Self::ConnectTimeout => Fault::ConnectTimeout,
            Self::ConnectionRefused => Fault::ConnectionRefused,
            Self::ReadTimeout => Fault::ReadTimeout,
            Self::TotalTimeout => Fault::TotalTimeout,
            Self::ConnectionFailure(_) => Fault::ConnectionFailure,
            Self::ProtocolViolation(_) => Fault::ProtocolViolation,
            Self::BadHostName(_) => Fault::BadHostName,
            Self::TooManyRedirects => Fault::TooManyRedirects,
            Self::RedirectsNowhere { .. } => Fault::BadRedirect,
            Self::TlsHandshake(_) => Fault::TlsHandshake,
            Self::CertificateName(_) => Fault::CertificateName,
            Self::CertificateExpired(_) => Fault::CertificateExpired,
            Self::CertificateUntrusted(_) => Fault::CertificateUntrusted,
            Self::TooLarge { .. } => Fault::BodyTooLarge,
        }
    }
}

impl fmt::Display for ExchangeFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidUrl(why) => write!(f, "invalid URL: {why}"),
            Self::HttpStatus(status) => write!(f, "the server responded with {status}"),
            Self::ConnectTimeout => f.write_str("no TCP connection was established in time"),
            Self::ConnectionRefused => f.write_str("connection refused: nothing listens on that port"),
            Self::ReadTimeout => f.write_str("no packet of the response arrived in time"),
            Self::TotalTimeout => f.write_str("the response was not complete in time"),
            Self::ConnectionFailure(why) => write!(f, "connection failed: {why}"),
            Self::ProtocolViolation(why) => f.write_str(why),
            Self::BadHostName(host) => write!(f, "the host name {host} does not resolve"),
            Self::TooManyRedirects => f.write_str(
                "too many redirects; the server may redirect in a loop, such as between http and https, or with and \
                 without a slash at the end",
            ),
            Self::RedirectsNowhere { status, location: None } => {
                write!(f, "the server sent a {status} redirect without a Location header; add one, or respond with 200")
            }
            Self::RedirectsNowhere { status, location: Some(location) } => {
                write!(f, "the server sent a {status} redirect to {location:?}, which is not an http or https address")
            }
            Self::TlsHandshake(why) => write!(f, "TLS handshake failed: {why}"),
            Self::CertificateName(why) => write!(f, "the certificate is for another host: {why}"),
            Self::CertificateExpired(why) => write!(f, "the certificate is not valid now: {why}"),
            Self::CertificateUntrusted(why) => write!(f, "the certificate is not trusted: {why}"),
            Self::TooLarge { limit } => write!(f, "the body is over {limit} bytes"),
        }
    }
}
