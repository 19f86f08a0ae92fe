//! What a document is, by its content, and how many pages it has. It renders nothing and trusts no name or header.

use std::io::Cursor;

use hayro_syntax::{DecryptionError, LoadPdfError, Pdf};

use crate::model::fax::MediaType;
use crate::model::media::UnreadableDocument;

/// Pages of one document; at 30 s a page more would take half a day on a line.
pub const PAGES_MAX: u32 = 1_000;
/// A PDF's header may have junk before it (Adobe's readers look as far).
const PDF_HEADER_WITHIN_BYTES: usize = 1_024;
/// The headers of a TIFF: little and big endian, and BigTIFF in either.
const TIFF_HEADERS: [&[u8; 4]; 4] = [b"II\x2a\0", b"MM\0\x2a", b"II\x2b\0", b"MM\0\x2b"];

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// Its type.
    pub media_type: MediaType,
    /// Its pages.
    pub pages: u32,
}

/// Recognises a document and counts its pages.
///
/// # Errors
/// It is nothing that can be faxed; the reason is for a person.
pub fn probe(bytes: &[u8]) -> Result<Probe, UnreadableDocument> {
    let (media_type, pages) = match kind(bytes)? {
        MediaType::Pdf => (MediaType::Pdf, pdf_pages(bytes)?),
        MediaType::Tiff => (MediaType::Tiff, tiff_pages(bytes)?),
    };
    match pages {
        0 => Err(unreadable(format!("the {} has no pages", name(media_type)))),
        pages if pages > PAGES_MAX => Err(unreadable(format!("the document has more than {PAGES_MAX} pages"))),
        pages => Ok(Probe { media_type, pages }),
    }
}

fn kind(bytes: &[u8]) -> Result<MediaType, UnreadableDocument> {
    if TIFF_HEADERS.iter().any(|header| bytes.starts_with(*header)) {
        return Ok(MediaType::Tiff);
    }
    let start = &bytes[..bytes.len().min(PDF_HEADER_WITHIN_BYTES)];
    if start.windows(5).any(|window| window == b"%PDF-") {
        return Ok(MediaType::Pdf);
    }
    let start = start.trim_ascii_start();
    let is_markup = [&b"<!doctype"[..], b"<html", b"<?xml", b"<head", b"<body"]
        .iter()
        .any(|tag| start.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag)));
    Err(unreadable(match start {
        [] => "the document is empty".to_owned(),
        _ if is_markup => "the document is a web page, not a PDF; does the address need a login?".to_owned(),
        _ => "the document is neither a PDF nor a TIFF".to_owned(),
    }))
}

fn pdf_pages(bytes: &[u8]) -> Result<u32, UnreadableDocument> {
    let pdf = Pdf::new(bytes.to_vec()).map_err(|error| {
        unreadable(match error {
            LoadPdfError::Decryption(DecryptionError::PasswordProtected) => {
                "the PDF is protected by a password; send one without".to_owned()
            }
            LoadPdfError::Decryption(_) => "the PDF is encrypted in a way that can't be read".to_owned(),
            LoadPdfError::Invalid => "the PDF is damaged: no pages can be found in it".to_owned(),
        })
    })?;
    Ok(u32::try_from(pdf.pages().len()).unwrap_or(u32::MAX))
}

fn tiff_pages(bytes: &[u8]) -> Result<u32, UnreadableDocument> {
    let damaged = |error: tiff::TiffError| unreadable(format!("the TIFF is damaged: {error}"));
    let mut decoder = tiff::decoder::Decoder::new(Cursor::new(bytes)).map_err(damaged)?;
    let mut pages = 1;
    while decoder.more_images() && pages <= PAGES_MAX {
        decoder.next_image().map_err(damaged)?;
        pages += 1;
    }
    Ok(pages)
}

const fn name(media_type: MediaType) -> &'static str {
    match media_type {
        MediaType::Pdf => "PDF",
        MediaType::Tiff => "TIFF",
    }
}

const fn unreadable(reason: String) -> UnreadableDocument {
    UnreadableDocument { reason }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    /// A TIFF of white pages of 8 × 1 pels each, uncompressed, written by hand.
    fn tiff(pages: u32) -> Vec<u8> {
        let mut bytes = b"II\x2a\0\x08\0\0\0".to_vec();
        for page in 0..pages {
            let entries: [(u16, u32); 7] = [(256, 8), (257, 1), (258, 1), (259, 1), (262, 0), (273, 4), (279, 1)];
            bytes.extend(7_u16.to_le_bytes());
            for (tag, value) in entries {
                bytes.extend(tag.to_le_bytes());
                bytes.extend(4_u16.to_le_bytes());
                bytes.extend(1_u32.to_le_bytes());
                bytes.extend(value.to_le_bytes());
            }
            let next = if page + 1 == pages { 0 } else { u32::try_from(bytes.len()).unwrap() + 4 };
            bytes.extend(next.to_le_bytes());
        }
        bytes
    }

    fn reason(bytes: &[u8]) -> String {
        probe(bytes).unwrap_err().reason
    }

    #[test]
    fn pages_of_a_pdf_and_of_a_tiff_are_counted() {
        for pages in [1, 2, 30] {
            assert_eq!(probe(&sample::test_pages(pages)), Ok(Probe { media_type: MediaType::Pdf, pages }));
            assert_eq!(probe(&tiff(pages)), Ok(Probe { media_type: MediaType::Tiff, pages }));
        }
        let after_junk = [b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), sample::test_pages(2)].concat();
        assert_eq!(probe(&after_junk).map(|probe| probe.pages), Ok(2));
    }

    #[test]
    fn what_is_no_document_is_told_why() {
        assert!(reason(b"").contains("empty"));
        assert!(reason(b"\n <!DOCTYPE html><html>login</html>").contains("web page"));
        assert!(reason(b"hello").contains("neither"));
        assert!(reason(b"%PDF-1.7 and nothing else").contains("damaged"));
        assert!(reason(&tiff(2)[..100]).contains("damaged"));
        assert!(reason(&tiff(PAGES_MAX + 5)).contains("more than"));
    }

    #[test]
    fn a_tiff_whose_directories_form_a_ring_ends() {
        let mut ring = tiff(1);
        let end = ring.len() - 4;
        ring[end..].copy_from_slice(&8_u32.to_le_bytes());
        assert!(probe(&ring).is_err());
    }
}
