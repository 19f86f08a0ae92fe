//! The log of REST and media requests that belong to no world: one ring buffer of limited size for the whole process.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::RealTime;
use crate::model::sid::AccountSid;
use crate::model::time::Timestamp;
use crate::model::words::words;

/// The maximum number of requests kept; it is enough to see what a misconfigured client has been doing.
pub(crate) const UNASSIGNED_MAX: usize = 1_000;
/// The maximum total size of the requests kept, in bytes; paths can be long.
pub(crate) const UNASSIGNED_BYTES_MAX: usize = 1024 * 1024;

words!(
    /// The reason a request belongs to no world.
    NoWorld {
        /// The guard, which checks where a request comes from and which host it names, refused the request.
        NotAllowed = "not-allowed",
        /// No resource has this path.
        UnknownPath = "unknown-path",
        /// The resource doesn't support this method.
        WrongMethod = "wrong-method",
        /// The request has no credential, or a malformed one.
        NoCredential = "no-credential",
        /// No such account is configured, and unknown accounts are refused.
        UnknownAccount = "unknown-account",
        /// The token or the API key's secret doesn't match, or there is no such key.
        WrongCredential = "wrong-credential",
        /// The credential belongs to an account other than the one in the path.
        OtherAccount = "other-account",
        /// The path belongs to a dialect other than the account's.
        OtherDialect = "other-dialect",
        /// The credential is a standard API key, which isn't enough for the Accounts and Keys that the path asks for.
        KeyNotEnough = "key-not-enough",
        /// The account's world has broken because of a fault in the emulator.
        Broken = "world-broken",
        /// The account needs a new world, but there are already too many.
        TooManyAccounts = "too-many-accounts",
        /// The account has no world yet, and a read-only request doesn't create one.
        NotCreated = "account-not-created",
    }
);

/// A request that belongs to no world.
#[derive(Debug, Clone)]
pub(crate) struct UnassignedRequest {
    pub(crate) method: Cow<'static, str>,
    /// Path and query, with secrets masked.
    pub(crate) path: Box<str>,
    pub(crate) status: u16,
    /// The error code in the response, if any.
    pub(crate) code: Option<u32>,
    /// The account in the path, or otherwise the one in the credential.
    pub(crate) account: Option<AccountSid>,
    pub(crate) reason: NoWorld,
}

/// A logged request with its sequence number and time.
#[derive(Debug)]
pub(crate) struct Unassigned {
    /// The sequence number among all logged requests, counted from 1 without gaps.
    pub(crate) seq: u64,
    /// The real time at which the request was logged.
    pub(crate) at: Timestamp,
    pub(crate) request: UnassignedRequest,
}

/// A part of the log, with the numbers that a reader needs to detect gaps.
pub(crate) struct UnassignedPage {
    /// The requests, oldest first.
    pub(crate) requests: Vec<Arc<Unassigned>>,
    /// The sequence number of the newest request.
    pub(crate) last_seq: u64,
    /// How many requests have been dropped to stay within the limits.
    pub(crate) evicted: u64,
}

/// The log itself, shared by all requests of the process.
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

    /// Adds a request with the current time, and drops the oldest requests while a limit is exceeded.
    pub(crate) fn note(&self, request: UnassignedRequest) {
        let mut ring = self.lock();
        // Read the clock under the lock, so that times ascend with the sequence numbers.
        let at = self.real.now();
        ring.push(at, request);
    }

    /// Returns the first `limit` requests after the sequence number `since`.
    pub(crate) fn read(&self, since: u64, limit: usize) -> UnassignedPage {
        let ring = self.lock();
        let start = ring.kept.partition_point(|kept| kept.seq <= since);
        let requests = ring.kept.range(start..).take(limit).cloned().collect();
        UnassignedPage { requests, last_seq: ring.last_seq, evicted: ring.evicted }
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        // No panic can leave the ring half changed, so a poisoned lock is still usable.
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
            // The ring can't be empty here, because it exceeds a limit.
            let Some(oldest) = self.kept.pop_front() else { break };
            self.bytes -= oldest.size_bytes();
            self.evicted += 1;
        }
    }
}

impl Unassigned {
    /// Returns the approximate size in memory.
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
    fn the_newest_requests_are_kept_and_dropped_ones_are_counted() {
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
    fn requests_with_long_paths_are_limited_by_their_total_size() {
        let log = UnassignedLog::new(RealTime::start());
        for _ in 0..100 {
            log.note(request("x".repeat(UNASSIGNED_BYTES_MAX / 10)));
        }
        let page = log.read(0, usize::MAX);
        assert_eq!((page.requests.len(), page.evicted), (9, 91));
    }
}
