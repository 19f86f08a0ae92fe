//! The written form of documents: their fields, and either the name of their bytes, if there is a shelf (`shelf.rs`),
//! or the bytes themselves in base64.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::engine::export::form::{Form, form};
use crate::engine::export::shelf;
use crate::model::fax::{MediaType, Quality};
use crate::model::page::{DOCUMENT_TEXT_BYTES_MAX, LINE_RATES_BPS, PAGE_TEXT_BYTES_MAX, PAGES_MAX, ROW_PELS, ROWS_MAX};
use crate::model::sid::MediaSid;
use crate::model::time::Timestamp;
use crate::model::{media, page};

form! {
    struct Media for media::Media {
        sid: MediaSid,
        created: Timestamp,
        document: Document,
    }
}

/// A document, which is checked for consistency when it is read.
pub(in crate::engine::export) struct Document(media::Document);

impl Form for Document {
    type Of = media::Document;

    fn of(document: &media::Document) -> Self {
        Self(document.clone())
    }

    fn value(self) -> media::Document {
        self.0
    }
}

/// The fields of a document as written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    media_type: MediaType,
    pages: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sheets: Vec<PageInFile>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    losses: Vec<PageLoss>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let media::Document { media_type, pages, bytes, sheets, losses } = &self.0;
        let sha256 = shelf::name(bytes);
        // Without a shelf, as in a log line, the document must be self-contained.
        let base64 = if sha256.is_none() { Some(BASE64_STANDARD.encode(bytes)) } else { None };
        let sheets = sheets.iter().map(PageInFile::of).collect();
        let losses = losses.iter().map(PageLoss::of).collect();
        Fields { media_type: *media_type, pages: *pages, base64, sheets, losses, sha256 }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Fields { media_type, pages, base64, sheets, losses, sha256 } = Fields::deserialize(deserializer)?;
        let bytes = match (base64, sha256) {
            (Some(base64), None) => BASE64_STANDARD.decode(base64).map_err(Error::custom)?.into(),
            (None, Some(name)) => {
                shelf::find(&name).ok_or_else(|| Error::custom(format!("there is no document {name}")))?
            }
            (None, None) => return Err(Error::missing_field("sha256")),
            (Some(_), Some(_)) => return Err(Error::custom("give either base64 or sha256, not both")),
        };
        let sheets = sheets.into_iter().map(Form::value).collect();
        let losses = losses.into_iter().map(Form::value).collect();
        let document = media::Document { media_type, pages, bytes, sheets, losses };
        check(&document).map_err(Error::custom)?;
        Ok(Self(document))
    }
}

/// Checks that the pages are within the document, and that their sizes, texts and number are valid.
fn check(document: &media::Document) -> Result<(), String> {
    let media::Document { media_type: _, pages, bytes, sheets, losses: _ } = document;
    let within = |sheet: &page::PageInFile| sheet.place.start <= sheet.place.end && sheet.place.end <= bytes.len();
    if let Some(at) = sheets.iter().position(|sheet| !within(sheet)) {
        return Err(format!("sheets[{at}] is outside the document"));
    }
    let is_page = |sheet: &page::PageInFile| sheet.width == ROW_PELS && (1..=ROWS_MAX).contains(&sheet.height);
    if let Some(at) = sheets.iter().position(|sheet| !is_page(sheet)) {
        return Err(format!("sheets[{at}] is not a fax page, which has {ROW_PELS} pels by 1 to {ROWS_MAX} rows"));
    }
    let mut text_bytes = 0;
    for (at, sheet) in sheets.iter().enumerate() {
        let Some(text) = &sheet.text else { continue };
        text_bytes += text.content.len();
        if !text.is_valid() || text_bytes > DOCUMENT_TEXT_BYTES_MAX {
            return Err(format!(
                "sheets[{at}].text has control characters, or more than {PAGE_TEXT_BYTES_MAX} bytes, or the texts of \
                 all sheets have more than {DOCUMENT_TEXT_BYTES_MAX}"
            ));
        }
    }
    // A document has a sheet for each page or, until it is rendered, none at all.
    let is_whole = *pages <= PAGES_MAX && (sheets.is_empty() || sheets.len() as u64 == u64::from(*pages));
    if !is_whole {
        return Err(format!("pages: {pages} does not match the {} sheets, or is more than {PAGES_MAX}", sheets.len()));
    }
    Ok(())
}

form! {
    struct PageInFile for page::PageInFile {
        width: u32,
        height: u32,
        quality: Quality,
        place: Place,
        bits: CodedBits,
        text: Option<PageText>,
    }
}

form! {
    struct PageText for page::PageText {
        content: Arc<str>,
        cut = is_cut: bool,
        #[serde(default)]
        pictures = has_pictures: Pictures,
    }
}

/// Whether pictures cover most of a page; left out of the written form if not.
#[derive(Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::engine::export) struct Pictures(bool);

impl Form for Pictures {
    type Of = bool;

    fn of(has_pictures: &bool) -> Self {
        Self(*has_pictures)
    }

    fn value(self) -> bool {
        self.0
    }

    fn is_left_out(&self) -> bool {
        !self.0
    }
}

form! {
    struct Place for std::ops::Range<usize> {
        start: usize,
        end: usize,
    }
}

form! {
    struct CodedBits for page::CodedBits {
        mmr: u64,
        filled: Option<FilledBits>,
    }
}

form! {
    struct FilledBits for page::FilledBits {
        mr: [u64; LINE_RATES_BPS.len()],
        mh: [u64; LINE_RATES_BPS.len()],
    }
}

form! {
    struct PageLoss for page::PageLoss {
        page: Option<u32>,
        what: Box<str>,
    }
}
