//! Tests the checks of an app as the control API and the library offer them.

use std::time::Duration;

use fauxfax::{Account, Emulator, Error, Profile, Verdict};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::apps::{self, Manner};
use crate::check::{get, started};
use crate::checked_app::{CheckedApp, Fault};

/// The interval at which a test looks at a run that is under way.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

async fn connect(emulator: &Emulator) -> TcpStream {
    TcpStream::connect(emulator.url().trim_start_matches("http://")).await.expect("a connection")
}

fn request(method: &str, account: &Account, host: &str, body: &Value) -> String {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    format!(
        "{method} /_fauxfax/v1/check?account={} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        account.sid(),
        body.len()
    )
}

/// Makes a call about the account's checks, and returns the response's status and JSON.
pub(crate) async fn call(emulator: &Emulator, method: &str, account: &Account, body: Value) -> (u16, Value) {
    call_at(emulator, "localhost", method, account, body).await
}

async fn call_at(emulator: &Emulator, host: &str, method: &str, account: &Account, body: Value) -> (u16, Value) {
    let mut stream = connect(emulator).await;
    stream.write_all(request(method, account, host, &body).as_bytes()).await.expect("written");
    let mut response = String::new();
    stream.read_to_string(&mut response).await.expect("a response");
    let status = response.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    let (_, body) = response.split_once("\r\n\r\n").expect("a body");
    (status, serde_json::from_str(body).unwrap_or_default())
}

async fn app(account: &Account, faults: &[Fault]) -> CheckedApp {
    CheckedApp::start(&account.sid().to_string(), &account.auth_token(), faults).await
}

/// Waits until the account's run is in this state, and returns it.
async fn run_in_state(emulator: &Emulator, account: &Account, state: &str) -> Value {
    let mut looks = tokio::time::interval(LOOK_INTERVAL);
    loop {
        looks.tick().await;
        let run = get(emulator, "/check", account).await;
        if run["state"] == state {
            return run;
        }
    }
}

#[tokio::test]
async fn a_run_over_http_responds_with_the_report_which_is_kept() {
    let (emulator, account) = started().await;
    assert_eq!(get(&emulator, "/check", &account).await["state"], "none");
    let app = app(&account, &[Fault::AllowsMissing]).await;
    let order = json!({ "url": app.fax_url(), "only": ["S1", "signature-missing"] });
    let (status, report) = call(&emulator, "POST", &account, order).await;
    assert_eq!((status, &report["summary"]), (200, &json!({ "pass": 1, "fail": 1, "warn": 0, "not_judged": 0 })));
    let failed = &report["checks"][1];
    assert_eq!((&failed["id"], &failed["verdict"]), (&json!("signature-missing"), &json!("fail")));
    assert!(failed["request"]["curl"].as_str().is_some_and(|curl| curl.starts_with("curl ")), "{failed:#}");

    let kept = get(&emulator, "/check", &account).await;
    assert_eq!((&kept["state"], &kept["done"], &kept["total"]), (&json!("ended"), &json!(2), &json!(2)));
    assert_eq!(kept["report"], report);
    assert_eq!(get(&emulator, "/clock", &account).await["mode"], "running");
}

#[tokio::test]
async fn a_run_that_nobody_waits_for_can_be_watched_and_ended_early() {
    let (emulator, account) = started().await;
    let app = apps::app(Manner::Hang).await;
    let order = json!({ "url": format!("{}/fax", app.url), "wait": false });
    let (status, run) = call(&emulator, "POST", &account, order.clone()).await;
    assert_eq!((status, &run["state"], &run["report"]), (202, &json!("running"), &Value::Null));
    assert!(run["total"].as_u64().is_some_and(|total| total > 40), "{run}");
    let (status, problem) = call(&emulator, "POST", &account, order).await;
    assert_eq!((status, &problem["type"]), (409, &json!("urn:fauxfax:problem:check-running")));

    assert_eq!(call(&emulator, "DELETE", &account, Value::Null).await.0, 204);
    let ended = get(&emulator, "/check", &account).await;
    assert_eq!((&ended["state"], &ended["report"]["interrupted"]), (&json!("ended"), &json!(true)));
    assert_eq!(get(&emulator, "/clock", &account).await["mode"], "running");
    assert_eq!(call(&emulator, "DELETE", &account, Value::Null).await.0, 204, "there is nothing left to end");
}

#[tokio::test]
async fn a_run_goes_on_and_puts_everything_back_if_its_client_goes_away() {
    let (emulator, account) = started().await;
    let app = app(&account, &[]).await;
    let mut stream = connect(&emulator).await;
    let order = json!({ "url": app.fax_url(), "only": ["twiml"] });
    stream.write_all(request("POST", &account, "localhost", &order).as_bytes()).await.expect("written");
    drop(run_in_state(&emulator, &account, "running").await);
    drop(stream);
    let run = run_in_state(&emulator, &account, "ended").await;
    assert_eq!(run["report"]["summary"]["pass"], 1, "{run:#}");
    assert_eq!(get(&emulator, "/snapshots", &account).await, json!({ "snapshots": [] }));
}

#[tokio::test]
async fn an_invalid_request_for_a_run_is_refused_and_the_error_says_what_is_wrong() {
    let (emulator, account) = started().await;
    let url = "http://127.0.0.1:9/fax";
    for (order, status, expected) in [
        (json!({}), 422, "url"),
        (json!({ "url": "localhost:3000" }), 422, "write it like http://localhost:3000/fax"),
        (json!({ "url": "http://203.0.113.7/fax" }), 422, "is at the public address 203.0.113.7"),
        (json!({ "url": url, "only": ["signature-mising"] }), 422, "did you mean signature-missing?"),
        (json!({ "url": url, "only": ["S1"], "skip": ["S1"] }), 422, "this selection leaves no checks to run"),
        (json!({ "url": url, "profile": "both" }), 422, "must be inbound, outbound or all, not \"both\""),
        (json!({ "url": url, "patience": -1 }), 422, "must be seconds from 0 to 60, not -1"),
        (json!({ "url": url, "send": "curl localhost" }), 422, "send"),
        (json!({ "url": url, "auth_token": "other" }), 409, "has another token in this emulator"),
    ] {
        let (actual, problem) = call(&emulator, "POST", &account, order.clone()).await;
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert_eq!(actual, status, "{order}: {detail}");
        assert!(detail.contains(expected), "{order}: {detail}");
    }
}

#[tokio::test]
async fn links_given_to_apps_have_the_host_that_the_run_was_requested_at() {
    let (emulator, account) = started().await;
    let app = app(&account, &[]).await;
    // Nothing listens at `localhost:9`, so the run must call the emulator at another address than the one it tells the
    // app.
    let order = json!({ "url": app.fax_url(), "only": ["action-reachable"] });
    let (status, report) = call_at(&emulator, "localhost:9", "POST", &account, order).await;
    assert_eq!((status, &report["summary"]["pass"]), (200, &json!(1)), "{report:#}");
    let traffic = get(&emulator, "/traffic", &account).await;
    assert!(traffic.to_string().contains("http://localhost:9/"), "{traffic:#}");
}

#[tokio::test]
async fn a_test_in_rust_gets_a_report_whose_text_says_what_to_change() {
    let (_emulator, account) = started().await;
    let app = app(&account, &[Fault::AllowsMissing, Fault::GivesHtml]).await;
    let report = account.check(&app.fax_url()).profile(Profile::Inbound).quick().skip(&["no-leak"]).await;
    let report = report.expect("it runs");
    let failed: Vec<&str> = report.failures().map(|result| result.check.id).collect();
    assert_eq!(failed, ["twiml"]);
    let text = report.to_string();
    for part in ["fail twiml: ", "Seen: ", "Why:  ", "Fix:  ", "curl -X POST"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let missing = report.results.iter().find(|result| result.check.id == "signature-missing").expect("the check");
    assert_eq!(missing.verdict, Verdict::NotJudged);

    let unknown = account.check(&app.fax_url()).only(&["S99"]).await.expect_err("no such check");
    assert!(matches!(unknown, Error::Check(_)), "{unknown}");
    assert!(unknown.to_string().contains("there is no check \"S99\""), "{unknown}");
}
