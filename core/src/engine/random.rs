//! Seeded, keyed randomness. Every draw is a function of the world's seed, a purpose, a parent and an ordinal. Every id
//! depends on the same four values, and on how often the world was reset or created again. No state is kept between
//! draws, so the draws for one fax don't depend on the timing of another.

use rand::Rng;
use rand::SeedableRng;
use rand_chacha::ChaCha12Rng;
use sha2::{Digest, Sha256};

use crate::model::sid::{AccountSid, Id, IdForm};

/// The seed that determines a world's ids and draws, and the form of its ids.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct WorldSeed {
    digest: [u8; 32],
    form: IdForm,
}

impl WorldSeed {
    /// Returns the seed of an account's world: a hash of the global seed and the SID, so that the order of creation
    /// doesn't matter.
    #[must_use]
    pub fn of(global_seed: u64, account: AccountSid) -> Self {
        let digest = Sha256::new().chain_update(global_seed.to_be_bytes()).chain_update(account.bytes()).finalize();
        Self { digest: digest.into(), form: account.form() }
    }

    /// Returns the seed of ids. In an account's first world, before any reset, it is the world's own seed.
    fn of_ids(self, earlier_worlds: u64, rewinds: u64) -> Self {
        if earlier_worlds == 0 && rewinds == 0 {
            return self;
        }
        let digest = Sha256::new()
            .chain_update(self.digest)
            // The word distinguishes this hash from the hashes for draws.
            .chain_update("ids")
            .chain_update(earlier_worlds.to_be_bytes())
            .chain_update(rewinds.to_be_bytes())
            .finalize();
        Self { digest: digest.into(), form: self.form }
    }

    /// Returns a generator for one purpose; `parent` identifies the entity that the draw is for, and `ordinal` tells
    /// the draws for that entity apart.
    #[must_use]
    pub fn generator(&self, purpose: &str, parent: &[u8], ordinal: u64) -> ChaCha12Rng {
        let digest = Sha256::new()
            .chain_update(self.digest)
            // The length comes first, so that no two pairs of purpose and parent have the same hash.
            .chain_update([u8::try_from(purpose.len()).unwrap_or(u8::MAX)])
            .chain_update(purpose)
            .chain_update(parent)
            .chain_update(ordinal.to_be_bytes())
            .finalize();
        ChaCha12Rng::from_seed(digest.into())
    }

    /// Draws the 128 bits of a SID.
    #[must_use]
    pub fn sid_bytes(&self, purpose: &str, parent: &[u8], ordinal: u64) -> [u8; 16] {
        let mut bytes = [0; 16];
        self.generator(purpose, parent, ordinal).fill_bytes(&mut bytes);
        bytes
    }

    /// Mints an id in the world's id form.
    #[must_use]
    pub fn mint<T: Id>(&self, purpose: &str, parent: &[u8], ordinal: u64) -> T {
        T::minted(self.sid_bytes(purpose, parent, ordinal), self.form)
    }
}

/// The seed of a world's ids. It is derived from the world's seed, the number of the account's earlier worlds in this
/// process, and the number of resets, so that no id in the journal is reused, except after [`Self::restart`]. Draws are
/// derived from the world's seed alone, so a run that is repeated after a reset has the same draws.
#[derive(Debug, Clone)]
pub(super) struct Ids {
    world: WorldSeed,
    earlier_worlds: u64,
    rewinds: u64,
    seed: WorldSeed,
}

impl Ids {
    pub(super) fn new(world: WorldSeed, earlier_worlds: u64) -> Self {
        Self { world, earlier_worlds, rewinds: 0, seed: world.of_ids(earlier_worlds, 0) }
    }

    /// Counts a reset or restore. `beyond` is the number of resets in the restored state, which may be from another
    /// world. The new number is greater than `beyond`, so that ids drawn in that state are not drawn again.
    pub(super) fn rewind_to(&mut self, beyond: u64) {
        self.rewinds = self.rewinds.max(beyond) + 1;
        self.seed = self.world.of_ids(self.earlier_worlds, self.rewinds);
    }

    /// Starts over with this seed: until the next reset, the ids are the same as in any other world that was started
    /// with the seed.
    pub(super) fn restart(&mut self, world: WorldSeed) {
        self.world = world;
        self.seed = world;
    }

    pub(super) const fn rewinds(&self) -> u64 {
        self.rewinds
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

/// The key of a fax's or call's random draws. Unlike a SID, it is the same if the same commands are repeated after a
/// reset.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Luck(pub(super) u64);

impl Luck {
    /// Returns the key for a call to a number of this world. It is derived from the calling fax and not from the order
    /// of calls, because which of two faxes calls first may depend on whose document arrived first.
    pub(super) fn of_call(self, seed: &WorldSeed, calls: u32) -> Self {
        // A saved state can't hold numbers above 2^53.
        Self(seed.generator("luck", &self.0.to_be_bytes(), calls.into()).next_u64() >> 11)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_depend_on_every_part_of_the_key_and_nothing_else() {
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
    fn neither_a_reset_nor_a_new_world_repeats_ids() {
        let world = WorldSeed::of(7, AccountSid::from_bytes([0; 16]));
        let other = WorldSeed::of(8, AccountSid::from_bytes([0; 16]));
        let drawn = |ids: &Ids| ids.seed().sid_bytes("fax", b"", 1);
        let mut seen = std::collections::BTreeSet::new();
        for earlier_worlds in 0..3 {
            let mut ids = Ids::new(world, earlier_worlds);
            assert!(seen.insert(drawn(&ids)));
            for beyond in [0, 0, 5, 2] {
                ids.rewind_to(beyond);
                assert!(seen.insert(drawn(&ids)), "world {earlier_worlds}, reset {}", ids.rewinds());
            }
            for seed in [other, world, other] {
                ids.rewind_to(0);
                ids.restart(seed);
                assert_eq!(drawn(&ids), seed.sid_bytes("fax", b"", 1), "a seeded reset repeats ids");
                ids.rewind_to(0);
                assert!(seen.insert(drawn(&ids)), "the reset after a seeded one repeats no ids");
            }
        }
    }
}
