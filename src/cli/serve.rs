//! `fauxfax serve`: reads the configuration, opens the ports, prints the ready line, and serves until it is stopped.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;
use tokio::runtime::Runtime;

use super::flags::ServeFlags;
use super::log::start_log;
use super::output::{LastLines, Output};
use super::signals::stop_signal;
use super::target::is_default;
use crate::config::{Config, LogFormat};
use crate::http::control::BASE;
use crate::io::file::{self, Contents};
use crate::server::Server;

/// The outside number to which the first fax is sent. It answers, like every number without special behaviour.
const FIRST_CALLED: &str = "+15558675310";

pub(super) fn run(flags: ServeFlags) -> anyhow::Result<ExitCode> {
    let config = isolated(Config::of_process(flags.into_settings())?);
    // The guards live until the end of the function, where they wait for the last lines.
    let _log = start_log(&config)?;
    let (mut out, _last_lines) = standard_output()?;
    let runtime = runtime()?;
    runtime.block_on(async {
        // Register before the ready line is printed: a script that reads the line may stop the emulator immediately.
        let stop = stop_signal().context("can't wait for signals")?;
        let server = Server::bind(&config).await?;
        announce(&config, &server, &mut out)?;
        if config.log_format == LogFormat::Text && stderr().is_terminal() {
            advise(&config, &server);
        }
        server.serve(stop).await.context("saving the state failed")?;
        anyhow::Ok(())
    })?;
    // Requests to apps may still be in progress, but nobody is waiting for them.
    runtime.shutdown_background();
    Ok(ExitCode::SUCCESS)
}

/// Returns standard output as a writer that never blocks.
pub(super) fn standard_output() -> anyhow::Result<(Output, LastLines)> {
    Output::start("output", stdout(), |_| ()).context("can't start the output writer")
}

/// Returns the configuration, changed to render documents in child processes that run this program, if its path is
/// known.
pub(super) fn isolated(config: Config) -> Config {
    // This link works even if the program's file has been replaced or isn't visible at its path.
    let link = std::path::PathBuf::from("/proc/self/exe");
    let render_program = if link.exists() { Some(link) } else { std::env::current_exe().ok() };
    Config { render_program, ..config }
}

/// Creates a runtime with one thread per processor, and raises the limit on open files as far as the system allows.
pub(super) fn runtime() -> anyhow::Result<Runtime> {
    // If the limit can't be raised, fewer simultaneous connections are possible; the log says when clients have to
    // wait.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("can't start the runtime")
}

/// Writes the port file and the ready line, which scripts and tests wait for.
pub(super) fn announce(config: &Config, server: &Server, out: &mut impl Write) -> anyhow::Result<()> {
    // Written before the ready line, so that a script that has read the line finds the file.
    if let Some(path) = &config.port_file {
        write_port(path, server.address().port()).with_context(|| format!("can't write {}", path.display()))?;
    }
    tracing::info!(
        seed = server.registry().settings().seed,
        "all ids and random choices derive from this seed; pass it to --seed to reproduce them"
    );
    let url = url(server.address());
    let account = server.registry().default_account();
    let configured = config.worlds.first();
    let given = configured.map_or(!config.default_account.has_default_token, |account| account.auth_token.is_some());
    // A configured token is a secret. A generated token must be printed, since nobody knows it yet; the default token
    // may be printed.
    let token = server.registry().world(account).filter(|_| !given);
    let token = token.and_then(|world| world.read(|engine| engine.account().auth_token.clone()));
    let tls_url = server.tls_address().map(|address| self::url(address).replacen("http", "https", 1));
    match config.log_format {
        LogFormat::Text => {
            let token = token.map(|token| format!(" token {token}")).unwrap_or_default();
            let tls = tls_url.map(|url| format!(" tls {url}")).unwrap_or_default();
            writeln!(out, "fauxfax ready {url} account {account}{token}{tls}")?;
        }
        LogFormat::Json => {
            let mut line = json!({ "event": "ready", "url": url, "account": account.to_string() });
            if let Some(token) = token {
                line["token"] = json!(token);
            }
            if let Some(url) = tls_url {
                line["tls_url"] = json!(url);
            }
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

/// Tells a person at the terminal where the console is, and how to try a first fax. If the account has numbers, but
/// none of them has an app, it suggests sending a fax, and then receiving one with an app. Otherwise, it suggests
/// receiving one.
fn advise(config: &Config, server: &Server) {
    let url = url(server.address());
    let world = server.registry().world(server.registry().default_account());
    let numbers = world.map(|world| {
        world.read(|engine| {
            let numbers = engine.numbers();
            numbers.map(|number| (number.number, !number.attributes.voice_url.is_empty())).collect::<Vec<_>>()
        })
    });
    let numbers = numbers.unwrap_or_default();
    let mut flags = if is_default(&url) { String::new() } else { format!(" --url {url}") };
    if config.control_token.is_some() {
        flags.push_str(" --control-token TOKEN");
    }
    let receive = "fauxfax receive --pages 1 --wait";
    let faxes = match numbers.first() {
        Some((number, _)) if numbers.iter().all(|(_, has_app)| !has_app) => {
            let send =
                format!("fauxfax send --wait --from {number} --to {FIRST_CALLED} {url}{BASE}/samples/one-page.pdf");
            format!("A first fax:  {send}{flags}\nTo your app:  {receive} --fax-url http://localhost:3000/fax{flags}\n")
        }
        Some(_) | None => format!("A first fax:  {receive}{flags}\n"),
    };
    let console = if cfg!(feature = "console") { format!("Console:      {url}/console\n") } else { String::new() };
    // If the terminal is gone, there is nobody to advise.
    let _ = stderr().write_all(format!("{console}{faxes}").as_bytes());
}

/// Writes the port file. A pipe or device is written on a separate thread, since that may block; a failure there is
/// only logged.
fn write_port(path: &Path, port: u16) -> std::io::Result<()> {
    let line = format!("{port}\n");
    if !file::is_special(path) {
        return file::write(path, line.as_bytes(), Contents::Derived);
    }
    let path = path.to_owned();
    let write = move || {
        if let Err(error) = file::write(&path, line.as_bytes(), Contents::Derived) {
            tracing::warn!(path = %path.display(), %error, "can't write the port file");
        }
    };
    std::thread::Builder::new().name("port file".to_owned()).spawn(write).map(drop)
}

/// Returns a URL through which this machine can reach the address.
pub(super) fn url(address: SocketAddr) -> String {
    let ip = match address.ip() {
        // An unspecified address can be listened on but not connected to.
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    format!("http://{}", SocketAddr::new(ip, address.port()))
}
