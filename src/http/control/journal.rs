//! Reading the journal of a world, a page at a time or live. It renders events with `event.rs`.

use axum::Json;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event::EventView;
use super::extract::{Addressed, Asked, Awaited};
use super::lazy;
use super::problem::Problem;
use super::stream;
use crate::dialect::canonical;
use crate::engine::Engine;
use crate::engine::journal::{EventFilter, JOURNAL_EVENTS_MAX};
use crate::model::sid::FaxSid;

/// Events in one answer where no `limit` is given.
const LIMIT_DEFAULT: usize = 1_000;
/// Where a client that was cut off says how far it had come.
const LAST_EVENT_ID: &str = "last-event-id";

/// Which events.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EventsQuery {
    /// Later than this place; later than the last reset where it is left out.
    since: Option<u64>,
    /// Also what happened before the last reset.
    #[serde(default)]
    all: bool,
    /// Of this fax or call.
    fax: Option<String>,
    /// Of this kind.
    kind: Option<Box<str>>,
    /// So many at the most; a stream has no end.
    limit: Option<usize>,
}

/// From which place of the journal on.
#[derive(Debug, Clone, Copy)]
pub(super) enum Start {
    /// Later than this place.
    After(u64),
    /// With the last reset: what was before is about faxes that are gone.
    LastReset,
    /// From the first event that is kept.
    Beginning,
}

impl Start {
    pub(super) fn of(since: Option<u64>, all: bool) -> Self {
        match (since, all) {
            (Some(since), _) => Self::After(since),
            (None, true) => Self::Beginning,
            (None, false) => Self::LastReset,
        }
    }

    /// The place just before the first event that counts.
    pub(super) fn seq(self, engine: &Engine) -> u64 {
        match self {
            Self::After(since) => since,
            Self::LastReset => engine.last_reset(),
            Self::Beginning => 0,
        }
    }

    /// Whether a place was named.
    pub(super) const fn is_given(self) -> bool {
        matches!(self, Self::After(_))
    }
}

/// A page of the journal.
#[derive(Serialize, JsonSchema)]
pub(super) struct EventPage {
    events: Vec<EventView>,
    #[serde(flatten)]
    end: PageEnd,
}

/// What follows the events of a page.
#[derive(Serialize, JsonSchema)]
struct PageEnd {
    /// The place of the newest event there is.
    last_seq: u64,
    /// How many events have been dropped since the start.
    evicted: u64,
    /// How many of those were later than `since`: what this answer can't show.
    missed: u64,
}

/// The hash of a journal.
#[derive(Serialize, JsonSchema)]
pub(super) struct JournalHash {
    /// SHA-256, in hexadecimal digits.
    hash: String,
    /// How many lines it is the hash of.
    lines: usize,
    /// How many events have been dropped since the start, and so are not in it.
    evicted: u64,
}

pub(super) async fn list(
    awaited: Awaited,
    Asked(query): Asked<EventsQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let fax = query.fax.as_deref().map(parse_fax).transpose()?;
    let last_id = header(LAST_EVENT_ID).and_then(|id| id.trim().parse().ok());
    let start = Start::of(last_id.or(query.since), query.all);
    let since = awaited.world.read(|engine| start.seq(engine));
    let filter = EventFilter { since, fax, kind: query.kind, purpose: None };
    if header(header::ACCEPT.as_str()).is_some_and(|accept| accept.contains(stream::MEDIA_TYPE)) {
        return Ok(stream::answer(awaited, filter));
    }
    let limit = query.limit.unwrap_or(LIMIT_DEFAULT).min(JOURNAL_EVENTS_MAX);
    let (events, last_seq, evicted) =
        awaited.world.read(|engine| (engine.events(&filter, limit), engine.last_seq(), engine.events_evicted()));
    let rest = PageEnd { last_seq, evicted, missed: evicted.saturating_sub(since) };
    Ok(lazy::list("events", events.into_iter().map(|each| EventView::of(&each)), &rest))
}

/// The SID of a fax in a query.
pub(super) fn parse_fax(text: &str) -> Result<FaxSid, Problem> {
    text.parse().map_err(|error| Problem::new(400, "bad-query", format!("fax: {error}")))
}

/// The hash of the journal's canonical projection, which two runs with the same seed and inputs have in common.
pub(super) async fn hash(Addressed(world): Addressed) -> Json<JournalHash> {
    let (events, evicted) =
        world.read(|engine| (engine.events(&EventFilter::default(), JOURNAL_EVENTS_MAX), engine.events_evicted()));
    let lines = canonical::projection(&events);
    Json(JournalHash { hash: canonical::hash(&lines), lines: lines.len(), evicted })
}
