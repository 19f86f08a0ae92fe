//! Converts documents of all supported kinds to fax pages, one page at a time.

use std::ops::ControlFlow;
use std::sync::Arc;

use hayro::hayro_syntax::Pdf;

use super::bitmap::Bitmap;
use super::ccitt::{self, Stored};
use super::dither::{self, Tone};
use super::fit::{self, Placement};
use super::fonts::Fonts;
use super::gray::{Area, Gray, Scan};
use super::images;
use super::ink::Collected;
use super::loss::Losses;
use super::marks::Marks;
use super::mend::faxes::FaxImage;
use super::mend::{self, Mended, PageNotes};
use super::original::{Region, Rgb};
use super::page::{self, Counting};
use super::picture::{Pels, Picture};
use super::render::{self, Piece, Renderer};
use super::tiff_pages::Pages;
use super::tones::Tones;
use crate::model::fax::Quality;
use crate::model::media::UnreadableDocument;
use crate::model::page::{DOCUMENT_TEXT_BYTES_MAX, FaxPage, PELS_PER_INCH, PageLoss, PageText, ROW_PELS};

use super::kind::{Kind, kind};
pub use crate::model::page::PAGES_MAX;

/// A document's kind and length, found without rendering it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// The kind of file, detected from its content.
    pub kind: Kind,
    /// The number of pages in the document, from 1 to `PAGES_MAX`.
    pub pages: u32,
}

/// The options for converting a document to fax pages.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The vertical resolution; fine if `None`.
    pub quality: Option<Quality>,
    /// The way in which greys are rendered.
    pub tone: Tone,
    /// The codings for which the size of each page is computed, in bits.
    pub counting: Counting,
    /// The fonts for PDFs that don't embed their own.
    pub fonts: Fonts,
}

impl Options {
    fn quality(&self) -> Quality {
        self.quality.unwrap_or(Quality::Fine)
    }
}

/// The result of a conversion, apart from the fax pages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// The number of pages in the document, not in the fax.
    pub document_pages: u32,
    /// The parts of the document that are missing from the fax pages.
    pub losses: Vec<PageLoss>,
}

/// Recognises a document and counts its pages, without rendering any.
///
/// # Errors
/// Fails if the document can't be faxed; the reason can be shown to users.
pub fn probe(bytes: &Arc<[u8]>) -> Result<Probe, UnreadableDocument> {
    let kind = kind(bytes)?;
    match kind {
        Kind::Pdf => counted(kind, count(&render::open(bytes)?)),
        Kind::Tiff => counted(kind, Pages::open(bytes)?.count()),
        Kind::Png | Kind::Jpeg => {
            images::check(bytes, kind)?;
            counted(kind, 1)
        }
    }
}

/// Counts the pages of a PDF, including those in a damaged page tree.
fn count(pdf: &Pdf) -> u32 {
    u32::try_from(mend::count(pdf)).unwrap_or(u32::MAX)
}

/// Returns the probe of a document with this many pages; fails if it has no pages or too many.
fn counted(kind: Kind, pages: u32) -> Result<Probe, UnreadableDocument> {
    match pages {
        0 if kind == Kind::Pdf => {
            Err(UnreadableDocument::new("the PDF is damaged: no pages can be found in it".to_owned()))
        }
        0 => Err(UnreadableDocument::new(format!("the {} has no pages", kind.name()))),
        pages if pages > PAGES_MAX => {
            Err(UnreadableDocument::new(format!("the document has more than {PAGES_MAX} pages")))
        }
        pages => Ok(Probe { kind, pages }),
    }
}

/// Converts a document to fax pages and passes each to `take` as soon as it is ready. If `take` breaks, the conversion
/// stops.
///
/// # Errors
/// Fails if the document is unreadable or has too many pages, or if none of its pages can be faxed; the reason can be
/// shown to users.
pub fn pages(
    bytes: &Arc<[u8]>,
    options: &Options,
    mut take: impl FnMut(FaxPage) -> ControlFlow<()>,
) -> Result<Summary, UnreadableDocument> {
    converted(bytes, options, Watching::Off, |page, _| take(page))
}

/// Whether the marks that pages draw are recorded (see `marks.rs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Watching {
    Off,
    On,
}

/// The pels of a fax page, and what they were made from.
pub(super) struct Source<'a> {
    /// The page of the document, counted from 1.
    pub(super) page: u32,
    /// The size of that page in points.
    pub(super) size_points: (f64, f64),
    /// The factor by which that page is scaled down.
    pub(super) scale: f64,
    pub(super) placement: &'a Placement,
    /// The start of the piece that the fax page shows, in inches from the top of the page on fax paper.
    pub(super) from: f64,
    /// The pels of the fax page.
    pub(super) bits: &'a Bitmap,
    /// What was drawn on the page; `None` for a picture, and if marks aren't recorded.
    pub(super) marks: Option<Marks>,
    /// Draws a region of the page as it looks before it is faxed.
    pub(super) original: &'a mut dyn FnMut(&Region) -> Rgb,
}

/// Converts a document like [`pages`], and passes each fax page along with what it was made from.
///
/// # Errors
/// Fails if the document is unreadable or has too many pages, or if none of its pages can be faxed; the reason can be
/// shown to users.
pub(super) fn converted(
    bytes: &Arc<[u8]>,
    options: &Options,
    watching: Watching,
    mut take: impl FnMut(FaxPage, &mut Source<'_>) -> ControlFlow<()>,
) -> Result<Summary, UnreadableDocument> {
    let losses = Losses::default();
    let text_bytes_left = DOCUMENT_TEXT_BYTES_MAX;
    let mut sink = Sink { options, losses: &losses, watching, made: 0, text_bytes_left, take: &mut take };
    let probe = if kind(bytes)? == Kind::Pdf {
        // The PDF is opened only once, because parsing a file of many megabytes takes time.
        let pdf = render::open(bytes)?;
        let probe = counted(Kind::Pdf, count(&pdf))?;
        of_pdf(&pdf, &mut sink)?;
        probe
    } else {
        let probe = probe(bytes)?;
        if probe.kind == Kind::Tiff {
            of_tiff(bytes, &mut sink)?;
        } else {
            // A break means that the caller wants no more pages, but no page follows this one in the document.
            let _ = sink.picture(1, &images::read(bytes, probe.kind)?);
        }
        probe
    };
    if sink.made == 0 {
        return Err(UnreadableDocument::new("every page of the document has an area of zero".to_owned()));
    }
    Ok(Summary { document_pages: probe.pages, losses: losses.take() })
}

/// Converts a PDF. If mending has rewritten it, the pages are rendered from the rewritten file.
fn of_pdf(pdf: &Pdf, sink: &mut Sink<'_>) -> Result<(), UnreadableDocument> {
    let mut mended = mend::mended(pdf, &sink.options.fonts);
    mended.losses.iter().for_each(|loss| sink.losses.note_of_document(loss.as_str()));
    let written = mended.bytes.take().map(render::open_written).transpose()?;
    of_pages(written.as_ref().unwrap_or(pdf), &mended, sink);
    Ok(())
}

fn of_pages(pdf: &Pdf, mended: &Mended, sink: &mut Sink<'_>) {
    let mut renderer = Renderer::new(pdf, &sink.options.fonts, sink.losses);
    if sink.watching == Watching::On {
        renderer.watch();
    }
    for (index, page) in mended.pages.iter().enumerate() {
        sink.losses.begin_page(u32::try_from(index + 1).unwrap_or(u32::MAX));
        page.losses.iter().for_each(|loss| sink.losses.note(loss.as_str()));
        if of_page(&mut renderer, index, page, sink).is_break() {
            return;
        }
    }
}

fn of_page(renderer: &mut Renderer<'_>, index: usize, page: &PageNotes, sink: &mut Sink<'_>) -> ControlFlow<()> {
    let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
    // A page that consists of one fax image is decoded instead of rendered, so that every pel is kept.
    if let Some(picture) = page.fax.as_ref().and_then(fax_page) {
        return sink.picture(number, &picture);
    }
    let quality = sink.options.quality();
    let Some(placement) = renderer.place(index, page.unit) else {
        sink.losses.note("the page is left out: it has no area");
        return ControlFlow::Continue(());
    };
    let mut is_white = true;
    for piece in &placement.pieces {
        let bits = match renderer.draw(index, &placement, *piece, quality) {
            Piece::Tones(tones) => dither::bits_of_tones(tones, sink.options.tone),
            Piece::Patched(tones, patch) => {
                let mut bits = dither::bits_of_tones(tones, sink.options.tone);
                patch.lay_on(&mut bits, sink.options.tone);
                bits
            }
            Piece::Greys(greys, image) => drawn(greys, image, quality, sink.options.tone),
        };
        let is_piece_white = bits.rows().flatten().all(|word| *word == 0);
        is_white &= is_piece_white;
        let text = match renderer.take_text() {
            Collected::Text(text, is_cut) => {
                Some(PageText { has_pictures: renderer.has_pictures(), ..sink.text(&text, is_cut) })
            }
            // A blank page has empty text. Any other page without text is a picture, whose text isn't known.
            Collected::Nothing if is_piece_white && !page.paints => Some(sink.text("", false)),
            Collected::Nothing | Collected::Unknown => None,
        };
        let marks = (sink.watching == Watching::On).then(|| renderer.take_marks());
        sink.page(
            text,
            &mut Source {
                page: number,
                size_points: renderer.size_points(index, page.unit),
                scale: placement.scale / page.unit,
                placement: &placement,
                from: piece.0,
                bits: &bits,
                marks,
                original: &mut |region| renderer.original(index, &placement, piece.0, region),
            },
        )?;
    }
    // A loss that has already been noted explains why the page is white.
    if is_white && page.paints && !sink.losses.has_any_on_page() {
        sink.losses.note("the page is blank, although the PDF draws something on it");
    }
    sink.note_cut(placement.cut);
    ControlFlow::Continue(())
}

/// Decodes a page that consists of a fax image; `None` if the coding is damaged, in which case the page is rendered.
fn fax_page(fax: &FaxImage) -> Option<Picture> {
    let decoded = ccitt::decode(&fax.mmr, Stored::Mmr, ROW_PELS, fax.height);
    let dots_per_inch = Some((f64::from(PELS_PER_INCH), fax.rows_an_inch));
    decoded.is_whole().then(|| Picture {
        pels: Pels::Bits(decoded.image),
        dots_per_inch,
        is_fax_file: true,
        losses: Vec::new(),
    })
}

/// Converts the readable pages of a TIFF; fails if it can't be opened or no page is readable.
fn of_tiff(bytes: &Arc<[u8]>, sink: &mut Sink<'_>) -> Result<(), UnreadableDocument> {
    let pages = Pages::open(bytes)?;
    let mut refused = None;
    for (number, index) in (1..).zip(0..pages.count()) {
        match pages.read(index) {
            Ok(picture) => {
                if sink.picture(number, &picture).is_break() {
                    return Ok(());
                }
            }
            // An unreadable page must not prevent the others from being sent.
            Err(fault) => {
                sink.losses.begin_page(number);
                sink.losses.note(format!("the page is left out: {}", fault.reason));
                // If no page is readable, the reason for the first one is reported.
                refused.get_or_insert(fault);
            }
        }
    }
    if let Some(fault) = pages.fault() {
        sink.losses.note_of_document(format!("pages may be missing: {fault}"));
    }
    match refused {
        Some(fault) if sink.made == 0 => Err(fault),
        _ => Ok(()),
    }
}

/// Converts a page that was drawn in greys on a square grid. `image` is the area of the page's images, or `None` if
/// they don't cover most of the page; such a page can't be scanned paper.
fn drawn(mut greys: Gray, image: Option<Area>, quality: Quality, tone: Tone) -> Bitmap {
    if image.and_then(|area| greys.remove_paper(area)) == Some(Scan::Text) {
        let bits = Tones::of_bits(dither::bits_of_scan(&greys));
        return dither::bits_of_tones(render::halved_tones(bits, quality), tone);
    }
    dither::bits(&render::halved(greys, quality), tone)
}

/// A function that takes a fax page, and breaks if the caller wants no more.
type Take<'a> = dyn FnMut(FaxPage, &mut Source<'_>) -> ControlFlow<()> + 'a;

/// Passes fax pages to the caller, counts them, and notes losses.
struct Sink<'a> {
    options: &'a Options,
    losses: &'a Losses,
    watching: Watching,
    made: u32,
    /// The number of bytes of text that the remaining pages may have together.
    text_bytes_left: usize,
    take: &'a mut Take<'a>,
}

impl Sink<'_> {
    /// Converts a picture that is a whole page of the document, and passes its pieces to the caller.
    fn picture(&mut self, number: u32, picture: &Picture) -> ControlFlow<()> {
        self.losses.begin_page(number);
        for loss in &picture.losses {
            self.losses.note(loss.as_str());
        }
        let (width, height) = picture.size_points();
        let Some(placement) = fit::place(width, height) else {
            self.losses.note("the page is left out: it has no area");
            return ControlFlow::Continue(());
        };
        let mut is_white = true;
        for piece in &placement.pieces {
            let image = picture.fitted(&placement, *piece, self.options.quality(), self.options.tone);
            is_white &= (0..image.height()).all(|y| image.is_white_row(y));
            self.page(
                None,
                &mut Source {
                    page: number,
                    size_points: (width, height),
                    scale: placement.scale,
                    placement: &placement,
                    from: piece.0,
                    bits: &image,
                    marks: None,
                    original: &mut |region| picture.original(&placement, piece.0, region),
                },
            )?;
        }
        if is_white && picture.has_ink() {
            self.losses.note("the page is blank, although its image is not");
        }
        self.note_cut(placement.cut);
        ControlFlow::Continue(())
    }

    /// Codes a page and passes it to the caller; breaks if the fax is full or the caller wants no more pages.
    fn page(&mut self, text: Option<PageText>, source: &mut Source<'_>) -> ControlFlow<()> {
        if self.made >= PAGES_MAX {
            self.losses.note(format!("pages are left out: a fax has at most {PAGES_MAX}"));
            return ControlFlow::Break(());
        }
        self.made += 1;
        let coded = page::coded(source.bits, self.options.quality(), self.options.counting);
        (self.take)(FaxPage { text, ..coded }, source)
    }

    /// Returns the text of a page, cut if the document has too much text. `is_cut` says whether it is already cut.
    fn text(&mut self, text: &str, is_cut: bool) -> PageText {
        let mut text = PageText::new(text, self.text_bytes_left);
        text.is_cut |= is_cut;
        self.text_bytes_left -= text.content.len();
        text
    }

    fn note_cut(&self, cut: bool) {
        if cut {
            self.losses.note(format!("the page is cut off: at most {} sheets are sent per page", fit::PIECES_MAX));
        }
    }
}
