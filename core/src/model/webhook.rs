//! What a request to a customer's app is made of, and how its failure is told. Nothing here sends one.

use std::fmt;

use super::fault::Fault;
use super::words::words;

words!(
    /// The method of a webhook, by its word on the wire.
    #[derive(Default)]
    Method {
        /// Parameters in the query.
        Get = "GET",
        /// Parameters in a form body.
        #[default]
        Post = "POST",
    }
);

words!(
    /// What a request to a customer's app is for.
    Purpose {
        /// Fetching the document of an outbound fax.
        MediaUrl = "media-url",
        /// Asking a number's FaxUrl for TwiML.
        FaxUrl = "fax-url",
        /// Asking the fallback URL after the FaxUrl failed.
        FallbackUrl = "fallback-url",
        /// Telling `<Receive action>` how the fax ended.
        Action = "action",
        /// Telling a StatusCallback of a status.
        StatusCallback = "status-callback",
        /// Telling the account's Debugger webhook of an alert.
        Debugger = "debugger",
    }
);

words!(
    /// How a webhook is signed; all but the first on purpose.
    #[derive(Default)]
    Signature {
        /// As it should be.
        #[default]
        Good = "good",
        /// With another secret.
        Bad = "bad",
        /// Not at all.
        Missing = "missing",
        /// As an earlier request to the same URL was: right, but for other parameters.
        Stale = "stale",
    }
);

/// One exchange with a customer's app, as the journal keeps it: secrets masked, bodies cut to an excerpt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeRecord {
    /// What it was for.
    pub purpose: Purpose,
    /// The method of the first request.
    pub method: Method,
    /// The URL of the first request, without userinfo.
    pub url: String,
    /// The parameters sent, in order.
    pub params: Vec<(String, String)>,
    /// The headers of the first request.
    pub request_headers: Vec<(String, String)>,
    /// Where redirects led, if anywhere.
    pub redirected_to: Option<String>,
    /// The status of the last answer.
    pub status: Option<u16>,
    /// The headers of the last answer.
    pub response_headers: Vec<(String, String)>,
    /// The beginning of the last answer's body.
    pub response_body: String,
    /// Real time from the first request to the end.
    pub duration_ms: u64,
    /// What went wrong.
    pub failure: Option<ExchangeFailure>,
}

/// Which try of one event a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// From one.
    pub number: u64,
    /// Real time that the tries before took.
    pub spent_ms: u64,
}

impl Attempt {
    /// The first try.
    pub const FIRST: Self = Self { number: 1, spent_ms: 0 };

    /// The try after one that took so long.
    #[must_use]
    pub const fn next(self, duration_ms: u64) -> Self {
        Self { number: self.number + 1, spent_ms: self.spent_ms.saturating_add(duration_ms) }
    }
}

/// A cookie that a customer's app set; it goes back on later requests of the same fax (Twilio's fax TwiML docs).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cookie {
    /// The host that set it.
    pub host: String,
    /// `name=value`, as set.
    pub pair: String,
}

impl Cookie {
    /// The cookie's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.pair.split('=').next().unwrap_or_default()
    }
}

/// Why a request to a customer's app, or for a document, brought no usable answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExchangeFailure {
    /// The address is no absolute `http` or `https` URL.
    InvalidUrl(String),
    /// The app answered 4xx or 5xx.
    HttpStatus(u16),
    /// No TCP connection within the connect time.
    ConnectTimeout,
    /// The port is closed.
    ConnectionRefused,
    /// No packet came within the read time.
    ReadTimeout,
    /// The whole answer did not come within the total time.
    TotalTimeout,
    /// The connection broke, was reset, or no route leads there.
    ConnectionFailure(String),
    /// What came back is not HTTP.
    ProtocolViolation(String),
    /// The host name does not resolve.
    BadHostName(String),
    /// More redirects than are followed.
    TooManyRedirects,
    /// A redirect that leads nowhere.
    RedirectsNowhere {
        /// Its status.
        status: u16,
        /// Its `Location`, where it has one.
        location: Option<String>,
    },
    /// TLS failed other than by the certificate.
    TlsHandshake(String),
    /// The certificate is for another name.
    CertificateName(String),
    /// The certificate has expired or is not valid yet.
    CertificateExpired(String),
    /// No path leads from the certificate to a trusted root.
    CertificateUntrusted(String),
    /// The body is longer than its limit.
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
}

impl ExchangeFailure {
    /// What kind of fault it is.
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
            Self::HttpStatus(status) => write!(f, "the server answered {status}"),
            Self::ConnectTimeout => f.write_str("no TCP connection in time"),
            Self::ConnectionRefused => f.write_str("connection refused: nothing listens on that port"),
            Self::ReadTimeout => f.write_str("no packet of the answer in time"),
            Self::TotalTimeout => f.write_str("no complete answer in time"),
            Self::ConnectionFailure(why) => write!(f, "connection failed: {why}"),
            Self::ProtocolViolation(why) => f.write_str(why),
            Self::BadHostName(host) => write!(f, "the host name {host} does not resolve"),
            Self::TooManyRedirects => f.write_str(
                "too many redirects: the server leads in a circle, as between http and https, or with and without a slash \
                 at the end",
            ),
            Self::RedirectsNowhere { status, location: None } => {
                write!(f, "the server answered {status}, a redirect, without a Location header; add one, or answer 200")
            }
            Self::RedirectsNowhere { status, location: Some(location) } => {
                write!(f, "the server answered {status} with the Location {location:?}, which is no http or https address")
            }
            Self::TlsHandshake(why) => write!(f, "TLS handshake failed: {why}"),
            Self::CertificateName(why) => write!(f, "the certificate is for another host: {why}"),
            Self::CertificateExpired(why) => write!(f, "the certificate is not valid now: {why}"),
            Self::CertificateUntrusted(why) => write!(f, "the certificate is not trusted: {why}"),
            Self::TooLarge { limit } => write!(f, "the body is over {limit} bytes"),
        }
    }
}
