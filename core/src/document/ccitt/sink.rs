//! Receives coded bits, which are either collected into bytes or merely counted.

/// Receives bits in the order in which they would be sent.
pub trait BitSink: Default {
    /// Appends the low `bits` bits of `code`, highest first; `bits` must be at most 32, and the rest of `code` must be
    /// zero.
    fn put(&mut self, code: u32, bits: u32);
    /// Returns the number of bits received so far.
    fn bits(&self) -> u64;
}

/// Counts bits without storing them.
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

/// The buffer size of a new writer, in bytes.
const ROOM_BYTES: usize = 16 * 1024;

/// Collects bits into bytes, the first bit in the highest place (FillOrder 1).
#[derive(Debug, Default, Clone)]
pub struct BitWriter {
    /// The bytes so far, with spare room after them.
    bytes: Vec<u8>,
    /// The number of complete bytes so far.
    at: usize,
    /// Bits that don't yet fill a byte, at the low end; above them are bits that have already been written.
    pending: u64,
    /// The number of pending bits, always below 8 between calls.
    filled: u32,
}

impl BitWriter {
    /// Returns the bytes, the last one padded with zeros.
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
        // The whole word is stored each time, because a branch on whether a byte is full would be unpredictable. The
        // next call overwrites the incomplete part. If no bits are pending, the shift by 64 wraps to a shift by zero,
        // and the stored word is overwritten later.
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

/// Doubles the buffer. The function takes only this field of the writer, so that the other fields can stay in
/// registers.
#[cold]
#[inline(never)]
fn grow(bytes: &mut Vec<u8>) {
    bytes.resize((bytes.len() * 2).max(ROOM_BYTES), 0);
}
