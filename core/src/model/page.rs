//! Pages in the coded form that a fax line carries.

use std::sync::Arc;

use super::fax::Quality;

/// Pels per row: 215 mm at 8.04 per mm (T.4 §2.1 b).
pub const ROW_PELS: u32 = 1_728;
/// The maximum number of rows per page: 14.2 inches at the finest quality take 5,553.
pub const ROWS_MAX: u32 = 6_000;
/// The maximum number of pages in one fax.
pub const PAGES_MAX: u32 = 1_000;
/// Pels per inch along a row.
pub const PELS_PER_INCH: u32 = 204;
/// The line rates for which coded bits are counted, in bit/s: V.17, V.29 and V.27 ter (T.30 §5.3.6.2.2, table 2).
pub const LINE_RATES_BPS: [u32; 6] = [14_400, 12_000, 9_600, 7_200, 4_800, 2_400];

impl Quality {
    /// Returns the number of rows per inch (T.4 §2.1).
    #[must_use]
    pub const fn rows_an_inch(self) -> u32 {
        // 3.85, 7.7 and 15.4 rows per mm.
        match self {
            Self::Standard => 98,
            Self::Fine => 196,
            Self::Superfine => 391,
        }
    }
}

/// One page in MMR coding, before it is part of a file.
#[derive(Clone, PartialEq, Eq)]
pub struct FaxPage {
    /// Width in pels: the length of a row.
    pub width: u32,
    /// Height in rows, at the density of `quality`.
    pub height: u32,
    /// The row density, which determines the height in inches.
    pub quality: Quality,
    /// The rows in T.6 coding, most significant bit first.
    pub mmr: Arc<[u8]>,
    /// The size of the page on the line in bits, by coding.
    pub bits: CodedBits,
}

impl std::fmt::Debug for FaxPage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { width, height, quality, mmr, .. } = self;
        write!(f, "a {quality} page of {width} × {height} pels, {} bytes", mmr.len())
    }
}

/// The place and the properties of a page in a file of fax pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageInFile {
    /// Width in pels: the length of a row.
    pub width: u32,
    /// Height in rows, at the density of `quality`.
    pub height: u32,
    /// The row density, which determines the height in inches.
    pub quality: Quality,
    /// The byte range of the page's MMR data in the file.
    pub place: std::ops::Range<usize>,
    /// The size of the page on the line in bits, by coding.
    pub bits: CodedBits,
}

/// The size of a page in bits, in each coding of T.4 and T.6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CodedBits {
    /// The size in MMR coding (T.6), which needs no fill bits.
    pub mmr: u64,
    /// The sizes in MR and MH coding, with fill bits; `None` unless they were requested.
    pub filled: Option<FilledBits>,
}

/// The size of a page in bits, in MR and MH coding, at each of `LINE_RATES_BPS`. The faster the line, the more fill
/// bits are needed to reach the receiver's minimum row time (T.4 §4.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FilledBits {
    /// The size in MR coding (T.4 §4.2), per rate.
    pub mr: [u64; LINE_RATES_BPS.len()],
    /// The size in MH coding (T.4 §4.1), per rate.
    pub mh: [u64; LINE_RATES_BPS.len()],
}

/// A part of a document that is missing from its fax pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageLoss {
    /// The page of the document, counted from one; `None` if the whole document is affected.
    pub page: Option<u32>,
    /// The missing part and the reason, for people.
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
