//! The pages of a TIFF file. Its directories and ordinary compressions are read by the `tiff` crate; fax coding, in
//! every form that fax programs write, by the decoder of this crate. It draws nothing.

use std::io::Cursor;
use std::ops::ControlFlow;

use tiff::ColorType;
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::Tag;

use super::bitmap::Bitmap;
use super::ccitt::{self, Bad, Stored};
use super::gray::Gray;
use super::import::{PAGES_MAX, unreadable};
use super::picture::{Pels, Picture, check_dimensions, luma};
use crate::model::media::UnreadableDocument;

/// Bytes that the `tiff` crate may take for one image.
const DECODE_BYTES_MAX: usize = 600 * 1024 * 1024;
/// The strips of one page; a page of one row a strip has fewer than this.
const STRIPS_MAX: usize = 100_000;

type Reader<'a> = Decoder<Cursor<&'a [u8]>>;

/// Counts the pages.
pub(super) fn count(bytes: &[u8]) -> Result<u32, UnreadableDocument> {
    let mut reader = open(bytes)?;
    let mut pages = 1;
    while reader.more_images() && pages <= PAGES_MAX {
        reader.next_image().map_err(|error| damaged(&error))?;
        pages += 1;
    }
    Ok(pages)
}

/// Reads the pages in order.
pub(super) fn read(
    bytes: &[u8],
    mut take: impl FnMut(u32, Picture) -> ControlFlow<()>,
) -> Result<(), UnreadableDocument> {
    let mut reader = open(bytes)?;
    for number in 1..=PAGES_MAX {
        let picture =
            page(&mut reader, bytes).map_err(|fault| unreadable(format!("page {number}: {}", fault.reason)))?;
        if take(number, picture).is_break() || !reader.more_images() {
            break;
        }
        reader.next_image().map_err(|error| damaged(&error))?;
    }
    Ok(())
}

fn open(bytes: &[u8]) -> Result<Reader<'_>, UnreadableDocument> {
    let mut limits = Limits::default();
    limits.decoding_buffer_size = DECODE_BYTES_MAX;
    limits.intermediate_buffer_size = DECODE_BYTES_MAX;
    Ok(Decoder::new(Cursor::new(bytes)).map_err(|error| damaged(&error))?.with_limits(limits))
}

fn page(reader: &mut Reader<'_>, bytes: &[u8]) -> Result<Picture, UnreadableDocument> {
    let size = reader.dimensions().map_err(|error| damaged(&error))?;
    check_dimensions(size, "TIFF page")?;
    let dots_an_inch = dots_an_inch(reader);
    let compression = number(reader, Tag::Compression).unwrap_or(1);
    let (pels, rows_missing) = match compression {
        2..=4 => {
            let (bits, missing) = fax_page(reader, bytes, size, compression)?;
            (Pels::Bits(bits), missing)
        }
        _ => (ordinary_page(reader, size)?, None),
    };
    Ok(Picture { pels, dots_an_inch, rows_missing })
}

/// A page of compression 2 (MH by rows), 3 (T.4) or 4 (T.6).
fn fax_page(
    reader: &mut Reader<'_>,
    bytes: &[u8],
    (width, height): (u32, u32),
    compression: u32,
) -> Result<(Bitmap, Option<u32>), UnreadableDocument> {
    let offsets = numbers(reader, Tag::StripOffsets)?;
    let lengths = numbers(reader, Tag::StripByteCounts)?;
    let rows_a_strip = number(reader, Tag::RowsPerStrip).unwrap_or(height).clamp(1, height);
    // T4Options: bit 0 is two-dimensional coding. FillOrder 2 has the first bit in the lowest place.
    let two_dimensional = number(reader, Tag::Unknown(292)).unwrap_or(0) & 1 == 1;
    let backwards = number(reader, Tag::FillOrder).unwrap_or(1) == 2;
    // PhotometricInterpretation 1: coded white is black.
    let inverted = number(reader, Tag::PhotometricInterpretation).unwrap_or(0) == 1;
    let stored = match compression {
        2 => Stored::MhRows,
        3 if two_dimensional => Stored::Mr,
        3 => Stored::Mh,
        _ => Stored::Mmr,
    };
    let mut page = Bitmap::white(width, 0);
    let mut readable = 0;
    for (offset, length) in offsets.iter().zip(&lengths).take(STRIPS_MAX) {
        let rows = rows_a_strip.min(height - page.height());
        let end = offset.saturating_add(*length).min(bytes.len());
        let data = bytes.get(*offset..end).unwrap_or_default();
        let (strip, bad) = if backwards {
            let reversed: Vec<u8> = data.iter().map(|byte| byte.reverse_bits()).collect();
            ccitt::decode(&reversed, stored, width, rows, false)
        } else {
            ccitt::decode(data, stored, width, rows, false)
        };
        strip.rows().take(rows as usize).for_each(|row| page.push_row(row));
        readable += match bad {
            None => rows,
            Some(Bad::BreaksOff { rows }) => rows,
            Some(Bad::Nothing) => 0,
        };
        if page.height() >= height {
            break;
        }
    }
    if readable == 0 {
        return Err(unreadable(Bad::Nothing.to_string()));
    }
    page.set_height(height);
    if inverted {
        page.invert();
    }
    Ok((page, (readable < height).then(|| height - readable)))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "foreign enums that grow; what is not named is refused")]
fn ordinary_page(reader: &mut Reader<'_>, (width, height): (u32, u32)) -> Result<Pels, UnreadableDocument> {
    let color = reader.colortype().map_err(|error| damaged(&error))?;
    let samples = match reader.read_image().map_err(|error| damaged(&error))? {
        DecodingResult::U8(samples) => samples,
        DecodingResult::U16(samples) => samples.into_iter().map(|sample| sample.to_be_bytes()[0]).collect(),
        _ => return Err(unreadable(format!("the TIFF has samples of a kind that is not read: {color:?}"))),
    };
    let palette = reader.find_tag(Tag::ColorMap).ok().flatten().and_then(|map| map.into_u16_vec().ok());
    let gray = match color {
        // Bits are packed, eight a byte, and rows begin on bytes; the crate has made 1 white.
        ColorType::Gray(1) => {
            let row_bytes = (width as usize).div_ceil(8);
            let mut bits = Bitmap::white(width, height);
            for (y, row) in (0..height).zip(samples.chunks(row_bytes)) {
                for x in
                    (0..width).filter(|x| row.get(*x as usize / 8).is_some_and(|byte| byte >> (7 - x % 8) & 1 == 0))
                {
                    bits.blacken(x, y);
                }
            }
            return Ok(Pels::Bits(bits));
        }
        ColorType::Gray(depth @ (2 | 4)) => {
            unpacked(&samples, width, depth).map(|level| level * (255 / ((1 << depth) - 1) as u8)).collect()
        }
        ColorType::Gray(8 | 16) => samples,
        ColorType::Palette(depth @ (1 | 2 | 4 | 8)) => {
            let Some(map) = palette else { return Err(unreadable("the TIFF has no palette".to_owned())) };
            let third = map.len() / 3;
            let shade = |at: u8| {
                let part =
                    |plane: usize| map.get(plane * third + usize::from(at)).map_or(255, |value| value.to_be_bytes()[0]);
                luma(part(0), part(1), part(2))
            };
            unpacked(&samples, width, depth).map(shade).collect()
        }
        ColorType::GrayA(8 | 16) => samples.chunks_exact(2).map(|pel| pel[0]).collect(),
        ColorType::RGB(8 | 16) => samples.chunks_exact(3).map(|pel| luma(pel[0], pel[1], pel[2])).collect(),
        ColorType::RGBA(8 | 16) => samples.chunks_exact(4).map(|pel| luma(pel[0], pel[1], pel[2])).collect(),
        ColorType::YCbCr(8 | 16) => samples.chunks_exact(3).map(|pel| pel[0]).collect(),
        ColorType::CMYK(8 | 16) => samples
            .chunks_exact(4)
            .map(|pel| luma(ink(pel[0], pel[3]), ink(pel[1], pel[3]), ink(pel[2], pel[3])))
            .collect(),
        other => return Err(unreadable(format!("the TIFF has pels of a kind that is not read: {other:?}"))),
    };
    Ok(Pels::Gray(Gray::from_pels(width, height, gray)))
}

fn ink(color: u8, black: u8) -> u8 {
    255 - color.saturating_add(black)
}

/// Samples of fewer than 8 bits, row by row; rows begin on bytes.
fn unpacked(samples: &[u8], width: u32, depth: u8) -> impl Iterator<Item = u8> {
    let (depth, width) = (usize::from(depth), width as usize);
    let a_byte = 8 / depth;
    samples.chunks((width * depth).div_ceil(8).max(1)).flat_map(move |row| {
        (0..width).map(move |x| {
            let byte = row.get(x / a_byte).copied().unwrap_or(0);
            byte >> (8 - depth - x % a_byte * depth) & (0xff >> (8 - depth))
        })
    })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum that grows; any whole number will do")]
fn dots_an_inch(reader: &mut Reader<'_>) -> Option<(f64, f64)> {
    let factor = match number(reader, Tag::ResolutionUnit).unwrap_or(2) {
        2 => 1.0,
        3 => 2.54,
        _ => return None,
    };
    let mut one = |tag| {
        reader.find_tag(tag).ok().flatten().and_then(|value| match value {
            tiff::decoder::ifd::Value::Rational(above, below) => Some(f64::from(above) / f64::from(below.max(1))),
            whole => whole.into_u32().ok().map(f64::from),
        })
    };
    Some((one(Tag::XResolution)? * factor, one(Tag::YResolution)? * factor))
}

fn number(reader: &mut Reader<'_>, tag: Tag) -> Option<u32> {
    reader.find_tag_unsigned(tag).ok().flatten()
}

fn numbers(reader: &mut Reader<'_>, tag: Tag) -> Result<Vec<usize>, UnreadableDocument> {
    let values: Option<Vec<u64>> = reader.find_tag_unsigned_vec(tag).map_err(|error| damaged(&error))?;
    let values = values.ok_or_else(|| unreadable("the TIFF page has no strips".to_owned()))?;
    Ok(values.into_iter().map(|value| usize::try_from(value).unwrap_or(usize::MAX)).collect())
}

fn damaged(error: &tiff::TiffError) -> UnreadableDocument {
    unreadable(format!("the TIFF is damaged: {error}"))
}

#[cfg(test)]
mod tests {
    use super::super::ccitt::{BitWriter, Scheme, code, g4};
    use super::*;

    const WIDTH: u32 = 200;
    const HEIGHT: u32 = 40;

    fn drawing() -> Bitmap {
        let mut image = Bitmap::white(WIDTH, HEIGHT);
        (0..HEIGHT).for_each(|y| image.blacken_run(y, y * 3, y * 4 + 20));
        image
    }

    /// The tags and the one strip of a page.
    type Page<'a> = (&'a [(u16, u32)], &'a [u8]);

    /// A TIFF of one strip a page, in either byte order.
    fn file(big_endian: bool, pages: &[Page<'_>]) -> Vec<u8> {
        let short = |value: u16| if big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        let long = |value: u32| if big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        let mut bytes = if big_endian { b"MM\0\x2a".to_vec() } else { b"II\x2a\0".to_vec() };
        bytes.extend(long(0));
        let mut link = 4;
        for (tags, strip) in pages {
            let offset = bytes.len() as u32;
            bytes.extend_from_slice(strip);
            bytes.resize(bytes.len().next_multiple_of(2), 0);
            let directory = long(bytes.len() as u32);
            bytes[link..link + 4].copy_from_slice(&directory);
            let mut entries = tags.to_vec();
            let usual = [(256, WIDTH), (257, HEIGHT), (258, 1), (273, offset), (277, 1), (279, strip.len() as u32)];
            entries.extend(usual.iter().filter(|(tag, _)| !tags.iter().any(|(own, _)| own == tag)));
            entries.sort_unstable();
            bytes.extend(short(entries.len() as u16));
            for (tag, value) in entries {
                bytes.extend(short(tag));
                bytes.extend(short(4));
                bytes.extend(long(1));
                bytes.extend(long(value));
            }
            link = bytes.len();
            bytes.extend(long(0));
        }
        bytes
    }

    fn pictures(bytes: &[u8]) -> Vec<Picture> {
        let mut pictures = Vec::new();
        read(bytes, |_, picture| {
            pictures.push(picture);
            ControlFlow::Continue(())
        })
        .unwrap();
        pictures
    }

    fn packed(image: &Bitmap) -> Vec<u8> {
        image
            .rows()
            .flat_map(|row| row.iter().flat_map(|word| word.to_be_bytes()).take(25).collect::<Vec<_>>())
            .collect()
    }

    #[test]
    fn every_fax_coding_in_either_order_of_bits_and_bytes_reads_the_same() {
        let image = drawing();
        let coded = |scheme| code(&image, scheme, 0, BitWriter::default()).into_bytes();
        let backwards = |bytes: &[u8]| bytes.iter().map(|byte| byte.reverse_bits()).collect::<Vec<u8>>();
        let (mh, mr, mmr) = (coded(Scheme::Mh), coded(Scheme::Mr { k: 4 }), g4(&image));
        let (mh_backwards, mr_backwards, mmr_backwards) = (backwards(&mh), backwards(&mr), backwards(&mmr));
        for big_endian in [false, true] {
            let file = file(
                big_endian,
                &[
                    (&[(259, 3), (262, 0)], &mh),
                    (&[(259, 3), (262, 0), (266, 2)], &mh_backwards),
                    (&[(259, 3), (262, 0), (292, 1)], &mr),
                    (&[(259, 3), (262, 0), (266, 2), (292, 1)], &mr_backwards),
                    (&[(259, 4), (262, 0)], &mmr),
                    (&[(259, 4), (262, 0), (266, 2)], &mmr_backwards),
                ],
            );
            assert_eq!(count(&file).unwrap(), 6);
            for picture in pictures(&file) {
                assert_eq!(picture.pels, Pels::Bits(image.clone()));
                assert_eq!(picture.rows_missing, None);
            }
        }
    }

    #[test]
    fn black_is_black_whatever_stands_for_it() {
        let image = drawing();
        let mut inverted = image.clone();
        inverted.invert();
        let (plain, other, mmr) = (packed(&image), packed(&inverted), g4(&inverted));
        let file = file(
            false,
            &[(&[(259, 1), (262, 0)], &plain), (&[(259, 1), (262, 1)], &other), (&[(259, 4), (262, 1)], &mmr)],
        );
        for (number, picture) in pictures(&file).into_iter().enumerate() {
            assert_eq!(picture.pels, Pels::Bits(image.clone()), "page {number}");
        }
    }

    #[test]
    fn greys_of_every_depth_read_alike() {
        let eight: Vec<u8> = (0..WIDTH * HEIGHT).map(|at| (at % 4 * 85) as u8).collect();
        let four: Vec<u8> = eight.chunks(2).map(|pair| ((pair[0] / 17) << 4) | (pair[1] / 17)).collect();
        let two: Vec<u8> =
            eight.chunks(4).map(|four| four.iter().fold(0, |byte, pel| (byte << 2) | (pel / 85))).collect();
        let file = file(
            false,
            &[
                (&[(258, 8), (259, 1), (262, 1)], &eight),
                (&[(258, 4), (259, 1), (262, 1)], &four),
                (&[(258, 2), (259, 1), (262, 1)], &two),
            ],
        );
        for picture in pictures(&file) {
            assert_eq!(picture.pels, Pels::Gray(Gray::from_pels(WIDTH, HEIGHT, eight.clone())));
        }
    }

    #[test]
    fn a_page_cut_short_says_how_much_is_missing_and_one_of_nothing_fails() {
        let mmr = g4(&drawing());
        let cut = file(false, &[(&[(259, 4), (262, 0)], &mmr[..mmr.len() / 2])]);
        let missing = pictures(&cut)[0].rows_missing;
        assert!(missing.is_some_and(|rows| rows > 0 && rows < HEIGHT), "{missing:?}");
        let nothing = file(false, &[(&[(259, 4), (262, 0)], &[])]);
        assert!(read(&nothing, |_, _| ControlFlow::Continue(())).is_err());
        let endless = file(false, &[(&[(256, 35_000), (257, 35_000), (259, 4), (262, 0)], &mmr)]);
        let refused = read(&endless, |_, _| ControlFlow::Continue(())).unwrap_err();
        assert!(refused.reason.contains("too large"), "{}", refused.reason);
    }
}
