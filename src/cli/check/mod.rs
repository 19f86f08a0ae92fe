//! `fauxfax check`: judges a webhook app with the checks of `crate::check`, in a running emulator or one that it starts;
//! or a document before it is faxed (`check_document`).

mod names;
pub(super) mod print;
mod subject;

use std::ffi::OsString;
use std::io::{IsTerminal, stderr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueHint};
use url::Url;

use self::subject::Subject;
use super::check_document::{self, DocumentFlags};
use super::client::{CallError, Target};
use super::log::start_log;
use super::out::{self, stdout};
use super::serve::{isolated, runtime, url};
use super::signals::stop_signal;
use super::values::{span, words};
use super::{UsageError, files, table};
use crate::check::list::Selection;
use crate::check::{Options, Profile, Progress, Report, RunError, junit};
use crate::client::{ApiError, Endpoint};
use crate::config::{Config, LogLevel, Setting, Settings};
use crate::io::client::ClientOptions;
use crate::model::account::Dialect;
use crate::model::time::Pace;
use crate::server::Server;

/// The exit status for incorrect usage.
const EXIT_USAGE: u8 = 2;
/// The exit status if the emulator stopped responding.
const EXIT_UNREACHABLE: u8 = 3;

const AFTER_HELP: &str = "\
Examples:
  fauxfax check http://localhost:3000/fax          an app, with right and wrong requests
  fauxfax check letter.pdf                         a document before it is faxed
  fauxfax check letter.pdf --quality standard --pictures found/

Exit status:
  0  no check failed
  1  a check failed, no check could judge the app, or the run could not begin or was interrupted
  2  incorrect usage, or the document can't be read
  3  no emulator responded";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct CheckFlags {
    #[command(flatten)]
    target: Target,
    /// An app's URL for incoming faxes, such as http://localhost:3000/fax, which must be the one that the app verifies
    /// signatures for; or a document: a PDF, TIFF, PNG or JPEG file, or - for standard input
    #[arg(value_name = "URL|FILE", value_hint = ValueHint::AnyPath, required_unless_present_any = ["list", "explain"])]
    subject: Option<OsString>,
    /// URL to notify when a fax has been received, instead of the action in the app's TwiML
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, help_heading = "Your app")]
    action: Option<String>,
    /// URL that the app names as StatusCallback when it sends a fax
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, help_heading = "Your app")]
    status_callback: Option<String>,
    /// Shell command that makes the app send a fax, such as "curl -s localhost:3000/send"
    #[arg(long, value_name = "COMMAND", value_hint = ValueHint::CommandString, help_heading = "Your app")]
    send: Option<String>,
    /// Page of the app to compare before and after, such as a list of received faxes in JSON
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, help_heading = "Your app")]
    probe: Option<String>,
    /// Time to wait for what the app should do after it has responded, such as a download, another attempt or a
    /// question about a lost callback [default: 5s]
    #[arg(long, value_name = "DURATION", value_parser = span, help_heading = "Your app")]
    patience: Option<Duration>,
    /// Token that the app verifies signatures with; the one that the account has in the emulator if left out
    #[arg(long, value_name = "TOKEN", help_heading = "Your app")]
    auth_token: Option<String>,
    /// Check an app at a public address, which you may do only if the host is yours
    #[arg(long, help_heading = "Your app")]
    i_own_this_host: bool,
    #[command(flatten)]
    document: DocumentFlags,
    /// Address of the emulator that is started without --url, which the app calls [default: 127.0.0.1:8329] [env:
    /// FAUXFAX_LISTEN]
    #[arg(long, value_name = "ADDR", conflicts_with = "url", help_heading = "Emulator")]
    listen: Option<String>,
    /// Service whose webhooks the app receives, for an emulator that is started [default: twilio] [env:
    /// FAUXFAX_DIALECT]
    #[arg(
        long, value_name = "NAME", conflicts_with = "url", value_parser = words(Dialect::ALL, Dialect::as_str),
        help_heading = "Emulator"
    )]
    dialect: Option<String>,
    /// Which faxes of an app to check: those that it receives, those that it sends, or all [default: all]
    #[arg(
        long, value_name = "WHICH", value_parser = PossibleValuesParser::new(["inbound", "outbound", "all"]),
        help_heading = "Checks"
    )]
    profile: Option<String>,
    /// Run only the checks that every app must pass
    #[arg(long, help_heading = "Checks")]
    quick: bool,
    /// Run only this check, by its name or code, such as signature-missing, S2 or type-size; repeatable
    #[arg(long, value_name = "ID", value_delimiter = ',', help_heading = "Checks")]
    only: Vec<String>,
    /// Leave out this check, by its name or code; repeatable
    #[arg(long, value_name = "ID", value_delimiter = ',', help_heading = "Checks")]
    skip: Vec<String>,
    /// List the selected checks instead of running them
    #[arg(long, conflicts_with = "explain", help_heading = "Checks")]
    list: bool,
    /// Explain a check, by its name or code, instead of running any
    #[arg(long, value_name = "ID", help_heading = "Checks")]
    explain: Option<String>,
    /// Print the results as JSON
    #[arg(long)]
    json: bool,
    /// File to write the results to in JUnit's XML, for CI; - is standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    junit: Option<PathBuf>,
}

pub(super) fn run(flags: &CheckFlags) -> anyhow::Result<ExitCode> {
    if let Some(name) = &flags.explain {
        return names::explain(name, flags.json).unwrap_or_else(|error| Ok(wrong_usage(&error.to_string())));
    }
    let subject = match flags.subject.as_deref().map(Subject::of).transpose() {
        Ok(subject) => subject,
        Err(error) => return Ok(wrong_usage(&error)),
    };
    let selected = match subject.as_ref().map_or(Ok(()), |subject| subject.takes(flags)) {
        Ok(()) => names::selected(flags, subject.as_ref()),
        Err(error) => Err(error),
    };
    let selected = match selected {
        Ok(selected) => selected,
        Err(error) => return Ok(wrong_usage(&error)),
    };
    match subject {
        _ if flags.list => selected.list(flags.json).map(|()| ExitCode::SUCCESS),
        Some(Subject::Document(file)) => {
            let mut options = flags.document.options(file, selected.of_documents);
            (options.json, options.junit) = (flags.json, flags.junit.as_deref());
            check_document::check(&options)
        }
        Some(Subject::App(url)) => app(flags, Options::new(url, selected.of_apps)),
        None => Ok(wrong_usage("give the URL of an app, or a file")),
    }
}

/// Judges an app.
fn app(flags: &CheckFlags, mut options: Options) -> anyhow::Result<ExitCode> {
    let selection = selection(flags);
    options.profiles = if selection.profiles.is_empty() { Profile::ALL.to_vec() } else { selection.profiles };
    options.action.clone_from(&flags.action);
    options.status_callback.clone_from(&flags.status_callback);
    options.send.clone_from(&flags.send);
    options.probe.clone_from(&flags.probe);
    options.auth_token.clone_from(&flags.auth_token);
    options.owns_host = flags.i_own_this_host;
    options.limits.work = flags.patience.unwrap_or(options.limits.work);
    options.account = flags.target.endpoint()?.account;
    match judged(flags, options)? {
        Ok(report) => told(flags, &report),
        Err(error @ RunError::NotUrl(_)) => Ok(wrong_usage(&error.to_string())),
        Err(RunError::Api(error @ (ApiError::Unreachable { .. } | ApiError::Foreign { .. }))) => {
            Err(CallError::from(error).into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Returns which checks of apps the flags select.
fn selection(flags: &CheckFlags) -> Selection {
    let profiles = flags.profile.as_deref().and_then(Profile::from_word).into_iter().collect();
    Selection { profiles, quick: flags.quick, only: flags.only.clone(), skip: flags.skip.clone() }
}

fn wrong_usage(text: &str) -> ExitCode {
    super::print_error(text);
    ExitCode::from(EXIT_USAGE)
}

/// Runs the checks in the running emulator that the user named, or in one that is started for them.
fn judged(flags: &CheckFlags, mut options: Options) -> anyhow::Result<Result<Report, RunError>> {
    let is_own = flags.listen.is_some() || flags.dialect.is_some() || !flags.target.is_given();
    // The checks provoke warnings on purpose, and the results contain those that matter.
    let quiet = Config { log_level: LogLevel::Error, pace: Pace::Max, ..Config::default() };
    let settings = Settings::default()
        .with_flag(Setting::Listen, flags.listen.clone())
        .with_flag(Setting::Dialect, flags.dialect.clone());
    let mut config = isolated(Config::of_process_over(quiet, settings)?);
    options.client = ClientOptions {
        connect_to: config.connect_to.clone(),
        trust_ca: config.trust_ca.iter().map(|trusted| trusted.pem.clone()).collect(),
        insecure: config.insecure_webhooks,
        ..ClientOptions::default()
    };
    let _log = start_log(&config)?;
    let runtime = runtime()?;
    let report = runtime.block_on(async {
        let stop = stop_signal().context("can't wait for signals")?;
        if !is_own {
            let endpoint = flags.target.endpoint()?;
            let endpoint = Endpoint { url: endpoint.url, address: None, control_token: endpoint.control_token };
            return Ok(crate::check::run(endpoint, options, &progress, stop).await);
        }
        options.restores = false;
        adapt(&mut config, &options)?;
        let server = Server::bind(&config).await.map_err(|error| {
            let hint = "; to use the emulator that runs there, give its address with --url";
            anyhow::anyhow!("{error}{}", if flags.listen.is_none() { hint } else { "" })
        })?;
        let url: Url = url(server.address()).parse()?;
        let endpoint =
            Endpoint { url, address: None, control_token: config.control_token.as_deref().map(ToOwned::to_owned) };
        let mut report = None;
        let work = async { report = Some(crate::check::run(endpoint, options, &progress, stop).await) };
        server.serve(work).await?;
        report.context("the emulator stopped before the run did")
    });
    // Requests to the app may still be in progress, but nobody is waiting for them.
    runtime.shutdown_background();
    report
}

/// Adapts the configuration of the emulator that the command starts: the emulator writes no files and, unless accounts
/// are configured, has the account that the app uses.
fn adapt(config: &mut Config, options: &Options) -> anyhow::Result<()> {
    config.private_apps_only = !options.owns_host;
    // The run must not become part of the state that the user keeps.
    config.state = None;
    config.port_file = None;
    if !config.worlds.is_empty() {
        return Ok(());
    }
    if let Some(account) = &options.account {
        let Ok(sid) = account.parse() else {
            let wrong = format!("--account: {account:?} is neither an AccountSid nor the UUID of a SignalWire project");
            return Err(UsageError(wrong).into());
        };
        config.default_account.sid = sid;
    }
    if let Some(token) = &options.auth_token {
        config.default_account.auth_token = token.as_str().into();
        config.default_account.has_default_token = false;
    }
    Ok(())
}

/// Shows on a terminal how far the run has come.
fn progress(progress: Progress<'_>) {
    if !stderr().is_terminal() {
        return;
    }
    let Progress { done, total, latest } = progress;
    let latest = latest.map(|result| format!(": {}", result.check.id)).unwrap_or_default();
    let line = if done == total { String::new() } else { format!("{done} of {total} checks{latest}") };
    out::overwrite(&line);
}

fn told(flags: &CheckFlags, report: &Report) -> anyhow::Result<ExitCode> {
    if stderr().is_terminal() {
        out::overwrite("");
    }
    if let Some(path) = &flags.junit {
        out::even_if_unread(files::write(path, junit(report).as_bytes()))?;
    }
    let takes_output = flags.junit.as_ref().is_some_and(|path| path.as_os_str() == "-");
    if flags.json {
        out::even_if_unread(table::json(&report.json()))?;
    } else if !takes_output {
        out::even_if_unread(print::report(report, &mut stdout()))?;
    }
    report.notes.iter().for_each(|note| out::note(note));
    if !report.is_judged() {
        out::note("no check could judge the app, so this is not a success");
    }
    Ok(if report.lost_emulator {
        ExitCode::from(EXIT_UNREACHABLE)
    } else if report.summary().fail > 0 || report.interrupted || !report.is_judged() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}
