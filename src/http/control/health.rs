//! Whether the emulator lives, and what it holds. It changes nothing.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use crate::emulator::Emulator;

/// How the emulator is.
#[derive(Serialize, JsonSchema)]
pub(super) struct Health {
    /// `ok`, or `broken` where an account's world has broken.
    status: &'static str,
    /// The accounts whose worlds have broken.
    broken_accounts: Vec<String>,
    version: &'static str,
    uptime_seconds: f64,
    /// What ids and chance follow from.
    seed: u64,
    default_account: String,
    /// How many accounts there are.
    accounts: usize,
    /// `process` where a document that goes wrong costs a process of its own, else `thread`.
    rendering: &'static str,
    counts: Counts,
    evicted: Evicted,
    body_budget: BodyBudget,
}

/// What all worlds hold together.
#[derive(Default, Serialize, JsonSchema)]
struct Counts {
    faxes: usize,
    /// Faxes and calls that have not ended.
    pending: usize,
    media_bytes: u64,
}

/// Bytes in flight: bodies of requests, answers of apps, and answers that have not been read.
#[derive(Serialize, JsonSchema)]
struct BodyBudget {
    /// How many there may be (`--body-budget`).
    limit_bytes: u64,
    /// How many there are.
    held_bytes: u64,
    /// Bodies and answers for which there was no room in time.
    refused: u64,
}

/// What went to keep within a limit.
#[derive(Default, Serialize, JsonSchema)]
struct Evicted {
    /// Of journals.
    events: u64,
    alerts: u64,
    /// Beyond the media budget.
    media: u64,
}

pub(super) async fn ready(State(emulator): State<Emulator>) -> (StatusCode, String) {
    if emulator.is_stopping() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n".to_owned());
    }
    let broken: Vec<String> = emulator.broken_accounts().iter().map(ToString::to_string).collect();
    if broken.is_empty() {
        return (StatusCode::OK, "ok\n".to_owned());
    }
    let remedy = "POST /_fauxfax/v1/reset?account=… puts an account right";
    (StatusCode::SERVICE_UNAVAILABLE, format!("broken: {}; {remedy}\n", broken.join(", ")))
}

pub(super) async fn live() -> &'static str {
    "ok\n"
}

pub(super) async fn health(State(emulator): State<Emulator>) -> Json<Health> {
    let broken: Vec<String> = emulator.broken_accounts().iter().map(ToString::to_string).collect();
    let worlds = emulator.worlds();
    let (mut counts, mut evicted) = (Counts::default(), Evicted::default());
    for world in &worlds {
        world.read_journal(|journal| {
            let engine = journal.engine();
            counts.faxes += engine.fax_count();
            counts.pending += engine.pending_count();
            counts.media_bytes += engine.media_bytes();
            evicted.events += journal.evicted();
            evicted.alerts += engine.alerts_evicted();
            evicted.media += engine.media_evicted();
        });
    }
    Json(Health {
        status: if broken.is_empty() { "ok" } else { "broken" },
        broken_accounts: broken,
        version: env!("CARGO_PKG_VERSION"),
        uptime_seconds: emulator.uptime().as_secs_f64(),
        seed: emulator.settings().seed,
        default_account: emulator.default_account().to_string(),
        accounts: worlds.len(),
        rendering: emulator.renderer().mode(),
        counts,
        evicted,
        body_budget: BodyBudget {
            limit_bytes: emulator.budget().limit_bytes(),
            held_bytes: emulator.budget().held_bytes(),
            refused: emulator.budget().refused(),
        },
    })
}
