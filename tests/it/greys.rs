//! Greys of PDF pages: the same whatever else is on the page, and paper made white only where it is scanned paper.

use std::ops::ControlFlow;

use fauxfax::document::bitmap::Bitmap;
use fauxfax::document::ccitt::{self, Stored};
use fauxfax::document::{self, Options};
use fauxfax::model::fax::Quality;
use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref};

/// A letter page with this content and a grey image named X.
fn pdf(content: &[u8], (columns, rows): (i32, i32), pels: &[u8]) -> Vec<u8> {
    let [catalog, tree, page, stream, image] = [1, 2, 3, 4, 5].map(Ref::new);
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(tree);
    pdf.pages(tree).kids([page]).count(1);
    let mut dictionary = pdf.page(page);
    dictionary.media_box(Rect::new(0.0, 0.0, 612.0, 792.0)).parent(tree).contents(stream);
    dictionary.resources().x_objects().pair(Name(b"X"), image);
    dictionary.finish();
    pdf.stream(stream, content);
    let mut object = pdf.image_xobject(image, pels);
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

/// The ink of a part of a letter page, given in points from its lower left corner.
fn ink(page: &Bitmap, [left, bottom, right, top]: [f64; 4]) -> f64 {
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

/// Noise that is the same in each run.
fn noise() -> impl FnMut(u32) -> u32 {
    let mut state = 7_u32;
    move |below| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % below
    }
}

/// A sheet of paper with lines of strokes, as a scanner sees it, of 425 × 550 pels.
fn scan() -> Vec<u8> {
    let mut noise = noise();
    let is_ink = |x: u32, y: u32| y % 14 < 6 && x % 5 < 2 && (40..385).contains(&x) && (40..500).contains(&y);
    (0..425 * 550).map(|at| if is_ink(at % 425, at / 425) { 50 } else { (205 + noise(15)) as u8 }).collect()
}

#[test]
fn paper_is_made_white_where_an_image_of_it_covers_most_of_the_page_and_nowhere_else() {
    let scan = scan();
    for (content, is_whitened) in [
        (&b"q 612 0 0 792 0 0 cm /X Do Q"[..], true),
        // Placed with margins, and askew.
        (b"q 560 0 0 720 26 36 cm /X Do Q", true),
        (b"q 300 0 0 388 150 200 cm /X Do Q", false),
    ] {
        for quality in Quality::ALL {
            let page = page(&pdf(content, (425, 550), &scan), *quality);
            // Between the lowest line and the lower edge there is paper alone.
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
