//! Counts of what has happened in a world since it was founded, for metrics. They only grow, whatever is reset or dropped
//! from the journal.

use std::collections::BTreeMap;

use super::event::EventKind;
use crate::model::fax::Status;
use crate::model::webhook::{ExchangeFailure, ExchangeRecord, Purpose};
use crate::model::words::words;

words!(
    /// How an exchange with an app ended.
    ExchangeResult {
        /// The app answered as it should.
        Answered = "answered",
        /// The app answered 4xx or 5xx.
        Refused = "refused",
        /// No usable answer came.
        Failed = "failed",
    }
);

impl ExchangeResult {
    /// The result of an exchange.
    #[must_use]
    pub const fn of(record: &ExchangeRecord) -> Self {
        match record.failure {
            None => Self::Answered,
            Some(ExchangeFailure::HttpStatus(_)) => Self::Refused,
            Some(_) => Self::Failed,
        }
    }
}

/// Counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// How often a fax entered each status.
    pub entered: BTreeMap<Status, u64>,
    /// Exchanges with apps.
    pub exchanges: BTreeMap<(Purpose, ExchangeResult), u64>,
}

impl Tally {
    /// Adds another's counts.
    pub fn add(&mut self, other: &Self) {
        for (status, count) in &other.entered {
            *self.entered.entry(*status).or_default() += count;
        }
        for (exchange, count) in &other.exchanges {
            *self.exchanges.entry(*exchange).or_default() += count;
        }
    }

    pub(super) fn count(&mut self, kind: &EventKind) {
        if let Some(status) = kind.entered() {
            *self.entered.entry(status).or_default() += 1;
        }
        if let Some(record) = kind.exchange() {
            *self.exchanges.entry((record.purpose, ExchangeResult::of(record))).or_default() += 1;
        }
    }
}
