//! Tests that printers' black ink is black on a fax, however a PDF specifies it, that thin shapes stay visible, and
//! that soft masks hide what they should.

use fauxfax::model::fax::Quality;

use crate::pdfs::{Made, made, made_at, page, stream};

/// The inside of the square that `square` draws, in points.
const SQUARE: [f64; 4] = [110.0, 410.0, 190.0, 490.0];
/// A tint transform that maps one ink to the black ink of CMYK.
const TINT: &str = "<< /FunctionType 2 /Domain [0 1] /C0 [0 0 0 0] /C1 [0 0 0 1] /N 1 >>";

/// Draws a square in the colour that the operators `paint` set, and checks that nothing is lost. The operators can use
/// the colour space `space` under the name `S`.
fn square(paint: &str, space: &str) -> Made {
    let resources = format!("/Resources << /ColorSpace << /S {space} >> >>");
    let content = format!("{paint} 100 400 100 100 re f");
    let made = made(&page(&resources, stream("", content.as_bytes()), &[]));
    made.is_whole();
    made
}

#[test]
fn black_ink_is_black_in_device_separation_and_indexed_colour_spaces() {
    let inks = "[/Cyan /Magenta /Yellow /Black]";
    let press = "<< /FunctionType 4 /Domain [0 1 0 1 0 1 0 1] /Range [0 1 0 1 0 1] >>";
    let cases: [(&str, String); 10] = [
        ("/S cs 0 0 0 1 scn", format!("[/DeviceN {inks} /DeviceRGB {press}]")),
        ("0 0 0 1 k", "/DeviceRGB".to_owned()),
        ("0.6 0.4 0.4 1 k", "/DeviceRGB".to_owned()),
        ("1 1 1 1 k", "/DeviceRGB".to_owned()),
        ("/DeviceCMYK cs 0 0 0 1 sc", "/DeviceRGB".to_owned()),
        ("/S cs 0 0 0 1 scn", "/DeviceCMYK".to_owned()),
        ("/S cs 1 scn", format!("[/Separation /Black /DeviceCMYK {TINT}]")),
        ("/S cs 1 scn", format!("[/Separation /All /DeviceCMYK {TINT}]")),
        ("/S cs 1 scn", format!("[/DeviceN [/Black] /DeviceCMYK {TINT}]")),
        ("/S cs 1 scn", "[/Indexed /DeviceCMYK 1 <00000000 000000FF>]".to_owned()),
    ];
    for (paint, space) in cases {
        assert!(square(paint, &space).ink(SQUARE) > 0.999, "{paint} {space}");
    }
    let spot = format!("[/Separation /Spot /DeviceCMYK {TINT}]");
    assert!(square("/S cs 1 scn", &spot).ink(SQUARE) > 0.999);
}

#[test]
fn partial_inks_are_grey_and_no_ink_is_white() {
    for (paint, wanted) in [("0 0 0 0.2 k", 0.2), ("0 0 0 0.5 k", 0.5), ("0 0 0 0 k", 0.0), ("0 0 0 0.9 k", 0.9)] {
        let ink = square(paint, "/DeviceRGB").ink(SQUARE);
        assert!((ink - wanted).abs() < 0.03, "{paint}: {ink}");
    }
}

#[test]
fn black_ink_is_black_in_strokes_text_forms_patterns_and_images() {
    let font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold >>".to_vec();
    let entries = "/Resources << /Font << /F 5 0 R >> /XObject << /X 6 0 R /I 7 0 R >> /Pattern << /P 8 0 R >> >>";
    let content = "0 0 0 1 K 20 w 100 600 m 200 600 l S 0 0 0 1 k BT /F 300 Tf 220 560 Td (I) Tj ET /X Do \
                   q 100 0 0 100 100 400 cm /I Do Q /Pattern cs /P scn 300 400 100 100 re f";
    let form = stream("/Type /XObject /Subtype /Form /BBox [0 0 612 792]", b"0 0 0 1 k 400 600 100 100 re f");
    let image = stream(
        "/Type /XObject /Subtype /Image /Width 2 /Height 1 /BitsPerComponent 8 /ColorSpace /DeviceCMYK",
        &[0, 0, 0, 255, 200, 90, 90, 255],
    );
    let pattern = "/PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 10 10] /XStep 10 /YStep 10 /Resources << >>";
    let pattern = stream(pattern, b"0 0 0 1 k 0 0 10 10 re f");
    let made = made(&page(entries, stream("", content.as_bytes()), &[font, form, image, pattern]));
    made.is_whole();
    let squares = [
        [110.0, 595.0, 190.0, 605.0],
        [240.0, 600.0, 260.0, 700.0],
        [410.0, 610.0, 490.0, 690.0],
        SQUARE,
        [310.0, 410.0, 390.0, 490.0],
    ];
    for corners in squares {
        assert!(made.ink(corners) > 0.99, "{corners:?}: {}", made.ink(corners));
    }
}

#[test]
fn a_cmyk_jpeg_with_inverted_inks_is_black_where_it_has_black_ink() {
    // The left half has black ink and the right half none. Adobe's programs store the inks of a JPEG inverted.
    let jpeg = include_bytes!("../../fixtures/documents/black-ink.jpg");
    for (decode, black, white) in [
        ("/Decode [1 0 1 0 1 0 1 0]", [110.0, 310.0, 290.0, 490.0], [310.0, 310.0, 490.0, 490.0]),
        (
            "/ColorSpace /DeviceCMYK /Decode [1 0 1 0 1 0 1 0]",
            [110.0, 310.0, 290.0, 490.0],
            [310.0, 310.0, 490.0, 490.0],
        ),
    ] {
        let space = if decode.contains("ColorSpace") { "" } else { "/ColorSpace [/DeviceCMYK]" };
        let entries = format!(
            "/Type /XObject /Subtype /Image /Width 32 /Height 32 /BitsPerComponent 8 /Filter /DCTDecode {space} {decode}"
        );
        let content = stream("", b"q 400 0 0 200 100 300 cm /I Do Q");
        let bytes = page("/Resources << /XObject << /I 5 0 R >> >>", content, &[stream(&entries, jpeg)]);
        let made = made(&bytes);
        made.is_whole();
        assert!(made.ink(black) > 0.99, "{decode}: {}", made.ink(black));
        assert!(made.ink(white) < 0.01, "{decode}: {}", made.ink(white));
    }
}

#[test]
fn text_in_black_ink_has_the_same_pels_as_text_in_black() {
    let font = "/Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Times-Roman >> >> >>";
    let text = |paint: &str| {
        let lines: String = (0..40)
            .map(|line| format!("BT /F 11 Tf 72 {} Td (Line {line} of a letter in black ink) Tj ET ", 740 - line * 15))
            .collect();
        let content = format!("{paint} {lines} 72 100 300 2 re f");
        made(&page(font, stream("", content.as_bytes()), &[])).pages
    };
    let black = text("0 g");
    for paint in ["0 0 0 1 k", "0.5 0.5 0.5 1 k", "0 0 0 rg"] {
        assert_eq!(text(paint), black, "{paint}");
    }
}

#[test]
fn an_inline_cmyk_image_is_black_too() {
    let mut content = b"q 100 0 0 100 100 400 cm BI /W 1 /H 1 /BPC 8 /CS /CMYK ID ".to_vec();
    content.extend([0, 0, 0, 255]);
    content.extend(b"\nEI Q");
    assert!(made(&page("", stream("", &content), &[])).is_whole().ink(SQUARE) > 0.999);
}

/// Fills shapes with black on a page. `with_image` decides which of the two renderers draws the page.
fn filled(shapes: &str, quality: Quality, with_image: bool) -> Made {
    let image =
        stream("/Type /XObject /Subtype /Image /Width 1 /Height 1 /BitsPerComponent 8 /ColorSpace /DeviceGray", &[0]);
    let drawn = if with_image { "q 20 0 0 20 20 20 cm /I Do Q" } else { "" };
    let content = format!("0 g {shapes} {drawn}");
    made_at(&page("/Resources << /XObject << /I 5 0 R >> >>", stream("", content.as_bytes()), &[image]), quality)
}

#[test]
fn no_filled_shape_vanishes_at_any_quality_in_either_renderer() {
    // Each shape, its area, and its minimum number of pels at standard quality.
    let shapes: [(&str, [f64; 4], u32); 8] = [
        ("100 750.37 400 0.05 re", [90.0, 745.0, 510.0, 755.0], 1_100),
        ("100 740 m 500 740 l h", [90.0, 735.0, 510.0, 744.0], 1_100),
        ("100 730 400 0 re", [90.0, 725.0, 510.0, 734.0], 1_100),
        ("50.21 100 0.02 500 re", [45.0, 90.0, 55.0, 610.0], 670),
        ("100 650 m 500 700 l 500 700.05 l 100 650.05 l h", [90.0, 640.0, 510.0, 710.0], 1_100),
        ("100 620 0.1 0.1 re 200 620 0.1 0.1 re 300.3 620.3 0 0 re", [90.0, 615.0, 310.0, 625.0], 3),
        ("100 400 200 200 re 299.95 400.05 -199.9 199.9 re", [90.0, 390.0, 310.0, 610.0], 1_600),
        ("400 500 m 450 500 450 550 400 550 c 450 550 450 500 400 500 c h", [390.0, 490.0, 460.0, 560.0], 60),
    ];
    let all: String = shapes.iter().map(|(shape, ..)| format!("{shape} f ")).collect();
    for quality in Quality::ALL.iter().copied() {
        for with_image in [false, true] {
            let made = filled(&all, quality, with_image);
            made.is_whole();
            for (shape, corners, least) in shapes {
                let black = made.black_in(corners);
                assert!((least..least * 16 + 20).contains(&black), "{shape} at {quality}, image {with_image}: {black}");
            }
        }
    }
}

#[test]
fn painting_over_thin_shapes_hides_them() {
    let content = "100 700 400 0.05 re f 100 600 50 50 re f 1 g 90 690 420 20 re f";
    for with_image in [false, true] {
        let made = filled(content, Quality::Fine, with_image);
        assert!(made.is_whole().ink([100.0, 690.0, 500.0, 710.0]) < 1e-9);
    }
}

#[test]
fn shapes_at_least_a_pel_wide_are_unchanged() {
    // 1.2 pels wide at 204 pels per inch, on the border between two pels.
    let made = filled("100 600 0.4236 100 re f", Quality::Fine, false);
    // 100 points have this many rows at fine quality, which has 196 rows per inch.
    let rows = 272.0;
    assert!(f64::from(made.black()) <= rows * 2.0 + 4.0, "{}", made.black());
}

#[test]
fn a_cmyk_image_is_as_dark_as_a_fill_with_the_same_inks() {
    let inverted = "/Decode [1 0 1 0 1 0 1 0]";
    for inks in
        [[0, 0, 0, 128_u8], [255, 0, 0, 0], [0, 200, 60, 30], [90, 90, 0, 0], [255, 255, 255, 255], [0, 0, 0, 60]]
    {
        let part = inks.map(|ink| format!("{}", f64::from(ink) / 255.0)).join(" ");
        let wanted = square(&format!("{part} k"), "/DeviceRGB").ink(SQUARE);
        for (entries, samples) in [("", inks), (inverted, inks.map(|ink| 255 - ink)), ("/Mask [1 1 1 1 1 1 1 1]", inks)]
        {
            let entries = format!(
                "/Type /XObject /Subtype /Image /Width 10 /Height 10 /BitsPerComponent 8 /ColorSpace /DeviceCMYK {entries}"
            );
            let image = stream(&entries, &samples.repeat(100));
            let content = stream("", b"q 100 0 0 100 100 400 cm /I Do Q");
            let made = made(&page("/Resources << /XObject << /I 5 0 R >> >>", content, &[image]));
            made.is_whole();
            let ink = made.ink(SQUARE);
            assert!((ink - wanted).abs() < 0.02, "{entries} {inks:?}: {ink} {wanted}");
        }
    }
}

/// Draws a black page through a soft mask, whose group is black in its left half and white in its right half. `mask`
/// and `attributes` are added to the dictionaries of the mask and the group. With `is_inline`, the resources contain
/// the graphics state itself instead of a reference.
fn masked(mask: &str, attributes: &str, is_inline: bool) -> Made {
    let state = format!("<< /Type /ExtGState /SMask << /Type /Mask {mask} /G 5 0 R >> >>");
    let group = format!("/Type /XObject /Subtype /Form /BBox [100 400 200 500] {attributes}");
    let group = stream(&group, b"0 g 100 400 50 100 re f 1 g 150 400 50 100 re f");
    let named = if is_inline { state.clone() } else { "6 0 R".to_owned() };
    let entries = format!("/Resources << /ExtGState << /M {named} >> >>");
    let content = stream("", b"/M gs 0 g 0 0 612 792 re f");
    let made = made(&page(&entries, content, &[group, state.into_bytes()]));
    made.is_whole();
    made
}

#[test]
fn a_soft_mask_hides_what_it_should_whichever_entries_it_omits() {
    let group = |space: &str| format!("/Group << /Type /Group /S /Transparency {space} >>");
    let luminosity = "/S /Luminosity";
    for (mask, attributes, outside) in [
        (luminosity.to_owned(), group("/CS /DeviceGray"), 0.0),
        (luminosity.to_owned(), group(""), 0.0),
        (luminosity.to_owned(), String::new(), 0.0),
        (String::new(), group("/CS /DeviceGray"), 0.0),
        (String::new(), String::new(), 0.0),
        (format!("{luminosity} /BC [1]"), group(""), 1.0),
        (format!("{luminosity} /BC [0.5]"), group(""), 0.5),
        (format!("{luminosity} /BC [1 1 1]"), group(""), 1.0),
        (format!("{luminosity} /BC [0 0 0 1]"), group("/CS /DeviceCMYK"), 0.0),
        (format!("{luminosity} /BC [0 0 0 0]"), group("/CS /DeviceCMYK"), 1.0),
        (format!("{luminosity} /BC [0 0 0 0.5]"), group(""), 0.5),
    ] {
        for is_inline in [false, true] {
            let made = masked(&mask, &attributes, is_inline);
            let inks = [[110.0, 410.0, 140.0, 490.0], [160.0, 410.0, 190.0, 490.0], [300.0, 300.0, 400.0, 600.0]]
                .map(|corners| made.ink(corners));
            for (ink, wanted) in inks.into_iter().zip([0.0, 1.0, outside]) {
                assert!((ink - wanted).abs() < 0.03, "{mask} {attributes}: {inks:?}");
            }
        }
    }
}
