//! Implements the codings of fax machines: MH and MR (ITU-T T.4) and MMR (ITU-T T.6). Coded bits are written or merely
//! counted.
//!
//! A row is given as its changing picture elements (T.4 §4.2.1.3.1): the places where the colour differs from that of
//! the previous pel. The first pel is compared with white. The coder walks these lists and never looks at pels.

mod codes;
mod decode;
mod encode;
mod sink;

pub use self::decode::{Decoded, Stored, decode};
pub use self::encode::{Coder, Scheme};
pub use self::sink::{BitCounter, BitSink, BitWriter};
pub use super::changes::Changes;

use super::bitmap::Bitmap;

/// Codes a whole image; MH and MR rows are filled up to `minimum_row_bits`, as T.4 requires.
pub fn code<S: BitSink>(image: &Bitmap, scheme: Scheme, minimum_row_bits: u32, sink: S) -> S {
    let mut coder = Coder::new(scheme, image.width(), minimum_row_bits, sink);
    let mut row = Changes::white(image.width());
    for y in 0..image.height() {
        image.changes_into(y, &mut row);
        coder.row(&row);
    }
    coder.finish()
}

/// Codes an image as MMR, the coding of the PDF and TIFF files that are written here.
#[must_use]
pub fn g4(image: &Bitmap) -> Vec<u8> {
    code(image, Scheme::Mmr, 0, BitWriter::default()).into_bytes()
}

#[cfg(test)]
mod tests;
