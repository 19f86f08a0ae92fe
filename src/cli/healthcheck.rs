//! `fauxfax healthcheck`: whether a running emulator is well, told by the exit status. It starts nothing.

use std::process::ExitCode;

use clap::Args;

use super::api::{Api, Target, block_on};

/// The flags of `healthcheck`.
#[derive(Debug, Args)]
pub(super) struct HealthcheckFlags {
    #[command(flatten)]
    target: Target,
}

pub(super) fn run(flags: &HealthcheckFlags) -> anyhow::Result<ExitCode> {
    block_on(async { Api::new(&flags.target)?.is_ready().await })?;
    Ok(ExitCode::SUCCESS)
}
