//! Inflates zlib data as far as it is intact.

use flate2::{Decompress, FlushDecompress, Status};

/// The growth step of the output buffer, in bytes.
const STEP_BYTES: usize = 64 * 1024;

/// The result of inflating zlib data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::document) struct Inflated {
    /// The inflated bytes, up to the fault if there is one.
    pub(in crate::document) bytes: Vec<u8>,
    /// Whether the data ended properly with a correct checksum, or reached the maximum length.
    pub(in crate::document) is_whole: bool,
}

/// Inflates zlib data to at most `most` bytes, which limits the expansion of hostile data.
pub(in crate::document) fn inflate(data: &[u8], most: usize) -> Inflated {
    let mut decompress = Decompress::new(true);
    let mut bytes = Vec::new();
    loop {
        let read = usize::try_from(decompress.total_in()).unwrap_or(usize::MAX);
        let before = (read, bytes.len());
        bytes.reserve(STEP_BYTES.min(most.saturating_sub(bytes.len())));
        let step = decompress.decompress_vec(data.get(read..).unwrap_or_default(), &mut bytes, FlushDecompress::None);
        if bytes.len() >= most {
            // `reserve` may allocate more than requested, and the decompressor fills the whole capacity.
            bytes.truncate(most);
            return Inflated { bytes, is_whole: true };
        }
        let read = usize::try_from(decompress.total_in()).unwrap_or(usize::MAX);
        match step {
            Ok(Status::StreamEnd) => return Inflated { bytes, is_whole: true },
            Ok(Status::Ok | Status::BufError) if (read, bytes.len()) != before => {}
            // If there was no progress, the data has ended too early, and a further step would not help.
            Ok(Status::Ok | Status::BufError) | Err(_) => return Inflated { bytes, is_whole: false },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;

    use super::*;

    #[test]
    fn bytes_before_a_fault_are_kept() {
        let text: Vec<u8> = (0..300_000_u32).map(|at| (at.wrapping_mul(at) / 7) as u8).collect();
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&text).unwrap();
        let data = encoder.finish().unwrap();
        assert_eq!(inflate(&data, usize::MAX), Inflated { bytes: text.clone(), is_whole: true });
        assert_eq!(inflate(&data, 1_000), Inflated { bytes: text[..1_000].to_vec(), is_whole: true });
        let half = inflate(&data[..data.len() / 2], usize::MAX);
        assert!(!half.is_whole && half.bytes.len() > text.len() / 3 && text.starts_with(&half.bytes));
        let mut damaged = data.clone();
        let end = damaged.len() - 1;
        damaged[end] ^= 1;
        let wrong_checksum = inflate(&damaged, usize::MAX);
        assert!(!wrong_checksum.is_whole);
        assert_eq!(wrong_checksum.bytes.len(), text.len());
        assert_eq!(inflate(b"no zlib data", usize::MAX), Inflated { bytes: Vec::new(), is_whole: false });
    }
}
