//! The emulator's health: counts of its contents, and the liveness and readiness checks.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use crate::emulator::{Evictions, Registry};

/// The state of the emulator.
#[derive(Serialize, JsonSchema)]
pub(super) struct Health {
    /// `ok`, or `broken` if any account's world has broken.
    status: &'static str,
    /// SIDs of the accounts whose worlds have broken.
    broken_accounts: Vec<String>,
    version: &'static str,
    uptime_seconds: f64,
    /// The seed from which ids and random choices are derived.
    seed: u64,
    default_account: String,
    /// Whether accounts are in pedantic mode unless they say otherwise.
    pedantic: bool,
    /// Number of accounts.
    accounts: usize,
    /// `process` if each document is rendered in a child process, so that a crash affects only that document; else
    /// `thread`.
    rendering: &'static str,
    counts: Counts,
    evicted: Evicted,
    body_budget: BodyBudget,
}

/// Totals over all worlds.
#[derive(Default, Serialize, JsonSchema)]
struct Counts {
    faxes: usize,
    /// Number of faxes and calls that have not ended.
    pending: usize,
    media_bytes: u64,
}

/// Bytes in flight: request bodies, responses of apps, and responses that clients have not read yet.
#[derive(Serialize, JsonSchema)]
struct BodyBudget {
    /// The budget (`--body-budget`).
    limit_bytes: u64,
    /// Bytes that are in flight now.
    held_bytes: u64,
    /// Number of bodies and responses that have been refused since the start for lack of room.
    refused: u64,
}

/// Events, alerts and documents dropped since the start to keep within a limit.
#[derive(Serialize, JsonSchema)]
struct Evicted {
    /// Events dropped from journals.
    events: u64,
    alerts: u64,
    /// Documents dropped to keep within the media budget.
    media: u64,
}

pub(super) async fn ready(State(registry): State<Registry>) -> (StatusCode, String) {
    if registry.is_stopping() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n".to_owned());
    }
    let broken: Vec<String> = registry.broken_accounts().iter().map(ToString::to_string).collect();
    if broken.is_empty() {
        return (StatusCode::OK, "ok\n".to_owned());
    }
    let remedy = "POST /_fauxfax/v1/reset?account=… repairs an account";
    (StatusCode::SERVICE_UNAVAILABLE, format!("broken: {}; {remedy}\n", broken.join(", ")))
}

pub(super) async fn live() -> &'static str {
    "ok\n"
}

pub(super) async fn health(State(registry): State<Registry>) -> Json<Health> {
    let broken: Vec<String> = registry.broken_accounts().iter().map(ToString::to_string).collect();
    let worlds = registry.worlds();
    let (mut counts, mut evicted) = (Counts::default(), registry.departed_evictions());
    // Take one lock at a time, so that no call has to wait for the whole count.
    for world in &worlds {
        world.read_journal(|journal| {
            let engine = journal.engine();
            counts.faxes += engine.fax_count();
            counts.pending += engine.pending_count();
            counts.media_bytes += engine.media_bytes();
        });
        evicted += Evictions::of(world);
    }
    Json(Health {
        status: if broken.is_empty() { "ok" } else { "broken" },
        broken_accounts: broken,
        version: env!("CARGO_PKG_VERSION"),
        uptime_seconds: registry.uptime().as_secs_f64(),
        seed: registry.settings().seed,
        default_account: registry.default_account().to_string(),
        pedantic: registry.settings().options.is_pedantic,
        accounts: worlds.len(),
        rendering: registry.renderer().mode(),
        counts,
        evicted: Evicted { events: evicted.events, alerts: evicted.alerts, media: evicted.media },
        body_budget: BodyBudget {
            limit_bytes: registry.budget().limit_bytes(),
            held_bytes: registry.budget().held_bytes(),
            refused: registry.budget().refused(),
        },
    })
}
