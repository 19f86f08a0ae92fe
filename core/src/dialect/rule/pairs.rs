//! The lists in a rule's changes to a webhook: names with their values, and the order of parameters.

use std::fmt;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::request_edits::{self, ParamOrder};

/// The word for the reverse of the order in which the dialect sends parameters.
const REVERSED: &str = "reversed";

/// An object whose members are names and values, in the tester's order.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Pairs(pub(super) request_edits::Pairs);

impl Serialize for Pairs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of names and values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = members.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// The order of the parameters: `reversed`, or the names of those that come first.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum OrderDocument {
    Reversed,
    First(Vec<Box<str>>),
}

impl OrderDocument {
    /// Returns the document for an order; `None` for the usual one.
    pub(super) fn of(order: &ParamOrder) -> Option<Self> {
        match order {
            ParamOrder::Usual => None,
            ParamOrder::Reversed => Some(Self::Reversed),
            ParamOrder::First(names) => Some(Self::First(names.clone())),
        }
    }

    /// Converts the document of an order, if there is one.
    pub(super) fn value(order: Option<Self>) -> ParamOrder {
        match order {
            None => ParamOrder::Usual,
            Some(Self::Reversed) => ParamOrder::Reversed,
            Some(Self::First(names)) => ParamOrder::First(names),
        }
    }
}

impl Serialize for OrderDocument {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Reversed => serializer.serialize_str(REVERSED),
            Self::First(names) => names.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for OrderDocument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = OrderDocument;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{REVERSED:?} or a list of names")
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<OrderDocument, E> {
                let is_known = word == REVERSED;
                is_known
                    .then_some(OrderDocument::Reversed)
                    .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(word), &self))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, names: A) -> Result<OrderDocument, A::Error> {
                let names = Vec::deserialize(SeqAccessDeserializer::new(names))?;
                // An empty list would change nothing, and would be read back as no order.
                if names.is_empty() {
                    return Err(A::Error::custom("the list is empty; name at least one parameter"));
                }
                Ok(OrderDocument::First(names))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// The schemas, which can't be derived, because these types implement `Deserialize` by hand.
#[cfg(feature = "schema")]
mod schemas {
    use std::borrow::Cow;

    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

    use super::{OrderDocument, Pairs, REVERSED};
    use crate::engine::rule::edits::PARAM_EDITS_MAX;

    impl JsonSchema for Pairs {
        fn inline_schema() -> bool {
            true
        }

        fn schema_name() -> Cow<'static, str> {
            "NamesAndValues".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({ "type": "object", "additionalProperties": { "type": "string" }, "maxProperties": PARAM_EDITS_MAX })
        }
    }

    impl JsonSchema for OrderDocument {
        fn inline_schema() -> bool {
            true
        }

        fn schema_name() -> Cow<'static, str> {
            "RuleParamOrder".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            let names = json_schema!({ "type": "array", "items": { "type": "string" }, "minItems": 1, "maxItems": PARAM_EDITS_MAX });
            json_schema!({ "anyOf": [{ "const": REVERSED }, names] })
        }
    }
}
