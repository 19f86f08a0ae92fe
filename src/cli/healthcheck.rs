//! `fauxfax healthcheck`: whether a running emulator is well, told by the exit status. It starts nothing.

use std::process::ExitCode;

use clap::Args;

use super::client::{Client, EXIT_CODES, Target, block_on};

/// The flags of `healthcheck`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct HealthcheckFlags {
    #[command(flatten)]
    target: Target,
}

pub(super) fn run(flags: &HealthcheckFlags) -> anyhow::Result<ExitCode> {
    block_on(async { Client::new(&flags.target)?.is_ready().await })?;
    Ok(ExitCode::SUCCESS)
}
