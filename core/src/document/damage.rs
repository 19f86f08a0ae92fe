//! The damage that a bad line does to a page: rows are lost, repeated or streaked, reproducibly from a seed.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::bitmap::Bitmap;
use crate::model::reception::Noise;

/// The longest burst, in rows; a click of 40 ms damages this many rows of text at fine resolution.
const BURST_ROWS_MAX: u32 = 6;
/// The longest streak, in pels.
const STREAK_PELS_MAX: u32 = 600;

/// Returns the page as it arrives. The page number selects the random stream, so that each page is damaged differently.
#[must_use]
pub(super) fn damaged(image: &Bitmap, noise: Noise, page: u64) -> Bitmap {
    let mut random = ChaCha8Rng::seed_from_u64(noise.seed);
    random.set_stream(page);
    // On average, a burst damages half of its maximum length.
    let bursts_per_row = f64::from(noise.rows_per_mille.min(1_000)) / 1_000.0 / f64::from(BURST_ROWS_MAX.div_ceil(2));
    let mut out = Bitmap::white(image.width(), 0);
    let mut y = 0;
    while y < image.height() {
        if !random.random_bool(bursts_per_row.min(1.0)) {
            out.push_row(image.row(y));
            y += 1;
            continue;
        }
        let length = random.random_range(1..=BURST_ROWS_MAX).min(image.height() - y);
        match random.random_range(0..3) {
            // A receiver without error correction drops rows that it can't decode…
            0 => {}
            // …or repeats the last good row (T.4 leaves the choice open)…
            1 => {
                let last = image.row(y.saturating_sub(1)).to_vec();
                (0..length).for_each(|_| out.push_row(&last));
            }
            // …or prints whatever the broken codes happen to mean.
            _ => {
                for row in y..y + length {
                    out.push_row(image.row(row));
                    let start = random.random_range(0..image.width().max(1));
                    let run = random.random_range(1..=STREAK_PELS_MAX);
                    out.blacken_run(out.height() - 1, start, start.saturating_add(run));
                }
            }
        }
        y += length;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripes() -> Bitmap {
        let mut image = Bitmap::white(1_728, 2_000);
        (0..2_000).for_each(|y| image.blacken_run(y, y % 1_000, 1_100));
        image
    }

    #[test]
    fn a_seed_damages_the_same_rows_each_time_but_different_rows_on_another_page() {
        let noise = Noise { seed: 5, rows_per_mille: 20 };
        let first = damaged(&stripes(), noise, 0);
        assert_eq!(first, damaged(&stripes(), noise, 0));
        assert_ne!(first, damaged(&stripes(), noise, 1));
        assert_ne!(first, stripes());
    }

    #[test]
    fn about_as_many_rows_are_damaged_as_requested() {
        let image = stripes();
        let out = damaged(&image, Noise { seed: 1, rows_per_mille: 50 }, 0);
        let intact = out.rows().filter(|row| image.rows().any(|good| good == *row)).count();
        let lost = 2_000 - intact.min(2_000);
        assert!((20..=300).contains(&lost), "{lost}");
        assert_eq!(damaged(&image, Noise { seed: 1, rows_per_mille: 0 }, 0), image);
    }

    #[test]
    fn the_page_has_an_end_even_on_the_worst_line() {
        let out = damaged(&stripes(), Noise { seed: 9, rows_per_mille: 1_000 }, 3);
        assert!(out.height() < 4_000);
    }
}
