//! The ordered, bounded log of a world's events. REST requests are not included: the shell keeps them separately and
//! merges them and the events into one sequence.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Engine;
use super::event::{Event, EventKind};
use super::tally::Tally;
use crate::model::fax::Status;
use crate::model::media::Document;
use crate::model::sid::FaxSid;
use crate::model::time::Timestamp;
use crate::model::webhook::Purpose;

/// The maximum number of events kept per world: enough for hundreds of whole conversations.
pub const JOURNAL_EVENTS_MAX: usize = 10_000;
/// The maximum size of the events kept per world, in bytes; most of it is excerpts of webhooks.
pub const JOURNAL_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A filter for events; every given condition must hold.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// Only events with a higher sequence number.
    pub since: u64,
    /// Only events of this fax or call.
    pub fax: Option<FaxSid>,
    /// Only events with this name, such as `fax.status`.
    pub kind: Option<Box<str>>,
    /// Only events that record an exchange with this purpose.
    pub purpose: Option<Purpose>,
}

/// The events of a world, oldest first, within limits of number and size.
#[derive(Debug, Clone, Default)]
pub(super) struct Journal {
    events: VecDeque<Arc<Event>>,
    bytes: usize,
    last_seq: u64,
    evicted: u64,
    /// The sequence number just before the last reset, restore or load; earlier events may concern faxes that no longer
    /// exist.
    last_reset: Option<u64>,
    tally: Tally,
}

impl Journal {
    pub(super) fn write(&mut self, at: Timestamp, fax: Option<FaxSid>, kind: EventKind) -> Arc<Event> {
        // Set before the reset event gets its own number, so that the events after this number begin with the reset.
        if matches!(kind, EventKind::WorldReset { .. }) {
            self.last_reset = Some(self.last_seq);
        }
        self.last_seq += 1;
        self.tally.count(&kind);
        self.bytes += kind.size_bytes();
        let written = Arc::new(Event { seq: self.last_seq, at, fax, kind });
        self.events.push_back(Arc::clone(&written));
        while self.events.len() > JOURNAL_EVENTS_MAX || self.bytes > JOURNAL_BYTES_MAX {
            // An event that alone exceeds the limit is dropped, too, which leaves the journal empty.
            let Some(event) = self.events.pop_front() else { break };
            self.bytes -= event.kind.size_bytes();
            self.evicted += 1;
        }
        written
    }

    pub(super) const fn last_seq(&self) -> u64 {
        self.last_seq
    }

    pub(super) const fn evicted(&self) -> u64 {
        self.evicted
    }

    pub(super) const fn last_reset(&self) -> Option<u64> {
        self.last_reset
    }

    pub(super) const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Returns the last status that a fax has entered since the last reset, restore or load.
    pub(super) fn last_status(&self, fax: FaxSid) -> Option<Status> {
        let is_reset = |event: &&Arc<Event>| matches!(event.kind, EventKind::WorldReset { .. });
        // Each of these replaces all faxes, so statuses from before it don't count.
        let since = self.events.iter().rev().take_while(|event| !is_reset(event));
        since.filter(|event| event.fax == Some(fax)).find_map(|event| event.kind.entered())
    }

    /// Returns the first `limit` events that match the filter, oldest first.
    pub(super) fn read(&self, filter: &EventFilter, limit: usize) -> Vec<Arc<Event>> {
        // Sequence numbers are ascending, so the start can be found by bisection.
        let start = self.events.partition_point(|event| event.seq <= filter.since);
        self.events.range(start..).filter(|event| filter.fits(event)).take(limit).cloned().collect()
    }
}

impl Engine {
    /// Journals each part of a document that is missing from its fax pages.
    pub(super) fn write_losses(&mut self, sid: FaxSid, document: &Document, now: Timestamp) {
        for loss in document.losses.iter() {
            self.journal.write(now, Some(sid), EventKind::DocumentLoss(loss.clone()));
        }
    }
}

impl EventFilter {
    fn fits(&self, event: &Event) -> bool {
        let purpose = event.kind.exchange().map(|record| record.purpose);
        self.fax.is_none_or(|fax| event.fax == Some(fax))
            && self.kind.as_deref().is_none_or(|kind| event.kind.as_str() == kind)
            && self.purpose.is_none_or(|wanted| purpose == Some(wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::media::MediaFault;

    #[test]
    fn dropped_events_are_counted_and_sequence_numbers_continue() {
        let mut journal = Journal::default();
        for _ in 0..JOURNAL_EVENTS_MAX + 5 {
            journal.write(Timestamp::default(), None, EventKind::CallNotAnswered);
        }
        assert_eq!(journal.evicted(), 5);
        let kept = journal.read(&EventFilter::default(), usize::MAX);
        assert_eq!(kept.len(), JOURNAL_EVENTS_MAX);
        assert_eq!(kept[0].seq, 6);
        let tail = journal.read(&EventFilter { since: journal.last_seq() - 2, ..EventFilter::default() }, 1);
        assert_eq!(tail[0].seq, journal.last_seq() - 1);
    }

    #[test]
    fn large_excerpts_count_against_the_byte_limit() {
        let mut journal = Journal::default();
        for _ in 0..100 {
            let detail = "x".repeat(JOURNAL_BYTES_MAX / 10).into();
            let kind = EventKind::MediaWarning { fault: MediaFault::UserAgent, detail };
            journal.write(Timestamp::default(), None, kind);
        }
        assert!(journal.events.len() < 10 && journal.bytes <= JOURNAL_BYTES_MAX);
        assert_eq!(journal.evicted() + journal.events.len() as u64, 100);
    }
}
