//! What a world remembers under a name, and going back: to the configured start or to a snapshot.
//! It never turns back the clock, the journal, the token or what was counted.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::agenda::{Agenda, Ordinal};
use super::alerts::Alerts;
use super::applications::Applications;
use super::caller_ids::CallerIds;
use super::delivery::Outgoing;
use super::effect::{Effect, EffectId, Generation};
use super::input::{Canceled, Reply, ResetCount};
use super::journal::{EventKind, WayBack};
use super::numbers::Numbers;
use super::random::WorldSeed;
use super::retention::Retention;
use super::rulebook::RuleBook;
use super::state::written;
use super::tables::Tables;
use super::{Engine, UnderWay};
use crate::model::refusal::Refusal;
use crate::model::sid::FaxSid;
use crate::model::time::Timestamp;

/// Snapshots of one world; what two of them share is kept once.
pub const SNAPSHOTS_MAX: usize = 100;
/// Characters of a snapshot's name.
pub const SNAPSHOT_NAME_CHARS_MAX: usize = 64;
/// Faxes and calls named in the answer to a reset; the rest are counted.
const CANCELED_SHOWN_MAX: usize = 100;

/// All that a world can go back to. Faxes, calls and documents are shared with the world until one of both changes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Memory {
    pub(super) taken: Timestamp,
    pub(super) tables: Tables,
    #[serde(serialize_with = "written::whole")]
    pub(super) numbers: Numbers,
    #[serde(serialize_with = "written::whole")]
    pub(super) caller_ids: CallerIds,
    #[serde(serialize_with = "written::whole")]
    pub(super) applications: Applications,
    pub(super) agenda: Agenda,
    /// What the faxes' media make it; a state has it computed anew.
    #[serde(skip)]
    pub(super) retention: Retention,
    #[serde(serialize_with = "written::parts_by_name")]
    pub(super) outgoing: BTreeMap<FaxSid, Outgoing>,
    pub(super) retrying: BTreeMap<Ordinal, FaxSid>,
    pub(super) alerts: Alerts,
    /// What was under way, in the order of issue.
    #[serde(serialize_with = "written::parts")]
    pub(super) under_way: Vec<UnderWay>,
    #[serde(serialize_with = "written::whole")]
    pub(super) book: RuleBook,
    pub(super) api_calls: u64,
    pub(super) next_ordinal: Ordinal,
    pub(super) next_order: u64,
    pub(super) not_answered: VecDeque<FaxSid>,
    /// How often the world had gone back before: one that reads this as a state mints ids beyond those in it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) ways_back: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde wants")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What going back has put aside, to be freed where nobody waits.
#[derive(Debug)]
pub struct Discarded {
    _tables: Tables,
    _outgoing: BTreeMap<FaxSid, Outgoing>,
    _under_way: BTreeMap<EffectId, UnderWay>,
    _effects: VecDeque<Effect>,
}

/// A snapshot, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotView {
    /// Its name.
    pub name: Box<str>,
    /// When it was taken.
    pub taken: Timestamp,
    /// Faxes in it.
    pub faxes: usize,
    /// Faxes and calls that had not ended.
    pub pending: usize,
}

impl Engine {
    /// The snapshots, by name.
    pub fn snapshots(&self) -> impl Iterator<Item = SnapshotView> {
        self.snapshots.iter().map(|(name, memory)| SnapshotView {
            name: name.clone(),
            taken: memory.taken,
            faxes: memory.tables.fax_count(),
            pending: memory.tables.pending_count(),
        })
    }

    pub(super) fn take_snapshot(&mut self, name: Box<str>) -> Result<Reply, Refusal> {
        if self.snapshots.len() >= SNAPSHOTS_MAX && !self.snapshots.contains_key(&name) {
            return Err(Refusal::LimitReached { what: "snapshots", limit: SNAPSHOTS_MAX });
        }
        let memory = Arc::new(self.memory());
        self.snapshots.insert(name, memory);
        Ok(Reply::Done)
    }

    pub(super) fn drop_snapshot(&mut self, name: &str) -> Result<Reply, Refusal> {
        self.snapshots.remove(name).ok_or_else(|| Refusal::NoSnapshot(name.into()))?;
        Ok(Reply::Done)
    }

    pub(super) fn restore_snapshot(&mut self, name: &str, now: Timestamp) -> Result<Reply, Refusal> {
        let memory = self.snapshots.get(name).ok_or_else(|| Refusal::NoSnapshot(name.into()))?;
        let memory = Memory::clone(memory);
        Ok(Reply::Reset(self.go_back(memory, WayBack::Snapshot(name.into()), now)))
    }

    /// Back to the configured start; with a seed, ids and draws begin anew from it and may come again.
    pub(super) fn reset(&mut self, seed: Option<u64>, now: Timestamp) -> Canceled {
        let start = Memory {
            taken: now,
            tables: Tables::default(),
            numbers: Numbers::default(),
            caller_ids: CallerIds::default(),
            applications: Applications::default(),
            agenda: Agenda::default(),
            retention: Retention::default(),
            outgoing: BTreeMap::new(),
            retrying: BTreeMap::new(),
            alerts: Alerts::default(),
            under_way: Vec::new(),
            book: RuleBook::of(&self.founding.behaviour),
            api_calls: 0,
            next_ordinal: 1,
            next_order: 1,
            not_answered: VecDeque::new(),
            ways_back: 0,
        };
        let canceled = self.go_back(start, WayBack::Start, now);
        if let Some(seed) = seed {
            self.ids.restart(WorldSeed::of(seed, self.account.sid));
        }
        self.found_numbers(now);
        canceled
    }

    /// What the last going back has put aside; dropping it frees it.
    pub fn take_discarded(&mut self) -> Option<Discarded> {
        self.discarded.take()
    }

    /// The world as it is.
    pub(super) fn memory(&self) -> Memory {
        // Each field is named, so that a new one has to be decided on.
        let Self {
            founding: _,
            account: _,
            ids,
            keys: _,
            tables,
            numbers,
            caller_ids,
            applications,
            agenda,
            retention,
            outgoing,
            retrying,
            alerts,
            book,
            api_calls,
            journal: _,
            effects: _,
            under_way,
            snapshots: _,
            generation: _,
            next_effect: _,
            next_ordinal,
            next_order,
            not_answered,
            latest,
            discarded: _,
        } = self;
        Memory {
            taken: *latest,
            tables: tables.clone(),
            numbers: numbers.clone(),
            caller_ids: caller_ids.clone(),
            applications: applications.clone(),
            agenda: agenda.clone(),
            retention: retention.clone(),
            outgoing: outgoing.clone(),
            retrying: retrying.clone(),
            alerts: alerts.clone(),
            under_way: under_way.values().cloned().collect(),
            book: book.clone(),
            api_calls: *api_calls,
            next_ordinal: *next_ordinal,
            next_order: *next_order,
            not_answered: not_answered.clone(),
            ways_back: ids.ways_back(),
        }
    }

    /// Puts a memory in the world's place. What waited then waits for what was left of its time, and what was under
    /// way is issued again; answers to what is under way now will be dropped.
    pub(super) fn go_back(&mut self, memory: Memory, to: WayBack, now: Timestamp) -> Canceled {
        let canceled = self.canceled();
        let passed = now.since(memory.taken);
        self.generation = Generation(self.generation.0.wrapping_add(1));
        self.ids.go_back(memory.ways_back);
        // Freeing a thousand faxes takes longer than replacing them: who holds a lock does that later.
        self.discarded = Some(Discarded {
            _tables: std::mem::take(&mut self.tables),
            _outgoing: std::mem::take(&mut self.outgoing),
            _under_way: std::mem::take(&mut self.under_way),
            _effects: std::mem::take(&mut self.effects),
        });
        self.tables = memory.tables;
        self.numbers = memory.numbers;
        self.caller_ids = memory.caller_ids;
        self.applications = memory.applications;
        self.agenda = memory.agenda;
        self.retention.replace(memory.retention);
        self.outgoing = memory.outgoing;
        self.retrying = memory.retrying;
        self.alerts.replace(memory.alerts);
        self.book = memory.book;
        self.api_calls = memory.api_calls;
        self.next_ordinal = memory.next_ordinal;
        self.next_order = memory.next_order;
        self.not_answered = memory.not_answered;
        if !passed.is_zero() {
            self.agenda.postpone(passed);
            self.tables.postpone(passed);
            self.outgoing.values_mut().for_each(|outgoing| outgoing.postpone(passed));
        }
        self.journal.write(now, None, EventKind::WorldReset { count: canceled.count, to });
        for under_way in memory.under_way {
            self.issue_again(under_way);
        }
        canceled
    }

    fn canceled(&self) -> Canceled {
        let count = ResetCount {
            faxes: self.tables.fax_count(),
            pending: self.tables.pending_count(),
            effects: self.under_way.len() + self.waiting_count(),
        };
        Canceled { count, pending: self.tables.pending().take(CANCELED_SHOWN_MAX).collect() }
    }

    pub(super) fn issue_again(&mut self, under_way: UnderWay) {
        let id = EffectId(self.next_effect);
        self.next_effect += 1;
        let (fax, intent) = (under_way.fax, Arc::clone(&under_way.intent));
        self.under_way.insert(id, under_way);
        self.effects.push_back(Effect { id, generation: self.generation, fax, intent });
    }
}
