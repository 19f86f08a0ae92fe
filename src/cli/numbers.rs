//! Parses numeric flag values, so that an error says what a flag accepts rather than how Rust failed to parse it.

use std::str::FromStr;

/// Parses a whole number, written as decimal digits.
pub(super) fn whole_number<T: FromStr>(text: &str) -> Result<T, String> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().map_err(|_| if is_number { "the number is too large" } else { "it must be a whole number" }.to_owned())
}

/// Parses a finite number, which may have decimals.
pub(super) fn number(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|number: &f64| number.is_finite()).ok_or_else(|| "it must be a number".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_a_flag_accepts() {
        assert_eq!((whole_number("7"), number("1.5")), (Ok(7_u32), Ok(1.5)));
        for text in ["", "abc", "-1", "1.5", "1e3"] {
            assert_eq!(whole_number::<u32>(text), Err("it must be a whole number".to_owned()), "{text}");
        }
        assert_eq!(whole_number::<u32>("5000000000"), Err("the number is too large".to_owned()));
        for text in ["", "soon", "nan", "inf"] {
            assert_eq!(number(text), Err("it must be a number".to_owned()), "{text}");
        }
    }
}
