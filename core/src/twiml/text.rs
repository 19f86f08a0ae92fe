//! Decodes a document by its declared encoding (RFC 7303 §3). In order of precedence, that is the encoding of the byte
//! order mark, UTF-16 if the first bytes look like it, the `charset` of the Content-Type, the encoding in the XML
//! declaration, and UTF-8.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::error::excerpt;
use super::verb::Warning;

/// The maximum number of bytes that are searched for the end of an XML declaration; real declarations are far shorter.
const DECLARATION_BYTES_MAX: usize = 256;
/// The start of an XML declaration.
const DECLARATION: &str = "<?xml";

/// Decodes a document and removes leading white space. A declaration of another encoding than the one that is used adds
/// a warning, unless the first bytes decide the encoding or the document is pure ASCII. If the document can't be
/// decoded, the error is worded so that it can follow "the TwiML can't be parsed:".
pub(super) fn decode<'a>(
    content_type: Option<&str>,
    body: &'a [u8],
    warnings: &mut Vec<Warning>,
) -> Result<Cow<'a, str>, String> {
    // Both labels are looked up even if only one is used, because an unknown label is an error in any case.
    let charset = charset(content_type).map(|label| known(label, "its Content-Type has the charset")).transpose()?;
    let declared = declared(body).map(|label| known(label, "its XML declaration says encoding=")).transpose()?;
    let (encoding, bytes) = match Encoding::for_bom(body) {
        Some((encoding, length)) => (encoding, &body[length..]),
        None => (chosen(charset, declared, body, warnings), body),
    };
    let text = if encoding == UTF_8 {
        let invalid = |error: std::str::Utf8Error| {
            let place = error.valid_up_to();
            format!("it is not UTF-8 from byte {place}; send UTF-8, or declare its encoding")
        };
        Cow::Borrowed(std::str::from_utf8(bytes).map_err(invalid)?)
    } else {
        // Invalid bytes are reported instead of becoming replacement characters.
        let text = encoding.decode_without_bom_handling_and_without_replacement(bytes);
        text.ok_or_else(|| format!("it is not valid {}, its declared or likely encoding; send UTF-8", encoding.name()))?
    };
    without_leading_space(text)
}

/// Chooses the encoding of a document without a byte order mark.
fn chosen(
    charset: Option<&'static Encoding>,
    declared: Option<&'static Encoding>,
    body: &[u8],
    warnings: &mut Vec<Warning>,
) -> &'static Encoding {
    // A document begins with `<` or white space, so exactly one of its first two bytes is zero if it is UTF-16.
    let wide = match body {
        [0, other, ..] if *other != 0 => Some(UTF_16BE),
        [other, 0, ..] if *other != 0 => Some(UTF_16LE),
        _ => None,
    };
    if let Some(wide) = wide {
        return wide;
    }
    let is_wide = |encoding: &&'static Encoding| *encoding == UTF_16LE || *encoding == UTF_16BE;
    // .NET's StringWriter declares UTF-16 even if the document is then sent as UTF-8.
    let narrow = |encoding: Option<&'static Encoding>| encoding.filter(|encoding| !is_wide(encoding));
    let encoding = narrow(charset).or(narrow(declared)).unwrap_or(UTF_8);
    let others = [charset, declared].into_iter().flatten().filter(|other| *other != encoding);
    // Pure ASCII is the same in all remaining encodings, so a contradiction between them is harmless.
    if !body.is_ascii() {
        warnings.extend(others.map(|other| {
            let (other, name) = (other.name(), encoding.name());
            Warning::of_schema(format!("the TwiML is declared as {other}, but it is read as {name}"))
        }));
    }
    encoding
}

fn known(label: &str, who: &str) -> Result<&'static Encoding, String> {
    let unknown = || format!("{who} {:?}, which is not a known encoding; send UTF-8", excerpt(label));
    Encoding::for_label(label.as_bytes()).ok_or_else(unknown)
}

/// Returns the `charset` parameter of a content type.
fn charset(content_type: Option<&str>) -> Option<&str> {
    let parameters = content_type?.split(';').skip(1);
    let mut named = parameters.filter_map(|parameter| parameter.split_once('='));
    let (_, value) = named.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
    Some(value.trim().trim_matches(['"', '\''])).filter(|value| !value.is_empty())
}

/// Returns the encoding named in an XML declaration. A declaration in UTF-16 or UTF-32 is not recognised.
fn declared(body: &[u8]) -> Option<&str> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
    let begin = &body[..body.len().min(DECLARATION_BYTES_MAX)];
    let end = begin.windows(2).position(|pair| pair == b"?>")?;
    let declaration = std::str::from_utf8(&begin[..end]).ok()?.strip_prefix(DECLARATION)?;
    let (_, value) = declaration.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    value[1..].split(quote).next()
}

/// Removes leading white space, which templates often produce; XML allows it unless a declaration follows.
fn without_leading_space(text: Cow<'_, str>) -> Result<Cow<'_, str>, String> {
    let begin = text.len() - text.trim_start_matches('\u{feff}').trim_start().len();
    let has_space = text[..begin].contains(|c: char| c != '\u{feff}');
    if has_space && text[begin..].starts_with(DECLARATION) {
        return Err(format!(
            "there is white space before {DECLARATION}, which must come first; remove it from the template"
        ));
    }
    Ok(match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[begin..]),
        Cow::Owned(text) => Cow::Owned(text[begin..].to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content_type: &str, body: &[u8]) -> Result<(String, usize), String> {
        let mut warnings = Vec::new();
        let text = decode(Some(content_type), body, &mut warnings)?;
        Ok((text.into_owned(), warnings.len()))
    }

    fn wide(text: &str, bytes_of: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes_of).collect()
    }

    #[test]
    fn the_declared_encoding_is_used() {
        for (label, byte, letter) in
            [("ISO-8859-1", 0xe9, 'é'), ("windows-1252", 0x80, '€'), ("iso-8859-15", 0xa4, '€'), ("KOI8-R", 0xc1, 'а')]
        {
            let declared =
                [format!("<?xml version='1.0' encoding='{label}'?><a b='").as_bytes(), &[byte], b"'/>"].concat();
            let (text, warnings) = read("text/xml", &declared).expect(label);
            assert!(text.ends_with(&format!("<a b='{letter}'/>")) && warnings == 0, "{text}");
            let named = [b"<a b='".as_slice(), &[byte], b"'/>"].concat();
            let content_type = format!("application/xml; q=1; Charset=\"{label}\"");
            assert_eq!(read(&content_type, &named), Ok((format!("<a b='{letter}'/>"), 0)));
        }
    }

    #[test]
    fn utf_16_is_decoded_in_both_orders_with_or_without_a_mark() {
        for text in ["<?xml version=\"1.0\" encoding=\"UTF-16\"?><a b=\"ü\"/>", "<a b=\"ü\"/>"] {
            for content_type in ["text/xml", "text/xml; charset=utf-16", "application/xml"] {
                for bytes_of in [u16::to_le_bytes, u16::to_be_bytes] {
                    for mark in ["", "\u{feff}"] {
                        let body = wide(&format!("{mark}{text}"), bytes_of);
                        assert_eq!(read(content_type, &body), Ok((text.to_owned(), 0)), "{content_type}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_mark_outranks_the_content_type_which_outranks_the_declaration() {
        let utf_8 = "<?xml version='1.0' encoding='ISO-8859-1'?><a b='é'/>";
        assert_eq!(read("text/xml; charset=utf-8", utf_8.as_bytes()), Ok((utf_8.to_owned(), 1)));
        let marked = [b"\xef\xbb\xbf", utf_8.as_bytes()].concat();
        assert_eq!(read("text/xml; charset=iso-8859-1", &marked), Ok((utf_8.to_owned(), 0)));
        let latin = b"<?xml version='1.0' encoding='UTF-8'?><a b='\xe9'/>";
        assert_eq!(read("text/xml; charset=latin1", latin).expect("valid Latin-1").1, 1);
        // Both encodings agree on pure ASCII.
        let plain = b"<?xml version='1.0' encoding='ISO-8859-1'?><a/>";
        assert_eq!(read("text/xml; charset=utf-8", plain).expect("valid ASCII").1, 0);
        // A document from a library that declares UTF-16 and sends UTF-8.
        let dotnet = "<?xml version=\"1.0\" encoding=\"utf-16\"?><a b=\"é\"/>";
        assert_eq!(read("text/xml", dotnet.as_bytes()), Ok((dotnet.to_owned(), 1)));
    }

    #[test]
    fn unreadable_bodies_are_refused_with_a_reason() {
        for (content_type, body, part) in [
            ("text/xml", b"<a>\xff</a>".as_slice(), "not UTF-8 from byte 3"),
            ("text/xml; charset=ebcdic-7", b"<a/>", "\"ebcdic-7\""),
            ("text/xml", b"<?xml version='1.0' encoding='none-such'?><a/>", "\"none-such\""),
            ("text/xml; charset=shift_jis", b"<a>\xff\xff</a>", "not valid Shift_JIS"),
            ("text/xml", b"\n<?xml version='1.0'?><a/>", "white space before <?xml"),
            ("text/xml", b"\xef\xbb\xbf \n<?xml version='1.0'?><a/>", "white space before <?xml"),
        ] {
            let refused = read(content_type, body).expect_err(part);
            assert!(refused.contains(part), "{refused}");
        }
    }

    #[test]
    fn a_mark_and_white_space_before_an_element_are_harmless() {
        for body in ["\u{feff}<?xml version='1.0'?><a/>", "\u{feff}\n<a/>", " \r\n\t<a/>", "<a/>"] {
            let (text, _) = read("text/xml", body.as_bytes()).expect(body);
            assert!(text.starts_with('<'), "{text}");
        }
        assert_eq!(read("text/xml; charset=", b"<a/>"), Ok(("<a/>".to_owned(), 0)));
    }
}
