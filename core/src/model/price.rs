//! The price of a fax.

/// The price per started minute in millionths of a US dollar, derived from the only captured price: `0.014` for 64 s
/// (docs/fidelity.md, "Where sources conflict").
const PRICE_MICROS_PER_MINUTE: u64 = 7_000;

/// Returns the price of a call of this many seconds in millionths of a US dollar. Every started minute is charged, and
/// at least one.
#[must_use]
pub fn price_micros(duration_s: u64) -> u64 {
    duration_s.div_ceil(60).max(1) * PRICE_MICROS_PER_MINUTE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_started_minute_is_charged() {
        assert_eq!([0, 1, 60, 61, 64, 121].map(price_micros), [7_000, 7_000, 7_000, 14_000, 14_000, 21_000]);
    }
}
