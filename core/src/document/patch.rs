//! Adds images to the bits of a page that was drawn without them, so that an image never affects pels outside the
//! image.

use super::bitmap::{Bitmap, copy_run, each_run};
use super::dither::{self, Tone};
use super::gray::{Area, Gray};
use crate::model::fax::Quality;

/// The distance by which a patch extends beyond its images, because halving looks at the previous pel.
const MARGIN_PELS: u32 = 2;

/// The images of a page, with everything under and over them.
pub(super) struct Patch {
    /// The pels, at the resolution of the fax.
    pub(super) greys: Gray,
    /// The area of the patch, on the grid on which the page was drawn.
    pub(super) area: Area,
    /// The pels that an image touches, on the same grid.
    pub(super) touched: Bitmap,
    /// The quality of the fax, which determines how many grid pels there are per fax pel.
    pub(super) quality: Quality,
}

impl Patch {
    /// Returns the area to be drawn for the touched pels; `None` if there are no such pels. The area begins at an even
    /// row and column, because halving pairs each even row or column with the next.
    pub(super) fn area(touched: &Bitmap) -> Option<Area> {
        let (width, height) = (touched.width(), touched.height());
        let mut found: Option<Area> = None;
        for y in 0..height {
            each_run(touched.row(y), 0, width, |from, to| {
                let area = found.get_or_insert(Area { left: from, top: y, right: to, bottom: y + 1 });
                (area.left, area.right) = (area.left.min(from), area.right.max(to));
                area.bottom = y + 1;
            });
        }
        let before = |at: u32| at.saturating_sub(MARGIN_PELS) / 2 * 2;
        let after = |at: u32, end: u32| (at + MARGIN_PELS).min(end);
        found.map(|area| Area {
            left: before(area.left),
            top: before(area.top),
            right: after(area.right, width),
            bottom: after(area.bottom, height),
        })
    }

    /// Converts the patch to bits and copies the touched pels to the page.
    pub(super) fn lay_on(&self, page: &mut Bitmap, tone: Tone) {
        let patch = dither::bits(&self.greys, tone);
        // The number of grid pels per fax pel.
        let (across, down) = match self.quality {
            Quality::Standard => (1, 2),
            Quality::Fine => (1, 1),
            Quality::Superfine => (2, 1),
        };
        let (left, top) = (self.area.left / across, self.area.top / down);
        for y in self.area.top..self.area.bottom {
            let row = page.row_mut(y / down);
            let from_row = patch.row(y / down - top);
            each_run(self.touched.row(y), self.area.left, self.area.right, |from, to| {
                let (from, to) = (from / across, to.div_ceil(across));
                copy_run(row, from, to, from_row, left);
            });
        }
    }
}
