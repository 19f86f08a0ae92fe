//! `fauxfax serve`: reads the configuration, opens the ports, prints the ready line, and serves until it is stopped.

use std::backtrace::BacktraceStatus;
use std::io::{IsTerminal, Write, stderr, stdout};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;
use tokio::runtime::Runtime;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{fmt, registry};

use super::flags::ServeFlags;
use super::output::{LastLines, Output};
use super::signals::stop_signal;
use crate::config::{Config, LogFormat};
use crate::io::file::{self, Contents};
use crate::server::Server;

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

/// Sends the log to standard error in the configured form. A thread writes the log, so a stuck reader delays nothing.
/// When dropped, the returned guard waits for the last lines.
pub(super) fn start_log(config: &Config) -> anyhow::Result<LastLines> {
    let report = |dropped| tracing::error!(dropped, "dropped log lines that could not be written in time");
    let (output, last_lines) = Output::start("log", stderr(), report).context("can't start the log writer")?;
    // The configured level is for this program. Libraries log only warnings and errors.
    let own = config.log_level.as_str().parse::<LevelFilter>().context("invalid log level")?;
    let log = registry().with(Targets::new().with_default(LevelFilter::WARN).with_target("fauxfax", own));
    // Otherwise the library would report its own errors directly on standard error, which may block.
    let lines = fmt::layer().with_writer(output).log_internal_errors(false);
    match config.log_format {
        LogFormat::Text => log.with(lines.with_ansi(stderr().is_terminal()).with_target(false)).init(),
        LogFormat::Json => log.with(lines.json()).init(),
    }
    // The default hook writes to standard error itself and could block there.
    std::panic::set_hook(Box::new(|panic| {
        let backtrace = std::backtrace::Backtrace::capture();
        let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| format!("\n{backtrace}"));
        tracing::error!("{panic}{}", backtrace.unwrap_or_default());
    }));
    Ok(last_lines)
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
    // A configured token is a secret. A minted token must be printed, since nobody knows it yet; the default token may
    // be printed.
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
