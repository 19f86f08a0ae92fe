//! Where coded bits go: into bytes, or only into a count. It knows no code.

/// Takes bits in the order they are sent.
pub trait BitSink: Default {
    /// Takes the low `bits` bits of `code`, the highest of them first; at most 32 at a time.
    fn put(&mut self, code: u32, bits: u32);
    /// How many bits have been taken.
    fn bits(&self) -> u64;
}

/// Counts.
#[derive(Debug, Default, Clone, Copy)]
pub struct BitCounter(u64);

impl BitSink for BitCounter {
    #[inline]
    fn put(&mut self, _code: u32, bits: u32) {
        self.0 += u64::from(bits);
    }

    fn bits(&self) -> u64 {
        self.0
    }
}

/// Bytes that a writer begins with.
const ROOM_BYTES: usize = 16 * 1024;

/// Writes bytes, the first bit in the highest place (FillOrder 1).
#[derive(Debug, Default, Clone)]
pub struct BitWriter {
    /// The bytes so far, and room for more.
    bytes: Vec<u8>,
    /// Whole bytes so far.
    at: usize,
    /// Bits that don't fill a byte yet, at the low end; above them are bits already written.
    pending: u64,
    /// How many of them; always fewer than 8 between calls.
    filled: u32,
}

impl BitWriter {
    /// The bytes; the last is filled up with zeros.
    #[must_use]
    pub fn into_bytes(mut self) -> Vec<u8> {
        self.bytes.truncate(self.at + self.filled.div_ceil(8) as usize);
        self.bytes
    }
}

impl BitSink for BitWriter {
    #[inline]
    fn put(&mut self, code: u32, bits: u32) {
        self.pending = self.pending << bits | u64::from(code);
        self.filled += bits;
        // The whole word is written each time, and what isn't filled of it again by the next: whether a byte is full can't
        // be foreseen. Where no bit is filled, the shift by 64 is one by none, and what is written is not kept.
        let word = self.pending.wrapping_shl(u64::BITS - self.filled).to_be_bytes();
        let end = self.at + word.len();
        if self.bytes.len() < end {
            grow(&mut self.bytes);
        }
        self.bytes[self.at..end].copy_from_slice(&word);
        self.at += (self.filled / 8) as usize;
        self.filled %= 8;
    }

    fn bits(&self) -> u64 {
        self.at as u64 * 8 + u64::from(self.filled)
    }
}

/// Doubles the room of a writer. It is given no more of it, so that the rest can stay in registers.
#[cold]
#[inline(never)]
fn grow(bytes: &mut Vec<u8>) {
    bytes.resize((bytes.len() * 2).max(ROOM_BYTES), 0);
}
