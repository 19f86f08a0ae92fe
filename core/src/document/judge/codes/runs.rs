//! The runs of black pels along a row, by which codes are found.

use crate::document::bitmap::{Bitmap, each_run};

/// A run of black pels: the position of its first pel, and the position after its last one.
pub(super) type Run = (u32, u32);

/// Replaces `runs` with the black runs of a row.
pub(super) fn read(bits: &Bitmap, y: u32, runs: &mut Vec<Run>) {
    runs.clear();
    each_run(bits.row(y), 0, bits.width(), |from, to| runs.push((from, to)));
}

/// Returns the image with rows and columns exchanged.
pub(super) fn transposed(bits: &Bitmap) -> Bitmap {
    let mut turned = Bitmap::white(bits.height(), bits.width());
    for y in 0..bits.height() {
        each_run(bits.row(y), 0, bits.width(), |from, to| (from..to).for_each(|x| turned.blacken(y, x)));
    }
    turned
}

/// Returns the share of black pels in a rectangle, whose sides are cut at the edges of the image.
pub(super) fn ink(bits: &Bitmap, (left, top, right, bottom): (f64, f64, f64, f64)) -> f64 {
    let cut = |value: f64, most: u32| value.round().clamp(0.0, f64::from(most)) as u32;
    let (left, right) = (cut(left, bits.width()), cut(right, bits.width()));
    let (top, bottom) = (cut(top, bits.height()), cut(bottom, bits.height()));
    let mut black = 0_u64;
    for y in top..bottom {
        each_run(bits.row(y), left, right, |from, to| black += u64::from(to - from));
    }
    let all = u64::from(right.saturating_sub(left)) * u64::from(bottom.saturating_sub(top));
    if all > 0 { black as f64 / all as f64 } else { 0.0 }
}
