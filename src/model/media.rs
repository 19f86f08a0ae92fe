//! Documents and the media kept of a fax. Nothing here reads or converts one.

use std::sync::Arc;

use super::fax::MediaType;
use super::sid::MediaSid;
use super::time::Timestamp;

/// A document whose pages have been counted.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    /// What it is.
    pub media_type: MediaType,
    /// How many pages it has.
    pub pages: u32,
    /// The document itself, shared by both ends of a fax and by snapshots.
    pub bytes: Arc<[u8]>,
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
