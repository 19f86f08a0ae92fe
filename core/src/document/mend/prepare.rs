//! Repairs small faults in a PDF's bytes that would hide whole streams, or all objects, from the parser.

/// The keywords that begin and end a stream's data.
const BEGIN: &[u8] = b"stream";
const END: &[u8] = b"endstream";
/// The object number of the root that is added to a file without one; real files don't use numbers this large.
const ROOT: u32 = 8_000_000;

/// Returns the file in a form that the parser can read; `None` if it can stay unchanged.
///
/// `stream` must be followed immediately by an end of line (ISO 32000-1, 7.3.8.1). If there are spaces in between, they
/// are moved in front of the keyword, so that no offset changes. If the file ends within a stream, the missing keywords
/// are appended.
pub(in crate::document) fn prepared(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut prepared: Option<Vec<u8>> = None;
    let (mut is_open, mut at) = (false, 0);
    while let Some(found) = find(bytes, at) {
        at = found + BEGIN.len();
        // This is the second half of `endstream`.
        if found >= 3 && bytes[found - 3..].starts_with(END) {
            is_open = false;
            continue;
        }
        let before = bytes[..found].trim_ascii_end();
        // The word also occurs in text and in data; it begins a stream only after a dictionary.
        if !before.ends_with(b">>") {
            continue;
        }
        is_open = true;
        let spaces = bytes[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let ends_line = bytes[at + spaces..].first().is_some_and(|byte| matches!(byte, b'\r' | b'\n'));
        if spaces > 0 && ends_line {
            let file = prepared.get_or_insert_with(|| bytes.to_vec());
            file[found..at + spaces].rotate_right(spaces);
        }
    }
    if is_open {
        prepared.get_or_insert_with(|| bytes.to_vec()).extend(b"\nendstream\nendobj\n");
    }
    prepared
}

/// Appends an empty page tree to a file without a readable one, so that the file can be opened and its objects
/// searched.
pub(in crate::document) fn with_a_root(bytes: &[u8]) -> Vec<u8> {
    let mut file = bytes.to_vec();
    file.extend(b"\n");
    let [root, pages] = [ROOT, ROOT + 1];
    file.extend(format!("{root} 0 obj\n<</Type/Catalog/Pages {pages} 0 R>>\nendobj\n").into_bytes());
    file.extend(format!("{pages} 0 obj\n<</Type/Pages/Kids[]/Count 0>>\nendobj\n").into_bytes());
    file.extend(format!("trailer\n<</Root {root} 0 R/Size {}>>\n", ROOT + 2).into_bytes());
    file
}

/// Finds the next `stream` at or after an offset, with Horspool's algorithm. No letter occurs twice in the word, so
/// most bytes can be skipped.
fn find(bytes: &[u8], from: usize) -> Option<usize> {
    let mut end = from + BEGIN.len();
    loop {
        end += match bytes.get(end - 1)? {
            b'm' if bytes[..end].ends_with(BEGIN) => return Some(end - BEGIN.len()),
            b'a' => 1,
            b'e' => 2,
            b'r' => 3,
            b't' => 4,
            b's' => 5,
            _ => BEGIN.len(),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_after_stream_are_moved_before_it() {
        for (given, wanted) in [
            ("<<>>\nstream \nab\nendstream", "<<>>\n stream\nab\nendstream"),
            ("<<>> stream \t\r\nab endstream", "<<>>  \tstream\r\nab endstream"),
        ] {
            assert_eq!(prepared(given.as_bytes()).unwrap(), wanted.as_bytes());
        }
        for fine in ["<<>>\nstream\nab\nendstream", "(a stream )\n", "<<>>stream\r\nstream \nendstream"] {
            assert_eq!(prepared(fine.as_bytes()), None, "{fine}");
        }
    }

    #[test]
    fn a_truncated_stream_is_closed() {
        let closed = prepared(b"1 0 obj <</Length 9>> stream\nab").unwrap();
        assert!(closed.ends_with(b"ab\nendstream\nendobj\n"));
    }

    #[test]
    fn the_next_stream_is_found_wherever_it_begins() {
        for text in
            ["stream", "sstream", "streastream", "mmmmmstream", "ststreamstream", "endstream", "strea", "team", ""]
        {
            for padding in 0..8 {
                let text = format!("{}{text}", &"streamst"[8 - padding..]);
                for from in 0..text.len() {
                    let wanted = text[from..].find("stream").map(|place| place + from);
                    assert_eq!(find(text.as_bytes(), from), wanted, "{text} {from}");
                }
            }
        }
    }
}
