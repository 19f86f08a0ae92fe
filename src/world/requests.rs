//! A world's REST requests, in a bounded ring alongside the engine, and their places among the engine's events. A
//! request changes nothing in the world, so it is neither an engine input nor part of the command log.
//!
//! Users see events and requests in one sequence. An entry's place in that sequence is its own number plus the number
//! of preceding entries of the other kind:
//!
//! ```text
//! events by the engine's seq    1   2           3
//! requests by their number              1   2       3
//! places in the sequence        1   2   3   4   5   6
//! ```
//!
//! Marks record how many requests preceded an event. There is one mark for each run of requests between two events.
//! Marks that matter only to dropped events are dropped as well, except for the last such mark, so there are never many
//! more marks than events.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::no_world::NoWorld;
use crate::engine::Engine;
use crate::engine::journal::JOURNAL_EVENTS_MAX;
use crate::model::sid::{AccountSid, FaxSid};
use crate::model::time::Timestamp;
use crate::model::webhook::ActingRule;

/// The maximum total size of the REST requests kept per world, in bytes. Their number is limited by
/// [`JOURNAL_EVENTS_MAX`](crate::engine::journal::JOURNAL_EVENTS_MAX), as is the number of events.
pub const REQUEST_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The maximum number of bytes that are kept of a request's parameters, and of a response's body. It suffices for any
/// single resource; of a long list, the beginning is kept.
pub const EXCERPT_BYTES_MAX: usize = 8 * 1024;
/// The maximum number of refused requests that a world's journal takes between two resets, so that a misdirected client
/// can't displace the journal's other events. `GET /traffic` lists further ones, too.
const REFUSED_MAX: u64 = 1_000;

/// A client's request, and what is kept of the response.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ApiRequest {
    /// The part of the emulator that the request went to.
    pub service: RequestedService,
    /// The time at which the response was made, by the world's clock.
    pub at: Timestamp,
    /// The fax that the request names or created, if any.
    pub fax: Option<FaxSid>,
    /// The HTTP method, such as `GET`.
    pub method: Cow<'static, str>,
    /// Path and query, with secrets masked.
    pub path: Box<str>,
    /// The HTTP status of the response; 0 if the connection was reset instead.
    pub status: u16,
    /// Twilio's or SignalWire's error code in the response, if any.
    pub code: Option<u32>,
    /// The form in the request's body.
    pub form: Excerpt,
    /// The body of the response.
    pub response: Excerpt,
    /// The real time from the request's head to the response.
    pub duration: Duration,
    /// Whether the connection was reset instead of a response, as a rule of a tester or of pedantic mode demands.
    pub is_reset: bool,
    /// The rule that changed the response, if one did.
    pub rule: Option<ActingRule>,
    /// The reason the request was assigned to no world; `None` if it was assigned to one.
    pub no_world: Option<NoWorld>,
    /// The account that a request without a world names, if any.
    pub named: Option<AccountSid>,
}

/// The part of the emulator that a request went to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RequestedService {
    /// The REST API.
    #[default]
    Rest,
    /// The host of stored media.
    Media,
}

/// The beginning of a body, at most [`EXCERPT_BYTES_MAX`] bytes of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Excerpt {
    /// The kept bytes.
    pub bytes: Box<[u8]>,
    /// The length of the whole body, in bytes.
    pub whole_bytes: usize,
}

impl Excerpt {
    /// Copies the beginning of a body.
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        Self { bytes: body[..body.len().min(EXCERPT_BYTES_MAX)].into(), whole_bytes: body.len() }
    }

    /// Returns an excerpt without bytes, for a body that isn't text.
    #[must_use]
    pub fn omitted(whole_bytes: usize) -> Self {
        Self { bytes: Box::default(), whole_bytes }
    }

    /// Returns whether the excerpt is the whole body.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.bytes.len() == self.whole_bytes
    }
}

/// The kept requests, and the data from which their places are computed.
#[derive(Debug, Default)]
pub(super) struct RequestLog {
    kept: VecDeque<Noted>,
    bytes: usize,
    /// How many requests have been recorded since the world was created.
    total: u64,
    /// The place of the newest dropped request; 0 if none was dropped.
    dropped: u64,
    /// The runs of requests, ascending in both fields.
    marks: VecDeque<Mark>,
    /// The engine's `seq` just before its last reset, and the place just before that reset. In this file, a restore or
    /// a load counts as a reset. The place is kept because the marks from which the place was computed may be dropped.
    reset: Option<(u64, u64)>,
    /// The refused requests since the world's last reset.
    refused: Refused,
}

/// How many refused requests there were since a reset.
#[derive(Debug, Default)]
struct Refused {
    /// The engine's `seq` just before that reset.
    reset: Option<u64>,
    recorded: u64,
    left_out: u64,
}

/// A request and its place in the sequence that users see.
#[derive(Debug)]
pub(super) struct Noted {
    pub(super) seq: u64,
    pub(super) request: Arc<ApiRequest>,
}

/// A run of requests without an event between them.
#[derive(Debug, Clone, Copy)]
struct Mark {
    /// The `seq` of the engine's newest event when the requests were recorded; 0 before the first event.
    after: u64,
    /// How many requests had been recorded by the end of the run.
    total: u64,
}

impl RequestLog {
    /// Records a request after all events that the engine has journaled so far.
    pub(super) fn note(&mut self, engine: &Engine, request: ApiRequest) {
        let after = engine.last_seq();
        self.total += 1;
        // Requests after the same event belong to one run.
        match self.marks.back_mut() {
            Some(mark) if mark.after == after => mark.total = self.total,
            _ => self.marks.push_back(Mark { after, total: self.total }),
        }
        // Times in the journal never decrease, but the engine's latest time may be later than this request's.
        let at = request.at.max(engine.latest());
        let request = Arc::new(ApiRequest { at, ..request });
        self.bytes += request.size_bytes();
        self.kept.push_back(Noted { seq: after + self.total, request });
        self.drop_marks(engine);
        self.drop_requests(engine);
    }

    /// Records a request that was refused before it reached a world. Returns the request, unrecorded, if too many such
    /// requests have been recorded since the last reset.
    pub(super) fn note_refused(&mut self, engine: &Engine, request: ApiRequest) -> Option<ApiRequest> {
        let reset = engine.last_reset();
        if self.refused.reset != reset {
            self.refused = Refused { reset, ..Refused::default() };
        }
        if self.refused.recorded >= REFUSED_MAX {
            self.refused.left_out += 1;
            return Some(request);
        }
        self.refused.recorded += 1;
        self.note(engine, request);
        None
    }

    /// Returns how many refused requests were not recorded since the world's last reset.
    pub(super) fn left_out(&self, engine: &Engine) -> u64 {
        if self.refused.reset == engine.last_reset() { self.refused.left_out } else { 0 }
    }

    pub(super) const fn total(&self) -> u64 {
        self.total
    }

    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Returns the requests after the place `seq`, oldest first.
    pub(super) fn later_than(&self, seq: u64) -> impl Iterator<Item = &Noted> {
        let start = self.kept.partition_point(|noted| noted.seq <= seq);
        self.kept.range(start..)
    }

    /// Returns the place of an event that the engine keeps, or of the newest one that it has dropped.
    pub(super) fn place_of(&self, event: u64) -> u64 {
        let next = self.marks.partition_point(|mark| mark.after < event);
        event + self.total_before(next)
    }

    /// Returns the engine's `seq` of the last event at or before a place. The place must not be before the oldest event
    /// that is shown.
    pub(super) fn event_at(&self, seq: u64) -> u64 {
        let next = self.marks.partition_point(|mark| mark.after + mark.total <= seq);
        let event = seq.saturating_sub(self.total_before(next));
        // If a request is at this place, the result is the event before the request's run.
        self.marks.get(next).map_or(event, |mark| event.min(mark.after))
    }

    /// Returns the place just before the world's last reset; 0 if there was none.
    pub(super) fn last_reset(&self, engine: &Engine) -> u64 {
        let Some(before_reset) = engine.last_reset() else { return 0 };
        match self.reset {
            Some((known, seq)) if known == before_reset => seq,
            // The reset is the event after `before_reset`.
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

    /// Returns how many requests were recorded before a mark's run.
    fn total_before(&self, mark: usize) -> u64 {
        let before = mark.checked_sub(1).and_then(|before| self.marks.get(before));
        before.map_or(0, |mark| mark.total)
    }

    /// Drops the marks that matter only to dropped events, except for the last one, which holds the count before the
    /// oldest event.
    fn drop_marks(&mut self, engine: &Engine) {
        let evicted = engine.events_evicted();
        let is_needless = |next: Option<&Mark>| next.is_some_and(|next| next.after < evicted);
        // The marks from which the place of the last reset is computed may be dropped now, so remember that place.
        if is_needless(self.marks.get(1)) {
            self.reset = engine.last_reset().map(|before_reset| (before_reset, self.last_reset(engine)));
        }
        while is_needless(self.marks.get(1)) {
            self.marks.pop_front();
        }
    }

    /// Returns the sequence number of the last event that is no longer shown; 0 if all are shown.
    pub(super) fn evicted(&self, engine: &Engine) -> u64 {
        let of_engine = match engine.events_evicted() {
            0 => 0,
            newest => self.place_of(newest),
        };
        let beyond_count = (engine.last_seq() + self.total()).saturating_sub(JOURNAL_EVENTS_MAX as u64);
        // Each limit hides everything up to a certain place; the highest of these places counts.
        of_engine.max(self.dropped()).max(beyond_count)
    }

    /// Drops the requests that are no longer shown, and the oldest beyond the size limit.
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
    /// Returns the approximate size in memory.
    pub(super) fn size_bytes(&self) -> usize {
        let bodies = self.form.bytes.len() + self.response.bytes.len();
        size_of::<Noted>() + size_of::<Self>() + self.path.len() + bodies
    }
}
