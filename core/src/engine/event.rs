//! The events that can happen in a world, as the journal records them.

use std::sync::Arc;

use super::rule::Rule;
use crate::model::fault::{Failure, Fault};
use crate::model::fax::Status;
use crate::model::line::Line;
use crate::model::media::MediaFault;
use crate::model::page::PageLoss;
use crate::model::phone::PhoneNumber;
use crate::model::sid::{AlertSid, FaxSid};
use crate::model::time::Timestamp;
use crate::model::webhook::ExchangeRecord;
use crate::model::words::words;
use crate::twiml::Verb;

/// One thing that happened, as an entry of the journal.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its sequence number, which grows by one per event and is not reset with the world.
    pub seq: u64,
    /// When it happened, by the world's clock.
    pub at: Timestamp,
    /// The fax or call that it is about; `None` for events of the whole world.
    pub fax: Option<FaxSid>,
    /// What happened, with the details of its kind.
    pub kind: EventKind,
}

/// The kinds of events and what each records.
#[derive(Debug, Clone)]
pub enum EventKind {
    /// A fax changed its status, or was created.
    FaxStatus {
        /// The status before; `None` when the fax was created.
        old: Option<Status>,
        /// The status after the change.
        new: Status,
        /// Why the fax failed; `None` unless `new` is a failure.
        failure: Option<Failure>,
    },
    /// A page went over the line completely.
    FaxPage {
        /// Number of the page, from one.
        page: u32,
        /// Number of pages in the whole document.
        pages: u32,
        /// The speed, coding and noise that the machines agreed on.
        line: Line,
        /// Bits of the coded page; `None` where no coded size is known for it.
        bits: Option<u64>,
        /// Time that the page took on the line, before the pace is applied.
        line_ms: u64,
    },
    /// The document of an outbound fax was requested from its MediaUrl.
    DocumentFetched {
        /// The request to the MediaUrl and its response.
        record: Arc<ExchangeRecord>,
        /// Pages and bytes of the document, or why it can't be used.
        document: Result<(u32, usize), Box<str>>,
    },
    /// Part of a document is missing on its fax pages.
    DocumentLoss(PageLoss),
    /// A request was made to a customer's app: a question for TwiML, a status notice or an alert.
    WebhookAttempt {
        /// The request to the app and its response.
        record: Arc<ExchangeRecord>,
    },
    /// A tester had a webhook sent again, unchanged.
    WebhookReplayed {
        /// The idempotency token of the webhook that was sent again.
        of: Box<str>,
        /// The new request and its response.
        record: Arc<ExchangeRecord>,
    },
    /// A number's app responded with TwiML.
    TwimlExecuted {
        /// The verb that decided what happens to the call.
        verb: Verb,
    },
    /// A call ended without a fax, because no usable TwiML came for it.
    CallNotAnswered,
    /// Something that a developer should look at.
    Alert(Alert),
    /// In open account mode, a `From` that the account did not own was added as a caller id.
    CallerIdAdopted {
        /// The number that was added.
        number: PhoneNumber,
    },
    /// The media of a fax were dropped to keep within the media budget.
    MediaEvicted,
    /// A download of a fax's media was refused, as Twilio would refuse it.
    MediaRefused {
        /// The HTTP status of the response.
        status: u16,
        /// The rule of Twilio's that the download broke.
        fault: MediaFault,
        /// The reason in words, for the developer.
        detail: Box<str>,
    },
    /// A download of a fax's media was served, though Twilio would have refused it.
    MediaWarning {
        /// The rule of Twilio's that the download broke.
        fault: MediaFault,
        /// The rule in words, for the developer.
        detail: Box<str>,
    },
    /// A completion came too late to matter, since a reset had already dropped its effect.
    AnswerDropped,
    /// A tester's rule acted on a call, a webhook or a REST call.
    RuleFired {
        /// The rule's id in the rule list.
        id: u64,
        /// The rule as it was when it acted.
        rule: Arc<Rule>,
    },
    /// The clock was set, frozen or resumed.
    ClockMoved {
        /// The time of the clock before the change.
        from: Timestamp,
        /// Whether the clock is frozen now.
        frozen: bool,
    },
    /// An invariant of the world no longer holds; it accepts no commands until it is reset.
    WorldBroken {
        /// The panic's message, which says what was violated.
        why: Box<str>,
        /// The last commands before the panic, oldest first.
        inputs: Box<str>,
        /// The seed of the run, which reproduces the fault.
        seed: u64,
    },
    /// The world was reset to its start, to a snapshot or to a loaded state.
    WorldReset {
        /// How much the reset removed.
        count: ResetCount,
        /// What the world was reset to.
        to: ResetTo,
    },
}

/// What a world is reset to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResetTo {
    /// The start that is configured for it.
    Start,
    /// The snapshot with this name.
    Snapshot(Box<str>),
    /// A state loaded from a file.
    State,
}

impl ResetTo {
    /// The word that the control API uses for it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Snapshot(_) => "snapshot",
            Self::State => "state",
        }
    }

    /// The snapshot's name, if the world was reset to one.
    #[must_use]
    pub fn snapshot(&self) -> Option<&str> {
        if let Self::Snapshot(name) = self { Some(name) } else { None }
    }
}

impl EventKind {
    /// The event's name in the journal, such as `fax.status`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::FaxStatus { .. } => "fax.status",
            Self::FaxPage { .. } => "fax.page",
            Self::DocumentFetched { .. } => "document.fetched",
            Self::DocumentLoss(_) => "document.loss",
            Self::WebhookAttempt { .. } => "webhook.attempt",
            Self::WebhookReplayed { .. } => "webhook.replayed",
            Self::TwimlExecuted { .. } => "twiml.executed",
            Self::CallNotAnswered => "call.not-answered",
            Self::Alert(_) => "alert",
            Self::CallerIdAdopted { .. } => "caller-id.adopted",
            Self::MediaEvicted => "media.evicted",
            Self::MediaRefused { .. } => "media.refused",
            Self::MediaWarning { .. } => "media.warning",
            Self::AnswerDropped => "answer.dropped",
            Self::RuleFired { .. } => "rule.fired",
            Self::ClockMoved { .. } => "clock.moved",
            Self::WorldBroken { .. } => "world.broken",
            Self::WorldReset { .. } => "world.reset",
        }
    }

    /// The exchange with a customer's app, in events that record one.
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

    /// The status that a fax entered, if the event is a change of status.
    #[must_use]
    pub const fn entered(&self) -> Option<Status> {
        if let Self::FaxStatus { new, .. } = self { Some(*new) } else { None }
    }

    /// The approximate memory that the event takes, for the journal's budget.
    pub(super) fn size_bytes(&self) -> usize {
        let variable = match self {
            Self::DocumentFetched { record, .. }
            | Self::WebhookAttempt { record }
            | Self::WebhookReplayed { record, .. } => record_bytes(record),
            Self::Alert(alert) => alert.message.len() + alert.record.as_deref().map_or(0, record_bytes),
            Self::DocumentLoss(loss) => loss.what.len(),
            Self::WorldBroken { why, inputs, .. } => why.len() + inputs.len(),
            Self::MediaRefused { detail, .. } | Self::MediaWarning { detail, .. } => detail.len(),
            Self::FaxStatus { .. }
            | Self::FaxPage { .. }
            | Self::TwimlExecuted { .. }
            | Self::CallNotAnswered
            | Self::CallerIdAdopted { .. }
            | Self::MediaEvicted
            | Self::AnswerDropped
            | Self::RuleFired { .. }
            | Self::ClockMoved { .. }
            | Self::WorldReset { .. } => 0,
        };
        size_of::<Event>() + variable
    }
}

/// A fault or warning that a developer should look at.
#[derive(Debug, Clone)]
pub struct Alert {
    /// Its id in the list of the Monitor API.
    pub sid: AlertSid,
    /// Its place among the alerts of its fax, which identifies it across runs: the fault, and how many earlier alerts
    /// had that fault.
    pub place: u64,
    /// The kind of fault, which determines Twilio's error code.
    pub fault: Fault,
    /// Whether it is an error or a warning.
    pub level: AlertLevel,
    /// What is wrong, in words for the developer.
    pub message: Box<str>,
    /// The exchange that went wrong, if the fault came up in one.
    pub record: Option<Arc<ExchangeRecord>>,
}

words!(
    /// The severity of an alert, in Twilio's words.
    AlertLevel {
        /// The fax or the callback failed.
        Error = "error",
        /// The fax went on regardless.
        Warning = "warning",
    }
);

/// How much a reset or restore removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ResetCount {
    /// Faxes that it removed, whether ended or not.
    pub faxes: usize,
    /// How many of these faxes, and of the calls, had not ended.
    pub pending: usize,
    /// Requests to customers' apps that were under way or waiting.
    pub effects: usize,
}

fn record_bytes(record: &ExchangeRecord) -> usize {
    // Besides its text, each pair takes 48 bytes for the two `String`s.
    let pairs = |pairs: &[(String, String)]| pairs.iter().map(|(name, value)| name.len() + value.len() + 48).sum();
    let lists: [usize; 3] = [pairs(&record.params), pairs(&record.request_headers), pairs(&record.response_headers)];
    size_of::<ExchangeRecord>() + record.url.len() + record.response_body.len() + lists.iter().sum::<usize>()
}
