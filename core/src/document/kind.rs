//! Detects the kind of a document from its content.

use crate::model::media::UnreadableDocument;

/// A PDF's header is searched for in this many bytes at the start of a file, because junk may precede it. Adobe's
/// readers search the same number of bytes.
const PDF_HEADER_WITHIN_BYTES: usize = 1_024;
/// The headers of little-endian and big-endian TIFF, followed by the headers of BigTIFF.
const TIFF_HEADERS: [&[u8; 4]; 4] = [b"II\x2a\0", b"MM\0\x2a", b"II\x2b\0", b"MM\0\x2b"];
const PNG_HEADER: &[u8] = b"\x89PNG\r\n\x1a\n";
const JPEG_HEADER: &[u8] = b"\xff\xd8\xff";

/// The kinds of document that can be faxed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// PDF, with one page or many.
    Pdf,
    /// TIFF, with one page or many.
    Tiff,
    /// PNG, which is always one page.
    Png,
    /// JPEG, which is always one page.
    Jpeg,
}

impl Kind {
    /// Returns the name of the kind, for messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pdf => "PDF",
            Self::Tiff => "TIFF",
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
        }
    }
}

/// Detects the kind of a document from its first bytes.
///
/// # Errors
/// Fails if the kind is not supported; the reason can be shown to users.
pub fn kind(bytes: &[u8]) -> Result<Kind, UnreadableDocument> {
    if TIFF_HEADERS.iter().any(|header| bytes.starts_with(*header)) {
        return Ok(Kind::Tiff);
    }
    if bytes.starts_with(PNG_HEADER) {
        return Ok(Kind::Png);
    }
    if bytes.starts_with(JPEG_HEADER) {
        return Ok(Kind::Jpeg);
    }
    // PDF is checked last, because its header may be anywhere in the first kilobyte and so could be part of an image.
    let start = &bytes[..bytes.len().min(PDF_HEADER_WITHIN_BYTES)];
    if start.windows(5).any(|window| window == b"%PDF-") {
        return Ok(Kind::Pdf);
    }
    let start = start.trim_ascii_start();
    let is_markup = [&b"<!doctype"[..], b"<html", b"<?xml", b"<head", b"<body"]
        .iter()
        .any(|tag| start.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag)));
    Err(UnreadableDocument::new(match start {
        [] => "the document is empty".to_owned(),
        _ if is_markup => "the document is a web page or XML, not a PDF; the address may need a login".to_owned(),
        _ => "the document is neither a PDF, a TIFF, a PNG nor a JPEG".to_owned(),
    }))
}
