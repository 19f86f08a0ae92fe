//! Pages of the faxes, and of the calls without a fax, of one or several worlds, and the number of all matches. A world
//! is read in slices, between which its lock is released, so that no search holds up the world's work.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::fmt;

use serde_json::Value;

use crate::dialect::entry;
use crate::dialect::search::{Search, Subject};
use crate::dialect::view::View;
use crate::emulator::World;
use crate::engine::agenda::Ordinal;
use crate::engine::effect::Generation;
use crate::engine::{Entries, Entry};
use crate::model::account::PriceFormat;
use crate::model::sid::{AccountSid, FaxSid};
use crate::model::time::Timestamp;

/// The maximum number of entries that are read under one lock; comparing that many with a text takes a few
/// milliseconds, even in a debug build.
const SLICE_MAX: usize = 2_000;
/// The maximum number of entries that are examined for one page. A page that reaches this limit may be short; the next
/// page continues from there.
const LOOKED_AT_MAX: usize = 200_000;
/// The maximum number of entries that are examined to count the matches. Beyond this limit, the count is too low, and
/// is marked as incomplete.
const COUNTED_MAX: usize = 200_000;
/// The number of matches that are read ahead from each world if there are several; most of them won't be needed.
const AHEAD_MAX: usize = 16;

/// The place of an entry in the common list of several worlds. The greatest place comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    created: Timestamp,
    // Any fixed order would do for faxes that two worlds created at the same time.
    account: Reverse<AccountSid>,
    pub(super) ordinal: Ordinal,
}

impl Key {
    fn of(entry: Entry<'_>, account: AccountSid) -> Self {
        Self { created: entry.created(), account: Reverse(account), ordinal: entry.ordinal() }
    }

    /// Parses the form that `Display` writes.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        let (micros, ordinal) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let account = Reverse(parts.next()?.parse().ok()?);
        Some(Self { created: Timestamp::from_micros(micros), account, ordinal })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.created.micros(), self.ordinal, self.account.0)
    }
}

/// The place at which a page starts.
#[derive(Debug, Clone, Copy)]
pub(super) enum Start {
    /// At the newest entry.
    Newest,
    /// In a single world: at the newest entry before this ordinal.
    Before(Ordinal),
    /// In the common list of several worlds: after the entry with this place.
    Below(Key),
}

/// The worlds that are listed, the search that their entries must match, and the form in which entries are shown.
pub(super) struct Listing<'a> {
    pub(super) worlds: &'a [World],
    pub(super) search: &'a Search,
    pub(super) origin: &'a str,
    pub(super) price: PriceFormat,
}

/// A page of entries.
pub(super) struct Page {
    pub(super) shown: Vec<Value>,
    /// The place after which the next page starts; `None` on the last page.
    pub(super) next: Option<Key>,
    /// The number of all matches, if the page is the only one.
    whole: Option<usize>,
}

/// The number of matches, on any page.
pub(super) struct Hits {
    pub(super) count: usize,
    pub(super) is_complete: bool,
}

/// One world, read from its newest entry to its oldest.
struct Source<'a> {
    world: &'a World,
    /// The generation in which the world is read. After a reset, ordinals belong to other faxes.
    generation: Option<Generation>,
    /// The next entry to be read is the newest one before this ordinal.
    before: Ordinal,
    /// The place of the entry that was read last.
    bound: Option<Key>,
    /// The matches that have been read but not listed yet.
    matches: VecDeque<(Key, FaxSid)>,
    is_at_end: bool,
    /// Whether a reset during the reading prevented the rest of the world from being read.
    is_cut: bool,
}

impl Listing<'_> {
    /// Returns the number of faxes, of calls without a fax, or of both, in all worlds.
    pub(super) fn total(&self, which: Entries) -> usize {
        self.worlds.iter().map(|world| world.read(|engine| engine.entry_count(which))).sum()
    }

    /// Returns the first `size` matches starting at a place.
    pub(super) async fn page(&self, start: Start, size: usize) -> Page {
        let ahead = if self.worlds.len() == 1 { size } else { AHEAD_MAX };
        // The slices are smaller if there are many worlds, since each world must be read at least once.
        let slice = (LOOKED_AT_MAX / self.worlds.len().max(1)).clamp(ahead.min(SLICE_MAX), SLICE_MAX);
        let mut sources: Vec<Source<'_>> = self.worlds.iter().map(|world| Source::new(world, start)).collect();
        let mut order: BinaryHeap<_> = (0..sources.len()).map(|at| (sources[at].rank(), at)).collect();
        let (mut found, mut looked_at, mut next) = (Vec::new(), 0, None);
        // The source that may have the next match is always on top of the heap: either its next match is known, or its
        // next unread entry could come before all known matches.
        while let Some((_, at)) = order.pop() {
            let source = &mut sources[at];
            if let Some((key, sid)) = source.matches.pop_front() {
                found.push((at, key, sid));
                if found.len() == size {
                    let is_more = !order.is_empty() || source.rank_if_any().is_some();
                    next = is_more.then_some(key);
                    break;
                }
            } else if looked_at >= LOOKED_AT_MAX && source.bound.is_some() {
                // Everything before the entry that this source read last has been listed.
                next = source.bound;
                break;
            } else {
                looked_at += source.read(self.search, start, slice, ahead);
                tokio::task::yield_now().await;
            }
            let source = &sources[at];
            if let Some(rank) = source.rank_if_any() {
                order.push((rank, at));
            }
        }
        let is_whole = matches!(start, Start::Newest) && next.is_none() && sources.iter().all(|source| !source.is_cut);
        Page { whole: is_whole.then_some(found.len()), shown: self.shown(&found), next }
    }

    /// Returns the number of all matches.
    pub(super) async fn hits(&self, page: &Page) -> Hits {
        if let Some(count) = page.whole {
            return Hits { count, is_complete: true };
        }
        // The number of all entries needs no search.
        if self.search.finds_all() {
            return Hits { count: self.total(self.search.entries()), is_complete: true };
        }
        let (mut hits, mut looked_at) = (Hits { count: 0, is_complete: true }, 0);
        for world in self.worlds {
            let mut source = Source::new(world, Start::Newest);
            while !source.is_at_end {
                if looked_at >= COUNTED_MAX {
                    return Hits { is_complete: false, ..hits };
                }
                looked_at += source.read(self.search, Start::Newest, SLICE_MAX, usize::MAX);
                hits.count += source.matches.len();
                source.matches.clear();
                tokio::task::yield_now().await;
            }
            hits.is_complete &= !source.is_cut;
        }
        hits
    }

    /// Returns the entries as JSON. Those that have been deleted since they were found are left out.
    fn shown(&self, found: &[(usize, Key, FaxSid)]) -> Vec<Value> {
        let mut shown = Vec::with_capacity(found.len());
        // Neighbours from the same world are read under one lock.
        for run in found.chunk_by(|(one, ..), (other, ..)| one == other) {
            let Some(world) = run.first().and_then(|(at, ..)| self.worlds.get(*at)) else { continue };
            let (account, now, signing_key) = (world.sid(), world.now(), world.signing_key());
            let view = View { account, origin: self.origin, now, signing_key, price: self.price };
            world.read(|engine| {
                for (_, key, sid) in run {
                    let entry = engine.entries(Entries::Both, key.ordinal.saturating_add(1)).next();
                    if let Some(entry) = entry.filter(|entry| entry.sid() == *sid) {
                        shown.push(entry::entry(engine, entry, &view));
                    }
                }
            });
        }
        shown
    }
}

/// The matches in one world, read in slices from the newest entry to the oldest.
pub(super) struct Slices<'a> {
    source: Source<'a>,
    search: &'a Search,
}

impl<'a> Slices<'a> {
    pub(super) fn new(world: &'a World, search: &'a Search) -> Self {
        Self { source: Source::new(world, Start::Newest), search }
    }

    /// Returns the SIDs of the matches in the next slice, which may be empty; `None` at the end, or after a reset.
    pub(super) fn next(&mut self) -> Option<Box<[FaxSid]>> {
        if self.source.is_at_end {
            return None;
        }
        self.source.read(self.search, Start::Newest, SLICE_MAX, usize::MAX);
        Some(self.source.matches.drain(..).map(|(_, sid)| sid).collect())
    }
}

impl<'a> Source<'a> {
    fn new(world: &'a World, start: Start) -> Self {
        let before = match start {
            Start::Newest => Ordinal::MAX,
            Start::Before(ordinal) => ordinal,
            Start::Below(key) if key.account.0 == world.sid() => key.ordinal,
            Start::Below(key) => world.read(|engine| engine.ordinal_after(key.created)),
        };
        Self { world, generation: None, before, bound: None, matches: VecDeque::new(), is_at_end: false, is_cut: false }
    }

    /// Returns the earliest place that a further match of this world can have.
    fn rank(&self) -> Key {
        let top = Key { created: Timestamp::LATEST, account: Reverse(self.world.sid()), ordinal: Ordinal::MAX };
        self.matches.front().map(|(key, _)| *key).or(self.bound).unwrap_or(top)
    }

    /// Returns [`Self::rank`], or `None` if there can be no further match.
    fn rank_if_any(&self) -> Option<Key> {
        (!self.is_at_end || !self.matches.is_empty()).then(|| self.rank())
    }

    /// Reads on, up to `slice` entries or `ahead` matches, and returns the number of entries that were read.
    fn read(&mut self, search: &Search, start: Start, slice: usize, ahead: usize) -> usize {
        let (world, account) = (self.world, self.world.sid());
        world.read_now(|engine, now| {
            if *self.generation.get_or_insert(engine.generation()) != engine.generation() {
                (self.is_at_end, self.is_cut) = (true, true);
                return 0;
            }
            let dialect = engine.account().dialect;
            let mut entries = engine.entries(search.entries(), self.before);
            let mut count = 0;
            while count < slice && self.matches.len() < ahead {
                let Some(entry) = entries.next() else { break };
                let key = Key::of(entry, account);
                (self.before, self.bound) = (key.ordinal, Some(key));
                count += 1;
                // With several worlds, reading may start up to a second too early, at entries that are already listed.
                let is_earlier = matches!(start, Start::Below(last) if key >= last);
                if !is_earlier && search.fits(&Subject::of(entry, dialect), now) {
                    self.matches.push_back((key, entry.sid()));
                }
            }
            // Checked now, so that a page that ends with the oldest entry doesn't link to an empty page.
            self.is_at_end = entries.next().is_none();
            count
        })
    }
}
