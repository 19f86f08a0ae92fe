//! Tests the running program as shells and supervisors see it: unread output, signals, and the files that it writes.
#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write, pipe};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::host::PATIENCE;

pub(crate) const FAUXFAX: &str = env!("CARGO_BIN_EXE_fauxfax");
/// The interval at which a condition is checked.
const TURN: Duration = Duration::from_millis(10);
/// The capacity of a new pipe on Linux.
const PIPE_BYTES: usize = 64 * 1024;
/// The length of a host name that nearly fills the head of a request. The log line about the request repeats the name.
const LONG_HOST: usize = 60_000;

/// A process that is killed when the test ends.
pub(crate) struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).spawn().expect("the program starts"))
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.0.id().to_string()]).status().expect("kill");
        assert!(sent.success());
    }

    /// Waits until the process has ended.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        eventually(|| self.0.try_wait().expect("a child"), "it does not end")
    }
}

/// Repeats a check until it returns a value, and panics with `otherwise` if that takes too long.
pub(crate) fn eventually<T>(mut look: impl FnMut() -> Option<T>, otherwise: &str) -> T {
    let looks = PATIENCE.as_millis() / TURN.as_millis();
    for _ in 0..looks {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(TURN);
    }
    panic!("{otherwise}");
}

/// Prepares `fauxfax serve` with `home` as its home and working folder. It writes its port to the file `port`.
pub(crate) fn serve(home: &Path, flags: &[&str]) -> Command {
    let mut serve = Command::new(FAUXFAX);
    serve.args(["serve", "--listen", "127.0.0.1:0", "--port-file", "port"]).args(flags);
    serve.current_dir(home).env("HOME", home).stdout(Stdio::null()).stderr(Stdio::null());
    serve
}

/// Waits for the port file and returns the address.
pub(crate) fn address(home: &Path) -> SocketAddr {
    let port = |text: String| text.trim().parse::<u16>().ok();
    let port = eventually(|| fs::read_to_string(home.join("port")).ok().and_then(port), "it does not become ready");
    ([127, 0, 0, 1], port).into()
}

/// Sends a request on a new connection, and returns the response.
pub(crate) fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("supported");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

/// Makes the emulator log a long line.
fn log_a_line(address: SocketAddr, n: usize) {
    let host = format!("{n:05}{}.test", "x".repeat(LONG_HOST));
    let answer = ask(address, &format!("CONNECT {host}:443 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    assert!(answer.starts_with("HTTP/1.1 403"), "{}", &answer[..100.min(answer.len())]);
}

fn is_alive(address: SocketAddr) -> bool {
    ask(address, "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").starts_with("HTTP/1.1 200")
}

/// Returns the reading and writing ends of a full pipe.
fn full_pipe() -> (std::io::PipeReader, std::io::PipeWriter) {
    let (reader, mut writer) = pipe().expect("a pipe");
    writer.write_all(&vec![b'\n'; PIPE_BYTES]).expect("room for this much");
    (reader, writer)
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a pipe is read as it fills")]
fn an_unread_log_delays_neither_requests_nor_the_stop_and_later_says_what_it_dropped() {
    let home = tempfile::tempdir().expect("a folder");
    let (reader, writer) = pipe().expect("a pipe");
    let mut running = Running::start(serve(home.path(), &["--offline"]).stderr(writer));
    let address = address(home.path());
    // About 9 MB of lines, of which the emulator queues 4 MiB and the pipe holds 64 KiB.
    let sent = 150;
    for n in 0..sent {
        log_a_line(address, n);
    }
    assert!(is_alive(address));
    // Logging continues once the log is read.
    let (lines, dropped) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (came, lost) = (Arc::clone(&lines), Arc::clone(&dropped));
    let reading = std::thread::spawn(move || {
        for line in BufReader::new(reader).lines().map(|line| line.expect("text")) {
            if line.contains("refused a connection because of --offline") {
                came.fetch_add(1, Ordering::Relaxed);
            } else if let Some((_, count)) = line.split_once("dropped=") {
                lost.store(count.trim().parse().expect("a number"), Ordering::Relaxed);
            }
        }
    });
    let told = || (lines.load(Ordering::Relaxed), dropped.load(Ordering::Relaxed));
    eventually(|| (told().0 + told().1 == sent).then_some(()), "lines read and dropped don't add up to those logged");
    assert!(told().1 > 0, "{:?}", told());
    running.signal("TERM");
    assert_eq!(running.ended().code(), Some(0));
    reading.join().expect("no panic");
}

#[test]
fn a_stop_does_not_wait_for_an_unread_log() {
    let home = tempfile::tempdir().expect("a folder");
    let (_reader, writer) = full_pipe();
    let (_other_reader, other_writer) = full_pipe();
    let flags = ["--offline", "--state", "state.json"];
    let mut running = Running::start(serve(home.path(), &flags).stderr(writer).stdout(other_writer));
    let address = address(home.path());
    for n in 0..20 {
        log_a_line(address, n);
    }
    running.signal("TERM");
    assert_eq!(running.ended().code(), Some(0));
    assert!(home.path().join("state.json").exists());
}

#[test]
fn an_error_that_nobody_reads_still_ends_the_program() {
    let home = tempfile::tempdir().expect("a folder");
    let (_reader, writer) = full_pipe();
    let mut running = Running::start(serve(home.path(), &["--state", "gone/state.json"]).stderr(writer));
    assert_eq!(running.ended().code(), Some(1));
}

#[test]
fn closed_or_full_output_interrupts_neither_the_start_nor_a_request() {
    type Made = fn() -> Stdio;
    // Writes fail with EPIPE on a pipe without a reader, and with ENOSPC on /dev/full.
    let closed: Made = || pipe().expect("a pipe").1.into();
    let full: Made = || File::options().write(true).open("/dev/full").expect("a device").into();
    for (stdout, stderr) in [(closed, closed), (full, full), (closed, full)] {
        let home = tempfile::tempdir().expect("a folder");
        let mut running = Running::start(serve(home.path(), &["--offline"]).stdout(stdout()).stderr(stderr()));
        let address = address(home.path());
        for n in 0..9 {
            log_a_line(address, n);
        }
        assert!(is_alive(address));
        running.signal("TERM");
        assert_eq!(running.ended().code(), Some(0));
    }
}

#[test]
fn a_demo_whose_output_is_not_read_ends_successfully() {
    let home = tempfile::tempdir().expect("a folder");
    let (_reader, full) = full_pipe();
    let closed = pipe().expect("a pipe").1;
    for (stdout, stderr) in [(Stdio::from(full), Stdio::null()), (closed.into(), Stdio::null())] {
        let mut demo = Command::new(FAUXFAX);
        demo.args(["demo", "--once", "--listen", "127.0.0.1:0", "--pace", "max"]);
        demo.current_dir(home.path()).env("HOME", home.path()).stdout(stdout).stderr(stderr);
        assert_eq!(Running::start(&mut demo).ended().code(), Some(0));
    }
}

#[test]
fn a_demo_for_signalwire_finds_its_signatures_valid() {
    let home = tempfile::tempdir().expect("a folder");
    let mut demo = Command::new(FAUXFAX);
    demo.args(["demo", "--once", "--dialect", "signalwire", "--listen", "127.0.0.1:0", "--pace", "max"]);
    demo.env_remove("SIGNALWIRE_PROJECT_ID").env_remove("SIGNALWIRE_API_TOKEN").env_remove("SIGNALWIRE_SIGNING_KEY");
    let output = demo.current_dir(home.path()).env("HOME", home.path()).output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("a fax of two pages was delivered") && text.contains(" 0 invalid"), "{text}");
    assert!(text.contains("account 00000000-0000-4000-8000-000000000000 token PT0"), "{text}");
}

#[test]
fn a_demo_is_printed_in_full_and_stops_at_a_signal() {
    let home = tempfile::tempdir().expect("a folder");
    let mut demo = Command::new(FAUXFAX);
    demo.args(["demo", "--listen", "127.0.0.1:0", "--pace", "max"]);
    demo.current_dir(home.path()).env("HOME", home.path()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut running = Running::start(&mut demo);
    let mut lines = BufReader::new(running.0.stdout.take().expect("piped")).lines().map(|line| line.expect("text"));
    let told: Vec<String> = lines.by_ref().take_while(|line| !line.starts_with("Look around")).collect();
    let told = told.join("\n");
    for part in ["fauxfax ready http://", "fax is receiving → received", "✓ a fax of two pages was delivered"] {
        assert!(told.contains(part), "{told}");
    }
    assert!(!told.contains('\u{1b}'), "a pipe shows no colours: {told}");
    running.signal("TERM");
    assert_eq!(running.ended().code(), Some(0));
}

#[test]
fn a_hangup_stops_the_emulator_like_any_other_stop_signal() {
    for name in ["HUP", "TERM", "INT"] {
        let home = tempfile::tempdir().expect("a folder");
        let mut running = Running::start(&mut serve(home.path(), &["--state", "state.json"]));
        address(home.path());
        running.signal(name);
        assert_eq!(running.ended().code(), Some(0), "SIG{name}");
        assert!(home.path().join("state.json").exists(), "the worlds are saved after SIG{name}");
    }
}

#[test]
fn a_hangup_is_ignored_if_it_was_ignored_at_the_start() {
    let home = tempfile::tempdir().expect("a folder");
    // As with nohup: a signal that the shell ignores stays ignored in the program that it executes.
    let direct = serve(home.path(), &["--state", "state.json"]);
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' HUP; exec \"$0\" \"$@\"", FAUXFAX]).args(direct.get_args()).current_dir(home.path());
    let mut running = Running::start(shell.env("HOME", home.path()).stdout(Stdio::null()).stderr(Stdio::null()));
    let address = address(home.path());
    running.signal("HUP");
    assert!(is_alive(address));
    running.signal("TERM");
    assert_eq!(running.ended().code(), Some(0));
    assert!(home.path().join("state.json").exists());
}

#[test]
fn the_emulator_can_be_stopped_as_soon_as_its_ready_line_is_read() {
    for _ in 0..5 {
        let home = tempfile::tempdir().expect("a folder");
        let mut running = Running::start(serve(home.path(), &["--state", "state.json"]).stdout(Stdio::piped()));
        let mut line = String::new();
        BufReader::new(running.0.stdout.take().expect("piped")).read_line(&mut line).expect("text");
        running.signal("TERM");
        assert_eq!(running.ended().code(), Some(0), "{line}");
        assert!(home.path().join("state.json").exists());
    }
}

#[test]
fn emulators_that_start_together_write_their_own_ports() {
    let home = tempfile::tempdir().expect("a folder");
    let mut all: Vec<(Running, PathBuf)> = Vec::new();
    for n in 0..6 {
        let path = home.path().join(format!("worker.{n}"));
        let mut command = Command::new(FAUXFAX);
        command.args(["serve", "--listen", "127.0.0.1:0", "--port-file"]).arg(&path).stderr(Stdio::null());
        all.push((Running::start(command.env("HOME", home.path()).stdout(Stdio::piped())), path));
    }
    for (running, path) in &mut all {
        let mut line = String::new();
        BufReader::new(running.0.stdout.take().expect("piped")).read_line(&mut line).expect("text");
        let port = fs::read_to_string(path).expect("written before the ready line");
        assert!(line.contains(&format!("http://127.0.0.1:{} ", port.trim())), "{line}");
    }
    assert_eq!(fs::read_dir(home.path()).expect("a folder").count(), all.len(), "no temporary file is left");
}

#[test]
fn a_port_file_may_be_a_pipe_that_nobody_reads_yet() {
    let home = tempfile::tempdir().expect("a folder");
    let fifo = home.path().join("port");
    assert!(Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
    let mut running = Running::start(serve(home.path(), &[]).stdout(Stdio::piped()));
    let mut line = String::new();
    BufReader::new(running.0.stdout.take().expect("piped")).read_line(&mut line).expect("text");
    assert!(line.contains(&format!("http://{} ", address(home.path()))), "{line}");
    running.signal("TERM");
    assert_eq!(running.ended().code(), Some(0));
}

/// Returns a request that creates a fax with a StatusCallback.
fn fax_with_callback(callback: SocketAddr) -> String {
    let zeros = "0".repeat(32);
    let credential = BASE64_STANDARD.encode(format!("AC{zeros}:{zeros}"));
    let form = format!(
        "From=%2B15005550006&To=%2B15558675310&MediaUrl=http://127.0.0.1:9/a&StatusCallback=http://{callback}/told"
    );
    let length = form.len();
    format!(
        "POST /v1/Faxes HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {credential}\r\nContent-Length: {length}\r\n\r\n{form}"
    )
}

#[test]
fn clients_beyond_the_limit_wait_while_webhooks_are_still_sent() {
    /// The emulator's limit on open files.
    const OPEN_FILES: usize = 100;
    /// The clients' share of that limit.
    const CLIENTS: usize = 60;
    let home = tempfile::tempdir().expect("a folder");
    let emulator = serve(home.path(), &["--pace", "max"]);
    let mut limited = Command::new("sh");
    limited.args(["-c", &format!("ulimit -n {OPEN_FILES}; exec \"$0\" \"$@\"")]);
    limited.arg(emulator.get_program()).args(emulator.get_args());
    limited.current_dir(home.path()).env("HOME", home.path()).stdout(Stdio::null()).stderr(Stdio::null());
    let _running = Running::start(&mut limited);
    let address = address(home.path());
    let client = || {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("supported");
        stream
    };
    let send = |mut stream: &TcpStream, request: &str| stream.write_all(request.as_bytes()).expect("sent");
    let status = |mut stream: &TcpStream| {
        let mut status = [0; 12];
        stream.read_exact(&mut status).map(|()| String::from_utf8_lossy(&status).into_owned())
    };
    let livez = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut clients: Vec<TcpStream> = (0..CLIENTS).map(|_| client()).collect();
    // The first connection stays unused until the fax is sent over it below.
    for other in &clients[1..] {
        send(other, livez);
        assert_eq!(status(other).expect("an answer"), "HTTP/1.1 200");
    }
    let excess = client();
    send(&excess, livez);
    excess.set_read_timeout(Some(50 * TURN)).expect("supported");
    let waits = status(&excess).expect_err("no place is free");
    assert!(matches!(waits.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{waits}");
    let app = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    send(&clients[0], &fax_with_callback(app.local_addr().expect("an address")));
    assert_eq!(status(&clients[0]).expect("an answer"), "HTTP/1.1 201");
    app.set_nonblocking(true).expect("supported");
    let told = eventually(|| app.accept().ok(), "no webhook arrives").0;
    told.set_nonblocking(false).expect("supported");
    let mut line = String::new();
    BufReader::new(told).read_line(&mut line).expect("a request");
    assert_eq!(line, "POST /told HTTP/1.1\r\n");
    // The clients' share is used up, so the proxy refuses to open a connection for one of them.
    let host = app.local_addr().expect("an address");
    send(&clients[0], &format!("CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n"));
    let mut answers = Vec::new();
    while !answers.windows(12).any(|window| window == b"HTTP/1.1 503") {
        let mut some = [0; 1_024];
        let count = (&clients[0]).read(&mut some).expect("an answer");
        assert!(count > 0, "the connection was closed");
        answers.extend_from_slice(&some[..count]);
    }
    clients.pop();
    excess.set_read_timeout(Some(PATIENCE)).expect("supported");
    assert_eq!(status(&excess).expect("its turn has come"), "HTTP/1.1 200");
}
