//! Tests `fauxfax exec` with shell commands. The tests in `tests/sdk` run real client libraries under it.
#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

const FAUXFAX: &str = env!("CARGO_BIN_EXE_fauxfax");

/// Prepares `fauxfax exec` with `home` as its home, working and temporary folder.
fn exec(home: &Path, flags: &[&str], command: &[&str]) -> Command {
    let mut exec = Command::new(FAUXFAX);
    exec.arg("exec").args(flags).arg("--").args(command).current_dir(home).env("HOME", home).env("TMPDIR", home);
    // The outcome must not depend on what the developer's shell exports.
    for name in [
        "TWILIO_ACCOUNT_SID",
        "TWILIO_AUTH_TOKEN",
        "XDG_DATA_HOME",
        "NO_PROXY",
        "no_proxy",
        "SIGNALWIRE_PROJECT_ID",
        "SIGNALWIRE_API_TOKEN",
        "SIGNALWIRE_SIGNING_KEY",
    ] {
        exec.env_remove(name);
    }
    exec
}

/// Runs `fauxfax exec` and checks that it leaves no file behind. Returns the output, and its stdout as text.
fn run(flags: &[&str], command: &[&str]) -> (Output, String) {
    let home = tempfile::tempdir().expect("a folder");
    let output = exec(home.path(), flags, command).output().expect("run");
    let left: Vec<_> = std::fs::read_dir(home.path()).expect("a folder").collect();
    assert!(left.is_empty(), "left behind: {left:?}");
    let text = String::from_utf8(output.stdout.clone()).expect("text");
    (output, text)
}

#[test]
fn the_exit_status_is_the_commands_own() {
    // As in a shell: 128 plus the signal, 127 if the command is not found, and 126 if it can't be executed.
    for (command, code) in [
        (&["true"][..], 0),
        (&["sh", "-c", "exit 7"], 7),
        (&["sh", "-c", "kill -TERM $$"], 143),
        (&["no-such-command-anywhere"], 127),
        (&["/"], 126),
    ] {
        let (output, text) = run(&[], command);
        assert_eq!((output.status.code(), text.as_str()), (Some(code), ""), "{command:?}");
    }
}

#[test]
fn in_pedantic_mode_the_seed_is_logged_so_that_a_failure_can_be_repeated() {
    let (output, _) = run(&["--pedantic", "--seed", "4711"], &["false"]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("pedantic mode is on") && errors.contains("4711"), "{errors}");
    let (output, _) = run(&["--seed", "4711"], &["true"]);
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn if_saving_the_state_fails_a_successful_command_fails_and_a_failed_one_keeps_its_status() {
    for (command, code) in [("rmdir kept", 1), ("rmdir kept; exit 7", 7)] {
        let home = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(home.path().join("kept")).expect("a folder");
        let output = exec(home.path(), &["--state", "kept/state.json"], &["sh", "-c", command]).output().expect("run");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{errors}");
        assert!(errors.contains("saving the state failed") && errors.contains("state.json"), "{errors}");
    }
}

#[test]
fn arguments_arrive_unchanged() {
    let arguments = ["a b", "it's", "--listen", "$HOME", "", "-x=\"y\""];
    let (_, text) = run(&[], &[&["printf", "%s|"][..], &arguments].concat());
    assert_eq!(text, format!("{}|", arguments.join("|")));
    let (_, text) = run(&["--pace", "max"], &["printf", "%s|", "--", "--pace"]);
    assert_eq!(text, "--|--pace|");
}

#[test]
fn the_command_finds_the_emulator_and_its_files() {
    let script = "echo $FAUXFAX_URL; for f in $NODE_EXTRA_CA_CERTS $REQUESTS_CA_BUNDLE $FAX_CA_BUNDLE \
                  ${PYTHONPATH%%:*}/sitecustomize.py; do test -s $f || echo missing $f; done; echo $TWILIO_ACCOUNT_SID";
    let (output, text) = run(&[], &["sh", "-c", script]);
    let lines: Vec<&str> = text.lines().collect();
    let [url, sid] = lines[..] else { panic!("{text}{}", String::from_utf8_lossy(&output.stderr)) };
    assert!(url.starts_with("http://127.0.0.1:") && !url.ends_with(":8329"), "{url}");
    assert_eq!(sid, format!("AC{}", "0".repeat(32)));
}

#[test]
fn an_unmodified_curl_reaches_the_emulator_under_twilios_name() {
    if Command::new("curl").arg("--version").output().is_err() {
        println!("skipped: curl is not installed");
        return;
    }
    let script = "curl -sS -u $TWILIO_ACCOUNT_SID:$TWILIO_AUTH_TOKEN https://fax.twilio.com/v1/Faxes";
    let (output, text) = run(&[], &["sh", "-c", script]);
    assert!(text.contains("\"url\":\"https://fax.twilio.com/v1/Faxes?"), "{text}{output:?}");
}

#[test]
fn a_signalwire_account_is_passed_in_its_librarys_variables_and_reached_via_its_space() {
    let script = "echo $SIGNALWIRE_SPACE_URL $SIGNALWIRE_API_HOSTNAME $SIGNALWIRE_PROJECT_ID $SIGNALWIRE_API_TOKEN \
                  $SIGNALWIRE_SIGNING_KEY $TWILIO_ACCOUNT_SID";
    let (_, text) = run(&["--dialect", "signalwire"], &["sh", "-c", script]);
    let (project, token) = ("00000000-0000-4000-8000-000000000000", format!("PT{}", "0".repeat(48)));
    let space = "example.signalwire.com";
    assert_eq!(text.trim(), format!("{space} {space} {project} {token} {token} {project}"));
    let (_, text) = run(&[], &["sh", "-c", "echo x$SIGNALWIRE_PROJECT_ID"]);
    assert_eq!(text, "x\n", "a Twilio account sets no SignalWire variables");
    if Command::new("curl").arg("--version").output().is_err() {
        println!("skipped: curl is not installed");
        return;
    }
    let script = "curl -sS -u $SIGNALWIRE_PROJECT_ID:$SIGNALWIRE_API_TOKEN \
                  https://$SIGNALWIRE_SPACE_URL/api/laml/2010-04-01/Accounts/$SIGNALWIRE_PROJECT_ID/Faxes.json";
    let (output, text) = run(&["--dialect", "signalwire"], &["sh", "-c", script]);
    assert!(text.contains("\"faxes\":[]") && text.contains("\"first_page_uri\":"), "{text}{output:?}");
}

#[test]
fn a_signal_reaches_the_command() {
    let home = tempfile::tempdir().expect("a folder");
    // A shell runs a trap only between commands; a signal interrupts `wait`, but not a `sleep` in the foreground.
    let script = "trap 'kill $!; exit 9' TERM; sleep 60 & echo ready; wait";
    let mut running = exec(home.path(), &[], &["sh", "-c", script]).stdout(Stdio::piped()).spawn().expect("run");
    let mut line = String::new();
    BufReader::new(running.stdout.take().expect("piped")).read_line(&mut line).expect("read");
    assert_eq!(line, "ready\n");
    let told = Command::new("kill").args(["-TERM", &running.id().to_string()]).status().expect("kill");
    assert!(told.success());
    assert_eq!(running.wait().expect("ended").code(), Some(9));
}
