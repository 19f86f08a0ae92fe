//! The report about a document, with the names of the pictures and with what the document costs; and its JSON.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::document::judge::{About, Area, Finding, Judged, Measure, Report, Severity, Summary, limits};
use crate::model::fax::Quality;
use crate::model::line::Line;
use crate::model::page::{FaxPage, PELS_PER_INCH};
use crate::model::price::price_micros;

const MM_PER_INCH: f64 = 25.4;

/// What a document takes on a good line at one quality.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cost {
    pub(super) quality: Quality,
    /// The time of the whole call, in milliseconds.
    pub(super) call_ms: u64,
    /// The time of each page, in milliseconds.
    pub(super) pages_ms: Vec<u64>,
}

impl Cost {
    pub(super) fn of(quality: Quality, pages: &[FaxPage]) -> Self {
        let line = Line::default();
        let pages_ms: Vec<u64> = pages.iter().map(|page| line.page_ms(&page.bits)).collect();
        let call_ms = line.setup_ms() + pages_ms.iter().sum::<u64>() + line.release_ms();
        Self { quality, call_ms, pages_ms }
    }

    pub(super) const fn seconds(&self) -> u64 {
        self.call_ms.div_ceil(1_000)
    }

    /// Returns the price in dollars.
    pub(super) fn dollars(&self) -> f64 {
        price_micros(self.seconds()) as f64 / 1e6
    }

    fn json(&self) -> Value {
        let pages: Vec<f64> = self.pages_ms.iter().map(|ms| *ms as f64 / 1_000.0).collect();
        json!({
            "quality": self.quality, "seconds": self.seconds(), "price": self.dollars(), "price_unit": "USD",
            "rate_bps": Line::default().rate_bps, "coding": Line::default().coding.as_str(), "page_seconds": pages,
        })
    }
}

/// The place of a finding in millimetres from the upper left corner of the fax page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Millimetres {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A report, and what is added to it.
pub(super) struct Told<'a> {
    pub(super) file: &'a Path,
    pub(super) pages: usize,
    pub(super) report: &'a Report,
    pub(super) costs: &'a [Cost],
    folder: Option<&'a Path>,
}

impl<'a> Told<'a> {
    pub(super) const fn new(
        file: &'a Path,
        pages: &[FaxPage],
        report: &'a Report,
        costs: &'a [Cost],
        folder: Option<&'a Path>,
    ) -> Self {
        Self { file, pages: pages.len(), report, costs, folder }
    }

    /// Returns the path of each picture, and its bytes.
    pub(super) fn pictures(&self) -> impl Iterator<Item = (PathBuf, &'a [u8])> {
        let all = self.report.results.iter().flat_map(|result| (1..).zip(&result.findings));
        all.filter_map(|(at, finding)| Some((self.picture(at, finding)?, finding.picture.as_deref()?)))
    }

    /// Returns the path of the picture of a finding, which is number `at` among those of its check.
    pub(super) fn picture(&self, at: usize, finding: &Finding) -> Option<PathBuf> {
        let page = finding.fax_page.filter(|_| finding.picture.is_some())?;
        Some(self.folder?.join(format!("page-{page}-{}-{at}.png", finding.check)))
    }

    pub(super) fn millimetres(&self, area: &Area) -> Millimetres {
        let across = MM_PER_INCH / f64::from(PELS_PER_INCH);
        let down = MM_PER_INCH / f64::from(self.report.quality.rows_an_inch());
        Millimetres {
            left: f64::from(area.left) * across,
            top: f64::from(area.top) * down,
            width: f64::from(area.width) * across,
            height: f64::from(area.height) * down,
        }
    }

    pub(super) fn json(&self) -> Value {
        let Summary { pass, fail, warn, not_judged } = self.report.summary();
        json!({
            "file": self.file.display().to_string(),
            "quality": self.report.quality,
            "document_pages": self.report.document_pages,
            "pages": self.pages,
            "summary": { "pass": pass, "fail": fail, "warn": warn, "not_judged": not_judged },
            "checks": self.report.results.iter().map(|result| self.check(result)).collect::<Vec<_>>(),
            "left_out": self.report.left_out,
            "transmission": self.costs.iter().map(Cost::json).collect::<Vec<_>>(),
        })
    }

    fn check(&self, result: &Judged) -> Value {
        let About { title, why, source, .. } = result.check.about();
        let worst = result.findings.iter().min_by_key(|finding| finding.severity);
        json!({
            "id": result.check, "verdict": result.verdict, "title": title, "seen": worst.map(|finding| &finding.seen),
            "why": why, "fix": worst.map(|finding| &finding.fix), "limits": limits(result.check), "source": source,
            "pages": result.pages(), "not_judged_pages": result.not_judged,
            "findings": (1..).zip(&result.findings).map(|(at, finding)| self.finding(at, finding)).collect::<Vec<_>>(),
        })
    }

    fn finding(&self, at: usize, finding: &Finding) -> Value {
        let place = finding.place.map(|area| {
            let Area { left, top, width, height } = area;
            let mm = self.millimetres(&area);
            json!({
                "pels": { "left": left, "top": top, "width": width, "height": height },
                "mm": {
                    "left": rounded(mm.left), "top": rounded(mm.top),
                    "width": rounded(mm.width), "height": rounded(mm.height),
                },
            })
        });
        let measured = finding.measured.map(|Measure { value, limit, unit }| {
            json!({ "value": (value * 100.0).round() / 100.0, "limit": limit, "unit": unit })
        });
        json!({
            "severity": finding.severity, "page": finding.page, "fax_page": finding.fax_page, "place": place,
            "measured": measured, "seen": finding.seen, "fix": finding.fix,
            "picture": self.picture(at, finding).map(|path| path.display().to_string()),
        })
    }
}

/// Returns whether a finding asks for a change.
pub(super) fn wants_change(finding: &Finding) -> bool {
    finding.severity != Severity::Info
}

/// Rounds a length to a tenth.
fn rounded(mm: f64) -> f64 {
    (mm * 10.0).round() / 10.0
}
