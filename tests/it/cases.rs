//! Tests one small document for each kind of fault found in real documents: the number of rows of each fax page at fine
//! quality, its ink (the percentage of black pels), and the losses reported. The other document tests cover more such
//! faults.

use std::fmt::Write;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use fauxfax::document::ccitt::{self, Stored};
use fauxfax::document::{self, Options};
use fauxfax::model::fax::Quality;
use fauxfax::model::page::FaxPage;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/documents/cases");

/// Returns the percentage of black pels.
fn ink(page: &FaxPage) -> f64 {
    let image = ccitt::decode(&page.mmr, Stored::Mmr, page.width, page.height).image;
    let row = |y| (0..image.width()).filter(|x| image.is_black(*x, y)).count();
    let black: usize = (0..image.height()).map(row).sum();
    black as f64 * 100.0 / f64::from(page.width) / f64::from(page.height)
}

/// Converts a document, and returns a line about its fax pages and losses, or the reason for which it is refused.
fn converted(path: &Path) -> String {
    let bytes = fs::read(path).expect("readable").into();
    let options = Options { quality: Some(Quality::Fine), ..Options::default() };
    let mut told = String::new();
    let read = document::pages(&bytes, &options, |page| {
        write!(told, " {} rows {:.1} %;", page.height, ink(&page)).expect("in memory");
        ControlFlow::Continue(())
    });
    match read {
        Ok(summary) => summary.losses.iter().for_each(|loss| write!(told, "\n    lost: {loss}").expect("in memory")),
        Err(unreadable) => write!(told, " refused: {}", unreadable.reason).expect("in memory"),
    }
    told
}

#[test]
fn each_kind_of_document_comes_out_right() {
    let entries = fs::read_dir(FOLDER).expect("the folder").map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<_> = entries.collect();
    paths.sort();
    let lines = paths.iter().map(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        format!("{name}:{}", converted(path))
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
}
