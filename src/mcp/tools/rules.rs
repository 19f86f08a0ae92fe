//! The tools about rules, which make calls, lines, webhooks, REST calls and downloads misbehave on purpose.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answer::Answer;
use super::super::error::ToolError;
use super::super::tool::{Call, Effect, NoArguments, Tool, schema_of};
use super::word;
use crate::dialect::rule::RuleDocument;

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "list_rules",
        title: "List the rules",
        description: "Lists the account's rules in the order in which they are tried, with how often each matched and acted.",
        schema: schema_of::<NoArguments>,
        run: |call| Box::pin(list(call)),
        ..Tool::DEFAULT
    },
    Tool {
        name: "add_rule",
        title: "Make something go wrong",
        description: "Adds a rule with one effect, for example {\"outcome\":{\"status\":\"busy\"},\"match\":{\"to\":\"+1555*\"}}, \
                      {\"webhook\":{\"signature\":\"bad\"},\"times\":1}, {\"webhook\":{\"duplicate\":true}} or {\"api\":{\"status\":429},\"times\":1}. \
                      Rules stay until remove_rules or reset, unless times limits them. More: read_doc how-to/rules.md.",
        effect: Effect::Adds,
        schema: schema_of::<RuleDocument>,
        run: |call| Box::pin(async { add(call, call.read()?).await }),
        ..Tool::DEFAULT
    },
    Tool {
        name: "remove_rules",
        title: "Remove rules",
        description: "Removes one rule, or all rules of the account, so that everything works as usual again.",
        effect: Effect::Removes,
        schema: schema_of::<RemoveRules>,
        run: |call| Box::pin(async { remove(call, call.read()?).await }),
        ..Tool::DEFAULT
    },
];

/// The arguments of `remove_rules`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RemoveRules {
    /// Id of the rule; all rules if left out.
    id: Option<u64>,
}

async fn list(call: &Call) -> Result<Answer, ToolError> {
    let NoArguments {} = call.read()?;
    let list = call.client.get("/rules", &[]).await?;
    let rules = list["rules"].as_array().map(Vec::as_slice).unwrap_or_default();
    let lines: Vec<String> = rules.iter().map(line).collect();
    let text = if lines.is_empty() { "There are no rules.".to_owned() } else { lines.join("\n") };
    Ok(Answer::text(format!("{text}\nConsole: {}", call.client.console("/rules"))).with(list))
}

async fn add(call: &Call, rule: Value) -> Result<Answer, ToolError> {
    let added = call.client.post("/rules", &rule).await?;
    Ok(Answer::text(format!("Added {}\nConsole: {}", line(&added), call.client.console("/rules"))).with(added))
}

async fn remove(call: &Call, RemoveRules { id }: RemoveRules) -> Result<Answer, ToolError> {
    let path = id.map_or_else(|| "/rules".to_owned(), |id| format!("/rules/{id}"));
    call.client.control("DELETE", &path, &[], None).await?;
    let removed = id.map_or_else(|| "All rules are removed.".to_owned(), |id| format!("Rule {id} is removed."));
    Ok(Answer::text(removed))
}

/// Describes a rule on one line, and its warning on a second.
fn line(rule: &Value) -> String {
    let shown_apart = ["id", "matched", "fired", "warning"];
    let fields = rule.as_object().into_iter().flatten();
    let document: Value = fields
        .filter(|(name, value)| !shown_apart.contains(&name.as_str()) && !value.is_null())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let warning = rule["warning"].as_str().map(|warning| format!("\n    warning: {warning}")).unwrap_or_default();
    format!(
        "rule {}: {document}, matched {}, acted {}{warning}",
        word(&json!(rule["id"])),
        rule["matched"],
        rule["fired"]
    )
}
