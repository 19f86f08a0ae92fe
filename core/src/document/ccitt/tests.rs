//! Tests the coder against other implementations, and the decoder with damaged data. The `fax` crate must write the
//! same MMR bytes as the coder, and hayro-ccitt must read every scheme's bytes in its strict mode.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

/// The number of images that are coded and compared.
const IMAGES: u64 = 300;

/// Returns an image of one of several kinds: white, black, noise, long runs, or rows that differ little from the row
/// above.
fn image(seed: u64) -> Bitmap {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let width = match seed % 5 {
        0 => 1_728,
        1 => random.random_range(1..=70),
        2 => random.random_range(2_500..=6_000),
        _ => random.random_range(1..=2_000),
    };
    let mut image = Bitmap::white(width, random.random_range(1..=40));
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for y in 0..image.height() {
        match seed % 7 {
            0 => {}
            1 => image.blacken_run(y, 0, width),
            2 => (0..width).filter(|_| random.random_bool(0.5)).for_each(|x| image.blacken(x, y)),
            3 => (0..width).filter(|_| random.random_bool(0.02)).for_each(|x| image.blacken(x, y)),
            _ => {
                if y % 5 == 0 {
                    runs = (0..random.random_range(0..30))
                        .map(|_| (random.random_range(0..width), random.random_range(1..=width)))
                        .collect();
                }
                for (start, length) in &mut runs {
                    *start = start.saturating_add(random.random_range(0..=4)).saturating_sub(2);
                    image.blacken_run(y, *start, start.saturating_add(*length / 4));
                }
            }
        }
    }
    image
}

fn written(image: &Bitmap, scheme: Scheme, minimum_row_bits: u32) -> Vec<u8> {
    code(image, scheme, minimum_row_bits, BitWriter::default()).into_bytes()
}

#[test]
fn another_coder_writes_the_same_mmr_bytes() {
    for seed in 0..IMAGES {
        let image = image(seed);
        let mut other = fax::encoder::Encoder::new(fax::VecWriter::new());
        for y in 0..image.height() {
            let pels =
                (0..image.width()).map(|x| if image.is_black(x, y) { fax::Color::Black } else { fax::Color::White });
            other.encode_line(pels, image.width()).unwrap();
        }
        assert_eq!(g4(&image), other.finish().unwrap().finish(), "seed {seed}");
    }
}

/// Decodes data with hayro-ccitt in its strict mode, which accepts only what T.4 and T.6 allow.
fn strictly(bytes: &[u8], stored: Stored, width: u32, height: u32) -> Bitmap {
    struct Rows(Bitmap, u32);
    impl hayro_ccitt::Decoder for Rows {
        fn push_row(&mut self, changes: &[u32]) {
            for run in changes.chunks(2) {
                self.0.blacken_run(self.1, run[0], run.get(1).copied().unwrap_or(self.0.width()));
            }
            self.1 += 1;
        }
    }
    let mut rows = Rows(Bitmap::white(width, height), 0);
    let settings = hayro_ccitt::DecodeSettings {
        columns: width,
        rows: height,
        end_of_block: true,
        end_of_line: stored != Stored::Mmr,
        rows_are_byte_aligned: false,
        encoding: match stored {
            Stored::Mmr => hayro_ccitt::EncodingMode::Group4,
            Stored::Mr => hayro_ccitt::EncodingMode::Group3_2D,
            Stored::Mh | Stored::MhRows | Stored::MhWords => hayro_ccitt::EncodingMode::Group3_1D,
        },
        strict: true,
    };
    hayro_ccitt::decode(bytes, &mut rows, &mut hayro_ccitt::DecoderContext::new(settings)).unwrap();
    assert_eq!(rows.1, height);
    rows.0
}

#[test]
fn every_scheme_is_read_back_by_this_decoder_and_by_a_strict_one() {
    for seed in 0..IMAGES {
        let image = image(seed);
        let forms = [
            (Scheme::Mmr, 0, Stored::Mmr),
            (Scheme::Mh, 0, Stored::Mh),
            (Scheme::Mh, 288, Stored::Mh),
            (Scheme::Mr { k: 2 }, 0, Stored::Mr),
            (Scheme::Mr { k: 4 }, 144, Stored::Mr),
        ];
        for (scheme, minimum, stored) in forms {
            let bytes = written(&image, scheme, minimum);
            let read = decode(&bytes, stored, image.width(), image.height());
            assert!(read.is_whole(), "seed {seed} {scheme:?} {minimum}: {} {}", read.rows, read.damaged_rows);
            assert_eq!(read.image, image, "seed {seed} {scheme:?} {minimum}");
            assert_eq!(strictly(&bytes, stored, image.width(), image.height()), image, "seed {seed} {scheme:?}");
        }
    }
}

/// Packs codes, given as bit strings, into bytes.
fn packed(codes: &[&str]) -> Vec<u8> {
    let bits: Vec<u8> = codes.concat().bytes().map(|bit| bit - b'0').collect();
    bits.chunks(8).map(|byte| byte.iter().enumerate().fold(0, |sum, (at, bit)| sum | bit << (7 - at))).collect()
}

#[test]
fn zero_length_runs_are_changing_elements_for_the_row_below() {
    // The first row is white to 3, black to 3 (a run of zero length), white to 8, and black to 16. The second row has a
    // change two pels to the right of the change at 3.
    let above = ["001", "1000", "0000110111", "001", "1100", "000101"];
    let below = ["000011", "1"];
    let read = decode(&packed(&[&above[..], &below].concat()), Stored::Mmr, 16, 2);
    assert!(read.is_whole(), "{read:?}");
    let black = |y| (0..16).filter(|x| read.image.is_black(*x, y)).collect::<Vec<u32>>();
    assert_eq!(black(0), (8..16).collect::<Vec<u32>>());
    assert_eq!(black(1), (5..16).collect::<Vec<u32>>());
}

#[test]
fn a_row_with_too_many_zero_length_runs_is_abandoned() {
    const WIDTH: u32 = 63;
    // In each case, the repeated codes add two runs of zero length, and the last codes end the row.
    for (stored, row_above, repeated, end) in [
        (Stored::MhRows, "", "001101010000110111", "00110100"),
        (Stored::Mmr, "", "001001101010000110111", "1"),
        // The row above has two changes at 1, and VL(1) leads from either of them to 0.
        (Stored::Mmr, "00100011100001101111", "010010", "11"),
    ] {
        let above = u32::from(!row_above.is_empty());
        // A row has at most twice as many changes as pels, and one more.
        for (times, rows) in [(WIDTH - 1, above + 1), (WIDTH + 1, above)] {
            let bytes = packed(&[row_above, &repeated.repeat(times as usize), end]);
            let read = decode(&bytes, stored, WIDTH, above + 1);
            assert_eq!(read.rows, rows, "{stored:?} {repeated}, {times} times");
        }
    }
}

#[test]
fn an_invalid_code_damages_only_its_row_if_end_of_line_codes_separate_rows() {
    let image = image(0x18);
    for (scheme, stored) in [(Scheme::Mh, Stored::Mh), (Scheme::Mr { k: 2 }, Stored::Mr)] {
        let mut bytes = written(&image, scheme, 0);
        let middle = bytes.len() / 2;
        bytes[middle..middle + 3].copy_from_slice(&[0, 0, 0]);
        let read = decode(&bytes, stored, image.width(), image.height());
        assert!(read.damaged_rows > 0 && read.rows + 2 >= image.height(), "{scheme:?}: {}", read.rows);
        assert_eq!(read.image.row(0), image.row(0));
    }
}

#[test]
fn counted_bits_equal_written_bits() {
    for seed in 0..IMAGES {
        let image = image(seed);
        for scheme in [Scheme::Mh, Scheme::Mr { k: 4 }, Scheme::Mmr] {
            let bits = code(&image, scheme, 96, BitCounter::default()).bits();
            assert_eq!(bits.div_ceil(8), written(&image, scheme, 96).len() as u64, "seed {seed} {scheme:?}");
        }
    }
}

#[test]
fn rows_are_padded_to_the_minimum() {
    let image = Bitmap::white(1_728, 100);
    let bits = code(&image, Scheme::Mh, 288, BitCounter::default()).bits();
    // Six end-of-line codes of 12 bits end the page.
    assert_eq!(bits, 100 * 288 + 6 * 12);
}

#[test]
fn truncated_data_keeps_its_first_rows() {
    let image = image(0x17);
    let bytes = g4(&image);
    let read = decode(&bytes[..bytes.len() / 2], Stored::Mmr, image.width(), image.height());
    assert!(read.rows > 0 && read.rows < image.height() && !read.is_whole());
    assert!((0..read.rows).all(|y| read.image.row(y) == image.row(y)));
    assert!((read.rows + 1..image.height()).all(|y| read.image.is_white_row(y)));
    let nothing = decode(&[], Stored::Mmr, 100, 10);
    assert_eq!(nothing, Decoded { image: Bitmap::white(100, 10), rows: 0, damaged_rows: 0 });
}
