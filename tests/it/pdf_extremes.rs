//! Tests PDFs with extreme numbers: visible parts are drawn, at little cost in time and memory, and parts that can't be
//! drawn are reported.

use crate::pdfs::{Made, document, made, page, stream};

const TEXT: &str = "BT /F 24 Tf 72 400 Td (Here is text) Tj ET\n";
/// The area that the text covers.
const TEXT_AREA: [f64; 4] = [72.0, 395.0, 250.0, 420.0];
/// A shading, which only the full renderer draws.
const SHADED: &str = "q 500 700 50 50 re W n /S sh Q\n";
/// Exponents of ten for numbers that lead far beyond the page. Those from 10^58 on exceed the range of an `f32`.
const FAR: [usize; 6] = [5, 9, 12, 20, 58, 300];

/// Writes ten to this power in digits, since PDF numbers have no exponents.
fn ten(power: usize) -> String {
    format!("1{}", "0".repeat(power))
}

/// Writes one divided by ten to this power.
fn tenth(power: usize) -> String {
    format!("0.{}1", "0".repeat(power - 1))
}

/// Draws a page with text followed by this content, and checks that the text isn't lost. The page has a shading `S`,
/// and a tiling pattern `P` with the dictionary entries `pattern` and the content `cell`.
fn drawn(content: &str, pattern: &str, cell: &str) -> Made {
    let function = "<< /FunctionType 2 /N 1 /Domain [0 1] /C0 [0] /C1 [0.5] >>";
    let shading = format!(
        "/ShadingType 2 /ColorSpace /DeviceGray /Coords [500 0 550 0] /Function {function} /Extend [true true]"
    );
    let resources = format!(
        "/Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> \
         /Shading << /S << {shading} >> >> /Pattern << /P 5 0 R >> >>"
    );
    let tiling = format!("/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /Resources << >> {pattern}");
    let content = format!("{TEXT}{content}");
    let made = made(&page(&resources, stream("", content.as_bytes()), &[stream(&tiling, cell.as_bytes())]));
    assert!(made.ink(TEXT_AREA) > 0.1, "{content}");
    made
}

fn plain(content: &str) -> Made {
    drawn(content, "/BBox [0 0 10 10] /XStep 10 /YStep 10", "0 0 5 5 re f")
}

#[test]
fn content_far_from_the_page_costs_nothing_and_nothing_else_is_lost() {
    for power in FAR {
        let far = ten(power);
        for content in [
            format!("BT /F 24 Tf 72 {far} Td (far) Tj ET"),
            format!("BT /F 24 Tf -{far} 72 Td (far) Tj ET"),
            format!("BT 1 Tr /F 24 Tf 72 {far} Td (far) Tj ET"),
            format!("{far} {far} m {far}0 {far} {far} {far}0 {far}0 {far}0 c f"),
            format!("5 w [3 3] 0 d -{far} -{far} m -{far}0 -{far} -{far} -{far}0 -{far}0 -{far}0 c S"),
            format!("q 1 0 0 1 {far} {far} cm 0 0 m 5 5 9 5 9 9 c f 5 5 m 7 5 8 9 9 20 c S Q"),
        ] {
            plain(&content).is_whole();
            let beside_a_shading = plain(&format!("{SHADED}{content}"));
            assert!(beside_a_shading.ink([500.0, 700.0, 550.0, 750.0]) > 0.4 || power > 30, "{content}");
        }
    }
}

#[test]
fn shapes_that_cross_the_page_from_far_away_are_visible() {
    for power in FAR {
        let far = ten(power);
        let black_below = [100.0, 50.0, 500.0, 150.0];
        let filled = plain(&format!("-{far} 200 m -{far} -{far} {far} -{far} {far} 200 c f"));
        assert!(filled.is_whole().ink(black_below) > 0.99, "{far}");
        let line = plain(&format!("20 w -{far} 100 m {far} 100 l S"));
        assert!(line.is_whole().ink([100.0, 92.0, 500.0, 108.0]) > 0.98, "{far}");
        let dashed = plain(&format!("20 w [30 30] 0 d -{far} 100 m {far} 100 l S"));
        assert!(power > 5 || (0.4..0.6).contains(&dashed.is_whole().ink([100.0, 92.0, 500.0, 108.0])), "{far}");
        plain(&format!("q 100 100 m {far} {far} -{far} {far} 400 100 c W n 0 50 600 100 re f Q")).is_whole();
    }
}

#[test]
fn letters_pens_and_matrices_of_any_size_report_no_loss() {
    for power in FAR {
        let (large, small) = (ten(power), tenth(power));
        for content in [
            format!("BT /F {large} Tf 72 72 Td (Sob) Tj ET"),
            format!("BT 1 Tr /F {large} Tf 72 72 Td (Sob) Tj ET"),
            format!("q BT 7 Tr /F {large} Tf 72 72 Td (Sob) Tj ET 0 0 600 300 re f Q"),
            format!("q 0 0 600 300 re W n {large} w 1 j 1 J 100 100 m 300 300 100 500 400 400 c S Q"),
            format!("q {large} 0 0 {large} 0 0 cm 5 5 m 1 2 3 4 5 6 c f 1 1 m 2 5 3 2 7 7 c S Q"),
            format!("q {small} 0 0 {small} 0 0 cm {large} w 5 5 m {large} 0 {large} {large} 0 {large} c S Q"),
            format!("[{small} {small}] 0 d 2 w 100 100 m 500 300 l S"),
            format!("[3 3] {large} d 2 w 100 100 m 500 300 l S"),
            "[-2 1] 0 d 2 w 100 100 m 500 300 l S".to_owned(),
        ] {
            // A letter may cover the whole page in black, so only the losses are checked here.
            plain(&content).is_whole();
            plain(&format!("{SHADED}{content}"));
        }
    }
}

#[test]
fn tiles_of_any_size_are_drawn_or_reported() {
    let use_it = "/Pattern cs /P scn 100 100 300 200 re f";
    for power in [3, 5, 9, 20, 38] {
        let (large, small) = (ten(power), tenth(power));
        for pattern in [
            format!("/BBox [0 0 {large} {large}] /XStep 10 /YStep 10"),
            format!("/BBox [-{large} -{large} {large} {large}] /XStep {large} /YStep {large}"),
            format!("/BBox [0 0 10 10] /XStep {small} /YStep {small}"),
            format!("/BBox [0 0 10 10] /XStep 10 /YStep 10 /Matrix [{large} 0 0 {large} 0 0]"),
            format!("/BBox [0 0 10 10] /XStep 10 /YStep 10 /Matrix [{small} 0 0 {small} 0 0]"),
        ] {
            drawn(use_it, &pattern, "0 0 5 5 re f");
        }
    }
    // A single tile is drawn directly, even if it is larger than any picture can be.
    let one =
        drawn(use_it, "/BBox [-100000 -100000 100000 100000] /XStep 200000 /YStep 200000", "150 150 100 100 re f");
    assert!(one.ink([150.0, 150.0, 250.0, 250.0]) > 0.98 && one.ink([260.0, 150.0, 390.0, 290.0]) < 0.01);
}

#[test]
fn a_mesh_that_extends_far_is_reported() {
    let mesh = |far: &str| {
        let triangle = [0, 0, 0, 0, 0, 200, 10, 128, 0, 10, 200, 255];
        let shading = format!(
            "/ShadingType 4 /ColorSpace /DeviceGray /BitsPerCoordinate 8 /BitsPerComponent 8 /BitsPerFlag 8 \
             /Decode [0 {far} 0 {far} 0 1]"
        );
        let resources = "/Resources << /Shading << /S 5 0 R >> >>";
        let content = stream("", b"72 400 50 20 re f /S sh");
        made(&page(resources, content, &[stream(&shading, &triangle)]))
    };
    assert!(mesh("100").is_whole().ink([10.0, 10.0, 30.0, 30.0]) > 0.5);
    for power in [4, 6, 12] {
        let far = mesh(&ten(power));
        assert!(far.tells(1, "too complex to be drawn").ink([72.0, 400.0, 122.0, 420.0]) > 0.98);
    }
}

#[test]
fn too_many_shapes_or_parts_of_shapes_are_reported() {
    let told = "too complex to be drawn";
    for (content, times) in [
        ("0 0 m 612 792 l 612 0 l f\n", 6_000),
        ("q 0 0 m 612 792 l 612 0 l W n\n", 10_000),
        ("BT /F 300 Tf 10 10 Td (MM) Tj ET\n", 4_000),
    ] {
        let drawn = plain(&format!("{SHADED}{}", content.repeat(times)));
        assert!(!drawn.losses.is_empty(), "{content}");
        drawn.tells(1, told);
    }
    let zigzag = "612 792 l 0 0 l\n".repeat(60_000);
    for painted in [format!("{SHADED}0 0 m {zigzag} f"), format!("{SHADED}1 J 300 w 0 0 m {zigzag} S")] {
        plain(&painted).tells(1, told);
    }
}

#[test]
fn forms_that_draw_each_other_endlessly_are_reported() {
    let form = |next: usize| {
        let entries =
            format!("/Type /XObject /Subtype /Form /BBox [0 0 612 792] /Resources << /XObject << /X {next} 0 R >> >>");
        stream(&entries, b"0 0 10 10 re f /X Do /X Do /X Do /X Do")
    };
    let mut forms: Vec<Vec<u8>> = (0..30).map(|number| form(number + 6)).collect();
    forms.push(stream("/Type /XObject /Subtype /Form /BBox [0 0 612 792]", b"0 0 10 10 re f"));
    let content = stream("", b"72 400 50 20 re f /X Do");
    let drawn = made(&page("/Resources << /XObject << /X 5 0 R >> >>", content, &forms));
    drawn.tells(1, "draw each other too many times");
    assert!(drawn.ink([72.0, 400.0, 122.0, 420.0]) > 0.98);
}

#[test]
fn patterns_that_draw_each_other_endlessly_are_reported() {
    let pattern = |next: usize| {
        let entries = format!(
            "/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 100 100] /XStep 100 /YStep 100 \
             /Resources << /Pattern << /P {next} 0 R >> >>"
        );
        stream(&entries, b"/Pattern cs /P scn 0 0 50 50 re f 50 50 50 50 re f")
    };
    // The last pattern draws the first.
    let patterns: Vec<Vec<u8>> = (0..30).map(|number| pattern(if number == 29 { 5 } else { number + 6 })).collect();
    let content = stream("", b"72 400 50 20 re f /Pattern cs /P scn 0 0 300 300 re f");
    let drawn = made(&page("/Resources << /Pattern << /P 5 0 R >> >>", content, &patterns));
    assert!(drawn.tells(1, "too complex to be drawn").ink([72.0, 400.0, 122.0, 420.0]) > 0.98);
}

#[test]
fn content_streams_and_annotations_beyond_the_limits_are_reported() {
    let content = stream("", b"72 400 1 1 re f");
    let leaf = |entries: &str| format!("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] {entries} >>");
    let streams = |count: usize| leaf(&format!("/Contents [{}]", "4 0 R ".repeat(count)));
    made(&document("", &streams(10_000), content.clone(), &[])).is_whole();
    made(&document("", &streams(10_001), content.clone(), &[])).tells(1, "the page's content is incomplete");
    let link = b"<< /Type /Annot /Subtype /Link /Rect [0 0 1 1] >>".to_vec();
    let links = |count: usize| leaf(&format!("/Contents 4 0 R /Annots [{}]", "5 0 R ".repeat(count)));
    made(&document("", &links(5_000), content.clone(), std::slice::from_ref(&link))).is_whole();
    made(&document("", &links(5_001), content, &[link])).tells(1, "annotations are missing");
}

#[test]
fn images_that_claim_to_be_larger_than_memory_are_reported() {
    let with = |entries: &str, more: &[Vec<u8>]| {
        let image = format!("/Type /XObject /Subtype /Image /BitsPerComponent 8 /ColorSpace /DeviceGray {entries}");
        let mut objects = vec![stream(&image, b"abcdefghabcdefgh")];
        objects.extend_from_slice(more);
        let content = stream("", b"72 400 50 20 re f q 500 0 0 300 50 50 cm /I Do Q");
        let drawn = made(&page("/Resources << /XObject << /I 5 0 R >> >>", content, &objects));
        assert!(drawn.ink([72.0, 400.0, 122.0, 420.0]) > 0.98, "{entries}");
        drawn
    };
    for size in ["/Width 2147483647 /Height 1", "/Width 4294967295 /Height 4294967295", "/Width 65535 /Height 65535"] {
        with(size, &[]).tells(1, "an image is missing");
        let mask = stream(&format!("/Subtype /Image /BitsPerComponent 8 /ColorSpace /DeviceGray {size}"), b"abcd");
        with("/Width 4 /Height 4 /SMask 6 0 R", &[mask]).tells(1, "too large");
    }
    let fax =
        "/Width 4 /Height 4 /Filter /CCITTFaxDecode /DecodeParms << /K -1 /Columns 2000000000 /Rows 2000000000 >>";
    with(fax, &[]).tells(1, "too large");
    let row = "/Width 4 /Height 4 /Filter /LZWDecode /DecodeParms << /Predictor 15 /Colors 32 /Columns 2147483647 >>";
    with(row, &[]).tells(1, "too large");
}

#[test]
fn a_bitmap_font_next_to_a_shading_is_drawn_in_full() {
    let letter = |at: usize| {
        let (x, y) = (100 + at % 20 * 20, 500 + at / 20 * 20);
        format!("q 8 0 0 8 {x} {y} cm BI /W 8 /H 8 /IM true /BPC 1 /D [1 0] /F /AHx ID ffffffffffffffff> EI Q\n")
    };
    let made = plain(&format!("{SHADED}{}", (0..100).map(letter).collect::<String>()));
    made.is_whole();
    for at in [0, 50, 99] {
        let (x, y) = (100.0 + (at % 20) as f64 * 20.0, 500.0 + (at / 20) as f64 * 20.0);
        assert!(made.ink([x + 1.0, y + 1.0, x + 7.0, y + 7.0]) > 0.9, "{at}");
    }
}
