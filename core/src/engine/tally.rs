//! Event counts of a world since its creation, for metrics. They never decrease, even when the world is reset or the
//! journal drops events.

use std::collections::BTreeMap;

use super::event::EventKind;
use crate::model::fax::Status;
use crate::model::webhook::{ExchangeFailure, ExchangeRecord, Purpose};
use crate::model::words::words;

words!(
    /// The result of an exchange with an app, as distinguished in metrics.
    ExchangeResult {
        /// The app responded as it should.
        Answered = "answered",
        /// The app responded with a 4xx or 5xx status.
        Refused = "refused",
        /// The exchange failed in another way, so that no usable response was received.
        Failed = "failed",
    }
);

impl ExchangeResult {
    /// Classifies a recorded exchange by its failure.
    #[must_use]
    pub const fn of(record: &ExchangeRecord) -> Self {
        match record.failure {
            None => Self::Answered,
            Some(ExchangeFailure::HttpStatus(_)) => Self::Refused,
            Some(_) => Self::Failed,
        }
    }
}

/// The counts of one world, or the sum over several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// The number of times a fax entered each status.
    pub entered: BTreeMap<Status, u64>,
    /// The number of exchanges with apps, retries included, by purpose and result.
    pub exchanges: BTreeMap<(Purpose, ExchangeResult), u64>,
}

impl Tally {
    /// Adds the counts of another world.
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
