//! Metrics in the OpenMetrics text format, for Prometheus, computed from the worlds at each scrape.

use std::fmt;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry as Metrics;

use super::problem::Problem;
use crate::emulator::{Evictions, Registry};
use crate::engine::tally::Tally;

/// The Content-Type that the format's specification requires.
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Totals over all worlds at the time of a scrape.
#[derive(Debug, Default)]
struct Scrape {
    uptime_s: f64,
    worlds: u64,
    faxes: u64,
    pending: u64,
    deadlines: u64,
    requests_under_way: u64,
    callbacks_waiting: u64,
    media_bytes: u64,
    body_budget_bytes: u64,
    body_bytes: u64,
    bodies_refused: u64,
    evictions: Evictions,
    tally: Tally,
}

pub(super) async fn metrics(State(registry): State<Registry>) -> Result<Response, Problem> {
    let mut metrics = Metrics::default();
    metrics.register_collector(Box::new(scrape(&registry)));
    let mut text = String::new();
    let encoded = prometheus_client::encoding::text::encode(&mut text, &metrics);
    encoded.map_err(|error| Problem::new(500, "internal", error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response())
}

fn scrape(registry: &Registry) -> Scrape {
    let worlds = registry.worlds();
    let mut scrape = Scrape {
        uptime_s: registry.uptime().as_secs_f64(),
        worlds: worlds.len() as u64,
        body_budget_bytes: registry.budget().limit_bytes(),
        body_bytes: registry.budget().held_bytes(),
        bodies_refused: registry.budget().refused(),
        // Counters must never decrease, so removed worlds are still counted.
        tally: registry.departed_tally(),
        evictions: registry.departed_evictions(),
        ..Scrape::default()
    };
    for world in &worlds {
        world.read_journal(|journal| {
            let engine = journal.engine();
            scrape.faxes += engine.fax_count() as u64;
            scrape.pending += engine.pending_count() as u64;
            scrape.deadlines += engine.deadline_count() as u64;
            scrape.requests_under_way += engine.under_way_count() as u64;
            scrape.callbacks_waiting += engine.waiting_count() as u64;
            scrape.media_bytes += engine.media_bytes();
            scrape.tally.add(engine.tally());
        });
        scrape.evictions += Evictions::of(world);
    }
    scrape
}

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for (name, help, value) in [
            ("fauxfax_worlds", "Accounts", self.worlds),
            ("fauxfax_faxes", "Faxes kept", self.faxes),
            ("fauxfax_pending_faxes", "Faxes and calls that have not ended", self.pending),
            ("fauxfax_deadlines", "Pending deadlines", self.deadlines),
            ("fauxfax_requests_under_way", "Requests to apps and renderings under way", self.requests_under_way),
            ("fauxfax_callbacks_waiting", "Callbacks that wait for another or for a rule", self.callbacks_waiting),
            ("fauxfax_media_bytes", "Bytes of media kept", self.media_bytes),
            ("fauxfax_body_budget_bytes", "Limit on the bytes of bodies in flight", self.body_budget_bytes),
            ("fauxfax_body_bytes", "Bytes of bodies in flight", self.body_bytes),
        ] {
            // The values of gauges are signed.
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        let uptime = ConstGauge::new(self.uptime_s);
        let (name, help) = ("fauxfax_uptime_seconds", "Time since the emulator was started");
        uptime.encode(encoder.encode_descriptor(name, help, None, uptime.metric_type())?)?;
        for (name, help, value) in [
            ("fauxfax_bodies_refused", "Bodies refused because the budget had no room in time", self.bodies_refused),
            ("fauxfax_events_evicted", "Events dropped from journals", self.evictions.events),
            ("fauxfax_media_evicted", "Media dropped to keep within the budget", self.evictions.media),
        ] {
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        let (name, help) = ("fauxfax_fax_status_changes", "Faxes that entered a status");
        let counter_type = ConstCounter::new(0u64).metric_type();
        let mut family = encoder.encode_descriptor(name, help, None, counter_type)?;
        for (status, count) in &self.tally.entered {
            let labels = [("status", status.as_str())];
            ConstCounter::new(*count).encode(family.encode_family(&labels)?)?;
        }
        let (name, help) = ("fauxfax_webhooks", "Requests to apps, by purpose and result");
        let mut family = encoder.encode_descriptor(name, help, None, counter_type)?;
        for ((purpose, result), count) in &self.tally.exchanges {
            let labels = [("purpose", purpose.as_str()), ("result", result.as_str())];
            ConstCounter::new(*count).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
