//! Tests a tester's view of REST requests: those journaled with the engine's events, and unassigned ones, which no
//! journal contains.

use axum::body::Body;
use axum::http::{Request, header};
use fauxfax::engine::event::EventKind;
use fauxfax::http;
use fauxfax::io::client::ClientOptions;
use fauxfax::model::account::AccountMode;
use fauxfax::model::time::Pace;
use futures_util::StreamExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::driving::{asked, host};
use crate::host::{Host, PATIENCE, TOKEN, account, settings, setup};

const CONTROL: &str = "/_fauxfax/v1";

async fn control(host: &Host, method: &str, target: &str) -> Value {
    let (status, _, text) = asked(host, method, &format!("{CONTROL}{target}"), &[("host", "localhost")]).await;
    assert!(status.is_success(), "{method} {target}: {status} {text}");
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

fn kinds(page: &Value) -> Vec<(u64, &str)> {
    let events = page["events"].as_array().expect("a list").iter();
    events.map(|each| (each["seq"].as_u64().expect("a number"), each["kind"].as_str().expect("a kind"))).collect()
}

/// Reads this many events from a stream that starts after this event, and returns their numbers.
async fn streamed(host: &Host, last_event_id: u64, count: usize) -> Vec<u64> {
    let request = Request::get(format!("{CONTROL}/events")).header(header::HOST, "localhost");
    let request = request.header(header::ACCEPT, "text/event-stream").header("last-event-id", last_event_id);
    let service = http::service(host.registry.clone(), ([127, 0, 0, 1], 8329).into());
    let response = service.oneshot(request.body(Body::empty()).expect("a request")).await.expect("an answer");
    let (mut stream, mut ids) = (response.into_body().into_data_stream(), Vec::new());
    while ids.len() < count {
        let piece = tokio::time::timeout(PATIENCE, stream.next()).await.expect("in time").expect("more").expect("read");
        let text = String::from_utf8(piece.to_vec()).expect("text");
        ids.extend(text.lines().filter_map(|line| line.strip_prefix("id: ")?.parse::<u64>().ok()));
    }
    ids
}

#[tokio::test]
async fn requests_and_events_share_one_numbering_on_every_page_and_stream() {
    let host = host(|_| ());
    let world = host.world();
    for round in 0..4 {
        host.call("GET", "/v1/Faxes", "").await;
        world.note(None, EventKind::CallNotAnswered);
        if round == 1 {
            control(&host, "POST", "/reset").await;
        }
    }
    let (asked, event) = ("api.request", "call.not-answered");
    let all = control(&host, "GET", "/events?all=true").await;
    let expected = [
        (1, asked),
        (2, event),
        (3, asked),
        (4, event),
        (5, "world.reset"),
        (6, asked),
        (7, event),
        (8, asked),
        (9, event),
    ];
    assert_eq!(kinds(&all), expected);
    assert_eq!((&all["last_seq"], &all["evicted"], &all["missed"]), (&json!(9), &json!(0), &json!(0)));
    assert_eq!(kinds(&control(&host, "GET", "/events").await), expected[4..], "from the last reset on");
    assert_eq!(kinds(&control(&host, "GET", "/events?since=6&limit=2").await), expected[6..8]);
    assert_eq!(
        kinds(&control(&host, "GET", "/events?since=2&kind=api.request").await),
        [(3, asked), (6, asked), (8, asked)]
    );
    assert_eq!(streamed(&host, 2, 7).await, [3, 4, 5, 6, 7, 8, 9]);
    let ((), ids) = tokio::join!(
        async {
            host.call("GET", "/v1/Faxes", "").await;
            world.note(None, EventKind::CallNotAnswered);
        },
        streamed(&host, 9, 2)
    );
    assert_eq!(ids, [10, 11], "a stream is woken by requests and by events");
    let verdict =
        json!({ "match": { "kind": "api.request", "data": { "path": "/v1/Faxes", "status": 200 } }, "times": 3 });
    let request = Request::post(format!("{CONTROL}/verify")).header(header::HOST, "localhost");
    let service = http::service(host.registry.clone(), ([127, 0, 0, 1], 8329).into());
    let response = service.oneshot(request.body(Body::from(verdict.to_string())).expect("a request")).await;
    let body = axum::body::to_bytes(response.expect("an answer").into_body(), usize::MAX).await.expect("a body");
    let verdict: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!((&verdict["verified"], &verdict["found"]), (&json!(true), &json!(3)), "{verdict}");
}

#[tokio::test]
async fn an_unassigned_request_is_listed_with_the_reason_and_without_its_secrets() {
    let mut settings = settings(Pace::Max);
    settings.options.accounts = AccountMode::Strict;
    let host = Host::with(settings, &ClientOptions::default(), setup("http://127.0.0.1:9/fax"));
    let (own, other) = (account().to_string(), "AC0123456789abcdef0123456789abcdef");
    let numbers = |account: &str| format!("/2010-04-01/Accounts/{account}/IncomingPhoneNumbers.json");
    host.call_as((other, "t"), "GET", "/v1/Faxes?AuthToken=s3cret", "").await;
    host.call_as((&own, "wrong"), "POST", "/v1/Faxes", "").await;
    host.call_as((&own, TOKEN), "GET", &numbers(other), "").await;
    host.call("GET", "/v1/Fax", "").await;
    host.call("GET", "/", "").await;
    host.call("PUT", &numbers(&own), "").await;
    asked(&host, "GET", "/v1/Faxes", &[("host", "localhost")]).await;
    asked(&host, "GET", "/v1/Faxes", &[("host", "rebound.example")]).await;
    asked(
        &host,
        "GET",
        &format!("/fax/{other}/FX{0}/ME{0}?X-Amz-Signature=s3cret", "0".repeat(32)),
        &[("host", "localhost")],
    )
    .await;
    let traffic = control(&host, "GET", "/traffic").await;
    let told: Vec<_> = traffic["requests"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|each| {
            let word = |name: &str| each[name].as_str().unwrap_or("-").to_owned();
            (
                word("reason"),
                word("method"),
                each["status"].as_u64().expect("a status"),
                each["code"].as_u64(),
                word("account_sid"),
            )
        })
        .collect();
    let line = |reason: &str, method: &str, status, code, account: &str| {
        (reason.to_owned(), method.to_owned(), status, code, account.to_owned())
    };
    assert_eq!(
        told,
        [
            line("unknown-account", "GET", 401, Some(20003), other),
            line("wrong-credential", "POST", 401, Some(20003), &own),
            line("other-account", "GET", 401, Some(20003), other),
            line("unknown-path", "GET", 404, Some(20404), "-"),
            line("unknown-path", "GET", 404, Some(20404), "-"),
            line("wrong-method", "PUT", 405, Some(20004), &own),
            line("no-credential", "GET", 401, Some(20003), "-"),
            line("not-allowed", "GET", 421, Some(20006), "-"),
            line("unknown-account", "GET", 404, None, other),
        ]
    );
    assert_eq!(traffic["requests"][2]["path"], numbers(other), "the path is listed as requested");
    assert!(!traffic.to_string().contains("s3cret"), "{traffic}");
    assert_eq!((&traffic["last_seq"], &traffic["evicted"], &traffic["missed"]), (&json!(9), &json!(0), &json!(0)));
    let rest = control(&host, "GET", "/traffic?since=5&limit=2").await;
    assert_eq!((&rest["requests"][0]["seq"], rest["requests"].as_array().map(Vec::len)), (&json!(6), Some(2)));
    assert_eq!(host.world().read_journal(|journal| journal.last_seq()), 0, "no world's journal has any of them");
}

#[tokio::test]
async fn a_read_of_an_account_that_nobody_has_used_is_an_unassigned_request() {
    let host = host(|_| ());
    let other = "AC0123456789abcdef0123456789abcdef";
    assert_eq!(host.call_as((other, "t"), "GET", "/v1/Faxes?PageSize=2", "").await.status, 200);
    let traffic = control(&host, "GET", "/traffic").await;
    let noted = &traffic["requests"][0];
    assert_eq!((&noted["reason"], &noted["account_sid"]), (&json!("account-not-created"), &json!(other)), "{traffic}");
    assert_eq!(
        (&noted["status"], &noted["code"], &noted["path"]),
        (&json!(200), &json!(null), &json!("/v1/Faxes?PageSize=2"))
    );
    host.call_as((other, "t"), "POST", "/v1/Faxes", "").await;
    host.call_as((other, "t"), "GET", "/v1/Faxes", "").await;
    assert_eq!(control(&host, "GET", "/traffic").await["last_seq"], 1, "only the world's journal has these");
    assert_eq!(control(&host, "GET", &format!("/events?account={other}")).await["last_seq"], 2);
}

#[tokio::test]
async fn unassigned_requests_are_guarded_like_the_control_api() {
    let host = host(|guard| guard.control_token = Some("t".into()));
    let target = format!("{CONTROL}/traffic");
    assert_eq!(asked(&host, "GET", &target, &[("host", "localhost")]).await.0, 401);
    assert_eq!(
        asked(&host, "GET", &target, &[("host", "rebound.example"), ("authorization", "Bearer t")]).await.0,
        421
    );
    let (status, _, text) = asked(&host, "GET", &target, &[("host", "localhost"), ("authorization", "Bearer t")]).await;
    assert_eq!(status, 200);
    let page: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(page["last_seq"], 0, "requests to the control API are not listed: {page}");
}
