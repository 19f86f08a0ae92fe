//! The code shared by subcommands that make one control API call and print the response as a table or as JSON.

use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use super::client::{Body, Client, Target, block_on};
use super::table;

/// The emulator to call, and how to print the response.
#[derive(Debug, Args)]
pub(super) struct ApiFlags {
    #[command(flatten)]
    pub(super) target: Target,
    /// Print the response as JSON
    #[arg(long)]
    pub(super) json: bool,
}

impl ApiFlags {
    /// Makes the call.
    pub(super) fn call(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, Option<String>)],
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        block_on(async { Client::new(&self.target)?.control(method, path, query, body.map(Body::from)).await })
    }

    /// Prints the response.
    pub(super) fn show<const N: usize>(
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
