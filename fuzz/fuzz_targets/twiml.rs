//! Interprets any bytes as an app's TwiML or reports an error, without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = fauxfax::twiml::interpret(Some("text/xml"), bytes);
});
