//! Reading the journal of a world, and putting the world back to its start. It renders events with `event.rs`.

use axum::Json;
use axum::extract::Query;
use serde::Deserialize;
use serde_json::{Value, json};

use super::problem::Problem;
use super::{Addressed, event};
use crate::engine::input::{Control, Input, Reply};
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

pub(super) async fn reset(Addressed(world): Addressed) -> Result<Json<Value>, Problem> {
    let reply = world.handle(Input::Control(Control::Reset)).map_err(|refusal| Problem::refused(&refusal))?;
    let Reply::Reset(count) = reply else {
        return Err(Problem::new(500, "internal", "a reset was answered otherwise"));
    };
    Ok(Json(json!({
        "canceled": { "faxes": count.pending, "webhooks": count.effects },
        "removed": { "faxes": count.faxes },
        "seq": world.read(crate::engine::Engine::last_seq),
    })))
}
