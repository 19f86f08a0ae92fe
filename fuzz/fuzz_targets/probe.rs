//! Any bytes as a document: recognised or refused, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = fauxfax::document::probe(&bytes.into());
});
