//! A fax: its data, and its transitions between phases.

use std::sync::Arc;

use super::Engine;
use super::agenda::Ordinal;
use super::event::EventKind;
use super::faults::never;
use super::phase::{CallStep, Ended, Phase, Processing};
use super::random::Luck;
use crate::model::fault::{Failure, Fault};
use crate::model::fax::{Direction, Quality, Status, StatusSet};
use crate::model::media::Media;
use crate::model::page::PageText;
use crate::model::phone::Party;
use crate::model::price::price_micros;
use crate::model::sid::FaxSid;
use crate::model::time::Timestamp;
use crate::model::transition::is_edge;
use crate::model::webhook::{ExchangeRecord, Method, Purpose};

/// One fax, sent or received, from its creation until it is deleted.
#[derive(Debug, Clone)]
pub struct Fax {
    /// The SID that identifies the fax to clients.
    pub sid: FaxSid,
    /// The fax's place in the order in which faxes and calls are created.
    pub ordinal: Ordinal,
    /// The number or address of the sender.
    pub from: Party,
    /// The number or address of the receiver.
    pub to: Party,
    /// The vertical resolution of the pages.
    pub quality: Quality,
    /// The time of creation; for an inbound fax, the time at which the call began to ring.
    pub created: Timestamp,
    /// The time of the last change to the status or the media.
    pub updated: Timestamp,
    /// The stored document; `None` before it is stored and after it is deleted.
    pub media: Option<Box<Media>>,
    pub(super) origin: Arc<str>,
    pub(super) leg: Leg,
    pub(super) phase: Phase,
    pub(super) luck: Luck,
    /// The notices that the app did not accept, even when they were sent again; `None` as long as there are none.
    pub(super) failed_notices: Option<Box<FailedNotices>>,
}

/// The notices about one fax that its app did not accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedNotices {
    /// The number of notices; retries of one notice don't count.
    pub count: u32,
    /// The purpose of the latest of them.
    pub purpose: Purpose,
    /// The kind of fault that ended the latest of them.
    pub fault: Fault,
    /// The HTTP status with which the app responded to the latest of them, if it responded.
    pub status: Option<u16>,
}

/// The data that is specific to one direction.
#[derive(Debug, Clone)]
pub(super) enum Leg {
    /// The data of an outbound fax, from its create call.
    Outbound(Box<Order>),
    /// The data of an inbound fax, from the `<Receive>` that took its call.
    Inbound(Box<Acceptance>),
}

/// The parameters of a create call that are needed later.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) media_url: Arc<str>,
    pub(super) status_callback: Option<Box<str>>,
    pub(super) callback_method: Method,
    /// The statuses that the callback is notified of; `None` for those that the world's policy selects.
    pub(super) callback_statuses: Option<StatusSet>,
    pub(super) store_media: bool,
    pub(super) ttl: Option<Ttl>,
}

/// The time limit within which the calls of a fax must start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ttl {
    pub(super) minutes: u32,
    /// No call is placed after this time.
    pub(super) ends: Timestamp,
}

/// The attributes of the `<Receive>` that took the call.
#[derive(Debug, Clone)]
pub(super) struct Acceptance {
    pub(super) station_id: Box<str>,
    pub(super) notify: NotifyTarget,
    pub(super) store_media: bool,
}

/// The app that is notified when an inbound fax ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NotifyTarget {
    /// The URL in `<Receive action>`, and its method.
    Action(Box<str>, Method),
    /// The number's StatusCallback, because `<Receive>` had no action.
    StatusCallback(Box<str>, Method),
    /// No app: neither URL is set, the action isn't a valid URL, or the fax was rejected.
    Nobody,
}

impl Fax {
    /// Returns the status that clients see.
    #[must_use]
    pub const fn status(&self) -> Status {
        self.phase.status()
    }

    /// Returns whether the fax is sent or received.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        match self.leg {
            Leg::Outbound(_) => Direction::Outbound,
            Leg::Inbound(_) => Direction::Inbound,
        }
    }

    /// Returns the number of pages once clients may know it: when an outbound fax's document has been fetched, or when
    /// an inbound fax has been received.
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

    /// Returns the number of pages that have been transmitted.
    #[must_use]
    pub fn pages_over(&self) -> u32 {
        match &self.phase {
            Phase::Queued | Phase::Processing(_) | Phase::Receiving(_) => 0,
            Phase::Sending(sending) => match &sending.step {
                CallStep::Talking(talk) => talk.pages_done,
                CallStep::Ringing(_) | CallStep::RingingOwn | CallStep::Waiting => 0,
            },
            Phase::Ended(ended) if matches!(ended.status, Status::Delivered | Status::Received) => {
                ended.pages.unwrap_or(0)
            }
            Phase::Ended(ended) => ended.failure.as_ref().and_then(|failure| failure.pages_over).unwrap_or(0),
        }
    }

    /// Returns the text of a page of the stored document, counted from 1. `None` if no such page is stored, the page
    /// has not been transmitted, or its text is not known, as for a scan.
    #[must_use]
    pub fn page_text(&self, page: u32) -> Option<&str> {
        self.transmitted_text(page).map(|text| &*text.content)
    }

    /// Returns the same text, together with the flags that say whether it is complete.
    #[must_use]
    pub fn transmitted_text(&self, page: u32) -> Option<&PageText> {
        self.media.as_ref()?.document.page_text(page).filter(|_| page <= self.pages_over())
    }

    /// Returns the line time in whole seconds, once the fax has ended.
    #[must_use]
    pub const fn duration_s(&self) -> Option<u32> {
        match self.ended() {
            Some(ended) => ended.duration_s,
            None => None,
        }
    }

    /// Returns the modem rate in bits per second; only delivered and received faxes have one.
    pub(super) const fn rate_bps(&self) -> Option<u32> {
        match self.ended() {
            Some(ended) => ended.rate_bps,
            None => None,
        }
    }

    /// Returns the price in millionths of a US dollar; only delivered and received faxes have one.
    #[must_use]
    pub fn price_micros(&self) -> Option<u64> {
        let ended = self.ended()?;
        match ended.status {
            Status::Delivered | Status::Received => Some(price_micros(ended.duration_s?.into())),
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

    /// Returns the reason for the failure; `None` if the fax didn't fail.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.ended()?.failure.as_deref()
    }

    /// Returns the notices that the app did not accept; `None` if there are none.
    #[must_use]
    pub fn failed_notices(&self) -> Option<&FailedNotices> {
        self.failed_notices.as_deref()
    }

    /// Counts a notice that the app did not accept.
    pub(super) fn count_failed_notice(&mut self, record: &ExchangeRecord, fault: Fault) {
        let count = self.failed_notices.as_ref().map_or(0, |failed| failed.count).saturating_add(1);
        let (purpose, status) = (record.purpose, record.status);
        self.failed_notices = Some(Box::new(FailedNotices { count, purpose, fault, status }));
    }

    /// Returns the scheme and host of the request that created the fax.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Returns whether the app wants the document to be stored.
    pub(super) fn stores_media(&self) -> bool {
        match &self.leg {
            Leg::Outbound(order) => order.store_media,
            Leg::Inbound(acceptance) => acceptance.store_media,
        }
    }

    pub(super) const fn ended(&self) -> Option<&Ended> {
        match &self.phase {
            Phase::Ended(ended) => Some(ended),
            Phase::Queued | Phase::Processing(_) | Phase::Sending(_) | Phase::Receiving(_) => None,
        }
    }
}

impl Engine {
    /// Moves a fax to another phase: asserts that the transition exists, writes the event and queues the notice.
    pub(super) fn enter(&mut self, ordinal: Ordinal, phase: Phase, now: Timestamp) {
        let Some(old) = self.world.tables.set_phase(ordinal, phase, now) else {
            never!(self, ordinal, now, "a phase should be entered, but the fax doesn't exist")
        };
        self.entered(ordinal, Some(&old), now);
    }

    /// Ends a fax: removes its alarm, enters the final phase, raises the alert of a failed call and releases the media.
    pub(super) fn end(&mut self, ordinal: Ordinal, ended: Ended, now: Timestamp) {
        let is_failure = ended.failure.is_some();
        // A page or redial that is still due would otherwise act on an ended fax.
        self.world.agenda.clear(ordinal);
        self.enter(ordinal, Phase::Ended(ended), now);
        if is_failure {
            self.alert_of_call(ordinal, now);
        }
        // Released last: a small budget may drop the media immediately, after the notice has named them.
        self.release_media(ordinal, now);
    }

    /// Performs the steps that the creation of a fax and every status change require: checks the transition, writes the
    /// event and notifies the app.
    pub(super) fn entered(&mut self, ordinal: Ordinal, before: Option<&Phase>, now: Timestamp) {
        let Some(fax) = self.world.tables.fax(ordinal) else {
            never!(self, ordinal, now, "a phase was entered, but the fax doesn't exist")
        };
        let (sid, old, new) = (fax.sid, before.map(Phase::status), fax.status());
        // Unlike `never!`, this panics in a release build, too: the world is then broken until it is reset.
        assert!(is_edge(old, new), "fax {sid} can't go from {old:?} to {new}");
        let failure = fax.failure().cloned();
        self.journal.write(now, Some(sid), EventKind::FaxStatus { old, new, failure });
        match fax.leg {
            Leg::Outbound(_) => self.notify_status(ordinal, now),
            Leg::Inbound(_) => self.notify_end(ordinal, before, now),
        }
    }
}
