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

/// The changing elements of one row, in order, then sentinels at the width.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    at: Vec<u32>,
}

impl Changes {
    /// Those of a white row.
    #[must_use]
    pub fn white(width: u32) -> Self {
        Self { at: vec![width; SENTINELS] }
    }

    /// Reads a row of words, the leftmost pel in the highest bit.
    pub(crate) fn read(&mut self, row: &[u64], width: u32) {
        self.at.clear();
        let mut before = 0;
        let mut x = 0;
        for word in row {
            let differs = word ^ (word >> 1 | before << 63);
            before = word & 1;
            // From the low end the next change is found and taken away in fewer steps.
            let mut differs = differs.reverse_bits();
            while differs != 0 {
                self.at.push(x + differs.trailing_zeros());
                differs &= differs - 1;
            }
            x += 64;
        }
        while self.at.last().is_some_and(|last| *last >= width) {
            self.at.pop();
        }
        self.at.resize(self.at.len() + SENTINELS, width);
    }

    /// How many there are.
    fn count(&self) -> usize {
        self.at.len() - SENTINELS
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
