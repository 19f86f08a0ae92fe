//! Text messages. A message is sent at the first deadline after its creation and delivered at the next, and the app is
//! notified of both. No telephone network is emulated for messages: each one is delivered, and none is received.

use std::sync::Arc;
use std::time::Duration;

use super::Engine;
use super::agenda::{Alarm, AlarmKind};
use super::effect::{Intent, MessageNotice};
use super::event::{AlertLevel, EventKind};
use super::faults::FAULT;
use super::input::{CreateMessage, DeleteMessage, EffectResult, RedactMessage};
use super::line;
use super::ordered_map::OrderedMap;
use super::webhooks::uuid;
use crate::model::account::Service;
use crate::model::fault::Fault;
use crate::model::message::{Message, MessageStatus, Sender, segments};
use crate::model::phone::{Party, PhoneNumber};
use crate::model::refusal::Refusal;
use crate::model::sid::MessageSid;
use crate::model::time::Timestamp;
use crate::model::webhook::ExchangeRecord;

/// The maximum number of messages per account. If all have the longest text, they take about 64 MiB.
pub const MESSAGES_MAX: usize = 10_000;
/// The line time that a message spends in the queue.
const QUEUE_MS: u64 = 1_000;
/// The line time from the sending of a message until it reaches the phone.
const DELIVERY_MS: u64 = 3_000;

/// The messages of one account, in the order of creation.
pub(super) type Messages = OrderedMap<MessageSid, Message>;

impl Engine {
    /// Returns the number of messages whose next status an app will be notified of, apart from those with a notice
    /// under way.
    pub(super) fn pending_messages(&self) -> usize {
        let has_callbacks = self.account.service != Service::TestCredentials;
        let is_pending =
            |message: &&Message| has_callbacks && message.status_callback.is_some() && !message.status.is_final();
        // A message whose notice is under way is counted with the effects.
        self.world.messages.oldest_first().filter(is_pending).filter(|message| message.owed.is_empty()).count()
    }

    /// Returns the message with this SID.
    ///
    /// # Errors
    /// Returns `NoMessage` if there is no such message.
    pub fn message(&self, sid: MessageSid) -> Result<&Message, Refusal> {
        self.world.messages.get(&sid).ok_or(Refusal::NoMessage(sid))
    }

    /// Returns all messages of the account, newest first.
    pub fn messages(&self) -> impl Iterator<Item = &Message> {
        self.world.messages.newest_first()
    }

    pub(super) fn create_message(&mut self, order: CreateMessage, now: Timestamp) -> Result<MessageSid, Refusal> {
        check_magic(&order)?;
        if self.world.messages.len() >= MESSAGES_MAX {
            return Err(Refusal::LimitReached { what: "messages", limit: MESSAGES_MAX });
        }
        // Checked last, because it may adopt the sender and a refused command must change nothing.
        if let Some(Sender::Number(number)) = order.from
            && !self.may_call_or_adopt(number, now)?
        {
            return Err(Refusal::SenderNotOwned(number));
        }
        let ordinal = self.world.messages.take_ordinal();
        let sid = self.ids.seed().mint::<MessageSid>("message", b"", ordinal);
        let message = Message {
            sid,
            ordinal,
            from: order.from,
            to: order.to,
            segments: segments(&order.body),
            body: order.body,
            media: order.media,
            messaging_service: order.messaging_service,
            status_callback: order.status_callback,
            status: MessageStatus::Queued,
            created: now,
            updated: now,
            sent: None,
            owed: Vec::new(),
        };
        self.world.messages.insert(ordinal, sid, message);
        self.message_entered(sid, None, now);
        Ok(sid)
    }

    pub(super) fn redact_message(&mut self, RedactMessage(sid): RedactMessage, now: Timestamp) -> Result<(), Refusal> {
        let message = self.world.messages.get_mut(&sid).ok_or(Refusal::NoMessage(sid))?;
        message.body = Box::default();
        message.updated = now;
        Ok(())
    }

    pub(super) fn delete_message(&mut self, DeleteMessage(sid): DeleteMessage, _: Timestamp) -> Result<(), Refusal> {
        if !self.message(sid)?.status.is_final() {
            return Err(Refusal::MessageNotDelivered(sid));
        }
        self.world.messages.remove(&sid);
        Ok(())
    }

    /// Handles the alarm of a message: it enters its next status.
    pub(super) fn message_due(&mut self, ordinal: u64, now: Timestamp) {
        // Always found: a message with an alarm is never final, and only a final one can be deleted.
        let Some(message) = self.world.messages.at_mut(ordinal) else { return };
        let (sid, old) = (message.sid, message.status);
        let Some(next) = old.next() else { return };
        message.status = next;
        message.updated = now;
        if next == MessageStatus::Sent {
            message.sent = Some(now);
        }
        self.message_entered(sid, Some(old), now);
    }

    /// Performs the steps that every status of a message requires: writes the event, notifies the app, and sets the
    /// alarm for the next status.
    fn message_entered(&mut self, sid: MessageSid, old: Option<MessageStatus>, now: Timestamp) {
        let Some(message) = self.world.messages.get_mut(&sid) else { return };
        let (ordinal, new) = (message.ordinal, message.status);
        // Twilio makes no callback for the initial status (Twilio docs: outbound message status), and none at all for
        // test credentials.
        let is_notified =
            old.is_some() && message.status_callback.is_some() && self.account.service != Service::TestCredentials;
        let is_idle = message.owed.is_empty();
        if is_notified {
            message.owed.push(new);
        }
        self.journal.write(now, None, EventKind::MessageStatus { message: sid, old, new });
        if is_notified && is_idle {
            self.notify_of_message(sid);
        }
        let wait_ms = match new {
            MessageStatus::Queued => QUEUE_MS,
            MessageStatus::Sent => DELIVERY_MS,
            MessageStatus::Delivered => return,
        };
        let wait = self.spec.options.pace.scale(Duration::from_millis(wait_ms));
        self.world.agenda.set(Alarm { at: now.after(wait), ordinal, kind: AlarmKind::Message });
    }

    /// Notifies the app of the oldest status that it has yet to be notified of, if there is one.
    fn notify_of_message(&mut self, sid: MessageSid) {
        let Some(message) = self.world.messages.get(&sid) else { return };
        let (Some(status), Some(url)) = (message.owed.first().copied(), message.status_callback.clone()) else {
            return;
        };
        let notice = MessageNotice {
            message: sid,
            url,
            status,
            from: message.from.clone(),
            to: message.to,
            messaging_service: message.messaging_service.clone(),
            // Each status is entered once, so it identifies the notice.
            idempotency_token: uuid(self.ids.seed(), sid.bytes(), status as u64),
        };
        self.issue_alone(Intent::NotifyOfMessage(Box::new(notice)));
    }

    /// Handles the completion of a notice. A notice that wasn't delivered is not repeated.
    pub(super) fn message_notified(&mut self, sid: MessageSid, outcome: EffectResult, now: Timestamp) {
        match outcome {
            EffectResult::Delivered { record, .. } => self.write_notice(*record, now),
            EffectResult::Lost => self.alert(None, (Fault::Internal, AlertLevel::Error), FAULT, None, now),
            EffectResult::Document { .. } | EffectResult::Rendered(_) | EffectResult::Twiml { .. } => {}
        }
        // The message may have been deleted in the meantime; then no further notices are sent.
        let Some(message) = self.world.messages.get_mut(&sid).filter(|message| !message.owed.is_empty()) else {
            return;
        };
        message.owed.remove(0);
        self.notify_of_message(sid);
    }

    fn write_notice(&mut self, record: ExchangeRecord, now: Timestamp) {
        let record = Arc::new(record);
        self.journal.write(now, None, EventKind::WebhookAttempt { record: Arc::clone(&record) });
        if let Some(failure) = &record.failure {
            let text = format!("{}: {failure}", record.purpose.as_str());
            let fault = (failure.fault(), AlertLevel::Error);
            self.alert(None, fault, &text, Some(Arc::clone(&record)), now);
        }
    }
}

/// Refuses Twilio's magic invalid number as either party.
fn check_magic(order: &CreateMessage) -> Result<(), Refusal> {
    let is_magic = |number: PhoneNumber| line::is_refused(&Party::Number(number));
    if is_magic(order.to) {
        return Err(Refusal::InvalidTo(Party::Number(order.to)));
    }
    match order.from {
        Some(Sender::Number(number)) if is_magic(number) => Err(Refusal::InvalidFrom(Party::Number(number))),
        Some(Sender::Number(_) | Sender::Name(_)) | None => Ok(()),
    }
}
