//! Checks expectations against the journal: whether events occur a number of times or in order, and which events came
//! closest. `dialect::matching` compares the events one by one, outside the world's lock. Only a few such checks run at
//! a time.

use std::borrow::Cow;

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::event::{self, EventView};
use super::extract::{Asked, Observed, RawJson, bad_field, read_json};
use super::journal::{Start, check_kind};
use super::problem::Problem;
use crate::dialect::matching::{Expectation, NearMiss, PatternError};
use crate::emulator::{Registry, World};
use crate::engine::journal::{EventFilter, JOURNAL_EVENTS_MAX};

/// The maximum number of matching events that are shown; `found` counts all that match.
const FOUND_SHOWN_MAX: usize = 20;

/// What the journal is expected to contain.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VerifyOrder {
    /// Part of an event. Each field must equal the event's, or match it as `{"prefix": …}`, `{"regex": …}` or
    /// `{"contains": …}`, which ignores white space.
    r#match: Option<Value>,
    /// Number of events that must match: a number, or an object with `at_least`, `at_most` or both; at least one by
    /// default.
    times: Option<Value>,
    /// Parts of events that must occur one after the other; given instead of `match`.
    in_order: Option<Vec<Value>>,
    /// Only events after this place; by default after the last reset.
    since: Option<u64>,
    /// Also events before the last reset, as with `?all=true`; not together with `since`.
    #[serde(default)]
    all: bool,
}

/// Which part of the journal to check.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VerifyQuery {
    /// Also events before the last reset; not together with `since`.
    #[serde(default)]
    all: bool,
}

/// The result of the check.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Verdict")]
pub(super) struct VerdictView {
    verified: bool,
    /// Number of matching events; with `in_order`, number of steps found.
    found: usize,
    /// The first twenty matching events.
    matched: Vec<EventView>,
    /// With `in_order`, index of the first step that was not found, from zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing_step: Option<usize>,
    /// Number of events that could not be checked: those that the journal has dropped, and refused requests that it did
    /// not take. Unless it is 0, an expectation of no event proves nothing.
    missed: u64,
    /// The closest events, if too few matched.
    closest: Vec<Closest>,
}

/// An event that came close, and where it differs.
#[derive(Serialize, JsonSchema)]
struct Closest {
    event: EventView,
    /// Differences by field, such as `data.params.FaxStatus`, each with `want` and `got`.
    differs: Map<String, Value>,
}

#[expect(clippy::disallowed_methods, reason = "turns limit how many verify at once")]
pub(super) async fn verify(
    State(registry): State<Registry>,
    Observed(world): Observed,
    Asked(query): Asked<VerifyQuery>,
    RawJson(order): RawJson,
) -> Result<Json<VerdictView>, Problem> {
    // A parsed expectation may take many times the memory of its text, so wait for a turn before parsing.
    let turn = registry.gates().verify().await.ok_or_else(Problem::no_turn)?;
    // Runs on a separate thread: comparing thousands of events with an expensive pattern takes time, and other calls
    // must not wait for that.
    let verdict = tokio::task::spawn_blocking(move || {
        // Held until the check is done, even if the client has gone by then.
        let _turn = turn;
        verdict(&world, query.all, &order)
    });
    verdict.await.map_err(|error| Problem::new(500, "internal", error.to_string()))?.map(Json)
}

fn verdict(world: &World, all: bool, order: &[u8]) -> Result<VerdictView, Problem> {
    let order: VerifyOrder = read_json(order)?;
    let expectation = Expectation::parse(order.r#match.as_ref(), order.times.as_ref(), order.in_order.as_deref());
    let expectation = expectation.map_err(|error| refused(&error))?;
    // A misspelt kind is refused: an expectation that there is no such event would always hold.
    let parts = order.r#match.iter().chain(order.in_order.iter().flatten());
    for kind in parts.filter_map(|part| part.get("kind")?.as_str()) {
        check_kind(kind).map_err(|why| Problem::new(422, "bad-field", format!("kind: {why}")))?;
    }
    let start = Start::of(order.since, order.all || all).map_err(|error| bad_field(&error))?;
    let (events, missed) = world.read_journal(|journal| {
        let since = start.seq(journal);
        let filter = EventFilter { since, ..EventFilter::default() };
        let missed = journal.evicted().saturating_sub(since) + journal.left_out();
        (journal.events(&filter, JOURNAL_EVENTS_MAX), missed)
    });
    let verdict = expectation.check_each(events.len(), &|index| Cow::Owned(event::json(&events[index])));
    let view = |index: usize| EventView::of(&events[index]);
    let near = |miss: NearMiss| Closest {
        event: view(miss.index),
        differs: miss.differs.into_iter().map(|d| (d.field, json!({ "want": d.want, "got": d.got }))).collect(),
    };
    Ok(VerdictView {
        verified: verdict.verified,
        found: verdict.found.len(),
        matched: verdict.found.iter().take(FOUND_SHOWN_MAX).map(|index| view(*index)).collect(),
        missing_step: verdict.missing_step,
        missed,
        closest: verdict.closest.into_iter().map(near).collect(),
    })
}

fn refused(error: &PatternError) -> Problem {
    Problem::new(422, "bad-pattern", error.to_string())
}
