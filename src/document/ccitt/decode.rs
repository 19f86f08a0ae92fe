//! Reading coded pages back, by hayro-ccitt. It adds limits and the bit orders of files.

use hayro_ccitt::{DecodeSettings, Decoder, DecoderContext, EncodingMode};

use super::super::bitmap::Bitmap;

/// How a page is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// MH: TIFF compression 2 (rows begin on bytes, no end-of-line codes).
    MhRows,
    /// MH with end-of-line codes: TIFF compression 3, one-dimensional.
    Mh,
    /// MR: TIFF compression 3, two-dimensional.
    Mr,
    /// MMR: TIFF compression 4.
    Mmr,
}

/// What is wrong with coded data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Bad {
    /// No row could be read.
    #[error("its fax coding can't be read from the first row on")]
    Nothing,
    /// It goes wrong further down.
    #[error("its fax coding breaks off after {rows} rows")]
    BreaksOff {
        /// Rows that could be read.
        rows: u32,
    },
}

/// Reads `height` rows of `width` pels; with `strict`, anything that T.4 and T.6 don't allow is an error.
/// What could be read before an error is handed back beside it, the rest white.
pub fn decode(bytes: &[u8], stored: Stored, width: u32, height: u32, strict: bool) -> (Bitmap, Option<Bad>) {
    let mut rows = Rows { image: Bitmap::white(width, height), read: 0 };
    let settings = DecodeSettings {
        columns: width,
        rows: height,
        end_of_block: true,
        end_of_line: matches!(stored, Stored::Mh | Stored::Mr),
        rows_are_byte_aligned: stored == Stored::MhRows,
        encoding: match stored {
            Stored::MhRows | Stored::Mh => EncodingMode::Group3_1D,
            Stored::Mr => EncodingMode::Group3_2D,
            Stored::Mmr => EncodingMode::Group4,
        },
        strict,
    };
    let outcome = hayro_ccitt::decode(bytes, &mut rows, &mut DecoderContext::new(settings));
    let bad = match (outcome, rows.read) {
        (Ok(_), read) if read >= height => None,
        (_, 0) => Some(Bad::Nothing),
        (_, read) => Some(Bad::BreaksOff { rows: read }),
    };
    (rows.image, bad)
}

struct Rows {
    image: Bitmap,
    read: u32,
}

impl Decoder for Rows {
    fn push_row(&mut self, changes: &[u32]) {
        if self.read >= self.image.height() {
            return;
        }
        for run in changes.chunks(2) {
            let end = run.get(1).copied().unwrap_or(self.image.width());
            self.image.blacken_run(self.read, run[0], end);
        }
        self.read += 1;
    }
}
