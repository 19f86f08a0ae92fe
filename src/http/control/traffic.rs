//! The requests that no world has in its journal, a page at a time.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event::moment;
use super::extract::Asked;
use crate::emulator::{Emulator, Unassigned, UnassignedRequest};

/// Which requests.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TrafficQuery {
    /// Later than this place.
    since: Option<u64>,
    /// So many at the most.
    limit: Option<usize>,
}

/// Requests, oldest first.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Traffic")]
pub(super) struct TrafficPage {
    requests: Vec<RequestView>,
    /// The place of the newest request there is.
    last_seq: u64,
    /// How many requests have been dropped since the start.
    evicted: u64,
    /// How many of those were later than `since`: what this answer can't show.
    missed: u64,
}

/// A request that belongs to no account's world.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "UnassignedRequest")]
struct RequestView {
    /// Its place; grows by one, never goes back. It has nothing to do with the places of any journal.
    seq: u64,
    /// When it was answered, by the system's clock.
    at: String,
    method: String,
    /// Path and query, secrets masked.
    path: String,
    /// The HTTP status of the response.
    status: u16,
    /// The error code of the response.
    code: Option<u32>,
    /// The account that the path names, or else the credential.
    account_sid: Option<String>,
    /// Why it belongs to no world.
    reason: &'static str,
}

pub(super) async fn list(State(emulator): State<Emulator>, Asked(query): Asked<TrafficQuery>) -> Json<TrafficPage> {
    let since = query.since.unwrap_or(0);
    let page = emulator.unassigned().read(since, query.limit.unwrap_or(usize::MAX));
    Json(TrafficPage {
        requests: page.requests.iter().map(|noted| view(noted)).collect(),
        last_seq: page.last_seq,
        evicted: page.evicted,
        missed: page.evicted.saturating_sub(since),
    })
}

fn view(Unassigned { seq, at, request }: &Unassigned) -> RequestView {
    let UnassignedRequest { method, path, status, code, account, reason } = request;
    RequestView {
        seq: *seq,
        at: moment(*at),
        method: method.to_string(),
        path: path.to_string(),
        status: *status,
        code: *code,
        account_sid: account.map(|sid| sid.to_string()),
        reason: reason.as_str(),
    }
}
