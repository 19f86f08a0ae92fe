//! The codes of fax machines: MH and MR (ITU-T T.4), MMR (ITU-T T.6), written or only counted. It knows no page or file.
//!
//! A row is given as its changing picture elements (T.4 §4.2.1.3.1): the places where the colour differs from the pel
//! before, beginning with white. Coding walks these lists, never the pels.

mod codes;
mod decode;
mod encode;
mod sink;

pub use self::decode::{Decoded, Stored, decode};
pub use self::encode::{Coder, Scheme};
pub use self::sink::{BitCounter, BitSink, BitWriter};

use super::bitmap::Bitmap;

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
    pub(crate) fn read(&mut self, row: &[u64], width: u32) {
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
    fn at(&self) -> &[u32] {
        &self.room[..self.length]
    }

    /// How many there are.
    fn count(&self) -> usize {
        self.length - SENTINELS
    }

    /// Becomes those of another row.
    fn copy_from(&mut self, row: &Self) {
        if self.room.len() < row.length {
            self.room.resize(row.room.len(), 0);
        }
        self.room[..row.length].copy_from_slice(row.at());
        self.length = row.length;
    }
}

/// Codes a whole image; `minimum_row_bits` is what T.4 fills each row of MH and MR up to.
pub fn code<S: BitSink>(image: &Bitmap, scheme: Scheme, minimum_row_bits: u32, sink: S) -> S {
    let mut coder = Coder::new(scheme, image.width(), minimum_row_bits, sink);
    let mut row = Changes::white(image.width());
    for y in 0..image.height() {
        image.changes_into(y, &mut row);
        coder.row(&row);
    }
    coder.finish()
}

/// The image in MMR, as fax files and PDF hold it.
#[must_use]
pub fn g4(image: &Bitmap) -> Vec<u8> {
    code(image, Scheme::Mmr, 0, BitWriter::default()).into_bytes()
}

#[cfg(test)]
mod tests;
