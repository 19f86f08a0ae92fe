//! Why a test's wish was not met, for the test's own report. It knows no HTTP status.

use std::time::Duration;

use crate::dialect::incoming::IncomingFaxError;
use crate::emulator::FoundError;
use crate::engine::Unreachable;
use crate::model::fax::Status;
use crate::model::phone::NotE164;
use crate::model::refusal::Refusal;
use crate::model::sid::{AccountSid, FaxSid};
use crate::world::ClockError;

/// Why a test's wish was not met.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No account could be founded.
    #[error(transparent)]
    Found(#[from] FoundError),
    /// The account is gone.
    #[error("there is no account {0}")]
    NoAccount(AccountSid),
    /// A number that is none.
    #[error("{text:?} is {error}")]
    Number {
        /// What was given.
        text: String,
        /// What is wrong with it.
        error: NotE164,
    },
    /// A field of an incoming fax that can't be taken.
    #[error("the incoming fax: {0}")]
    IncomingFax(#[from] IncomingFaxError),
    /// The service refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The clock can't be moved so.
    #[error("{}", clock(*.0))]
    Clock(ClockError),
    /// The clock is frozen, so that what is awaited would never come.
    #[error("the clock is frozen, so the fax would never end: ring(), then advance or drain the clock")]
    Frozen,
    /// A rule that is none, or that could never act.
    #[error("the rule: {0}")]
    Rule(String),
    /// What was awaited did not come in time.
    #[error("{what} within {} s", .patience.as_secs_f64())]
    TooLate {
        /// What did not happen, and what came nearest.
        what: String,
        /// How long it was waited for.
        patience: Duration,
    },
    /// What was awaited can no longer come.
    #[error("{fax} can no longer become {wanted}: {why}")]
    Unreachable {
        /// The fax.
        fax: FaxSid,
        /// The status that was waited for.
        wanted: Status,
        /// Where it stands instead.
        why: Unreachable,
    },
    /// The account was removed, or its world has broken.
    #[error("the account's world has broken or was removed")]
    Gone,
    /// A document that can't be faxed.
    #[error("the document can't be read: {0}")]
    Document(String),
    /// The journal doesn't have what was expected.
    #[error("{0}")]
    NotVerified(String),
    /// There is no such fax, or a reset has taken it away.
    #[error("there is no fax {0}")]
    NoFax(FaxSid),
}

const fn clock(error: ClockError) -> &'static str {
    match error {
        ClockError::Running => "the clock is running; freeze it first",
        ClockError::Backwards => "the clock stands at a later time already and never goes back",
        ClockError::Gone => "the account's world has broken or was removed",
    }
}

impl From<ClockError> for Error {
    fn from(error: ClockError) -> Self {
        Self::Clock(error)
    }
}
