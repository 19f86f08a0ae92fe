//! Coding rows by T.4 and T.6. It keeps the row above and nothing else of a page.

use super::Changes;
use super::codes::{BLACK, Code, EOL, HORIZONTAL, LONGEST_MAKE_UP, PASS, Runs, VERTICAL, WHITE};
use super::sink::BitSink;

/// End-of-line codes that end a page of MH or MR (T.4 §4.1.4, §4.2.4: RTC).
const RTC_EOLS: u32 = 6;
/// End-of-line codes that end a block of MMR (T.6 §2.4.1.1: EOFB).
const EOFB_EOLS: u32 = 2;
/// The farthest that a vertical mode reaches (T.4 §4.2.1.3.2 b).
const VERTICAL_REACH: u32 = 3;

/// How rows are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Modified Huffman: each row by itself (T.4 §4.1).
    Mh,
    /// Modified READ: at most `k - 1` rows are coded against the one above, then one by itself (T.4 §4.2.1.1).
    Mr {
        /// 2 at standard, 4 at fine resolution, 8 at superfine.
        k: u32,
    },
    /// Modified modified READ: all rows are coded against the one above (T.6 §2.2).
    Mmr,
}

/// Codes the rows of one page.
#[derive(Debug)]
pub struct Coder<S> {
    scheme: Scheme,
    width: u32,
    minimum_row_bits: u32,
    above: Changes,
    rows: u32,
    sink: S,
}

impl<S: BitSink> Coder<S> {
    /// One that stands at the top of a page.
    pub fn new(scheme: Scheme, width: u32, minimum_row_bits: u32, sink: S) -> Self {
        // T.6 §2.2.1: above the first row lies an imaginary white one.
        Self { scheme, width, minimum_row_bits, above: Changes::white(width), rows: 0, sink }
    }

    /// Codes a row, which becomes the one above the next.
    pub fn row(&mut self, row: &Changes) {
        match self.scheme {
            Scheme::Mmr => self.two_dimensional(row),
            Scheme::Mh => self.framed(row, None),
            Scheme::Mr { k } => {
                let alone = self.rows.is_multiple_of(k.max(1));
                self.framed(row, Some(alone));
            }
        }
        self.rows = self.rows.wrapping_add(1);
        if self.scheme != Scheme::Mh {
            self.above.at.clone_from(&row.at);
        }
    }

    /// Bits so far.
    pub fn bits(&self) -> u64 {
        self.sink.bits()
    }

    /// What has been coded, for a page that goes on elsewhere.
    pub fn into_sink(self) -> S {
        self.sink
    }

    /// Ends the page.
    pub fn finish(mut self) -> S {
        match self.scheme {
            Scheme::Mmr => self.eols(EOFB_EOLS, None),
            Scheme::Mh => self.eols(RTC_EOLS, None),
            // T.4 §4.2.4: six times EOL and the tag of one-dimensional coding.
            Scheme::Mr { .. } => self.eols(RTC_EOLS, Some(true)),
        }
        self.sink
    }

    /// A row of T.4: end-of-line code, tag where MR needs one (§4.2.2), data, fill (§4.1.3).
    fn framed(&mut self, row: &Changes, alone: Option<bool>) {
        let start = self.sink.bits();
        self.eols(1, alone);
        if alone.unwrap_or(true) {
            self.one_dimensional(row);
        } else {
            self.two_dimensional(row);
        }
        let mut missing = u64::from(self.minimum_row_bits).saturating_sub(self.sink.bits() - start);
        while missing > 0 {
            let some = missing.min(32);
            self.sink.put(0, some as u32);
            missing -= some;
        }
    }

    fn eols(&mut self, count: u32, tag: Option<bool>) {
        for _ in 0..count {
            self.put(EOL);
            if let Some(alone) = tag {
                self.sink.put(u32::from(alone), 1);
            }
        }
    }

    /// T.4 §4.1.1: runs of white and black in turn, white first, even of no length.
    fn one_dimensional(&mut self, row: &Changes) {
        let (mut colours, mut from) = ([&WHITE, &BLACK], 0);
        for at in &row.at[..=row.count()] {
            self.run(colours[0], at - from);
            from = *at;
            colours.swap(0, 1);
        }
    }

    /// T.4 §4.2.1.3.3 and T.6 §2.2.4, figures 7 and 3: `a0` is where coding stands, `a1` and `a2` the next changes of
    /// this row, `b1` the first change of the row above right of `a0` and to the other colour, `b2` the one after.
    fn two_dimensional(&mut self, row: &Changes) {
        if row.at == self.above.at {
            self.same(row.count() as u32 + 1);
            return;
        }
        let width = self.width;
        let (coding, above) = (row.at.as_slice(), std::mem::take(&mut self.above.at));
        let (mut colours, mut a0, mut a, mut b) = ([&WHITE, &BLACK], 0, 0, 0);
        while a0 < width {
            let (a1, b1) = (coding[a], above[b]);
            if above[b + 1] < a1 {
                // Pass mode (§2.2.3.1): b2 lies left of a1.
                self.put(PASS);
                a0 = above[b + 1];
                b += 2;
                continue;
            }
            let reach = a1.wrapping_add(VERTICAL_REACH).wrapping_sub(b1);
            if reach <= 2 * VERTICAL_REACH {
                // Vertical mode (§2.2.3.2): a1 is at most three pels off b1.
                self.put(VERTICAL[reach as usize]);
                a0 = a1;
                a += 1;
                colours.swap(0, 1);
                // The change before b1 has the colour that is wanted now.
                b = if b > 0 { b - 1 } else { b + 1 };
            } else {
                // Horizontal mode (§2.2.3.3): the runs a0a1 and a1a2. The first run of a row counts from its first pel.
                let a2 = coding[a + 1];
                self.put(HORIZONTAL);
                self.run(colours[0], a1 - a0);
                self.run(colours[1], a2 - a1);
                a0 = a2;
                a += 2;
            }
            while above[b] <= a0 && above[b] < width {
                b += 2;
            }
        }
        self.above.at = above;
    }

    /// A row equal to the one above: each change lies right under its like, and the end of the row as well (V(0)).
    fn same(&mut self, mut changes: u32) {
        while changes > 0 {
            let some = changes.min(32);
            self.sink.put(u32::MAX >> (32 - some), some);
            changes -= some;
        }
    }

    /// T.4 §4.1.1: make-up codes, then a terminating code.
    #[inline]
    fn run(&mut self, runs: &Runs, mut length: u32) {
        while length >= 64 {
            let made_up = length.min(LONGEST_MAKE_UP) / 64;
            self.put(runs.make_up(made_up));
            length -= made_up * 64;
        }
        self.put(runs.terminating(length));
    }

    #[inline]
    fn put(&mut self, code: Code) {
        self.sink.put(u32::from(code.code), u32::from(code.bits));
    }
}
