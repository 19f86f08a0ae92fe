//! The control API's calls to list, add and remove a world's rules. `dialect::rule` parses the rules and the engine
//! applies them.

use std::borrow::Cow;

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::Value;

use super::extract::{Addressed, RawJson, parse_json};
use super::problem::Problem;
use crate::dialect::rule::{self, RuleDocument};
use crate::engine::HeldRule;
use crate::engine::input::{AddRule, DropRule, DropRules};
use crate::model::account::Dialect;

/// A rule and how often it has acted.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "HeldRule")]
pub(super) struct RuleShown {
    id: u64,
    #[serde(flatten)]
    rule: RuleDocument,
    /// How many times the rule matched when it was tried.
    matched: u64,
    /// How many times the rule acted.
    fired: u64,
    /// Why the rule may never act; null if nothing is known to prevent it.
    warning: Option<String>,
}

/// The fields of [`RuleShown`] that the tester doesn't set. They are accepted but ignored in a posted rule, so that a
/// rule from the output of `GET /rules` can be posted: the new rule gets an id and counters of its own.
const SHOWN_ONLY: [&str; 4] = ["id", "matched", "fired", "warning"];

/// A rule as it may be posted; only its schema is needed, since `dialect::rule` parses rules.
pub(super) struct RuleOrder;

impl JsonSchema for RuleOrder {
    fn schema_name() -> Cow<'static, str> {
        "NewRule".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = RuleDocument::json_schema(generator);
        if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            for name in SHOWN_ONLY {
                let ignored = json_schema!({ "description": "Ignored; GET /rules shows it.", "readOnly": true });
                properties.insert(name.to_owned(), ignored.to_value());
            }
        }
        schema
    }
}

/// The rules in the order in which they are tried.
#[derive(Serialize, JsonSchema)]
pub(super) struct RuleList {
    rules: Vec<RuleShown>,
}

pub(super) async fn list(Addressed(world): Addressed) -> Json<RuleList> {
    let rules = world.read(|engine| engine.rule_book().map(|held| view(held, None)).collect());
    Json(RuleList { rules })
}

pub(super) async fn add(
    Addressed(world): Addressed,
    RawJson(order): RawJson,
) -> Result<(StatusCode, Json<RuleShown>), Problem> {
    let mut order = parse_json(&order)?;
    // A body that is not an object is refused by `rule::parse`.
    if let Some(fields) = order.as_object_mut() {
        fields.retain(|name, _| !SHOWN_ONLY.contains(&name.as_str()));
    }
    let rule = rule::parse(&order, Dialect::of(world.sid()))
        .map_err(|error| Problem::new(422, "bad-field", error.to_string()))?;
    let id = world.handle(AddRule(rule))?;
    let added = world.read(|engine| {
        let held = engine.rule_book().find(|held| held.id == id)?;
        Some(view(held, engine.shadow_of(id)))
    });
    // A concurrent call may have removed the rule between the two locks.
    let added = added.ok_or_else(|| Problem::new(409, "conflict", "the rule has already been removed"))?;
    Ok((StatusCode::CREATED, Json(added)))
}

pub(super) async fn remove(Addressed(world): Addressed, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let id = id.parse().map_err(|_| Problem::new(404, "rule-not-found", format!("there is no rule {id:?}")))?;
    world.handle(DropRule(id))?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn remove_all(Addressed(world): Addressed) -> Result<StatusCode, Problem> {
    world.handle(DropRules)?;
    Ok(StatusCode::NO_CONTENT)
}

fn view(held: &HeldRule, shadow: Option<u64>) -> RuleShown {
    let shadowed =
        shadow.map(|first| format!("it never acts: rule {first} always acts first on everything that it matches"));
    RuleShown {
        id: held.id,
        rule: RuleDocument::from(&*held.rule),
        matched: held.matched,
        fired: held.fired,
        warning: shadowed.or_else(|| rule::warning(&held.rule)),
    }
}
