//! Decodes the data of streams as far as it is intact. Filters that code images are not undone.

use std::borrow::Cow;

use flate2::{Decompress, FlushDecompress, Status};
use hayro::hayro_syntax::object::{FromBytes, Stream};

use super::value::{Store, Value};

/// The maximum number of bytes that one stream may decode to.
pub(super) const DECODED_MAX: usize = 256 * 1024 * 1024;
/// The maximum number of bytes that are kept of a stream that is not an image. No page's content needs more, and
/// several copies of it are in memory at once.
const KEPT_MAX: usize = 48 * 1024 * 1024;
/// The maximum number of filters that are undone per stream.
const FILTERS_MAX: usize = 10;
/// The filters that code images, by their long and short names.
const IMAGE_FILTERS: [&str; 6] = ["DCTDecode", "DCT", "JPXDecode", "JBIG2Decode", "CCITTFaxDecode", "CCF"];

/// The other filters that can be undone, except for Flate, by their long and short names.
const FILTERS: [&str; 8] =
    ["ASCIIHexDecode", "AHx", "ASCII85Decode", "A85", "LZWDecode", "LZW", "RunLengthDecode", "RL"];

/// The data of a stream after its filters have been undone.
pub(super) struct Decoded {
    pub(super) bytes: Vec<u8>,
    /// Whether all of the data could be decoded.
    pub(super) whole: bool,
}

/// The name of a filter, and its parameters.
pub(super) type Step<'a> = (Vec<u8>, Value<'a>);

/// Returns the filters of a stream, in the order in which they must be undone.
pub(super) fn steps<'a>(store: &mut Store<'a>, stream: &Value<'a>) -> Vec<Step<'a>> {
    let listed = |store: &mut Store<'a>, long: &str, short: &str| {
        let value = store.get(stream, long);
        let value = if value.is_null() { store.get(stream, short) } else { value };
        if value.items().is_empty() { vec![value] } else { value.items().to_vec() }
    };
    let filters = listed(store, "Filter", "F");
    let parameters = listed(store, "DecodeParms", "DP");
    let mut steps = Vec::new();
    for (place, filter) in filters.iter().take(FILTERS_MAX).enumerate() {
        let parameter = parameters.get(place).map_or(Value::Null, |parameter| store.resolve(parameter));
        if let Some(name) = store.resolve(filter).as_name() {
            steps.push((name.to_vec(), parameter));
        }
    }
    steps
}

/// Returns whether a filter codes images.
pub(super) fn is_image_filter(name: &[u8]) -> bool {
    IMAGE_FILTERS.iter().any(|filter| filter.as_bytes() == name)
}

/// Decodes a stream that is not an image; `None` if one of its filters is unknown or fails.
pub(super) fn decoded<'a>(store: &mut Store<'a>, stream: &Value<'a>) -> Option<Decoded> {
    let steps = steps(store, stream);
    through(store, stream, &steps, KEPT_MAX)
}

/// Decodes a stream through these filters; `None` if one of them is unknown or fails. Data that inflates to more than
/// `limit` bytes is cut off near the limit and doesn't count as whole.
pub(super) fn through<'a>(
    store: &mut Store<'a>,
    stream: &Value<'a>,
    steps: &[Step<'a>],
    limit: usize,
) -> Option<Decoded> {
    let Value::Stream(flow) = stream else { return None };
    let mut data: Cow<'_, [u8]> = Cow::Borrowed(&flow.data);
    let mut whole = true;
    for (name, parameters) in steps {
        let (bytes, all) = match name.as_slice() {
            // The data was decrypted when it was read.
            b"Crypt" => continue,
            b"FlateDecode" | b"Fl" => {
                let (bytes, all) = inflated(&data, limit);
                (predicted(store, bytes, parameters)?, all)
            }
            name if FILTERS.iter().all(|filter| filter.as_bytes() != name) => return None,
            name => {
                let is_ascii85 = matches!(name, b"ASCII85Decode" | b"A85");
                let bytes = if is_ascii85 { ascii85(&data)? } else { by_hayro(store, name, parameters, &data)? };
                let whole = !bytes.is_empty() || data.trim_ascii().is_empty();
                (bytes, whole)
            }
        };
        whole &= all;
        data = Cow::Owned(bytes);
    }
    Some(Decoded { bytes: data.into_owned(), whole })
}

/// The numeric parameters of the filters that can be undone.
const PARAMETERS: [&str; 5] = ["Predictor", "Colors", "BitsPerComponent", "Columns", "EarlyChange"];

/// Undoes one filter with the renderer's code.
fn by_hayro<'a>(store: &mut Store<'a>, name: &[u8], parameters: &Value<'a>, data: &[u8]) -> Option<Vec<u8>> {
    // The name is written to a file that is then parsed, so only letters and digits are allowed in it.
    let name = std::str::from_utf8(name).ok().filter(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric()))?;
    let mut file = format!("<</Length {}/Filter/{name}/DecodeParms<<", data.len()).into_bytes();
    for key in PARAMETERS {
        if let Some(number) = store.number(parameters, key) {
            file.extend(format!("/{key} {number:.0}").into_bytes());
        }
    }
    file.extend(b">>>>\nstream\n");
    file.extend(data);
    file.extend(b"\nendstream");
    let stream = Stream::from_bytes(&file)?;
    stream.decoded_data().ok().map(Cow::into_owned)
}

/// Decodes ASCII-85 exactly like the renderer but several times as fast, because full-page images often use it.
fn ascii85(data: &[u8]) -> Option<Vec<u8>> {
    const GROUP: usize = 5;
    let mut bytes = Vec::with_capacity(data.len() / GROUP * 4 + 4);
    let (mut value, mut digits) = (0_u64, 0);
    let mut rest = data;
    while let [byte, after @ ..] = rest {
        // Nearly all groups consist of five digits, which are decoded together.
        if digits == 0
            && let Some((group, after)) = rest.split_first_chunk::<GROUP>()
            && group.iter().all(|byte| matches!(byte, b'!'..=b'u'))
        {
            let value = group.iter().fold(0, |value, byte| value * 85 + u64::from(byte - b'!'));
            bytes.extend(u32::try_from(value).ok()?.to_be_bytes());
            rest = after;
            continue;
        }
        rest = after;
        match byte {
            b'!'..=b'u' => {
                (value, digits) = (value * 85 + u64::from(byte - b'!'), digits + 1);
                if digits == GROUP {
                    bytes.extend(u32::try_from(value).ok()?.to_be_bytes());
                    (value, digits) = (0, 0);
                }
            }
            b'z' => {
                last_group(&mut bytes, value, digits)?;
                (value, digits) = (0, 0);
                bytes.extend([0; 4]);
            }
            b'~' => break,
            0 | b'\t' | b'\n' | 0x0c | b'\r' | b' ' => {}
            _ => return None,
        }
    }
    last_group(&mut bytes, value, digits)?;
    Some(bytes)
}

/// Decodes a last group of fewer than five digits (ISO 32000-1, 7.4.3); a single digit is invalid.
fn last_group(bytes: &mut Vec<u8>, value: u64, digits: usize) -> Option<()> {
    if digits == 0 {
        return Some(());
    }
    let value = (digits..5).fold(value, |value, _| value * 85 + 84);
    let group = u32::try_from(value).ok()?.to_be_bytes();
    bytes.extend(group.get(..digits - 1).filter(|group| !group.is_empty())?);
    Some(())
}

/// Undoes a predictor, keeping the bytes of an incomplete last row.
fn predicted<'a>(store: &mut Store<'a>, bytes: Vec<u8>, parameters: &Value<'a>) -> Option<Vec<u8>> {
    if store.number(parameters, "Predictor").is_none_or(|predictor| predictor < 2.0) {
        return Some(bytes);
    }
    // The renderer can undo predictors but accepts only compressed data, so the data is passed in uncompressed blocks
    // (RFC 1951, 3.2.4).
    let mut blocks = Vec::with_capacity(bytes.len() + bytes.len() / 1_000 + 100);
    let mut chunks = bytes.chunks(0xffff).peekable();
    while let Some(chunk) = chunks.next() {
        let length = u16::try_from(chunk.len()).unwrap_or(u16::MAX);
        blocks.push(u8::from(chunks.peek().is_none()));
        blocks.extend(length.to_le_bytes());
        blocks.extend((!length).to_le_bytes());
        blocks.extend(chunk);
    }
    let mut stream = vec![0x78, 0x01];
    stream.append(&mut blocks);
    stream.extend(adler(&bytes).to_be_bytes());
    by_hayro(store, b"FlateDecode", parameters, &stream)
}

/// Computes the checksum of a zlib stream (RFC 1950, 9).
fn adler(bytes: &[u8]) -> u32 {
    let (mut low, mut high) = (1_u32, 0_u32);
    // Chunks are so short that the sums can't overflow before they are reduced.
    for chunk in bytes.chunks(3_800) {
        for byte in chunk {
            low += u32::from(*byte);
            high += low;
        }
        low %= 65_521;
        high %= 65_521;
    }
    high << 16 | low
}

/// Inflates data up to a limit, and returns whether it is complete.
fn inflated(data: &[u8], limit: usize) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    let whole = each_inflated(data, |chunk| {
        bytes.extend(chunk);
        bytes.len() <= limit
    });
    let whole = whole && bytes.len() <= limit;
    (bytes, whole)
}

/// Passes inflated data to `take` piece by piece while `take` returns true. Returns false if the data is damaged or
/// ends too early, as far as it was read.
pub(super) fn each_inflated(data: &[u8], mut take: impl FnMut(&[u8]) -> bool) -> bool {
    let data = data.trim_ascii_start();
    if data.is_empty() {
        return true;
    }
    // Some programs omit the zlib header (RFC 1950, 2.2).
    let zlib = matches!(data, [first, second, ..] if first & 15 == 8 && (u32::from(*first) << 8 | u32::from(*second)).is_multiple_of(31));
    // The header is skipped and the checksum is not read, so an incorrect checksum loses nothing.
    let data = if zlib { &data[2..] } else { data };
    let mut inflate = Decompress::new(false);
    let mut chunk = vec![0; 32 * 1024];
    loop {
        let (read, made) = (inflate.total_in(), inflate.total_out());
        let rest = usize::try_from(read).ok().and_then(|read| data.get(read..)).unwrap_or_default();
        let status = inflate.decompress(rest, &mut chunk, FlushDecompress::None);
        let length = usize::try_from(inflate.total_out() - made).unwrap_or(0);
        // Stopping early is the caller's choice, not a fault of the data.
        if length > 0 && !take(&chunk[..length.min(chunk.len())]) {
            return true;
        }
        match status {
            Ok(Status::StreamEnd) => return true,
            Ok(Status::Ok | Status::BufError) if inflate.total_in() > read || length > 0 => {}
            // If there was no progress, the data has ended too early.
            Ok(Status::Ok | Status::BufError) | Err(_) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ascii85_is_decoded_as_in_the_renderer() {
        let long: String =
            (0..=255).map(|at: u8| if at % 61 == 60 { '\n' } else { char::from(b'!' + at % 80) }).collect();
        for text in [
            "9jqo^BlbD-BleB1DJ+*+F(f,q~>",
            "9jqo^ BlbD-\nBleB1DJ+*+F(f,q",
            "zz9jqo^z~>9jqo^",
            "9j~>",
            "9jq\t~",
            "9jqo~>",
            "9jqzo^~>",
            "9",
            "9z",
            "s8W-!",
            "s8W-\"",
            "uuuuu",
            "uu",
            "9jqo^v",
            "9jq\u{0}o\u{c}^",
            "",
            &long,
        ] {
            let file = format!("<</Length {}/Filter/ASCII85Decode>>\nstream\n{text}\nendstream", text.len());
            let stream = Stream::from_bytes(file.as_bytes()).unwrap();
            let wanted = stream.decoded_data().ok().map(Cow::into_owned);
            assert_eq!(ascii85(text.as_bytes()), wanted, "{text:?}");
        }
    }
}
