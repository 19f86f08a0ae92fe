//! `fauxfax serve`: reads the configuration, opens the port, says so, and serves until it is told to stop.
//! It decides on no value: defaults are `config.rs`'s.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;
use tokio::runtime::Runtime;

use super::flags::ServeFlags;
use crate::config::{Config, LogFormat};
use crate::server::Server;

pub(super) fn run(flags: ServeFlags) -> anyhow::Result<ExitCode> {
    let config = isolated(Config::of_process(flags.into_settings())?);
    start_log(&config);
    let runtime = runtime()?;
    runtime.block_on(async {
        let server = Server::bind(&config).await?;
        announce(&config, &server)?;
        server.serve(stop_signal()).await.context("the worlds are lost")?;
        anyhow::Ok(())
    })?;
    // What still runs are requests to customers' apps; nobody waits for them.
    runtime.shutdown_background();
    Ok(ExitCode::SUCCESS)
}

/// Has documents rendered by this very program, in processes of their own, where the system tells where it is.
pub(super) fn isolated(config: Config) -> Config {
    // The link goes on working when the file is replaced, and where the path leads nowhere.
    let link = std::path::PathBuf::from("/proc/self/exe");
    let render_program = if link.exists() { Some(link) } else { std::env::current_exe().ok() };
    Config { render_program, ..config }
}

/// A runtime with room for many connections.
pub(super) fn runtime() -> anyhow::Result<Runtime> {
    // Where the limit can't be raised, fewer connections at once are possible; each refusal is told then.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("can't start the runtime")
}

/// Sends the log to stderr, in the configured form.
pub(super) fn start_log(config: &Config) {
    let filter = tracing_subscriber::EnvFilter::new(format!("warn,fauxfax={}", config.log_level));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    match config.log_format {
        LogFormat::Text => builder.with_ansi(stderr().is_terminal()).with_target(false).init(),
        LogFormat::Json => builder.json().init(),
    }
}

/// Writes the port file and the ready line.
pub(super) fn announce(config: &Config, server: &Server) -> anyhow::Result<()> {
    if let Some(path) = &config.port_file {
        // Renamed into place, so that who waits for the file never reads half a number.
        let draft = path.with_extension("tmp");
        std::fs::write(&draft, format!("{}\n", server.address().port()))
            .and_then(|()| std::fs::rename(&draft, path))
            .with_context(|| format!("can't write {}", path.display()))?;
    }
    tracing::info!(seed = server.emulator().settings().seed, "ids and chance follow from this seed (--seed)");
    let url = url(server.address());
    let account = server.emulator().default_account();
    let configured = config.worlds.first();
    let given = configured.map_or(!config.default_account.has_default_token, |account| account.auth_token.is_some());
    let token = server.emulator().world(account).filter(|_| !given);
    let token = token.and_then(|world| world.read(|engine| engine.account().auth_token.clone()));
    let tls_url = server.tls_address().map(|address| self::url(address).replacen("http", "https", 1));
    let mut out = stdout().lock();
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
    out.flush()?;
    Ok(())
}

/// A URL that leads to the address from this machine.
pub(super) fn url(address: SocketAddr) -> String {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    format!("http://{}", SocketAddr::new(ip, address.port()))
}

/// Ready when the process is asked to stop: SIGTERM or Ctrl-C.
pub(super) async fn stop_signal() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                tokio::select! {
                    _ = interrupt => {}
                    _ = terminate.recv() => {}
                }
                return;
            }
            Err(error) => tracing::warn!(%error, "SIGTERM can't be waited for"),
        }
    }
    let _ = interrupt.await;
}
