//! The command line: one file per subcommand. Subcommands that talk to an emulator use only its public APIs.

mod accounts;
mod alerts;
mod api;
mod ca;
mod check;
mod check_document;
mod client;
mod clock;
mod convert;
mod demo;
mod env;
mod events;
mod exec;
mod fax;
mod faxes;
mod files;
pub mod flags;
mod healthcheck;
mod help;
mod init;
mod log;
mod man;
mod mcp;
mod numbers;
mod open;
mod out;
mod output;
mod params;
mod receive;
mod refusal;
mod render_child;
mod reset;
mod rules;
mod run;
mod schema;
mod send;
mod serve;
mod shell;
mod sids;
mod sign;
mod signals;
mod snapshots;
mod state;
mod stream;
mod table;
mod tail;
mod target;
mod timeline;
mod times;
mod trust_files;
mod values;
mod wait;
mod watch;
mod webhooks;

use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use clap::{FromArgMatches, Parser, Subcommand};

use self::flags::ServeFlags;

/// A local emulator of Twilio Programmable Fax and of SignalWire's compatibility API for faxes: send and receive faxes
/// without credentials, a phone line or the internet.
#[derive(Debug, Parser)]
#[command(name = "fauxfax", version, about, args_conflicts_with_subcommands = true, after_help = help::EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeFlags,
}

/// The style of the word `error`, as in clap's own errors.
const ERROR: Style = AnsiColor::Red.on_default().bold();

// The first paragraph of each subcommand is its line in `fauxfax -h`, for which 58 characters fit on a terminal.
#[derive(Debug, Subcommand)]
enum Command {
    /// Run the emulator (the default if no command is given)
    Serve(Box<ServeFlags>),
    /// Run the emulator with a sample app, receive and send a fax
    ///
    /// Runs the emulator with a sample app, receives one fax and sends one, and prints the timeline.
    Demo(Box<demo::DemoFlags>),
    /// Simulate an incoming fax
    ///
    /// Simulates an incoming fax: a fax machine calls one of the emulator's numbers.
    Receive(Box<receive::ReceiveFlags>),
    /// Send a fax through the REST API, as an app would
    Send(Box<send::SendFlags>),
    /// List the faxes, or show one, its document or its text
    ///
    /// Lists the faxes, newest first; or shows one fax and what happened to it, or gets its document or its text.
    Faxes(Box<faxes::FaxesFlags>),
    /// Run a program with a private emulator
    ///
    /// Runs a program with a private emulator, which receives the program's requests to twilio.com and signalwire.com.
    Exec(Box<exec::ExecFlags>),
    /// Judge a webhook app, or a document before it is faxed
    ///
    /// Judges a webhook app: sends it faxes and requests, right and wrong ones, and looks from outside at what it does.
    /// Or judges a document before it is faxed: what can't be read or scanned at its quality, what is lost, and what
    /// the fax costs.
    Check(Box<check::CheckFlags>),
    /// Run scenario files: tests without code
    ///
    /// Runs scenario files, which are tests without code: the steps of each are performed in order and judged. Each
    /// file has an emulator of its own with a frozen clock, unless --url or FAUXFAX_URL names one that is running.
    Run(Box<run::RunFlags>),
    /// Write a project's first settings and fax test
    ///
    /// Writes the first settings and one test that passes, for the project in this folder; shows them first.
    Init(init::InitFlags),
    /// Give a coding assistant tools for faxes (MCP)
    ///
    /// Serves tools to a coding assistant, over standard input and output, by the Model Context Protocol: receive and
    /// send faxes, see their pages and conversations, make things go wrong, and judge an app.
    Mcp(mcp::McpFlags),
    /// Print variables that direct programs to the emulator
    ///
    /// Prints environment variables that direct unmodified programs to a running emulator.
    Env(env::EnvFlags),
    /// Print the local CA, or how to make clients trust it
    ///
    /// Prints the local CA's certificate, its path, or how to make clients trust it.
    Ca(ca::CaFlags),
    /// Show what happened; -f keeps printing new events
    ///
    /// Shows an account's journal: what happened to its faxes, webhooks and requests; -f keeps printing new events.
    Events(events::EventsFlags),
    /// Show the requests in both directions as they happen
    ///
    /// Shows the requests in both directions as they happen: those of apps to the emulator, and its own to apps.
    Tail(Box<tail::TailFlags>),
    /// Show the alerts, and what to do about each
    ///
    /// Shows an account's alerts, newest first, and what to do about each.
    Alerts(alerts::AlertsFlags),
    /// Open the console in the browser
    ///
    /// Opens the console, or the page of a fax, in the browser, and prints the address.
    Open(open::OpenFlags),
    /// Wait for a fax's status, or until nothing is pending
    ///
    /// Waits until a fax enters a status, or until nothing is pending.
    Wait(wait::WaitFlags),
    /// Show the clock, freeze it, move it, or let it run
    ///
    /// Shows an account's clock, freezes it, moves it, or lets it run.
    Clock(clock::ClockFlags),
    /// Show, add or remove rules that make things go wrong
    ///
    /// Shows, adds or removes rules, which make calls, faxes and webhooks misbehave on purpose.
    Rules(rules::RulesFlags),
    /// Show, buy, change or release numbers
    ///
    /// Shows an account's numbers, buys one, changes one or releases one.
    Numbers(numbers::NumbersFlags),
    /// List, create or remove accounts
    ///
    /// Lists the emulator's accounts, creates one or removes one.
    Accounts(accounts::AccountsFlags),
    /// List, take, restore or remove snapshots
    ///
    /// Lists, takes, restores or removes snapshots of an account's world.
    Snapshots(snapshots::SnapshotsFlags),
    /// Reset an account's world to its start or a snapshot
    Reset(reset::ResetFlags),
    /// Print an account's world as JSON, or load one
    State(state::StateFlags),
    /// Show the requests made to your app, or replay one
    ///
    /// Shows the requests made to your app, or sends one again with --replay.
    Webhooks(webhooks::WebhooksFlags),
    /// Explain why a webhook's signature is invalid
    ///
    /// Explains why a webhook's signature is invalid, by trying the usual mistakes.
    ExplainSignature(sign::ExplainFlags),
    /// Compute the signature of a request
    ///
    /// Computes the signature that the service would send with a request.
    Sign(sign::SignFlags),
    /// Print the completion script for a shell
    Completions(schema::CompletionsFlags),
    /// Print the manual page, or write all of them
    ///
    /// Prints the manual page, or writes one page per command.
    Man(man::ManFlags),
    /// Print the JSON Schema of fauxfax.toml or of scenarios
    ///
    /// Prints the JSON Schema of fauxfax.toml, or of scenario files, for editors.
    ConfigSchema(schema::SchemaFlags),
    /// Convert a document to fax pages, offline
    ///
    /// Converts a document to fax pages, offline: PDF, TIFF or PNG.
    Convert(convert::ConvertFlags),
    /// Render one document; only a running emulator uses this
    #[command(hide = true)]
    RenderChild,
    /// Check that a running emulator is healthy
    ///
    /// Checks that a running emulator is healthy: if so, the exit status is 0.
    Healthcheck(healthcheck::HealthcheckFlags),
}

/// The exit status for incorrect usage, which is the one that clap uses.
const EXIT_USAGE: u8 = 2;

/// The error for arguments whose fault is found by the subcommand, and not by clap.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct UsageError(String);

/// Parses the arguments, runs the subcommand, and prints its error if it fails.
#[must_use]
pub fn main() -> ExitCode {
    let matches = help::command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match run(cli) {
        Ok(code) => code,
        Err(error) if out::is_reader_gone(&error) => ExitCode::SUCCESS,
        Err(error) => {
            print_error(&format!("{error:#}"));
            if error.is::<UsageError>() {
                return ExitCode::from(EXIT_USAGE);
            }
            let call = error.chain().find_map(|cause| cause.downcast_ref::<client::CallError>());
            call.map_or(ExitCode::FAILURE, client::CallError::exit_code)
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        None => serve::run(cli.serve),
        Some(Command::Serve(flags)) => serve::run(*flags),
        Some(Command::Demo(flags)) => demo::run(*flags),
        Some(Command::Receive(flags)) => receive::run(&flags),
        Some(Command::Send(flags)) => send::run(&flags),
        Some(Command::Faxes(flags)) => faxes::run(&flags),
        Some(Command::Exec(flags)) => exec::run(*flags),
        Some(Command::Check(flags)) => check::run(&flags),
        Some(Command::Run(flags)) => run::run(&flags),
        Some(Command::Init(flags)) => init::run(&flags),
        Some(Command::Mcp(flags)) => mcp::run(&flags),
        Some(Command::Env(flags)) => env::run(&flags),
        Some(Command::Ca(flags)) => ca::run(flags),
        Some(Command::Events(flags)) => events::run(&flags),
        Some(Command::Tail(flags)) => tail::run(&flags),
        Some(Command::Alerts(flags)) => alerts::run(&flags),
        Some(Command::Open(flags)) => open::run(&flags),
        Some(Command::Wait(flags)) => wait::run(&flags),
        Some(Command::Clock(flags)) => clock::run(&flags),
        Some(Command::Rules(flags)) => rules::run(&flags),
        Some(Command::Numbers(flags)) => numbers::run(&flags),
        Some(Command::Accounts(flags)) => accounts::run(&flags),
        Some(Command::Snapshots(flags)) => snapshots::run(&flags),
        Some(Command::Reset(flags)) => reset::run(&flags),
        Some(Command::State(flags)) => state::run(&flags),
        Some(Command::Webhooks(flags)) => webhooks::run(&flags),
        Some(Command::ExplainSignature(flags)) => sign::explain_signature(&flags),
        Some(Command::Sign(flags)) => sign::sign(&flags),
        Some(Command::Completions(flags)) => schema::completions(&flags),
        Some(Command::Man(flags)) => man::run(&flags),
        Some(Command::ConfigSchema(flags)) => schema::config_schema(&flags),
        Some(Command::Convert(flags)) => convert::run(&flags),
        Some(Command::RenderChild) => Ok(render_child::run()),
        Some(Command::Healthcheck(flags)) => healthcheck::run(&flags),
    }
}

fn print_error(text: &str) {
    output::write_last_words(format!("{ERROR}error:{ERROR:#} {text}\n"));
}
