//! Publishes a world's journal in the feed of all worlds.

use std::sync::Arc;

use super::journal::{Entry, Journal, JournalEvent};
use super::{Core, World};
use crate::engine::journal::EventFilter;

/// How much of a world's journal is in the feed.
#[derive(Debug, Default)]
pub(super) struct Published {
    /// The number of the journal's last entry that is in the feed.
    seq: u64,
    /// The engine's own number for its last event that is in the feed.
    event: u64,
}

impl World {
    /// Adds the journal's new entries to the feed. Called whenever the world's lock is about to be released, so it
    /// returns immediately if there are none.
    pub(super) fn publish(&self, core: &mut Core) {
        let Some(feed) = &self.0.feed else { return };
        let journal = Journal::new(&core.engine, &core.requests);
        let now = Published { seq: journal.last_seq(), event: core.engine.last_seq() };
        if now.seq == core.published.seq {
            return;
        }
        let before = std::mem::replace(&mut core.published, now);
        if before.event == core.published.event {
            // Most often, the only new entry is a call that only read something, and there are no events to merge it
            // with.
            let dialect = core.engine.account().dialect;
            let requests = core.requests.later_than(before.seq);
            let at = feed.add_journaled(
                self.0.sid,
                requests.map(|noted| JournalEvent {
                    seq: noted.seq,
                    entry: Entry::Request(Arc::clone(&noted.request)),
                    dialect,
                }),
            );
            core.last_activity = Some(at);
            return;
        }
        let news = journal.events(&EventFilter { since: before.seq, ..EventFilter::default() }, usize::MAX);
        core.last_activity = Some(feed.add_journaled(self.0.sid, news.into_iter()));
    }
}
