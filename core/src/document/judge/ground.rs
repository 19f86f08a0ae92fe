//! Measures the ground that type stands on. It is measured in the document as it looks before it is faxed. On the fax
//! page, letters hide much of the ground, and most of its dots touch a letter.

use super::page::Page;
use crate::document::gray::{SNAP_BLACK, SNAP_WHITE};
use crate::document::marks::Place;
use crate::document::original::{Region, Rgb};
use crate::document::picture::luma;

/// The resolution at which the document is drawn, in pixels per inch: half of the fax page's, so that drawing takes
/// little time.
const PER_INCH: f64 = 102.0;
/// The percentile of the brightness of a place that is used as the brightness of its ground: letters cover less than
/// three quarters of their place, and are darker than the ground.
const GROUND_PERCENTILE: usize = 75;

/// A page of the document in grey.
pub(super) struct Ground {
    width: u32,
    luma: Vec<u8>,
}

impl Ground {
    /// Draws the page.
    pub(super) fn of(page: &mut Page<'_>) -> Self {
        let (across, down) = page.per_inch();
        let pixels = |pels: u32, per_inch: f64| (f64::from(pels) / per_inch * PER_INCH).ceil();
        // A page is at most 14.2 inches long, so both numbers fit into 16 bits.
        let (width, height) = (pixels(page.bits.width(), across) as u16, pixels(page.bits.height(), down) as u16);
        let region = Region { left: 0.0, top: 0.0, per_inch: PER_INCH, width, height };
        let Rgb { width, pixels, .. } = (page.original)(&region);
        Self { width, luma: pixels.into_iter().map(|[red, green, blue]| luma(red, green, blue)).collect() }
    }

    /// Returns the share of the ground at a place that becomes black on the fax page, in percent.
    pub(super) fn percent(&self, place: &Place) -> f64 {
        let from = |inches: f64| (inches * PER_INCH).floor().max(0.0) as usize;
        let to = |inches: f64| (inches * PER_INCH).ceil().max(0.0) as usize;
        let columns = from(place.left)..to(place.right).min(self.width as usize);
        let rows = self.luma.chunks_exact(self.width.max(1) as usize).take(to(place.bottom)).skip(from(place.top));
        let mut lumas: Vec<u8> = rows.flat_map(|row| row.get(columns.clone()).unwrap_or_default()).copied().collect();
        lumas.sort_unstable();
        match lumas.get(lumas.len() * GROUND_PERCENTILE / 100) {
            Some(ground) if *ground <= SNAP_BLACK => 100.0,
            Some(ground) if *ground < SNAP_WHITE => f64::from(u8::MAX - *ground) * 100.0 / 255.0,
            Some(_) | None => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::bitmap::Bitmap;
    use crate::model::fax::Quality;

    #[test]
    fn the_ground_is_measured_between_the_letters() {
        let bits = Bitmap::white(1_728, 2_156);
        // A tint of a quarter, with strokes that cover two fifths of it, on the left half of the page.
        let mut original = |region: &Region| {
            let mut drawn = Rgb::white(region.width.into(), region.height.into());
            for y in 0..u32::from(region.height) {
                for x in 0..u32::from(region.width / 2) {
                    drawn.set(x, y, if x % 5 < 2 { [0; 3] } else { [191; 3] });
                }
            }
            drawn
        };
        let mut page = Page { quality: Quality::Fine, bits: &bits, marks: None, original: &mut original };
        let ground = Ground::of(&mut page);
        let place = |left: f64| Place { left, top: 1.0, right: left + 2.0, bottom: 1.1 };
        assert!((ground.percent(&place(1.0)) - 25.0).abs() < 0.2, "{}", ground.percent(&place(1.0)));
        assert_eq!(ground.percent(&place(5.0)), 0.0);
        assert_eq!(ground.percent(&Place { left: 9.0, top: 13.0, right: 10.0, bottom: 14.0 }), 0.0);
    }
}
