//! Seeded, keyed randomness: every id and draw is a function of (world seed, purpose, parent, ordinal). It keeps no
//! state, so the luck of one fax doesn't depend on the timing of another.

use rand::Rng;
use rand::SeedableRng;
use rand_chacha::ChaCha12Rng;
use sha2::{Digest, Sha256};

use crate::model::sid::{AccountSid, Id, IdForm};

/// The seed of one world, from which all its ids and draws follow, and the form that its ids have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct WorldSeed {
    digest: [u8; 32],
    form: IdForm,
}

impl WorldSeed {
    /// The seed of an account's world: a hash of the global seed and the SID, so that the order of creation doesn't
    /// matter.
    #[must_use]
    pub fn of(global_seed: u64, account: AccountSid) -> Self {
        let digest = Sha256::new().chain_update(global_seed.to_be_bytes()).chain_update(account.bytes()).finalize();
        Self { digest: digest.into(), form: account.form() }
    }

    /// The seed of ids; for an account's first world, before any reset, it is the world's own.
    fn of_ids(self, life: u64, ways_back: u64) -> Self {
        if life == 0 && ways_back == 0 {
            return self;
        }
        let digest = Sha256::new()
            .chain_update(self.digest)
            .chain_update("ids")
            .chain_update(life.to_be_bytes())
            .chain_update(ways_back.to_be_bytes())
            .finalize();
        Self { digest: digest.into(), form: self.form }
    }

    /// A generator for one purpose: `parent` is the thing that it belongs to, `ordinal` its place within that.
    #[must_use]
    pub fn generator(&self, purpose: &str, parent: &[u8], ordinal: u64) -> ChaCha12Rng {
        let digest = Sha256::new()
            .chain_update(self.digest)
            // The length comes first, so that no two pairs of purpose and parent hash alike.
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

    /// Mints an id, in the form that the world's ids have.
    #[must_use]
    pub fn mint<T: Id>(&self, purpose: &str, parent: &[u8], ordinal: u64) -> T {
        T::minted(self.sid_bytes(purpose, parent, ordinal), self.form)
    }
}

/// The seed of a world's ids. It follows from the world's seed, the number of earlier worlds of the account in this
/// process, and the number of resets, so that no new thing gets an id that the journal already has for another. Draws
/// follow from the world's seed alone, so whatever is repeated after a reset goes as it did before.
#[derive(Debug, Clone)]
pub(super) struct Ids {
    world: WorldSeed,
    life: u64,
    ways_back: u64,
    seed: WorldSeed,
}

impl Ids {
    pub(super) fn new(world: WorldSeed, life: u64) -> Self {
        Self { world, life, ways_back: 0, seed: world.of_ids(life, 0) }
    }

    /// Counts a reset; `beyond` is the number of resets that the restored state has seen, possibly in another world.
    pub(super) fn rewind_to(&mut self, beyond: u64) {
        self.ways_back = self.ways_back.max(beyond) + 1;
        self.seed = self.world.of_ids(self.life, self.ways_back);
    }

    /// Starts over from a given seed: until the next reset, ids repeat those of any other world that started from it.
    pub(super) fn restart(&mut self, world: WorldSeed) {
        self.world = world;
        self.seed = world;
    }

    pub(super) const fn ways_back(&self) -> u64 {
        self.ways_back
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

/// The key of random draws for one fax or call. Unlike a SID, it comes out the same when the same commands are repeated
/// after a reset.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Luck(pub(super) u64);

impl Luck {
    /// The luck of a call to a number of this world. It is derived from the calling fax and not from the order of
    /// calls, because which of two faxes calls first may depend on whose document arrived first.
    pub(super) fn of_call(self, seed: &WorldSeed, calls: u32) -> Self {
        // A saved state can't hold numbers above 2^53.
        Self(seed.generator("luck", &self.0.to_be_bytes(), calls.into()).next_u64() >> 11)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_draw_depends_on_all_parts_of_its_key_and_nothing_else() {
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
        for life in 0..3 {
            let mut ids = Ids::new(world, life);
            assert!(seen.insert(drawn(&ids)));
            for beyond in [0, 0, 5, 2] {
                ids.rewind_to(beyond);
                assert!(seen.insert(drawn(&ids)), "life {life}, reset {}", ids.ways_back());
            }
            for seed in [other, world, other] {
                ids.rewind_to(0);
                ids.restart(seed);
                assert_eq!(drawn(&ids), seed.sid_bytes("fax", b"", 1), "on purpose");
                ids.rewind_to(0);
                assert!(seen.insert(drawn(&ids)), "what follows a seeded reset is new again");
            }
        }
    }
}
