//! Scales pictures to fax paper: PNG and JPEG images, and the pages of TIFF files.

use super::bitmap::Bitmap;
use super::dither::{self, Tone};
use super::fit::{self, Placement};
use super::gray::{Area, Gray, Scan};
use super::original::{Region, Rgb};
use crate::model::fax::Quality;
use crate::model::page::{PELS_PER_INCH, ROW_PELS};

/// The maximum number of pels per picture; an A3 page at 600 dots per inch has 70 million.
pub(super) const PICTURE_PELS_MAX: u64 = 100_000_000;
/// The resolution assumed for a picture that states no plausible one. At this resolution, a photograph that is 1,700
/// pels wide is 17 inches wide, and is scaled to fit.
const DOTS_PER_INCH_DEFAULT: f64 = 100.0;
/// Plausible resolutions in dots per inch; others count as unknown.
const DOTS_PER_INCH: std::ops::RangeInclusive<f64> = 10.0..=4_800.0;
/// Pels darker than this are ink; the paper of a scan and faint tints are lighter.
const INK_DARKEST: u8 = 128;
/// The widths of fax pages at 204 dots per inch: A4 and letter, B4, and A3 (T.4 §2.2).
const FAX_WIDTHS: [u32; 3] = [ROW_PELS, 2_048, 2_432];
/// The plausible horizontal resolutions of a fax page; with any other, the page would be as small as a leaflet or as
/// large as a poster.
const FAX_DOTS_PER_INCH: std::ops::RangeInclusive<f64> = 144.0..=345.0;
/// The maximum length of a fax page, in inches. If a page states no plausible resolution, the lowest vertical
/// resolution at which it isn't longer than this is assumed.
const FAX_INCHES_MAX: f64 = 14.2;
/// A pel of a scaled-down bilevel picture is black if black covers more than this share of it, in 255ths: less than
/// half, so that thin strokes survive.
const BILEVEL_COVERAGE: u32 = 96;

/// The pels of a picture, as greys or bits, depending on the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pels {
    Gray(Gray),
    Bits(Bitmap),
}

/// A picture that becomes a page.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Picture {
    pub(super) pels: Pels,
    /// The stated resolution in dots per inch, across and down.
    pub(super) dots_per_inch: Option<(f64, f64)>,
    /// Whether the picture is a bilevel page of a TIFF file, or a fax image in a PDF, as fax programs write them.
    pub(super) is_fax_file: bool,
    /// Descriptions of unreadable parts, which are shown to users.
    pub(super) losses: Vec<String>,
}

impl Picture {
    fn size(&self) -> (u32, u32) {
        match &self.pels {
            Pels::Gray(gray) => (gray.width(), gray.height()),
            Pels::Bits(bits) => (bits.width(), bits.height()),
        }
    }

    /// Returns whether any pel is as dark as ink.
    pub(super) fn has_ink(&self) -> bool {
        match &self.pels {
            Pels::Gray(gray) => gray.pels().iter().any(|pel| *pel < INK_DARKEST),
            Pels::Bits(bits) => (0..bits.height()).any(|y| !bits.is_white_row(y)),
        }
    }

    /// Returns the likely resolution of a page that has a fax's width but states no plausible resolution; `None` for
    /// all other pages.
    fn fax_dots_per_inch(&self) -> Option<(f64, f64)> {
        let (width, height) = self.size();
        if !self.is_fax_file || !FAX_WIDTHS.contains(&width) {
            return None;
        }
        let across = f64::from(PELS_PER_INCH);
        let by_shape = |ratio: f64| {
            let is_near = |quality: &Quality| {
                let own = across / f64::from(quality.rows_an_inch());
                // At fine resolution, pels are too close to square for their shape to prove anything.
                quality != &Quality::Fine && (ratio / own - 1.0).abs() < 0.1
            };
            Quality::ALL.iter().copied().find(is_near)
        };
        let shape = match self.dots_per_inch {
            Some((x, _)) if FAX_DOTS_PER_INCH.contains(&x) => return None,
            Some((x, y)) => by_shape(x / y),
            None => None,
        };
        let by_length = |quality: &Quality| f64::from(height) / f64::from(quality.rows_an_inch()) <= FAX_INCHES_MAX;
        let quality = shape.or_else(|| Quality::ALL.iter().copied().find(by_length)).unwrap_or(Quality::Superfine);
        Some((across, f64::from(quality.rows_an_inch())))
    }

    /// Returns the size in points. A fax page keeps its pels: 1728 pels are the paper's width, even if the stated
    /// resolution is missing, implausible or rounded.
    pub(super) fn size_points(&self) -> (f64, f64) {
        let (width, height) = self.size();
        if let Some((x, y)) = self.fax_dots_per_inch() {
            return (f64::from(width) / x * 72.0, f64::from(height) / y * 72.0);
        }
        let believable = self.dots_per_inch.filter(|(x, y)| DOTS_PER_INCH.contains(x) && DOTS_PER_INCH.contains(y));
        let (x, y) = believable.unwrap_or((DOTS_PER_INCH_DEFAULT, DOTS_PER_INCH_DEFAULT));
        // Some programs round the 204 dots per inch of a fax, and the page must not be scaled because of that.
        let x =
            if width == ROW_PELS && (x - f64::from(PELS_PER_INCH)).abs() < 2.0 { f64::from(PELS_PER_INCH) } else { x };
        (f64::from(width) / x * 72.0, f64::from(height) / y * 72.0)
    }

    /// Renders one piece of the picture on fax paper.
    pub(super) fn fitted(&self, placement: &Placement, piece: (f64, f64), quality: Quality, tone: Tone) -> Bitmap {
        let rows = fit::rows(piece.1, quality.rows_an_inch());
        if let Pels::Bits(bits) = &self.pels
            && self.is_fax_page(quality)
            && !placement.turned
        {
            // The page already has the resolution of the fax, so its pels are copied unchanged.
            let from = (piece.0 * f64::from(quality.rows_an_inch())).round() as u32;
            let mut page = bits.slice(from, from.saturating_add(rows));
            // The picture may end before the last piece reaches a page's minimum height.
            page.set_height(rows.max(page.height()));
            return page;
        }
        let window = Window::new(self, placement, piece, rows, quality);
        match &self.pels {
            Pels::Gray(gray) => {
                let sample = |x: u32, y: u32| gray.pels()[y as usize * gray.width() as usize + x as usize];
                let mut page = window.averaged(sample);
                match window.area().and_then(|area| page.remove_paper(area)) {
                    Some(Scan::Text) => dither::bits_of_scan(&page),
                    Some(Scan::WithPictures) | None => dither::bits(&page, tone),
                }
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

    /// Renders a region of a piece that begins `from` inches below the picture's top.
    pub(super) fn original(&self, placement: &Placement, from: f64, region: &Region) -> Rgb {
        let window = Window::of_region(self, placement, from, region);
        let page = match &self.pels {
            Pels::Gray(gray) => window.averaged(|x, y| gray.pels()[y as usize * gray.width() as usize + x as usize]),
            Pels::Bits(bits) => window.averaged(|x, y| if bits.is_black(x, y) { 0 } else { u8::MAX }),
        };
        let pixels = page.pels().iter().map(|pel| [*pel; 3]).collect();
        Rgb { width: page.width(), height: page.height(), pixels }
    }

    /// Returns whether the pels are exactly those of a fax of this quality.
    fn is_fax_page(&self, quality: Quality) -> bool {
        let (width, _) = self.size();
        let (x, y) = self.fax_dots_per_inch().or(self.dots_per_inch).unwrap_or((0.0, 0.0));
        width == ROW_PELS
            && (x - f64::from(PELS_PER_INCH)).abs() < 2.0
            && (y - f64::from(quality.rows_an_inch())).abs() < 2.0
    }
}

/// Maps each pel of a page to a part of a picture.
struct Window {
    columns: u32,
    rows: u32,
    turned: bool,
    source: (u32, u32),
    /// The number of source pels per page pel along the source's horizontal axis.
    across: f64,
    /// The number of source pels per page pel along the source's vertical axis.
    down: f64,
    left_pels: f64,
    from_row: f64,
}

impl Window {
    fn new(picture: &Picture, placement: &Placement, piece: (f64, f64), rows: u32, quality: Quality) -> Self {
        let per_inch = (f64::from(PELS_PER_INCH), f64::from(quality.rows_an_inch()));
        let window = Self::scaled(picture, placement, per_inch, (ROW_PELS, rows));
        Self { left_pels: placement.left_pels, from_row: piece.0 * per_inch.1, ..window }
    }

    /// Returns the window of a region of a piece that begins `from` inches below the picture's top.
    fn of_region(picture: &Picture, placement: &Placement, from: f64, region: &Region) -> Self {
        let per_inch = region.per_inch;
        let size = (u32::from(region.width), u32::from(region.height));
        let window = Self::scaled(picture, placement, (per_inch, per_inch), size);
        let left_inches = placement.left_pels / f64::from(PELS_PER_INCH) - region.left;
        Self { left_pels: left_inches * per_inch, from_row: (from + region.top) * per_inch, ..window }
    }

    /// Returns the window at the upper left corner of the picture, with this number of page pels per inch.
    fn scaled(
        picture: &Picture,
        placement: &Placement,
        (page_x, page_y): (f64, f64),
        (columns, rows): (u32, u32),
    ) -> Self {
        let source = picture.size();
        let (width, height) = picture.size_points();
        let dots = |pels: u32, points: f64| f64::from(pels) / (points / 72.0 * placement.scale);
        let (x, y) = (dots(source.0, width), dots(source.1, height));
        let (across, down) = if placement.turned { (x / page_y, y / page_x) } else { (x / page_x, y / page_y) };
        Self { columns, rows, turned: placement.turned, source, across, down, left_pels: 0.0, from_row: 0.0 }
    }

    /// Returns the part of the page that the picture covers.
    fn area(&self) -> Option<Area> {
        let shows = |place: std::ops::Range<u32>| !place.is_empty();
        let (left, right) = ends((0..self.columns).filter(|x| shows(self.column(*x))))?;
        let (top, bottom) = ends((0..self.rows).filter(|y| shows(self.line(*y))))?;
        Some(Area { left, top, right, bottom })
    }

    /// Returns the source columns that a column of the page shows, or the source rows if the picture is turned.
    fn column(&self, x: u32) -> std::ops::Range<u32> {
        let along = f64::from(x) - self.left_pels;
        if self.turned {
            span(along, self.down, self.source.1, true)
        } else {
            span(along, self.across, self.source.0, false)
        }
    }

    /// Returns the source rows that a row of the page shows, or the source columns if the picture is turned.
    fn line(&self, y: u32) -> std::ops::Range<u32> {
        let along = f64::from(y) + self.from_row;
        if self.turned {
            span(along, self.across, self.source.0, false)
        } else {
            span(along, self.down, self.source.1, false)
        }
    }

    /// Renders the page: each pel is the mean of the source pels that it covers. A pel that covers less than one source
    /// pel has the value of that pel.
    fn averaged(&self, sample: impl Fn(u32, u32) -> u8) -> Gray {
        let mut page = Gray::white(self.columns, self.rows);
        let columns: Vec<_> = (0..self.columns).map(|x| self.column(x)).collect();
        for (y, row) in (0..self.rows).zip(page.pels_mut().chunks_exact_mut(self.columns.max(1) as usize)) {
            let lines = self.line(y);
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

/// Returns the first of some places and the place after the last; `None` if there are no places.
fn ends(mut places: impl DoubleEndedIterator<Item = u32>) -> Option<(u32, u32)> {
    let first = places.next()?;
    Some((first, places.next_back().unwrap_or(first) + 1))
}

/// Returns the source pels that the page pel at `along` covers, counted from the far end if `backwards`.
fn span(along: f64, step: f64, length: u32, backwards: bool) -> std::ops::Range<u32> {
    let start = (along * step).floor();
    if !(start >= 0.0 && start < f64::from(length)) {
        return 0..0;
    }
    let start_pel = start as u32;
    let end = (((along + 1.0) * step).floor() as u32).clamp(start_pel + 1, length);
    if backwards { length - end..length - start_pel } else { start_pel..end }
}

/// Computes the luma of a colour (ITU-R BT.601).
pub(super) fn luma(red: u8, green: u8, blue: u8) -> u8 {
    // The weights are in 256ths; adding 128 rounds the result.
    ((u32::from(red) * 77 + u32::from(green) * 150 + u32::from(blue) * 29 + 128) >> 8) as u8
}

/// Returns the grey that results from a grey of this opacity on white paper.
pub(super) fn over_white(gray: u8, alpha: u8) -> u8 {
    let (gray, alpha) = (u32::from(gray), u32::from(alpha));
    ((gray * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}

/// Computes the luma of a colour in four inks (CMYK).
pub(super) fn cmyk_luma([cyan, magenta, yellow, black]: [u8; 4]) -> u8 {
    let light = |ink: u8| ((u32::from(255 - ink) * u32::from(255 - black) + 127) / 255) as u8;
    luma(light(cyan), light(magenta), light(yellow))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gray(width: u32, height: u32, dots_per_inch: Option<(f64, f64)>) -> Picture {
        let pels = (0..width * height).map(|at| if at / width < height / 2 { 0 } else { 255 }).collect();
        Picture {
            pels: Pels::Gray(Gray::from_pels(width, height, pels)),
            dots_per_inch,
            is_fax_file: false,
            losses: Vec::new(),
        }
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
        let page = Picture {
            pels: Pels::Bits(bits.clone()),
            dots_per_inch: Some((204.0, 98.0)),
            is_fax_file: true,
            losses: Vec::new(),
        };
        assert_eq!(on_paper(&page, Quality::Standard), [bits]);
        assert_eq!(on_paper(&page, Quality::Fine)[0].height(), 2_156);
    }

    #[test]
    fn photographs_are_turned_and_scaled_to_fit() {
        let wide = gray(3_000, 2_000, None);
        let pages = on_paper(&wide, Quality::Fine);
        assert_eq!((pages.len(), pages[0].width()), (1, ROW_PELS));
        // The page is turned, so its black upper half is now on the right.
        let middle = pages[0].height() / 2;
        assert!(pages[0].is_black(1_700, middle) && !pages[0].is_black(20, middle));
        let small = on_paper(&gray(100, 50, Some((100.0, 100.0))), Quality::Fine);
        assert_eq!(small[0].height(), 98);
        assert!(!small[0].is_black(100, 10) && small[0].is_black(860, 10) && !small[0].is_black(860, 90));
    }

    #[test]
    fn a_fax_page_without_a_plausible_resolution_keeps_its_paper_size() {
        let said = [None, Some((72.0, 72.0)), Some((1.0, 1.0)), Some((0.0, 0.0)), Some((f64::NAN, 204.0))];
        for (width, rows, inches) in [(ROW_PELS, 1_078, 11.0), (ROW_PELS, 2_156, 11.0), (ROW_PELS, 4_301, 11.0)] {
            for dots_per_inch in said {
                let pels = Pels::Bits(Bitmap::white(width, rows));
                let page = Picture { pels, dots_per_inch, is_fax_file: true, losses: Vec::new() };
                let (across, down) = page.size_points();
                assert!(
                    (across / 72.0 - 8.47).abs() < 0.01 && (down / 72.0 - inches).abs() < 0.01,
                    "{dots_per_inch:?}"
                );
                assert_eq!(on_paper(&page, Quality::Fine)[0].height(), 2_156);
            }
        }
        let page = |dots| Picture { dots_per_inch: Some(dots), ..white(ROW_PELS, 2_000) };
        assert!((page((77.0, 37.0)).size_points().1 / 72.0 - 20.4).abs() < 0.1, "the ratio implies standard");
        assert!((page((200.0, 200.0)).size_points().1 / 72.0 - 10.0).abs() < 0.1, "a plausible resolution is used");
        let wide = white(2_432, 1_600);
        assert!((wide.size_points().0 / 72.0 - 11.9).abs() < 0.1);
    }

    fn white(width: u32, height: u32) -> Picture {
        let pels = Pels::Bits(Bitmap::white(width, height));
        Picture { pels, dots_per_inch: None, is_fax_file: true, losses: Vec::new() }
    }

    #[test]
    fn cmyk_colours_become_equally_dark_greys() {
        assert_eq!(cmyk_luma([0, 0, 0, 255]), 0);
        assert_eq!(cmyk_luma([255, 255, 255, 0]), 0);
        assert_eq!(cmyk_luma([0, 0, 0, 0]), 255);
        assert_eq!(cmyk_luma([0, 0, 0, 51]), 204);
    }
}
