//! Codes the bits of a page as MMR (ITU-T T.6), and decodes them.

use std::sync::Arc;

use super::bitmap::Bitmap;
use super::ccitt::{self, BitCounter, BitSink, BitWriter, Changes, Coder, Scheme};
use crate::model::fax::Quality;
use crate::model::page::{CodedBits, FaxPage, FilledBits, LINE_RATES_BPS};

/// The minimum time per row at standard resolution, for receivers with memory: T3.85 in T.30 §5.3.6.2.2, table 2, bits
/// 21 to 23. ECM has no such minimum (T.4 annex A.1).
const ROW_TIME_STANDARD_MS: u32 = 10;
/// The minimum time per row at the higher resolutions, which is half as long: T7.7 = ½ T3.85.
const ROW_TIME_FINE_MS: u32 = 5;

/// The codings whose bits are counted; MMR bits are always counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Counting {
    /// Only MMR, which calls with error correction (ECM) use.
    #[default]
    Mmr,
    /// MH and MR as well, for calls without error correction.
    All,
}

/// Codes a page as MMR; the result has no text. If `counting` includes other codings, their bits are counted in the
/// same pass.
#[must_use]
pub fn coded(image: &Bitmap, quality: Quality, counting: Counting) -> FaxPage {
    let width = image.width();
    let mut writer = Coder::new(Scheme::Mmr, width, 0, BitWriter::default());
    let mut rows = (counting == Counting::All).then(|| RowCounts::new(width, quality));
    let mut row = Changes::white(width);
    for y in 0..image.height() {
        image.changes_into(y, &mut row);
        if let Some(rows) = &mut rows {
            rows.row(&row);
        }
        writer.row(&row);
    }
    let written = writer.finish();
    let bits = CodedBits { mmr: written.bits(), filled: rows.map(|rows| rows.filled) };
    FaxPage { width, height: image.height(), quality, mmr: Arc::from(written.into_bytes()), bits, text: None }
}

/// Decodes a page; damaged parts are white.
#[must_use]
pub fn decoded(page: &FaxPage) -> Bitmap {
    ccitt::decode(&page.mmr, ccitt::Stored::Mmr, page.width, page.height).image
}

/// Returns the parameter K, which limits how many rows are coded relative to the row above (T.4 §4.2.1.1).
const fn k(quality: Quality) -> u32 {
    match quality {
        Quality::Standard => 2,
        Quality::Fine => 4,
        Quality::Superfine => 8,
    }
}

/// Counts MH and MR bits, including fill, for all line rates in one pass.
struct RowCounts {
    mh: Coder<BitCounter>,
    mr: Coder<BitCounter>,
    /// The fewest bits per row at each line rate; shorter rows are filled up to this length.
    minimum: [u64; LINE_RATES_BPS.len()],
    filled: FilledBits,
}

impl RowCounts {
    fn new(width: u32, quality: Quality) -> Self {
        let row_ms = match quality {
            Quality::Standard => ROW_TIME_STANDARD_MS,
            Quality::Fine | Quality::Superfine => ROW_TIME_FINE_MS,
        };
        Self {
            mh: Coder::new(Scheme::Mh, width, 0, BitCounter::default()),
            mr: Coder::new(Scheme::Mr { k: k(quality) }, width, 0, BitCounter::default()),
            minimum: LINE_RATES_BPS.map(|rate| u64::from(rate * row_ms / 1_000)),
            filled: FilledBits::default(),
        }
    }

    fn row(&mut self, row: &Changes) {
        let mh_before = self.mh.bits();
        let mr_before = self.mr.bits();
        self.mh.row(row);
        self.mr.row(row);
        let (mh, mr) = (self.mh.bits() - mh_before, self.mr.bits() - mr_before);
        for (at, minimum) in self.minimum.iter().enumerate() {
            self.filled.mh[at] += mh.max(*minimum);
            self.filled.mr[at] += mr.max(*minimum);
        }
    }
}
