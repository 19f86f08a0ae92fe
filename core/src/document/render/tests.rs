//! Tests that a page beyond the measured limits never reaches hayro, which has no limits of its own.

use super::*;
use crate::model::page::PageLoss;

/// The number of dashes in the lines below: more than may be given to hayro, but few enough to be drawn if they are.
const DASHES: f64 = 300_000.0;

/// Sets a dash pattern that divides a line of this length into `DASHES` dashes.
fn dashes(length: f64) -> String {
    let dash = length / DASHES / 2.0;
    format!("[{dash:.9} {dash:.9}] 0 d")
}

/// Builds a PDF with one letter-size page and these objects from number 5 up. Its parser finds the objects without a
/// cross-reference table.
fn pdf(resources: &str, content: &str, more: &[String]) -> Pdf {
    let stream = |content: &str| format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len());
    let page =
        format!("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << {resources} >> >>");
    let mut objects = vec!["<< /Type /Catalog /Pages 2 0 R >>".to_owned()];
    objects.extend(["<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(), page, stream(content)]);
    objects.extend(more.iter().map(|content| stream(content)));
    let mut file = "%PDF-1.7\n".to_owned();
    for (number, object) in (1..).zip(objects) {
        file += &format!("{number} 0 obj\n{object}\nendobj\n");
    }
    file += "trailer\n<< /Root 1 0 R >>\n";
    open(&file.into_bytes().into()).expect("a PDF")
}

/// Draws the page at fine quality, and returns the losses and an inch of the page below `top` inches as it looks before
/// it is faxed.
fn drawn(pdf: &Pdf, top: f64) -> (Vec<PageLoss>, Rgb) {
    let losses = Losses::default();
    let mut renderer = Renderer::new(pdf, &Fonts::default(), &losses);
    let placement = renderer.place(0, 1.0).expect("an area");
    let piece = placement.pieces[0];
    renderer.draw(0, &placement, piece, Quality::Fine);
    let region = Region { left: 2.0, top, per_inch: 100.0, width: 100, height: 100 };
    (losses.take(), renderer.original(0, &placement, piece.0, &region))
}

#[test]
fn a_page_beyond_the_limits_is_not_given_to_hayro_even_if_it_can_be_drawn_completely() {
    let line = |dashes: &str| drawn(&pdf("", &format!("{dashes} 9 w 0 396 m 612 396 l S"), &[]), 5.0);
    let (losses, original) = line("");
    assert!(losses.is_empty() && original.pixels.contains(&[0; 3]), "a solid line");
    let (losses, original) = line(&dashes(612.0));
    assert!(losses.is_empty(), "{losses:?}");
    assert!(original == Rgb::white(100, 100), "hayro has drawn the dashes");
}

#[test]
fn what_the_letters_of_a_type_3_font_draw_is_measured_after_a_shading_and_if_they_are_stroked() {
    let font = "<< /Type /Font /Subtype /Type3 /FontBBox [0 0 1 1] /FontMatrix [1 0 0 1 0 0] /CharProcs << /a 5 0 R >> \
                /Encoding << /Differences [97 /a] >> /FirstChar 97 /LastChar 97 /Widths [1] >>";
    let shading = "<< /ShadingType 2 /ColorSpace /DeviceGray /Coords [0 0 9 0] \
                   /Function << /FunctionType 2 /N 1 /Domain [0 1] /C0 [0] /C1 [0.5] >> >>";
    let resources = format!("/Font << /F {font} >> /Shading << /S {shading} >>");
    for before in ["q 500 700 50 50 re W n /S sh Q", "1 Tr"] {
        let letter = |dashes: &str| {
            let glyph = format!("1 0 d0 0.1 w {dashes} 0 0.5 m 1 0.5 l S");
            let content = format!("{before} BT /F 200 Tf 100 300 Td (a) Tj ET");
            drawn(&pdf(&resources, &content, &[glyph]), 5.0)
        };
        let (losses, original) = letter("");
        assert!(losses.is_empty() && original.pixels.contains(&[0; 3]), "{before}: a solid line: {losses:?}");
        let (losses, original) = letter(&dashes(1.0));
        assert!(losses.iter().any(|loss| *loss.what == *TOO_MUCH), "{before}: {losses:?}");
        assert!(original == Rgb::white(100, 100), "{before}: hayro has drawn the dashes");
    }
}
