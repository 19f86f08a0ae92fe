//! Writes fax pages as a multi-page TIFF (TIFF 6.0, class F), with the coded bytes unchanged.

use std::ops::Range;

use crate::model::page::{FaxPage, PELS_PER_INCH};

/// The name of the software (tag 305), with the NUL that ends the string.
const SOFTWARE: &[u8] = b"fauxfax\0";
/// The number of entries in a page's directory.
const ENTRIES: u16 = 18;
/// The size of a directory entry, in bytes (TIFF 6.0, page 14).
const ENTRY_BYTES: usize = 12;
/// The total size of the values that don't fit into their entries, in bytes: two resolutions and the software's name.
const VALUES_BYTES: u32 = 24;

const SHORT: u16 = 3;
const LONG: u16 = 4;
const RATIONAL: u16 = 5;
const ASCII: u16 = 2;

/// Returns the file, and the range of each page's coded bytes in it. Offsets in the format have 32 bits and page
/// numbers 16, so pages beyond 4 GiB or after the 65,535th are omitted.
#[must_use]
pub(super) fn file(pages: &[FaxPage]) -> (Vec<u8>, Vec<Range<usize>>) {
    let mut places = Vec::with_capacity(pages.len());
    // The values and the directory of a page take less than 300 bytes.
    let room = pages.iter().map(|page| page.mmr.len() + 300).sum::<usize>() + 8;
    let mut file = Vec::with_capacity(room);
    file.extend_from_slice(b"II*\0\0\0\0\0");
    // The place at which the next directory's offset is filled in once it is known.
    let mut link = 4;
    // PageNumber has only 16 bits.
    let count = u16::try_from(pages.len()).unwrap_or(u16::MAX);
    for (number, page) in (0..count).zip(pages) {
        let strip = file.len();
        file.extend_from_slice(&page.mmr);
        places.push(strip..file.len());
        // Values and directories must begin at even offsets (TIFF 6.0, page 14).
        file.resize(file.len().next_multiple_of(2), 0);
        let values = file.len();
        let (Ok(strip), Ok(values)) = (u32::try_from(strip), u32::try_from(values)) else { break };
        file.extend_from_slice(&PELS_PER_INCH.to_le_bytes());
        file.extend_from_slice(&1_u32.to_le_bytes());
        file.extend_from_slice(&page.quality.rows_an_inch().to_le_bytes());
        file.extend_from_slice(&1_u32.to_le_bytes());
        file.extend_from_slice(SOFTWARE);
        let directory = values + VALUES_BYTES;
        file[link..link + 4].copy_from_slice(&directory.to_le_bytes());
        write_directory(&mut file, page, strip, values, number, count);
        link = file.len();
        file.extend_from_slice(&[0; 4]);
    }
    (file, places)
}

/// Appends the directory of one page, except for the offset of the next directory, which the caller appends.
fn write_directory(file: &mut Vec<u8>, page: &FaxPage, strip: u32, values: u32, number: u16, count: u16) {
    let length = u32::try_from(page.mmr.len()).unwrap_or(u32::MAX);
    let pages = u32::from(number) | u32::from(count) << 16;
    let software = u32::try_from(SOFTWARE.len()).unwrap_or(0);
    // Entries must be in ascending order of their tags (TIFF 6.0 §2).
    let entries: [(u16, u16, u32, u32); ENTRIES as usize] = [
        (254, LONG, 1, 2),                   // NewSubfileType: one page of many
        (256, LONG, 1, page.width),          // ImageWidth
        (257, LONG, 1, page.height),         // ImageLength
        (258, SHORT, 1, 1),                  // BitsPerSample
        (259, SHORT, 1, 4),                  // Compression: T.6
        (262, SHORT, 1, 0),                  // PhotometricInterpretation: white is zero
        (266, SHORT, 1, 1),                  // FillOrder: the first bit is the highest
        (273, LONG, 1, strip),               // StripOffsets
        (274, SHORT, 1, 1),                  // Orientation
        (277, SHORT, 1, 1),                  // SamplesPerPixel
        (278, LONG, 1, page.height),         // RowsPerStrip: one strip
        (279, LONG, 1, length),              // StripByteCounts
        (282, RATIONAL, 1, values),          // XResolution
        (283, RATIONAL, 1, values + 8),      // YResolution
        (293, LONG, 1, 0),                   // T6Options
        (296, SHORT, 1, 2),                  // ResolutionUnit: inch
        (297, SHORT, 2, pages),              // PageNumber
        (305, ASCII, software, values + 16), // Software
    ];
    file.reserve(entries.len() * ENTRY_BYTES + 6);
    file.extend_from_slice(&ENTRIES.to_le_bytes());
    for (tag, kind, count, value) in entries {
        file.extend_from_slice(&u16::to_le_bytes(tag));
        file.extend_from_slice(&u16::to_le_bytes(kind));
        file.extend_from_slice(&u32::to_le_bytes(count));
        file.extend_from_slice(&u32::to_le_bytes(value));
    }
}
