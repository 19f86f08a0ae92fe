//! The events that can happen in a world, as the journal records them.

use std::sync::Arc;

use super::rule::{Rule, RuleEffect};
use crate::model::fault::{Failure, Fault};
use crate::model::fax::Status;
use crate::model::line::Line;
use crate::model::media::MediaFault;
use crate::model::message::MessageStatus;
use crate::model::page::{PageLoss, PageText};
use crate::model::phone::PhoneNumber;
use crate::model::sid::{AlertSid, FaxSid, MessageSid};
use crate::model::time::Timestamp;
use crate::model::webhook::{ExchangeRecord, Purpose};
use crate::model::words::words;
use crate::twiml::Verb;

/// One thing that happened, as an entry of the journal.
#[derive(Debug, Clone)]
pub struct Event {
    /// The event's sequence number, which grows by one per event and is not reset with the world.
    pub seq: u64,
    /// The time of the event, by the world's clock.
    pub at: Timestamp,
    /// The fax or call that the event concerns; `None` if it concerns the whole world.
    pub fax: Option<FaxSid>,
    /// The kind of event, with its details.
    pub kind: EventKind,
}

/// The kinds of events, with the data that each one records.
#[derive(Debug, Clone)]
pub enum EventKind {
    /// A fax was created, or its status changed.
    FaxStatus {
        /// The previous status; `None` if the fax was created.
        old: Option<Status>,
        /// The status that the fax has entered.
        new: Status,
        /// The reason for the failure; `None` unless `new` is a failure.
        failure: Option<Failure>,
    },
    /// A whole page went over the line.
    FaxPage {
        /// The number of the page, from one.
        page: u32,
        /// The number of pages in the whole document.
        pages: u32,
        /// The speed, coding and noise that the machines agreed on.
        line: Line,
        /// The size of the coded page in bits; `None` if unknown.
        bits: Option<u64>,
        /// The time that the page took on the line, before scaling by the pace.
        line_ms: u64,
        /// The page's text, shared with the document; `None` if it is not known.
        text: Option<PageText>,
    },
    /// The document of an outbound fax was requested from its MediaUrl.
    DocumentFetched {
        /// The request to the MediaUrl and its response.
        record: Arc<ExchangeRecord>,
        /// The numbers of pages and bytes of the document, or the reason that it can't be used.
        document: Result<(u32, usize), Box<str>>,
    },
    /// A part of the document is missing from its fax pages.
    DocumentLoss(PageLoss),
    /// A request was made to a customer's app: a request for TwiML, a status notice or an alert.
    WebhookAttempt {
        /// The request to the app and its response.
        record: Arc<ExchangeRecord>,
    },
    /// At a tester's request, a webhook was sent again, perhaps with edits.
    WebhookReplayed {
        /// The id of the webhook that was sent again: its idempotency token or, without one, the sequence number of its
        /// first attempt.
        of: Box<str>,
        /// The new request and its response.
        record: Arc<ExchangeRecord>,
    },
    /// A number's app or TwiML bin responded with TwiML that can be executed.
    TwimlExecuted {
        /// The verb that determined how the call proceeds.
        verb: Verb,
    },
    /// The outcome of a call of an outbound fax became known: of the first call, or of a redial.
    CallAttempt {
        /// The number of the call, from one.
        attempt: u32,
        /// The outcome of the call.
        outcome: CallResult,
        /// The time of the next call; `None` if no further call is made.
        retry_at: Option<Timestamp>,
        /// The id of the rule that decided the outcome, if one did.
        rule: Option<u64>,
    },
    /// A call ended without a fax, most often because it received no usable TwiML.
    CallNotAnswered,
    /// An alert for the developer was raised.
    Alert(Alert),
    /// In open account mode, a `From` that the account did not own was added as a caller id.
    CallerIdAdopted {
        /// The number that was added as a caller id.
        number: PhoneNumber,
    },
    /// A text message was created, or its status changed.
    MessageStatus {
        /// The message.
        message: MessageSid,
        /// The previous status; `None` if the message was created.
        old: Option<MessageStatus>,
        /// The new status.
        new: MessageStatus,
    },
    /// The media of a fax were dropped to stay within the media budget.
    MediaEvicted,
    /// A download of a fax's media was refused, as the dialect or a tester's rule demands.
    MediaRefused {
        /// The HTTP status of the response.
        status: u16,
        /// The reason: a requirement of the dialect that the download violated, or a tester's rule.
        fault: MediaFault,
        /// An explanation of the refusal, for the developer.
        detail: Box<str>,
    },
    /// A download of a fax's media was served although Twilio would have refused it, or a tester's rule made it slower
    /// or incomplete, or redirected it.
    MediaWarning {
        /// The reason: a requirement of Twilio's that the download violated, or a tester's rule.
        fault: MediaFault,
        /// An explanation of the warning, for the developer.
        detail: Box<str>,
    },
    /// A completion was dropped, since the world had been reset, restored or loaded after its effect was issued.
    AnswerDropped,
    /// A tester's rule acted on a call, a webhook, a REST call or a download.
    RuleFired {
        /// The rule's id in the rule list.
        id: u64,
        /// The rule as it was when it acted.
        rule: Arc<Rule>,
        /// The webhook that it acted on; `None` if it acted on anything else, and in a journal from a version that did
        /// not record it.
        webhook: Option<RuledWebhook>,
    },
    /// Pedantic mode acted on a webhook, a REST call or a download.
    PedanticActed {
        /// The effect, in the same form as the effect of a tester's rule.
        effect: Arc<RuleEffect>,
        /// The webhook that it acted on, if it is one.
        webhook: Option<RuledWebhook>,
        /// The method and the path of the REST call or download that it acted on, if it is one.
        call: Option<Box<str>>,
    },
    /// The clock was set, frozen or resumed.
    ClockMoved {
        /// The clock's time before the change.
        from: Timestamp,
        /// Whether the clock is now frozen.
        frozen: bool,
    },
    /// An invariant of the world was violated; the world accepts no commands until it is reset.
    WorldBroken {
        /// The panic message, which names the violation.
        why: Box<str>,
        /// The last commands before the panic, oldest first.
        inputs: Box<str>,
        /// The seed of the run, which reproduces the violation.
        seed: u64,
    },
    /// The world was reset to its start, or restored from a snapshot or a loaded state.
    WorldReset {
        /// The number of things that the reset removed.
        count: ResetCount,
        /// The state that the world was reset to.
        to: ResetTo,
    },
}

words!(
    /// The names of the events, one for each kind.
    EventName {
        /// A fax was created, or its status changed.
        FaxStatus = "fax.status",
        /// A whole page went over the line.
        FaxPage = "fax.page",
        /// The document of an outbound fax was requested.
        DocumentFetched = "document.fetched",
        /// A part of a document is missing from its fax pages.
        DocumentLoss = "document.loss",
        /// A request was made to a customer's app.
        WebhookAttempt = "webhook.attempt",
        /// A tester had a webhook sent again.
        WebhookReplayed = "webhook.replayed",
        /// A number's app or TwiML bin responded with TwiML that can be executed.
        TwimlExecuted = "twiml.executed",
        /// The outcome of a call of an outbound fax became known.
        CallAttempt = "call.attempt",
        /// A call ended without a fax.
        CallNotAnswered = "call.not-answered",
        /// An alert was raised.
        Alert = "alert",
        /// An unknown `From` was added as a caller id.
        CallerIdAdopted = "caller-id.adopted",
        /// A text message changed its status.
        MessageStatus = "message.status",
        /// Media were dropped to stay within the budget.
        MediaEvicted = "media.evicted",
        /// A download of media was refused.
        MediaRefused = "media.refused",
        /// A download of media was served with a warning.
        MediaWarning = "media.warning",
        /// The completion of an effect from before a reset was dropped.
        AnswerDropped = "answer.dropped",
        /// A tester's rule acted.
        RuleFired = "rule.fired",
        /// Pedantic mode acted.
        PedanticActed = "pedantic.acted",
        /// The clock was set, frozen or resumed.
        ClockMoved = "clock.moved",
        /// The world broke.
        WorldBroken = "world.broken",
        /// The world was reset or restored.
        WorldReset = "world.reset",
    }
);

words!(
    /// The outcome of one call of an outbound fax.
    CallResult {
        /// The far end picked up. The transmission may still break.
        Connected = "connected",
        /// The far end was busy.
        Busy = "busy",
        /// The far end did not pick up.
        NoAnswer = "no-answer",
        /// The fax was canceled while the far end rang.
        Canceled = "canceled",
    }
);

/// The state that a world is reset to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResetTo {
    /// The configured start of the world.
    Start,
    /// The state in the snapshot with this name.
    Snapshot(Box<str>),
    /// A state loaded from a file.
    State,
}

impl ResetTo {
    /// Returns the control API's word for this state.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Snapshot(_) => "snapshot",
            Self::State => "state",
        }
    }

    /// Returns the snapshot's name, if the world was restored from one.
    #[must_use]
    pub fn snapshot(&self) -> Option<&str> {
        if let Self::Snapshot(name) = self { Some(name) } else { None }
    }
}

impl EventKind {
    /// Returns the event's name in the journal.
    #[must_use]
    pub const fn name(&self) -> EventName {
        match self {
            Self::FaxStatus { .. } => EventName::FaxStatus,
            Self::FaxPage { .. } => EventName::FaxPage,
            Self::DocumentFetched { .. } => EventName::DocumentFetched,
            Self::DocumentLoss(_) => EventName::DocumentLoss,
            Self::WebhookAttempt { .. } => EventName::WebhookAttempt,
            Self::WebhookReplayed { .. } => EventName::WebhookReplayed,
            Self::TwimlExecuted { .. } => EventName::TwimlExecuted,
            Self::CallAttempt { .. } => EventName::CallAttempt,
            Self::CallNotAnswered => EventName::CallNotAnswered,
            Self::Alert(_) => EventName::Alert,
            Self::CallerIdAdopted { .. } => EventName::CallerIdAdopted,
            Self::MessageStatus { .. } => EventName::MessageStatus,
            Self::MediaEvicted => EventName::MediaEvicted,
            Self::MediaRefused { .. } => EventName::MediaRefused,
            Self::MediaWarning { .. } => EventName::MediaWarning,
            Self::AnswerDropped => EventName::AnswerDropped,
            Self::RuleFired { .. } => EventName::RuleFired,
            Self::PedanticActed { .. } => EventName::PedanticActed,
            Self::ClockMoved { .. } => EventName::ClockMoved,
            Self::WorldBroken { .. } => EventName::WorldBroken,
            Self::WorldReset { .. } => EventName::WorldReset,
        }
    }

    /// Returns the event's name as a word, such as `fax.status`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        self.name().as_str()
    }

    /// Returns the exchange that the event records, if any. The exchange of an alert is not returned, since it has an
    /// event of its own.
    #[must_use]
    pub const fn exchange(&self) -> Option<&Arc<ExchangeRecord>> {
        if let Self::DocumentFetched { record, .. }
        | Self::WebhookAttempt { record }
        | Self::WebhookReplayed { record, .. } = self
        {
            Some(record)
        } else {
            None
        }
    }

    /// Returns the status that a fax entered, if the event is a status change.
    #[must_use]
    pub const fn entered(&self) -> Option<Status> {
        if let Self::FaxStatus { new, .. } = self { Some(*new) } else { None }
    }

    /// Returns the approximate memory used by the event, for the journal's budget.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        let variable = match self {
            Self::DocumentFetched { record, .. }
            | Self::WebhookAttempt { record }
            | Self::WebhookReplayed { record, .. } => record_bytes(record),
            Self::Alert(alert) => alert.message.len() + alert.record.as_deref().map_or(0, record_bytes),
            Self::DocumentLoss(loss) => loss.what.len(),
            Self::WorldBroken { why, inputs, .. } => why.len() + inputs.len(),
            Self::MediaRefused { detail, .. } | Self::MediaWarning { detail, .. } => detail.len(),
            Self::PedanticActed { call, .. } => call.as_ref().map_or(0, |call| call.len()),
            Self::FaxPage { text, .. } => text.as_ref().map_or(0, |text| text.content.len()),
            Self::FaxStatus { .. }
            | Self::TwimlExecuted { .. }
            | Self::CallAttempt { .. }
            | Self::CallNotAnswered
            | Self::CallerIdAdopted { .. }
            | Self::MessageStatus { .. }
            | Self::MediaEvicted
            | Self::AnswerDropped
            | Self::RuleFired { .. }
            | Self::ClockMoved { .. }
            | Self::WorldReset { .. } => 0,
        };
        size_of::<Event>() + variable
    }
}

/// The webhook that a rule acted on. A notice that is dropped has no other event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuledWebhook {
    /// The purpose of the webhook.
    pub purpose: Purpose,
    /// The status of the fax that the webhook is about; `None` for a request for TwiML.
    pub status: Option<Status>,
}

/// A fault or warning that a developer should look at.
#[derive(Debug, Clone)]
pub struct Alert {
    /// The id under which the Monitor API lists the alert.
    pub sid: AlertSid,
    /// The alert's place among those of its fax, which is the same in every run: the fault in the upper 32 bits, and
    /// the number of earlier alerts with that fault in the lower ones. A world that loads a state counts only those
    /// that the state contains.
    pub place: u64,
    /// The kind of fault, which determines Twilio's error code.
    pub fault: Fault,
    /// The severity: an error or a warning.
    pub level: AlertLevel,
    /// An explanation of the fault, for the developer.
    pub message: Box<str>,
    /// The failed exchange, if the fault occurred in one.
    pub record: Option<Arc<ExchangeRecord>>,
}

words!(
    /// The severity of an alert, in Twilio's terms.
    AlertLevel {
        /// The fax or the callback failed.
        Error = "error",
        /// The fax or the callback went on regardless.
        Warning = "warning",
    }
);

/// The number of things that a reset or restore removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ResetCount {
    /// The number of removed faxes, active or ended.
    pub faxes: usize,
    /// The number of those faxes, and of calls, that had not ended.
    pub pending: usize,
    /// The number of effects that were under way, and of webhooks that were still to be sent.
    pub effects: usize,
}

/// Returns the approximate memory used by the record of an exchange.
pub(super) fn record_bytes(record: &ExchangeRecord) -> usize {
    // Besides its content, each pair takes 48 bytes for the two `String`s.
    let pairs = |pairs: &[(String, String)]| pairs.iter().map(|(name, value)| name.len() + value.len() + 48).sum();
    let lists: [usize; 3] = [pairs(&record.params), pairs(&record.request_headers), pairs(&record.response_headers)];
    size_of::<ExchangeRecord>() + record.url.len() + record.response_body.len() + lists.iter().sum::<usize>()
}
