//! The properties of a fax, or of a call without a fax, that a search can match.

use crate::engine::Entry;
use crate::model::account::Dialect;
use crate::model::fax::{Direction, Quality, Status};
use crate::model::phone::Party;

/// An entry of the list of faxes, with the error code and message of its account's dialect.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    pub(super) entry: Entry<'a>,
    dialect: Dialect,
}

impl<'a> Subject<'a> {
    /// Creates the subject for an entry; `dialect` is that of its account.
    #[must_use]
    pub const fn of(entry: Entry<'a>, dialect: Dialect) -> Self {
        Self { entry, dialect }
    }

    /// Returns the error code; `None` if nothing failed, if the status alone explains the failure, or if the caller of
    /// a call without a fax hung up.
    #[must_use]
    pub fn error_code(&self) -> Option<u32> {
        match self.entry {
            Entry::Fax(fax) => fax.failure().and_then(|failure| self.dialect.failure_code(failure)),
            Entry::Unanswered(call) => call.cause.fault.map(|fault| self.dialect.code(fault)),
        }
    }

    /// Returns the error message; `None` if nothing failed, or if the status alone explains the failure. A call without
    /// a fax always has one.
    #[must_use]
    pub fn error_message(&self) -> Option<&'a str> {
        match self.entry {
            Entry::Fax(fax) => fax.failure().and_then(|failure| self.dialect.failure_text(failure)),
            Entry::Unanswered(call) => Some(&call.cause.message),
        }
    }

    /// Returns the status; `None` for a call without a fax.
    pub(super) const fn status(&self) -> Option<Status> {
        match self.entry {
            Entry::Fax(fax) => Some(fax.status()),
            Entry::Unanswered(_) => None,
        }
    }

    pub(super) const fn direction(&self) -> Direction {
        match self.entry {
            Entry::Fax(fax) => fax.direction(),
            Entry::Unanswered(_) => Direction::Inbound,
        }
    }

    pub(super) const fn quality(&self) -> Quality {
        match self.entry {
            Entry::Fax(fax) => fax.quality,
            Entry::Unanswered(call) => call.quality,
        }
    }

    /// Returns the number of pages, if it is known; `None` for a call without a fax, since no page was sent.
    pub(super) const fn pages(&self) -> Option<u32> {
        match self.entry {
            Entry::Fax(fax) => fax.pages(),
            Entry::Unanswered(_) => None,
        }
    }

    /// Returns whether the app failed to accept at least one of the fax's notices.
    pub(super) fn has_failed_callbacks(&self) -> bool {
        match self.entry {
            Entry::Fax(fax) => fax.failed_notices().is_some(),
            Entry::Unanswered(_) => false,
        }
    }

    pub(super) const fn from(&self) -> &'a Party {
        match self.entry {
            Entry::Fax(fax) => &fax.from,
            Entry::Unanswered(call) => &call.from,
        }
    }

    pub(super) const fn to(&self) -> &'a Party {
        match self.entry {
            Entry::Fax(fax) => &fax.to,
            Entry::Unanswered(call) => &call.to,
        }
    }
}
