//! Greys to bits: what is nearly white or black becomes so, only true greys are dithered. It scales nothing.

use super::bitmap::Bitmap;
use super::gray::{Gray, SNAP_BLACK, SNAP_WHITE, is_gray};

/// Darker than this is black where nothing is dithered.
const TEXT_THRESHOLD: u8 = 144;

/// What becomes of greys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// True greys become dots (Floyd and Steinberg's error diffusion).
    #[default]
    Dither,
    /// Everything is black or white: smaller, faster, and light colours are lost.
    Text,
}

/// Makes bits of a grey page.
#[must_use]
pub fn bits(page: &Gray, tone: Tone) -> Bitmap {
    let mut image = Bitmap::white(page.width(), page.height());
    let mut diffusion = Diffusion::new(page.width() as usize);
    for (y, row) in (0..page.height()).zip(page.rows()) {
        let target = image.row_mut(y);
        match tone {
            Tone::Text => pack(row, TEXT_THRESHOLD, target),
            Tone::Dither => {
                // No early exit, so that the compiler makes wide compares of it.
                let has_gray = row.iter().fold(false, |found, pel| found | is_gray(*pel));
                if has_gray || diffusion.pending {
                    diffusion.row(row, target);
                } else {
                    pack(row, SNAP_WHITE, target);
                }
            }
        }
    }
    image
}

/// Sets a bit for each pel darker than `threshold`.
fn pack(row: &[u8], threshold: u8, target: &mut [u64]) {
    for (pels, word) in row.chunks(64).zip(target) {
        if pels.iter().fold(u8::MAX, |lightest, pel| lightest.min(*pel)) >= threshold {
            continue;
        }
        let mut bits = 0;
        for (place, pel) in pels.iter().enumerate() {
            bits |= u64::from(*pel < threshold) << (63 - place);
        }
        *word = bits;
    }
}

/// The errors that the row below takes over, in sixteenths; one more at each end.
struct Diffusion {
    below: Vec<i16>,
    here: Vec<i16>,
    pending: bool,
}

impl Diffusion {
    fn new(width: usize) -> Self {
        Self { below: vec![0; width + 2], here: vec![0; width + 2], pending: false }
    }

    fn row(&mut self, row: &[u8], target: &mut [u64]) {
        std::mem::swap(&mut self.below, &mut self.here);
        self.below.fill(0);
        self.pending = false;
        let mut right = 0_i16;
        for (x, pel) in row.iter().enumerate() {
            let error = right + self.here[x + 1];
            // White paper and black ink take no error over and give none: edges of text stay sharp.
            if !is_gray(*pel) {
                right = 0;
                if *pel <= SNAP_BLACK {
                    set(target, x);
                }
                continue;
            }
            let value = i16::from(*pel) + error / 16;
            let black = value < 128;
            if black {
                set(target, x);
            }
            let rest = if black { value } else { value - 255 };
            right = rest * 7;
            self.below[x] += rest * 3;
            self.below[x + 1] += rest * 5;
            self.below[x + 2] += rest;
            self.pending = true;
        }
    }
}

#[inline]
fn set(target: &mut [u64], x: usize) {
    if let Some(word) = target.get_mut(x / 64) {
        *word |= 1 << (63 - x % 64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grey_has_as_many_dots_as_it_is_dark() {
        for level in [40_u8, 100, 128, 200] {
            let image = bits(&Gray::from_pels(200, 200, vec![level; 200 * 200]), Tone::Dither);
            let black: u32 = image.rows().flatten().map(|word| word.count_ones()).sum();
            let wanted = f64::from(255 - level) / 255.0;
            assert!((f64::from(black) / 40_000.0 - wanted).abs() < 0.02, "{level}: {black}");
        }
    }

    #[test]
    fn black_and_white_beside_grey_stay_pure() {
        let mut page = Gray::from_pels(100, 50, vec![128; 5_000]);
        for row in page.pels_mut().chunks_exact_mut(100) {
            row[..30].fill(255);
            row[60..70].fill(0);
        }
        let image = bits(&page, Tone::Dither);
        for y in 0..50 {
            assert!((0..30).all(|x| !image.is_black(x, y)) && (60..70).all(|x| image.is_black(x, y)));
        }
    }

    #[test]
    fn text_knows_no_dots() {
        let page = Gray::from_pels(4, 1, vec![0, 143, 144, 255]);
        let image = bits(&page, Tone::Text);
        assert_eq!((0..4).map(|x| image.is_black(x, 0)).collect::<Vec<_>>(), [true, true, false, false]);
    }
}
