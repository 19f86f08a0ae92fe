//! Receiving a fax: a call rings, the app's TwiML decides, the fax is created and its pages are rendered. The question
//! to the app (the request for TwiML) is in `webhooks/question.rs`, the page transmission in `transmission.rs`.

use std::sync::Arc;

use rand::Rng;
use url::Url;

use super::Engine;
use super::agenda::Ordinal;
use super::call::Call;
use super::effect::{Intent, RenderRequest};
use super::event::{AlertLevel, EventKind};
use super::faults::never;
use super::fax::{Acceptance, Fax, Leg, NotifyTarget};
use super::input::{ReceiveFax, Ringing};
use super::own_numbers::FarAnswer;
use super::phase::Caller;
use super::phase::{Ended, Phase, Receiving, ReceivingStep, Transmission};
use super::random::Luck;
use super::rule::{LineOverride, Outcome};
use super::unanswered::Cause;
use super::webhooks::keep_cookies;
use super::webhooks::notice::Outgoing;
use crate::model::account::AccountStatus;
use crate::model::fault::{Failure, Fault};
use crate::model::fax::Status;
use crate::model::line::LineFault;
use crate::model::media::Document;
use crate::model::number::{IncomingNumber, ReceiveMode};
use crate::model::phone::{Party, PhoneNumber};
use crate::model::reception::{Header, Noise, Reception};
use crate::model::reference::{resolve, without_userinfo};
use crate::model::refusal::Refusal;
use crate::model::sid::FaxSid;
use crate::model::time::Timestamp;
use crate::model::webhook::{Cookie, ExchangeFailure, ExchangeRecord, Purpose};
use crate::twiml::{Reading, Receive, Verb};

impl Engine {
    pub(super) fn receive_fax(&mut self, order: ReceiveFax, now: Timestamp) -> Result<Ringing, Refusal> {
        // Without a token, the request for TwiML could not be signed.
        if self.account.auth_token.is_none() {
            return Err(Refusal::Unclaimed);
        }
        let number = self.called_number(order.to)?;
        self.check_room()?;
        // Read before `sid_of_call`, which increments `next_order`.
        let luck = Luck(self.world.next_order);
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
            twiml_url: order.twiml_url,
            asking: None,
            luck,
        };
        self.ring(ordinal, call, now);
        Ok(ringing)
    }

    fn called_number(&self, wanted: Option<PhoneNumber>) -> Result<PhoneNumber, Refusal> {
        if let Some(number) = wanted {
            let owned = self.world.numbers.by_number(number).ok_or(Refusal::NumberNotOwned(number))?;
            return match owned.attributes.voice_receive_mode {
                ReceiveMode::Fax => Ok(number),
                ReceiveMode::Voice => Err(Refusal::NotAFaxNumber(number)),
            };
        }
        let mut fax_numbers = self.world.numbers.newest_first().filter(|number| takes_faxes(number));
        // `next` has taken the first number, so `count` counts only the others.
        match (fax_numbers.next(), fax_numbers.count()) {
            (Some(only), 0) => Ok(only.number),
            (first, others) => Err(Refusal::AmbiguousNumber(usize::from(first.is_some()) + others)),
        }
    }

    fn sid_of_call(&mut self, wanted: Option<FaxSid>) -> Result<FaxSid, Refusal> {
        let order = self.world.next_order;
        let sid = wanted.unwrap_or_else(|| self.ids.seed().mint::<FaxSid>("call", b"", order));
        // The SID of a call that ended without a fax counts as taken, too, because testers may still ask how that call
        // ended.
        if self.world.tables.ordinal(sid).is_some() || self.world.unanswered.contains(sid) {
            return Err(Refusal::SidTaken(sid));
        }
        // Incremented only after every check, because a refused call must change nothing.
        self.world.next_order += 1;
        Ok(sid)
    }

    pub(super) fn ring(&mut self, ordinal: Ordinal, call: Call, now: Timestamp) {
        let (sid, number, has_own_url) = (call.sid, call.to, call.twiml_url.is_some());
        let mode = self.world.numbers.by_number(number).map(|number| number.attributes.voice_receive_mode);
        let urls = self.voice_urls(number);
        let invalid = |why| Some((Fault::InvalidUrl, why));
        let quiet = match (mode, &urls) {
            _ if self.account.status != AccountStatus::Active => {
                Some((Fault::AccountNotActive, "belongs to an account that is not active"))
            }
            (Some(ReceiveMode::Voice), _) => invalid("answers voice calls: set its VoiceReceiveMode to fax"),
            (Some(ReceiveMode::Fax), _) if has_own_url => None,
            (Some(ReceiveMode::Fax), Some(urls)) if !urls.voice.url.is_empty() => None,
            (Some(ReceiveMode::Fax), _) => invalid(
                "has no VoiceUrl from which to request TwiML for a fax: set one, for example with serve --fax-url or \
                 --fax-twiml",
            ),
            (None, _) => invalid("no longer belongs to this account"),
        };
        // Inserted even if no app is asked: `not_answered` takes the call from the table and informs the calling fax if
        // it is in this world.
        self.world.tables.insert_call(ordinal, call);
        if let Some((fault, why)) = quiet {
            let text = format!("{number} {why}");
            self.alert(Some(sid), (fault, AlertLevel::Error), &text, None, now);
            self.not_answered(ordinal, Cause::of(fault, text), now);
            return;
        }
        self.ask(ordinal, Purpose::FaxUrl, None, now);
    }

    /// Returns the rules' decision on an incoming call: the line fault, if any, and the changes to the line. The app
    /// decides everything else.
    pub(super) fn incoming_line(
        &mut self,
        fax: (FaxSid, Luck),
        (from, to): (&Party, PhoneNumber),
        pages: u32,
        now: Timestamp,
    ) -> (Option<LineFault>, LineOverride) {
        if !self.has_call_rules() {
            return (None, LineOverride::default());
        }
        let (outcome, line) = self.rules_of_incoming(fax, (&from.to_string(), &to.to_string()), pages, now);
        match outcome {
            Some(Outcome::Failed(fault)) => (Some(fault), line),
            Some(Outcome::Delivered | Outcome::Received | Outcome::Busy | Outcome::NoAnswer) | None => (None, line),
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
        // The caller may have hung up before the app responded.
        let Some(ordinal) = self.world.tables.ordinal(sid) else { return };
        let Some(call) = self.world.tables.call_mut(ordinal) else { return };
        keep_cookies(&mut call.cookies, cookies);
        let language = self.account.dialect.instruction_language();
        // Parser messages say TwiML, which SignalWire calls cXML.
        let named = |text: &str| text.replace("TwiML", language);
        // Only failed exchanges are retried; invalid TwiML isn't.
        if reading.is_err() && self.retry_question(ordinal, &record, now) {
            return;
        }
        let verb = match reading {
            Ok(reading) => {
                for warning in &reading.warnings {
                    let kind = (warning.fault, AlertLevel::Warning);
                    self.alert(Some(sid), kind, &named(&warning.text), Some(Arc::clone(&record)), now);
                }
                reading.verb.map_err(|error| (error.fault(), named(&error.to_string())))
            }
            Err(failure) => Err((failure.fault(), failure.to_string())),
        };
        match verb {
            Ok(verb) => {
                self.journal.write(now, Some(sid), EventKind::TwimlExecuted { verb: verb.clone() });
                match &verb {
                    Verb::Receive(receive) => self.take_call(ordinal, receive, base_url, now),
                    Verb::Reject => self.reject_call(ordinal, now),
                }
            }
            Err((fault, text)) => {
                let failed = (fault, Box::from(record.url.as_str()));
                let first = record.purpose == Purpose::FaxUrl;
                self.alert(Some(sid), (fault, AlertLevel::Error), &text, Some(Arc::clone(&record)), now);
                // The fallback URL has no fallback.
                if !(first && self.ask_fallback(ordinal, failed, now)) {
                    self.not_answered(ordinal, Cause { record: Some(record), ..Cause::of(fault, text) }, now);
                }
            }
        }
    }

    /// Handles `<Receive>`: creates the fax and has its pages rendered.
    fn take_call(&mut self, ordinal: Ordinal, receive: &Receive, base_url: &str, now: Timestamp) {
        let Some(mut call) = self.world.tables.remove_call(ordinal) else {
            never!(self, ordinal, now, "an app accepts a call, but the call doesn't exist")
        };
        let notify = self.notify_target(&call, receive, base_url, now);
        let acceptance =
            Acceptance { station_id: std::mem::take(&mut call.station_id), notify, store_media: receive.store_media };
        let talk = Transmission { far: None, fault: call.fault.clone(), line: call.line, pages_done: 0, line_ms: 0 };
        let request = self.render_request(&call, &acceptance.station_id, receive);
        let (sid, step) = (call.sid, ReceivingStep::Rendering(call.caller, talk));
        let phase = Phase::Receiving(Box::new(Receiving { document: call.document.clone(), step }));
        // The action belongs to the same conversation, so it gets the cookies that the question's response set.
        let outgoing = self.world.outgoing.entry(sid).or_insert_with(|| Outgoing::of(ordinal));
        keep_cookies(&mut outgoing.cookies, std::mem::take(&mut call.cookies));
        let caller = call.caller;
        self.create_inbound(ordinal, call, acceptance, phase, now);
        if let Caller::Own(caller) = caller {
            // The caller starts sending now; the pages follow once rendered.
            self.far_answered(caller, &FarAnswer::PicksUp, now);
        }
        self.issue(sid, Intent::Render(Box::new(request)));
    }

    /// Handles `<Reject>`: creates the fax as canceled. Nobody is notified: `<Reject>` has no action, and the number's
    /// StatusCallback isn't called.
    fn reject_call(&mut self, ordinal: Ordinal, now: Timestamp) {
        let Some(mut call) = self.world.tables.remove_call(ordinal) else {
            never!(self, ordinal, now, "an app rejects a call, but the call doesn't exist")
        };
        let acceptance = Acceptance {
            station_id: std::mem::take(&mut call.station_id),
            notify: NotifyTarget::Nobody,
            store_media: false,
        };
        let ended = Ended { status: Status::Canceled, pages: None, duration_s: None, rate_bps: None, failure: None };
        let caller = call.caller;
        self.create_inbound(ordinal, call, acceptance, Phase::Ended(ended), now);
        if let Caller::Own(caller) = caller {
            self.far_answered(caller, &FarAnswer::Busy, now);
        }
    }

    fn create_inbound(&mut self, ordinal: Ordinal, call: Call, acceptance: Acceptance, phase: Phase, now: Timestamp) {
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
            failed_notices: None,
        };
        self.world.tables.insert_fax(fax);
        self.entered(ordinal, None, now);
    }

    /// Chooses the URL that is notified when the fax ends: the action or, without one, the number's StatusCallback
    /// (Twilio docs: receiving faxes). An invalid action raises an alert, and no URL is notified.
    fn notify_target(&mut self, call: &Call, receive: &Receive, base_url: &str, now: Timestamp) -> NotifyTarget {
        let Some(action) = &receive.action else {
            let callback = self.voice_urls(call.to).map(|urls| urls.status_callback);
            return match callback.filter(|callback| !callback.url.is_empty()) {
                Some(callback) => NotifyTarget::StatusCallback(callback.url, callback.method),
                None => NotifyTarget::Nobody,
            };
        };
        let is_address = |url: &String| Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        match resolve(base_url, action).filter(is_address) {
            Some(url) => NotifyTarget::Action(url.into(), receive.method),
            None => {
                let action = without_userinfo(action);
                let text = format!(
                    "<Receive action=\"{action}\"> doesn't resolve to an http or https URL; write a path or a complete \
                     URL"
                );
                self.alert(Some(call.sid), (Fault::InvalidUrl, AlertLevel::Error), &text, None, now);
                NotifyTarget::Nobody
            }
        }
    }

    fn render_request(&self, call: &Call, station_id: &str, receive: &Receive) -> RenderRequest {
        // With error correction there is no noise to render, because the damaged rows would be repaired.
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
            whole_pages: call.fault.as_ref().map(|fault| fault.after_pages),
        };
        RenderRequest { document: call.document.clone(), quality: call.quality, reception }
    }

    /// Handles the rendered pages of an incoming fax: transmits them, or fails the fax if there are none.
    pub(super) fn rendered(&mut self, sid: FaxSid, rendered: Result<Document, (Fault, String)>, now: Timestamp) {
        // A loaded state may contain a rendering for a fax that doesn't exist.
        let Some(ordinal) = self.world.tables.ordinal(sid) else { return };
        let Some(Phase::Receiving(receiving)) = self.world.tables.fax_mut(ordinal).map(|fax| &mut fax.phase) else {
            return;
        };
        let ReceivingStep::Rendering(caller, talk) = receiving.step.clone() else { return };
        match rendered {
            Ok(document) => {
                receiving.document = document.clone();
                receiving.step = match caller {
                    Caller::Machine => ReceivingStep::Talking(talk.clone()),
                    Caller::Own(_) => ReceivingStep::Fed,
                };
                self.write_losses(sid, &document, now);
                match caller {
                    Caller::Machine => self.next_page(ordinal, &talk, now),
                    Caller::Own(caller) => self.far_answered(caller, &FarAnswer::Takes(ordinal, talk), now),
                }
            }
            Err((fault, text)) => {
                self.alert(Some(sid), (fault, AlertLevel::Error), &text, None, now);
                let failure = Some(Box::new(Failure::with_detail(fault, text)));
                self.end(
                    ordinal,
                    Ended { status: Status::Failed, pages: None, duration_s: None, rate_bps: None, failure },
                    now,
                );
                if let Caller::Own(caller) = caller {
                    self.far_answered(caller, &FarAnswer::Fails(fault), now);
                }
            }
        }
    }

    /// Ends a call without creating a fax, most often because it received no usable TwiML.
    pub(super) fn not_answered(&mut self, ordinal: Ordinal, cause: Cause, now: Timestamp) {
        let Some(call) = self.world.tables.remove_call(ordinal) else {
            never!(self, ordinal, now, "a call is not answered, but the call doesn't exist")
        };
        self.close_call(ordinal, &call, cause, now);
        if let Caller::Own(caller) = call.caller {
            self.far_answered(caller, &FarAnswer::NoAnswer, now);
        }
    }

    pub(super) fn close_call(&mut self, ordinal: Ordinal, call: &Call, cause: Cause, now: Timestamp) {
        self.journal.write(now, Some(call.sid), EventKind::CallNotAnswered);
        self.remember_unanswered(ordinal, call, cause, now);
    }
}

fn takes_faxes(number: &IncomingNumber) -> bool {
    number.attributes.voice_receive_mode == ReceiveMode::Fax
}
