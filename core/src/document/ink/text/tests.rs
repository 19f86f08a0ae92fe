//! Tests how the text of pages is read, with PDFs that these tests build themselves.

use std::ops::ControlFlow;
use std::sync::Arc;

use pdf_writer::types::UnicodeCmap;
use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str};

use crate::document::{Options, pages};
use crate::model::page::{DOCUMENT_TEXT_BYTES_MAX, PAGE_TEXT_BYTES_MAX, PageText};

/// The characters of a single glyph, so that few glyphs make a long text.
const LONG: &str = "Sphinx of black quartz, judge.";

/// Builds a PDF with one page for each content stream. The font `H` is Helvetica; `U` is Helvetica whose ToUnicode map
/// says that `a` is Ж, `b` is "ffi", `c` is a control character and `l` is `LONG`; `N` is a composite font that names
/// no characters; `T` is a Type 3 font whose letter `a` is a square; `I` is an image.
fn pdf(contents: &[&str], size: (f32, f32), rotate: i32) -> Vec<u8> {
    let [catalog, tree, h, u, map, n, inner, t, letter, image] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(Ref::new);
    let page = |index: usize| Ref::new(11 + 2 * i32::try_from(index).unwrap());
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(tree);
    pdf.pages(tree).kids((0..contents.len()).map(page)).count(i32::try_from(contents.len()).unwrap());
    pdf.type1_font(h).base_font(Name(b"Helvetica"));
    pdf.type1_font(u).base_font(Name(b"Helvetica")).to_unicode(map);
    let info = pdf_writer::types::SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"UCS"), supplement: 0 };
    let mut cmap = UnicodeCmap::<u8>::new(Name(b"Custom"), info);
    cmap.pair(b'a', 'Ж');
    cmap.pair_with_multiple(b'b', "ffi".chars());
    cmap.pair(b'c', '\u{1}');
    cmap.pair_with_multiple(b'l', LONG.chars());
    pdf.stream(map, &cmap.finish());
    let identity = pdf_writer::types::SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };
    pdf.type0_font(n).base_font(Name(b"Nowhere")).encoding_predefined(Name(b"Identity-H")).descendant_font(inner);
    pdf.cid_font(inner)
        .subtype(pdf_writer::types::CidFontType::Type2)
        .base_font(Name(b"Nowhere"))
        .system_info(identity)
        .default_width(600.0);
    let mut type3 = pdf.type3_font(t);
    type3.bbox(Rect::new(0.0, 0.0, 1_000.0, 1_000.0)).matrix([0.001, 0.0, 0.0, 0.001, 0.0, 0.0]);
    type3.first_char(97).last_char(97).widths([600.0]);
    type3.encoding_custom().differences().consecutive(97, [Name(b"a")]);
    type3.char_procs().pair(Name(b"a"), letter);
    type3.resources().fonts().pair(Name(b"H"), h);
    type3.finish();
    pdf.stream(letter, b"600 0 0 0 500 500 d1 0 0 500 500 re f BT /H 300 Tf (hidden in the letter) Tj ET");
    pdf.image_xobject(image, &[0]).width(1).height(1).bits_per_component(8).color_space().device_gray();
    for (index, content) in contents.iter().enumerate() {
        let (leaf, stream) = (page(index), Ref::new(page(index).get() + 1));
        let mut page = pdf.page(leaf);
        page.media_box(Rect::new(0.0, 0.0, size.0, size.1)).rotate(rotate).parent(tree).contents(stream);
        let mut resources = page.resources();
        resources.fonts().pair(Name(b"H"), h).pair(Name(b"U"), u).pair(Name(b"N"), n).pair(Name(b"T"), t);
        resources.x_objects().pair(Name(b"I"), image);
        resources.finish();
        page.finish();
        pdf.stream(stream, content.as_bytes());
    }
    pdf.finish()
}

fn texts_of(bytes: Vec<u8>) -> Vec<Option<PageText>> {
    let mut texts = Vec::new();
    pages(&Arc::from(bytes), &Options::default(), |page| {
        texts.push(page.text);
        ControlFlow::Continue(())
    })
    .expect("a document");
    texts
}

/// Returns the text of a letter-size page with this content; `None` if the text is unknown.
fn text(content: &str) -> Option<String> {
    let texts = texts_of(pdf(&[content], (612.0, 792.0), 0));
    texts.into_iter().next().expect("a page").map(|text| text.content.to_string())
}

fn is(content: &str, wanted: &str) {
    assert_eq!(text(content).as_deref(), Some(wanted), "{content}");
}

#[test]
fn lines_are_read_from_top_to_bottom_in_whatever_order_they_are_drawn() {
    let lower = "BT /H 12 Tf 72 600 Td (Yours, Jane Doe) Tj ET";
    let upper = "BT /H 12 Tf 72 700 Td (Dear Dr. Roe,) Tj ET";
    is(&format!("{lower} {upper}"), "Dear Dr. Roe,\nYours, Jane Doe");
    is("BT /H 12 Tf 14 TL 72 700 Td (one) Tj T* (two) Tj T* (three) Tj ET", "one\ntwo\nthree");
}

#[test]
fn kerning_makes_no_space_and_a_wide_gap_makes_one() {
    is("BT /H 12 Tf 72 700 Td [(W) 80 (A) 70 (V) -30 (E) -300 (goes) -250 (b) 20 (y)] TJ ET", "WAVE goes by");
    is("BT /H 12 Tf 72 700 Td (  Jane ) Tj ( Doe  ) Tj ET", "Jane Doe");
    // Columns, drawn from right to left, and a raised number.
    is(
        "BT /H 12 Tf 300 700 Td (Doe) Tj -228 0 Td (Name:) Tj 80 0 Td (Jane) Tj /H 8 Tf 3 Ts (2) Tj ET",
        "Name: Jane2 Doe",
    );
    // A word in two fonts, as programs write it when a part is bold.
    is("BT /H 12 Tf 72 700 Td (Ja) Tj /U 12 Tf (ne) Tj ET", "Jane");
}

#[test]
fn letters_that_are_drawn_twice_count_once() {
    let bold = "BT /H 12 Tf 72 700 Td (Jane Doe) Tj 0.3 0 Td (Jane Doe) Tj ET";
    is(bold, "Jane Doe");
    is("BT /H 12 Tf 72 700 Td 2 Tr (Jane Doe) Tj ET", "Jane Doe");
    is("BT /H 12 Tf 72 700 Td (b) Tj ET BT /H 12 Tf 72.3 700 Td (b) Tj ET", "b");
    is("BT /H 12 Tf 72 700 Td (little bookkeeper) Tj ET", "little bookkeeper");
}

#[test]
fn a_page_is_read_upright_however_it_is_rotated_or_faxed() {
    // After the rotation, the left edge of the page is at the top.
    let content = "BT /H 12 Tf 0 1 -1 0 200 72 Tm (first line) Tj 0 -20 Td (second line) Tj ET";
    let rotated = texts_of(pdf(&[content], (612.0, 792.0), 90));
    assert_eq!(&*rotated[0].as_ref().expect("a text").content, "first line\nsecond line");
    // Landscape pages are turned to fit the paper of a fax.
    let upright = "BT /H 12 Tf 20 TL 72 500 Td (first line) Tj T* (second line) Tj ET";
    let side = "BT /H 12 Tf 0 1 -1 0 760 72 Tm (in the margin) Tj ET";
    let landscape = texts_of(pdf(&[&format!("{side} {upright}")], (792.0, 612.0), 0));
    assert_eq!(&*landscape[0].as_ref().expect("a text").content, "first line\nsecond line\nin the margin");
    is(
        &format!("{upright} BT /H 60 Tf .7071 .7071 -.7071 .7071 150 150 Tm (COPY) Tj ET"),
        "first line\nsecond line\nCOPY",
    );
}

#[test]
fn a_map_to_unicode_is_followed_and_control_characters_are_unknown() {
    is("BT /U 12 Tf 72 700 Td (abc d) Tj ET", "Жffi\u{fffd} d");
}

#[test]
fn the_text_of_a_picture_is_unknown_and_that_of_a_blank_page_is_empty() {
    assert_eq!(text("q 500 0 0 500 50 50 cm /I Do Q"), None);
    assert_eq!(text("100 100 200 2 re f"), None, "the shapes may be letters");
    is("", "");
    is("q 500 0 0 500 50 50 cm /I Do Q BT /H 12 Tf 72 700 Td (a stamp) Tj ET", "a stamp");
}

#[test]
fn recognised_text_that_is_invisible_on_a_scan_counts() {
    is("q 500 0 0 500 50 50 cm /I Do Q BT 3 Tr /H 12 Tf 72 700 Td (Jane Doe) Tj ET", "Jane Doe");
}

#[test]
fn the_text_of_a_page_whose_glyphs_mostly_name_no_characters_is_unknown() {
    assert_eq!(text("BT /N 12 Tf 72 700 Td <00010002000300040005> Tj ET"), None);
    assert_eq!(text("BT /N 12 Tf 72 700 Td <000100020003> Tj ET BT /H 12 Tf 72 650 Td (ab) Tj ET"), None);
    is("BT /N 12 Tf 72 700 Td <00010002> Tj ET BT /H 12 Tf 72 650 Td (Jane Doe) Tj ET", "\u{fffd}\u{fffd}\nJane Doe");
}

#[test]
fn a_type_3_letter_counts_as_its_character_and_not_as_what_it_draws() {
    is("BT /T 12 Tf 72 700 Td [(aa) -600 (a)] TJ ET", "aa a");
}

#[test]
fn text_outside_the_page_does_not_count_and_each_piece_of_a_long_page_has_its_own() {
    is("BT /H 12 Tf 72 700 Td (inside) Tj 0 200 Td (above) Tj 900 -200 Td (beside) Tj ET", "inside");
    let long = "BT /H 12 Tf 72 2300 Td (top) Tj 0 -1100 Td (middle) Tj 0 -1100 Td (end) Tj ET";
    let texts = texts_of(pdf(&[long], (612.0, 2_400.0), 0));
    let texts: Vec<&str> = texts.iter().flatten().map(|text| &*text.content).collect();
    assert_eq!(texts, ["top", "middle", "end"]);
}

#[test]
fn the_text_of_a_page_and_of_a_document_is_limited() {
    let line = "l".repeat(60);
    let lines = |count: usize| {
        let mut content = Content::new();
        content.begin_text().set_font(Name(b"U"), 1.0).set_leading(1.0).next_line(20.0, 780.0);
        (0..count).for_each(|_| {
            content.show(Str(line.as_bytes())).next_line_using_leading();
        });
        content.end_text();
        String::from_utf8(content.finish().to_vec()).unwrap()
    };
    let texts = texts_of(pdf(&[&lines(5), &lines(10), &lines(100)], (612.0, 792.0), 0));
    let sizes: Vec<(usize, bool)> = texts.iter().flatten().map(|text| (text.content.len(), text.is_cut)).collect();
    let whole = LONG.len() * 60 * 5 + 4;
    assert_eq!(sizes, [(whole, false), (PAGE_TEXT_BYTES_MAX, true), (PAGE_TEXT_BYTES_MAX, true)]);

    let full = lines(10);
    let count = DOCUMENT_TEXT_BYTES_MAX / PAGE_TEXT_BYTES_MAX + 2;
    let texts = texts_of(pdf(&vec![full.as_str(); count], (612.0, 792.0), 0));
    let total: usize = texts.iter().flatten().map(|text| text.content.len()).sum();
    assert_eq!(total, DOCUMENT_TEXT_BYTES_MAX);
    let last = texts.last().expect("pages").as_ref().expect("a text that is known to be cut");
    assert_eq!((&*last.content, last.is_cut), ("", true));
}
