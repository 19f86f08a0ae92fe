//! A fax page to be judged, with the page of the document that it was made from, and the findings on it.

use super::check::Check;
use super::finding::{Area, Finding, Measure, Severity};
use crate::document::bitmap::Bitmap;
use crate::document::marks::{Marks, Place};
use crate::document::original::{Region, Rgb};
use crate::model::fax::Quality;
use crate::model::page::PELS_PER_INCH;

/// The page that is judged.
pub(super) struct Page<'a> {
    pub(super) quality: Quality,
    pub(super) bits: &'a Bitmap,
    /// What was drawn; `None` for a picture.
    pub(super) marks: Option<&'a Marks>,
    /// Draws a region of the page as it is in the document.
    pub(super) original: &'a mut dyn FnMut(&Region) -> Rgb,
}

/// What a judge says about a page or a place on it, without the numbers of the page.
pub(super) struct Remark {
    pub(super) severity: Severity,
    pub(super) place: Option<Place>,
    pub(super) measured: Measure,
    pub(super) seen: String,
    pub(super) fix: String,
}

impl Page<'_> {
    /// Returns the number of pels or rows per inch, across and down.
    pub(super) fn per_inch(&self) -> (f64, f64) {
        per_inch(self.quality)
    }

    pub(super) fn is_blank(&self) -> bool {
        self.bits.rows().flatten().all(|word| *word == 0)
    }

    /// Converts a place to pels, rounded outwards and cut at the edges of the page.
    pub(super) fn area(&self, place: &Place) -> Area {
        let (across, down) = self.per_inch();
        let column = |inches: f64| (inches * across).clamp(0.0, f64::from(self.bits.width()));
        let row = |inches: f64| (inches * down).clamp(0.0, f64::from(self.bits.height()));
        let (left, top) = (column(place.left).floor() as u32, row(place.top).floor() as u32);
        let (right, bottom) = (column(place.right).ceil() as u32, row(place.bottom).ceil() as u32);
        Area { left, top, width: right.max(left + 1) - left, height: bottom.max(top + 1) - top }
    }
}

/// Returns the number of pels or rows per inch, across and down.
pub(super) fn per_inch(quality: Quality) -> (f64, f64) {
    (f64::from(PELS_PER_INCH), f64::from(quality.rows_an_inch()))
}

impl Remark {
    /// Converts the remark into a finding on this page.
    pub(super) fn on(self, check: Check, page: &Page<'_>, number: u32, fax_page: u32) -> Finding {
        let Self { severity, place, measured, seen, fix } = self;
        let place = place.map(|place| page.area(&place));
        let (page, fax_page) = (Some(number), Some(fax_page));
        Finding { check, severity, page, fax_page, place, measured: Some(measured), seen, fix, picture: None }
    }
}
