//! Draws PDF pages at the resolution of a fax: as bits and flat greys if possible (`ink`), and otherwise
//! as greys with hayro.
//!
//! hayro widens thin lines to one pel, but only as measured along the finer of the two axes. So pages are always drawn
//! on a square grid, which is up to twice as fine as the fax in one direction, and then halved without losing a line
//! (`reduce.rs`). Edges are not smoothed, so every grey in the result is a grey of the page.

use std::sync::Arc;

use hayro::hayro_interpret::{InterpreterSettings, InterpreterWarning};
use hayro::hayro_syntax::page::Page;
use hayro::hayro_syntax::{DecryptionError, LoadPdfError, Pdf};
use hayro::kurbo::Affine;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::vello_cpu::{Pixmap, RasterizerSettings, RenderContext, Resources, TargetInit};
use hayro::{RenderCache, RenderSettings, render_into};

use super::fit::{self, Placement};
use super::fonts::Fonts;
use super::gray::{Area, Gray};
use super::ink::{Collected, Outcome, PageDrawer, View};
use super::loss::Losses;
use super::marks::Marks;
use super::mend::prepare::{prepared, with_a_root};
use super::original::{Region, Rgb};
use super::patch::Patch;
use super::reduce;
use super::tones::Tones;
use crate::model::fax::Quality;
use crate::model::media::UnreadableDocument;
use crate::model::page::{PELS_PER_INCH, ROW_PELS};

/// The coverage, in parts of 255, above which a pel is painted: less than half, so that the thin strokes of letters
/// survive.
const COVERAGE: u8 = 100;

/// The loss that is noted for a page that is too complex to be drawn completely.
const TOO_MUCH: &str = "a part of the page is missing: it is too complex to be drawn";

/// Opens a PDF, repairing it if necessary. A PDF that is encrypted with an empty password can be opened too.
pub(super) fn open(bytes: &Arc<[u8]>) -> Result<Pdf, UnreadableDocument> {
    let bytes = prepared(bytes).map_or_else(|| Arc::clone(bytes), Arc::from);
    let parsed = Pdf::new(Arc::new(Shared(Arc::clone(&bytes)))).or_else(|error| match error {
        // A file without a readable trailer may still contain pages; for a decryption error, a retry would only fail
        // again.
        LoadPdfError::Invalid => Pdf::new(Arc::new(with_a_root(&bytes))),
        LoadPdfError::Decryption(_) => Err(error),
    });
    parsed.map_err(|error| unreadable(&error))
}

/// Opens a PDF that this program wrote, which needs no repair.
pub(super) fn open_written(bytes: Vec<u8>) -> Result<Pdf, UnreadableDocument> {
    Pdf::new(Arc::new(bytes)).map_err(|error| unreadable(&error))
}

/// Describes why a PDF can't be opened, for users.
fn unreadable(error: &LoadPdfError) -> UnreadableDocument {
    let reason = match error {
        LoadPdfError::Decryption(DecryptionError::PasswordProtected) => {
            "the PDF is protected by a password; send a PDF without a password"
        }
        LoadPdfError::Decryption(_) => "the PDF is encrypted in a way that can't be read",
        LoadPdfError::Invalid => "the PDF is damaged: no pages can be found in it",
    };
    UnreadableDocument { reason: reason.to_owned() }
}

/// Shared bytes in the form that hayro accepts, so that a large file isn't copied.
struct Shared(Arc<[u8]>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Draws the pages of one PDF, one after the other.
pub(super) struct Renderer<'a> {
    pages: &'a [Page<'a>],
    cache: RenderCache<'a>,
    interpreter: InterpreterSettings,
    settings: RenderSettings,
    context: RenderContext,
    target: Pixmap,
    drawer: PageDrawer<'a>,
    losses: Losses,
    is_watched: bool,
}

/// A drawn piece of a page.
pub(super) enum Piece {
    /// Bits, with greys only in rows where something grey was painted.
    Tones(Tones),
    /// The piece without its images, and the images as a patch.
    Patched(Tones, Patch),
    /// Greys on the square grid on which they were drawn, and the area of the images if they cover most of the page.
    Greys(Gray, Option<Area>),
}

impl<'a> Renderer<'a> {
    pub(super) fn new(pdf: &'a Pdf, fonts: &Fonts, losses: &Losses) -> Self {
        let (fonts, losses) = (fonts.clone(), losses.clone());
        let noted = losses.clone();
        let interpreter = InterpreterSettings {
            font_resolver: Arc::new(move |query| Some(fonts.resolve(query))),
            warning_sink: Arc::new(move |warning| {
                if let Some(loss) = loss_of(warning) {
                    losses.note(loss);
                }
            }),
            ..InterpreterSettings::default()
        };
        let settings = RenderSettings { aliasing_threshold: Some(COVERAGE), ..RenderSettings::default() };
        Self {
            pages: pdf.pages(),
            cache: RenderCache::new(),
            interpreter,
            settings,
            context: RenderContext::new(1, 1),
            target: Pixmap::new(1, 1),
            drawer: PageDrawer::new(COVERAGE),
            losses: noted,
            is_watched: false,
        }
    }

    /// Notes the marks of the pages that are drawn from now on.
    pub(super) const fn watch(&mut self) {
        self.is_watched = true;
    }

    /// Returns the marks of the piece that was drawn last.
    pub(super) fn take_marks(&mut self) -> Marks {
        self.drawer.take_marks()
    }

    /// Places a page whose units are `unit` points; `None` if it has no area. The resulting scale includes the unit.
    pub(super) fn place(&self, index: usize, unit: f64) -> Option<Placement> {
        let (width, height) = self.size_points(index, unit);
        let mut placement = fit::place(width, height)?;
        placement.scale *= unit;
        Some(placement)
    }

    /// Returns the size of a page whose units are `unit` points.
    pub(super) fn size_points(&self, index: usize, unit: f64) -> (f64, f64) {
        let (width, height) = self.pages.get(index).map_or((0.0, 0.0), Page::render_dimensions);
        (f64::from(width) * unit, f64::from(height) * unit)
    }

    /// Returns the text of the piece that was drawn last.
    pub(super) fn take_text(&mut self) -> Collected {
        self.drawer.take_text()
    }

    /// Returns whether images cover most of the piece that was drawn last.
    pub(super) const fn has_pictures(&self) -> bool {
        self.drawer.image_area().is_some()
    }

    /// Draws one piece of a page; `piece` has its start and its length in inches.
    pub(super) fn draw(&mut self, index: usize, placement: &Placement, piece: (f64, f64), quality: Quality) -> Piece {
        let Some(page) = self.pages.get(index) else { return Piece::Tones(Tones::white(ROW_PELS, 1)) };
        // The grid becomes square by doubling the rows of standard resolution and the columns of superfine resolution.
        let finer_across = if quality == Quality::Superfine { 2 } else { 1 };
        let rows_an_inch = match quality {
            Quality::Standard => Quality::Fine.rows_an_inch(),
            Quality::Fine | Quality::Superfine => quality.rows_an_inch(),
        };
        let rows = match quality {
            Quality::Standard => fit::rows(piece.1, Quality::Standard.rows_an_inch()) * 2,
            Quality::Fine | Quality::Superfine => fit::rows(piece.1, rows_an_inch),
        };
        let width = ROW_PELS * finer_across;
        let per_inch = (f64::from(PELS_PER_INCH * finer_across), f64::from(rows_an_inch));
        let transform = transform(page, placement, piece.0, per_inch);
        let watched = self.is_watched.then_some(per_inch);
        let view = View { size: (width, rows), transform, is_turned: placement.turned, watched };
        let outcome = self.drawer.draw(page, &self.interpreter, view);
        match outcome {
            Outcome::Drawn(drawn) => {
                let tones = halved_tones(drawn.page, quality);
                let images =
                    drawn.images.and_then(|(touched, slivers)| Some((Patch::area(&touched)?, touched, slivers)));
                let Some((area, touched, slivers)) = images else { return Piece::Tones(tones) };
                let mut greys = self.greys(page, area, transform);
                slivers.paint(&mut greys, (area.left, area.top));
                Piece::Patched(tones, Patch { greys: halved(greys, quality), area, touched, quality })
            }
            Outcome::Unable(slivers) => {
                let area = Area { left: 0, top: 0, right: width, bottom: rows };
                let mut greys = self.greys(page, area, transform);
                slivers.paint(&mut greys, (0, 0));
                Piece::Greys(greys, self.drawer.image_area())
            }
            Outcome::Partly(tones) => {
                self.losses.note(TOO_MUCH);
                Piece::Tones(halved_tones(tones, quality))
            }
        }
    }

    /// Draws a region of a piece in colour and with smooth edges; `from` is the start of the piece in inches. The
    /// region is white if the piece demands more than hayro can handle.
    pub(super) fn original(&mut self, index: usize, placement: &Placement, from: f64, region: &Region) -> Rgb {
        let (width, height) = (u32::from(region.width), u32::from(region.height));
        let is_too_much = self.drawer.is_too_much();
        let Some(page) = self.pages.get(index).filter(|_| !is_too_much) else { return Rgb::white(width, height) };
        let place = transform(page, placement, from, (region.per_inch, region.per_inch));
        let place = Affine::translate((-region.left * region.per_inch, -region.top * region.per_inch)) * place;
        self.render(page, (region.width, region.height), place, &RenderSettings::default());
        let pixels = self.target.data_as_u8_slice().as_chunks::<4>().0;
        let pixels = pixels.iter().map(|[red, green, blue, _]| [*red, *green, *blue]).collect();
        Rgb { width, height, pixels }
    }

    /// Draws an area of a page with hayro.
    fn greys(&mut self, page: &'a Page<'a>, area: Area, transform: Affine) -> Gray {
        let (width, height) = (area.right - area.left, area.bottom - area.top);
        // A piece is at most 14.2 inches long, so both numbers fit into 16 bits.
        let size = (u16::try_from(width).unwrap_or(u16::MAX), u16::try_from(height).unwrap_or(u16::MAX));
        let transform = Affine::translate((-f64::from(area.left), -f64::from(area.top))) * transform;
        let settings = self.settings;
        self.render(page, size, transform, &settings);
        Gray::from_pels(width, height, luma(self.target.data_as_u8_slice()))
    }

    /// Renders a page with hayro to `target`, on white paper.
    fn render(&mut self, page: &'a Page<'a>, size: (u16, u16), transform: Affine, settings: &RenderSettings) {
        self.context.reset_and_resize(size.0, size.1);
        self.target.resize(size.0, size.1);
        render_into(page, &self.cache, &self.interpreter, settings, &mut self.context, transform);
        self.context.flush();
        let rasterizer = RasterizerSettings { target_init: TargetInit::Clear(WHITE), ..RasterizerSettings::default() };
        self.context.render_with(&mut self.target, &mut Resources::default(), rasterizer);
    }
}

/// Reduces a page of bits and greys from the square grid to the fax's grid.
pub(super) fn halved_tones(drawn: Tones, quality: Quality) -> Tones {
    match quality {
        Quality::Standard => reduce::halve_rows_of_tones(&drawn),
        Quality::Fine => drawn,
        Quality::Superfine => reduce::halve_columns_of_tones(&drawn),
    }
}

/// Reduces a page in greys from the square grid to the fax's grid.
pub(super) fn halved(drawn: Gray, quality: Quality) -> Gray {
    match quality {
        Quality::Standard => reduce::halve_rows(&drawn),
        Quality::Fine => drawn,
        Quality::Superfine => reduce::halve_columns(&drawn),
    }
}

/// Returns the transform from the page's points to the pels of the piece that begins `from` inches below the page's
/// top. `per_inch` is the number of pels per inch, across and down.
fn transform(page: &Page<'_>, placement: &Placement, from: f64, (across, down): (f64, f64)) -> Affine {
    let turn = if placement.turned {
        // The right edge of a landscape page becomes the bottom: (x, y) → (height − y, x).
        let (_, height) = page.render_dimensions();
        Affine::new([0.0, 1.0, -1.0, 0.0, f64::from(height), 0.0])
    } else {
        Affine::IDENTITY
    };
    let left = placement.left_pels * across / f64::from(PELS_PER_INCH);
    Affine::translate((left, -from * down))
        * Affine::scale_non_uniform(across * placement.scale / 72.0, down * placement.scale / 72.0)
        * turn
        * Affine::new(coefficients(page))
}

/// Returns the coefficients of the transform that turns the page upright and puts the origin at its top left corner.
fn coefficients(page: &Page<'_>) -> [f64; 6] {
    use hayro::hayro_interpret::TransformExt;
    page.initial_transform(true).to_kurbo().as_coeffs()
}

/// Computes the luma of opaque RGBA pixels (ITU-R BT.601). Runs of white pixels, which are most of a page, are skipped.
fn luma(pixels: &[u8]) -> Vec<u8> {
    // The number of pixels per run. In white pixels, all bits are set, so a bitwise AND shows whether a run is white.
    const RUN: usize = 32;
    let pixels = pixels.as_chunks().0;
    let mut gray = vec![u8::MAX; pixels.len()];
    for (run, gray) in pixels.chunks(RUN).zip(gray.chunks_mut(RUN)) {
        if run.iter().fold(u32::MAX, |all, pixel| all & u32::from_le_bytes(*pixel)) == u32::MAX {
            continue;
        }
        for (pixel, gray) in run.iter().zip(gray) {
            // The pixel is treated as one number, so that the compiler can vectorise the loop.
            let pixel = u32::from_le_bytes(*pixel);
            let [red, green, blue] = [0, 8, 16].map(|place| pixel >> place & 0xff);
            *gray = ((red * 77 + green * 150 + blue * 29 + 128) >> 8) as u8;
        }
    }
    gray
}

/// Returns the loss to be noted for a warning of the interpreter, if any.
fn loss_of(warning: InterpreterWarning) -> Option<&'static str> {
    match warning {
        InterpreterWarning::UnsupportedFont => Some("text is missing: its font can't be read"),
        InterpreterWarning::ImageDecodeFailure => Some("an image is missing: it can't be decoded"),
        // An unticked checkbox has no appearance; `mend` reports the appearances that are actually missing.
        InterpreterWarning::UnresolvedAnnotationAppearance => None,
        _ => Some("something on the page can't be drawn"),
    }
}

#[cfg(test)]
mod tests;
