//! The requests to the REST APIs and for media that no world has in its journal, in one bounded ring for the whole process.
//! It doesn't decide which those are.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::RealTime;
use crate::model::sid::AccountSid;
use crate::model::time::Timestamp;
use crate::model::words::words;

/// Requests kept; enough to see what a misconfigured client has been doing.
pub(crate) const UNASSIGNED_MAX: usize = 1_000;
/// Bytes of requests kept.
pub(crate) const UNASSIGNED_BYTES_MAX: usize = 1024 * 1024;

words!(
    /// Why a request belongs to no world.
    NoWorld {
        /// A host name, origin or page that may not call.
        NotAllowed = "not-allowed",
        /// No resource has this path.
        UnknownPath = "unknown-path",
        /// The path doesn't take this method.
        WrongMethod = "wrong-method",
        /// There is no credential, or it is none of Twilio's form.
        NoCredential = "no-credential",
        /// There is no such account.
        UnknownAccount = "unknown-account",
        /// The account or API key has another secret, or there is no such key.
        WrongCredential = "wrong-credential",
        /// The credential is another account's than the one in the path.
        OtherAccount = "other-account",
        /// The credential is a standard API key, and the path asks for the AuthToken.
        KeyNotEnough = "key-not-enough",
        /// The account's world has broken.
        Broken = "world-broken",
        /// There are too many accounts to create another.
        TooManyAccounts = "too-many-accounts",
        /// The account has no world yet, and reading creates none.
        NotCreated = "account-not-created",
    }
);

/// A request that belongs to no world.
#[derive(Debug, Clone)]
pub(crate) struct UnassignedRequest {
    /// `GET`, `POST` …
    pub(crate) method: Cow<'static, str>,
    /// Path and query, secrets masked.
    pub(crate) path: Box<str>,
    /// The HTTP status of the response.
    pub(crate) status: u16,
    /// The error code of the response, if any.
    pub(crate) code: Option<u32>,
    /// The account that the path names, or else the credential.
    pub(crate) account: Option<AccountSid>,
    /// Why it belongs to no world.
    pub(crate) reason: NoWorld,
}

/// A request with its place.
#[derive(Debug)]
pub(crate) struct Unassigned {
    /// Its place among these requests; grows by one, never goes back.
    pub(crate) seq: u64,
    /// When it was answered, by the system's clock.
    pub(crate) at: Timestamp,
    pub(crate) request: UnassignedRequest,
}

/// Some of the requests that are kept, and how many there have been.
pub(crate) struct UnassignedPage {
    /// Oldest first.
    pub(crate) requests: Vec<Arc<Unassigned>>,
    /// The place of the newest request.
    pub(crate) last_seq: u64,
    /// How many have been dropped.
    pub(crate) evicted: u64,
}

/// The ring.
pub(crate) struct UnassignedLog {
    real: RealTime,
    ring: Mutex<Ring>,
}

#[derive(Default)]
struct Ring {
    kept: VecDeque<Arc<Unassigned>>,
    bytes: usize,
    last_seq: u64,
    evicted: u64,
}

impl UnassignedLog {
    pub(super) fn new(real: RealTime) -> Self {
        Self { real, ring: Mutex::default() }
    }

    /// Notes a request.
    pub(crate) fn note(&self, request: UnassignedRequest) {
        let mut ring = self.lock();
        // Read under the lock, so that times are in the order of places.
        let at = self.real.now();
        ring.push(at, request);
    }

    /// The first `limit` requests later than a place.
    pub(crate) fn read(&self, since: u64, limit: usize) -> UnassignedPage {
        let ring = self.lock();
        let start = ring.kept.partition_point(|kept| kept.seq <= since);
        let requests = ring.kept.range(start..).take(limit).cloned().collect();
        UnassignedPage { requests, last_seq: ring.last_seq, evicted: ring.evicted }
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        // Nothing panics half-way through a change of it.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    fn push(&mut self, at: Timestamp, request: UnassignedRequest) {
        self.last_seq += 1;
        let noted = Arc::new(Unassigned { seq: self.last_seq, at, request });
        self.bytes += noted.size_bytes();
        self.kept.push_back(noted);
        while self.kept.len() > UNASSIGNED_MAX || self.bytes > UNASSIGNED_BYTES_MAX {
            let Some(oldest) = self.kept.pop_front() else { break };
            self.bytes -= oldest.size_bytes();
            self.evicted += 1;
        }
    }
}

impl Unassigned {
    /// How much memory it takes.
    fn size_bytes(&self) -> usize {
        size_of::<Self>() + self.request.path.len() + self.request.method.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(path: String) -> UnassignedRequest {
        let (path, reason) = (path.into(), NoWorld::UnknownPath);
        UnassignedRequest { method: "GET".into(), path, status: 404, code: Some(20404), account: None, reason }
    }

    #[test]
    fn the_newest_are_kept_and_what_went_is_counted() {
        let log = UnassignedLog::new(RealTime::start());
        for number in 0..UNASSIGNED_MAX + 5 {
            log.note(request(format!("/{number}")));
        }
        let page = log.read(0, usize::MAX);
        assert_eq!((page.requests.len(), page.evicted, page.last_seq), (UNASSIGNED_MAX, 5, UNASSIGNED_MAX as u64 + 5));
        assert_eq!((page.requests[0].seq, &*page.requests[0].request.path), (6, "/5"));
        let page = log.read(page.last_seq - 3, 2);
        let seqs: Vec<u64> = page.requests.iter().map(|kept| kept.seq).collect();
        assert_eq!(seqs, [page.last_seq - 2, page.last_seq - 1]);
    }

    #[test]
    fn long_paths_are_bounded_by_bytes() {
        let log = UnassignedLog::new(RealTime::start());
        for _ in 0..100 {
            log.note(request("x".repeat(UNASSIGNED_BYTES_MAX / 10)));
        }
        let page = log.read(0, usize::MAX);
        assert_eq!((page.requests.len(), page.evicted), (9, 91));
    }
}
