//! Connection overrides: timeouts and retries set in the fragment of a webhook's URL (Twilio docs: "Webhooks:
//! connection overrides"; SignalWire docs: "Webhooks", with fewer keys and different defaults).

use percent_encoding::percent_decode_str;

use super::account::Dialect;
use super::fault::Fault;
use super::webhook::{ExchangeFailure, Purpose};

/// The default and range of `ct`.
const CONNECT_MS: Span = Span { least: 100, default: 5_000, most: 10_000 };
/// The default and range of `rt`.
const READ_MS: Span = Span { least: 100, default: 15_000, most: 15_000 };
/// The default and range of `tt`.
const TOTAL_MS: Span = Span { least: 100, default: 15_000, most: 15_000 };
/// The default and range of `rc`.
const RETRIES: Span = Span { least: 0, default: 1, most: 5 };
/// SignalWire's default and range of `ot`.
const SIGNALWIRE_CONNECT_MS: Span = Span { least: 100, default: 2_000, most: 10_000 };
/// SignalWire's default and range of `rt`.
const SIGNALWIRE_READ_MS: Span = Span { least: 100, default: 5_000, most: 15_000 };
/// SignalWire's default and range of `tt`.
const SIGNALWIRE_TOTAL_MS: Span = Span { least: 100, default: 15_000, most: 15_000 };
/// The number of times that SignalWire retries a StatusCallback.
const SIGNALWIRE_RETRIES: u64 = 2;
/// SignalWire's wait before a retry, on the world's clock. The real wait is not documented; this one gives an app that
/// is restarting time to get ready.
const SIGNALWIRE_RETRY_WAIT_MS: u64 = 1_000;
/// Twilio's public edge locations, as `e` names them.
const EDGES: [&str; 9] =
    ["ashburn", "dublin", "frankfurt", "roaming", "sao-paulo", "singapore", "sydney", "tokyo", "umatilla"];
/// The suffix of private edges, which belong to Twilio Interconnect.
const INTERCONNECT: &str = "-ix";
/// The maximum number of characters of an invalid value that an error message quotes.
const EXCERPT_CHARS_MAX: usize = 80;

/// The time limits and retries of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overrides {
    /// `ct`, or SignalWire's `ot`: the time limit for connecting over TCP.
    pub connect_ms: u64,
    /// `rt`: the time limit for the first packet and for each further one.
    pub read_ms: u64,
    /// `tt`: the total time limit, for all attempts together or for each one.
    pub total_ms: u64,
    /// Whether `total_ms` is for all attempts together or for each one.
    pub total_of: TotalOf,
    /// `rc`: the maximum number of attempts after the first one.
    pub retries: u64,
    /// `rp`: the failures that are retried.
    pub policy: RetryPolicy,
    /// The wait before a retry, on the world's clock.
    pub retry_wait_ms: u64,
}

/// The attempts that the total time limit applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TotalOf {
    /// All attempts share the time, as at Twilio.
    AllAttempts,
    /// Each attempt has the whole time for itself, as at SignalWire.
    EachAttempt,
}

/// `rp`: the failures after which a webhook is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RetryPolicy {
    /// `ct`: no TCP connection was made.
    pub connect: bool,
    /// `rt`: no packet arrived in time.
    pub read: bool,
    /// `4xx`: the app responded with a client error.
    pub client_errors: bool,
    /// `5xx`: the app responded with a server error.
    pub server_errors: bool,
    /// Every other failure except an invalid URL; no word of `rp` covers these.
    pub others: bool,
}

/// An invalid override. The webhook is sent as if the override were absent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OverrideFault {
    /// `rp` contains a word that is not a retry policy.
    #[error("rp={0} is not a retry policy; use 4xx, 5xx, ct, rt or all, separated by commas")]
    RetryPolicy(String),
    /// `e` is not an edge location.
    #[error("e={0} is not an edge location")]
    Edge(String),
    /// `e` is a private edge of Twilio Interconnect.
    #[error("e={0} is an edge of Twilio Interconnect, which this account doesn't have")]
    Interconnect(String),
}

impl OverrideFault {
    /// Returns the kind of fault, which determines the error code.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::Edge(_) => Fault::UnknownEdge,
            Self::Interconnect(_) => Fault::PrivateEdge,
            Self::RetryPolicy(_) => Fault::RetryPolicy,
        }
    }
}

struct Span {
    least: u64,
    default: u64,
    most: u64,
}

impl Span {
    /// Parses a value. Numbers are clamped to the range; anything else means the default.
    fn read(&self, text: &str) -> u64 {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // A number that is too large for a `u64` is clamped, too, instead of meaning the default.
        if digits { text.parse().unwrap_or(u64::MAX).clamp(self.least, self.most) } else { self.default }
    }
}

impl Default for Overrides {
    fn default() -> Self {
        Self {
            connect_ms: CONNECT_MS.default,
            read_ms: READ_MS.default,
            total_ms: TOTAL_MS.default,
            total_of: TotalOf::AllAttempts,
            retries: RETRIES.default,
            // Without `rp`, Twilio retries only failures to connect.
            policy: RetryPolicy { connect: true, ..RetryPolicy::default() },
            retry_wait_ms: 0,
        }
    }
}

impl Overrides {
    /// Reads the overrides of a webhook with this purpose from the fragment of its URL, and returns them together with
    /// the faults found.
    #[must_use]
    pub fn of(dialect: Dialect, purpose: Purpose, url: &str) -> (Self, Vec<OverrideFault>) {
        match dialect {
            Dialect::Twilio => Self::of_twilio(url),
            // No source says that SignalWire reports invalid overrides.
            Dialect::SignalWire => (Self::of_signalwire(purpose, url), Vec::new()),
        }
    }

    fn of_signalwire(purpose: Purpose, url: &str) -> Self {
        // Only a StatusCallback is retried, after any failure. If any other webhook fails, the fallback URL is used, if
        // there is one.
        let retries = if purpose == Purpose::StatusCallback { SIGNALWIRE_RETRIES } else { 0 };
        let mut overrides = Self {
            connect_ms: SIGNALWIRE_CONNECT_MS.default,
            read_ms: SIGNALWIRE_READ_MS.default,
            total_ms: SIGNALWIRE_TOTAL_MS.default,
            total_of: TotalOf::EachAttempt,
            retries,
            policy: RetryPolicy { others: true, ..RetryPolicy::ALL_WORDS },
            retry_wait_ms: SIGNALWIRE_RETRY_WAIT_MS,
        };
        for (key, value) in pairs(url) {
            let value = percent_decode_str(value).decode_utf8_lossy();
            match key {
                "ot" => overrides.connect_ms = SIGNALWIRE_CONNECT_MS.read(&value),
                "rt" => overrides.read_ms = SIGNALWIRE_READ_MS.read(&value),
                "tt" => overrides.total_ms = SIGNALWIRE_TOTAL_MS.read(&value),
                // The rest of the fragment belongs to the app.
                _ => {}
            }
        }
        overrides
    }

    fn of_twilio(url: &str) -> (Self, Vec<OverrideFault>) {
        let (mut overrides, mut faults) = (Self::default(), Vec::new());
        for (key, value) in pairs(url) {
            let value = percent_decode_str(value).decode_utf8_lossy();
            match key {
                "ct" => overrides.connect_ms = CONNECT_MS.read(&value),
                "rt" => overrides.read_ms = READ_MS.read(&value),
                "tt" => overrides.total_ms = TOTAL_MS.read(&value),
                "rc" => overrides.retries = RETRIES.read(&value),
                "rp" => match RetryPolicy::read(&value) {
                    Some(policy) => overrides.policy = policy,
                    None => faults.push(OverrideFault::RetryPolicy(excerpt(&value))),
                },
                "e" => faults.extend(value.split(',').filter_map(|edge| edge_fault(edge.trim()))),
                // The rest of the fragment belongs to the app; `sni` needs no case because SNI is always sent.
                _ => {}
            }
        }
        (overrides, faults)
    }

    /// Returns whether another attempt follows a failure, after `tries` attempts that together took `spent_ms`.
    #[must_use]
    pub const fn retries_after(&self, failure: &ExchangeFailure, tries: u64, spent_ms: u64) -> bool {
        tries <= self.retries && self.remaining_ms(spent_ms) > 0 && self.policy.covers(failure)
    }

    /// Returns the time limit of the next attempt, after earlier ones that together took `spent_ms`.
    #[must_use]
    pub const fn remaining_ms(&self, spent_ms: u64) -> u64 {
        match self.total_of {
            TotalOf::AllAttempts => self.total_ms.saturating_sub(spent_ms),
            TotalOf::EachAttempt => self.total_ms,
        }
    }
}

impl RetryPolicy {
    /// The policy for the word `all`.
    const ALL_WORDS: Self = Self { connect: true, read: true, client_errors: true, server_errors: true, others: false };

    fn read(text: &str) -> Option<Self> {
        let mut policy = Self::default();
        for word in text.split(',') {
            match word.trim() {
                "ct" => policy.connect = true,
                "rt" => policy.read = true,
                "4xx" => policy.client_errors = true,
                "5xx" => policy.server_errors = true,
                "all" => policy = Self::ALL_WORDS,
                _ => return None,
            }
        }
        Some(policy)
    }

    const fn covers(&self, failure: &ExchangeFailure) -> bool {
        match failure {
            ExchangeFailure::ConnectTimeout | ExchangeFailure::ConnectionRefused => self.connect,
            ExchangeFailure::ReadTimeout => self.read,
            ExchangeFailure::HttpStatus(400..=499) => self.client_errors,
            ExchangeFailure::HttpStatus(500..=599) => self.server_errors,
            // Nothing was sent, and a retry would send nothing either.
            ExchangeFailure::InvalidUrl(_) => false,
            ExchangeFailure::HttpStatus(_)
            | ExchangeFailure::TotalTimeout
            | ExchangeFailure::ConnectionFailure(_)
            | ExchangeFailure::ProtocolViolation(_)
            | ExchangeFailure::BadHostName(_)
            | ExchangeFailure::TooManyRedirects
            | ExchangeFailure::RedirectsNowhere { .. }
            | ExchangeFailure::TlsHandshake(_)
            | ExchangeFailure::CertificateName(_)
            | ExchangeFailure::CertificateExpired(_)
            | ExchangeFailure::CertificateUntrusted(_)
            | ExchangeFailure::TooLarge { .. } => self.others,
        }
    }
}

/// Returns the keys and values in a URL's fragment.
fn pairs(url: &str) -> impl Iterator<Item = (&str, &str)> {
    let fragment = url.split_once('#').map_or("", |(_, fragment)| fragment);
    fragment.split('&').filter_map(|pair| pair.split_once('='))
}

fn edge_fault(edge: &str) -> Option<OverrideFault> {
    if EDGES.contains(&edge) {
        return None;
    }
    let private = edge.strip_suffix(INTERCONNECT).is_some_and(|edge| !edge.is_empty());
    Some(if private { OverrideFault::Interconnect(excerpt(edge)) } else { OverrideFault::Edge(excerpt(edge)) })
}

fn excerpt(text: &str) -> String {
    text.chars().take(EXCERPT_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(fragment: &str) -> Overrides {
        let (overrides, faults) = Overrides::of_twilio(&format!("http://app/fax#{fragment}"));
        assert_eq!(faults, [], "{fragment}");
        overrides
    }

    fn faults(fragment: &str) -> Vec<Fault> {
        let (overrides, faults) = Overrides::of_twilio(&format!("http://app/fax#{fragment}"));
        assert_eq!(overrides, Overrides::default(), "{fragment}");
        faults.iter().map(OverrideFault::fault).collect()
    }

    #[test]
    fn a_url_without_overrides_uses_the_defaults() {
        for fragment in ["", "section-2", "/route?x=1", "ct", "ct=", "ct=fast", "CT=100", "sni=y", "e=dublin,tokyo"] {
            assert_eq!(of(fragment), Overrides::default(), "{fragment}");
        }
        assert_eq!(Overrides::of_twilio("http://app/fax?rc=5").0, Overrides::default());
    }

    #[test]
    fn each_key_is_read_and_clamped_to_its_range() {
        let policy = RetryPolicy { server_errors: true, read: true, ..RetryPolicy::default() };
        let expected =
            Overrides { connect_ms: 200, read_ms: 300, total_ms: 4_000, retries: 3, policy, ..Overrides::default() };
        assert_eq!(of("ct=200&rt=300&tt=4000&rc=3&rp=5xx,rt"), expected);
        assert_eq!(of("rc=3&tt=4000&rp=rt%2C5xx&rt=300&ct=200"), expected);
        let held = of("ct=1&rt=99999&tt=99999999999999999999&rc=9");
        assert_eq!((held.connect_ms, held.read_ms, held.total_ms, held.retries), (100, 15_000, 15_000, 5));
    }

    #[test]
    fn an_invalid_override_is_reported_and_ignored() {
        assert_eq!(faults("rp=6xx"), [Fault::RetryPolicy]);
        assert_eq!(faults("rp="), [Fault::RetryPolicy]);
        assert_eq!(faults("rp=ct,,rt"), [Fault::RetryPolicy]);
        assert_eq!(faults("e=atlantis"), [Fault::UnknownEdge]);
        assert_eq!(faults("e=ashburn-ix&rp=no"), [Fault::PrivateEdge, Fault::RetryPolicy]);
        let long = Overrides::of_twilio(&format!("http://app/#e={}", "x".repeat(5_000))).1;
        assert!(long[0].to_string().len() < 200);
    }

    #[test]
    fn a_policy_retries_the_failures_it_names_up_to_the_limit() {
        let failures = [
            ("ct", ExchangeFailure::ConnectTimeout),
            ("ct", ExchangeFailure::ConnectionRefused),
            ("rt", ExchangeFailure::ReadTimeout),
            ("4xx", ExchangeFailure::HttpStatus(404)),
            ("5xx", ExchangeFailure::HttpStatus(503)),
        ];
        for (word, failure) in &failures {
            for policy in ["ct", "rt", "4xx", "5xx", "all"] {
                let covers = policy == *word || policy == "all";
                assert_eq!(of(&format!("rp={policy}")).retries_after(failure, 1, 0), covers, "{policy} {failure}");
            }
        }
        let twice = of("rc=2&rp=all&tt=1000");
        assert!(twice.retries_after(&failures[4].1, 2, 999));
        assert!(!twice.retries_after(&failures[4].1, 3, 0), "two retries make three attempts");
        assert!(!twice.retries_after(&failures[4].1, 1, 1_000), "no time is left");
        assert!(!twice.retries_after(&ExchangeFailure::TooManyRedirects, 1, 0));
    }

    #[test]
    fn signalwire_has_its_own_keys_and_defaults() {
        let of = |url: &str| {
            let (overrides, faults) = Overrides::of(Dialect::SignalWire, Purpose::FaxUrl, url);
            assert_eq!(faults, [], "{url}");
            (overrides.connect_ms, overrides.read_ms, overrides.total_ms)
        };
        for (fragment, expected) in [
            ("", (2_000, 5_000, 15_000)),
            ("#ot=100&rt=200&tt=300", (100, 200, 300)),
            ("#ot=1&rt=1&tt=1", (100, 100, 100)),
            ("#ot=99999&rt=99999&tt=99999", (10_000, 15_000, 15_000)),
            ("#ct=100&rc=5&rp=6xx&e=atlantis&ot=fast", (2_000, 5_000, 15_000)),
        ] {
            assert_eq!(of(&format!("http://app/fax{fragment}")), expected, "{fragment}");
        }
    }

    #[test]
    fn signalwire_makes_three_attempts_for_status_callbacks_and_one_for_the_rest() {
        for purpose in Purpose::ALL {
            let (overrides, _) = Overrides::of(Dialect::SignalWire, *purpose, "http://app/s#tt=100&rc=5");
            for failure in [ExchangeFailure::HttpStatus(404), ExchangeFailure::TotalTimeout] {
                let tries = (1..9).take_while(|tries| overrides.retries_after(&failure, *tries, 100 * tries)).count();
                assert_eq!(tries, if *purpose == Purpose::StatusCallback { 2 } else { 0 }, "{purpose} {failure}");
            }
            assert!(!overrides.retries_after(&ExchangeFailure::InvalidUrl(String::new()), 1, 0));
            assert_eq!(overrides.remaining_ms(9_000), 100, "each attempt has the whole time");
        }
    }
}
