//! `fauxfax alerts`: shows an account's alerts, newest first, each with what to do about it.

use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use super::client::{Client, EXIT_CODES, Target, block_on};
use super::table::{self, cell};
use super::times;
use super::values::whole_number;

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct AlertsFlags {
    #[command(flatten)]
    target: Target,
    /// Show only alerts about this fax or call
    #[arg(long, value_name = "FX…")]
    fax: Option<String>,
    /// Show at most this many alerts
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = whole_number::<usize>)]
    limit: usize,
    /// Print the alerts as JSON, as events of the journal
    #[arg(long)]
    json: bool,
}

pub(super) fn run(flags: &AlertsFlags) -> anyhow::Result<ExitCode> {
    block_on(async {
        let client = Client::new(&flags.target)?;
        let query =
            [("kind", Some("alert".to_owned())), ("fax", flags.fax.clone()), ("limit", Some("10000".to_owned()))];
        let page = client.control("GET", "/events", &query, None).await?;
        // The journal lists the oldest first.
        let newest = page["events"].as_array().into_iter().flatten().rev().take(flags.limit);
        let alerts: Vec<&Value> = newest.collect();
        if flags.json {
            table::json(&alerts.into_iter().cloned().collect())?;
            return Ok(ExitCode::SUCCESS);
        }
        let at = times::column(alerts.iter().map(|alert| &alert["at"]));
        let rows = alerts.iter().zip(at).map(|(alert, at)| (row(alert, at), advice(alert)));
        table::with_notes([times::AT, "LEVEL", "CODE", "FAX", "MESSAGE"], &rows.collect::<Vec<_>>())?;
        Ok(ExitCode::SUCCESS)
    })
}

fn row(alert: &Value, at: String) -> [String; 5] {
    let data = &alert["data"];
    [at, cell(&data["level"]), cell(&data["code"]), cell(&alert["fax_sid"]), cell(&data["message"])]
}

fn advice(alert: &Value) -> Vec<String> {
    ["cause", "advice"].iter().filter_map(|name| alert["data"][name].as_str()).map(ToOwned::to_owned).collect()
}
