//! Masks secrets before people see them: passwords in URLs, and parameters and JSON strings with secret names.

use std::borrow::Cow;
use std::ops::Range;

/// The string shown in place of a secret.
pub const MASK: &str = "***";
/// Endings of secret parameter names, in lower case and without punctuation.
const SECRET_ENDS: [&str; 13] = [
    "token",
    "secret",
    "password",
    "passwd",
    "pwd",
    "apikey",
    "secretkey",
    "privatekey",
    "signingkey",
    "jwt",
    "bearer",
    "credential",
    "credentials",
];
/// Complete names of secret parameters. A longer name that contains one of them, such as `design`, isn't secret unless
/// it has one of the endings above.
const SECRET_WORDS: [&str; 6] = ["auth", "authorization", "key", "sig", "signature", "xamzsignature"];
/// The ending of names that look secret but aren't: those of the page tokens of lists.
const NOT_SECRET_END: &str = "pagetoken";
/// A JSON field that isn't secret, although a parameter with this name is. In a page of a list, it holds the name of
/// the list.
const LIST_NAME_FIELD: &str = "key";

/// Masks the password of each URL in a string.
#[must_use]
pub fn passwords(text: &str) -> Cow<'_, str> {
    replaced(text, &passwords_in(text))
}

/// Returns the byte ranges of URL passwords in a string.
fn passwords_in(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    // Most strings contain no password, so they are searched no further.
    if !text.contains("://") || !text.contains('@') {
        return found;
    }
    let mut begin = 0;
    while let Some(at) = text[begin..].find("://") {
        begin += at + "://".len();
        let is_end = |c: char| matches!(c, '/' | '?' | '#' | '\\' | '"' | '\'' | '<' | '>') || c.is_whitespace();
        let end = text[begin..].find(is_end).map_or(text.len(), |at| begin + at);
        // The last @ ends the password, so that a password containing an unencoded @ is masked completely.
        let Some(last) = text[begin..end].rfind('@') else { continue };
        if let Some(colon) = text[begin..begin + last].find(':') {
            found.push(begin + colon + 1..begin + last);
        }
        begin += last;
    }
    found
}

/// Replaces these ranges of a string with the mask.
fn replaced<'a>(text: &'a str, parts: &[Range<usize>]) -> Cow<'a, str> {
    if parts.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut masked = String::with_capacity(text.len());
    let mut end = 0;
    for part in parts {
        masked.push_str(&text[end..part.start]);
        masked.push_str(MASK);
        end = part.end;
    }
    masked.push_str(&text[end..]);
    Cow::Owned(masked)
}

/// Masks the secrets in a request's target: query parameters with secret names, and passwords in URLs. Everything else
/// stays as the client wrote it.
#[must_use]
pub fn target(target: &str) -> Cow<'_, str> {
    let Some((path, query)) = target.split_once('?') else { return passwords(target) };
    let (path_shown, parts) = (passwords(path), query.split('&').map(part).collect::<Vec<_>>());
    let is_masked = |shown: &Cow<'_, str>| matches!(shown, Cow::Owned(_));
    if !is_masked(&path_shown) && !parts.iter().any(is_masked) {
        return Cow::Borrowed(target);
    }
    Cow::Owned(format!("{path_shown}?{}", parts.join("&")))
}

/// Masks one `name=value` pair of a query: the whole value if the name is secret, otherwise only passwords of URLs.
fn part(pair: &str) -> Cow<'_, str> {
    let whole = Decoded::of(pair);
    if let Some((name, value)) = pair.split_once('=')
        && !value.is_empty()
        && is_secret_name(&Decoded::of(name).text)
    {
        return Cow::Owned(format!("{name}={MASK}"));
    }
    let parts: Vec<_> = passwords_in(&whole.text).into_iter().map(|part| whole.written(part)).collect();
    replaced(pair, &parts)
}

/// A decoded string, and where each of its bytes came from. Non-ASCII bytes are replaced with a letter, which does no
/// harm, because secret names are ASCII.
struct Decoded {
    text: String,
    /// For each byte, its offset in the original string. The last item is the length of the original string.
    places: Vec<usize>,
}

impl Decoded {
    fn of(written: &str) -> Self {
        let (mut text, mut places) = (String::with_capacity(written.len()), Vec::with_capacity(written.len() + 1));
        let bytes = written.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            places.push(at);
            let escaped = (bytes[at] == b'%').then(|| written.get(at + 1..at + 3)).flatten();
            let escaped = escaped.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
            let decoded = escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            let byte = decoded.unwrap_or(if bytes[at] == b'+' { b' ' } else { bytes[at] });
            text.push(if byte.is_ascii() { char::from(byte) } else { 'x' });
            at += if decoded.is_some() { 3 } else { 1 };
        }
        places.push(bytes.len());
        Self { text, places }
    }

    /// Returns the range of the original string that was decoded to this range.
    fn written(&self, part: Range<usize>) -> Range<usize> {
        self.places[part.start]..self.places[part.end]
    }
}

/// Masks strings in fields with secret names in JSON, which may be cut off anywhere. Everything else stays as it is.
#[must_use]
pub fn json_text(text: &str) -> Cow<'_, str> {
    let mut found = Vec::new();
    let mut begin = 0;
    while let Some(name) = string_at(text, begin) {
        begin = name.end + 1;
        let after = text.get(begin..).unwrap_or_default();
        let Some(value) = after.trim_start().strip_prefix(':').map(str::trim_start) else { continue };
        let at = text.len() - value.len();
        let is_secret = &text[name.clone()] != LIST_NAME_FIELD && is_secret_name(&text[name]);
        if !is_secret || !value.starts_with('"') {
            continue;
        }
        let value = string_at(text, at).unwrap_or(text.len()..text.len());
        begin = value.end + 1;
        if !value.is_empty() {
            found.push(value);
        }
    }
    replaced(text, &found)
}

/// Returns the content of the first JSON string at or after a place. A string that is cut off ends with the text.
fn string_at(text: &str, begin: usize) -> Option<Range<usize>> {
    let start = begin + text.get(begin..)?.find('"')? + 1;
    let mut is_escaped = false;
    let end = text[start..].bytes().position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    });
    Some(start..end.map_or(text.len(), |end| start + end))
}

/// Returns whether parameters with this name are secret, such as `AuthToken`.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    // `auth_token`, `AuthToken` and `auth-token` are the same name.
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let is_secret = SECRET_WORDS.contains(&name.as_str()) || SECRET_ENDS.iter().any(|end| name.ends_with(end));
    is_secret && !name.ends_with(NOT_SECRET_END)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_passwords_are_masked_anywhere() {
        for (text, shown) in [
            ("http://user:p@ss@host/a", "http://user:***@host/a"),
            ("see https://u:p@h, then ftp://u:p@h/x", "see https://u:***@h, then ftp://u:***@h/x"),
            ("<Receive action=\"https://u:p@h/done\"/>", "<Receive action=\"https://u:***@h/done\"/>"),
            ("http://token@host/", "http://token@host/"),
            ("http://host/a@b:c", "http://host/a@b:c"),
            ("a:b@c", "a:b@c"),
            ("http://u:@h", "http://u:***@h"),
            ("://:@", "://:***@"),
        ] {
            assert_eq!(passwords(text), shown, "{text}");
        }
    }

    #[test]
    fn a_query_is_masked_pair_by_pair_and_otherwise_unchanged() {
        for (query, shown) in [
            ("/?a=b+c&u=http%3A%2F%2Fu%3AS%40h%2F%C3%A9&x=~", "/?a=b+c&u=http%3A%2F%2Fu%3A***%40h%2F%C3%A9&x=~"),
            ("/?a=b+c%2fd&token=S&empty=&&x", "/?a=b+c%2fd&token=***&empty=&&x"),
            ("/?user%5Btoken%5D=S&%74oken=S&Name=%E9", "/?user%5Btoken%5D=***&%74oken=***&Name=%E9"),
            ("/?u=http%3A%2F%2Fu:%E9S@h%2&v=%", "/?u=http%3A%2F%2Fu:***@h%2&v=%"),
            ("http://u:p@h/v1?token=S", "http://u:***@h/v1?token=***"),
            ("/v1/Faxes?token=S&Name=%E9", "/v1/Faxes?token=***&Name=%E9"),
            ("/v1/Faxes?AuthToken=S&x=%C3", "/v1/Faxes?AuthToken=***&x=%C3"),
            ("/?a=%E9&u=http%3A%2F%2Fu:S@h", "/?a=%E9&u=http%3A%2F%2Fu:***@h"),
            ("/?Name=%E9&b", "/?Name=%E9&b"),
        ] {
            assert_eq!(target(query), shown, "{query}");
        }
    }

    #[test]
    fn a_token_in_a_query_is_masked_but_a_page_token_is_not() {
        for (asked, shown) in [
            ("/v1/Faxes?AuthToken=s3cret&PageSize=1", "/v1/Faxes?AuthToken=***&PageSize=1"),
            ("/v1/Faxes?SigningKey=s", "/v1/Faxes?SigningKey=***"),
            ("/v1/Faxes?auth_token=s", "/v1/Faxes?auth_token=***"),
            ("/v1/Faxes?refresh_token=s&user%5Btoken%5D=s", "/v1/Faxes?refresh_token=***&user%5Btoken%5D=***"),
            ("/v1/Faxes?sig=s&design=s", "/v1/Faxes?sig=***&design=s"),
            ("/v1/Faxes?token=s", "/v1/Faxes?token=***"),
            ("/fax/AC/FX/ME?X-Amz-Date=d&X-Amz-Signature=s", "/fax/AC/FX/ME?X-Amz-Date=d&X-Amz-Signature=***"),
            ("/v1/Faxes?PageToken=PA1&Page=1", "/v1/Faxes?PageToken=PA1&Page=1"),
            ("/v1/Faxes?Url=http%3A%2F%2Fu%3Ap%40h%2F", "/v1/Faxes?Url=http%3A%2F%2Fu%3A***%40h%2F"),
            ("http://u:p@h/v1/Faxes", "http://u:***@h/v1/Faxes"),
            ("/v1/Faxes?", "/v1/Faxes?"),
        ] {
            assert_eq!(target(asked), shown, "{asked}");
        }
    }

    #[test]
    fn secret_strings_in_json_are_masked_even_if_the_text_is_cut_off() {
        for (text, shown) in [
            (r#"{"auth_token":"S","sid":"AC1"}"#, r#"{"auth_token":"***","sid":"AC1"}"#),
            (
                r#"[{ "secret" : "a\"b", "x": {"AuthToken": "S"} }]"#,
                r#"[{ "secret" : "***", "x": {"AuthToken": "***"} }]"#,
            ),
            (
                r#"{"meta":{"key":"faxes","next_page_token":"PA1"}}"#,
                r#"{"meta":{"key":"faxes","next_page_token":"PA1"}}"#,
            ),
            (r#"{"sid":"SK1","secret":"half"#, r#"{"sid":"SK1","secret":"***"#),
            (r#"{"secret":"#, r#"{"secret":"#),
            (r#"{"secret":null,"token":7,"password":""}"#, r#"{"secret":null,"token":7,"password":""}"#),
            (r#"{"friendly_name":"secret","x":"\"}"#, r#"{"friendly_name":"secret","x":"\"}"#),
            ("<Response/>", "<Response/>"),
        ] {
            assert_eq!(json_text(text), shown, "{text}");
        }
    }
}
