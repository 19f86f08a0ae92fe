//! Receiving a fax: a call rings, its app is asked, TwiML decides, pages come in. It never reads TwiML itself.

use std::sync::Arc;

use rand::Rng;
use url::Url;

use super::agenda::Ordinal;
use super::applications::Address;
use super::delivery::{self, Fate, Outgoing, TokenPlace};
use super::effect::{Intent, RenderRequest, TwimlRequest};
use super::input::{LineFault, ReceiveFax, Reply, Ringing};
use super::journal::{AlertLevel, EventKind};
use super::outbound::FarAnswer;
use super::phase::{Ended, Phase, Receiving, ReceivingStep, Transmission};
use super::rule::{LineWish, Outcome};
use super::tables::{Acceptance, Asking, Call, Caller, Fax, Leg, Luck, Told};
use super::{Engine, UnderWay};
use crate::model::account::AccountStatus;
use crate::model::fax::{Direction, Status};
use crate::model::line::Line;
use crate::model::media::Document;
use crate::model::number::{IncomingNumber, ReceiveMode};
use crate::model::phone::{Party, PhoneNumber};
use crate::model::reception::{Header, Noise, Reception};
use crate::model::reference::{resolve, without_userinfo};
use crate::model::refusal::Refusal;
use crate::model::sid::FaxSid;
use crate::model::time::Timestamp;
use crate::model::webhook::{Attempt, Cookie, ExchangeFailure, ExchangeRecord, Purpose, Signature};
use crate::twiml::{Reading, Receive, Verb};

/// Calls without a fax whose end is remembered for who waits for it.
const NOT_ANSWERED_MAX: usize = 10_000;
/// `Invalid URL format`.
const CODE_INVALID_URL: u32 = 11100;
/// `Account not active`.
const CODE_NOT_ACTIVE: u32 = 20005;

impl Engine {
    pub(super) fn receive_fax(&mut self, order: ReceiveFax, now: Timestamp) -> Result<Reply, Refusal> {
        if self.account.auth_token.is_none() {
            return Err(Refusal::Unclaimed);
        }
        let number = self.called_number(order.to)?;
        self.check_room()?;
        let luck = Luck(self.next_order);
        let sid = self.sid_of_call(order.sid)?;
        let ordinal = self.take_ordinal();
        let ringing = Ringing { sid, from: order.from.clone(), to: number };
        let (fault, line) = self.incoming_line((sid, luck), (&order.from, number), order.document.pages, now);
        let call = Call {
            sid,
            caller: Caller::Machine,
            from: order.from,
            to: number,
            quality: order.quality,
            station_id: order.station_id,
            document: order.document,
            fault: order.line_fault.or(fault),
            line: line.over(order.line),
            origin: order.origin,
            rang: now,
            cookies: Vec::new(),
            asking: None,
            luck,
        };
        self.ring(ordinal, call, now);
        Ok(Reply::Ringing(ringing))
    }

    /// An outbound fax of this world calls one of its numbers, for the `calls`th time.
    pub(super) fn call_own_number(
        &mut self,
        (caller, calls): (Ordinal, u32),
        (far, number): (Ordinal, PhoneNumber),
        document: Document,
        line: LineWish,
        now: Timestamp,
    ) {
        let Some(fax) = self.tables.fax(caller) else { return };
        let (own, from, luck) = (fax.sid, fax.from.clone(), fax.luck.of_call(self.seed(), calls));
        let sid = FaxSid::from_bytes(self.ids.seed().sid_bytes("call", own.bytes(), u64::from(calls)));
        let (fault, far_line) = self.incoming_line((sid, luck), (&from, number), document.pages, now);
        let line = if line == LineWish::default() { far_line } else { line };
        let Some(fax) = self.tables.fax(caller) else { return };
        let call = Call {
            sid,
            caller: Caller::Own(caller),
            from: fax.from.clone(),
            to: number,
            quality: fax.quality,
            station_id: fax.from.to_string().into(),
            document,
            fault,
            line: line.over(Line::default()),
            origin: Arc::clone(&fax.origin),
            rang: now,
            cookies: Vec::new(),
            asking: None,
            luck,
        };
        self.ring(far, call, now);
    }

    /// The caller has given up before the app answered.
    pub(super) fn hang_up(&mut self, far: Ordinal, now: Timestamp) {
        if let Some(call) = self.tables.remove_call(far) {
            self.close_call(&call, now);
        }
    }

    pub(super) fn twiml_answered(
        &mut self,
        sid: FaxSid,
        record: ExchangeRecord,
        cookies: Vec<Cookie>,
        base_url: &str,
        reading: Result<Reading, ExchangeFailure>,
        now: Timestamp,
    ) {
        let record = Arc::new(record);
        self.journal.write(now, Some(sid), EventKind::WebhookAttempt { record: Arc::clone(&record) });
        let Some(ordinal) = self.tables.ordinal(sid) else { return };
        let Some(call) = self.tables.call_mut(ordinal) else { return };
        delivery::keep_cookies(&mut call.cookies, cookies);
        if reading.is_err() && self.retry_question(ordinal, &record, now) {
            return;
        }
        let verb = match reading {
            Ok(reading) => {
                for warning in &reading.warnings {
                    let kind = (warning.code, AlertLevel::Warning);
                    self.alert(Some(sid), kind, &warning.text, Some(Arc::clone(&record)), now);
                }
                reading.verb.map_err(|error| (error.code(), error.to_string()))
            }
            Err(failure) => Err((failure.code(), failure.to_string())),
        };
        match verb {
            Ok(verb) => {
                self.journal.write(now, Some(sid), EventKind::TwimlExecuted { verb: verb.clone() });
                match &verb {
                    Verb::Receive(receive) => self.take_call(ordinal, receive, base_url, now),
                    Verb::Reject => self.reject_call(ordinal, now),
                }
            }
            Err((code, text)) => {
                let failed = (code, Box::from(record.url.as_str()));
                let first = record.purpose == Purpose::FaxUrl;
                self.alert(Some(sid), (code, AlertLevel::Error), &text, Some(record), now);
                if !(first && self.ask_fallback(ordinal, failed, now)) {
                    self.not_answered(ordinal, now);
                }
            }
        }
    }

    /// All pages of an incoming fax have come in.
    pub(super) fn received(&mut self, ordinal: Ordinal, duration_s: Option<u32>, now: Timestamp) {
        let Some(fax) = self.tables.fax(ordinal) else { return };
        let (Phase::Receiving(receiving), Leg::Inbound(acceptance)) = (&fax.phase, &fax.leg) else { return };
        let document = receiving.document.clone();
        let pages = Some(document.pages);
        if acceptance.store_media {
            self.store_media(ordinal, document, now);
        }
        self.end(ordinal, Ended { status: Status::Received, pages, duration_s, error: None }, now);
    }

    fn called_number(&self, wanted: Option<PhoneNumber>) -> Result<PhoneNumber, Refusal> {
        if let Some(number) = wanted {
            let owned = self.numbers.by_number(number).ok_or(Refusal::NumberNotOwned(number))?;
            return match owned.attributes.voice_receive_mode {
                ReceiveMode::Fax => Ok(number),
                ReceiveMode::Voice => Err(Refusal::NotAFaxNumber(number)),
            };
        }
        let mut fax_numbers = self.numbers.newest_first().filter(|number| takes_faxes(number));
        match (fax_numbers.next(), fax_numbers.count()) {
            (Some(only), 0) => Ok(only.number),
            (first, others) => Err(Refusal::AmbiguousNumber(usize::from(first.is_some()) + others)),
        }
    }

    fn sid_of_call(&mut self, wanted: Option<FaxSid>) -> Result<FaxSid, Refusal> {
        let order = self.next_order;
        let sid = wanted.unwrap_or_else(|| FaxSid::from_bytes(self.ids.seed().sid_bytes("call", b"", order)));
        if self.tables.ordinal(sid).is_some() || self.not_answered.contains(&sid) {
            return Err(Refusal::SidTaken(sid));
        }
        self.next_order += 1;
        Ok(sid)
    }

    fn ring(&mut self, ordinal: Ordinal, call: Call, now: Timestamp) {
        let (sid, number) = (call.sid, call.to);
        let mode = self.numbers.by_number(number).map(|number| number.attributes.voice_receive_mode);
        let urls = self.voice_urls(number);
        let invalid = |why| Some((CODE_INVALID_URL, why));
        let quiet = match (mode, &urls) {
            _ if self.account.status != AccountStatus::Active => Some((CODE_NOT_ACTIVE, "is of an account not active")),
            (Some(ReceiveMode::Voice), _) => invalid("answers voice calls: set its VoiceReceiveMode to fax"),
            (Some(ReceiveMode::Fax), Some(urls)) if !urls.voice.url.is_empty() => None,
            (Some(ReceiveMode::Fax), _) => {
                invalid("has no VoiceUrl to ask what to do with a fax: set one, as by serve --fax-url")
            }
            (None, _) => invalid("is not this account's any more"),
        };
        self.tables.insert_call(ordinal, call);
        if let Some((code, why)) = quiet {
            let text = format!("{number} {why}");
            self.alert(Some(sid), (code, AlertLevel::Error), &text, None, now);
            self.not_answered(ordinal, now);
            return;
        }
        self.ask(ordinal, Purpose::FaxUrl, None, now);
    }

    /// How a call to a number of the world breaks, and over what line it goes, by the rules.
    fn incoming_line(
        &mut self,
        fax: (FaxSid, Luck),
        (from, to): (&Party, PhoneNumber),
        pages: u32,
        now: Timestamp,
    ) -> (Option<LineFault>, LineWish) {
        if !self.has_call_rules() {
            return (None, LineWish::default());
        }
        let (outcome, line) = self.rules_of_incoming(fax, (&from.to_string(), &to.to_string()), pages, now);
        match outcome {
            Some(Outcome::Failed(fault)) => (Some(fault), line),
            Some(Outcome::Delivered | Outcome::Received | Outcome::Busy | Outcome::NoAnswer) | None => (None, line),
        }
    }

    /// Asks the fallback URL, where the number has one.
    fn ask_fallback(&mut self, ordinal: Ordinal, failed: (u32, Box<str>), now: Timestamp) -> bool {
        let urls = self.tables.call(ordinal).and_then(|call| self.voice_urls(call.to));
        let has_one = urls.is_some_and(|urls| !urls.fallback.url.is_empty());
        if has_one {
            self.ask(ordinal, Purpose::FallbackUrl, Some(failed), now);
        }
        has_one
    }

    fn ask(&mut self, ordinal: Ordinal, purpose: Purpose, failed: Option<(u32, Box<str>)>, now: Timestamp) {
        let Some(call) = self.tables.call(ordinal) else { return };
        let (sid, Some(urls)) = (call.sid, self.voice_urls(call.to)) else { return };
        let Address { url, method } = if purpose == Purpose::FallbackUrl { urls.fallback } else { urls.voice };
        self.check_overrides(sid, &url);
        let (attempt, signature) = (Attempt::FIRST, Signature::Good);
        let fate = self.first_fate(ordinal, now);
        let asking = Asking { purpose, url, method, failed, attempt, fate, signature, token: None };
        if let Some(call) = self.tables.call_mut(ordinal) {
            call.asking = Some(asking);
        }
        if fate == Fate::Plain {
            self.ask_again(ordinal, false);
        }
    }

    /// The question of a call goes out as the rules have it, now or by another alarm.
    pub(super) fn question_due(&mut self, ordinal: Ordinal, now: Timestamp) {
        let Some(call) = self.tables.call(ordinal) else { return };
        let Some(asking) = &call.asking else { return };
        let (sid, from, to) = (call.sid, call.from.to_string(), call.to.to_string());
        let (purpose, url) = (asking.purpose, asking.url.clone());
        let fate = match asking.fate {
            Fate::Undecided => {
                let place = u64::from(purpose == Purpose::FallbackUrl);
                let fax = (Direction::Inbound, from.as_str(), to.as_str());
                Fate::of(self.rules_of_webhook(sid, (purpose, &url), fax, place, now), now)
            }
            decided @ (Fate::Plain | Fate::Ruled { .. }) => decided,
        };
        let Some(asking) = self.tables.call_mut(ordinal).and_then(|call| call.asking.as_mut()) else { return };
        let was_asked = asking.fate == Fate::Plain;
        asking.fate = fate;
        match fate {
            _ if was_asked => {}
            Fate::Ruled { not_before, .. } if not_before > now => self.set_tell(ordinal, not_before),
            Fate::Ruled { fault, .. } => {
                asking.fate = Fate::Plain;
                if fault.drop {
                    self.not_asked(ordinal, purpose, url, now);
                    return;
                }
                self.sign_question(ordinal, fault.signature);
                self.ask_again(ordinal, false);
                if fault.duplicate {
                    self.ask_again(ordinal, true);
                }
            }
            Fate::Plain | Fate::Undecided => self.ask_again(ordinal, false),
        }
    }

    /// A rule keeps the question from its app: the call goes on as if the app could not be reached.
    fn not_asked(&mut self, ordinal: Ordinal, purpose: Purpose, url: Box<str>, now: Timestamp) {
        let failure = ExchangeFailure::ConnectionFailure("dropped by a rule".to_owned());
        let sid = self.tables.call(ordinal).map(|call| call.sid);
        let text = format!("{}: {failure}", purpose.as_str());
        self.alert(sid, (failure.code(), AlertLevel::Error), &text, None, now);
        let is_first = purpose == Purpose::FaxUrl;
        if !(is_first && self.ask_fallback(ordinal, (failure.code(), url), now)) {
            self.not_answered(ordinal, now);
        }
    }

    /// Asks what is being asked; an echo's answer doesn't count.
    pub(super) fn ask_again(&mut self, ordinal: Ordinal, is_echo: bool) {
        let Some(call) = self.tables.call(ordinal) else { return };
        let Some(asking) = &call.asking else { return };
        let place = if asking.purpose == Purpose::FallbackUrl { TokenPlace::Fallback } else { TokenPlace::FaxUrl };
        // A question that was under way when a snapshot was taken goes on under the token that it began with.
        let token = asking.token.clone().unwrap_or_else(|| self.idempotency_token(call.sid, place));
        let request = TwimlRequest {
            purpose: asking.purpose,
            url: asking.url.clone(),
            method: asking.method,
            from: call.from.clone(),
            to: call.to,
            failed: asking.failed.clone(),
            cookies: call.cookies.clone(),
            attempt: asking.attempt,
            signature: asking.signature,
            idempotency_token: token.clone(),
        };
        let sid = call.sid;
        if let Some(asking) = self.tables.call_mut(ordinal).and_then(|call| call.asking.as_mut()) {
            asking.token = Some(token);
        }
        let intent = Arc::new(Intent::AskForTwiml(Box::new(request)));
        self.issue_again(UnderWay { fax: sid, intent, is_echo });
    }

    fn sign_question(&mut self, ordinal: Ordinal, signature: Signature) {
        if let Some(asking) = self.tables.call_mut(ordinal).and_then(|call| call.asking.as_mut()) {
            asking.signature = signature;
        }
    }

    /// `<Receive>`: the fax exists from here on.
    fn take_call(&mut self, ordinal: Ordinal, receive: &Receive, base_url: &str, now: Timestamp) {
        let Some(mut call) = self.tables.remove_call(ordinal) else { return };
        let told = self.hears_of_end(&call, receive, base_url, now);
        let acceptance =
            Acceptance { station_id: std::mem::take(&mut call.station_id), told, store_media: receive.store_media };
        let talk = Transmission { far: None, fault: call.fault, line: call.line, pages_done: 0, line_ms: 0 };
        let request = self.render_request(&call, &acceptance.station_id, receive);
        let (sid, step) = (call.sid, ReceivingStep::Rendering(call.caller, talk));
        let phase = Phase::Receiving(Box::new(Receiving { document: call.document.clone(), step }));
        let outgoing = self.outgoing.entry(sid).or_insert_with(|| Outgoing::of(ordinal));
        delivery::keep_cookies(&mut outgoing.cookies, std::mem::take(&mut call.cookies));
        let caller = call.caller;
        self.found_inbound(ordinal, call, acceptance, phase, now);
        if let Caller::Own(caller) = caller {
            self.far_answered(caller, &FarAnswer::PicksUp, now);
        }
        self.issue(sid, Intent::Render(Box::new(request)));
    }

    /// The pages of an incoming fax have been made as they are received: they may come in.
    pub(super) fn rendered(&mut self, sid: FaxSid, rendered: Result<Document, (u32, String)>, now: Timestamp) {
        let Some(ordinal) = self.tables.ordinal(sid) else { return };
        let Some(Phase::Receiving(receiving)) = self.tables.fax_mut(ordinal).map(|fax| &mut fax.phase) else { return };
        let ReceivingStep::Rendering(caller, talk) = receiving.step else { return };
        match rendered {
            Ok(document) => {
                receiving.document = document.clone();
                receiving.step = match caller {
                    Caller::Machine => ReceivingStep::Talking(talk),
                    Caller::Own(_) => ReceivingStep::Fed,
                };
                self.write_losses(sid, &document, now);
                match caller {
                    Caller::Machine => self.next_page(ordinal, talk, now),
                    Caller::Own(caller) => self.far_answered(caller, &FarAnswer::Takes(ordinal, talk), now),
                }
            }
            Err((code, text)) => {
                self.alert(Some(sid), (code, AlertLevel::Error), &text, None, now);
                let error = Some(Box::new((code, text.into())));
                self.end(ordinal, Ended { status: Status::Failed, pages: None, duration_s: None, error }, now);
                if let Caller::Own(caller) = caller {
                    self.far_answered(caller, &FarAnswer::Fails(code), now);
                }
            }
        }
    }

    fn render_request(&self, call: &Call, station_id: &str, receive: &Receive) -> RenderRequest {
        let noise = (!call.line.has_error_correction() && call.line.noise_per_mille > 0).then(|| Noise {
            seed: self.seed().generator("noise", &call.luck.0.to_be_bytes(), 0).next_u64(),
            rows_per_mille: call.line.noise_per_mille,
        });
        let header = Header {
            at: call.rang,
            station_id: station_id.into(),
            from: call.from.clone(),
            to: Party::Number(call.to),
        };
        let reception = Reception {
            media_type: receive.media_type,
            page_size: receive.page_size,
            header,
            noise,
            whole_pages: call.fault.map(|fault| fault.after_pages),
        };
        RenderRequest { document: call.document.clone(), quality: call.quality, reception }
    }

    /// The call of an incoming fax has dropped: what came in is kept, as a machine would.
    pub(super) fn keep_part(&mut self, ordinal: Ordinal, now: Timestamp) {
        let Some(fax) = self.tables.fax(ordinal) else { return };
        let (Phase::Receiving(receiving), Leg::Inbound(acceptance)) = (&fax.phase, &fax.leg) else { return };
        let anything = receiving.document.sheets.iter().any(|sheet| !sheet.place.is_empty());
        if acceptance.store_media && anything {
            let document = receiving.document.clone();
            self.store_media(ordinal, document, now);
        }
    }

    /// `<Reject>`: the fax is born canceled; nobody is told, since no action can be given.
    fn reject_call(&mut self, ordinal: Ordinal, now: Timestamp) {
        let Some(mut call) = self.tables.remove_call(ordinal) else { return };
        let acceptance =
            Acceptance { station_id: std::mem::take(&mut call.station_id), told: Told::Nobody, store_media: false };
        let ended = Ended { status: Status::Canceled, pages: None, duration_s: None, error: None };
        let caller = call.caller;
        self.found_inbound(ordinal, call, acceptance, Phase::Ended(ended), now);
        if let Caller::Own(caller) = caller {
            self.far_answered(caller, &FarAnswer::Busy, now);
        }
    }

    fn found_inbound(&mut self, ordinal: Ordinal, call: Call, acceptance: Acceptance, phase: Phase, now: Timestamp) {
        let fax = Fax {
            sid: call.sid,
            ordinal,
            from: call.from,
            to: Party::Number(call.to),
            quality: call.quality,
            created: call.rang,
            updated: now,
            media: None,
            origin: call.origin,
            leg: Leg::Inbound(Box::new(acceptance)),
            phase,
            luck: call.luck,
        };
        self.tables.insert_fax(fax);
        self.entered(ordinal, None, now);
    }

    /// Who hears of the end: the action, or the number's StatusCallback where no action is given (Twilio docs: receiving faxes).
    fn hears_of_end(&mut self, call: &Call, receive: &Receive, base_url: &str, now: Timestamp) -> Told {
        let Some(action) = &receive.action else {
            let callback = self.voice_urls(call.to).map(|urls| urls.status_callback);
            return match callback.filter(|callback| !callback.url.is_empty()) {
                Some(callback) => Told::StatusCallback(callback.url, callback.method),
                None => Told::Nobody,
            };
        };
        let is_address = |url: &String| Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        match resolve(base_url, action).filter(is_address) {
            Some(url) => Told::Action(url.into(), receive.method),
            None => {
                let action = without_userinfo(action);
                let text = format!(
                    "<Receive action=\"{action}\"> leads to no http or https address; write a path or a whole URL"
                );
                self.alert(Some(call.sid), (CODE_INVALID_URL, AlertLevel::Error), &text, None, now);
                Told::Nobody
            }
        }
    }

    /// No usable TwiML came: the call ends without a fax.
    pub(super) fn not_answered(&mut self, ordinal: Ordinal, now: Timestamp) {
        let Some(call) = self.tables.remove_call(ordinal) else { return };
        self.close_call(&call, now);
        if let Caller::Own(caller) = call.caller {
            self.far_answered(caller, &FarAnswer::NoAnswer, now);
        }
    }

    fn close_call(&mut self, call: &Call, now: Timestamp) {
        self.journal.write(now, Some(call.sid), EventKind::CallNotAnswered);
        self.not_answered.push_back(call.sid);
        if self.not_answered.len() > NOT_ANSWERED_MAX {
            self.not_answered.pop_front();
        }
    }
}

fn takes_faxes(number: &IncomingNumber) -> bool {
    number.attributes.voice_receive_mode == ReceiveMode::Fax
}
