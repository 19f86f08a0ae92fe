//! Reads and writes forms and queries (`application/x-www-form-urlencoded`). Unlike the crate `form_urlencoded`, it
//! refuses names and values that are not UTF-8, and limits the number of parameters.

use std::borrow::Cow;
use std::fmt::Write;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};

/// The maximum length of a body, in bytes: a hundred times the longest request of any helper library.
pub const FORM_BYTES_MAX: usize = 256 * 1024;
/// The maximum number of parameters in a request; Twilio's largest resource has about thirty.
pub const PARAMETERS_MAX: usize = 1_000;

/// The initial capacity for parameters; few requests have more.
const PARAMETERS_MOSTLY: usize = 8;

/// All characters except those unreserved in RFC 3986; the helper libraries encode the same set.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The reason that a body or query is not a valid form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// A name or value decodes to bytes that aren't UTF-8. The string is the parameter's name, with invalid bytes
    /// replaced.
    #[error("The parameter {0} is not encoded in UTF-8")]
    NotUtf8(String),
    /// There are more than [`PARAMETERS_MAX`] parameters.
    #[error("The request has more than {PARAMETERS_MAX} parameters")]
    TooMany,
}

/// The parameters of a request, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form {
    /// All names and values, one after the other; separate strings would cost two allocations per parameter.
    text: String,
    /// For each parameter, the offsets in `text` at which its name and its value end.
    ends: Vec<(usize, usize)>,
}

impl Form {
    /// Parses a body or query. A `%` that doesn't begin an escape sequence is kept as it is.
    ///
    /// # Errors
    /// Returns a [`FormError`] if a name or value is not UTF-8, or there are too many parameters.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormError> {
        // Decoding never makes a string longer.
        let mut form = Self { text: String::with_capacity(bytes.len()), ends: Vec::with_capacity(PARAMETERS_MOSTLY) };
        // Like browsers, ignores empty pairs, as in `a=1&&b=2`.
        for pair in bytes.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            // The number is checked before a parameter is decoded, so that a hostile body costs little time and memory.
            if form.ends.len() == PARAMETERS_MAX {
                return Err(FormError::TooMany);
            }
            // A name without `=` has an empty value, as browsers read it.
            let split = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let (name, value) = (&pair[..split], pair.get(split + 1..).unwrap_or_default());
            let begin = form.text.len();
            form.push(name).map_err(|lossy| FormError::NotUtf8(shown(&lossy)))?;
            let name_end = form.text.len();
            form.push(value).map_err(|_| FormError::NotUtf8(form.text[begin..].to_owned()))?;
            form.ends.push((name_end, form.text.len()));
        }
        Ok(form)
    }

    /// Creates a form from unencoded names and values.
    #[must_use]
    pub fn of<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut form = Self::default();
        for (name, value) in pairs {
            form.text.push_str(name);
            let name_end = form.text.len();
            form.text.push_str(value);
            form.ends.push((name_end, form.text.len()));
        }
        form
    }

    /// Returns the value of a parameter, or the first one if it occurs more than once.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(own, _)| *own == name).map(|(_, value)| value)
    }

    /// Returns all names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let begins = std::iter::once(0).chain(self.ends.iter().map(|(_, end)| *end));
        begins.zip(&self.ends).map(|(begin, (name, value))| (&self.text[begin..*name], &self.text[*name..*value]))
    }

    /// Decodes and appends a name or value; if it is not UTF-8, the error contains it with the invalid bytes replaced.
    fn push(&mut self, encoded: &[u8]) -> Result<(), String> {
        let mut spaced = Cow::Borrowed(encoded);
        // Replaced before decoding, so that an encoded plus (%2B) stays a plus.
        if encoded.contains(&b'+') {
            spaced.to_mut().iter_mut().filter(|byte| **byte == b'+').for_each(|byte| *byte = b' ');
        }
        let decoded = percent_decode(&spaced);
        match decoded.clone().decode_utf8() {
            Ok(text) => self.text.push_str(&text),
            Err(_) => return Err(decoded.decode_utf8_lossy().into_owned()),
        }
        Ok(())
    }
}

/// Encodes pairs as a form body, with spaces as `+`.
#[must_use]
pub fn encode<N: AsRef<str>, V: AsRef<str>>(pairs: &[(N, V)]) -> String {
    encode_query(pairs).replace("%20", "+")
}

/// Encodes pairs as a query, with spaces as `%20`, so that validators of signatures see the URL that was signed, no
/// matter how a framework decodes it (docs/fidelity.md, "Webhooks").
#[must_use]
pub fn encode_query<N: AsRef<str>, V: AsRef<str>>(pairs: &[(N, V)]) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        let separator = if text.is_empty() { "" } else { "&" };
        let name = utf8_percent_encode(name.as_ref(), RESERVED);
        let value = utf8_percent_encode(value.as_ref(), RESERVED);
        // Writing to a string never fails.
        let _ = write!(text, "{separator}{name}={value}");
    }
    text
}

/// Encodes pairs as [`with_query`] adds them to a URL.
#[must_use]
pub fn added_query<N: AsRef<str>, V: AsRef<str>>(pairs: &[(N, V)]) -> String {
    // A query may contain unencoded question marks (RFC 3986 §3.4), and this one must: twilio-node's Express validator
    // turns each %3F into a question mark before it checks the signature, so a GET callback with a %3F in its MediaUrl
    // would never pass.
    encode_query(pairs).replace("%3F", "?")
}

/// Adds pairs to the query of a URL, before its fragment.
#[must_use]
pub fn with_query<N: AsRef<str>, V: AsRef<str>>(url: &str, pairs: &[(N, V)]) -> String {
    if pairs.is_empty() {
        return url.to_owned();
    }
    let split = url.find('#').unwrap_or(url.len());
    let (address, fragment) = url.split_at(split);
    let separator = match address.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some((_, query)) if query.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{address}{separator}{}{fragment}", added_query(pairs))
}

/// Returns the string with a replacement character in place of each control character.
fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Percent-encodes text as one segment of a path.
#[must_use]
pub fn segment(text: &str) -> String {
    // Some servers and proxies resolve `.` and `..` as relative paths.
    if matches!(text, "." | "..") { text.replace('.', "%2E") } else { utf8_percent_encode(text, RESERVED).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        let form = Form::parse(text.as_bytes()).unwrap();
        form.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn forms_from_real_clients_are_read() {
        // twilio-python sends spaces as `+`, twilio-node as `%20`.
        assert_eq!(
            pairs("To=%2B15558675310&SipAuthUsername=us+er"),
            owned(&[("To", "+15558675310"), ("SipAuthUsername", "us er")])
        );
        assert_eq!(pairs("SipAuthUsername=us%20er&x=%C3%A9"), owned(&[("SipAuthUsername", "us er"), ("x", "é")]));
    }

    #[test]
    fn odd_forms_are_parsed_as_browsers_parse_them() {
        assert_eq!(pairs("&&a&b=&=c&d=e=f"), owned(&[("a", ""), ("b", ""), ("", "c"), ("d", "e=f")]));
        assert_eq!(pairs("a=100%&b=%zz"), owned(&[("a", "100%"), ("b", "%zz")]));
        assert_eq!(Form::parse(b"a=1&a=2").unwrap().get("a"), Some("1"));
    }

    #[test]
    fn invalid_utf8_and_too_many_parameters_are_refused() {
        assert_eq!(Form::parse(b"To=%FF"), Err(FormError::NotUtf8("To".to_owned())));
        let many = "a=1&".repeat(PARAMETERS_MAX + 1);
        assert_eq!(Form::parse(many.as_bytes()), Err(FormError::TooMany));
    }

    #[test]
    fn encoded_forms_parse_back() {
        let pairs = owned(&[("a b", "c&d=é+%~"), ("e", "")]);
        assert_eq!(encode(&pairs), "a+b=c%26d%3D%C3%A9%2B%25~&e=");
        assert_eq!(encode_query(&pairs), "a%20b=c%26d%3D%C3%A9%2B%25~&e=");
        for text in [encode(&pairs), encode_query(&pairs)] {
            assert_eq!(self::pairs(&text), pairs);
        }
    }

    #[test]
    fn a_query_is_appended_before_the_fragment() {
        let pairs = [("a", "1")];
        assert_eq!(with_query("http://h/p", &pairs), "http://h/p?a=1");
        assert_eq!(with_query("http://h/p?x=2#rc=3", &pairs), "http://h/p?x=2&a=1#rc=3");
        assert_eq!(with_query("http://h/p?", &pairs), "http://h/p?a=1");
        assert_eq!(with_query::<&str, &str>("http://h/p", &[]), "http://h/p");
    }

    #[test]
    fn question_marks_in_a_query_stay_unencoded() {
        let pairs = [("MediaUrl", "http://h/m?x=1&y=2")];
        let url = with_query("http://h/p", &pairs);
        assert_eq!(url, "http://h/p?MediaUrl=http%3A%2F%2Fh%2Fm?x%3D1%26y%3D2");
        let (_, query) = url.split_once('?').unwrap();
        assert_eq!(Form::parse(query.as_bytes()).unwrap().get("MediaUrl"), Some("http://h/m?x=1&y=2"));
    }
}
