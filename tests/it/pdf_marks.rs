//! Tests annotations and form fields: each is drawn with its appearance stream or, if it has none, in a simple way. Only
//! real losses are reported.

use crate::pdfs::{Made, document, made, stream};

/// Draws a page with one annotation, which is object 5. `form` has entries of the interactive form, and `more` the objects
/// from number 6 on.
fn annotated(form: &str, annotation: &str, more: &[Vec<u8>]) -> Made {
    let mut objects = vec![format!("<< /Type /Annot /F 4 {annotation} >>").into_bytes()];
    objects.extend(more.iter().cloned());
    let leaf = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Annots [5 0 R] >>";
    let catalog = format!("/AcroForm << /Fields [5 0 R] {form} >>");
    made(&document(&catalog, leaf, stream("", b""), &objects))
}

const RECT: &str = "/Rect [100 300 400 400]";
const INSIDE: [f64; 4] = [100.0, 300.0, 400.0, 400.0];

#[test]
fn annotations_without_an_appearance_are_drawn_in_a_simple_way() {
    for (annotation, least, most) in [
        ("/Subtype /Square /C [0] /BS << /W 4 >>", 0.09, 0.12),
        ("/Subtype /Square /C [0 0 0] /IC [0]", 0.99, 1.0),
        ("/Subtype /Square /C [0 0 0 1] /Border [0 0 4]", 0.09, 0.12),
        ("/Subtype /Circle /C [0] /BS << /W 4 >>", 0.06, 0.1),
        ("/Subtype /Circle /IC [0] /BS << /W 0 >>", 0.75, 0.82),
        ("/Subtype /Line /L [100 300 400 400] /C [0] /BS << /W 3 >>", 0.02, 0.04),
        ("/Subtype /Ink /InkList [[100 300 250 400 400 300] [100 400 400 400]] /C [0] /BS << /W 3 >>", 0.04, 0.08),
        ("/Subtype /Polygon /Vertices [100 300 400 300 250 400] /IC [0] /C [0]", 0.45, 0.55),
        ("/Subtype /PolyLine /Vertices [100 300 400 300 250 400] /C [0] /BS << /W 3 >>", 0.03, 0.08),
        ("/Subtype /Highlight /QuadPoints [100 400 400 400 100 300 400 300] /C [0.5]", 0.45, 0.55),
        ("/Subtype /Underline /QuadPoints [100 400 400 400 100 300 400 300] /C [0]", 0.008, 0.02),
        ("/Subtype /StrikeOut /QuadPoints [100 400 400 400 100 300 400 300] /C [0]", 0.008, 0.02),
        ("/Subtype /Stamp /Name /Approved", 0.05, 0.4),
        ("/Subtype /FreeText /DA (/Helv 40 Tf 0 g) /Contents (A TYPED NOTE)", 0.05, 0.3),
        ("/Subtype /FreeText /DA (/Helv 40 Tf 0 g) /Contents <FEFF00410042>", 0.03, 0.3),
    ] {
        let made = annotated("", &format!("{annotation} {RECT}"), &[]);
        let ink = made.is_whole().ink(INSIDE);
        assert!((least..=most).contains(&ink), "{annotation}: {ink}");
    }
}

#[test]
fn hidden_and_invisible_annotations_are_neither_drawn_nor_reported() {
    for annotation in [
        "/Subtype /Square /C [0] /F 2",
        "/Subtype /Square",
        "/Subtype /Popup",
        "/Subtype /Link /Border [0 0 0]",
        "/Subtype /FreeText /Contents () /BS << /W 0 >>",
    ] {
        assert_eq!(annotated("", &format!("{annotation} {RECT}"), &[]).is_whole().black(), 0, "{annotation}");
    }
}

#[test]
fn a_text_field_shows_its_value_if_its_appearance_does_not() {
    let empty = || stream("/Type /XObject /Subtype /Form /BBox [0 0 300 100]", b"/Tx BMC EMC");
    let stale = || stream("/Type /XObject /Subtype /Form /BBox [0 0 300 100]", b"0 0 300 100 re f");
    let field = format!("/Subtype /Widget /FT /Tx /V (JOHN DOE) /DA (/Helv 40 Tf 0 g) {RECT}");
    let needed = "/NeedAppearances true";
    let with = format!("{field} /AP << /N 6 0 R >>");
    for (form, annotation, appearance) in
        [("", &field, empty()), (needed, &field, empty()), (needed, &with, empty()), (needed, &with, stale())]
    {
        let ink = annotated(form, annotation, &[appearance]).is_whole().ink(INSIDE);
        assert!((0.05..0.3).contains(&ink), "{form} {annotation}: {ink}");
    }
    // Without `NeedAppearances`, the field shows its appearance.
    assert!(annotated("", &with, &[stale()]).is_whole().ink(INSIDE) > 0.99);
}

#[test]
fn values_of_choice_multiline_comb_and_right_aligned_fields_are_drawn() {
    for field in [
        "/FT /Ch /V (b) /Opt [[(a) (First)] [(b) (Second)]] /DA (/Helv 0 Tf 0 g)",
        "/FT /Tx /Ff 4096 /V (one two three four five six seven eight nine ten eleven twelve) /DA (/Helv 30 Tf 0 g)",
        "/FT /Tx /Ff 16777216 /MaxLen 6 /V (123456) /DA (/Helv 40 Tf 0 0 0 1 k)",
        "/FT /Tx /Q 2 /V (right) /DA (/Helv 40 Tf 0 g)",
    ] {
        let made = annotated("", &format!("/Subtype /Widget {field} {RECT}"), &[]);
        let ink = made.is_whole().ink(INSIDE);
        assert!(ink > 0.002, "{field}: {ink}");
        // The field covers 850 by 272.2 pels, so the difference is the number of black pels outside it.
        assert!((f64::from(made.black()) - ink * 850.0 * 272.2).abs() < 400.0, "ink outside the field: {field}");
    }
}

#[test]
fn characters_that_helvetica_lacks_are_reported() {
    let field = format!("/Subtype /Widget /FT /Tx /V <FEFF04160417> /DA (/Helv 40 Tf 0 g) {RECT}");
    annotated("", &field, &[]).tells(1, "incomplete");
}

#[test]
fn a_ticked_box_shows_its_tick_and_an_unticked_one_reports_no_loss() {
    let tick = || stream("/Type /XObject /Subtype /Form /BBox [0 0 300 100]", b"0 0 300 100 re f");
    let boxed = |entries: &str| format!("/Subtype /Widget /FT /Btn /T (box) {entries} {RECT}");
    for (entries, is_ticked) in [
        ("/V /Off /AS /Off /AP << /N << /Yes 6 0 R >> >>", false),
        ("/AP << /N << /Yes 6 0 R >> >>", false),
        ("/V /Off", false),
        ("/V /Yes /AS /Yes /AP << /N << /Yes 6 0 R >> >>", true),
        ("/V /Yes /AP << /N << /Yes 6 0 R >> >>", true),
        ("/V /Yes /AS /Yes", true),
        ("/V /Yes /AS /Yes /AP << /N << /Off 6 0 R >> >>", true),
    ] {
        let made = annotated("", &boxed(entries), &[tick()]);
        assert_eq!(made.is_whole().black() > 200, is_ticked, "{entries}: {}", made.black());
    }
}

#[test]
fn an_appearance_that_is_missing_from_the_file_is_generated() {
    let square = format!("/Subtype /Square /C [0] /BS << /W 4 >> /AP << /N 99 0 R >> {RECT}");
    assert!(annotated("", &square, &[]).is_whole().black() > 1_000);
}
