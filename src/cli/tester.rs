//! `fauxfax wait`, `clock`, `rules`, `reset`, `state` and `webhooks`: each makes one control API call and prints the
//! response as a table or as JSON.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::client::{Body, Client, EXIT_CODES, Target, block_on};
use super::numbers::{number, whole_number};
use super::table::{self, cell};
use crate::dialect::json::parse;

/// The emulator to call, and how to print the response.
#[derive(Debug, Args)]
pub(super) struct ApiFlags {
    #[command(flatten)]
    target: Target,
    /// Print the response as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct WaitFlags {
    #[command(flatten)]
    api: ApiFlags,
    /// SID of the fax to wait for; any fax if left out
    #[arg(long, value_name = "FX…")]
    fax: Option<String>,
    /// Status to wait for, or several, comma-separated, such as delivered,failed
    #[arg(long, value_name = "STATUS", required_unless_present = "idle")]
    status: Option<String>,
    /// Wait until nothing is in progress and no work is due
    #[arg(long, conflicts_with_all = ["fax", "status", "since"])]
    idle: bool,
    /// Count only status changes after this sequence number; after the last reset if left out
    #[arg(long, value_name = "SEQ", value_parser = whole_number::<u64>)]
    since: Option<u64>,
    /// Longest time to wait, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0, value_parser = number)]
    timeout: f64,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct ClockFlags {
    #[command(flatten)]
    api: ApiFlags,
    #[command(subcommand)]
    change: Option<ClockChange>,
}

#[derive(Debug, Subcommand)]
enum ClockChange {
    /// Stop the clock; from then on it moves only by advance and drain
    Freeze,
    /// Let the clock run again, from the time it shows
    Run,
    /// Move a frozen clock by a duration such as 90, 90s, 5m, 2h or 180d, or to a date and time, and handle everything
    /// that falls due
    Advance {
        /// How far to move, such as 5m, or a date and time such as 2026-03-01T00:00:00Z
        #[arg(value_name = "DURATION|TIME")]
        to: String,
    },
    /// Move a frozen clock until no work is left
    Drain,
}

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

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct ResetFlags {
    #[command(flatten)]
    api: ApiFlags,
    /// Reset to this snapshot instead of the configured start
    #[arg(long, value_name = "NAME")]
    snapshot: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct StateFlags {
    #[command(flatten)]
    target: Target,
    /// Load the world from this file instead of printing it; - is standard input
    #[arg(long, value_name = "FILE")]
    load: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct WebhooksFlags {
    #[command(flatten)]
    api: ApiFlags,
    /// Id of a webhook to show in full; if left out, all webhooks are listed with their ids
    id: Option<String>,
    /// List only webhooks of this fax or call
    #[arg(long, value_name = "FX…", conflicts_with = "id")]
    fax: Option<String>,
    /// List only webhooks with an attempt after this sequence number; after the last reset if left out
    #[arg(long, value_name = "SEQ", conflicts_with = "id", value_parser = whole_number::<u64>)]
    since: Option<u64>,
    /// List webhooks from before the last reset too
    #[arg(long, conflicts_with_all = ["id", "since"])]
    all: bool,
    /// Send the webhook again, with a new signature
    #[arg(long, requires = "id")]
    replay: bool,
    /// Send the replay to this URL instead
    #[arg(long, value_name = "URL", requires = "replay")]
    to: Option<String>,
    /// Change a parameter of the replay; NAME without a value removes the parameter; repeatable
    #[arg(long, value_name = "NAME=VALUE", requires = "replay")]
    param: Vec<String>,
}

pub(super) fn wait(flags: &WaitFlags) -> anyhow::Result<ExitCode> {
    let query = [
        ("fax", flags.fax.clone()),
        ("status", flags.status.clone()),
        ("since", flags.since.map(|since| since.to_string())),
        ("timeout", Some(flags.timeout.to_string())),
        ("for", flags.idle.then(|| "idle".to_owned())),
    ];
    let waited = flags.api.call("GET", "/wait", &query, None)?;
    let event = &waited["event"];
    let reached = if flags.idle { "idle".to_owned() } else { cell(&event["data"]["new"]) };
    flags.api.show(&waited, ["FAX", "REACHED", "SEQ"], |waited| {
        vec![[cell(&waited["event"]["fax_sid"]), reached.clone(), cell(&waited["seq"])]]
    })
}

pub(super) fn clock(flags: &ClockFlags) -> anyhow::Result<ExitCode> {
    let (method, path, body) = match &flags.change {
        None => ("GET", "/clock", None),
        Some(ClockChange::Freeze) => ("PUT", "/clock", Some(json!({ "mode": "frozen" }))),
        Some(ClockChange::Run) => ("PUT", "/clock", Some(json!({ "mode": "running" }))),
        Some(ClockChange::Advance { to }) => {
            // Anything that isn't a time span must be a moment, which the emulator parses.
            let order = seconds(to).map_or_else(|| json!({ "to": to }), |seconds| json!({ "seconds": seconds }));
            ("POST", "/clock/advance", Some(order))
        }
        Some(ClockChange::Drain) => ("POST", "/clock/drain", None),
    };
    let clock = flags.api.call(method, path, &[], body.as_ref())?;
    flags.api.show(&clock, ["CLOCK", "AT", "DUE", "FAX"], |clock| {
        let now = [cell(&clock["mode"]), cell(&clock["now"]), String::new(), String::new()];
        let next = clock["next"].as_array().into_iter().flatten();
        let due = next.map(|due| [String::new(), cell(&due["at"]), cell(&due["kind"]), cell(&due["fax_sid"])]);
        std::iter::once(now).chain(due).collect()
    })
}

pub(super) fn rules(flags: &RulesFlags) -> anyhow::Result<ExitCode> {
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
            let effect = ["outcome", "line", "api", "webhook"].iter().find(|kind| !rule[**kind].is_null());
            let effect = effect.map(|kind| format!("{kind} {}", rule[*kind])).unwrap_or_default();
            [cell(&rule["id"]), cell(&rule["match"]), effect, cell(&rule["fired"]), cell(&rule["warning"])]
        };
        rules.map(row).collect()
    })
}

pub(super) fn reset(flags: &ResetFlags) -> anyhow::Result<ExitCode> {
    let done = flags.api.call("POST", "/reset", &[("snapshot", flags.snapshot.clone())], None)?;
    flags.api.show(&done, ["REMOVED FAXES", "CANCELED FAXES", "CANCELED WEBHOOKS"], |done| {
        let canceled = &done["canceled"];
        vec![[cell(&done["removed"]["faxes"]), cell(&canceled["faxes"]), cell(&canceled["webhooks"])]]
    })
}

pub(super) fn state(flags: &StateFlags) -> anyhow::Result<ExitCode> {
    block_on(async {
        let client = Client::new(&flags.target)?;
        let answer = match &flags.load {
            None => client.control("GET", "/state", &[], None).await?,
            Some(path) if path.as_os_str() == "-" => {
                let text = std::io::read_to_string(std::io::stdin())?;
                client.control("PUT", "/state", &[], Some(Body::json(text))).await?
            }
            Some(path) => {
                let bytes = std::fs::read(path).with_context(|| format!("can't read {}", path.display()))?;
                client.control("PUT", "/state", &[], Some(Body::json(bytes))).await?
            }
        };
        if !answer.is_null() {
            table::json(&answer)?;
        }
        Ok(ExitCode::SUCCESS)
    })
}

pub(super) fn webhooks(flags: &WebhooksFlags) -> anyhow::Result<ExitCode> {
    let api = &flags.api;
    let Some(id) = &flags.id else {
        let query = [
            ("fax", flags.fax.clone()),
            ("since", flags.since.map(|since| since.to_string())),
            ("all", flags.all.then(|| "true".to_owned())),
        ];
        let list = api.call("GET", "/webhooks", &query, None)?;
        return api.show(&list, ["ID", "FAX", "PURPOSE", "URL", "ATTEMPTS", "END"], |list| {
            list["webhooks"].as_array().into_iter().flatten().map(webhook_row).collect()
        });
    };
    if !flags.replay {
        let webhook = api.call("GET", &format!("/webhooks/{id}"), &[], None)?;
        table::json(&webhook)?;
        return Ok(ExitCode::SUCCESS);
    }
    let params = by_name(flags.param.iter().map(|pair| match pair.split_once('=') {
        Some((name, value)) => (name.to_owned(), value.into()),
        // Null removes a parameter.
        None => (pair.clone(), Value::Null),
    }))?;
    let mut edits = json!({ "params": params });
    if let Some(url) = &flags.to {
        edits["url"] = json!(url);
    }
    let exchange = api.call("POST", &format!("/webhooks/{id}/replay"), &[], Some(&edits))?;
    let failed = !exchange["error"].is_null();
    api.show(&exchange, ["METHOD", "URL", "STATUS", "ERROR"], |exchange| {
        let error = cell(&exchange["error"]["message"]);
        vec![[cell(&exchange["method"]), cell(&exchange["url"]), cell(&exchange["status"]), error]]
    })?;
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn webhook_row(webhook: &Value) -> [String; 6] {
    let attempts = webhook["attempts"].as_array().map(Vec::as_slice).unwrap_or_default();
    let last = attempts.last().map(|attempt| &attempt["exchange"]).unwrap_or(&Value::Null);
    let end = last["error"]["message"].as_str().map_or_else(|| cell(&last["status"]), ToOwned::to_owned);
    let url = format!("{} {}", cell(&webhook["method"]), cell(&webhook["url"]));
    [cell(&webhook["id"]), cell(&webhook["fax_sid"]), cell(&webhook["purpose"]), url, attempts.len().to_string(), end]
}

impl ApiFlags {
    fn call(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, Option<String>)],
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        block_on(async { Client::new(&self.target)?.control(method, path, query, body.map(Body::from)).await })
    }

    fn show<const N: usize>(
        &self,
        answer: &Value,
        head: [&str; N],
        rows: impl FnOnce(&Value) -> Vec<[String; N]>,
    ) -> anyhow::Result<ExitCode> {
        if self.json {
            table::json(answer)?
        } else {
            table::rows(head, &rows(answer))?
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Parses a time span into seconds: `90`, `1.5s`, `5m`, `2h`, `180d`.
fn seconds(text: &str) -> Option<f64> {
    let (number, unit) = match text.char_indices().next_back()? {
        (at, 's') => (&text[..at], 1.0),
        (at, 'm') => (&text[..at], 60.0),
        (at, 'h') => (&text[..at], 3_600.0),
        (at, 'd') => (&text[..at], 86_400.0),
        _ => (text, 1.0),
    };
    // Rust parses `inf` and `nan` as numbers, but they aren't time spans.
    number.parse::<f64>().ok().filter(|number| number.is_finite()).map(|number| number * unit)
}

/// Splits strings of the form `NAME=VALUE`. A string without an equals sign is an error.
pub(super) fn pairs(texts: &[String]) -> anyhow::Result<Vec<(String, String)>> {
    let pair = |text: &String| match text.split_once('=') {
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => bail!("{text:?} must be NAME=VALUE"),
    };
    texts.iter().map(pair).collect()
}

/// Collects parameters into a JSON object. A repeated name is an error.
pub(super) fn by_name(pairs: impl IntoIterator<Item = (String, Value)>) -> anyhow::Result<Map<String, Value>> {
    let mut params = Map::new();
    for (name, value) in pairs {
        if params.contains_key(&name) {
            bail!("--param: {name:?} is given twice; give it once");
        }
        params.insert(name, value);
    }
    Ok(params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_without_a_unit_is_in_seconds() {
        for (text, expected) in [
            ("90", Some(90.0)),
            ("1.5s", Some(1.5)),
            ("5m", Some(300.0)),
            ("2h", Some(7_200.0)),
            ("180d", Some(15_552_000.0)),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
        for none in ["", "h", "2026-03-01T00:00:00Z", "tomorrow", "inf", "nand"] {
            assert_eq!(seconds(none), None, "{none}");
        }
    }
}
