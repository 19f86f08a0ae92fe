//! The changing picture elements of a row (ITU-T T.4 §4.2.1.3.1): the places where the colour differs from the pel before,
//! beginning with white.

/// Entries equal to the width that end each list, so that looking two changes ahead needs no check.
const SENTINELS: usize = 4;

/// Changes of a word that are looked for before it is asked whether there are more.
const CHANGES_AT_ONCE: usize = 4;

/// The changing elements of one row, in order, then sentinels at the width.
#[derive(Debug, Clone)]
pub struct Changes {
    /// Room for those of any row, of which `length` places are in use.
    room: Vec<u32>,
    length: usize,
}

impl Changes {
    /// Those of a white row.
    #[must_use]
    pub fn white(width: u32) -> Self {
        Self { room: vec![width; SENTINELS], length: SENTINELS }
    }

    /// Reads a row of words, the leftmost pel in the highest bit.
    pub(super) fn read(&mut self, row: &[u64], width: u32) {
        let most = row.len() * u64::BITS as usize + SENTINELS;
        if self.room.len() < most {
            self.room.resize(most, 0);
        }
        let room = self.room.as_mut_slice();
        let (mut length, mut before, mut x) = (0, 0, 0);
        for word in row {
            let differs = word ^ (word >> 1 | before << 63);
            before = word & 1;
            // From the low end the next change is found and taken away in fewer steps.
            let mut differs = differs.reverse_bits();
            // A few at once, whether there are so many or not: how many there are can't be foreseen.
            while differs != 0 {
                for _ in 0..CHANGES_AT_ONCE {
                    room[length] = x + differs.trailing_zeros();
                    length += usize::from(differs != 0);
                    differs &= differs.wrapping_sub(1);
                }
            }
            x += u64::BITS;
        }
        while length > 0 && room[length - 1] >= width {
            length -= 1;
        }
        room[length..length + SENTINELS].fill(width);
        self.length = length + SENTINELS;
    }

    /// The elements and the sentinels.
    pub(super) fn at(&self) -> &[u32] {
        &self.room[..self.length]
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.length - SENTINELS
    }

    /// Becomes those of another row.
    pub(super) fn copy_from(&mut self, row: &Self) {
        if self.room.len() < row.length {
            self.room.resize(row.room.len(), 0);
        }
        self.room[..row.length].copy_from_slice(row.at());
        self.length = row.length;
    }
}
