//! Parses any bytes as a form and as a rule without a panic, and checks that the form's `To` and the rule stay the same
//! when they are written and parsed again.
#![no_main]

use fauxfax::dialect::form::{self, Form};
use fauxfax::dialect::rule;
use fauxfax::model::account::Dialect;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(form) = Form::parse(bytes) {
        let pairs = vec![("To".to_owned(), form.get("To").unwrap_or_default().to_owned())];
        let again = Form::parse(form::encode(&pairs).as_bytes()).expect("an encoded form can be parsed");
        assert_eq!(again.get("To").unwrap_or_default(), pairs[0].1);
    }
    if let Ok(value) = serde_json::from_slice(bytes) {
        for dialect in Dialect::ALL.iter().copied() {
            if let Ok(rule) = rule::parse(&value, dialect) {
                assert_eq!(rule::parse(&rule::json(&rule), dialect).as_ref(), Ok(&rule));
            }
        }
    }
});
