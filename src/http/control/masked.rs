//! JSON as the control API shows it: the passwords of URLs are masked, and the values of a repeated name are a list.

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

/// Returns parameters or headers as an object. A name with several values has a list of them.
pub(super) fn pairs(pairs: &[(String, String)]) -> Value {
    let mut fields = Map::new();
    for (name, value) in pairs {
        let value = Value::from(value.as_str());
        match fields.get_mut(name) {
            None => drop(fields.insert(name.clone(), value)),
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    fields.into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_with_several_values_has_a_list() {
        let headers = [("x-dup", "1"), ("x-dup", "2"), ("via", "a"), ("x-dup", "3")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(pairs(&headers), json!({ "x-dup": ["1", "2", "3"], "via": "a" }));
    }
}
