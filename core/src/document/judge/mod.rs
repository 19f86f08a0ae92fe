//! Judges a document before it is faxed: what can't be read on the fax pages, what is lost, and what it costs in time.
//! The judge sees what was drawn on each page (letters, lines, images, colours) and the page's final pels.
//!
//! | file | what it judges |
//! |---|---|
//! | `letters.rs`, `ground.rs` | the size of type, its colour and its ground |
//! | `dots.rs` | which parts of a page are dots: photographs and tints |
//! | `codes/` | QR codes and bar codes |
//! | `lines.rs`, `colors.rs` | hairlines; colours that look the same |
//! | `paper.rs` | the page as a whole: size, direction, blank, time, dots |
//! | `report.rs` | the verdict of each check, from the findings on all pages |

mod check;
mod cluster;
mod codes;
mod colors;
mod dots;
mod finding;
mod ground;
mod letters;
mod lines;
mod page;
mod paper;
mod picture;
mod report;

use std::ops::ControlFlow;
use std::sync::Arc;

pub use self::check::{About, Check};
pub use self::finding::{Area, Finding, Measure, Severity, UNITS, Verdict};
pub use self::report::{Judged, Report, Summary};

use self::dots::Dots;
use self::page::{Page, Remark};
use super::import::{self, Options, Source, Watching};
use crate::model::media::UnreadableDocument;
use crate::model::page::{FaxPage, PageLoss};

/// The maximum number of findings of one check that are listed per page. The worst ones are kept and, among equals, the
/// first.
pub const FINDINGS_PER_CHECK_MAX: usize = 4;
/// The maximum number of findings that are listed per document.
pub const FINDINGS_MAX: usize = 1_000;
/// The maximum number of pictures per document.
pub const PICTURES_MAX: usize = 100;

/// Whether pictures of findings are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pictures {
    /// None are drawn, which is faster.
    None,
    /// One is drawn for each finding that has a place and isn't `Info`, until there are [`PICTURES_MAX`].
    Drawn,
}

/// What was found on one fax page.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PageJudgement {
    /// The page of the document, counted from 1.
    pub page: u32,
    /// The findings, check by check, the worst of each check first.
    pub findings: Vec<Finding>,
    /// The checks that could not judge the page, such as those of type on a scan.
    pub not_judged: Vec<Check>,
    /// The number of findings that are not listed, because a check has too many on the page, or the document has too
    /// many.
    pub left_out: usize,
}

/// Converts a document to fax pages, and passes each to `take` along with what was found on it.
///
/// # Errors
/// Fails if the document or all of its pages are unreadable; the reason can be shown to users.
pub fn pages(
    bytes: &Arc<[u8]>,
    options: &Options,
    pictures: Pictures,
    mut take: impl FnMut(FaxPage, PageJudgement) -> ControlFlow<()>,
) -> Result<import::Summary, UnreadableDocument> {
    let mut judge = Judge { fax_page: 0, findings_left: FINDINGS_MAX, pictures_left: 0 };
    if pictures == Pictures::Drawn {
        judge.pictures_left = PICTURES_MAX;
    }
    import::converted(bytes, options, Watching::On, |fax, source| {
        let judgement = judge.page(&fax, source);
        take(fax, judgement)
    })
}

/// Judges one page after the other.
struct Judge {
    fax_page: u32,
    findings_left: usize,
    pictures_left: usize,
}

impl Judge {
    fn page(&mut self, fax: &FaxPage, source: &mut Source<'_>) -> PageJudgement {
        self.fax_page += 1;
        let marks = source.marks.take();
        let mut judgement = PageJudgement { page: source.page, ..PageJudgement::default() };
        let mut found: Vec<(Check, Vec<Remark>)> = vec![(Check::Paper, paper::paper(source))];
        let (bits, quality) = (source.bits, fax.quality);
        let mut page = Page { quality, bits, marks: marks.as_ref(), original: &mut *source.original };
        found.push((Check::Blank, paper::blank(&page, fax)));
        let dots = Dots::of(&page);
        found.push((Check::Greys, paper::greys(&page, fax, &dots)));
        found.push((Check::Codes, codes::codes(&mut page, &dots)));
        found.push((Check::Time, paper::time(fax, &dots)));
        let known = page.marks.filter(|marks| !marks.is_scan);
        if let Some(marks) = known {
            found.push((Check::Hairlines, lines::hairlines(&page, &marks.lines)));
            found.push((Check::Colors, colors::alike(&marks.colors)));
        } else {
            judgement.not_judged.extend([Check::Hairlines, Check::Colors]);
        }
        let letters = page.marks.map_or(&[][..], |marks| &marks.letters);
        found.push((Check::TypeSize, letters::type_size(&page, letters)));
        found.push((Check::GreyType, letters::grey_type(&mut page, letters, &dots)));
        // If no letters are known as such, any ink may be type.
        if (letters.is_empty() || known.is_none()) && !page.is_blank() {
            judgement.not_judged.extend([Check::TypeSize, Check::GreyType]);
        }
        found.sort_by_key(|(check, _)| *check);
        for (check, remarks) in found {
            self.list(check, remarks, &mut page, &mut judgement);
        }
        judgement.not_judged.sort();
        judgement
    }

    /// Adds the findings of a check to a page, the worst first, as long as there is room.
    fn list(&mut self, check: Check, mut remarks: Vec<Remark>, page: &mut Page<'_>, judgement: &mut PageJudgement) {
        remarks.sort_by_key(|remark| remark.severity);
        for (at, remark) in remarks.into_iter().enumerate() {
            if at >= FINDINGS_PER_CHECK_MAX || self.findings_left == 0 {
                judgement.left_out += 1;
                continue;
            }
            self.findings_left -= 1;
            let mut finding = remark.on(check, page, judgement.page, self.fax_page);
            if let Some(area) = finding.place.filter(|_| finding.severity != Severity::Info && self.pictures_left > 0) {
                self.pictures_left -= 1;
                // A picture that can't be encoded is left out; the finding says the same in words.
                finding.picture = picture::png(page, &area).ok();
            }
            judgement.findings.push(finding);
        }
    }
}

/// Returns the limits of a check in words, which `--list` and the documentation show.
#[must_use]
pub fn limits(check: Check) -> String {
    let about = check.about();
    if check != Check::Codes {
        return about.limits.to_owned();
    }
    format!(
        "a module below {} pels or rows fails, and so does a code of dots; a module below {} (QR code) or {} pels or rows \
         (bar code) is a warning, and so is a white margin below 4 (QR code) or {} modules (bar code)",
        codes::PELS_FAIL,
        codes::PELS_WARN,
        codes::BARS_PELS_WARN,
        codes::BARS_MARGIN_WARN
    )
}

/// Returns a finding for each loss of the document.
fn lost(losses: &[PageLoss]) -> impl Iterator<Item = Finding> {
    losses.iter().map(|loss| Finding {
        check: Check::Lost,
        severity: Severity::Fail,
        page: loss.page,
        fax_page: None,
        place: None,
        measured: None,
        seen: loss.what.to_string(),
        fix: "create the document again, with all fonts embedded".to_owned(),
        picture: None,
    })
}
