//! Documents and the media kept of a fax. Nothing here reads or converts one.

use std::sync::Arc;

use super::fax::MediaType;
use super::page::{PageInFile, PageLoss};
use super::sid::MediaSid;
use super::time::Timestamp;
use super::words::words;

words!(
    /// What is wrong with a download of media.
    MediaFault {
        /// Its URL is older than two hours.
        Expired = "expired",
        /// The document or its fax is gone.
        Deleted = "deleted",
        /// Its URL isn't signed, or not as it should be.
        Signature = "bad-signature",
        /// It names no User-Agent.
        UserAgent = "no-user-agent",
    }
);

/// A document: as it was handed in, or the file that holds its fax pages.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    /// What it is delivered as.
    pub media_type: MediaType,
    /// How many pages it has.
    pub pages: u32,
    /// The document itself, shared by both ends of a fax and by snapshots.
    pub bytes: Arc<[u8]>,
    /// Its fax pages; none in a document that has not been rendered.
    pub sheets: Arc<[PageInFile]>,
    /// What the fax pages lack.
    pub losses: Arc<[PageLoss]>,
}

impl Document {
    /// A document that has not been rendered.
    #[must_use]
    pub fn unrendered(pages: u32, bytes: Arc<[u8]>) -> Self {
        Self { media_type: MediaType::Pdf, pages, bytes, sheets: Arc::default(), losses: Arc::default() }
    }
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} pages, {} bytes", self.media_type, self.pages, self.bytes.len())
    }
}

/// The stored document of a fax.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// Its id.
    pub sid: MediaSid,
    /// When it was stored.
    pub created: Timestamp,
    /// What was stored.
    pub document: Document,
}

/// Why a document could not be used for a fax.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableDocument {
    /// What is wrong and what to do, for a person.
    pub reason: String,
}

impl UnreadableDocument {
    /// A document that can't be read for this reason.
    #[must_use]
    pub const fn new(reason: String) -> Self {
        Self { reason }
    }
}
