//! The REST requests of a world, in a bounded ring beside its engine, and their places among the engine's events. A request
//! changes no world, so it is no input of the engine and no part of the history that a log of commands is.
//!
//! Users see events and requests in one sequence. A place in it counts both up to there, so it can be computed from either
//! side's own number and how many of the other came before:
//!
//! ```text
//! events by the engine's seq    1   2           3
//! requests by their number              1   2       3
//! places in the sequence        1   2   3   4   5   6
//! ```
//!
//! How many requests came before an event is told by marks, one per run of requests between two events. Marks that lie before
//! the engine's oldest event go with it, so there are never many more of them than events.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use crate::engine::Engine;
use crate::engine::journal::JOURNAL_EVENTS_MAX;
use crate::model::sid::FaxSid;
use crate::model::time::Timestamp;

/// Bytes of REST requests kept per world. Their number is bounded by that of the events shown, `JOURNAL_EVENTS_MAX`.
pub const REQUEST_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A request of a client to the REST APIs, with what it was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiRequest {
    /// When it was answered, by the world's clock.
    pub at: Timestamp,
    /// The fax that it names or created.
    pub fax: Option<FaxSid>,
    /// `GET`, `POST` …
    pub method: Cow<'static, str>,
    /// Path and query, secrets masked.
    pub path: Box<str>,
    /// The HTTP status of the response.
    pub status: u16,
    /// The error code of the response, if any.
    pub code: Option<u32>,
}

/// The requests that are kept, and what places need to be computed.
#[derive(Debug, Default)]
pub(super) struct RequestLog {
    kept: VecDeque<Noted>,
    bytes: usize,
    /// Requests noted since the world was created.
    total: u64,
    /// The place of the newest request that was dropped; 0 where none was.
    dropped: u64,
    /// In order of both fields.
    marks: VecDeque<Mark>,
    /// The engine's place just before its last reset, and the users' place for it, once marks about it may be gone.
    reset: Option<(u64, u64)>,
}

/// A request and its place.
#[derive(Debug)]
pub(super) struct Noted {
    pub(super) seq: u64,
    pub(super) request: Arc<ApiRequest>,
}

/// A run of requests with no event between them.
#[derive(Debug, Clone, Copy)]
struct Mark {
    /// The engine's newest event when they were noted; 0 before its first.
    after: u64,
    /// Requests noted up to the last of the run.
    total: u64,
}

impl RequestLog {
    /// Notes a request that comes after all that the engine has in its journal now.
    pub(super) fn note(&mut self, engine: &Engine, request: ApiRequest) {
        let after = engine.last_seq();
        self.total += 1;
        match self.marks.back_mut() {
            Some(mark) if mark.after == after => mark.total = self.total,
            _ => self.marks.push_back(Mark { after, total: self.total }),
        }
        // As the engine has it, time never goes back.
        let at = request.at.max(engine.latest());
        let request = Arc::new(ApiRequest { at, ..request });
        self.bytes += request.size_bytes();
        self.kept.push_back(Noted { seq: after + self.total, request });
        self.drop_marks(engine);
        self.drop_requests(engine);
    }

    pub(super) const fn total(&self) -> u64 {
        self.total
    }

    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The requests later than a place, oldest first.
    pub(super) fn later_than(&self, seq: u64) -> impl Iterator<Item = &Noted> {
        let start = self.kept.partition_point(|noted| noted.seq <= seq);
        self.kept.range(start..)
    }

    /// The place of an event that the engine keeps, or of the newest that it has dropped.
    pub(super) fn place_of(&self, event: u64) -> u64 {
        let next = self.marks.partition_point(|mark| mark.after < event);
        event + self.total_before(next)
    }

    /// The last event at a place or before it, by the engine's seq; no place before the oldest that is shown is asked for.
    pub(super) fn event_at(&self, seq: u64) -> u64 {
        let next = self.marks.partition_point(|mark| mark.after + mark.total <= seq);
        let event = seq.saturating_sub(self.total_before(next));
        // A place among requests is one after the event before them.
        self.marks.get(next).map_or(event, |mark| event.min(mark.after))
    }

    /// The place just before the world last went back; 0 where it never has.
    pub(super) fn last_reset(&self, engine: &Engine) -> u64 {
        let Some(before_reset) = engine.last_reset() else { return 0 };
        match self.reset {
            Some((known, seq)) if known == before_reset => seq,
            _ => self.place_of(before_reset + 1) - 1,
        }
    }

    #[cfg(test)]
    pub(super) fn kept_count(&self) -> usize {
        self.kept.len()
    }

    #[cfg(test)]
    pub(super) fn mark_count(&self) -> usize {
        self.marks.len()
    }

    /// Requests noted before the run of a mark.
    fn total_before(&self, mark: usize) -> u64 {
        let before = mark.checked_sub(1).and_then(|before| self.marks.get(before));
        before.map_or(0, |mark| mark.total)
    }

    /// Drops the marks that only tell of events which the engine has dropped; the last of those before it is still needed.
    fn drop_marks(&mut self, engine: &Engine) {
        let evicted = engine.events_evicted();
        let is_needless = |next: Option<&Mark>| next.is_some_and(|next| next.after < evicted);
        if is_needless(self.marks.get(1)) {
            self.reset = engine.last_reset().map(|before_reset| (before_reset, self.last_reset(engine)));
        }
        while is_needless(self.marks.get(1)) {
            self.marks.pop_front();
        }
    }

    /// How many events are no longer shown: all up to this place. The newest `JOURNAL_EVENTS_MAX` are, as far as the bytes of
    /// events and of requests stay within their limits.
    pub(super) fn evicted(&self, engine: &Engine) -> u64 {
        let of_engine = match engine.events_evicted() {
            0 => 0,
            newest => self.place_of(newest),
        };
        let beyond_count = (engine.last_seq() + self.total()).saturating_sub(JOURNAL_EVENTS_MAX as u64);
        of_engine.max(self.dropped()).max(beyond_count)
    }

    /// Drops the requests that are no longer shown, and those beyond the limit.
    fn drop_requests(&mut self, engine: &Engine) {
        let evicted = self.evicted(engine);
        while let Some(oldest) = self.kept.front()
            && (oldest.seq <= evicted || self.bytes > REQUEST_BYTES_MAX)
        {
            self.dropped = oldest.seq;
            self.bytes -= oldest.request.size_bytes();
            self.kept.pop_front();
        }
    }
}

impl ApiRequest {
    /// How much memory it takes.
    fn size_bytes(&self) -> usize {
        size_of::<Noted>() + size_of::<Self>() + self.path.len()
    }
}
