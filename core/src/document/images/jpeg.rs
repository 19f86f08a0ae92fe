//! Reads JPEG images as far as they are intact. zune-jpeg decodes them; this module determines which rows are missing,
//! the orientation, and whether inks are inverted.

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::orientation::Orientation;
use super::{DECODE_BYTES_MAX, Fault, check_size, missing};
use crate::document::gray::Gray;
use crate::document::picture::{Pels, Picture, cmyk_luma, luma};

/// The value with which all rows are filled before decoding, so that missing rows can be identified afterwards.
const FILLED: u8 = 128;
/// The maximum number of scans in a progressive image. Each scan covers the whole image, so hostile data with many more
/// would take too long.
const SCANS_MAX: usize = 200;

/// The bytes that precede XMP data in a JPEG (XMP specification part 3, 1.1.3).
const XMP_HEADER: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

/// The properties that a JPEG states before its pels.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::document) struct Head {
    pub(in crate::document) width: u32,
    pub(in crate::document) height: u32,
    /// The identifiers of the components in the frame header.
    components: Vec<u8>,
    dots_per_inch: Option<(f64, f64)>,
    orientation: Orientation,
    is_jfif: bool,
    /// Whether the image has Adobe's marker.
    has_adobe: bool,
    /// The offset of the coded pels.
    pels: usize,
}

/// The samples that a caller needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::document) enum Want {
    /// The fewest samples from which luma can be computed. If the image stores luma and chroma, they are luma alone.
    Luma,
    /// The components as they are stored, without conversion.
    Components,
}

/// A JPEG that has been decoded, completely or in part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::document) struct Jpeg {
    pub(in crate::document) width: u32,
    pub(in crate::document) height: u32,
    /// The number of samples per pel, which are adjacent in `samples`.
    pub(in crate::document) components: usize,
    pub(in crate::document) samples: Vec<u8>,
    /// The number of rows at the bottom that could not be decoded.
    pub(in crate::document) rows_missing: u32,
    /// The fault of the data, in zune-jpeg's words.
    pub(in crate::document) fault: Option<String>,
}

impl Head {
    /// Reads the segments before the pels; fails if they show that the image can't be decoded.
    pub(in crate::document) fn read(bytes: &[u8]) -> Result<Self, Fault> {
        let mut head = Self::default();
        let (mut exif, mut xmp) = (None, None);
        let mut at = 2;
        loop {
            let Some((marker, data, next)) = segment(bytes, at) else {
                return Err(Fault::damaged("its data ends before the first pel"));
            };
            at = next;
            match marker {
                0xc0..=0xc2 => head.frame(data)?,
                0xc3 | 0xc7 | 0xcb | 0xcf => return Err(Fault::not_supported("lossless JPEG")),
                0xc5 | 0xc6 | 0xcd | 0xce => return Err(Fault::not_supported("hierarchical JPEG")),
                0xc9 | 0xca => return Err(Fault::not_supported("arithmetic coding")),
                0xda if head.components.is_empty() => return Err(Fault::damaged("its frame header is missing")),
                0xda => break,
                0xe0 if data.starts_with(b"JFIF\0") => {
                    head.is_jfif = true;
                    head.dots_per_inch = jfif_dots_per_inch(data);
                }
                0xe1 if data.starts_with(b"Exif\0\0") => exif = Some(data),
                0xe1 if data.starts_with(XMP_HEADER) => xmp = Some(data),
                0xee if data.starts_with(b"Adobe") => head.has_adobe = true,
                _ => {}
            }
        }
        head.orientation = Orientation::of_metadata(exif, xmp);
        head.pels = at;
        Ok(head)
    }

    /// Returns whether the components are named red, green and blue, and no JFIF or Adobe marker says otherwise.
    fn is_rgb(&self) -> bool {
        !self.is_jfif && !self.has_adobe && self.components == *b"RGB"
    }

    /// Reads a frame header (T.81 §B.2.2).
    fn frame(&mut self, data: &[u8]) -> Result<(), Fault> {
        let [precision, h1, h0, w1, w0, count, components @ ..] = data else {
            return Err(Fault::damaged("its frame header ends too early"));
        };
        if *precision != 8 {
            return Err(Fault::not_supported(format!("{precision}-bit samples")));
        }
        (self.height, self.width) =
            (u32::from(u16::from_be_bytes([*h1, *h0])), u32::from(u16::from_be_bytes([*w1, *w0])));
        if self.height == 0 {
            return Err(Fault::not_supported("a height that is given after the pels"));
        }
        self.components = components.chunks_exact(3).take(usize::from(*count)).map(|component| component[0]).collect();
        Ok(())
    }
}

/// Reads a JPEG as a page.
pub(super) fn read(bytes: &[u8]) -> Result<Picture, Fault> {
    let head = Head::read(bytes)?;
    let jpeg = decode_with(bytes, &head, Want::Luma)?;
    // Adobe's programs store inks inverted.
    let is_inverted = head.has_adobe;
    let mut pels: Vec<u8> = match jpeg.components {
        1 => jpeg.samples,
        3 => jpeg.samples.chunks_exact(3).map(|pel| luma(pel[0], pel[1], pel[2])).collect(),
        4 => {
            let ink = |value: u8| if is_inverted { 255 - value } else { value };
            jpeg.samples.chunks_exact(4).map(|pel| cmyk_luma([pel[0], pel[1], pel[2], pel[3]].map(ink))).collect()
        }
        count => return Err(Fault::not_supported(format!("{count} colour components"))),
    };
    let there = (jpeg.height - jpeg.rows_missing) as usize * jpeg.width as usize;
    // `from_pels` makes the missing rows white.
    pels.truncate(there);
    let pels = Pels::Gray(Gray::from_pels(jpeg.width, jpeg.height, pels));
    let losses = jpeg.fault.iter().map(|why| missing(jpeg.rows_missing, jpeg.height, why)).collect();
    let dots_per_inch = head.dots_per_inch.map(|(x, y)| if head.orientation.swaps_axes() { (y, x) } else { (x, y) });
    Ok(Picture { pels: head.orientation.upright(pels), dots_per_inch, is_fax_file: false, losses })
}

/// Decodes a JPEG as far as it is intact.
pub(in crate::document) fn decode(bytes: &[u8], want: Want) -> Result<Jpeg, Fault> {
    decode_with(bytes, &Head::read(bytes)?, want)
}

/// Decodes a JPEG whose head has been read.
fn decode_with(bytes: &[u8], head: &Head, want: Want) -> Result<Jpeg, Fault> {
    check_size((head.width, head.height))?;
    // The size has been checked, so the decoder's own limits are lifted.
    let options = DecoderOptions::default().set_max_width(0xffff).set_max_height(0xffff).jpeg_set_max_scans(SCANS_MAX);
    let mut probe = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    probe.decode_headers().map_err(Fault::damaged)?;
    let stored = probe.input_colorspace().ok_or_else(|| Fault::damaged("its colour space is unknown"))?;
    // zune-jpeg notices only during decoding that an image with Adobe's marker has three components.
    let stored = match (stored, head.components.len()) {
        (ColorSpace::CMYK, 3) => ColorSpace::RGB,
        (ColorSpace::YCCK, 3) => ColorSpace::YCbCr,
        _ => stored,
    };
    let wants_luma = want == Want::Luma;
    let out = if wants_luma && stored == ColorSpace::YCbCr && !head.is_rgb() {
        ColorSpace::Luma
    } else if wants_luma && stored == ColorSpace::YCCK {
        ColorSpace::RGB
    } else {
        stored
    };
    let components = out.num_components();
    let size = head.width as usize * head.height as usize * components;
    if size > DECODE_BYTES_MAX {
        return Err(Fault::Size(format!("takes more memory than {DECODE_BYTES_MAX} bytes")));
    }
    let options = options.jpeg_set_out_colorspace(out);
    let mut samples = vec![FILLED; size];
    let mut decode = |is_strict| {
        samples.fill(FILLED);
        JpegDecoder::new_with_options(ZCursor::new(bytes), options.set_strict_mode(is_strict)).decode_into(&mut samples)
    };
    // Strict mode reports damage that lenient mode hides. If it finds any, the pels are decoded again in lenient mode.
    let strict = decode(true);
    let fault = match strict {
        Ok(()) => None,
        Err(why) => {
            let why = why.to_string();
            // Padding between headers affects no pel.
            let is_harmless = why.contains("Extra bytes between headers");
            match decode(false) {
                Ok(()) if is_harmless => None,
                Ok(()) => Some(why),
                Err(why) => Some(why.to_string()),
            }
        }
    };
    let row = (head.width as usize * components).max(1);
    // Without a fault, rows that contain only `FILLED` are part of the image.
    let rows_missing = if fault.is_some() {
        samples.chunks(row).rev().take_while(|row| row.iter().all(|sample| *sample == FILLED)).count()
    } else {
        0
    };
    let rows_missing = u32::try_from(rows_missing).unwrap_or(u32::MAX);
    if rows_missing >= head.height {
        return Err(Fault::Damaged(fault.unwrap_or_default()));
    }
    Ok(Jpeg { width: head.width, height: head.height, components, samples, rows_missing, fault })
}

/// Finds the marker segment at or after `at`, and returns its marker, its data and the offset after it; `None` if the
/// image ends first.
fn segment(bytes: &[u8], mut at: usize) -> Option<(u8, &[u8], usize)> {
    loop {
        // Fill bytes may precede a marker (T.81 §B.1.1.2), and some programs leave other bytes there.
        at += bytes.get(at..)?.iter().position(|byte| *byte == 0xff)?;
        at += bytes.get(at..)?.iter().position(|byte| *byte != 0xff)?;
        let marker = *bytes.get(at)?;
        at += 1;
        match marker {
            // A stuffed zero, or a marker without data (T.81, table B.1).
            0 | 0x01 | 0xd0..=0xd8 => {}
            0xd9 => return None,
            _ => {
                let length = usize::from(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
                // The length includes its own two bytes, so a smaller one is wrong.
                let end = at.checked_add(length.max(2))?;
                return Some((marker, bytes.get(at + 2..end)?, end));
            }
        }
    }
}

/// Reads the density from a JFIF header (JFIF 1.02), if its unit is the inch or centimetre.
fn jfif_dots_per_inch(data: &[u8]) -> Option<(f64, f64)> {
    let [unit, x1, x0, y1, y0] = *data.get(7..12)? else { return None };
    let factor = match unit {
        1 => 1.0,
        2 => 2.54,
        _ => return None,
    };
    let short = |high: u8, low: u8| f64::from(u16::from_be_bytes([high, low])) * factor;
    Some((short(x1, x0), short(y1, y0)))
}
