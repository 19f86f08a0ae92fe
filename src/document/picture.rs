//! Pictures as pages: PNG, JPEG and the pages of a TIFF, laid on fax paper. It reads no PDF.

use std::io::Cursor;

use image::codecs::jpeg::JpegDecoder;
use image::codecs::png::PngDecoder;
use image::{ColorType, ImageDecoder, Limits};

use super::bitmap::Bitmap;
use super::dither::{self, Tone};
use super::fit::{self, Placement};
use super::gray::Gray;
use super::import::{Kind, unreadable};
use crate::model::fax::Quality;
use crate::model::media::UnreadableDocument;
use crate::model::page::{PELS_AN_INCH, ROW_PELS};

/// Pels of one picture: an A3 page at 600 dots an inch has 70 million.
pub(super) const PICTURE_PELS_MAX: u64 = 100_000_000;
/// Bytes that decoding one picture may take.
const DECODE_BYTES_MAX: u64 = 600 * 1024 * 1024;
/// Dots an inch of a picture that doesn't say: a photograph of 1 700 dots is 17 inches wide then and made to fit.
const DOTS_AN_INCH_DEFAULT: f64 = 100.0;
/// Believable resolutions; others are taken for unknown.
const DOTS_AN_INCH: std::ops::RangeInclusive<f64> = 10.0..=4_800.0;
/// A pel of a picture of black and white that is made smaller is black if more than this part of it is.
const BILEVEL_COVERAGE: u32 = 96;

/// What a picture's pels are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pels {
    Gray(Gray),
    Bits(Bitmap),
}

/// A picture.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Picture {
    pub(super) pels: Pels,
    /// Dots an inch across and down, if it says.
    pub(super) dots_an_inch: Option<(f64, f64)>,
    /// Rows at the bottom that couldn't be read.
    pub(super) rows_missing: Option<u32>,
}

impl Picture {
    fn size(&self) -> (u32, u32) {
        match &self.pels {
            Pels::Gray(gray) => (gray.width(), gray.height()),
            Pels::Bits(bits) => (bits.width(), bits.height()),
        }
    }

    /// Its true size. A fax page keeps its pels: 1728 across are the paper's width, whatever inexact inches say.
    pub(super) fn size_points(&self) -> (f64, f64) {
        let (width, height) = self.size();
        let believable = self.dots_an_inch.filter(|(x, y)| DOTS_AN_INCH.contains(x) && DOTS_AN_INCH.contains(y));
        let (x, y) = believable.unwrap_or((DOTS_AN_INCH_DEFAULT, DOTS_AN_INCH_DEFAULT));
        let x =
            if width == ROW_PELS && (x - f64::from(PELS_AN_INCH)).abs() < 2.0 { f64::from(PELS_AN_INCH) } else { x };
        (f64::from(width) / x * 72.0, f64::from(height) / y * 72.0)
    }

    /// One piece of it on fax paper.
    pub(super) fn fitted(&self, placement: &Placement, piece: (f64, f64), quality: Quality, tone: Tone) -> Bitmap {
        let rows = fit::rows(piece.1, quality.rows_an_inch());
        if let Pels::Bits(bits) = &self.pels
            && self.is_fax_page(quality)
            && !placement.turned
        {
            // The sender scanned it for a fax already: not one pel is changed.
            let from = (piece.0 * f64::from(quality.rows_an_inch())).round() as u32;
            let mut page = bits.slice(from, from.saturating_add(rows));
            page.set_height(rows.max(page.height()));
            return page;
        }
        let window = Window::new(self, placement, piece, rows, quality);
        match &self.pels {
            Pels::Gray(gray) => {
                let sample = |x: u32, y: u32| gray.pels()[y as usize * gray.width() as usize + x as usize];
                let mut page = window.averaged(sample);
                let text = page.remove_paper() && page.has_edges_alone();
                if text { dither::bits_of_scan(&page) } else { dither::bits(&page, tone) }
            }
            Pels::Bits(bits) => {
                let sample = |x: u32, y: u32| if bits.is_black(x, y) { 0 } else { u8::MAX };
                let page = window.averaged(sample);
                let mut image = Bitmap::white(page.width(), page.height());
                for (y, row) in (0..).zip(page.rows()) {
                    for (x, pel) in (0..).zip(row) {
                        if 255 - u32::from(*pel) > BILEVEL_COVERAGE {
                            image.blacken(x, y);
                        }
                    }
                }
                image
            }
        }
    }

    /// Whether its pels are those of a fax of this quality.
    fn is_fax_page(&self, quality: Quality) -> bool {
        let (width, _) = self.size();
        let (x, y) = self.dots_an_inch.unwrap_or((0.0, 0.0));
        width == ROW_PELS
            && (x - f64::from(PELS_AN_INCH)).abs() < 2.0
            && (y - f64::from(quality.rows_an_inch())).abs() < 2.0
    }
}

/// Which part of a picture each pel of a page shows.
struct Window {
    rows: u32,
    turned: bool,
    source: (u32, u32),
    /// Source pels a page pel, along the source's own axes.
    across: f64,
    down: f64,
    left_pels: f64,
    from_row: f64,
}

impl Window {
    fn new(picture: &Picture, placement: &Placement, piece: (f64, f64), rows: u32, quality: Quality) -> Self {
        let source = picture.size();
        let (width, height) = picture.size_points();
        let dots = |pels: u32, points: f64| f64::from(pels) / (points / 72.0 * placement.scale);
        let (x, y) = (dots(source.0, width), dots(source.1, height));
        let (page_x, page_y) = (f64::from(PELS_AN_INCH), f64::from(quality.rows_an_inch()));
        let (across, down) = if placement.turned { (x / page_y, y / page_x) } else { (x / page_x, y / page_y) };
        let (left_pels, from_row) = (placement.left_pels, piece.0 * page_y);
        Self { rows, turned: placement.turned, source, across, down, left_pels, from_row }
    }

    /// The page; each pel is the mean of those it covers, or the nearest where it covers less than one.
    fn averaged(&self, sample: impl Fn(u32, u32) -> u8) -> Gray {
        let mut page = Gray::white(ROW_PELS, self.rows);
        let columns: Vec<_> = (0..ROW_PELS)
            .map(|x| {
                let along = f64::from(x) - self.left_pels;
                if self.turned {
                    span(along, self.down, self.source.1, true)
                } else {
                    span(along, self.across, self.source.0, false)
                }
            })
            .collect();
        for (y, row) in (0..self.rows).zip(page.pels_mut().chunks_exact_mut(ROW_PELS as usize)) {
            let along = f64::from(y) + self.from_row;
            let lines = if self.turned {
                span(along, self.across, self.source.0, false)
            } else {
                span(along, self.down, self.source.1, false)
            };
            if lines.is_empty() {
                continue;
            }
            for (pel, column) in row.iter_mut().zip(&columns) {
                let (xs, ys) = if self.turned { (&lines, column) } else { (column, &lines) };
                let count = (xs.len() * ys.len()) as u64;
                let covered = ys.clone().flat_map(|y| xs.clone().map(move |x| (x, y)));
                let sum: u64 = covered.map(|(x, y)| u64::from(sample(x, y))).sum();
                if let Some(mean) = sum.checked_div(count) {
                    *pel = mean as u8;
                }
            }
        }
        page
    }
}

/// The source pels that the page pel at `along` covers; counted from the far end where `backwards`.
fn span(along: f64, step: f64, length: u32, backwards: bool) -> std::ops::Range<u32> {
    let start = (along * step).floor();
    if !(start >= 0.0 && start < f64::from(length)) {
        return 0..0;
    }
    let start_pel = start as u32;
    let end = (((along + 1.0) * step).floor() as u32).clamp(start_pel + 1, length);
    if backwards { length - end..length - start_pel } else { start_pel..end }
}

/// Refuses a PNG or JPEG that is too large before a pel of it is decoded.
pub(super) fn check_size(bytes: &[u8], kind: Kind) -> Result<(), UnreadableDocument> {
    with_decoder(bytes, kind, |decoder| check_dimensions(decoder.dimensions(), kind.name()))
}

pub(super) fn check_dimensions((width, height): (u32, u32), name: &str) -> Result<(), UnreadableDocument> {
    if width == 0 || height == 0 {
        return Err(unreadable(format!("the {name} has no area: it is {width} × {height} pels large")));
    }
    if u64::from(width) * u64::from(height) > PICTURE_PELS_MAX {
        return Err(unreadable(format!(
            "the {name} is too large: {width} × {height} pels; {PICTURE_PELS_MAX} are taken"
        )));
    }
    Ok(())
}

/// Reads a PNG or JPEG.
pub(super) fn read(bytes: &[u8], kind: Kind) -> Result<Picture, UnreadableDocument> {
    with_decoder(bytes, kind, |mut decoder| {
        let (width, height) = decoder.dimensions();
        check_dimensions((width, height), kind.name())?;
        let damaged = |error: image::ImageError| unreadable(format!("the {} is damaged: {error}", kind.name()));
        let mut limits = Limits::default();
        limits.max_alloc = Some(DECODE_BYTES_MAX);
        decoder.set_limits(limits).map_err(damaged)?;
        let (color, size) = (decoder.color_type(), usize::try_from(decoder.total_bytes()).unwrap_or(usize::MAX));
        if size as u64 > DECODE_BYTES_MAX {
            return Err(unreadable(format!("the {} takes more memory than {DECODE_BYTES_MAX} bytes", kind.name())));
        }
        let mut samples = vec![0; size];
        decoder.read_image_boxed(&mut samples).map_err(damaged)?;
        let pels = Pels::Gray(Gray::from_pels(width, height, gray(&samples, color)));
        let dots_an_inch = match kind {
            Kind::Png => png_dots_an_inch(bytes),
            Kind::Jpeg | Kind::Pdf | Kind::Tiff => jpeg_dots_an_inch(bytes),
        };
        Ok(Picture { pels, dots_an_inch, rows_missing: None })
    })
}

fn with_decoder<T>(
    bytes: &[u8],
    kind: Kind,
    read: impl FnOnce(Box<dyn ImageDecoder + '_>) -> Result<T, UnreadableDocument>,
) -> Result<T, UnreadableDocument> {
    let damaged = |error: image::ImageError| unreadable(format!("the {} is damaged: {error}", kind.name()));
    let source = Cursor::new(bytes);
    match kind {
        Kind::Png => read(Box::new(PngDecoder::new(source).map_err(damaged)?)),
        Kind::Jpeg | Kind::Pdf | Kind::Tiff => read(Box::new(JpegDecoder::new(source).map_err(damaged)?)),
    }
}

/// Luma of samples as the image crate decodes them; what is transparent shows the white paper.
#[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum that grows; floating-point kinds are not decoded")]
pub(super) fn gray(samples: &[u8], color: ColorType) -> Vec<u8> {
    let high = |sample: &[u8]| u16::from_ne_bytes([sample[0], sample[1]]).to_be_bytes()[0];
    match color {
        ColorType::L8 => samples.to_vec(),
        ColorType::La8 => samples.chunks_exact(2).map(|pel| over_white(pel[0], pel[1])).collect(),
        ColorType::Rgb8 => samples.chunks_exact(3).map(|pel| luma(pel[0], pel[1], pel[2])).collect(),
        ColorType::Rgba8 => {
            samples.chunks_exact(4).map(|pel| over_white(luma(pel[0], pel[1], pel[2]), pel[3])).collect()
        }
        ColorType::L16 => samples.chunks_exact(2).map(high).collect(),
        ColorType::La16 => samples.chunks_exact(4).map(|pel| over_white(high(pel), high(&pel[2..]))).collect(),
        ColorType::Rgb16 => {
            samples.chunks_exact(6).map(|pel| luma(high(pel), high(&pel[2..]), high(&pel[4..]))).collect()
        }
        ColorType::Rgba16 => samples
            .chunks_exact(8)
            .map(|pel| over_white(luma(high(pel), high(&pel[2..]), high(&pel[4..])), high(&pel[6..])))
            .collect(),
        _ => Vec::new(),
    }
}

/// ITU-R BT.601.
pub(super) fn luma(red: u8, green: u8, blue: u8) -> u8 {
    ((u32::from(red) * 77 + u32::from(green) * 150 + u32::from(blue) * 29 + 128) >> 8) as u8
}

fn over_white(gray: u8, alpha: u8) -> u8 {
    let (gray, alpha) = (u32::from(gray), u32::from(alpha));
    ((gray * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}

/// The `pHYs` chunk of a PNG (PNG §11.3.5.3), if it counts in metres.
fn png_dots_an_inch(bytes: &[u8]) -> Option<(f64, f64)> {
    let mut rest = bytes.get(8..)?;
    loop {
        let length = usize::try_from(u32::from_be_bytes(rest.get(..4)?.try_into().ok()?)).ok()?;
        let (kind, data) = (rest.get(4..8)?, rest.get(8..8_usize.checked_add(length)?)?);
        match (kind, data) {
            (b"IDAT", _) => return None,
            (b"pHYs", [x0, x1, x2, x3, y0, y1, y2, y3, 1]) => {
                let an_inch = |bytes: [u8; 4]| f64::from(u32::from_be_bytes(bytes)) * 0.0254;
                return Some((an_inch([*x0, *x1, *x2, *x3]), an_inch([*y0, *y1, *y2, *y3])));
            }
            _ => rest = rest.get(12 + length..)?,
        }
    }
}

/// The density of a JFIF header (JFIF 1.02), if it is one in inches or centimetres.
fn jpeg_dots_an_inch(bytes: &[u8]) -> Option<(f64, f64)> {
    let header = bytes.get(6..18)?;
    if !header.starts_with(b"JFIF\0") {
        return None;
    }
    let short = |at: usize| f64::from(u16::from_be_bytes([header[at], header[at + 1]]));
    let factor = match header[7] {
        1 => 1.0,
        2 => 2.54,
        _ => return None,
    };
    Some((short(8) * factor, short(10) * factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gray(width: u32, height: u32, dots_an_inch: Option<(f64, f64)>) -> Picture {
        let pels = (0..width * height).map(|at| if at / width < height / 2 { 0 } else { 255 }).collect();
        Picture { pels: Pels::Gray(Gray::from_pels(width, height, pels)), dots_an_inch, rows_missing: None }
    }

    fn on_paper(picture: &Picture, quality: Quality) -> Vec<Bitmap> {
        let (width, height) = picture.size_points();
        let placement = fit::place(width, height).unwrap();
        let pieces = placement.pieces.iter();
        pieces.map(|piece| picture.fitted(&placement, *piece, quality, Tone::Dither)).collect()
    }

    #[test]
    fn a_fax_page_keeps_every_pel() {
        let mut bits = Bitmap::white(ROW_PELS, 1_078);
        (0..1_078).for_each(|y| bits.blacken_run(y, y % 700, y % 1_700));
        let page = Picture { pels: Pels::Bits(bits.clone()), dots_an_inch: Some((204.0, 98.0)), rows_missing: None };
        assert_eq!(on_paper(&page, Quality::Standard), [bits]);
        assert_eq!(on_paper(&page, Quality::Fine)[0].height(), 2_156);
    }

    #[test]
    fn a_photograph_is_turned_and_made_to_fit() {
        let wide = gray(3_000, 2_000, None);
        let pages = on_paper(&wide, Quality::Fine);
        assert_eq!((pages.len(), pages[0].width()), (1, ROW_PELS));
        // Turned, its black upper half lies on the right.
        let middle = pages[0].height() / 2;
        assert!(pages[0].is_black(1_700, middle) && !pages[0].is_black(20, middle));
        let small = on_paper(&gray(100, 50, Some((100.0, 100.0))), Quality::Fine);
        assert_eq!(small[0].height(), 98);
        assert!(!small[0].is_black(100, 10) && small[0].is_black(860, 10) && !small[0].is_black(860, 90));
    }

    #[test]
    fn what_is_transparent_is_white() {
        let pels = gray_of(&[0, 0, 0, 0, 0, 0, 0, 255], ColorType::Rgba8);
        assert_eq!(pels, [255, 0]);
    }

    fn gray_of(samples: &[u8], color: ColorType) -> Vec<u8> {
        super::gray(samples, color)
    }
}
