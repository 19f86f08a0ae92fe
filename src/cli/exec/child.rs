//! Runs the user's program: forwards signals to it and returns its exit status.

use std::ffi::OsString;
use std::io::ErrorKind;
#[cfg(unix)]
use std::io::IsTerminal;
use std::process::ExitStatus;

#[cfg(unix)]
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
#[cfg(unix)]
use tokio::signal::unix::{Signal as Unix, SignalKind, signal};

#[cfg(unix)]
use super::super::signals::hangup_stops;

/// A shell's exit status for a program that doesn't exist.
const NOT_FOUND: u8 = 127;
/// A shell's exit status for a program that can't be executed.
const NOT_EXECUTABLE: u8 = 126;

/// Runs a program with these additional environment variables until it ends, and returns its exit status.
pub(super) async fn run(command: &[OsString], variables: &[(String, String)]) -> anyhow::Result<u8> {
    let [program, arguments @ ..] = command else { anyhow::bail!("exec needs a command: fauxfax exec -- COMMAND…") };
    let variables = variables.iter().map(|(name, value)| (name, value));
    // Listen before the program starts: otherwise a signal during its start would end this process and leave the
    // program running.
    let signals = Signals::listen()?;
    let child = match Command::new(program).args(arguments).envs(variables).spawn() {
        Ok(child) => child,
        Err(error) => {
            let code = if error.kind() == ErrorKind::NotFound { NOT_FOUND } else { NOT_EXECUTABLE };
            super::super::print_error(&format!("can't run {}: {error}", program.to_string_lossy()));
            return Ok(code);
        }
    };
    Ok(code(signals.until_ended(child).await?))
}

/// Returns the exit status of the program, or 128 plus the number of the signal that ended it, as in a shell.
fn code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal: Option<i32> = None;
    let code = status.code().or(signal.map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// The signals that are forwarded to the program.
#[cfg(unix)]
struct Signals {
    interrupt: Unix,
    quit: Unix,
    terminate: Unix,
    /// Absent if SIGHUP is ignored, or if that can't be found out. No handler is installed then, so the signal does the
    /// same to the program as to this process.
    hangup: Option<Unix>,
    user_1: Unix,
    user_2: Unix,
}

#[cfg(unix)]
impl Signals {
    /// Registers for the signals. Signals that arrive before `until_ended` runs are kept.
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: if hangup_stops() { Some(signal(SignalKind::hangup())?) } else { None },
            user_1: signal(SignalKind::user_defined1())?,
            user_2: signal(SignalKind::user_defined2())?,
        })
    }

    /// Forwards signals until the program ends.
    async fn until_ended(mut self, mut child: Child) -> std::io::Result<ExitStatus> {
        // A terminal sends the signals of keys, such as Ctrl-C, to the program as well as to this process, so they must
        // not be forwarded.
        let typed = std::io::stdin().is_terminal();
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
        loop {
            let told = tokio::select! {
                ended = child.wait() => return ended,
                _ = self.interrupt.recv() => (!typed).then_some(Signal::INT),
                _ = self.quit.recv() => (!typed).then_some(Signal::QUIT),
                _ = self.terminate.recv() => Some(Signal::TERM),
                _ = hung_up(&mut self.hangup) => Some(Signal::HUP),
                _ = self.user_1.recv() => Some(Signal::USR1),
                _ = self.user_2.recv() => Some(Signal::USR2),
            };
            if let (Some(pid), Some(told)) = (pid, told) {
                // This fails only if the program has just ended and needs no signal.
                let _ = kill_process(pid, told);
            }
        }
    }
}

#[cfg(unix)]
async fn hung_up(hangup: &mut Option<Unix>) -> Option<()> {
    match hangup {
        Some(hangup) => hangup.recv().await,
        None => std::future::pending().await,
    }
}

/// Ctrl-C is handled but not forwarded: the console sends it to the program too.
#[cfg(not(unix))]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(not(unix))]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self(tokio::signal::windows::ctrl_c()?))
    }

    async fn until_ended(mut self, mut child: Child) -> std::io::Result<ExitStatus> {
        loop {
            tokio::select! {
                ended = child.wait() => return ended,
                _ = self.0.recv() => {}
            }
        }
    }
}
