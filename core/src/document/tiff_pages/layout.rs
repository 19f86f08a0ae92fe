//! Reads from the tags how the pels of a TIFF image are stored. Unsupported features are refused, and named in the
//! error.

use super::directory::Directory;
use super::tag;
use crate::document::images::{Fault, check_size};

/// The maximum number of strips or tiles per page; even a page with one row per strip has fewer.
const SEGMENTS_MAX: usize = 1_000_000;
/// The maximum number of samples per pel; no scan of paper has more.
const SAMPLES_MAX: usize = 32;
/// The number of entries in the largest palette: three times 2^16.
const PALETTE_MAX: usize = 3 << 16;

/// The compression of pels (TIFF 6.0, tag 259).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    /// MH whose rows begin on byte boundaries, without end-of-line codes.
    MhRows,
    /// MH whose rows begin on 16-bit boundaries, without end-of-line codes.
    MhWords,
    /// MH or MR with end-of-line codes; T4Options says which.
    Group3 {
        two_dimensional: bool,
    },
    /// MMR (ITU-T T.6), which TIFF calls Group 4.
    Group4,
    Lzw,
    Jpeg,
    Deflate,
    PackBits,
}

/// The meaning of samples (TIFF 6.0, tag 262).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Colour {
    WhiteIsZero,
    BlackIsZero,
    Rgb,
    /// Indexes into three tables of 16-bit values, which follow each other: red, green and blue.
    Palette(Vec<u16>),
    Cmyk,
    /// Luma and then chroma, as in YCbCr and L*a*b*; `shared` is the number of columns and rows that share their
    /// chroma.
    LumaFirst {
        shared: (u32, u32),
    },
}

/// The meaning of the first sample after the colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alpha {
    /// There is no such sample, or it isn't known to be the opacity.
    None,
    /// Opacity, with which the colours have already been multiplied.
    Associated,
    /// Opacity, with which the colours must still be multiplied.
    Unassociated,
}

/// The layout of one image in its file.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) width: u32,
    pub(super) height: u32,
    /// The number of bits per sample.
    pub(super) bits: u32,
    /// The number of samples per pel.
    pub(super) samples: usize,
    /// Whether each sample has separate strips or tiles.
    pub(super) is_planar: bool,
    /// The size of a strip or tile; the last strip may have fewer rows.
    pub(super) segment: (u32, u32),
    pub(super) is_tiled: bool,
    pub(super) compression: Compression,
    /// Whether samples are stored as differences from the previous pel.
    pub(super) is_predicted: bool,
    /// Whether the first bit is in the lowest place (FillOrder 2).
    pub(super) is_backwards: bool,
    pub(super) is_big_endian: bool,
    pub(super) colour: Colour,
    pub(super) alpha: Alpha,
}

impl Layout {
    /// Reads the layout from a directory; fails if it is contradictory or uses an unsupported feature.
    pub(super) fn of(directory: &Directory<'_>) -> Result<Self, Fault> {
        let number = |tag| directory.number(tag);
        let short = |tag, default: u64| number(tag).unwrap_or(default);
        let (width, height) = (size(directory, tag::IMAGE_WIDTH)?, size(directory, tag::IMAGE_LENGTH)?);
        check_size((width, height))?;
        let compression = compression(directory)?;
        let samples = usize::try_from(short(tag::SAMPLES_PER_PIXEL, 1)).unwrap_or(usize::MAX).max(1);
        if samples > SAMPLES_MAX {
            return Err(Fault::not_supported(format!("{samples} samples per pel")));
        }
        let depths = directory.numbers(tag::BITS_PER_SAMPLE, samples);
        let bits = depths.first().copied().unwrap_or(1);
        if depths.iter().any(|depth| *depth != bits) {
            return Err(Fault::not_supported("samples of different depths"));
        }
        if !(1..=32).contains(&bits) {
            return Err(Fault::not_supported(format!("{bits}-bit samples")));
        }
        for format in directory.numbers(tag::SAMPLE_FORMAT, samples) {
            let name = match format {
                2 => "signed samples",
                3 => "floating-point samples",
                5 | 6 => "complex samples",
                _ => continue,
            };
            return Err(Fault::not_supported(name));
        }
        let predictor = short(tag::PREDICTOR, 1);
        // With other compressions, the tag has no meaning.
        let is_predicted = matches!(compression, Compression::Lzw | Compression::Deflate) && predictor > 1;
        if is_predicted && (predictor != 2 || !matches!(bits, 8 | 16 | 32)) {
            return Err(Fault::not_supported(format!("predictor {predictor} with {bits}-bit samples")));
        }
        let (colour, colour_samples) = colour(directory, compression, samples, bits as u32)?;
        if samples < colour_samples {
            let why = format!("a pel has {samples} samples, and its colour needs {colour_samples}");
            return Err(Fault::Damaged(why));
        }
        let is_fax = matches!(
            compression,
            Compression::MhRows | Compression::MhWords | Compression::Group3 { .. } | Compression::Group4
        );
        if is_fax && (bits, samples) != (1, 1) {
            return Err(Fault::not_supported("fax coding of more than black and white"));
        }
        if compression == Compression::Jpeg && bits != 8 {
            return Err(Fault::not_supported(format!("JPEG compression of {bits}-bit samples")));
        }
        let is_planar = short(tag::PLANAR_CONFIGURATION, 1) == 2 && samples > 1;
        let (segment, is_tiled) = segment(directory, (width, height))?;
        Ok(Self {
            width,
            height,
            bits: bits as u32,
            samples,
            is_planar,
            segment,
            is_tiled,
            compression,
            is_predicted,
            is_backwards: short(tag::FILL_ORDER, 1) == 2,
            is_big_endian: directory.file.is_big_endian,
            alpha: alpha(directory, &colour, samples, colour_samples),
            colour,
        })
    }

    /// Returns the number of segments across and down.
    pub(super) const fn grid(&self) -> (u32, u32) {
        (self.width.div_ceil(self.segment.0), self.height.div_ceil(self.segment.1))
    }

    /// Returns whether the image has only black and white.
    pub(super) const fn is_bilevel(&self) -> bool {
        self.bits == 1 && self.samples == 1 && matches!(self.colour, Colour::WhiteIsZero | Colour::BlackIsZero)
    }

    /// Returns the number of adjacent samples per pel in a segment.
    pub(super) const fn samples_together(&self) -> usize {
        if self.is_planar { 1 } else { self.samples }
    }

    /// Returns the size of a segment's row in bytes; each row begins on a byte boundary.
    pub(super) const fn row_bytes(&self) -> usize {
        (self.segment.0 as usize * self.samples_together() * self.bits as usize).div_ceil(8)
    }
}

/// Reads a width or a length. A value that doesn't fit into a `u32` becomes the largest one, which is refused later.
fn size(directory: &Directory<'_>, tag: u16) -> Result<u32, Fault> {
    let size = directory.number(tag).ok_or_else(|| Fault::damaged("a page has no width or length"))?;
    Ok(u32::try_from(size).unwrap_or(u32::MAX))
}

fn compression(directory: &Directory<'_>) -> Result<Compression, Fault> {
    let two_dimensional = directory.number(tag::T4_OPTIONS).unwrap_or(0) & 1 == 1;
    let name = match directory.number(tag::COMPRESSION).unwrap_or(1) {
        1 => return Ok(Compression::None),
        2 => return Ok(Compression::MhRows),
        3 => return Ok(Compression::Group3 { two_dimensional }),
        4 => return Ok(Compression::Group4),
        5 => return Ok(Compression::Lzw),
        7 => return Ok(Compression::Jpeg),
        8 | 32_946 => return Ok(Compression::Deflate),
        32_771 => return Ok(Compression::MhWords),
        32_773 => return Ok(Compression::PackBits),
        6 => "old-style JPEG compression".to_owned(),
        9 | 34_661 => "JBIG compression".to_owned(),
        10 => "JBIG colour compression".to_owned(),
        32_766 => "NeXT compression".to_owned(),
        32_809 => "ThunderScan compression".to_owned(),
        32_909 => "Pixar compression".to_owned(),
        33_003..=33_005 | 34_712 => "JPEG 2000 compression".to_owned(),
        34_676 | 34_677 => "SGI LogLuv compression".to_owned(),
        34_887 => "LERC compression".to_owned(),
        34_925 => "LZMA compression".to_owned(),
        50_000 => "Zstandard compression".to_owned(),
        50_001 => "WebP compression".to_owned(),
        other => format!("compression {other}"),
    };
    Err(Fault::NotSupported(name))
}

/// Determines the meaning of samples, and the number of samples per pel that are colours.
fn colour(
    directory: &Directory<'_>,
    compression: Compression,
    samples: usize,
    bits: u32,
) -> Result<(Colour, usize), Fault> {
    // The tag that states the colour model is required. If it is missing, other tags that are specific to one model
    // decide; without such tags, the guess is the same as libtiff's.
    let has = |tags: &[u16]| tags.iter().any(|tag| directory.number(*tag).is_some());
    let likely = match (samples, compression) {
        (1, _) if has(&[tag::COLOR_MAP]) => 3,
        (4.., _) if has(&[tag::INK_SET, tag::NUMBER_OF_INKS]) => 5,
        (3.., _) if has(&[tag::YCBCR_SUBSAMPLING, tag::YCBCR_POSITIONING]) => 6,
        (1 | 2, Compression::None | Compression::Lzw | Compression::Deflate | Compression::PackBits) => 1,
        (1 | 2, Compression::Jpeg) => 1,
        (1 | 2, _) => 0,
        (_, Compression::Jpeg) => 6,
        _ => 2,
    };
    let photometric = directory.number(tag::PHOTOMETRIC_INTERPRETATION).unwrap_or(likely);
    Ok(match photometric {
        0 => (Colour::WhiteIsZero, 1),
        // 4 is a transparency mask, in which 1 marks visible pels.
        1 | 4 => (Colour::BlackIsZero, 1),
        2 => (Colour::Rgb, 3),
        3 => {
            let palette = directory.numbers(tag::COLOR_MAP, PALETTE_MAX);
            if palette.len() < 3 || bits > 16 {
                return Err(Fault::damaged("its palette is missing"));
            }
            let mut palette: Vec<u16> = palette.into_iter().map(|value| value as u16).collect();
            // Some programs write 8-bit values although the palette has 16 bits.
            if palette.iter().all(|value| *value < 256) {
                palette.iter_mut().for_each(|value| *value *= 257);
            }
            (Colour::Palette(palette), 1)
        }
        5 if directory.number(tag::INK_SET).unwrap_or(1) == 1 => (Colour::Cmyk, 4),
        5 => return Err(Fault::not_supported("inks other than cyan, magenta, yellow and black")),
        6 => {
            let shared = directory.numbers(tag::YCBCR_SUBSAMPLING, 2);
            let shared = match shared[..] {
                [across, down] if (1..=4).contains(&across) && (1..=4).contains(&down) => (across as u32, down as u32),
                // This is the default (TIFF 6.0 §21).
                [] => (2, 2),
                _ => return Err(Fault::damaged("its chroma subsampling is not one that TIFF defines")),
            };
            (Colour::LumaFirst { shared }, 3)
        }
        8..=10 => (Colour::LumaFirst { shared: (1, 1) }, 1),
        32_803 => return Err(Fault::not_supported("raw sensor data")),
        32_844 | 32_845 => return Err(Fault::not_supported("LogLuv colours")),
        34_892 => return Err(Fault::not_supported("linear raw data")),
        other => return Err(Fault::not_supported(format!("photometric interpretation {other}"))),
    })
}

/// Determines the meaning of the first sample after the colours.
fn alpha(directory: &Directory<'_>, colour: &Colour, samples: usize, colour_samples: usize) -> Alpha {
    if samples <= colour_samples {
        return Alpha::None;
    }
    match (directory.number(tag::EXTRA_SAMPLES), colour) {
        (Some(1), _) => Alpha::Associated,
        (Some(2), _) => Alpha::Unassociated,
        // Some programs write RGBA without declaring alpha; libtiff and Pillow make the same assumptions.
        (Some(0), Colour::Rgb) => Alpha::Associated,
        (None, Colour::Rgb) => Alpha::Unassociated,
        _ => Alpha::None,
    }
}

/// Returns the size of the strips or tiles in pels, and whether they are tiles.
fn segment(directory: &Directory<'_>, (width, height): (u32, u32)) -> Result<((u32, u32), bool), Fault> {
    let is_tiled = directory.number(tag::TILE_WIDTH).is_some() && directory.number(tag::TILE_LENGTH).is_some();
    let segment = if is_tiled {
        let tile = (size(directory, tag::TILE_WIDTH)?, size(directory, tag::TILE_LENGTH)?);
        check_size(tile)?;
        tile
    } else {
        // Without the tag, or if it is zero, the page is one strip.
        let rows = directory.number(tag::ROWS_PER_STRIP).unwrap_or(u64::MAX);
        (width, u32::try_from(rows).unwrap_or(u32::MAX).min(height).max(if rows == 0 { height } else { 1 }))
    };
    let count = u64::from(width.div_ceil(segment.0)) * u64::from(height.div_ceil(segment.1));
    if count > SEGMENTS_MAX as u64 {
        return Err(Fault::not_supported(format!("a page of {count} strips or tiles")));
    }
    Ok((segment, is_tiled))
}
