//! Decodes MH, MR and MMR as fax software does, even if the data is damaged: readable rows are decoded, and damaged
//! rows are counted. Bits must be in FillOrder 1.
//!
//! A row is a list of changes, as for the coder, except that runs of zero length are kept. Some coders write such runs
//! in vertical mode, and then count their ends as changing elements of the reference row. T.4 §4.2.1.3.1 doesn't
//! provide for this, but libtiff reads such data in the same way.

use std::sync::LazyLock;

use super::super::bitmap::Bitmap;
use super::codes::{self, Code, HORIZONTAL, LONGEST_MAKE_UP, PASS, Runs, VERTICAL};

/// The storage format of a page's coded rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// MH without end-of-line codes, with rows that begin on byte boundaries: TIFF compression 2.
    MhRows,
    /// MH without end-of-line codes, with rows that begin on 16-bit boundaries: TIFF compression 32771.
    MhWords,
    /// MH with end-of-line codes: TIFF compression 3, one-dimensional.
    Mh,
    /// MR with end-of-line codes: TIFF compression 3, two-dimensional.
    Mr,
    /// MMR: TIFF compression 4, and PDF's CCITTFaxDecode with a negative K.
    Mmr,
}

/// The part of a page that could be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The image, with white where nothing could be decoded.
    pub image: Bitmap,
    /// The number of rows decoded before the data ended or could no longer be followed.
    pub rows: u32,
    /// The number of rows with an invalid code, after which decoding resumed at the next end of line.
    pub damaged_rows: u32,
}

impl Decoded {
    /// Returns whether every row was decoded without a fault.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.rows == self.image.height() && self.damaged_rows == 0
    }
}

/// Decodes up to `height` rows of `width` pels.
#[must_use]
pub fn decode(bytes: &[u8], stored: Stored, width: u32, height: u32) -> Decoded {
    let mut reader = Reader { bits: Bits { bytes, at: 0 }, stored, row: Row::default(), reference: Row::default() };
    let mut decoded = Decoded { image: Bitmap::white(width, height), rows: 0, damaged_rows: 0 };
    while decoded.rows < height {
        match reader.row(width) {
            Outcome::Whole => {}
            Outcome::Damaged => decoded.damaged_rows += 1,
            Outcome::BreaksOff => {
                // The part of the row before the invalid code is drawn, but the row isn't counted.
                reader.row.draw(&mut decoded.image, decoded.rows);
                break;
            }
            Outcome::Ends => break,
        }
        reader.row.draw(&mut decoded.image, decoded.rows);
        decoded.rows += 1;
    }
    decoded
}

/// The number of consecutive end-of-line codes that are taken as the end of the page; T.4 §4.1.4 specifies six.
const RETURN_EOLS: u32 = 4;
/// The longest run that is accepted; no fax is that wide.
const RUN_MAX: u32 = 1 << 24;
/// The length of the longest run code, in bits.
const RUN_CODE_BITS: u32 = 13;
/// The length of the longest mode code, in bits.
const MODE_CODE_BITS: u32 = 7;
/// The length of an end-of-line code, in bits.
const EOL_BITS: u32 = 12;

/// The error for a code that doesn't exist or that is cut off by the end of the data.
struct Wrong;

/// The result of reading one row.
enum Outcome {
    /// The row was decoded without a fault.
    Whole,
    /// The row has an invalid code; decoding resumes at the next row.
    Damaged,
    /// The row has an invalid code, and nothing after it can be decoded.
    BreaksOff,
    /// The data ended, or an end-of-page code was read.
    Ends,
}

/// Reads the rows of a page, from the top.
struct Reader<'a> {
    bits: Bits<'a>,
    stored: Stored,
    /// The row that was read last.
    row: Row,
    /// The row above it, which two-dimensional coding refers to.
    reference: Row,
}

impl Reader<'_> {
    /// Reads the next row, including the end-of-line codes before it.
    fn row(&mut self, width: u32) -> Outcome {
        std::mem::swap(&mut self.row, &mut self.reference);
        self.row.changes.clear();
        match self.stored {
            Stored::MhRows => self.bits.align(8),
            Stored::MhWords => self.bits.align(16),
            Stored::Mh | Stored::Mr | Stored::Mmr => {}
        }
        let start = self.bits.clone();
        let mut one_dimensional = self.stored != Stored::Mmr;
        if self.stored == Stored::Mmr {
            // Two end-of-line codes end the block (T.6 §2.4.1.1). A single end-of-line code has no meaning in MMR and
            // is skipped.
            if self.bits.peek(EOL_BITS * 2) == 0x0000_1001 {
                return Outcome::Ends;
            }
            if self.bits.peek(EOL_BITS) == 1 {
                self.bits.skip(EOL_BITS);
            }
        } else {
            let mut eols = 0;
            while self.bits.skip_eol() {
                eols += 1;
                // In MR, a tag bit follows each end-of-line code. At the end of the page, all tag bits are 1; such a
                // tag is skipped only if another end-of-line code follows, because otherwise it belongs to a row.
                if self.stored == Stored::Mr && self.bits.peek(EOL_BITS + 1) == 1 << EOL_BITS | 1 {
                    self.bits.skip(1);
                }
            }
            if eols >= RETURN_EOLS {
                return Outcome::Ends;
            }
            if self.stored == Stored::Mr {
                one_dimensional = self.bits.peek(1) == 1;
                self.bits.skip(1);
            }
        }
        if self.bits.is_at_end() {
            return Outcome::Ends;
        }
        let read = if one_dimensional {
            self.row.one_dimensional(&mut self.bits, width)
        } else {
            self.row.two_dimensional(&mut self.bits, &self.reference.changes, width)
        };
        match read {
            Ok(()) => Outcome::Whole,
            Err(Wrong) => self.recover(start.at),
        }
    }

    /// Moves to the next end-of-line code after a row that can't be decoded. A row never contains such a code.
    fn recover(&mut self, start: usize) -> Outcome {
        if !matches!(self.stored, Stored::Mh | Stored::Mr) {
            return Outcome::BreaksOff;
        }
        // The end-of-line code before the damaged row comes first and is skipped.
        let mut at = Bits { bytes: self.bits.bytes, at: start };
        at.skip_eol();
        if at.seek_eol() {
            self.bits.at = at.at;
            Outcome::Damaged
        } else {
            Outcome::BreaksOff
        }
    }
}

/// The changes of a row from left to right, beginning with a change to black and including runs of zero length.
#[derive(Default)]
struct Row {
    changes: Vec<u32>,
}

impl Row {
    /// Blackens the runs of the row in an image.
    fn draw(&self, image: &mut Bitmap, y: u32) {
        for run in self.changes.chunks(2) {
            image.blacken_run(y, run[0], run.get(1).copied().unwrap_or(image.width()));
        }
    }

    /// Returns whether the run after the last change is black.
    fn is_black(&self) -> bool {
        self.changes.len() % 2 == 1
    }

    /// Ends a run at `at`, or at the end of the row if that comes first, and returns where the run ended. Because runs
    /// of zero length are kept, the number of changes is limited to twice the width and one more; otherwise damaged
    /// data could exhaust memory.
    fn change(&mut self, at: u32, width: u32) -> Result<u32, Wrong> {
        if self.changes.len() > width as usize * 2 {
            return Err(Wrong);
        }
        let at = at.min(width);
        self.changes.push(at);
        Ok(at)
    }

    /// Decodes a row that doesn't depend on other rows (T.4 §4.1.1).
    fn one_dimensional(&mut self, bits: &mut Bits<'_>, width: u32) -> Result<(), Wrong> {
        let mut at = 0;
        while at < width {
            let run = bits.run(self.is_black())?;
            at = self.change(at + run, width)?;
        }
        Ok(())
    }

    /// Decodes a row relative to the row above (T.4 §4.2.1.3, T.6 §2.2). The variables are named as in the standards.
    fn two_dimensional(&mut self, bits: &mut Bits<'_>, reference: &[u32], width: u32) -> Result<(), Wrong> {
        let element = |index: usize| reference.get(index).copied().unwrap_or(width);
        let mut a0 = 0;
        let mut index = 0;
        while a0 < width {
            // b1 must be to the right of a0. At the start of a row, a0 is to the left of the first pel, so b1 may be 0.
            while !self.changes.is_empty() && element(index) <= a0 && element(index) < width {
                index += 2;
            }
            let b1 = element(index);
            match bits.mode()? {
                Mode::Pass => {
                    a0 = element(index + 1);
                    index += 2;
                }
                Mode::Horizontal => {
                    for _ in 0..2 {
                        let run = bits.run(self.is_black())?;
                        a0 = self.change(a0 + run, width)?;
                    }
                }
                Mode::Vertical(by) if by >= 0 => {
                    a0 = self.change(b1.saturating_add_signed(by), width)?;
                    index += 1;
                }
                Mode::Vertical(by) => {
                    let a1 = b1.checked_add_signed(by).filter(|a1| *a1 >= a0).ok_or(Wrong)?;
                    a0 = self.change(a1, width)?;
                    // After a step to the left, b1 may be the change before the current one. At the start of the row
                    // above, there is none before it, and b1 is the second change.
                    index = if index == 0 { 1 } else { index - 1 };
                }
            }
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Pass,
    Horizontal,
    Vertical(i32),
}

/// A position within the coded bits. Past the end, all bits are zero.
#[derive(Clone)]
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    /// Returns the next `count` bits, at most 24, without consuming them.
    fn peek(&self, count: u32) -> u32 {
        let mut word = [0; 8];
        let rest = self.bytes.get(self.at / 8..).unwrap_or_default();
        // Four bytes contain the 24 bits, at whichever bit of the first byte they begin.
        let held = rest.len().min(4);
        word[..held].copy_from_slice(&rest[..held]);
        (u64::from_be_bytes(word) << (self.at % 8) >> (64 - count)) as u32
    }

    const fn skip(&mut self, count: u32) {
        self.at += count as usize;
    }

    const fn align(&mut self, bits: usize) {
        self.at = self.at.next_multiple_of(bits);
    }

    const fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len() * 8
    }

    /// Consumes the bits of a code, which is invalid if it extends past the end.
    const fn take(&mut self, count: u8) -> Result<(), Wrong> {
        self.at += count as usize;
        if self.at > self.bytes.len() * 8 { Err(Wrong) } else { Ok(()) }
    }

    /// Reads the code of a mode.
    fn mode(&mut self) -> Result<Mode, Wrong> {
        let (mode, bits) = TABLES.modes[self.peek(MODE_CODE_BITS) as usize].ok_or(Wrong)?;
        self.take(bits)?;
        Ok(mode)
    }

    /// Reads the codes of a run: any number of make-up codes, then a terminating code.
    fn run(&mut self, black: bool) -> Result<u32, Wrong> {
        let table = if black { &TABLES.black } else { &TABLES.white };
        let mut length = 0;
        loop {
            let (run, bits) = table[self.peek(RUN_CODE_BITS) as usize].ok_or(Wrong)?;
            self.take(bits)?;
            length += u32::from(run);
            if run < 64 {
                return Ok(length);
            }
            if length > RUN_MAX {
                return Err(Wrong);
            }
        }
    }

    /// Skips an end-of-line code and the fill before it, and returns whether there was one.
    fn skip_eol(&mut self) -> bool {
        if self.peek(EOL_BITS - 1) != 0 {
            return false;
        }
        let mut after = self.clone();
        after.skip(EOL_BITS - 1);
        let found = after.skip_zeros();
        if found {
            *self = after;
        }
        found
    }

    /// Moves to the next end-of-line code, or to the fill before it, and returns whether there is one.
    fn seek_eol(&mut self) -> bool {
        while !self.is_at_end() {
            if self.peek(EOL_BITS - 1) == 0 {
                let mut after = self.clone();
                return after.skip_eol();
            }
            self.skip(1);
        }
        false
    }

    /// Skips zeros and the 1 bit after them; returns false if the data ends before a 1 bit.
    fn skip_zeros(&mut self) -> bool {
        while !self.is_at_end() {
            match self.peek(24) {
                0 => self.skip(24),
                bits => {
                    // The 24 bits are at the low end of a 32-bit word, so the 8 zeros before them don't count.
                    self.skip(bits.leading_zeros() - 8 + 1);
                    return self.at <= self.bytes.len() * 8;
                }
            }
        }
        false
    }
}

/// Lookup tables that are indexed by the next bits. An entry holds the meaning and the length of the code with which
/// these bits begin.
struct Tables {
    white: Vec<Option<(u16, u8)>>,
    black: Vec<Option<(u16, u8)>>,
    modes: Vec<Option<(Mode, u8)>>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let modes = [(Mode::Pass, PASS), (Mode::Horizontal, HORIZONTAL)];
    let vertical = (-3..).map(Mode::Vertical).zip(VERTICAL);
    Tables {
        white: table(RUN_CODE_BITS, runs(&codes::WHITE)),
        black: table(RUN_CODE_BITS, runs(&codes::BLACK)),
        modes: table(MODE_CODE_BITS, modes.into_iter().chain(vertical)),
    }
});

/// Iterates over the run lengths that have a code, with the codes.
fn runs(codes: &Runs) -> impl Iterator<Item = (u16, Code)> {
    let terminating = (0..64).map(|length| (length as u16, codes.terminating(length)));
    terminating.chain((1..=LONGEST_MAKE_UP / 64).map(|times| (times as u16 * 64, codes.make_up(times))))
}

/// Builds a lookup table for the next `bits` bits. A shorter code fills all entries whose index begins with it.
fn table<T: Copy>(bits: u32, codes: impl Iterator<Item = (T, Code)>) -> Vec<Option<(T, u8)>> {
    let mut table = vec![None; 1 << bits];
    for (meaning, Code { code, bits: length }) in codes {
        let free = bits - u32::from(length);
        let first = usize::from(code) << free;
        table[first..first + (1 << free)].fill(Some((meaning, length)));
    }
    table
}
