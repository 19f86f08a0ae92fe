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
    /// Always `ok`: who is not well doesn't answer.
    status: &'static str,
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
}

/// What all worlds hold together.
#[derive(Default, Serialize, JsonSchema)]
struct Counts {
    faxes: usize,
    /// Faxes and calls that have not ended.
    pending: usize,
    media_bytes: u64,
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
    let worlds = emulator.worlds();
    let (mut counts, mut evicted) = (Counts::default(), Evicted::default());
    for world in &worlds {
        world.read(|engine| {
            counts.faxes += engine.fax_count();
            counts.pending += engine.pending_count();
            counts.media_bytes += engine.media_bytes();
            evicted.events += engine.events_evicted();
            evicted.alerts += engine.alerts_evicted();
            evicted.media += engine.media_evicted();
        });
    }
    Json(Health {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
        uptime_seconds: emulator.uptime().as_secs_f64(),
        seed: emulator.settings().seed,
        default_account: emulator.default_account().to_string(),
        accounts: worlds.len(),
        rendering: emulator.renderer().mode(),
        counts,
        evicted,
    })
}
