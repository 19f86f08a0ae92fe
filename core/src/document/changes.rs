//! The changing picture elements of a row (ITU-T T.4 §4.2.1.3.1): the places where the colour differs from that of the
//! previous pel. The first pel is compared with white.

/// Each list ends with this many entries equal to the width, so that looking two changes ahead needs no bounds check.
const SENTINELS: usize = 4;

/// The number of changes read from a word before each check for further ones.
const CHANGES_AT_ONCE: usize = 4;

/// The changing elements of one row in ascending order, followed by sentinels at the width.
#[derive(Debug, Clone)]
pub struct Changes {
    /// A buffer that is large enough for every row read so far; its first `length` places are in use.
    room: Vec<u32>,
    length: usize,
}

impl Changes {
    /// Creates the changes of a white row, which consist only of sentinels.
    #[must_use]
    pub fn white(width: u32) -> Self {
        Self { room: vec![width; SENTINELS], length: SENTINELS }
    }

    /// Replaces the contents with the changes of a row, given as words.
    pub(super) fn read(&mut self, row: &[u64], width: u32) {
        // Every pel may be a change, and the last step may write one place beyond the changes.
        let most = row.len() * u64::BITS as usize + SENTINELS;
        if self.room.len() < most {
            self.room.resize(most, 0);
        }
        let room = self.room.as_mut_slice();
        let (mut length, mut before, mut x) = (0, 0, 0);
        for word in row {
            let differs = word ^ (word >> 1 | before << 63);
            before = word & 1;
            // With the bits reversed, the next change is the lowest set bit, which takes fewer instructions to find and
            // clear.
            let mut differs = differs.reverse_bits();
            // A fixed number of changes is read before each check, even if fewer remain, because the branch predictor
            // can't guess how many there are.
            while differs != 0 {
                for _ in 0..CHANGES_AT_ONCE {
                    room[length] = x + differs.trailing_zeros();
                    length += usize::from(differs != 0);
                    differs &= differs.wrapping_sub(1);
                }
            }
            x += u64::BITS;
        }
        // Bits past the row's end are zero, so black that reaches the end appears as a change at the width.
        while length > 0 && room[length - 1] >= width {
            length -= 1;
        }
        room[length..length + SENTINELS].fill(width);
        self.length = length + SENTINELS;
    }

    /// Returns the changing elements, with the sentinels.
    pub(super) fn at(&self) -> &[u32] {
        &self.room[..self.length]
    }

    /// Returns the number of changing elements, without the sentinels.
    pub(super) fn count(&self) -> usize {
        self.length - SENTINELS
    }

    /// Replaces the contents with another row's changes, reusing the buffer.
    pub(super) fn copy_from(&mut self, row: &Self) {
        if self.room.len() < row.length {
            self.room.resize(row.room.len(), 0);
        }
        self.room[..row.length].copy_from_slice(row.at());
        self.length = row.length;
    }
}
