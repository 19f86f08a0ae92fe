//! Alerts for developers, kept for the Monitor API and reported to the Debugger webhook.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::Engine;
use super::agenda::Ordinal;
use super::effect::{Intent, Report};
use super::effects::UnderWay;
use super::event::{Alert, AlertLevel, Event, EventKind};
use super::faults::never;
use super::input::EffectResult;
use super::webhooks::{TokenPlace, uuid};
use crate::model::fault::Fault;
use crate::model::fax::Status;
use crate::model::refusal::Refusal;
use crate::model::sid::{AlertSid, FaxSid};
use crate::model::time::Timestamp;
use crate::model::webhook::ExchangeRecord;

/// The maximum number of alerts kept per world: twice the largest page of the Monitor API.
pub const ALERTS_MAX: usize = 2_000;
/// The maximum size of the alerts kept per world, in bytes; most of it is excerpts of webhooks.
pub const ALERTS_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The age limit of the Monitor API (Twilio's OpenAPI, Monitor v1: "older than 30 days are not supported").
const ALERT_RETENTION: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The maximum number of pairs of a fax and a fault for which the place of the next alert is remembered. Beyond that, the
/// pair that has gone longest without an eviction is forgotten.
const COUNTED_MAX: usize = 10_000;

/// The alerts of a world, oldest first, within limits of number and size.
#[derive(Debug, Clone, Default)]
pub(super) struct Alerts {
    kept: VecDeque<Arc<Event>>,
    bytes: usize,
    evicted: u64,
    /// For each pair of a fax and a fault with evicted alerts: the place ([`Alert::place`]) of the alert after the last
    /// evicted one. Without these places, the next alert would get the SID of an evicted one. A state doesn't contain them,
    /// because a world that loads a state draws new SIDs.
    next_places: VecDeque<(Option<FaxSid>, u64)>,
}

impl Alerts {
    /// Continues the count of evicted alerts after a reset.
    pub(super) const fn count_on(&mut self, before: &Self) {
        self.evicted = before.evicted;
    }

    /// Returns all kept alerts, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Event>> {
        self.kept.iter()
    }

    pub(super) fn keep(&mut self, event: Arc<Event>) {
        self.bytes += event.kind.size_bytes();
        self.kept.push_back(event);
        while self.kept.len() > ALERTS_MAX || self.bytes > ALERTS_BYTES_MAX {
            // An alert that alone exceeds the limit is dropped, too, which leaves the list empty.
            let Some(event) = self.kept.pop_front() else { break };
            self.bytes -= event.kind.size_bytes();
            self.evicted += 1;
            if let EventKind::Alert(alert) = &event.kind {
                self.count(event.fax, alert.place);
            }
        }
    }

    /// Notes that a fax's alert with this place was evicted.
    fn count(&mut self, fax: Option<FaxSid>, place: u64) {
        let fault = fault_of(place);
        let known = self.next_places.iter().rposition(|(of, next)| *of == fax && fault_of(*next) == fault);
        if let Some(known) = known {
            self.next_places.remove(known);
        } else if self.next_places.len() >= COUNTED_MAX {
            self.next_places.pop_front();
        }
        self.next_places.push_back((fax, place + 1));
    }

    /// Returns the place of a fax's next alert with this fault. Places are counted per fault, so that an alert's SID
    /// doesn't depend on how many alerts with other faults were raised before it.
    fn next_place(&self, fax: Option<FaxSid>, fault: Fault) -> u64 {
        let own = |event: &&Arc<Event>| event.fax == fax;
        let last = self.kept.iter().rev().filter(own).find_map(|event| {
            if let EventKind::Alert(alert) = &event.kind {
                Some(alert).filter(|alert| alert.fault == fault)
            } else {
                None
            }
        });
        let evicted = || {
            let of_fault = |(of, place): &&(_, u64)| *of == fax && fault_of(*place) == fault as u64;
            self.next_places.iter().rev().find(of_fault).map(|(_, place)| *place)
        };
        // The fault is in the upper half and the count in the lower, so places of different faults never collide.
        last.map(|alert| alert.place + 1).or_else(evicted).unwrap_or((fault as u64) << 32)
    }
}

/// Returns the number of the fault that an alert's place contains.
const fn fault_of(place: u64) -> u64 {
    place >> 32
}

impl Engine {
    /// Returns the alerts of the last 30 days by the world's clock, newest first.
    pub fn alerts(&self, now: Timestamp) -> impl Iterator<Item = (&Event, &Alert)> {
        // Alerts are in chronological order, so the first one that is too old ends the list.
        let recent = move |event: &&Arc<Event>| now.since(event.at) <= ALERT_RETENTION;
        self.world
            .alerts
            .kept
            .iter()
            .rev()
            .take_while(recent)
            .filter_map(|event| if let EventKind::Alert(alert) = &event.kind { Some((&**event, alert)) } else { None })
    }

    /// Returns the alert with this SID, if it is at most 30 days old.
    ///
    /// # Errors
    /// Returns `NoAlert` if there is no such alert.
    pub fn alert_of(&self, sid: AlertSid, now: Timestamp) -> Result<(&Event, &Alert), Refusal> {
        self.alerts(now).find(|(_, alert)| alert.sid == sid).ok_or(Refusal::NoAlert(sid))
    }

    /// Returns the number of alerts that are kept.
    #[must_use]
    pub fn alert_count(&self) -> usize {
        self.world.alerts.kept.len()
    }

    /// Returns the number of alerts dropped to stay within the limits.
    #[must_use]
    pub const fn alerts_evicted(&self) -> u64 {
        self.world.alerts.evicted
    }

    pub(super) fn alert(
        &mut self,
        fax: Option<FaxSid>,
        (fault, level): (Fault, AlertLevel),
        message: &str,
        record: Option<Arc<ExchangeRecord>>,
        now: Timestamp,
    ) {
        let place = self.world.alerts.next_place(fax, fault);
        // A SID is drawn from that of the fax. An alert that concerns no fax has sixteen zero bytes instead.
        let parent = fax.map(|fax| *fax.bytes()).unwrap_or_default();
        let sid = self.ids.seed().mint::<AlertSid>("alert", &parent, place);
        let alert = Alert { sid, place, fault, level, message: message.into(), record };
        let event = self.journal.write(now, fax, EventKind::Alert(alert));
        self.world.alerts.keep(Arc::clone(&event));
        let Some(url) = self.account.debugger_url.clone() else { return };
        let idempotency_token = match fax {
            Some(fax) => self.idempotency_token(fax, TokenPlace::Alert(place)),
            None => uuid(self.ids.seed(), sid.bytes(), 0),
        };
        let report = Report { url, parent: self.account.owner, alert: event, idempotency_token };
        let intent = Arc::new(Intent::Report(Box::new(report)));
        self.issue_effect(UnderWay { fax, intent, is_echo: false });
    }

    /// Raises the alert for a failed call: busy, not answered, broken or incompatible.
    pub(super) fn alert_of_call(&mut self, ordinal: Ordinal, now: Timestamp) {
        let Some(fax) = self.world.tables.fax(ordinal) else {
            never!(self, ordinal, now, "a call has failed, but the fax doesn't exist")
        };
        let called = match fax.status() {
            Status::Busy | Status::NoAnswer => true,
            // A failed fax without a duration made no call, and the failure before the call has raised an alert of its
            // own.
            Status::Failed => fax.duration_s().is_some(),
            Status::Queued
            | Status::Processing
            | Status::Sending
            | Status::Delivered
            | Status::Receiving
            | Status::Received
            | Status::Canceled => false,
        };
        let Some(failure) = fax.failure().filter(|_| called) else { return };
        let (sid, fault) = (fax.sid, failure.fault);
        let why = failure.text_of_call(self.account.dialect);
        let text = format!("{} to {}: {why}", fax.direction(), fax.to);
        self.alert(Some(sid), (fault, AlertLevel::Error), &text, None, now);
    }

    /// Journals a report to the Debugger webhook. A failed or lost report raises no alert, since that alert would be
    /// reported in turn.
    pub(super) fn reported(&mut self, fax: Option<FaxSid>, outcome: EffectResult, now: Timestamp) {
        if let EffectResult::Delivered { record, .. } = outcome {
            self.journal.write(now, fax, EventKind::WebhookAttempt { record: Arc::new(*record) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(seq: u64, text: &str) -> Arc<Event> {
        let alert = Alert {
            sid: AlertSid::from_bytes([0; 16]),
            place: seq,
            fault: Fault::HttpStatus,
            level: AlertLevel::Error,
            message: text.into(),
            record: None,
        };
        Arc::new(Event { seq, at: Timestamp::from_micros(0), fax: None, kind: EventKind::Alert(alert) })
    }

    #[test]
    fn no_alert_gets_the_place_of_an_evicted_one() {
        let fax = Some(FaxSid::from_bytes([1; 16]));
        let of = |fax, fault, place| {
            let alert = Alert {
                sid: AlertSid::from_bytes([0; 16]),
                place,
                fault,
                level: AlertLevel::Error,
                message: "x".into(),
                record: None,
            };
            Arc::new(Event { seq: 0, at: Timestamp::from_micros(0), fax, kind: EventKind::Alert(alert) })
        };
        let mut alerts = Alerts::default();
        let start = alerts.next_place(fax, Fault::HttpStatus);
        for count in 0..3 {
            let place = alerts.next_place(fax, Fault::HttpStatus);
            assert_eq!(place, start + count);
            alerts.keep(of(fax, Fault::HttpStatus, place));
        }
        let other = alerts.next_place(fax, Fault::Internal);
        for _ in 0..=ALERTS_MAX {
            let place = alerts.next_place(None, Fault::HttpStatus);
            alerts.keep(of(None, Fault::HttpStatus, place));
        }
        assert_eq!(alerts.next_place(fax, Fault::HttpStatus), start + 3);
        assert_eq!(alerts.next_place(fax, Fault::Internal), other, "each fault has a count of its own");
        assert_eq!(alerts.next_place(None, Fault::HttpStatus), start + ALERTS_MAX as u64 + 1);
        for fax in 0..COUNTED_MAX as u128 {
            alerts.count(Some(FaxSid::from_bytes(fax.to_be_bytes())), start);
        }
        assert_eq!(alerts.next_places.len(), COUNTED_MAX);
    }

    #[test]
    fn the_oldest_alerts_are_dropped_beyond_the_count_and_byte_limits() {
        let mut alerts = Alerts::default();
        for seq in 0..ALERTS_MAX as u64 + 3 {
            alerts.keep(event(seq, "x"));
        }
        assert_eq!((alerts.kept.len(), alerts.evicted, alerts.kept[0].seq), (ALERTS_MAX, 3, 3));
        let large = "x".repeat(ALERTS_BYTES_MAX / 4);
        for seq in 0..10 {
            alerts.keep(event(seq, &large));
        }
        assert!(alerts.kept.len() < 4 && alerts.bytes <= ALERTS_BYTES_MAX, "{} bytes", alerts.bytes);
    }
}
