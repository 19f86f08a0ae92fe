//! Reads any bytes as a PDF, and mends, draws and encodes its first pages, without a panic.
#![no_main]

use std::ops::ControlFlow;
use std::sync::Arc;

use fauxfax::document::{self, Options};
use fauxfax::model::fax::Quality;
use libfuzzer_sys::fuzz_target;

/// The number of pages after which the conversion stops.
const PAGES: usize = 3;

fuzz_target!(|bytes: &[u8]| {
    let mut pdf = bytes.to_vec();
    if !pdf.starts_with(b"%PDF-") {
        pdf.splice(0..0, *b"%PDF-1.7\n");
    }
    let pdf: Arc<[u8]> = pdf.into();
    let options = Options { quality: Some(Quality::Standard), ..Options::default() };
    let mut made = 0;
    let _ = document::pages(&pdf, &options, |_| {
        made += 1;
        if made < PAGES { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
});
