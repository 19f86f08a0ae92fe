//! Tests how the checks of an app run: against apps that misbehave, in an emulator that goes on, and from the command line.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Mutex;
use std::time::Duration;

use fauxfax::check::list::Selection;
use fauxfax::check::{self, Limits, Options, Profile, Progress, Report, RunError, Verdict, list};
use fauxfax::client::Endpoint;
use fauxfax::emulator::AccountSetup;
use fauxfax::{Account, Document, Emulator};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::apps::{self, Authority, Manner};
use crate::checked_app::{CheckedApp, Fault};

const FAUXFAX: &str = env!("CARGO_BIN_EXE_fauxfax");
pub(crate) const NUMBER: &str = "+15017122661";

pub(crate) async fn started() -> (Emulator, Account) {
    let emulator = Emulator::builder().configure(|config| config.private_apps_only = true).start().await;
    let emulator = emulator.expect("it starts");
    let account = emulator.account().expect("an account");
    account.number(NUMBER).expect("a number");
    (emulator, account)
}

pub(crate) fn endpoint(emulator: &Emulator) -> Endpoint {
    Endpoint { url: emulator.url().parse().expect("a URL"), address: None, control_token: None }
}

/// Returns options to run all checks in this account. The apps of these tests record a fax before they respond, so the run
/// need not wait long for what they do afterwards.
pub(crate) fn options(account: &Account, url: &str) -> Options {
    let limits = Limits { settle: Duration::from_millis(50), long_fax_pages: 2, ..Limits::default() };
    Options { account: Some(account.sid().to_string()), limits, ..Options::new(url, list::all().collect()) }
}

/// Runs checks without showing progress or interrupting them.
pub(crate) async fn checked(emulator: &Emulator, options: Options) -> Report {
    check::run(endpoint(emulator), options, &|_| (), std::future::pending()).await.expect("it runs")
}

pub(crate) fn verdict(report: &Report, id: &str) -> Verdict {
    report.results.iter().find(|result| result.check.id == id).expect("the check").verdict
}

pub(crate) fn failed(report: &Report) -> Vec<&'static str> {
    let failed = report.results.iter().filter(|result| result.verdict == Verdict::Fail);
    failed.map(|result| result.check.id).collect()
}

#[tokio::test]
async fn an_app_with_another_token_is_not_judged_by_its_refusals() {
    let (emulator, account) = started().await;
    let app = CheckedApp::start(&account.sid().to_string(), "another token", &[]).await;
    let report = checked(&emulator, options(&account, &app.fax_url())).await;
    assert_eq!(failed(&report), ["twiml"]);
    for id in ["signature-wrong", "signature-missing", "parameter-unknown", "no-leak", "proxy-host"] {
        let result = report.results.iter().find(|result| result.check.id == id).expect("the check");
        assert_eq!(result.verdict, Verdict::NotJudged, "{id}: {}", result.seen);
        assert!(result.seen.contains("is the app configured with the token of account"), "{id}: {}", result.seen);
    }
}

#[tokio::test]
async fn whatever_an_app_does_the_run_ends_and_says_why_it_could_not_judge() {
    let endless =
        b"HTTP/1.1 302 Found\r\nLocation: /fax?again\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec();
    for (manner, expected) in [
        (Manner::Hang, &["twiml", "in-time"][..]),
        (Manner::Close, &["twiml"]),
        (Manner::Pour, &["twiml"]),
        (Manner::Drip, &["twiml", "in-time"]),
        (Manner::Say(endless), &["twiml"]),
        (Manner::Say(b"\x15\x03\x01 no HTTP".to_vec()), &["twiml"]),
    ] {
        let (emulator, account) = started().await;
        let app = apps::app(manner.clone()).await;
        let mut options = options(&account, &format!("{}/fax", app.url));
        options.limits.late = if expected.contains(&"in-time") { Duration::from_millis(400) } else { Limits::LATE };
        let report = checked(&emulator, options).await;
        assert_eq!(failed(&report), expected, "{manner:?}");
        assert_eq!(verdict(&report, "signature-missing"), Verdict::NotJudged, "{manner:?}");
        assert!(report.results.iter().all(|result| !result.seen.is_empty()), "{manner:?}");
    }
}

#[tokio::test]
async fn an_app_whose_certificate_is_not_trusted_is_not_reachable() {
    let (emulator, account) = started().await;
    let app = Authority::new().app("localhost", 2096, Manner::Close).await;
    let report = checked(&emulator, options(&account, &format!("{}/fax", app.url))).await;
    assert_eq!(failed(&report), ["reachable"]);
    assert!(report.results[0].seen.contains("the certificate is not trusted"), "{}", report.results[0].seen);
}

#[tokio::test]
async fn an_app_that_goes_down_is_not_judged_any_further() {
    let (emulator, account) = started().await;
    let (sid, token) = (account.sid().to_string(), account.auth_token());
    let app = CheckedApp::start_for(&sid, &token, &[], 6).await;
    let report = checked(&emulator, options(&account, &app.fax_url())).await;
    let failed = failed(&report);
    let [down] = &failed[..] else { panic!("exactly one check fails: {failed:?}") };
    let down = report.results.iter().find(|result| result.check.id == *down).expect("the check");
    assert!(down.seen.contains("it went down during this check, or one beside it"), "{}", down.seen);
    assert_eq!(verdict(&report, "twiml"), Verdict::Pass);
    let gone = report.results.iter().filter(|result| result.seen.contains("can't be reached any more"));
    assert!(gone.count() > 5, "{:#}", report.json());
}

pub(crate) async fn get(emulator: &Emulator, path: &str, account: &Account) -> Value {
    get_any(emulator, &format!("{path}?account={}", account.sid())).await
}

pub(crate) async fn get_any(emulator: &Emulator, target: &str) -> Value {
    let url = format!("{}/_fauxfax/v1{target}", emulator.url());
    let client = fauxfax::io::client::Client::new(&fauxfax::ClientOptions::default()).expect("a client");
    let request = fauxfax::io::client::Request {
        method: fauxfax::model::webhook::Method::Get,
        url: &url,
        body: None,
        cookies: &[],
        limits: fauxfax::io::client::Limits::default(),
        redirects_max: 0,
        body_max_bytes: u64::MAX,
        user_agent: "test",
        headers: &|_| Vec::new(),
        edits: None,
        here: None,
    };
    let answer = client.exchange(request).await.answer.expect("a response");
    serde_json::from_slice(&answer.body).expect("JSON")
}

/// Returns the account's state, without what can't be put back: the time, and how often the account was restored.
async fn state(emulator: &Emulator, account: &Account) -> Value {
    let mut state = get(emulator, "/state", account).await;
    let world = state["world"].as_object_mut().expect("a world");
    world.retain(|name, _| !["taken", "ways_back"].contains(&name.as_str()));
    state
}

#[tokio::test]
async fn a_running_emulator_is_as_it_was_after_the_run_even_if_it_was_interrupted() {
    let (emulator, account) = started().await;
    let number = account.number(NUMBER).expect("a number");
    // Another app would delete the fax that is received before the run, and the state would differ for that reason.
    let faults = [Fault::DeletesNothing];
    let app = CheckedApp::start(&account.sid().to_string(), &account.auth_token(), &faults).await;
    let number = number.fax_url(&app.fax_url()).expect("changed");
    account.receive(Document::pages(1)).await.expect("a fax");
    number.fax_url("http://localhost:9/own").expect("changed");
    account.rules().to("+1555*").always(fauxfax::rules::Outcome::Busy).expect("added");
    let before = state(&emulator, &account).await;
    for interrupted in [false, true] {
        let begun = Notify::new();
        let progress = |progress: Progress<'_>| {
            if interrupted && progress.done == 3 {
                begun.notify_one();
            }
        };
        let mut options = options(&account, &app.fax_url());
        // How long the run waits for the app to delete a fax, which this app never does.
        options.limits.work = Duration::from_secs(3);
        let report = check::run(endpoint(&emulator), options, &progress, begun.notified()).await.expect("it runs");
        assert_eq!(report.interrupted, interrupted);
        let is_cut = report.results.iter().any(|result| result.seen == "the run was interrupted");
        assert_eq!((is_cut, failed(&report)), (interrupted, Vec::new()), "{:#}", report.json());
        assert!(report.notes[0].contains("is as it was before the run"), "{:?}", report.notes);
        assert_eq!(state(&emulator, &account).await, before);
        assert_eq!(get(&emulator, "/clock", &account).await["mode"], "running");
        assert_eq!(get(&emulator, "/snapshots", &account).await, json!({ "snapshots": [] }));
    }
}

#[tokio::test]
async fn an_account_that_only_the_run_needs_is_removed_afterwards() {
    let (emulator, _) = started().await;
    let sid = format!("AC{}", "7".repeat(32));
    let app = CheckedApp::start(&sid, "secret", &[]).await;
    let selection = Selection { quick: true, profiles: vec![Profile::Inbound], ..Selection::default() };
    let options = Options {
        account: Some(sid.clone()),
        auth_token: Some("secret".to_owned()),
        probe: Some(format!("{}/inbox", app.origin)),
        ..Options::new(&app.fax_url(), selection.checks().expect("checks"))
    };
    let report = checked(&emulator, options).await;
    assert_eq!(report.summary().pass, report.results.len(), "{:#}", report.json());
    assert_eq!(emulator.account_as(setup(&sid)).map(|account| account.sid().to_string()).ok(), Some(sid));
}

pub(crate) fn setup(sid: &str) -> AccountSetup {
    AccountSetup { sid: Some(sid.parse().expect("a SID")), ..AccountSetup::default() }
}

#[tokio::test]
async fn a_run_that_can_not_begin_changes_nothing_and_says_what_to_do() {
    let (emulator, account) = started().await;
    let before = state(&emulator, &account).await;
    let local = "http://127.0.0.1:9/fax";
    let other = Some("other".to_owned());
    let cases = [
        (options(&account, "localhost:3000"), "write it like http://localhost:3000/fax"),
        (options(&account, "http://203.0.113.7/fax"), "is at the public address 203.0.113.7"),
        (options(&account, "http://169.254.169.254/latest"), "--i-own-this-host"),
        (Options { probe: Some("http://8.8.8.8/".to_owned()), ..options(&account, local) }, "8.8.8.8"),
        (Options { auth_token: other, ..options(&account, local) }, "has another token in this emulator"),
    ];
    for (options, told) in cases {
        let error = check::run(endpoint(&emulator), options, &|_| (), std::future::pending()).await;
        let error = error.expect_err(told).to_string();
        assert!(error.contains(told), "{error}");
    }
    account.clock().freeze();
    let document = format!("{}/_fauxfax/v1/samples/one-page.pdf", emulator.url());
    account.send("+15558675310", &document).queue().expect("queued");
    let busy = check::run(endpoint(&emulator), options(&account, local), &|_| (), std::future::pending()).await;
    assert!(matches!(busy, Err(RunError::Busy { pending: 1, .. })), "{busy:?}");
    account.reset().expect("reset");
    account.number(NUMBER).expect("a number");
    account.clock().run();
    assert_eq!(before["world"]["rules"], state(&emulator, &account).await["world"]["rules"]);
}

#[tokio::test]
async fn a_page_of_the_app_shows_effects_that_can_not_be_seen_otherwise() {
    let (emulator, account) = started().await;
    let (sid, token) = (account.sid().to_string(), account.auth_token());
    let app = CheckedApp::start(&sid, &token, &[Fault::ActsTwice]).await;
    let probe = Some(format!("{}/records", app.origin));
    let report = checked(&emulator, Options { probe, ..options(&account, &app.fax_url()) }).await;
    assert_eq!(verdict(&report, "replayed"), Verdict::Warn);
    assert_eq!(verdict(&report, "signature-wrong"), Verdict::Pass);
    let gone = Some(format!("{}/nothing", app.origin));
    let report = checked(&emulator, Options { probe: gone, ..options(&account, &app.fax_url()) }).await;
    let wrong = report.results.iter().find(|result| result.check.id == "signature-wrong").expect("the check");
    assert!(wrong.seen.contains("the page of --probe can't be compared: 404"), "{}", wrong.seen);
}

#[tokio::test]
async fn a_page_that_changes_by_itself_is_not_compared() {
    let (emulator, account) = started().await;
    let app = CheckedApp::start(&account.sid().to_string(), &account.auth_token(), &[]).await;
    let probe = Some(format!("{}/visits", app.origin));
    let mut options = Options { probe, ..options(&account, &app.fax_url()) };
    options.limits.work = Duration::from_millis(500);
    options.checks.retain(|check| check.code.starts_with('S'));
    let report = checked(&emulator, options).await;
    assert_eq!(failed(&report), Vec::<&str>::new());
    assert_eq!(verdict(&report, "signature-wrong"), Verdict::Pass);
    assert_eq!(verdict(&report, "replayed"), Verdict::Pass, "the app's requests show that it acted once");
}

#[tokio::test]
async fn if_the_emulator_stops_the_run_ends_and_says_so() {
    let (emulator, account) = started().await;
    let app = CheckedApp::start(&account.sid().to_string(), &account.auth_token(), &[]).await;
    let (endpoint, options) = (endpoint(&emulator), options(&account, &app.fax_url()));
    let running = Mutex::new(Some(emulator));
    let stop = |progress: Progress<'_>| {
        if progress.done == 8 {
            drop(running.lock().expect("not poisoned").take());
        }
    };
    let report = check::run(endpoint, options, &stop, std::future::pending()).await.expect("it runs");
    assert!(report.notes[0].contains("could not be put back"), "{:?}", report.notes);
    assert!(report.notes[0].contains("fauxfax reset --snapshot fauxfax-check --account"), "{:?}", report.notes);
    assert_eq!(failed(&report), Vec::<&str>::new());
    assert_eq!(verdict(&report, "query-string"), Verdict::NotJudged);
}

#[tokio::test]
async fn a_run_that_takes_too_long_ends_without_judging_the_rest() {
    let (emulator, account) = started().await;
    let app = CheckedApp::start(&account.sid().to_string(), &account.auth_token(), &[]).await;
    let mut options = options(&account, &app.fax_url());
    options.limits.run = Duration::ZERO;
    let report = checked(&emulator, options).await;
    assert_eq!(report.summary().not_judged, report.results.len());
    assert_eq!(report.results[0].seen, "the run had already taken 0 s");
}

#[tokio::test]
async fn an_app_for_signalwire_is_checked_in_the_same_way() {
    let (emulator, _) = started().await;
    let sid = "831455c6-574e-4d8b-b6ee-2418140bf4cd";
    let account = emulator.account_as(setup(sid)).expect("an account");
    account.number(NUMBER).expect("a number");
    let token = account.auth_token();
    for (faults, expected) in [
        (&[][..], &[][..]),
        (&[Fault::TrustsNotices], &["signature-wrong", "signature-missing", "parameter-changed", "other-token"]),
    ] {
        let app = CheckedApp::start(sid, &token, faults).await;
        let report = checked(&emulator, options(&account, &app.fax_url())).await;
        assert_eq!(failed(&report), expected, "{:#}", report.json());
        assert_eq!(verdict(&report, "replayed"), Verdict::Pass);
    }
}

#[tokio::test]
async fn the_limit_of_requests_is_kept() {
    let (emulator, account) = started().await;
    let app = CheckedApp::start(&account.sid().to_string(), &account.auth_token(), &[]).await;
    let mut options = options(&account, &app.fax_url());
    options.limits.requests = 10;
    let report = checked(&emulator, options).await;
    assert!(report.requests <= 10, "{}", report.requests);
    assert!(report.results.iter().any(|result| result.seen == "the run has made its 10 requests to the app"));
}

#[tokio::test]
async fn the_command_that_makes_the_app_send_is_run_and_its_failure_is_shown() {
    let (emulator, account) = started().await;
    let (sid, token) = (account.sid().to_string(), account.auth_token());
    let app = CheckedApp::start(&sid, &token, &[]).await;
    let call = format!(
        "'{FAUXFAX}' send --url {} --account {sid} --from {NUMBER} --to +15558675310 --status-callback {}/status \
         {}/_fauxfax/v1/samples/one-page.pdf",
        emulator.url(),
        app.origin,
        emulator.url()
    );
    let only = |send: &str| Options {
        send: Some(send.to_owned()),
        checks: vec![list::find("S2").expect("a check")],
        profiles: vec![Profile::Outbound],
        limits: Limits { send: Duration::from_secs(20), ..Limits::default() },
        ..options(&account, &app.fax_url())
    };
    // `send` waits until the document has been fetched, for which the frozen clock need not move.
    let report = checked(&emulator, only(&format!("{call} & sleep 0"))).await;
    assert_eq!(report.results[0].verdict, Verdict::Pass, "{}", report.results[0].seen);
    assert!(report.results[0].seen.contains("status-callback: 403"), "{}", report.results[0].seen);
    let report = checked(&emulator, only("echo 'no such fax'; exit 7")).await;
    let seen = &report.results[0].seen;
    assert!(seen.contains("the command of --send failed (exit status: 7): no such fax"), "{seen}");
}

#[tokio::test]
async fn json_and_junit_have_what_a_program_needs() {
    let (emulator, account) = started().await;
    let (sid, token) = (account.sid().to_string(), account.auth_token());
    let app = CheckedApp::start(&sid, &token, &[Fault::GivesHtml]).await;
    let report = checked(&emulator, options(&account, &app.fax_url())).await;
    let json = report.json();
    assert_eq!(json["summary"]["fail"], 1);
    let twiml = json["checks"].as_array().expect("a list").iter().find(|check| check["id"] == "twiml").expect("it");
    for field in ["id", "code", "severity", "verdict", "title", "seen", "why", "fix", "source"] {
        assert!(twiml[field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {twiml:#}");
    }
    assert_eq!((&twiml["verdict"], &twiml["severity"]), (&json!("fail"), &json!("must")));
    assert!(twiml["request"]["curl"].as_str().is_some_and(|curl| curl.starts_with("curl -X POST 'http://127.0.0.1:")));
    assert_eq!(twiml["response"]["status"], 200);
    let body = twiml["response"]["body"].as_str().expect("text");
    assert!(body.contains("Welcome\u{fffd}[2J"), "control characters from the app are replaced: {body}");
    assert!(!json.to_string().contains(&token), "the token is a secret");

    let junit = check::junit(&report);
    let document = roxmltree::Document::parse(&junit).expect("XML");
    let suite = document.root_element().first_element_child().expect("a suite");
    assert_eq!(suite.attribute("tests"), Some(report.results.len().to_string().as_str()));
    let case = |name: &str| suite.children().find(|case| case.attribute("name") == Some(name)).expect("a case");
    let child = |name: &str| case(name).first_element_child().map(|child| child.tag_name().name().to_owned());
    assert_eq!(child("twiml").as_deref(), Some("failure"));
    assert_eq!(child("action-reachable").as_deref(), Some("skipped"));
    assert_eq!(child("reachable"), None);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a developer asks for the page to be rewritten")]
fn the_page_about_checks_is_generated_from_the_list() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/check.md");
    if std::env::var_os("FAUXFAX_WRITE_DOCS").is_some() {
        std::fs::write(path, list::page()).expect("written");
    }
    let page = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        page == list::page(),
        "docs/check.md differs from the list of checks; rewrite it with FAUXFAX_WRITE_DOCS=1"
    );
    for check in list::all() {
        assert!(check.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", check.id);
        assert!(!check.title.ends_with('.') && check.why.ends_with('.') && check.fix.ends_with('.'), "{}", check.id);
        assert_eq!(list::find(&check.code.to_lowercase()).map(|found| found.id), Ok(check.id));
    }
}

/// Runs `fauxfax check` with `home` as its home and working folder.
#[expect(clippy::disallowed_methods, reason = "waiting for a program must not block the app")]
async fn command(home: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(FAUXFAX);
    command.arg("check").args(arguments).current_dir(home).env("HOME", home);
    for name in ["FAUXFAX_URL", "FAUXFAX_ACCOUNT", "FAUXFAX_CONTROL_TOKEN", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"] {
        command.env_remove(name);
    }
    tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.expect("it ends")
}

fn told(output: &Output) -> String {
    [output.stdout.as_slice(), &output.stderr].map(String::from_utf8_lossy).concat()
}

#[tokio::test]
async fn the_exit_status_is_0_if_nothing_fails_1_if_a_check_fails_2_for_wrong_usage_and_3_without_an_emulator() {
    let home = tempfile::tempdir().expect("a folder");
    let (sid, token) = (format!("AC{}", "5".repeat(32)), "t0ken");
    let careful = CheckedApp::start(&sid, token, &[]).await;
    let careless = CheckedApp::start(&sid, token, &[Fault::VerifiesNothing]).await;
    let own = ["--listen", "127.0.0.1:0", "--account", &sid, "--auth-token", token, "--quick"];
    let page = format!("{}/inbox", careful.origin);
    let (careful, careless) = (careful.fax_url(), careless.fax_url());
    let cases: [(&[&str], i32, &str); 8] = [
        (&[&careful, "--profile", "inbound", "--probe", &page], 0, "0 failed, 0 with a warning, 0 not judged"),
        (&[&careless, "--only", "S2,reachable", "--junit", "junit.xml"], 1, "curl -X POST"),
        (&[&careful, "--only", "signature-mising"], 2, "did you mean signature-missing?"),
        (&[&careful, "--skip", "xyz"], 2, "there is no check \"xyz\"; fauxfax check --list lists them"),
        (&["localhost:3000/fax"], 2, "write it like http://localhost:3000/fax"),
        (&["http://203.0.113.7/fax"], 1, "--i-own-this-host"),
        (&[&careful, "--only", "S12"], 2, "this selection leaves no checks to run"),
        (&["--list"], 0, "Who is calling\n  S1  signature-wrong"),
    ];
    for (arguments, code, expected) in cases {
        let output = command(home.path(), &[&own[..], arguments].concat()).await;
        let told = told(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
        assert!(told.contains(expected), "{arguments:?}: {told}");
    }
    let junit = std::fs::read_to_string(home.path().join("junit.xml")).expect("written");
    assert!(junit.contains("failures=\"1\""), "{junit}");
    let output = command(home.path(), &[&careful, "--url", "127.0.0.1:9"]).await;
    assert_eq!(output.status.code(), Some(3), "{}", told(&output));
    let output = command(home.path(), &["--explain", "s2"]).await;
    assert!(told(&output).starts_with("signature-missing (S2, must): "), "{}", told(&output));
    assert_eq!(command(home.path(), &[]).await.status.code(), Some(2));
}

#[tokio::test]
async fn the_command_uses_a_running_emulator_and_says_what_it_could_not_put_back() {
    let (emulator, account) = started().await;
    let app = CheckedApp::start(&account.sid().to_string(), &account.auth_token(), &[]).await;
    let home = tempfile::tempdir().expect("a folder");
    let (url, sid, fax_url) = (emulator.url(), account.sid().to_string(), app.fax_url());
    let output = command(home.path(), &[&fax_url, "--url", &url, "--account", &sid, "--quick", "--json"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let json: Value = serde_json::from_slice(&output.stdout).expect("only JSON on standard output");
    assert_eq!(json["summary"]["fail"], 0);
    assert!(String::from_utf8_lossy(&output.stderr).contains("which can't be turned back"), "{}", told(&output));
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn after_ctrl_c_the_command_puts_everything_back() {
    use std::process::Stdio;

    use crate::process::{Running, eventually};

    let (emulator, account) = started().await;
    let app = apps::app(Manner::Hang).await;
    let home = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(FAUXFAX);
    command.args(["check", &format!("{}/fax", app.url), "--url", &emulator.url(), "--account"]);
    command.arg(account.sid().to_string()).current_dir(home.path()).env("HOME", home.path());
    let mut running = Running::start(command.stdout(Stdio::null()).stderr(Stdio::null()));
    // Once the clock is frozen, the snapshot has been taken, and the first request to the app hangs.
    let (clock, mut last) = (account.clock(), None);
    let is_frozen = || {
        let now = clock.now();
        (last.replace(now) == Some(now)).then_some(())
    };
    eventually(is_frozen, "the clock is not frozen");
    running.signal("INT");
    assert_eq!(running.ended().code(), Some(1));
    assert_eq!(get(&emulator, "/clock", &account).await["mode"], "running");
    assert_eq!(get(&emulator, "/snapshots", &account).await, json!({ "snapshots": [] }));
}
