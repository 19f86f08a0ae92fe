//! `fauxfax accounts`: lists the emulator's accounts, creates one or removes one.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::api::ApiFlags;
use super::client::EXIT_CODES;
use super::table::cell;
use super::values::words;
use crate::dialect::form;
use crate::model::account::Dialect;

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct AccountsFlags {
    #[command(flatten)]
    api: ApiFlags,
    #[command(subcommand)]
    change: Option<AccountsChange>,
}

#[derive(Debug, Subcommand)]
enum AccountsChange {
    /// Create an account, and print its SID and token; each is generated if left out
    Create {
        /// AccountSid, or a SignalWire project's UUID
        #[arg(value_name = "AC…|UUID")]
        sid: Option<String>,
        /// AuthToken or API token of the account
        #[arg(long)]
        token: Option<String>,
        /// Name to show for the account
        #[arg(long, value_name = "TEXT")]
        name: Option<String>,
        /// Service whose API the account uses; by default the one that the SID belongs to
        #[arg(long, value_name = "NAME", value_parser = words(Dialect::ALL, Dialect::as_str))]
        dialect: Option<String>,
    },
    /// Remove an account, with its numbers and faxes
    Remove {
        /// SID of the account, as `fauxfax accounts` lists it
        sid: String,
    },
}

pub(super) fn run(flags: &AccountsFlags) -> anyhow::Result<ExitCode> {
    let api = &flags.api;
    match &flags.change {
        None => {
            let list = api.call("GET", "/accounts", &[], None)?;
            api.show(&list, ["ACCOUNT", "SERVICE", "STATUS", "FAXES", "NUMBERS", "NAME"], |list| {
                list["accounts"].as_array().into_iter().flatten().map(row).collect()
            })
        }
        Some(AccountsChange::Create { sid, token, name, dialect }) => {
            let order = json!({ "sid": sid, "auth_token": token, "friendly_name": name, "dialect": dialect });
            let created = api.call("POST", "/accounts", &[], Some(&order))?;
            api.show(&created, ["ACCOUNT", "TOKEN"], |account| {
                vec![[cell(&account["sid"]), cell(&account["auth_token"])]]
            })
        }
        Some(AccountsChange::Remove { sid }) => {
            api.call("DELETE", &format!("/accounts/{}", form::segment(sid)), &[], None)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn row(account: &Value) -> [String; 6] {
    let numbers = account["numbers"].as_array().map_or(0, Vec::len).to_string();
    let [sid, dialect, status, faxes, name] =
        ["sid", "dialect", "status", "faxes", "friendly_name"].map(|name| cell(&account[name]));
    [sid, dialect, status, faxes, numbers, name]
}
