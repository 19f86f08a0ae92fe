//! Reads JSON and deserializes types from it, with readable errors that say which field is wrong and why. Duplicate
//! fields are refused too.

use std::cell::RefCell;
use std::fmt::{self, Display};

use serde::de::{DeserializeSeed, Deserializer, Error, Expected, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};
use serde_json::{Map, Value};

use crate::model::field_words;

/// A field that is invalid, unknown, missing or given twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The path of the field, such as `match.pages`; for an unknown field, the path of the object that contains it.
    /// Empty if the error concerns the whole value.
    pub place: String,
    /// What is wrong with the field; for an invalid one, this includes the expected and the actual value.
    pub reason: String,
    /// Whether the error is an unknown field name.
    pub is_unknown: bool,
}

/// The reason that a string could not be parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParseError {
    /// The input is not JSON; the string is the parser's message, which names the line and column.
    NoJson(String),
    /// A field of an object occurs twice.
    Twice(FieldError),
}

impl Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoJson(why) => write!(f, "this is not JSON: {why}"),
            Self::Twice(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ParseError {}

/// Parses JSON. A duplicate field is an error, because one of its values would be lost.
///
/// # Errors
/// Returns the first error in the input.
pub fn parse(text: &[u8]) -> Result<Value, ParseError> {
    let twice = RefCell::new(None);
    let mut source = serde_json::Deserializer::from_slice(text);
    let parsed = Unique { twice: &twice }.deserialize(&mut source).and_then(|value| source.end().map(|()| value));
    parsed.map_err(|error| twice.take().map_or_else(|| ParseError::NoJson(error.to_string()), ParseError::Twice))
}

/// Deserializes a value. For an optional field, null means the same as absence.
///
/// # Errors
/// Returns the first invalid field.
pub fn read<'a, T: Deserialize<'a>>(value: &'a Value) -> Result<T, FieldError> {
    T::deserialize(Node(value))
}

impl FieldError {
    /// Returns the error for a duplicate field.
    #[must_use]
    pub fn twice(name: &str) -> Self {
        Self::custom("is given twice; give it once").within(name)
    }

    /// Prefixes the error's path with the name of an enclosing field.
    #[must_use]
    pub fn within(self, name: &str) -> Self {
        // An index such as `[0]` follows the name of its list without a dot.
        let separator = if self.place.is_empty() || self.place.starts_with('[') { "" } else { "." };
        Self { place: format!("{name}{separator}{}", self.place), ..self }
    }
}

impl Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A top-level value has no path.
        if self.place.is_empty() { f.write_str(&self.reason) } else { write!(f, "{}: {}", self.place, self.reason) }
    }
}

impl std::error::Error for FieldError {}

impl Error for FieldError {
    fn custom<T: Display>(reason: T) -> Self {
        Self { place: String::new(), reason: reason.to_string(), is_unknown: false }
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format!("must be {}, not {}", field_words::expected(&expected.to_string()), shown(&unexpected)))
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Self { is_unknown: true, ..Self::custom(field_words::unknown(field, known)) }
    }

    fn unknown_variant(word: &str, known: &'static [&'static str]) -> Self {
        Self::custom(format!("must be one of {}, not {word:?}", known.join(", ")))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::twice(field)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::custom("is required").within(field)
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "serde's enum; JSON never produces the other variants")]
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

/// A deserializer for one value.
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
                // `as_f64` returns `None` only with serde_json's feature `arbitrary_precision`, which is off.
                (None, None, number) => visitor.visit_f64(number.unwrap_or(f64::NAN)),
            },
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(items) => visitor.visit_seq(Items { items: items.iter().enumerate() }),
            Value::Object(fields) => visitor.visit_map(Members { fields: fields.iter(), next: None }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        // Serde would accept a list of the fields' values for a struct, which nobody writes on purpose.
        if self.0.is_array() {
            return Err(FieldError::invalid_type(Unexpected::Seq, &visitor));
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, FieldError> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map enum identifier ignored_any
    }
}

/// A deserializer for the items of a list.
struct Items<'a> {
    items: std::iter::Enumerate<std::slice::Iter<'a, Value>>,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = FieldError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, FieldError> {
        let Some((at, item)) = self.items.next() else { return Ok(None) };
        seed.deserialize(Node(item)).map(Some).map_err(|error| error.within(&format!("[{at}]")))
    }
}

/// A deserializer for the members of an object.
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
        // Never happens, because serde reads a name before each value.
        let Some((name, value)) = self.next.take() else { return Err(Error::custom("a value without a name")) };
        seed.deserialize(Node(value)).map_err(|error| error.within(name))
    }
}

/// A seed that deserializes any JSON value but refuses duplicate fields.
#[derive(Clone, Copy)]
struct Unique<'a> {
    /// The duplicate field, if one was found. It is kept here because serde_json's errors can only carry a string.
    twice: &'a RefCell<Option<FieldError>>,
}

impl Unique<'_> {
    /// Prefixes the path of the duplicate field, if there is one, with the name of an enclosing field.
    fn within(self, name: &str) {
        let error = self.twice.take();
        self.twice.replace(error.map(|error| error.within(name)));
    }
}

impl<'de> DeserializeSeed<'de> for Unique<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unique<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) =
            items.next_element_seed(self).inspect_err(|_| self.within(&format!("[{}]", list.len())))?
        {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                self.twice.replace(Some(FieldError::twice(&name)));
                // `parse` reports the error in `twice` instead of this one.
                return Err(A::Error::custom("a field is given twice"));
            }
            let value = members.next_value_seed(self).inspect_err(|_| self.within(&name))?;
            object.insert(name, value);
        }
        Ok(object.into())
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
        #[serde(default)]
        list: Vec<Inner>,
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
    fn present_fields_are_read_and_null_means_absent() {
        let whole = json!({ "inner": { "name": "x", "likely": 1, "is_on": null }, "count": 3 });
        let inner = Inner { name: Some("x".to_owned()), likely: Some(1.0), is_on: None };
        assert_eq!(read(&whole), Ok(Outer { inner: Some(inner), count: 3, list: vec![] }));
        assert_eq!(read(&json!({ "inner": null, "count": 0 })), Ok(Outer { inner: None, count: 0, list: vec![] }));
    }

    #[test]
    fn an_error_says_which_field_is_wrong_and_why() {
        for (value, error) in [
            (json!({ "inner": { "name": 5 }, "count": 0 }), "inner.name: must be a string, not 5"),
            (json!({ "inner": { "is_on": "yes" } }), "inner.is_on: must be true or false, not \"yes\""),
            (json!({ "inner": { "likely": {} } }), "inner.likely: must be a number, not an object"),
            (json!({ "inner": ["x"] }), "inner: must be an object with name, not a list"),
            (json!({ "count": -1 }), "count: must be a whole number from 0 to 4294967295, not -1"),
            (json!({ "count": null }), "count: must be a whole number from 0 to 4294967295, not null"),
            (
                json!({ "count": 5_000_000_000_u64 }),
                "count: must be a whole number from 0 to 4294967295, not 5000000000",
            ),
            (json!({ "list": 1, "count": 0 }), "list: must be a list, not 1"),
            (json!({ "list": [{}, { "name": [] }], "count": 0 }), "list[1].name: must be a string, not a list"),
            (json!({ "inner": { "nmae": "x" } }), "inner: unknown field \"nmae\"; did you mean name?"),
            (json!({ "zzz": 1 }), "unknown field \"zzz\"; the valid fields are inner, count, list"),
            (json!({}), "count: is required"),
            (json!("x"), "must be an object, not \"x\""),
        ] {
            assert_eq!(refused(&value), error);
        }
    }

    #[test]
    fn json_is_parsed_unchanged_and_a_duplicate_field_is_refused_with_its_path() {
        let text = r#"{"a":[1,-2,2.5,"x",null,true,{"b":{}}],"c":{"a":1}}"#;
        assert_eq!(parse(text.as_bytes()).expect("JSON").to_string(), text);
        for (text, error) in [
            (r#"{"a":1,"a":1}"#, "a: is given twice; give it once"),
            (r#"{"x":[0,{"y":{"a":1,"b":2,"a":3}}]}"#, "x[1].y.a: is given twice; give it once"),
            ("{", "this is not JSON: EOF while parsing an object at line 1 column 1"),
            ("{} x", "this is not JSON: trailing characters at line 1 column 4"),
        ] {
            assert_eq!(parse(text.as_bytes()).expect_err(text).to_string(), error);
        }
    }
}
