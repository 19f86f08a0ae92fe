//! `fauxfax snapshots`: lists, takes, restores and removes snapshots of an account's world.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::api::ApiFlags;
use super::client::EXIT_CODES;
use super::table::cell;
use super::{reset, times};
use crate::dialect::form;

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct SnapshotsFlags {
    #[command(flatten)]
    api: ApiFlags,
    #[command(subcommand)]
    change: Option<SnapshotsChange>,
}

#[derive(Debug, Subcommand)]
enum SnapshotsChange {
    /// Take a snapshot, replacing one of the same name
    Take {
        /// Name of the snapshot: letters, digits, dots, dashes and underscores
        name: String,
    },
    /// Reset the world to a snapshot
    Restore {
        /// Name of the snapshot
        name: String,
    },
    /// Remove a snapshot
    Remove {
        /// Name of the snapshot
        name: String,
    },
}

pub(super) fn run(flags: &SnapshotsFlags) -> anyhow::Result<ExitCode> {
    let api = &flags.api;
    let of = |name: &str| format!("/snapshots/{}", form::segment(name));
    let shown = match &flags.change {
        None => api.call("GET", "/snapshots", &[], None)?,
        Some(SnapshotsChange::Take { name }) => json!({ "snapshots": [api.call("PUT", &of(name), &[], None)?] }),
        Some(SnapshotsChange::Restore { name }) => {
            return reset::show(api, &api.call("POST", &of(name), &[], None)?);
        }
        Some(SnapshotsChange::Remove { name }) => api.call("DELETE", &of(name), &[], None)?,
    };
    if shown.is_null() {
        return Ok(ExitCode::SUCCESS);
    }
    let list = shown["snapshots"].as_array().map(Vec::as_slice).unwrap_or_default();
    let at = times::column(list.iter().map(|snapshot| &snapshot["taken"]));
    api.show(&shown, ["NAME", times::AT, "FAXES", "PENDING"], |_| list.iter().zip(at).map(row).collect())
}

fn row((snapshot, at): (&Value, String)) -> [String; 4] {
    [cell(&snapshot["name"]), at, cell(&snapshot["faxes"]), cell(&snapshot["pending"])]
}
