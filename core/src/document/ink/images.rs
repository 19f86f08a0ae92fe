//! Records where a page has images, which the full renderer draws.

use hayro::hayro_interpret::{FillRule, Image};
use hayro::kurbo::{Affine, Rect, Shape};

use super::canvas::Clip;
use super::raster::Raster;
use super::slivers::touched;
use crate::document::bitmap::{Bitmap, fill_run};
use crate::document::gray::Area;

/// The minimum width of a scan or a strip of a scan, as a fraction of the page's width.
const SCAN_WIDTH_MIN: f64 = 0.5;
/// The minimum fraction of a page that scans must cover for the page to count as scanned paper.
const SCAN_AREA_MIN: f64 = 0.6;
/// The maximum fraction of a page that images may cover if they are to be drawn separately from the rest.
const APART_AREA_MAX: f64 = 0.5;
/// The tolerance with which rectangles are converted to paths. kurbo requires one, although rectangles have no curves.
const TOLERANCE: f64 = 0.1;

/// The places of the images on one page.
pub(super) struct Images {
    size: (u32, u32),
    /// The bounds of all images that are wide enough to be scanned paper or a strip of scanned paper.
    scans: Option<Area>,
    /// The sum of the areas of these images, in pels.
    scan_pels: f64,
    /// The pels that images touch; `None` if the page has no images.
    touched: Option<Bitmap>,
}

impl Images {
    pub(super) const fn new(size: (u32, u32)) -> Self {
        Self { size, scans: None, scan_pels: 0.0, touched: None }
    }

    /// Returns the bounds of the images that may be scans if these images cover most of the page.
    pub(super) fn scanned(&self) -> Option<Area> {
        let covered = self.scan_pels >= self.pels() * SCAN_AREA_MIN;
        self.scans.filter(|_| covered)
    }

    /// Returns whether images cover so much of the page that the full renderer should draw the whole page.
    pub(super) fn are_most(&self) -> bool {
        let Some(touched) = &self.touched else { return false };
        let black: u32 = touched.rows().flatten().map(|word| word.count_ones()).sum();
        f64::from(black) > self.pels() * APART_AREA_MAX
    }

    /// Returns the pels that images touch, or `None` if the page has no images.
    pub(super) fn into_touched(self) -> Option<Bitmap> {
        self.touched
    }

    fn pels(&self) -> f64 {
        f64::from(self.size.0) * f64::from(self.size.1)
    }

    /// Records an image. Returns false if the image is on the page but the clip seems to hide all of it. The full
    /// renderer should then draw the page, because it judges better whether a clip thinner than a pel hides an image.
    pub(super) fn note(&mut self, image: &Image<'_, '_>, transform: Affine, clip: &Clip, raster: &mut Raster) -> bool {
        let corners = Rect::new(0.0, 0.0, f64::from(image.width()), f64::from(image.height()));
        self.note_scan(transform.transform_rect_bbox(corners), clip);
        let path = corners.to_path(TOLERANCE);
        let mut is_on_page = false;
        let mut shows = false;
        let size = self.size;
        let all = self.touched.get_or_insert_with(|| Bitmap::white(size.0, size.1));
        let mut take = |run| {
            is_on_page = true;
            clip.each(run, |(row, from, to)| {
                shows = true;
                fill_run(all.row_mut(row), from, to);
            });
        };
        raster.fill(&path, transform, FillRule::NonZero, size, &mut take);
        touched(&path, transform, FillRule::NonZero, size, true).into_iter().for_each(take);
        shows || !is_on_page
    }

    /// Extends the area of scans to include an image, if the image is wide enough to be a page or a strip of a page.
    fn note_scan(&mut self, bounds: Rect, clip: &Clip) {
        let [left, top, right, bottom] = clip.bounds;
        // An empty clip may end before it begins, and `clamp` panics if its limits are in the wrong order.
        let inside = |value: f64, least: u32, most: u32| {
            (value.clamp(0.0, f64::from(u32::MAX)) as u32).clamp(least, most.max(least))
        };
        let mut area = Area {
            left: inside(bounds.x0.ceil(), left, right),
            top: inside(bounds.y0.ceil(), top, bottom),
            right: inside(bounds.x1.floor(), left, right),
            bottom: inside(bounds.y1.floor(), top, bottom),
        };
        // A scan is either one image or several strips, all of them at least half as wide as the page.
        if f64::from(area.right - area.left.min(area.right)) < f64::from(self.size.0) * SCAN_WIDTH_MIN {
            return;
        }
        self.scan_pels += area.pels() as f64;
        if let Some(scans) = self.scans {
            area = Area {
                left: area.left.min(scans.left),
                top: area.top.min(scans.top),
                right: area.right.max(scans.right),
                bottom: area.bottom.max(scans.bottom),
            };
        }
        self.scans = Some(area);
    }
}
