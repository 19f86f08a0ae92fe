//! Creates test pages, which are faxed if a tester provides no document.

use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str};

use crate::model::media::Document;

/// The maximum number of test pages per document.
pub const SAMPLE_PAGES_MAX: u32 = 500;

/// The size of a page, in points: US letter.
const WIDTH_PT: f32 = 612.0;
const HEIGHT_PT: f32 = 792.0;
const MARGIN_PT: f32 = 54.0;
/// The number of steps in the grey scale.
const GREYS: u8 = 8;
/// The widths of the rules, in points; the two thinnest are less than a pel wide.
const RULINGS_PT: [f32; 6] = [0.1, 0.25, 0.5, 1.0, 2.0, 4.0];
const SENTENCE: &str = "Sphinx of black quartz, judge my vow. 0123456789";
/// The font sizes in which the sentence is set, in points.
const SIZES_PT: [f32; 5] = [6.0, 8.0, 10.0, 14.0, 20.0];

/// The error that is returned if the requested number of test pages is 0 or exceeds the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to {SAMPLE_PAGES_MAX} test pages, not {0}")]
pub struct SamplePagesError(u32);

/// Creates a document of test pages.
///
/// # Errors
/// Fails if `pages` is 0 or greater than `SAMPLE_PAGES_MAX`.
pub fn document(pages: u32) -> Result<Document, SamplePagesError> {
    if !(1..=SAMPLE_PAGES_MAX).contains(&pages) {
        return Err(SamplePagesError(pages));
    }
    Ok(Document::unrendered(pages, test_pages(pages).into()))
}

/// Writes a PDF of `pages` numbered test pages, clamped to `1..=SAMPLE_PAGES_MAX`. Each page has text in several sizes,
/// rules, and a grey scale.
#[must_use]
pub fn test_pages(pages: u32) -> Vec<u8> {
    let pages = i32::try_from(pages.clamp(1, SAMPLE_PAGES_MAX)).unwrap_or(1);
    let (catalog, tree, font) = (Ref::new(1), Ref::new(2), Ref::new(3));
    // The objects of the pages follow these three: two per page, beginning with page 1.
    let page_ref = |page: i32| Ref::new(2 + 2 * page);
    let content_ref = |page: i32| Ref::new(3 + 2 * page);
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(tree);
    pdf.pages(tree).kids((1..=pages).map(page_ref)).count(pages);
    pdf.type1_font(font).base_font(Name(b"Helvetica"));
    for number in 1..=pages {
        let mut page = pdf.page(page_ref(number));
        page.media_box(Rect::new(0.0, 0.0, WIDTH_PT, HEIGHT_PT)).parent(tree).contents(content_ref(number));
        page.resources().fonts().pair(Name(b"F1"), font);
        page.finish();
        pdf.stream(content_ref(number), &content(number, pages));
    }
    pdf.finish()
}

/// Returns the content stream of one page.
fn content(number: i32, pages: i32) -> Vec<u8> {
    let mut content = Content::new();
    let mut y = HEIGHT_PT - MARGIN_PT - 30.0;
    write(&mut content, 30.0, y, "fauxfax test page");
    y -= 28.0;
    write(&mut content, 18.0, y, &format!("Page {number} of {pages}"));
    y -= 20.0;
    for size_pt in SIZES_PT {
        y -= size_pt * 1.8;
        write(&mut content, size_pt, y, SENTENCE);
    }
    y -= 20.0;
    for width_pt in RULINGS_PT {
        y -= 14.0;
        content.set_line_width(width_pt).move_to(MARGIN_PT, y).line_to(WIDTH_PT - MARGIN_PT, y).stroke();
    }
    y -= 60.0;
    let step_pt = (WIDTH_PT - 2.0 * MARGIN_PT) / f32::from(GREYS);
    for grey in 0..GREYS {
        let left = MARGIN_PT + step_pt * f32::from(grey);
        content.set_fill_gray(f32::from(grey) / f32::from(GREYS - 1)).rect(left, y, step_pt, 40.0).fill_nonzero();
    }
    content.set_fill_gray(0.0).set_line_width(1.0);
    let frame = (WIDTH_PT - 2.0 * MARGIN_PT, HEIGHT_PT - 2.0 * MARGIN_PT);
    content.rect(MARGIN_PT, MARGIN_PT, frame.0, frame.1).stroke();
    content.finish().to_vec()
}

/// Adds a line of text at the left margin, with its baseline at `y`.
fn write(content: &mut Content, size_pt: f32, y: f32, text: &str) {
    content.begin_text().set_font(Name(b"F1"), size_pt).next_line(MARGIN_PT + 12.0, y);
    content.show(Str(text.as_bytes())).end_text();
}
