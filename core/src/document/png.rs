//! Renders a fax page as a PNG for viewing: with square pels, and scaled down by averaging.

use png::{BitDepth, ColorType, Compression, Encoder, EncodingError, Filter};

use super::bitmap::Bitmap;
use super::page::decoded;
use crate::model::fax::Quality;
use crate::model::page::{FaxPage, PELS_PER_INCH};

/// The largest width of an image in pels, which is the width of a page.
pub const WIDTH_MAX: u32 = 1_728;
/// The smallest width of an image in pels, for thumbnails.
pub const WIDTH_MIN: u32 = 16;

/// Renders a page at a width in pels, clamped to `WIDTH_MIN..=WIDTH_MAX`.
///
/// # Errors
/// Fails if the encoder fails, which is not expected when it writes to memory.
pub fn page(page: &FaxPage, width: u32) -> Result<Vec<u8>, EncodingError> {
    of_bits(&decoded(page), page.quality, width)
}

/// Renders a page that has been decoded; the width is clamped as in `page`.
pub(super) fn of_bits(image: &Bitmap, quality: Quality, width: u32) -> Result<Vec<u8>, EncodingError> {
    let width = width.clamp(WIDTH_MIN, WIDTH_MAX);
    let scale = f64::from(width) / f64::from(image.width().max(1));
    let rows = f64::from(image.height()) * f64::from(PELS_PER_INCH) / f64::from(quality.rows_an_inch()) * scale;
    // A page has at most a few thousand rows, so the cast can't overflow.
    let height = (rows.round() as u32).max(1);
    let mut pels = Vec::with_capacity(width as usize * height as usize);
    let columns = bands(image.width(), width);
    for lines in bands(image.height(), height) {
        for column in &columns {
            pels.push(mean(image, column.clone(), lines.clone()));
        }
    }
    let mut png = Vec::new();
    let mut encoder = Encoder::new(&mut png, width, height);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Fast);
    encoder.set_filter(Filter::Up);
    encoder.write_header()?.write_image_data(&pels)?;
    Ok(png)
}

/// Divides `length` pels into `count` bands. If there are fewer pels than bands, bands overlap rather than being empty.
fn bands(length: u32, count: u32) -> Vec<std::ops::Range<u32>> {
    let at = |band: u32| u32::try_from(u64::from(band) * u64::from(length) / u64::from(count)).unwrap_or(0);
    (0..count).map(|band| at(band)..at(band + 1).max(at(band) + 1).min(length.max(1))).collect()
}

/// Returns the mean grey of some columns and rows of an image.
fn mean(image: &Bitmap, columns: std::ops::Range<u32>, lines: std::ops::Range<u32>) -> u8 {
    let all = (columns.len() * lines.len()).max(1) as u32;
    let black =
        lines.flat_map(|y| columns.clone().map(move |x| (x, y))).filter(|(x, y)| image.is_black(*x, *y)).count();
    255 - u8::try_from(black as u32 * 255 / all).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::images;
    use super::super::kind::Kind;
    use super::super::picture::Pels;
    use super::*;

    #[test]
    fn a_page_keeps_its_proportions_at_every_resolution() {
        for (quality, rows) in [(Quality::Standard, 1_078), (Quality::Fine, 2_156), (Quality::Superfine, 4_301)] {
            let mut image = Bitmap::white(1_728, rows);
            image.blacken_run(rows / 2, 0, 1_728);
            let png = of_bits(&image, quality, 432).unwrap();
            let read = images::read(&png, Kind::Png).unwrap();
            let Pels::Gray(greys) = &read.pels else { panic!("not greys") };
            assert_eq!(greys.width(), 432);
            assert!((560..=562).contains(&greys.height()), "{}", greys.height());
            assert!(greys.pels().iter().any(|pel| *pel < 240) && greys.pels()[5 * 432 + 5] == 255);
        }
    }
}
