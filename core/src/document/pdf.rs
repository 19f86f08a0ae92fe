//! Writes fax pages as a PDF. Each page shows one image, whose data is the coded page itself.

use std::ops::Range;

use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, TextStr};

use crate::model::page::{FaxPage, PELS_PER_INCH};

/// Points per inch (PDF's default user space).
const POINTS_PER_INCH: f32 = 72.0;
/// The number of the first page's first object; the catalog, the page tree and the document information precede it.
const FIRST_PAGE: i32 = 4;
/// The objects of a page are the page itself, its image, and its content stream.
const OBJECTS_PER_PAGE: i32 = 3;

/// The bytes that pdf-writer writes after a stream's data to end its object.
const AFTER_DATA: &[u8] = b"\nendstream\nendobj\n\n";

/// Returns the file, and the range of each page's coded bytes in it. The same pages always yield the same file.
#[must_use]
pub(super) fn file(pages: &[FaxPage]) -> (Vec<u8>, Vec<Range<usize>>) {
    let mut places = Vec::with_capacity(pages.len());
    let (catalog, tree, information) = (Ref::new(1), Ref::new(2), Ref::new(3));
    let count = i32::try_from(pages.len()).unwrap_or(i32::MAX);
    let references = |number: i32| {
        let first = FIRST_PAGE + number * OBJECTS_PER_PAGE;
        (Ref::new(first), Ref::new(first + 1), Ref::new(first + 2))
    };
    // About 700 bytes of objects surround the data of each page.
    let mut pdf = Pdf::with_capacity(pages.iter().map(|page| page.mmr.len() + 700).sum::<usize>() + 1_024);
    pdf.catalog(catalog).pages(tree);
    pdf.document_info(information).producer(TextStr("fauxfax"));
    pdf.pages(tree).count(count).kids((0..count).map(|number| references(number).0));
    for (number, page) in (0..count).zip(pages) {
        let end = write_page(&mut pdf, page, tree, references(number));
        places.push(end - page.mmr.len()..end);
    }
    (pdf.finish(), places)
}

/// Writes one page and returns the offset at which the data of its image ends.
fn write_page(pdf: &mut Pdf, page: &FaxPage, tree: Ref, (leaf, image, content): (Ref, Ref, Ref)) -> usize {
    let width = page.width as f32 * POINTS_PER_INCH / PELS_PER_INCH as f32;
    let height = page.height as f32 * POINTS_PER_INCH / page.quality.rows_an_inch() as f32;
    let mut dictionary = pdf.page(leaf);
    dictionary.media_box(Rect::new(0.0, 0.0, width, height)).parent(tree).contents(content);
    dictionary.resources().x_objects().pair(Name(b"Fax"), image);
    dictionary.finish();
    let (columns, rows) = (i32::try_from(page.width).unwrap_or(0), i32::try_from(page.height).unwrap_or(0));
    let mut object = pdf.image_xobject(image, &page.mmr);
    object.filter(Filter::CcittFaxDecode);
    object.width(columns).height(rows).bits_per_component(1);
    object.color_space().device_gray();
    // K = -1 means T.6. Black pels must become zeros, because 0 is black in DeviceGray.
    object.decode_parms().k(-1).columns(columns).rows(rows).black_is_1(false);
    object.finish();
    let end = pdf.len() - AFTER_DATA.len();
    let mut drawing = Content::new();
    drawing.save_state().transform([width, 0.0, 0.0, height, 0.0, 0.0]).x_object(Name(b"Fax")).restore_state();
    pdf.stream(content, &drawing.finish());
    end
}
