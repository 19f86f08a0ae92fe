//! The control API's calls to list, add and remove a world's rules. `dialect::rule` reads them and the engine applies
//! them.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::extract::{Addressed, JsonBody};
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
    /// How often it matched when its turn came.
    matched: u64,
    /// How often it acted.
    fired: u64,
    /// Why it may never act; null if it may.
    warning: Option<String>,
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
    JsonBody(order): JsonBody<Value>,
) -> Result<(StatusCode, Json<RuleShown>), Problem> {
    let rule = rule::parse(&order, Dialect::of(world.sid()))
        .map_err(|error| Problem::new(422, "bad-field", error.to_string()))?;
    let id = world.handle(AddRule(rule))?;
    let added = world.read(|engine| {
        let held = engine.rule_book().find(|held| held.id == id)?;
        Some(view(held, engine.shadow_of(id)))
    });
    let added = added.ok_or_else(|| Problem::new(409, "conflict", "the rule is gone already"))?;
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
    let shadowed = shadow.map(|first| format!("it never acts: rule {first} always acts first on what it matches"));
    RuleShown {
        id: held.id,
        rule: RuleDocument::from(&*held.rule),
        matched: held.matched,
        fired: held.fired,
        warning: shadowed.or_else(|| rule::warning(&held.rule)),
    }
}
