//! Turns greys into bits. By default, nearly white pels become white, nearly black pels become black, and only true
//! greys are dithered.

use super::bitmap::Bitmap;
use super::gray::{Gray, SNAP_BLACK, SNAP_WHITE, is_gray};
use super::tones::Tones;

/// Pels darker than this become black if nothing is dithered.
const TEXT_THRESHOLD: u8 = 144;
/// Pels darker than this become black on a scan of text whose paper has been made white. The threshold is higher than
/// `TEXT_THRESHOLD`, because a scanner blurs and so lightens thin strokes, and because no light colours need to stay
/// white.
const SCAN_THRESHOLD: u8 = 168;

/// The way in which greys are rendered on a bilevel page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// True greys become dots, by Floyd and Steinberg's error diffusion.
    #[default]
    Dither,
    /// Every pel becomes black or white by a threshold, which makes pages smaller and faster to send, but loses light
    /// colours.
    Text,
}

/// Converts a grey page to bits.
#[must_use]
pub fn bits(page: &Gray, tone: Tone) -> Bitmap {
    let mut image = Bitmap::white(page.width(), page.height());
    let mut maker = Maker::new(page.width(), tone);
    for (y, row) in (0..page.height()).zip(page.rows()) {
        maker.row(row, image.row_mut(y));
    }
    image
}

/// Converts a page that stores some rows as bits and others as greys.
pub(super) fn bits_of_tones(page: Tones, tone: Tone) -> Bitmap {
    let (mut image, greys) = page.into_parts();
    let mut maker = Maker::new(image.width(), tone);
    for (y, row) in (0..).zip(&greys) {
        match row {
            Some(greys) => maker.row(greys, image.row_mut(y)),
            // Rows of bits are pure black and white, so they neither take an error from the row above nor pass one on.
            None => maker.diffusion.forget(),
        }
    }
    image
}

/// Converts a scan of text whose paper has been made white. The scan is not dithered: dots along the edges of letters
/// would only blur them.
pub(super) fn bits_of_scan(page: &Gray) -> Bitmap {
    let mut image = Bitmap::white(page.width(), page.height());
    for (y, row) in (0..page.height()).zip(page.rows()) {
        pack(row, SCAN_THRESHOLD, image.row_mut(y));
    }
    image
}

/// Converts rows one after the other, from the top.
struct Maker {
    tone: Tone,
    diffusion: Diffusion,
}

impl Maker {
    fn new(width: u32, tone: Tone) -> Self {
        Self { tone, diffusion: Diffusion::new(width as usize) }
    }

    /// Converts one row; `target` must be white beforehand.
    fn row(&mut self, row: &[u8], target: &mut [u64]) {
        match self.tone {
            Tone::Text => pack(row, TEXT_THRESHOLD, target),
            Tone::Dither => self.diffusion.row(row, target),
        }
    }
}

/// Converts a row to bits; a bit is set if its pel is darker than `threshold`.
fn pack(row: &[u8], threshold: u8, target: &mut [u64]) {
    row.chunks(64).zip(target).for_each(|(pels, word)| *word = packed(pels, threshold));
}

/// Returns up to 64 pels as bits, with the first pel in the highest bit; a bit is set if its pel is darker than
/// `threshold`.
fn packed(pels: &[u8], threshold: u8) -> u64 {
    // Most of a page is white, so one comparison skips each white word.
    if pels.iter().fold(u8::MAX, |darkest, pel| darkest.min(*pel)) >= threshold {
        return 0;
    }
    pels.iter().enumerate().fold(0, |bits, (place, pel)| bits | u64::from(*pel < threshold) << (63 - place))
}

/// The state of error diffusion between rows. Errors are stored in sixteenths, with one extra place at each end of a
/// row.
struct Diffusion {
    /// The errors passed on to the next row.
    below: Vec<i16>,
    /// The errors that the current row has received from the row above.
    here: Vec<i16>,
    /// Whether `below` may contain errors other than zero.
    pending: bool,
}

impl Diffusion {
    fn new(width: usize) -> Self {
        Self { below: vec![0; width + 2], here: vec![0; width + 2], pending: false }
    }

    /// Drops the errors from the row above, because a row without greys takes none.
    fn forget(&mut self) {
        if self.pending {
            self.below.fill(0);
            self.pending = false;
        }
    }

    /// Converts one row, and keeps the errors for the row below.
    fn row(&mut self, row: &[u8], target: &mut [u64]) {
        // The row that was below the previous one is now the current row.
        std::mem::swap(&mut self.below, &mut self.here);
        self.below.fill(0);
        self.pending = false;
        let mut run = Run::default();
        for (start, (pels, word)) in (0..).step_by(64).zip(row.chunks(64).zip(target)) {
            // White paper and black ink neither take nor pass on an error, so the edges of text stay sharp. The fold
            // has no early exit, so that the compiler can vectorise it.
            if pels.iter().fold(false, |found, pel| found | is_gray(*pel)) {
                let (here, below) = (&self.here[start + 1..], &mut self.below[start..]);
                *word = run.greys(pels, here, below);
                self.pending = true;
            } else {
                run.end(&mut self.below[start..]);
                *word = packed(pels, SNAP_WHITE);
            }
        }
        run.end(&mut self.below[row.len()..]);
    }
}

/// The errors passed on by the pels of a row that have been converted so far.
#[derive(Default)]
struct Run {
    /// The error for the next pel of the row.
    right: i32,
    /// The error for the pel below the last converted one; the next pel adds to it.
    below: i32,
    /// The error for the pel below the next one; the next two pels add to it.
    below_right: i32,
}

impl Run {
    /// Returns up to 64 pels as bits, with the first pel in the highest bit. `here` holds the errors from the row
    /// above, and `below` begins one place to the left of the first pel.
    fn greys(&mut self, pels: &[u8], here: &[i16], below: &mut [i16]) -> u64 {
        let Self { mut right, below: mut below_left, mut below_right } = *self;
        let mut bits = 0_u64;
        for ((pel, given), below) in pels.iter().zip(here).zip(below) {
            let mut rest = 0;
            let black = if is_gray(*pel) {
                let errors = right + i32::from(*given);
                // This is the pel plus a sixteenth of `errors`, rounded towards zero. The shift rounds down, so 15 must
                // be added if `errors` is negative; the four highest bits of a negative number are ones, which make 15.
                // Each pel depends on the previous one, so every instruction counts.
                let value = (i32::from(*pel) * 16 + errors + (errors.cast_unsigned() >> 28).cast_signed()) >> 4;
                let black = value < 128;
                rest = if black { value } else { value - 255 };
                black
            } else {
                *pel <= SNAP_BLACK
            };
            bits = bits << 1 | u64::from(black);
            right = rest * 7;
            *below = (below_left + rest * 3) as i16;
            below_left = below_right + rest * 5;
            below_right = rest;
        }
        *self = Self { right, below: below_left, below_right };
        bits << (64 - pels.len())
    }

    /// Passes the remaining errors to the row below; the first place in `below` is the one below the last pel.
    fn end(&mut self, below: &mut [i16]) {
        if let [first, second, ..] = below {
            (*first, *second) = (self.below as i16, self.below_right as i16);
        }
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_dots_matches_the_darkness() {
        for level in [40_u8, 100, 128, 200] {
            let image = bits(&Gray::from_pels(200, 200, vec![level; 200 * 200]), Tone::Dither);
            let black: u32 = image.rows().flatten().map(|word| word.count_ones()).sum();
            let wanted = f64::from(255 - level) / 255.0;
            assert!((f64::from(black) / 40_000.0 - wanted).abs() < 0.02, "{level}: {black}");
        }
    }

    #[test]
    fn black_and_white_next_to_grey_stay_pure() {
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
    fn storing_some_rows_as_bits_makes_no_difference() {
        let mut greys = Gray::white(130, 40);
        let mut tones = Tones::white(130, 40);
        for y in (0..40).filter(|y| y % 7 < 4) {
            let row: Vec<u8> = (0..130).map(|x| if x % 40 < 25 { (x * 3 + y) as u8 } else { 255 }).collect();
            greys.pels_mut()[y * 130..(y + 1) * 130].copy_from_slice(&row);
            tones.greys_mut(y as u32).unwrap().copy_from_slice(&row);
        }
        assert_eq!(bits_of_tones(tones.clone(), Tone::Dither), bits(&greys, Tone::Dither));
        assert_eq!(bits_of_tones(tones, Tone::Text), bits(&greys, Tone::Text));
    }

    #[test]
    fn the_text_tone_does_not_dither() {
        let page = Gray::from_pels(4, 1, vec![0, 143, 144, 255]);
        let image = bits(&page, Tone::Text);
        assert_eq!((0..4).map(|x| image.is_black(x, 0)).collect::<Vec<_>>(), [true, true, false, false]);
    }
}
