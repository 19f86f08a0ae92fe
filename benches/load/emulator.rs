//! Runs the emulator, and the servers that it is compared with, as processes that end with the benchmark.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::Result;

/// A process that is killed when this handle is dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Process {
    fn start(command: &mut Command) -> Result<(Self, String)> {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no stdout")?).read_line(&mut line)?;
        let address = line.split([' ', '/']).find_map(|word| word.trim().parse().ok()).ok_or("no address")?;
        Ok((Self { child, address }, line))
    }

    /// Starts `fauxfax serve` on a free port at the maximum pace.
    pub(crate) fn emulator(flags: &[&str]) -> Result<Self> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fauxfax"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--pace", "max", "--seed", "7", "--log-level", "error"]);
        Ok(Self::start(command.args(flags))?.0)
    }

    /// Starts the hyper server that responds with `size` bytes.
    pub(crate) fn bare(size: usize) -> Result<Self> {
        Ok(Self::start(Command::new(std::env::current_exe()?).args(["bare-server", &size.to_string()]))?.0)
    }

    /// Starts the server that streams bytes.
    pub(crate) fn source() -> Result<Self> {
        Ok(Self::start(Command::new(std::env::current_exe()?).arg("bare-source"))?.0)
    }

    /// Returns the resident memory of the process in bytes.
    pub(crate) fn resident_bytes(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches("kB").trim().parse::<u64>()? * 1024)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the headers of a request with a form, authenticated with the default credential.
pub(crate) fn credential() -> String {
    let pair = BASE64_STANDARD.encode(format!("AC{0}:{0}", "0".repeat(32)));
    format!("Authorization: Basic {pair}\r\nContent-Type: application/x-www-form-urlencoded\r\n")
}
