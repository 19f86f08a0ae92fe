//! Random numbers for the simulation, derived only from its seed.

/// SplitMix64 (Steele, Lea, Flood 2014), which is good enough to pick steps.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// Returns a number from 0 to `sides - 1`.
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    /// Returns a random element, or `None` if there are no elements.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        if from.is_empty() { None } else { from.get(usize::try_from(self.roll(from.len() as u64)).ok()?) }
    }
}
