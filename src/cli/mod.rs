//! The command line: one file per subcommand. Subcommands that talk to an emulator use only its public APIs.

mod ca;
mod client;
mod convert;
mod demo;
mod env;
mod events;
mod exec;
pub mod flags;
mod healthcheck;
mod log;
mod numbers;
mod output;
mod receive;
mod render_child;
mod schema;
mod send;
mod serve;
mod sign;
mod signals;
mod table;
mod tester;
mod trust_files;

use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use clap::{Parser, Subcommand};

use self::flags::ServeFlags;

/// A local emulator of Twilio Programmable Fax and of SignalWire's compatibility API for faxes: send and receive faxes
/// without credentials, a phone line or the internet.
#[derive(Debug, Parser)]
#[command(name = "fauxfax", version, about, args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeFlags,
}

/// The style of the word `error`, as in clap's own errors.
const ERROR: Style = AnsiColor::Red.on_default().bold();

const EXAMPLES: &str = "\
Examples:
  fauxfax demo                                     receive one fax and send one
  fauxfax serve --fax-url http://localhost:3000/fax  emulate the service for your own app
  fauxfax receive letter.pdf --wait                have a fax machine call your app's number
  fauxfax send --from +15005550006 --to +15558675310 letter.pdf --wait";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the emulator (the default if no subcommand is given)
    Serve(Box<ServeFlags>),
    /// Run the emulator with a sample app, receive one fax and send one, and print the timeline
    Demo(Box<demo::DemoFlags>),
    /// Simulate an incoming fax: a fax machine calls one of the emulator's numbers
    Receive(receive::ReceiveFlags),
    /// Send a fax through the REST API, as an app would
    Send(send::SendFlags),
    /// Run a program with a private emulator, which receives the program's requests to twilio.com and signalwire.com
    Exec(Box<exec::ExecFlags>),
    /// Print environment variables that direct unmodified programs to a running emulator
    Env(env::EnvFlags),
    /// Print the local CA's certificate, its path, or how to make clients trust it
    Ca(ca::CaFlags),
    /// Show an account's journal: what happened to its faxes, webhooks and requests; -f keeps printing new events
    Events(events::EventsFlags),
    /// Wait until a fax enters a status, or until nothing is pending
    Wait(tester::WaitFlags),
    /// Show an account's clock, freeze it, move it, or let it run
    Clock(tester::ClockFlags),
    /// Show, add or remove rules, which make calls, faxes and webhooks misbehave on purpose
    Rules(tester::RulesFlags),
    /// Reset an account's world to its start, or to a snapshot
    Reset(tester::ResetFlags),
    /// Print an account's world as JSON, or load one
    State(tester::StateFlags),
    /// Show the requests made to your app, or send one again with --replay
    Webhooks(tester::WebhooksFlags),
    /// Explain why a webhook's signature is invalid, by trying the usual mistakes
    ExplainSignature(sign::ExplainFlags),
    /// Compute the signature that the service would send with a request
    Sign(sign::SignFlags),
    /// Print the completion script for a shell
    Completions(schema::CompletionsFlags),
    /// Print the JSON Schema of fauxfax.toml
    ConfigSchema,
    /// Convert a document to fax pages, offline: PDF, TIFF or PNG
    Convert(convert::ConvertFlags),
    /// Render one document for a running emulator, which starts this itself
    #[command(hide = true)]
    RenderChild,
    /// Check that a running emulator is healthy: if so, the exit status is 0
    Healthcheck(healthcheck::HealthcheckFlags),
}

/// Parses the arguments, runs the subcommand, and prints its error if it fails.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        None => serve::run(cli.serve),
        Some(Command::Serve(flags)) => serve::run(*flags),
        Some(Command::Demo(flags)) => demo::run(*flags),
        Some(Command::Receive(flags)) => receive::run(&flags),
        Some(Command::Send(flags)) => send::run(&flags),
        Some(Command::Exec(flags)) => exec::run(*flags),
        Some(Command::Env(flags)) => env::run(&flags),
        Some(Command::Ca(flags)) => ca::run(flags),
        Some(Command::Events(flags)) => events::run(&flags),
        Some(Command::Wait(flags)) => tester::wait(&flags),
        Some(Command::Clock(flags)) => tester::clock(&flags),
        Some(Command::Rules(flags)) => tester::rules(&flags),
        Some(Command::Reset(flags)) => tester::reset(&flags),
        Some(Command::State(flags)) => tester::state(&flags),
        Some(Command::Webhooks(flags)) => tester::webhooks(&flags),
        Some(Command::ExplainSignature(flags)) => sign::explain_signature(&flags),
        Some(Command::Sign(flags)) => sign::sign(&flags),
        Some(Command::Completions(flags)) => Ok(schema::completions(&flags)),
        Some(Command::ConfigSchema) => schema::config_schema(),
        Some(Command::Convert(flags)) => convert::run(&flags),
        Some(Command::RenderChild) => return render_child::run(),
        Some(Command::Healthcheck(flags)) => healthcheck::run(&flags),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            print_error(&format!("{error:#}"));
            error.downcast_ref::<client::CallError>().map_or(ExitCode::FAILURE, client::CallError::exit_code)
        }
    }
}

fn print_error(text: &str) {
    output::write_last_words(format!("{ERROR}error:{ERROR:#} {text}\n"));
}
