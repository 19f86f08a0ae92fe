//! Reads PNG images as far as they are intact. The png crate decodes them. If the data is damaged or ends too early,
//! the part that can be inflated is passed to the crate as an intact file, and the rows after it are white.

use std::borrow::Cow;
use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use png::{BitDepth, ColorType, DecodeOptions, Decoder, InterlaceInfo, Limits, Reader, Transformations};

use super::inflate::inflate;
use super::orientation::Orientation;
use super::{DECODE_BYTES_MAX, Fault, check_size, missing};
use crate::document::gray::Gray;
use crate::document::picture::{Pels, Picture, luma, over_white};

const HEADER: &[u8] = b"\x89PNG\r\n\x1a\n";
/// The maximum size of inflated XMP, in bytes; in a JPEG, XMP has at most 64 KiB.
const XMP_BYTES_MAX: usize = 1024 * 1024;

/// Reads the size from the header of a PNG.
pub(super) fn size(bytes: &[u8]) -> Result<(u32, u32), Fault> {
    let (kind, data) = chunks(bytes).next().ok_or_else(|| Fault::damaged("its header is missing"))?;
    let (b"IHDR", [w3, w2, w1, w0, h3, h2, h1, h0, ..]) = (kind, data) else {
        return Err(Fault::damaged("its header is missing"));
    };
    Ok((u32::from_be_bytes([*w3, *w2, *w1, *w0]), u32::from_be_bytes([*h3, *h2, *h1, *h0])))
}

/// Reads a PNG as a page.
pub(super) fn read(bytes: &[u8]) -> Result<Picture, Fault> {
    let (width, height) = size(bytes)?;
    check_size((width, height))?;
    let mut image = Image { gray: Gray::white(width, height), rows: 0 };
    let fault = match image.decode(bytes, u32::MAX) {
        Ok(()) => None,
        // Rebuilding the file helps only against damage.
        Err(fault @ (Fault::NotSupported(_) | Fault::Size(_))) => return Err(fault),
        Err(Fault::Damaged(why)) => {
            let (mended, lines) = mended(bytes, (width, height))?;
            image = Image { gray: Gray::white(width, height), rows: 0 };
            match image.decode(&mended, lines) {
                Ok(()) | Err(Fault::Damaged(_)) => Some(why),
                Err(fault) => return Err(fault),
            }
        }
    };
    if image.rows == 0 {
        return Err(Fault::Damaged(fault.unwrap_or_default()));
    }
    let losses = fault.iter().map(|why| missing(height - image.rows, height, why)).collect();
    let orientation = orientation(bytes);
    let dots_per_inch = dots_per_inch(bytes).map(|(x, y)| if orientation.swaps_axes() { (y, x) } else { (x, y) });
    Ok(Picture { pels: orientation.upright(Pels::Gray(image.gray)), dots_per_inch, is_fax_file: false, losses })
}

/// An image that is being decoded.
struct Image {
    gray: Gray,
    /// The number of rows from the top that have pels.
    rows: u32,
}

impl Image {
    /// Decodes at most `lines` lines; an interlaced image has one set of lines per pass.
    fn decode(&mut self, bytes: &[u8], lines: u32) -> Result<(), Fault> {
        let mut options = DecodeOptions::default();
        // These chunks are not needed for the pels, so a fault in them must not make the image unreadable.
        options.set_ignore_text_chunk(true);
        options.set_ignore_iccp_chunk(true);
        options.set_skip_ancillary_crc_failures(true);
        let mut decoder = Decoder::new_with_options(std::io::Cursor::new(bytes), options);
        decoder.set_limits(Limits { bytes: DECODE_BYTES_MAX });
        decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
        let mut reader = decoder.read_info().map_err(Fault::damaged)?;
        if reader.output_buffer_size().is_none_or(|size| size > DECODE_BYTES_MAX) {
            return Err(Fault::Size(format!("takes more memory than {DECODE_BYTES_MAX} bytes")));
        }
        self.lines(&mut reader, lines)
    }

    /// Reads at most `lines` lines into the image.
    fn lines(&mut self, reader: &mut Reader<std::io::Cursor<&[u8]>>, lines: u32) -> Result<(), Fault> {
        let (color, depth) = reader.output_color_type();
        if depth != BitDepth::Eight {
            return Err(Fault::not_supported(format!("samples of {} bits", depth as u8)));
        }
        let (width, height) = (self.gray.width(), self.gray.height());
        for line in 0..lines {
            let Some(row) = reader.next_interlaced_row().map_err(Fault::damaged)? else { break };
            let greys = greys(row.data(), color)?;
            match row.interlace() {
                InterlaceInfo::Null(_) => {
                    let start = line as usize * width as usize;
                    self.gray.pels_mut()[start..start + width as usize].copy_from_slice(&greys);
                    self.rows = line + 1;
                }
                InterlaceInfo::Adam7(info) => {
                    // Each pel fills the block that later passes would refine, so that a truncated image is coarse
                    // rather than sparse.
                    png::splat_interlaced_row(self.gray.pels_mut(), width as usize, &greys, info, 8);
                    // Each line of the first pass fills several rows, so all rows have pels after that pass.
                    self.rows = height.min((line + 1).saturating_mul(ADAM7[0][3]));
                }
            }
        }
        Ok(())
    }
}

/// Converts a row of 8-bit samples to greys. White paper shows through transparent pels.
fn greys(samples: &[u8], color: ColorType) -> Result<Vec<u8>, Fault> {
    Ok(match color {
        ColorType::Grayscale => samples.to_vec(),
        ColorType::GrayscaleAlpha => samples.chunks_exact(2).map(|pel| over_white(pel[0], pel[1])).collect(),
        ColorType::Rgb => samples.chunks_exact(3).map(|pel| luma(pel[0], pel[1], pel[2])).collect(),
        ColorType::Rgba => {
            samples.chunks_exact(4).map(|pel| over_white(luma(pel[0], pel[1], pel[2]), pel[3])).collect()
        }
        ColorType::Indexed => return Err(Fault::damaged("its palette is missing")),
    })
}

/// Rebuilds a damaged PNG as an intact file from the data that can be inflated. Returns this file, and the number of
/// its lines that come from the damaged one.
fn mended(bytes: &[u8], (width, height): (u32, u32)) -> Result<(Vec<u8>, u32), Fault> {
    let parts = |wanted: &'static [u8; 4]| chunks(bytes).filter(move |(kind, _)| *kind == wanted).map(|(_, data)| data);
    let header = parts(b"IHDR").next().unwrap_or_default();
    let [.., depth, color, _, _, interlaced] = header else { return Err(Fault::damaged("its header is missing")) };
    let samples = match color {
        0 | 3 => 1,
        2 => 3,
        4 => 2,
        6 => 4,
        _ => return Err(Fault::damaged("its colour type is not one that PNG defines")),
    };
    let line = |width: u32| 1 + (u64::from(width) * samples * u64::from(*depth)).div_ceil(8);
    let lines: Vec<u64> = if *interlaced == 0 {
        vec![line(width); height as usize]
    } else {
        let passes = ADAM7.iter().map(|[x, y, across, down]| (width.saturating_sub(*x).div_ceil(*across), *y, *down));
        // A pass without columns has no lines, and so no filter bytes either.
        let passes = passes.filter(|(width, ..)| *width > 0);
        let lines = passes.flat_map(|(width, y, down)| {
            std::iter::repeat_n(line(width), height.saturating_sub(y).div_ceil(down) as usize)
        });
        lines.collect()
    };
    let whole = usize::try_from(lines.iter().sum::<u64>()).unwrap_or(usize::MAX);
    if whole > DECODE_BYTES_MAX {
        return Err(Fault::Size(format!("takes more memory than {DECODE_BYTES_MAX} bytes")));
    }
    let data: Vec<u8> = parts(b"IDAT").flatten().copied().collect();
    let mut raw = inflate(&data, whole).bytes;
    let mut end = 0;
    let there = lines.iter().take_while(|line| {
        end += **line;
        end <= raw.len() as u64
    });
    let there = u32::try_from(there.count()).unwrap_or(u32::MAX);
    // The decoder expects all lines, but the lines added here are never read.
    raw.resize(whole, 0);
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
    let packed = packed.write_all(&raw).and_then(|()| packed.finish()).map_err(Fault::damaged)?;
    let mut sound = HEADER.to_vec();
    chunk(&mut sound, b"IHDR", header);
    for kind in [b"PLTE", b"tRNS"] {
        parts(kind).take(1).for_each(|data| chunk(&mut sound, kind, data));
    }
    chunk(&mut sound, b"IDAT", &packed);
    chunk(&mut sound, b"IEND", &[]);
    Ok((sound, there))
}

/// The start and the spacing of the pels in each pass of an interlaced image: x, y, across, down (PNG §8.2).
const ADAM7: [[u32; 4]; 7] =
    [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]];

/// Appends a chunk with its length and checksum.
fn chunk(file: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    file.extend((data.len() as u32).to_be_bytes());
    let start = file.len();
    file.extend_from_slice(kind);
    file.extend_from_slice(data);
    let mut checksum = flate2::Crc::new();
    checksum.update(&file[start..]);
    file.extend(checksum.sum().to_be_bytes());
}

/// Iterates over the kinds and the data of chunks; the last chunk may be cut off by the end of the file.
fn chunks(bytes: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    let mut rest = bytes.strip_prefix(HEADER).unwrap_or_default();
    std::iter::from_fn(move || {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (kind, after) = after.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX).min(after.len());
        let (data, after) = after.split_at(length);
        // The checksum is skipped here, since the decoder checks it.
        rest = after.get(4..).unwrap_or_default();
        Some((kind, data))
    })
}

/// Reads the `eXIf` chunk (PNG third edition §11.3.4.5) or XMP in an `iTXt` chunk; both may follow the pels.
fn orientation(bytes: &[u8]) -> Orientation {
    let exif = chunks(bytes).find(|(kind, _)| *kind == b"eXIf").map(|(_, data)| data);
    let xmp = chunks(bytes).filter(|(kind, _)| *kind == b"iTXt").find_map(|(_, data)| xmp(data));
    Orientation::of_metadata(exif, xmp.as_deref())
}

/// Returns the XMP in an `iTXt` chunk (PNG second edition §11.3.4.5; XMP specification part 3, 1.1.5), if there is any.
fn xmp(data: &[u8]) -> Option<Cow<'_, [u8]>> {
    let [is_compressed, _, rest @ ..] = data.strip_prefix(b"XML:com.adobe.xmp\0")? else { return None };
    // The language and the translated keyword each end in a zero byte.
    let text = rest.splitn(3, |byte| *byte == 0).nth(2)?;
    Some(if *is_compressed == 1 { inflate(text, XMP_BYTES_MAX).bytes.into() } else { text.into() })
}

/// Reads the `pHYs` chunk (PNG second edition §11.3.5.3), if its unit is the metre.
fn dots_per_inch(bytes: &[u8]) -> Option<(f64, f64)> {
    // This chunk must come before the pels (PNG §5.6).
    let (_, data) = chunks(bytes).take_while(|(kind, _)| *kind != b"IDAT").find(|(kind, _)| *kind == b"pHYs")?;
    let [x3, x2, x1, x0, y3, y2, y1, y0, 1] = *data else { return None };
    let per_inch = |bytes: [u8; 4]| f64::from(u32::from_be_bytes(bytes)) * 0.0254;
    Some((per_inch([x3, x2, x1, x0]), per_inch([y3, y2, y1, y0])))
}
