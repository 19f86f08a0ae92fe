//! Recognises any bytes as a document, or refuses them, without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = fauxfax::document::probe(&bytes.into());
});
