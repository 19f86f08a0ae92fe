//! Waiting for a status of a fax, or for rest. It never guesses that what is waited for can't come.

use std::time::Duration;

use axum::Json;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::clock::timeout;
use super::event::{self, EventView};
use super::extract::{Addressed, Asked};
use super::incoming::{gone, outcome, settled};
use super::problem::Problem;
use crate::clock::ClockMode;
use crate::emulator::World;
use crate::engine::Fax;
use crate::engine::journal::{EventFilter, JOURNAL_EVENTS_MAX};
use crate::model::fax::Status;
use crate::model::sid::FaxSid;

/// What is waited for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WaitQuery {
    /// A fax; any where it is left out.
    fax: Option<String>,
    /// One status, or several with commas: the first that is entered ends the wait.
    status: Option<String>,
    /// Only what happens later than this place of the journal.
    since: Option<u64>,
    /// Seconds to wait at most.
    timeout: Option<f64>,
    /// `idle`: until nothing is under way and no work is due; `settled`: until the fax has ended and everyone
    /// concerned has been told.
    #[serde(rename = "for")]
    what: Option<String>,
}

/// What ended the wait.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Waited")]
pub(super) struct WaitedView {
    /// The event, where a status was waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<EventView>,
    /// Whether nothing is pending, where that was waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    idle: Option<bool>,
    /// How the fax ended, where that was waited for: its last status, `rejected` or `not-answered`.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    /// Its place in the journal: `since` for the next wait.
    seq: u64,
}

pub(super) async fn wait(
    Addressed(world): Addressed,
    Asked(query): Asked<WaitQuery>,
) -> Result<Json<WaitedView>, Problem> {
    let patience = timeout(query.timeout)?;
    match (query.what.as_deref(), &query.status) {
        (Some("idle"), None) if query.fax.is_none() => idle(&world, patience).await,
        (Some("settled"), None) if query.fax.is_some() => end_of(&world, fax(&query)?, patience).await,
        (None, Some(status)) => {
            let fax = fax(&query)?;
            status_of(&world, fax, &statuses(status)?, query.since.unwrap_or(0), patience).await
        }
        _ => Err(Problem::new(
            422,
            "bad-wait",
            "give status, for one fax or any, for=settled with a fax, or for=idle alone",
        )),
    }
}

fn fax(query: &WaitQuery) -> Result<Option<FaxSid>, Problem> {
    let fax = query.fax.as_deref().map(str::parse).transpose();
    fax.map_err(|error| Problem::new(422, "bad-field", format!("fax: {error}")))
}

async fn end_of(world: &World, fax: Option<FaxSid>, patience: Duration) -> Result<Json<WaitedView>, Problem> {
    let Some(fax) = fax else { return Err(Problem::new(422, "bad-wait", "for=settled needs a fax")) };
    match tokio::time::timeout(patience, settled(world, fax)).await {
        Ok(ended) => {
            let outcome = Some(outcome(ended).ok_or_else(|| gone(fax))?);
            let seq = world.read(crate::engine::Engine::last_seq);
            Ok(Json(WaitedView { event: None, idle: None, outcome, seq }))
        }
        Err(_) => Err(Problem::new(408, "not-settled", format!("{fax} has not ended; {}", pending(world)))),
    }
}

async fn idle(world: &World, patience: Duration) -> Result<Json<WaitedView>, Problem> {
    let rest = world.until(|engine| engine.is_idle().then(|| engine.last_seq()));
    match tokio::time::timeout(patience, rest).await {
        Ok(seq) => Ok(Json(WaitedView { event: None, idle: Some(true), outcome: None, seq })),
        Err(_) => Err(Problem::new(408, "not-idle", pending(world))),
    }
}

/// What keeps a world from rest.
fn pending(world: &World) -> String {
    let frozen = world.clock_mode() == ClockMode::Frozen;
    world.read(|engine| {
        let mut detail = format!("{} faxes and calls have not ended", engine.pending_count());
        if !engine.is_settled() {
            detail.push_str("; a request to an app is under way");
        }
        if let Some((alarm, fax)) = engine.deadlines().next() {
            let fax = fax.map(|sid| format!(" of {sid}")).unwrap_or_default();
            detail = format!("{detail}; next is {}{fax} at {}", alarm.kind.as_str(), event::moment(alarm.at));
            if frozen {
                detail.push_str(", and the clock is frozen: advance or drain it");
            }
        }
        detail
    })
}

async fn status_of(
    world: &World,
    fax: Option<FaxSid>,
    wanted: &[Status],
    since: u64,
    patience: Duration,
) -> Result<Json<WaitedView>, Problem> {
    let mut filter = EventFilter { since, fax, kind: Some("fax.status".into()), purpose: None };
    let mut nearest = None;
    let entered = world.until(|engine| {
        let news = engine.events(&filter, JOURNAL_EVENTS_MAX);
        let found = news.iter().find(|each| each.kind.entered().is_some_and(|status| wanted.contains(&status)));
        filter.since = engine.last_seq();
        nearest = news.last().and_then(|last| last.fax.zip(last.kind.entered())).or(nearest);
        found.cloned()
    });
    match tokio::time::timeout(patience, entered).await {
        Ok(event) => {
            Ok(Json(WaitedView { event: Some(EventView::of(&event)), idle: None, outcome: None, seq: event.seq }))
        }
        Err(_) => {
            let is_arriving = fax.is_some_and(|fax| world.read(|engine| engine.arriving(fax).is_some()));
            let now = fax.and_then(|fax| world.read(|engine| engine.fax(fax).ok().map(Fax::status)));
            let reached = match (nearest, fax, now) {
                (Some((fax, status)), _, _) => format!("since {since} {fax} came as far as {status}"),
                (None, Some(fax), Some(now)) => format!("{fax} has entered no status since {since}; it is {now}"),
                (None, Some(fax), None) if is_arriving => format!("the app of the number is being asked about {fax}"),
                (None, Some(fax), None) => format!("there is no fax {fax}"),
                (None, None, _) => format!("no fax has entered a status since {since}"),
            };
            Err(Problem::new(408, "not-reached", format!("{reached}; {}", pending(world))))
        }
    }
}

fn statuses(text: &str) -> Result<Vec<Status>, Problem> {
    let read = |word: &str| {
        let words = || Status::ALL.iter().map(|status| status.as_str()).collect::<Vec<_>>().join(", ");
        Status::from_word(word)
            .ok_or_else(|| Problem::new(422, "bad-field", format!("status: {word:?} is none of {}", words())))
    };
    text.split(',').map(read).collect()
}
