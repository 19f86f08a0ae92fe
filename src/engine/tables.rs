//! The faxes and calls of a world and the indexes that find them. It keeps them consistent and decides nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use serde::{Deserialize, Serialize};

use super::agenda::Ordinal;
use super::delivery::Fate;
use super::input::LineFault;
use super::phase::{Ended, Phase, Processing};
use super::random::WorldSeed;
use crate::model::fax::{Direction, Quality, Status};
use crate::model::line::Line;
use crate::model::media::{Document, Media};
use crate::model::phone::{Party, PhoneNumber};
use crate::model::sid::{FaxSid, MediaSid};
use crate::model::time::Timestamp;
use crate::model::webhook::{Attempt, Cookie, Method, Purpose, Signature};

/// Millionths of a US dollar a started minute costs: the one captured price is `0.014` for 64 s (docs/fidelity.md, "Where sources conflict").
const PRICE_MICROS_A_MINUTE: u64 = 7_000;

/// A fax.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fax {
    /// Its id.
    pub sid: FaxSid,
    /// Its place in the order of creation.
    pub ordinal: Ordinal,
    /// The sender.
    pub from: Party,
    /// The receiver.
    pub to: Party,
    /// The vertical resolution.
    pub quality: Quality,
    /// When it was created; for an incoming one, when the call rang.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// The stored document, while there is one.
    pub media: Option<Box<Media>>,
    pub(super) origin: Arc<str>,
    pub(super) leg: Leg,
    pub(super) phase: Phase,
    #[serde(default, skip_serializing_if = "Luck::is_unknown")]
    pub(super) luck: Luck,
}

/// What chance is drawn from for one fax or call. Unlike its SID it is the same when the same is done again after a reset.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Luck(pub(super) u64);

impl Luck {
    /// That of a fax in a state which was written before this was kept; a fax of our own never has it.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde wants")]
    const fn is_unknown(&self) -> bool {
        self.0 == 0
    }

    /// That of a call to a number of this world: it follows from the fax that calls, since which of two faxes calls first
    /// may depend on whose document came first.
    pub(super) fn of_call(self, seed: &WorldSeed, calls: u32) -> Self {
        Self(seed.generator("luck", &self.0.to_be_bytes(), calls.into()).next_u64())
    }
}

/// What only one direction has.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) enum Leg {
    /// An outbound fax as ordered.
    Outbound(Box<Order>),
    /// An inbound fax as accepted.
    Inbound(Box<Acceptance>),
}

/// What a create call asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    pub(super) media_url: Arc<str>,
    pub(super) status_callback: Option<Box<str>>,
    pub(super) store_media: bool,
    pub(super) ttl: Option<Ttl>,
}

/// How long calls of a fax are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ttl {
    pub(super) minutes: u32,
    /// No call begins later.
    pub(super) ends: Timestamp,
}

/// What `<Receive>` asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Acceptance {
    pub(super) station_id: Box<str>,
    pub(super) told: Told,
    pub(super) store_media: bool,
}

/// Who is told how an incoming fax ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) enum Told {
    /// `<Receive action>`.
    Action(Box<str>, Method),
    /// The number's StatusCallback, since no action was given.
    StatusCallback(Box<str>, Method),
    /// Nobody.
    Nobody,
}

impl Fax {
    /// Its status.
    #[must_use]
    pub const fn status(&self) -> Status {
        self.phase.status()
    }

    /// Its direction.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        match self.leg {
            Leg::Outbound(_) => Direction::Outbound,
            Leg::Inbound(_) => Direction::Inbound,
        }
    }

    /// Pages of its document, once known to a client: an outbound one when fetched, an inbound one when received.
    #[must_use]
    pub const fn pages(&self) -> Option<u32> {
        match &self.phase {
            Phase::Queued | Phase::Processing(Processing::Fetching) | Phase::Receiving(_) => None,
            Phase::Processing(Processing::Converting(document) | Processing::Ringing { document, .. }) => {
                Some(document.pages)
            }
            Phase::Sending(sending) => Some(sending.document.pages),
            Phase::Ended(ended) => ended.pages,
        }
    }

    /// Line time in whole seconds, once it has ended.
    #[must_use]
    pub const fn duration_s(&self) -> Option<u32> {
        match self.ended() {
            Some(ended) => ended.duration_s,
            None => None,
        }
    }

    /// Millionths of a US dollar; only of a fax that went through.
    #[must_use]
    pub fn price_micros(&self) -> Option<u64> {
        let ended = self.ended()?;
        match ended.status {
            Status::Delivered | Status::Received => {
                Some(u64::from(ended.duration_s?).div_ceil(60).max(1) * PRICE_MICROS_A_MINUTE)
            }
            Status::Queued
            | Status::Processing
            | Status::Sending
            | Status::Receiving
            | Status::NoAnswer
            | Status::Busy
            | Status::Failed
            | Status::Canceled => None,
        }
    }

    /// Code and text of its failure.
    #[must_use]
    pub fn error(&self) -> Option<(u32, &str)> {
        let error = self.ended()?.error.as_ref()?;
        Some((error.0, &error.1))
    }

    /// Scheme and host of the request that created it.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    pub(super) const fn ended(&self) -> Option<&Ended> {
        match &self.phase {
            Phase::Ended(ended) => Some(ended),
            Phase::Queued | Phase::Processing(_) | Phase::Sending(_) | Phase::Receiving(_) => None,
        }
    }
}

/// A call that rings at a number of the world; no fax exists yet.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Call {
    pub(super) sid: FaxSid,
    pub(super) caller: Caller,
    pub(super) from: Party,
    pub(super) to: PhoneNumber,
    pub(super) quality: Quality,
    pub(super) station_id: Box<str>,
    pub(super) document: Document,
    pub(super) fault: Option<LineFault>,
    pub(super) line: Line,
    pub(super) origin: Arc<str>,
    pub(super) rang: Timestamp,
    pub(super) cookies: Vec<Cookie>,
    /// The question to its app, once one is asked.
    pub(super) asking: Option<Asking>,
    #[serde(default, skip_serializing_if = "Luck::is_unknown")]
    pub(super) luck: Luck,
}

/// A question to a number's app.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asking {
    /// `FaxUrl` or `FallbackUrl`.
    pub(super) purpose: Purpose,
    pub(super) url: Box<str>,
    pub(super) method: Method,
    /// Asking the fallback: the code that the FaxUrl failed with, and its URL.
    pub(super) failed: Option<(u32, Box<str>)>,
    pub(super) attempt: Attempt,
    pub(super) fate: Fate,
    pub(super) signature: Signature,
    /// Its idempotency token, once it has been asked.
    #[serde(default)]
    pub(super) token: Option<Box<str>>,
}

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) enum Caller {
    /// A machine elsewhere.
    Machine,
    /// An outbound fax of this world.
    Own(Ordinal),
}

/// Which faxes a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FaxFilter {
    /// From this party.
    pub from: Option<Party>,
    /// To this party.
    pub to: Option<Party>,
    /// Created after this second.
    pub created_after: Option<Timestamp>,
    /// Created in this second or before.
    pub created_on_or_before: Option<Timestamp>,
}

/// Where a page of a newest-first list begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cursor {
    /// After skipping so many; O(skipped).
    Skip(u64),
    /// With the newest older than this ordinal.
    Before(Ordinal),
    /// With the page that ends just before this ordinal.
    After(Ordinal),
}

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Page<'a, T> {
    /// What is on it.
    pub items: Vec<&'a T>,
    /// Whether an older one follows.
    pub has_next: bool,
    /// Whether a newer one precedes.
    pub has_previous: bool,
}

/// The tables. A clone shares each fax and call until one of both changes it.
#[derive(Debug, Clone, Default)]
pub(super) struct Tables {
    faxes: BTreeMap<Ordinal, Arc<Fax>>,
    calls: BTreeMap<Ordinal, Arc<Call>>,
    by_sid: HashMap<FaxSid, Ordinal>,
    by_from: BTreeSet<(Party, Ordinal)>,
    by_to: BTreeSet<(Party, Ordinal)>,
    /// For each second in which a fax was created, its first ordinal.
    calendar: BTreeMap<i64, Ordinal>,
    active: usize,
}

impl Tables {
    /// The faxes, oldest first.
    pub(super) fn faxes(&self) -> impl Iterator<Item = &Arc<Fax>> {
        self.faxes.values()
    }

    /// The calls, oldest first.
    pub(super) fn calls(&self) -> impl Iterator<Item = (Ordinal, &Arc<Call>)> {
        self.calls.iter().map(|(ordinal, call)| (*ordinal, call))
    }

    pub(super) fn insert_fax(&mut self, fax: Fax) {
        self.by_sid.insert(fax.sid, fax.ordinal);
        self.by_from.insert((fax.from.clone(), fax.ordinal));
        self.by_to.insert((fax.to.clone(), fax.ordinal));
        let first = self.calendar.entry(fax.created.seconds()).or_insert(fax.ordinal);
        *first = (*first).min(fax.ordinal);
        if !fax.status().is_final() {
            self.active += 1;
        }
        self.faxes.insert(fax.ordinal, Arc::new(fax));
    }

    pub(super) fn remove_fax(&mut self, ordinal: Ordinal) -> Option<Arc<Fax>> {
        let fax = self.faxes.remove(&ordinal)?;
        self.by_sid.remove(&fax.sid);
        self.by_from.remove(&(fax.from.clone(), ordinal));
        self.by_to.remove(&(fax.to.clone(), ordinal));
        let second = fax.created.seconds();
        if self.calendar.get(&second) == Some(&ordinal) {
            self.calendar.remove(&second);
            let next = self.faxes.range(ordinal..).next().filter(|(_, fax)| fax.created.seconds() == second);
            if let Some((&next, _)) = next {
                self.calendar.insert(second, next);
            }
        }
        if !fax.status().is_final() {
            self.active -= 1;
        }
        Some(fax)
    }

    pub(super) fn insert_call(&mut self, ordinal: Ordinal, call: Call) {
        self.by_sid.insert(call.sid, ordinal);
        self.calls.insert(ordinal, Arc::new(call));
    }

    pub(super) fn remove_call(&mut self, ordinal: Ordinal) -> Option<Call> {
        let call = self.calls.remove(&ordinal)?;
        self.by_sid.remove(&call.sid);
        Some(Arc::unwrap_or_clone(call))
    }

    /// Puts a fax into another phase; answers the one before.
    pub(super) fn set_phase(&mut self, ordinal: Ordinal, phase: Phase, now: Timestamp) -> Option<Phase> {
        let fax = Arc::make_mut(self.faxes.get_mut(&ordinal)?);
        if !fax.status().is_final() && phase.status().is_final() {
            self.active -= 1;
        }
        fax.updated = now;
        Some(std::mem::replace(&mut fax.phase, phase))
    }

    pub(super) fn ordinal(&self, sid: FaxSid) -> Option<Ordinal> {
        self.by_sid.get(&sid).copied()
    }

    pub(super) fn fax(&self, ordinal: Ordinal) -> Option<&Fax> {
        self.faxes.get(&ordinal).map(|fax| &**fax)
    }

    /// A fax to be changed within its phase.
    pub(super) fn fax_mut(&mut self, ordinal: Ordinal) -> Option<&mut Fax> {
        self.faxes.get_mut(&ordinal).map(Arc::make_mut)
    }

    pub(super) fn call(&self, ordinal: Ordinal) -> Option<&Call> {
        self.calls.get(&ordinal).map(|call| &**call)
    }

    pub(super) fn call_mut(&mut self, ordinal: Ordinal) -> Option<&mut Call> {
        self.calls.get_mut(&ordinal).map(Arc::make_mut)
    }

    /// The origin, shared with the newest fax where that came by the same: most come by one.
    pub(super) fn shared_origin(&self, origin: Arc<str>) -> Arc<str> {
        let newest = self.faxes.last_key_value().map(|(_, fax)| &fax.origin);
        newest.filter(|newest| **newest == origin).map_or(origin, Arc::clone)
    }

    pub(super) fn oldest_fax(&self) -> Option<&Fax> {
        self.faxes.first_key_value().map(|(_, fax)| &**fax)
    }

    /// The faxes that have not ended and the calls, newest first.
    pub(super) fn pending(&self) -> impl Iterator<Item = FaxSid> {
        let faxes = self.faxes.values().rev().filter(|fax| !fax.status().is_final()).take(self.active);
        faxes.map(|fax| fax.sid).chain(self.calls.values().rev().map(|call| call.sid))
    }

    /// Puts off by `span` what a restored fax may still do within its Ttl.
    pub(super) fn postpone(&mut self, span: Duration) {
        let active = self.active;
        for fax in self.faxes.values_mut().rev().filter(|fax| !fax.status().is_final()).take(active) {
            if let Leg::Outbound(order) = &mut Arc::make_mut(fax).leg
                && let Some(ttl) = &mut order.ttl
            {
                ttl.ends = ttl.ends.after(span);
            }
        }
    }

    pub(super) fn fax_count(&self) -> usize {
        self.faxes.len()
    }

    /// Faxes that have not ended, and calls.
    pub(super) fn pending_count(&self) -> usize {
        self.active + self.calls.len()
    }

    /// One page, newest first.
    pub(super) fn list(&self, filter: &FaxFilter, cursor: Cursor, limit: usize) -> Page<'_, Fax> {
        let (low, high) = self.bounds(filter);
        match cursor {
            Cursor::Skip(skip) => {
                let skip = usize::try_from(skip).unwrap_or(usize::MAX);
                let mut rest = self.newest_first(filter, low, high).skip(skip);
                let items: Vec<_> = rest.by_ref().take(limit).collect();
                Page { has_next: rest.next().is_some(), has_previous: skip > 0, items }
            }
            Cursor::Before(anchor) => {
                let mut rest = self.newest_first(filter, low, high.min(anchor));
                let items: Vec<_> = rest.by_ref().take(limit).collect();
                let has_next = rest.next().is_some();
                let has_previous = self.oldest_first(filter, low.max(anchor), high).next().is_some();
                Page { has_next, has_previous, items }
            }
            Cursor::After(anchor) => {
                let mut rest = self.oldest_first(filter, low.max(anchor.saturating_add(1)), high);
                let mut items: Vec<_> = rest.by_ref().take(limit).collect();
                items.reverse();
                let has_previous = rest.next().is_some();
                let older = self.newest_first(filter, low, high.min(anchor.saturating_add(1))).next().is_some();
                Page { has_next: older, has_previous, items }
            }
        }
    }

    /// The ordinals `low..high` that the dates leave.
    fn bounds(&self, filter: &FaxFilter) -> (Ordinal, Ordinal) {
        let first_after = |moment: Timestamp| {
            let later = self.calendar.range((Bound::Excluded(moment.seconds()), Bound::Unbounded)).next();
            later.map_or(Ordinal::MAX, |(_, ordinal)| *ordinal)
        };
        (filter.created_after.map_or(0, first_after), filter.created_on_or_before.map_or(Ordinal::MAX, first_after))
    }

    fn newest_first<'t, 'i>(
        &'t self,
        filter: &'i FaxFilter,
        low: Ordinal,
        high: Ordinal,
    ) -> Box<dyn Iterator<Item = &'t Fax> + 'i>
    where
        't: 'i,
    {
        if low >= high {
            return Box::new(std::iter::empty());
        }
        match self.index(filter) {
            Some((index, party)) => {
                let range = (party.clone(), low)..(party.clone(), high);
                let found = index.range(range).rev().filter_map(|(_, ordinal)| self.fax(*ordinal));
                Box::new(found.filter(|fax| matches(filter, fax)))
            }
            None => Box::new(self.faxes.range(low..high).rev().map(|(_, fax)| &**fax)),
        }
    }

    fn oldest_first<'t, 'i>(
        &'t self,
        filter: &'i FaxFilter,
        low: Ordinal,
        high: Ordinal,
    ) -> Box<dyn Iterator<Item = &'t Fax> + 'i>
    where
        't: 'i,
    {
        if low >= high {
            return Box::new(std::iter::empty());
        }
        match self.index(filter) {
            Some((index, party)) => {
                let range = (party.clone(), low)..(party.clone(), high);
                let found = index.range(range).filter_map(|(_, ordinal)| self.fax(*ordinal));
                Box::new(found.filter(|fax| matches(filter, fax)))
            }
            None => Box::new(self.faxes.range(low..high).map(|(_, fax)| &**fax)),
        }
    }

    fn index<'t, 'i>(&'t self, filter: &'i FaxFilter) -> Option<(&'t BTreeSet<(Party, Ordinal)>, &'i Party)> {
        let by_to = filter.to.as_ref().map(|party| (&self.by_to, party));
        by_to.or_else(|| filter.from.as_ref().map(|party| (&self.by_from, party)))
    }
}

/// Whether the parties fit; the index has dealt with one of them and with the dates.
fn matches(filter: &FaxFilter, fax: &Fax) -> bool {
    filter.from.as_ref().is_none_or(|party| *party == fax.from)
        && filter.to.as_ref().is_none_or(|party| *party == fax.to)
}

/// A media of a fax, by both ids.
pub(super) fn media_of(fax: &Fax, sid: MediaSid) -> Option<&Media> {
    fax.media.as_deref().filter(|media| media.sid == sid)
}
