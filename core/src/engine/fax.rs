//! A fax: what is known of it from its creation on, and how it goes from one phase to the next.

use std::sync::Arc;

use super::Engine;
use super::agenda::Ordinal;
use super::event::EventKind;
use super::faults::never;
use super::phase::{Ended, Phase, Processing};
use super::random::Luck;
use crate::model::fault::Failure;
use crate::model::fax::{Direction, Quality, Status};
use crate::model::media::Media;
use crate::model::phone::Party;
use crate::model::sid::FaxSid;
use crate::model::time::Timestamp;
use crate::model::transition::is_edge;
use crate::model::webhook::Method;

/// Millionths of a US dollar a started minute costs: the one captured price is `0.014` for 64 s (docs/fidelity.md, "Where sources conflict").
const PRICE_MICROS_PER_MINUTE: u64 = 7_000;

/// A fax.
#[derive(Debug, Clone)]
pub struct Fax {
    /// Its id.
    pub sid: FaxSid,
    /// Its place in the order of creation.
    pub ordinal: Ordinal,
    /// The sender.
    pub from: Party,
    /// The receiver.
    pub to: Party,
    /// The vertical resolution.
    pub quality: Quality,
    /// When it was created; for an incoming one, when the call rang.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// The stored document, while there is one.
    pub media: Option<Box<Media>>,
    pub(super) origin: Arc<str>,
    pub(super) leg: Leg,
    pub(super) phase: Phase,
    pub(super) luck: Luck,
}

/// What only one direction has.
#[derive(Debug, Clone)]
pub(super) enum Leg {
    /// An outbound fax as ordered.
    Outbound(Box<Order>),
    /// An inbound fax as accepted.
    Inbound(Box<Acceptance>),
}

/// What a create call asked for.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) media_url: Arc<str>,
    pub(super) status_callback: Option<Box<str>>,
    pub(super) store_media: bool,
    pub(super) ttl: Option<Ttl>,
}

/// How long calls of a fax are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ttl {
    pub(super) minutes: u32,
    /// No call begins later.
    pub(super) ends: Timestamp,
}

/// What `<Receive>` asked for.
#[derive(Debug, Clone)]
pub(super) struct Acceptance {
    pub(super) station_id: Box<str>,
    pub(super) told: NotifyTarget,
    pub(super) store_media: bool,
}

/// Who is told how an incoming fax ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NotifyTarget {
    /// `<Receive action>`.
    Action(Box<str>, Method),
    /// The number's StatusCallback, since no action was given.
    StatusCallback(Box<str>, Method),
    /// Nobody.
    Nobody,
}

impl Fax {
    /// Its status.
    #[must_use]
    pub const fn status(&self) -> Status {
        self.phase.status()
    }

    /// Its direction.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        match self.leg {
            Leg::Outbound(_) => Direction::Outbound,
            Leg::Inbound(_) => Direction::Inbound,
        }
    }

    /// Pages of its document, once known to a client: an outbound one when fetched, an inbound one when received.
    #[must_use]
    pub const fn pages(&self) -> Option<u32> {
        match &self.phase {
            Phase::Queued | Phase::Processing(Processing::Fetching) | Phase::Receiving(_) => None,
            Phase::Processing(Processing::Converting(document) | Processing::Ringing { document, .. }) => {
                Some(document.pages)
            }
            Phase::Sending(sending) => Some(sending.document.pages),
            Phase::Ended(ended) => ended.pages,
        }
    }

    /// Line time in whole seconds, once it has ended.
    #[must_use]
    pub const fn duration_s(&self) -> Option<u32> {
        match self.ended() {
            Some(ended) => ended.duration_s,
            None => None,
        }
    }

    /// Millionths of a US dollar; only of a fax that went through.
    #[must_use]
    pub fn price_micros(&self) -> Option<u64> {
        let ended = self.ended()?;
        match ended.status {
            Status::Delivered | Status::Received => {
                Some(u64::from(ended.duration_s?).div_ceil(60).max(1) * PRICE_MICROS_PER_MINUTE)
            }
            Status::Queued
            | Status::Processing
            | Status::Sending
            | Status::Receiving
            | Status::NoAnswer
            | Status::Busy
            | Status::Failed
            | Status::Canceled => None,
        }
    }

    /// Why it failed, if it did.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.ended()?.failure.as_deref()
    }

    /// Scheme and host of the request that created it.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    pub(super) const fn ended(&self) -> Option<&Ended> {
        match &self.phase {
            Phase::Ended(ended) => Some(ended),
            Phase::Queued | Phase::Processing(_) | Phase::Sending(_) | Phase::Receiving(_) => None,
        }
    }
}

impl Engine {
    /// Puts a fax into another phase: asserts the edge, writes the event, queues the callback.
    pub(super) fn enter(&mut self, ordinal: Ordinal, phase: Phase, now: Timestamp) {
        let Some(old) = self.world.tables.set_phase(ordinal, phase, now) else {
            never!(self, ordinal, now, "it enters a phase and is not there")
        };
        self.entered(ordinal, Some(&old), now);
    }

    /// Ends a fax and takes away its alarm.
    pub(super) fn end(&mut self, ordinal: Ordinal, ended: Ended, now: Timestamp) {
        let is_failure = ended.failure.is_some();
        self.world.agenda.clear(ordinal);
        self.enter(ordinal, Phase::Ended(ended), now);
        if is_failure {
            self.alert_of_call(ordinal, now);
        }
        self.release_media(ordinal, now);
    }

    /// What every change of status brings, founding included.
    pub(super) fn entered(&mut self, ordinal: Ordinal, before: Option<&Phase>, now: Timestamp) {
        let Some(fax) = self.world.tables.fax(ordinal) else {
            never!(self, ordinal, now, "it has entered a phase and is not there")
        };
        let (sid, old, new) = (fax.sid, before.map(Phase::status), fax.status());
        assert!(is_edge(old, new), "fax {sid} can't go from {old:?} to {new}");
        let failure = fax.failure().cloned();
        self.journal.write(now, Some(sid), EventKind::FaxStatus { old, new, failure });
        match fax.leg {
            Leg::Outbound(_) => self.notify_status(ordinal, now),
            Leg::Inbound(_) => self.notify_end(ordinal, before, now),
        }
    }
}
