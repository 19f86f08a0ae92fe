//! The clock of a world: shown, frozen, let run, moved. The moving itself is `world.rs`'s.

use std::future::Future;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::incoming::read_json;
use super::problem::Problem;
use super::{Addressed, event};
use crate::clock::ClockMode;
use crate::dialect::date;
use crate::emulator::World;
use crate::engine::journal::{EventFilter, JOURNAL_EVENTS_MAX};
use crate::model::time::Timestamp;
use crate::world::ClockError;

/// How long a moving clock is waited for where no `timeout` is given.
const TIMEOUT_DEFAULT_S: f64 = 30.0;
/// The longest `timeout`.
pub(super) const TIMEOUT_MAX_S: f64 = 600.0;
/// Deadlines shown.
const DEADLINES_MAX: usize = 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockChange {
    mode: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    seconds: Option<f64>,
    to: Option<String>,
    timeout: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Drain {
    timeout: Option<f64>,
}

pub(super) async fn show(Addressed(world): Addressed) -> Json<Value> {
    Json(view(&world))
}

pub(super) async fn set(Addressed(world): Addressed, body: Bytes) -> Result<Json<Value>, Problem> {
    let change: ClockChange = read_json(&body)?;
    let mode = match change.mode.as_str() {
        "running" => ClockMode::Running,
        "frozen" => ClockMode::Frozen,
        other => return Err(Problem::new(422, "bad-mode", format!("mode {other:?} is neither running nor frozen"))),
    };
    world.set_clock_mode(mode);
    Ok(Json(view(&world)))
}

pub(super) async fn advance(Addressed(world): Addressed, body: Bytes) -> Result<Json<Value>, Problem> {
    let order: Move = read_json(&body)?;
    let to = match (order.seconds, &order.to) {
        (Some(seconds), None) => Duration::try_from_secs_f64(seconds)
            .map(|span| world.now().after(span))
            .map_err(|error| Problem::new(422, "bad-seconds", format!("seconds: {error}")))?,
        (None, Some(text)) => {
            date::parse(text).ok_or_else(|| Problem::new(422, "bad-date", format!("to: {text:?} is no date")))?
        }
        _ => return Err(Problem::new(422, "bad-advance", "give either seconds or to")),
    };
    if to >= Timestamp::LATEST {
        return Err(Problem::new(422, "bad-advance", "the clock ends with the year 9999"));
    }
    moved(&world, order.timeout, world.advance(to)).await
}

pub(super) async fn drain(Addressed(world): Addressed, body: Bytes) -> Result<Json<Value>, Problem> {
    let order: Drain = read_json(&body)?;
    moved(&world, order.timeout, world.drain()).await
}

async fn moved(
    world: &World,
    timeout_s: Option<f64>,
    moving: impl Future<Output = Result<(), ClockError>>,
) -> Result<Json<Value>, Problem> {
    let since = world.read(crate::engine::Engine::last_seq);
    match tokio::time::timeout(timeout(timeout_s)?, moving).await {
        Ok(Ok(())) => {}
        Ok(Err(error @ ClockError::Running)) => return Err(Problem::new(409, "clock-running", error.to_string())),
        Ok(Err(error @ ClockError::Backwards)) => return Err(Problem::new(422, "clock-backwards", error.to_string())),
        Err(_) => {
            let detail =
                "the world has not settled in time; what has moved stays moved. A webhook or document may hang";
            return Err(Problem::new(408, "not-settled", detail));
        }
    }
    let filter = EventFilter { since, ..EventFilter::default() };
    let events = world.read(|engine| engine.events(&filter, JOURNAL_EVENTS_MAX));
    let mut answer = view(world);
    answer["events"] = events.iter().map(|each| event::json(each)).collect();
    Ok(Json(answer))
}

/// The timeout asked for, within its limit.
pub(super) fn timeout(seconds: Option<f64>) -> Result<Duration, Problem> {
    let seconds = seconds.unwrap_or(TIMEOUT_DEFAULT_S);
    let bad = || Problem::new(422, "bad-timeout", format!("timeout: 0 to {TIMEOUT_MAX_S} seconds, not {seconds}"));
    Duration::try_from_secs_f64(seconds).ok().filter(|_| seconds <= TIMEOUT_MAX_S).ok_or_else(bad)
}

fn view(world: &World) -> Value {
    let mode = match world.clock_mode() {
        ClockMode::Running => "running",
        ClockMode::Frozen => "frozen",
    };
    let next: Vec<Value> = world.read(|engine| {
        let deadlines = engine.deadlines().take(DEADLINES_MAX);
        deadlines
            .map(|(alarm, fax)| {
                json!({
                    "at": event::moment(alarm.at),
                    "kind": alarm.kind.as_str(),
                    "fax_sid": fax.map(|sid| sid.to_string()),
                })
            })
            .collect()
    });
    json!({ "mode": mode, "now": event::moment(world.now()), "next": next })
}
