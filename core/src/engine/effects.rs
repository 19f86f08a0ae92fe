//! Effects from issue to completion: which ones are under way, and how their results are handled.

use std::sync::Arc;

use super::Engine;
use super::effect::{Effect, EffectId, Intent, IntentKind};
use super::event::{AlertLevel, EventKind};
use super::faults::FAULT;
use super::fax::Fax;
use super::input::{Completion, EffectResult};
use super::phase::{Ended, Phase, Processing};
use super::unanswered::Cause;
use crate::model::fault::{Failure, Fault};
use crate::model::fax::Status;
use crate::model::sid::FaxSid;
use crate::model::time::Timestamp;

/// An effect that has been issued but not completed.
#[derive(Debug, Clone)]
pub(super) struct UnderWay {
    /// The fax or call that it belongs to, if any.
    pub(super) fax: Option<FaxSid>,
    pub(super) intent: Arc<Intent>,
    /// Whether this effect deliberately repeats another effect's request. If so, its completion is only journaled.
    pub(super) is_echo: bool,
}

impl Engine {
    pub(super) fn issue(&mut self, fax: FaxSid, intent: Intent) {
        self.issue_effect(UnderWay { fax: Some(fax), intent: Arc::new(intent), is_echo: false });
    }

    /// Issues an effect that belongs to no fax or call.
    pub(super) fn issue_alone(&mut self, intent: Intent) {
        self.issue_effect(UnderWay { fax: None, intent: Arc::new(intent), is_echo: false });
    }

    pub(super) fn issue_effect(&mut self, under_way: UnderWay) {
        let id = EffectId(self.next_effect);
        self.next_effect += 1;
        // Kept until completion, so that a restore from a snapshot can issue it again.
        let (fax, intent) = (under_way.fax, Arc::clone(&under_way.intent));
        self.world.under_way.insert(id, under_way);
        self.effects.push_back(Effect { id, generation: self.generation, fax, intent });
    }

    pub(super) fn complete(&mut self, completion: Completion, now: Timestamp) {
        // A reset, a restore or a load starts a new generation, whose world earlier effects must not touch.
        let known = completion.generation == self.generation;
        let Some(under_way) = known.then(|| self.world.under_way.remove(&completion.effect)).flatten() else {
            self.journal.write(now, None, EventKind::AnswerDropped);
            return;
        };
        let UnderWay { fax, intent, is_echo } = under_way;
        let mut outcome = completion.outcome;
        outcome.set_delivery(intent.delivery());
        if let Intent::NotifyOfMessage(notice) = &*intent {
            self.message_notified(notice.message, outcome, now);
            return;
        }
        if intent.kind() == IntentKind::Report {
            self.reported(fax, outcome, now);
            return;
        }
        // All other effects belong to a fax or call.
        let Some(sid) = fax else { return };
        if is_echo {
            self.echo_answered(sid, outcome, now);
            return;
        }
        match outcome {
            EffectResult::Document { record, document } => self.document_fetched(sid, *record, document, now),
            EffectResult::Rendered(rendered) => {
                let rendered = rendered.map_err(|unreadable| (Fault::Document, unreadable.reason));
                self.rendered(sid, rendered, now);
            }
            EffectResult::Twiml { record, cookies, base_url, reading } => {
                self.twiml_answered(sid, *record, cookies, &base_url, reading, now);
            }
            EffectResult::Delivered { record, cookies } => self.notice_answered(sid, *record, cookies, now),
            EffectResult::Lost => self.lost(sid, intent.kind(), now),
        }
    }

    /// Handles an effect that the emulator itself failed to perform. A fax that needed its result fails, a call that
    /// needed TwiML ends without a fax, and a notice is not sent again.
    fn lost(&mut self, sid: FaxSid, kind: IntentKind, now: Timestamp) {
        // `rendered` raises an alert itself.
        if kind != IntentKind::Render {
            self.alert(Some(sid), (Fault::Internal, AlertLevel::Error), FAULT, None, now);
        }
        match kind {
            IntentKind::FetchDocument => {
                // The fax may have been canceled and even deleted in the meantime.
                let Some(ordinal) = self.world.tables.ordinal(sid) else { return };
                let fetching = |fax: &Fax| matches!(fax.phase, Phase::Processing(Processing::Fetching));
                if !self.world.tables.fax(ordinal).is_some_and(fetching) {
                    return;
                }
                let failure = Some(Box::new(Failure::with_detail(Fault::Internal, FAULT)));
                self.end(
                    ordinal,
                    Ended { status: Status::Failed, pages: None, duration_s: None, rate_bps: None, failure },
                    now,
                );
            }
            IntentKind::Render => self.rendered(sid, Err((Fault::Internal, FAULT.to_owned())), now),
            IntentKind::AskForTwiml => {
                // The caller may have hung up in the meantime.
                let Some(ordinal) = self.world.tables.ordinal(sid) else { return };
                self.not_answered(ordinal, Cause::of(Fault::Internal, FAULT), now);
            }
            IntentKind::Deliver => self.notice_done(sid, Vec::new(), now),
            // `complete` has already handled these.
            IntentKind::NotifyOfMessage | IntentKind::Report => {}
        }
    }

    /// Journals the completion of a deliberately duplicated request, and does nothing else.
    pub(super) fn echo_answered(&mut self, sid: FaxSid, outcome: EffectResult, now: Timestamp) {
        match outcome {
            EffectResult::Twiml { record, .. } | EffectResult::Delivered { record, .. } => {
                self.journal.write(now, Some(sid), EventKind::WebhookAttempt { record: Arc::new(*record) });
            }
            // Only webhooks are duplicated, and a lost duplicate has no exchange to journal.
            EffectResult::Document { .. } | EffectResult::Rendered(_) | EffectResult::Lost => {}
        }
    }
}
