//! The deadlines of a world, ordered by time, ordinal and kind, and the method that handles each kind.
//!
//! A fax, call or message has at most one alarm per slot at a time. Housekeeping isn't included: `retention.rs` derives
//! its one deadline from the oldest fax.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Engine;
use super::input::HandleAlarms;
use crate::model::time::Timestamp;
use crate::model::words::words;

/// The position of a fax or call in the order of creation. It is reused only after a reset or restore.
pub type Ordinal = u64;

words!(
    /// The purpose of an alarm, which determines its handler.
    AlarmKind {
        /// Fires when a fax leaves the queue and its document is requested: in a Twilio account immediately after the
        /// fax is created, in a SignalWire account a moment later.
        Start = "start",
        /// Fires when the fetched document has been converted: the far end is called.
        Dial = "dial",
        /// Fires when ringing ends: the far end picks up, is busy or doesn't answer.
        RingEnd = "ring-end",
        /// Fires when a page, or the part of it before a break, has been transmitted.
        Page = "page",
        /// Fires when a number that was busy or didn't answer is called again, after a wait.
        Redial = "redial",
        /// Fires when a failed webhook is to be sent again: immediately, or after the dialect's wait.
        Retry = "retry",
        /// Fires when a webhook must be matched against the rules, or when a delayed webhook is due.
        Tell = "tell",
        /// Fires when a text message enters its next status.
        Message = "message",
    }
);

impl AlarmKind {
    /// Describes for users what happens at such an alarm.
    #[must_use]
    pub const fn what(self) -> &'static str {
        match self {
            Self::Start => "a queued fax starts",
            Self::Dial => "the number is called",
            Self::RingEnd => "ringing ends",
            Self::Page => "a page has been transmitted",
            Self::Redial => "the number is called again",
            Self::Retry => "a webhook is retried",
            Self::Tell => "a webhook is sent",
            Self::Message => "a text message changes its status",
        }
    }

    const fn slot(self) -> Slot {
        match self {
            Self::Start | Self::Dial | Self::RingEnd | Self::Page | Self::Redial => Slot::Phase,
            Self::Retry => Slot::Webhook,
            Self::Tell => Slot::Rules,
            Self::Message => Slot::Message,
        }
    }
}

/// The slots of a fax, call or message, each of which holds at most one alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Slot {
    /// The next step of the current phase; cleared when the fax ends.
    Phase,
    /// The retry of the webhook that is under way.
    Webhook,
    /// Webhooks that the rules must decide on, or that they delay.
    Rules,
    /// The next status of a text message.
    Message,
}

/// A deadline of one fax, call or message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alarm {
    /// The time at which the alarm is due.
    pub at: Timestamp,
    /// The fax or call that the alarm belongs to; for an alarm of the kind `Message`, the message, since messages are
    /// counted separately.
    pub ordinal: Ordinal,
    /// The purpose, which determines its handler.
    pub kind: AlarmKind,
}

/// All alarms of a world, ordered by time, ordinal and kind.
#[derive(Debug, Clone, Default)]
pub(super) struct Agenda {
    in_order: BTreeSet<Alarm>,
    of: BTreeMap<(Ordinal, Slot), Alarm>,
}

impl Agenda {
    /// Sets an alarm for a fax, call or message, replacing any other alarm in the same slot.
    pub(super) fn set(&mut self, alarm: Alarm) {
        let key = (alarm.ordinal, alarm.kind.slot());
        // The replaced alarm must leave both collections; inserting the new one would only replace it in `of`.
        self.remove(key);
        self.of.insert(key, alarm);
        self.in_order.insert(alarm);
    }

    /// Removes the phase alarm of a fax or call, if there is one.
    pub(super) fn clear(&mut self, ordinal: Ordinal) {
        self.remove((ordinal, Slot::Phase));
    }

    /// Removes the alarm in this alarm's slot.
    pub(super) fn take(&mut self, alarm: &Alarm) {
        self.remove((alarm.ordinal, alarm.kind.slot()));
    }

    /// Removes and returns the first alarm that is due.
    pub(super) fn pop_due(&mut self, now: Timestamp) -> Option<Alarm> {
        let alarm = *self.in_order.first().filter(|alarm| alarm.at <= now)?;
        self.remove((alarm.ordinal, alarm.kind.slot()));
        Some(alarm)
    }

    /// Postpones all alarms by `span`, after a restore.
    pub(super) fn postpone(&mut self, span: Duration) {
        let later = |alarm: &Alarm| Alarm { at: alarm.at.after(span), ..*alarm };
        // The set is sorted by time, so its elements can't be changed in place.
        self.in_order = self.in_order.iter().map(later).collect();
        self.of.values_mut().for_each(|alarm| *alarm = later(alarm));
    }

    /// Returns the time of the first alarm, if there is one.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.in_order.first().map(|alarm| alarm.at)
    }

    /// Returns all alarms, in the order in which they will fire.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Alarm> {
        self.in_order.iter()
    }

    /// Returns the phase alarm of a fax or call, if there is one.
    pub(super) fn of_phase(&self, ordinal: Ordinal) -> Option<&Alarm> {
        self.of.get(&(ordinal, Slot::Phase))
    }

    pub(super) fn len(&self) -> usize {
        self.in_order.len()
    }

    fn remove(&mut self, key: (Ordinal, Slot)) {
        if let Some(alarm) = self.of.remove(&key) {
            self.in_order.remove(&alarm);
        }
    }
}

impl Engine {
    pub(super) fn handle_alarms(&mut self, HandleAlarms { limit }: HandleAlarms, now: Timestamp) -> bool {
        for _ in 0..limit {
            let Some(alarm) = self.world.agenda.pop_due(now) else { break };
            // The deadline counts as the current time, so that a late wake-up doesn't shift later deadlines.
            let at = alarm.at;
            self.alarm(alarm, at);
        }
        // `retire` limits its own work, so the world's lock isn't held for long.
        self.retire(now);
        self.poll_timeout().is_some_and(|due| due <= now)
    }

    fn alarm(&mut self, alarm: Alarm, now: Timestamp) {
        let ordinal = alarm.ordinal;
        match alarm.kind {
            AlarmKind::Start => self.start(ordinal, now),
            AlarmKind::Dial | AlarmKind::Redial => self.dial(ordinal, now),
            AlarmKind::RingEnd => self.ring_end(ordinal, now),
            AlarmKind::Page => self.page_end(ordinal, now),
            AlarmKind::Retry => self.retry(ordinal),
            AlarmKind::Tell => self.webhook_due(ordinal, now),
            AlarmKind::Message => self.message_due(ordinal, now),
        }
    }

    pub(super) fn set_alarm(&mut self, ordinal: Ordinal, kind: AlarmKind, line_time_ms: u64, now: Timestamp) {
        // Only line time is scaled by the pace; the delays of webhooks are not.
        let wait = self.spec.options.pace.scale(Duration::from_millis(line_time_ms));
        self.world.agenda.set(Alarm { at: now.after(wait), ordinal, kind });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alarm(seconds: i64, ordinal: Ordinal, kind: AlarmKind) -> Alarm {
        Alarm { at: Timestamp::from_seconds(seconds), ordinal, kind }
    }

    #[test]
    fn alarms_are_ordered_by_time_then_ordinal() {
        let mut agenda = Agenda::default();
        agenda.set(alarm(9, 1, AlarmKind::Page));
        agenda.set(alarm(5, 3, AlarmKind::Page));
        agenda.set(alarm(5, 2, AlarmKind::Redial));
        let order: Vec<_> = std::iter::from_fn(|| agenda.pop_due(Timestamp::LATEST)).map(|a| a.ordinal).collect();
        assert_eq!(order, [2, 3, 1]);
    }

    #[test]
    fn setting_an_alarm_replaces_the_previous_one() {
        let mut agenda = Agenda::default();
        agenda.set(alarm(5, 1, AlarmKind::Start));
        agenda.set(alarm(9, 1, AlarmKind::Dial));
        assert_eq!(agenda.pop_due(Timestamp::from_seconds(8)), None);
        assert_eq!(agenda.next(), Some(Timestamp::from_seconds(9)));
        agenda.clear(1);
        assert_eq!(agenda.len(), 0);
    }

    #[test]
    fn ending_a_phase_keeps_the_other_alarms() {
        let mut agenda = Agenda::default();
        agenda.set(alarm(5, 1, AlarmKind::Page));
        agenda.set(alarm(6, 1, AlarmKind::Tell));
        agenda.clear(1);
        assert_eq!(agenda.pop_due(Timestamp::LATEST), Some(alarm(6, 1, AlarmKind::Tell)));
        assert_eq!((agenda.len(), agenda.of.len()), (0, 0));
    }
}
