//! Status notices to apps, which are sent one at a time and in order for each fax.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::Engine;
use crate::engine::agenda::Ordinal;
use crate::engine::effect::{Intent, Notice};
use crate::engine::event::{AlertLevel, EventKind, RuledWebhook};
use crate::engine::faults::never;
use crate::engine::fax::{Fax, Leg, NotifyTarget};
use crate::engine::phase::Phase;
use crate::engine::rulebook::QUESTIONS;
use crate::engine::webhooks::{TokenPlace, WebhookPlan, keep_cookies, token};
use crate::model::account::{CallbackPolicy, Dialect};
use crate::model::fax::Status;
use crate::model::media::Document;
use crate::model::sid::FaxSid;
use crate::model::time::Timestamp;
use crate::model::webhook::{ActingRule, Attempt, Cookie, ExchangeRecord, Method, Purpose, RuleMark, Signature};

/// The undelivered notices of one fax.
#[derive(Debug, Clone, Default)]
pub(in crate::engine) struct Outgoing {
    /// The fax's ordinal, which identifies the fax even after its deletion.
    pub(in crate::engine) ordinal: Ordinal,
    pub(in crate::engine) queue: VecDeque<Queued>,
    /// The notice being sent, or about to be sent again.
    pub(in crate::engine) under_way: Option<Arc<Notice>>,
    /// The number of notices so far, which is the place of the next one.
    pub(in crate::engine) numbered: u64,
    /// The cookies that the app set in earlier exchanges about this fax.
    pub(in crate::engine) cookies: Vec<Cookie>,
    /// The latest status whose notice the app has accepted.
    pub(in crate::engine) notified_of: Option<Status>,
}

/// A notice that waits for its turn, and the plan for sending it.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Queued {
    pub(in crate::engine) notice: Arc<Notice>,
    /// The notice's place among all notices about its fax, counted from 0.
    pub(in crate::engine) place: u64,
    pub(in crate::engine) plan: WebhookPlan,
}

impl Outgoing {
    /// Returns the state of a fax without any notices.
    pub(in crate::engine) fn of(ordinal: Ordinal) -> Self {
        Self { ordinal, ..Self::default() }
    }

    /// Moves the earliest sending time of each notice that a rule acts on by `span`.
    pub(in crate::engine) fn postpone(&mut self, span: Duration) {
        for queued in &mut self.queue {
            if let WebhookPlan::Ruled { not_before, .. } = &mut queued.plan {
                *not_before = not_before.after(span);
            }
        }
    }

    /// Returns the number of waiting notices, not counting the one under way.
    pub(in crate::engine) fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Returns whether no notice is waiting or under way.
    pub(in crate::engine) fn is_done(&self) -> bool {
        self.queue.is_empty() && self.under_way.is_none()
    }
}

impl Engine {
    /// Notifies the StatusCallback of an outbound fax, if the create call or, by default, the world's policy selects
    /// the fax's status.
    pub(in crate::engine) fn notify_status(&mut self, ordinal: Ordinal, now: Timestamp) {
        let Some(fax) = self.world.tables.fax(ordinal) else {
            never!(self, ordinal, now, "a status notice is due, but the fax doesn't exist")
        };
        let Leg::Outbound(order) = &fax.leg else {
            never!(self, ordinal, now, "the status notice of an outbound fax is due, but the fax is inbound")
        };
        let status = fax.status();
        let wanted = match (order.callback_statuses, self.options().callbacks) {
            (Some(statuses), _) => statuses.contains(status),
            (None, CallbackPolicy::All) => true,
            (None, CallbackPolicy::QueuedAndFinal) => status == Status::Queued || status.is_final(),
            (None, CallbackPolicy::Final) => status.is_final(),
        };
        let Some(url) = order.status_callback.clone().filter(|_| wanted) else {
            if status.is_final() {
                // An earlier notice may be waiting to swap places with a later one. None follows, so it is sent now.
                let sid = fax.sid;
                self.notify_next(sid, now);
            }
            return;
        };
        let mut notice = notice(fax, Purpose::StatusCallback, url, order.callback_method);
        // Only a machine that picked up has sent its station id. A duration alone doesn't prove that the machine picked
        // up, since a fax that ended as no-answer has a duration, too.
        let answered = fax.duration_s().is_some() && matches!(status, Status::Delivered | Status::Failed);
        notice.remote_station_id = answered.then(|| fax.to.to_string().into());
        notice.original_media_url = Some(Arc::clone(&order.media_url));
        notice.pages = fax.pages().filter(|_| status == Status::Delivered);
        self.notify(ordinal, fax.sid, notice, now);
    }

    /// Notifies an app when an inbound fax has ended; its other statuses cause no notice.
    pub(in crate::engine) fn notify_end(&mut self, ordinal: Ordinal, before: Option<&Phase>, now: Timestamp) {
        let Some(fax) = self.world.tables.fax(ordinal) else {
            never!(self, ordinal, now, "a notice of the fax's end is due, but the fax doesn't exist")
        };
        let Leg::Inbound(acceptance) = &fax.leg else {
            never!(self, ordinal, now, "a notice of an inbound fax's end is due, but the fax is outbound")
        };
        if !fax.status().is_final() {
            return;
        }
        let (purpose, url, method) = match &acceptance.notify {
            NotifyTarget::Action(url, method) => (Purpose::Action, url.clone(), *method),
            NotifyTarget::StatusCallback(url, method) => (Purpose::StatusCallback, url.clone(), *method),
            NotifyTarget::Nobody => {
                // No notice follows, so the cookies that the app set when it was asked would otherwise stay here for
                // ever.
                self.world.outgoing.remove(&fax.sid);
                return;
            }
        };
        let received = fax.status() == Status::Received;
        let mut notice = notice(fax, purpose, url, method);
        notice.remote_station_id = Some(acceptance.station_id.clone()).filter(|id| !id.is_empty());
        notice.pages = fax.pages().filter(|_| received);
        // Pages received before a break are not posted: a notice contains a document only if the fax was received.
        notice.attachment = before.filter(|_| received && !acceptance.store_media).and_then(incoming_document);
        self.notify(ordinal, fax.sid, notice, now);
    }

    fn notify(&mut self, ordinal: Ordinal, sid: FaxSid, notice: Notice, now: Timestamp) {
        let plan = self.first_plan(ordinal, now);
        let outgoing = self.world.outgoing.entry(sid).or_insert_with(|| Outgoing::of(ordinal));
        let place = outgoing.numbered;
        outgoing.numbered += 1;
        if let Some(outgoing) = self.world.outgoing.get_mut(&sid) {
            outgoing.queue.push_back(Queued { notice: Arc::new(notice), place, plan });
        }
        self.notify_next(sid, now);
    }

    pub(in crate::engine) fn decide_notices(&mut self, sid: FaxSid, now: Timestamp) {
        let waiting = self.world.outgoing.get(&sid).map_or(0, Outgoing::waiting);
        // Iterates by index, because a decision needs the whole engine.
        for at in 0..waiting {
            let queued = self.world.outgoing.get(&sid).and_then(|outgoing| outgoing.queue.get(at));
            let Some(queued) = queued.filter(|queued| queued.plan == WebhookPlan::Undecided).cloned() else { continue };
            let Queued { notice, place, .. } = queued;
            let (from, to) = (notice.from.to_string(), notice.to.to_string());
            let fax = (notice.direction, from.as_str(), to.as_str());
            let place = QUESTIONS + place;
            let webhook = RuledWebhook { purpose: notice.purpose, status: Some(notice.status) };
            let decided = self.rules_of_webhook(sid, (webhook, &notice.url), fax, place, now);
            if let Some(queued) = self.world.outgoing.get_mut(&sid).and_then(|outgoing| outgoing.queue.get_mut(at)) {
                queued.plan = WebhookPlan::of(decided, now);
            }
        }
    }

    /// Sends the next notice unless one is under way, and forgets the fax when no notice can follow.
    pub(in crate::engine) fn notify_next(&mut self, sid: FaxSid, now: Timestamp) {
        // A deleted fax enters no further status.
        let is_last = self.fax(sid).map_or(true, |fax| fax.status().is_final());
        let ids = *self.ids.seed();
        let Some(outgoing) = self.world.outgoing.get_mut(&sid).filter(|outgoing| outgoing.under_way.is_none()) else {
            return;
        };
        let ordinal = outgoing.ordinal;
        match outgoing.take_next(is_last, now, &|place| token(&ids, sid, TokenPlace::Notice(place))) {
            Next::Send(notice) => {
                self.check_overrides(sid, notice.purpose, &notice.url, now);
                if let Some(outgoing) = self.world.outgoing.get_mut(&sid) {
                    outgoing.under_way = Some(notice);
                }
                self.notify_again(sid);
            }
            Next::At(not_before) => self.set_webhook_alarm(ordinal, not_before),
            // This method is called again when another notice is queued or the rules have decided.
            Next::Waits => {}
            Next::Nothing if is_last => drop(self.world.outgoing.remove(&sid)),
            // The fax's cookies are kept for the notice of its next status.
            Next::Nothing => {}
        }
    }

    /// Sends the notice under way, for the first time or again.
    pub(in crate::engine) fn notify_again(&mut self, sid: FaxSid) {
        // A reset or the end of the fax may have removed the notice.
        let Some(outgoing) = self.world.outgoing.get_mut(&sid) else { return };
        let Some(notice) = &mut outgoing.under_way else { return };
        // Filled in only now, because responses may have set more cookies since the notice was queued.
        Arc::make_mut(notice).cookies.clone_from(&outgoing.cookies);
        let again = Box::new(Notice::clone(notice));
        self.issue(sid, Intent::Deliver(again));
    }

    pub(in crate::engine) fn notice_answered(
        &mut self,
        sid: FaxSid,
        record: ExchangeRecord,
        cookies: Vec<Cookie>,
        now: Timestamp,
    ) {
        let record = Arc::new(record);
        self.journal.write(now, Some(sid), EventKind::WebhookAttempt { record: Arc::clone(&record) });
        if record.failure.is_some() && self.retry_notice(sid, &record, now) {
            self.keep_cookies_of(sid, cookies);
            return;
        }
        if record.failure.is_none()
            && let Some(outgoing) = self.world.outgoing.get_mut(&sid)
        {
            outgoing.notified_of = outgoing.under_way.as_ref().map(|notice| notice.status);
        }
        if let Some(failure) = &record.failure {
            let text = format!("{}: {failure}", record.purpose.as_str());
            self.alert(Some(sid), (failure.fault(), AlertLevel::Error), &text, Some(Arc::clone(&record)), now);
            // A deleted fax has no count, but its notices are still sent.
            if let Some(fax) = self.world.tables.ordinal(sid).and_then(|ordinal| self.world.tables.fax_mut(ordinal)) {
                fax.count_failed_notice(&record, failure.fault());
            }
            // Before `notice_done`, which removes the notice that is copied here.
            self.notify_fallback(sid, now);
        }
        self.notice_done(sid, cookies, now);
    }

    /// Queues a copy of the failed notice for the number's fallback URL, if the notice was for an action and the
    /// dialect is SignalWire. Twilio has no fallback for actions.
    fn notify_fallback(&mut self, sid: FaxSid, now: Timestamp) {
        let under_way = self.world.outgoing.get(&sid).and_then(|outgoing| outgoing.under_way.clone());
        let Some(failed) = under_way.filter(|notice| notice.purpose == Purpose::Action) else { return };
        let urls = match self.account.dialect {
            Dialect::Twilio => None,
            Dialect::SignalWire => failed.to.number().and_then(|number| self.voice_urls(number)),
        };
        let Some(fallback) = urls.map(|urls| urls.fallback).filter(|fallback| !fallback.url.is_empty()) else { return };
        let Some(ordinal) = self.world.outgoing.get(&sid).map(|outgoing| outgoing.ordinal) else { return };
        let notice = Notice {
            purpose: Purpose::FallbackUrl,
            url: fallback.url,
            method: fallback.method,
            attempt: Attempt::FIRST,
            signature: Signature::Good,
            by_rule: None,
            idempotency_token: Box::default(),
            ..Arc::unwrap_or_clone(failed)
        };
        self.notify(ordinal, sid, notice, now);
    }

    /// Ends the notice under way, delivered or not, so that the next one can be sent.
    pub(in crate::engine) fn notice_done(&mut self, sid: FaxSid, cookies: Vec<Cookie>, now: Timestamp) {
        let Some(outgoing) = self.world.outgoing.get_mut(&sid) else { return };
        outgoing.under_way = None;
        keep_cookies(&mut outgoing.cookies, cookies);
        self.notify_next(sid, now);
    }
}

/// The next step for a fax's notices.
enum Next {
    /// Send this notice now.
    Send(Arc<Notice>),
    /// Wait until this time for a notice that a rule delays.
    At(Timestamp),
    /// Wait for the rules' decision, or for another notice to swap places with.
    Waits,
    /// Do nothing, because the queue is empty.
    Nothing,
}

impl Outgoing {
    /// Takes the next notice whose plan allows it to be sent; `is_last` means that the fax will have no further
    /// notices. The token is assigned here and not when a notice is queued, so that a notice that waits in a snapshot
    /// gets a new token after each restore.
    fn take_next(&mut self, is_last: bool, now: Timestamp, token_of: &dyn Fn(u64) -> Box<str>) -> Next {
        loop {
            // Saturates, because the queue may be empty.
            let others = self.queue.len().saturating_sub(1);
            // A notice isn't held back if the next one has already been held back for it, because the two would only
            // swap places again.
            let has_overtaken = self
                .queue
                .get(1)
                .is_some_and(|next| next.notice.by_rule.as_ref().is_some_and(|mark| mark.is_reordered));
            let Some(first) = self.queue.front_mut() else { return Next::Nothing };
            let place = first.place;
            let WebhookPlan::Ruled { not_before, fault, rule } = &mut first.plan else {
                if first.plan == WebhookPlan::Undecided {
                    return Next::Waits;
                }
                let named = |queued: Queued| Next::Send(with_token(queued.notice, place, token_of));
                return self.queue.pop_front().map_or(Next::Nothing, named);
            };
            if *not_before > now {
                return Next::At(*not_before);
            }
            if fault.drop {
                self.queue.pop_front();
            } else if fault.reorder && others > 0 && !has_overtaken {
                // Cleared, so that the notice is sent when it comes to the front again.
                fault.reorder = false;
                mark(&mut first.notice, *rule).is_reordered = true;
                self.queue.swap(0, 1);
            } else if fault.reorder && others == 0 && !is_last {
                return Next::Waits;
            } else {
                first.notice = with_token(Arc::clone(&first.notice), place, token_of);
                let by_rule = mark(&mut first.notice, *rule);
                by_rule.held_ms = fault.delay_ms;
                by_rule.edits.clone_from(&fault.edits);
                let mut notice = Arc::clone(&first.notice);
                Arc::make_mut(&mut notice).signature = fault.signature;
                if fault.duplicate {
                    // The notice stays at the front, so the next `take_next` returns it again.
                    fault.duplicate = false;
                    // A late duplicate lets the next notice pass, as a notice that is reordered does.
                    fault.reorder = std::mem::take(&mut fault.late);
                    mark(&mut first.notice, *rule).is_duplicate = true;
                } else {
                    self.queue.pop_front();
                }
                return Next::Send(notice);
            }
        }
    }
}

/// Returns the mark of the rule that acts on a notice, creating it if necessary.
fn mark(notice: &mut Arc<Notice>, rule: Option<ActingRule>) -> &mut RuleMark {
    Arc::make_mut(notice).by_rule.get_or_insert(RuleMark::of(rule))
}

/// Gives the notice its token, unless it already has one: a duplicate has the same token as the original.
fn with_token(mut notice: Arc<Notice>, place: u64, token_of: &dyn Fn(u64) -> Box<str>) -> Arc<Notice> {
    if notice.idempotency_token.is_empty() {
        Arc::make_mut(&mut notice).idempotency_token = token_of(place);
    }
    notice
}

/// Returns a notice with the fields that all notices of a fax share.
fn notice(fax: &Fax, purpose: Purpose, url: Box<str>, method: Method) -> Notice {
    Notice {
        purpose,
        url,
        method,
        status: fax.status(),
        direction: fax.direction(),
        from: fax.from.clone(),
        to: fax.to.clone(),
        remote_station_id: None,
        original_media_url: None,
        pages: None,
        rate_bps: fax.rate_bps(),
        media: fax.media.as_ref().map(|media| (media.sid, media.document.media_type)),
        media_stored: fax.media.as_ref().map(|media| media.created),
        attachment: None,
        failure: fax.failure().cloned(),
        origin: Arc::clone(&fax.origin),
        cookies: Vec::new(),
        attempt: Attempt::FIRST,
        signature: Signature::Good,
        by_rule: None,
        idempotency_token: Box::default(),
    }
}

fn incoming_document(phase: &Phase) -> Option<Document> {
    match phase {
        Phase::Receiving(receiving) => Some(receiving.document.clone()),
        Phase::Queued | Phase::Processing(_) | Phase::Sending(_) | Phase::Ended(_) => None,
    }
}
