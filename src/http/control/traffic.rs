//! The control API's call to list requests that are in no world's journal.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event::moment;
use super::extract::Asked;
use crate::emulator::{Registry, Unassigned, UnassignedRequest};

/// Which requests to return.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TrafficQuery {
    /// Only requests after this place.
    since: Option<u64>,
    /// Maximum number of requests to return.
    limit: Option<usize>,
}

/// Requests, oldest first.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Traffic")]
pub(super) struct TrafficPage {
    requests: Vec<RequestView>,
    /// Place of the newest request. To read on after a page, pass the `seq` of its last request as `since`.
    last_seq: u64,
    /// Number of requests dropped since the start.
    evicted: u64,
    /// How many of those came after `since` and are thus missing from this page.
    missed: u64,
}

/// A request that belongs to no account's world.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "UnassignedRequest")]
struct RequestView {
    /// Place in this list, one higher than that of the previous request, and unrelated to places in any journal.
    seq: u64,
    /// Time of the response, by the system's clock.
    at: String,
    method: String,
    /// Path and query, with secrets masked.
    path: String,
    /// The HTTP status of the response.
    status: u16,
    /// The error code of the response, if it has one.
    code: Option<u32>,
    /// SID of the account that the path names, else that of the credential.
    account_sid: Option<String>,
    /// Why the request belongs to no world, as a word from docs/control-api.md.
    reason: &'static str,
}

pub(super) async fn list(State(registry): State<Registry>, Asked(query): Asked<TrafficQuery>) -> Json<TrafficPage> {
    let since = query.since.unwrap_or(0);
    // The log is bounded, so a page needs no limit by default.
    let page = registry.unassigned().read(since, query.limit.unwrap_or(usize::MAX));
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
