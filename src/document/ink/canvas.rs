//! The page being drawn: bits as long as all is black or white, greys from the first grey on. It knows no shapes.

use super::raster::Run;
use crate::document::bitmap::{Bitmap, fill_run};
use crate::document::gray::{Gray, SNAP_BLACK, SNAP_WHITE};

/// What is painted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ink {
    /// Its luma.
    pub(super) luma: u8,
    /// How much of it covers what lies below.
    pub(super) alpha: u8,
}

impl Ink {
    /// Black or white outright, if it is.
    const fn pure(self) -> Option<bool> {
        match self {
            Self { luma, alpha: 255 } if luma <= SNAP_BLACK => Some(true),
            Self { luma, alpha: 255 } if luma >= SNAP_WHITE => Some(false),
            _ => None,
        }
    }
}

/// A page.
pub(super) enum Canvas {
    Bits(Bitmap),
    Greys(Gray),
}

/// Where painting is let through: a rectangle (left, top, right, bottom), and within it perhaps a shape.
#[derive(Clone)]
pub(super) struct Clip {
    pub(super) bounds: [u32; 4],
    pub(super) shape: Option<std::rc::Rc<Bitmap>>,
}

impl Clip {
    /// The part of a run within the rectangle.
    fn cut(&self, (row, from, to): Run) -> Option<Run> {
        let [left, top, right, bottom] = self.bounds;
        let (from, to) = (from.max(left), to.min(right));
        (row >= top && row < bottom && from < to).then_some((row, from, to))
    }
}

impl Canvas {
    pub(super) fn white(width: u32, height: u32) -> Self {
        Self::Bits(Bitmap::white(width, height))
    }

    /// Paints a run.
    pub(super) fn paint(&mut self, run: Run, ink: Ink, clip: &Clip) {
        let Some(run) = clip.cut(run) else { return };
        if let (Self::Bits(bits), Some(black)) = (&mut *self, ink.pure()) {
            match &clip.shape {
                None => paint_bits(bits, run, black),
                Some(shape) => runs_within(shape, run, |run| paint_bits(bits, run, black)),
            }
            return;
        }
        if let Self::Bits(bits) = self {
            *self = Self::Greys(greys_of(bits));
        }
        let Self::Greys(greys) = self else { return };
        match &clip.shape {
            None => paint_greys(greys, run, ink),
            Some(shape) => runs_within(shape, run, |run| paint_greys(greys, run, ink)),
        }
    }

    /// Paints 64 pels of a row at once, those whose bit is set, from `x` on; only on bits, unclipped and black.
    pub(super) fn stamp(&mut self, row: u32, x: i64, pels: u64) -> bool {
        let Self::Bits(bits) = self else { return false };
        let words = bits.row_mut(row);
        let (word, shift) = (x.div_euclid(64), x.rem_euclid(64));
        let mut put = |at: i64, pels: u64| {
            if let Some(word) = usize::try_from(at).ok().and_then(|at| words.get_mut(at)) {
                *word |= pels;
            }
        };
        put(word, pels >> shift);
        if shift > 0 {
            put(word + 1, pels << (64 - shift));
        }
        true
    }
}

fn greys_of(bits: &Bitmap) -> Gray {
    let mut greys = Gray::white(bits.width(), bits.height());
    let width = bits.width() as usize;
    for (row, pels) in bits.rows().zip(greys.pels_mut().chunks_exact_mut(width.max(1))) {
        for (word, pels) in row.iter().zip(pels.chunks_mut(64)) {
            let mut rest = *word;
            while rest != 0 {
                let place = rest.leading_zeros();
                pels[place as usize] = 0;
                rest ^= 1 << 63 >> place;
            }
        }
    }
    greys
}

fn paint_bits(bits: &mut Bitmap, (row, from, to): Run, black: bool) {
    if black {
        fill_run(bits.row_mut(row), from, to);
    } else {
        bits.whiten_run(row, from, to);
    }
}

fn paint_greys(greys: &mut Gray, (row, from, to): Run, ink: Ink) {
    let start = row as usize * greys.width() as usize;
    let Some(pels) = greys.pels_mut().get_mut(start + from as usize..start + to as usize) else { return };
    if ink.alpha == u8::MAX {
        pels.fill(ink.luma);
        return;
    }
    let (luma, alpha) = (u32::from(ink.luma), u32::from(ink.alpha));
    for pel in pels {
        *pel = ((u32::from(*pel) * (255 - alpha) + luma * alpha + 127) / 255) as u8;
    }
}

/// The parts of a run where a shape is set.
pub(super) fn runs_within(shape: &Bitmap, (row, from, to): Run, mut take: impl FnMut(Run)) {
    let mut x = from;
    while x < to {
        while x < to && !shape.is_black(x, row) {
            x += 1;
        }
        let start = x;
        while x < to && shape.is_black(x, row) {
            x += 1;
        }
        if start < x {
            take((row, start, x));
        }
    }
}
