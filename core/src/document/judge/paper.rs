//! Judges a page as a whole: its size and direction on the paper, whether it is blank, how long it takes, and how much
//! of it becomes dots.

use super::dots::Dots;
use super::finding::{Measure, Severity};
use super::page::{Page, Remark};
use crate::document::import::Source;
use crate::document::page::{Counting, coded};
use crate::model::line::Line;
use crate::model::page::FaxPage;

/// The scale in percent below which a page is hard to read: type of 10 points becomes smaller than 8 points.
pub(super) const SCALE_WARN_PERCENT: f64 = 80.0;
/// The minimum scale in percent that is not worth a remark.
const SCALE_PERCENT: f64 = 99.5;
/// The time in seconds above which a page takes too long. A page of text takes about 20 s at fine quality, and calls
/// are billed by the minute.
pub(super) const PAGE_SECONDS_MAX: f64 = 60.0;
/// The minimum share of a page, in percent, at which dots are worth a warning; below it, they may be just a logo.
pub(super) const DOTS_WARN_PERCENT: f64 = 5.0;
/// The share of a page, in percent, below which dots are not even worth a remark.
const DOTS_PERCENT: f64 = 1.0;

/// Judges the size and the direction of a page on the paper.
pub(super) fn paper(source: &Source<'_>) -> Vec<Remark> {
    let (width, height) = source.size_points;
    let inches = format!("{:.1} × {:.1} in", width / 72.0, height / 72.0);
    let percent = source.scale * 100.0;
    let turned = if source.placement.turned { "turned by 90° and " } else { "" };
    let remark = |severity, limit, seen, fix: &str| Remark {
        severity,
        place: None,
        measured: Measure { value: percent, limit, unit: "percent" },
        seen,
        fix: fix.to_owned(),
    };
    let sheets = source.placement.pieces.len();
    let mut remarks = Vec::new();
    // Remarks about the whole page are made once, with its first sheet.
    if source.from > 0.0 {
        return remarks;
    }
    if percent < SCALE_PERCENT {
        let severity = if percent < SCALE_WARN_PERCENT { Severity::Warn } else { Severity::Info };
        let seen = format!("the page of {inches} is {turned}scaled to {percent:.0} %");
        remarks.push(remark(severity, Some(SCALE_WARN_PERCENT), seen, "lay it out for letter or A4 paper"));
    } else if source.placement.turned {
        let seen = format!("the page of {inches} is turned by 90°, so that it fits without being scaled");
        remarks.push(remark(Severity::Info, None, seen, "lay it out upright if it is to be read on a screen"));
    }
    if sheets > 1 {
        let seen = format!("the page of {inches} is longer than the paper and is cut into {sheets} pages");
        remarks.push(remark(Severity::Warn, None, seen, "lay it out for letter, legal or A4 paper"));
    }
    remarks
}

/// Judges whether a page is blank.
pub(super) fn blank(page: &Page<'_>, fax: &FaxPage) -> Vec<Remark> {
    let seconds = seconds(fax);
    let remark = || Remark {
        severity: Severity::Warn,
        place: None,
        measured: Measure { value: seconds, limit: None, unit: "seconds" },
        seen: format!("the page is blank, and takes {seconds:.0} s to send"),
        fix: "leave it out".to_owned(),
    };
    page.is_blank().then(remark).into_iter().collect()
}

/// Judges the time that a page takes.
pub(super) fn time(fax: &FaxPage, dots: &Dots) -> Vec<Remark> {
    let seconds = seconds(fax);
    let fix = if dots.page_percent() >= DOTS_WARN_PERCENT {
        "print pictures and tints in black and white, or leave them out"
    } else {
        "send it at a lower quality, or print less on the page"
    };
    let remark = || Remark {
        severity: Severity::Warn,
        place: None,
        measured: Measure { value: seconds, limit: Some(PAGE_SECONDS_MAX), unit: "seconds" },
        seen: format!("the page takes {seconds:.0} s to send at {} quality", fax.quality),
        fix: fix.to_owned(),
    };
    (seconds > PAGE_SECONDS_MAX).then(remark).into_iter().collect()
}

/// Judges the parts of a page that become dots.
pub(super) fn greys(page: &Page<'_>, fax: &FaxPage, dots: &Dots) -> Vec<Remark> {
    let Some(largest) = dots.regions.first() else { return Vec::new() };
    let percent = dots.page_percent();
    if percent < DOTS_PERCENT {
        return Vec::new();
    }
    let severity = if percent >= DOTS_WARN_PERCENT { Severity::Warn } else { Severity::Info };
    let without = coded(&dots.removed(page.bits), page.quality, Counting::Mmr);
    let (all, dots_s) = (seconds(fax), seconds(fax) - seconds(&without));
    // A page without its dots may take longer than with them, because dots between letters can hide changes of colour
    // that would have to be coded.
    let cost = if dots_s >= 1.0 { format!(", and take {dots_s:.0} of its {all:.0} s") } else { String::new() };
    vec![Remark {
        severity,
        place: Some(largest.place),
        measured: Measure { value: percent, limit: Some(DOTS_WARN_PERCENT), unit: "percent" },
        seen: format!("pictures or tints become dots, which cover {percent:.0} % of the page{cost}"),
        fix: "print them in black and white, or leave them out".to_owned(),
    }]
}

/// Returns the time that a page takes on a good line, in seconds.
fn seconds(fax: &FaxPage) -> f64 {
    Line::default().page_ms(&fax.bits) as f64 / 1_000.0
}
