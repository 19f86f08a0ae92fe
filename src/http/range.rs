//! Byte ranges of a document (RFC 9110 §14).

use std::ops::Range;

/// The part of a document that a `Range` header asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The whole document, because the header is missing, invalid, or has several ranges (§14.2 allows ignoring those).
    Whole,
    /// One range, cut to the document's length.
    Part(Range<usize>),
    /// A range outside the document, which is answered with 416.
    Unsatisfiable,
}

/// Reads a `Range` header for a document of `len` bytes.
pub(super) fn wanted(header: Option<&str>, len: usize) -> Wanted {
    let Some((first, last)) = header.and_then(parse) else { return Wanted::Whole };
    match (first, last) {
        // Such a range is invalid (§14.1.1).
        (Some(first), Some(last)) if last < first => Wanted::Whole,
        (Some(first), _) if first >= len => Wanted::Unsatisfiable,
        (Some(first), last) => Wanted::Part(first..last.map_or(len, |last| last.saturating_add(1).min(len))),
        // A suffix needs at least one byte (§14.1.2).
        (None, Some(0)) => Wanted::Unsatisfiable,
        (None, Some(_)) if len == 0 => Wanted::Unsatisfiable,
        // A suffix longer than the document means the whole document (§14.1.2).
        (None, Some(suffix)) => Wanted::Part(len.saturating_sub(suffix)..len),
        (None, None) => Wanted::Whole,
    }
}

fn parse(header: &str) -> Option<(Option<usize>, Option<usize>)> {
    let (unit, range) = header.split_once('=')?;
    let (first, last) = range.trim().split_once('-')?;
    let number = |text: &str| match text {
        "" => Some(None),
        // A number that doesn't fit is beyond the end of any document.
        _ if text.bytes().all(|byte| byte.is_ascii_digit()) => Some(Some(text.parse().unwrap_or(usize::MAX))),
        _ => None,
    };
    unit.trim().eq_ignore_ascii_case("bytes").then_some(())?;
    Some((number(first)?, number(last)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_clipped_to_the_document() {
        for (header, part) in [
            ("bytes=0-9", 0..10),
            ("bytes=90-", 90..100),
            ("bytes=-10", 90..100),
            ("bytes=-1000", 0..100),
            ("Bytes=99-99999999999999999999", 99..100),
        ] {
            assert_eq!(wanted(Some(header), 100), Wanted::Part(part), "{header}");
        }
    }

    #[test]
    fn a_range_outside_the_document_is_unsatisfiable_and_an_invalid_one_is_ignored() {
        for header in ["bytes=100-", "bytes=100-200", "bytes=-0"] {
            assert_eq!(wanted(Some(header), 100), Wanted::Unsatisfiable, "{header}");
        }
        for header in ["bytes=5-2", "bytes=0-1,5-6", "lines=0-1", "bytes", "bytes=a-b", "bytes=-", "bytes=+1-2"] {
            assert_eq!(wanted(Some(header), 100), Wanted::Whole, "{header}");
        }
        assert_eq!(wanted(None, 100), Wanted::Whole);
        assert_eq!(wanted(Some("bytes=0-"), 0), Wanted::Unsatisfiable);
    }
}
