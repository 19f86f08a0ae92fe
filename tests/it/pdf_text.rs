//! Tests text in fonts that a PDF doesn't embed: it is drawn if an available font has the characters, and reported
//! otherwise.

use std::path::PathBuf;

use fauxfax::document::fonts::Fonts;
use fauxfax::model::fax::Quality;

use crate::pdfs::{Made, deflated, file, made, made_with, page, stream};

const TEXT: [f64; 4] = [60.0, 690.0, 400.0, 730.0];

/// Builds a table that maps every character in these ranges to glyph 1 (OpenType, `cmap`, format 4).
fn characters(ranges: &[(u16, u16)]) -> Vec<u8> {
    let short = |number: u16| number.to_be_bytes();
    let mut cmap = vec![0, 0, 0, 1, 0, 3, 0, 1, 0, 0, 0, 12];
    let count = u16::try_from(ranges.len() + 1).expect("few");
    let segments = ranges.iter().copied().chain([(0xffff, 0xffff)]).collect::<Vec<_>>();
    let glyphs: Vec<u16> = segments.iter().flat_map(|(from, to)| (*from..=*to).map(|_| 1)).collect();
    let length = u16::try_from(16 + usize::from(count) * 8 + glyphs.len() * 2).expect("short");
    let head = [4, length, 0, count * 2, 0, 0, 0];
    cmap.extend(head.map(short).concat());
    segments.iter().for_each(|(_, to)| cmap.extend(short(*to)));
    cmap.extend([0, 0]);
    segments.iter().for_each(|(from, _)| cmap.extend(short(*from)));
    segments.iter().for_each(|_| cmap.extend([0, 0]));
    let mut before = 0_u16;
    for (place, (from, to)) in (0_u16..).zip(&segments) {
        // The offset of the segment's first glyph, in bytes from the position of the offset itself.
        cmap.extend(short((count - place) * 2 + before * 2));
        before += to - from + 1;
    }
    glyphs.iter().for_each(|glyph| cmap.extend(short(*glyph)));
    cmap
}

/// Builds a font that draws every character in these ranges as a square.
fn font(ranges: &[(u16, u16)]) -> Vec<u8> {
    let long = |number: usize| u32::try_from(number).expect("small").to_be_bytes();
    let short = |number: u16| number.to_be_bytes();
    let cmap = characters(ranges);
    // One contour, a square of 500 units.
    let square = [
        &[0, 1, 0, 0, 0, 0, 1, 244, 1, 244, 0, 3, 0, 0][..],
        &[1, 1, 1, 1],
        &[0, 0, 1, 244, 0, 0, 254, 12],
        &[0, 0, 0, 0, 1, 244, 0, 0],
    ]
    .concat();
    let mut glyf = square;
    while glyf.len() % 4 > 0 {
        glyf.push(0);
    }
    let end = short(u16::try_from(glyf.len() / 2).expect("short"));
    let loca = [short(0), short(0), end].concat();
    let head = [
        &[0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0x5f, 0x0f, 0x3c, 0xf5, 0, 0, 3, 232][..],
        &[0; 16],
        &[0, 0, 0, 0, 1, 244, 1, 244],
        &[0, 0, 0, 8, 0, 2, 0, 0, 0, 0],
    ]
    .concat();
    let hhea = [&[0, 1, 0, 0, 3, 32, 255, 56, 0, 0, 2, 88][..], &[0; 22], &[0, 2]].concat();
    let maxp = [&[0, 1, 0, 0, 0, 2, 0, 4, 0, 1, 0, 0, 0, 0][..], &[0, 1], &[0; 16]].concat();
    let hmtx = vec![2, 88, 0, 0, 2, 88, 0, 0];
    let tables = [
        (b"cmap", cmap),
        (b"glyf", glyf),
        (b"head", head),
        (b"hhea", hhea),
        (b"hmtx", hmtx),
        (b"loca", loca),
        (b"maxp", maxp),
    ];
    let mut file = vec![0, 1, 0, 0, 0, 7, 0, 64, 0, 2, 0, 48];
    let mut at = 12 + tables.len() * 16;
    for (name, table) in &tables {
        file.extend(*name);
        // The four zeros stand for the table's checksum, which the renderer doesn't check.
        file.extend([[0; 4], long(at), long(table.len())].concat());
        at += table.len().next_multiple_of(4);
    }
    for (_, table) in &tables {
        file.extend(table);
        file.resize(file.len().next_multiple_of(4), 0);
    }
    file
}

/// Writes fonts to a temporary directory, which is deleted when it is dropped, and loads them.
fn directory(fonts: &[(&str, &[(u16, u16)])]) -> (tempfile::TempDir, Fonts) {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, ranges) in fonts {
        let path: PathBuf = folder.path().join(name);
        std::fs::write(path, font(ranges)).expect("written");
    }
    let fonts = Fonts::of_directory(folder.path()).expect("fonts");
    (folder, fonts)
}

fn to_unicode(ranges: &str) -> Vec<u8> {
    let map = format!("begincmap 1 begincodespacerange <0000> <FFFF> endcodespacerange {ranges} endcmap");
    stream("/Filter /FlateDecode", &deflated(map.as_bytes()))
}

/// Builds a page with text in a composite font that isn't embedded. `ranges` maps its codes to characters, unless it is
/// empty.
fn composite(text: &str, ordering: &str, ranges: &str) -> Vec<u8> {
    let entries = "/Resources << /Font << /F 5 0 R >> >>";
    let content = format!("BT /F 24 Tf 72 700 Td <{text}> Tj ET");
    let map = if ranges.is_empty() { "" } else { "/ToUnicode 7 0 R" };
    let font = format!(
        "<< /Type /Font /Subtype /Type0 /BaseFont /Nowhere /Encoding /Identity-H /DescendantFonts [6 0 R] {map} >>"
    );
    let inner = format!(
        "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Nowhere /DW 700 /CIDSystemInfo << /Registry (Adobe) \
         /Ordering ({ordering}) /Supplement 0 >> >>"
    );
    page(entries, stream("", content.as_bytes()), &[font.into_bytes(), inner.into_bytes(), to_unicode(ranges)])
}

/// Builds a page with text in a simple font (one byte per letter) that isn't embedded.
fn simple(text: &str, encoding: &str) -> Vec<u8> {
    let content = format!("BT /F 24 Tf 72 700 Td <{text}> Tj ET");
    let font = simple_font(encoding).into_bytes();
    page("/Resources << /Font << /F 5 0 R >> >>", stream("", content.as_bytes()), &[font])
}

fn simple_font(encoding: &str) -> String {
    let widths = "600 ".repeat(256);
    format!(
        "<< /Type /Font /Subtype /TrueType /BaseFont /Nowhere {encoding} /FirstChar 0 /LastChar 255 /Widths [{widths}] >>"
    )
}

/// Checks that about this many squares are drawn. At 24 points, a square of `font` is 12 points wide and high; `TEXT` is 340
/// points wide and 40 high.
fn shows_squares(made: &Made, count: f64) {
    let height = 24.0 * 0.5;
    let share = made.ink(TEXT) * 340.0 * 40.0 / (height * height);
    assert!((share - count).abs() < 0.2 * count, "{share} of {count}");
}

#[test]
fn text_in_six_scripts_is_drawn_if_a_font_has_its_characters_and_reported_otherwise() {
    let scripts = [
        (0x410_u16, "Cyrillic"),
        (0x391, "Greek"),
        (0x5d0, "Hebrew"),
        (0x627, "Arabic"),
        (0xe01, "Thai"),
        (0x4e00, "Chinese"),
    ];
    for (first, script) in scripts {
        let file = format!("{script}.ttf");
        let (_folder, fonts) = directory(&[("Other.ttf", &[(0x20, 0x7e)]), (&file, &[(first, first + 40)])]);
        let bytes =
            composite("000100020003", "Identity", &format!("1 beginbfrange <0001> <0020> <{first:04X}> endbfrange"));
        let drawn = made_with(&bytes, Quality::Fine, fonts);
        shows_squares(drawn.is_whole(), 3.0);
        made(&bytes).tells(1, "--font-dir");
        let (_folder, others) = directory(&[("Other.ttf", &[(0x20, 0x7e)])]);
        made_with(&bytes, Quality::Fine, others).tells(1, "Nowhere");
    }
}

#[test]
fn characters_of_single_byte_fonts_are_found_by_their_glyph_names() {
    let (_folder, fonts) = directory(&[("Cyrillic.ttf", &[(0x400, 0x45f)]), ("Czech.ttf", &[(0x100, 0x17f)])]);
    for (encoding, count) in [
        ("/Encoding << /Differences [65 /afii10017 /afii10018 /afii10065] >>", 3.0),
        ("/Encoding << /Differences [65 /uni0416 /uni0417 /uni0418] >>", 3.0),
        ("/Encoding << /Differences [65 /ccaron /ecaron /rcaron] >>", 3.0),
    ] {
        let bytes = simple("414243", encoding);
        shows_squares(made_with(&bytes, Quality::Fine, fonts.clone()).is_whole(), count);
        made(&bytes).tells(1, "--font-dir");
    }
}

#[test]
fn a_font_that_is_not_a_separate_object_is_replaced_or_reported_like_others() {
    let (_folder, fonts) = directory(&[("Cyrillic.ttf", &[(0x400, 0x45f)])]);
    let font = simple_font("/Encoding << /Differences [65 /afii10017 /afii10018 /afii10065] >>");
    let resources = format!("/Resources << /Font << /F {font} >> >>");
    let text = b"BT /F 24 Tf 72 700 Td (ABC) Tj ET";
    let form = |own: &str| stream(&format!("/Type /XObject /Subtype /Form /BBox [0 0 612 792] {own}"), text);
    let objects = format!("/Resources << /Font << /F {font} >> /XObject << /X 5 0 R >> >>");
    for (place, bytes) in [
        ("the page", page(&resources, stream("", text), &[])),
        ("a form", page("/Resources << /XObject << /X 5 0 R >> >>", stream("", b"/X Do"), &[form(&resources)])),
        ("a form without resources of its own", page(&objects, stream("", b"/X Do"), &[form("")])),
        (
            "a separate object",
            page("/Resources << /Font 5 0 R >>", stream("", text), &[format!("<< /F {font} >>").into_bytes()]),
        ),
    ] {
        shows_squares(made_with(&bytes, Quality::Fine, fonts.clone()).is_whole(), 3.0);
        assert!(made(&bytes).tells(1, "--font-dir").losses.len() == 1, "{place}");
    }
}

#[test]
fn a_type_3_font_that_is_not_a_separate_object_is_checked_like_others() {
    let font = "<< /Type /Font /Subtype /Type3 /FontBBox [0 0 1 1] /FontMatrix [1 0 0 1 0 0] /CharProcs << /a 5 0 R >> \
                /Encoding << /Differences [65 /a] >> /FirstChar 65 /LastChar 65 /Widths [1] /Resources << >> >>";
    let letter = stream("", b"1 0 d0 /X Do");
    let content = stream("", b"BT /F 24 Tf 72 700 Td (A) Tj ET");
    let apart = page("/Resources << /Font << /F 6 0 R >> >>", content.clone(), &[letter.clone(), font.into()]);
    let direct = page(&format!("/Resources << /Font << /F {font} >> >>"), content, &[letter]);
    for bytes in [apart, direct] {
        made(&bytes).tells(1, "the page names X, but the PDF doesn't contain it");
    }
}

#[test]
fn a_loss_in_a_type_3_font_is_reported_on_each_page_that_uses_the_font() {
    let font = "<< /Type /Font /Subtype /Type3 /FontBBox [0 0 1 1] /FontMatrix [1 0 0 1 0 0] /CharProcs << /a 5 0 R >> \
                /Encoding << /Differences [65 /a] >> /FirstChar 65 /LastChar 65 /Widths [1] /Resources << >> >>";
    let leaf = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R \
                /Resources << /Font << /F 6 0 R >> >> >>";
    let made = made(&file(&[
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R 7 0 R] /Count 2 >>".to_vec(),
        leaf.into(),
        stream("", b"BT /F 24 Tf 72 700 Td (A) Tj ET"),
        stream("", b"1 0 d0 /X Do"),
        font.into(),
        leaf.into(),
    ]));
    made.tells(1, "the page names X").tells(2, "the page names X");
}

#[test]
fn a_font_that_lacks_some_characters_is_used_and_the_rest_are_reported() {
    let (_folder, fonts) = directory(&[("Some.ttf", &[(0x410, 0x411)])]);
    let bytes = composite("000100020003", "Identity", "1 beginbfrange <0001> <0020> <0410> endbfrange");
    let made = made_with(&bytes, Quality::Fine, fonts);
    shows_squares(&made, 2.0);
    made.tells(1, "В");
}

#[test]
fn latin_text_needs_no_font_directory_and_reports_no_loss() {
    for bytes in [
        simple("48656C6C6F", "/Encoding /WinAnsiEncoding"),
        simple("80E9FC", "/Encoding /WinAnsiEncoding"),
        simple("8E9F", "/Encoding /MacRomanEncoding"),
        simple("4142", "/Encoding << /Differences [65 /eacute /germandbls] >>"),
        simple("4142", ""),
        composite("000800050003", "Identity", "1 beginbfrange <0001> <0040> <0041> endbfrange"),
    ] {
        assert!(made(&bytes).is_whole().ink(TEXT) > 0.01);
    }
}

#[test]
fn a_font_that_does_not_identify_its_characters_is_reported() {
    made(&composite("00100011", "Identity", "")).tells(1, "doesn't say which characters");
    made(&simple("4142", "/Encoding << /Differences [65 /g12 /g13] >>")).tells(1, "doesn't say which characters");
}

#[test]
fn east_asian_text_is_reported_by_language() {
    for (ordering, language) in
        [("Japan1", "Japanese"), ("GB1", "Chinese (simplified)"), ("CNS1", "traditional"), ("Korea1", "Korean")]
    {
        made(&composite("04D204D3", ordering, "")).tells(1, language);
    }
}
