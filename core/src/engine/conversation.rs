//! The state of the conversation about one fax. After the fax has been deleted, the state remains known for as
//! long as the fax's last status is in the journal.

use super::Engine;
use super::webhooks::notice::Outgoing;
use crate::model::fax::Status;
use crate::model::sid::FaxSid;
use crate::model::words::words;

/// The state of the conversation about one fax: the fax itself, and the webhooks about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConversationState {
    /// The fax has not ended, or a notice about it remains to be sent.
    Pending,
    /// The fax ended with this status, and no notice about it remains to be sent, even if the app did not accept all of
    /// them. The fax may have been deleted since.
    Settled(Status),
    /// The call ended without a fax.
    NotAnswered,
    /// There is no such fax or call, or it was removed by a reset, or it was deleted and the journal no longer has its
    /// last status.
    Unknown,
}

words!(
    /// The outcome of an incoming call, as seen by the tester who placed it.
    CallOutcome {
        /// The app took the call and all pages were received.
        Received = "received",
        /// The app took the call, but the fax failed: the transmission broke, or its pages couldn't be made.
        Failed = "failed",
        /// The app's TwiML rejected the call.
        Rejected = "rejected",
        /// The call ended without a fax, most often because no usable TwiML was received.
        NotAnswered = "not-answered",
    }
);

impl ConversationState {
    /// Returns the outcome of an incoming call; `None` while the call is in progress, or if it is unknown.
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
    /// Returns the state of the conversation about this fax or call.
    #[must_use]
    pub fn conversation(&self, sid: FaxSid) -> ConversationState {
        // Checked first, because notices may outlive their fax.
        if !self.world.outgoing.get(&sid).is_none_or(Outgoing::is_done) {
            return ConversationState::Pending;
        }
        if let Some(ordinal) = self.world.tables.ordinal(sid) {
            return match self.world.tables.fax(ordinal).map(super::Fax::status) {
                Some(status) if status.is_final() => ConversationState::Settled(status),
                // Without a fax, the SID is that of a ringing call.
                _ => ConversationState::Pending,
            };
        }
        if self.world.unanswered.contains(sid) {
            return ConversationState::NotAnswered;
        }
        // Only the journal still knows the outcome of a deleted fax.
        let ended = self.journal.last_status(sid).filter(|status| status.is_final());
        ended.map_or(ConversationState::Unknown, ConversationState::Settled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canceled_incoming_fax_counts_as_rejected() {
        assert_eq!(ConversationState::Settled(Status::Canceled).outcome(), Some(CallOutcome::Rejected));
        assert_eq!(ConversationState::NotAnswered.outcome(), Some(CallOutcome::NotAnswered));
        assert_eq!(ConversationState::Pending.outcome(), None);
    }
}
