//! Pages as they go over a fax line, kept coded. Nothing here draws, codes or counts.

use std::sync::Arc;

use super::fax::Quality;

/// Pels of a row: 215 mm at 8.04 a mm (T.4 §2.1 b).
pub const ROW_PELS: u32 = 1_728;
/// Rows of a page: 14.2 inches at the finest quality are 5,553.
pub const ROWS_MAX: u32 = 6_000;
/// Pages of a fax.
pub const PAGES_MAX: u32 = 1_000;
/// Pels an inch along a row.
pub const PELS_PER_INCH: u32 = 204;
/// The line rates that coded bits are known at, in bit/s: V.17, V.29 and V.27 ter (T.30 §5.3.6.2.2, table 2).
pub const LINE_RATES_BPS: [u32; 6] = [14_400, 12_000, 9_600, 7_200, 4_800, 2_400];

impl Quality {
    /// Rows an inch.
    #[must_use]
    pub const fn rows_an_inch(self) -> u32 {
        match self {
            Self::Standard => 98,
            Self::Fine => 196,
            Self::Superfine => 391,
        }
    }
}

/// One page, coded in MMR.
#[derive(Clone, PartialEq, Eq)]
pub struct FaxPage {
    /// Pels of a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// How close the rows lie.
    pub quality: Quality,
    /// The page by T.6, the first bit in the highest place.
    pub mmr: Arc<[u8]>,
    /// How long it is on the line.
    pub bits: CodedBits,
}

impl std::fmt::Debug for FaxPage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { width, height, quality, mmr, .. } = self;
        write!(f, "a {quality} page of {width} × {height} pels, {} bytes", mmr.len())
    }
}

/// A page within the file that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageInFile {
    /// Pels of a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// How close the rows lie.
    pub quality: Quality,
    /// Where the file has the page's MMR.
    pub place: std::ops::Range<usize>,
    /// How long it is on the line.
    pub bits: CodedBits,
}

/// How many bits a page has by each scheme of T.4 and T.6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CodedBits {
    /// MMR (T.6).
    pub mmr: u64,
    /// MR and MH, with their fill bits; none where nobody wanted them counted.
    pub filled: Option<FilledBits>,
}

/// Bits of MR and MH at each of `LINE_RATES_BPS`: the slower a receiver's minimum row time, the more fill (T.4 §4.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FilledBits {
    /// MR.
    pub mr: [u64; LINE_RATES_BPS.len()],
    /// MH.
    pub mh: [u64; LINE_RATES_BPS.len()],
}

/// Something of a document that is missing on its fax pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageLoss {
    /// The page of the document, from one; none where it concerns the whole document.
    pub page: Option<u32>,
    /// What is missing and why, for a person.
    pub what: Box<str>,
}

impl std::fmt::Display for PageLoss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.page {
            Some(page) => write!(f, "page {page}: {}", self.what),
            None => write!(f, "document: {}", self.what),
        }
    }
}
