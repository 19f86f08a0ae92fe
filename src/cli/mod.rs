//! The command line: one file a subcommand. Thin clients use only the public APIs; nothing here decides what a fax does.

mod ca;
mod client;
mod convert;
mod demo;
mod env;
mod events;
mod exec;
pub mod flags;
mod healthcheck;
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

use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use clap::{Parser, Subcommand};

use self::flags::ServeFlags;

/// A local emulator of Twilio Programmable Fax: send and receive faxes without credentials, a phone line or the internet.
#[derive(Debug, Parser)]
#[command(name = "fauxfax", version, about, args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeFlags,
}

/// How an error begins, as clap's own do.
const ERROR: Style = AnsiColor::Red.on_default().bold();

const EXAMPLES: &str = "\
Examples:
  fauxfax demo                                     see one fax come in and one go out
  fauxfax serve --fax-url http://localhost:3000/fax  emulate for your own app
  fauxfax receive letter.pdf --wait                a fax machine calls your app's number
  fauxfax send --from +15005550006 --to +15558675310 letter.pdf --wait";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the emulator (also what no subcommand does)
    Serve(Box<ServeFlags>),
    /// Run the emulator and a sample webhook app; one fax in and one out, told as a timeline
    Demo(Box<demo::DemoFlags>),
    /// Simulate an incoming fax: a machine calls one of the emulator's numbers
    Receive(receive::ReceiveFlags),
    /// Send a fax through the emulator, as an app would
    Send(send::SendFlags),
    /// Run a command that reaches an emulator of its own, whatever host its code names
    Exec(Box<exec::ExecFlags>),
    /// Print the environment in which unchanged programs reach a running emulator
    Env(env::EnvFlags),
    /// The local CA: its certificate, where it is, how clients trust it
    Ca(ca::CaFlags),
    /// Show what happened in an account's world; -f goes on with what comes
    Events(events::EventsFlags),
    /// Wait until a fax has entered a status, or until nothing is pending
    Wait(tester::WaitFlags),
    /// Show an account's clock, freeze it, move it, let it run
    Clock(tester::ClockFlags),
    /// Show, add and remove rules: behaviour on purpose
    Rules(tester::RulesFlags),
    /// Put an account's world back to its start
    Reset(tester::ResetFlags),
    /// Write out an account's world, or load it
    State(tester::StateFlags),
    /// Show the requests made to your app; --replay sends one again
    Webhooks(tester::WebhooksFlags),
    /// Tell which usual mistake made a webhook's signature invalid
    ExplainSignature(sign::ExplainFlags),
    /// Sign a request as Twilio does
    Sign(sign::SignFlags),
    /// Write a shell's completions
    Completions(schema::CompletionsFlags),
    /// Write the JSON Schema of fauxfax.toml
    ConfigSchema,
    /// Turn a document into fax pages, offline: PDF, TIFF or PNG
    Convert(convert::ConvertFlags),
    /// Render one document for a running emulator
    #[command(hide = true)]
    RenderChild,
    /// Ask a running emulator whether it is well; exit status 0 if so
    Healthcheck(healthcheck::HealthcheckFlags),
}

/// Parses the arguments and runs the subcommand.
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
