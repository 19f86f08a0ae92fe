//! The protocol by which a renderer reports to its parent: frames with a JSON head and a body of bytes. A length that a
//! frame announces is checked before memory is allocated for it.

use std::io::{self, Write};
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::judged;
use crate::document::judge::PageJudgement;
use crate::document::{Kind, Probe, Summary};
use crate::model::fax::Quality;
use crate::model::page::{CodedBits, FaxPage, FilledBits, LINE_RATES_BPS, PageLoss, PageText};

/// The longest head, in bytes. A head is long only if it lists many losses or findings, or has the text of a page.
const HEAD_BYTES_MAX: usize = 256 * 1024;
/// The longest body, in bytes. A page of noise at superfine resolution takes 3 MB.
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A message from a renderer process to its parent.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Frame {
    /// The result of `Job::Probe`, in the only frame.
    Probed(Probe),
    /// One page, with the coded image as the body.
    Page(FaxPage),
    /// What was found on the preceding page, with the pictures as the body; only if the document is judged.
    Judged(PageJudgement),
    /// The last frame, which follows all pages.
    Done(Summary),
    /// The last frame if the document can't be rendered, with the reason.
    Failed(String),
}

impl Frame {
    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let (head, pictures) = self.head();
        let body: &[u8] = if let Self::Page(page) = self { &page.mmr } else { &pictures };
        let head = head.to_string();
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).map(u32::to_be_bytes).map_err(io::Error::other);
        out.write_all(&length(head.as_bytes())?)?;
        out.write_all(&length(body)?)?;
        out.write_all(head.as_bytes())?;
        out.write_all(body)?;
        out.flush()
    }

    /// Reads a frame; returns `None` if the bytes are not a valid frame.
    pub(super) async fn read(input: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Self>> {
        let head_bytes = input.read_u32().await? as usize;
        let body_bytes = input.read_u32().await? as usize;
        if head_bytes > HEAD_BYTES_MAX || body_bytes > BODY_BYTES_MAX {
            return Ok(None);
        }
        let mut head = vec![0; head_bytes];
        input.read_exact(&mut head).await?;
        let mut body = vec![0; body_bytes];
        input.read_exact(&mut body).await?;
        Ok(serde_json::from_slice(&head).ok().and_then(|head: Value| Self::parse(&head, body)))
    }

    /// Returns the head and, for a judgement, the pictures that are its body.
    fn head(&self) -> (Value, Vec<u8>) {
        let head = match self {
            Self::Judged(judgement) => return judged::written(judgement),
            Self::Probed(probe) => json!({ "probed": probe.kind.name(), "pages": probe.pages }),
            Self::Page(page) => {
                let filled = page.bits.filled;
                json!({
                    "width": page.width,
                    "height": page.height,
                    "quality": page.quality.as_str(),
                    "mmr": page.bits.mmr,
                    "mr": filled.map(|filled| filled.mr),
                    "mh": filled.map(|filled| filled.mh),
                    "text": page.text.as_ref().map(|text| &*text.content),
                    "text_is_cut": page.text.as_ref().is_some_and(|text| text.is_cut),
                    "has_pictures": page.text.as_ref().is_some_and(|text| text.has_pictures),
                })
            }
            Self::Done(summary) => {
                let losses: Vec<Value> =
                    summary.losses.iter().map(|loss| json!({ "page": loss.page, "what": loss.what })).collect();
                json!({ "done": summary.document_pages, "losses": losses })
            }
            Self::Failed(reason) => json!({ "failed": reason }),
        };
        (head, Vec::new())
    }

    fn parse(head: &Value, body: Vec<u8>) -> Option<Self> {
        let number = |name: &str| head[name].as_u64();
        let small = |name: &str| number(name).and_then(|number| u32::try_from(number).ok());
        if let Some(reason) = head["failed"].as_str() {
            return Some(Self::Failed(reason.to_owned()));
        }
        if let Some(name) = head["probed"].as_str() {
            let kind = [Kind::Pdf, Kind::Tiff, Kind::Png, Kind::Jpeg].into_iter().find(|kind| kind.name() == name)?;
            return Some(Self::Probed(Probe { kind, pages: small("pages")? }));
        }
        if head["judged"].is_u64() {
            return judged::read(head, &body).map(Self::Judged);
        }
        if let Some(document_pages) = small("done") {
            let losses = head["losses"].as_array()?.iter().filter_map(|loss| {
                let page = loss["page"].as_u64().and_then(|page| u32::try_from(page).ok());
                Some(PageLoss { page, what: loss["what"].as_str()?.into() })
            });
            return Some(Self::Done(Summary { document_pages, losses: losses.collect() }));
        }
        let rates = |name: &str| -> Option<[u64; LINE_RATES_BPS.len()]> {
            let values: Option<Vec<u64>> = head[name].as_array()?.iter().map(Value::as_u64).collect();
            values?.try_into().ok()
        };
        let filled = rates("mr").zip(rates("mh")).map(|(mr, mh)| FilledBits { mr, mh });
        let bits = CodedBits { mmr: number("mmr")?, filled };
        let quality = Quality::from_word(head["quality"].as_str()?)?;
        let (width, height) = (small("width")?, small("height")?);
        let is_cut = head["text_is_cut"].as_bool()?;
        let has_pictures = head["has_pictures"].as_bool()?;
        let text = head["text"].as_str().map(|content| PageText { content: content.into(), is_cut, has_pictures });
        if text.as_ref().is_some_and(|text| !text.is_valid()) {
            return None;
        }
        Some(Self::Page(FaxPage { width, height, quality, mmr: Arc::from(body), bits, text }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::judge::{Area, Check, Finding, Measure, Severity};
    use crate::model::page::PAGE_TEXT_BYTES_MAX;

    #[tokio::test]
    async fn frames_can_be_read_back_and_an_overlong_one_is_rejected() {
        let filled = Some(FilledBits { mr: [1, 2, 3, 4, 5, 6], mh: [7; 6] });
        let bits = CodedBits { mmr: 99, filled };
        let quality = Quality::Superfine;
        let scan = FaxPage { width: 1_728, height: 3, quality, mmr: Arc::from([1, 2, 3].as_slice()), bits, text: None };
        let text = |content: &str, is_cut| Some(PageText { content: content.into(), is_cut, has_pictures: is_cut });
        // The longest head: each character is written as two.
        let long = FaxPage { text: text(&"\n".repeat(PAGE_TEXT_BYTES_MAX), true), ..scan.clone() };
        let page = FaxPage { text: text("Jane \"Doe\"\nÄrztin", false), ..scan.clone() };
        let losses = vec![PageLoss { page: Some(2), what: "text".into() }, PageLoss { page: None, what: "all".into() }];
        let found = |picture: Option<Vec<u8>>| Finding {
            check: Check::TypeSize,
            severity: Severity::Warn,
            page: Some(3),
            fax_page: Some(4),
            place: picture.as_ref().map(|_| Area { left: 1, top: 2, width: 3, height: 4 }),
            measured: picture.as_ref().map(|_| Measure { value: 4.5, limit: Some(7.0), unit: "rows" }),
            seen: "type".to_owned(),
            fix: "larger".to_owned(),
            picture,
        };
        let findings = vec![found(Some(vec![1, 2])), found(None), found(Some(vec![3]))];
        let judged = PageJudgement { page: 3, findings, not_judged: vec![Check::Hairlines], left_out: 7 };
        let frames = [
            Frame::Judged(judged),
            Frame::Probed(Probe { kind: Kind::Jpeg, pages: 1 }),
            Frame::Page(scan.clone()),
            Frame::Page(page),
            Frame::Page(long),
            Frame::Done(Summary { document_pages: 4, losses }),
            Frame::Failed("no".to_owned()),
        ];
        for frame in frames {
            let mut bytes = Vec::new();
            frame.write(&mut bytes).unwrap();
            assert_eq!(Frame::read(&mut bytes.as_slice()).await.unwrap(), Some(frame));
        }
        for content in ["\u{1b}[31m".to_owned(), "x".repeat(PAGE_TEXT_BYTES_MAX + 1)] {
            let mut bytes = Vec::new();
            Frame::Page(FaxPage { text: text(&content, false), ..scan.clone() }).write(&mut bytes).unwrap();
            assert_eq!(Frame::read(&mut bytes.as_slice()).await.unwrap(), None, "{}", content.len());
        }
        let endless = [0xff; 64];
        assert_eq!(Frame::read(&mut endless.as_slice()).await.unwrap(), None);
    }
}
