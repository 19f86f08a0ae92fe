//! Whether something is in the journal, so many times or in order, and what came nearest. The comparing is
//! `dialect::matching`'s; it happens outside the world's lock, a few at once, an event after the other.

use std::borrow::Cow;

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::event::{self, EventView};
use super::extract::{Asked, Observed, RawJson, read_json};
use super::journal::Start;
use super::problem::Problem;
use crate::dialect::matching::{Expectation, NearMiss, PatternError};
use crate::emulator::{Emulator, World};
use crate::engine::journal::{EventFilter, JOURNAL_EVENTS_MAX};

/// Events found that are shown; `found` counts all.
const FOUND_SHOWN_MAX: usize = 20;

/// What is expected.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VerifyOrder {
    /// A part of an event: each field it names must hold. A text is exact, or `{"prefix"}`, or `{"regex"}`.
    r#match: Option<Value>,
    /// How often: a number, or `{"at_least", "at_most"}`; once or more where left out.
    times: Option<Value>,
    /// Parts of events, each after the one before; instead of `match`.
    in_order: Option<Vec<Value>>,
    /// Only events later than this place; later than the last reset where it is left out.
    since: Option<u64>,
    /// Also events before the last reset; `?all=true` says the same.
    #[serde(default)]
    all: bool,
}

/// Where to look.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VerifyQuery {
    /// Also events before the last reset.
    #[serde(default)]
    all: bool,
}

/// What came of it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Verdict")]
pub(super) struct VerdictView {
    verified: bool,
    /// How many events fit; with `in_order`, how many steps were found.
    found: usize,
    /// The events found, the first twenty.
    matched: Vec<EventView>,
    /// With `in_order`, the first step not found, from zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing_step: Option<usize>,
    /// Where too little was found: the events that came nearest.
    closest: Vec<Closest>,
}

/// An event that was not found, and why.
#[derive(Serialize, JsonSchema)]
struct Closest {
    event: EventView,
    /// By field, as `data.params.FaxStatus`: `want` and `got`.
    differs: Map<String, Value>,
}

#[expect(clippy::disallowed_methods, reason = "turns limit how many verify at once")]
pub(super) async fn verify(
    State(emulator): State<Emulator>,
    Observed(world): Observed,
    Asked(query): Asked<VerifyQuery>,
    RawJson(order): RawJson,
) -> Result<Json<VerdictView>, Problem> {
    // An order may take many times its bytes once it is read.
    let turn = emulator.gates().verify().await.ok_or_else(Problem::no_turn)?;
    // Thousands of events and a costly pattern take their time; other calls go on meanwhile.
    let verdict = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        verdict(&world, query.all, &order)
    });
    verdict.await.map_err(|error| Problem::new(500, "internal", error.to_string()))?.map(Json)
}

fn verdict(world: &World, all: bool, order: &[u8]) -> Result<VerdictView, Problem> {
    let order: VerifyOrder = read_json(order)?;
    let expectation = Expectation::parse(order.r#match.as_ref(), order.times.as_ref(), order.in_order.as_deref());
    let expectation = expectation.map_err(|error| refused(&error))?;
    let start = Start::of(order.since, order.all || all);
    let events = world.read(|engine| {
        let filter = EventFilter { since: start.seq(engine), ..EventFilter::default() };
        engine.events(&filter, JOURNAL_EVENTS_MAX)
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
        closest: verdict.closest.into_iter().map(near).collect(),
    })
}

fn refused(error: &PatternError) -> Problem {
    Problem::new(422, "bad-pattern", error.to_string())
}
