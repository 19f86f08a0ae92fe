//! Reset and restore, which return a world to its configured start, a snapshot or a loaded state. `Rewindable` is the
//! part of the world that they replace. The account with its token and keys, the clock, the journal, the snapshots and
//! the counts for metrics continue. A loaded state also replaces the account's attributes and keys (`export/mod.rs`).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::agenda::{Agenda, Ordinal};
use super::alerts::Alerts;
use super::applications::Applications;
use super::caller_ids::CallerIds;
use super::effect::{Effect, EffectId, Generation};
use super::effects::UnderWay;
use super::event::ResetCount;
use super::event::{EventKind, ResetTo};
use super::input::{DropSnapshot, Reset, Restore, TakeSnapshot};
use super::messages::Messages;
use super::numbers::Numbers;
use super::random::WorldSeed;
use super::retention::Retention;
use super::rulebook::RuleBook;
use super::tables::Tables;
use super::twiml_bins::TwimlBins;
use super::unanswered::UnansweredCalls;
use super::webhooks::notice::Outgoing;
use super::{Engine, WorldSpec};
use crate::model::refusal::Refusal;
use crate::model::sid::FaxSid;
use crate::model::time::Timestamp;

/// The maximum number of snapshots per world. Data that snapshots have in common is stored only once.
pub const SNAPSHOTS_MAX: usize = 100;
/// The maximum length of a snapshot's name, in characters.
pub const SNAPSHOT_NAME_CHARS_MAX: usize = 64;
/// The maximum number of faxes and calls listed in the result of a reset; the rest are only counted.
const CANCELED_SHOWN_MAX: usize = 100;

/// The part of a world that snapshots capture and that resets and restores replace. The account and its keys, the
/// journal, the snapshots and the counts for metrics are not part of it. Cloning is cheap: clones share faxes, calls
/// and documents until one of them changes.
#[derive(Debug, Clone, Default)]
pub(super) struct Rewindable {
    pub(super) tables: Tables,
    pub(super) numbers: Numbers,
    pub(super) caller_ids: CallerIds,
    pub(super) applications: Applications,
    pub(super) twiml_bins: TwimlBins,
    pub(super) messages: Messages,
    pub(super) agenda: Agenda,
    pub(super) retention: Retention,
    pub(super) outgoing: BTreeMap<FaxSid, Outgoing>,
    /// Faxes and calls whose webhook is about to be retried.
    pub(super) retrying: BTreeMap<Ordinal, FaxSid>,
    pub(super) alerts: Alerts,
    /// Effects that have been issued but not completed, in the order of issue.
    pub(super) under_way: BTreeMap<EffectId, UnderWay>,
    pub(super) book: RuleBook,
    pub(super) api_calls: u64,
    /// The number of downloads that were matched against rules.
    pub(super) downloads: u64,
    pub(super) next_ordinal: Ordinal,
    pub(super) next_order: u64,
    pub(super) unanswered: UnansweredCalls,
}

impl Rewindable {
    /// Returns the start of a world, before its numbers are added.
    pub(super) fn start(spec: &WorldSpec) -> Self {
        Self { book: RuleBook::of(&spec.rules), next_ordinal: 1, next_order: 1, ..Self::default() }
    }

    /// Postpones all deadlines by `span`, so that they keep the time that remained when the snapshot was taken.
    fn postpone(&mut self, span: Duration) {
        self.agenda.postpone(span);
        self.tables.postpone(span);
        self.outgoing.values_mut().for_each(|outgoing| outgoing.postpone(span));
    }
}

/// The rewindable part of a world at one moment.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    pub(super) taken: Timestamp,
    /// The counter of resets and restores at that moment, kept so that ids drawn after a restore differ from those in
    /// the snapshot.
    pub(super) rewinds: u64,
    pub(super) world: Rewindable,
}

/// The state that a reset or restore replaced. It is dropped outside the world's lock, because freeing a thousand faxes
/// takes longer than swapping them out.
#[derive(Debug)]
pub struct Discarded {
    _world: Rewindable,
    _effects: VecDeque<Effect>,
}

/// A summary of what a reset or restore removed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Canceled {
    /// The counts of removed faxes, pending faxes and effects.
    pub count: ResetCount,
    /// The faxes that had not ended, then the calls, both newest first; at most a hundred in all.
    pub pending: Vec<FaxSid>,
}

/// A list entry for a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotView {
    /// The name by which the snapshot is restored.
    pub name: Box<str>,
    /// The time at which the snapshot was taken, by the world's clock.
    pub taken: Timestamp,
    /// The number of faxes in the snapshot, active or ended.
    pub faxes: usize,
    /// The number of those faxes, and of calls, that had not ended.
    pub pending: usize,
}

impl Engine {
    /// Returns all snapshots, sorted by name.
    pub fn snapshots(&self) -> impl Iterator<Item = SnapshotView> {
        self.snapshots.iter().map(|(name, snapshot)| SnapshotView {
            name: name.clone(),
            taken: snapshot.taken,
            faxes: snapshot.world.tables.fax_count(),
            pending: snapshot.world.tables.pending_count(),
        })
    }

    pub(super) fn take_snapshot(&mut self, TakeSnapshot(name): TakeSnapshot, _: Timestamp) -> Result<(), Refusal> {
        // Replacing a snapshot doesn't increase their number.
        if self.snapshots.len() >= SNAPSHOTS_MAX && !self.snapshots.contains_key(&name) {
            return Err(Refusal::LimitReached { what: "snapshots", limit: SNAPSHOTS_MAX });
        }
        let snapshot = Arc::new(self.snapshot());
        self.snapshots.insert(name, snapshot);
        Ok(())
    }

    pub(super) fn drop_snapshot(&mut self, DropSnapshot(name): DropSnapshot, _: Timestamp) -> Result<(), Refusal> {
        self.snapshots.remove(&name).ok_or(Refusal::NoSnapshot(name))?;
        Ok(())
    }

    pub(super) fn restore_snapshot(&mut self, Restore(name): Restore, now: Timestamp) -> Result<Canceled, Refusal> {
        let snapshot = self.snapshots.get(&name).ok_or_else(|| Refusal::NoSnapshot(name.clone()))?;
        // The snapshot is kept, so that it can be restored again.
        let snapshot = Snapshot::clone(snapshot);
        Ok(self.rewind_to(snapshot, ResetTo::Snapshot(name), now))
    }

    /// Resets the world to its configured start; a seed restarts ids and draws, which may then repeat.
    pub(super) fn reset(&mut self, Reset { seed }: Reset, now: Timestamp) -> Canceled {
        let start = Snapshot { taken: now, rewinds: 0, world: Rewindable::start(&self.spec) };
        let canceled = self.rewind_to(start, ResetTo::Start, now);
        // Set after `rewind_to`, which would derive other ids from the seed.
        if let Some(seed) = seed {
            self.ids.restart(WorldSeed::of(seed, self.account.sid));
        }
        // Created after the seed is set, since the SIDs of configured numbers are derived from it.
        self.create_configured(now);
        canceled
    }

    /// Takes the state that the last reset or restore replaced; the caller drops it outside the world's lock.
    pub fn take_discarded(&mut self) -> Option<Discarded> {
        self.discarded.take()
    }

    /// Captures the rewindable part of the world.
    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot { taken: self.latest, rewinds: self.ids.rewinds(), world: self.world.clone() }
    }

    /// Replaces the world with a snapshot. Deadlines keep their remaining time. Effects under way in the snapshot are
    /// issued again; completions of those under way now will be dropped.
    pub(super) fn rewind_to(&mut self, snapshot: Snapshot, to: ResetTo, now: Timestamp) -> Canceled {
        // Counted first, because the world is replaced below.
        let canceled = self.canceled();
        let Snapshot { taken, rewinds, world } = snapshot;
        // May wrap around, since generations are only tested for equality.
        self.generation = Generation(self.generation.0.wrapping_add(1));
        self.ids.rewind_to(rewinds);
        let replaced = std::mem::replace(&mut self.world, world);
        // Counters only grow, whatever the world is reset to.
        self.world.retention.count_on(&replaced.retention);
        self.world.alerts.count_on(&replaced.alerts);
        self.discarded = Some(Discarded { _world: replaced, _effects: std::mem::take(&mut self.effects) });
        let passed = now.since(taken);
        // No time has passed if this is a reset, whose snapshot was taken just now, or if the clock has been frozen
        // since the snapshot was taken.
        if !passed.is_zero() {
            self.world.postpone(passed);
        }
        self.journal.write(now, None, EventKind::WorldReset { count: canceled.count, to });
        // The snapshot's effects are issued again under new ids, because ids are never reused.
        for under_way in std::mem::take(&mut self.world.under_way).into_values() {
            self.issue_effect(under_way);
        }
        canceled
    }

    fn canceled(&self) -> Canceled {
        let count = ResetCount {
            faxes: self.world.tables.fax_count(),
            pending: self.world.tables.pending_count(),
            effects: self.world.under_way.len() + self.waiting_count() + self.pending_messages(),
        };
        Canceled { count, pending: self.world.tables.pending().take(CANCELED_SHOWN_MAX).collect() }
    }
}
