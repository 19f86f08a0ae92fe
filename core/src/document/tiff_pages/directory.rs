//! Reads the directories of a TIFF (TIFF 6.0 §2, BigTIFF): tags and their values, as far as the file contains them.

use std::collections::BTreeSet;

/// The maximum number of entries read per directory; libtiff defines fewer than 400 tags.
const ENTRIES_MAX: u64 = 4_096;
/// The maximum number of directories followed per file; a fax has at most 1,000 pages, each perhaps with
/// reduced copies.
const DIRECTORIES_MAX: usize = 4_000;

/// The bytes of a TIFF, and the format of the numbers in it.
#[derive(Debug, Clone, Copy)]
pub(in crate::document) struct File<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) is_big_endian: bool,
    /// Whether the file is a BigTIFF, with offsets of 64 bits.
    is_big: bool,
}

/// One entry of a directory: a tag, and where its values are.
#[derive(Debug, Clone, Copy)]
struct Entry {
    tag: u16,
    kind: u16,
    count: u64,
    /// The offset of the values in the file.
    at: u64,
}

/// One directory, which describes one image.
#[derive(Debug, Clone)]
pub(in crate::document) struct Directory<'a> {
    pub(super) file: File<'a>,
    /// The offset at which the directory begins.
    pub(super) at: u64,
    entries: Vec<Entry>,
}

/// The reachable directories of a file.
#[derive(Debug, Clone)]
pub(in crate::document) struct Chain<'a> {
    pub(super) directories: Vec<Directory<'a>>,
    /// The reason why there may be more directories that can't be reached.
    pub(super) fault: Option<&'static str>,
}

/// Reads the first directory of a TIFF or of EXIF data.
pub(in crate::document) fn first(bytes: &[u8]) -> Option<Directory<'_>> {
    let (file, at) = File::open(bytes)?;
    file.directory(at).map(|(directory, _)| directory)
}

/// Follows the chain of directories; `None` if the file has no TIFF header.
pub(super) fn chain(bytes: &[u8]) -> Option<Chain<'_>> {
    let (file, mut at) = File::open(bytes)?;
    let mut seen = BTreeSet::new();
    let mut chain = Chain { directories: Vec::new(), fault: None };
    while at != 0 {
        if !seen.insert(at) {
            chain.fault = Some("the chain of its pages leads back to an earlier page");
            break;
        }
        if seen.len() > DIRECTORIES_MAX {
            chain.fault = Some("it has too many pages; the rest is not read");
            break;
        }
        let Some((directory, next)) = file.directory(at) else {
            chain.fault = Some("the chain of its pages leads outside the file");
            break;
        };
        // At an incorrect offset, there are arbitrary bytes, which rarely look like a directory with a width.
        if directory.number(super::tag::IMAGE_WIDTH).is_none() {
            chain.fault = Some("the chain of its pages leads to something that is not an image");
            break;
        }
        chain.directories.push(directory);
        let Some(next) = next else {
            chain.fault = Some("its last directory ends too early");
            break;
        };
        at = next;
    }
    Some(chain)
}

impl<'a> File<'a> {
    /// Reads the header and returns the offset of the first directory.
    fn open(bytes: &'a [u8]) -> Option<(Self, u64)> {
        let is_big_endian = match bytes.get(..2)? {
            b"II" => false,
            b"MM" => true,
            _ => return None,
        };
        let file = Self { bytes, is_big_endian, is_big: false };
        match file.number(2, 2)? {
            42 => Some((file, file.number(4, 4)?)),
            43 => Some((Self { is_big: true, ..file }, file.number(8, 8)?)),
            _ => None,
        }
    }

    /// Reads an integer of at most 8 bytes.
    fn number(&self, at: u64, bytes: usize) -> Option<u64> {
        let at = usize::try_from(at).ok()?;
        let bytes = self.bytes.get(at..at.checked_add(bytes)?)?;
        let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        Some(if self.is_big_endian { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) })
    }

    /// Reads a directory, and the offset of the next one unless the file ends before it. Returns `None` if the file
    /// doesn't contain even one entry.
    fn directory(&self, at: u64) -> Option<(Directory<'a>, Option<u64>)> {
        let (count_bytes, entry_bytes, offset_bytes) = if self.is_big { (8, 20, 8) } else { (2, 12, 4) };
        let count = self.number(at, count_bytes)?;
        let start = at.checked_add(count_bytes as u64)?;
        let mut entries = Vec::new();
        for index in 0..count.min(ENTRIES_MAX) {
            let Some(entry) = self.entry(start.checked_add(index * entry_bytes)?, offset_bytes) else { break };
            entries.push(entry);
        }
        if entries.is_empty() {
            return None;
        }
        let end = count.checked_mul(entry_bytes).and_then(|bytes| start.checked_add(bytes));
        let next = end.and_then(|end| self.number(end, offset_bytes));
        Some((Directory { file: *self, at, entries }, next))
    }

    /// Reads the entry at an offset.
    fn entry(&self, at: u64, offset_bytes: usize) -> Option<Entry> {
        let (tag, kind) = (self.number(at, 2)? as u16, self.number(at + 2, 2)? as u16);
        let count = self.number(at + 4, offset_bytes)?;
        let place = at + 4 + offset_bytes as u64;
        // Values that fit are stored in the entry itself.
        let inside = count.checked_mul(size(kind)).is_some_and(|bytes| bytes <= offset_bytes as u64);
        let outside = self.number(place, offset_bytes)?;
        Some(Entry { tag, kind, count, at: if inside { place } else { outside } })
    }
}

impl<'a> Directory<'a> {
    /// Returns the entry with this tag.
    fn entry(&self, tag: u16) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.tag == tag)
    }

    /// Returns up to `most` integers of a tag, as far as they are in the file.
    pub(in crate::document) fn numbers(&self, tag: u16, most: usize) -> Vec<u64> {
        let Some(entry) = self.entry(tag) else { return Vec::new() };
        let bytes = size(entry.kind);
        // The other types are fractions, floats and unknown types.
        if !matches!(entry.kind, 1..=4 | 6..=9 | 13 | 16..=18) {
            return Vec::new();
        }
        (0..entry.count)
            .take(most)
            .map_while(|index| self.file.number(entry.at.checked_add(index.checked_mul(bytes)?)?, bytes as usize))
            .collect()
    }

    /// Returns the first integer of a tag.
    pub(in crate::document) fn number(&self, tag: u16) -> Option<u64> {
        self.numbers(tag, 1).first().copied()
    }

    /// Returns the first value of a tag, which may be stored as an integer, a fraction or a float. A fraction with a
    /// denominator of zero is not finite.
    pub(super) fn ratio(&self, tag: u16) -> Option<f64> {
        let entry = self.entry(tag)?;
        match entry.kind {
            5 | 10 => {
                let (above, below) = (self.file.number(entry.at, 4)?, self.file.number(entry.at.checked_add(4)?, 4)?);
                Some(above as f64 / below as f64)
            }
            11 => Some(f64::from(f32::from_bits(self.file.number(entry.at, 4)? as u32))),
            12 => Some(f64::from_bits(self.file.number(entry.at, 8)?)),
            _ => self.number(tag).map(|whole| whole as f64),
        }
    }

    /// Returns the raw bytes of a tag's values; `None` if the file doesn't contain all of them.
    pub(in crate::document) fn bytes(&self, tag: u16) -> Option<&'a [u8]> {
        let entry = self.entry(tag)?;
        let start = usize::try_from(entry.at).ok()?;
        let end = start.checked_add(usize::try_from(entry.count.checked_mul(size(entry.kind))?).ok()?)?;
        self.file.bytes.get(start..end)
    }
}

/// Returns the size of a value of this type in bytes (TIFF 6.0 §2; from type 13 on, the technical notes and BigTIFF).
const fn size(kind: u16) -> u64 {
    match kind {
        3 | 8 => 2,
        4 | 9 | 11 | 13 => 4,
        5 | 10 | 12 | 16..=18 => 8,
        _ => 1,
    }
}
