//! The values that a step expects in a field, and the numbers of times that it expects something. They have the forms
//! that `POST /verify` takes.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::Value;

use crate::dialect::matching::{Pattern, PatternError, Times};

/// What a value must be: equal to this value, or a match for this pattern.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(super) struct Wanted(pub(super) Value);

/// How many there must be: a number, or an object with `at_least`, `at_most` or both.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(super) struct Count(pub(super) Value);

impl Wanted {
    /// Parses the pattern.
    pub(super) fn pattern(&self) -> Result<Pattern, PatternError> {
        Pattern::parse(&self.0)
    }
}

impl Count {
    /// Parses the number.
    pub(super) fn times(&self) -> Result<Times, PatternError> {
        Times::parse(&self.0)
    }
}

impl JsonSchema for Wanted {
    fn schema_name() -> Cow<'static, str> {
        "Wanted".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let pattern = |name: &str| {
            json_schema!({
                "type": "object", "properties": { name: { "type": "string" } }, "required": [name],
                "additionalProperties": false,
            })
        };
        json_schema!({
            "description": "The value itself, or { prefix = \"…\" }, { regex = \"…\" } or { contains = \"…\" }, which ignores white space.",
            "anyOf": [
                { "type": ["string", "number", "boolean", "array"] },
                pattern("prefix"), pattern("regex"), pattern("contains"),
            ],
        })
    }
}

impl JsonSchema for Count {
    fn schema_name() -> Cow<'static, str> {
        "Count".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A number, or { at_least = … } and { at_most = … }.",
            "anyOf": [
                { "type": "integer", "minimum": 0 },
                {
                    "type": "object", "additionalProperties": false, "minProperties": 1,
                    "properties": { "at_least": { "type": "integer", "minimum": 0 }, "at_most": { "type": "integer", "minimum": 0 } },
                },
            ],
        })
    }
}
