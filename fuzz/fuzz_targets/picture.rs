//! Converts any bytes that begin like a PNG or JPEG to fax pages and a file, or refuses them, without a panic.
#![no_main]

use std::ops::ControlFlow;

use fauxfax::document::{self, Kind, Options, file};
use fauxfax::model::fax::{MediaType, Quality};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if !matches!(document::kind(bytes), Ok(Kind::Png | Kind::Jpeg)) {
        return;
    }
    let options = Options { quality: Some(Quality::Standard), ..Options::default() };
    let mut pages = Vec::new();
    let made = document::pages(&bytes.into(), &options, |page| {
        pages.push(page);
        ControlFlow::Continue(())
    });
    if let Ok(summary) = made {
        assert!(!pages.is_empty() && summary.document_pages > 0);
        let _ = file::document(&pages, MediaType::Pdf, &summary.losses);
    }
});
