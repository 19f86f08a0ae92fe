//! Tests what `serve` writes on standard error about requests, faxes and alerts, and the first lines that it shows on a
//! terminal.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use crate::process::{FAUXFAX, Running, address, ask, eventually, serve};
use crate::terminal::served_in_terminal;

/// The file in which a test collects the log.
const LOG: &str = "log";

/// Starts an emulator whose log goes to a file.
fn logged(home: &Path, flags: &[&str]) -> Running {
    let log = fs::File::create(home.join(LOG)).expect("a file");
    Running::start(serve(home, flags).stderr(log))
}

/// Waits until the log has a line with all of these parts, and returns it.
fn line_with(home: &Path, parts: &[&str]) -> String {
    let log = || fs::read_to_string(home.join(LOG)).expect("a log");
    let found = || {
        let log = log();
        log.lines().find(|line| parts.iter().all(|part| line.contains(part))).map(ToOwned::to_owned)
    };
    eventually(found, &format!("no line has {parts:?}"))
}

/// Makes a REST call as the default account.
fn rest(home: &Path, method: &str, target: &str, form: &str) -> String {
    let credential = BASE64_STANDARD.encode(format!("AC{0}:{0}", "0".repeat(32)));
    let head = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    let length = form.len();
    ask(address(home), &format!("{head}Authorization: Basic {credential}\r\nContent-Length: {length}\r\n\r\n{form}"))
}

/// Runs a subcommand against the emulator.
fn run(home: &Path, arguments: &[&str]) -> String {
    let output = Command::new(FAUXFAX).args(arguments).args(["--url", &format!("http://{}", address(home))]).output();
    String::from_utf8_lossy(&output.expect("it runs").stdout).into_owned()
}

#[test]
fn each_request_in_either_direction_is_a_line_and_each_alert_a_warning() {
    let home = tempfile::tempdir().expect("a folder");
    let _running = logged(home.path(), &["--fax-url", "http://127.0.0.1:9/fax", "--pace", "max"]);
    rest(home.path(), "POST", "/v1/Faxes?AuthToken=s3cret", "From=%2B15005550006&To=x&MediaUrl=http%3A%2F%2Fh%2F");
    let line = line_with(home.path(), &["← POST", "400"]);
    assert!(line.contains("INFO ← POST /v1/Faxes?AuthToken=*** 400 21211 "), "{line}");
    assert!(line.ends_with(" ms"), "nothing but the message: {line}");
    ask(address(home.path()), "GET /v1/Faxes HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let line = line_with(home.path(), &["← GET /v1/Faxes 401 20003"]);
    assert!(line.ends_with(" ms: The request has no credential, or a malformed one."), "{line}");
    run(home.path(), &["receive", "--wait"]);
    let line = line_with(home.path(), &["→ POST http://127.0.0.1:9/fax"]);
    assert!(line.contains(" failed: connection refused: nothing listens on that port FX"), "{line}");
    let line = line_with(home.path(), &["WARN", "11202"]);
    assert!(line.contains("connection refused"), "{line}");
    line_with(home.path(), &["INFO", "the call FX", "ended without a fax"]);
    run(home.path(), &["send", "http://127.0.0.1:9/a.pdf", "--from", "+15005550006", "--to", "+15558675310", "--wait"]);
    line_with(home.path(), &["INFO fax FX", " failed: "]);
    let log = fs::read_to_string(home.path().join(LOG)).expect("a log");
    assert!(!log.contains("s3cret") && !log.contains("http.request"), "{log}");
}

#[test]
fn at_the_level_of_warnings_only_alerts_are_logged() {
    let home = tempfile::tempdir().expect("a folder");
    let flags = ["--fax-url", "http://127.0.0.1:9/fax", "--pace", "max", "--log-level", "warn"];
    let mut running = logged(home.path(), &flags);
    rest(home.path(), "GET", "/v1/Faxes", "");
    run(home.path(), &["receive", "--wait"]);
    running.signal("TERM");
    assert_eq!(running.ended().code(), Some(0));
    let log = fs::read_to_string(home.path().join(LOG)).expect("a log");
    assert!(log.lines().all(|line| line.contains(" WARN ")) && log.contains("11202"), "{log}");
}

#[test]
fn what_happened_just_before_a_stop_is_logged() {
    let home = tempfile::tempdir().expect("a folder");
    let mut running = logged(home.path(), &[]);
    for page in 0..200 {
        rest(home.path(), "GET", &format!("/v1/Faxes?Page={page}"), "");
    }
    running.signal("TERM");
    assert_eq!(running.ended().code(), Some(0));
    let log = fs::read_to_string(home.path().join(LOG)).expect("a log");
    assert_eq!(log.lines().filter(|line| line.contains("← GET /v1/Faxes?Page=")).count(), 200, "{log}");
}

#[test]
fn the_log_as_json_has_fields_for_programs() {
    let home = tempfile::tempdir().expect("a folder");
    let _running = logged(home.path(), &["--log-format", "json", "--pace", "max"]);
    rest(home.path(), "GET", "/v1/Faxes/FX00000000000000000000000000000000", "");
    let line: Value = serde_json::from_str(&line_with(home.path(), &["← GET"])).expect("JSON");
    let fields = &line["fields"];
    assert_eq!((&fields["http.response.status_code"], &fields["fauxfax.code"]), (&404.into(), &20404.into()), "{line}");
    assert_eq!((&fields["http.request.method"], &line["level"]), (&"GET".into(), &"INFO".into()));
}

#[test]
fn on_a_terminal_the_log_begins_with_the_consoles_url_and_a_command_for_a_first_fax() {
    let shown = served_in_terminal(&["--fax-url", "http://127.0.0.1:9/fax"], "--url http");
    let line = |begin: &str| shown.lines().find_map(|line| line.strip_prefix(begin)).expect("a line").to_owned();
    let console = line("Console:      ");
    let url = console.strip_suffix("/console").expect("the console's address");
    assert_eq!(line("A first fax:  "), format!("fauxfax receive --pages 1 --wait --url {url}"));
}

#[test]
fn without_an_app_the_command_for_a_first_fax_works_without_one() {
    let shown = served_in_terminal(&[], "--fax-url http");
    let line = |begin: &str| shown.lines().find_map(|line| line.strip_prefix(begin)).expect("a line").to_owned();
    assert!(line("To your app:  ").contains("--wait --fax-url http://localhost:3000/fax --url"), "{shown}");
    // The emulator in the terminal has stopped, so the same command is run against another one.
    let home = tempfile::tempdir().expect("a folder");
    let _running = logged(home.path(), &["--pace", "max"]);
    let (url, own) = (line("Console:      "), format!("http://{}", address(home.path())));
    let first = line("A first fax:  ").replace(url.strip_suffix("/console").expect("its address"), &own);
    let arguments = first.strip_prefix("fauxfax ").expect("a command").split(' ').collect::<Vec<_>>();
    let output = Command::new(FAUXFAX).args(arguments).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{first}: {}", String::from_utf8_lossy(&output.stderr));
}
