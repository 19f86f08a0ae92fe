//! Running the user's program: its signals, and the status it ends with. It knows no emulator.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::process::ExitStatus;

use tokio::process::{Child, Command};

/// As a shell answers where the program isn't there, and where it is none.
const NOT_FOUND: u8 = 127;
const NOT_EXECUTABLE: u8 = 126;

/// Runs a program to its end with these variables; answers its exit status.
pub(super) async fn run(command: &[OsString], variables: &[(String, String)]) -> anyhow::Result<u8> {
    let [program, arguments @ ..] = command else { anyhow::bail!("exec needs a command: fauxfax exec -- COMMAND…") };
    let variables = variables.iter().map(|(name, value)| (name, value));
    let child = match Command::new(program).args(arguments).envs(variables).spawn() {
        Ok(child) => child,
        Err(error) => {
            let code = if error.kind() == ErrorKind::NotFound { NOT_FOUND } else { NOT_EXECUTABLE };
            super::super::print_error(&format!("can't run {}: {error}", program.to_string_lossy()));
            return Ok(code);
        }
    };
    Ok(code(until_ended(child).await?))
}

/// The program's own status; as a shell has it, 128 and the signal where one ended it.
fn code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal: Option<i32> = None;
    let code = status.code().or(signal.map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// Waits, handing on what the emulator's process is told by signals.
#[cfg(unix)]
async fn until_ended(mut child: Child) -> anyhow::Result<ExitStatus> {
    use std::io::IsTerminal;

    use rustix::process::{Pid, Signal, kill_process};
    use tokio::signal::unix::{SignalKind, signal};

    use super::super::signals::hangup_stops;

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut quit = signal(SignalKind::quit())?;
    let mut terminate = signal(SignalKind::terminate())?;
    // An ignored SIGHUP stays so, for the child too.
    let mut hangup = if hangup_stops() { Some(signal(SignalKind::hangup())?) } else { None };
    let mut user_1 = signal(SignalKind::user_defined1())?;
    let mut user_2 = signal(SignalKind::user_defined2())?;
    // What is typed at a terminal, the terminal tells the child as well; twice would be once too often.
    let typed = std::io::stdin().is_terminal();
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    loop {
        let told = tokio::select! {
            ended = child.wait() => return Ok(ended?),
            _ = interrupt.recv() => (!typed).then_some(Signal::INT),
            _ = quit.recv() => (!typed).then_some(Signal::QUIT),
            _ = terminate.recv() => Some(Signal::TERM),
            _ = hung_up(&mut hangup) => Some(Signal::HUP),
            _ = user_1.recv() => Some(Signal::USR1),
            _ = user_2.recv() => Some(Signal::USR2),
        };
        if let (Some(pid), Some(told)) = (pid, told) {
            // A child that has just ended needs no signal.
            let _ = kill_process(pid, told);
        }
    }
}

#[cfg(unix)]
async fn hung_up(hangup: &mut Option<tokio::signal::unix::Signal>) -> Option<()> {
    match hangup {
        Some(hangup) => hangup.recv().await,
        None => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn until_ended(mut child: Child) -> anyhow::Result<ExitStatus> {
    loop {
        tokio::select! {
            ended = child.wait() => return Ok(ended?),
            // The console tells the child as well.
            _ = tokio::signal::ctrl_c() => {}
        }
    }
}
