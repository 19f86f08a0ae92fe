//! Reading the journal of a world. It renders events with `event.rs`.

use axum::Json;
use axum::extract::Query;
use serde::Deserialize;
use serde_json::{Value, json};

use super::problem::Problem;
use super::{Addressed, event};
use crate::engine::journal::{EventFilter, JOURNAL_EVENTS_MAX};

/// Events in one answer where no `limit` is given.
const LIMIT_DEFAULT: usize = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventsQuery {
    #[serde(default)]
    since: u64,
    fax: Option<String>,
    kind: Option<Box<str>>,
    limit: Option<usize>,
    #[serde(rename = "account")]
    _account: Option<String>,
}

pub(super) async fn list(
    Addressed(world): Addressed,
    query: Result<Query<EventsQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(query) = query.map_err(Problem::query)?;
    let fax =
        query.fax.map(|text| text.parse().map_err(|error| Problem::new(400, "bad-query", format!("fax: {error}"))));
    let filter = EventFilter { since: query.since, fax: fax.transpose()?, kind: query.kind, purpose: None };
    let limit = query.limit.unwrap_or(LIMIT_DEFAULT).min(JOURNAL_EVENTS_MAX);
    let (events, last_seq, evicted) =
        world.read(|engine| (engine.events(&filter, limit), engine.last_seq(), engine.events_evicted()));
    let events: Vec<Value> = events.iter().map(|each| event::json(each)).collect();
    Ok(Json(json!({ "events": events, "last_seq": last_seq, "evicted": evicted })))
}
