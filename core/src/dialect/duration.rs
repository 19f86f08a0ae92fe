//! Durations as people write them in queries, requests and commands: `90`, `5m`, `1h30m`, `180d`.

use std::time::Duration;

/// The maximum length of a duration's text, in bytes; the longest sensible one has a number for each unit.
const TEXT_BYTES_MAX: usize = 100;
/// The units from the largest to the smallest: the words for each one, and its length in nanoseconds.
const UNITS: &[(&[&str], u128)] = &[
    (&["w", "week", "weeks"], 7 * 24 * 60 * 60 * NANOS_PER_SECOND),
    (&["d", "day", "days"], 24 * 60 * 60 * NANOS_PER_SECOND),
    (&["h", "hr", "hour", "hours"], 60 * 60 * NANOS_PER_SECOND),
    (&["m", "min", "minute", "minutes"], 60 * NANOS_PER_SECOND),
    (&["s", "sec", "second", "seconds"], NANOS_PER_SECOND),
    (&["ms"], NANOS_PER_SECOND / 1_000),
];
const NANOS_PER_SECOND: u128 = 1_000_000_000;
/// The maximum number of digits after a decimal point. A billionth of a week, the largest unit, is less than a
/// millisecond.
const DECIMALS_MAX: usize = 9;

/// The error for a text that is not a duration; it lists the accepted forms.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a duration: write seconds, such as 90 or 0.5, or numbers with units, largest first, such as 90s, 5m, 1h30m or \
     \"2 h 15 min\"; the units are w, d, h, m, s and ms"
)]
pub struct NotADuration;

/// Parses a duration: a number of seconds, or numbers with units, largest unit first. Numbers may have decimals, and
/// spaces may separate numbers and units.
///
/// # Errors
/// Returns an error that lists the accepted forms, also for a duration too long to be represented.
pub fn parse(text: &str) -> Result<Duration, NotADuration> {
    let text = text.trim();
    if text.is_empty() || text.len() > TEXT_BYTES_MAX {
        return Err(NotADuration);
    }
    let (mut rest, mut nanos, mut next_unit) = (text, 0_u128, 0);
    while !rest.is_empty() {
        let (number, after_number) = split_where(rest, |c| !(c.is_ascii_digit() || c == '.'));
        let (word, after_word) = split_where(after_number, |c| !c.is_ascii_alphabetic());
        let unit_nanos = if word.is_empty() {
            // A single number without a unit is in seconds. Next to other numbers, it would be ambiguous.
            if nanos > 0 || next_unit > 0 || !after_word.is_empty() {
                return Err(NotADuration);
            }
            NANOS_PER_SECOND
        } else {
            let word = word.to_ascii_lowercase();
            let place = UNITS.iter().position(|(words, _)| words.contains(&word.as_str())).ok_or(NotADuration)?;
            // A repeated or misplaced unit is more likely a mistake than a sum.
            if place < next_unit {
                return Err(NotADuration);
            }
            next_unit = place + 1;
            UNITS[place].1
        };
        let part = scaled(number, unit_nanos).ok_or(NotADuration)?;
        nanos = nanos.checked_add(part).ok_or(NotADuration)?;
        rest = after_word;
    }
    let seconds = u64::try_from(nanos / NANOS_PER_SECOND).map_err(|_| NotADuration)?;
    // This never fails, because the remainder is less than a billion.
    let nanos = u32::try_from(nanos % NANOS_PER_SECOND).map_err(|_| NotADuration)?;
    Ok(Duration::new(seconds, nanos))
}

/// Splits off the beginning of a text up to the first character for which `ends` holds, and skips the white space that
/// follows.
fn split_where(text: &str, ends: impl Fn(char) -> bool) -> (&str, &str) {
    let (head, rest) = text.split_at(text.find(ends).unwrap_or(text.len()));
    (head, rest.trim_start())
}

/// Multiplies a decimal number by a unit, without the rounding errors of floating point.
fn scaled(number: &str, unit_nanos: u128) -> Option<u128> {
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(decimals) || decimals.len() > DECIMALS_MAX {
        return None;
    }
    let whole = whole.parse::<u128>().ok()?.checked_mul(unit_nanos)?;
    let divisor = 10_u128.pow(u32::try_from(decimals.len()).ok()?);
    whole.checked_add(decimals.parse::<u128>().ok()?.checked_mul(unit_nanos)? / divisor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_in_each_of_their_forms() {
        for (text, millis) in [
            ("0", 0),
            ("90", 90_000),
            ("0.5", 500),
            ("90s", 90_000),
            ("5m", 300_000),
            ("250ms", 250),
            ("1h30m", 5_400_000),
            ("1.5h", 5_400_000),
            ("2h", 7_200_000),
            ("180d", 15_552_000_000),
            ("1w", 604_800_000),
            ("1 h 30 min", 5_400_000),
            (" 2 Hours 15 minutes ", 8_100_000),
            ("1w2d3h4m5s6ms", 788_645_006),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        assert_eq!(parse("0.000001s"), Ok(Duration::from_micros(1)));
    }

    #[test]
    fn anything_else_is_refused_with_the_accepted_forms() {
        let longest = "9".repeat(TEXT_BYTES_MAX + 1);
        for text in [
            "",
            " ",
            "m",
            "-5m",
            "+5m",
            "5x",
            "5 fortnights",
            "1m1h",
            "1h1h",
            "1h30",
            "90 5m",
            "5m 90",
            "1..5s",
            ".5s",
            "5.s",
            "1e3",
            "1,5h",
            "5m!",
            "٣m",
            "0.1234567891s",
            "99999999999999999999w",
            &longest,
        ] {
            assert_eq!(parse(text), Err(NotADuration), "{text}");
        }
        assert!(NotADuration.to_string().contains("1h30m"), "{NotADuration}");
    }
}
