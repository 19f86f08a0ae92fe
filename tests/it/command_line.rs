//! Tests the command line as part of pipelines and scripts: readers that stop reading, addresses, files, and streams that
//! end.
#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader, Read, Write, pipe};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use serde_json::Value;

use crate::host::PATIENCE;
use crate::scenarios::written;
use crate::terminal::{FAUXFAX, Served, in_pipes, in_terminal_until};

/// The arguments of a call that the emulator's own TwiML answers, so that no app is needed.
const RECEIVE: &[&str] = &["receive", "--wait", "--action", "http://127.0.0.1:9/received"];

/// Starts an emulator that has received one fax.
fn with_a_fax() -> (Served, String) {
    let served = Served::start("http://127.0.0.1:9/fax");
    in_pipes(served.command(RECEIVE));
    let faxes = in_pipes(served.command(&["faxes", "--json"])).text;
    let faxes: Value = serde_json::from_str(&faxes).expect("JSON");
    let sid = faxes["faxes"][0]["sid"].as_str().expect("a fax").to_owned();
    (served, sid)
}

#[test]
fn a_reader_that_stops_ends_a_subcommand_quietly() {
    let (served, sid) = with_a_fax();
    let commands: &[&[&str]] = &[
        &["events", "--json"],
        &["events"],
        &["faxes"],
        &["faxes", &sid],
        &["faxes", &sid, "--pdf", "-"],
        &["webhooks", "--json"],
        &["alerts"],
        &["numbers"],
        &["accounts"],
        &["snapshots"],
        &["clock"],
        &["rules"],
        &["state"],
        &["reset", "--json"],
        &["open", "--print"],
        &["completions", "bash"],
        &["config-schema"],
        &["man"],
        &["ca"],
        &["env"],
        &["sign", "http://h/", "--token", "t"],
        &["-h"],
    ];
    for arguments in commands {
        let mut command = served.command(arguments);
        // Nobody reads this pipe, so writing fails at once, as it does after `head` in a pipeline has ended.
        command.stdout(pipe().expect("a pipe").1).stderr(Stdio::piped());
        let output = command.spawn().expect("it starts").wait_with_output().expect("it ends");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*errors), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn a_reader_that_stops_does_not_change_the_result_of_a_wait() {
    let served = Served::start("http://127.0.0.1:9/fax");
    // No app is running, so the second call isn't answered.
    let cases: [(&[&str], i32); 2] = [(RECEIVE, 0), (&["receive", "--wait"], 1)];
    for (arguments, code) in cases {
        let mut command = served.command(arguments);
        command.stdout(pipe().expect("a pipe").1).stderr(Stdio::null());
        assert_eq!(command.status().expect("it runs").code(), Some(code), "{arguments:?}");
    }
}

/// Runs a command whose output nobody reads, and returns its exit status and what it prints to standard error.
fn unread(mut command: Command) -> (Option<i32>, String) {
    command.stdout(pipe().expect("a pipe").1).stderr(Stdio::piped());
    let output = command.spawn().expect("it starts").wait_with_output().expect("it ends");
    (output.status.code(), String::from_utf8(output.stderr).expect("text"))
}

#[test]
fn a_reader_that_stops_does_not_change_the_verdict_of_a_subcommand() {
    let served = Served::start("http://127.0.0.1:9/fax");
    // No app is running, so the request for TwiML fails, and it fails again when it is sent again.
    in_pipes(served.command(&["receive", "--wait"]));
    let webhooks = in_pipes(served.command(&["webhooks", "--json"])).text;
    let webhooks: Value = serde_json::from_str(&webhooks).expect("JSON");
    let webhook = webhooks["webhooks"][0]["id"].as_str().expect("a webhook");
    // The last strip of this document is missing.
    let document = tempfile::NamedTempFile::with_suffix(".tiff").expect("a file");
    std::fs::write(&document, crate::losses::tiff(50)).expect("written");
    let document = document.path().to_str().expect("UTF-8");
    let explain = ["explain-signature", "http://h/", "--token", "t", "--signature", "s"];
    let commands: [&[&str]; 9] = [
        &["receive", "--wait", "--json"],
        &["send", document, "--from", "+15005550006", "--to", "+15005550101", "--wait", "--json"],
        &explain,
        &[&explain[..], &["--json"]].concat(),
        &["webhooks", webhook, "--replay"],
        &["webhooks", webhook, "--replay", "--json"],
        &["convert", document, "out.tiff", "--fail-on-loss"],
        &["check", "http://127.0.0.1:9/fax", "--only", "reachable", "--junit", "-"],
        &["check", "http://127.0.0.1:9/fax", "--only", "reachable", "--json"],
    ];
    for arguments in commands {
        let (code, errors) = unread(served.command(arguments));
        assert_eq!(code, Some(1), "{arguments:?}: {errors}");
    }
}

#[test]
fn a_reader_that_stops_leaves_the_verdict_of_a_scenario_and_its_junit_file_as_they_are() {
    let (folder, file) = written("title = 't'\n[[steps]]\nname = 'a'\nexpect = { status = 'received' }\n");
    let run = |more: &[&str]| {
        let mut command = Command::new(FAUXFAX);
        command.args(["run", &file]).args(more).current_dir(folder.path()).env("HOME", folder.path());
        command.env_remove("FAUXFAX_URL").env_remove("FAUXFAX_ACCOUNT");
        unread(command)
    };
    for more in [&["--junit", "results.xml"][..], &["--json", "--junit", "results.xml"]] {
        assert_eq!(run(more), (Some(1), String::new()), "{more:?}");
        let results = std::fs::read_to_string(folder.path().join("results.xml")).expect("the results");
        assert!(results.contains("<failure"), "{results}");
        std::fs::remove_file(folder.path().join("results.xml")).expect("removed");
    }
    assert_eq!(run(&["--junit", "-"]), (Some(1), String::new()));
}

#[test]
fn a_call_that_nobody_took_is_found_by_the_first_characters_of_its_sid() {
    let served = Served::start("http://127.0.0.1:9/fax");
    in_pipes(served.command(&["receive", "--wait"]));
    let calls = in_pipes(served.command(&["faxes", "--status", "not-answered", "--json"])).text;
    let calls: Value = serde_json::from_str(&calls).expect("JSON");
    let sid = calls["faxes"][0]["sid"].as_str().expect("a call");
    let opened = in_pipes(served.command(&["open", "--print", &sid[..10]]));
    assert!(opened.text.ends_with(&format!("/console/faxes/{sid}\n")), "{}{}", opened.text, opened.errors);
    let whole = in_pipes(served.command(&["faxes", sid]));
    let shown = in_pipes(served.command(&["faxes", &sid[..10]]));
    assert!(shown.code == 0 && shown.text == whole.text, "{}{}", shown.text, shown.errors);
    // With a second call, both begin with the prefix.
    in_pipes(served.command(&["receive", "--wait"]));
    let ambiguous = in_pipes(served.command(&["open", "--print", "FX"]));
    assert_eq!(ambiguous.code, 1);
    assert!(
        ambiguous.errors.contains(sid) && ambiguous.errors.contains("give more characters"),
        "{}",
        ambiguous.errors
    );
}

#[test]
fn a_wait_that_times_out_says_what_is_under_way() {
    // An app that accepts connections and never responds.
    let app = TcpListener::bind("127.0.0.1:0").expect("a port");
    let served = Served::start(&format!("http://{}/fax", app.local_addr().expect("an address")));
    in_pipes(served.command(&["receive"]));
    let waited = in_pipes(served.command(&["wait", "--idle", "--timeout", "0.1s"]));
    let expected = "a request to an app or the rendering of a document is under way";
    assert!(waited.code == 4 && waited.errors.contains(expected), "{}: {}", waited.code, waited.errors);
}

#[test]
fn closed_standard_error_is_not_a_failure() {
    let (served, _) = with_a_fax();
    for (arguments, code) in [(&["events"][..], 0), (&["faxes", "FX0"], 1), (&["events", "--since", "x"], 2)] {
        let mut command = served.command(arguments);
        command.stdout(Stdio::null()).stderr(pipe().expect("a pipe").1);
        assert_eq!(command.status().expect("it runs").code(), Some(code), "{arguments:?}");
    }
}

#[test]
fn an_emulator_is_found_by_host_and_port_or_port_alone() {
    let served = Served::start("http://127.0.0.1:9/fax");
    let port = served.address.port().to_string();
    for url in [served.address.to_string(), format!("localhost:{port}"), format!(":{port}"), port] {
        let printed = in_pipes(served.command(&["open", "--print", "--url", &url]));
        assert!(printed.code == 0 && printed.text.ends_with("/console\n"), "{url}: {}{}", printed.text, printed.errors);
    }
    // An empty variable counts as not set. The command calls no emulator, since the SID is complete.
    let sid = format!("FX{}", "0".repeat(32));
    let mut command = Command::new(FAUXFAX);
    command.args(["open", "--print", &sid]).env("FAUXFAX_URL", "").env_remove("FAUXFAX_ACCOUNT");
    assert_eq!(in_pipes(command).text, format!("http://127.0.0.1:8329/console/faxes/{sid}\n"));
}

#[test]
fn the_suggested_next_command_has_the_flags_of_this_one() {
    let served = Served::start("http://127.0.0.1:9/fax");
    let (url, account) = (format!("http://{}", served.address), format!("AC{}", "0".repeat(32)));
    let call = ["receive", "--url", &url, "--account", &account, "--action", "http://127.0.0.1:9/received"];
    let printed = in_pipes(served.command(&call)).text;
    let then = printed.split_once("follow it with: fauxfax ").expect("a hint").1;
    assert!(then.ends_with(&format!(" --url {url} --account {account}\n")), "{printed}");
    // The next command reads the same environment variables, so it needs no flags.
    let printed = in_pipes(served.command(&["receive", "--action", "http://127.0.0.1:9/received"])).text;
    assert!(!printed.contains("--url"), "{printed}");
}

#[test]
fn flags_of_receive_and_send_decide_how_a_fax_ends_and_what_is_stored() {
    let served = Served::start("http://127.0.0.1:9/fax");
    let call = [RECEIVE, &["--outcome", "failed", "--quality", "standard"]].concat();
    let printed = in_pipes(served.command(&call));
    assert!(printed.code == 1 && printed.text.contains("\nfailed: FX"), "{}{}", printed.text, printed.errors);
    let faxes = in_pipes(served.command(&["faxes", "--direction", "inbound", "--json"])).text;
    let faxes: Value = serde_json::from_str(&faxes).expect("JSON");
    assert_eq!(faxes["faxes"][0]["quality"], "standard");
    let document = format!("http://{}/_fauxfax/v1/samples/one-page.pdf", served.address);
    let send = ["send", "--wait", "--from", "+15005550006", "--to", "+15558675310", &document];
    let printed = in_pipes(served.command(&[&send[..], &["--ttl", "5m", "--no-store-media"]].concat()));
    let sid = printed.text.split_once("\ndelivered: ").expect("delivered").1.split(',').next().expect("a SID");
    let kept = in_pipes(served.command(&["faxes", sid, "--pdf", "-"]));
    assert!(kept.code == 1 && kept.errors.contains("no document is stored"), "{}", kept.errors);
    let refused = in_pipes(served.command(&[&send[..], &["--ttl", "90s"]].concat()));
    assert!(refused.code == 2 && refused.errors.contains("whole minutes"), "{}", refused.errors);
}

#[test]
fn a_webhook_is_shown_by_the_beginning_of_its_id() {
    let (served, _) = with_a_fax();
    let list: Value = serde_json::from_str(&in_pipes(served.command(&["webhooks", "--json"])).text).expect("JSON");
    let id = list["webhooks"][0]["id"].as_str().expect("an id");
    let shown = in_pipes(served.command(&["webhooks", &format!("{}…", &id[..8])])).text;
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(shown["id"], id);
}

#[test]
fn usage_does_not_show_flags_that_come_from_the_environment() {
    let served = Served::start("http://127.0.0.1:9/fax");
    let printed = in_pipes(served.command(&["send", "--from", "+15005550006"]));
    assert!(printed.code == 2 && printed.errors.contains("Usage: "), "{}", printed.errors);
    assert!(!printed.errors.contains("--url"), "{}", printed.errors);
}

#[test]
fn a_document_can_be_saved_in_each_format_by_the_beginning_of_its_sid() {
    let (served, sid) = with_a_fax();
    let folder = tempfile::tempdir().expect("a folder");
    for (flag, start) in [("--pdf", &b"%PDF-"[..]), ("--tiff", b"II*\0"), ("--png", b"\x89PNG")] {
        let file = folder.path().join(flag);
        let name = file.to_str().expect("text");
        let printed = in_pipes(served.command(&["faxes", &sid[..8], flag, name]));
        assert_eq!(printed.code, 0, "{flag}: {}", printed.errors);
        assert!(std::fs::read(&file).expect("written").starts_with(start), "{flag}");
    }
    let mut command = served.command(&["faxes", &sid, "--pdf", "-"]);
    let printed = command.output().expect("it runs").stdout;
    assert_eq!(printed, std::fs::read(folder.path().join("--pdf")).expect("written"), "the bytes are unchanged");
    let missing = in_pipes(served.command(&["faxes", "FXffff"]));
    assert!(missing.code == 1 && missing.errors.contains("list them with: fauxfax faxes"), "{}", missing.errors);
}

#[test]
fn events_are_followed_from_the_last_few_until_the_emulator_stops() {
    let (mut served, sid) = with_a_fax();
    let (mut reader, writer) = pipe().expect("a pipe");
    let mut command = served.command(&["events", "-f", "--fax", &sid]);
    let mut following = command.stdout(Stdio::piped()).stderr(writer).spawn().expect("it starts");
    drop(command);
    let mut lines = BufReader::new(following.stdout.take().expect("piped")).lines().map(|line| line.expect("text"));
    let head = lines.next().expect("a heading");
    assert!(head.contains("AT (UTC)") && head.ends_with("WHAT"), "{head}");
    let event = lines.next().expect("an event");
    assert!(event.contains(&sid) && event.contains("Z  "), "{event}");
    served.stop();
    assert_eq!(following.wait().expect("a child").code(), Some(0));
    let mut errors = String::new();
    reader.read_to_string(&mut errors).expect("text");
    assert!(errors.ends_with("the emulator has stopped\n"), "{errors}");
}

#[test]
fn events_are_followed_as_a_timeline_in_a_terminal() {
    let (mut served, sid) = with_a_fax();
    let command = served.command(&["events", "-f", "--since", "0"]);
    // The notice of the fax is the last event.
    let printed = in_terminal_until(command, "/received", || served.stop());
    assert_eq!(printed.code, 0, "{}", printed.text);
    assert!(printed.text.contains(&format!("⟦1m{sid}⟦0m\n")), "{}", printed.text);
    assert!(printed.text.contains("page 1 of 1 transmitted\n"), "{}", printed.text);
    assert!(printed.text.ends_with("the emulator has stopped\n"), "{}", printed.text);
}

/// Starts an app that accepts faxes, but responds to the notice of a fax only once it is allowed to.
#[expect(clippy::disallowed_methods, reason = "the app runs beside the test")]
fn app_that_waits(allowed: Receiver<()>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.expect("a connection");
            let is_notice = request(&stream).starts_with("POST /received");
            if is_notice {
                allowed.recv_timeout(PATIENCE).expect("allowed in time");
            }
            let twiml = if is_notice { "" } else { "<Response><Receive action=\"/received\"/></Response>" };
            let head = format!("Content-Type: text/xml\r\nContent-Length: {}\r\nConnection: close", twiml.len());
            (&stream).write_all(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{twiml}").as_bytes()).expect("sent");
        }
    });
    address
}

/// Reads a whole request, and returns its first line.
fn request(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).expect("a request");
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a head");
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().expect("a number");
        }
    }
    reader.read_exact(&mut vec![0; length]).expect("a body");
    first
}

#[test]
fn a_conversation_is_shown_as_it_happens() {
    let (allow, allowed) = channel();
    let served = Served::start(&format!("http://{}/fax", app_that_waits(allowed)));
    let command = served.command(&["receive", "--wait", "--pages", "3"]);
    // The app responds to the notice, and the command ends, only because the terminal has shown an earlier event.
    let printed = in_terminal_until(command, "receiving → ", || allow.send(()).expect("the app waits"));
    assert_eq!(printed.code, 0, "{}", printed.text);
    assert!(printed.text.contains("pages 1–3 of 3 transmitted\n"), "{}", printed.text);
}

#[test]
fn only_json_is_printed_with_json() {
    let (served, sid) = with_a_fax();
    let commands: [&[&str]; 6] = [
        &["receive", "--wait", "--json", "--action", "http://127.0.0.1:9/received"],
        &["faxes", "--json"],
        &["faxes", &sid, "--json"],
        &["numbers", "--json"],
        &["alerts", "--json"],
        &["accounts", "--json"],
    ];
    for arguments in commands {
        let printed = in_pipes(served.command(arguments));
        assert!(serde_json::from_str::<Value>(&printed.text).is_ok(), "{arguments:?}: {}", printed.text);
        assert_eq!(printed.errors, "", "{arguments:?}");
    }
}

#[test]
fn accounts_numbers_and_snapshots_are_created_and_removed() {
    let served = Served::start("http://127.0.0.1:9/fax");
    let run = |arguments: &[&str]| {
        let printed = in_pipes(served.command(arguments));
        assert_eq!(printed.code, 0, "{arguments:?}: {}", printed.errors);
        printed.text
    };
    assert!(run(&["numbers", "add", "+15017122661", "--fax-url", "http://h/fax"]).contains("http://h/fax"));
    assert!(run(&["numbers", "set", "+15017122661", "--name", "Desk"]).contains("Desk"));
    run(&["numbers", "remove", "+15017122661"]);
    assert!(!run(&["numbers"]).contains("+15017122661"));
    let account = format!("AC{}", "1".repeat(32));
    assert!(run(&["accounts", "create", &account, "--token", "secret"]).contains("secret"));
    assert!(run(&["faxes", "--account", &account]).starts_with("FAX"));
    run(&["accounts", "remove", &account]);
    assert!(!run(&["accounts"]).contains(&account));
    run(&["snapshots", "take", "before"]);
    assert!(run(&["snapshots"]).contains("before"));
    assert!(run(&["snapshots", "restore", "before"]).starts_with("REMOVED FAXES"));
    run(&["snapshots", "remove", "before"]);
    let gone = in_pipes(served.command(&["snapshots", "restore", "before"]));
    assert!(gone.code == 1 && gone.errors.contains("list them with: fauxfax snapshots"), "{}", gone.errors);
    run(&["snapshots", "take", ".."]);
    run(&["snapshots", "remove", ".."]);
    for name in ["../x", "a b/ü?x#y", "%41"] {
        let refused = in_pipes(served.command(&["snapshots", "take", name]));
        assert!(refused.code == 1 && refused.errors.contains("name"), "{name}: {}", refused.errors);
        assert!(
            !refused.errors.contains("invalid uri") && !refused.errors.contains("doesn't know"),
            "{}",
            refused.errors
        );
    }
}

#[test]
fn a_limit_of_0_is_refused_and_so_is_a_page_that_the_fax_does_not_have() {
    let (served, sid) = with_a_fax();
    let none = in_pipes(served.command(&["faxes", "--limit", "0"]));
    assert!(none.code == 2 && none.errors.contains("at least 1"), "{}", none.errors);
    let page = in_pipes(served.command(&["faxes", &sid, "--png", "-", "--page", "9"]));
    assert!(page.code == 1 && page.errors.contains(", so there is no page 9"), "{}", page.errors);
}

#[test]
fn a_call_that_no_app_answered_is_not_reported_as_received() {
    let app = TcpListener::bind("127.0.0.1:0").expect("a port");
    let served = Served::start(&format!("http://{}/fax", app.local_addr().expect("an address")));
    // The emulator can connect to the app's port, but gets no response.
    let printed = in_pipes(served.command(&["receive", "--wait", "--timeout", "500ms"]));
    assert_eq!(printed.code, 4, "{}{}", printed.text, printed.errors);
    assert!(printed.errors.contains("the app has not taken the call"), "{}", printed.errors);
}

#[test]
fn a_wait_that_times_out_says_what_the_fax_is_doing() {
    let served = Served::start("http://127.0.0.1:9/fax");
    in_pipes(served.command(&["clock", "freeze"]));
    let letter = format!("http://{}/_fauxfax/v1/samples/two-pages.pdf", served.address);
    let call = ["send", "--wait", "--timeout", "50ms", "--from", "+15005550006", "--to", "+15558675310", &letter];
    let printed = in_pipes(served.command(&call));
    assert_eq!(printed.code, 4, "{}{}", printed.text, printed.errors);
    assert!(printed.errors.contains("Timed out after 0.05 s: FX"), "{}", printed.errors);
    assert!(printed.errors.contains("fauxfax clock advance 5m"), "{}", printed.errors);
}

#[test]
fn completions_offer_the_words_that_a_flag_accepts() {
    let mut command = Command::new(FAUXFAX);
    command.args(["completions", "bash"]);
    let script = in_pipes(command).text;
    for words in ["not-answered", "webhook.attempt", "superfine", "inbound"] {
        assert!(script.contains(words), "{words}");
    }
}

#[test]
fn tail_prints_requests_in_both_directions_as_they_happen_and_filters_them() {
    let served = Served::start("http://127.0.0.1:9/fax");
    in_pipes(served.command(&["receive", "--wait"]));
    let tail = |arguments: &[&str]| in_pipes(served.command(&[&["tail", "--no-follow"], arguments].concat())).text;
    let failed = tail(&["--failed"]);
    assert!(failed.contains("→ POST http://127.0.0.1:9/fax  connection refused"), "{failed}");
    assert_eq!(tail(&["--direction", "in"]), "");
    in_pipes(served.command(&["send", "http://127.0.0.1:9/a.pdf", "--from", "+15005550006", "--to", "+15558675310"]));
    let created = tail(&["--path", "/v1/Faxes", "--method", "post", "--body"]);
    assert!(created.contains("← POST /v1/Faxes  201  ") && created.contains("To=+15558675310"), "{created}");
    assert_eq!(tail(&["--code", "11202", "-n", "1"]).lines().count(), 1);
    assert!(in_pipes(served.command(&["tail", "--status", "9xx", "--no-follow"])).errors.contains("4xx"));
    // What happens later is printed as it happens.
    let mut following =
        served.command(&["tail", "-n", "0", "--json"]).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut lines = BufReader::new(following.stdout.take().expect("piped")).lines();
    let call = || in_pipes(served.command(&["receive", "--wait"]));
    // The stream may open after a call, so calls are made until one is seen.
    let seen = std::thread::scope(|scope| {
        let reading = scope.spawn(|| lines.next().expect("a line").expect("text"));
        while !reading.is_finished() {
            call();
        }
        reading.join().expect("no panic")
    });
    let request: Value = serde_json::from_str(&seen).expect("JSON");
    assert_eq!((&request["kind"], &request["direction"]), (&"webhook".into(), &"out".into()));
    following.kill().and_then(|()| following.wait()).expect("a child");
}

#[test]
fn a_call_that_nobody_took_is_listed_among_the_faxes_and_shown_with_the_apps_response() {
    let served = Served::start("http://127.0.0.1:9/fax");
    in_pipes(served.command(RECEIVE));
    in_pipes(served.command(&["receive", "--wait", "--from", "+15558675310"]));
    let list = in_pipes(served.command(&["faxes"])).text;
    assert!(list.contains("not-answered") && list.contains("received") && list.contains("(11202)"), "{list}");
    let calls = in_pipes(served.command(&["faxes", "--status", "not-answered"])).text;
    for part in ["FX", "connection refused", "Start your app", "/console/faxes/FX"] {
        assert!(calls.contains(part), "{part}: {calls}");
    }
    let found = in_pipes(served.command(&["faxes", "--search", "code:11202"])).text;
    assert!(found.contains("not-answered") && !found.contains("received"), "{found}");
}

#[test]
fn the_events_of_all_accounts_are_printed_with_their_account() {
    let served = Served::start("http://127.0.0.1:9/fax");
    let other = "AC0123456789abcdef0123456789abcdef";
    in_pipes(served.command(&["clock", "--account", other, "freeze"]));
    in_pipes(served.command(&["clock", "freeze"]));
    let events = in_pipes(served.command(&["events", "--all-accounts", "--kind", "clock.moved"])).text;
    let rows: Vec<_> = events.lines().collect();
    assert!(rows[0].contains("ACCOUNT") && rows[1].contains(other) && rows[2].contains("AC0000"), "{events}");
}
