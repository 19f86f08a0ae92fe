//! Tests greys on PDF pages: a grey is drawn the same whatever else the page shows, and only scanned paper becomes white.

use std::io::Write;
use std::ops::ControlFlow;

use fauxfax::document::bitmap::Bitmap;
use fauxfax::document::ccitt::{self, Stored};
use fauxfax::document::{self, Options};
use fauxfax::model::fax::Quality;
use fauxfax::model::hex;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use pdf_writer::types::BlendMode;
use pdf_writer::writers::ExtGraphicsState;
use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str};

/// Builds a letter-size page with this content, a grey image named X, the font F, and the graphics states Half and Times.
fn pdf(content: &[u8], size: (i32, i32), pels: &[u8]) -> Vec<u8> {
    coded(content, size, pels, &[])
}

/// Like [`pdf`], but with image data that are coded for these filters.
fn coded(content: &[u8], (columns, rows): (i32, i32), data: &[u8], filters: &[&[u8]]) -> Vec<u8> {
    let [catalog, tree, page, stream, image, font] = [1, 2, 3, 4, 5, 6].map(Ref::new);
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(tree);
    pdf.pages(tree).kids([page]).count(1);
    let mut dictionary = pdf.page(page);
    dictionary.media_box(Rect::new(0.0, 0.0, 612.0, 792.0)).parent(tree).contents(stream);
    let mut resources = dictionary.resources();
    resources.x_objects().pair(Name(b"X"), image);
    resources.fonts().pair(Name(b"F"), font);
    let mut states = resources.ext_g_states();
    states.insert(Name(b"Half")).start::<ExtGraphicsState<'_>>().non_stroking_alpha(0.5);
    states.insert(Name(b"Times")).start::<ExtGraphicsState<'_>>().blend_mode(BlendMode::Multiply);
    states.finish();
    resources.finish();
    dictionary.finish();
    pdf.type1_font(font).base_font(Name(b"Helvetica"));
    pdf.stream(stream, content);
    let mut object = pdf.image_xobject(image, data);
    object.insert(Name(b"Filter")).array().items(filters.iter().map(|filter| Name(filter)));
    object.width(columns).height(rows).bits_per_component(8).color_space().device_gray();
    object.finish();
    pdf.finish()
}

fn page(document: &[u8], quality: Quality) -> Bitmap {
    let options = Options { quality: Some(quality), ..Options::default() };
    let mut made = None;
    let summary = document::pages(&document.into(), &options, |page| {
        made = Some(ccitt::decode(&page.mmr, Stored::Mmr, page.width, page.height).image);
        ControlFlow::Continue(())
    });
    assert_eq!(summary.expect("a page").losses, []);
    made.expect("a page")
}

/// Returns the share of black pels in a rectangle of a letter-size page, given in points from the lower left corner.
fn ink(page: &Bitmap, [left, bottom, right, top]: [f64; 4]) -> f64 {
    // At 204 pels per inch, a letter-size page is 1,734 pels wide: a fax page lacks 3 of them on either side.
    let across = |points: f64| ((points / 72.0 * 204.0) as u32).saturating_sub(3);
    let down = |points: f64| ((792.0 - points) / 792.0 * f64::from(page.height())) as u32;
    let (columns, rows) = (across(left)..across(right), down(top)..down(bottom));
    let all = columns.len() * rows.len();
    let black = rows.flat_map(|y| columns.clone().map(move |x| (x, y))).filter(|(x, y)| page.is_black(*x, *y)).count();
    black as f64 / all as f64
}

const BOX: [f64; 4] = [100.0, 100.0, 500.0, 500.0];

#[test]
fn a_grey_prints_the_same_dots_whether_or_not_the_page_has_a_small_image() {
    for gray in [0.5, 0.8, 0.9] {
        let mut content = Content::new();
        content.set_fill_gray(gray).rect(100.0, 100.0, 400.0, 400.0).fill_nonzero();
        let alone = content.finish().to_vec();
        let both = [&alone[..], b"\nq 60 0 0 60 30 700 cm /X Do Q"].concat();
        let photograph: Vec<u8> = (0..30 * 30).map(|at| (at * 7 % 200) as u8).collect();
        for quality in Quality::ALL {
            let alone = page(&pdf(&alone, (30, 30), &photograph), *quality);
            let both = page(&pdf(&both, (30, 30), &photograph), *quality);
            let dots = ink(&alone, BOX);
            assert!((dots - f64::from(1.0 - gray)).abs() < 0.03, "{gray} {quality}: {dots}");
            let below = alone.height() / 4..alone.height();
            assert!(below.clone().all(|y| alone.row(y) == both.row(y)), "{gray} {quality}");
            assert!(ink(&both, [32.0, 702.0, 88.0, 758.0]) > 0.3, "the image is there");
        }
    }
}

/// Returns whether two pages are the same outside the pels that a rectangle, given in points, touches.
fn are_same_outside(one: &Bitmap, two: &Bitmap, [left, bottom, right, top]: [f64; 4]) -> bool {
    let across = |points: f64| points / 72.0 * 204.0 - 3.0;
    let down = |points: f64| (792.0 - points) / 792.0 * f64::from(one.height());
    let is_inside = |x: u32, y: u32| {
        let (x, y) = (f64::from(x), f64::from(y));
        x + 1.0 > across(left) && x < across(right) && y + 1.0 > down(top) && y < down(bottom)
    };
    let differs = |x: u32, y: u32| one.is_black(x, y) != two.is_black(x, y);
    let is_same = |y: u32| one.row(y) == two.row(y) || (0..one.width()).all(|x| is_inside(x, y) || !differs(x, y));
    (0..one.height()).all(is_same)
}

/// Builds the content of a page: a tint, grey letters across it, and black letters on top.
fn watermark(tint: f32, letters: f32) -> Vec<u8> {
    let mut content = Content::new();
    content.set_fill_gray(tint).rect(0.0, 100.0, 612.0, 600.0).fill_nonzero();
    content.begin_text().set_fill_gray(letters).set_font(Name(b"F"), 120.0).next_line(100.0, 350.0);
    content.show(Str(b"COPY")).end_text();
    content.begin_text().set_fill_gray(0.0).set_font(Name(b"F"), 12.0).next_line(72.0, 600.0);
    content.show(Str(b"Black text on a light grey form.")).end_text();
    content.finish().to_vec()
}

#[test]
fn a_small_image_changes_its_page_only_where_the_image_is() {
    let photograph: Vec<u8> = (0..32 * 32).map(|at| (at * 7 % 200) as u8).collect();
    let all = Quality::ALL;
    for (tint, letters, image, place, qualities) in [
        // Images next to the tint, within it, and over letters.
        (0.85, 0.55, "60 0 0 60 500 710 cm /X Do", [500.0, 710.0, 560.0, 770.0], all),
        (0.7, 0.4, "101.3 0 0 40.7 33.3 150.9 cm /X Do", [33.3, 150.9, 134.6, 191.6], &[Quality::Fine]),
        (0.9, 0.6, "90 0 0 90 130.2 380.4 cm /X Do", [130.2, 380.4, 220.2, 470.4], &[Quality::Superfine]),
        // Images that are rotated, upside down, clipped, half transparent, multiplied, or a stencil.
        (0.8, 0.5, "0 -80.5 60.1 0 300 690 cm /X Do", [300.0, 609.5, 360.1, 690.0], &[Quality::Standard]),
        (0.85, 0.5, "50 30 -30 50 400.5 200.5 cm /X Do", [370.5, 200.5, 450.5, 280.5], &[Quality::Fine]),
        (
            0.75,
            0.5,
            "200 200 40.5 30.2 re W n 300 0 0 300 150 150 cm /X Do",
            [200.0, 200.0, 240.5, 230.2],
            &[Quality::Superfine],
        ),
        (0.85, 0.5, "/Half gs 60 0 0 60 200 400 cm /X Do", [200.0, 400.0, 260.0, 460.0], &[Quality::Standard]),
        (0.85, 0.5, "/Times gs 60 0 0 60 200 400 cm /X Do", [200.0, 400.0, 260.0, 460.0], &[Quality::Fine]),
        (
            0.6,
            0.3,
            "60 0 0 60 500 300 cm BI /W 8 /H 2 /IM true /BPC 1 ID \u{55}\u{2a} EI",
            [500.0, 300.0, 560.0, 360.0],
            &[Quality::Superfine],
        ),
    ] {
        let alone = watermark(tint, letters);
        let both = [&alone[..], b"\nq ", image.as_bytes(), b" Q"].concat();
        for quality in qualities {
            let alone = page(&pdf(&alone, (32, 32), &photograph), *quality);
            let both = page(&pdf(&both, (32, 32), &photograph), *quality);
            let dots = ink(&alone, [10.0, 200.0, 90.0, 300.0]);
            assert!((dots - f64::from(1.0 - tint)).abs() < 0.03, "{tint} {quality}: {dots}");
            assert!(are_same_outside(&alone, &both, place), "{image} {quality}");
            assert!(!are_same_outside(&alone, &both, [0.0; 4]), "{image} {quality}: the image is there");
        }
    }
}

#[test]
fn content_under_a_small_image_is_hidden_and_content_over_it_is_visible() {
    let gray = vec![200_u8; 32 * 32];
    let text = |y: u32| format!("BT 0 g /F 40 Tf 100 {y} Td (HHHHHHHHHH) Tj ET\n");
    let over = "q 100 0 0 200 150 200 cm /X Do Q 120 280 160 0.01 re f\n";
    let content = [text(310), over.to_owned(), text(220)].concat();
    for quality in Quality::ALL {
        let page = page(&pdf(content.as_bytes(), (32, 32), &gray), *quality);
        let (outside, hidden, seen) = (
            ink(&page, [260.0, 310.0, 380.0, 338.0]),
            ink(&page, [155.0, 310.0, 245.0, 338.0]),
            ink(&page, [155.0, 220.0, 245.0, 248.0]),
        );
        assert!((hidden - 0.2).abs() < 0.04, "{quality}: {hidden}");
        assert!(outside > 0.25 && seen > outside, "{quality}: {outside} {seen}");
        let rule = |y: u32| (350..700).all(|x| page.is_black(x, y));
        assert!((0..page.height()).any(rule), "{quality}: the line over the image");
    }
}

/// Returns a noise generator that yields the same numbers in each run.
fn noise() -> impl FnMut(u32) -> u32 {
    let mut state = 7_u32;
    move |below| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % below
    }
}

/// Returns a scan of a sheet of paper with lines of strokes, in 425 × 550 pels.
fn scan() -> Vec<u8> {
    let mut noise = noise();
    let is_ink = |x: u32, y: u32| y % 14 < 6 && x % 5 < 2 && (40..385).contains(&x) && (40..500).contains(&y);
    (0..425 * 550).map(|at| if is_ink(at % 425, at / 425) { 50 } else { (205 + noise(15)) as u8 }).collect()
}

#[test]
fn paper_becomes_white_only_if_its_image_covers_most_of_the_page() {
    let scan = scan();
    for (content, is_whitened) in [
        (&b"q 612 0 0 792 0 0 cm /X Do Q"[..], true),
        // The scan has margins, but covers most of the page. Then it covers a quarter of the page.
        (b"q 560 0 0 720 26 36 cm /X Do Q", true),
        (b"q 300 0 0 388 150 200 cm /X Do Q", false),
    ] {
        for quality in Quality::ALL {
            let page = page(&pdf(content, (425, 550), &scan), *quality);
            // Only paper lies between the lowest line and the lower edge.
            let paper = match (is_whitened, content.starts_with(b"q 300")) {
                (_, true) => [160.0, 205.0, 440.0, 225.0],
                _ => [60.0, 45.0, 550.0, 60.0],
            };
            let dots = ink(&page, paper);
            assert_eq!(dots < 0.02, is_whitened, "{quality}: {dots}");
            assert!(!is_whitened || ink(&page, [100.0, 200.0, 500.0, 600.0]) > 0.1);
        }
    }
}

#[test]
fn a_photograph_keeps_its_ink_at_every_quality() {
    let mut noise = noise();
    let tones: Vec<u8> = (0..425 * 550_u32)
        .map(|at| {
            let (x, y) = (f64::from(at % 425), f64::from(at / 425));
            let tone = 150.0 + 90.0 * (x / 60.0).sin() * (y / 80.0).cos() + f64::from(noise(41)) - 20.0;
            tone.clamp(0.0, 255.0) as u8
        })
        .collect();
    let mean = 1.0 - tones.iter().map(|tone| f64::from(*tone)).sum::<f64>() / tones.len() as f64 / 255.0;
    for content in [&b"q 612 0 0 792 0 0 cm /X Do Q"[..], b"q 300 0 0 388 150 200 cm /X Do Q"] {
        for quality in Quality::ALL {
            let page = page(&pdf(content, (425, 550), &tones), *quality);
            let part =
                if content.starts_with(b"q 300") { [150.0, 200.0, 450.0, 588.0] } else { [0.0, 0.0, 612.0, 792.0] };
            let dots = ink(&page, part);
            assert!((dots - mean).abs() < 0.05, "{quality}: {dots} of {mean}");
        }
    }
}

#[test]
fn an_image_with_long_data_prints_the_same_dots_however_they_are_coded() {
    const SIDE: i32 = 700;
    let mut state = 1_u32;
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 24
    };
    let pels: Vec<u8> = (0..SIDE * SIDE).map(|at| ((at / SIDE / 4) as u32 + random() / 4) as u8).collect();
    let mut deflated = ZlibEncoder::new(Vec::new(), Compression::fast());
    deflated.write_all(&pels).expect("in memory");
    let deflated = deflated.finish().expect("in memory");
    let hex = hex::encode(&deflated).into_bytes();
    let content = b"q 400 0 0 400 100 100 cm /X Do Q";
    let plain = page(&pdf(content, (SIDE, SIDE), &pels), Quality::Fine);
    assert!(ink(&plain, BOX) > 0.2);
    let one = page(&coded(content, (SIDE, SIDE), &deflated, &[b"FlateDecode"]), Quality::Fine);
    let both = page(&coded(content, (SIDE, SIDE), &hex, &[b"ASCIIHexDecode", b"FlateDecode"]), Quality::Fine);
    assert!(one == plain && both == plain);
}

/// The image has more bytes than the 48 MiB that the emulator keeps of a page's content. It is coded with one filter, then
/// with two.
#[test]
fn a_large_image_is_complete_however_its_data_are_coded() {
    const SIDE: i32 = 7_200;
    let mut state = 1_u32;
    let mut pels = vec![90_u8; (SIDE * SIDE) as usize];
    // Only data of 256 KiB or more when coded are decoded before the page is drawn, so some of the pels are random.
    for pel in &mut pels[..400_000] {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *pel = (state >> 24) as u8;
    }
    let mut deflated = ZlibEncoder::new(Vec::new(), Compression::fast());
    deflated.write_all(&pels).expect("in memory");
    let deflated = deflated.finish().expect("in memory");
    let hex = hex::encode(&deflated).into_bytes();
    let content = b"q 400 0 0 400 100 100 cm /X Do Q";
    for (data, filters) in [(&deflated, &[&b"FlateDecode"[..]][..]), (&hex, &[b"ASCIIHexDecode", b"FlateDecode"])] {
        let dark = ink(&page(&coded(content, (SIDE, SIDE), data, filters), Quality::Standard), BOX);
        assert!(dark > 0.2, "{dark}");
    }
}
