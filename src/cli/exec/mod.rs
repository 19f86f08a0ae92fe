//! `fauxfax exec -- COMMAND`: an emulator for the life of one program, which finds it through its environment alone.
//! Nothing of it is left behind: its CA is in memory, its files in a folder that goes with it.

mod child;
pub(super) mod environment;

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;

use self::environment::{Way, prepare};
use super::flags::ServeFlags;
use super::print_error;
use super::serve::{isolated, runtime, start_log, url};
use crate::config::{self, Config, LogLevel};
use crate::server::Server;

/// The flags of `exec`.
#[derive(Debug, Args)]
pub(super) struct ExecFlags {
    /// How long to wait, once the command has ended, until faxes and webhooks under way are done
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    idle_timeout: u32,
    #[command(flatten)]
    serve: ServeFlags,
    /// The command, after --
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

pub(super) fn run(flags: ExecFlags) -> anyhow::Result<ExitCode> {
    // The output is the command's; what an emulator tells at its start would be in the way.
    let quiet = Config { log_level: LogLevel::Warn, ..Config::default() };
    let config = isolated(Config::of_process_over(quiet, flags.serve.or_listen("127.0.0.1:0").into_settings())?);
    let _log = start_log(&config)?;
    let runtime = runtime()?;
    let code = runtime.block_on(async {
        let server = Server::bind(&config).await?;
        let scratch = tempfile::Builder::new().prefix("fauxfax-").tempdir();
        let scratch = scratch.context("can't make a folder for the command's certificates")?;
        let authority = server.ca().authority()?;
        let account = server.emulator().default_account();
        let token =
            server.emulator().world(account).and_then(|world| world.read(|engine| engine.account().auth_token.clone()));
        let (url, sid) = (url(server.address()), account.to_string());
        let way = Way { url: &url, ca: authority.certificate(), account: (&sid, token.as_deref()) };
        let variables = prepare(scratch.path(), &way, &config::variable)?;
        let idle = server.idle();
        let mut ended = None;
        let work = async {
            ended = Some(child::run(&flags.command, &variables).await);
            let patience = Duration::from_secs(flags.idle_timeout.into());
            if tokio::time::timeout(patience, idle).await.is_err() {
                tracing::warn!("the command has ended while faxes were under way; they end here (--idle-timeout)");
            }
        };
        let saved = server.serve(work).await.context("the worlds are lost");
        let code = ended.context("the emulator stopped before the command did")??;
        match saved {
            // Who tests wants to know that the tests have failed, first of all.
            Err(error) if code != 0 => print_error(&format!("{error:#}")),
            saved => saved?,
        }
        Ok(ExitCode::from(code))
    });
    runtime.shutdown_background();
    code
}
