//! Tests the pages of PDFs: their number, their size, and that a received fax keeps its pels when it is sent again.

use std::ops::ControlFlow;
use std::sync::Arc;

use fauxfax::document::{self, Options, file as files, sample};
use fauxfax::model::fax::{MediaType, Quality};
use fauxfax::model::page::FaxPage;

use crate::pdfs::{document, file, made, made_at, page, stream};

const CONTENT: &[u8] = b"10 10 100 100 re f";

/// Builds a PDF whose page tree has these kids and this count. Object 3 is a page, and `more` are the objects from number
/// 5 on.
fn tree(kids: &str, count: usize, more: &[&str]) -> Vec<u8> {
    let mut objects = vec![
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        format!("<< /Type /Pages /Kids [{kids}] /Count {count} /MediaBox [0 0 612 792] >>").into_bytes(),
        b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R >>".to_vec(),
        stream("", CONTENT),
    ];
    objects.extend(more.iter().map(|object| object.as_bytes().to_vec()));
    file(&objects)
}

#[test]
fn a_page_listed_repeatedly_counts_each_time() {
    for (kids, pages) in [("3 0 R 3 0 R", 2), ("3 0 R 3 0 R 3 0 R", 3), ("5 0 R 3 0 R 5 0 R", 5)] {
        let bytes = tree(kids, pages, &["<< /Type /Pages /Parent 2 0 R /Kids [3 0 R 3 0 R] /Count 2 >>"]);
        let made = made(&bytes);
        assert_eq!(made.is_whole().pages.len(), pages, "{kids}");
        assert_eq!(document::probe(&bytes.into()).expect("a document").pages as usize, pages);
        assert!((1..pages).all(|page| made.pages[page] == made.pages[0]));
    }
}

#[test]
fn a_count_that_differs_from_the_pages_is_reported() {
    for (kids, count, found) in [("3 0 R", 2, 1), ("3 0 R 9 0 R", 2, 1), ("3 0 R 3 0 R", 5, 2), ("3 0 R 3 0 R", 1, 2)] {
        let made = made(&tree(kids, count, &[]));
        made.tells(0, &format!("says that it has {count} pages, but {found}"));
        assert_eq!(made.pages.len(), found);
    }
}

#[test]
fn a_cyclic_page_tree_is_not_followed_endlessly() {
    let made = made(&tree("3 0 R 5 0 R 2 0 R", 2, &["<< /Type /Pages /Kids [2 0 R 5 0 R 3 0 R] /Count 1 >>"]));
    assert_eq!(made.pages.len(), 2);
}

#[test]
fn unusable_page_boxes_are_replaced_by_defaults_and_reported() {
    let rows_of = |entries: &str| {
        let leaf = format!("<< /Type /Page /Parent 2 0 R /Contents 4 0 R {entries} >>");
        let made = made(&document("", &leaf, stream("", CONTENT), &[]));
        assert!(made.black() > 1_000, "{entries}");
        (made.pages[0].height(), made)
    };
    for boxes in ["/MediaBox [0 0 0 0]", "/MediaBox [10 10 10 500]", "/MediaBox [0 0 612]", ""] {
        let (rows, made) = rows_of(boxes);
        assert_eq!(rows, 2_156, "{boxes}");
        made.tells(1, "letter size");
    }
    for crop in ["[0 0 0 0]", "[700 0 900 500]", "[0 900 612 1000]", "[5 5 5 5]"] {
        let (rows, made) = rows_of(&format!("/MediaBox [0 0 612 792] /CropBox {crop}"));
        assert_eq!(rows, 2_156, "{crop}");
        made.tells(1, "CropBox");
    }
    for fine in ["/MediaBox [612 792 0 0]", "/MediaBox [0 0 612 792] /CropBox [-10 -10 700 900]"] {
        let (rows, made) = rows_of(fine);
        made.is_whole();
        assert_eq!(rows, 2_156);
    }
}

#[test]
fn a_user_unit_scales_its_page() {
    for (unit, width, height) in [(2.0, 306, 396), (0.5, 1_224, 1_584), (4.0, 153, 198)] {
        let leaf = format!(
            "<< /Type /Page /Parent 2 0 R /Contents 4 0 R /MediaBox [0 0 {width} {height}] /UserUnit {unit} >>"
        );
        let content = format!("{} 0 0 {} re f", f64::from(width) / 2.0, f64::from(height) / 2.0);
        let content = content.replace(" 0 0 ", &format!(" 0 {} ", f64::from(width) / 2.0));
        let made = made(&document("", &leaf, stream("", content.as_bytes()), &[]));
        made.is_whole();
        assert_eq!(made.pages[0].height(), 2_156, "{unit}");
        assert!(made.ink([320.0, 10.0, 600.0, 380.0]) > 0.99, "{unit}");
        assert!(made.ink([10.0, 10.0, 290.0, 780.0]) < 1e-9, "{unit}");
    }
    for unit in ["0", "-2", "(two)"] {
        let entries = format!("/UserUnit {unit}");
        assert_eq!(made(&page(&entries, stream("", CONTENT), &[])).pages[0].height(), 2_156);
    }
}

#[test]
fn a_fax_sent_again_keeps_every_pel_at_every_quality() {
    for quality in Quality::ALL.iter().copied() {
        let options = Options { quality: Some(quality), ..Options::default() };
        let faxed = |bytes: &Arc<[u8]>| {
            let mut pages = Vec::new();
            document::pages(bytes, &options, |page| {
                pages.push(page);
                ControlFlow::Continue(())
            })
            .expect("a document");
            pages
        };
        let letter: Arc<[u8]> = sample::test_pages(2).into();
        let first = faxed(&letter);
        let file = files::document(&first, MediaType::Pdf, &[]);
        let again = faxed(&Arc::clone(&file.bytes));
        // The file holds only pictures, so the text isn't known any more.
        assert!(again.iter().all(|page| page.text.is_none()), "{quality}");
        let first: Vec<_> = first.into_iter().map(|page| FaxPage { text: None, ..page }).collect();
        assert_eq!(first, again, "{quality}");
        assert_eq!(made_at(&file.bytes, quality).is_whole().pages.len(), first.len());
    }
}
