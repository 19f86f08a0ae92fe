//! Turns the sent pages into the pages that a receiving machine prints: with a header line, damage, and the machine's
//! paper size.

use std::sync::Arc;

use super::bitmap::Bitmap;
use super::page::{Counting, coded, decoded};
use super::printed::Printed;
use super::{damage, file, fit, stamp};
use crate::model::fax::{PageSize, Quality};
use crate::model::media::Document;
use crate::model::page::{CodedBits, FaxPage, PageInFile, PageLoss};
use crate::model::reception::{HeaderLine, Reception};

/// The excess length, as a percentage of the paper's, up to which a page is shortened to fit, as machines do; a longer
/// page continues on the next sheet. A legal page is 27 percent longer than letter paper.
const SHORTENED_PERCENT_MAX: u32 = 30;
/// The percentage of a page that arrives if the call drops during it.
const CUT_PERCENT: u32 = 40;

/// Builds the file of received pages from the sent pages. Given a page's number, counted from 1, `printed_before`
/// returns the page as it was printed for an earlier fax; it is used for pages that arrive complete and undamaged.
pub fn received(
    sent: impl ExactSizeIterator<Item = FaxPage>,
    reception: &Reception,
    header_line: HeaderLine,
    losses: &[PageLoss],
    printed_before: impl Fn(u64) -> Option<Arc<Printed>>,
) -> Document {
    let count = sent.len();
    let mut kept = Vec::new();
    let mut missing = Vec::new();
    for (number, page) in (1..).zip(sent) {
        // The call drops during the last page at the latest, however many pages should arrive complete.
        let whole = reception.whole_pages.is_none_or(|whole| number <= u64::from(whole).min(count as u64 - 1));
        let cut = reception.whole_pages.is_some_and(|whole| number == u64::from(whole).min(count as u64 - 1) + 1);
        if !whole && !cut {
            let FaxPage { width, height, quality, bits, .. } = page;
            missing.push(PageInFile { width, height, quality, place: 0..0, bits, text: None });
            continue;
        }
        let header = || stamp::text(&reception.header, number, count as u64);
        if whole
            && reception.noise.is_none()
            && let Some(before) = printed_before(number)
        {
            kept.push(before.with_header(&header()));
            continue;
        }
        let mut image = decoded(&page);
        if header_line == HeaderLine::On {
            image = stamp::stamped(&image, page.quality, &header());
        }
        if cut {
            image.set_height((image.height() * CUT_PERCENT / 100).max(1));
        }
        if let Some(noise) = reception.noise {
            image = damage::damaged(&image, noise, number);
        }
        for (at, sheet) in printed(image, page.quality, reception.page_size).iter().enumerate() {
            let coded = coded(sheet, page.quality, Counting::Mmr);
            // The page was sent once, however many sheets it is printed on, so only the first sheet has its bits and
            // its text. A page that was cut off lacks an unknown part of its text.
            let bits = if at == 0 { page.bits } else { CodedBits::default() };
            let text = page.text.clone().filter(|_| at == 0 && !cut);
            kept.push(FaxPage { bits, text, ..coded });
        }
    }
    let mut document = file::document(&kept, reception.media_type, losses);
    if !missing.is_empty() {
        document.pages = document.pages.saturating_add(u32::try_from(missing.len()).unwrap_or(u32::MAX));
        document.sheets = document.sheets.iter().cloned().chain(missing).collect();
    }
    document
}

/// Prints a page on one or more sheets of paper of this size, without a header line.
#[must_use]
pub fn on_sheets(page: &FaxPage, size: PageSize) -> Vec<FaxPage> {
    let sheets = printed(decoded(page), page.quality, size);
    let coded = |(at, sheet): (usize, &Bitmap)| {
        let text = page.text.clone().filter(|_| at == 0);
        FaxPage { text, ..coded(sheet, page.quality, Counting::All) }
    };
    sheets.iter().enumerate().map(coded).collect()
}

/// Shortens a page to fit one sheet of paper, or cuts it into several sheets if it is too long for that.
fn printed(mut image: Bitmap, quality: Quality, size: PageSize) -> Vec<Bitmap> {
    let rows = fit::sheet_rows(size, quality);
    image.trim_below(rows);
    if image.height() <= rows * (100 + SHORTENED_PERCENT_MAX) / 100 {
        let mut sheet = image.shortened(rows);
        sheet.set_height(rows);
        return vec![sheet];
    }
    let starts = (0..image.height()).step_by(rows as usize);
    starts
        .map(|start| {
            let mut sheet = image.slice(start, start.saturating_add(rows));
            sheet.set_height(rows);
            sheet
        })
        .collect()
}
