//! The common list of faxes and of calls that ended without a fax, for testers; clients see only the faxes.

use std::collections::BTreeSet;

use super::Engine;
use super::agenda::Ordinal;
use super::fax::Fax;
use super::input::{DeleteEntries, DeleteFax, DeletedEntries};
use super::unanswered::UnansweredCall;
use crate::model::refusal::Refusal;
use crate::model::sid::FaxSid;
use crate::model::time::Timestamp;

/// An entry in the common list of faxes and of calls without a fax.
#[derive(Debug, Clone, Copy)]
pub enum Entry<'a> {
    /// A fax, active or ended.
    Fax(&'a Fax),
    /// A call that ended without a fax.
    Unanswered(&'a UnansweredCall),
}

/// The kinds of entries that a list contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entries {
    /// Only faxes.
    Faxes,
    /// Only calls that ended without a fax.
    Unanswered,
    /// Both, merged by the order in which they were created.
    Both,
}

impl Engine {
    /// Returns the faxes, the calls that ended without a fax, or both, before this ordinal, newest first.
    pub fn entries(&self, which: Entries, before: Ordinal) -> impl Iterator<Item = Entry<'_>> {
        // An ordinal of 0 leaves out everything, since ordinals are counted from 1.
        let (faxes_before, calls_before) = match which {
            Entries::Faxes => (before, 0),
            Entries::Unanswered => (0, before),
            Entries::Both => (before, before),
        };
        let mut faxes = self.world.tables.before(faxes_before).peekable();
        let mut calls = self.world.unanswered.before(calls_before).peekable();
        std::iter::from_fn(move || {
            let newest_call = calls.peek().map(|call| call.ordinal);
            if faxes.peek().map(|fax| fax.ordinal) > newest_call {
                faxes.next().map(Entry::Fax)
            } else {
                calls.next().map(Entry::Unanswered)
            }
        })
    }

    /// Returns the number of faxes, of calls that ended without a fax, or of both.
    #[must_use]
    pub fn entry_count(&self, which: Entries) -> usize {
        let (faxes, calls) = (self.fax_count(), self.world.unanswered.detail_count());
        match which {
            Entries::Faxes => faxes,
            Entries::Unanswered => calls,
            Entries::Both => faxes + calls,
        }
    }

    pub(super) fn delete_entries(&mut self, DeleteEntries(sids): DeleteEntries, now: Timestamp) -> DeletedEntries {
        let mut deleted = DeletedEntries::default();
        let mut unknown = BTreeSet::new();
        for sid in sids {
            match self.delete_fax(DeleteFax(sid), now) {
                Ok(()) => deleted.faxes += 1,
                Err(Refusal::StillActive(_)) => deleted.active += 1,
                // A call without a fax, or a fax that no longer exists.
                Err(_) => drop(unknown.insert(sid)),
            }
        }
        deleted.calls = self.world.unanswered.forget(&unknown);
        deleted
    }

    /// Returns the ordinal of the first fax created in a later second than this time, or the largest ordinal if there
    /// is none. Before this ordinal, [`Engine::entries`] lists all that was created up to that second, and perhaps
    /// later calls.
    #[must_use]
    pub fn ordinal_after(&self, moment: Timestamp) -> Ordinal {
        self.world.tables.first_after(moment)
    }
}

impl Entry<'_> {
    /// Returns the SID of the fax, or the one that the fax would have had.
    #[must_use]
    pub const fn sid(&self) -> FaxSid {
        match self {
            Self::Fax(fax) => fax.sid,
            Self::Unanswered(call) => call.sid,
        }
    }

    /// Returns the entry's place in the order in which faxes and calls are created.
    #[must_use]
    pub const fn ordinal(&self) -> Ordinal {
        match self {
            Self::Fax(fax) => fax.ordinal,
            Self::Unanswered(call) => call.ordinal,
        }
    }

    /// Returns the time of creation; for a call, the time at which it began to ring.
    #[must_use]
    pub const fn created(&self) -> Timestamp {
        match self {
            Self::Fax(fax) => fax.created,
            Self::Unanswered(call) => call.rang,
        }
    }
}
