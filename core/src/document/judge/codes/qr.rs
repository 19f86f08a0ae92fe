//! Finds QR codes by their three finder patterns: squares in which a row through the middle is black, white, black,
//! white and black, with a middle part that is three times as long as the others. Only codes whose sides are parallel
//! to those of the page are found.

use super::runs::{self, Run, ink};
use crate::document::bitmap::Bitmap;

/// A QR code, in pels of the image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Qr {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
    /// The size of a module across and down.
    pub(super) module: (f64, f64),
    /// The white margin, in modules; at most the four that are required.
    pub(super) margin: u32,
}

/// A finder pattern.
#[derive(Debug, Clone, Copy)]
struct Finder {
    x: f64,
    y: f64,
    module: (f64, f64),
    /// The number of rows in which it was seen.
    seen: u32,
}

/// The margin that a code needs, in modules (ISO/IEC 18004 §6.3.8).
pub(super) const MARGIN_MODULES: u32 = 4;
/// The number of modules along a side of a finder pattern. The distance between the middles of two patterns is the side
/// of the code minus this number.
const FINDER_MODULES: f64 = 7.0;
/// The number of rings of modules around the middle of a finder pattern, and the number of the ring that is white,
/// counted from the middle.
const FINDER_RINGS: i32 = 3;
const FINDER_WHITE_RING: i32 = 2;
/// The minimum share of modules of a finder pattern that have the right colour.
const FINDER_SHARE_MIN: f64 = 0.85;
/// The middle of a finder pattern, in modules from the corner of the code, counted from 0.
const FINDER_MIDDLE: f64 = 3.0;
/// The row and the column that contain the timing patterns, and the first module of the patterns, counted from 0.
const TIMING_LINE: u32 = 6;
const TIMING_START: u32 = 8;
/// The minimum share of modules of the timing patterns that alternate; in noise, half of them do.
const TIMING_SHARE_MIN: f64 = 0.8;
/// The number of modules along a code's side: 21 for version 1, and 4 more for each further version; there are 40.
const SIDE_MIN: u32 = 21;
const SIDE_STEP: u32 = 4;
const VERSIONS: u32 = 40;
/// The maximum number of finder patterns that are compared; a page of codes has fewer.
const FINDERS_MAX: usize = 150;
/// The maximum deviation of the runs of a finder pattern, in modules and, for small modules, in pels.
const DEVIATION_MODULES: f64 = 0.5;
const DEVIATION_PELS: f64 = 0.8;
/// The maximum deviation of a finder pattern's size from the mean of the three, as a share, and of the middles of two
/// patterns from the same row or column, in modules.
const SIZE_DEVIATION: f64 = 0.3;
const LINE_MODULES: f64 = 1.5;
/// The share of black that a code may have; masks keep it near one half.
const INK: std::ops::Range<f64> = 0.3..0.7;
/// The part of each module of the margin that is examined: its two ends, in modules from the outer edge.
const RING: (f64, f64) = (0.7, 0.2);
/// The maximum share of black in a white margin, which noise may cause.
const MARGIN_INK_MAX: f64 = 0.02;

/// Finds the QR codes of an image.
pub(super) fn find(bits: &Bitmap) -> Vec<Qr> {
    // A finder pattern is seen in at least two rows; noise rarely is.
    let finders: Vec<Finder> = finders(bits).into_iter().filter(|finder| finder.seen >= 2).collect();
    let mut found: Vec<Qr> = Vec::new();
    for corner in &finders {
        for beside in finders.iter().filter(|beside| is_beside(corner, beside)) {
            for along in finders.iter().filter(|along| is_along(corner, along)) {
                if let Some(qr) =
                    code(bits, corner, beside, along).filter(|qr| !found.iter().any(|other| qr.overlaps(other)))
                {
                    found.push(qr);
                }
            }
        }
    }
    found
}

/// Returns whether a finder pattern is in the same row as another.
fn is_beside(one: &Finder, two: &Finder) -> bool {
    (one.y - two.y).abs() < LINE_MODULES * one.module.1 && (one.x - two.x).abs() > FINDER_MODULES * one.module.0
}

/// Returns whether a finder pattern is in the same column as another.
fn is_along(one: &Finder, two: &Finder) -> bool {
    (one.x - two.x).abs() < LINE_MODULES * one.module.0 && (one.y - two.y).abs() > FINDER_MODULES * one.module.1
}

impl Qr {
    fn overlaps(&self, other: &Self) -> bool {
        self.left < other.right && other.left < self.right && self.top < other.bottom && other.top < self.bottom
    }
}

/// Returns the code that has these three finder patterns, if they belong together. `corner` is the pattern that has one
/// neighbour beside it and one above or below it, whichever way the code is turned.
fn code(bits: &Bitmap, corner: &Finder, beside: &Finder, along: &Finder) -> Option<Qr> {
    let (across, down) = ((beside.x - corner.x).abs(), (along.y - corner.y).abs());
    let mean = |a: f64, b: f64, c: f64| (a + b + c) / 3.0;
    let module = (
        mean(corner.module.0, beside.module.0, along.module.0),
        mean(corner.module.1, beside.module.1, along.module.1),
    );
    let all = [corner, beside, along];
    let is_size = |finder: &&Finder| {
        (finder.module.0 / module.0 - 1.0).abs() < SIZE_DEVIATION
            && (finder.module.1 / module.1 - 1.0).abs() < SIZE_DEVIATION
    };
    if !all.iter().all(is_size) {
        return None;
    }
    // The version is the one that fits the measured modules best. Its number of modules then gives the exact size of a
    // module.
    let (columns, rows) = (across / module.0, down / module.1);
    let side = side(f64::midpoint(columns, rows) + FINDER_MODULES)?;
    let between = f64::from(side) - FINDER_MODULES;
    if (columns / rows - 1.0).abs() > SIZE_DEVIATION || (columns / between - 1.0).abs() > SIZE_DEVIATION {
        return None;
    }
    let module = (across / between, down / between);
    let half = FINDER_MODULES / 2.0;
    let (left, right) = (corner.x.min(beside.x) - half * module.0, corner.x.max(beside.x) + half * module.0);
    let (top, bottom) = (corner.y.min(along.y) - half * module.1, corner.y.max(along.y) + half * module.1);
    let is_inked = INK.contains(&ink(bits, (left, top, right, bottom)));
    let towards = ((beside.x - corner.x).signum() * module.0, (along.y - corner.y).signum() * module.1);
    let qr = Qr { left, top, right, bottom, module, margin: 0 };
    let is_code = is_inked && all.iter().all(|finder| is_whole(bits, finder, module));
    (is_code && is_timed(bits, corner, towards, side)).then(|| Qr { margin: margin(bits, &qr), ..qr })
}

/// Returns whether nearly all modules of a finder pattern have the right colour: black, apart from one ring.
fn is_whole(bits: &Bitmap, finder: &Finder, module: (f64, f64)) -> bool {
    let right = (-FINDER_RINGS..=FINDER_RINGS)
        .flat_map(|y| (-FINDER_RINGS..=FINDER_RINGS).map(move |x| (x, y)))
        .filter(|(x, y)| {
            let (column, row) = (finder.x + f64::from(*x) * module.0, finder.y + f64::from(*y) * module.1);
            let is_white = x.abs().max(y.abs()) == FINDER_WHITE_RING;
            let is_black = column >= 0.0 && row >= 0.0 && bits.is_black(column as u32, row as u32);
            is_black != is_white
        })
        .count();
    let side = f64::from(2 * FINDER_RINGS + 1);
    right as f64 >= side * side * FINDER_SHARE_MIN
}

/// Returns whether most modules between the finder patterns alternate, as those of a code's timing patterns do (ISO/IEC
/// 18004 §6.3.5). `towards` is the step from a module to the next, away from the corner.
fn is_timed(bits: &Bitmap, corner: &Finder, towards: (f64, f64), side: u32) -> bool {
    // The patterns are in the seventh row and the seventh column; the finder's middle is in the fourth of each.
    let is_black = |column: u32, row: u32| {
        let (x, y) = (f64::from(column) - FINDER_MIDDLE, f64::from(row) - FINDER_MIDDLE);
        let (x, y) = (corner.x + x * towards.0, corner.y + y * towards.1);
        x >= 0.0 && y >= 0.0 && bits.is_black(x as u32, y as u32)
    };
    let places = TIMING_START..side - TIMING_START;
    let count = places.len() * 2;
    let across = places.clone().filter(|at| is_black(*at, TIMING_LINE) == at.is_multiple_of(2)).count();
    let down = places.filter(|at| is_black(TIMING_LINE, *at) == at.is_multiple_of(2)).count();
    (across + down) as f64 >= count as f64 * TIMING_SHARE_MIN
}

/// Returns the number of modules of a code's side that is nearest to a measured number; `None` if no version is near.
fn side(modules: f64) -> Option<u32> {
    let version = ((modules - f64::from(SIDE_MIN)) / f64::from(SIDE_STEP)).round();
    (version > -1.0 && version < f64::from(VERSIONS)).then(|| SIDE_MIN + SIDE_STEP * version.max(0.0) as u32)
}

/// Returns how many modules around a code are white, up to those required. Everything beyond the edge of the image
/// counts as white.
fn margin(bits: &Bitmap, qr: &Qr) -> u32 {
    let is_white = |modules: &u32| {
        // The edges of modules are not at whole pels, so the ring leaves out a part of the module on either side.
        let (inner, outer) = (f64::from(*modules) - RING.0, f64::from(*modules) - RING.1);
        let ring = |module: f64| (inner * module, (outer * module).max(inner * module + 1.0));
        let ((x, x1), (y, y1)) = (ring(qr.module.0), ring(qr.module.1));
        let sides = [
            (qr.left - x1, qr.top - y1, qr.left - x, qr.bottom + y1),
            (qr.right + x, qr.top - y1, qr.right + x1, qr.bottom + y1),
            (qr.left - x1, qr.top - y1, qr.right + x1, qr.top - y),
            (qr.left - x1, qr.bottom + y, qr.right + x1, qr.bottom + y1),
        ];
        sides.iter().all(|side| ink(bits, *side) <= MARGIN_INK_MAX)
    };
    (1..=MARGIN_MODULES).take_while(is_white).count() as u32
}

/// Finds the finder patterns.
fn finders(bits: &Bitmap) -> Vec<Finder> {
    let mut found: Vec<Finder> = Vec::new();
    let mut black: Vec<Run> = Vec::new();
    for y in 0..bits.height() {
        runs::read(bits, y, &mut black);
        for three in black.windows(3) {
            let [(a, b), (c, d), (e, f)] = [three[0], three[1], three[2]];
            let Some(across) = module([b - a, c - b, d - c, e - d, f - e]) else { continue };
            let x = f64::from(c + d) / 2.0;
            let Some((middle, down)) = upright(bits, x as u32, y) else { continue };
            let near =
                |finder: &&mut Finder| (finder.x - x).abs() < 2.0 * across && (finder.y - middle).abs() < 2.0 * down;
            if let Some(finder) = found.iter_mut().find(near) {
                let seen = f64::from(finder.seen);
                let mean = |old: f64, new: f64| (old * seen + new) / (seen + 1.0);
                finder.x = mean(finder.x, x);
                finder.y = mean(finder.y, middle);
                finder.module = (mean(finder.module.0, across), mean(finder.module.1, down));
                finder.seen += 1;
            } else if found.len() < FINDERS_MAX {
                found.push(Finder { x, y: middle, module: (across, down), seen: 1 });
            }
        }
    }
    found
}

/// Returns the size of a module if five runs, beginning with a black one, are those of a finder pattern.
fn module(runs: [u32; 5]) -> Option<f64> {
    let module = f64::from(runs.iter().sum::<u32>()) / FINDER_MODULES;
    let deviation = (module * DEVIATION_MODULES).max(DEVIATION_PELS);
    let is_near = |(run, modules): (&u32, f64)| (f64::from(*run) - modules * module).abs() <= deviation;
    let fits = runs.iter().zip([1.0, 1.0, 3.0, 1.0, 1.0]).all(is_near);
    // A middle that is no longer than its neighbours is noise.
    let stands_out = runs[2] > runs.iter().enumerate().filter(|(at, _)| *at != 2).map(|(_, run)| *run).max()?;
    (fits && stands_out).then_some(module)
}

/// Returns the middle and the size of a module of the finder pattern down the column through a pel, if there is one.
fn upright(bits: &Bitmap, x: u32, y: u32) -> Option<(f64, f64)> {
    let end = |from: u32, is_down: bool, is_black: bool| {
        let mut at = from;
        loop {
            let next = if is_down { at + 1 } else { at.checked_sub(1)? };
            if next >= bits.height() {
                return is_down.then_some(at);
            }
            if bits.is_black(x, next) != is_black {
                return Some(at);
            }
            at = next;
        }
    };
    if !bits.is_black(x, y) {
        return None;
    }
    let (top, bottom) = (end(y, false, true)?, end(y, true, true)?);
    let above = end(top.checked_sub(1)?, false, false)?;
    let upper = end(above.checked_sub(1)?, false, true).unwrap_or(0);
    let below = end(bottom + 1, true, false)?;
    let lower = end(below + 1, true, true)?;
    let runs = [above - upper, top - above, bottom + 1 - top, below - bottom, lower - below];
    let down = module(runs)?;
    Some((f64::from(top + bottom + 1) / 2.0, down))
}
