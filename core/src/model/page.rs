//! Pages in the coded form that a fax line carries.

use std::sync::Arc;

use super::fax::Quality;

/// Pels per row: 215 mm at 8.04 per mm (T.4 §2.1 b).
pub const ROW_PELS: u32 = 1_728;
/// The maximum number of rows per page: 14.2 inches at the finest quality take 5,553.
pub const ROWS_MAX: u32 = 6_000;
/// The maximum number of pages in one fax.
pub const PAGES_MAX: u32 = 1_000;
/// The maximum size of a page's text, in bytes; a page of small print has about 8 KiB.
pub const PAGE_TEXT_BYTES_MAX: usize = 16 * 1024;
/// The maximum size of the text of all pages of a document, in bytes: that of about 250 pages full of text.
pub const DOCUMENT_TEXT_BYTES_MAX: usize = 1024 * 1024;
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
    /// The text of the document's text layer; `None` if it is not known, as for a scan.
    pub text: Option<PageText>,
}

impl FaxPage {
    /// Returns the size of the coded rows and the text, in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.mmr.len() + self.text.as_ref().map_or(0, |text| text.content.len())
    }
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
    /// The text of the document's text layer; `None` if it is not known, as for a scan.
    pub text: Option<PageText>,
}

/// The text of a page, without control characters other than the newlines between its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageText {
    /// The text, shared by both ends of a fax, snapshots and events.
    pub content: Arc<str>,
    /// Whether the end is missing because the text exceeds `PAGE_TEXT_BYTES_MAX` or `DOCUMENT_TEXT_BYTES_MAX`.
    pub is_cut: bool,
    /// Whether pictures cover most of the page. The words in them are missing from the text, unless text recognition
    /// has added them to the document.
    pub has_pictures: bool,
}

impl PageText {
    /// Creates the text of a page, without its control characters, and cut after `bytes_max` or `PAGE_TEXT_BYTES_MAX`
    /// bytes, whichever is less.
    #[must_use]
    pub fn new(text: &str, bytes_max: usize) -> Self {
        let bytes_max = bytes_max.min(PAGE_TEXT_BYTES_MAX);
        let mut content: String = text.chars().filter(|character| is_text(*character)).collect();
        let is_cut = content.len() > bytes_max;
        content.truncate(content.floor_char_boundary(bytes_max));
        Self { content: content.into(), is_cut, has_pictures: false }
    }

    /// Returns whether the text is within the size limit and has no control characters, so that it could be the result
    /// of [`PageText::new`].
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.content.len() <= PAGE_TEXT_BYTES_MAX && self.content.chars().all(is_text)
    }
}

const fn is_text(character: char) -> bool {
    character == '\n' || !matches!(character, '\0'..='\x1f' | '\x7f'..='\u{9f}')
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters_and_loses_its_control_characters() {
        let text = PageText::new("Jane\tDoe\0\nÄrztin\u{85}", 1_000);
        assert_eq!((&*text.content, text.is_cut), ("JaneDoe\nÄrztin", false));
        let cut = PageText::new("aÄ", 2);
        assert_eq!((&*cut.content, cut.is_cut), ("a", true));
        let long = PageText::new(&"é".repeat(PAGE_TEXT_BYTES_MAX), usize::MAX);
        assert_eq!((long.content.len(), long.is_cut), (PAGE_TEXT_BYTES_MAX, true));
        assert!(text.is_valid() && cut.is_valid() && long.is_valid());
        let content = "x".repeat(PAGE_TEXT_BYTES_MAX + 1).into();
        assert!(!PageText { content, is_cut: false, has_pictures: false }.is_valid());
        assert!(!PageText { content: "a\tb".into(), is_cut: false, has_pictures: false }.is_valid());
    }
}
