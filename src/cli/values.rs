//! Parses flag values, so that an error says what a flag accepts rather than how Rust failed to parse it.

use std::str::FromStr;
use std::time::Duration;

use clap::builder::PossibleValuesParser;

use crate::dialect::duration;

/// Parses a whole number, written as decimal digits.
pub(super) fn whole_number<T: FromStr>(text: &str) -> Result<T, String> {
    // Rust would also accept a sign.
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("it must be a whole number".to_owned());
    }
    text.parse().map_err(|_| "the number is too large".to_owned())
}

/// Parses a whole number that is not zero.
pub(super) fn at_least_one(text: &str) -> Result<usize, String> {
    let number = whole_number(text)?;
    if number == 0 { Err("it must be at least 1".to_owned()) } else { Ok(number) }
}

/// Parses a duration: seconds, or numbers with units.
pub(super) fn span(text: &str) -> Result<Duration, String> {
    duration::parse(text).map_err(|why| why.to_string())
}

/// Parses a duration of whole minutes.
pub(super) fn minutes(text: &str) -> Result<u64, String> {
    let span = span(text)?;
    let is_whole = span.as_secs() >= 60 && span.as_secs().is_multiple_of(60) && span.subsec_nanos() == 0;
    let why = "it must be whole minutes, such as 5m or 2h; a number without a unit is seconds";
    if is_whole { Ok(span.as_secs() / 60) } else { Err(why.to_owned()) }
}

/// Accepts the words of an enum, and offers them to the shell's completion.
pub(super) fn words<T: Copy>(all: &'static [T], as_str: fn(T) -> &'static str) -> PossibleValuesParser {
    PossibleValuesParser::new(all.iter().map(|value| as_str(*value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_a_flag_accepts() {
        assert_eq!(whole_number("7"), Ok(7_u32));
        for text in ["", "abc", "-1", "+1", "1.5", "1e3", " 1"] {
            assert_eq!(whole_number::<u32>(text), Err("it must be a whole number".to_owned()), "{text}");
        }
        assert_eq!(whole_number::<u32>("5000000000"), Err("the number is too large".to_owned()));
        assert_eq!(at_least_one("0"), Err("it must be at least 1".to_owned()));
        assert_eq!(at_least_one("1"), Ok(1));
        for text in ["", "soon", "nan", "inf", "-1h"] {
            assert!(span(text).expect_err(text).contains("1h30m"), "{text}");
        }
    }

    #[test]
    fn a_time_to_live_is_in_whole_minutes() {
        assert_eq!([minutes("5m"), minutes("2h"), minutes("120")], [Ok(5), Ok(120), Ok(2)]);
        for text in ["30", "90s", "0m", "1.5m"] {
            assert!(minutes(text).expect_err(text).contains("whole minutes"), "{text}");
        }
    }
}
