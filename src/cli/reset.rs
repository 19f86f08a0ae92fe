//! `fauxfax reset`: resets an account's world to its start, or to a snapshot.

use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use super::api::ApiFlags;
use super::client::EXIT_CODES;
use super::table::cell;

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct ResetFlags {
    #[command(flatten)]
    api: ApiFlags,
    /// Reset to this snapshot instead of the configured start
    #[arg(long, value_name = "NAME")]
    snapshot: Option<String>,
}

pub(super) fn run(flags: &ResetFlags) -> anyhow::Result<ExitCode> {
    let done = flags.api.call("POST", "/reset", &[("snapshot", flags.snapshot.clone())], None)?;
    show(&flags.api, &done)
}

/// Prints what a reset or restore removed.
pub(super) fn show(api: &ApiFlags, done: &Value) -> anyhow::Result<ExitCode> {
    api.show(done, ["REMOVED FAXES", "CANCELED FAXES", "CANCELED WEBHOOKS"], |done| {
        let canceled = &done["canceled"];
        vec![[cell(&done["removed"]["faxes"]), cell(&canceled["faxes"]), cell(&canceled["webhooks"])]]
    })
}
