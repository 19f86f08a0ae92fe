//! Makes the app send a fax, with the shell command that the user gave, and finds the fax.

use std::io;
use std::pin::pin;
use std::process::Stdio;
use std::time::Duration;

use futures_util::future::{Either, join, select};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::{Run, Stop};
use crate::dialect::unseen;

/// The interval at which the journal is searched for the fax.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);
/// The maximum number of characters of the command's output that are quoted.
const OUTPUT_CHARS_MAX: usize = 600;
/// How many bytes of the command's standard output, and of its standard error, are kept at most.
const OUTPUT_BYTES_MAX: usize = 4 * OUTPUT_CHARS_MAX;
/// How long the command's output is still read after the command has ended.
const OUTPUT_TIME_MAX: Duration = Duration::from_millis(200);

/// How the command ended.
#[derive(Debug, Clone)]
pub struct CommandEnd {
    /// Whether its exit status was 0.
    pub is_success: bool,
    /// Its exit status and output, in a few words.
    pub words: String,
}

impl Run {
    /// Runs the command and waits until the app has sent a fax. Returns the fax's SID, and the place in the journal
    /// before it.
    pub(super) async fn fax_of_app(&self) -> Result<(String, u64), Stop> {
        let since = self.last_seq().await?;
        let end = Instant::now() + self.options.limits.send;
        let command = self.run_command().await?;
        if !command.is_success {
            return Err(Stop::not_judged(format!("the command of --send failed {}", command.words)));
        }
        // The app may send the fax from a queue, after the command has ended.
        let mut looks = interval(LOOK_INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            if let Some(fax) = self.sent_since(since).await? {
                return Ok((fax, since));
            }
            if Instant::now() >= end {
                let why = "the command of --send ended, but the app sent no fax through this emulator and account";
                return Err(Stop::not_judged(why));
            }
        }
    }

    /// Runs the command that makes the app send a fax. If the returned future is dropped, the command is ended.
    ///
    /// # Errors
    /// Fails if there is no command, if it can't be run, or if it doesn't end in time.
    pub async fn run_command(&self) -> Result<CommandEnd, Stop> {
        let Some(command) = &self.options.send else {
            return Err(Stop::not_judged("there is no command that makes the app send a fax; give one with --send"));
        };
        let limit = self.options.limits.send;
        let end = timeout(limit, end_of(shell(command))).await;
        end.map_err(|_| {
            Stop::not_judged(format!("the command of --send did not end within {} s", limit.as_secs_f64()))
        })?
        .map_err(|error| Stop::not_judged(format!("the command of --send can't be run: {error}")))
    }

    /// Returns the first fax that was queued for sending since this place in the journal.
    async fn sent_since(&self, since: u64) -> Result<Option<String>, Stop> {
        let list = self.place.api.get("/events", &[("since", &since.to_string()), ("kind", "fax.status")]).await?;
        let is_new = |event: &&Value| event["data"]["old"].is_null() && event["data"]["new"] == "queued";
        let found = list["events"].as_array().into_iter().flatten().find(is_new);
        Ok(found.and_then(|event| event["fax_sid"].as_str()).map(ToOwned::to_owned))
    }
}

/// Runs the command until it ends. What it leaves running in the background, such as the app itself, may hold its output
/// open for ever, so the output is read only until shortly after the command's own end.
async fn end_of(mut command: Command) -> io::Result<CommandEnd> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let status = {
        let mut reading = pin!(join(beginning(stdout, &mut output), beginning(stderr, &mut errors)));
        let ended = pin!(child.wait());
        match select(ended, reading.as_mut()).await {
            Either::Left((status, _)) => {
                // The rest is missing only if something in the background still has the output open.
                let _ = timeout(OUTPUT_TIME_MAX, reading).await;
                status?
            }
            Either::Right((_, status)) => status.await?,
        }
    };
    let said = [output, errors].concat();
    let said: String = String::from_utf8_lossy(&said).trim().chars().take(OUTPUT_CHARS_MAX).collect();
    Ok(CommandEnd { is_success: status.success(), words: format!("({status}): {}", unseen::replaced(&said)) })
}

/// Reads to the end, so that the command is never blocked by a full pipe, but keeps only the beginning.
async fn beginning(pipe: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>) {
    let Some(mut pipe) = pipe else { return };
    let mut chunk = [0; 4096];
    // Output that can't be read counts as ended.
    while let Ok(read @ 1..) = pipe.read(&mut chunk).await {
        let room = OUTPUT_BYTES_MAX.saturating_sub(kept.len());
        kept.extend_from_slice(chunk.get(..read.min(room)).unwrap_or_default());
    }
}

/// Returns the command. The system's shell runs it, and it is ended with the run.
fn shell(command: &str) -> Command {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let mut shell = Command::new(shell);
    shell.args([flag, command]).stdin(Stdio::null()).kill_on_drop(true);
    shell
}
