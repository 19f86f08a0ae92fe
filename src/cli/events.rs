//! `fauxfax events`: the journal of a running emulator's world, an event a line, or the hash of its canonical projection.
//! It judges nothing.

use std::io::{Write, stderr, stdout};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use super::api::{Api, Target, block_on};
use crate::dialect::form;
use crate::model::webhook::Method;

/// The flags of `events`.
#[derive(Debug, Args)]
pub(super) struct EventsFlags {
    #[command(flatten)]
    target: Target,
    /// Show the hash that two runs with the same seed and inputs have in common; for a world with a frozen clock
    #[arg(long, conflicts_with_all = ["since", "fax", "kind", "limit"])]
    hash: bool,
    /// Only events later than this one
    #[arg(long, value_name = "SEQ")]
    since: Option<u64>,
    /// Only events of this fax
    #[arg(long, value_name = "FX…")]
    fax: Option<String>,
    /// Only events of this kind, such as fax.status
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

pub(super) fn run(flags: &EventsFlags) -> anyhow::Result<ExitCode> {
    block_on(async {
        let api = Api::new(&flags.target)?;
        let get = async |path, query: &str| api.control(Method::Get, path, query, None, Duration::ZERO).await;
        if flags.hash {
            let answer = get("/events/hash", "").await?;
            if answer["evicted"].as_u64().is_some_and(|evicted| evicted > 0) {
                writeln!(stderr(), "the journal has dropped its oldest events: this is the hash of the rest")?;
            }
            writeln!(stdout(), "{}", answer["hash"].as_str().unwrap_or_default())?;
            return Ok(ExitCode::SUCCESS);
        }
        let answer = get("/events", &query(flags)).await?;
        for event in answer["events"].as_array().map_or(&[][..], Vec::as_slice) {
            writeln!(stdout(), "{}", Value::to_string(event))?;
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn query(flags: &EventsFlags) -> String {
    let given = [
        ("since", flags.since.map(|since| since.to_string())),
        ("fax", flags.fax.clone()),
        ("kind", flags.kind.clone()),
        ("limit", flags.limit.map(|limit| limit.to_string())),
    ];
    let given: Vec<_> = given.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    form::encode_query(&given)
}
