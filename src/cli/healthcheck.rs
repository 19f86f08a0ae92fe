//! `fauxfax healthcheck`: reports through its exit status whether a running emulator is healthy.

use std::process::ExitCode;

use clap::Args;

use super::client::{Client, EXIT_CODES, Target, block_on};

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
