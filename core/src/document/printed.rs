//! A page as a fax machine prints it, coded without its header line. Only the header line differs between fax calls, so
//! only this line is coded for each call and put before the rest. The result has exactly the bits that coding the whole
//! page would yield.

use super::bitmap::Bitmap;
use super::ccitt::{BitSink, BitWriter, Changes, Coder, Scheme};
use super::page::decoded;
use super::{fit, stamp};
use crate::model::fax::{PageSize, Quality};
use crate::model::page::FaxPage;
use crate::model::reception::HeaderLine;

/// One sheet of paper, coded without its header line.
#[derive(Debug)]
pub struct Printed {
    /// The page as transmitted; the sheet has the same width, quality and bit counts.
    sent: FaxPage,
    height: u32,
    /// The number of rows that the header line takes at the top; 0 if there is none.
    header_rows: u32,
    /// The rows below the header line, coded as MMR.
    lower: Vec<u8>,
    /// The number of bits in `lower` that are in use; the last byte may be incomplete.
    lower_bits: u64,
}

impl Printed {
    /// Prints a page on one sheet; returns `None` if the page needs more than one sheet or must be shortened to fit.
    #[must_use]
    pub fn new(page: &FaxPage, header_line: HeaderLine, size: PageSize) -> Option<Self> {
        let (mut image, quality) = (decoded(page), page.quality);
        let header_rows = match header_line {
            HeaderLine::On => stamp::rows(quality),
            HeaderLine::Off => 0,
        };
        if header_line == HeaderLine::On {
            // Whether the header line moves the page down doesn't depend on the line's text, so an empty line will do.
            image = stamp::stamped(&image, quality, "");
        }
        let height = fit::sheet_rows(size, quality);
        image.trim_below(height);
        if image.height() > height || height <= header_rows {
            return None;
        }
        image.set_height(height);
        // The last row of a header line is white, like the imaginary row above a page from which the coder starts. So
        // the rows below it are coded the same, whatever the text is.
        let lower =
            written(&image, header_rows..height, Coder::new(Scheme::Mmr, image.width(), 0, BitWriter::default()));
        let lower = lower.finish();
        let (lower_bits, lower) = (lower.bits(), lower.into_bytes());
        Some(Self { sent: page.clone(), height, header_rows, lower, lower_bits })
    }

    /// Returns the sheet with this text in its header line, which doesn't become part of the page's own text.
    #[must_use]
    pub fn with_header(&self, line: &str) -> FaxPage {
        let FaxPage { width, quality, bits, .. } = self.sent;
        let text = self.sent.text.clone();
        let writer = Coder::new(Scheme::Mmr, width, 0, BitWriter::default());
        let mut sink = if self.header_rows == 0 {
            writer.into_sink()
        } else {
            written(&header(width, quality, line), 0..self.header_rows, writer).into_sink()
        };
        // The header line's bits may end within a byte, so the bits of the rows below it are appended through the sink,
        // which shifts them.
        let (words, rest) = self.lower.as_chunks::<4>();
        let mut left = self.lower_bits;
        for word in words {
            let some = u32::try_from(left.min(32)).unwrap_or(32);
            sink.put(u32::from_be_bytes(*word) >> (32 - some), some);
            left -= u64::from(some);
        }
        for byte in rest {
            let some = u32::try_from(left.min(8)).unwrap_or(8);
            if some > 0 {
                sink.put(u32::from(byte >> (8 - some)), some);
            }
            left -= u64::from(some);
        }
        FaxPage { width, height: self.height, quality, mmr: sink.into_bytes().into(), bits, text }
    }

    /// Returns the approximate size of the page in memory, in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        size_of::<Self>() + self.lower.len()
    }
}

/// Returns an image with a header line at the top. It has one row more than the line takes, because the line is stamped
/// within an image only if the image is taller than the line.
fn header(width: u32, quality: Quality, text: &str) -> Bitmap {
    stamp::stamped(&Bitmap::white(width, stamp::rows(quality) + 1), quality, text)
}

/// Codes some rows of an image and returns the coder.
fn written(image: &Bitmap, rows: std::ops::Range<u32>, mut coder: Coder<BitWriter>) -> Coder<BitWriter> {
    let mut row = Changes::white(image.width());
    for y in rows {
        image.changes_into(y, &mut row);
        coder.row(&row);
    }
    coder
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::page::{Counting, coded};
    use crate::model::page::PageText;

    /// Returns pages with and without ink in their top rows, a blank page, and pages that are longer than the paper.
    fn pages(quality: Quality) -> Vec<FaxPage> {
        let letter = fit::sheet_rows(PageSize::Letter, quality);
        [(0, 100), (1, letter), (200, letter - 10), (letter, letter), (60, letter + 1), (90, letter * 3)]
            .into_iter()
            .map(|(first_ink, height)| {
                let mut image = Bitmap::white(1_728, height);
                for y in (first_ink..height).step_by(3) {
                    image.blacken_run(y, y % 700, 700 + y * 7 % 1_000);
                }
                let text = Some(PageText::new(&format!("{first_ink}"), 10));
                FaxPage { text, ..coded(&image, quality, Counting::All) }
            })
            .collect()
    }

    #[test]
    fn adding_a_header_to_a_coded_page_yields_the_same_bits_as_coding_both() {
        let mut prepared = 0;
        for quality in Quality::ALL.iter().copied() {
            for page in pages(quality) {
                for size in PageSize::ALL.iter().copied() {
                    for text in ["", "2026-01-01 00:00 UTC   FROM +1   TO +2   PAGE 1 OF 2", &"M".repeat(400)] {
                        let Some(printed) = Printed::new(&page, HeaderLine::On, size) else { continue };
                        let mut image = stamp::stamped(&decoded(&page), quality, text);
                        let rows = fit::sheet_rows(size, quality);
                        image.trim_below(rows);
                        image.set_height(rows);
                        let whole = coded(&image, quality, Counting::Mmr);
                        let whole = FaxPage { bits: page.bits, text: page.text.clone(), ..whole };
                        assert!(printed.with_header(text) == whole, "{quality} {size} {text:?}");
                        prepared += 1;
                    }
                }
            }
        }
        assert!(prepared > 50, "{prepared}");
    }

    #[test]
    fn a_page_without_a_header_line_is_only_fitted_to_its_paper() {
        for page in pages(Quality::Fine) {
            let Some(printed) = Printed::new(&page, HeaderLine::Off, PageSize::Letter) else { continue };
            let mut image = decoded(&page);
            image.set_height(fit::sheet_rows(PageSize::Letter, Quality::Fine));
            let whole = coded(&image, Quality::Fine, Counting::Mmr);
            assert!(printed.with_header("") == FaxPage { bits: page.bits, text: page.text, ..whole });
        }
    }
}
