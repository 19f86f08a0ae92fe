//! Parses configuration values. An error says what the value must do, such as "be a number"; the caller puts the
//! setting's name in front.

use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;

use url::{Host, Url};

use super::error::nearest;
use crate::dialect::parameter;
use crate::io::budget::BODY_BUDGET_BYTES_MIN;
use crate::io::client::ConnectTo;
use crate::model::account::{Dialect, check_signing_key};
use crate::model::sid::AccountSid;
use crate::model::time::Pace;
use crate::model::webhook::Method;

/// The slowest pace: a page takes several hours.
pub const PACE_TIMES_MIN: f64 = 0.001;
/// The fastest pace short of `max`: a page takes 30 µs, less than any step of the emulator.
pub const PACE_TIMES_MAX: f64 = 1_000_000.0;
/// The maximum number of characters in an account's token. Twilio's tokens have 32.
pub const AUTH_TOKEN_CHARS_MAX: usize = 256;
/// The maximum number of characters in a number's friendly name (Twilio's limit).
pub const FRIENDLY_NAME_CHARS_MAX: usize = 64;
/// The maximum number of characters in a webhook's URL.
pub const WEBHOOK_URL_CHARS_MAX: usize = 4_096;

/// The size units, in lower case, and their numbers of bytes.
const SIZE_UNITS: [(&str, u64); 9] = [
    ("", 1),
    ("b", 1),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
];

/// Parses an IP address and a port, such as `127.0.0.1:8329` or `[::1]:0`.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "be an IP address and a port, such as 127.0.0.1:8329 or 0.0.0.0:0".to_owned())
}

/// Parses a pace: `max`, or a factor within the limits, such as `100` or `0.5`.
pub(super) fn pace(text: &str) -> Result<Pace, String> {
    if text == "max" {
        return Ok(Pace::Max);
    }
    // NaN is in no range, so it is refused too.
    let times = text.parse().ok().filter(|times| (PACE_TIMES_MIN..=PACE_TIMES_MAX).contains(times));
    times.map(Pace::Times).ok_or_else(|| format!("be max or a number from {PACE_TIMES_MIN} to {PACE_TIMES_MAX}"))
}

/// Parses a seed, which is a whole number, written as decimal digits.
pub(super) fn seed(text: &str) -> Result<u64, String> {
    // Rust would also accept a sign.
    let seed = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    seed.ok_or_else(|| format!("be a whole number from 0 to {}", u64::MAX))
}

/// Parses a size with or without a unit, such as `1GiB`, `512 MiB` or `1000000`, into bytes.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let (number, unit) = text.split_at(text.bytes().take_while(u8::is_ascii_digit).count());
    let unit = unit.trim_start().to_ascii_lowercase();
    let unit = SIZE_UNITS.iter().find(|(name, _)| *name == unit).map(|(_, bytes)| bytes);
    let bytes = number.parse::<u64>().ok().zip(unit).and_then(|(number, unit)| number.checked_mul(*unit));
    bytes
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| "be a size above 0, such as 1GiB, 512MiB or 1000000 (bytes)".to_owned())
}

/// Parses a size of at least [`BODY_BUDGET_BYTES_MIN`], so that typical documents fit.
pub(super) fn body_budget(text: &str) -> Result<u64, String> {
    let least = BODY_BUDGET_BYTES_MIN / 1024 / 1024;
    let bytes = size(text)?;
    if bytes < BODY_BUDGET_BYTES_MIN { Err(format!("be at least {least}MiB")) } else { Ok(bytes) }
}

/// Parses `true`, `yes`, `on` or `1`, or one of their opposites, in upper or lower case.
pub(super) fn boolean(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err("be true or false".to_owned()),
    }
}

/// Parses `true` or `false`, for values that are also REST parameters.
pub(super) fn true_or_false(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| "be true or false".to_owned())
}

/// Returns a parser for an enum's words. The error lists them and suggests the nearest.
pub(super) fn word<T: Copy>(all: &'static [T], as_str: fn(T) -> &'static str) -> impl Fn(&str) -> Result<T, String> {
    move |text| {
        let words: Vec<&str> = all.iter().map(|value| as_str(*value)).collect();
        all.iter().copied().find(|value| as_str(*value) == text).ok_or_else(|| {
            let hint = nearest(text, &words).map(|word| format!(" (did you mean {word}?)")).unwrap_or_default();
            format!("be {}{hint}", alternatives(&words))
        })
    }
}

/// Returns a parser for a type that implements `FromStr`, such as a SID. `expected` replaces the type's own error.
pub(super) fn own<T: FromStr>(expected: &'static str) -> impl Fn(&str) -> Result<T, String> {
    move |text| text.parse().map_err(|_| expected.to_owned())
}

/// Parses the name of the company whose API an account uses.
pub(super) fn dialect(text: &str) -> Result<Dialect, String> {
    word(Dialect::ALL, Dialect::as_str)(text)
}

/// Parses an account SID of either dialect.
pub(super) fn account_sid(text: &str) -> Result<AccountSid, String> {
    let [twilio, signalwire] = [Dialect::Twilio, Dialect::SignalWire].map(Dialect::account_sid_form);
    text.parse().map_err(|_| format!("be {twilio}, or {signalwire}"))
}

/// Returns a parser for account SIDs of this dialect.
pub(super) fn sid_of(dialect: Dialect) -> impl Fn(&str) -> Result<AccountSid, String> {
    move |text| {
        let read: Option<AccountSid> = text.parse().ok();
        let hint = match read.map(Dialect::of) {
            Some(other) if other != dialect => {
                format!(" (that one is {}; give --dialect {other})", other.account_sid_form())
            }
            _ => String::new(),
        };
        read.filter(|sid| Dialect::of(*sid) == dialect)
            .ok_or_else(|| format!("be {}{hint}", dialect.account_sid_form()))
    }
}

/// Parses a webhook's HTTP method, which is `GET` or `POST`.
pub(super) fn method(text: &str) -> Result<Method, String> {
    word(&[Method::Get, Method::Post], Method::as_str)(text)
}

/// Parses a host name without scheme or port, such as `fax.example.test`.
pub(super) fn host_name(text: &str) -> Result<String, String> {
    // Drop the dot of an absolute name, since requests' hosts are compared without it.
    match Host::parse(text.trim_end_matches('.')) {
        Ok(Host::Domain(name)) if !name.contains('*') => Ok(name),
        Ok(Host::Domain(_)) => Err("be one whole host name; wildcards are not supported".to_owned()),
        Ok(Host::Ipv4(_) | Host::Ipv6(_)) | Err(_) => {
            Err("be a host name without scheme and port (IP addresses are always allowed)".to_owned())
        }
    }
}

/// Parses the origin of web pages, such as `http://localhost:3000`.
pub(super) fn origin(text: &str) -> Result<String, String> {
    let url = http_url(text)
        .map_err(|_| "be an origin, that is, only scheme, host and port, such as http://localhost:3000".to_owned())?;
    let origin = url.origin().ascii_serialization();
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    let expected = || format!("be an origin, that is, only scheme, host and port, such as {origin}");
    if is_bare && url.password().is_none() { Ok(origin) } else { Err(expected()) }
}

/// Parses the control API's token, which may contain only the characters of a Bearer token in an Authorization header
/// (RFC 6750 §2.1).
pub(super) fn control_token(text: &str) -> Result<Box<str>, String> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    let fits = (1..=AUTH_TOKEN_CHARS_MAX).contains(&text.len()) && text.bytes().all(is_token);
    let expected = || format!("have 1 to {AUTH_TOKEN_CHARS_MAX} letters, digits or any of -._~+/=");
    fits.then(|| text.into()).ok_or_else(expected)
}

/// Parses `FROM=TO`, a short form of curl's `--connect-to`.
pub(super) fn connect_to(text: &str) -> Result<ConnectTo, String> {
    text.parse().map_err(|error| format!("be FROM=TO, such as localhost=host.docker.internal ({error})"))
}

/// Parses the URL of an app. The URL is kept exactly as written, because every character affects the
/// signature of a request.
pub(super) fn webhook_url(text: &str) -> Result<Box<str>, String> {
    let _valid = http_url(text)?;
    let fits = text.chars().count() <= WEBHOOK_URL_CHARS_MAX;
    fits.then(|| text.into()).ok_or_else(|| format!("have at most {WEBHOOK_URL_CHARS_MAX} characters"))
}

/// Does the same as [`webhook_url`], but also accepts an empty string, which stands for no URL.
pub(super) fn webhook_url_or_none(text: &str) -> Result<Box<str>, String> {
    if text.is_empty() { Ok("".into()) } else { webhook_url(text) }
}

/// Parses the URL that links are built on: scheme, host, and optionally port and path. A trailing slash is dropped.
pub(super) fn public_url(text: &str) -> Result<Arc<str>, String> {
    let url = http_url(text)?;
    let is_bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if !is_bare || url.password().is_some() {
        return Err("be a URL without a user name, password, query or fragment".to_owned());
    }
    Ok(url.as_str().trim_end_matches('/').into())
}

/// Parses an account's token: any string that can be an HTTP Basic password, so no control characters.
pub(super) fn auth_token(text: &str) -> Result<Box<str>, String> {
    let is_token = (1..=AUTH_TOKEN_CHARS_MAX).contains(&text.chars().count()) && !text.contains(char::is_control);
    is_token
        .then(|| text.into())
        .ok_or_else(|| format!("have 1 to {AUTH_TOKEN_CHARS_MAX} characters, none of them a control character"))
}

/// Parses the key that signs an account's webhooks.
pub(super) fn signing_key(text: &str) -> Result<Box<str>, String> {
    check_signing_key(text).map(|()| text.into())
}

/// Parses a number's friendly name, of at most [`FRIENDLY_NAME_CHARS_MAX`] characters.
pub(super) fn friendly_name(text: &str) -> Result<Box<str>, String> {
    let fits = text.chars().count() <= FRIENDLY_NAME_CHARS_MAX;
    fits.then(|| text.into()).ok_or_else(|| format!("have at most {FRIENDLY_NAME_CHARS_MAX} characters"))
}

/// Returns a parser for an empty string or the id of a related resource, in the account's dialect. `prefix` is the
/// prefix of Twilio's ids.
pub(super) fn sid_or_none(prefix: &'static str, dialect: Dialect) -> impl Fn(&str) -> Result<Box<str>, String> {
    move |text| {
        let checked = if text.is_empty() { Ok(()) } else { parameter::check_id(text, prefix, dialect.id_form()) };
        checked.map(|()| text.into()).map_err(|wanted| format!("be {wanted}"))
    }
}

fn http_url(text: &str) -> Result<Url, String> {
    let expected = "be an absolute http or https URL, such as http://localhost:3000/fax";
    let url = Url::parse(text).map_err(|error| format!("{expected} ({error})"))?;
    let is_http = matches!(url.scheme(), "http" | "https") && url.has_host();
    is_http.then_some(url).ok_or_else(|| expected.to_owned())
}

fn alternatives(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [word] => (*word).to_owned(),
        [words @ .., last] => format!("{} or {last}", words.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::account::CallbackPolicy;

    #[test]
    fn a_pace_is_a_bounded_number_or_max() {
        assert_eq!(pace("max"), Ok(Pace::Max));
        assert_eq!(pace("100"), Ok(Pace::Times(100.0)));
        assert_eq!(pace("0.5"), Ok(Pace::Times(0.5)));
        for bad in ["", "fast", "0", "-1", "NaN", "inf", "1e9", "0.0001", "MAX "] {
            assert!(pace(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_seed_is_written_as_digits_alone() {
        assert_eq!(["0", "007", "18446744073709551615"].map(seed), [Ok(0), Ok(7), Ok(u64::MAX)]);
        for bad in ["", "+7", "-7", "7.0", "0x7", "1_000", "18446744073709551616"] {
            assert_eq!(seed(bad), Err("be a whole number from 0 to 18446744073709551615".to_owned()), "{bad}");
        }
    }

    #[test]
    fn a_size_without_a_unit_is_in_bytes() {
        let sizes =
            [("1", 1), ("1000000", 1_000_000), ("512MiB", 512 << 20), ("1 gib", 1 << 30), ("2GB", 2_000_000_000)];
        for (text, bytes) in sizes {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for bad in ["", "0", "0GiB", "GiB", "1.5GiB", "-1", "1 parsec", "99999999999999999999", "99999999999TiB", "１"]
        {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_must_have_a_port() {
        assert_eq!(address("[::1]:0").map(|address| address.port()), Ok(0));
        for bad in ["8329", "127.0.0.1", "localhost:8329", "127.0.0.1:99999"] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_error_for_a_wrong_word_lists_the_valid_ones() {
        let callbacks = word(CallbackPolicy::ALL, CallbackPolicy::as_str);
        assert_eq!(callbacks("queued-and-final"), Ok(CallbackPolicy::QueuedAndFinal));
        let expected = "be all, queued-and-final or final (did you mean final?)";
        assert_eq!(callbacks("finale"), Err(expected.to_owned()));
        assert_eq!(method("PUT"), Err("be GET or POST".to_owned()));
    }

    #[test]
    fn a_public_url_loses_its_trailing_slash_and_must_not_have_a_query() {
        assert_eq!(public_url("HTTP://Fax.Test:8080/"), Ok("http://fax.test:8080".into()));
        assert_eq!(public_url("https://fax.test/sub/"), Ok("https://fax.test/sub".into()));
        for bad in ["fax.test", "/x", "ftp://fax.test", "http://fax.test?x=1", "http://u:p@fax.test", "http://"] {
            assert!(public_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_webhook_url_is_kept_unchanged() {
        let url = "http://User:pw@LOCALHOST:3000/fax?a=b%20c#rc=2";
        assert_eq!(webhook_url(url).as_deref(), Ok(url));
        assert!(webhook_url("").is_err() && webhook_url_or_none("").is_ok());
        assert!(webhook_url("localhost:3000/fax").is_err(), "a scheme is needed");
        assert!(webhook_url(&format!("http://h/{}", "x".repeat(WEBHOOK_URL_CHARS_MAX))).is_err());
    }

    #[test]
    fn an_origin_has_no_path_and_a_control_token_fits_in_a_header() {
        assert_eq!(origin("HTTP://LocalHost:3000/"), Ok("http://localhost:3000".to_owned()));
        assert_eq!(origin("https://app.test:443"), Ok("https://app.test".to_owned()));
        for bad in ["null", "localhost:3000", "http://h/x", "http://u@h", "http://h?x"] {
            assert!(origin(bad).is_err(), "{bad}");
        }
        assert_eq!(control_token("s3cret-_.~+/=").as_deref(), Ok("s3cret-_.~+/="));
        for bad in ["", "two words", "é", &"x".repeat(257)] {
            assert!(control_token(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_host_is_a_name_without_a_port() {
        assert_eq!(host_name("Fax.Example.TEST"), Ok("fax.example.test".to_owned()));
        assert_eq!(host_name("fax.example."), Ok("fax.example".to_owned()));
        for bad in ["", "http://fax.test", "fax.test:80", "127.0.0.1", "a b", "*", "*.fax.test"] {
            assert!(host_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn booleans_and_tokens_are_checked() {
        assert_eq!(["true", "YES", "1", "off"].map(boolean), [Ok(true), Ok(true), Ok(true), Ok(false)]);
        assert!(boolean("maybe").is_err());
        assert_eq!(["true", "false"].map(true_or_false), [Ok(true), Ok(false)]);
        assert!(["yes", "1", "True", ""].into_iter().all(|text| true_or_false(text).is_err()));
        assert!(auth_token("").is_err() && auth_token("a\nb").is_err() && auth_token(&"x".repeat(257)).is_err());
        assert_eq!(auth_token("secret").as_deref(), Ok("secret"));
        assert!(friendly_name(&"é".repeat(64)).is_ok() && friendly_name(&"é".repeat(65)).is_err());
    }
}
