//! A page as bits: a black pel is a 1, and the highest bit of a word is its leftmost pel.

use super::changes::Changes;

/// The number of pels in a word.
const WORD_PELS: u32 = u64::BITS;

/// A bilevel image. Bits to the right of a row's last pel are zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bitmap {
    width: u32,
    height: u32,
    words_per_row: usize,
    words: Vec<u64>,
}

impl Bitmap {
    /// Creates an image without black pels.
    #[must_use]
    pub fn white(width: u32, height: u32) -> Self {
        let words_per_row = words_per_row(width);
        Self { width, height, words_per_row, words: vec![0; words_per_row * height as usize] }
    }

    /// Returns the width of the image in pels.
    #[must_use]
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Returns the height of the image in rows.
    #[must_use]
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// Returns the words of one row; the slice is empty below the last row.
    #[must_use]
    pub fn row(&self, y: u32) -> &[u64] {
        let start = y as usize * self.words_per_row;
        self.words.get(start..start + self.words_per_row).unwrap_or_default()
    }

    /// Returns the words of one row mutably; the slice is empty below the last row.
    pub fn row_mut(&mut self, y: u32) -> &mut [u64] {
        let start = y as usize * self.words_per_row;
        self.words.get_mut(start..start + self.words_per_row).unwrap_or_default()
    }

    /// Iterates over the rows from the top.
    pub fn rows(&self) -> impl Iterator<Item = &[u64]> {
        // Even a row without pels has one word, so chunks are never empty.
        self.words.chunks_exact(self.words_per_row)
    }

    /// Returns whether a pel is black. Everything outside the image is white.
    #[must_use]
    pub fn is_black(&self, x: u32, y: u32) -> bool {
        let word = self.row(y).get((x / WORD_PELS) as usize).copied().unwrap_or(0);
        x < self.width && word >> (WORD_PELS - 1 - x % WORD_PELS) & 1 == 1
    }

    /// Blackens a pel; does nothing outside the image.
    pub fn blacken(&mut self, x: u32, y: u32) {
        if x < self.width
            && let Some(word) = self.row_mut(y).get_mut((x / WORD_PELS) as usize)
        {
            *word |= 1 << (WORD_PELS - 1 - x % WORD_PELS);
        }
    }

    /// Blackens the pels `start..end` of a row, as far as the image extends.
    pub fn blacken_run(&mut self, y: u32, start: u32, end: u32) {
        let end = end.min(self.width);
        fill_run(self.row_mut(y), start, end);
    }

    /// Appends a row at the bottom, cut or padded with white to the image's width.
    pub fn push_row(&mut self, row: &[u64]) {
        let filled = row.len().min(self.words_per_row);
        self.words.extend_from_slice(&row[..filled]);
        self.words.resize(self.words.len() + self.words_per_row - filled, 0);
        self.height += 1;
    }

    /// Copies the rows `start..end` into a new image.
    #[must_use]
    pub fn slice(&self, start: u32, end: u32) -> Self {
        let end = end.min(self.height);
        let start = start.min(end);
        let words = self.words[start as usize * self.words_per_row..end as usize * self.words_per_row].to_vec();
        Self { width: self.width, height: end - start, words_per_row: self.words_per_row, words }
    }

    /// Cuts off rows below `height`, or adds white rows to reach it.
    pub fn set_height(&mut self, height: u32) {
        self.words.resize(self.words_per_row * height as usize, 0);
        self.height = height;
    }

    /// Reduces the image to `height` rows by merging neighbouring rows: a pel is black if any pel merged into it is
    /// black, so that no ruled line of a form is lost. An image of at most this height is returned unchanged.
    #[must_use]
    pub fn shortened(&self, height: u32) -> Self {
        if height >= self.height {
            return self.clone();
        }
        let mut short = Self::white(self.width, height);
        for y in 0..self.height {
            let target = u64::from(y) * u64::from(height) / u64::from(self.height);
            let row = short.row_mut(u32::try_from(target).unwrap_or(0));
            for (into, from) in row.iter_mut().zip(self.row(y)) {
                *into |= from;
            }
        }
        short
    }

    /// Returns whether a row has no black pel.
    #[must_use]
    pub fn is_white_row(&self, y: u32) -> bool {
        self.row(y).iter().all(|word| *word == 0)
    }

    /// Removes white rows at the bottom while the image has more than `rows` rows.
    pub fn trim_below(&mut self, rows: u32) {
        let mut height = self.height;
        while height > rows && self.is_white_row(height - 1) {
            height -= 1;
        }
        self.set_height(height);
    }

    /// Swaps black and white, for images in which a set bit means white.
    pub fn invert(&mut self) {
        let (width, used) = (self.width, self.width % WORD_PELS);
        for row in self.words.chunks_exact_mut(self.words_per_row) {
            row.iter_mut().for_each(|word| *word = !*word);
            // Bits to the right of the last pel must stay zero. If the width is a multiple of 64, there are none,
            // except in an image of width 0, in which each row is one unused word.
            if let Some(last) = row.last_mut()
                && (used > 0 || width == 0)
            {
                *last &= !(u64::MAX >> used);
            }
        }
    }

    /// Replaces the contents of `changes` with the places at which the colour changes along a row.
    pub(crate) fn changes_into(&self, y: u32, changes: &mut Changes) {
        changes.read(self.row(y), self.width);
    }
}

/// Blackens the pels `start..end` in the words of a row.
pub(crate) fn fill_run(row: &mut [u64], start: u32, end: u32) {
    over_run(row, start, end, |word, pels| *word |= pels);
}

/// Makes the pels `start..end` white in the words of a row.
pub(crate) fn clear_run(row: &mut [u64], start: u32, end: u32) {
    over_run(row, start, end, |word, pels| *word &= !pels);
}

/// Overwrites the pels `start..end` of `row` with those of the row `from`, whose first pel goes to column `left`. Pels
/// beyond the ends of `from` are white.
pub(crate) fn copy_run(row: &mut [u64], start: u32, end: u32, from: &[u64], left: u32) {
    // An empty run has no last pel, and `end - 1` would underflow at 0.
    if start >= end {
        return;
    }
    let (first, last) = (start / WORD_PELS, (end - 1) / WORD_PELS);
    // The first and the last word are copied only in part.
    let mut mask = u64::MAX >> (start % WORD_PELS);
    for place in first..=last {
        if place == last {
            mask &= u64::MAX << (WORD_PELS - 1 - (end - 1) % WORD_PELS);
        }
        if let Some(word) = row.get_mut(place as usize) {
            let pels = word_at(from, i64::from(place * WORD_PELS) - i64::from(left));
            *word = *word & !mask | pels & mask;
        }
        mask = u64::MAX;
    }
}

/// Returns the 64 pels of a row that begin at `at`, which may be outside the row; pels outside are white.
fn word_at(row: &[u64], at: i64) -> u64 {
    let (place, shift) = (at.div_euclid(i64::from(WORD_PELS)), at.rem_euclid(i64::from(WORD_PELS)));
    let word = |place: i64| usize::try_from(place).ok().and_then(|place| row.get(place)).copied().unwrap_or(0);
    if shift == 0 { word(place) } else { word(place) << shift | word(place + 1) >> (i64::from(WORD_PELS) - shift) }
}

/// Calls `change` for each word that contains pels of `start..end`, with a mask that selects those pels. Does nothing
/// if the run goes beyond the words of the row.
#[inline]
fn over_run(row: &mut [u64], start: u32, end: u32, change: impl Fn(&mut u64, u64)) {
    // An empty run has no last pel, and `end - 1` would underflow at 0.
    if start >= end {
        return;
    }
    let (first, last) = ((start / WORD_PELS) as usize, ((end - 1) / WORD_PELS) as usize);
    let head = u64::MAX >> (start % WORD_PELS);
    let tail = u64::MAX << (WORD_PELS - 1 - (end - 1) % WORD_PELS);
    // A row outside the image has no words.
    let Some(words) = row.get_mut(first..=last) else { return };
    match words {
        [] => {}
        [only] => change(only, head & tail),
        [from, middle @ .., to] => {
            change(from, head);
            middle.iter_mut().for_each(|word| change(word, u64::MAX));
            change(to, tail);
        }
    }
}

/// Calls `take` with the start and the end of each run of black pels within `start..end` of a row.
pub(crate) fn each_run(row: &[u64], start: u32, end: u32, mut take: impl FnMut(u32, u32)) {
    let end = end.min(row.len() as u32 * WORD_PELS);
    let mut at = next(row, start, end, 0);
    while at < end {
        let after = next(row, at, end, u64::MAX);
        take(at, after);
        at = next(row, after, end, 0);
    }
}

/// Returns the first pel at or after `start` that differs from `colour`, or `end` if there is none. `colour` is a word
/// of pels of one colour: 0 for white, `u64::MAX` for black.
fn next(row: &[u64], start: u32, end: u32, colour: u64) -> u32 {
    let mut mask = u64::MAX >> (start % WORD_PELS);
    for (place, word) in row.iter().enumerate().skip((start / WORD_PELS) as usize) {
        let differs = (word ^ colour) & mask;
        if differs != 0 {
            return (place as u32 * WORD_PELS + differs.leading_zeros()).min(end);
        }
        if (place as u32 + 1) * WORD_PELS >= end {
            break;
        }
        mask = u64::MAX;
    }
    end
}

/// Returns the number of words that hold a row. It is never zero, because `chunks_exact` panics on empty chunks.
fn words_per_row(width: u32) -> usize {
    (width.div_ceil(WORD_PELS) as usize).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_blackens_its_pels_and_no_others() {
        for (start, end) in [(0, 1), (3, 200), (63, 65), (64, 128), (10, 10), (190, 300)] {
            let mut image = Bitmap::white(200, 2);
            image.blacken_run(1, start, end);
            for x in 0..220 {
                assert_eq!(image.is_black(x, 1), x >= start && x < end.min(200), "{start}..{end} at {x}");
                assert!(!image.is_black(x, 0));
            }
        }
    }

    #[test]
    fn filled_and_cleared_runs_are_found() {
        let mut row = [0; 4];
        for (start, end) in [(3, 5), (60, 70), (128, 192), (200, 256)] {
            fill_run(&mut row, start, end);
        }
        clear_run(&mut row, 140, 150);
        let runs = |start, end| {
            let mut runs = Vec::new();
            each_run(&row, start, end, |from, to| runs.push((from, to)));
            runs
        };
        assert_eq!(runs(0, 256), [(3, 5), (60, 70), (128, 140), (150, 192), (200, 256)]);
        assert_eq!(runs(4, 64), [(4, 5), (60, 64)]);
        assert_eq!(runs(61, 62), [(61, 62)]);
        assert_eq!(runs(250, 300), [(250, 256)]);
        assert_eq!(runs(70, 128), []);
        assert_eq!(runs(9, 9), []);
    }

    #[test]
    fn runs_are_copied_from_rows_at_any_offset() {
        // The generator has a fixed seed, so the test always checks the same rows.
        let mut state = 1_u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state
        };
        for left in [0, 2, 40, 64, 70, 130] {
            for (start, end) in [(left, left), (left, left + 1), (left + 3, 180), (left, 256), (200, 300)] {
                let (before, from) = ([random(); 4], [random(), random()]);
                let (mut copied, mut filled) = (before, before);
                copy_run(&mut copied, start, end, &from, left);
                clear_run(&mut filled, start, end.min(256));
                each_run(&from, start - left, end - left, |a, b| fill_run(&mut filled, a + left, (b + left).min(256)));
                assert_eq!(copied, filled, "{start}..{end} from {left}");
            }
        }
    }

    #[test]
    fn shortening_keeps_every_line() {
        let mut image = Bitmap::white(64, 300);
        for y in (0..300).step_by(7) {
            image.blacken_run(y, 0, 64);
        }
        let short = image.shortened(200);
        for y in (0..300).step_by(7) {
            assert!(short.is_black(5, y * 200 / 300), "row {y}");
        }
    }

    #[test]
    fn pels_outside_the_image_are_white_and_cause_no_panic() {
        let mut image = Bitmap::white(10, 3);
        image.blacken(10, 0);
        image.blacken(0, 3);
        image.blacken_run(7, 0, 5);
        assert!(image.rows().all(|row| row.iter().all(|word| *word == 0)));
        assert_eq!(image.slice(2, 9).height(), 1);
    }
}
