//! A world's journal as users see it: the engine's events and the REST requests in one sequence, numbered from 1
//! without gaps.

use std::sync::Arc;

use super::World;
use super::requests::RequestLog;
pub use super::requests::{ApiRequest, EXCERPT_BYTES_MAX, Excerpt, REQUEST_BYTES_MAX, RequestedService};
use crate::engine::Engine;
use crate::engine::event;
use crate::engine::event::{EventKind, EventName};
use crate::engine::journal::EventFilter;
use crate::model::account::Dialect;
use crate::model::fax::Status;
use crate::model::sid::FaxSid;
use crate::model::time::Timestamp;
use crate::model::webhook::ExchangeRecord;

/// The event type of a REST request in the control API.
const API_REQUEST: &str = "api.request";

/// A view of a world's events and requests, valid while the world's lock is held.
#[derive(Clone, Copy)]
pub struct Journal<'a> {
    engine: &'a Engine,
    requests: &'a RequestLog,
}

/// An event or a REST request, with its number in the sequence.
#[derive(Debug, Clone)]
pub struct JournalEvent {
    /// The sequence number. Numbers ascend by one and never restart, not even after a reset.
    pub seq: u64,
    /// The event or the request itself.
    pub entry: Entry,
    /// The account's dialect, which determines the code of a fault.
    pub(crate) dialect: Dialect,
}

/// The content of a journal entry, by source.
#[derive(Debug, Clone)]
pub enum Entry {
    /// An engine event, whose own `seq` doesn't count REST requests.
    Engine(Arc<event::Event>),
    /// A client's call to the REST API.
    Request(Arc<ApiRequest>),
}

/// Returns all event types, as the control API names them, such as `fax.status`.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    EventName::ALL.iter().map(|name| name.as_str()).chain([API_REQUEST])
}

impl World {
    /// Reads the journal and the engine under the world's lock. `view` should copy the data that it needs and return
    /// quickly.
    pub fn read_journal<T>(&self, view: impl FnOnce(Journal<'_>) -> T) -> T {
        self.within(|core| view(Journal::new(&core.engine, &core.requests)))
    }

    /// Waits until `view`, which is called immediately and after each event and REST request, returns a value. Returns
    /// `None` if the world is closed or breaks first.
    pub async fn until_journaled<T>(&self, mut view: impl FnMut(Journal<'_>) -> Option<T>) -> Option<T> {
        let mut changes = self.0.changes.subscribe();
        loop {
            // Marked before `view` is called, so that a change right afterwards isn't missed.
            changes.mark_unchanged();
            let (found, closed) = self.within(|core| (view(Journal::new(&core.engine, &core.requests)), core.closed));
            if found.is_some() || closed || self.0.breakage.is_broken() {
                return found;
            }
            // This never fails, because the sender lives as long as this handle.
            let _ = changes.changed().await;
        }
    }
}

impl<'a> Journal<'a> {
    pub(super) const fn new(engine: &'a Engine, requests: &'a RequestLog) -> Self {
        Self { engine, requests }
    }

    /// Returns the engine whose events these are, under the same lock.
    #[must_use]
    pub const fn engine(&self) -> &'a Engine {
        self.engine
    }

    /// Returns the sequence number of the newest event or request.
    #[must_use]
    pub const fn last_seq(&self) -> u64 {
        self.engine.last_seq() + self.requests.total()
    }

    /// Returns the sequence number just before the world's last reset or restore; 0 if there was none.
    #[must_use]
    pub fn last_reset(&self) -> u64 {
        self.requests.last_reset(self.engine)
    }

    /// Returns the sequence number of the last event that is no longer shown; 0 if all are shown. The newest
    /// `JOURNAL_EVENTS_MAX` are shown, or fewer if they exceed the size limits.
    #[must_use]
    pub fn evicted(&self) -> u64 {
        self.requests.evicted(self.engine)
    }

    /// Returns how many refused requests the journal has not taken since the world's last reset; the feed has them.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.requests.left_out(self.engine)
    }

    /// Returns the first `limit` events that match the filter, oldest first. The filter's `since` is a number in this
    /// sequence.
    #[must_use]
    pub fn events(&self, filter: &EventFilter, limit: usize) -> Vec<JournalEvent> {
        // The engine may still keep events that the limits on the whole sequence exclude.
        let since = filter.since.max(self.evicted());
        let of_engine = EventFilter { since: self.requests.event_at(since), ..filter.clone() };
        let mut events = self.engine.events(&of_engine, limit).into_iter().map(|event| self.placed(event)).peekable();
        let dialect = self.engine.account().dialect;
        let requests = self.requests.later_than(since).filter(|noted| noted.request.fits(filter));
        let mut requests = requests
            .map(|noted| JournalEvent { seq: noted.seq, entry: Entry::Request(Arc::clone(&noted.request)), dialect })
            .peekable();
        // Events and requests are sorted by place, so merging them needs no sorting.
        let merged = std::iter::from_fn(|| match (events.peek(), requests.peek()) {
            (Some(event), Some(request)) if request.seq < event.seq => requests.next(),
            (Some(_), _) => events.next(),
            (None, _) => requests.next(),
        });
        merged.take(limit).collect()
    }

    /// Returns the newest event with which a fax entered a status, if it is still shown.
    #[must_use]
    pub fn entry_of(&self, fax: FaxSid, status: Status) -> Option<JournalEvent> {
        let event = self.engine.entry_of(fax, status).map(|event| self.placed(event))?;
        // The engine may still keep an event that is no longer shown.
        (event.seq > self.evicted()).then_some(event)
    }

    fn placed(&self, event: Arc<event::Event>) -> JournalEvent {
        let dialect = self.engine.account().dialect;
        JournalEvent { seq: self.requests.place_of(event.seq), entry: Entry::Engine(event), dialect }
    }
}

impl JournalEvent {
    /// Returns the event's time, by the world's clock.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        match &self.entry {
            Entry::Engine(event) => event.at,
            Entry::Request(request) => request.at,
        }
    }

    /// Returns the fax or call that the event is about, if any.
    #[must_use]
    pub fn fax(&self) -> Option<FaxSid> {
        match &self.entry {
            Entry::Engine(event) => event.fax,
            Entry::Request(request) => request.fax,
        }
    }

    /// Returns the event's type as the control API names it, such as `fax.status`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.engine_kind().map_or(API_REQUEST, EventKind::as_str)
    }

    /// Returns the engine event; `None` for a REST request.
    #[must_use]
    pub fn engine_kind(&self) -> Option<&EventKind> {
        match &self.entry {
            Entry::Engine(event) => Some(&event.kind),
            Entry::Request(_) => None,
        }
    }

    /// Returns the recorded exchange with an app, if any.
    #[must_use]
    pub fn exchange(&self) -> Option<&Arc<ExchangeRecord>> {
        self.engine_kind()?.exchange()
    }

    /// Returns the status that a fax entered with this event, if any.
    #[must_use]
    pub fn entered(&self) -> Option<Status> {
        self.engine_kind()?.entered()
    }
}

impl ApiRequest {
    fn fits(&self, filter: &EventFilter) -> bool {
        let EventFilter { since: _, fax, kind, purpose } = filter;
        fax.is_none_or(|fax| self.fax == Some(fax))
            && kind.as_deref().is_none_or(|kind| kind == API_REQUEST)
            && purpose.is_none()
    }
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
