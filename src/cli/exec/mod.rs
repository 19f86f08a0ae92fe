//! `fauxfax exec -- COMMAND`: runs an emulator for the lifetime of one program, which finds it through environment
//! variables. Only files that its own flags name are left behind: the CA is in memory, and the files that the variables
//! name are in a temporary folder.

mod child;
pub(super) mod environment;

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;

use self::environment::{AccountSecrets, Destination, prepare};
use super::flags::ServeFlags;
use super::log::start_log;
use super::print_error;
use super::serve::{isolated, runtime, url};
use super::values::span;
use crate::config::{self, Config, LogLevel};
use crate::server::Server;

#[derive(Debug, Args)]
pub(super) struct ExecFlags {
    /// Longest time to wait for faxes and webhooks in progress once the command has ended, such as 5s or 2m
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = span)]
    idle_timeout: Duration,
    #[command(flatten)]
    serve: ServeFlags,
    /// Command to run, with its arguments, after --
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

pub(super) fn run(flags: ExecFlags) -> anyhow::Result<ExitCode> {
    // Standard output and error belong to the command, so only warnings are logged.
    let quiet = Config { log_level: LogLevel::Warn, ..Config::default() };
    // A free port by default, so that several commands can run in parallel.
    let config = isolated(Config::of_process_over(quiet, flags.serve.or_listen("127.0.0.1:0").into_settings())?);
    let _log = start_log(&config)?;
    let runtime = runtime()?;
    let code = runtime.block_on(async {
        let server = Server::bind(&config).await?;
        if config.pedantic {
            // A warning, since nothing else is logged: without the seed, a failure could not be repeated.
            let seed = server.registry().settings().seed;
            tracing::warn!(seed, "pedantic mode is on; pass this seed to --seed to repeat the run");
        }
        let scratch = tempfile::Builder::new().prefix("fauxfax-").tempdir();
        let scratch = scratch.context("can't create a folder for the command's certificates")?;
        let authority = server.ca().authority()?;
        let account = server.registry().default_account();
        let token =
            server.registry().world(account).and_then(|world| world.read(|engine| engine.account().auth_token.clone()));
        let (url, sid) = (url(server.address()), account.to_string());
        let control_token = config.control_token.as_deref();
        let signing_key = config.default_signing_key();
        let account = AccountSecrets { sid: &sid, token: token.as_deref(), signing_key };
        let destination = Destination { url: &url, ca: authority.certificate(), account, control_token };
        let variables = prepare(scratch.path(), &destination, &config::variable)?;
        // Created here, because `serve` consumes the server.
        let idle = server.idle();
        let mut ended = None;
        let work = async {
            ended = Some(child::run(&flags.command, &variables).await);
            if tokio::time::timeout(flags.idle_timeout, idle).await.is_err() {
                tracing::warn!("the command ended while faxes or webhooks were in progress, and they were dropped; allow them more time with --idle-timeout");
            }
        };
        let saved = server.serve(work).await.context("saving the state failed");
        let code = ended.context("the emulator stopped before the command did")??;
        match saved {
            // If the command failed, its exit status matters more than the failure to save, so that error is only
            // printed.
            Err(error) if code != 0 => print_error(&format!("{error:#}")),
            saved => saved?,
        }
        Ok(ExitCode::from(code))
    });
    // Requests to apps may still be in progress, but nobody is waiting for them.
    runtime.shutdown_background();
    code
}
