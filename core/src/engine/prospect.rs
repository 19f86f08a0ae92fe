//! Determines whether a fax can still enter a status that a tester waits for.

use std::sync::Arc;

use super::event::Event;
use super::journal::{EventFilter, JOURNAL_EVENTS_MAX};
use super::{ConversationState, Engine};
use crate::model::fax::Status;
use crate::model::sid::FaxSid;
use crate::model::transition::leads_to;

/// Whether a fax can still enter any of the statuses that a tester waits for.
#[derive(Debug, Clone)]
pub enum Prospect {
    /// The fax has one of the awaited statuses now.
    Reached(Status),
    /// The fax may still enter one of them.
    Possible,
    /// The fax will never enter any of them.
    Unreachable(Unreachable),
}

/// The reason that a fax can no longer enter a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unreachable {
    /// The fax ended with another status, or has passed the awaited one.
    #[error("its last status is {0}")]
    Elsewhere(Status),
    /// The fax entered the status before the point in the journal where the wait began. Unless the world is restored, a
    /// fax never enters a status twice.
    #[error("its status became {0} before the wait began")]
    Earlier(Status),
    /// No app took the call, so there is no fax.
    #[error("no app took the call, so it never became a fax")]
    NotAnswered,
    /// There is no such fax: it was deleted, removed by a reset, or never created.
    #[error("there is no such fax: it was deleted, removed by a reset, or never created")]
    Gone,
}

impl Unreachable {
    /// Returns the status that this reason names, if it names one.
    #[must_use]
    pub const fn status(self) -> Option<Status> {
        match self {
            Self::Elsewhere(status) | Self::Earlier(status) => Some(status),
            Self::NotAnswered | Self::Gone => None,
        }
    }
}

impl Engine {
    /// Returns whether a fax, or the call that may become one, can still enter one of these statuses.
    #[must_use]
    pub fn prospect(&self, fax: FaxSid, wanted: &[Status]) -> Prospect {
        if let Ok(fax) = self.fax(fax) {
            let now = fax.status();
            if wanted.contains(&now) {
                return Prospect::Reached(now);
            }
            let is_ahead = wanted.iter().any(|status| leads_to(now, *status));
            return if is_ahead { Prospect::Possible } else { Prospect::Unreachable(Unreachable::Elsewhere(now)) };
        }
        match self.conversation(fax) {
            // The fax was deleted after it ended.
            ConversationState::Settled(status) => Prospect::Unreachable(Unreachable::Elsewhere(status)),
            // This fax was deleted, too, but an app has yet to be notified. Only the journal still knows how the fax
            // ended.
            ConversationState::Pending if self.world.tables.ordinal(fax).is_none() => {
                Prospect::Unreachable(self.journal.last_status(fax).map_or(Unreachable::Gone, Unreachable::Elsewhere))
            }
            ConversationState::Pending => {
                // A ringing call can only become a fax that is `receiving` or `canceled`.
                let is_inbound = |status: &Status| *status == Status::Canceled || *status == Status::Receiving;
                let is_ahead = wanted.iter().any(|status| is_inbound(status) || leads_to(Status::Receiving, *status));
                // `Elsewhere` needs a status, which a ringing call, not being a fax yet, doesn't have.
                if is_ahead { Prospect::Possible } else { Prospect::Unreachable(Unreachable::NotAnswered) }
            }
            ConversationState::NotAnswered => Prospect::Unreachable(Unreachable::NotAnswered),
            ConversationState::Unknown => Prospect::Unreachable(Unreachable::Gone),
        }
    }

    /// Returns the newest event in which a fax entered this status, if the journal still has it.
    #[must_use]
    pub fn entry_of(&self, fax: FaxSid, status: Status) -> Option<Arc<Event>> {
        let filter = EventFilter { fax: Some(fax), kind: Some("fax.status".into()), ..EventFilter::default() };
        let events = self.events(&filter, JOURNAL_EVENTS_MAX);
        events.into_iter().rev().find(|event| event.kind.entered() == Some(status))
    }
}
