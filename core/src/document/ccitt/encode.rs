//! Codes rows according to T.4 and T.6, keeping only the row above in memory.

use super::Changes;
use super::codes::{BLACK, Code, EOL, HORIZONTAL, LONGEST_MAKE_UP, PASS, Runs, VERTICAL, WHITE};
use super::sink::BitSink;

/// The number of end-of-line codes that end a page in MH or MR (T.4 §4.1.4, §4.2.4: RTC).
const RTC_EOLS: u32 = 6;
/// The number of end-of-line codes that end a block in MMR (T.6 §2.4.1.1: EOFB).
const EOFB_EOLS: u32 = 2;
/// The shortest run that has a make-up code (T.4 §4.1.1); a power of two.
const MADE_UP: u32 = 64;
/// The largest offset, in pels, that a vertical mode can express (T.4 §4.2.1.3.2 b).
const VERTICAL_REACH: u32 = 3;

/// The codes of the vertical modes, VL(3) to VR(3), and of pass mode.
static VERTICAL_AND_PASS: [Code; 8] = {
    let [vl3, vl2, vl1, v0, vr1, vr2, vr3] = VERTICAL;
    [vl3, vl2, vl1, v0, vr1, vr2, vr3, PASS]
};

/// The scheme by which rows are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Modified Huffman: each row on its own (T.4 §4.1).
    Mh,
    /// Modified READ: one row on its own, then at most `k - 1` rows relative to the row above (T.4 §4.2.1.1).
    Mr {
        /// 2 at standard, 4 at fine and 8 at superfine resolution.
        k: u32,
    },
    /// Modified modified READ: all rows relative to the row above (T.6 §2.2).
    Mmr,
}

/// Codes the rows of one page, from the top.
#[derive(Debug)]
pub struct Coder<S> {
    scheme: Scheme,
    width: u32,
    minimum_row_bits: u32,
    /// The previous row, which two-dimensional coding refers to.
    above: Changes,
    /// The number of rows coded so far.
    rows: u32,
    sink: S,
}

impl<S: BitSink> Coder<S> {
    /// Creates a coder at the top of a page. MH and MR rows with fewer than `minimum_row_bits` bits get fill (T.4
    /// §4.1.3).
    pub fn new(scheme: Scheme, width: u32, minimum_row_bits: u32, sink: S) -> Self {
        // T.6 §2.2.1: there is an imaginary white row above the first.
        Self { scheme, width, minimum_row_bits, above: Changes::white(width), rows: 0, sink }
    }

    /// Codes a row, which becomes the reference for the next.
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
        // MH never looks at the row above, so copying this row would only take time.
        if self.scheme != Scheme::Mh {
            self.above.copy_from(row);
        }
    }

    /// Returns the number of bits coded so far.
    pub fn bits(&self) -> u64 {
        self.sink.bits()
    }

    /// Returns the sink without ending the page, so that another coder can continue the page.
    pub fn into_sink(self) -> S {
        self.sink
    }

    /// Codes the end of the page and returns the sink.
    pub fn finish(mut self) -> S {
        match self.scheme {
            Scheme::Mmr => self.eols(EOFB_EOLS, None),
            Scheme::Mh => self.eols(RTC_EOLS, None),
            // Each end-of-line code has the tag of one-dimensional coding (T.4 §4.2.4).
            Scheme::Mr { .. } => self.eols(RTC_EOLS, Some(true)),
        }
        self.sink
    }

    /// Codes a T.4 row: an end-of-line code, the data, and fill (§4.1.3). In MR, `alone` says whether the row is coded
    /// without the row above, which is also the tag after the end-of-line code (§4.2.2); in MH, there is no tag.
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

    /// Appends end-of-line codes, each followed by a tag in MR.
    fn eols(&mut self, count: u32, tag: Option<bool>) {
        for _ in 0..count {
            self.put(EOL);
            if let Some(alone) = tag {
                self.sink.put(u32::from(alone), 1);
            }
        }
    }

    /// Codes a row without the row above (T.4 §4.1.1): alternating runs, of which the first is always white, even if
    /// its length is zero.
    fn one_dimensional(&mut self, row: &Changes) {
        let (mut colours, mut from) = ([&WHITE, &BLACK], 0);
        for at in &row.at()[..=row.count()] {
            self.run(colours[0], at - from);
            from = *at;
            colours.swap(0, 1);
        }
    }

    /// Codes a row relative to the row above (T.4 §4.2.1.3.3 and T.6 §2.2.4, figures 7 and 3). `a0` is the current
    /// position, `a1` and `a2` are the next changes in this row, `b1` is the first change in the row above that is
    /// right of `a0` and to the same colour as `a1`, and `b2` is the change after `b1`.
    fn two_dimensional(&mut self, row: &Changes) {
        if row.at() == self.above.at() {
            self.same(row.count() as u32 + 1);
            return;
        }
        let width = self.width;
        let (coding, above) = (row.at(), self.above.at());
        // Unlike a field of the coder, a local variable can stay in registers.
        let mut sink = std::mem::take(&mut self.sink);
        let (mut a0, mut a, mut b) = (0, 0, 0);
        while a0 < width {
            let (a1, b1, b2) = (coding[a], above[b], above[b + 1]);
            let passes = b2 < a1;
            // The reach is from 0 to 6 if a1 is at most three pels from b1; otherwise it is larger or wraps to a large
            // number. So one comparison is enough.
            let reach = a1.wrapping_add(VERTICAL_REACH).wrapping_sub(b1);
            if passes || reach <= 2 * VERTICAL_REACH {
                // Pass mode (§2.2.3.1): b2 is left of a1. Vertical mode (§2.2.3.2): a1 is at most three pels from b1.
                // On dithered pages, the branch predictor can't guess which applies, so they share one branch.
                let code = VERTICAL_AND_PASS[if passes { VERTICAL.len() } else { reach as usize }];
                sink.put(u32::from(code.code), u32::from(code.bits));
                a0 = if passes { b2 } else { a1 };
                a += usize::from(!passes);
                // The next b1 must be a change to the other colour, so it may be the change before this b1.
                let before = if b > 0 { b - 1 } else { 1 };
                b = if passes { b + 2 } else { before };
            } else {
                // Horizontal mode (§2.2.3.3): the runs a0a1 and a1a2. The first run of a row counts from column 0.
                let a2 = coding[a + 1];
                let (a0a1, a1a2) = (a1 - a0, a2 - a1);
                // Changes to black have even indexes, so the run before such a change is white.
                let (first, second) = if a.is_multiple_of(2) { (&WHITE, &BLACK) } else { (&BLACK, &WHITE) };
                // Because `MADE_UP` is a power of two, the bitwise OR is below it only if both runs are.
                if a0a1 | a1a2 < MADE_UP {
                    let (first, second) = (first.terminating(a0a1), second.terminating(a1a2));
                    let runs = u32::from(first.code) << second.bits | u32::from(second.code);
                    let bits = u32::from(first.bits + second.bits);
                    sink.put(u32::from(HORIZONTAL.code) << bits | runs, bits + u32::from(HORIZONTAL.bits));
                } else {
                    sink = long_runs(sink, [(first, a0a1), (second, a1a2)]);
                }
                a0 = a2;
                a += 2;
            }
            if a0 < width {
                // The first step is needed about half of the time. The branch predictor can't guess when, so the step
                // has no branch. The sentinels end the loop.
                b += 2 * usize::from(above[b] <= a0);
                while above[b] <= a0 {
                    b += 2;
                }
            }
        }
        self.sink = sink;
    }

    /// Codes a row that equals the row above. Each change and the end of the row are coded as V(0), which is a single 1
    /// bit.
    fn same(&mut self, mut changes: u32) {
        while changes > 0 {
            let some = changes.min(32);
            self.sink.put(u32::MAX >> (32 - some), some);
            changes -= some;
        }
    }

    fn run(&mut self, runs: &Runs, length: u32) {
        run(&mut self.sink, runs, length);
    }

    fn put(&mut self, code: Code) {
        put(&mut self.sink, code);
    }
}

/// Codes horizontal mode with runs that need make-up codes. It is not inlined, so that the common case stays small.
#[inline(never)]
fn long_runs<S: BitSink>(mut sink: S, runs: [(&Runs, u32); 2]) -> S {
    put(&mut sink, HORIZONTAL);
    for (runs, length) in runs {
        run(&mut sink, runs, length);
    }
    sink
}

/// Codes a run: make-up codes, then a terminating code (T.4 §4.1.1).
fn run(sink: &mut impl BitSink, runs: &Runs, mut length: u32) {
    while length >= MADE_UP {
        let made_up = length.min(LONGEST_MAKE_UP) / MADE_UP;
        put(sink, runs.make_up(made_up));
        length -= made_up * MADE_UP;
    }
    put(sink, runs.terminating(length));
}

fn put(sink: &mut impl BitSink, code: Code) {
    sink.put(u32::from(code.code), u32::from(code.bits));
}
