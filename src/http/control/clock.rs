//! The control API's calls for a world's clock: show, freeze, run, advance, drain. `world.rs` moves the clock.

use std::future::Future;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event::{self, EventView};
use super::extract::{Addressed, JsonBody};
use super::problem::Problem;
use crate::clock::ClockMode;
use crate::dialect::{date, duration};
use crate::emulator::{Registry, World};
use crate::engine::journal::{EventFilter, JOURNAL_EVENTS_MAX};
use crate::model::time::Timestamp;
use crate::world::ClockError;

/// The default `timeout` of a call that waits, in seconds.
const TIMEOUT_DEFAULT_S: f64 = 30.0;
/// The longest `timeout` that a call may ask for, in seconds.
pub(super) const TIMEOUT_MAX_S: f64 = 600.0;
/// The maximum number of deadlines that are shown.
const DEADLINES_MAX: usize = 20;

/// The new mode of the clock.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClockChange {
    /// `running` or `frozen`.
    mode: String,
}

/// How far to move a frozen clock: `seconds`, `by` or `to`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Move {
    /// Seconds to move the clock by.
    seconds: Option<f64>,
    /// A duration to move the clock by, such as `90s`, `5m`, `1h30m` or `180d`.
    by: Option<String>,
    /// The moment to move the clock to, in RFC 3339.
    to: Option<String>,
    /// Seconds of real time to wait until the world has settled; 30 by default.
    timeout: Option<f64>,
}

/// Options of a drain, which moves the clock until no work is left.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Drain {
    /// Seconds of real time to wait until the world has settled; 30 by default.
    timeout: Option<f64>,
}

/// The clock, the next deadlines, and what a move caused.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Clock")]
pub(super) struct ClockView {
    /// `running` or `frozen`.
    mode: &'static str,
    now: String,
    /// The next deadlines, at most 20, soonest first.
    next: Vec<Deadline>,
    /// The events that the move caused; left out if the call doesn't move the clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<Vec<EventView>>,
}

/// The moment when something is due.
#[derive(Serialize, JsonSchema)]
struct Deadline {
    at: String,
    kind: &'static str,
    /// What happens then, such as `ringing ends`.
    what: &'static str,
    fax_sid: Option<String>,
}

pub(super) async fn show(Addressed(world): Addressed) -> Json<ClockView> {
    Json(view(&world))
}

pub(super) async fn set(
    Addressed(world): Addressed,
    JsonBody(change): JsonBody<ClockChange>,
) -> Result<Json<ClockView>, Problem> {
    let mode = match change.mode.as_str() {
        "running" => ClockMode::Running,
        "frozen" => ClockMode::Frozen,
        other => return Err(Problem::new(422, "bad-mode", format!("mode {other:?} is neither running nor frozen"))),
    };
    world.set_clock_mode(mode);
    Ok(Json(view(&world)))
}

pub(super) async fn advance(
    State(registry): State<Registry>,
    Addressed(world): Addressed,
    JsonBody(order): JsonBody<Move>,
) -> Result<Json<ClockView>, Problem> {
    let (field, to) = destination(&order, world.now())?;
    if to >= Timestamp::LATEST {
        let detail = format!("{field}: the clock ends at {}; give an earlier time", event::moment(Timestamp::LATEST));
        return Err(Problem::new(422, "bad-advance", detail));
    }
    moved((&registry, &world), order.timeout, world.advance(to)).await
}

/// Returns the moment to which a frozen clock is to be moved, and the field that names it.
fn destination(order: &Move, now: Timestamp) -> Result<(&'static str, Timestamp), Problem> {
    match (order.seconds, &order.by, &order.to) {
        (Some(seconds), None, None) => {
            let span = Duration::try_from_secs_f64(seconds).map_err(|_| {
                let largest = Timestamp::LATEST.since(now).as_secs();
                Problem::new(
                    422,
                    "bad-seconds",
                    format!("seconds: must be a number from 0 to {largest}, not {seconds:?}"),
                )
            })?;
            Ok(("seconds", now.after(span)))
        }
        (None, Some(text), None) => {
            let span = duration::parse(text);
            let span = span.map_err(|why| Problem::new(422, "bad-duration", format!("by: {text:?} is {why}")))?;
            Ok(("by", now.after(span)))
        }
        (None, None, Some(text)) => {
            let moment = date::parse_exact(text).ok_or_else(|| {
                let detail = format!(
                    "to: must be an RFC 3339 date and time before {}, such as 2026-03-01T00:00:00Z, not {text:?}",
                    event::moment(Timestamp::LATEST)
                );
                Problem::new(422, "bad-date", detail)
            })?;
            Ok(("to", moment))
        }
        _ => Err(Problem::new(422, "bad-advance", "give one of seconds, by and to")),
    }
}

pub(super) async fn drain(
    State(registry): State<Registry>,
    Addressed(world): Addressed,
    JsonBody(order): JsonBody<Drain>,
) -> Result<Json<ClockView>, Problem> {
    moved((&registry, &world), order.timeout, world.drain()).await
}

async fn moved(
    (registry, world): (&Registry, &World),
    timeout_s: Option<f64>,
    moving: impl Future<Output = Result<(), ClockError>>,
) -> Result<Json<ClockView>, Problem> {
    // Read before the move, so that the response includes every event that the move causes.
    let since = world.read_journal(|journal| journal.last_seq());
    let moved = tokio::select! {
        moved = tokio::time::timeout(timeout(timeout_s)?, moving) => moved,
        () = registry.stopping() => return Err(Problem::stopping()),
    };
    match moved {
        Ok(Ok(())) => {}
        Ok(Err(error @ ClockError::Running)) => return Err(Problem::new(409, "clock-running", error.to_string())),
        Ok(Err(error @ ClockError::Backwards)) => return Err(Problem::new(422, "clock-backwards", error.to_string())),
        Ok(Err(ClockError::Gone)) => return Err(Problem::gone(world)),
        Err(_) => {
            let detail = "the world did not settle in time, and its clock keeps the time that it has reached; a \
                          webhook or a document fetch may be hanging";
            return Err(Problem::new(408, "not-settled", detail));
        }
    }
    let filter = EventFilter { since, ..EventFilter::default() };
    let events = world.read_journal(|journal| journal.events(&filter, JOURNAL_EVENTS_MAX));
    let mut answer = view(world);
    answer.events = Some(events.iter().map(EventView::of).collect());
    Ok(Json(answer))
}

/// Returns the requested timeout or the default; 422 if it is out of range.
pub(super) fn timeout(seconds: Option<f64>) -> Result<Duration, Problem> {
    let seconds = seconds.unwrap_or(TIMEOUT_DEFAULT_S);
    let bad =
        || Problem::new(422, "bad-timeout", format!("timeout: must be 0 to {TIMEOUT_MAX_S} seconds, not {seconds}"));
    Duration::try_from_secs_f64(seconds).ok().filter(|_| seconds <= TIMEOUT_MAX_S).ok_or_else(bad)
}

/// Returns the word for a mode of the clock.
pub(super) const fn mode_word(mode: ClockMode) -> &'static str {
    match mode {
        ClockMode::Running => "running",
        ClockMode::Frozen => "frozen",
    }
}

fn view(world: &World) -> ClockView {
    let mode = mode_word(world.clock_mode());
    let next = world.read(|engine| {
        let deadlines = engine.deadlines().take(DEADLINES_MAX);
        deadlines
            .map(|(alarm, fax)| Deadline {
                at: event::moment(alarm.at),
                kind: alarm.kind.as_str(),
                what: alarm.kind.what(),
                fax_sid: fax.map(|sid| sid.to_string()),
            })
            .collect()
    });
    ClockView { mode, now: event::moment(world.now()), next, events: None }
}
