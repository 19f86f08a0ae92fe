//! A page that stores each row as bits until something grey is painted on that row, because most pages have few rows
//! with greys, or none.

use std::borrow::Cow;

use super::bitmap::{Bitmap, each_run};

/// A page of rows that are either bits or greys. In greys, 0 is black and 255 is white.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tones {
    bits: Bitmap,
    /// The greys of each row that has any. Such a row is white in `bits`.
    greys: Vec<Option<Box<[u8]>>>,
}

/// One row, as bits or as greys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Row<'a> {
    Bits(&'a [u64]),
    Greys(&'a [u8]),
}

/// One row to paint on, as bits or as greys.
pub(super) enum RowMut<'a> {
    Bits(&'a mut [u64]),
    Greys(&'a mut [u8]),
}

impl Tones {
    /// Creates a white page, whose rows are bits.
    pub(super) fn white(width: u32, height: u32) -> Self {
        Self { bits: Bitmap::white(width, height), greys: vec![None; height as usize] }
    }

    /// Creates a page from bits, without greys.
    pub(super) fn of_bits(bits: Bitmap) -> Self {
        let greys = vec![None; bits.height() as usize];
        Self { bits, greys }
    }

    pub(super) const fn width(&self) -> u32 {
        self.bits.width()
    }

    pub(super) const fn height(&self) -> u32 {
        self.bits.height()
    }

    /// Returns a row, which has no pels if it is below the last row.
    pub(super) fn row(&self, y: u32) -> Row<'_> {
        match self.greys.get(y as usize) {
            Some(Some(greys)) => Row::Greys(greys),
            Some(None) | None => Row::Bits(self.bits.row(y)),
        }
    }

    /// Returns a row to paint on, which has no pels if it is below the last row.
    pub(super) fn row_mut(&mut self, y: u32) -> RowMut<'_> {
        match self.greys.get_mut(y as usize) {
            Some(Some(greys)) => RowMut::Greys(greys),
            Some(None) | None => RowMut::Bits(self.bits.row_mut(y)),
        }
    }

    /// Converts a row to greys, unless it has greys already, and returns it; `None` if there is no such row.
    pub(super) fn greys_mut(&mut self, y: u32) -> Option<&mut [u8]> {
        let width = self.bits.width();
        let row = self.greys.get_mut(y as usize)?;
        let bits = &mut self.bits;
        let greys = row.get_or_insert_with(|| {
            let words = bits.row_mut(y);
            let greys = expanded(words, width);
            words.fill(0);
            greys
        });
        Some(greys)
    }

    /// Replaces a row with greys. If the row was stored as bits, all its pels must be white: the bits stay as they are,
    /// and the callers of [`Self::into_parts`] expect white bits in a row with greys.
    pub(super) fn set_greys(&mut self, y: u32, greys: Box<[u8]>) {
        if let Some(row) = self.greys.get_mut(y as usize) {
            *row = Some(greys);
        }
    }

    /// Returns the bits, and the greys of each row that has any; the bits of such rows are white.
    pub(super) fn into_parts(self) -> (Bitmap, Vec<Option<Box<[u8]>>>) {
        (self.bits, self.greys)
    }
}

impl<'a> Row<'a> {
    /// Returns the row as greys, converting it if necessary.
    pub(super) fn greys(self, width: u32) -> Cow<'a, [u8]> {
        match self {
            Self::Bits(words) => Cow::Owned(expanded(words, width).into_vec()),
            Self::Greys(greys) => Cow::Borrowed(greys),
        }
    }
}

/// Converts a row of bits to greys.
fn expanded(words: &[u64], width: u32) -> Box<[u8]> {
    let mut greys = vec![u8::MAX; width as usize].into_boxed_slice();
    each_run(words, 0, width, |from, to| greys[from as usize..to as usize].fill(0));
    greys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_keeps_its_black_when_greys_are_added() {
        let mut page = Tones::white(100, 2);
        let RowMut::Bits(words) = page.row_mut(1) else { panic!("greys in a new page") };
        words[0] = 0b101 << 61;
        words[1] = 1 << 28;
        page.greys_mut(1).unwrap()[1] = 128;
        let Row::Greys(greys) = page.row(1) else { panic!("no greys") };
        assert_eq!((greys.len(), &greys[..4], greys[99]), (100, &[0, 128, 0, 255][..], 0));
        assert!(matches!(page.row(0), Row::Bits([0, 0])));
        assert!(page.greys_mut(2).is_none());
    }
}
