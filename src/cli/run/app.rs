//! Starts the app under test with the scenario's command, waits for it before the first step, and ends it after the
//! last one. On Unix, everything that the command has started ends with it; on Windows, only its shell does.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
#[cfg(unix)]
use rustix::process::{Pid, Signal, kill_process_group};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::check::{Direct, Raw};
use crate::cli::client::Client;
use crate::cli::exec::environment::{AccountSecrets, Destination, prepare};
use crate::config;
use crate::scenario::{App, Options};

/// How long to wait for the app if the file doesn't say.
const READY_TIME: Duration = Duration::from_secs(30);
/// The longest time that a file may give the app to start.
const READY_TIME_MAX: Duration = Duration::from_secs(600);
/// How long a response of the app may take while it starts.
const LOOK_TIME_MAX: Duration = Duration::from_secs(2);
/// The interval at which to ask whether the app is ready.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);
/// How long the app may take to end before it is killed.
const END_TIME_MAX: Duration = Duration::from_secs(3);

/// The app's process. When it is dropped, the app is killed.
pub(super) struct Process {
    child: Child,
    /// The group of the command and everything that it has started.
    #[cfg(unix)]
    group: Option<Pid>,
    /// The folder with the certificates that the app trusts.
    _folder: TempDir,
}

impl Process {
    /// Starts the app with the environment of `fauxfax exec`, and waits until it responds if the file names its URL.
    pub(super) async fn start(app: &App, client: &Client, options: &Options) -> anyhow::Result<Self> {
        let command = app.command.as_deref().unwrap_or_default();
        let credential = client.credential().await?;
        let ca = CertificateDer::from_pem_slice(client.text("/ca.pem").await?.as_bytes())?;
        let folder = tempfile::Builder::new().prefix("fauxfax-").tempdir();
        let folder = folder.context("can't create a folder for the app's certificates")?;
        let (token, signing_key) = (Some(credential.token.as_str()), Some(credential.signing_key.as_str()));
        let account = AccountSecrets { sid: &credential.sid, token, signing_key };
        let destination = Destination { url: client.base(), ca: &ca, account, control_token: client.control_token() };
        let variables = prepare(folder.path(), &destination, &config::variable)?;
        let mut shell = shell(command);
        shell.envs(variables);
        let child = shell.spawn().with_context(|| format!("can't run app.command {command:?}"))?;
        #[cfg(unix)]
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let mut process = Self {
            child,
            #[cfg(unix)]
            group,
            _folder: folder,
        };
        process.until_ready(app, options).await?;
        Ok(process)
    }

    async fn until_ready(&mut self, app: &App, options: &Options) -> anyhow::Result<()> {
        let Some(url) = app.ready.as_ref().or(app.url.as_ref()) else { return Ok(()) };
        let given = app.timeout.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let patience = given.map_or(READY_TIME, |given| given.min(READY_TIME_MAX));
        let direct = Direct::new(&options.client, false, LOOK_TIME_MAX)?;
        let end = Instant::now() + patience;
        let mut looks = interval(LOOK_INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            if let Some(status) = self.child.try_wait()? {
                bail!("app.command ended ({status}) before {url} responded");
            }
            let exchange = direct.ask(&Raw { method: "GET", url, headers: &[], body: "" }).await;
            if exchange.status.is_some() {
                return Ok(());
            }
            if Instant::now() >= end {
                let why = exchange.outcome();
                bail!("the app did not respond at {url} within {} s: {why}", patience.as_secs_f64());
            }
        }
    }

    /// Asks the app to end, which is possible only on Unix, and kills it if it doesn't end in time.
    pub(super) async fn stop(mut self) {
        #[cfg(unix)]
        self.signal(Signal::TERM);
        // What is left of the app is killed when `self` is dropped.
        let _: Option<std::io::Result<ExitStatus>> = timeout(END_TIME_MAX, self.child.wait()).await.ok();
    }

    #[cfg(unix)]
    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            // Fails only if the whole group has ended.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        #[cfg(unix)]
        self.signal(Signal::KILL);
    }
}

/// Returns the command, to be run by the system's shell in a group of its own. Standard output is kept for the results.
fn shell(command: &str) -> Command {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let mut shell = Command::new(shell);
    shell.args([flag, command]).stdin(Stdio::null()).stdout(std::io::stderr()).kill_on_drop(true);
    #[cfg(unix)]
    shell.process_group(0);
    shell
}
