//! The feed: the journal entries of all worlds, and the requests that no journal contains, in one sequence. It is a
//! ring of limited size for the whole process. `GET /traffic` and the events of all accounts are read from it.
//!
//! ```text
//!  world A ── its new journal entries, under A's lock ──┐
//!  world B ── its new journal entries, under B's lock ──┼──► ring ──► readers, each from its own place
//!  downloads, and requests without a world ─────────────┘
//! ```
//!
//! The ring's lock is taken while a world's lock is held, never the other way round, and is held only for as long as it
//! takes to copy a few pointers.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::journal::{Entry, JournalEvent};
use super::requests::ApiRequest;
use crate::clock::RealTime;
use crate::model::sid::AccountSid;
use crate::model::time::Timestamp;

/// The maximum number of entries in the ring: enough for all conversations of a long test run.
pub const FEED_ENTRIES_MAX: usize = 10_000;
/// The maximum size of the entries in the ring, in bytes. Most entries are shared with their account's journal, so they
/// take additional memory only once the journal has dropped them.
pub const FEED_BYTES_MAX: usize = 16 * 1024 * 1024;

/// An entry of the ring.
#[derive(Debug)]
pub struct News {
    /// The entry's number in the ring, which grows by one per entry.
    pub seq: u64,
    /// The real time at which it happened.
    pub at: Timestamp,
    /// The account to which it happened; for a request that belongs to no world, the account that the request names.
    pub account: Option<AccountSid>,
    /// What happened.
    pub what: Happening,
}

/// What an entry of the ring is about.
#[derive(Debug)]
pub enum Happening {
    /// An entry of an account's journal.
    Journaled(JournalEvent),
    /// A request that no journal contains.
    Request(Arc<ApiRequest>),
}

/// A part of the ring, with the numbers from which a reader recognises a gap.
#[derive(Debug)]
pub struct FeedPage {
    /// The entries, oldest first.
    pub entries: Vec<Arc<News>>,
    /// The number of the ring's newest entry.
    pub last_seq: u64,
    /// The count of entries that the ring has dropped, which is also the number of the last one dropped.
    pub evicted: u64,
}

/// The ring, shared by all worlds.
#[derive(Debug)]
pub struct Feed {
    real: RealTime,
    ring: Mutex<Ring>,
    /// Counts changes, to wake the tasks that wait for one.
    changes: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Ring {
    kept: VecDeque<Arc<News>>,
    bytes: usize,
    last_seq: u64,
    evicted: u64,
}

impl Feed {
    /// Creates an empty ring whose times are those of `real`.
    #[must_use]
    pub fn new(real: RealTime) -> Self {
        Self { real, ring: Mutex::default(), changes: watch::channel(0).0 }
    }

    /// Adds an account's new journal entries, and returns the real time of the addition. Must be called under the
    /// world's lock, so that the entries stay in order.
    pub(super) fn add_journaled(&self, account: AccountSid, entries: impl Iterator<Item = JournalEvent>) -> Timestamp {
        self.add(entries.map(|entry| (Some(account), Happening::Journaled(entry))))
    }

    /// Adds a request that no journal contains.
    pub(crate) fn add_request(&self, account: Option<AccountSid>, request: Arc<ApiRequest>) {
        self.add(std::iter::once((account, Happening::Request(request))));
    }

    fn add(&self, entries: impl Iterator<Item = (Option<AccountSid>, Happening)>) -> Timestamp {
        let mut ring = self.lock();
        // Read under the lock, so that times never decrease.
        let at = self.real.now();
        for (account, what) in entries {
            ring.push(at, account, what);
        }
        drop(ring);
        if self.changes.receiver_count() > 0 {
            self.changes.send_modify(|count| *count = count.wrapping_add(1));
        }
        at
    }

    /// Returns the first `limit` entries after the number `since`.
    #[must_use]
    pub fn read(&self, since: u64, limit: usize) -> FeedPage {
        // Only pointers are copied under the lock; readers look at the entries after the lock is released.
        let ring = self.lock();
        let start = ring.kept.partition_point(|kept| kept.seq <= since);
        let entries = ring.kept.range(start..).take(limit).cloned().collect();
        FeedPage { entries, last_seq: ring.last_seq, evicted: ring.evicted }
    }

    /// Returns the entries after the number `seq`, up to the first one that doesn't belong to them. `belongs` is called
    /// under the lock, so it must be quick.
    pub(crate) fn following(&self, seq: u64, belongs: impl Fn(&News) -> bool) -> Vec<Arc<News>> {
        let ring = self.lock();
        let start = ring.kept.partition_point(|kept| kept.seq <= seq);
        ring.kept.range(start..).take_while(|news| belongs(news)).cloned().collect()
    }

    /// Waits until the ring has entries after the number `since`.
    pub async fn grown(&self, since: u64) {
        let mut changes = self.changes.subscribe();
        loop {
            // Marked before the ring is checked, so that an entry added right afterwards isn't missed.
            changes.mark_unchanged();
            if self.lock().last_seq > since {
                return;
            }
            // Never fails: the sender lives as long as this ring.
            let _ = changes.changed().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        // No panic can leave the ring half changed, so a poisoned lock is still usable.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    fn push(&mut self, at: Timestamp, account: Option<AccountSid>, what: Happening) {
        self.last_seq += 1;
        let news = Arc::new(News { seq: self.last_seq, at, account, what });
        self.bytes += news.size_bytes();
        self.kept.push_back(news);
        while self.kept.len() > FEED_ENTRIES_MAX || self.bytes > FEED_BYTES_MAX {
            // The ring can't be empty here, because it exceeds a limit.
            let Some(oldest) = self.kept.pop_front() else { break };
            self.bytes -= oldest.size_bytes();
            self.evicted += 1;
        }
    }
}

impl News {
    /// Returns the client's request that the entry is about, if any.
    #[must_use]
    pub fn request(&self) -> Option<&ApiRequest> {
        match &self.what {
            Happening::Request(request) => Some(request),
            Happening::Journaled(JournalEvent { entry: Entry::Request(request), .. }) => Some(request),
            Happening::Journaled(JournalEvent { entry: Entry::Engine(_), .. }) => None,
        }
    }

    /// Returns the journal entry, if a journal contains this entry.
    #[must_use]
    pub fn journaled(&self) -> Option<&JournalEvent> {
        if let Happening::Journaled(event) = &self.what { Some(event) } else { None }
    }

    /// Returns the approximate size in memory.
    fn size_bytes(&self) -> usize {
        let entry = match &self.what {
            Happening::Journaled(JournalEvent { entry: Entry::Engine(event), .. }) => event.kind.size_bytes(),
            Happening::Journaled(JournalEvent { entry: Entry::Request(request), .. }) => request.size_bytes(),
            Happening::Request(request) => request.size_bytes(),
        };
        size_of::<Self>() + entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::no_world::NoWorld;

    fn request(path: String) -> Arc<ApiRequest> {
        let (path, no_world) = (path.into(), Some(NoWorld::UnknownPath));
        Arc::new(ApiRequest { path, status: 404, no_world, ..ApiRequest::default() })
    }

    fn path(news: &News) -> &str {
        &news.request().expect("a request").path
    }

    #[test]
    fn the_newest_entries_are_kept_and_dropped_ones_are_counted() {
        let feed = Feed::new(RealTime::start());
        for number in 0..FEED_ENTRIES_MAX + 5 {
            feed.add_request(None, request(format!("/{number}")));
        }
        let page = feed.read(0, usize::MAX);
        let last_seq = FEED_ENTRIES_MAX as u64 + 5;
        assert_eq!((page.entries.len(), page.evicted, page.last_seq), (FEED_ENTRIES_MAX, 5, last_seq));
        assert_eq!((page.entries[0].seq, path(&page.entries[0])), (6, "/5"));
        let page = feed.read(last_seq - 3, 2);
        assert_eq!(page.entries.iter().map(|news| news.seq).collect::<Vec<_>>(), [last_seq - 2, last_seq - 1]);
    }

    #[test]
    fn large_entries_are_limited_by_their_total_size() {
        let feed = Feed::new(RealTime::start());
        for _ in 0..100 {
            feed.add_request(None, request("x".repeat(FEED_BYTES_MAX / 10)));
        }
        let page = feed.read(0, usize::MAX);
        assert_eq!((page.entries.len(), page.evicted), (9, 91));
    }

    #[tokio::test]
    async fn a_reader_is_woken_by_the_next_entry() {
        let feed = Feed::new(RealTime::start());
        feed.add_request(None, request("/1".to_owned()));
        feed.grown(0).await;
        let ((), ()) = tokio::join!(feed.grown(1), async { feed.add_request(None, request("/2".to_owned())) });
        assert_eq!(feed.read(1, 9).entries.len(), 1);
    }
}
