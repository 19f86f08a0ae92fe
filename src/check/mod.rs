//! Judges an app that receives webhooks: sends it faxes and requests, right and wrong ones, and looks from outside at what
//! it does. Nothing here touches a world directly: the emulator is driven through its public control and REST APIs, so it
//! may be in another process.
//!
//! | file | what it does |
//! |---|---|
//! | `groups/` | the checks themselves, one file per group |
//! | `list.rs` | the list of all checks, how some are selected, and the texts made from the list |
//! | `run.rs` | runs the selected checks within limits, in turn or side by side |
//! | `place.rs` | prepares the account for a run, and puts back what the run changed |
//! | `scout.rs` | refuses an app that would make a running emulator call a public address |
//! | `control_test.rs` | the good requests that come first; checks that depend on a refused one aren't judged |
//! | `stimulus.rs`, `conversation.rs` | makes a fax with its rules, and reads what happened |
//! | `sending.rs` | makes the app send a fax, with the user's command |
//! | `activity.rs`, `page.rs` | what the app itself did: REST calls, downloads, and the page of `--probe` |
//! | `effects.rs` | what the app did about one fax, and whether it did so twice |
//! | `crafted.rs` | a notification that reaches the app twice at the same moment |
//! | `direct.rs` | requests that the emulator never makes: unsigned, malformed, with any method |
//! | `old_tls.rs` | how an app responds to versions of TLS that are too old |
//! | `api.rs` | the calls to the emulator's APIs |
//! | `exchange.rs`, `report.rs`, `junit.rs` | a request with its response; the results, as values and as files |

mod activity;
mod api;
mod control_test;
mod conversation;
mod crafted;
mod direct;
mod effects;
mod error;
mod exchange;
mod groups;
mod junit;
pub mod list;
mod old_tls;
mod options;
mod page;
mod place;
pub mod report;
mod run;
mod scout;
mod sending;
mod stimulus;

use futures_util::future::BoxFuture;

pub(crate) use self::api::Api;
pub(crate) use self::direct::{Direct, Raw};
pub use self::error::RunError;
pub use self::exchange::Exchange;
pub use self::junit::junit;
pub use self::options::{Limits, Options};
pub use self::report::{Report, Result as CheckResult, Summary};
pub use self::run::{Progress, Run, run};

use crate::client::ApiError;
use crate::model::words::words;

words!(
    /// How much it matters if an app fails a check.
    Severity {
        /// An app that fails this has a security hole or loses faxes.
        Must = "must",
        /// An app that fails this will break sooner or later.
        Should = "should",
        /// There may be a good reason for failing this.
        Warn = "warn",
        /// A failure is only information about the app.
        Info = "info",
    }
);

words!(
    /// The result of a check.
    Verdict {
        /// The app did what it should.
        Pass = "pass",
        /// The app did not do what it must or should.
        Fail = "fail",
        /// The app did something that may be wrong.
        Warn = "warn",
        /// The app could not be judged.
        NotJudged = "not_judged",
    }
);

words!(
    /// The direction of the faxes that a check is about.
    Profile {
        /// Faxes that the app receives.
        Inbound = "inbound",
        /// Faxes that the app sends.
        Outbound = "outbound",
    }
);

words!(
    /// A group of checks with one subject.
    Group {
        /// Whether the app can be reached, and speaks HTTP and TwiML.
        Reach = "Reach and speak",
        /// Whether the app verifies who calls.
        Caller = "Who is calling",
        /// Whether signatures survive a reverse proxy.
        Proxies = "Behind a proxy",
        /// Requests that arrive twice, late or in another order.
        Again = "More than once, in any order",
        /// Faxes and calls that fail.
        Failures = "Things that go wrong",
        /// Contents that are legal but rare.
        Contents = "Odd but legal content",
        /// The app's own calls and downloads.
        Calls = "What the app does itself",
        /// TLS, and methods other than POST.
        Edge = "TLS and edge",
    }
);

/// Whether a check may run while others do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Beside others: the check's requests and events are told apart from those of other checks by the SID of its fax.
    Beside,
    /// Beside others; but alone if a page of the app is compared before and after, because that page shows the effects
    /// of all checks.
    AloneWithProbe,
    /// Alone: the check moves the clock, or changes a number or the account.
    Alone,
}

/// A check of an app. Everything that is said about it, in `--list`, `--explain`, the results and docs/check.md, comes from
/// here.
#[derive(Debug)]
pub struct Check {
    /// The name of the check for users, such as `signature-missing`.
    pub id: &'static str,
    /// The short code, such as `S2`, which users may give instead of the name.
    pub code: &'static str,
    /// The group that the check is listed in.
    pub group: Group,
    /// How much it matters if an app fails. A check that isn't `must` or `should` warns at most, unless the app goes
    /// down during it.
    pub severity: Severity,
    /// What a good app does, as a sentence without a full stop.
    pub title: &'static str,
    /// Why it matters, in one sentence.
    pub why: &'static str,
    /// What to change in an app that fails.
    pub fix: &'static str,
    /// Where this is documented, or who observed it.
    pub source: &'static str,
    /// The directions of faxes for which the check makes sense.
    pub profiles: &'static [Profile],
    /// Whether the check may run while others do.
    pub turn: Turn,
    /// Runs the check.
    pub run: for<'a> fn(&'a Run) -> BoxFuture<'a, Judged>,
}

/// What a check found.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The result. A check that may only warn can still return `Fail`, which then counts as a warning.
    pub verdict: Verdict,
    /// What was seen, in one sentence.
    pub seen: String,
    /// The exchange with the app that shows it.
    pub exchange: Option<Box<Exchange>>,
}

/// The reason that a check ended without a finding.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Stop {
    /// The app can't be judged, for the given reason.
    #[error("{0}")]
    NotJudged(String),
    /// The app can't be reached any more.
    #[error("{0}")]
    Gone(String),
    /// A call to the emulator failed.
    #[error(transparent)]
    Api(#[from] ApiError),
}

/// The end of a check.
pub type Judged = Result<Finding, Stop>;

impl Severity {
    /// Returns the worst verdict that a check of this severity can have while the app doesn't go down.
    #[must_use]
    pub const fn worst(self) -> Verdict {
        match self {
            Self::Must | Self::Should => Verdict::Fail,
            Self::Warn | Self::Info => Verdict::Warn,
        }
    }
}

impl Finding {
    fn of(verdict: Verdict, seen: impl Into<String>, exchange: Option<&Exchange>) -> Self {
        Self { verdict, seen: seen.into(), exchange: exchange.cloned().map(Box::new) }
    }

    /// Returns a finding that the app did what it should.
    pub fn pass(seen: impl Into<String>) -> Self {
        Self::of(Verdict::Pass, seen, None)
    }

    /// Returns a finding that the app did not do what it should, as this exchange shows.
    pub fn fail(seen: impl Into<String>, exchange: &Exchange) -> Self {
        Self::of(Verdict::Fail, seen, Some(exchange))
    }

    /// Returns a finding that the app did not do what it should, which no single exchange shows.
    pub fn fault(seen: impl Into<String>) -> Self {
        Self::of(Verdict::Fail, seen, None)
    }

    /// Returns a finding that the app did something that may be wrong, as this exchange shows.
    pub fn warn(seen: impl Into<String>, exchange: &Exchange) -> Self {
        Self::of(Verdict::Warn, seen, Some(exchange))
    }
}

impl Stop {
    /// Returns the reason that the app can't be judged.
    pub fn not_judged(why: impl Into<String>) -> Self {
        Self::NotJudged(why.into())
    }
}
