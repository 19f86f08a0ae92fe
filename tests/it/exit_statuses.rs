//! Tests the exit statuses of the subcommands: each has one meaning, whichever subcommand exits with it.

use std::net::TcpListener;
use std::process::{Command, Output};

use fauxfax::Emulator;

const FAUXFAX: &str = env!("CARGO_BIN_EXE_fauxfax");
const DOCUMENT: &str = "http://127.0.0.1:9/a.pdf";

#[expect(clippy::disallowed_methods, reason = "waiting for a program must not block the server")]
async fn run(url: &str, account: Option<&str>, arguments: &[&str]) -> Output {
    let mut command = Command::new(FAUXFAX);
    command.args(arguments).args(["--url", url]).env_remove("FAUXFAX_ACCOUNT");
    command.args(account.into_iter().flat_map(|account| ["--account", account]));
    tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.expect("it ends")
}

/// Runs a subcommand that finds the emulator through `FAUXFAX_URL` instead of `--url`.
#[expect(clippy::disallowed_methods, reason = "waiting for a program must not block the server")]
async fn run_in(url: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(FAUXFAX);
    command.args(arguments).env("FAUXFAX_URL", url).env_remove("FAUXFAX_ACCOUNT");
    tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.expect("it ends")
}

#[tokio::test]
async fn without_an_emulator_a_client_exits_with_3() {
    // The listener is dropped right away, so nothing listens on its port.
    let gone = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("an address");
    let clients: [&[&str]; 16] = [
        &["healthcheck"],
        &["env"],
        &["receive"],
        &["send", "--from", "+15005550006", "--to", "+15558675310", DOCUMENT],
        &["events"],
        &["wait", "--idle"],
        &["clock"],
        &["reset"],
        &["state"],
        &["faxes"],
        &["numbers"],
        &["accounts"],
        &["alerts"],
        &["snapshots"],
        &["tail"],
        &["open", "--print"],
    ];
    for arguments in clients {
        let output = run(&format!("http://{gone}"), None, arguments).await;
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{arguments:?}: {text}");
        assert!(text.contains("can't reach an emulator at"), "{text}");
    }
}

#[tokio::test]
async fn a_refusal_exits_with_1_wrong_usage_with_2_and_a_timeout_with_4() {
    let emulator = Emulator::builder().start().await.expect("the emulator starts");
    let account = emulator.account().expect("an account");
    account.number("+15005550006").expect("a number");
    let (url, sid, nobody) = (emulator.url(), account.sid().to_string(), format!("FX{}", "0".repeat(32)));
    let cases: [(&[&str], i32, &str); 5] = [
        (&["receive", "--to", "+15550000000"], 1, "list them with: fauxfax numbers"),
        (&["send", "--from", "+15005550001", "--to", "+15558675310", DOCUMENT], 1, "(error 21212)"),
        (&["wait", "--fax", &nobody, "--status", "delivered"], 1, "there is no such fax"),
        (&["send", "--frm", "x"], 2, "--frm"),
        (
            &["wait", "--status", "delivered", "--timeout", "0.1"],
            4,
            "Timed out after 0.1 s: no fax has become delivered.",
        ),
    ];
    for (arguments, code, told) in cases {
        let output = run(&url, Some(&sid), arguments).await;
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
        assert!(text.contains(told), "{arguments:?}: {text}");
    }
    emulator.stop().await;
}

#[tokio::test]
async fn send_does_not_wait_for_a_frozen_clock() {
    let emulator = Emulator::builder().start().await.expect("the emulator starts");
    let account = emulator.account().expect("an account");
    account.number("+15005550006").expect("a number");
    account.clock().freeze();
    let (url, sid) = (emulator.url(), account.sid().to_string());
    let sample = format!("{url}/_fauxfax/v1/samples/two-pages.pdf");
    for document in [sample.as_str(), "fixtures/documents/two-pages.pdf"] {
        let output = run(&url, Some(&sid), &["send", "--from", "+15005550006", "--to", "+15558675310", document]).await;
        let text = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && text.starts_with("processing: FX"), "{document}: {text}{errors}");
    }
    account.clock().run();
    emulator.stop().await;
}

#[tokio::test]
async fn receive_with_an_action_succeeds_without_a_voice_url() {
    let emulator = Emulator::builder().start().await.expect("the emulator starts");
    let account = emulator.account().expect("an account");
    account.number("+15005550006").expect("a number");
    let (url, sid) = (emulator.url(), account.sid().to_string());
    let app = wiremock::MockServer::start().await;
    let notified = wiremock::Mock::given(wiremock::matchers::path("/received"));
    notified.respond_with(wiremock::ResponseTemplate::new(204)).expect(1).mount(&app).await;
    let action = format!("{}/received", app.uri());
    let output = run(&url, Some(&sid), &["receive", "--wait", "--action", &action]).await;
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains(&action) && text.contains("received: FX"), "{text}");
    let output = run(&url, Some(&sid), &["receive", "--action", "localhost/received"]).await;
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && text.contains("action: it must begin with http"), "{text}");
    emulator.stop().await;
}

#[tokio::test]
async fn invalid_flag_values_and_duplicate_parameters_are_explained_in_words() {
    let emulator = Emulator::builder().start().await.expect("the emulator starts");
    let cases: [(&[&str], i32, &str); 7] = [
        (&["events", "--since", "abc"], 2, "'--since <SEQ>': it must be a whole number"),
        (&["receive", "--pages", "5000000000"], 2, "'--pages <N>': the number is too large"),
        (&["wait", "--idle", "--timeout", "soon"], 2, "'--timeout <DURATION>': not a duration: write seconds"),
        (&["clock", "advance", "inf"], 1, "such as 2026-03-01T00:00:00Z"),
        (&["rules", "add", "{"], 1, "the rule can't be read: this is not JSON: "),
        (
            &["rules", "add", r#"{"times":1,"times":2,"outcome":{"status":"busy"}}"#],
            1,
            "times: is given twice; give it once",
        ),
        (
            &["explain-signature", "--signature", "s", "--param", "A=1", "--param", "A=2", "http://h/"],
            1,
            "--param: \"A\" is given twice; give it once",
        ),
    ];
    for (arguments, code, told) in cases {
        let output = run_in(&emulator.url(), arguments).await;
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
        assert!(text.contains(told), "{arguments:?}: {text}");
    }
    emulator.stop().await;
}
