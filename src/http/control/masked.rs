//! JSON without secrets, as the control API shows it.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::dialect::mask;

/// Masks the passwords of all URLs in a value: in parameters, in an app's TwiML and in error messages.
pub(super) fn without_passwords(value: Value) -> Value {
    match value {
        Value::String(text) => match mask::passwords(&text) {
            Cow::Borrowed(_) => Value::String(text),
            Cow::Owned(masked) => Value::String(masked),
        },
        Value::Array(values) => values.into_iter().map(without_passwords).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, without_passwords(value))).collect(),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => other,
    }
}

/// Returns parameters or headers as an object.
pub(super) fn pairs(pairs: &[(String, String)]) -> Value {
    pairs.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect::<Map<_, _>>().into()
}
