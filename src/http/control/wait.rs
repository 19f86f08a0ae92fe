//! Waiting for a status of a fax, or for rest. It never guesses that what is waited for can't come.

use std::time::Duration;

use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use serde::Deserialize;
use serde_json::{Value, json};

use super::clock::timeout;
use super::problem::Problem;
use super::{Addressed, event};
use crate::emulator::World;
use crate::engine::Engine;
use crate::engine::journal::{EventFilter, JOURNAL_EVENTS_MAX};
use crate::model::fax::Status;
use crate::model::sid::FaxSid;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WaitQuery {
    fax: Option<String>,
    /// One status, or several with commas: the first that is entered ends the wait.
    status: Option<String>,
    #[serde(default)]
    since: u64,
    timeout: Option<f64>,
    #[serde(rename = "for")]
    what: Option<String>,
    #[serde(rename = "account")]
    _account: Option<String>,
}

pub(super) async fn wait(
    Addressed(world): Addressed,
    query: Result<Query<WaitQuery>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(query) = query.map_err(Problem::query)?;
    let patience = timeout(query.timeout)?;
    match (query.what.as_deref(), &query.fax, &query.status) {
        (Some("idle"), None, None) => idle(&world, patience).await,
        (None, Some(fax), Some(status)) => {
            let fax = fax.parse().map_err(|error| Problem::new(422, "bad-field", format!("fax: {error}")))?;
            status_of(&world, fax, &statuses(status)?, query.since, patience).await
        }
        _ => Err(Problem::new(422, "bad-wait", "give fax and status, or for=idle")),
    }
}

async fn idle(world: &World, patience: Duration) -> Result<Json<Value>, Problem> {
    match tokio::time::timeout(patience, world.until(|engine| engine.is_idle().then(|| engine.last_seq()))).await {
        Ok(seq) => Ok(Json(json!({ "idle": true, "seq": seq }))),
        Err(_) => {
            let pending = world.read(Engine::pending_count);
            Err(Problem::new(408, "not-idle", format!("{pending} faxes and calls are still pending")))
        }
    }
}

async fn status_of(
    world: &World,
    fax: FaxSid,
    wanted: &[Status],
    since: u64,
    patience: Duration,
) -> Result<Json<Value>, Problem> {
    let mut filter = EventFilter { since, fax: Some(fax), kind: Some("fax.status".into()), purpose: None };
    let mut nearest = None;
    let entered = world.until(|engine| {
        let news = engine.events(&filter, JOURNAL_EVENTS_MAX);
        let found = news.iter().find(|each| each.kind.entered().is_some_and(|status| wanted.contains(&status)));
        if let Some(last) = news.last() {
            filter.since = last.seq;
            nearest = last.kind.entered();
        }
        found.cloned()
    });
    match tokio::time::timeout(patience, entered).await {
        Ok(event) => Ok(Json(json!({ "event": event::json(&event), "seq": event.seq }))),
        Err(_) => {
            let now = world.read(|engine| engine.fax(fax).ok().map(crate::engine::Fax::status));
            let detail = match (nearest, now) {
                (Some(nearest), _) => format!("since {since} {fax} came as far as {nearest}"),
                (None, Some(now)) => format!("{fax} has entered no status since {since}; it is {now}"),
                (None, None) => format!("there is no fax {fax}"),
            };
            Err(Problem::new(408, "not-reached", detail))
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
