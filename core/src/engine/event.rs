//! What can happen in a world, as the journal keeps it.

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

/// One thing that happened.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its place; grows by one, never goes back.
    pub seq: u64,
    /// When, by the world's clock.
    pub at: Timestamp,
    /// To which fax or call.
    pub fax: Option<FaxSid>,
    /// What.
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum EventKind {
    /// A fax changed its status.
    FaxStatus {
        /// Before; none at its founding.
        old: Option<Status>,
        /// After.
        new: Status,
        /// Why it failed, if it did.
        failure: Option<Failure>,
    },
    /// A page went through.
    FaxPage {
        /// Which, from one.
        page: u32,
        /// Of how many.
        pages: u32,
        /// What the machines agreed on.
        line: Line,
        /// Coded bits, where they are known.
        bits: Option<u64>,
        /// Line time.
        line_ms: u64,
    },
    /// A document was asked for.
    DocumentFetched {
        /// The exchange.
        record: Arc<ExchangeRecord>,
        /// Pages and bytes, or why it can't be used.
        document: Result<(u32, usize), Box<str>>,
    },
    /// Something of a document is missing on its fax pages.
    DocumentLoss(PageLoss),
    /// A customer's app was asked or told something.
    WebhookAttempt {
        /// The exchange.
        record: Arc<ExchangeRecord>,
    },
    /// A tester had a webhook sent again.
    WebhookReplayed {
        /// The webhook's id: its idempotency token.
        of: Box<str>,
        /// The exchange.
        record: Arc<ExchangeRecord>,
    },
    /// A number's app answered with TwiML.
    TwimlExecuted {
        /// The verb that decided.
        verb: Verb,
    },
    /// A call ended without a fax.
    CallNotAnswered,
    /// Something a developer should see.
    Alert(Alert),
    /// A number that the account did not own was taken as caller id.
    CallerIdAdopted {
        /// The number.
        number: PhoneNumber,
    },
    /// Media went to keep within the budget.
    MediaEvicted,
    /// A download of a fax's media was refused.
    MediaRefused {
        /// The HTTP status answered.
        status: u16,
        /// Why.
        fault: MediaFault,
        /// The same, for a person.
        detail: Box<str>,
    },
    /// A download of a fax's media was served, though it breaks a rule of Twilio's.
    MediaWarning {
        /// Which one.
        fault: MediaFault,
        /// The same, for a person.
        detail: Box<str>,
    },
    /// An answer came too late to matter.
    AnswerDropped,
    /// A tester's rule acted.
    RuleFired {
        /// Its id.
        id: u64,
        /// The rule.
        rule: Arc<Rule>,
    },
    /// The clock was set, frozen or let run.
    ClockMoved {
        /// Where it stood before.
        from: Timestamp,
        /// Whether it stands still now.
        frozen: bool,
    },
    /// A rule that the world relies on no longer holds; nothing is done with it until it is reset.
    WorldBroken {
        /// What the panic said.
        why: Box<str>,
        /// The last inputs, oldest first.
        inputs: Box<str>,
        /// The seed of the run.
        seed: u64,
    },
    /// The world went back to its start, to a snapshot, or to a state that was loaded.
    WorldReset {
        /// What that took away.
        count: ResetCount,
        /// What took its place.
        to: ResetTo,
    },
}

/// What a world goes back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResetTo {
    /// The configured start.
    Start,
    /// A snapshot of this name.
    Snapshot(Box<str>),
    /// A state that was loaded.
    State,
}

impl ResetTo {
    /// Its name.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Snapshot(_) => "snapshot",
            Self::State => "state",
        }
    }

    /// The snapshot's name.
    #[must_use]
    pub fn snapshot(&self) -> Option<&str> {
        if let Self::Snapshot(name) = self { Some(name) } else { None }
    }
}

impl EventKind {
    /// Its name.
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

    /// The exchange with a customer's app that it tells of.
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

    /// The status that a fax entered.
    #[must_use]
    pub const fn entered(&self) -> Option<Status> {
        if let Self::FaxStatus { new, .. } = self { Some(*new) } else { None }
    }

    /// How much memory an event of this kind takes.
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

/// Something a developer should see.
#[derive(Debug, Clone)]
pub struct Alert {
    /// Its id in the Monitor list.
    pub sid: AlertSid,
    /// Its place among the alerts of its fax: the fault, then which of those with that fault it is.
    pub place: u64,
    /// What kind of fault it is.
    pub fault: Fault,
    /// Error or warning.
    pub level: AlertLevel,
    /// What is wrong, for a person.
    pub message: Box<str>,
    /// The exchange that went wrong.
    pub record: Option<Arc<ExchangeRecord>>,
}

words!(
    /// How grave an alert is, by Twilio's word.
    AlertLevel {
        /// The fax or callback suffered.
        Error = "error",
        /// It went on.
        Warning = "warning",
    }
);

/// How much a reset or restore took away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ResetCount {
    /// Faxes, ended or not.
    pub faxes: usize,
    /// Faxes and calls that had not ended.
    pub pending: usize,
    /// Requests to customers' apps that were under way or waiting.
    pub effects: usize,
}

fn record_bytes(record: &ExchangeRecord) -> usize {
    let pairs = |pairs: &[(String, String)]| pairs.iter().map(|(name, value)| name.len() + value.len() + 48).sum();
    let lists: [usize; 3] = [pairs(&record.params), pairs(&record.request_headers), pairs(&record.response_headers)];
    size_of::<ExchangeRecord>() + record.url.len() + record.response_body.len() + lists.iter().sum::<usize>()
}
