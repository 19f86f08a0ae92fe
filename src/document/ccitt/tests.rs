//! The coder against others: the `fax` crate's bytes, hayro-ccitt's strict reading.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

/// Images of each kind of content that the oracles look at.
const IMAGES: u64 = 300;

/// An image of one of several kinds: white, black, noise, long runs, rows that differ a little from the one above.
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
fn mmr_has_the_bytes_of_another_coder() {
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

#[test]
fn every_scheme_reads_back_strictly() {
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
            let read = decode(&bytes, stored, image.width(), image.height(), true);
            assert_eq!(read, (image.clone(), None), "seed {seed} {scheme:?} {minimum}");
        }
    }
}

#[test]
fn counting_finds_what_writing_wrote() {
    for seed in 0..IMAGES {
        let image = image(seed);
        for scheme in [Scheme::Mh, Scheme::Mr { k: 4 }, Scheme::Mmr] {
            let bits = code(&image, scheme, 96, BitCounter::default()).bits();
            assert_eq!(bits.div_ceil(8), written(&image, scheme, 96).len() as u64, "seed {seed} {scheme:?}");
        }
    }
}

#[test]
fn rows_are_filled_up_to_the_minimum() {
    let image = Bitmap::white(1_728, 100);
    let bits = code(&image, Scheme::Mh, 288, BitCounter::default()).bits();
    assert_eq!(bits, 100 * 288 + 6 * 12);
}

#[test]
fn what_is_cut_short_keeps_its_first_rows() {
    let image = image(0x17);
    let bytes = g4(&image);
    let (read, bad) = decode(&bytes[..bytes.len() / 2], Stored::Mmr, image.width(), image.height(), false);
    let Some(Bad::BreaksOff { rows }) = bad else { panic!("{bad:?}") };
    assert!(rows > 0 && rows < image.height());
    assert!((0..rows.saturating_sub(1)).all(|y| read.row(y) == image.row(y)));
    let never = decode(&[], Stored::Mmr, 100, 10, false);
    assert_eq!(never, (Bitmap::white(100, 10), Some(Bad::Nothing)));
}
