//! The verdict of each check, from the findings on all pages.

use super::{Check, Finding, PageJudgement, Severity, Verdict, lost};
use crate::document::import;
use crate::model::fax::Quality;

/// What was found in a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The quality for which the document was judged.
    pub quality: Quality,
    /// The number of pages in the document.
    pub document_pages: u32,
    /// The result of each check, in the order of `Check::ALL`.
    pub results: Vec<Judged>,
    /// The number of findings that are not listed.
    pub left_out: usize,
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The check.
    pub check: Check,
    /// Its verdict.
    pub verdict: Verdict,
    /// The findings, page by page.
    pub findings: Vec<Finding>,
    /// The pages of the document that the check could not judge.
    pub not_judged: Vec<u32>,
}

/// The number of checks with each verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// The number of checks that the document passed.
    pub pass: usize,
    /// The number of checks that the document failed.
    pub fail: usize,
    /// The number of checks with a warning.
    pub warn: usize,
    /// The number of checks that could judge no page and found nothing bad.
    pub not_judged: usize,
}

impl Report {
    /// Combines the findings on the pages of a document into a report.
    #[must_use]
    pub fn new(quality: Quality, pages: Vec<PageJudgement>, summary: &import::Summary) -> Self {
        let left_out = pages.iter().map(|page| page.left_out).sum();
        let count = pages.len();
        let mut results: Vec<Judged> = Check::ALL.iter().map(|check| Judged::new(*check)).collect();
        for page in pages {
            for result in results.iter_mut().filter(|result| page.not_judged.contains(&result.check)) {
                result.not_judged.push(page.page);
            }
            for finding in page.findings {
                if let Some(result) = results.iter_mut().find(|result| result.check == finding.check) {
                    result.findings.push(finding);
                }
            }
        }
        if let Some(result) = results.iter_mut().find(|result| result.check == Check::Lost) {
            result.findings.extend(lost(&summary.losses));
        }
        for result in &mut results {
            result.verdict = result.verdict(result.not_judged.len() == count);
            // A page of the document may be several pages of the fax.
            result.not_judged.dedup();
        }
        Self { quality, document_pages: summary.document_pages, results, left_out }
    }

    /// Returns the number of checks with each verdict.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let count = |verdict| self.results.iter().filter(|result| result.verdict == verdict).count();
        Summary {
            pass: count(Verdict::Pass),
            fail: count(Verdict::Fail),
            warn: count(Verdict::Warn),
            not_judged: count(Verdict::NotJudged),
        }
    }
}

impl Judged {
    const fn new(check: Check) -> Self {
        Self { check, verdict: Verdict::Pass, findings: Vec::new(), not_judged: Vec::new() }
    }

    /// Returns the pages of the document with findings that ask for a change.
    #[must_use]
    pub fn pages(&self) -> Vec<u32> {
        let wants_change = |finding: &&Finding| finding.severity != Severity::Info;
        let mut pages: Vec<u32> =
            self.findings.iter().filter(wants_change).filter_map(|finding| finding.page).collect();
        pages.sort_unstable();
        pages.dedup();
        pages
    }

    fn verdict(&self, is_not_judged: bool) -> Verdict {
        let worst = self.findings.iter().map(|finding| finding.severity).min();
        match worst.map(Severity::verdict) {
            Some(verdict @ (Verdict::Fail | Verdict::Warn)) => verdict,
            _ if is_not_judged => Verdict::NotJudged,
            Some(verdict) => verdict,
            None => Verdict::Pass,
        }
    }
}
