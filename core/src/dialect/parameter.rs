//! Reads single parameters from a form or query. A parameter may be absent; the error for an invalid parameter names
//! it.

use url::Url;

use super::error::{ApiError, Reason};
use super::form::Form;
use crate::model::sid::{AccountSid, IdForm};
use crate::model::webhook::Method;

/// The maximum length of a URL, in characters: Twilio's limit for a StatusCallback (error 21609).
const URL_CHARS_MAX: usize = 4_000;
/// The maximum length of a `FriendlyName`, in characters (Twilio's OpenAPI, 2010-04-01).
const FRIENDLY_NAME_LEN_MAX: usize = 64;
/// The maximum number of characters that an error message quotes from a refused parameter.
const EXCERPT_LEN_MAX: usize = 200;

/// The meaning of an empty value in a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Empty {
    /// Counts as an absent parameter, as in create calls.
    LeftOut,
    /// Clears the value, as in update calls.
    Cleared,
}

impl Empty {
    /// Returns the parameter's value; `None` if the parameter is absent, or if it is empty and empty parameters count
    /// as absent.
    pub(super) fn text<'a>(self, form: &'a Form, name: &str) -> Option<&'a str> {
        match self {
            Self::LeftOut => given(form, name),
            Self::Cleared => form.get(name),
        }
    }
}

/// Returns the parameter's value; an empty one counts as absent.
pub(super) fn given<'a>(form: &'a Form, name: &str) -> Option<&'a str> {
    form.get(name).filter(|value| !value.is_empty())
}

/// Reads `true` or `false` in any case, since twilio-python sends `True`.
pub(super) fn boolean(form: &Form, name: &str) -> Result<Option<bool>, ApiError> {
    let Some(text) = given(form, name) else { return Ok(None) };
    match text {
        _ if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
        _ if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
        _ => Err(ApiError::invalid(name, &format!("'{}' is neither true nor false", excerpt(text)))),
    }
}

/// Reads a whole number. A number that doesn't fit into 64 bits becomes the largest that does.
pub(super) fn whole_number(form: &Form, name: &str) -> Result<Option<u64>, ApiError> {
    let Some(text) = given(form, name) else { return Ok(None) };
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ApiError::invalid(name, &format!("'{}' is not a whole number", excerpt(text))));
    }
    Ok(Some(text.parse().unwrap_or(u64::MAX)))
}

/// Reads a value that must be one of these words.
pub(super) fn word<T: Copy>(
    form: &Form,
    name: &str,
    words: &[T],
    text_of: impl Fn(T) -> &'static str,
) -> Result<Option<T>, ApiError> {
    let Some(text) = given(form, name) else { return Ok(None) };
    let known = words.iter().copied().find(|word| text_of(*word) == text);
    known.map(Some).ok_or_else(|| {
        let words: Vec<_> = words.iter().map(|word| text_of(*word)).collect();
        ApiError::invalid(name, &format!("'{}' is not one of {}", excerpt(text), words.join(", ")))
    })
}

/// Reads a `FriendlyName` of at most 64 characters.
pub(super) fn friendly_name(form: &Form) -> Result<Option<Box<str>>, ApiError> {
    let Some(text) = given(form, "FriendlyName") else { return Ok(None) };
    if text.chars().count() > FRIENDLY_NAME_LEN_MAX {
        let message = format!("Invalid FriendlyName: it is longer than {FRIENDLY_NAME_LEN_MAX} characters");
        return Err(ApiError::new(Reason::FriendlyName, message));
    }
    Ok(Some(text.into()))
}

/// Reads a URL among the attributes of a number or an application.
pub(super) fn address(form: &Form, name: &str, empty: Empty) -> Result<Option<Box<str>>, ApiError> {
    let Some(text) = empty.text(form, name) else { return Ok(None) };
    if !text.is_empty() {
        check_url(text).map_err(|reason| {
            let excerpt = excerpt(text);
            ApiError::new(Reason::InvalidUrl, format!("{name} '{excerpt}' is not a valid URL: {reason}"))
        })?;
    }
    Ok(Some(text.into()))
}

/// Reads the HTTP method with which a URL is requested.
pub(super) fn method(form: &Form, name: &str) -> Result<Option<Method>, ApiError> {
    let Some(text) = given(form, name) else { return Ok(None) };
    let method = [Method::Get, Method::Post].into_iter().find(|method| method.as_str().eq_ignore_ascii_case(text));
    method.map(Some).ok_or_else(|| {
        ApiError::new(Reason::InvalidMethod, format!("{name} '{}' is neither GET nor POST", excerpt(text)))
    })
}

/// Checks that a string is an absolute `http` or `https` URL; the error says why it isn't.
pub fn check_url(text: &str) -> Result<(), String> {
    if text.chars().count() > URL_CHARS_MAX {
        return Err(format!("it is longer than {URL_CHARS_MAX} characters"));
    }
    let lower = text.get(..8).unwrap_or(text).to_ascii_lowercase();
    if !lower.starts_with("http://") && !lower.starts_with("https://") {
        return Err("it must begin with http:// or https://".to_owned());
    }
    // `Url::parse` would silently remove tabs and newlines.
    if text.chars().any(char::is_control) {
        return Err("it contains a control character".to_owned());
    }
    Url::parse(text).map(drop).map_err(|error| error.to_string())
}

/// Reads the id of another resource and keeps it exactly as the client wrote it.
pub(super) fn sid(
    form: &Form,
    name: &str,
    (prefix, ids): (&str, IdForm),
    empty: Empty,
) -> Result<Option<Box<str>>, ApiError> {
    let Some(text) = empty.text(form, name) else { return Ok(None) };
    if !text.is_empty() {
        check_sid(name, text, prefix, ids)?;
    }
    Ok(Some(text.into()))
}

/// Checks that a string is an id of this form; in prefixed form, it must begin with `prefix`.
pub(super) fn check_sid(name: &str, text: &str, prefix: &str, ids: IdForm) -> Result<(), ApiError> {
    check_id(text, prefix, ids).map_err(|wanted| {
        let message = format!("Invalid parameter {name}: '{}' is not {wanted}", excerpt(text));
        ApiError::new(Reason::InvalidSid, message)
    })
}

/// Checks that a string is an id of this form; in prefixed form, it must begin with `prefix`.
///
/// # Errors
/// Returns a description of the valid form, such as `a UUID`.
pub fn check_id(text: &str, prefix: &str, ids: IdForm) -> Result<(), String> {
    let (is_good, wanted) = match ids {
        IdForm::Prefixed => (is_sid(text, prefix), format!("{prefix} and 32 hexadecimal digits")),
        // The id's type doesn't matter: all UUIDs are written alike.
        IdForm::Uuid => (text.parse::<AccountSid>().is_ok_and(|id| id.form() == ids), "a UUID".to_owned()),
    };
    if is_good { Ok(()) } else { Err(wanted) }
}

fn is_sid(text: &str, prefix: &str) -> bool {
    let digits = text.strip_prefix(prefix).unwrap_or_default();
    digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Shortens a value that may be very long, for an error message.
#[must_use]
pub fn excerpt(text: &str) -> String {
    text.chars().take(EXCERPT_LEN_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::account::Dialect;
    use crate::model::fax::Quality;

    fn form(text: &str) -> Form {
        Form::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn booleans_may_have_any_case() {
        for (text, value) in [("true", true), ("True", true), ("FALSE", false), ("False", false)] {
            assert_eq!(boolean(&form(&format!("Beta={text}")), "Beta"), Ok(Some(value)));
        }
        assert_eq!(boolean(&form("Beta="), "Beta"), Ok(None));
        let error = boolean(&form("Beta=1"), "Beta").unwrap_err();
        assert_eq!((error.status(Dialect::Twilio), error.code(Dialect::Twilio)), (400, 20422));
        assert!(error.message.contains("Beta"), "{}", error.message);
    }

    #[test]
    fn whole_numbers_contain_only_digits() {
        assert_eq!(whole_number(&form("Ttl=5"), "Ttl"), Ok(Some(5)));
        assert_eq!(whole_number(&form("Ttl=99999999999999999999"), "Ttl"), Ok(Some(u64::MAX)));
        for bad in ["-1", "1.5", "five", "%2B5", "+5"] {
            assert_eq!(
                whole_number(&form(&format!("Ttl={bad}")), "Ttl").map_err(|error| error.code(Dialect::Twilio)),
                Err(20422),
                "{bad}"
            );
        }
    }

    #[test]
    fn the_error_for_a_wrong_word_lists_the_valid_ones() {
        let error = word(&form("Quality=Fine"), "Quality", Quality::ALL, Quality::as_str).unwrap_err();
        assert!(error.message.contains("Quality") && error.message.contains("standard, fine, superfine"), "{error:?}");
        assert_eq!(word(&form("Quality=fine"), "Quality", Quality::ALL, Quality::as_str), Ok(Some(Quality::Fine)));
    }

    #[test]
    fn urls_must_be_absolute_and_use_http() {
        for good in ["http://localhost:3000/a b.pdf", "HTTPS://user:pass@example.com/é?x=1#rc=2", "http://[::1]/"] {
            assert_eq!(check_url(good), Ok(()), "{good}");
        }
        let long = format!("http://example.com/{}", "x".repeat(URL_CHARS_MAX));
        for bad in ["", "/fax.pdf", "ftp://example.com/", "http:/example.com", "http://", "http://exa mple.com/", &long]
        {
            assert!(check_url(bad).is_err(), "{bad}");
        }
        assert!(check_url("http://example.com/\r\nX: y").is_err());
    }

    #[test]
    fn the_length_of_a_url_is_limited_in_characters_and_not_in_bytes() {
        let of_length = |chars: usize| format!("http://h/{}", "é".repeat(chars - "http://h/".len()));
        assert_eq!(check_url(&of_length(URL_CHARS_MAX)), Ok(()));
        let refused = check_url(&of_length(URL_CHARS_MAX + 1));
        assert_eq!(refused, Err("it is longer than 4000 characters".to_owned()));
    }

    #[test]
    fn a_sid_consists_of_its_prefix_and_32_digits() {
        let digits = "0123456789abcdefABCDEF0123456789";
        let check = |text: &str, ids| check_sid("TrunkSid", text, "TK", ids).map_err(|error| error.reason);
        assert_eq!(check(&format!("TK{digits}"), IdForm::Prefixed), Ok(()));
        let uuid = "831455c6-574e-4d8b-b6ee-2418140bf4cd";
        for bad in [&format!("AD{digits}"), &format!("TK{digits}0"), "TK", uuid] {
            assert_eq!(check(bad, IdForm::Prefixed), Err(Reason::InvalidSid), "{bad}");
        }
        assert_eq!(check(uuid, IdForm::Uuid), Ok(()));
        for bad in [&format!("TK{digits}"), &format!("AC{digits}"), &uuid[1..]] {
            assert_eq!(check(bad, IdForm::Uuid), Err(Reason::InvalidSid), "{bad}");
        }
    }
}
