//! `fauxfax wait`: waits until a fax enters a status, or until nothing is pending.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use super::api::ApiFlags;
use super::client::{CallError, Client, EXIT_CODES, block_on};
use super::table::cell;
use super::values::{span, whole_number, words};
use super::watch;
use crate::model::fax::Status;

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct WaitFlags {
    #[command(flatten)]
    api: ApiFlags,
    /// SID of the fax to wait for; any fax if left out
    #[arg(long, value_name = "FX…")]
    fax: Option<String>,
    /// Status to wait for, or several, comma-separated, such as delivered,failed
    #[arg(
        long, value_name = "STATUS", required_unless_present = "idle", value_delimiter = ',',
        value_parser = words(Status::ALL, Status::as_str)
    )]
    status: Vec<String>,
    /// Wait until nothing is in progress and no work is due
    #[arg(long, conflicts_with_all = ["fax", "status", "since"])]
    idle: bool,
    /// Count only status changes after this sequence number; after the last reset if left out
    #[arg(long, value_name = "SEQ", value_parser = whole_number::<u64>)]
    since: Option<u64>,
    /// Longest time to wait, such as 30s or 2m
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = span)]
    timeout: Duration,
}

pub(super) fn run(flags: &WaitFlags) -> anyhow::Result<ExitCode> {
    let waited = block_on(waited(flags))?;
    let reached = if flags.idle { "idle".to_owned() } else { cell(&waited["event"]["data"]["new"]) };
    flags.api.show(&waited, ["FAX", "REACHED", "SEQ"], |waited| {
        vec![[cell(&waited["event"]["fax_sid"]), reached.clone(), cell(&waited["seq"])]]
    })
}

async fn waited(flags: &WaitFlags) -> anyhow::Result<Value> {
    let client = Client::new(&flags.api.target)?;
    let query = [
        ("fax", flags.fax.clone()),
        ("status", (!flags.status.is_empty()).then(|| flags.status.join(","))),
        ("since", flags.since.map(|since| since.to_string())),
        ("timeout", Some(flags.timeout.as_secs_f64().to_string())),
        ("for", flags.idle.then(|| "idle".to_owned())),
    ];
    let waited = client.control("GET", "/wait", &query, None).await;
    match (waited, &flags.fax) {
        (waited, Some(fax)) => watch::waited_for(&client, fax, flags.timeout, waited).await,
        (Err(error), None) if CallError::is_status(&error, hyper::StatusCode::REQUEST_TIMEOUT) => {
            let standing = if flags.idle { pending(&client).await? } else { none_became(&flags.status) };
            Err(watch::overdue(&client, flags.timeout, &standing).await.into())
        }
        (waited, None) => waited,
    }
}

fn none_became(statuses: &[String]) -> String {
    format!("no fax has become {}", statuses.join(" or "))
}

/// Describes the work that is still due or under way.
async fn pending(client: &Client) -> anyhow::Result<String> {
    let clock = client.control("GET", "/clock", &[], None).await?;
    let next = &clock["next"][0];
    let Some(at) = next["at"].as_str() else {
        return Ok("a request to an app or the rendering of a document is under way".to_owned());
    };
    let fax = next["fax_sid"].as_str().map(|sid| format!(" ({sid})")).unwrap_or_default();
    Ok(format!("next, {}{fax} at {at}", cell(&next["what"])))
}
