//! Telling apps of statuses: in order per fax, never two at once for one fax. It never sends anything itself.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use serde::{Deserialize, Serialize};

use super::Engine;
use super::agenda::{Alarm, AlarmKind, Ordinal};
use super::effect::{Intent, Notice};
use super::input::AnswerOutcome;
use super::journal::{AlertLevel, EventKind};
use super::phase::Phase;
use super::random::WorldSeed;
use super::rule::WebhookFault;
use super::tables::{Fax, Leg, Told};
use crate::model::account::Callbacks;
use crate::model::fax::Status;
use crate::model::media::Document;
use crate::model::sid::FaxSid;
use crate::model::time::Timestamp;
use crate::model::webhook::{Attempt, Cookie, ExchangeRecord, Method, Purpose, Signature};

/// Cookies kept of one fax; an app that sets more has the oldest forgotten.
const COOKIES_MAX: usize = 50;

/// The place of a request among those of a fax; its idempotency token depends on it.
#[derive(Debug, Clone, Copy)]
pub(super) enum TokenPlace {
    /// The question to the FaxUrl.
    FaxUrl,
    /// The question to the fallback URL.
    Fallback,
    /// The n-th message.
    Notice(u64),
    /// The n-th alert, to the Debugger webhook.
    Alert(u64),
}

/// What is still to be told of one fax.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Outgoing {
    /// Whose it is, also when the fax is gone.
    pub(super) ordinal: Ordinal,
    queue: VecDeque<Queued>,
    /// The message that is being told, or about to be told again.
    pub(super) under_way: Option<Arc<Notice>>,
    told: u64,
    /// What the app set earlier in this fax.
    pub(super) cookies: Vec<Cookie>,
}

/// A message that waits, and what the rules have decided on it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Queued {
    notice: Arc<Notice>,
    /// Its place among the messages of its fax.
    place: u64,
    fate: Fate,
}

/// What the rules have decided on a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) enum Fate {
    /// Nothing yet: an alarm will have it decided.
    Undecided,
    /// It goes as any.
    Plain,
    /// It goes as a rule says.
    Ruled {
        /// Not earlier than this.
        not_before: Timestamp,
        /// What the rule says.
        fault: WebhookFault,
    },
}

impl Fate {
    /// The fate that a rule's decision at this moment brings.
    pub(super) fn of(fault: Option<WebhookFault>, now: Timestamp) -> Self {
        let not_before = |fault: &WebhookFault| now.after(Duration::from_millis(fault.delay_ms));
        fault.map_or(Self::Plain, |fault| Self::Ruled { not_before: not_before(&fault), fault })
    }
}

impl Outgoing {
    /// Of a fax of which nothing has been told yet.
    pub(super) fn of(ordinal: Ordinal) -> Self {
        Self { ordinal, ..Self::default() }
    }

    /// Puts off by `span` what waits for its time.
    pub(super) fn postpone(&mut self, span: Duration) {
        for queued in &mut self.queue {
            if let Fate::Ruled { not_before, .. } = &mut queued.fate {
                *not_before = not_before.after(span);
            }
        }
    }

    /// How many messages have not been sent.
    pub(super) fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Whether nothing is left to be told.
    pub(super) fn is_done(&self) -> bool {
        self.queue.is_empty() && self.under_way.is_none()
    }
}

/// Takes newly set cookies into those of a fax: the last of a host and name wins.
pub(super) fn keep_cookies(kept: &mut Vec<Cookie>, set: Vec<Cookie>) {
    for cookie in set {
        kept.retain(|old| old.host != cookie.host || old.name() != cookie.name());
        kept.push(cookie);
    }
    let surplus = kept.len().saturating_sub(COOKIES_MAX);
    kept.drain(..surplus);
}

impl Engine {
    /// Tells the StatusCallback of an outbound fax, where the account's choice has this status told.
    pub(super) fn tell_status(&mut self, ordinal: Ordinal, now: Timestamp) {
        let Some(fax) = self.tables.fax(ordinal) else { return };
        let Leg::Outbound(order) = &fax.leg else { return };
        let status = fax.status();
        let wanted = match self.rules().callbacks {
            Callbacks::All => true,
            Callbacks::QueuedAndFinal => status == Status::Queued || status.is_final(),
            Callbacks::Final => status.is_final(),
        };
        let Some(url) = order.status_callback.clone().filter(|_| wanted) else { return };
        let mut notice = notice(fax, Purpose::StatusCallback, url, Method::Post);
        let answered = fax.duration_s().is_some() && matches!(status, Status::Delivered | Status::Failed);
        notice.remote_station_id = answered.then(|| fax.to.to_string().into());
        notice.original_media_url = Some(Arc::clone(&order.media_url));
        notice.pages = fax.pages().filter(|_| status == Status::Delivered);
        self.tell(ordinal, fax.sid, notice, now);
    }

    /// Tells whoever is to hear how an incoming fax ended.
    pub(super) fn tell_end(&mut self, ordinal: Ordinal, before: Option<&Phase>, now: Timestamp) {
        let Some(fax) = self.tables.fax(ordinal) else { return };
        let Leg::Inbound(acceptance) = &fax.leg else { return };
        if !fax.status().is_final() {
            return;
        }
        let (purpose, url, method) = match &acceptance.told {
            Told::Action(url, method) => (Purpose::Action, url.clone(), *method),
            Told::StatusCallback(url, method) => (Purpose::StatusCallback, url.clone(), *method),
            Told::Nobody => {
                self.outgoing.remove(&fax.sid);
                return;
            }
        };
        let received = fax.status() == Status::Received;
        let mut notice = notice(fax, purpose, url, method);
        notice.remote_station_id = Some(acceptance.station_id.clone()).filter(|id| !id.is_empty());
        notice.pages = fax.pages().filter(|_| received);
        // What came in before a call dropped is kept, but an app is told of a document only where a fax was received.
        notice.media = notice.media.filter(|_| received);
        notice.attachment = before.filter(|_| received && !acceptance.store_media).and_then(incoming_document);
        self.tell(ordinal, fax.sid, notice, now);
    }

    pub(super) fn delivered(&mut self, sid: FaxSid, record: ExchangeRecord, cookies: Vec<Cookie>, now: Timestamp) {
        let record = Arc::new(record);
        self.journal.write(now, Some(sid), EventKind::WebhookAttempt { record: Arc::clone(&record) });
        if self.retry_notice(sid, &record, now) {
            self.keep_cookies_of(sid, cookies);
            return;
        }
        if let Some(failure) = &record.failure {
            let text = format!("{}: {failure}", record.purpose.as_str());
            self.alert(Some(sid), (failure.code(), AlertLevel::Error), &text, Some(Arc::clone(&record)), now);
        }
        self.told(sid, cookies, now);
    }

    /// The message under way has reached its end, well or not: the next may go.
    pub(super) fn told(&mut self, sid: FaxSid, cookies: Vec<Cookie>, now: Timestamp) {
        let Some(outgoing) = self.outgoing.get_mut(&sid) else { return };
        outgoing.under_way = None;
        keep_cookies(&mut outgoing.cookies, cookies);
        self.tell_next(sid, now);
    }

    /// Tells the message under way, for the first time or again.
    pub(super) fn tell_again(&mut self, sid: FaxSid) {
        let Some(outgoing) = self.outgoing.get_mut(&sid) else { return };
        let Some(notice) = &mut outgoing.under_way else { return };
        Arc::make_mut(notice).cookies.clone_from(&outgoing.cookies);
        let again = Box::new(Notice::clone(notice));
        self.issue(sid, Intent::Deliver(again));
    }

    fn keep_cookies_of(&mut self, sid: FaxSid, cookies: Vec<Cookie>) {
        if let Some(outgoing) = self.outgoing.get_mut(&sid) {
            keep_cookies(&mut outgoing.cookies, cookies);
        }
    }

    /// A UUID that is the same each time the same request is made.
    pub(super) fn idempotency_token(&self, sid: FaxSid, place: TokenPlace) -> Box<str> {
        token(self.ids.seed(), sid, place)
    }

    /// The fate of a new webhook: where there are rules for webhooks, an alarm has it decided.
    pub(super) fn first_fate(&mut self, ordinal: Ordinal, now: Timestamp) -> Fate {
        if !self.must_be_decided() {
            return Fate::Plain;
        }
        self.set_tell(ordinal, now);
        Fate::Undecided
    }

    pub(super) fn set_tell(&mut self, ordinal: Ordinal, at: Timestamp) {
        self.agenda.set(Alarm { at, ordinal, kind: AlarmKind::Tell });
    }

    /// The alarm: what has not been decided is, and what may go goes.
    pub(super) fn webhook_due(&mut self, ordinal: Ordinal, now: Timestamp) {
        if self.tables.call(ordinal).is_some() {
            self.question_due(ordinal, now);
            return;
        }
        let of_fax = self.tables.fax(ordinal).map(|fax| fax.sid);
        // The last message of a fax may wait when the fax has been deleted.
        let of_gone = || self.outgoing.iter().find(|(_, outgoing)| outgoing.ordinal == ordinal).map(|(sid, _)| *sid);
        let Some(sid) = of_fax.or_else(of_gone) else { return };
        self.decide_messages(sid, now);
        self.tell_next(sid, now);
    }

    fn decide_messages(&mut self, sid: FaxSid, now: Timestamp) {
        let waiting = self.outgoing.get(&sid).map_or(0, Outgoing::waiting);
        for at in 0..waiting {
            let queued = self.outgoing.get(&sid).and_then(|outgoing| outgoing.queue.get(at));
            let Some(queued) = queued.filter(|queued| queued.fate == Fate::Undecided).cloned() else { continue };
            let Queued { notice, place, .. } = queued;
            let (from, to) = (notice.from.to_string(), notice.to.to_string());
            let fax = (notice.direction, from.as_str(), to.as_str());
            // The places of the questions to the FaxUrl and the fallback come first.
            let fault = self.rules_of_webhook(sid, (notice.purpose, &notice.url), fax, 2 + place, now);
            if let Some(queued) = self.outgoing.get_mut(&sid).and_then(|outgoing| outgoing.queue.get_mut(at)) {
                queued.fate = Fate::of(fault, now);
            }
        }
    }

    fn tell(&mut self, ordinal: Ordinal, sid: FaxSid, notice: Notice, now: Timestamp) {
        let fate = self.first_fate(ordinal, now);
        let outgoing = self.outgoing.entry(sid).or_insert_with(|| Outgoing::of(ordinal));
        let place = outgoing.told;
        outgoing.told += 1;
        if let Some(outgoing) = self.outgoing.get_mut(&sid) {
            outgoing.queue.push_back(Queued { notice: Arc::new(notice), place, fate });
        }
        self.tell_next(sid, now);
    }

    /// Sends the next message, unless one is under way; forgets the fax when nothing can follow.
    fn tell_next(&mut self, sid: FaxSid, now: Timestamp) {
        let is_last = self.fax(sid).map_or(true, |fax| fax.status().is_final());
        let ids = *self.ids.seed();
        let Some(outgoing) = self.outgoing.get_mut(&sid).filter(|outgoing| outgoing.under_way.is_none()) else {
            return;
        };
        let ordinal = outgoing.ordinal;
        match outgoing.take_next(is_last, now, &|place| token(&ids, sid, TokenPlace::Notice(place))) {
            Next::Message(notice) => {
                self.check_overrides(sid, &notice.url);
                if let Some(outgoing) = self.outgoing.get_mut(&sid) {
                    outgoing.under_way = Some(notice);
                }
                self.tell_again(sid);
            }
            Next::At(not_before) => self.set_tell(ordinal, not_before),
            Next::Waits => {}
            Next::Nothing if is_last => drop(self.outgoing.remove(&sid)),
            Next::Nothing => {}
        }
    }

    /// An answer to what was asked twice on purpose: it is seen, and changes nothing.
    pub(super) fn echo_answered(&mut self, sid: FaxSid, outcome: AnswerOutcome, now: Timestamp) {
        match outcome {
            AnswerOutcome::Twiml { record, .. } | AnswerOutcome::Delivered { record, .. } => {
                self.journal.write(now, Some(sid), EventKind::WebhookAttempt { record: Arc::new(*record) });
            }
            AnswerOutcome::Document { .. } | AnswerOutcome::Rendered(_) | AnswerOutcome::Lost => {}
        }
    }
}

/// What can be told next.
enum Next {
    /// This.
    Message(Arc<Notice>),
    /// Something, from this moment on.
    At(Timestamp),
    /// Something, when it has been decided on or another message has come.
    Waits,
    /// Nothing waits.
    Nothing,
}

impl Outgoing {
    /// Takes the next message, as its fate has it; `is_last` says that no other will come. It gets its token here: one
    /// that a snapshot finds waiting is another event after each way back.
    fn take_next(&mut self, is_last: bool, now: Timestamp, token_of: &dyn Fn(u64) -> Box<str>) -> Next {
        loop {
            let others = self.queue.len().saturating_sub(1);
            let Some(first) = self.queue.front_mut() else { return Next::Nothing };
            let place = first.place;
            let Fate::Ruled { not_before, fault } = &mut first.fate else {
                if first.fate == Fate::Undecided {
                    return Next::Waits;
                }
                let named = |queued: Queued| Next::Message(with_token(queued.notice, place, token_of));
                return self.queue.pop_front().map_or(Next::Nothing, named);
            };
            if *not_before > now {
                return Next::At(*not_before);
            }
            if fault.drop {
                self.queue.pop_front();
            } else if fault.reorder && others > 0 {
                fault.reorder = false;
                self.queue.swap(0, 1);
            } else if fault.reorder && !is_last {
                return Next::Waits;
            } else {
                first.notice = with_token(Arc::clone(&first.notice), place, token_of);
                let mut notice = Arc::clone(&first.notice);
                Arc::make_mut(&mut notice).signature = fault.signature;
                if fault.duplicate {
                    fault.duplicate = false;
                } else {
                    self.queue.pop_front();
                }
                return Next::Message(notice);
            }
        }
    }
}

/// The message with its token; a duplicate has that of the first.
fn with_token(mut notice: Arc<Notice>, place: u64, token_of: &dyn Fn(u64) -> Box<str>) -> Arc<Notice> {
    if notice.idempotency_token.is_empty() {
        Arc::make_mut(&mut notice).idempotency_token = token_of(place);
    }
    notice
}

/// A UUID that follows from the seed, the fax and the place of the message among the fax's.
fn token(seed: &WorldSeed, sid: FaxSid, place: TokenPlace) -> Box<str> {
    let place = match place {
        TokenPlace::FaxUrl => 0,
        TokenPlace::Fallback => 1,
        TokenPlace::Notice(n) => 2 + n,
        TokenPlace::Alert(n) => u64::MAX - n,
    };
    let bits = seed.generator("token", sid.bytes(), place).next_u64();
    let low = seed.generator("token-low", sid.bytes(), place).next_u64();
    let (variant, node) = (0x8000 | (low >> 48 & 0x3fff), low & 0xffff_ffff_ffff);
    let (time_low, time_mid, version) = (bits >> 32, bits >> 16 & 0xffff, 0x4000 | (bits & 0x0fff));
    format!("{time_low:08x}-{time_mid:04x}-{version:04x}-{variant:04x}-{node:012x}").into()
}

/// What every message of a fax says.
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
        media: fax.media.as_ref().map(|media| (media.sid, media.document.media_type)),
        attachment: None,
        error: fax.error().map(|(code, text)| (code, text.into())),
        origin: Arc::clone(&fax.origin),
        cookies: Vec::new(),
        attempt: Attempt::FIRST,
        signature: Signature::Good,
        idempotency_token: Box::default(),
    }
}

fn incoming_document(phase: &Phase) -> Option<Document> {
    match phase {
        Phase::Receiving(receiving) => Some(receiving.document.clone()),
        Phase::Queued | Phase::Processing(_) | Phase::Sending(_) | Phase::Ended(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_more_cookies_than_are_kept_the_oldest_are_forgotten() {
        let cookie = |n: usize| Cookie { host: "app.test".to_owned(), pair: format!("c{n}=1") };
        let mut kept = Vec::new();
        keep_cookies(&mut kept, (0..COOKIES_MAX).map(cookie).collect());
        keep_cookies(&mut kept, vec![cookie(0), cookie(COOKIES_MAX)]);
        assert_eq!(kept.len(), COOKIES_MAX);
        let names: Vec<&str> = [kept.first(), kept.last()].into_iter().flatten().map(Cookie::name).collect();
        assert_eq!(names, ["c2", "c50"]);
    }
}
