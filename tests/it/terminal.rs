//! Runs the program as its users do: in a pseudo-terminal of 80 columns, or with its output in pipes, against an emulator
//! that is another process.
#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::host::PATIENCE;

pub(crate) const FAUXFAX: &str = env!("CARGO_BIN_EXE_fauxfax");
/// The interval at which a condition is checked.
const TURN: Duration = Duration::from_millis(10);
const COLUMNS: u16 = 80;

/// An emulator that is killed when the test ends.
pub(crate) struct Served {
    process: Child,
    pub(crate) address: SocketAddr,
    home: tempfile::TempDir,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Served {
    /// Starts an emulator with a fixed seed and a number that asks this URL for TwiML, and waits until it is ready.
    pub(crate) fn start(fax_url: &str) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let mut serve = Command::new(FAUXFAX);
        serve.args(["serve", "--listen", "127.0.0.1:0", "--port-file", "port", "--seed", "7", "--pace", "max"]);
        serve.args(["--fax-url", fax_url]).current_dir(home.path()).env("HOME", home.path());
        let process =
            serve.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        let port = || fs::read_to_string(home.path().join("port")).ok()?.trim().parse::<u16>().ok();
        let looks = PATIENCE.as_millis() / TURN.as_millis();
        let ready = (0..looks).find_map(|_| {
            std::thread::sleep(TURN);
            port()
        });
        Self { process, address: ([127, 0, 0, 1], ready.expect("it becomes ready")).into(), home }
    }

    /// Returns a command that calls this emulator.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        command(&format!("http://{}", self.address), self.home.path(), arguments)
    }

    /// Stops the emulator, and waits until it has ended.
    pub(crate) fn stop(&mut self) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").arg(pid).status().expect("kill").success());
        self.process.wait().expect("a child");
    }
}

fn command(url: &str, home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(FAUXFAX);
    command.args(arguments).env("FAUXFAX_URL", url).env("HOME", home).current_dir(home).stdin(Stdio::null());
    // The developer's own settings must not change the output.
    for name in ["FAUXFAX_ACCOUNT", "FAUXFAX_CONTROL_TOKEN", "COLUMNS", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command.env("TERM", "xterm-256color");
    command
}

/// Runs `serve` with its standard error in a terminal until the terminal shows this text, and returns what it shows.
pub(crate) fn served_in_terminal(flags: &[&str], seen: &str) -> String {
    let home = tempfile::tempdir().expect("a folder");
    let mut serve = command("", home.path(), &["serve", "--listen", "127.0.0.1:0"]);
    serve.args(flags);
    let (mut terminal, inside) = terminal();
    serve.stdout(Stdio::null()).stderr(Stdio::from(inside));
    let mut child = serve.spawn().expect("it starts");
    drop(serve);
    let (mut bytes, mut some) = (Vec::new(), [0; 4_096]);
    while let Ok(count @ 1..) = terminal.read(&mut some) {
        bytes.extend_from_slice(&some[..count]);
        if String::from_utf8_lossy(&bytes).contains(seen) {
            break;
        }
    }
    child.kill().and_then(|()| child.wait()).expect("a child");
    shown(&String::from_utf8(bytes).expect("text"))
}

/// What a command printed, and its exit status.
pub(crate) struct Printed {
    pub(crate) text: String,
    pub(crate) errors: String,
    pub(crate) code: i32,
}

/// Runs a command with its output in pipes.
pub(crate) fn in_pipes(mut command: Command) -> Printed {
    let output = command.output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    let code = output.status.code().expect("no signal");
    Printed { text: text(&output.stdout), errors: text(&output.stderr), code }
}

/// Runs a command in a terminal, and returns what the terminal shows at the end, with marks where colours begin.
pub(crate) fn in_terminal(command: Command) -> Printed {
    in_terminal_until(command, "", || ())
}

/// Runs a command in a terminal, calls `then` once the terminal has shown this text, and returns what it shows at the end.
pub(crate) fn in_terminal_until(command: Command, seen: &str, then: impl FnOnce()) -> Printed {
    in_terminal_with(command, seen, |_| then())
}

/// Runs a command in a terminal, types an answer once the terminal has shown this text, and returns what it shows at the end.
pub(crate) fn in_terminal_typing(command: Command, seen: &str, answer: &str) -> Printed {
    in_terminal_with(command, seen, |terminal| terminal.write_all(answer.as_bytes()).expect("typed"))
}

/// Runs a command in a terminal, calls `then` with the terminal once it has shown this text, and returns what it shows at
/// the end.
pub(crate) fn in_terminal_with(mut command: Command, seen: &str, then: impl FnOnce(&mut File)) -> Printed {
    let (mut terminal, inside) = terminal();
    let stdio = || Stdio::from(inside.try_clone().expect("a copy"));
    command.stdin(stdio()).stdout(stdio()).stderr(stdio());
    let mut child = command.spawn().expect("it starts");
    // As long as this process held the terminal's inside open, reading would not end.
    drop((command, inside));
    let mut bytes = Vec::new();
    let mut some = [0; 4_096];
    let mut then = Some(then);
    // Linux reports an error once the terminal's inside is closed.
    while let Ok(count @ 1..) = terminal.read(&mut some) {
        bytes.extend_from_slice(&some[..count]);
        if String::from_utf8_lossy(&bytes).contains(seen)
            && let Some(then) = then.take()
        {
            then(&mut terminal);
        }
    }
    let code = child.wait().expect("a child").code().expect("no signal");
    Printed { text: shown(&String::from_utf8(bytes).expect("text")), errors: String::new(), code }
}

/// Opens a pseudo-terminal, and returns its outside, which the test reads, and its inside, for the program.
fn terminal() -> (File, OwnedFd) {
    let outside = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
    grantpt(&outside).expect("allowed");
    unlockpt(&outside).expect("allowed");
    let name = ptsname(&outside, Vec::new()).expect("a name").into_string().expect("text");
    let inside: OwnedFd = File::options().read(true).write(true).open(name).expect("a terminal").into();
    tcsetwinsize(&inside, Winsize { ws_row: 24, ws_col: COLUMNS, ws_xpixel: 0, ws_ypixel: 0 }).expect("a size");
    (outside.into(), inside)
}

/// Returns an output as a terminal shows it: only the last version of a rewritten line remains.
fn shown(output: &str) -> String {
    let lines = output.split_terminator('\n').map(|line| line.trim_end_matches('\r'));
    let last = lines.map(|line| line.rsplit("\r\u{1b}[K").next().unwrap_or(line));
    last.map(|line| format!("{}\n", line.replace("\u{1b}[", "⟦"))).collect()
}
