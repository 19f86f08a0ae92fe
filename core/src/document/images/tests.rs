//! Tests reading PNGs and JPEGs as pages: their orientation, transparency, missing parts, and CMYK colours.

use std::ops::ControlFlow;
use std::sync::Arc;

use ::png as png_crate;

use super::orientation::Orientation;
use super::*;
use crate::document::bitmap::Bitmap;
use crate::document::picture::Pels;
use crate::document::{Options, page, pages};
use crate::model::fax::Quality;

const TONES: &[u8] = include_bytes!("../../../../fixtures/documents/tones.jpg");
const TONES_PROGRESSIVE: &[u8] = include_bytes!("../../../../fixtures/documents/tones-progressive.jpg");
const INKS: &[u8] = include_bytes!("../../../../fixtures/documents/inks.jpg");

/// Returns the fax pages of a document, and its losses.
fn fax(bytes: &[u8], quality: Quality) -> (Vec<Bitmap>, Vec<String>) {
    let options = Options { quality: Some(quality), ..Options::default() };
    let mut made = Vec::new();
    let summary = pages(&Arc::from(bytes), &options, |fax_page| {
        made.push(page::decoded(&fax_page));
        ControlFlow::Continue(())
    });
    (made, summary.unwrap().losses.iter().map(ToString::to_string).collect())
}

/// Returns the share of a page's pels that are black.
fn ink(page: &Bitmap) -> f64 {
    let black: u32 = page.rows().flatten().map(|word| word.count_ones()).sum();
    f64::from(black) / f64::from(page.width()) / f64::from(page.height())
}

fn greys(picture: &Picture) -> &[u8] {
    match &picture.pels {
        Pels::Gray(gray) => gray.pels(),
        Pels::Bits(_) => panic!("not greys"),
    }
}

/// Writes a PNG with 8-bit samples, optionally interlaced or with EXIF data.
fn png_of(
    size: (u32, u32),
    color: png_crate::ColorType,
    samples: &[u8],
    exif: Option<&[u8]>,
    interlaced: bool,
) -> Vec<u8> {
    let mut info = png_crate::Info::with_size(size.0, size.1);
    (info.color_type, info.bit_depth, info.interlaced) = (color, png_crate::BitDepth::Eight, interlaced);
    info.exif_metadata = exif.map(|exif| exif.to_vec().into());
    let mut file = Vec::new();
    let mut writer = png_crate::Encoder::with_info(&mut file, info).unwrap().write_header().unwrap();
    writer.write_image_data(samples).unwrap();
    writer.finish().unwrap();
    file
}

/// Returns EXIF data that contains only an orientation.
fn exif(orientation: u8) -> Vec<u8> {
    let mut exif = b"II\x2a\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    exif[18] = orientation;
    exif
}

/// Inserts a segment at the beginning of a JPEG.
fn with_segment(jpeg: &[u8], marker: u8, data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u16 + 2).to_be_bytes();
    [&jpeg[..2], &[0xff, marker], &length, data, &jpeg[2..]].concat()
}

#[test]
fn exif_rotates_a_png_and_a_jpeg_upright() {
    let samples: Vec<u8> = (0..30 * 20).map(|at| (at % 251) as u8).collect();
    let plain = png_of((30, 20), png_crate::ColorType::Grayscale, &samples, None, false);
    for (kind, plain) in [(Kind::Png, plain), (Kind::Jpeg, TONES.to_vec())] {
        let stored = read(&plain, kind).unwrap();
        for value in 1..=8 {
            let turned = match kind {
                Kind::Jpeg | Kind::Pdf | Kind::Tiff => {
                    with_segment(&plain, 0xe1, &[b"Exif\0\0", &exif(value)[..]].concat())
                }
                Kind::Png => png_of((30, 20), png_crate::ColorType::Grayscale, &samples, Some(&exif(value)), false),
            };
            let wanted = Orientation::of_tag(Some(u64::from(value))).upright(stored.pels.clone());
            assert_eq!(read(&turned, kind).unwrap().pels, wanted, "{} {value}", kind.name());
        }
    }
}

/// Inserts a chunk after the header of a PNG.
fn with_chunk(png: &[u8], kind: [u8; 4], data: &[u8]) -> Vec<u8> {
    let mut checksum = flate2::Crc::new();
    checksum.update(&kind);
    checksum.update(data);
    let (length, sum) = ((data.len() as u32).to_be_bytes(), checksum.sum().to_be_bytes());
    // The file header has 8 bytes, the IHDR chunk 25.
    [&png[..33], &length, &kind, data, &sum, &png[33..]].concat()
}

#[test]
fn xmp_alone_rotates_a_png_and_a_jpeg_upright() {
    let samples: Vec<u8> = (0..30 * 20).map(|at| (at % 251) as u8).collect();
    let plain = png_of((30, 20), png_crate::ColorType::Grayscale, &samples, None, false);
    let packed = |text: &[u8]| {
        let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packed, text).unwrap();
        packed.finish().unwrap()
    };
    for value in 1..=8 {
        let xmp = format!("<x:xmpmeta><rdf:Description tiff:Orientation=\"{value}\"/></x:xmpmeta>").into_bytes();
        let keyword = b"XML:com.adobe.xmp\0";
        let text = with_chunk(&plain, *b"iTXt", &[&keyword[..], b"\0\0\0\0", &xmp].concat());
        let compressed = with_chunk(&plain, *b"iTXt", &[&keyword[..], b"\x01\0en\0xmp\0", &packed(&xmp)].concat());
        let jpeg = with_segment(TONES, 0xe1, &[b"http://ns.adobe.com/xap/1.0/\0", &xmp[..]].concat());
        for (turned, plain, kind) in
            [(&text, &plain[..], Kind::Png), (&compressed, &plain, Kind::Png), (&jpeg, TONES, Kind::Jpeg)]
        {
            let stored = read(plain, kind).unwrap().pels;
            let wanted = Orientation::of_tag(Some(value)).upright(stored);
            assert_eq!(read(turned, kind).unwrap().pels, wanted, "{} {value}", kind.name());
        }
    }
}

#[test]
fn greys_print_ink_in_proportion_to_their_darkness_at_every_quality() {
    for (level, wanted) in [(204, 0.2), (128, 0.5), (230, 0.1)] {
        let flat = png_of((850, 500), png_crate::ColorType::Grayscale, &vec![level; 850 * 500], None, false);
        for quality in Quality::ALL {
            let (pages, losses) = fax(&flat, *quality);
            assert!((ink(&pages[0]) - wanted).abs() < 0.03, "{level} {quality}: {}", ink(&pages[0]));
            assert!(losses.is_empty());
        }
    }
}

#[test]
fn a_page_that_becomes_white_despite_its_image_is_reported() {
    let mut speck = vec![255; 4_000 * 4_000];
    speck[4_000 * 2_000 + 2_000] = 0;
    let (pages, losses) =
        fax(&png_of((4_000, 4_000), png_crate::ColorType::Grayscale, &speck, None, false), Quality::Standard);
    assert_eq!(ink(&pages[0]), 0.0);
    assert!(losses[0].contains("is blank"), "{losses:?}");
    let white = png_of((100, 100), png_crate::ColorType::Grayscale, &[255; 100 * 100], None, false);
    assert_eq!(fax(&white, Quality::Fine).1, [""; 0]);
}

#[test]
fn transparent_pels_are_white() {
    let pels = [[0, 0, 0, 0], [0, 0, 0, 255], [0, 0, 0, 51]];
    let samples: Vec<u8> = (0..300).flat_map(|at| pels[at % 3]).collect();
    let picture = read(&png_of((30, 10), png_crate::ColorType::Rgba, &samples, None, false), Kind::Png).unwrap();
    assert_eq!(greys(&picture)[..3], [255, 0, 204]);
    let grey: Vec<u8> = samples.chunks(4).flat_map(|pel| [pel[0], pel[3]]).collect();
    let picture = read(&png_of((30, 10), png_crate::ColorType::GrayscaleAlpha, &grey, None, false), Kind::Png).unwrap();
    assert_eq!(greys(&picture)[..3], [255, 0, 204]);
}

#[test]
fn a_truncated_png_keeps_its_rows_with_white_below() {
    let (width, height) = (200, 150);
    let mut state = 1_u32;
    let samples: Vec<u8> = (0..width * height)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 25) as u8
        })
        .collect();
    for percent in [30, 60, 90] {
        let whole = png_of((width, height), png_crate::ColorType::Grayscale, &samples, None, false);
        let picture = read(&whole[..whole.len() * percent / 100], Kind::Png).unwrap();
        let pels = greys(&picture);
        let same = pels.iter().zip(&samples).take_while(|(a, b)| a == b).count();
        assert!(same * 100 >= samples.len() * (percent - 10), "{percent}: {same}");
        assert!(pels[same.next_multiple_of(width as usize)..].iter().all(|pel| *pel == 255));
        assert!(picture.losses[0].contains("rows can't be read"), "{:?}", picture.losses);
        let interlaced = png_of((width, height), png_crate::ColorType::Grayscale, &samples, None, true);
        let picture = read(&interlaced[..interlaced.len() * percent / 100], Kind::Png).unwrap();
        assert_eq!(picture.losses.len(), 1);
    }
}

#[test]
fn a_png_with_a_wrong_checksum_is_read_and_reported() {
    let samples: Vec<u8> = (0..40 * 40).map(|at| at as u8).collect();
    let whole = png_of((40, 40), png_crate::ColorType::Grayscale, &samples, None, false);
    let mut wrong = whole.clone();
    // The checksum of the image data has 4 bytes, and the chunk after it, IEND, has 12.
    let at = wrong.len() - 16;
    wrong[at] ^= 0x55;
    let picture = read(&wrong, Kind::Png).unwrap();
    assert_eq!(greys(&picture), samples);
    assert_eq!(picture.losses.len(), 1);
    assert!(read(&whole, Kind::Png).unwrap().losses.is_empty());
    assert!(read(&whole[..40], Kind::Png).unwrap_err().reason.contains("damaged"));
    assert_eq!(png::size(&whole), Ok((40, 40)));
}

#[test]
fn a_truncated_jpeg_keeps_its_rows_with_white_below() {
    for (name, whole) in [("baseline", TONES), ("progressive", TONES_PROGRESSIVE)] {
        let sound = read(whole, Kind::Jpeg).unwrap();
        assert!(sound.losses.is_empty(), "{name}: {:?}", sound.losses);
        let head = jpeg::Head::read(whole).unwrap();
        let start = whole.len() - coded_bytes(whole);
        for percent in [40, 70] {
            let cut = &whole[..start + (whole.len() - start) * percent / 100];
            let picture = read(cut, Kind::Jpeg).unwrap();
            assert_eq!(picture.losses.len(), 1, "{name} {percent}");
            let pels = greys(&picture);
            let bottom = pels.chunks(head.width as usize).next_back().unwrap();
            if name == "baseline" {
                assert!(bottom.iter().all(|pel| *pel == 255), "{name} {percent}");
                assert!(picture.losses[0].contains("are white"), "{:?}", picture.losses);
                assert_eq!(pels[..8 * head.width as usize], greys(&sound)[..8 * head.width as usize]);
            }
        }
        assert!(read(&whole[..20], Kind::Jpeg).unwrap_err().reason.contains("damaged"));
    }
}

/// Returns the number of bytes from the first start-of-scan marker to the end.
fn coded_bytes(jpeg: &[u8]) -> usize {
    let at = jpeg.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap();
    jpeg.len() - at
}

/// Returns the greys at the centres of the four fields of inks.jpg.
fn fields(jpeg: &[u8]) -> [u8; 4] {
    let picture = read(jpeg, Kind::Jpeg).unwrap();
    assert!(picture.losses.is_empty(), "{:?}", picture.losses);
    [16, 48, 80, 112].map(|x| greys(&picture)[16 * 128 + x])
}

/// Asserts that greys differ by at most 3.
fn near(greys: [u8; 4], wanted: [u8; 4]) {
    assert!(greys.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) <= 3), "{greys:?} {wanted:?}");
}

#[test]
fn cmyk_images_have_the_right_darkness_in_every_stored_form() {
    let adobe = INKS.windows(5).position(|name| name == b"Adobe").unwrap();
    let light = |cyan: u32| picture_luma(cyan, 128, 128);
    // As stored, inks are inverted: 255 means no ink.
    near(fields(INKS), [light(0), light(255), 0, (u32::from(light(100)) * 200 / 255) as u8]);
    // Without Adobe's marker, inks are not inverted: 255 means full ink.
    let mut plain = INKS.to_vec();
    plain.drain(adobe - 4..adobe + 12);
    let dark = |cyan: u32| picture_luma(255 - cyan, 127, 127);
    near(fields(&plain), [0, 0, dark(255), (u32::from(dark(100)) * 55 / 255) as u8]);
    // With another transform in the marker, the samples are luma, chroma and black. A chroma of 128 means grey.
    let mut ycck = INKS.to_vec();
    ycck[adobe + 11] = 2;
    near(fields(&ycck), [255, 0, 0, (155 * 200 / 255) as u8]);
}

#[test]
fn rgb_is_recognised_by_adobes_marker_or_component_names() {
    // The coded samples stay the same, but are now read as red, green and blue instead of luma and chroma.
    let marked = with_segment(&without_jfif(TONES), 0xee, b"Adobe\0\x64\0\0\0\0\0");
    let mut named = without_jfif(TONES);
    // The names of components begin at byte 10 of the frame header (marker 0xc0), 3 bytes apart, and at byte 5 of the
    // scan header (marker 0xda), 2 bytes apart.
    for (mark, step) in [(0xc0, 3), (0xda, 2)] {
        let at = named.windows(2).position(|pair| pair == [0xff, mark]).unwrap() + if mark == 0xc0 { 10 } else { 5 };
        (0..3).for_each(|component| named[at + component * step] = b"RGB"[component]);
    }
    let (marked, named) = (read(&marked, Kind::Jpeg).unwrap(), read(&named, Kind::Jpeg).unwrap());
    assert_eq!(marked.pels, named.pels);
    assert_ne!(marked.pels, read(TONES, Kind::Jpeg).unwrap().pels);
    assert!(marked.losses.is_empty() && named.losses.is_empty());
}

/// Removes the JFIF header, which says that the components are luma and chroma.
fn without_jfif(jpeg: &[u8]) -> Vec<u8> {
    let length = usize::from(u16::from_be_bytes([jpeg[4], jpeg[5]]));
    [&jpeg[..2], &jpeg[4 + length..]].concat()
}

fn picture_luma(red: u32, green: u32, blue: u32) -> u8 {
    crate::document::picture::luma(red as u8, green as u8, blue as u8)
}

#[test]
fn unsupported_features_are_not_reported_as_damage() {
    let frame = TONES.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    let with = |at: usize, byte: u8| {
        let mut jpeg = TONES.to_vec();
        jpeg[at] = byte;
        read(&jpeg, Kind::Jpeg).unwrap_err().reason
    };
    assert!(with(frame + 1, 0xc9).contains("not supported: arithmetic"));
    assert!(with(frame + 1, 0xc3).contains("not supported: lossless"));
    assert!(with(frame + 4, 12).contains("not supported: 12-bit"));
}
