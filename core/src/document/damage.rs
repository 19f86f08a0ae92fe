//! Damages a page as a bad telephone line does: rows are lost, repeated or streaked. The same seed causes the same
//! damage.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::bitmap::Bitmap;
use crate::model::reception::Noise;

/// The longest burst of damaged rows; a click of 40 ms on the line damages this many rows of text at fine resolution.
const BURST_ROWS_MAX: u32 = 6;
/// The longest streak, in pels.
const STREAK_PELS_MAX: u32 = 600;

/// Returns the page as received. The page number selects the random stream, so that each page is damaged differently.
#[must_use]
pub(super) fn damaged(image: &Bitmap, noise: Noise, page: u64) -> Bitmap {
    let mut random = ChaCha8Rng::seed_from_u64(noise.seed);
    random.set_stream(page);
    // On average, a burst is about half as long as the longest one.
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
                // The first row has no row above it, so the row itself is repeated.
                let last = image.row(y.saturating_sub(1)).to_vec();
                (0..length).for_each(|_| out.push_row(&last));
            }
            // …or prints whatever the broken codes happen to mean.
            _ => {
                for row in y..y + length {
                    out.push_row(image.row(row));
                    // An empty range would panic, so an image without pels counts as one pel wide.
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
    fn damage_depends_only_on_the_seed_and_the_page() {
        let noise = Noise { seed: 5, rows_per_mille: 20 };
        let first = damaged(&stripes(), noise, 0);
        assert_eq!(first, damaged(&stripes(), noise, 0));
        assert_ne!(first, damaged(&stripes(), noise, 1));
        assert_ne!(first, stripes());
    }

    #[test]
    fn about_the_requested_share_of_rows_is_damaged() {
        let image = stripes();
        let out = damaged(&image, Noise { seed: 1, rows_per_mille: 50 }, 0);
        let intact = out.rows().filter(|row| image.rows().any(|good| good == *row)).count();
        let lost = 2_000 - intact.min(2_000);
        assert!((20..=300).contains(&lost), "{lost}");
        assert_eq!(damaged(&image, Noise { seed: 1, rows_per_mille: 0 }, 0), image);
    }

    #[test]
    fn the_worst_noise_does_not_double_the_length_of_a_page() {
        let out = damaged(&stripes(), Noise { seed: 9, rows_per_mille: 1_000 }, 3);
        assert!(out.height() < 4_000);
    }
}
