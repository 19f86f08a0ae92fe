//! The parts of a request to a customer's app, and its possible failures.

use std::fmt;

use super::fault::Fault;
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
}

/// One attempt among those made for the same event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// The number of the attempt, from one.
    pub number: u64,
    /// The real time spent on earlier attempts, in milliseconds.
    pub spent_ms: u64,
}

impl Attempt {
    /// The first attempt for an event.
    pub const FIRST: Self = Self { number: 1, spent_ms: 0 };

    /// Returns the attempt after this one, which took `duration_ms`.
    #[must_use]
    pub const fn next(self, duration_ms: u64) -> Self {
        Self { number: self.number + 1, spent_ms: self.spent_ms.saturating_add(duration_ms) }
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
                "too many redirects: at most 3 of a SignalWire webhook are followed, and 10 of any other request; the \
                 server may redirect in a loop, such as between http and https, or with and without a slash at the end",
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
