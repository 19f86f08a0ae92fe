//! The errors that a test sees: Rust values with messages for the test report, without HTTP statuses.

use std::time::Duration;

use crate::dialect::incoming::IncomingFaxError;
use crate::emulator::CreateWorldError;
use crate::engine::Unreachable;
use crate::model::fax::Status;
use crate::model::phone::NotE164;
use crate::model::refusal::Refusal;
use crate::model::sid::{AccountSid, FaxSid};
use crate::world::ClockError;

/// The reason the emulator couldn't do what a test asked for.
///
/// ```
/// use fauxfax::Error;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let emulator = fauxfax::Emulator::builder().start().await?;
/// # let account = emulator.account()?;
/// assert!(matches!(account.number("555-0100"), Err(Error::Number { .. })));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The account could not be created: its SID is taken, or the emulator already holds the maximum number of
    /// accounts, none of which may be dropped to make room.
    #[error(transparent)]
    CreateAccount(#[from] CreateWorldError),
    /// The emulator has no account with this SID; it may have been removed.
    #[error("there is no account {0}")]
    NoAccount(AccountSid),
    /// A telephone number is not in E.164 form.
    #[error("{text:?} is {error}")]
    Number {
        /// The number as given by the test.
        text: String,
        /// The error, which describes the required form.
        error: NotE164,
    },
    /// A field of an incoming fax is invalid, for example a station id that is too long.
    #[error("the incoming fax can't be created: {0}")]
    IncomingFax(#[from] IncomingFaxError),
    /// The emulator refused, in most cases as it would refuse a REST call.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The clock can't be moved: it is running or already past the requested time, or the account was removed or its
    /// world broke.
    #[error("{}", clock(*.0))]
    Clock(ClockError),
    /// The clock is frozen, so the fax that the test awaits would never end.
    #[error(
        "the clock is frozen, so the fax would never end: use ring() or queue() and then advance or drain the clock"
    )]
    Frozen,
    /// A rule is invalid, or could never act on anything.
    #[error("the rule can't be added: {0}")]
    Rule(String),
    /// The awaited event did not happen in time.
    #[error("{what} within {} s", .patience.as_secs_f64())]
    TooLate {
        /// A description of the missing event, and of the state that was reached instead.
        what: String,
        /// The time limit that was exceeded.
        patience: Duration,
    },
    /// The awaited event can no longer happen, whatever the time limit.
    #[error("{fax} can no longer become {wanted}: {why}")]
    Unreachable {
        /// The SID of the awaited fax.
        fax: FaxSid,
        /// The status that the test awaits.
        wanted: Status,
        /// The reason: the fax has ended in a different status, or is gone.
        why: Unreachable,
    },
    /// The account was removed, or a panic has broken its world.
    #[error("the account was removed, or its world has broken: the log has the reason")]
    Gone,
    /// The document can't be faxed, or its file can't be read.
    #[error("the document can't be read: {0}")]
    Document(String),
    /// The journal lacks the expected events; the message compares the closest ones field by field.
    #[error("{0}")]
    NotVerified(String),
    /// The checks of an app can't run, for example because its URL is invalid or a check's name is unknown.
    #[error("the app can't be checked: {0}")]
    Check(String),
    /// There is no fax with this SID, or a reset has removed it.
    #[error("there is no fax {0}")]
    NoFax(FaxSid),
}

const fn clock(error: ClockError) -> &'static str {
    match error {
        ClockError::Running => "the clock is running; freeze it first",
        ClockError::Backwards => "the clock already shows a later time and can't move back",
        ClockError::Gone => "the account was removed, or its world has broken: the log has the reason",
    }
}

impl From<ClockError> for Error {
    fn from(error: ClockError) -> Self {
        Self::Clock(error)
    }
}
