//! The worlds that there are, and what is remembered of those that are gone. It knows no engine's rules.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::random::WorldSeed;
use crate::engine::tally::Tally;
use crate::model::sid::{AccountSid, KeySid};
use crate::world::World;

/// Accounts whose worlds are gone and that are remembered singly.
const DEPARTED_MAX: usize = 100_000;
/// A world that saw no more than this was only created: the write that created it may be the first thing done in it.
const WRITES_OF_A_CREATION: u64 = 1;

#[derive(Default)]
pub(super) struct Worlds {
    pub(super) by_sid: BTreeMap<AccountSid, World>,
    /// Subaccounts by their owner, in order of founding.
    pub(super) owned: BTreeMap<AccountSid, BTreeMap<u64, AccountSid>>,
    /// Whose API keys are whose.
    pub(super) keys: BTreeMap<KeySid, AccountSid>,
    pub(super) founded: u64,
    pub(super) minted: u64,
    /// Subaccounts that were ever created, by their owner: the SID of one that was removed is not minted again.
    pub(super) subaccounts_minted: BTreeMap<AccountSid, u64>,
    /// Accounts from the configuration, whose worlds are never dropped to make room.
    pub(super) configured: BTreeSet<AccountSid>,
    pub(super) departed: Departed,
}

/// What is remembered of worlds that are gone.
#[derive(Default)]
pub(super) struct Departed {
    /// What happened in them.
    pub(super) tally: Tally,
    /// The epoch that a world of the same account begins with, so that none of its ids comes again.
    epochs: BTreeMap<AccountSid, u64>,
    /// The epoch of the accounts that are not remembered singly.
    epoch_of_others: u64,
}

impl Departed {
    pub(super) fn epoch(&self, account: AccountSid) -> u64 {
        self.epochs.get(&account).copied().unwrap_or(self.epoch_of_others)
    }

    pub(super) fn remember(&mut self, account: AccountSid, epoch: u64) {
        if self.epochs.len() >= DEPARTED_MAX {
            // One number that is beyond all of theirs serves them as well.
            let latest = std::mem::take(&mut self.epochs).into_values().max().unwrap_or_default();
            self.epoch_of_others = self.epoch_of_others.max(latest);
        }
        self.epochs.insert(account, epoch + 1);
    }
}

impl Worlds {
    /// Takes a world, its API keys and its subaccounts' worlds out of the registry.
    pub(super) fn remove(&mut self, account: AccountSid) -> Vec<World> {
        let Some(world) = self.by_sid.remove(&account) else { return Vec::new() };
        self.keys.retain(|_, owner| *owner != account);
        for owned in self.owned.values_mut() {
            owned.retain(|_, sid| *sid != account);
        }
        let subaccounts = self.owned.remove(&account).unwrap_or_default();
        let theirs = subaccounts.into_values().flat_map(|sid| self.remove(sid)).collect::<Vec<_>>();
        std::iter::once(world).chain(theirs).collect()
    }

    /// The oldest world that may go: nothing was done in it but its creation, and nothing waits in it.
    pub(super) fn oldest_untouched(&self, default: AccountSid) -> Option<AccountSid> {
        let is_untouched = |world: &&World| {
            let sid = world.sid();
            let is_kept = sid == default || self.configured.contains(&sid) || self.owned.contains_key(&sid);
            !is_kept && world.writes() <= WRITES_OF_A_CREATION && world.broken().is_none()
        };
        let age = |world: &World| {
            let (is_idle, owner, age) =
                world.read(|engine| (engine.is_idle(), engine.account().owner, engine.account().ordinal));
            (is_idle && owner.is_none()).then_some((age, world.sid()))
        };
        self.by_sid.values().filter(is_untouched).filter_map(age).min().map(|(_, sid)| sid)
    }

    pub(super) fn mint_sid(&mut self, seed: u64) -> AccountSid {
        loop {
            self.minted += 1;
            let bytes = WorldSeed::of(seed, AccountSid::from_bytes([0; 16])).sid_bytes("account", b"", self.minted);
            let sid = AccountSid::from_bytes(bytes);
            if !self.by_sid.contains_key(&sid) {
                return sid;
            }
        }
    }
}
