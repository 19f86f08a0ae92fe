//! Seeded, keyed randomness: every id and draw is a function of (world seed, purpose, parent, ordinal).
//! Nothing here keeps state, so no fax's luck depends on another's timing.

use rand::Rng;
use rand::SeedableRng;
use rand_chacha::ChaCha12Rng;
use sha2::{Digest, Sha256};

use crate::model::sid::AccountSid;

/// The seed of one world.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct WorldSeed([u8; 32]);

impl WorldSeed {
    /// The seed of an account's world: hash of the global seed and the SID, never of founding order.
    #[must_use]
    pub fn of(global_seed: u64, account: AccountSid) -> Self {
        let digest = Sha256::new().chain_update(global_seed.to_be_bytes()).chain_update(account.bytes()).finalize();
        Self(digest.into())
    }

    /// The seed of the ids of one epoch; that of the first is the world's own.
    fn in_epoch(self, epoch: u64) -> Self {
        if epoch == 0 {
            return self;
        }
        Self(
            Sha256::new()
                .chain_update(self.0)
                .chain_update("epoch")
                .chain_update(epoch.to_be_bytes())
                .finalize()
                .into(),
        )
    }

    /// A generator for one purpose; `parent` is what it belongs to, `ordinal` its place there.
    #[must_use]
    pub fn generator(&self, purpose: &str, parent: &[u8], ordinal: u64) -> ChaCha12Rng {
        let digest = Sha256::new()
            .chain_update(self.0)
            .chain_update([u8::try_from(purpose.len()).unwrap_or(u8::MAX)])
            .chain_update(purpose)
            .chain_update(parent)
            .chain_update(ordinal.to_be_bytes())
            .finalize();
        ChaCha12Rng::from_seed(digest.into())
    }

    /// The 128 bits of a SID.
    #[must_use]
    pub fn sid_bytes(&self, purpose: &str, parent: &[u8], ordinal: u64) -> [u8; 16] {
        let mut bytes = [0; 16];
        self.generator(purpose, parent, ordinal).fill_bytes(&mut bytes);
        bytes
    }
}

/// What a world's ids follow from. Every way back to an earlier state of the world starts a new epoch, so that what is
/// created afterwards never has an id that the journal already tells of something else. Draws follow from the world's
/// seed alone: what happens after a reset happens as it did before.
#[derive(Debug, Clone)]
pub(super) struct Ids {
    world: WorldSeed,
    epoch: u64,
    seed: WorldSeed,
}

impl Ids {
    pub(super) fn new(world: WorldSeed, epoch: u64) -> Self {
        Self { world, epoch, seed: world.in_epoch(epoch) }
    }

    pub(super) fn next_epoch(&mut self) {
        *self = Self::new(self.world, self.epoch + 1);
    }

    pub(super) const fn epoch(&self) -> u64 {
        self.epoch
    }

    pub(super) const fn world(&self) -> &WorldSeed {
        &self.world
    }

    pub(super) const fn seed(&self) -> &WorldSeed {
        &self.seed
    }
}

impl std::fmt::Debug for WorldSeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WorldSeed(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_depends_on_each_part_of_its_key_and_on_nothing_else() {
        let account = AccountSid::from_bytes([0; 16]);
        let seed = WorldSeed::of(7, account);
        let drawn = seed.sid_bytes("fax", b"", 1);
        assert_eq!(drawn, WorldSeed::of(7, account).sid_bytes("fax", b"", 1));
        assert_ne!(drawn, WorldSeed::of(8, account).sid_bytes("fax", b"", 1));
        assert_ne!(drawn, WorldSeed::of(7, AccountSid::from_bytes([1; 16])).sid_bytes("fax", b"", 1));
        assert_ne!(drawn, seed.sid_bytes("call", b"", 1));
        assert_ne!(drawn, seed.sid_bytes("fax", b"x", 1));
        assert_ne!(drawn, seed.sid_bytes("fax", b"", 2));
    }

    #[test]
    fn each_epoch_has_ids_of_its_own() {
        let mut ids = Ids::new(WorldSeed::of(7, AccountSid::from_bytes([0; 16])), 0);
        let mut drawn = std::collections::BTreeSet::new();
        for epoch in 0..3 {
            assert_eq!(ids.epoch(), epoch);
            assert!(drawn.insert(ids.seed().sid_bytes("fax", b"", 1)));
            ids.next_epoch();
        }
        assert_eq!(
            Ids::new(*ids.world(), 2).seed().sid_bytes("fax", b"", 1),
            *drawn
                .iter()
                .find(|bytes| { **bytes == ids.world().in_epoch(2).sid_bytes("fax", b"", 1) })
                .expect("drawn before")
        );
    }
}
