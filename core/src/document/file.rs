//! Writes fax pages to a PDF or TIFF, which embeds their coded bytes unchanged, and reads them back from it.

use std::sync::Arc;

use super::{pdf, tiff};
use crate::model::fax::MediaType;
use crate::model::media::Document;
use crate::model::page::{FaxPage, PageInFile, PageLoss};

/// Writes pages to a file of the given type; the losses are kept beside the file, not in it.
#[must_use]
pub fn document(pages: &[FaxPage], media_type: MediaType, losses: &[PageLoss]) -> Document {
    let (bytes, places) = match media_type {
        MediaType::Pdf => pdf::file(pages),
        MediaType::Tiff => tiff::file(pages),
    };
    let sheets = pages.iter().zip(places).map(|(page, place)| {
        let FaxPage { width, height, quality, bits, .. } = *page;
        PageInFile { width, height, quality, place, bits, text: page.text.clone() }
    });
    let count = u32::try_from(pages.len()).unwrap_or(u32::MAX);
    Document { media_type, pages: count, bytes: bytes.into(), sheets: sheets.collect(), losses: losses.into() }
}

/// Returns the page at an index, counted from 0; `None` if there is no such page, or if the call was dropped before the
/// page arrived.
#[must_use]
pub fn page(document: &Document, index: usize) -> Option<FaxPage> {
    let PageInFile { width, height, quality, place, bits, text } = document.sheets.get(index)?.clone();
    // A page that never arrived has an empty range.
    let mmr = Arc::from(document.bytes.get(place).filter(|mmr| !mmr.is_empty())?);
    Some(FaxPage { width, height, quality, mmr, bits, text })
}

/// Iterates over the pages of a file, skipping those that never arrived.
pub fn pages(document: &Document) -> impl Iterator<Item = FaxPage> {
    (0..document.sheets.len()).filter_map(|index| page(document, index))
}

#[cfg(test)]
mod tests {
    use super::super::bitmap::Bitmap;
    use super::super::page::{Counting, coded};
    use super::*;
    use crate::model::fax::Quality;
    use crate::model::page::PageText;

    #[test]
    fn pages_are_read_back_unchanged() {
        let pages: Vec<FaxPage> = (1..=5)
            .map(|number| {
                let mut image = Bitmap::white(1_728, 100 * number);
                image.blacken_run(number, number * 10, 900);
                let text = (number > 1).then(|| PageText::new(&format!("page {number}"), 6));
                FaxPage { text, ..coded(&image, Quality::Fine, Counting::All) }
            })
            .collect();
        for media_type in [MediaType::Pdf, MediaType::Tiff] {
            let document = document(&pages, media_type, &[]);
            assert_eq!(document.pages, 5);
            assert_eq!(super::pages(&document).collect::<Vec<_>>(), pages, "{media_type}");
        }
    }
}
