//! How a conversation about one fax stands, and how it ended, also when its app has deleted the fax since.

use super::Engine;
use super::webhooks::notice::Outgoing;
use crate::model::fax::Status;
use crate::model::sid::FaxSid;
use crate::model::words::words;

/// How a conversation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConversationState {
    /// It goes on.
    Pending,
    /// The fax has ended with this status and everyone concerned has been told; it may have been deleted since.
    Settled(Status),
    /// No fax came of the call.
    NotAnswered,
    /// There is no such fax or call, or none any more: a reset may have taken it away.
    Unknown,
}

words!(
    /// How an incoming call ended.
    CallOutcome {
        /// The fax was received.
        Received = "received",
        /// The transmission failed.
        Failed = "failed",
        /// The app's TwiML rejected it.
        Rejected = "rejected",
        /// No usable TwiML came.
        NotAnswered = "not-answered",
    }
);

impl ConversationState {
    /// How an incoming call ended; `None` while it goes on, and where nothing is known of it.
    #[must_use]
    pub const fn outcome(self) -> Option<CallOutcome> {
        match self {
            Self::Settled(Status::Received) => Some(CallOutcome::Received),
            Self::Settled(Status::Canceled) => Some(CallOutcome::Rejected),
            Self::Settled(_) => Some(CallOutcome::Failed),
            Self::NotAnswered => Some(CallOutcome::NotAnswered),
            Self::Pending | Self::Unknown => None,
        }
    }
}

impl Engine {
    /// How a conversation stands.
    #[must_use]
    pub fn conversation(&self, sid: FaxSid) -> ConversationState {
        if !self.world.outgoing.get(&sid).is_none_or(Outgoing::is_done) {
            return ConversationState::Pending;
        }
        if let Some(ordinal) = self.world.tables.ordinal(sid) {
            return match self.world.tables.fax(ordinal).map(super::Fax::status) {
                Some(status) if status.is_final() => ConversationState::Settled(status),
                _ => ConversationState::Pending,
            };
        }
        if self.world.not_answered.contains(&sid) {
            return ConversationState::NotAnswered;
        }
        let ended = self.journal.last_status(sid).filter(|status| status.is_final());
        ended.map_or(ConversationState::Unknown, ConversationState::Settled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canceled_fax_was_rejected_by_its_app() {
        assert_eq!(ConversationState::Settled(Status::Canceled).outcome(), Some(CallOutcome::Rejected));
        assert_eq!(ConversationState::NotAnswered.outcome(), Some(CallOutcome::NotAnswered));
        assert_eq!(ConversationState::Pending.outcome(), None);
    }
}
