//! Paints runs of pels on the page being drawn, within a clip.

use super::raster::Run;
use crate::document::bitmap::{Bitmap, clear_run, each_run, fill_run};
use crate::document::gray::{SNAP_BLACK, SNAP_WHITE};
use crate::document::tones::{RowMut, Tones};

/// A colour to paint with, reduced to grey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ink {
    /// The luma, from 0 for black to 255 for white.
    pub(super) luma: u8,
    /// The opacity, from 0 for transparent to 255 for opaque.
    pub(super) alpha: u8,
}

impl Ink {
    /// Returns whether the ink paints plain black (`Some(true)`) or plain white (`Some(false)`); `None` for any other
    /// ink.
    pub(super) const fn pure(self) -> Option<bool> {
        match self {
            Self { luma, alpha: 255 } if luma <= SNAP_BLACK => Some(true),
            Self { luma, alpha: 255 } if luma >= SNAP_WHITE => Some(false),
            _ => None,
        }
    }
}

/// The part of the page that may be painted: a rectangle (left, top, right, bottom) and optionally a shape within it.
#[derive(Clone)]
pub(super) struct Clip {
    pub(super) bounds: [u32; 4],
    pub(super) shape: Option<std::rc::Rc<Bitmap>>,
}

impl Clip {
    /// Returns the part of a run that is inside the rectangle; `None` if no part is.
    fn cut(&self, (row, from, to): Run) -> Option<Run> {
        let [left, top, right, bottom] = self.bounds;
        let (from, to) = (from.max(left), to.min(right));
        (row >= top && row < bottom && from < to).then_some((row, from, to))
    }

    /// Calls `take` for each part of a run that is inside the clip.
    pub(super) fn each(&self, run: Run, mut take: impl FnMut(Run)) {
        let Some((row, from, to)) = self.cut(run) else { return };
        match &self.shape {
            None => take((row, from, to)),
            Some(shape) => each_run(shape.row(row), from, to, |from, to| take((row, from, to))),
        }
    }
}

/// Paints the parts of a run that are inside the clip.
pub(super) fn paint(page: &mut Tones, run: Run, ink: Ink, clip: &Clip) {
    clip.each(run, |run| paint_row(page, run, ink));
}

/// Blackens those of the 64 pels beginning at `x` whose bits are set in `pels`. All blackened pels must be on the page.
pub(super) fn stamp(page: &mut Tones, y: u32, x: i64, pels: u64) {
    let (word, shift) = (x.div_euclid(64), x.rem_euclid(64));
    match page.row_mut(y) {
        RowMut::Bits(words) => {
            let mut put = |at: i64, pels: u64| {
                if let Some(word) = usize::try_from(at).ok().and_then(|at| words.get_mut(at)) {
                    *word |= pels;
                }
            };
            put(word, pels >> shift);
            // The pels may extend into the next word.
            if shift > 0 {
                put(word + 1, pels << (64 - shift));
            }
        }
        RowMut::Greys(greys) => each_run(&[pels], 0, 64, |from, to| {
            let place = |pel: u32| usize::try_from(x + i64::from(pel)).unwrap_or(0);
            if let Some(greys) = greys.get_mut(place(from)..place(to)) {
                greys.fill(0);
            }
        }),
    }
}

/// Paints a run. A row of bits remains one only if the ink is plain black or plain white.
fn paint_row(page: &mut Tones, (y, from, to): Run, ink: Ink) {
    match (page.row_mut(y), ink.pure()) {
        (RowMut::Bits(words), Some(true)) => fill_run(words, from, to),
        (RowMut::Bits(words), Some(false)) => clear_run(words, from, to),
        (RowMut::Bits(_), None) => {
            if let Some(greys) = page.greys_mut(y) {
                blend(greys, from, to, ink);
            }
        }
        (RowMut::Greys(greys), _) => blend(greys, from, to, ink),
    }
}

/// Paints the pels `from..to` of a row of greys.
fn blend(greys: &mut [u8], from: u32, to: u32, ink: Ink) {
    let Some(pels) = greys.get_mut(from as usize..to as usize) else { return };
    if ink.alpha == u8::MAX {
        pels.fill(ink.luma);
        return;
    }
    let (luma, alpha) = (u32::from(ink.luma), u32::from(ink.alpha));
    for pel in pels {
        // Adding 127 rounds to the nearest value.
        *pel = ((u32::from(*pel) * (255 - alpha) + luma * alpha + 127) / 255) as u8;
    }
}
