//! Draws a finding: its place on the fax page, enlarged, and beside it the same place in the document.

use png::{BitDepth, ColorType, Compression, Encoder, EncodingError, Filter};

use super::finding::Area;
use super::page::Page;
use crate::document::original::{Region, Rgb};
use crate::model::page::PELS_PER_INCH;

/// The enlargements, in pixels per pel across. The larger one is used if the place fits.
const ENLARGED: [u32; 2] = [4, 3];
/// The maximum width and height of the picture of a place, in pixels. At four pixels per pel, it shows about an inch
/// and a quarter across.
const WIDTH_MAX: u32 = 1_000;
const HEIGHT_MAX: u32 = 760;
/// The margin around a place, in pixels.
const MARGIN: u32 = 40;
/// The minimum width and height of the picture of a place, in pixels, so that it shows enough of the surroundings to
/// recognise the place.
const WIDTH_MIN: u32 = 400;
const HEIGHT_MIN: u32 = 240;
/// The space between the fax page and the document, in pixels, and its colour.
const GUTTER: u32 = 12;
const GUTTER_COLOR: [u8; 3] = [0x90, 0x98, 0xa8];
/// The frame around the place, its thickness in pixels, and its distance from the place.
const FRAME_COLOR: [u8; 3] = [0xe0, 0x20, 0x30];
const FRAME_PIXELS: u32 = 3;
const FRAME_DISTANCE: u32 = 6;

/// The part of a page that is shown, in pixels of the picture.
struct Window {
    left: i64,
    top: i64,
    width: u32,
    height: u32,
    /// Pixels per pel and per row.
    scale: (f64, f64),
}

impl Window {
    fn of(page: &Page<'_>, area: &Area) -> Self {
        let (across, down) = page.per_inch();
        let sides = |enlarged: u32| {
            let scale = (f64::from(enlarged), f64::from(enlarged) * across / down);
            let pixels = |pels: u32, scale: f64| (f64::from(pels) * scale).round() as u32;
            (scale, pixels(area.width, scale.0) + 2 * MARGIN, pixels(area.height, scale.1) + 2 * MARGIN)
        };
        let fits = |enlarged: &u32| {
            let (_, width, height) = sides(*enlarged);
            width <= WIDTH_MAX && height <= HEIGHT_MAX
        };
        let enlarged = ENLARGED.into_iter().find(fits).unwrap_or(ENLARGED[1]);
        let (scale, width, height) = sides(enlarged);
        let (width, height) = (width.clamp(WIDTH_MIN, WIDTH_MAX), height.clamp(HEIGHT_MIN, HEIGHT_MAX));
        // A place that is too large is shown from its top left corner; a smaller one is in the middle.
        let start = |from: u32, length: u32, scale: f64, shown: u32| {
            let (from, length) = (f64::from(from) * scale, f64::from(length) * scale);
            let space = ((f64::from(shown) - length) / 2.0).max(f64::from(MARGIN));
            (from - space).round() as i64
        };
        Self {
            left: start(area.left, area.width, scale.0, width),
            top: start(area.top, area.height, scale.1, height),
            width,
            height,
            scale,
        }
    }
}

/// Draws the place of a finding as a PNG.
///
/// # Errors
/// Fails if the encoder fails, which is not expected when it writes to memory.
pub(super) fn png(page: &mut Page<'_>, area: &Area) -> Result<Vec<u8>, EncodingError> {
    let window = Window::of(page, area);
    let per_inch = f64::from(PELS_PER_INCH) * window.scale.0;
    let region = Region {
        left: window.left as f64 / per_inch,
        top: window.top as f64 / per_inch,
        per_inch,
        // Both are at most a thousand pixels.
        width: window.width as u16,
        height: window.height as u16,
    };
    let original = (page.original)(&region);
    let mut picture = Rgb::white(window.width * 2 + GUTTER, window.height);
    for y in 0..window.height {
        let row = (f64::from(y) + window.top as f64) / window.scale.1;
        for x in 0..window.width {
            let column = (f64::from(x) + window.left as f64) / window.scale.0;
            let is_black = column >= 0.0 && row >= 0.0 && page.bits.is_black(column as u32, row as u32);
            picture.set(x, y, if is_black { [0; 3] } else { [u8::MAX; 3] });
            let pixel = original.pixels.get((y * original.width + x) as usize).copied();
            picture.set(window.width + GUTTER + x, y, pixel.unwrap_or([u8::MAX; 3]));
        }
        (0..GUTTER).for_each(|x| picture.set(window.width + x, y, GUTTER_COLOR));
    }
    for left in [0, window.width + GUTTER] {
        frame(&mut picture, &window, area, left);
    }
    encoded(&picture)
}

/// Draws the frame around the place, as far as it is within the half of the picture that begins at `offset`.
fn frame(picture: &mut Rgb, window: &Window, area: &Area, offset: u32) {
    let edge = |pels: u32, scale: f64, start: i64| (f64::from(pels) * scale).round() as i64 - start;
    let distance = i64::from(FRAME_DISTANCE);
    let (left, right) = (
        edge(area.left, window.scale.0, window.left) - distance,
        edge(area.left + area.width, window.scale.0, window.left) + distance,
    );
    let (top, bottom) = (
        edge(area.top, window.scale.1, window.top) - distance,
        edge(area.top + area.height, window.scale.1, window.top) + distance,
    );
    let thick = i64::from(FRAME_PIXELS);
    for y in (top - thick).max(0)..(bottom + thick).min(window.height.into()) {
        for x in (left - thick).max(0)..(right + thick).min(window.width.into()) {
            let is_inside = x >= left && x < right && y >= top && y < bottom;
            if let (false, Ok(x), Ok(y)) = (is_inside, u32::try_from(x), u32::try_from(y)) {
                picture.set(offset + x, y, FRAME_COLOR);
            }
        }
    }
}

fn encoded(picture: &Rgb) -> Result<Vec<u8>, EncodingError> {
    let mut png = Vec::new();
    let mut encoder = Encoder::new(&mut png, picture.width, picture.height);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Fast);
    encoder.set_filter(Filter::Up);
    encoder.write_header()?.write_image_data(picture.pixels.as_flattened())?;
    Ok(png)
}
