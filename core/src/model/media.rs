//! Documents, and a fax's stored media.

use std::sync::Arc;

use super::fax::MediaType;
use super::page::{PageInFile, PageLoss, PageText};
use super::sid::MediaSid;
use super::time::Timestamp;
use super::words::words;

words!(
    /// The reason that a media download was refused or cut short, or was served with a warning.
    MediaFault {
        /// The URL is older than two hours.
        Expired = "expired",
        /// The document or its fax has been deleted.
        Deleted = "deleted",
        /// The URL's signature is missing or invalid.
        Signature = "bad-signature",
        /// The media are protected, and the request has no credential for their account.
        Protected = "protected",
        /// The request has no User-Agent.
        UserAgent = "no-user-agent",
        /// A tester's rule acted on the download.
        Rule = "by-rule",
        /// The client closed the connection before it had the whole document.
        GivenUp = "given-up",
    }
);

/// A document, either as it was submitted or as the file that holds its fax pages.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    /// The format of `bytes`.
    pub media_type: MediaType,
    /// The number of pages.
    pub pages: u32,
    /// The contents of the document, shared by both ends of a fax and by snapshots.
    pub bytes: Arc<[u8]>,
    /// The place of each fax page in `bytes`; empty if the document has not been rendered.
    pub sheets: Arc<[PageInFile]>,
    /// The parts of the original that are missing from the fax pages.
    pub losses: Arc<[PageLoss]>,
}

impl Document {
    /// Creates a document that has not been rendered and therefore has no fax pages.
    #[must_use]
    pub fn unrendered(pages: u32, bytes: Arc<[u8]>) -> Self {
        Self { media_type: MediaType::Pdf, pages, bytes, sheets: Arc::default(), losses: Arc::default() }
    }

    /// Returns whether the document has been rendered, so that it has fax pages.
    #[must_use]
    pub fn is_rendered(&self) -> bool {
        !self.sheets.is_empty()
    }

    /// Returns whether a page, counted from 1, is stored. A page that never arrived is not.
    #[must_use]
    pub fn has_page(&self, page: u32) -> bool {
        self.sheet(page).is_some_and(|sheet| !sheet.place.is_empty())
    }

    /// Returns the text of a page, counted from 1; `None` if there is no such page or its text is not known.
    #[must_use]
    pub fn page_text(&self, page: u32) -> Option<&PageText> {
        self.sheet(page)?.text.as_ref()
    }

    fn sheet(&self, page: u32) -> Option<&PageInFile> {
        self.sheets.get(usize::try_from(page.checked_sub(1)?).ok()?)
    }

    /// Returns the size of the contents and of the pages' text, in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        let texts = self.sheets.iter().filter_map(|sheet| sheet.text.as_ref());
        self.bytes.len() + texts.map(|text| text.content.len()).sum::<usize>()
    }
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} pages, {} bytes", self.media_type, self.pages, self.bytes.len())
    }
}

/// The document stored for a fax, as the Media resource shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// The SID that addresses the media.
    pub sid: MediaSid,
    /// The time at which the document was stored.
    pub created: Timestamp,
    /// The stored document, including its bytes.
    pub document: Document,
}

/// The reason that a document could not be used for a fax.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableDocument {
    /// The problem and, if one is known, its remedy, for people.
    pub reason: String,
}

impl UnreadableDocument {
    /// A part of the reason if the server sent a web page in place of the document.
    pub const HTML_PAGE: &'static str = "the server sent an HTML page";
    /// The beginning of the reason if the server compressed the document.
    pub const COMPRESSED: &'static str = "the document is compressed";

    /// Creates the error from its reason.
    #[must_use]
    pub const fn new(reason: String) -> Self {
        Self { reason }
    }
}
