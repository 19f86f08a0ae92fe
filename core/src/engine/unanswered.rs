//! Calls that ended without a fax. They are remembered, within limits, so that testers can find them and learn why.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::Engine;
use super::agenda::Ordinal;
use super::call::Call;
use super::event::record_bytes;
use crate::model::fault::Fault;
use crate::model::fax::Quality;
use crate::model::phone::Party;
use crate::model::sid::FaxSid;
use crate::model::time::Timestamp;
use crate::model::webhook::ExchangeRecord;

/// The maximum number of calls without a fax that are remembered, for testers who later ask how a call ended.
const CALLS_MAX: usize = 10_000;
/// The maximum size of the details of those calls, in bytes; most of it is excerpts of apps' responses. Beyond it, the
/// details of the oldest calls are forgotten, but not their SIDs.
const DETAILS_BYTES_MAX: usize = 8 * 1024 * 1024;

/// An incoming call that ended without a fax.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnansweredCall {
    /// The SID that the fax would have had.
    pub sid: FaxSid,
    /// The call's place in the order in which faxes and calls are created.
    pub ordinal: Ordinal,
    /// The caller's number or name.
    pub from: Party,
    /// The called number.
    pub to: Party,
    /// The vertical resolution at which the fax was offered.
    pub quality: Quality,
    /// The number of pages that the caller would have sent.
    pub pages: u32,
    /// The time at which the call began to ring.
    pub rang: Timestamp,
    /// The time at which the call ended.
    pub ended: Timestamp,
    /// The reason why no app took the call.
    pub cause: Cause,
}

/// The reason that a call ended without a fax.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// The kind of fault; `None` if the caller hung up.
    pub fault: Option<Fault>,
    /// An explanation, for the developer: the message of the alert that was raised, if there is a fault.
    pub message: Box<str>,
    /// The last request to the app; `None` if no app was asked, or if no request was the reason.
    pub record: Option<Arc<ExchangeRecord>>,
}

/// The calls that ended without a fax, within limits of number and size. Clones share their content until one of them
/// changes.
#[derive(Debug, Clone, Default)]
pub(super) struct UnansweredCalls(Arc<Content>);

#[derive(Debug, Clone, Default)]
struct Content {
    /// The calls in the order in which they ended, each with its ordinal if its details were ever known.
    ended: VecDeque<(FaxSid, Option<Ordinal>)>,
    details: BTreeMap<Ordinal, Arc<UnansweredCall>>,
    bytes: usize,
}

impl UnansweredCall {
    /// Returns the approximate memory used by the details.
    fn size_bytes(&self) -> usize {
        let party = |party: &Party| if let Party::Sip(text) | Party::Name(text) = party { text.len() } else { 0 };
        let record = self.cause.record.as_deref().map_or(0, record_bytes);
        size_of::<Self>() + party(&self.from) + party(&self.to) + self.cause.message.len() + record
    }
}

impl Cause {
    /// Creates the cause of a call that ended because of a fault outside any request to the app.
    pub(super) fn of(fault: Fault, message: impl Into<Box<str>>) -> Self {
        Self { fault: Some(fault), message: message.into(), record: None }
    }
}

impl UnansweredCalls {
    /// Returns the SIDs of all remembered calls, in the order in which the calls ended.
    pub(super) fn sids(&self) -> impl Iterator<Item = FaxSid> {
        self.0.ended.iter().map(|(sid, _)| *sid)
    }

    pub(super) fn contains(&self, sid: FaxSid) -> bool {
        self.sids().any(|known| known == sid)
    }

    /// Returns the calls whose details are known, in the order of their ordinals.
    pub(super) fn details(&self) -> impl DoubleEndedIterator<Item = &Arc<UnansweredCall>> {
        self.0.details.values()
    }

    fn get(&self, sid: FaxSid) -> Option<&UnansweredCall> {
        // A linear search, because an index would be used only when a tester opens a single call.
        let (_, ordinal) = self.0.ended.iter().find(|(known, _)| *known == sid)?;
        self.0.details.get(&(*ordinal)?).map(|call| &**call)
    }

    /// Returns the calls before this ordinal, newest first.
    pub(super) fn before(&self, ordinal: Ordinal) -> impl Iterator<Item = &UnansweredCall> {
        self.0.details.range(..ordinal).rev().map(|(_, call)| &**call)
    }

    /// Remembers a call.
    pub(super) fn keep(&mut self, call: Arc<UnansweredCall>) {
        let content = Arc::make_mut(&mut self.0);
        content.ended.push_back((call.sid, Some(call.ordinal)));
        content.bytes += call.size_bytes();
        if let Some(replaced) = content.details.insert(call.ordinal, call) {
            content.bytes -= replaced.size_bytes();
        }
        content.trim();
    }

    /// Returns the number of calls whose details are known.
    pub(super) fn detail_count(&self) -> usize {
        self.0.details.len()
    }

    /// Forgets the details of these calls, and returns how many there were. Their SIDs are still remembered, for
    /// testers who ask how such a call ended.
    pub(super) fn forget(&mut self, sids: &BTreeSet<FaxSid>) -> usize {
        let is_meant = |call: &Arc<UnansweredCall>| sids.contains(&call.sid);
        if sids.is_empty() || !self.details().any(is_meant) {
            return 0;
        }
        let content = Arc::make_mut(&mut self.0);
        let (before, mut freed) = (content.details.len(), 0);
        content.details.retain(|_, call| {
            let goes = is_meant(call);
            freed += if goes { call.size_bytes() } else { 0 };
            !goes
        });
        content.bytes -= freed;
        before - content.details.len()
    }

    /// Remembers a call of which only the SID is known, as in the states of earlier versions.
    pub(super) fn keep_sid(&mut self, sid: FaxSid) {
        let content = Arc::make_mut(&mut self.0);
        content.ended.push_back((sid, None));
        content.trim();
    }
}

impl Content {
    fn trim(&mut self) {
        while self.ended.len() > CALLS_MAX {
            let Some((_, ordinal)) = self.ended.pop_front() else { break };
            let forgotten = ordinal.and_then(|ordinal| self.details.remove(&ordinal));
            self.bytes -= forgotten.map_or(0, |call| call.size_bytes());
        }
        while self.bytes > DETAILS_BYTES_MAX {
            let Some((_, call)) = self.details.pop_first() else { break };
            self.bytes -= call.size_bytes();
        }
    }
}

impl Engine {
    /// Returns the call with this SID, if it ended without a fax and its details are still known.
    #[must_use]
    pub fn unanswered_call(&self, sid: FaxSid) -> Option<&UnansweredCall> {
        self.world.unanswered.get(sid)
    }

    pub(super) fn remember_unanswered(&mut self, ordinal: Ordinal, call: &Call, cause: Cause, now: Timestamp) {
        self.world.unanswered.keep(Arc::new(UnansweredCall {
            sid: call.sid,
            ordinal,
            from: call.from.clone(),
            to: Party::Number(call.to),
            quality: call.quality,
            pages: call.document.pages,
            rang: call.rang,
            ended: now,
            cause,
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(ordinal: Ordinal, message: &str) -> Arc<UnansweredCall> {
        let mut sid = [0; 16];
        sid[8..].copy_from_slice(&ordinal.to_be_bytes());
        Arc::new(UnansweredCall {
            sid: FaxSid::from_bytes(sid),
            ordinal,
            from: Party::Name("caller".into()),
            to: Party::Name("called".into()),
            quality: Quality::Fine,
            pages: 1,
            rang: Timestamp::from_micros(0),
            ended: Timestamp::from_micros(0),
            cause: Cause::of(Fault::HttpStatus, message),
        })
    }

    #[test]
    fn the_oldest_calls_are_forgotten_beyond_their_number() {
        let mut calls = UnansweredCalls::default();
        for ordinal in 1..=CALLS_MAX as Ordinal + 2 {
            calls.keep(call(ordinal, "x"));
        }
        assert!(!calls.contains(call(2, "").sid) && calls.contains(call(3, "").sid));
        assert_eq!((calls.sids().count(), calls.details().count()), (CALLS_MAX, CALLS_MAX));
        let bytes: usize = calls.details().map(|call| call.size_bytes()).sum();
        assert_eq!(calls.0.bytes, bytes);
    }

    #[test]
    fn of_calls_with_large_responses_only_the_sids_are_kept() {
        let mut calls = UnansweredCalls::default();
        let large = "x".repeat(DETAILS_BYTES_MAX / 3);
        for ordinal in 1..=5 {
            calls.keep(call(ordinal, &large));
        }
        assert_eq!(calls.details().map(|call| call.ordinal).collect::<Vec<_>>(), [4, 5]);
        assert!(calls.contains(call(1, "").sid) && calls.get(call(1, "").sid).is_none());
        assert!(calls.get(call(5, "").sid).is_some());
    }

    #[test]
    fn forgotten_calls_free_their_bytes_and_keep_their_sids() {
        let mut calls = UnansweredCalls::default();
        for ordinal in 1..=3 {
            calls.keep(call(ordinal, "x"));
        }
        let gone = [1, 3, 9].map(|ordinal| call(ordinal, "").sid).into();
        assert_eq!((calls.forget(&gone), calls.forget(&gone)), (2, 0));
        assert_eq!(calls.details().map(|call| call.ordinal).collect::<Vec<_>>(), [2]);
        assert!(calls.contains(call(1, "").sid) && calls.get(call(1, "").sid).is_none());
        assert_eq!(calls.0.bytes, call(2, "x").size_bytes());
    }

    #[test]
    fn a_snapshot_keeps_the_calls_that_it_was_taken_with() {
        let mut calls = UnansweredCalls::default();
        calls.keep(call(1, "x"));
        let snapshot = calls.clone();
        calls.keep(call(2, "x"));
        assert_eq!((snapshot.sids().count(), calls.sids().count()), (1, 2));
    }
}
