//! Publishes a world's journal in the feed of all worlds.

use super::journal::Journal;
use super::{Core, World};
use crate::engine::journal::EventFilter;

impl World {
    /// Adds the journal's new entries to the feed. Called whenever the world's lock is about to be released, so it
    /// returns at once if there are none.
    pub(super) fn publish(&self, core: &mut Core) {
        let Some(feed) = &self.0.feed else { return };
        let journal = Journal::new(&core.engine, &core.requests);
        let last_seq = journal.last_seq();
        if last_seq == core.published {
            return;
        }
        let since = std::mem::replace(&mut core.published, last_seq);
        let news = journal.events(&EventFilter { since, ..EventFilter::default() }, usize::MAX);
        core.last_activity = Some(feed.add_journaled(self.0.sid, news.into_iter()));
    }
}
