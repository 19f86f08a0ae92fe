//! Deserializes a type from a URL's query, with errors like those for JSON. All values in a query are strings, so
//! numbers and booleans are parsed from strings.

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;

use super::form::Form;
use super::json::FieldError;

/// Deserializes a type from a query in which each parameter occurs at most once.
///
/// # Errors
/// Returns the first invalid parameter.
pub fn read<T: DeserializeOwned>(query: &Form) -> Result<T, FieldError> {
    T::deserialize(Parameters(query))
}

/// A deserializer for a whole query.
struct Parameters<'a>(&'a Form);

impl<'de> Deserializer<'de> for Parameters<'de> {
    type Error = FieldError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        visitor.visit_map(Members { pairs: self.0.iter().collect::<Vec<_>>().into_iter(), next: None })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// The parameters of a query, in order.
struct Members<'a> {
    pairs: std::vec::IntoIter<(&'a str, &'a str)>,
    /// The parameter whose name was read last and whose value comes next.
    next: Option<(&'a str, &'a str)>,
}

impl<'de> MapAccess<'de> for Members<'de> {
    type Error = FieldError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, FieldError> {
        self.next = self.pairs.next();
        let Some((name, _)) = self.next else { return Ok(None) };
        seed.deserialize(name.into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, FieldError> {
        // Never happens, because serde reads a name before each value.
        let Some((name, value)) = self.next.take() else { return Err(Error::custom("a value without a name")) };
        seed.deserialize(Text(value)).map_err(|error| error.within(name))
    }
}

/// A deserializer for one value.
struct Text<'a>(&'a str);

impl Text<'_> {
    fn wrong(&self, expected: &dyn serde::de::Expected) -> FieldError {
        FieldError::invalid_type(Unexpected::Str(self.0), expected)
    }
}

impl<'de> Deserializer<'de> for Text<'de> {
    type Error = FieldError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match self.0 {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            _ => Err(self.wrong(&visitor)),
        }
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match self.0.parse() {
            Ok(number) => visitor.visit_u64(number),
            Err(_) => Err(self.wrong(&visitor)),
        }
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match self.0.parse::<f64>() {
            // As in JSON, infinity and NaN are not numbers.
            Ok(number) if number.is_finite() => visitor.visit_f64(number),
            Ok(_) | Err(_) => Err(self.wrong(&visitor)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        visitor.visit_some(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        visitor.visit_enum(self.0.into_deserializer())
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u128 f32 char str string bytes byte_buf unit unit_struct newtype_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Kind {
        InTurn,
        AtOnce,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Query {
        since: Option<u64>,
        limit: Option<usize>,
        width: Option<u32>,
        timeout: Option<f64>,
        #[serde(default)]
        all: bool,
        kind: Option<Kind>,
        text: Option<Box<str>>,
    }

    fn query(text: &str) -> Result<Query, String> {
        read(&Form::parse(text.as_bytes()).expect("a form")).map_err(|error: FieldError| error.to_string())
    }

    #[test]
    fn present_parameters_are_read() {
        let all = "since=18446744073709551615&limit=2&width=3&timeout=1.5&all=true&kind=in-turn&text=12";
        let read = Query {
            since: Some(u64::MAX),
            limit: Some(2),
            width: Some(3),
            timeout: Some(1.5),
            all: true,
            kind: Some(Kind::InTurn),
            text: Some("12".into()),
        };
        assert_eq!(query(all), Ok(read));
        assert_eq!(query("").map(|query| (query.since, query.all, query.kind)), Ok((None, false, None)));
    }

    #[test]
    fn an_error_says_which_parameter_is_wrong_and_why() {
        for (text, error) in [
            ("since=abc", "since: must be a whole number from 0 to 18446744073709551615, not \"abc\""),
            ("limit=-1", "limit: must be a whole number from 0 to 18446744073709551615, not \"-1\""),
            ("width=", "width: must be a whole number from 0 to 4294967295, not \"\""),
            ("width=5000000000", "width: must be a whole number from 0 to 4294967295, not 5000000000"),
            ("timeout=soon", "timeout: must be a number, not \"soon\""),
            ("timeout=NaN", "timeout: must be a number, not \"NaN\""),
            ("all=yes", "all: must be true or false, not \"yes\""),
            ("kind=in_turn", "kind: must be one of in-turn, at-once, not \"in_turn\""),
            ("since=1&since=2", "since: is given twice; give it once"),
            ("snice=1", "unknown field \"snice\"; did you mean since?"),
        ] {
            assert_eq!(query(text), Err(error.to_owned()), "{text}");
        }
    }
}
