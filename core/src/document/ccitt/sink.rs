//! Where coded bits go: into bytes, or only into a count. It knows no code.

/// Takes bits in the order they are sent.
pub trait BitSink {
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

/// Writes bytes, the first bit in the highest place (FillOrder 1).
#[derive(Debug, Default, Clone)]
pub struct BitWriter {
    bytes: Vec<u8>,
    /// Bits not yet in `bytes`, at the low end; always fewer than 32 between calls.
    pending: u64,
    filled: u32,
}

impl BitWriter {
    /// The bytes; the last is filled up with zeros.
    #[must_use]
    pub fn into_bytes(mut self) -> Vec<u8> {
        let rest = self.filled.div_ceil(8) as usize;
        let aligned = self.pending << (64 - self.filled.max(1));
        let aligned = if self.filled == 0 { 0 } else { aligned };
        self.bytes.extend_from_slice(&aligned.to_be_bytes()[..rest]);
        self.bytes
    }
}

impl BitSink for BitWriter {
    #[inline]
    fn put(&mut self, code: u32, bits: u32) {
        self.pending = self.pending << bits | u64::from(code);
        self.filled += bits;
        if self.filled >= 32 {
            self.filled -= 32;
            let word = (self.pending >> self.filled) as u32;
            self.bytes.extend_from_slice(&word.to_be_bytes());
        }
    }

    fn bits(&self) -> u64 {
        self.bytes.len() as u64 * 8 + u64::from(self.filled)
    }
}
