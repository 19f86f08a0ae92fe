//! Tests TIFFs of many layouts, which are written here and read back.

use super::*;
use crate::document::ccitt::{BitWriter, Scheme, code, g4};

const WIDTH: u32 = 200;
const HEIGHT: u32 = 40;

fn drawing() -> Bitmap {
    let mut image = Bitmap::white(WIDTH, HEIGHT);
    (0..HEIGHT).for_each(|y| image.blacken_run(y, y * 3, y * 4 + 20));
    image
}

/// The tags of a page, and its only strip.
type Page<'a> = (&'a [(u16, u32)], &'a [u8]);

/// Writes a TIFF with one strip per page, in either byte order.
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

/// Reads all pages, none of which may fail.
fn pictures(bytes: &[u8]) -> Vec<Picture> {
    let pages = Pages::open(bytes).unwrap();
    (0..pages.count()).map(|index| pages.read(index).unwrap_or_else(|fault| panic!("{}", fault.reason))).collect()
}

/// Returns the reason why the first page can't be read.
fn refused(bytes: &[u8]) -> String {
    Pages::open(bytes).and_then(|pages| pages.read(0)).unwrap_err().reason
}

/// Returns the rows of an image as bytes, with black as 1.
fn packed(image: &Bitmap) -> Vec<u8> {
    image.rows().flat_map(|row| row.iter().flat_map(|word| word.to_be_bytes()).take(25).collect::<Vec<_>>()).collect()
}

#[test]
fn every_fax_coding_reads_the_same_in_every_bit_and_byte_order() {
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
        assert_eq!(Pages::open(&file).unwrap().count(), 6);
        for picture in pictures(&file) {
            assert_eq!(picture.pels, Pels::Bits(image.clone()));
            assert_eq!(picture.losses, [""; 0]);
        }
    }
}

#[test]
fn black_is_black_whether_stored_as_zeros_or_ones() {
    let image = drawing();
    let mut inverted = image.clone();
    inverted.invert();
    let (plain, other, mmr) = (packed(&image), packed(&inverted), g4(&inverted));
    let file =
        file(false, &[(&[(259, 1), (262, 0)], &plain), (&[(259, 1), (262, 1)], &other), (&[(259, 4), (262, 1)], &mmr)]);
    for (number, picture) in pictures(&file).into_iter().enumerate() {
        assert_eq!(picture.pels, Pels::Bits(image.clone()), "page {number}");
    }
}

#[test]
fn greys_read_the_same_at_every_depth() {
    let eight: Vec<u8> = (0..WIDTH * HEIGHT).map(|at| (at % 4 * 85) as u8).collect();
    let four: Vec<u8> = eight.chunks(2).map(|pair| ((pair[0] / 17) << 4) | (pair[1] / 17)).collect();
    let two: Vec<u8> = eight.chunks(4).map(|four| four.iter().fold(0, |byte, pel| (byte << 2) | (pel / 85))).collect();
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

/// Writes a TIFF with one page, whose tags may have several values. Offsets and counts are longs, all others shorts.
struct Writer {
    big_endian: bool,
    tags: Vec<(u16, Vec<u32>)>,
    segments: Vec<Vec<u8>>,
    tiled: bool,
    next: u32,
}

impl Writer {
    fn new(tags: &[(u16, &[u32])], segments: &[&[u8]]) -> Self {
        let tags = tags.iter().map(|(tag, values)| (*tag, values.to_vec())).collect();
        let segments = segments.iter().map(|segment| segment.to_vec()).collect();
        Self { big_endian: false, tags, segments, tiled: false, next: 0 }
    }

    fn file(&self) -> Vec<u8> {
        let short =
            |value: u32| if self.big_endian { (value as u16).to_be_bytes() } else { (value as u16).to_le_bytes() };
        let long = |value: u32| if self.big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        let mut bytes = if self.big_endian { b"MM\0\x2a\0\0\0\0".to_vec() } else { b"II\x2a\0\0\0\0\0".to_vec() };
        let mut tags = self.tags.clone();
        let (mut offsets, mut counts) = (Vec::new(), Vec::new());
        for segment in &self.segments {
            offsets.push(bytes.len() as u32);
            counts.push(segment.len() as u32);
            bytes.extend_from_slice(segment);
        }
        let (offset_tag, count_tag) = if self.tiled { (324, 325) } else { (273, 279) };
        tags.push((offset_tag, offsets));
        if !tags.iter().any(|(tag, _)| *tag == count_tag) {
            tags.push((count_tag, counts));
        }
        tags.retain(|(_, values)| !values.is_empty());
        tags.sort();
        let mut entries = Vec::new();
        for (tag, values) in &tags {
            let is_long = [273, 279, 324, 325].contains(tag);
            let data: Vec<u8> = values
                .iter()
                .flat_map(|value| if is_long { long(*value).to_vec() } else { short(*value).to_vec() })
                .collect();
            entries.extend(short(u32::from(*tag)));
            entries.extend(short(if is_long { 4 } else { 3 }));
            entries.extend(long(values.len() as u32));
            if data.len() <= 4 {
                entries.extend(data.iter().copied().chain([0; 4]).take(4));
            } else {
                entries.extend(long(bytes.len() as u32));
                bytes.extend(data);
            }
        }
        let directory = long(bytes.len() as u32);
        bytes[4..8].copy_from_slice(&directory);
        bytes.extend(short(tags.len() as u32));
        bytes.extend(entries);
        bytes.extend(long(self.next));
        bytes
    }
}

/// Returns greys that change from column to column and from row to row.
fn greys() -> Vec<u8> {
    (0..WIDTH * HEIGHT).map(|at| (at % WIDTH + at / WIDTH * 3) as u8).collect()
}

/// Reads the first page, which must be grey and have the usual size.
fn gray_of(file: &[u8]) -> Vec<u8> {
    let Pels::Gray(gray) = &pictures(file)[0].pels else { panic!("not a grey page") };
    assert_eq!((gray.width(), gray.height()), (WIDTH, HEIGHT));
    gray.pels().to_vec()
}

const SIZE: [(u16, &[u32]); 2] = [(256, &[WIDTH]), (257, &[HEIGHT])];

fn deflated(data: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn lzw(data: &[u8]) -> Vec<u8> {
    weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8).encode(data).unwrap()
}

fn pack_bits(data: &[u8]) -> Vec<u8> {
    data.chunks(128).flat_map(|part| [&[part.len() as u8 - 1][..], part].concat()).collect()
}

/// A function that compresses data.
type Pack = fn(&[u8]) -> Vec<u8>;
/// The lossless compressions, each with its number in the tag.
const PLAIN: [(u32, Pack); 4] = [(1, <[u8]>::to_vec), (5, lzw), (8, deflated), (32_773, pack_bits)];

#[test]
fn planes_read_like_interleaved_colours_in_every_lossless_compression() {
    let red: Vec<u8> = greys();
    let (green, blue): (Vec<u8>, Vec<u8>) =
        (red.iter().map(|v| v / 2).collect(), red.iter().map(|v| 255 - v).collect());
    let together: Vec<u8> = red.iter().zip(&green).zip(&blue).flat_map(|((r, g), b)| [*r, *g, *b]).collect();
    let wanted: Vec<u8> =
        together.chunks(3).map(|pel| crate::document::picture::luma(pel[0], pel[1], pel[2])).collect();
    for (compression, pack) in PLAIN {
        for backwards in [1, 2] {
            let stored = |data: &[u8]| {
                let data = pack(data);
                if backwards == 2 { data.iter().map(|byte| byte.reverse_bits()).collect() } else { data }
            };
            let tags = [
                SIZE[0],
                SIZE[1],
                (258, &[8, 8, 8]),
                (259, &[compression]),
                (262, &[2]),
                (266, &[backwards]),
                (277, &[3]),
            ];
            let file = Writer::new(&tags, &[&stored(&together)]).file();
            assert_eq!(gray_of(&file), wanted, "{compression} {backwards}");
            let planar = [&tags[..], &[(284, &[2])]].concat();
            let file = Writer::new(&planar, &[&stored(&red), &stored(&green), &stored(&blue)]).file();
            assert_eq!(gray_of(&file), wanted, "{compression} {backwards} planar");
        }
    }
}

#[test]
fn palettes_are_read_at_every_depth() {
    for depth in [1, 2, 4, 8] {
        let levels = 1_u32 << depth;
        let indices: Vec<u8> = (0..WIDTH * HEIGHT).map(|at| (at * 7 % levels) as u8).collect();
        let per_byte = 8 / depth as usize;
        let data: Vec<u8> = indices
            .chunks(WIDTH as usize)
            .flat_map(|row| {
                row.chunks(per_byte)
                    .map(|part| {
                        let packed = part.iter().fold(0_u16, |byte, index| byte << depth | u16::from(*index));
                        (packed << (depth as usize * (per_byte - part.len()))) as u8
                    })
                    .collect::<Vec<u8>>()
            })
            .collect();
        let shade = |index: u32| 255 - index * 255 / (levels - 1);
        for scale in [1, 257] {
            let palette: Vec<u32> = (0..3).flat_map(|_| (0..levels).map(|index| shade(index) * scale)).collect();
            let tags = [SIZE[0], SIZE[1], (258, &[depth]), (259, &[1]), (262, &[3]), (320, &palette[..])];
            let wanted: Vec<u8> = indices.iter().map(|index| shade(u32::from(*index)) as u8).collect();
            assert_eq!(gray_of(&Writer::new(&tags, &[&data]).file()), wanted, "{depth} {scale}");
        }
    }
}

#[test]
fn transparent_pels_show_white_paper() {
    // The pels are opaque, half transparent and fully transparent. Associated colours have already been multiplied.
    for (extra, pels, wanted) in [
        (2, [[0, 0, 0, 255], [0, 0, 0, 128], [0, 0, 0, 0]], [0, 127, 255]),
        (1, [[100, 100, 100, 255], [50, 50, 50, 128], [0, 0, 0, 0]], [100, 177, 255]),
    ] {
        let data: Vec<u8> = (0..(WIDTH * HEIGHT) as usize).flat_map(|at| pels[at % 3]).collect();
        let wanted: Vec<u8> = (0..(WIDTH * HEIGHT) as usize).map(|at| wanted[at % 3]).collect();
        let tags = [SIZE[0], SIZE[1], (258, &[8, 8, 8, 8]), (262, &[2]), (277, &[4]), (338, &[extra])];
        assert_eq!(gray_of(&Writer::new(&tags, &[&data]).file()), wanted, "{extra}");
        let planes: Vec<Vec<u8>> = (0..4).map(|plane| data.iter().skip(plane).step_by(4).copied().collect()).collect();
        let planes: Vec<&[u8]> = planes.iter().map(Vec::as_slice).collect();
        let planar = [&tags[..], &[(284, &[2])]].concat();
        assert_eq!(gray_of(&Writer::new(&planar, &planes).file()), wanted, "{extra} planar");
        let two: Vec<u8> = data.chunks(4).flat_map(|pel| [pel[0], pel[3]]).collect();
        let tags = [SIZE[0], SIZE[1], (258, &[8, 8]), (262, &[1]), (277, &[2]), (338, &[extra])];
        assert_eq!(gray_of(&Writer::new(&tags, &[&two]).file()), wanted, "{extra} in grey");
    }
}

#[test]
fn deep_samples_are_scaled_in_either_byte_order() {
    let levels: Vec<u32> = (0..WIDTH * HEIGHT).map(|at| at % 256).collect();
    let wanted: Vec<u8> = levels.iter().map(|level| *level as u8).collect();
    for big_endian in [false, true] {
        let order = |bytes: &[u8]| if big_endian { bytes.to_vec() } else { bytes.iter().rev().copied().collect() };
        let sixteen: Vec<u8> = levels.iter().flat_map(|level| order(&(*level as u16 * 257).to_be_bytes())).collect();
        let thirty_two: Vec<u8> = levels.iter().flat_map(|level| order(&(level * 0x0101_0101).to_be_bytes())).collect();
        let twelve: Vec<u8> = levels
            .chunks(2)
            .flat_map(|pair| {
                let bits = (pair[0] * 4_095 / 255) << 12 | (pair[1] * 4_095 / 255);
                bits.to_be_bytes()[1..].to_vec()
            })
            .collect();
        for (depth, data) in [(16, sixteen), (32, thirty_two), (12, twelve)] {
            let tags = [SIZE[0], SIZE[1], (258, &[depth]), (262, &[1])];
            let writer = Writer { big_endian, ..Writer::new(&tags, &[&data]) };
            let read = gray_of(&writer.file());
            assert!(read.iter().zip(&wanted).all(|(a, b)| a.abs_diff(*b) <= 1), "{depth} {big_endian}");
        }
    }
}

#[test]
fn differences_are_added_up_in_every_byte_order_and_depth() {
    let row = |y: u32| (0..WIDTH).map(move |x| x * 300 + y * 111);
    for (big_endian, depth) in [(false, 16), (true, 16), (false, 8), (false, 32)] {
        let data: Vec<u8> = (0..HEIGHT)
            .flat_map(|y| {
                let mut before = 0_u32;
                row(y)
                    .flat_map(move |value| {
                        let difference = value.wrapping_sub(before);
                        before = value;
                        let bytes = difference.to_be_bytes()[4 - depth / 8..].to_vec();
                        if big_endian { bytes } else { bytes.into_iter().rev().collect() }
                    })
                    .collect::<Vec<u8>>()
            })
            .collect();
        let wanted: Vec<u8> = (0..HEIGHT).flat_map(|y| row(y).map(|value| (value >> (depth - 8)) as u8)).collect();
        for (compression, packed) in [(5, lzw(&data)), (8, deflated(&data))] {
            let tags = [SIZE[0], SIZE[1], (258, &[depth as u32][..]), (259, &[compression]), (262, &[1]), (317, &[2])];
            let writer = Writer { big_endian, ..Writer::new(&tags, &[&packed]) };
            assert_eq!(gray_of(&writer.file()), wanted, "{big_endian} {depth} {compression}");
        }
    }
}

#[test]
fn tiles_are_assembled_in_every_compression() {
    let image = drawing();
    let tile = |x: u32, y: u32| {
        let mut tile = Bitmap::white(64, 32);
        for row in 0..32 {
            (0..64).filter(|at| image.is_black(x + at, y + row)).for_each(|at| tile.blacken(at, row));
        }
        tile
    };
    let places =
        (0..HEIGHT.div_ceil(32)).flat_map(|row| (0..WIDTH.div_ceil(64)).map(move |column| (column * 64, row * 32)));
    let tiles: Vec<Bitmap> = places.map(|(x, y)| tile(x, y)).collect();
    let bytes = |tile: &Bitmap| tile.rows().flat_map(|row| row[0].to_be_bytes()).collect::<Vec<u8>>();
    let mh = |tile: &Bitmap| code(tile, Scheme::Mh, 0, BitWriter::default()).into_bytes();
    let all = |pack: &dyn Fn(&Bitmap) -> Vec<u8>| tiles.iter().map(pack).collect::<Vec<_>>();
    for (compression, packed) in [
        (1, all(&bytes)),
        (3, all(&mh)),
        (4, all(&g4)),
        (5, all(&|tile| lzw(&bytes(tile)))),
        (8, all(&|tile| deflated(&bytes(tile)))),
        (32_773, all(&|tile| pack_bits(&bytes(tile)))),
    ] {
        let packed: Vec<&[u8]> = packed.iter().map(Vec::as_slice).collect();
        let tags = [SIZE[0], SIZE[1], (259, &[compression][..]), (262, &[0]), (322, &[64]), (323, &[32])];
        let writer = Writer { tiled: true, ..Writer::new(&tags, &packed) };
        assert_eq!(pictures(&writer.file())[0].pels, Pels::Bits(image.clone()), "{compression}");
    }
}

#[test]
fn strips_without_lengths_extend_as_far_as_possible() {
    let image = drawing();
    let strips: Vec<Vec<u8>> = (0..4).map(|strip| g4(&image.slice(strip * 10, strip * 10 + 10))).collect();
    let plain: Vec<Vec<u8>> = (0..4).map(|strip| packed(&image.slice(strip * 10, strip * 10 + 10))).collect();
    for (compression, strips) in [(4, &strips), (1, &plain)] {
        let strips: Vec<&[u8]> = strips.iter().map(Vec::as_slice).collect();
        for counts in [&[][..], &[0, 0, 0, 0]] {
            let tags = [SIZE[0], SIZE[1], (259, &[compression][..]), (262, &[0]), (278, &[10]), (279, counts)];
            let picture = &pictures(&Writer::new(&tags, &strips).file())[0];
            assert_eq!(picture.pels, Pels::Bits(image.clone()), "{compression} {counts:?}");
            assert!(picture.losses.is_empty());
        }
    }
}

#[test]
fn lzw_data_without_an_end_code_loses_a_few_rows_at_most() {
    let data = greys();
    let coded = lzw(&data);
    for cut in 1..3 {
        let tags = [SIZE[0], SIZE[1], (258, &[8]), (259, &[5]), (262, &[1])];
        let picture = &pictures(&Writer::new(&tags, &[&coded[..coded.len() - cut]]).file())[0];
        let missing = (HEIGHT as usize * WIDTH as usize) - cut * 3 * WIDTH as usize;
        let Pels::Gray(gray) = &picture.pels else { panic!("not a grey page") };
        assert_eq!(gray.pels()[..missing], data[..missing], "{cut}");
    }
    let tags = [SIZE[0], SIZE[1], (258, &[8]), (259, &[5]), (262, &[1])];
    // The end code is in the last 9 to 12 bits.
    let picture = &pictures(&Writer::new(&tags, &[&coded[..coded.len() - 1]]).file())[0];
    assert!(picture.losses.len() <= 1, "{:?}", picture.losses);
}

#[test]
fn the_missing_part_of_a_page_is_white_and_reported() {
    let image = drawing();
    let mut inverted = image.clone();
    inverted.invert();
    for (compression, photometric, data) in [
        (4, 0, g4(&image)),
        (4, 1, g4(&inverted)),
        (1, 0, packed(&image)),
        (1, 1, packed(&inverted)),
        (5, 0, lzw(&packed(&image))),
        (8, 1, deflated(&packed(&inverted))),
    ] {
        let tags = [SIZE[0], SIZE[1], (259, &[compression][..]), (262, &[photometric])];
        let picture = &pictures(&Writer::new(&tags, &[&data[..data.len() * 3 / 5]]).file())[0];
        let Pels::Bits(bits) = &picture.pels else { panic!("not a bilevel page") };
        let same = (0..HEIGHT).take_while(|y| bits.row(*y) == image.row(*y)).count() as u32;
        assert!((5..HEIGHT).contains(&same), "{compression} {photometric}: {same}");
        assert!((same..HEIGHT).all(|y| bits.is_white_row(y)), "{compression} {photometric}");
        assert!(picture.losses[0].contains("rows"), "{:?}", picture.losses);
    }
}

#[test]
fn reduced_copies_and_masks_are_not_pages() {
    let image = drawing();
    let mmr = g4(&image);
    let page = |kind: &'static [(u16, u32)]| [&[(259, 4), (262, 0)][..], kind].concat();
    for copy in [&[(254, 1)][..], &[(254, 4)], &[(255, 2)], &[(254, 5)]] {
        let (real, copy) = (page(&[(254, 2)]), page(copy));
        for pages in [[&copy, &real], [&real, &copy]] {
            let file = file(false, &pages.map(|tags| (&tags[..], &mmr[..])));
            assert_eq!(Pages::open(&file).unwrap().count(), 1);
        }
        let alone = file(false, &[(&copy, &mmr)]);
        assert_eq!(Pages::open(&alone).unwrap().count(), 1);
    }
}

#[test]
fn pages_before_a_break_in_the_chain_are_kept() {
    let image = drawing();
    let mmr = g4(&image);
    let tags = [(259, 4), (262, 0)];
    let whole = file(false, &[(&tags, &mmr), (&tags, &mmr)]);
    let link = whole.len() - 4;
    for (next, why) in [(0xffff_0000_u32, "outside"), (whole.len() as u32 - 2, "outside"), (8, "no image")] {
        let mut bytes = whole.clone();
        bytes[link..].copy_from_slice(&next.to_le_bytes());
        let pages = Pages::open(&bytes).unwrap();
        assert_eq!(pages.count(), 2, "{next}");
        assert!(pages.fault().is_some(), "{next} {why}");
        assert_eq!(pages.read(1).unwrap().pels, Pels::Bits(image.clone()));
    }
    let mut looped = whole.clone();
    let first: [u8; 4] = whole[4..8].try_into().unwrap();
    looped[link..].copy_from_slice(&first);
    let pages = Pages::open(&looped).unwrap();
    assert_eq!((pages.count(), pages.fault().is_some_and(|fault| fault.contains("back"))), (2, true));
    assert_eq!(Pages::open(&whole).unwrap().fault(), None);
    assert_eq!(Pages::open(&whole[..link]).unwrap().count(), 2, "a chain that breaks off");
}

#[test]
fn a_bilevel_page_may_omit_the_meaning_of_its_pels() {
    let image = drawing();
    let mmr = g4(&image);
    let picture = &pictures(&Writer::new(&[SIZE[0], SIZE[1], (259, &[4])], &[&mmr]).file())[0];
    assert_eq!(picture.pels, Pels::Bits(image.clone()));
    let mut inverted = image.clone();
    inverted.invert();
    let picture = &pictures(&Writer::new(&[SIZE[0], SIZE[1], (259, &[1])], &[&packed(&inverted)]).file())[0];
    assert_eq!(picture.pels, Pels::Bits(image));
}

#[test]
fn other_tags_determine_the_colour_model_if_it_is_not_stated() {
    let samples = |count: u8| -> Vec<u8> {
        greys().iter().flat_map(|grey| (0..count).map(|sample| grey.wrapping_mul(sample + 1))).collect()
    };
    let palette: Vec<u32> = (0..768).map(|value| value * 7_919 % 65_536).collect();
    let ycbcr: (u16, &[u32]) = (530, &[1, 1]);
    for (photometric, count, tags) in [
        ([5], 4, &[(332, &[1][..])][..]),
        ([5], 4, &[(334, &[4])]),
        ([5], 5, &[(332, &[1]), (338, &[2])]),
        ([3], 1, &[(320, &palette)]),
        ([6], 3, &[ycbcr]),
        ([6], 3, &[ycbcr, (531, &[2])]),
    ] {
        let (depths, counted) = (vec![8; usize::from(count)], [u32::from(count)]);
        let tags = [&SIZE[..], &[(258, &depths[..]), (277, &counted)], tags].concat();
        let said = [&tags[..], &[(262, &photometric)]].concat();
        let data = samples(count);
        let left_out = gray_of(&Writer::new(&tags, &[&data]).file());
        assert_eq!(left_out, gray_of(&Writer::new(&said, &[&data]).file()), "{photometric:?} {tags:?}");
    }
}

#[test]
fn xmp_rotates_a_page_that_lacks_tag_274() {
    let image = drawing();
    let mmr = g4(&image);
    for value in [3_u8, 6, 8] {
        // The writer can write only shorts here, so the bytes are written in pairs.
        let xmp = format!("<rdf:Description tiff:Orientation=\"{value}\" />");
        let pairs: Vec<u32> =
            xmp.as_bytes().chunks(2).map(|pair| u32::from(pair[0]) | u32::from(pair[1]) << 8).collect();
        let tags = [SIZE[0], SIZE[1], (259, &[4][..]), (262, &[0]), (700, &pairs)];
        let picture = &pictures(&Writer::new(&tags, &[&mmr]).file())[0];
        let wanted = Orientation::of_tag(Some(u64::from(value))).upright(Pels::Bits(image.clone()));
        assert_eq!(picture.pels, wanted, "{value}");
        let said = [&tags[..], &[(274, &[1])]].concat();
        assert_eq!(pictures(&Writer::new(&said, &[&mmr]).file())[0].pels, Pels::Bits(image.clone()));
    }
}

#[test]
fn tag_274_rotates_pages_of_every_compression() {
    let image = drawing();
    for (value, turned) in [(1, false), (3, false), (6, true), (8, true), (5, true)] {
        for (compression, data) in [(4, g4(&image)), (1, packed(&image)), (5, lzw(&packed(&image)))] {
            let tags = [SIZE[0], SIZE[1], (259, &[compression][..]), (262, &[0]), (274, &[value])];
            let Pels::Bits(bits) = &pictures(&Writer::new(&tags, &[&data]).file())[0].pels.clone() else {
                panic!("not a bilevel page")
            };
            assert_eq!((bits.width(), bits.height()), if turned { (HEIGHT, WIDTH) } else { (WIDTH, HEIGHT) });
            let wanted = Orientation::of_tag(Some(u64::from(value))).upright(Pels::Bits(image.clone()));
            assert_eq!(Pels::Bits(bits.clone()), wanted, "{value} {compression}");
        }
    }
}

#[test]
fn unsupported_features_are_not_reported_as_damage() {
    let data = greys();
    let eight: (u16, &[u32]) = (258, &[8]);
    for (tags, why) in [
        (&[(259, &[6][..])][..], "not supported: old-style JPEG"),
        (&[(259, &[50_000])], "not supported: Zstandard"),
        (&[(259, &[34_925])], "not supported: LZMA"),
        (&[(339, &[3])], "not supported: floating-point"),
        (&[(339, &[2])], "not supported: signed"),
        (&[(262, &[32_803])], "not supported: raw sensor"),
        (&[(259, &[4])], "not supported: fax coding of more"),
        (&[(262, &[3])], "damaged: its palette"),
        (&[(259, &[8])], "damaged: none of its pels"),
        (&[(262, &[2])], "damaged: a pel has 1 sample"),
    ] {
        let tags = [&SIZE[..], &[eight], tags].concat();
        let reason = refused(&Writer::new(&tags, &[&data]).file());
        assert!(reason.contains(why), "{reason}");
    }
}

#[test]
fn a_truncated_page_reports_its_missing_rows_and_an_empty_page_fails() {
    let mmr = g4(&drawing());
    let cut = file(false, &[(&[(259, 4), (262, 0)], &mmr[..mmr.len() / 2])]);
    assert!(pictures(&cut)[0].losses[0].contains(&format!("of its {HEIGHT} rows")));
    let nothing = file(false, &[(&[(259, 4), (262, 0)], &[])]);
    assert!(refused(&nothing).contains("none of its pels"));
    let endless = file(false, &[(&[(256, 35_000), (257, 35_000), (259, 4), (262, 0)], &mmr)]);
    assert!(refused(&endless).contains("too large"));
}
