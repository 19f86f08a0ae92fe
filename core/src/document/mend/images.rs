//! Checks images in a PDF. If the data of an image is incomplete, the readable part is drawn, and the rest is left
//! white and reported. Only the renderer decodes inline images, images in JPEG 2000 or JBIG2, and those that would take
//! too much memory here, so nothing is reported if they are incomplete.

use hayro::hayro_syntax::object::stream::ImageDecodeParams;
use hayro::hayro_syntax::object::{FromBytes, Stream};
use hayro_ccitt::{DecodeSettings, Decoder, DecoderContext, EncodingMode};

use super::value::{Store, Value, plain};
use super::{colors, streams};
use crate::document::ccitt::{self, Stored};
use crate::document::picture::PICTURE_PELS_MAX;

/// The loss that is reported for an image that can't be decoded.
const MISSING: &str = "an image is missing: it can't be decoded";
/// The loss that is reported for an image that is too large for the renderer's memory.
pub(super) const TOO_LARGE: &str = "an image is missing: it is too large to be drawn";
/// The largest image that is passed to the renderer, in pels: at one byte per pel, it takes half of the renderer's
/// memory.
const IMAGE_PELS_MAX: u64 = 192 * 1024 * 1024;
/// The longest row that a filter is asked to process, in bits.
const ROW_BITS_MAX: f64 = 1e9;
/// Two patterns of noise. A JPEG that ends too early is decoded with each of them appended; rows that differ between
/// the two results consist of noise.
const NOISE: [[u8; 16]; 2] = [
    [0x5a, 0x93, 0x2c, 0xe1, 0x76, 0x0b, 0xd4, 0x48, 0xb7, 0x1d, 0x62, 0x8e, 0x39, 0xc5, 0x50, 0xa3],
    [0xa6, 0x1b, 0x97, 0x34, 0x0d, 0xe8, 0x52, 0x7f, 0xc1, 0x66, 0x2a, 0x99, 0xd3, 0x05, 0xbe, 0x4c],
];
/// The number of noise bytes that are appended, which are enough to complete any row.
const NOISE_BYTES: usize = 64 * 1024;

/// The result of checking an image.
#[derive(Default)]
pub(super) struct Checked<'a> {
    /// A description of what is missing, if anything is.
    pub(super) loss: Option<String>,
    /// The object to draw instead of the image, if it must be replaced.
    pub(super) instead: Option<Value<'a>>,
}

impl Checked<'_> {
    /// Keeps the image and reports a loss.
    fn lossy(loss: impl Into<String>) -> Self {
        Self { loss: Some(loss.into()), instead: None }
    }

    /// Replaces the image with an empty form and reports a loss.
    fn left_out(loss: impl Into<String>) -> Self {
        let unit = ("BBox", Value::numbers(&[0.0, 0.0, 1.0, 1.0]));
        let empty =
            Value::stream([("Type", Value::name("XObject")), ("Subtype", Value::name("Form")), unit], Vec::new());
        Self { loss: Some(loss.into()), instead: Some(empty) }
    }

    /// Keeps the image and reports that its last rows are missing.
    fn missing_rows(rows: u32) -> Self {
        Self::lossy(incomplete(rows))
    }
}

/// Describes the loss of an image's last rows.
fn incomplete(rows: u32) -> String {
    let rows = if rows == 1 { "row".to_owned() } else { format!("{rows} rows") };
    format!("an image is incomplete: its last {rows} can't be read")
}

/// Returns whether an image has a mask, under the key `mask`, that is too large to be drawn.
pub(super) fn has_large<'a>(store: &mut Store<'a>, image: &Value<'a>, mask: &str) -> bool {
    let mask = store.get(image, mask);
    if !matches!(mask, Value::Stream(_)) {
        return false;
    }
    let mut side = |key: &str| store.number(&mask, key).unwrap_or(0.0);
    side("Width") * side("Height") > IMAGE_PELS_MAX as f64
}

/// Checks whether the data of an image is complete, and replaces the image if it must be drawn differently.
/// `cmyk` is the colour space that replaces CMYK, and `bytes_left` the memory that is left for images that are decoded
/// before drawing.
pub(super) fn checked<'a>(
    store: &mut Store<'a>,
    image: &Value<'a>,
    cmyk: &Value<'a>,
    bytes_left: &mut u64,
) -> Checked<'a> {
    let side = |store: &mut Store<'a>, long: &str, short: &str| {
        let side = store.number(image, long).or_else(|| store.number(image, short));
        side.filter(|side| (1.0..=1e6).contains(side)).map(|side| side as u32)
    };
    let (Some(width), Some(height)) = (side(store, "Width", "W"), side(store, "Height", "H")) else {
        return Checked::left_out("an image is missing: its size is missing or impossible");
    };
    let steps = streams::steps(store, image);
    let is_beyond = steps.iter().any(|(_, parameters)| is_beyond(store, parameters, height));
    // The renderer allocates memory for a whole image before it examines the data.
    if is_beyond || u64::from(width) * u64::from(height) > IMAGE_PELS_MAX {
        return Checked::left_out(TOO_LARGE);
    }
    // The renderer can draw an image of this size, but checking it here would take too much memory.
    if u64::from(width) * u64::from(height) > PICTURE_PELS_MAX {
        return Checked::default();
    }
    let (filters, last) = match steps.split_last() {
        Some((last, before)) if streams::is_image_filter(&last.0) => (before, Some(last)),
        _ => (steps.as_slice(), None),
    };
    let Some((filter, parameters)) = last else { return samples(store, image, filters, (width, height), bytes_left) };
    match filter.as_slice() {
        b"DCTDecode" | b"DCT" => jpeg(store, image, (filters, parameters), (width, height), cmyk, bytes_left),
        b"CCITTFaxDecode" | b"CCF" => fax(store, image, filters, parameters, height),
        _ => Checked::default(),
    }
}

/// Converts a CMYK image to greys before drawing, because the renderer would take many times as long. The image must
/// consist of plain samples, and its colour space must be `cmyk`, the replacement for CMYK. Returns `None` for any
/// other image, and for one that is incomplete or larger than the remaining memory.
pub(super) fn greys_of_inks<'a>(
    store: &mut Store<'a>,
    image: &Value<'a>,
    cmyk: &Value<'a>,
    bytes_left: &mut u64,
) -> Option<Value<'a>> {
    let entries = image.entries()?;
    let same =
        matches!((entries.get(b"ColorSpace".as_slice()), cmyk), (Some(Value::Ref(id)), Value::Ref(ours)) if id == ours);
    let plain = same
        && store.number(image, "BitsPerComponent") == Some(8.0)
        && store.get(image, "Decode").is_null()
        && store.get(image, "Mask").items().is_empty();
    // With a matte, the colours are already blended with another colour, and would have to be separated first.
    let mask = store.get(image, "SMask");
    if !plain || !store.get(&mask, "Matte").is_null() {
        return None;
    }
    let side = |side: Option<f64>| side.filter(|side| (1.0..=1e6).contains(side)).map(|side| side as u64);
    let pels = side(store.number(image, "Width"))? * side(store.number(image, "Height"))?;
    let left = bytes_left.checked_sub(pels)?;
    let steps = streams::steps(store, image);
    let decoded = streams::through(store, image, &steps, streams::DECODED_MAX).filter(|decoded| decoded.whole)?;
    let greys: Vec<u8> =
        decoded.bytes.as_chunks().0.iter().map(|inks| colors::luma(*inks)).take(pels as usize).collect();
    if greys.len() as u64 != pels {
        return None;
    }
    *bytes_left = left;
    Some(image.with("ColorSpace", Value::name("DeviceGray")).with_data(greys))
}

/// Returns whether the parameters of a filter exceed the limits. They must be checked here, because the renderer
/// computes with them before it examines the data.
fn is_beyond<'a>(store: &mut Store<'a>, parameters: &Value<'a>, height: u32) -> bool {
    let mut number = |key: &str, default: f64| store.number(parameters, key).unwrap_or(default);
    let (columns, rows) = (number("Columns", 1.0), number("Rows", f64::from(height)));
    let sample_bits = number("Colors", 1.0) * number("BitsPerComponent", 8.0);
    columns * rows > IMAGE_PELS_MAX as f64 || columns * sample_bits > ROW_BITS_MAX
}

/// The maximum number of bytes that are decoded into memory in excess of what an image needs; data with more excess
/// bytes is only counted.
const EXCESS_BYTES_MAX: u64 = 64 * 1024;

/// Checks whether an image of plain samples has as many of them as its size requires.
fn samples<'a>(
    store: &mut Store<'a>,
    image: &Value<'a>,
    steps: &[streams::Step<'a>],
    (width, height): (u32, u32),
    bytes_left: &mut u64,
) -> Checked<'a> {
    let space = image.entries().and_then(|entries| entries.get(b"ColorSpace".as_slice())).cloned();
    let is_mask = matches!(store.get(image, "ImageMask"), Value::Bool(true));
    let components = if is_mask { Some(1) } else { space.and_then(|space| colors::components(store, &space)) };
    let bits = if is_mask { Some(1.0) } else { store.number(image, "BitsPerComponent") };
    let row = match (components, bits) {
        (Some(components), Some(bits)) if (1.0..=16.0).contains(&bits) => {
            Some((u64::from(width) * u64::from(components) * bits as u64).div_ceil(8))
        }
        _ => None,
    };
    let size = row.map(|row| row * u64::from(height)).filter(|size| size <= bytes_left && is_long(image, steps));
    // A predictor adds a byte before each row, which the limit allows for. Data that inflates to far more than the
    // image needs is only counted, so that it takes no memory.
    let limit = size.and_then(|size| usize::try_from(size + u64::from(height) + EXCESS_BYTES_MAX).ok());
    let decoded = limit.and_then(|limit| {
        streams::through(store, image, steps, limit).filter(|decoded| decoded.whole || decoded.bytes.len() < limit)
    });
    let length = match &decoded {
        Some(decoded) => Some((decoded.bytes.len() as u64, decoded.whole)),
        None => length(store, image, steps),
    };
    let Some((bytes, whole)) = length else { return Checked::lossy(MISSING) };
    // Only complete rows count, because the renderer would draw the rest of an incomplete row black.
    let rows = row.filter(|row| *row > 0).map_or(u64::from(height), |row| bytes / row);
    let missing = u32::try_from(u64::from(height).saturating_sub(rows)).unwrap_or(height);
    match missing {
        0 if whole => {
            let instead =
                decoded.filter(|_| take_bytes(bytes, bytes_left)).map(|decoded| image.with_data(decoded.bytes));
            Checked { loss: None, instead }
        }
        0 => Checked::lossy("an image is damaged and may be wrong in places"),
        missing if missing >= height => Checked::lossy(MISSING),
        missing => {
            let instead = Some(upper_part(store, image, height - missing, height));
            Checked { loss: Some(incomplete(missing)), instead }
        }
    }
}

/// Returns whether an image's data is coded, and so long that decoding it twice costs more than rewriting the document
/// with the decoded data.
fn is_long(image: &Value<'_>, steps: &[streams::Step<'_>]) -> bool {
    const LONG_BYTES: usize = 256 * 1024;
    !steps.is_empty() && matches!(image, Value::Stream(flow) if flow.data.len() >= LONG_BYTES)
}

/// Reserves a part of the remaining memory for an image, and returns whether there was enough.
const fn take_bytes(bytes: u64, left: &mut u64) -> bool {
    let Some(rest) = left.checked_sub(bytes) else { return false };
    *left = rest;
    true
}

/// Returns the decoded length of a stream in bytes, and whether all of the stream could be decoded.
fn length<'a>(store: &mut Store<'a>, image: &Value<'a>, steps: &[streams::Step<'a>]) -> Option<(u64, bool)> {
    if let (Value::Stream(flow), [(name, parameters)]) = (image, steps)
        && matches!(name.as_slice(), b"FlateDecode" | b"Fl")
    {
        let predictor = store.number(parameters, "Predictor").unwrap_or(1.0);
        let number = |store: &mut Store<'a>, key: &str, default: f64| store.number(parameters, key).unwrap_or(default);
        let bits =
            number(store, "Colors", 1.0) * number(store, "BitsPerComponent", 8.0) * number(store, "Columns", 1.0);
        let mut bytes = 0_u64;
        let whole = streams::each_inflated(&flow.data, |piece| {
            bytes += piece.len() as u64;
            bytes <= streams::DECODED_MAX as u64
        });
        let row = (bits.clamp(1.0, 1e9) as u64).div_ceil(8);
        // PNG predictors add one byte before each row (ISO 32000-1, 7.4.4.4).
        let bytes = if predictor >= 10.0 { bytes * row / (row + 1) } else { bytes };
        return Some((bytes, whole));
    }
    streams::through(store, image, steps, streams::DECODED_MAX)
        .map(|decoded| (decoded.bytes.len() as u64, decoded.whole))
}

/// Checks whether fax data has as many rows as the height of the image requires.
fn fax<'a>(
    store: &mut Store<'a>,
    image: &Value<'a>,
    steps: &[streams::Step<'a>],
    parameters: &Value<'a>,
    height: u32,
) -> Checked<'a> {
    let Some(decoded) = streams::through(store, image, steps, streams::DECODED_MAX) else {
        return Checked::lossy(MISSING);
    };
    let k = store.number(parameters, "K").unwrap_or(0.0);
    let mut flag = |key: &str, default: bool| {
        if let Value::Bool(value) = store.get(parameters, key) { value } else { default }
    };
    let (end_of_block, end_of_line) = (flag("EndOfBlock", true), flag("EndOfLine", false));
    let rows_are_byte_aligned = flag("EncodedByteAlign", false);
    let columns = store.number(parameters, "Columns").unwrap_or(1_728.0).clamp(1.0, 1e6) as u32;
    let settings = DecodeSettings {
        columns,
        rows: height,
        end_of_block,
        end_of_line,
        rows_are_byte_aligned,
        encoding: if k < 0.0 {
            EncodingMode::Group4
        } else if k > 0.0 {
            EncodingMode::Group3_2D
        } else {
            EncodingMode::Group3_1D
        },
        strict: false,
    };
    let mut rows = Rows(0);
    let outcome = hayro_ccitt::decode(&decoded.bytes, &mut rows, &mut DecoderContext::new(settings));
    if rows.0 >= height {
        return Checked::default();
    }
    // This crate's decoder reads MMR only without byte alignment.
    if k < 0.0
        && !rows_are_byte_aligned
        && u64::from(columns) * u64::from(height) <= PICTURE_PELS_MAX
        && let Some(better) = recoded(store, image, parameters, &decoded.bytes, (columns, height), rows.0)
    {
        return better;
    }
    if outcome.is_err() && rows.0 == 0 { Checked::lossy(MISSING) } else { Checked::missing_rows(height - rows.0) }
}

/// Recodes fax data of which the renderer can read only the first `known` rows; `None` if this crate's decoder can't
/// read more.
fn recoded<'a>(
    store: &mut Store<'a>,
    image: &Value<'a>,
    parameters: &Value<'a>,
    bytes: &[u8],
    (columns, height): (u32, u32),
    known: u32,
) -> Option<Checked<'a>> {
    let decoded = ccitt::decode(bytes, Stored::Mmr, columns, height);
    if decoded.rows <= known {
        return None;
    }
    let mut inner = Value::dict([("K", Value::Number(-1.0)), ("Columns", Value::Number(f64::from(columns)))]);
    // The recoded data has the same colours, so the flag still applies.
    let turned = store.get(parameters, "BlackIs1");
    if !turned.is_null() {
        inner = inner.with("BlackIs1", turned);
    }
    let coded = image.with_data(ccitt::g4(&decoded.image));
    let coded = coded.with("Filter", Value::name("CCITTFaxDecode")).with("DecodeParms", inner);
    let missing = height - decoded.rows;
    Some(Checked { loss: (missing > 0).then(|| incomplete(missing)), instead: Some(coded) })
}

/// Counts the decoded rows without storing them.
struct Rows(u32);

impl Decoder for Rows {
    fn push_row(&mut self, _: &[u32]) {
        self.0 += 1;
    }
}

/// Checks whether a JPEG is complete, by looking for its end marker and, if that is missing, by decoding it.
fn jpeg<'a>(
    store: &mut Store<'a>,
    image: &Value<'a>,
    (steps, parameters): (&[streams::Step<'a>], &Value<'a>),
    (width, height): (u32, u32),
    cmyk: &Value<'a>,
    bytes_left: &mut u64,
) -> Checked<'a> {
    let Some(decoded) = streams::through(store, image, steps, streams::DECODED_MAX) else {
        return Checked::lossy(MISSING);
    };
    let data = decoded.bytes;
    let mut checked = Checked::default();
    let Some(frame) = frame(&data) else { return Checked::lossy(MISSING) };
    // Without a colour space, four components mean CMYK.
    if frame.components == 4 && store.get(image, "ColorSpace").is_null() {
        checked.instead = Some(image.with("ColorSpace", cmyk.clone()));
    }
    if ends(&data) {
        if decoded.whole && is_long(image, steps) && take_bytes(data.len() as u64, bytes_left) {
            let image = checked.instead.as_ref().unwrap_or(image).with_data(data);
            let image = image.with("Filter", Value::name("DCTDecode"));
            let has_parameters = parameters.entries().is_some();
            checked.instead = Some(if has_parameters { image.with("DecodeParms", parameters.clone()) } else { image });
        }
        return checked;
    }
    let good = rows_there(&data, &frame, (width, height));
    let image = checked.instead.take().unwrap_or_else(|| image.clone());
    let Some(good) = good else { return Checked::lossy("an image is incomplete: its data ends too early") };
    if good >= height {
        return Checked {
            loss: Some("an image is incomplete: its data ends too early".to_owned()),
            instead: Some(image),
        };
    }
    checked.loss = Some(if good == 0 { MISSING.to_owned() } else { incomplete(height - good) });
    checked.instead = Some(upper_part(store, &image, good, height));
    checked
}

/// Returns a form that draws only the upper rows of an image, where they would be in the whole image.
fn upper_part<'a>(store: &mut Store<'a>, image: &Value<'a>, rows: u32, height: u32) -> Value<'a> {
    let unit = ("BBox", Value::numbers(&[0.0, 0.0, 1.0, 1.0]));
    let kind = [("Type", Value::name("XObject")), ("Subtype", Value::name("Form"))];
    let [a, b] = kind;
    if rows == 0 {
        return Value::stream([a, b, unit], Vec::new());
    }
    let part = image.with("Height", Value::Number(f64::from(rows)));
    let part = store.add(part);
    let resources = Value::dict([("XObject", Value::dict([("Part", part)]))]);
    let share = f64::from(rows) / f64::from(height);
    let content = format!("q 1 0 0 {} 0 {} cm /Part Do Q", plain(share), plain(1.0 - share));
    Value::stream([a, b, unit, ("Resources", resources)], content.into_bytes())
}

/// The relevant parts of a JPEG's frame header.
struct Frame {
    components: u8,
    height: u32,
    /// The height of a row of blocks in pels, for the component with the tallest blocks.
    block_rows: u32,
}

/// Returns whether a JPEG has its end marker among its last bytes.
fn ends(data: &[u8]) -> bool {
    const TAIL: usize = 4_096;
    let tail = &data[data.len().saturating_sub(TAIL)..];
    tail.windows(2).any(|pair| pair == [0xff, 0xd9])
}

/// Finds the frame header of a JPEG (ITU-T T.81, B.2.2).
fn frame(data: &[u8]) -> Option<Frame> {
    let mut at = data.windows(2).position(|pair| pair == [0xff, 0xd8])? + 2;
    loop {
        let marker = match data.get(at..at + 2)? {
            // Fill bytes may precede a marker (T.81, B.1.1.2).
            [0xff, 0xff] => {
                at += 1;
                continue;
            }
            [0xff, marker] => *marker,
            _ => {
                at += 1;
                continue;
            }
        };
        let length = usize::from(u16::from_be_bytes([*data.get(at + 2)?, *data.get(at + 3)?]));
        if matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
            let height = u32::from(u16::from_be_bytes([*data.get(at + 5)?, *data.get(at + 6)?]));
            let components = *data.get(at + 9)?;
            let factors = (0..usize::from(components)).filter_map(|place| data.get(at + 11 + place * 3));
            let block_rows = factors.map(|factor| u32::from(factor & 15) * 8).max().unwrap_or(8);
            return Some(Frame { components, height, block_rows });
        }
        // The length includes its own two bytes, so a value below 2 is invalid.
        at += 2 + length.max(2);
    }
}

/// Returns the number of rows that an incomplete JPEG really contains: those that stay the same whatever follows its
/// data. Returns `None` if the JPEG can't be decoded at all.
fn rows_there(data: &[u8], frame: &Frame, (width, height): (u32, u32)) -> Option<u32> {
    let decoded = |noise: &[u8; 16]| {
        let mut data = data.to_vec();
        // A zero byte keeps a final 0xff from forming a marker with the first byte of noise.
        if data.last() == Some(&0xff) {
            data.push(0);
        }
        data.extend(noise.iter().cycle().take(NOISE_BYTES));
        data.extend([0xff, 0xd9]);
        let mut file = format!("<</Length {}/Filter/DCTDecode>>\nstream\n", data.len()).into_bytes();
        file.append(&mut data);
        file.extend(b"\nendstream");
        let stream = Stream::from_bytes(&file)?;
        let wanted = ImageDecodeParams {
            is_indexed: false,
            bpc: Some(8),
            num_components: Some(frame.components),
            target_dimension: None,
            width,
            height,
        };
        stream.decoded_image(&wanted).ok().map(|decoded| decoded.data.into_owned())
    };
    let [first, second] = [decoded(&NOISE[0])?, decoded(&NOISE[1])?];
    let rows = frame.height.min(height);
    let row = (first.len() / rows.max(1) as usize).max(1);
    let pairs = first.chunks(row).zip(second.chunks(row));
    let same = pairs.take_while(|(first, second)| first == second).count();
    let same = u32::try_from(same).unwrap_or(u32::MAX).min(rows);
    if same >= rows {
        return Some(height);
    }
    // Chroma subsampling and smoothing spread noise within a row of blocks, so only complete rows of blocks count.
    Some(same / frame.block_rows * frame.block_rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frame_header_of_a_jpeg_is_found() {
        let data = [
            0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xc0, 0, 17, 8, 1, 2, 0, 3, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1,
        ];
        let frame = frame(&data).unwrap();
        assert_eq!((frame.components, frame.height, frame.block_rows), (3, 258, 16));
        assert!(!ends(&data) && ends(&[0xff, 0xd9]));
    }
    #[test]
    fn missing_rows_are_counted_in_whole_sentences() {
        assert_eq!(incomplete(1), "an image is incomplete: its last row can't be read");
        assert_eq!(incomplete(2), "an image is incomplete: its last 2 rows can't be read");
    }
}
