//! The ordered, bounded log of what happened in a world. It records; it never decides or renders. REST requests are no part
//! of it: the shell keeps them and shows users both in one sequence.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::model::fault::{Failure, Fault};
use crate::model::fax::Status;
use crate::model::line::Line;
use crate::model::media::MediaFault;
use crate::model::page::PageLoss;
use crate::model::phone::PhoneNumber;
use crate::model::sid::{AlertSid, FaxSid};
use crate::model::time::Timestamp;
use crate::model::webhook::{ExchangeRecord, Purpose};
use crate::model::words::words;
use crate::twiml::Verb;

use super::input::ResetCount;
use super::rule::Rule;
use super::tally::Tally;

/// Events kept a world; enough for hundreds of whole conversations.
pub const JOURNAL_EVENTS_MAX: usize = 10_000;
/// Bytes of events kept a world; excerpts of webhooks make up most of it.
pub const JOURNAL_BYTES_MAX: usize = 16 * 1024 * 1024;

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
        to: WayBack,
    },
}

/// What a world goes back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WayBack {
    /// The configured start.
    Start,
    /// A snapshot of this name.
    Snapshot(Box<str>),
    /// A state that was loaded.
    State,
}

impl WayBack {
    /// The control API's word for it.
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
    /// The control API's word for it.
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

/// Which events are wanted.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// Later than this place.
    pub since: u64,
    /// Of this fax or call.
    pub fax: Option<FaxSid>,
    /// Of this kind, by the control API's word.
    pub kind: Option<Box<str>>,
    /// Of this purpose, where they are exchanges.
    pub purpose: Option<Purpose>,
}

/// The log.
#[derive(Debug, Clone, Default)]
pub(super) struct Journal {
    events: VecDeque<Arc<Event>>,
    bytes: usize,
    last_seq: u64,
    evicted: u64,
    /// The place just before the world last went back; what is earlier is about faxes that may no longer be there.
    last_reset: Option<u64>,
    tally: Tally,
}

impl Journal {
    pub(super) fn write(&mut self, at: Timestamp, fax: Option<FaxSid>, kind: EventKind) -> Arc<Event> {
        if matches!(kind, EventKind::WorldReset { .. }) {
            self.last_reset = Some(self.last_seq);
        }
        self.last_seq += 1;
        self.tally.count(&kind);
        self.bytes += kind.size_bytes();
        let written = Arc::new(Event { seq: self.last_seq, at, fax, kind });
        self.events.push_back(Arc::clone(&written));
        while self.events.len() > JOURNAL_EVENTS_MAX || self.bytes > JOURNAL_BYTES_MAX {
            let Some(event) = self.events.pop_front() else { break };
            self.bytes -= event.kind.size_bytes();
            self.evicted += 1;
        }
        written
    }

    pub(super) const fn last_seq(&self) -> u64 {
        self.last_seq
    }

    pub(super) const fn evicted(&self) -> u64 {
        self.evicted
    }

    pub(super) const fn last_reset(&self) -> Option<u64> {
        self.last_reset
    }

    pub(super) const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The last status that a fax has entered since the world last went back.
    pub(super) fn last_status(&self, fax: FaxSid) -> Option<Status> {
        let is_reset = |event: &&Arc<Event>| matches!(event.kind, EventKind::WorldReset { .. });
        let since = self.events.iter().rev().take_while(|event| !is_reset(event));
        since.filter(|event| event.fax == Some(fax)).find_map(|event| event.kind.entered())
    }

    /// The first `limit` events that fit, oldest first.
    pub(super) fn read(&self, filter: &EventFilter, limit: usize) -> Vec<Arc<Event>> {
        let start = self.events.partition_point(|event| event.seq <= filter.since);
        self.events.range(start..).filter(|event| filter.fits(event)).take(limit).cloned().collect()
    }
}

impl EventFilter {
    fn fits(&self, event: &Event) -> bool {
        let purpose = event.kind.exchange().map(|record| record.purpose);
        self.fax.is_none_or(|fax| event.fax == Some(fax))
            && self.kind.as_deref().is_none_or(|kind| event.kind.as_str() == kind)
            && self.purpose.is_none_or(|wanted| purpose == Some(wanted))
    }
}

fn record_bytes(record: &ExchangeRecord) -> usize {
    let pairs = |pairs: &[(String, String)]| pairs.iter().map(|(name, value)| name.len() + value.len() + 48).sum();
    let lists: [usize; 3] = [pairs(&record.params), pairs(&record.request_headers), pairs(&record.response_headers)];
    size_of::<ExchangeRecord>() + record.url.len() + record.response_body.len() + lists.iter().sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_counted_and_seq_goes_on() {
        let mut journal = Journal::default();
        for _ in 0..JOURNAL_EVENTS_MAX + 5 {
            journal.write(Timestamp::default(), None, EventKind::CallNotAnswered);
        }
        assert_eq!(journal.evicted(), 5);
        let kept = journal.read(&EventFilter::default(), usize::MAX);
        assert_eq!(kept.len(), JOURNAL_EVENTS_MAX);
        assert_eq!(kept[0].seq, 6);
        let tail = journal.read(&EventFilter { since: journal.last_seq() - 2, ..EventFilter::default() }, 1);
        assert_eq!(tail[0].seq, journal.last_seq() - 1);
    }

    #[test]
    fn large_excerpts_are_bounded_by_bytes() {
        let mut journal = Journal::default();
        for _ in 0..100 {
            let detail = "x".repeat(JOURNAL_BYTES_MAX / 10).into();
            let kind = EventKind::MediaWarning { fault: MediaFault::UserAgent, detail };
            journal.write(Timestamp::default(), None, kind);
        }
        assert!(journal.events.len() < 10 && journal.bytes <= JOURNAL_BYTES_MAX);
        assert_eq!(journal.evicted() + journal.events.len() as u64, 100);
    }
}
