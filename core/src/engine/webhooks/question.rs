//! The question to a number's app: a request for TwiML, which says how to handle a call. The FaxUrl is asked first and,
//! if it fails, the fallback URL.

use std::sync::Arc;

use crate::engine::Engine;
use crate::engine::agenda::Ordinal;
use crate::engine::applications::Address;
use crate::engine::call::Asking;
use crate::engine::effect::{Intent, TwimlRequest};
use crate::engine::effects::UnderWay;
use crate::engine::event::{AlertLevel, RuledWebhook};
use crate::engine::faults::never;
use crate::engine::unanswered::Cause;
use crate::engine::webhooks::{TokenPlace, WebhookPlan};
use crate::model::fault::Fault;
use crate::model::fax::Direction;
use crate::model::time::Timestamp;
use crate::model::webhook::{Attempt, ExchangeFailure, Method, Purpose, RuleMark, Signature};

impl Engine {
    pub(in crate::engine) fn ask(
        &mut self,
        ordinal: Ordinal,
        purpose: Purpose,
        failed: Option<(Fault, Box<str>)>,
        now: Timestamp,
    ) {
        let Some(call) = self.world.tables.call(ordinal) else {
            never!(self, ordinal, now, "an app should be asked for TwiML, but the call doesn't exist")
        };
        let (sid, Some(urls)) = (call.sid, self.voice_urls(call.to)) else {
            never!(self, ordinal, now, "an app should be asked for TwiML, but the called number doesn't exist")
        };
        let Address { url, method } = match (purpose, &call.twiml_url) {
            (Purpose::FallbackUrl, _) => urls.fallback,
            (_, Some(url)) => Address { url: url.clone(), method: Method::Post },
            (_, None) => urls.voice,
        };
        self.check_overrides(sid, purpose, &url, now);
        let (attempt, signature) = (Attempt::FIRST, Signature::Good);
        let plan = self.first_plan(ordinal, now);
        // Under any other plan, an alarm sends the question once the rules have decided.
        let is_sent_now = plan == WebhookPlan::Plain;
        let asking = Asking { purpose, url, method, failed, attempt, plan, signature, by_rule: None, token: None };
        if let Some(call) = self.world.tables.call_mut(ordinal) {
            call.asking = Some(asking);
        }
        if is_sent_now {
            self.ask_again(ordinal, false);
        }
    }

    /// Asks the number's fallback URL, if any, and returns whether there is one.
    pub(in crate::engine) fn ask_fallback(
        &mut self,
        ordinal: Ordinal,
        failed: (Fault, Box<str>),
        now: Timestamp,
    ) -> bool {
        let urls = self.world.tables.call(ordinal).and_then(|call| self.voice_urls(call.to));
        let has_one = urls.is_some_and(|urls| !urls.fallback.url.is_empty());
        if has_one {
            self.ask(ordinal, Purpose::FallbackUrl, Some(failed), now);
        }
        has_one
    }

    /// Sends a call's question according to its plan, now or at a later alarm.
    pub(in crate::engine) fn question_due(&mut self, ordinal: Ordinal, now: Timestamp) {
        let Some(call) = self.world.tables.call(ordinal) else {
            never!(self, ordinal, now, "a request for TwiML is due, but the call doesn't exist")
        };
        let Some(asking) = &call.asking else {
            never!(self, ordinal, now, "a request for TwiML is due, but none is planned")
        };
        let (sid, from, to) = (call.sid, call.from.to_string(), call.to.to_string());
        let (purpose, url) = (asking.purpose, asking.url.clone());
        let plan = match &asking.plan {
            WebhookPlan::Undecided => {
                // The two questions have places 0 and 1, before all notices.
                let place = u64::from(purpose == Purpose::FallbackUrl);
                let fax = (Direction::Inbound, from.as_str(), to.as_str());
                let webhook = RuledWebhook { purpose, status: None };
                WebhookPlan::of(self.rules_of_webhook(sid, (webhook, &url), fax, place, now), now)
            }
            decided @ (WebhookPlan::Plain | WebhookPlan::Ruled { .. }) => decided.clone(),
        };
        let Some(asking) = self.world.tables.call_mut(ordinal).and_then(|call| call.asking.as_mut()) else {
            never!(self, ordinal, now, "a request for TwiML is due, but it no longer exists")
        };
        let was_asked = asking.plan == WebhookPlan::Plain;
        asking.plan = plan.clone();
        match plan {
            // Already sent; sending it again would ask a second question.
            _ if was_asked => {}
            WebhookPlan::Ruled { not_before, .. } if not_before > now => self.set_webhook_alarm(ordinal, not_before),
            WebhookPlan::Ruled { fault, rule, .. } => {
                // Marked as sent, so that a later alarm does not apply the fault again.
                asking.plan = WebhookPlan::Plain;
                if fault.drop {
                    self.not_asked(ordinal, purpose, url, now);
                    return;
                }
                let mark = RuleMark { held_ms: fault.delay_ms, edits: fault.edits, ..RuleMark::of(rule) };
                self.mark_question(ordinal, fault.signature, mark);
                self.ask_again(ordinal, false);
                if fault.duplicate {
                    self.ask_again(ordinal, true);
                }
            }
            WebhookPlan::Plain | WebhookPlan::Undecided => self.ask_again(ordinal, false),
        }
    }

    /// Handles a question that a rule drops: the call continues as if the app were unreachable.
    fn not_asked(&mut self, ordinal: Ordinal, purpose: Purpose, url: Box<str>, now: Timestamp) {
        let failure = ExchangeFailure::ConnectionFailure(ExchangeFailure::DROPPED_BY_RULE.to_owned());
        let sid = self.world.tables.call(ordinal).map(|call| call.sid);
        let text = format!("{}: {failure}", purpose.as_str());
        self.alert(sid, (failure.fault(), AlertLevel::Error), &text, None, now);
        let is_first = purpose == Purpose::FaxUrl;
        if !(is_first && self.ask_fallback(ordinal, (failure.fault(), url), now)) {
            self.not_answered(ordinal, Cause::of(failure.fault(), text), now);
        }
    }

    /// Sends the pending question, for the first time or again. An echo is the second request of a question that a rule
    /// duplicates; the response to it is only journaled.
    pub(in crate::engine) fn ask_again(&mut self, ordinal: Ordinal, is_echo: bool) {
        let Some(call) = self.world.tables.call(ordinal) else { return };
        let Some(asking) = &call.asking else { return };
        let place = if asking.purpose == Purpose::FallbackUrl { TokenPlace::Fallback } else { TokenPlace::FaxUrl };
        // A question that was under way in a snapshot keeps its token after a restore.
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
            by_rule: asking.by_rule.clone().map(|mark| RuleMark { is_duplicate: is_echo, ..mark }),
            idempotency_token: token.clone(),
        };
        let sid = call.sid;
        if let Some(asking) = self.world.tables.call_mut(ordinal).and_then(|call| call.asking.as_mut()) {
            asking.token = Some(token);
        }
        let intent = Arc::new(Intent::AskForTwiml(Box::new(request)));
        self.issue_effect(UnderWay { fax: Some(sid), intent, is_echo });
    }

    /// Gives the pending question the signature that a rule has chosen, and the rule's mark.
    fn mark_question(&mut self, ordinal: Ordinal, signature: Signature, mark: RuleMark) {
        if let Some(asking) = self.world.tables.call_mut(ordinal).and_then(|call| call.asking.as_mut()) {
            asking.signature = signature;
            asking.by_rule = Some(mark);
        }
    }
}
