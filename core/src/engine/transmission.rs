//! The transmission of pages in either direction: one after the other, until the last page or a break.
//!
//! A fax between two numbers of one world has two ends but one transmission, which is stored at the sending end.

use super::agenda::{AlarmKind, Ordinal};
use super::event::EventKind;
use super::faults::never;
use super::fax::Leg;
use super::phase::{CallStep, Ended, Phase, Transmission};
use super::{Engine, line};
use crate::model::fault::Failure;
use crate::model::fax::Status;
use crate::model::line::LineFault;
use crate::model::media::Document;
use crate::model::time::Timestamp;

impl Engine {
    pub(super) fn talk(&mut self, ordinal: Ordinal, talk: &Transmission, now: Timestamp) {
        if let Some(Phase::Sending(sending)) = self.world.tables.fax_mut(ordinal).map(|fax| &mut fax.phase) {
            sending.step = CallStep::Talking(talk.clone());
            self.next_page(ordinal, talk, now);
        }
    }

    /// Sets the alarm for the end of the next page, or for the break in it.
    pub(super) fn next_page(&mut self, ordinal: Ordinal, talk: &Transmission, now: Timestamp) {
        let document = self.world.tables.fax(ordinal).and_then(|fax| match &fax.phase {
            Phase::Sending(sending) => Some(&sending.document),
            Phase::Receiving(receiving) => Some(&receiving.document),
            Phase::Queued | Phase::Processing(_) | Phase::Ended(_) => None,
        });
        let Some(document) = document else {
            never!(self, ordinal, now, "a page is next, but no transmission is in progress")
        };
        let line_ms = next_page_ms(document, talk);
        self.set_alarm(ordinal, AlarmKind::Page, line_ms, now);
    }

    /// Handles the end of a page, or the break in one, in either direction.
    pub(super) fn page_end(&mut self, ordinal: Ordinal, now: Timestamp) {
        let Some(fax) = self.world.tables.fax_mut(ordinal) else {
            never!(self, ordinal, now, "a page has ended, but the fax doesn't exist")
        };
        let sid = fax.sid;
        let talking = match &mut fax.phase {
            Phase::Sending(sending) => sending.talking(),
            Phase::Receiving(receiving) => receiving.talking(),
            Phase::Queued | Phase::Processing(_) | Phase::Ended(_) => None,
        };
        let Some((document, talk)) = talking else {
            never!(self, ordinal, now, "a page has ended, but no transmission is in progress")
        };
        let pages = document.pages;
        let page_ms = line::page_ms(document, talk.pages_done, talk.line);
        // A document that has not been rendered has no sheets, so the number of bits is unknown.
        let sheet = usize::try_from(talk.pages_done).ok().and_then(|page| document.sheets.get(page));
        let bits = sheet.map(|sheet| talk.line.bits(&sheet.bits));
        let text = sheet.and_then(|sheet| sheet.text.clone());
        let broken =
            talk.fault.clone().filter(|fault| fault.after_pages.min(pages.saturating_sub(1)) == talk.pages_done);
        if let Some(fault) = broken {
            talk.line_ms += line::BREAK_MS;
            let talk = talk.clone();
            self.broke(ordinal, &talk, &fault, now);
            return;
        }
        talk.pages_done += 1;
        talk.line_ms += page_ms;
        let talk = talk.clone();
        let event = EventKind::FaxPage { page: talk.pages_done, pages, line: talk.line, bits, line_ms: page_ms, text };
        self.journal.write(now, Some(sid), event.clone());
        // Between two numbers of one world, only the sending end keeps the transmission, so the receiving end's event
        // is written here.
        if let Some(far) = talk.far.and_then(|far| self.world.tables.fax(far)) {
            self.journal.write(now, Some(far.sid), event);
        }
        if talk.pages_done < pages {
            self.next_page(ordinal, &talk, now);
        } else {
            self.went_through(ordinal, &talk, now);
        }
    }

    pub(super) fn broke(&mut self, ordinal: Ordinal, talk: &Transmission, fault: &LineFault, now: Timestamp) {
        let far = talk.far;
        for ordinal in [Some(ordinal), far].into_iter().flatten() {
            let Some(fax) = self.world.tables.fax(ordinal) else { continue };
            let pages = fax.pages();
            // The received pages are stored first, because `end` replaces the phase that holds them.
            self.keep_part(ordinal, now);
            let failure = Some(Box::new(Failure {
                fault: fault.fault,
                detail: fault.text.clone(),
                pages_over: Some(talk.pages_done),
            }));
            let ended = Ended {
                status: Status::Failed,
                pages,
                duration_s: Some(seconds(talk.line_ms)),
                rate_bps: None,
                failure,
            };
            self.end(ordinal, ended, now);
        }
    }

    fn went_through(&mut self, ordinal: Ordinal, talk: &Transmission, now: Timestamp) {
        let (duration_s, rate_bps) = (Some(seconds(talk.line_ms)), Some(talk.line.rate_bps));
        let inbound = match self.sending(ordinal) {
            Some(sending) => {
                let pages = Some(sending.document.pages);
                self.end(ordinal, Ended { status: Status::Delivered, pages, duration_s, rate_bps, failure: None }, now);
                talk.far
            }
            None => Some(ordinal),
        };
        if let Some(inbound) = inbound {
            self.received(inbound, talk, now);
        }
    }

    /// Ends an inbound fax as received, after its last page.
    fn received(&mut self, ordinal: Ordinal, talk: &Transmission, now: Timestamp) {
        let Some(fax) = self.world.tables.fax(ordinal) else {
            never!(self, ordinal, now, "the last page was received, but the fax doesn't exist")
        };
        let (Phase::Receiving(receiving), Leg::Inbound(acceptance)) = (&fax.phase, &fax.leg) else {
            never!(self, ordinal, now, "the last page was received, but the fax isn't in the receiving phase")
        };
        let document = receiving.document.clone();
        let pages = Some(document.pages);
        let (duration_s, rate_bps) = (Some(seconds(talk.line_ms)), Some(talk.line.rate_bps));
        // Stored first, so that the final notice can name the media.
        if acceptance.store_media {
            self.store_media(ordinal, document, now);
        }
        self.end(ordinal, Ended { status: Status::Received, pages, duration_s, rate_bps, failure: None }, now);
    }

    /// Keeps the pages received before the call dropped, as a fax machine does, if the fax's media are to be stored.
    pub(super) fn keep_part(&mut self, ordinal: Ordinal, now: Timestamp) {
        let Some(fax) = self.world.tables.fax(ordinal) else {
            never!(self, ordinal, now, "a call has dropped, but the fax doesn't exist")
        };
        // The sending end has no pages to keep.
        let (Phase::Receiving(receiving), Leg::Inbound(acceptance)) = (&fax.phase, &fax.leg) else { return };
        // A page that never arrived has no bytes in the file, and a file without any page isn't stored.
        let anything = receiving.document.sheets.iter().any(|sheet| !sheet.place.is_empty());
        if acceptance.store_media && anything {
            let document = receiving.document.clone();
            self.store_media(ordinal, document, now);
        }
    }
}

/// Returns the line time of the next page, or of the part of it before the call breaks, in milliseconds.
pub(super) fn next_page_ms(document: &Document, talk: &Transmission) -> u64 {
    let last = document.pages.saturating_sub(1);
    // If a fault is due only after the last page, the call breaks during the last page.
    let breaks = talk.fault.as_ref().is_some_and(|fault| fault.after_pages.min(last) == talk.pages_done);
    if breaks { line::BREAK_MS } else { line::page_ms(document, talk.pages_done, talk.line) }
}

/// Converts milliseconds of line time to whole seconds, rounded up, as in the `duration` of a fax.
pub(super) fn seconds(line_ms: u64) -> u32 {
    u32::try_from(line_ms.div_ceil(1_000)).unwrap_or(u32::MAX)
}
