//! The control API's calls to read the journal of a world, or the events of all accounts, page by page or live, and to
//! get a journal's hash. `event.rs` turns events into JSON.

use axum::Json;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::event::EventView;
use super::extract::{Addressed, Asked, Awaited, bad_query, given, is_of_all};
use super::problem::Problem;
use super::{feed_stream, lazy, stream};
use crate::dialect::canonical;
use crate::dialect::json::FieldError;
use crate::emulator::Registry;
use crate::engine::journal::{EventFilter, JOURNAL_EVENTS_MAX};
use crate::model::field_words;
use crate::model::sid::FaxSid;
use crate::world::feed::{FeedPage, News};
use crate::world::journal::{Entry, Journal, JournalEvent, kinds};

/// The number of events per page if no `limit` is given.
const LIMIT_DEFAULT: usize = 1_000;
/// The header in which a reconnecting client names the last event that it received (HTML standard, server-sent
/// events).
const LAST_EVENT_ID: &str = "last-event-id";

/// Which events to return.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EventsQuery {
    /// Only events after this place; by default after the last reset, or with `account=*` all that are kept.
    since: Option<u64>,
    /// Also events before the last reset; not together with `since`.
    #[serde(default)]
    all: bool,
    /// Only events of this fax or call, by its SID.
    fax: Option<String>,
    /// Only events of this kind, such as `fax.status`.
    kind: Option<Box<str>>,
    /// Maximum number of events to return, 1,000 by default; a stream ignores this limit.
    limit: Option<usize>,
}

/// The position in the journal at which to begin.
#[derive(Debug, Clone, Copy)]
pub(super) enum Start {
    /// After this place.
    After(u64),
    /// At the last reset: earlier events are about faxes that are gone.
    LastReset,
    /// At the oldest kept event.
    Beginning,
}

impl Start {
    /// Returns the position that a call's `since` and `all` name. Both together are refused, since one of them would be
    /// ignored.
    pub(super) fn of(since: Option<u64>, all: bool) -> Result<Self, FieldError> {
        match (since, all) {
            (Some(since), false) => Ok(Self::After(since)),
            (None, true) => Ok(Self::Beginning),
            (None, false) => Ok(Self::LastReset),
            (Some(_), true) => Err(FieldError {
                place: "all".to_owned(),
                reason: "can't be true together with since, which names another start; give one of the two".to_owned(),
                is_unknown: false,
            }),
        }
    }

    /// Returns the place just before the first event to return.
    pub(super) fn seq(self, journal: Journal<'_>) -> u64 {
        match self {
            Self::After(since) => since,
            Self::LastReset => journal.last_reset(),
            Self::Beginning => 0,
        }
    }

    /// Returns whether the caller named a place.
    pub(super) const fn is_given(self) -> bool {
        matches!(self, Self::After(_))
    }
}

/// An event in the sequence of all accounts.
#[derive(Serialize)]
struct EventOfAll {
    seq: u64,
    account_sid: Option<String>,
    /// The place in the account's own journal.
    account_seq: u64,
    at: String,
    kind: &'static str,
    fax_sid: Option<String>,
    data: Value,
}

impl EventOfAll {
    fn of(news: &News, event: &JournalEvent) -> Self {
        let EventView { seq: account_seq, at, kind, fax_sid, data } = EventView::of(event);
        let account_sid = news.account.map(|sid| sid.to_string());
        Self { seq: news.seq, account_sid, account_seq, at, kind, fax_sid, data }
    }
}

/// A page of the journal.
#[derive(Serialize, JsonSchema)]
pub(super) struct EventPage {
    events: Vec<EventView>,
    #[serde(flatten)]
    end: PageEnd,
}

/// The fields that follow the events of a page.
#[derive(Serialize, JsonSchema)]
struct PageEnd {
    /// Place of the journal's newest event. To read on after a page, pass the `seq` of its last event as `since`.
    last_seq: u64,
    /// Number of events dropped since the start.
    evicted: u64,
    /// How many of those came after `since` and are thus missing from this page.
    missed: u64,
    /// Number of refused requests since the last reset that are not in the journal, because it takes a limited number
    /// of them; `GET /traffic` has them.
    left_out: u64,
}

/// The hash of a journal's canonical projection.
#[derive(Serialize, JsonSchema)]
pub(super) struct JournalHash {
    /// SHA-256 in hexadecimal.
    hash: String,
    /// Number of lines that were hashed.
    lines: usize,
    /// Number of events dropped since the start, which the hash doesn't cover.
    evicted: u64,
}

pub(super) async fn list(State(registry): State<Registry>, request: Request) -> Result<Response, Problem> {
    let (mut parts, _) = request.into_parts();
    let Asked(query): Asked<EventsQuery> = Asked::from_request_parts(&mut parts, &registry).await?;
    if is_of_all(&parts.uri)? {
        return of_all(registry, query, &parts.headers);
    }
    let awaited = Awaited::from_request_parts(&mut parts, &registry).await?;
    let headers = parts.headers;
    let fax = given(query.fax.as_deref()).map(parse_fax).transpose()?;
    let kind = query.kind.filter(|kind| given(Some(kind)).is_some()).map(known_kind).transpose()?;
    let start = Start::of(query.since, query.all).map_err(|error| bad_query(&error))?;
    // A reconnecting browser repeats its query, so the header takes precedence.
    let start = last_event_id(&headers)?.map_or(start, Start::After);
    let since = awaited.world.read_journal(|journal| start.seq(journal));
    let filter = EventFilter { since, fax, kind, purpose: None };
    if stream::is_wanted(&headers) {
        return Ok(stream::answer(awaited, filter));
    }
    let limit = query.limit.unwrap_or(LIMIT_DEFAULT).min(JOURNAL_EVENTS_MAX);
    let (events, last_seq, evicted, left_out) = awaited.world.read_journal(|journal| {
        (journal.events(&filter, limit), journal.last_seq(), journal.evicted(), journal.left_out())
    });
    // Places begin at 1, so the number of dropped events is also the place of the last one dropped.
    let rest = PageEnd { last_seq, evicted, missed: evicted.saturating_sub(since), left_out };
    Ok(lazy::list("events", events.into_iter().map(|each| EventView::of(&each)), &rest))
}

/// Returns the events of all accounts in the order in which they happened, page by page or live. Places are positions
/// in the sequence of all accounts, so that a single number says where to continue.
fn of_all(registry: Registry, query: EventsQuery, headers: &HeaderMap) -> Result<Response, Problem> {
    let fax = given(query.fax.as_deref()).map(parse_fax).transpose()?;
    let kind = query.kind.filter(|kind| given(Some(kind)).is_some()).map(known_kind).transpose()?;
    let start = Start::of(query.since, query.all).map_err(|error| bad_query(&error))?;
    let start = last_event_id(headers)?.map_or(start, Start::After);
    // Each account is reset separately, so there is no last reset of all accounts.
    let since = if let Start::After(since) = start { since } else { 0 };
    let view = move |news: &News| {
        let event = news.journaled()?;
        let fits = fax.is_none_or(|fax| event.fax() == Some(fax));
        let fits = fits && kind.as_deref().is_none_or(|kind| event.kind() == kind);
        fits.then(|| EventOfAll::of(news, event))
    };
    if stream::is_wanted(headers) {
        return Ok(feed_stream::answer(registry, since, move |news| view(news).map(|view| json!(view))));
    }
    let limit = query.limit.unwrap_or(LIMIT_DEFAULT);
    let FeedPage { entries, last_seq, evicted } = registry.feed().read(since, usize::MAX);
    let rest = PageEnd { last_seq, evicted, missed: evicted.saturating_sub(since), left_out: 0 };
    let events = entries.into_iter().filter_map(move |news| view(&news)).take(limit);
    Ok(lazy::list("events", events, &rest))
}

/// Reads the id of the last event that a client received, after which the stream should continue. An invalid id is
/// refused, since the stream would otherwise silently begin elsewhere. Browsers send an id that a stream gave them, or
/// an empty string if it gave none.
pub(super) fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(LAST_EVENT_ID).filter(|value| !value.as_bytes().trim_ascii().is_empty()) else {
        return Ok(None);
    };
    let id = value.to_str().ok().and_then(|id| id.trim().parse().ok());
    id.map(Some).ok_or_else(|| {
        let shown = String::from_utf8_lossy(value.as_bytes());
        let detail = format!("the header Last-Event-ID must be the id of an event, a whole number, not {shown:?}");
        Problem::new(400, "bad-last-event-id", detail)
    })
}

/// Checks that events of this kind exist: a misspelt kind would yield an empty list without saying why.
fn known_kind(kind: Box<str>) -> Result<Box<str>, Problem> {
    check_kind(&kind).map_err(|why| Problem::new(400, "bad-query", format!("kind: {why}")))?;
    Ok(kind)
}

/// Checks that events of this kind exist; the error names the nearest kind that does.
pub(super) fn check_kind(kind: &str) -> Result<(), String> {
    let kinds: Vec<&str> = kinds().collect();
    if kinds.contains(&kind) {
        return Ok(());
    }
    let advice = field_words::nearest(kind, &kinds)
        .map_or_else(|| format!("the kinds are {}", kinds.join(", ")), |near| format!("did you mean {near}?"));
    Err(format!("no event is of the kind {kind:?}; {advice}"))
}

/// Parses a fax SID in a query; 400 if it is malformed.
pub(super) fn parse_fax(text: &str) -> Result<FaxSid, Problem> {
    text.parse().map_err(|error| Problem::new(400, "bad-query", format!("fax: {error}")))
}

/// Returns the hash of the journal's canonical projection, which is the same for runs with the same seed and inputs if
/// the clock is frozen.
pub(super) async fn hash(Addressed(world): Addressed) -> Json<JournalHash> {
    let (events, evicted) =
        world.read_journal(|journal| (journal.events(&EventFilter::default(), JOURNAL_EVENTS_MAX), journal.evicted()));
    let of_engine = |event| if let Entry::Engine(event) = event { Some(event) } else { None };
    let events: Vec<_> = events.into_iter().map(|event| event.entry).filter_map(of_engine).collect();
    let lines = canonical::projection(&events);
    Json(JournalHash { hash: canonical::hash(&lines), lines: lines.len(), evicted })
}
