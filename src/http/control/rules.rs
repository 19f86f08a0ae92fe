//! The control API's calls to list, add, change and remove a world's rules. `dialect::rule` parses the rules and the
//! engine applies them.

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
use crate::engine::input::{AddRule, ChangeRule, DropRule, DropRules, RuleChange};
use crate::engine::rule::Rule;
use crate::model::account::Dialect;
use crate::world::World;

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

/// The fields of [`RuleShown`] that a tester can't set. In a posted rule they are ignored and not refused, so that a
/// rule can be copied from the output of `GET /rules`: the new rule gets an id and counters of its own.
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
    let rules = world.read(|engine| engine.rule_book().map(|held| view(held, engine.shadow_of(held.id))).collect());
    Json(RuleList { rules })
}

pub(super) async fn add(
    Addressed(world): Addressed,
    RawJson(order): RawJson,
) -> Result<(StatusCode, Json<RuleShown>), Problem> {
    let order = without_shown_only(parse_json(&order)?);
    let rule = parse(&order, &world)?;
    let id = world.handle(AddRule(rule))?;
    Ok((StatusCode::CREATED, shown(&world, id)?))
}

pub(super) async fn change(
    Addressed(world): Addressed,
    Path(id): Path<String>,
    RawJson(order): RawJson,
) -> Result<Json<RuleShown>, Problem> {
    let id = read_id(&id)?;
    let order = without_shown_only(parse_json(&order)?);
    let change = match order.as_object() {
        Some(fields) if fields.len() == 1 && fields.contains_key("enabled") => {
            let wrong = || Problem::new(422, "bad-field", "enabled: must be true or false");
            RuleChange::Enabled(order["enabled"].as_bool().ok_or_else(wrong)?)
        }
        _ => RuleChange::Replaced(parse(&order, &world)?),
    };
    world.handle(ChangeRule { id, change })?;
    shown(&world, id)
}

pub(super) async fn remove(Addressed(world): Addressed, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    world.handle(DropRule(read_id(&id)?))?;
    Ok(StatusCode::NO_CONTENT)
}

fn read_id(id: &str) -> Result<u64, Problem> {
    id.parse().map_err(|_| Problem::new(404, "rule-not-found", format!("there is no rule {id:?}")))
}

/// Returns a posted rule without the fields that only the list has. A body that is not an object is left to
/// `rule::parse`, which refuses it.
fn without_shown_only(mut order: Value) -> Value {
    if let Some(fields) = order.as_object_mut() {
        fields.retain(|name, _| !SHOWN_ONLY.contains(&name.as_str()));
    }
    order
}

fn parse(order: &Value, world: &World) -> Result<Rule, Problem> {
    rule::parse(order, Dialect::of(world.sid())).map_err(|error| Problem::new(422, "bad-field", error.to_string()))
}

/// Returns a rule that was added or changed a moment ago.
fn shown(world: &World, id: u64) -> Result<Json<RuleShown>, Problem> {
    let found = world.read(|engine| {
        let held = engine.rule_book().find(|held| held.id == id)?;
        Some(view(held, engine.shadow_of(id)))
    });
    // A concurrent call may have removed the rule between the two locks.
    found.map(Json).ok_or_else(|| Problem::new(409, "conflict", "the rule has already been removed"))
}

pub(super) async fn remove_all(Addressed(world): Addressed) -> Result<StatusCode, Problem> {
    world.handle(DropRules)?;
    Ok(StatusCode::NO_CONTENT)
}

fn view(held: &HeldRule, shadow: Option<u64>) -> RuleShown {
    let shadowed = shadow
        .map(|first| format!("it never acts: rule {first} always acts first on everything that this rule matches"));
    RuleShown {
        id: held.id,
        rule: RuleDocument::from(&*held.rule),
        matched: held.matched,
        fired: held.fired,
        warning: shadowed.or_else(|| rule::warning(&held.rule)),
    }
}
