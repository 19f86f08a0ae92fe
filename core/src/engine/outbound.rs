//! Sending a fax: creating it, fetching its document, calling, and handling the outcome of the call; also canceling a
//! fax, and deleting a fax or its media. The page transmission is in `transmission.rs`.

use std::sync::Arc;
use std::time::Duration;

use super::agenda::{Alarm, AlarmKind, Ordinal};
use super::effect::Intent;
use super::event::{AlertLevel, CallResult, EventKind};
use super::faults::never;
use super::fax::{Fax, Leg, Order, Ttl};
use super::input::{CancelFax, CreateFax, DeleteFax, DeleteMedia, DocumentFault};
use super::phase::{CallStep, Ended, Phase, Processing, Sending, Transmission, Verdict};
use super::random::Luck;
use super::tables::media_of;
use super::transmission::seconds;
use super::{Engine, line};
use crate::model::account::Dialect;
use crate::model::fault::{Failure, Fault};
use crate::model::fax::Status;
use crate::model::media::Document;
use crate::model::phone::Party;
use crate::model::refusal::Refusal;
use crate::model::sid::FaxSid;
use crate::model::time::Timestamp;
use crate::model::webhook::{ExchangeFailure, ExchangeRecord};

/// The time that a SignalWire fax spends in the queue, whatever the pace. SignalWire cancels only queued faxes, so
/// a new fax must remain queued while the clock is frozen.
const SIGNALWIRE_QUEUE: Duration = Duration::from_millis(1);
/// The advice in the alert for a document that may have been deleted too early.
const DELETED_HINT: &str = "; the app has already been notified of an earlier status: an app that deletes the \
    document on its first callback needs --callbacks final";
/// The response statuses that mean that a document no longer exists (RFC 9110 §15.5.5, §15.5.11).
const GONE: [u16; 2] = [404, 410];

impl Engine {
    pub(super) fn create_fax(&mut self, order: CreateFax, now: Timestamp) -> Result<FaxSid, Refusal> {
        if line::is_refused(&order.to) {
            return Err(Refusal::InvalidTo(order.to));
        }
        self.check_room()?;
        // Checked last, because it may adopt the caller and a refused command must change nothing.
        let from = self.caller(&order, now)?;
        let ordinal = self.take_ordinal();
        let sid = self.ids.seed().mint::<FaxSid>("fax", b"", self.world.next_order);
        // A reset restarts the counter: draws then repeat, but SIDs don't, because their seed has changed.
        let luck = Luck(self.world.next_order);
        self.world.next_order += 1;
        let leg = Leg::Outbound(Box::new(Order {
            media_url: order.media_url,
            status_callback: order.status_callback,
            callback_method: order.callback_method,
            callback_statuses: order.callback_statuses,
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
            origin: self.world.tables.shared_origin(order.origin),
            leg,
            phase: Phase::Queued,
            luck,
            failed_notices: None,
        };
        self.world.tables.insert_fax(fax);
        self.entered(ordinal, None, now);
        // `start` is left to an alarm, so that the fax is still queued in the create call's response.
        let leaves_queue = match self.account().dialect {
            Dialect::Twilio => now,
            Dialect::SignalWire => now.after(SIGNALWIRE_QUEUE),
        };
        self.world.agenda.set(Alarm { at: leaves_queue, ordinal, kind: AlarmKind::Start });
        Ok(sid)
    }

    pub(super) fn cancel_fax(&mut self, CancelFax(sid): CancelFax, now: Timestamp) -> Result<(), Refusal> {
        // Clients can already fetch an arriving fax, so the refusal says that it is too late to cancel, not that the
        // fax is unknown.
        let fax = self.fax(sid).map_err(|_| self.refusal_of(sid, Refusal::TooLateToCancel(sid)))?;
        let (ordinal, pages) = (fax.ordinal, fax.pages());
        match &fax.phase {
            // No call has been placed yet, so none has to be hung up.
            Phase::Queued | Phase::Processing(Processing::Fetching | Processing::Converting(_)) => {}
            Phase::Processing(Processing::Ringing { far, .. }) => {
                let far = *far;
                self.hang_up(far, now);
                // A fax that rings at a number of this world before it is sending is on its first call.
                let kind =
                    EventKind::CallAttempt { attempt: 1, outcome: CallResult::Canceled, retry_at: None, rule: None };
                self.journal.write(now, Some(sid), kind);
            }
            Phase::Sending(_) | Phase::Receiving(_) | Phase::Ended(_) => return Err(Refusal::TooLateToCancel(sid)),
        }
        self.end(
            ordinal,
            Ended { status: Status::Canceled, pages, duration_s: None, rate_bps: None, failure: None },
            now,
        );
        Ok(())
    }

    pub(super) fn delete_fax(&mut self, DeleteFax(sid): DeleteFax, _: Timestamp) -> Result<(), Refusal> {
        // As in `cancel_fax`, an arriving fax is not reported as unknown.
        let fax = self.fax(sid).map_err(|_| self.refusal_of(sid, Refusal::StillActive(sid)))?;
        if !fax.status().is_final() {
            return Err(Refusal::StillActive(sid));
        }
        let ordinal = fax.ordinal;
        // Waiting notices are not deleted with the fax: `outgoing` keeps them until they are sent.
        if let Some(fax) = self.world.tables.remove_fax(ordinal) {
            self.world.retention.forget(fax.ordinal);
        }
        Ok(())
    }

    pub(super) fn delete_media(&mut self, DeleteMedia(sid, media): DeleteMedia, now: Timestamp) -> Result<(), Refusal> {
        let fax = self.fax(sid)?;
        let stored = media_of(fax, media).ok_or(Refusal::NoMedia(media));
        // A dialect may show the document's id before the document is stored.
        if !fax.status().is_final() && (stored.is_ok() || media == self.media_sid(sid)) {
            return Err(Refusal::StillActive(sid));
        }
        stored?;
        let ordinal = fax.ordinal;
        self.drop_media(ordinal, now);
        Ok(())
    }

    /// Takes the fax off the queue and requests its document.
    pub(super) fn start(&mut self, ordinal: Ordinal, now: Timestamp) {
        let Some((fax, order)) = self.order(ordinal) else {
            never!(self, ordinal, now, "a fax should leave the queue, but it doesn't exist or isn't outbound")
        };
        let (sid, quality, url) = (fax.sid, fax.quality, Arc::clone(&order.media_url));
        let documents = self.options().documents;
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
        let summary = match &document {
            Ok(document) => Ok((document.pages, document.bytes.len())),
            Err(DocumentFault::Fetch(failure)) => Err(failure.to_string().into()),
            Err(DocumentFault::Unreadable(unreadable)) => Err(unreadable.reason.as_str().into()),
        };
        let kind = EventKind::DocumentFetched { record: Arc::clone(&record), document: summary };
        self.journal.write(now, Some(sid), kind);
        // The fax may have been canceled and even deleted while its document was being fetched.
        let Some(ordinal) = self.world.tables.ordinal(sid) else { return };
        let Some(fax) = self.world.tables.fax(ordinal) else { return };
        let Phase::Processing(Processing::Fetching) = fax.phase else { return };
        match document {
            Ok(document) => {
                self.write_losses(sid, &document, now);
                if self.order(ordinal).is_some_and(|(_, order)| order.store_media) {
                    self.store_media(ordinal, document.clone(), now);
                }
                // A step within `Processing`: clients see no status change, so there is no event and no callback.
                if let Some(fax) = self.world.tables.fax_mut(ordinal) {
                    fax.phase = Phase::Processing(Processing::Converting(Box::new(document)));
                }
                self.set_alarm(ordinal, AlarmKind::Dial, line::CONVERT_MS, now);
            }
            Err(fault) => {
                let hint = if self.may_have_been_deleted(sid, &fault) { DELETED_HINT } else { "" };
                let (fault, text) = match fault {
                    DocumentFault::Fetch(failure) => (failure.fault(), failure.to_string()),
                    DocumentFault::Unreadable(unreadable) => (Fault::Document, unreadable.reason),
                };
                let message = format!("MediaUrl: {text}");
                self.alert(Some(sid), (fault, AlertLevel::Error), &format!("{message}{hint}"), Some(record), now);
                let failure = Some(Box::new(Failure::with_detail(fault, message)));
                self.end(
                    ordinal,
                    Ended { status: Status::Failed, pages: None, duration_s: None, rate_bps: None, failure },
                    now,
                );
            }
        }
    }

    /// Returns whether the app may have deleted a missing document itself, because it was notified of a status before
    /// the document was fetched.
    fn may_have_been_deleted(&self, sid: FaxSid, fault: &DocumentFault) -> bool {
        let is_gone =
            matches!(fault, DocumentFault::Fetch(ExchangeFailure::HttpStatus(status)) if GONE.contains(status));
        let was_notified = self.world.outgoing.get(&sid).is_some_and(|outgoing| outgoing.notified_of.is_some());
        // The advice is about `--callbacks`, which doesn't apply to a fax that names its own statuses.
        let by_policy = self.world.tables.ordinal(sid).and_then(|ordinal| self.order(ordinal));
        is_gone && was_notified && by_policy.is_some_and(|(_, order)| order.callback_statuses.is_none())
    }

    /// Calls the far end, for the first time or again. What an outside machine does is decided here, at a deadline,
    /// because deadlines have a fixed order and responses do not.
    pub(super) fn dial(&mut self, ordinal: Ordinal, now: Timestamp) {
        let Some(fax) = self.world.tables.fax(ordinal) else {
            never!(self, ordinal, now, "a call is due, but the fax doesn't exist")
        };
        let (document, calls) = match &fax.phase {
            Phase::Processing(Processing::Converting(document)) => (Document::clone(document), 1),
            Phase::Sending(sending) => (sending.document.clone(), sending.calls + 1),
            Phase::Queued | Phase::Processing(_) | Phase::Receiving(_) | Phase::Ended(_) => {
                never!(self, ordinal, now, "a call is due in a phase that makes no calls")
            }
        };
        let own = fax.to.number().filter(|number| self.world.numbers.by_number(*number).is_some());
        let behaves = line::verdict(&fax.to, calls);
        // A call to a number of this world goes to the number's app, unless a rule decides the outcome.
        let (decided, line) = self.rules_of_call(ordinal, calls, now);
        if let (None, Some(number)) = (&decided, own) {
            self.ring_own((ordinal, calls), number, document, line, now);
            return;
        }
        let rule = decided.as_ref().map(|(id, _)| *id);
        let verdict = line::over(decided.map_or(behaves, |(_, outcome)| line::verdict_of(outcome)), line);
        let ring_ms = match verdict {
            Verdict::Answer { .. } => line::RING_MS,
            Verdict::Busy => line::BUSY_MS,
            Verdict::NoAnswer => line::NO_ANSWER_MS,
        };
        self.be_sending(ordinal, Sending { document, calls, step: CallStep::Ringing(verdict), rule }, now);
        self.set_alarm(ordinal, AlarmKind::RingEnd, ring_ms, now);
    }

    /// Ends the ringing: the far machine picks up, is busy or doesn't answer.
    pub(super) fn ring_end(&mut self, ordinal: Ordinal, now: Timestamp) {
        let Some(sending) = self.sending(ordinal) else {
            never!(self, ordinal, now, "ringing has ended, but the fax isn't in the sending phase")
        };
        let CallStep::Ringing(verdict) = sending.step.clone() else {
            never!(self, ordinal, now, "ringing has ended, but no call is ringing")
        };
        match verdict {
            Verdict::Answer { fault, line } => {
                let talk = Transmission { far: None, fault, line, pages_done: 0, line_ms: 0 };
                self.write_call(ordinal, CallResult::Connected, None, now);
                self.talk(ordinal, &talk, now);
            }
            Verdict::Busy => self.call_failed(ordinal, Status::Busy, now),
            Verdict::NoAnswer => self.call_failed(ordinal, Status::NoAnswer, now),
        }
    }

    /// Handles a call that didn't connect: schedules another one if a redial is allowed, or ends the fax.
    pub(super) fn call_failed(&mut self, ordinal: Ordinal, status: Status, now: Timestamp) {
        let Some(fax) = self.world.tables.fax(ordinal) else {
            never!(self, ordinal, now, "a call has failed, but the fax doesn't exist")
        };
        let Phase::Sending(sending) = &fax.phase else {
            never!(self, ordinal, now, "a call has failed, but the fax isn't in the sending phase")
        };
        // This must be the same wait as that of the alarm that is set below.
        let wait = self.options().pace.scale(Duration::from_millis(line::REDIAL_MS));
        let retry_at = self.may_redial(fax, sending.calls, now).then(|| now.after(wait));
        let pages = Some(sending.document.pages);
        let outcome = if status == Status::NoAnswer { CallResult::NoAnswer } else { CallResult::Busy };
        self.write_call(ordinal, outcome, retry_at, now);
        if retry_at.is_some() {
            if let Some(Phase::Sending(sending)) = self.world.tables.fax_mut(ordinal).map(|fax| &mut fax.phase) {
                sending.step = CallStep::Waiting;
            }
            self.set_alarm(ordinal, AlarmKind::Redial, line::REDIAL_MS, now);
            return;
        }
        // As recorded from Twilio, a busy call's duration is null, and a no-answer's is 15 (docs/fidelity.md, "The
        // line").
        let (fault, duration_s) = if status == Status::NoAnswer {
            (Fault::NoAnswer, Some(seconds(line::NO_ANSWER_MS)))
        } else {
            (Fault::Busy, None)
        };
        let failure = Some(Box::new(Failure::of_call(fault)));
        self.end(ordinal, Ended { status, pages, duration_s, rate_bps: None, failure }, now);
    }

    /// Journals the outcome of the current call of a fax that is being sent.
    pub(super) fn write_call(
        &mut self,
        ordinal: Ordinal,
        outcome: CallResult,
        retry_at: Option<Timestamp>,
        now: Timestamp,
    ) {
        let Some(fax) = self.world.tables.fax(ordinal) else { return };
        let Phase::Sending(sending) = &fax.phase else { return };
        let kind = EventKind::CallAttempt { attempt: sending.calls, outcome, retry_at, rule: sending.rule };
        let sid = fax.sid;
        self.journal.write(now, Some(sid), kind);
    }

    /// Returns whether another call follows. With a Ttl, that call must still start within it; without one, only a
    /// particular number is redialed.
    fn may_redial(&self, fax: &Fax, calls: u32, now: Timestamp) -> bool {
        // Only outbound faxes place calls.
        let Leg::Outbound(order) = &fax.leg else { return false };
        let Some(ttl) = order.ttl else { return line::redials_unasked(&fax.to, calls) };
        let wait = self.options().pace.scale(Duration::from_millis(line::REDIAL_MS));
        // At most one redial per minute of the Ttl, and `REDIALS_MAX` in all, even if more would fit at a fast pace.
        calls <= ttl.minutes.min(line::REDIALS_MAX) && now.after(wait) <= ttl.ends
    }

    /// Enters `Sending`. On a redial, the fax is already sending, so only the phase's data changes, not the status.
    fn be_sending(&mut self, ordinal: Ordinal, sending: Sending, now: Timestamp) {
        let Some(fax) = self.world.tables.fax_mut(ordinal) else {
            never!(self, ordinal, now, "sending should start, but the fax doesn't exist")
        };
        if let Phase::Sending(current) = &mut fax.phase {
            **current = sending;
        } else {
            self.enter(ordinal, Phase::Sending(Box::new(sending)), now);
        }
    }

    fn caller(&mut self, order: &CreateFax, now: Timestamp) -> Result<Party, Refusal> {
        let Some(from) = order.from.clone() else {
            return match order.to {
                // Only calls to a SIP URI need no caller.
                Party::Sip(_) => Ok(Party::Name("".into())),
                Party::Number(_) | Party::Name(_) => Err(Refusal::FromMissing),
            };
        };
        if line::is_refused(&from) {
            return Err(Refusal::InvalidFrom(from));
        }
        // Only telephone numbers must be owned or verified.
        let Some(number) = from.number() else { return Ok(from) };
        if self.may_call_or_adopt(number, now)? { Ok(from) } else { Err(Refusal::FromNotOwned(number)) }
    }

    fn order(&self, ordinal: Ordinal) -> Option<(&Fax, &Order)> {
        let fax = self.world.tables.fax(ordinal)?;
        match &fax.leg {
            Leg::Outbound(order) => Some((fax, order)),
            Leg::Inbound(_) => None,
        }
    }

    pub(super) fn sending(&self, ordinal: Ordinal) -> Option<&Sending> {
        match &self.world.tables.fax(ordinal)?.phase {
            Phase::Sending(sending) => Some(sending),
            Phase::Queued | Phase::Processing(_) | Phase::Receiving(_) | Phase::Ended(_) => None,
        }
    }
}

fn minutes_of(minutes: u32) -> Duration {
    Duration::from_secs(u64::from(minutes) * 60)
}
