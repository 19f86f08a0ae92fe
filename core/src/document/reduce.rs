//! Halves the resolution of a page in one direction without losing a line.
//!
//! For each pair of samples a, b, preceded by p, the result is min(b, max(a, 255 − p)). In black and white, the result
//! is black if b is black, or if a is black and p is white, which means that a run begins at a. So no run is lost, and
//! each still begins in the same place. Text doesn't become bold, as it would if any black sample made the result
//! black. Two true greys instead become their mean, so that flat greys stay unchanged and photographs don't darken.

use super::gray::{Gray, is_gray};
use super::tones::{Row, RowMut, Tones};

/// Halves the number of rows of a page in greys.
#[must_use]
pub(super) fn halve_rows(page: &Gray) -> Gray {
    let width = page.width() as usize;
    let height = page.height().div_ceil(2);
    let white = vec![u8::MAX; width];
    let mut pels = Vec::with_capacity(width * height as usize);
    let mut previous = white.as_slice();
    for pair in page.pels().chunks(width.max(1) * 2) {
        let (first, second) = pair.split_at(width.min(pair.len()));
        // An odd last row is paired with itself.
        let second = if second.is_empty() { first } else { second };
        for ((a, b), p) in first.iter().zip(second).zip(previous) {
            pels.push(joined(*a, *b, *p));
        }
        previous = second;
    }
    Gray::from_pels(page.width(), height, pels)
}

/// Halves the number of rows of a page that stores some rows as bits and others as greys.
#[must_use]
pub(super) fn halve_rows_of_tones(page: &Tones) -> Tones {
    let width = page.width();
    let mut half = Tones::white(width, page.height().div_ceil(2));
    for y in 0..half.height() {
        let first = page.row(y * 2);
        let second = if y * 2 + 1 < page.height() { page.row(y * 2 + 1) } else { first };
        let above = if y > 0 { page.row(y * 2 - 1) } else { Row::Bits(&[]) };
        if let (Row::Bits(first), Row::Bits(second), Row::Bits(above)) = (first, second, above) {
            // Bits are halved 64 pels at a time. The first row has no row above it, so white is used instead.
            let above = above.iter().copied().chain(std::iter::repeat(0));
            if let RowMut::Bits(to) = half.row_mut(y) {
                for (((a, b), p), to) in first.iter().zip(second).zip(above).zip(to) {
                    *to = b | (a & !p);
                }
            }
            continue;
        }
        let (first, second, above) = (first.greys(width), second.greys(width), above.greys(width));
        let pels = first.iter().zip(&*second).zip(&*above).map(|((a, b), p)| joined(*a, *b, *p));
        half.set_greys(y, pels.collect());
    }
    half
}

/// Halves the number of columns of a page that stores some rows as bits and others as greys.
#[must_use]
pub(super) fn halve_columns_of_tones(page: &Tones) -> Tones {
    let mut half = Tones::white(page.width().div_ceil(2), page.height());
    for y in 0..page.height() {
        match (page.row(y), half.row_mut(y)) {
            (Row::Bits(row), RowMut::Bits(to)) => halve_bits(row, to),
            (Row::Greys(row), _) => {
                let mut pels = Vec::with_capacity(row.len().div_ceil(2));
                halve_greys(row, &mut pels);
                half.set_greys(y, pels.into());
            }
            // This can't happen, because the rows of a new page are bits.
            (Row::Bits(_), RowMut::Greys(_)) => {}
        }
    }
    half
}

/// Halves a row of bits; `half` must be white beforehand.
fn halve_bits(row: &[u64], half: &mut [u64]) {
    let mut previous = 0;
    for (place, word) in row.iter().enumerate() {
        // In each pair of bits, a is the high one and b the low one; p is the bit before a.
        let before = word >> 1 | previous << 63;
        let joined = word & EVEN | (word >> 1 & EVEN & !(before >> 1));
        previous = word & 1;
        if let Some(to) = half.get_mut(place / 2) {
            *to |= squeezed(joined) << if place % 2 == 0 { 32 } else { 0 };
        }
    }
}

/// A mask of every other bit, beginning with the lowest.
const EVEN: u64 = 0x5555_5555_5555_5555;

/// Moves the even bits of a word together, into its low half.
const fn squeezed(word: u64) -> u64 {
    let word = word & EVEN;
    let word = (word | word >> 1) & 0x3333_3333_3333_3333;
    let word = (word | word >> 2) & 0x0f0f_0f0f_0f0f_0f0f;
    let word = (word | word >> 4) & 0x00ff_00ff_00ff_00ff;
    let word = (word | word >> 8) & 0x0000_ffff_0000_ffff;
    (word | word >> 16) & 0x0000_0000_ffff_ffff
}

/// Halves the number of columns of a page in greys.
#[must_use]
pub(super) fn halve_columns(page: &Gray) -> Gray {
    let width = page.width().div_ceil(2);
    let mut pels = Vec::with_capacity(width as usize * page.height() as usize);
    page.rows().for_each(|row| halve_greys(row, &mut pels));
    Gray::from_pels(width, page.height(), pels)
}

/// Halves a row of greys and appends the result.
fn halve_greys(row: &[u8], half: &mut Vec<u8>) {
    let mut previous = u8::MAX;
    for pair in row.chunks(2) {
        let (a, b) = (pair[0], *pair.last().unwrap_or(&pair[0]));
        half.push(joined(a, b, previous));
        previous = b;
    }
}

/// Joins a pair of samples, preceded by `p`, with the formula at the top of this file.
#[inline]
fn joined(a: u8, b: u8, p: u8) -> u8 {
    let both = u16::from(a) + u16::from(b);
    if is_gray(a) && is_gray(b) { both.div_ceil(2) as u8 } else { b.min(a.max(255 - p)) }
}

#[cfg(test)]
mod tests {
    use super::super::bitmap::fill_run;
    use super::super::dither::{self, Tone};
    use super::*;

    #[test]
    fn lines_one_pel_thick_are_never_lost() {
        for line in 0..20 {
            let mut page = Gray::white(8, 20);
            page.pels_mut()[line * 8..line * 8 + 8].fill(0);
            let half = halve_rows(&page);
            assert_eq!(half.rows().filter(|row| row.iter().all(|pel| *pel == 0)).count(), 1, "line {line}");
            let mut page = Gray::white(20, 8);
            page.pels_mut().iter_mut().skip(line).step_by(20).for_each(|pel| *pel = 0);
            let half = halve_columns(&page);
            assert!(half.rows().all(|row| row.iter().filter(|pel| **pel == 0).count() == 1), "column {line}");
        }
    }

    #[test]
    fn two_black_rows_become_one_and_flat_greys_stay() {
        let half = halve_rows(&Gray::from_pels(1, 6, vec![255, 0, 0, 255, 255, 255]));
        assert_eq!(half.pels(), [0, 255, 255]);
        let half = halve_rows(&Gray::from_pels(1, 6, vec![255, 255, 0, 0, 255, 255]));
        assert_eq!(half.pels(), [255, 0, 255]);
        let flat = halve_rows(&Gray::from_pels(1, 6, vec![180; 6]));
        assert_eq!(flat.pels(), [180; 3]);
        let mixed = halve_rows(&Gray::from_pels(1, 4, vec![100, 200, 60, 160]));
        assert_eq!(mixed.pels(), [150, 110]);
    }

    #[test]
    fn rows_of_bits_are_halved_like_greys() {
        let (width, height) = (384, 61);
        let mut state = 1_u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        let (mut greys, mut tones) = (Gray::white(width, height), Tones::white(width, height));
        for (y, row) in (0..height).zip(greys.pels_mut().chunks_exact_mut(width as usize)) {
            let is_gray = y % 5 == 0;
            row.iter_mut().for_each(|pel| *pel = if is_gray { random() } else { 255 * u8::from(random() > 64) });
            match tones.row_mut(y) {
                RowMut::Bits(words) if !is_gray => {
                    let black = (0..width).zip(&*row).filter(|(_, pel)| **pel == 0);
                    black.for_each(|(x, _)| fill_run(words, x, x + 1));
                }
                RowMut::Bits(_) | RowMut::Greys(_) => tones.set_greys(y, (&*row).into()),
            }
        }
        let bits = |greys: &Gray| dither::bits(greys, Tone::Dither);
        let of_tones = |tones| dither::bits_of_tones(tones, Tone::Dither);
        assert_eq!(of_tones(halve_rows_of_tones(&tones)), bits(&halve_rows(&greys)));
        assert_eq!(of_tones(halve_columns_of_tones(&tones)), bits(&halve_columns(&greys)));
    }

    #[test]
    fn an_odd_last_row_or_column_is_kept() {
        assert_eq!(halve_rows(&Gray::from_pels(1, 3, vec![255, 255, 0])).pels(), [255, 0]);
        assert_eq!(halve_columns(&Gray::from_pels(3, 1, vec![255, 255, 0])).pels(), [255, 0]);
    }
}
