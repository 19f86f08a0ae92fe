//! The tables of faxes and calls, with their indexes, and the pages of fax lists.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use super::agenda::Ordinal;
use super::call::Call;
use super::fax::{Fax, Leg};
use super::phase::Phase;
use crate::model::media::Media;
use crate::model::phone::Party;
use crate::model::sid::{FaxSid, MediaSid};
use crate::model::time::Timestamp;

/// A filter for lists of faxes; every given condition must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FaxFilter {
    /// Only faxes from exactly this party.
    pub from: Option<Party>,
    /// Only faxes to exactly this party.
    pub to: Option<Party>,
    /// Only faxes created in a later second than this time.
    pub created_after: Option<Timestamp>,
    /// Only faxes created in the same second as this time, or earlier.
    pub created_on_or_before: Option<Timestamp>,
}

/// The position of a page in a newest-first list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cursor {
    /// The page starts after this number of items; skipping them takes time in proportion to their number.
    Skip(u64),
    /// The page starts with the newest item that is older than this ordinal.
    Before(Ordinal),
    /// The page ends with the oldest item that is newer than this ordinal.
    After(Ordinal),
}

/// One page of a newest-first list.
#[derive(Debug, Clone)]
pub struct Page<'a, T> {
    /// The items on the page, newest first.
    pub items: Vec<&'a T>,
    /// Whether older items follow on another page.
    pub has_next: bool,
    /// Whether newer items precede these on another page.
    pub has_previous: bool,
}

/// The faxes and calls of a world. Clones share each fax, each call and the indexes until one of the clones changes
/// them.
#[derive(Debug, Clone, Default)]
pub(super) struct Tables {
    faxes: BTreeMap<Ordinal, Arc<Fax>>,
    calls: BTreeMap<Ordinal, Arc<Call>>,
    // Shared as a whole, because a snapshot would otherwise spend most of its time copying the indexes, which change
    // only when a fax or call is added or removed.
    index: Arc<Index>,
    active: usize,
}

/// The indexes of the faxes and calls.
#[derive(Debug, Clone, Default)]
struct Index {
    // A hash map, since it is only used for look-ups: iterating over it would reveal the hash order.
    by_sid: HashMap<FaxSid, Ordinal>,
    by_from: BTreeSet<(Party, Ordinal)>,
    by_to: BTreeSet<(Party, Ordinal)>,
    /// The first ordinal of each second in which a fax was created.
    calendar: BTreeMap<i64, Ordinal>,
}

impl Tables {
    /// Returns all faxes, oldest first.
    pub(super) fn faxes(&self) -> impl Iterator<Item = &Arc<Fax>> {
        self.faxes.values()
    }

    /// Returns all ringing calls, oldest first.
    pub(super) fn calls(&self) -> impl Iterator<Item = (Ordinal, &Arc<Call>)> {
        self.calls.iter().map(|(ordinal, call)| (*ordinal, call))
    }

    pub(super) fn insert_fax(&mut self, fax: Fax) {
        let index = Arc::make_mut(&mut self.index);
        index.by_sid.insert(fax.sid, fax.ordinal);
        index.by_from.insert((fax.from.clone(), fax.ordinal));
        index.by_to.insert((fax.to.clone(), fax.ordinal));
        let first = index.calendar.entry(fax.created.seconds()).or_insert(fax.ordinal);
        // An inbound fax is added when its app takes the call, possibly after faxes with higher ordinals.
        *first = (*first).min(fax.ordinal);
        // A rejected call becomes a fax that has already ended, and a loaded state may contain other ended faxes.
        if !fax.status().is_final() {
            self.active += 1;
        }
        self.faxes.insert(fax.ordinal, Arc::new(fax));
    }

    pub(super) fn remove_fax(&mut self, ordinal: Ordinal) -> Option<Arc<Fax>> {
        let fax = self.faxes.remove(&ordinal)?;
        let index = Arc::make_mut(&mut self.index);
        index.by_sid.remove(&fax.sid);
        index.by_from.remove(&(fax.from.clone(), ordinal));
        index.by_to.remove(&(fax.to.clone(), ordinal));
        let second = fax.created.seconds();
        // The calendar has only the first fax of a second, so the next fax of that second replaces the removed one.
        if index.calendar.get(&second) == Some(&ordinal) {
            index.calendar.remove(&second);
            let next = self.faxes.range(ordinal..).next().filter(|(_, fax)| fax.created.seconds() == second);
            if let Some((&next, _)) = next {
                index.calendar.insert(second, next);
            }
        }
        if !fax.status().is_final() {
            self.active -= 1;
        }
        Some(fax)
    }

    pub(super) fn insert_call(&mut self, ordinal: Ordinal, call: Call) {
        Arc::make_mut(&mut self.index).by_sid.insert(call.sid, ordinal);
        self.calls.insert(ordinal, Arc::new(call));
    }

    pub(super) fn remove_call(&mut self, ordinal: Ordinal) -> Option<Call> {
        let call = self.calls.remove(&ordinal)?;
        Arc::make_mut(&mut self.index).by_sid.remove(&call.sid);
        // A snapshot may share the call.
        Some(Arc::unwrap_or_clone(call))
    }

    /// Moves a fax to another phase and returns the previous one.
    pub(super) fn set_phase(&mut self, ordinal: Ordinal, phase: Phase, now: Timestamp) -> Option<Phase> {
        let fax = Arc::make_mut(self.faxes.get_mut(&ordinal)?);
        if !fax.status().is_final() && phase.status().is_final() {
            self.active -= 1;
        }
        fax.updated = now;
        Some(std::mem::replace(&mut fax.phase, phase))
    }

    pub(super) fn ordinal(&self, sid: FaxSid) -> Option<Ordinal> {
        self.index.by_sid.get(&sid).copied()
    }

    pub(super) fn fax(&self, ordinal: Ordinal) -> Option<&Fax> {
        self.faxes.get(&ordinal).map(|fax| &**fax)
    }

    /// Returns a fax for changes that don't affect its status. The status is changed by `set_phase`, which counts the
    /// active faxes.
    pub(super) fn fax_mut(&mut self, ordinal: Ordinal) -> Option<&mut Fax> {
        self.faxes.get_mut(&ordinal).map(Arc::make_mut)
    }

    pub(super) fn call(&self, ordinal: Ordinal) -> Option<&Call> {
        self.calls.get(&ordinal).map(|call| &**call)
    }

    pub(super) fn call_mut(&mut self, ordinal: Ordinal) -> Option<&mut Call> {
        self.calls.get_mut(&ordinal).map(Arc::make_mut)
    }

    /// Returns the origin, sharing the newest fax's allocation if both are equal: most clients use only one origin.
    pub(super) fn shared_origin(&self, origin: Arc<str>) -> Arc<str> {
        let newest = self.faxes.last_key_value().map(|(_, fax)| &fax.origin);
        newest.filter(|newest| **newest == origin).map_or(origin, Arc::clone)
    }

    pub(super) fn oldest_fax(&self) -> Option<&Fax> {
        self.faxes.first_key_value().map(|(_, fax)| &**fax)
    }

    /// Returns the faxes that have not ended, then the calls, both newest first.
    pub(super) fn pending(&self) -> impl Iterator<Item = FaxSid> {
        // Stops after the oldest active fax, so that the ended faxes before it are not searched.
        let faxes = self.faxes.values().rev().filter(|fax| !fax.status().is_final()).take(self.active);
        faxes.map(|fax| fax.sid).chain(self.calls.values().rev().map(|call| call.sid))
    }

    /// Postpones the end of each active fax's Ttl by `span`, after a restore.
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

    /// Returns the number of faxes that have not ended, plus the number of calls.
    pub(super) fn pending_count(&self) -> usize {
        self.active + self.calls.len()
    }

    /// Returns one page of the matching faxes, newest first.
    pub(super) fn list(&self, filter: &FaxFilter, cursor: Cursor, limit: usize) -> Page<'_, Fax> {
        let (low, high) = self.bounds(filter);
        match cursor {
            Cursor::Skip(skip) => {
                let skip = usize::try_from(skip).unwrap_or(usize::MAX);
                let mut rest = self.between(filter, low, high).rev().skip(skip);
                let items: Vec<_> = rest.by_ref().take(limit).collect();
                Page { has_next: rest.next().is_some(), has_previous: skip > 0, items }
            }
            Cursor::Before(anchor) => {
                let mut rest = self.between(filter, low, high.min(anchor)).rev();
                let items: Vec<_> = rest.by_ref().take(limit).collect();
                let has_next = rest.next().is_some();
                // The item at the anchor is on the previous page.
                let has_previous = self.between(filter, low.max(anchor), high).next().is_some();
                Page { has_next, has_previous, items }
            }
            Cursor::After(anchor) => {
                // Read oldest first from the anchor, so that the page ends just before it.
                let mut rest = self.between(filter, low.max(anchor.saturating_add(1)), high);
                let mut items: Vec<_> = rest.by_ref().take(limit).collect();
                items.reverse();
                let has_previous = rest.next().is_some();
                // The item at the anchor is on the next page.
                let older = self.between(filter, low, high.min(anchor.saturating_add(1))).next().is_some();
                Page { has_next: older, has_previous, items }
            }
        }
    }

    /// Returns the range of ordinals `low..high` that match the dates.
    fn bounds(&self, filter: &FaxFilter) -> (Ordinal, Ordinal) {
        let first_after = |moment| self.first_after(moment);
        (filter.created_after.map_or(0, first_after), filter.created_on_or_before.map_or(Ordinal::MAX, first_after))
    }

    /// Returns the ordinal of the first fax created in a later second than this time, or the largest ordinal if there
    /// is none. Dates are compared by whole seconds.
    pub(super) fn first_after(&self, moment: Timestamp) -> Ordinal {
        let later = self.index.calendar.range((Bound::Excluded(moment.seconds()), Bound::Unbounded)).next();
        later.map_or(Ordinal::MAX, |(_, ordinal)| *ordinal)
    }

    /// Returns the faxes before this ordinal, newest first.
    pub(super) fn before(&self, ordinal: Ordinal) -> impl Iterator<Item = &Fax> {
        self.faxes.range(..ordinal).rev().map(|(_, fax)| &**fax)
    }

    /// Returns the faxes with ordinals `low..high` and matching parties, oldest first.
    fn between<'t, 'i>(
        &'t self,
        filter: &'i FaxFilter,
        low: Ordinal,
        high: Ordinal,
    ) -> Box<dyn DoubleEndedIterator<Item = &'t Fax> + 'i>
    where
        't: 'i,
    {
        // A range whose start is after its end would panic.
        if low >= high {
            return Box::new(std::iter::empty());
        }
        // Boxed, because the iterators over an index and over all faxes have different types.
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
        let by_to = filter.to.as_ref().map(|party| (&self.index.by_to, party));
        by_to.or_else(|| filter.from.as_ref().map(|party| (&self.index.by_from, party)))
    }
}

/// Returns whether both parties match; the index covers only one of them.
fn matches(filter: &FaxFilter, fax: &Fax) -> bool {
    filter.from.as_ref().is_none_or(|party| *party == fax.from)
        && filter.to.as_ref().is_none_or(|party| *party == fax.to)
}

/// Returns a fax's media if this is their SID.
pub(super) fn media_of(fax: &Fax, sid: MediaSid) -> Option<&Media> {
    fax.media.as_deref().filter(|media| media.sid == sid)
}
