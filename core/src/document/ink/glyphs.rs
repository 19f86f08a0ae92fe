//! Draws letters as bits. Unless a letter is large, it is drawn once per size, direction and sub-pel position, and then
//! reused. The positions are a quarter of a pel apart.

use std::collections::HashMap;
use std::rc::Rc;

use hayro::hayro_interpret::FillRule;
use hayro::hayro_interpret::font::{HintingCache, OutlineGlyph};
use hayro::kurbo::{Affine, BezPath};

use super::raster::Raster;
use crate::document::bitmap::fill_run;

/// The number of sub-pel positions at which letters are placed, per axis.
const STEPS: f64 = 4.0;
/// The largest letter that is cached, in pels per side; larger ones are rare and drawn each time.
const PELS_MAX: f64 = 256.0;
/// The maximum number of letters cached per document.
const MASKS_MAX: usize = 20_000;
/// The sizes at which letters are hinted, in pels per em; hayro has the same limits.
const HINTED_PELS: std::ops::RangeInclusive<f64> = 4.0..=128.0;
/// Units per em in hayro's outlines.
const EM: f64 = 1_000.0;

/// A cache of drawn letters and of their outlines.
#[derive(Default)]
pub(super) struct Glyphs {
    /// The drawn letters; `None` for letters that are too large to cache.
    masks: HashMap<Key, Option<Rc<Placed>>>,
    /// The outlines by letter and size; the size is 0 for an outline without hinting, which fits all sizes.
    outlines: HashMap<(u128, u32), Option<Rc<BezPath>>>,
    hinting: HintingCache,
}

/// Identifies a drawn letter in the cache.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    glyph: u128,
    /// The bits of the transform's coefficients, without its translation.
    shape: [u64; 4],
    /// The sub-pel position in quarters of a pel, across and down.
    steps: (u8, u8),
}

/// A drawn letter, and the place of its top left pel, in whole pels from the letter's origin.
struct Placed {
    mask: Rc<Mask>,
    left: i64,
    top: i64,
}

/// A letter as bits, in rows of words.
pub(super) struct Mask {
    width: u32,
    words_per_row: usize,
    words: Vec<u64>,
}

impl Mask {
    pub(super) const fn width(&self) -> u32 {
        self.width
    }

    pub(super) fn height(&self) -> i64 {
        (self.words.len() / self.words_per_row) as i64
    }

    pub(super) fn words(&self) -> impl Iterator<Item = &[u64]> {
        self.words.chunks_exact(self.words_per_row)
    }
}

impl Glyphs {
    /// Returns a letter's bits and the place of their top left pel on the page; `None` if the letter is too large to
    /// cache, or far from the page.
    pub(super) fn place(
        &mut self,
        glyph: &OutlineGlyph,
        transform: Affine,
        hint: bool,
        raster: &mut Raster,
    ) -> Option<(Rc<Mask>, i64, i64)> {
        let [a, b, c, d, e, f] = transform.as_coeffs();
        // Hinting aligns a letter with whole rows, so its baseline must be on a whole row too.
        let f = if is_hinted(transform, hint) { f.round() } else { f };
        let (x, y) = ((e * STEPS).round() / STEPS, (f * STEPS).round() / STEPS);
        // So far from the page, no letter is visible. The condition is negated so that it also holds for NaN.
        if !(x.abs() < 1e6 && y.abs() < 1e6) {
            return None;
        }
        let (whole_x, whole_y) = (x.floor(), y.floor());
        let steps = (((x - whole_x) * STEPS) as u8, ((y - whole_y) * STEPS) as u8);
        let key = Key { glyph: glyph.identifier().cache_key(), shape: [a, b, c, d].map(f64::to_bits), steps };
        // Clearing the whole cache is simpler than tracking which letters are used, and few documents have so many.
        if self.masks.len() >= MASKS_MAX {
            self.masks.clear();
        }
        let placed = if let Some(placed) = self.masks.get(&key) {
            placed.clone()
        } else {
            let (path, _) = self.outline(glyph, transform, hint);
            let at = Affine::new([a, b, c, d, x - whole_x, y - whole_y]);
            let placed = draw(&path, at, raster).map(Rc::new);
            self.masks.insert(key, placed.clone());
            placed
        }?;
        Some((Rc::clone(&placed.mask), placed.left + whole_x as i64, placed.top + whole_y as i64))
    }

    /// Returns a letter's outline, hinted if it should be, and the transform that places it on the page.
    pub(super) fn outline(&mut self, glyph: &OutlineGlyph, transform: Affine, hint: bool) -> (Rc<BezPath>, Affine) {
        let [a, b, c, d, e, f] = transform.as_coeffs();
        let id = glyph.identifier().cache_key();
        if is_hinted(transform, hint) {
            let size = (d.abs() * EM) as f32;
            let hinting = &self.hinting;
            // Hinting depends on the size, so each size has its own hinted outline.
            let outline = self.outlines.entry((id, size.to_bits()));
            let outline = outline.or_insert_with(|| glyph.hinted_outline(size, hinting).map(Rc::new));
            if let Some(outline) = outline {
                return (Rc::clone(outline), Affine::new([a, b, c, d, e, f.round()]));
            }
        }
        let outline = self.outlines.entry((id, 0)).or_insert_with(|| Some(Rc::new(glyph.outline())));
        (outline.clone().unwrap_or_default(), transform)
    }
}

/// Returns whether a letter is hinted: `hint` asks for it, the baseline is horizontal, and the size is within
/// `HINTED_PELS`.
fn is_hinted(transform: Affine, hint: bool) -> bool {
    let [_, b, _, d, _, _] = transform.as_coeffs();
    hint && b == 0.0 && HINTED_PELS.contains(&(d.abs() * EM))
}

/// Draws a letter as bits. An empty outline yields an empty mask; a letter that is too large to cache yields `None`.
fn draw(path: &BezPath, transform: Affine, raster: &mut Raster) -> Option<Placed> {
    let empty = || Mask { width: 0, words_per_row: 1, words: Vec::new() };
    if path.elements().is_empty() {
        return Some(Placed { mask: Rc::new(empty()), left: 0, top: 0 });
    }
    let bounds = transform.transform_rect_bbox(path.control_box());
    let (left, top) = (bounds.x0.floor(), bounds.y0.floor());
    let (width, height) = (bounds.x1.ceil() - left, bounds.y1.ceil() - top);
    if !(width.is_finite() && height.is_finite() && width < PELS_MAX && height < PELS_MAX) {
        return None;
    }
    let (columns, rows) = (width as u32, height as u32);
    let words_per_row = (columns.div_ceil(64) as usize).max(1);
    let mut words = vec![0; words_per_row * rows as usize];
    // The letter is moved to the origin, so that the mask needs no space around it.
    let moved = Affine::translate((-left, -top)) * transform;
    raster.fill(path, moved, FillRule::NonZero, (columns, rows), |(row, from, to)| {
        let start = row as usize * words_per_row;
        fill_run(&mut words[start..start + words_per_row], from, to);
    });
    let mask = Mask { width: columns, words_per_row, words };
    Some(Placed { mask: Rc::new(mask), left: left as i64, top: top as i64 })
}
