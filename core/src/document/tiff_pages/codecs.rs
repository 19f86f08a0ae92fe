//! Decompresses one segment (strip or tile) of a TIFF as far as it is intact, with other crates and this crate's fax
//! decoder.

use weezl::BitOrder;
use weezl::decode::Configuration;

use super::layout::{Colour, Compression, Layout};
use crate::document::ccitt::{self, Stored};
use crate::document::images::Fault;
use crate::document::images::inflate::inflate;
use crate::document::images::jpeg::{self, Want};

/// The decompressed bytes of a segment.
pub(super) struct Unpacked {
    /// The bytes that could be read.
    pub(super) bytes: Vec<u8>,
    /// The number of interleaved samples per pel.
    pub(super) samples: usize,
    /// Whether some of the bytes may be wrong.
    pub(super) is_damaged: bool,
}

/// Decompresses a segment with this many rows; `tables` are the JPEG tables that all segments share.
pub(super) fn unpacked(layout: &Layout, tables: Option<&[u8]>, data: &[u8], rows: u32) -> Result<Unpacked, Fault> {
    let reversed: Vec<u8>;
    // JPEG defines its own bit order, so FillOrder doesn't apply to it.
    let data = if layout.is_backwards && layout.compression != Compression::Jpeg {
        reversed = data.iter().map(|byte| byte.reverse_bits()).collect();
        &reversed
    } else {
        data
    };
    let (width, samples) = (layout.segment.0, layout.samples_together());
    let is_together = !layout.is_planar && samples == 3;
    let shared = if let Colour::LumaFirst { shared } = layout.colour { Some(shared) } else { None };
    let shared = shared.filter(|shared| is_together && *shared != (1, 1));
    let most = match shared {
        Some(shared) => units_bytes((width, rows), shared),
        None => layout.row_bytes() * rows as usize,
    };
    let (mut bytes, is_damaged) = match layout.compression {
        Compression::None => (data[..data.len().min(most)].to_vec(), false),
        Compression::PackBits => (pack_bits(data, most), false),
        Compression::Lzw => lzw(data, most),
        Compression::Deflate => {
            let inflated = inflate(data, most);
            (inflated.bytes, !inflated.is_whole)
        }
        Compression::MhRows => fax(data, Stored::MhRows, (width, rows)),
        Compression::MhWords => fax(data, Stored::MhWords, (width, rows)),
        Compression::Group3 { two_dimensional: false } => fax(data, Stored::Mh, (width, rows)),
        Compression::Group3 { two_dimensional: true } => fax(data, Stored::Mr, (width, rows)),
        Compression::Group4 => fax(data, Stored::Mmr, (width, rows)),
        Compression::Jpeg => return jpeg_segment(layout, tables, data, rows),
    };
    if layout.is_predicted {
        undo_prediction(layout, &mut bytes);
    }
    match shared {
        Some(shared) if layout.bits == 8 => {
            Ok(Unpacked { bytes: luma_of_units(&bytes, width, shared), samples: 1, is_damaged })
        }
        Some(_) => Err(Fault::not_supported(format!("chroma subsampling of {}-bit samples", layout.bits))),
        None => Ok(Unpacked { bytes, samples, is_damaged }),
    }
}

/// Decodes fax data to packed bits, with black as 1, and returns only complete rows.
fn fax(data: &[u8], stored: Stored, (width, rows): (u32, u32)) -> (Vec<u8>, bool) {
    let decoded = ccitt::decode(data, stored, width, rows);
    let row_bytes = (width as usize).div_ceil(8);
    let there = decoded.image.rows().take(decoded.rows as usize);
    let bytes = there.flat_map(|row| row.iter().flat_map(|word| word.to_be_bytes()).take(row_bytes)).collect();
    (bytes, decoded.damaged_rows > 0)
}

/// Decodes PackBits (TIFF 6.0 §9) to at most `most` bytes.
fn pack_bits(mut data: &[u8], most: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let [head, rest @ ..] = data {
        if bytes.len() >= most {
            break;
        }
        data = match *head {
            // 128 has no meaning (TIFF 6.0 §9).
            128 => rest,
            // The next byte is repeated 257 − head times.
            head @ 129.. => {
                let Some((byte, rest)) = rest.split_first() else { break };
                bytes.resize(bytes.len() + 257 - usize::from(head), *byte);
                rest
            }
            head => {
                let (literal, rest) = rest.split_at(rest.len().min(usize::from(head) + 1));
                bytes.extend_from_slice(literal);
                rest
            }
        };
    }
    bytes.truncate(most);
    bytes
}

/// Decodes LZW (TIFF 6.0 §13), accepting a missing end code. Some programs older than TIFF 6.0 wrote the lowest bit
/// first.
fn lzw(data: &[u8], most: usize) -> (Vec<u8>, bool) {
    let is_old = matches!(data, [0, second, ..] if second & 1 == 1);
    let configuration = if is_old {
        Configuration::new(BitOrder::Lsb, 8)
    } else {
        Configuration::with_tiff_size_switch(BitOrder::Msb, 8)
    };
    let mut decoder = configuration.with_yield_on_full_buffer(true).build();
    let mut bytes = vec![0; most];
    let (mut read, mut written) = (0, 0);
    while written < most {
        let step = decoder.decode_bytes(&data[read..], &mut bytes[written..]);
        read += step.consumed_in;
        written += step.consumed_out;
        let is_stuck = step.consumed_in == 0 && step.consumed_out == 0;
        if step.status.is_err() || is_stuck || decoder.has_ended() {
            break;
        }
    }
    bytes.truncate(written);
    // LZW has no checksum: damaged bytes go unnoticed, and an early end causes missing rows.
    (bytes, false)
}

/// Decodes a strip or tile in JPEG compression; fails if its number of components doesn't match the tags.
fn jpeg_segment(layout: &Layout, tables: Option<&[u8]>, data: &[u8], rows: u32) -> Result<Unpacked, Fault> {
    let want = if matches!(layout.colour, Colour::LumaFirst { .. }) { Want::Luma } else { Want::Components };
    let joined: Vec<u8>;
    let data = match tables {
        // The tables end with an end-of-image marker, and the image begins with its own start marker; both are dropped.
        Some(tables) => {
            joined = [tables.strip_suffix(b"\xff\xd9").unwrap_or(tables), data.get(2..).unwrap_or_default()].concat();
            &joined
        }
        None => data,
    };
    let jpeg = jpeg::decode(data, want)?;
    let wanted = if layout.is_planar || want == Want::Luma { 1 } else { layout.samples };
    if jpeg.components != wanted && !(want == Want::Luma && jpeg.components == 1) {
        return Err(Fault::damaged(format!("its JPEG data has {} components", jpeg.components)));
    }
    // The size of the JPEG may differ from the tags, most often in the last strip.
    let row = (jpeg.width as usize * jpeg.components).max(1);
    let row_bytes = layout.segment.0 as usize * jpeg.components;
    let there = (jpeg.height - jpeg.rows_missing).min(rows) as usize;
    let mut bytes = Vec::with_capacity(row_bytes * there);
    for line in jpeg.samples.chunks(row).take(there) {
        let start = bytes.len();
        bytes.extend_from_slice(&line[..line.len().min(row_bytes)]);
        // Missing columns are white.
        bytes.resize(start + row_bytes, u8::MAX);
    }
    Ok(Unpacked { bytes, samples: jpeg.components, is_damaged: jpeg.fault.is_some() && jpeg.rows_missing == 0 })
}

/// Undoes horizontal differencing in each row (TIFF 6.0 §14).
fn undo_prediction(layout: &Layout, bytes: &mut [u8]) {
    let samples = layout.samples_together();
    let stride = samples * layout.bits as usize / 8;
    for row in bytes.chunks_mut(layout.row_bytes().max(1)) {
        match layout.bits {
            8 => {
                for at in stride..row.len() {
                    row[at] = row[at].wrapping_add(row[at - stride]);
                }
            }
            16 | 32 => {
                let size = layout.bits as usize / 8;
                for at in (stride..(row.len() + 1).saturating_sub(size)).step_by(size) {
                    let sum = whole(&row[at..at + size], layout.is_big_endian)
                        .wrapping_add(whole(&row[at - stride..at - stride + size], layout.is_big_endian));
                    let sum = sum.to_be_bytes();
                    for (place, byte) in sum[4 - size..].iter().enumerate() {
                        row[at + if layout.is_big_endian { place } else { size - 1 - place }] = *byte;
                    }
                }
            }
            // `layout.rs` has refused all other depths.
            _ => {}
        }
    }
}

/// Reads an unsigned integer of up to 4 bytes.
pub(super) fn whole(bytes: &[u8], is_big_endian: bool) -> u32 {
    let add = |sum: u32, byte: &u8| sum << 8 | u32::from(*byte);
    if is_big_endian { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) }
}

/// Returns the size of subsampled data in bytes. Such data consists of units: the luma of several pels, followed by the
/// chroma that they share (TIFF 6.0 §21).
const fn units_bytes((width, rows): (u32, u32), (across, down): (u32, u32)) -> usize {
    (width.div_ceil(across) as usize) * (rows.div_ceil(down) as usize) * (across * down + 2) as usize
}

/// Extracts the luma of subsampled data, row by row.
fn luma_of_units(bytes: &[u8], width: u32, (across, down): (u32, u32)) -> Vec<u8> {
    let unit = (across * down + 2) as usize;
    let row_of_units = width.div_ceil(across) as usize * unit;
    let mut luma = Vec::with_capacity(bytes.len());
    for units in bytes.chunks_exact(row_of_units.max(1)) {
        for y in 0..down as usize {
            let row = units.chunks_exact(unit).flat_map(|unit| &unit[y * across as usize..][..across as usize]);
            luma.extend(row.take(width as usize));
        }
    }
    luma
}
