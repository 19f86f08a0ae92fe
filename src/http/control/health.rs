//! Whether the emulator lives, and what it holds. It changes nothing.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::emulator::Emulator;

pub(super) async fn live() -> &'static str {
    "ok\n"
}

pub(super) async fn health(State(emulator): State<Emulator>) -> Json<Value> {
    let worlds = emulator.worlds();
    let (mut faxes, mut pending, mut media_bytes) = (0, 0, 0);
    let (mut events_evicted, mut alerts_evicted, mut media_evicted) = (0, 0, 0);
    for world in &worlds {
        world.read(|engine| {
            faxes += engine.fax_count();
            pending += engine.pending_count();
            media_bytes += engine.media_bytes();
            events_evicted += engine.events_evicted();
            alerts_evicted += engine.alerts_evicted();
            media_evicted += engine.media_evicted();
        });
    }
    Json(json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_seconds": emulator.uptime().as_secs_f64(),
        "seed": emulator.settings().seed,
        "default_account": emulator.default_account().to_string(),
        "accounts": worlds.len(),
        "counts": { "faxes": faxes, "pending": pending, "media_bytes": media_bytes },
        "evicted": { "events": events_evicted, "alerts": alerts_evicted, "media": media_evicted },
    }))
}
