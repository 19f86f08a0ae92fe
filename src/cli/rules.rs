//! `fauxfax rules`: shows, adds and removes rules, which make calls, faxes and webhooks misbehave on purpose.

use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::api::ApiFlags;
use super::client::EXIT_CODES;
use super::table::cell;
use crate::dialect::json::parse;

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct RulesFlags {
    #[command(flatten)]
    api: ApiFlags,
    #[command(subcommand)]
    change: Option<RulesChange>,
}

#[derive(Debug, Subcommand)]
enum RulesChange {
    /// Add a rule, as JSON: '{"match":{"to":"+1555*"},"times":1,"outcome":{"status":"busy"}}'
    Add {
        /// The rule as a JSON object
        #[arg(value_name = "JSON")]
        rule: String,
    },
    /// Remove one rule
    Remove {
        /// Id of the rule, as `fauxfax rules` lists it
        id: String,
    },
    /// Remove all rules
    Clear,
}

pub(super) fn run(flags: &RulesFlags) -> anyhow::Result<ExitCode> {
    let api = &flags.api;
    let answer = match &flags.change {
        None => api.call("GET", "/rules", &[], None)?,
        Some(RulesChange::Add { rule }) => {
            let rule = parse(rule.as_bytes()).context("the rule can't be read")?;
            let added = api.call("POST", "/rules", &[], Some(&rule))?;
            json!({ "rules": [added] })
        }
        Some(RulesChange::Remove { id }) => api.call("DELETE", &format!("/rules/{id}"), &[], None)?,
        Some(RulesChange::Clear) => api.call("DELETE", "/rules", &[], None)?,
    };
    if answer.is_null() {
        return Ok(ExitCode::SUCCESS);
    }
    api.show(&answer, ["ID", "MATCH", "EFFECT", "FIRED", "WARNING"], |answer| {
        let rules = answer["rules"].as_array().into_iter().flatten();
        let row = |rule: &Value| {
            let effect = ["outcome", "line", "api", "webhook", "media"].iter().find(|kind| !rule[**kind].is_null());
            let effect = effect.map(|kind| format!("{kind} {}", rule[*kind])).unwrap_or_default();
            [cell(&rule["id"]), cell(&rule["match"]), effect, cell(&rule["fired"]), cell(&rule["warning"])]
        };
        rules.map(row).collect()
    })
}
