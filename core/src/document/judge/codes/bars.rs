//! Finds bar codes: bars and spaces of a few widths, the same in all rows over some height, with white on both sides.

use super::runs::{self, Run};
use crate::document::bitmap::Bitmap;

/// A bar code whose bars are upright, in pels of the image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bars {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
    /// The width of the narrowest bar and space.
    pub(super) module: f64,
    /// The white margin on the narrower side, in modules; at most the ten that are required.
    pub(super) margin: f64,
}

/// The margin that a code needs on either side, in modules (Code 39, Code 128, ITF).
pub(super) const MARGIN_MODULES: f64 = 10.0;
/// The fewest bars of a code: Code 128 with a single character has 13.
const BARS_MIN: usize = 13;
/// The most bars of a code; more are a pattern of lines.
const BARS_MAX: usize = 400;
/// The widest bar or space, in modules, with some tolerance: 4 in EAN and Code 128.
const WIDEST_MODULES: f64 = 5.5;
/// The minimum width of a wide bar or space, in modules.
const WIDE_MODULES: f64 = 1.6;
/// The fewest bars that are wide, and that are narrow; the same for spaces. Lines at equal distances have none that are
/// wide.
const WIDE_MIN: usize = 2;
/// The minimum height of bars, in inches; letters are lower, or differ from row to row.
const HEIGHT_INCHES_MIN: f64 = 0.2;
/// The distance between the rows in which codes are looked for, in inches.
const STEP_INCHES: f64 = 0.06;
/// The maximum share of pels in which a row of a code may differ from the row in which the code was found.
const DIFFERENT_MAX: f64 = 0.04;
/// The percentile of the margins of the rows that is used as the margin of the code. A scanner copes with a speck in a
/// few rows, but not with letters in the margin, which fill about a fifth of the rows of a low code.
const MARGIN_PERCENTILE: usize = 10;
/// The percentile of the runs that is used as the narrowest.
const NARROW_PERCENTILE: usize = 20;

/// Finds the bar codes of an image with this number of rows per inch.
pub(super) fn find(bits: &Bitmap, rows_per_inch: f64) -> Vec<Bars> {
    let step = ((STEP_INCHES * rows_per_inch) as u32).max(1);
    let (mut found, mut black) = (Vec::<Bars>::new(), Vec::new());
    for y in (0..bits.height()).step_by(step as usize) {
        runs::read(bits, y, &mut black);
        for bars in segments(&black) {
            let (left, right) = (bars[0].0, bars[bars.len() - 1].1);
            let is_known = |known: &Bars| {
                f64::from(left) < known.right && known.left < f64::from(right) && f64::from(y) < known.bottom
            };
            if found.iter().any(is_known) {
                continue;
            }
            let Some(module) = module(bars) else { continue };
            let (top, bottom) = height(bits, y, left, right);
            if f64::from(bottom - top) < HEIGHT_INCHES_MIN * rows_per_inch {
                continue;
            }
            let margin = margin(bits, (left, top, right, bottom)) / module;
            found.push(Bars {
                left: left.into(),
                top: top.into(),
                right: right.into(),
                bottom: bottom.into(),
                module,
                margin: margin.min(MARGIN_MODULES),
            });
        }
    }
    found
}

/// Splits a row at the spaces that are too wide to be part of a code.
fn segments(black: &[Run]) -> Vec<&[Run]> {
    let mut segments = Vec::new();
    let mut start = 0;
    while start < black.len() {
        // The widths of the bars so far limit how wide a space may be.
        let mut end = start + 1;
        let mut widest = black[start].1 - black[start].0;
        let mut narrowest = widest;
        while let Some(next) = black.get(end) {
            let (gap, bar) = (next.0 - black[end - 1].1, next.1 - next.0);
            (widest, narrowest) = (widest.max(gap).max(bar), narrowest.min(gap).min(bar));
            // A run is up to a pel longer or shorter than it should be.
            if f64::from(widest) > (f64::from(narrowest) + 1.0) * WIDEST_MODULES {
                break;
            }
            end += 1;
        }
        if (BARS_MIN..=BARS_MAX).contains(&(end - start)) {
            segments.push(&black[start..end]);
        }
        start = end;
    }
    segments
}

/// Returns the width of the narrowest bars and spaces, if the widths are those of a code.
fn module(bars: &[Run]) -> Option<f64> {
    let wide: Vec<f64> = bars.iter().map(|(from, to)| f64::from(to - from)).collect();
    let gaps: Vec<f64> = bars.windows(2).map(|pair| f64::from(pair[1].0 - pair[0].1)).collect();
    let mut all: Vec<f64> = wide.iter().chain(&gaps).copied().collect();
    all.sort_by(f64::total_cmp);
    let least = all[all.len() * NARROW_PERCENTILE / 100];
    // Bars may be printed wider than spaces, so the mean of both is the module.
    let narrow = |runs: &[f64]| {
        let narrow: Vec<f64> = runs.iter().copied().filter(|run| *run < least * WIDE_MODULES).collect();
        (narrow.len() >= WIDE_MIN).then(|| narrow.iter().sum::<f64>() / narrow.len() as f64)
    };
    let module = f64::midpoint(narrow(&wide)?, narrow(&gaps)?);
    let count = |runs: &[f64]| runs.iter().filter(|run| **run >= module * WIDE_MODULES).count();
    let fits = all.iter().all(|run| *run <= module * WIDEST_MODULES);
    (fits && count(&wide) >= WIDE_MIN && count(&gaps) >= WIDE_MIN).then_some(module)
}

/// Returns the first row of a code, and the row after the last, around a row in which it was found.
fn height(bits: &Bitmap, y: u32, left: u32, right: u32) -> (u32, u32) {
    let most = (f64::from(right - left) * DIFFERENT_MAX) as u32;
    let is_same = |other: u32| different(bits.row(y), bits.row(other), left, right) <= most;
    let above = (0..y).rev().take_while(|row| is_same(*row)).count() as u32;
    let below = (y + 1..bits.height()).take_while(|row| is_same(*row)).count() as u32;
    (y - above, y + below + 1)
}

/// Counts the pels `left..right` in which two rows differ.
fn different(one: &[u64], two: &[u64], left: u32, right: u32) -> u32 {
    let (first, last) = ((left / 64) as usize, ((right - 1) / 64) as usize);
    let mut count = 0;
    for place in first..=last {
        let mut pels = one.get(place).copied().unwrap_or(0) ^ two.get(place).copied().unwrap_or(0);
        if place == first {
            pels &= u64::MAX >> (left % 64);
        }
        if place == last {
            pels &= u64::MAX << (63 - (right - 1) % 64);
        }
        count += pels.count_ones();
    }
    count
}

/// Returns the white pels on the narrower side, in nearly all rows of a code. Everything beyond the edge of the image
/// counts as white.
fn margin(bits: &Bitmap, (left, top, right, bottom): (u32, u32, u32, u32)) -> f64 {
    let mut black = Vec::new();
    let mut margins: Vec<u32> = (top..bottom)
        .map(|y| {
            runs::read(bits, y, &mut black);
            let before = black.iter().filter(|run| run.1 <= left).map(|run| left - run.1).min();
            let after = black.iter().filter(|run| run.0 >= right).map(|run| run.0 - right).min();
            before.unwrap_or(bits.width()).min(after.unwrap_or(bits.width()))
        })
        .collect();
    margins.sort_unstable();
    margins.get(margins.len() * MARGIN_PERCENTILE / 100).copied().unwrap_or(0).into()
}
