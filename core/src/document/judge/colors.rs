//! Judges colours: strong colours of about the same brightness become the same dots.

use super::finding::{Measure, Severity};
use super::page::Remark;
use crate::document::gray::{SNAP_BLACK, SNAP_WHITE};
use crate::document::marks::Color;

/// The minimum difference between the brightest and the darkest channel of a strong colour.
const CHROMA_MIN: u8 = 90;
/// The difference in brightness below which two colours look the same in dots, in levels of grey.
pub(super) const LUMA_MIN: u8 = 20;
/// The minimum distance between two colours that can't be taken for shades of one colour. The distance is the sum of
/// the differences of their channels.
const DISTANCE_MIN: u16 = 150;
/// The smallest area that a colour must cover, in square inches, so that an icon doesn't count.
const SQUARE_INCHES_MIN: f64 = 0.05;

/// Judges the colours of filled shapes.
pub(super) fn alike(colors: &[Color]) -> Vec<Remark> {
    let is_strong = |color: &&Color| {
        let (most, least) = (color.rgb.iter().max(), color.rgb.iter().min());
        let chroma = most.zip(least).map_or(0, |(most, least)| most - least);
        chroma >= CHROMA_MIN
            && color.square_inches >= SQUARE_INCHES_MIN
            && color.luma > SNAP_BLACK
            && color.luma < SNAP_WHITE
    };
    let strong: Vec<&Color> = colors.iter().filter(is_strong).collect();
    let pairs = strong.iter().enumerate().flat_map(|(at, one)| strong[at + 1..].iter().map(move |two| (*one, *two)));
    pairs
        .filter(|(one, two)| {
            let distance: u16 = one.rgb.iter().zip(two.rgb).map(|(a, b)| u16::from(a.abs_diff(b))).sum();
            one.luma.abs_diff(two.luma) < LUMA_MIN && distance >= DISTANCE_MIN
        })
        .map(|(one, two)| {
            let name = |color: &Color| {
                let [red, green, blue] = color.rgb;
                format!("#{red:02x}{green:02x}{blue:02x}")
            };
            let value = f64::from(one.luma.abs_diff(two.luma));
            Remark {
                severity: Severity::Info,
                place: Some(two.place),
                measured: Measure { value, limit: Some(f64::from(LUMA_MIN)), unit: "levels" },
                seen: format!("the colours {} and {} become the same dots", name(one), name(two)),
                fix: "use patterns, labels or shades of different brightness".to_owned(),
            }
        })
        .collect()
}
