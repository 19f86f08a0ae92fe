//! The subset of DER that the local CA needs: reading the fields of its certificate, and writing a truststore. No
//! signatures are verified.

use crate::model::time::Timestamp;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const BMP_STRING: u8 = 0x1e;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
/// The tag `[0]`, constructed: an explicit tag, or a certificate's version.
pub(super) const CONTEXT_0: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The fields of a certificate that are checked (RFC 5280 §4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fields<'a> {
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
    /// The subject as a whole DER element.
    pub(super) subject: &'a [u8],
    /// The subject's public key info as a whole DER element.
    pub(super) public_key: &'a [u8],
    /// The bytes after the key: the extensions.
    pub(super) extensions: &'a [u8],
}

/// Reads the fields of a certificate; `None` if the bytes aren't a certificate.
pub(super) fn fields(certificate: &[u8]) -> Option<Fields<'_>> {
    let (certificate, _) = element(certificate, SEQUENCE)?;
    let (to_be_signed, _) = element(certificate.content, SEQUENCE)?;
    let mut rest = to_be_signed.content;
    // Version 1, the default, is not encoded.
    if rest.first() == Some(&CONTEXT_0) {
        rest = any(rest)?.1;
    }
    let (_serial, rest) = element(rest, INTEGER)?;
    let (_signature, rest) = element(rest, SEQUENCE)?;
    let (_issuer, rest) = element(rest, SEQUENCE)?;
    let (validity, rest) = element(rest, SEQUENCE)?;
    let (subject, rest) = element(rest, SEQUENCE)?;
    let (public_key, extensions) = element(rest, SEQUENCE)?;
    let (not_before, later) = any(validity.content)?;
    let (not_after, _) = any(later)?;
    Some(Fields {
        not_before: time(&not_before)?,
        not_after: time(&not_after)?,
        subject: subject.whole,
        public_key: public_key.whole,
        extensions,
    })
}

/// Writes an element: its tag, its length and its content.
pub(super) fn write(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut element = vec![tag];
    let length = content.len().to_be_bytes();
    let significant = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    match significant {
        [] => element.push(0),
        [short @ 0..=0x7f] => element.push(*short),
        long => {
            // At most 8 bytes, the size of a `usize`.
            element.push(0x80 | u8::try_from(long.len()).unwrap_or(u8::MAX));
            element.extend_from_slice(long);
        }
    }
    element.extend_from_slice(content);
    element
}

struct Element<'a> {
    tag: u8,
    content: &'a [u8],
    whole: &'a [u8],
}

fn element(bytes: &[u8], tag: u8) -> Option<(Element<'_>, &[u8])> {
    any(bytes).filter(|(element, _)| element.tag == tag)
}

/// Splits off the first element, with any tag.
fn any(bytes: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (&[tag, first], rest) = bytes.split_first_chunk()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        // Four bytes suffice for a length: no certificate comes near 4 GB.
        let fits = (1..=4).contains(&length.len());
        (fits.then(|| length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)))?, rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((Element { tag, content, whole: &bytes[..bytes.len() - rest.len()] }, rest))
}

/// Parses a date such as `991231235959Z` or `20501231235959Z`.
fn time(element: &Element<'_>) -> Option<Timestamp> {
    let text = std::str::from_utf8(element.content).ok()?.strip_suffix('Z')?;
    let text = match element.tag {
        // A two-digit year from 50 to 99 means 1950 to 1999 (RFC 5280 §4.1.2.5.1).
        UTC_TIME if text.get(..2)? >= "50" => format!("19{text}"),
        UTC_TIME => format!("20{text}"),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let time = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", text).ok()?;
    let second = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second();
    Some(Timestamp::from_seconds(second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_a_short_or_a_long_form() {
        assert_eq!(write(SEQUENCE, &[]), [0x30, 0]);
        assert_eq!(write(OCTET_STRING, &[7; 127])[..2], [4, 127]);
        assert_eq!(write(OCTET_STRING, &[7; 128])[..3], [4, 0x81, 128]);
        let long = write(OCTET_STRING, &[7; 65_536]);
        assert_eq!(long[..5], [4, 0x83, 1, 0, 0]);
        let (element, rest) = any(&long).expect("an element");
        assert_eq!((element.content.len(), rest), (65_536, &[][..]));
    }

    #[test]
    fn a_truncated_or_malformed_element_is_rejected() {
        for bytes in [&[][..], &[0x30], &[0x30, 5, 1], &[0x30, 0x81], &[0x30, 0x80], &[0x30, 0x85, 1, 1, 1, 1, 1, 1]] {
            assert!(any(bytes).is_none() && fields(bytes).is_none(), "{bytes:?}");
        }
        assert!(fields(&write(SEQUENCE, &write(SEQUENCE, &write(INTEGER, &[1])))).is_none());
    }

    #[test]
    fn dates_have_two_or_four_year_digits() {
        let read = |tag, text: &str| {
            let bytes = write(tag, text.as_bytes());
            time(&any(&bytes).expect("an element").0).map(Timestamp::seconds)
        };
        assert_eq!(read(UTC_TIME, "700101000000Z"), Some(0));
        assert_eq!(read(UTC_TIME, "261125000000Z"), Some(1_795_564_800));
        assert_eq!(read(GENERALIZED_TIME, "20500101000000Z"), Some(2_524_608_000));
        for bad in ["", "Z", "261125000000", "26112500Z", "269925000000Z", "é1125000000Z"] {
            assert_eq!(read(UTC_TIME, bad), None, "{bad}");
        }
    }
}
