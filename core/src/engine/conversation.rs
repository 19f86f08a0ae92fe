//! How a conversation about one fax stands, and how it ended, also when its app has deleted the fax since.

use super::Engine;
use super::webhooks::notice::Outgoing;
use crate::model::fax::Status;
use crate::model::sid::FaxSid;

/// How a conversation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conversation {
    /// It goes on.
    Pending,
    /// The fax has ended with this status and everyone concerned has been told; it may have been deleted since.
    Settled(Status),
    /// No fax came of the call.
    NotAnswered,
    /// There is no such fax or call, or none any more: a reset may have taken it away.
    Unknown,
}

impl Engine {
    /// How a conversation stands.
    #[must_use]
    pub fn conversation(&self, sid: FaxSid) -> Conversation {
        if !self.world.outgoing.get(&sid).is_none_or(Outgoing::is_done) {
            return Conversation::Pending;
        }
        if let Some(ordinal) = self.world.tables.ordinal(sid) {
            return match self.world.tables.fax(ordinal).map(super::Fax::status) {
                Some(status) if status.is_final() => Conversation::Settled(status),
                _ => Conversation::Pending,
            };
        }
        if self.world.not_answered.contains(&sid) {
            return Conversation::NotAnswered;
        }
        let ended = self.journal.last_status(sid).filter(|status| status.is_final());
        ended.map_or(Conversation::Unknown, Conversation::Settled)
    }
}
