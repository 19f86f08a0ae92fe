//! Tests scenario files: the examples and those of the docs pass, each kind of failure has the right words, and a mistake in
//! a file is reported with its place.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use fauxfax::Emulator;
use serde_json::Value;
use toml::de::{DeTable, DeValue};

use crate::process::{FAUXFAX, Running, eventually};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Runs `fauxfax run` in a folder, without environment variables that name an emulator or an account.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(FAUXFAX);
    command.arg("run").args(arguments).current_dir(folder).env("HOME", folder);
    for name in ["FAUXFAX_URL", "FAUXFAX_ACCOUNT", "FAUXFAX_CONTROL_TOKEN", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"] {
        command.env_remove(name);
    }
    command.output().expect("it runs")
}

pub(crate) fn told(output: &Output) -> String {
    [output.stdout.as_slice(), &output.stderr].map(String::from_utf8_lossy).concat()
}

/// Writes a scenario to a folder of its own.
pub(crate) fn written(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("s.toml"), text).expect("written");
    (folder, "s.toml".to_owned())
}

fn examples() -> Vec<PathBuf> {
    let files = fs::read_dir(root().join("examples/scenarios")).expect("a folder");
    let mut files: Vec<PathBuf> = files.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

#[test]
fn every_example_passes() {
    let files = examples();
    assert!(files.len() >= 7, "{files:?}");
    let names: Vec<&str> = files.iter().map(|file| file.to_str().expect("UTF-8")).collect();
    let output = run(&root(), &names);
    let told = told(&output);
    assert!(output.status.success(), "{told}");
    assert!(told.contains(&format!("0 failed, 0 not judged in {} scenarios", files.len())), "{told}");
}

#[test]
fn every_scenario_of_the_docs_passes() {
    let page = fs::read_to_string(root().join("docs/how-to/scenarios.md")).expect("the page");
    let blocks = page.split("\n```toml").skip(1).map(|rest| {
        let block = rest.split_once('\n').expect("a line").1;
        block.split_once("\n```").expect("an end").0
    });
    let whole: Vec<&str> = blocks.filter(|block| block.starts_with("title = ")).collect();
    assert!(whole.len() >= 2, "the page has {} scenarios", whole.len());
    for block in whole {
        let (folder, file) = written(block);
        let output = run(folder.path(), &[&file]);
        assert!(output.status.success(), "{}", told(&output));
    }
}

/// Replaces what differs from run to run: ports, dates, times, durations, signatures and media URLs.
fn masked(text: &str) -> String {
    let patterns = [
        (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
        (r"\d\d:\d\d:\d\d\.\d{3}Z", "HH:MM:SS.mmmZ"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "YYYY-MM-DDTHH:MM:SSZ"),
        (r"(< |&lt; )?\d+ ms", "N ms"),
        (r"· \d+\.\d s", "· N s"),
        (r#"time="[\d.]+""#, r#"time="N""#),
        (r"x-twilio-signature: \S+=", "x-twilio-signature: SIGNATURE="),
        (r"MediaUrl=\S+", "MediaUrl=URL"),
        (r"date: [^']*GMT", "date: DATE"),
        (r"Tdate=\S+", "DATE"),
    ];
    patterns.iter().fold(text.to_owned(), |text, (pattern, mask)| {
        regex_lite::Regex::new(pattern).expect("a pattern").replace_all(&text, *mask).into_owned()
    })
}

#[test]
fn a_failure_says_what_was_expected_and_seen_with_the_request_and_the_conversation() {
    for (name, code) in [("failing", 1), ("stopping", 1)] {
        let output = run(&root(), &[&format!("fixtures/scenarios/{name}.toml")]);
        assert_eq!(output.status.code(), Some(code), "{}", told(&output));
        insta::assert_snapshot!(format!("{name}_text"), masked(&told(&output)));
    }
}

#[test]
fn each_kind_of_step_says_why_it_failed() {
    for (step, expected, seen) in [
        ("receive = { to = '+15550001111' }", "the emulator to accept the call", "has no number +15550001111"),
        (
            "receive = { to = '+15550001111', fax_url = 'http://localhost:1/' }",
            "the account to have the number +15550001111",
            "it has +15005550006",
        ),
        ("receive = { media_url = 'http://127.0.0.1:9/x' }", "the emulator to accept", "media_url: connection refused"),
        ("receive = { fax_twiml = '<Response/>' }", "the emulator to accept", "neither <Receive> nor <Reject>"),
        ("send = { to = 'nonsense' }", "the API to accept the fax", "the API refused it with error 21211: "),
        ("send = { to = '+15558675310', refused = 21211 }", "refuse the fax with error 21211", "it accepted the fax"),
        ("send = { to = 'nonsense', refused = 34004 }", "refuse the fax with error 34004", "error 21211: The 'To'"),
        ("clock = { to = '2000-01-01T00:00:00Z' }", "the emulator to accept the call", "can't move back"),
        (
            "wait = { status = 'busy,failed', timeout = 0.1 }",
            "a fax to become busy or failed",
            "after 0.1 s: no fax has",
        ),
        ("wait = { match = { kind = 'fax.page' }, timeout = 0.1 }", "at least 1 page", "after 0.1 s: 0 such events"),
        ("wait = { for = 'settled' }", "a fax to wait for", "no step before this one has a fax"),
        ("expect = { status = 'received' }", "a fax", "no step before this one has a fax"),
        ("expect = { match = { kind = 'fax.pag' } }", "the emulator to accept the call", "did you mean fax.page?"),
        ("request = { url = 'http://127.0.0.1:9/' }", "a status from 200 to 299", "no response (connection refused"),
        (
            "clock = 'drain'\n[[steps]]\nname = 'b'\nrequest = { url = '${a.sid}' }",
            "the step \"a\" to have a value \"sid\"",
            "it has mode, next, now",
        ),
    ] {
        let (folder, file) = written(&format!("title = 't'\n[[steps]]\nname = 'a'\n{step}\n"));
        let output = run(folder.path(), &[&file]);
        let told = told(&output);
        assert_eq!(output.status.code(), Some(1), "{step}: {told}");
        let line = |word: &str, part: &str| {
            told.lines().any(|line| line.trim_start().starts_with(word) && line.contains(part))
        };
        assert!(line("expected ", expected) && line("seen ", seen), "{step}: {told}");
    }
}

#[test]
fn a_junit_file_has_a_case_for_each_step() {
    let output = run(&root(), &["fixtures/scenarios/failing.toml", "examples/scenarios/slow-app.toml", "--junit", "-"]);
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let xml = roxmltree::Document::parse(&text).expect("XML");
    let suites: Vec<_> = xml.descendants().filter(|node| node.has_tag_name("testsuite")).collect();
    assert_eq!(suites.iter().map(|suite| suite.attribute("failures")).collect::<Vec<_>>(), [Some("8"), Some("0")]);
    assert_eq!(xml.descendants().filter(|node| node.has_tag_name("skipped")).count(), 1);
    insta::assert_snapshot!("failing_junit", masked(&text));
}

#[test]
fn two_runs_of_a_scenario_have_the_same_ids_and_results() {
    let results = || {
        let output = run(&root(), &["--json", "fixtures/scenarios/failing.toml"]);
        let json: Value = serde_json::from_slice(&output.stdout).expect("only JSON on standard output");
        let steps = json["scenarios"][0]["steps"].as_array().expect("steps").clone();
        let brief = |step: &Value| (step["verdict"].clone(), step["fax_sid"].clone(), step["mismatches"].clone());
        steps.iter().map(brief).collect::<Vec<_>>()
    };
    let first = results();
    assert!(first[2].1.as_str().is_some_and(|sid| sid.starts_with("FX")), "{first:?}");
    assert_eq!(first, results());
}

#[test]
fn a_mistake_in_a_file_is_reported_with_its_place_and_the_nearest_word() {
    let step = |rest: &str| format!("title = \"t\"\n[app]\nsample = true\n[[steps]]\nname = \"a\"\n{rest}\n");
    let after = |rest: &str| format!("{}[[steps]]\nname = \"b\"\n{rest}\n", step("receive = { pages = 1 }"));
    let cases = [
        ("title = \"t\n".to_owned(), "s.toml:1:"),
        ("steps = []\n".to_owned(), "title: is required"),
        ("title = \"t\"\nsteps = []\n".to_owned(), "s.toml:2:9: steps: must have at least one step"),
        ("titel = \"t\"\n".to_owned(), "s.toml:1:1: unknown field \"titel\"; did you mean title?"),
        (step("recieve = { pages = 1 }"), "s.toml:6:1: steps[0]: unknown field \"recieve\"; did you mean receive?"),
        (
            step("receive = { pagess = 1 }"),
            "s.toml:6:13: steps[0].receive: unknown field \"pagess\"; did you mean pages?",
        ),
        (step("receive = { pages = \"two\" }"), "s.toml:6:21: steps[0].receive.pages: must be a whole number"),
        (step("receive = { pages = 1, file = \"x.pdf\" }"), "give only one of pages and file"),
        (
            step("receive = { file = \"missing.pdf\" }"),
            "s.toml:6:20: steps[0].receive.file: can't read \"missing.pdf\"",
        ),
        (step("receive = { pages = 1 }\nclock = \"drain\""), "s.toml:4:1: steps[0]: a step does one thing"),
        (step(""), "give exactly one of receive, send, rule"),
        (step("clock = \"drian\""), "must be freeze, run, drain, or a table with by, seconds or to, not \"drian\""),
        (step("clock = { by = \"1h\", to = \"2030-01-01T00:00:00Z\" }"), "give one of by, seconds and to"),
        (step("rule = { match = { to = \"+1*\" } }"), "s.toml:6:"),
        (step("rule = { outcome = { status = \"bussy\" } }"), "outcome.status"),
        (step("request = { url = \"${ap}/x\" }"), "s.toml:6:19: there is no variable \"ap\"; did you mean app?"),
        (step("request = { url = \"${app/x\" }"), "must end with }"),
        (step("wait = { status = \"recieved\" }"), "s.toml:6:19: steps[0].wait.status: must be one of"),
        (step("wait = { status = \"recieved\" }"), "did you mean received?"),
        (step("wait = { for = \"ever\" }"), "must be settled or idle, not \"ever\""),
        (step("wait = { for = \"idle\", timeout = 6000 }"), "must be a number of seconds from 0 to 600, not 6000"),
        (step("expect = { fax = \"b\" }"), "there is no earlier step \"b\"; this is the first"),
        (step("expect = {}"), "it expects nothing"),
        (step("expect = { status = {} }"), "steps[0].expect.status: it expects nothing; give a value"),
        (step("expect = { match = {} }"), "steps[0].expect.match: it expects nothing"),
        (step("expect = { match = { kind = \"fax.page\", data = {} } }"), "expect.match.data: it expects nothing"),
        (step("expect = { match = { knid = \"fax.page\" }, times = 0 }"), "field \"knid\"; did you mean kind?"),
        (step("expect = { in_order = [] }"), "it expects nothing"),
        (step("expect = { in_order = [{ kind = \"fax.page\" }, {}] }"), "expect.in_order[1]: it expects nothing"),
        (step("expect = { webhooks = [{ params = {} }] }"), "expect.webhooks[0].params: it expects nothing"),
        (step("expect = { pages = [{ times = { at_least = 0 } }] }"), "pages[0].times: it expects nothing"),
        (step("wait = { match = { kind = \"fax.page\", page = 1 } }"), "steps[0].wait.match: unknown field \"page\""),
        (step("request = { url = \"http://x/\", answer = {} }"), "steps[0].request.answer: it expects nothing"),
        (step("expect = { times = 1, status = \"failed\" }"), "is only of use together with match"),
        (step("expect = { status = { regex = \"(\" } }"), "steps[0].expect.status: "),
        (step("expect = { webhooks = [{ purpose = \"fax-ulr\" }] }"), "webhooks[0].purpose: must be one of"),
        (step("expect = { webhooks = [{ times = -1 }] }"), "webhooks[0].times: must be a whole number, or an object"),
        (step("check = { url = \"http://localhost/\", only = [\"S99\"] }"), "there is no check \"S99\""),
        (after("wait = { fax = \"c\", for = \"settled\" }"), "there is no earlier step \"c\""),
        (after("request = { url = \"http://x/${b.sid}\" }"), "the step \"b\" comes no earlier than this one"),
        (after("expect = { status = \"received\" }").replace("\"b\"", "\"a\""), "an earlier step is called \"a\" too"),
        ("title = \"t\"\n[app]\nsteps = 1\n".to_owned(), "s.toml:3:1: app: unknown field \"steps\""),
        (
            format!("{}[settings]\npase = \"max\"\n", step("clock = \"drain\"")),
            "unknown key `pase` in [settings]; did you mean `pace`?",
        ),
        (format!("{}[settings]\nlisten = \"x\"\n", step("clock = \"drain\"")), "unknown key `listen` in [settings]"),
        (format!("{}[settings]\nseed = \"x\"\n", step("clock = \"drain\"")), "s.toml:8:8: seed must"),
    ];
    for (text, expected) in cases {
        let (folder, file) = written(&text);
        let output = run(folder.path(), &[&file]);
        let told = told(&output);
        assert_eq!(output.status.code(), Some(2), "{text}\n{told}");
        assert!(told.contains(expected) && told.starts_with("error: s.toml:"), "{text}\n{told}\nexpected: {expected}");
    }
}

#[test]
fn all_files_are_read_before_the_first_one_runs_and_limits_are_named() {
    let (folder, file) = written("title = 1\n");
    let good = root().join("examples/scenarios/slow-app.toml");
    let output = run(folder.path(), &[good.to_str().expect("UTF-8"), &file, "missing.toml"]);
    let text = told(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("title: must be a string, not 1") && text.contains("can't read missing.toml"), "{text}");
    assert!(!text.contains("pass"), "{text}");
    let steps = (0..501).map(|n| format!("[[steps]]\nname = \"{n}\"\nclock = \"drain\"\n")).collect::<String>();
    fs::write(folder.path().join("s.toml"), format!("title = \"t\"\n{steps}")).expect("written");
    assert!(told(&run(folder.path(), &[&file])).contains("a scenario has at most 500 steps"));
    fs::write(folder.path().join("s.toml"), "#".repeat(1024 * 1024 + 1)).expect("written");
    assert!(told(&run(folder.path(), &[&file])).contains("longer than 1048576 bytes"));
    let output = run(folder.path(), &[good.to_str().expect("UTF-8"), "--var", "ap=x"]);
    assert!(told(&output).contains("has no variable \"ap\"; did you mean app?"), "{}", told(&output));
    assert_eq!(run(folder.path(), &[]).status.code(), Some(2));
    assert_eq!(run(folder.path(), &[good.to_str().expect("UTF-8"), "--var", "app"]).status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::disallowed_methods, reason = "waiting for a program must not block the emulator")]
async fn a_running_emulator_is_as_it_was_after_the_run() {
    let emulator = Emulator::builder().start().await.expect("it starts");
    let account = emulator.account().expect("an account");
    account.number("+15017122661").expect("a number");
    let (url, sid) = (emulator.url(), account.sid().to_string());
    let scenario = root().join("examples/scenarios/incoming-fax.toml");
    let text = fs::read_to_string(scenario).expect("the example").replace("+15005550006", "+15017122661");
    let (folder, file) = written(&format!("{text}\n[settings]\nseed = 3\n"));
    let path = folder.path().to_owned();
    let output = tokio::task::spawn_blocking(move || run(&path, &[&file, "--url", &url, "--account", &sid]));
    let output = output.await.expect("it ends");
    let told = told(&output);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("[settings] have no effect") && told.contains("is as it was before the run"), "{told}");
    assert!(account.newest_fax().is_none(), "the fax is still there");
    let (clock, before) = (account.clock(), account.clock().now());
    eventually(|| (clock.now() > before).then_some(()), "the clock still stands still");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_ctrl_c_everything_is_put_back_and_the_rest_is_not_judged() {
    let emulator = Emulator::builder().start().await.expect("it starts");
    let account = emulator.account().expect("an account");
    account.number("+15017122661").expect("a number");
    let text = "title = \"t\"
[app]
sample = true
[[steps]]
name = \"a fax arrives at an app that never responds\"
receive = { fax_url = \"${app}/slow\" }
[[steps]]
name = \"it ends\"
wait = { for = \"settled\" }
[[steps]]
name = \"never reached\"
expect = { status = \"received\" }
";
    let (folder, file) = written(text);
    let later = "title = \"u\"\n[[steps]]\nname = \"a step of a later file\"\nclock = \"drain\"\n";
    fs::write(folder.path().join("later.toml"), later).expect("written");
    let output = fs::File::create(folder.path().join("output")).expect("a file");
    let mut command = Command::new(FAUXFAX);
    command.args(["run", &file, "later.toml", "--junit", "results.xml"]);
    command.args(["--url", &emulator.url(), "--account", &account.sid().to_string()]);
    command.current_dir(folder.path()).env("HOME", folder.path()).stdout(output).stderr(std::process::Stdio::null());
    let mut running = Running::start(&mut command);
    // The run is interrupted once it has frozen the account's clock. It can't end sooner, since the app never responds.
    let asked = || account.events().iter().any(|event| event.kind() == "clock.moved").then_some(());
    let code = tokio::task::block_in_place(|| {
        eventually(asked, "the clock has not been frozen");
        running.signal("INT");
        running.ended().code()
    });
    assert_eq!(code, Some(1));
    let told = fs::read_to_string(folder.path().join("output")).expect("written");
    assert!(told.contains("the run was interrupted") && !told.contains("FAIL"), "{told}");
    assert!(told.contains("not judged  a step of a later file") && told.contains("in 2 scenarios"), "{told}");
    let xml = fs::read_to_string(folder.path().join("results.xml")).expect("written");
    let skipped =
        "name=\"a step of a later file\" time=\"0.000\">\n      <skipped message=\"the run was interrupted\"/>";
    assert!(xml.contains(skipped), "{xml}");
    assert!(account.newest_fax().is_none());
    let (clock, before) = (account.clock(), account.clock().now());
    tokio::task::block_in_place(|| eventually(|| (clock.now() > before).then_some(()), "the clock still stands still"));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_ctrl_c_the_checks_of_a_step_leave_no_snapshot() {
    let emulator = Emulator::builder().start().await.expect("it starts");
    let account = emulator.account().expect("an account");
    account.number("+15017122661").expect("a number");
    let text = "title = \"t\"
[app]
sample = true
[[steps]]
name = \"an app that never responds is checked\"
check = { url = \"${app}/slow\", only = [\"twiml\"] }
";
    let (folder, file) = written(text);
    let (base, sid) = (emulator.url().parse().expect("a URL"), account.sid().to_string());
    let target = format!("/_fauxfax/v1/snapshots?account={sid}");
    let mut command = Command::new(FAUXFAX);
    command.args(["run", &file, "--url", &emulator.url(), "--account", &sid]);
    command.current_dir(folder.path()).env("HOME", folder.path());
    let code = tokio::task::block_in_place(|| {
        let mut running = Running::start(&mut command);
        let snapshots = || tokio::runtime::Handle::current().block_on(crate::mcp_http::get(&base, &target));
        eventually(|| snapshots().contains("fauxfax-check").then_some(()), "the check takes no snapshot");
        running.signal("INT");
        let code = running.ended().code();
        assert!(!snapshots().contains("fauxfax-"), "{}", snapshots());
        code
    });
    assert_eq!(code, Some(1));
}

#[test]
fn without_an_emulator_at_the_url_the_status_is_3() {
    let example = root().join("examples/scenarios/slow-app.toml");
    let output = run(&root(), &[example.to_str().expect("UTF-8"), "--url", "127.0.0.1:9", "--account", "AC1"]);
    assert_eq!(output.status.code(), Some(3), "{}", told(&output));
}

/// Returns a free port. Nothing else listens on it, unless another program is given the same one meanwhile.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    listener.expect("an address").port()
}

#[test]
fn the_app_is_started_with_the_environment_of_exec_waited_for_and_ended() {
    // Another emulator plays the app, because no other server is sure to be installed. The command also leaves a
    // `sleep` in the background, which must be ended, too.
    let text = "title = \"t\"
[vars]
port = \"0\"
program = \"\"
[app]
url = \"http://127.0.0.1:${port}\"
ready = \"http://127.0.0.1:${port}/livez\"
command = '''sleep 1000 & echo $! >background; test -n \"$TWILIO_AUTH_TOKEN\" && echo \"$FAUXFAX_URL\" >url && '${program}' serve --listen 127.0.0.1:${port}'''
[[steps]]
name = \"it is there\"
request = { url = \"${app}/livez\", answer = \"ok\\n\" }
";
    let (folder, file) = written(text);
    let port = free_port();
    let (port_var, program) = (format!("port={port}"), format!("program={FAUXFAX}"));
    let output = run(folder.path(), &[&file, "--var", &port_var, "--var", &program]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let url = fs::read_to_string(folder.path().join("url")).expect("written by the app");
    assert!(url.starts_with("http://127.0.0.1:") && !url.contains(&port.to_string()), "{url}");
    let background = fs::read_to_string(folder.path().join("background")).expect("written by the app");
    eventually(
        || (!Path::new("/proc").join(background.trim()).exists()).then_some(()),
        "the process that the app started is still running",
    );
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err(), "the app is still running");

    let (folder, file) = written(&text.replace("test -n", "exit 3; test -n"));
    let output = run(folder.path(), &[&file, "--var", &port_var, "--var", &program]);
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(told(&output).contains("app.command ended (exit status: 3) before"), "{}", told(&output));
}

#[test]
fn a_scenario_that_can_not_run_fails_and_the_later_ones_run() {
    let text = "title = \"t\"
[app]
url = \"http://127.0.0.1:9\"
command = \"exit 3\"
[[steps]]
name = \"never reached\"
clock = \"drain\"
";
    let (folder, file) = written(text);
    fs::write(folder.path().join("good.toml"), "title = \"u\"\n[[steps]]\nname = \"a\"\nclock = \"drain\"\n")
        .expect("written");
    let output = run(folder.path(), &[&file, "good.toml", "--junit", "results.xml", "--json"]);
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let verdicts = |scenario: usize| {
        let steps = json["scenarios"][scenario]["steps"].as_array().expect("steps");
        steps.iter().map(|step| step["verdict"].as_str().expect("a verdict")).collect::<Vec<_>>()
    };
    assert_eq!(verdicts(0), ["fail", "not_judged"], "{json:#}");
    assert_eq!(verdicts(1), ["pass"], "{json:#}");
    let xml = fs::read_to_string(folder.path().join("results.xml")).expect("written");
    assert!(xml.contains("app.command ended (exit status: 3)") && xml.contains("tests=\"3\" failures=\"1\""), "{xml}");

    let output = run(folder.path(), &["good.toml", "--junit", "missing/results.xml"]);
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    let expected = "can't write missing/results.xml: there is no folder missing";
    assert!(told(&output).contains(expected), "{}", told(&output));
    assert!(
        !told(&output).contains("passed"),
        "no result is printed if the report can't be written: {}",
        told(&output)
    );
}

#[test]
fn a_pipe_or_a_folder_is_refused_in_place_of_a_file() {
    let (folder, file) = written("title = \"t\"\n[[steps]]\nname = \"a\"\nsend = { to = \"+1\", file = \"pipe\" }\n");
    assert!(Command::new("mkfifo").arg(folder.path().join("pipe")).status().expect("mkfifo").success());
    for (argument, expected) in [
        ("pipe", "can't read pipe: it is a pipe, a device or a socket; give a regular file"),
        (".", "can't read .: it is a folder; give a regular file"),
        (&file, "send.file: can't read \"pipe\": it is a pipe, a device or a socket"),
    ] {
        let output = run(folder.path(), &[argument]);
        assert!(output.status.code() == Some(2) && told(&output).contains(expected), "{}", told(&output));
    }
}

#[test]
fn checks_of_an_app_can_be_steps() {
    let text = "title = \"t\"
[app]
sample = true
[[steps]]
name = \"the app looks at signatures\"
check = { url = \"${app}/fax\", only = [\"signature-wrong\", \"signature-missing\"] }
[[steps]]
name = \"a slow app is not quick\"
check = { url = \"${app}/fax\", only = [\"no-such-app\"] }
";
    let good = text.split("[[steps]]\nname = \"a slow").next().expect("the first step");
    let (folder, file) = written(good);
    let output = run(folder.path(), &[&file]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let bad = good
        .replace("${app}/fax", "${app}/letter.pdf")
        .replace("\"signature-wrong\", \"signature-missing\"", "\"twiml\"");
    let (folder, file) = written(&bad);
    let output = run(folder.path(), &[&file]);
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(told(&output).contains("expected  twiml: "), "{}", told(&output));
}

#[test]
fn other_faxes_documents_and_refusals_work() {
    let text = "title = \"t\"
[settings]
dialect = \"signalwire\"
[[steps]]
name = \"a document is received without an app\"
receive = { file = \"letter.pdf\", fax_twiml = \"<Response><Receive/></Response>\" }
[[steps]]
name = \"it has come\"
wait = { match = { kind = \"fax.status\", data = { new = \"received\" } }, timeout = 20 }
[[steps]]
name = \"it has two pages\"
expect = { status = \"received\", num_pages = 2 }
[[steps]]
name = \"a number is refused\"
send = { to = \"nonsense\", refused = 21211 }
[[steps]]
name = \"another document is sent\"
send = { to = \"+15558675310\", file = \"letter.pdf\" }
[[steps]]
name = \"everything is done\"
clock = \"drain\"
[[steps]]
name = \"it has been delivered\"
expect = { status = \"delivered\", num_pages = 2 }
[[steps]]
name = \"the clock runs and stops\"
clock = \"run\"
[[steps]]
name = \"it stands still\"
clock = \"freeze\"
[[steps]]
name = \"a fax should be refused, but is accepted\"
send = { to = \"+15558675310\", refused = 21211 }
";
    let (folder, file) = written(text);
    fs::copy(root().join("fixtures/documents/two-pages.pdf"), folder.path().join("letter.pdf")).expect("copied");
    let output = run(folder.path(), &[&file]);
    let told = told(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("9 passed, 1 failed, 0 not judged") && told.contains("it accepted the fax"), "{told}");
}

#[test]
fn every_key_of_the_examples_is_in_the_schema() {
    let output = Command::new(FAUXFAX).args(["config-schema", "--scenario"]).output().expect("it runs");
    let schema: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let failing = root().join("fixtures/scenarios/failing.toml");
    for file in examples().into_iter().chain([failing]) {
        let text = fs::read_to_string(&file).expect("the example");
        let table = DeTable::parse(&text).expect("TOML");
        let value = json_of(&DeValue::Table(table.into_inner()));
        assert_eq!(unknown(&value, &schema, &schema), None, "{}", file.display());
    }
    let wrong = serde_json::json!({ "title": "t", "steps": [{ "name": "a", "receive": { "pagess": 1 } }] });
    assert_eq!(unknown(&wrong, &schema, &schema), Some("pagess".to_owned()));
    let wrong = serde_json::json!({ "title": "t", "settings": { "listen": "x" }, "steps": [] });
    assert_eq!(unknown(&wrong, &schema, &schema), Some("listen".to_owned()));
    let words = &schema["$defs"]["Clock"].to_string();
    assert!(words.contains("drain"), "{words}");
}

fn json_of(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::Table(table) => {
            let each = table.iter().map(|(name, value)| (name.get_ref().to_string(), json_of(value.get_ref())));
            Value::Object(each.collect())
        }
        DeValue::Array(items) => items.iter().map(|item| json_of(item.get_ref())).collect(),
        DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
            Value::String(format!("{value:?}"))
        }
    }
}

/// Returns a key that the schema doesn't have in that place.
fn unknown(value: &Value, schema: &Value, root: &Value) -> Option<String> {
    if let Some(name) = schema["$ref"].as_str() {
        return unknown(value, root.pointer(&name[1..]).expect("a definition"), root);
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let is_null = |schema: &&Value| schema["type"] == "null";
        let mut each = any.iter().filter(|schema| !is_null(schema)).map(|schema| unknown(value, schema, root));
        return each.clone().find(Option::is_none).unwrap_or_else(|| each.next().flatten());
    }
    if let (Some(items), true) = (value.as_array(), schema["items"].is_object()) {
        return items.iter().find_map(|item| unknown(item, &schema["items"], root));
    }
    value.as_object()?.iter().find_map(|(name, value)| {
        let property = &schema["properties"][name];
        if property.is_null() {
            return (schema["additionalProperties"] == false).then(|| name.clone());
        }
        unknown(value, property, root)
    })
}
