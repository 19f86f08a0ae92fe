//! A finding: something in a document that faxes badly, with its place and what to change.

use super::check::Check;
use crate::model::words::words;

words!(
    /// How bad a finding is.
    Severity {
        /// Something can't be read or is missing.
        Fail = "fail",
        /// Something may be hard to read, or is expensive.
        Warn = "warn",
        /// Something that matters only in some cases.
        Info = "info",
    }
);

words!(
    /// The verdict of a check.
    Verdict {
        /// Nothing was found, apart from findings of severity `info`.
        Pass = "pass",
        /// At least one finding fails.
        Fail = "fail",
        /// At least one finding is a warning, and none fails.
        Warn = "warn",
        /// No page could be judged, and no finding fails or is a warning.
        NotJudged = "not_judged",
    }
);

/// A rectangle on a fax page, in pels and rows from the top left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    /// The first column.
    pub left: u32,
    /// The first row.
    pub top: u32,
    /// The width in pels.
    pub width: u32,
    /// The height in rows.
    pub height: u32,
}

/// What was measured, and the limit that it is compared with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measure {
    /// The measured value.
    pub value: f64,
    /// The limit that the value is compared with; `None` if there is no limit.
    pub limit: Option<f64>,
    /// The unit of the value and of the limit, such as `rows`.
    pub unit: &'static str,
}

/// Something in a document that faxes badly.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The check that found it.
    pub check: Check,
    /// How bad it is.
    pub severity: Severity,
    /// The page of the document, counted from 1; `None` if the finding is about the whole document.
    pub page: Option<u32>,
    /// The page of the fax, counted from 1; `None` if there is none.
    pub fax_page: Option<u32>,
    /// The place on the fax page; `None` if the finding is about the whole page.
    pub place: Option<Area>,
    /// What was measured; `None` if nothing can be measured.
    pub measured: Option<Measure>,
    /// What was seen, in one sentence.
    pub seen: String,
    /// What to change, in one sentence.
    pub fix: String,
    /// A PNG of the place: on the fax page to the left, in the document to the right; `None` if none was drawn.
    pub picture: Option<Vec<u8>>,
}

/// The units of measures, which are the only ones accepted from a renderer process.
pub const UNITS: [&str; 7] = ["rows", "pels", "pels missing, in percent", "percent", "levels", "seconds", "modules"];

impl Severity {
    /// Returns the verdict of a check whose worst finding has this severity.
    #[must_use]
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::Fail => Verdict::Fail,
            Self::Warn => Verdict::Warn,
            Self::Info => Verdict::Pass,
        }
    }
}
