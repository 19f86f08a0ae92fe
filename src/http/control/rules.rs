//! Rules of a world: listed, added, removed. What a rule may say is `dialect::rule`'s, what it does the engine's.

use std::borrow::Cow;

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::extract::{Addressed, JsonBody};
use super::problem::Problem;
use crate::dialect::rule;
use crate::engine::HeldRule;
use crate::engine::input::{AddRule, DropRule, DropRules};

/// A rule, as `dialect::rule` reads it.
#[derive(Deserialize, Serialize)]
#[serde(transparent)]
pub(super) struct RuleOrder(Value);

impl JsonSchema for RuleOrder {
    fn schema_name() -> Cow<'static, str> {
        "Rule".into()
    }

    /// What a rule may say, field by field; which of them go together is told by the refusal.
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "properties": {
                "match": { "type": "object", "properties": {
                    "direction": { "enum": ["inbound", "outbound"] },
                    "from": { "type": "string" },
                    "to": { "type": "string", "examples": ["+1555*"] },
                    "pages": { "type": ["integer", "object"] },
                    "method": { "type": "string" },
                    "path": { "type": "string" },
                    "url": { "type": "string" },
                    "purpose": { "enum": ["fax-url", "fallback-url", "action", "status-callback"] },
                } },
                "after": { "type": "integer", "minimum": 0, "maximum": rule::COUNT_MAX },
                "times": { "type": "integer", "minimum": 1, "maximum": rule::COUNT_MAX },
                "chance": { "type": "number", "exclusiveMinimum": 0, "maximum": 1 },
                "outcome": { "type": "object", "properties": {
                    "status": { "enum": ["delivered", "received", "busy", "no-answer", "failed"] },
                    "code": { "enum": [34004, 34108] },
                    "after_pages": { "type": "integer", "minimum": 0, "maximum": rule::PAGES_MAX },
                } },
                "line": { "type": "object", "properties": {
                    "rate_bps": { "type": "integer", "minimum": rule::RATE_BPS.0, "maximum": rule::RATE_BPS.1 },
                    "noise": { "type": "number", "minimum": 0, "maximum": 1 },
                } },
                "api": { "type": "object", "properties": {
                    "status": { "type": "integer", "minimum": 400, "maximum": 599 },
                    "code": { "type": "integer" },
                    "delay_ms": { "type": "integer", "minimum": 0, "maximum": rule::API_DELAY_MS_MAX },
                    "reset": { "type": "boolean" },
                } },
                "webhook": { "type": "object", "properties": {
                    "delay_ms": { "type": "integer", "minimum": 0, "maximum": rule::WEBHOOK_DELAY_MS_MAX },
                    "duplicate": { "type": "boolean" },
                    "reorder": { "type": "boolean" },
                    "drop": { "type": "boolean" },
                    "signature": { "enum": ["good", "bad", "missing", "stale"] },
                } },
            },
        })
    }
}

/// A rule and what came of it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "HeldRule")]
pub(super) struct RuleShown {
    id: u64,
    #[serde(flatten)]
    rule: RuleOrder,
    /// How often it fitted and its turn came.
    matched: u64,
    /// How often it acted.
    fired: u64,
    /// Why it may never act.
    warning: Option<String>,
}

/// The rules, in order.
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
    JsonBody(RuleOrder(order)): JsonBody<RuleOrder>,
) -> Result<(StatusCode, Json<RuleShown>), Problem> {
    let rule = rule::parse(&order).map_err(|error| Problem::new(422, "bad-field", error.to_string()))?;
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
        rule: RuleOrder(rule::json(&held.rule)),
        matched: held.matched,
        fired: held.fired,
        warning: shadowed.or_else(|| rule::warning(&held.rule)),
    }
}
