//! `fauxfax mcp`: serves the tools of `crate::mcp` over standard input and output, for a running emulator or one of its
//! own. With `--print-config`, it prints the configuration that makes an assistant start this command.

mod print_config;

use std::pin::pin;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, ValueHint};
use tokio::sync::mpsc;
use url::Url;

use self::print_config::Client;
use super::client::Target;
use super::log::start_log;
use super::out;
use super::serve::{isolated, runtime, url};
use super::signals::stop_signal;
use super::values::words;
use crate::client::Endpoint;
use crate::config::{Config, LogLevel, Setting, Settings};
use crate::io::client::ClientOptions;
use crate::mcp::{Handler, Home, Order, answers, serve_stdio};
use crate::model::account::Dialect;
use crate::server::Server;

const AFTER_HELP: &str = "\
Add it to an assistant:
  claude mcp add fauxfax -- fauxfax mcp    for Claude Code
  fauxfax mcp --print-config cursor        for others: what to write, and where

The tools use the emulator of --url or FAUXFAX_URL. Without one, they use an emulator that already answers at the usual
address, such as that of fauxfax serve in another terminal; otherwise this command starts one, with the settings of
fauxfax.toml, which ends with the assistant. Standard output is for the assistant alone; messages go to standard error.

An emulator that is started with fauxfax serve --mcp offers the same tools over HTTP, at http://127.0.0.1:8329/mcp.";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct McpFlags {
    #[command(flatten)]
    target: Target,
    /// Print the configuration for a client instead: claude-code, claude-desktop, cursor, vscode, codex, or json for
    /// any other; all of them if none is named
    #[arg(
        long, value_name = "CLIENT", num_args = 0..=1, default_missing_value = "",
        value_parser = clap::builder::PossibleValuesParser::new(
            Client::ALL.iter().map(|client| client.as_str()).chain([""]).map(|word| clap::builder::PossibleValue::new(word).hide(word.is_empty()))
        )
    )]
    print_config: Option<String>,
    /// Address of the emulator to start, even if one is running already [default: 127.0.0.1:8329] [env: FAUXFAX_LISTEN]
    #[arg(long, value_name = "ADDR", conflicts_with = "url", help_heading = "An emulator that is started")]
    listen: Option<String>,
    /// Service whose API the emulator's account uses [default: twilio] [env: FAUXFAX_DIALECT]
    #[arg(
        long, value_name = "NAME", conflicts_with = "url", value_parser = words(Dialect::ALL, Dialect::as_str),
        help_heading = "An emulator that is started"
    )]
    dialect: Option<String>,
    /// The app's URL for incoming faxes, such as http://localhost:3000/fax [env: FAUXFAX_FAX_URL]
    #[arg(
        long, value_name = "URL", conflicts_with = "url", value_hint = ValueHint::Url,
        help_heading = "An emulator that is started"
    )]
    fax_url: Option<String>,
}

pub(super) fn run(flags: &McpFlags) -> anyhow::Result<ExitCode> {
    if let Some(client) = &flags.print_config {
        print_config::print(Client::from_word(client), &arguments(flags)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    // The assistant sees errors in the results, so only what goes wrong in the emulator itself is logged.
    let quiet = Config { log_level: LogLevel::Warn, ..Config::default() };
    let settings = Settings::default()
        .with_flag(Setting::Listen, flags.listen.clone())
        .with_flag(Setting::Dialect, flags.dialect.clone())
        .with_flag(Setting::FaxUrl, flags.fax_url.clone());
    let mut config = isolated(Config::of_process_over(quiet, settings)?);
    let _log = start_log(&config)?;
    let runtime = runtime()?;
    let served = runtime.block_on(serve(flags, &mut config));
    // A read of standard input may still be in progress, but nothing waits for it.
    runtime.shutdown_background();
    served.map(|()| ExitCode::SUCCESS)
}

async fn serve(flags: &McpFlags, config: &mut Config) -> anyhow::Result<()> {
    let stop = stop_signal().context("can't wait for signals")?;
    let account = flags.target.endpoint()?.account;
    let client = ClientOptions {
        connect_to: config.connect_to.clone(),
        trust_ca: config.trust_ca.iter().map(|trusted| trusted.pem.clone()).collect(),
        insecure: config.insecure_webhooks,
        ..ClientOptions::default()
    };
    match running(flags, config).await? {
        Some(Running::Named(endpoint)) => {
            out::note(&format!("fauxfax mcp: using the emulator at {}", endpoint.url));
            serve_stdio(Handler::new(Home::local(endpoint, account, client)), stop).await;
            Ok(())
        }
        Some(Running::Usual(endpoint)) => {
            out::note(&format!("fauxfax mcp: using the emulator at {}", endpoint.url));
            let home = Home::local(endpoint.clone(), account.clone(), client);
            shared(config, account.as_deref(), (home, &endpoint), stop).await
        }
        None => {
            let (server, endpoint) = started(config, account.as_deref()).await?;
            let handler = Handler::new(Home::local(endpoint, account, client));
            server.serve(serve_stdio(handler, stop)).await.context("saving the state failed")
        }
    }
}

/// Serves the tools for an emulator that is running at the usual address. If that emulator ends, for example together
/// with the assistant that started it, another emulator is started in this process when a tool needs one.
async fn shared(
    config: &mut Config,
    account: Option<&str>,
    (home, usual): (Home, &Endpoint),
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let (orders, mut ordered) = mpsc::channel::<Order>(1);
    let mut serving = pin!(serve_stdio(Handler::new(home.with_orders(orders)), stop));
    loop {
        let order = tokio::select! {
            () = &mut serving => return Ok(()),
            Some(order) = ordered.recv() => order,
        };
        // The call that ordered an emulator may have been canceled since, so that nobody reads the reply.
        let reply = |reply| drop(order.send(reply));
        match started(config, account).await {
            Ok((server, endpoint)) => {
                drop(ordered);
                reply(Ok(endpoint));
                return server.serve(serving).await.context("saving the state failed");
            }
            // Another assistant may have started an emulator at the usual address meanwhile.
            Err(_) if matches!(answers(usual).await, Ok(true)) => reply(Ok(usual.clone())),
            Err(error) => reply(Err(format!("{error:#}"))),
        }
    }
}

/// Starts an emulator, with the account that the user named.
async fn started(config: &mut Config, account: Option<&str>) -> anyhow::Result<(Server, Endpoint)> {
    adapt(config, account)?;
    let server = Server::bind(config).await?;
    let own: Url = url(server.address()).parse()?;
    out::note(&format!("fauxfax mcp: started an emulator at {own}"));
    let control_token = config.control_token.as_deref().map(ToOwned::to_owned);
    Ok((server, Endpoint { url: own, address: None, control_token }))
}

/// An emulator that is running already.
enum Running {
    /// The one that the user named.
    Named(Endpoint),
    /// One that responds at the address at which a new one would be started.
    Usual(Endpoint),
}

/// Returns the emulator that is running already; `None` if a new one is to be started.
async fn running(flags: &McpFlags, config: &Config) -> anyhow::Result<Option<Running>> {
    let is_own = flags.listen.is_some() || flags.dialect.is_some() || flags.fax_url.is_some();
    let target = flags.target.endpoint()?;
    if !is_own && flags.target.is_given() {
        let named = Endpoint { url: target.url, address: None, control_token: target.control_token };
        return Ok(Some(Running::Named(named)));
    }
    if is_own || config.listen.port() == 0 {
        return Ok(None);
    }
    let usual = Endpoint { url: url(config.listen).parse()?, address: None, control_token: target.control_token };
    match answers(&usual).await {
        Ok(true) => Ok(Some(Running::Usual(usual))),
        Ok(false) => Ok(None),
        Err(error) => bail!(
            "{error}; give the address of a running emulator with --url, or an address for a new emulator with --listen"
        ),
    }
}

/// If no accounts are configured, makes the account that the user named the default account of the emulator to be
/// started.
fn adapt(config: &mut Config, account: Option<&str>) -> anyhow::Result<()> {
    let Some(account) = account.filter(|_| config.worlds.is_empty()) else { return Ok(()) };
    let Ok(sid) = account.parse() else {
        bail!("--account: {account:?} is neither an AccountSid nor the UUID of a SignalWire project")
    };
    config.default_account.sid = sid;
    Ok(())
}

/// Returns the arguments with which a client starts this command: the flags that were given with `--print-config`.
fn arguments(flags: &McpFlags) -> anyhow::Result<Vec<String>> {
    let mut arguments = vec!["mcp".to_owned()];
    let endpoint = flags.target.endpoint()?;
    arguments.extend(endpoint.flags.split_whitespace().map(ToOwned::to_owned));
    for (flag, value) in [("--listen", &flags.listen), ("--dialect", &flags.dialect), ("--fax-url", &flags.fax_url)] {
        arguments.extend(value.iter().flat_map(|value| [flag.to_owned(), value.clone()]));
    }
    Ok(arguments)
}
