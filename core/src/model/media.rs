//! Documents and the media kept of a fax. Nothing here reads or converts one.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

use super::fax::MediaType;
use super::page::{PAGES_MAX, PageInFile, PageLoss, ROW_PELS, ROWS_MAX};
use super::shelf;
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

/// A document as a state has it: its bytes, or their name.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenDocument {
    media_type: MediaType,
    pages: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
    #[serde(default, skip_serializing_if = "is_empty")]
    sheets: Arc<[PageInFile]>,
    #[serde(default, skip_serializing_if = "is_empty")]
    losses: Arc<[PageLoss]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
}

fn is_empty<T>(list: &[T]) -> bool {
    list.is_empty()
}

impl Serialize for Document {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { media_type, pages, bytes, sheets, losses } = self.clone();
        let sha256 = shelf::name(&bytes);
        let base64 = if sha256.is_none() { Some(BASE64_STANDARD.encode(bytes)) } else { None };
        WrittenDocument { media_type, pages, base64, sheets, losses, sha256 }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let WrittenDocument { media_type, pages, base64, sheets, losses, sha256 } =
            WrittenDocument::deserialize(deserializer)?;
        let bytes: Arc<[u8]> = match (base64, sha256) {
            (Some(base64), None) => BASE64_STANDARD.decode(base64).map_err(Error::custom)?.into(),
            (None, Some(name)) => {
                shelf::find(&name).ok_or_else(|| Error::custom(format!("there is no document {name}")))?
            }
            (None, None) => return Err(Error::missing_field("sha256")),
            (Some(_), Some(_)) => return Err(Error::custom("base64 and sha256 exclude each other")),
        };
        let within = |sheet: &PageInFile| sheet.place.start <= sheet.place.end && sheet.place.end <= bytes.len();
        if let Some(at) = sheets.iter().position(|sheet| !within(sheet)) {
            return Err(Error::custom(format!("sheets[{at}] lies outside the document")));
        }
        let is_page = |sheet: &PageInFile| sheet.width == ROW_PELS && (1..=ROWS_MAX).contains(&sheet.height);
        if let Some(at) = sheets.iter().position(|sheet| !is_page(sheet)) {
            let why = format!("is no fax page: one has {ROW_PELS} pels by 1 to {ROWS_MAX} rows");
            return Err(Error::custom(format!("sheets[{at}] {why}")));
        }
        let is_whole = pages <= PAGES_MAX && (sheets.is_empty() || sheets.len() as u64 == u64::from(pages));
        if !is_whole {
            let why = format!("pages: {pages} don't fit the {} sheets, or are more than {PAGES_MAX}", sheets.len());
            return Err(Error::custom(why));
        }
        Ok(Self { media_type, pages, bytes, sheets, losses })
    }
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} pages, {} bytes", self.media_type, self.pages, self.bytes.len())
    }
}

/// The stored document of a fax.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
