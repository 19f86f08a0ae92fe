//! Deserializes a type from JSON, with errors written for people: where the field is, what it must be and what it is
//! instead.

use std::fmt::{self, Display};

use serde::de::{DeserializeSeed, Deserializer, Error, Expected, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};
use serde_json::Value;

/// How similar an unknown word must be to a valid one for the valid one to be suggested (Jaro-Winkler, 0 to 1).
const LIKENESS_MIN: f64 = 0.75;

/// An invalid field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The path of the field, such as `match.pages`; empty for the whole value.
    pub place: String,
    /// What the field must be and what it is instead.
    pub reason: String,
}

/// Reads a value. For an optional field, null is the same as absence.
///
/// # Errors
/// Returns the first invalid field.
pub fn read<'a, T: Deserialize<'a>>(value: &'a Value) -> Result<T, FieldError> {
    T::deserialize(Node(value))
}

impl FieldError {
    /// Prefixes the error's path with the name of an enclosing field.
    fn within(self, name: &str) -> Self {
        let place = if self.place.is_empty() { name.to_owned() } else { format!("{name}.{}", self.place) };
        Self { place, ..self }
    }
}

impl Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)
    }
}

impl std::error::Error for FieldError {}

impl Error for FieldError {
    fn custom<T: Display>(reason: T) -> Self {
        Self { place: String::new(), reason: reason.to_string() }
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format!("{}, not {}", in_words(&expected.to_string()), shown(&unexpected)))
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        let likeness = |word: &&&str| strsim::jaro_winkler(field, word);
        let near = known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        let advice = near.filter(|near| likeness(near) >= LIKENESS_MIN).map_or_else(
            || format!("the fields there are {}", known.join(", ")),
            |near| format!("did you mean {near}?"),
        );
        Self::custom(format!("unknown field {field:?}; {advice}"))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::custom("is required").within(field)
    }
}

/// Translates serde's names of Rust types to JSON's terms.
fn in_words(expected: &str) -> &str {
    match expected {
        "a string" => "a text",
        "a boolean" => "true or false",
        "f64" => "a number",
        "u32" | "u64" => "a whole number from 0",
        other => other,
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "an enum of serde; JSON has no others of its values")]
fn shown(unexpected: &Unexpected<'_>) -> String {
    match unexpected {
        Unexpected::Bool(value) => value.to_string(),
        Unexpected::Unsigned(number) => number.to_string(),
        Unexpected::Signed(number) => number.to_string(),
        Unexpected::Float(number) => format!("{number:?}"),
        Unexpected::Str(text) => format!("{text:?}"),
        Unexpected::Unit => "null".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "an object".to_owned(),
        other => other.to_string(),
    }
}

/// The deserializer of one value.
struct Node<'a>(&'a Value);

impl<'de> Deserializer<'de> for Node<'de> {
    type Error = FieldError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(number), ..) => visitor.visit_u64(number),
                (None, Some(number), _) => visitor.visit_i64(number),
                (None, None, number) => visitor.visit_f64(number.unwrap_or(f64::NAN)),
            },
            Value::String(text) => visitor.visit_borrowed_str(text),
            // Serde would accept a list of field values in place of a struct, which nobody writes on purpose.
            Value::Array(_) => Err(FieldError::invalid_type(Unexpected::Seq, &visitor)),
            Value::Object(fields) => visitor.visit_map(Members { fields: fields.iter(), next: None }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, FieldError> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

/// The deserializer of an object's members.
struct Members<'a> {
    fields: serde_json::map::Iter<'a>,
    /// The member whose name was read last and whose value comes next.
    next: Option<(&'a str, &'a Value)>,
}

impl<'de> MapAccess<'de> for Members<'de> {
    type Error = FieldError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, FieldError> {
        self.next = self.fields.next().map(|(name, value)| (name.as_str(), value));
        let Some((name, _)) = self.next else { return Ok(None) };
        seed.deserialize(serde::de::value::BorrowedStrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, FieldError> {
        let Some((name, value)) = self.next.take() else { return Err(Error::custom("a value without a name")) };
        seed.deserialize(Node(value)).map_err(|error| error.within(name))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, expecting = "an object")]
    struct Outer {
        inner: Option<Inner>,
        count: u32,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, expecting = "an object with name")]
    struct Inner {
        name: Option<String>,
        likely: Option<f64>,
        is_on: Option<bool>,
    }

    fn refused(value: &Value) -> String {
        read::<Outer>(value).expect_err("refused").to_string()
    }

    #[test]
    fn what_is_there_is_read_and_null_is_as_good_as_absent() {
        let whole = json!({ "inner": { "name": "x", "likely": 1, "is_on": null }, "count": 3 });
        let inner = Inner { name: Some("x".to_owned()), likely: Some(1.0), is_on: None };
        assert_eq!(read(&whole), Ok(Outer { inner: Some(inner), count: 3 }));
        assert_eq!(read(&json!({ "inner": null, "count": 0 })), Ok(Outer { inner: None, count: 0 }));
    }

    #[test]
    fn an_error_has_its_place_what_is_wanted_and_what_is_there() {
        for (value, error) in [
            (json!({ "inner": { "name": 5 }, "count": 0 }), "inner.name: a text, not 5"),
            (json!({ "inner": { "is_on": "yes" } }), "inner.is_on: true or false, not \"yes\""),
            (json!({ "inner": { "likely": {} } }), "inner.likely: a number, not an object"),
            (json!({ "inner": ["x"] }), "inner: an object with name, not a list"),
            (json!({ "count": -1 }), "count: a whole number from 0, not -1"),
            (json!({ "count": null }), "count: a whole number from 0, not null"),
            (json!({ "inner": { "nmae": "x" } }), "inner: unknown field \"nmae\"; did you mean name?"),
            (json!({ "zzz": 1 }), ": unknown field \"zzz\"; the fields there are inner, count"),
            (json!({}), "count: is required"),
            (json!("x"), ": an object, not \"x\""),
        ] {
            assert_eq!(refused(&value), error);
        }
    }
}
