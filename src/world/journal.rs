//! The journal of a world as its users see it: the engine's events and the REST requests in one sequence, numbered from 1
//! without a gap. It reads both and changes nothing.

use std::sync::Arc;

use super::World;
use super::requests::RequestLog;
pub use super::requests::{ApiRequest, REQUEST_BYTES_MAX};
use crate::engine::Engine;
use crate::engine::event;
use crate::engine::event::EventKind;
use crate::engine::journal::EventFilter;
use crate::model::fax::Status;
use crate::model::sid::FaxSid;
use crate::model::time::Timestamp;
use crate::model::webhook::ExchangeRecord;

/// The control API's word for a REST request.
const API_REQUEST: &str = "api.request";

/// What is shown of a world at one moment.
#[derive(Clone, Copy)]
pub struct Journal<'a> {
    engine: &'a Engine,
    requests: &'a RequestLog,
}

/// One thing that happened, at its place in the sequence.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its place; grows by one, never goes back.
    pub seq: u64,
    /// What happened.
    pub entry: Entry,
}

/// Where an event comes from.
#[derive(Debug, Clone)]
pub enum Entry {
    /// From the engine, whose own numbering leaves out requests.
    Engine(Arc<event::Event>),
    /// A client called the REST API.
    Request(Arc<ApiRequest>),
}

impl World {
    /// Looks at the journal, and at the engine, under the world's lock; `view` copies out what it needs.
    pub fn read_journal<T>(&self, view: impl FnOnce(Journal<'_>) -> T) -> T {
        self.within(|core| view(Journal::new(&core.engine, &core.requests)))
    }

    /// Waits until `view` finds what it looks for; it is asked again after each event and each REST request. None where the
    /// world is closed or breaks first.
    pub async fn until_journaled<T>(&self, mut view: impl FnMut(Journal<'_>) -> Option<T>) -> Option<T> {
        let mut changes = self.0.changes.subscribe();
        loop {
            changes.mark_unchanged();
            let (found, closed) = self.within(|core| (view(Journal::new(&core.engine, &core.requests)), core.closed));
            if found.is_some() || closed || self.0.breakage.is_broken() {
                return found;
            }
            // The sender lives as long as this handle.
            let _ = changes.changed().await;
        }
    }
}

impl<'a> Journal<'a> {
    pub(super) const fn new(engine: &'a Engine, requests: &'a RequestLog) -> Self {
        Self { engine, requests }
    }

    /// The engine at that moment.
    #[must_use]
    pub const fn engine(&self) -> &'a Engine {
        self.engine
    }

    /// The place of the newest event.
    #[must_use]
    pub const fn last_seq(&self) -> u64 {
        self.engine.last_seq() + self.requests.total()
    }

    /// The place just before the world last went back; 0 where it never has.
    #[must_use]
    pub fn last_reset(&self) -> u64 {
        self.requests.last_reset(self.engine)
    }

    /// How many events are no longer shown: all up to this place.
    #[must_use]
    pub fn evicted(&self) -> u64 {
        self.requests.evicted(self.engine)
    }

    /// The first `limit` events that fit, oldest first. The filter's `since` is a place in this sequence.
    #[must_use]
    pub fn events(&self, filter: &EventFilter, limit: usize) -> Vec<Event> {
        let since = filter.since.max(self.evicted());
        let of_engine = EventFilter { since: self.requests.event_at(since), ..filter.clone() };
        let mut events = self.engine.events(&of_engine, limit).into_iter().map(|event| self.placed(event)).peekable();
        let requests = self.requests.later_than(since).filter(|noted| noted.request.fits(filter));
        let mut requests = requests
            .map(|noted| Event { seq: noted.seq, entry: Entry::Request(Arc::clone(&noted.request)) })
            .peekable();
        let merged = std::iter::from_fn(|| match (events.peek(), requests.peek()) {
            (Some(event), Some(request)) if request.seq < event.seq => requests.next(),
            (Some(_), _) => events.next(),
            (None, _) => requests.next(),
        });
        merged.take(limit).collect()
    }

    /// The newest event in which a fax entered this status, if it is still shown.
    #[must_use]
    pub fn entry_of(&self, fax: FaxSid, status: Status) -> Option<Event> {
        let event = self.engine.entry_of(fax, status).map(|event| self.placed(event))?;
        (event.seq > self.evicted()).then_some(event)
    }

    fn placed(&self, event: Arc<event::Event>) -> Event {
        Event { seq: self.requests.place_of(event.seq), entry: Entry::Engine(event) }
    }
}

impl Event {
    /// When it happened, by the world's clock.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        match &self.entry {
            Entry::Engine(event) => event.at,
            Entry::Request(request) => request.at,
        }
    }

    /// The fax or call that it is about.
    #[must_use]
    pub fn fax(&self) -> Option<FaxSid> {
        match &self.entry {
            Entry::Engine(event) => event.fax,
            Entry::Request(request) => request.fax,
        }
    }

    /// The control API's word for what happened.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.engine_kind().map_or(API_REQUEST, EventKind::as_str)
    }

    /// What happened in the engine; none for a REST request.
    #[must_use]
    pub fn engine_kind(&self) -> Option<&EventKind> {
        match &self.entry {
            Entry::Engine(event) => Some(&event.kind),
            Entry::Request(_) => None,
        }
    }

    /// The exchange with a customer's app that it tells of.
    #[must_use]
    pub fn exchange(&self) -> Option<&Arc<ExchangeRecord>> {
        self.engine_kind()?.exchange()
    }

    /// The status that a fax entered.
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
