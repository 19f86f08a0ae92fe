//! `fauxfax run`: runs scenario files with `crate::scenario`, each in an emulator of its own or in one that is running.

mod app;
mod print;
mod sample;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::process::ExitCode;

use anyhow::{Context, anyhow, bail};
use clap::{Args, ValueHint};
use tokio::net::TcpListener;
use tokio::time::Instant;
use url::{Host, Url};

use self::app::Process;
use self::sample::Sample;
use super::client::{CallError, Client, Endpoint, Target};
use super::log::start_log;
use super::out::{self, stdout};
use super::serve::{isolated, runtime, url};
use super::signals::stop_signal;
use super::{files, table};
use crate::check::RunError;
use crate::client::{self, ApiError};
use crate::config::{Config, LogLevel};
use crate::io::client::ClientOptions;
use crate::io::file::{self, Contents};
use crate::scenario::{self, BadFile, Options, Report, Scenario, Source};
use crate::server::{Server, run as run_listener};

/// The exit status for incorrect usage, and for a file that is not a scenario.
const EXIT_USAGE: u8 = 2;
/// The exit status if no emulator responded, or the emulator stopped responding.
const EXIT_UNREACHABLE: u8 = 3;
/// The seed of an emulator if the scenario names none, so that its ids and random draws are always the same.
const SEED: u64 = 1;
/// The maximum number of files.
const FILES_MAX: usize = 1_000;

const AFTER_HELP: &str = "\
A scenario:
  title = \"An incoming fax is received\"
  [app]
  url = \"http://localhost:3000\"
  [[steps]]
  name = \"a fax of two pages arrives\"
  receive = { pages = 2, fax_url = \"${app}/fax\" }
  [[steps]]
  name = \"it ends\"
  wait = { for = \"settled\" }
  [[steps]]
  name = \"the app has accepted it\"
  expect = { status = \"received\", num_pages = 2 }

fauxfax config-schema --scenario prints a schema of all that a file may contain.

Exit status:
  0  every step passed
  1  a step failed, or a run could not begin or was interrupted
  2  incorrect usage, or a file is not a scenario
  3  no emulator responded";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct RunFlags {
    #[command(flatten)]
    target: Target,
    /// Scenario files (TOML)
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    files: Vec<PathBuf>,
    /// Variable that the files use as ${NAME}; app=URL is the address of an app that is running already; repeatable
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    var: Vec<(String, String)>,
    /// Print the results as JSON
    #[arg(long)]
    json: bool,
    /// File to write the results to in JUnit's XML, for CI; - is standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    junit: Option<PathBuf>,
}

fn variable(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(name, _)| !name.trim().is_empty());
    let (name, value) = pair.ok_or("it must be NAME=VALUE, such as app=http://localhost:3000")?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

/// A scenario with the port at which its documents and its sample app are served.
struct Prepared {
    scenario: Scenario,
    listener: TcpListener,
    origin: String,
}

pub(super) fn run(flags: &RunFlags) -> anyhow::Result<ExitCode> {
    if flags.files.len() > FILES_MAX {
        bail!("there are {} files; give at most {FILES_MAX}", flags.files.len());
    }
    // Checked first, so that a long run isn't wasted.
    if let Some(path) = flags.junit.as_ref().filter(|path| path.as_os_str() != "-" && !file::is_special(path)) {
        let checked = file::check_writable(path, Contents::Derived);
        checked.with_context(|| format!("can't write {}", path.display()))?;
    }
    // A scenario provokes warnings on purpose, and the results contain those that matter.
    let defaults = Config {
        log_level: LogLevel::Error,
        seed: Some(SEED),
        listen: (Ipv4Addr::LOCALHOST, 0).into(),
        ..Config::default()
    };
    let _log = start_log(&defaults)?;
    let runtime = runtime()?;
    let reports = runtime.block_on(async {
        let mut stop = pin!(stop_signal().context("can't wait for signals")?);
        let Some(prepared) = prepared(flags, &defaults).await? else { return Ok(None) };
        let mut reports: Vec<Report> = Vec::new();
        for each in prepared {
            // A scenario that is not begun has a report too, so that no file is missing from the results.
            let report = match reports.last() {
                Some(last) if last.interrupted => Report::interrupted(&each.scenario),
                Some(_) if reports.iter().any(|report| report.lost_emulator) => Report::not_begun(&each.scenario),
                Some(_) | None => judged(flags, each, stop.as_mut()).await,
            };
            reports.push(report);
        }
        anyhow::Ok(Some(reports))
    });
    // Requests to the app may still be in progress, but nobody is waiting for them.
    runtime.shutdown_background();
    match reports? {
        Some(reports) => told(flags, &reports),
        None => Ok(ExitCode::from(EXIT_USAGE)),
    }
}

/// Reads all files before the first one runs. Prints the mistakes, and returns `None` if there are any.
async fn prepared(flags: &RunFlags, defaults: &Config) -> anyhow::Result<Option<Vec<Prepared>>> {
    let vars: BTreeMap<String, String> = flags.var.iter().cloned().collect();
    let (mut prepared, mut mistakes): (Vec<Prepared>, Vec<BadFile>) = (Vec::new(), Vec::new());
    for path in &flags.files {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("can't serve documents")?;
        let origin = format!("http://{}", listener.local_addr()?);
        match scenario::read(&Source { path, vars: &vars, origin: &origin, defaults: defaults.clone() }) {
            Ok(scenario) => prepared.push(Prepared { scenario, listener, origin }),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    mistakes.iter().for_each(|mistake| super::print_error(&mistake.to_string()));
    Ok(mistakes.is_empty().then_some(prepared))
}

/// Runs one scenario. If it can't run, the report says why, so that the results of other scenarios are not lost.
async fn judged(flags: &RunFlags, prepared: Prepared, stop: Pin<&mut (impl Future<Output = ()> + ?Sized)>) -> Report {
    let begun = Instant::now();
    let Prepared { scenario, listener, origin } = prepared;
    match ran(flags, &scenario, (listener, &origin), stop).await {
        Ok(report) => report,
        Err(error) => {
            let is_lost = |cause: &CallError| match cause {
                CallError::Unreachable { .. } | CallError::Foreign { .. } => true,
                CallError::Refused { .. } | CallError::TimedOut(_) => false,
            };
            let lost_emulator = error.chain().filter_map(|cause| cause.downcast_ref()).any(is_lost);
            let report = Report::not_run(&scenario, &format!("{error:#}"));
            Report { lost_emulator, duration: begun.elapsed(), ..report }
        }
    }
}

/// Runs one scenario, in the running emulator that the user named or in one that is started for it.
async fn ran(
    flags: &RunFlags,
    scenario: &Scenario,
    place: (TcpListener, &str),
    stop: Pin<&mut (impl Future<Output = ()> + ?Sized)>,
) -> anyhow::Result<Report> {
    if flags.target.is_given() {
        let endpoint = flags.target.endpoint()?;
        if scenario.has_settings {
            let (file, url) = (scenario.path.display(), &endpoint.url);
            out::note(&format!("{file}: [settings] have no effect, because the emulator at {url} has its own"));
        }
        let needs_own = !scenario.hosted.is_empty() || scenario.app.as_ref().is_some_and(|app| app.sample);
        if needs_own && !is_loopback(&endpoint.url) {
            let file = scenario.path.display();
            out::note(&format!(
                "{file}: its documents and its sample app are served at 127.0.0.1, which an emulator on another machine or in \
                 a container can't reach"
            ));
        }
        return staged(endpoint, true, scenario, place, stop).await;
    }
    let config = isolated(scenario.config.clone());
    let server = Server::bind(&config).await?;
    let endpoint = Endpoint::of(url(server.address()).parse()?, None);
    let mut report = None;
    let work = async { report = Some(staged(endpoint, false, scenario, place, stop).await) };
    server.serve(work).await?;
    report.context("the emulator stopped before the run did")?
}

/// Returns whether a URL leads to this machine, as far as its host says so.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// Serves the documents, starts the app, and performs the steps.
async fn staged(
    endpoint: Endpoint,
    restores: bool,
    scenario: &Scenario,
    (listener, origin): (TcpListener, &str),
    mut stop: Pin<&mut (impl Future<Output = ()> + ?Sized)>,
) -> anyhow::Result<Report> {
    let config = &scenario.config;
    let options = Options {
        endpoint: client::Endpoint {
            url: endpoint.url.clone(),
            address: None,
            control_token: endpoint.control_token.clone(),
        },
        account: endpoint.account.clone(),
        restores,
        client: ClientOptions {
            connect_to: config.connect_to.clone(),
            trust_ca: config.trust_ca.iter().map(|trusted| trusted.pem.clone()).collect(),
            insecure: config.insecure_webhooks,
            ..ClientOptions::default()
        },
    };
    let client = Client::of(endpoint);
    let mut router = scenario.hosted.clone().router();
    if scenario.app.as_ref().is_some_and(|app| app.sample) {
        router = router.merge(Sample::new(client.clone(), client.credential().await?, origin).router());
    }
    let served = run_listener(listener, router, std::future::pending());
    let work = async {
        let process = match scenario.app.as_ref() {
            Some(app) if app.command.is_some() => tokio::select! {
                process = Process::start(app, &client, &options) => Some(process?),
                () = stop.as_mut() => return Ok(Report::interrupted(scenario)),
            },
            Some(_) | None => None,
        };
        let report = scenario::run(scenario, &options, stop).await;
        if let Some(process) = process {
            process.stop().await;
        }
        report.map_err(of_run)
    };
    tokio::select! {
        report = work => report,
        () = served => bail!("the server for the scenario's documents has stopped"),
    }
}

/// Gives an error the exit status that other subcommands have for it, and a message that fits this command.
fn of_run(error: RunError) -> anyhow::Error {
    match error {
        RunError::Api(error @ (ApiError::Unreachable { .. } | ApiError::Foreign { .. })) => {
            CallError::from(error).into()
        }
        // The messages of `check` name flags that only `check` has.
        RunError::Busy { account, pending } => anyhow!(
            "account {account} has {pending} faxes in progress, which the scenario would disturb; wait for them with: \
             fauxfax wait --idle, or name another account with --account"
        ),
        RunError::NoToken { account } => anyhow!(
            "account {account} has no token yet, because no client has signed in to it; create it with: fauxfax \
             accounts create {account}"
        ),
        error @ (RunError::Api(ApiError::Refused { .. })
        | RunError::NotUrl(_)
        | RunError::Public(_)
        | RunError::OtherToken { .. }
        | RunError::UnderWay { .. }
        | RunError::Client(_)) => error.into(),
    }
}

fn told(flags: &RunFlags, reports: &[Report]) -> anyhow::Result<ExitCode> {
    let takes_output = flags.junit.as_ref().is_some_and(|path| path.as_os_str() == "-");
    if flags.json {
        out::even_if_unread(table::json(&scenario::json(reports)))?;
    } else if !takes_output {
        out::even_if_unread(print::reports(reports, &mut stdout()))?;
    }
    reports.iter().flat_map(|report| &report.notes).for_each(|note| out::note(note));
    // Written last, so that the results are not lost if that fails.
    if let Some(path) = &flags.junit {
        out::even_if_unread(files::write(path, scenario::junit(reports, &print::plain).as_bytes()))?;
    }
    let (lost, interrupted) =
        (reports.iter().any(|report| report.lost_emulator), reports.iter().any(|report| report.interrupted));
    Ok(if lost {
        ExitCode::from(EXIT_UNREACHABLE)
    } else if interrupted || scenario::total(reports).fail > 0 {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}
