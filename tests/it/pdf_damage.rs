//! Tests damaged PDFs: the intact parts are sent, and the missing ones are white and reported.

use fauxfax::document::bitmap::Bitmap;
use fauxfax::document::ccitt;

use crate::pdfs::{deflated, document, file, made, page, stream};

const FONT: &str = "/Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>";
/// The operators that draw the test image. `UPPER` and `LOWER` lie within the two halves of its area.
const PLACE: &str = "q 400 0 0 400 100 300 cm /I Do Q";
const UPPER: [f64; 4] = [110.0, 560.0, 490.0, 690.0];
const LOWER: [f64; 4] = [110.0, 310.0, 490.0, 440.0];

/// Returns content that draws many flat rectangles down the page and compresses badly.
fn squares() -> Vec<u8> {
    let mut content = String::new();
    for number in 0..400_u32 {
        let (x, y) = (number * 7_919 % 500, 760 - number * 19 / 10);
        content.push_str(&format!("{x} {y} {}.{} 1 re f\n", number % 13 + 1, number * 37 % 97));
    }
    content.into_bytes()
}

#[test]
fn a_truncated_content_stream_is_drawn_up_to_its_end_and_reported() {
    let whole = deflated(&squares());
    let all = made(&page("", stream("/Filter /FlateDecode", &whole), &[])).is_whole().black();
    for share in [3, 5, 8] {
        let cut = &whole[..whole.len() * share / 10];
        let made = made(&page("", stream("/Filter /FlateDecode", cut), &[]));
        made.tells(1, "the rest can't be read");
        assert!(made.black() > all / 20 && made.black() < all, "{share}: {} of {all}", made.black());
    }
}

#[test]
fn a_content_stream_with_an_error_is_drawn_up_to_the_error_and_reported() {
    let mut bytes = deflated(&squares());
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0xff);
    let made = made(&page("", stream("/Filter /FlateDecode", &bytes), &[]));
    made.tells(1, "the rest can't be read");
    assert!(made.black() > 1_000);
}

#[test]
fn missing_content_is_reported() {
    let cases = [
        stream("/Filter /FlateDecode", &[0x78, 0x9c, 0xff, 0xff, 0xff, 0xff, 0xff]),
        stream("/Filter /LZWDecode", &[0xff; 20]),
        stream("/Filter /NoSuchFilter", b"0 0 100 100 re f"),
        b"null".to_vec(),
        b"[99 0 R]".to_vec(),
    ];
    for content in cases {
        let made = made(&page("", content.clone(), &[]));
        made.tells(1, "content");
        assert_eq!(made.black(), 0, "{}", String::from_utf8_lossy(&content));
    }
    let dangling = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 77 0 R >>";
    made(&document("", dangling, b"null".to_vec(), &[])).tells(1, "content");
}

#[test]
fn an_empty_page_reports_no_loss() {
    let no_content = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] >>";
    made(&document("", no_content, b"null".to_vec(), &[])).is_whole();
    made(&page("", stream("", b""), &[])).is_whole();
    made(&page("", stream("/Filter /FlateDecode", b""), &[])).is_whole();
    made(&page("", stream("", b"1 g 0 0 612 792 re f"), &[])).is_whole();
}

#[test]
fn text_that_breaks_off_within_a_string_is_reported() {
    made(&page(FONT, stream("", b"BT /F 20 Tf 72 700 Td (A) Tj (breaks off"), &[])).tells(1, "the rest can't be read");
}

#[test]
fn spaces_after_the_stream_keyword_lose_nothing() {
    for spaces in [" ", "  ", "\t", " \t "] {
        for end in ["\n", "\r\n"] {
            let content = b"100 400 100 100 re f";
            let object = format!("<< /Length {} >>\nstream{spaces}{end}", content.len());
            let object = [object.as_bytes(), content, b"\nendstream"].concat();
            let ink = made(&page("", object, &[])).is_whole().ink([110.0, 410.0, 190.0, 490.0]);
            assert!(ink > 0.99, "{spaces:?} {end:?}: {ink}");
        }
    }
}

#[test]
fn what_is_left_of_a_truncated_file_is_sent_and_the_loss_reported() {
    let content = squares();
    let pages = [
        b"<< /Type /Page /Parent 5 0 R /MediaBox [0 0 612 792] /Contents 2 0 R >>".to_vec(),
        stream("", &content),
        b"<< /Type /Page /Parent 5 0 R /MediaBox [0 0 612 792] /Contents 4 0 R >>".to_vec(),
        stream("", &content),
        b"<< /Type /Pages /Kids [1 0 R 3 0 R] /Count 2 >>".to_vec(),
        b"<< /Type /Catalog /Pages 5 0 R >>".to_vec(),
    ];
    let whole = file(&pages);
    let second = whole.windows(7).rposition(|window| window == b"4 0 obj").unwrap_or(0);
    // The file ends right before the content of the second page, then within it.
    for end in [second, second + 4_000] {
        let made = made(&whole[..end]);
        made.tells(0, "list of pages");
        assert_eq!(made.pages.len(), 2);
        assert!(made.black() > 1_000);
    }
}

#[test]
fn missing_forms_and_images_are_reported() {
    let cases =
        [("/XObject << >>", "/I Do"), ("/XObject << /I 9 0 R >>", "/I Do"), ("/XObject << /I 5 0 R >>", "/I Do")];
    for (resources, drawn) in cases {
        let resources = format!("/Resources << {resources} >>");
        let content = format!("0 0 50 50 re f q 100 0 0 100 0 0 cm {drawn} Q");
        let made = made(&page(&resources, stream("", content.as_bytes()), &[b"null".to_vec()]));
        made.tells(1, "an image or a form is missing");
        assert!(made.black() > 1_000);
    }
    let form = stream("/Type /XObject /Subtype /Form /BBox [0 0 9 9]", b"/Inner Do");
    let resources = "/Resources << /XObject << /X 5 0 R >> >>";
    made(&page(resources, stream("", b"/X Do"), &[form])).tells(1, "names Inner");
}

#[test]
fn missing_fonts_patterns_shadings_and_colours_are_reported() {
    for (content, words) in [
        ("BT /F9 20 Tf 72 700 Td (A) Tj ET", "the font F9"),
        ("/Pattern cs /P9 scn 0 0 50 50 re f", "a pattern is missing"),
        ("/S9 sh", "a shading is missing"),
        ("/C9 cs 1 scn 0 0 50 50 re f", "a colour is missing"),
    ] {
        let content = format!("{content} 0 g 300 300 50 50 re f");
        let made = made(&page("/Resources << /Pattern << /P9 99 0 R >> >>", stream("", content.as_bytes()), &[]));
        made.tells(1, words);
        assert!(made.black() > 1_000);
    }
}

#[test]
fn a_font_with_a_damaged_file_is_treated_as_not_embedded() {
    for file in [
        stream("/Filter /FlateDecode", &[0x78, 0x9c, 0xff, 0xff]),
        stream("", b"\0\x01\0\0\0\x09abc"),
        b"null".to_vec(),
    ] {
        let font =
            "<< /Type /Font /Subtype /Type0 /BaseFont /ABCDEF+Own /Encoding /Identity-H /DescendantFonts [6 0 R] >>";
        let inner = "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /ABCDEF+Own /FontDescriptor 7 0 R /DW 600 \
                     /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>";
        let descriptor = "<< /Type /FontDescriptor /FontName /ABCDEF+Own /Flags 4 /FontFile2 8 0 R >>";
        let objects = [font, inner, descriptor].map(|object| object.as_bytes().to_vec());
        let objects = [&objects[..], &[file]].concat();
        let content = stream("", b"BT /F 20 Tf 72 700 Td <00240025> Tj ET");
        made(&page("/Resources << /Font << /F 5 0 R >> >>", content, &objects)).tells(1, "ABCDEF+Own");
    }
}

#[test]
fn a_resource_that_is_named_but_not_drawn_is_not_a_loss() {
    made(&page("/Resources << /XObject << /I 9 0 R >> >>", stream("", b"0 0 50 50 re f"), &[])).is_whole();
}

/// Builds a page that draws an image of 200 by 200 pels with these entries and data.
fn with_image(entries: &str, data: &[u8]) -> Vec<u8> {
    let entries = format!("/Type /XObject /Subtype /Image /Width 200 /Height 200 {entries}");
    page("/Resources << /XObject << /I 5 0 R >> >>", stream("", PLACE.as_bytes()), &[stream(&entries, data)])
}

const GREY: &str = "/ColorSpace /DeviceGray /BitsPerComponent 8";

#[test]
fn truncated_images_are_white_below_and_reported() {
    let samples = vec![0; 200 * 90];
    let noise: Vec<u8> = (0..200 * 200_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 28) as u8).collect();
    let packed = deflated(&noise);
    let cases = [
        (GREY.to_owned(), samples.clone()),
        (format!("{GREY} /Filter /FlateDecode"), deflated(&samples)),
        (format!("{GREY} /Filter /FlateDecode"), packed[..packed.len() / 2].to_vec()),
        (format!("{GREY} /Filter /ASCIIHexDecode"), b"00".repeat(200 * 90)),
        ("/ColorSpace /DeviceRGB /BitsPerComponent 8".to_owned(), vec![0; 200 * 90 * 3]),
        ("/ColorSpace /DeviceCMYK /BitsPerComponent 8".to_owned(), [0, 0, 0, 255].repeat(200 * 90)),
        ("/ColorSpace [/Indexed /DeviceRGB 0 <000000>] /BitsPerComponent 8".to_owned(), samples),
        ("/ColorSpace /DeviceGray /BitsPerComponent 1".to_owned(), vec![0; 25 * 90]),
    ];
    for (entries, data) in cases {
        let made = made(&with_image(&entries, &data));
        made.tells(1, "incomplete");
        assert!(made.ink(UPPER) > 0.9 && made.ink(LOWER) < 1e-9, "{entries}: {} {}", made.ink(UPPER), made.ink(LOWER));
    }
}

#[test]
fn a_truncated_fax_image_is_white_below_and_reported() {
    let mut bits = Bitmap::white(200, 200);
    (0..200).for_each(|row| bits.blacken_run(row, row % 7, 200 - row % 11));
    let whole = ccitt::g4(&bits);
    let entries = |more: &str| {
        format!(
            "/ColorSpace /DeviceGray /BitsPerComponent 1 /Filter /CCITTFaxDecode /DecodeParms << /K -1 /Columns 200 {more} >>"
        )
    };
    assert!(made(&with_image(&entries(""), &whole)).is_whole().ink(LOWER) > 0.9);
    for share in [55, 60, 70] {
        let made = made(&with_image(&entries("/Rows 200"), &whole[..whole.len() * share / 100]));
        made.tells(1, "incomplete");
        assert!(made.ink(UPPER) > 0.9 && made.ink([110.0, 310.0, 490.0, 400.0]) < 1e-9, "{share}");
    }
}

#[test]
fn complete_images_are_not_reported() {
    for (entries, data) in [
        (GREY.to_owned(), vec![0; 200 * 200]),
        (format!("{GREY} /Filter /FlateDecode"), deflated(&vec![0; 200 * 200 + 7])),
        (format!("{GREY} /Filter /DCTDecode"), JPEG.to_vec()),
    ] {
        let made = made(&with_image(&entries, &data));
        assert!(made.is_whole().ink(LOWER) > 0.9, "{entries}");
    }
}

/// A dark JPEG of 200 by 200 pels.
const JPEG: &[u8] = include_bytes!("../../fixtures/documents/dark.jpg");

#[test]
fn a_truncated_jpeg_is_white_below_and_reported() {
    let whole = JPEG;
    for share in [55, 60, 65] {
        let made = made(&with_image(&format!("{GREY} /Filter /DCTDecode"), &whole[..whole.len() * share / 100]));
        made.tells(1, "incomplete");
        assert!(made.ink(UPPER) > 0.8, "{share}: {}", made.ink(UPPER));
        assert!(made.ink([110.0, 310.0, 490.0, 420.0]) < 1e-9, "{share}: {}", made.ink(LOWER));
    }
}

#[test]
fn a_blank_page_that_has_content_is_reported() {
    let clipped = b"0 0 1 1 re W n 300 300 100 100 re f";
    made(&page("", stream("", clipped), &[])).tells(1, "blank");
}
