//! Sending a fax: from create over fetching, calling and pages to its outcome. It never touches the network.

use std::sync::Arc;
use std::time::Duration;

use super::Engine;
use super::agenda::{AlarmKind, Ordinal};
use super::effect::Intent;
use super::input::{CreateFax, DocumentFault, LineFault, Reply};
use super::journal::{AlertLevel, EventKind};
use super::line;
use super::phase::{CallStep, Ended, Phase, Processing, Sending, Transmission, Verdict};
use super::rule::LineWish;
use super::tables::{Fax, Leg, Luck, Order, Ttl, media_of};
use crate::model::account::Accounts;
use crate::model::fax::Status;
use crate::model::line::Line;
use crate::model::media::Document;
use crate::model::phone::Party;
use crate::model::refusal::Refusal;
use crate::model::sid::{FaxSid, MediaSid};
use crate::model::time::Timestamp;
use crate::model::webhook::ExchangeRecord;

/// What a number of this world did when it was called.
pub(super) enum FarAnswer {
    /// `<Receive>`: a fax is about to take it.
    PicksUp,
    /// This fax takes it, and so the pages go over the line.
    Takes(Ordinal, Transmission),
    /// The receiving fax has failed.
    Fails(u32),
    /// `<Reject>`.
    Busy,
    /// Voice mode, no VoiceUrl, or no usable TwiML.
    NoAnswer,
}

impl Engine {
    pub(super) fn create_fax(&mut self, order: CreateFax, now: Timestamp) -> Result<Reply, Refusal> {
        if line::is_refused(&order.to) {
            return Err(Refusal::InvalidTo(order.to));
        }
        self.check_room()?;
        let from = self.caller(&order, now)?;
        let ordinal = self.take_ordinal();
        let sid = FaxSid::from_bytes(self.ids.seed().sid_bytes("fax", b"", self.next_order));
        let luck = Luck(self.next_order);
        self.next_order += 1;
        let leg = Leg::Outbound(Box::new(Order {
            media_url: order.media_url,
            status_callback: order.status_callback,
            store_media: order.store_media,
            ttl: order.ttl_minutes.map(|minutes| Ttl { minutes, ends: now.after(minutes_of(minutes)) }),
        }));
        let fax = Fax {
            sid,
            ordinal,
            from,
            to: order.to,
            quality: order.quality,
            created: now,
            updated: now,
            media: None,
            origin: self.tables.shared_origin(order.origin),
            leg,
            phase: Phase::Queued,
            luck,
        };
        self.tables.insert_fax(fax);
        self.entered(ordinal, None, now);
        self.set_alarm(ordinal, AlarmKind::Start, 0, now);
        Ok(Reply::Fax(sid))
    }

    pub(super) fn cancel_fax(&mut self, sid: FaxSid, now: Timestamp) -> Result<Reply, Refusal> {
        let fax = self.fax(sid).map_err(|_| self.refusal_of(sid, Refusal::TooLateToCancel(sid)))?;
        let (ordinal, pages) = (fax.ordinal, fax.pages());
        match &fax.phase {
            Phase::Queued | Phase::Processing(Processing::Fetching | Processing::Converting(_)) => {}
            Phase::Processing(Processing::Ringing { far, .. }) => {
                let far = *far;
                self.hang_up(far, now);
            }
            Phase::Sending(_) | Phase::Receiving(_) | Phase::Ended(_) => return Err(Refusal::TooLateToCancel(sid)),
        }
        self.end(ordinal, Ended { status: Status::Canceled, pages, duration_s: None, error: None }, now);
        Ok(Reply::Fax(sid))
    }

    pub(super) fn delete_fax(&mut self, sid: FaxSid) -> Result<Reply, Refusal> {
        let fax = self.fax(sid).map_err(|_| self.refusal_of(sid, Refusal::StillActive(sid)))?;
        if !fax.status().is_final() {
            return Err(Refusal::StillActive(sid));
        }
        let ordinal = fax.ordinal;
        if let Some(fax) = self.tables.remove_fax(ordinal) {
            self.retention.forget(fax.ordinal);
        }
        Ok(Reply::Done)
    }

    pub(super) fn delete_media(&mut self, sid: FaxSid, media: MediaSid, now: Timestamp) -> Result<Reply, Refusal> {
        let fax = self.fax(sid)?;
        media_of(fax, media).ok_or(Refusal::NoMedia(media))?;
        if !fax.status().is_final() {
            return Err(Refusal::StillActive(sid));
        }
        let ordinal = fax.ordinal;
        self.drop_media(ordinal, now);
        Ok(Reply::Done)
    }

    /// The fax leaves the queue: its document is asked for.
    pub(super) fn start(&mut self, ordinal: Ordinal, now: Timestamp) {
        let Some((fax, order)) = self.order(ordinal) else { return };
        let (sid, quality, url) = (fax.sid, fax.quality, Arc::clone(&order.media_url));
        let documents = self.rules().documents;
        self.enter(ordinal, Phase::Processing(Processing::Fetching), now);
        self.issue(sid, Intent::FetchDocument { url, quality, documents });
    }

    pub(super) fn document_fetched(
        &mut self,
        sid: FaxSid,
        record: ExchangeRecord,
        document: Result<Document, DocumentFault>,
        now: Timestamp,
    ) {
        let record = Arc::new(record);
        let told = match &document {
            Ok(document) => Ok((document.pages, document.bytes.len())),
            Err(DocumentFault::Fetch(failure)) => Err(failure.to_string().into()),
            Err(DocumentFault::Unreadable(unreadable)) => Err(unreadable.reason.as_str().into()),
        };
        let kind = EventKind::DocumentFetched { record: Arc::clone(&record), document: told };
        self.journal.write(now, Some(sid), kind);
        let Some(ordinal) = self.tables.ordinal(sid) else { return };
        let Some(fax) = self.tables.fax(ordinal) else { return };
        let Phase::Processing(Processing::Fetching) = fax.phase else { return };
        match document {
            Ok(document) => {
                self.write_losses(sid, &document, now);
                if self.order(ordinal).is_some_and(|(_, order)| order.store_media) {
                    self.store_media(ordinal, document.clone(), now);
                }
                if let Some(fax) = self.tables.fax_mut(ordinal) {
                    fax.phase = Phase::Processing(Processing::Converting(Box::new(document)));
                }
                self.set_alarm(ordinal, AlarmKind::Dial, line::CONVERT_MS, now);
            }
            Err(fault) => {
                let (code, text) = match fault {
                    DocumentFault::Fetch(failure) => (failure.code(), failure.to_string()),
                    DocumentFault::Unreadable(unreadable) => (line::CODE_TRANSMISSION, unreadable.reason),
                };
                let message = format!("MediaUrl: {text}");
                self.alert(Some(sid), (code, AlertLevel::Error), &message, Some(record), now);
                let error = Some(Box::new((code, message.into())));
                self.end(ordinal, Ended { status: Status::Failed, pages: None, duration_s: None, error }, now);
            }
        }
    }

    /// Calls the far end, for the first time or again. What happens there is decided here, at a deadline.
    pub(super) fn dial(&mut self, ordinal: Ordinal, now: Timestamp) {
        let Some(fax) = self.tables.fax(ordinal) else { return };
        let (document, calls) = match &fax.phase {
            Phase::Processing(Processing::Converting(document)) => (Document::clone(document), 1),
            Phase::Sending(sending) => (sending.document.clone(), sending.calls + 1),
            Phase::Queued | Phase::Processing(_) | Phase::Receiving(_) | Phase::Ended(_) => return,
        };
        let own = fax.to.number().filter(|number| self.numbers.by_number(*number).is_some());
        let behaves = line::verdict(&fax.to, calls);
        let (outcome, wish) = self.rules_of_call(ordinal, calls, now);
        if let (None, Some(number)) = (outcome, own) {
            self.ring_own((ordinal, calls), number, document, wish, now);
            return;
        }
        let verdict = line::over(outcome.map_or(behaves, line::verdict_of), wish);
        let ring_ms = match verdict {
            Verdict::Answer { .. } => line::RING_MS,
            Verdict::Busy => line::BUSY_MS,
            Verdict::NoAnswer => line::NO_ANSWER_MS,
        };
        self.be_sending(ordinal, Sending { document, calls, step: CallStep::Ringing(verdict) }, now);
        self.set_alarm(ordinal, AlarmKind::RingEnd, ring_ms, now);
    }

    /// The far machine answers, is busy or doesn't pick up.
    pub(super) fn ring_end(&mut self, ordinal: Ordinal, now: Timestamp) {
        let Some(sending) = self.sending(ordinal) else { return };
        let CallStep::Ringing(verdict) = sending.step else { return };
        match verdict {
            Verdict::Answer { fault, line } => {
                let talk = Transmission { far: None, fault, line, pages_done: 0, line_ms: 0 };
                self.talk(ordinal, talk, now);
            }
            Verdict::Busy => self.call_failed(ordinal, Status::Busy, now),
            Verdict::NoAnswer => self.call_failed(ordinal, Status::NoAnswer, now),
        }
    }

    /// A number of this world has dealt with the call.
    pub(super) fn far_answered(&mut self, ordinal: Ordinal, answer: &FarAnswer, now: Timestamp) {
        let Some(fax) = self.tables.fax(ordinal) else { return };
        if let Phase::Processing(Processing::Ringing { document, .. }) = &fax.phase {
            let sending = Sending { document: Document::clone(document), calls: 1, step: CallStep::RingingOwn };
            self.enter(ordinal, Phase::Sending(Box::new(sending)), now);
        }
        match answer {
            FarAnswer::PicksUp => {}
            FarAnswer::Takes(far, talk) => self.talk(ordinal, Transmission { far: Some(*far), ..*talk }, now),
            FarAnswer::Fails(code) => {
                let talk = Transmission { far: None, fault: None, line: Line::default(), pages_done: 0, line_ms: 0 };
                self.broke(ordinal, talk, LineFault { code: *code, after_pages: 0 }, now);
            }
            FarAnswer::Busy => self.call_failed(ordinal, Status::Busy, now),
            FarAnswer::NoAnswer => self.call_failed(ordinal, Status::NoAnswer, now),
        }
    }

    /// A page, or the part of one after which the call breaks, has gone over the line: outbound or inbound.
    pub(super) fn page_end(&mut self, ordinal: Ordinal, now: Timestamp) {
        let Some(fax) = self.tables.fax_mut(ordinal) else { return };
        let sid = fax.sid;
        let talking = match &mut fax.phase {
            Phase::Sending(sending) => sending.talking(),
            Phase::Receiving(receiving) => receiving.talking(),
            Phase::Queued | Phase::Processing(_) | Phase::Ended(_) => None,
        };
        let Some((document, talk)) = talking else { return };
        let pages = document.pages;
        let page_ms = line::page_ms(document, talk.pages_done, talk.line);
        let sheet = usize::try_from(talk.pages_done).ok().and_then(|page| document.sheets.get(page));
        let bits = sheet.map(|sheet| talk.line.bits(&sheet.bits));
        let broken = talk.fault.filter(|fault| fault.after_pages.min(pages.saturating_sub(1)) == talk.pages_done);
        if let Some(fault) = broken {
            talk.line_ms += line::BREAK_MS;
            let talk = *talk;
            self.broke(ordinal, talk, fault, now);
            return;
        }
        talk.pages_done += 1;
        talk.line_ms += page_ms;
        let talk = *talk;
        let event = EventKind::FaxPage { page: talk.pages_done, pages, line: talk.line, bits, line_ms: page_ms };
        self.journal.write(now, Some(sid), event.clone());
        if let Some(far) = talk.far.and_then(|far| self.tables.fax(far)) {
            self.journal.write(now, Some(far.sid), event);
        }
        if talk.pages_done < pages {
            self.next_page(ordinal, talk, now);
        } else {
            self.went_through(ordinal, talk, now);
        }
    }

    /// Sets the alarm for the next page, or for the break in it.
    pub(super) fn next_page(&mut self, ordinal: Ordinal, talk: Transmission, now: Timestamp) {
        let document = self.tables.fax(ordinal).and_then(|fax| match &fax.phase {
            Phase::Sending(sending) => Some(&sending.document),
            Phase::Receiving(receiving) => Some(&receiving.document),
            Phase::Queued | Phase::Processing(_) | Phase::Ended(_) => None,
        });
        let Some(document) = document else { return };
        let last = document.pages.saturating_sub(1);
        let breaks = talk.fault.is_some_and(|fault| fault.after_pages.min(last) == talk.pages_done);
        let line_ms = if breaks { line::BREAK_MS } else { line::page_ms(document, talk.pages_done, talk.line) };
        self.set_alarm(ordinal, AlarmKind::Page, line_ms, now);
    }

    fn broke(&mut self, ordinal: Ordinal, talk: Transmission, fault: LineFault, now: Timestamp) {
        let far = talk.far;
        for ordinal in [Some(ordinal), far].into_iter().flatten() {
            let Some(fax) = self.tables.fax(ordinal) else { continue };
            let pages = fax.pages();
            self.keep_part(ordinal, now);
            let error = Some(Box::new((fault.code, line::text(fault.code).into())));
            let ended = Ended { status: Status::Failed, pages, duration_s: Some(seconds(talk.line_ms)), error };
            self.end(ordinal, ended, now);
        }
    }

    fn went_through(&mut self, ordinal: Ordinal, talk: Transmission, now: Timestamp) {
        let duration_s = Some(seconds(talk.line_ms));
        let inbound = match self.sending(ordinal) {
            Some(sending) => {
                let pages = Some(sending.document.pages);
                self.end(ordinal, Ended { status: Status::Delivered, pages, duration_s, error: None }, now);
                talk.far
            }
            None => Some(ordinal),
        };
        if let Some(inbound) = inbound {
            self.received(inbound, duration_s, now);
        }
    }

    /// A call that came to nothing: another within the Ttl, or the end.
    fn call_failed(&mut self, ordinal: Ordinal, status: Status, now: Timestamp) {
        let Some(fax) = self.tables.fax(ordinal) else { return };
        let Phase::Sending(sending) = &fax.phase else { return };
        if self.may_redial(fax, sending.calls, now) {
            if let Some(Phase::Sending(sending)) = self.tables.fax_mut(ordinal).map(|fax| &mut fax.phase) {
                sending.step = CallStep::Waiting;
            }
            self.set_alarm(ordinal, AlarmKind::Redial, line::REDIAL_MS, now);
            return;
        }
        let pages = Some(sending.document.pages);
        let (code, duration_s) = if status == Status::NoAnswer {
            (line::CODE_NO_ANSWER, Some(seconds(line::NO_ANSWER_MS)))
        } else {
            (line::CODE_BUSY, None)
        };
        let error = Some(Box::new((code, line::text(code).into())));
        self.end(ordinal, Ended { status, pages, duration_s, error }, now);
    }

    /// Whether the next call would still fall within the Ttl.
    fn may_redial(&self, fax: &Fax, calls: u32, now: Timestamp) -> bool {
        let Leg::Outbound(order) = &fax.leg else { return false };
        let Some(ttl) = order.ttl else { return line::redials_unasked(&fax.to, calls) };
        let wait = self.rules().pace.scale(Duration::from_millis(line::REDIAL_MS));
        calls <= ttl.minutes.min(line::CALLS_MAX) && now.after(wait) <= ttl.ends
    }

    fn talk(&mut self, ordinal: Ordinal, talk: Transmission, now: Timestamp) {
        if let Some(Phase::Sending(sending)) = self.tables.fax_mut(ordinal).map(|fax| &mut fax.phase) {
            sending.step = CallStep::Talking(talk);
            self.next_page(ordinal, talk, now);
        }
    }

    /// Notes that a number of this world rings, and asks its app.
    fn ring_own(
        &mut self,
        (ordinal, calls): (Ordinal, u32),
        number: crate::model::phone::PhoneNumber,
        document: Document,
        line: LineWish,
        now: Timestamp,
    ) {
        let far = self.take_ordinal();
        if let Some(fax) = self.tables.fax_mut(ordinal) {
            fax.phase = match &fax.phase {
                Phase::Sending(_) => {
                    Phase::Sending(Box::new(Sending { document: document.clone(), calls, step: CallStep::RingingOwn }))
                }
                Phase::Queued | Phase::Processing(_) | Phase::Receiving(_) | Phase::Ended(_) => {
                    Phase::Processing(Processing::Ringing { document: Box::new(document.clone()), far })
                }
            };
        }
        self.call_own_number((ordinal, calls), (far, number), document, line, now);
    }

    /// Enters `Sending`, or goes on within it.
    fn be_sending(&mut self, ordinal: Ordinal, sending: Sending, now: Timestamp) {
        let Some(fax) = self.tables.fax_mut(ordinal) else { return };
        if let Phase::Sending(current) = &mut fax.phase {
            **current = sending;
        } else {
            self.enter(ordinal, Phase::Sending(Box::new(sending)), now);
        }
    }

    /// Writes an event for each thing of a document that is missing on its fax pages.
    pub(super) fn write_losses(&mut self, sid: FaxSid, document: &Document, now: Timestamp) {
        for loss in document.losses.iter() {
            self.journal.write(now, Some(sid), EventKind::DocumentLoss(loss.clone()));
        }
    }

    fn caller(&mut self, order: &CreateFax, now: Timestamp) -> Result<Party, Refusal> {
        let Some(from) = order.from.clone() else {
            return match order.to {
                Party::Sip(_) => Ok(Party::Name("".into())),
                Party::Number(_) | Party::Name(_) => Err(Refusal::FromMissing),
            };
        };
        if line::is_refused(&from) {
            return Err(Refusal::InvalidFrom(from));
        }
        let Some(number) = from.number() else { return Ok(from) };
        if self.may_call(number) {
            return Ok(from);
        }
        match self.rules().accounts {
            Accounts::Strict => Err(Refusal::FromNotOwned(number)),
            Accounts::Open => {
                let seed = *self.ids.seed();
                self.add_caller_id(&seed, number, None, now)?;
                self.journal.write(now, None, EventKind::CallerIdAdopted { number });
                Ok(from)
            }
        }
    }

    fn order(&self, ordinal: Ordinal) -> Option<(&Fax, &Order)> {
        let fax = self.tables.fax(ordinal)?;
        match &fax.leg {
            Leg::Outbound(order) => Some((fax, order)),
            Leg::Inbound(_) => None,
        }
    }

    fn sending(&self, ordinal: Ordinal) -> Option<&Sending> {
        match &self.tables.fax(ordinal)?.phase {
            Phase::Sending(sending) => Some(sending),
            Phase::Queued | Phase::Processing(_) | Phase::Receiving(_) | Phase::Ended(_) => None,
        }
    }
}

fn minutes_of(minutes: u32) -> Duration {
    Duration::from_secs(u64::from(minutes) * 60)
}

/// Whole seconds, rounded up, as `duration` has them.
fn seconds(line_ms: u64) -> u32 {
    u32::try_from(line_ms.div_ceil(1_000)).unwrap_or(u32::MAX)
}
