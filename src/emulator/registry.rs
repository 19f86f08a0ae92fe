//! The tables of worlds, owners and API keys, and the data kept about removed worlds.

use std::collections::{BTreeMap, BTreeSet};

use super::evictions::Evictions;
use crate::engine::random::WorldSeed;
use crate::engine::tally::Tally;
use crate::model::sid::{AccountSid, Id, IdForm, KeySid};
use crate::world::World;

/// The maximum number of removed accounts that are remembered individually.
const DEPARTED_MAX: usize = 100_000;
/// A world with at most this many writes counts as unused, because the request that created it may itself have been a
/// write.
const WRITES_OF_A_CREATION: u64 = 1;

#[derive(Default)]
pub(super) struct Worlds {
    pub(super) by_sid: BTreeMap<AccountSid, World>,
    /// Subaccounts by their owner, in order of creation.
    pub(super) owned: BTreeMap<AccountSid, BTreeMap<u64, AccountSid>>,
    /// The account that each API key belongs to.
    pub(super) keys: BTreeMap<KeySid, AccountSid>,
    /// How many worlds have been created, which gives each account its ordinal.
    pub(super) created: u64,
    /// How many account SIDs have been derived from the seed. Each is derived with the next number, so that it differs.
    pub(super) minted: u64,
    /// The ordinal of each owner's next subaccount, so that a removed subaccount's SID is never generated again.
    pub(super) subaccounts_minted: BTreeMap<AccountSid, u64>,
    /// Accounts from the configuration, whose worlds are never dropped to make room.
    pub(super) configured: BTreeSet<AccountSid>,
    pub(super) departed: Departed,
}

/// The data kept about removed worlds.
#[derive(Default)]
pub(super) struct Departed {
    /// The total event counts of the removed worlds.
    pub(super) tally: Tally,
    /// What the removed worlds had dropped to keep within their limits.
    pub(super) evictions: Evictions,
    /// How many worlds of each account have been removed. The account's next world uses the count to derive ids that
    /// haven't been used yet.
    earlier_worlds: BTreeMap<AccountSid, u64>,
    /// The count used for accounts that are not in `earlier_worlds`.
    earlier_worlds_of_others: u64,
}

impl Departed {
    /// Returns how many of an account's worlds have been removed, or a larger number for an account that isn't counted
    /// individually.
    pub(super) fn earlier_worlds(&self, account: AccountSid) -> u64 {
        self.earlier_worlds.get(&account).copied().unwrap_or(self.earlier_worlds_of_others)
    }

    fn count(&mut self, account: AccountSid) {
        let earlier_worlds = self.earlier_worlds(account) + 1;
        if self.earlier_worlds.len() >= DEPARTED_MAX {
            // Forgets the individual counts and uses the highest one for every account: no account has had a higher
            // count, so the next worlds have new ids.
            let most = std::mem::take(&mut self.earlier_worlds).into_values().max().unwrap_or_default();
            self.earlier_worlds_of_others = self.earlier_worlds_of_others.max(most);
        }
        self.earlier_worlds.insert(account, earlier_worlds);
    }
}

impl Worlds {
    /// Removes a world, its API keys and the worlds of its subaccounts from the registry.
    pub(super) fn remove(&mut self, account: AccountSid) -> Vec<World> {
        // Two requests may remove the same account; the second finds nothing.
        let Some(world) = self.by_sid.remove(&account) else { return Vec::new() };
        // Counted here, under the registry's lock: the account's next world may be created before this one is closed.
        self.departed.count(account);
        self.keys.retain(|_, owner| *owner != account);
        // The account may itself be a subaccount.
        for owned in self.owned.values_mut() {
            owned.retain(|_, sid| *sid != account);
        }
        let subaccounts = self.owned.remove(&account).unwrap_or_default();
        let theirs = subaccounts.into_values().flat_map(|sid| self.remove(sid)).collect::<Vec<_>>();
        std::iter::once(world).chain(theirs).collect()
    }

    /// Returns the oldest world that can be dropped to make room: nothing has been written to it since its creation, it
    /// is idle and not broken, and its account is neither the default one, nor configured, nor a subaccount, nor the
    /// owner of one.
    pub(super) fn oldest_untouched(&self, default: AccountSid) -> Option<AccountSid> {
        let is_untouched = |world: &&World| {
            let sid = world.sid();
            // The default and configured accounts must always exist, and removing an owner would remove its
            // subaccounts.
            let is_kept = sid == default || self.configured.contains(&sid) || self.owned.contains_key(&sid);
            !is_kept && world.writes() <= WRITES_OF_A_CREATION && world.broken().is_none()
        };
        let age = |world: &World| {
            let (is_idle, owner, age) =
                world.read(|engine| (engine.is_idle(), engine.account().owner, engine.account().ordinal));
            // Like the owner of subaccounts, a subaccount isn't removed to make room.
            (is_idle && owner.is_none()).then_some((age, world.sid()))
        };
        self.by_sid.values().filter(is_untouched).filter_map(age).min().map(|(_, sid)| sid)
    }

    pub(super) fn mint_sid(&mut self, seed: u64, form: IdForm) -> AccountSid {
        loop {
            self.minted += 1;
            let bytes = WorldSeed::of(seed, AccountSid::from_bytes([0; 16])).sid_bytes("account", b"", self.minted);
            let sid = AccountSid::minted(bytes, form);
            // An account with this SID may already exist, for example from the state file of an earlier run with the
            // same seed.
            if !self.by_sid.contains_key(&sid) {
                return sid;
            }
        }
    }
}
