//! Tests the control API without a socket: makes each call, checks the response against the OpenAPI document, and tests
//! what the calls do.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream, to_bytes};
use axum::http::{Request, Response, header};
use fauxfax::dialect::matching::Pattern;
use fauxfax::emulator::{AccountSetup, Registry};
use fauxfax::engine::event::EventKind;
use fauxfax::http;
use fauxfax::http::control::{BASE, openapi};
use fauxfax::io::client::ClientOptions;
use fauxfax::model::sid::AccountSid;
use fauxfax::model::time::Pace;
use fauxfax::world::journal::ApiRequest;
use futures_util::StreamExt;
use serde_json::{Value, json};
use tower::ServiceExt;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::described;
use crate::host::{Host, settings};

/// The time after which a test gives up waiting for events, far longer than a conversation at the maximum pace takes.
const PATIENCE: Duration = Duration::from_secs(20);
const RECEIVE: &str = "<Response><Receive action=\"/received\"/></Response>";

/// An emulator whose control API the tests call, and an app that accepts its faxes.
pub(crate) struct Bench {
    pub(crate) registry: Registry,
    app: MockServer,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        Self::at(Pace::Max).await
    }

    pub(crate) async fn at(pace: Pace) -> Self {
        let setup = AccountSetup {
            sid: Some(AccountSid::from_bytes([7; 16])),
            auth_token: Some("secret".into()),
            ..AccountSetup::default()
        };
        let Host { registry } = Host::with(settings(pace), &ClientOptions::default(), setup);
        Self::of(registry).await
    }

    /// Creates a bench for an existing emulator.
    pub(crate) async fn of(registry: Registry) -> Self {
        let app = MockServer::start().await;
        let twiml = ResponseTemplate::new(200).set_body_raw(RECEIVE, "text/xml");
        Mock::given(path("/fax")).respond_with(twiml).mount(&app).await;
        Mock::given(path("/received")).respond_with(ResponseTemplate::new(204)).mount(&app).await;
        Self { registry, app }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Response<Body> {
        let ca: http::CaFiles = Arc::new(|_| Ok("-----BEGIN CERTIFICATE-----\n".to_owned()));
        let service = http::service_with(
            self.registry.clone(),
            ([127, 0, 0, 1], 8329).into(),
            Some(&ca),
            &http::Checks::default(),
        );
        service.oneshot(request).await.expect("an answer")
    }

    fn request(method: &str, target: &str, body: &Value) -> Request<Body> {
        let request = Request::builder().method(method).uri(format!("{BASE}{target}"));
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        request.header(header::HOST, "localhost:8329").body(body).expect("a request")
    }

    /// Makes a call, checks the response against the OpenAPI document, and returns its status and JSON body.
    pub(crate) async fn call(&self, method: &str, target: &str, body: Value) -> (u16, Value) {
        let response = self.send(Self::request(method, target, &body)).await;
        let status = response.status().as_u16();
        let content_type = response.headers().get(header::CONTENT_TYPE).cloned();
        let content_type = content_type.as_ref().and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        described::hold(&openapi(), method, &format!("{BASE}{target}"), status, &content_type, &bytes);
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    pub(crate) async fn ok(&self, method: &str, target: &str, body: Value) -> Value {
        let (status, answer) = self.call(method, target, body).await;
        assert!(status < 300, "{method} {target}: {status} {answer}");
        answer
    }

    pub(crate) async fn refused(&self, method: &str, target: &str, body: Value) -> (u16, String) {
        let (status, answer) = self.call(method, target, body).await;
        (status, answer["detail"].as_str().unwrap_or_else(|| panic!("not a problem document: {answer}")).to_owned())
    }

    /// Creates an account with one number, whose app accepts faxes.
    pub(crate) async fn account(&self) -> String {
        let number = json!({
            "phone_number": "+15017122661", "voice_receive_mode": "fax", "voice_url": format!("{}/fax", self.app.uri()),
        });
        let account = self.ok("POST", "/accounts", json!({ "numbers": [number] })).await;
        account["sid"].as_str().expect("a SID").to_owned()
    }

    /// Receives a fax and waits until it has ended.
    pub(crate) async fn receive(&self, account: &str) -> Value {
        let conversation = self.ok("POST", &format!("/incoming-faxes?wait=true&account={account}"), json!({})).await;
        assert_eq!(conversation["outcome"], "received", "{conversation}");
        conversation
    }
}

/// Returns the next block of an event stream, or `None` at its end.
async fn block(stream: &mut BodyDataStream) -> Option<String> {
    let chunk = tokio::time::timeout(PATIENCE, stream.next()).await.expect("a block arrives");
    chunk.map(|chunk| String::from_utf8(chunk.expect("no error").to_vec()).expect("text"))
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a list of all calls")]
async fn every_call_responds_as_documented() {
    let bench = Bench::new().await;
    let account = bench.account().await;
    let conversation = bench.receive(&account).await;
    let fax = conversation["fax_sid"].as_str().expect("a SID").to_owned();
    let webhooks = bench.ok("GET", &format!("/webhooks?account={account}&fax={fax}"), Value::Null).await;
    let id = webhooks["webhooks"][0]["id"].as_str().expect("an id").to_owned();
    let state = bench.ok("GET", &format!("/state?account={account}"), Value::Null).await;
    let twiml = json!({ "twiml": "<Response><Receive/></Response>" });
    let bin = bench.ok("POST", &format!("/twiml-bins?account={account}"), twiml.clone()).await["sid"].to_string();
    let bin = bin.trim_matches('"');
    let explained = json!({ "url": "http://app/fax", "params": { "A": "1" }, "signature": "x" });
    let calls = [
        ("GET", "/health".to_owned(), json!(null)),
        ("GET", "/accounts".to_owned(), json!(null)),
        ("GET", format!("/accounts/{account}"), json!(null)),
        ("POST", format!("/accounts/{account}"), json!({ "debugger_url": "http://127.0.0.1:9/" })),
        ("POST", "/console-session".to_owned(), json!(null)),
        ("GET", "/samples".to_owned(), json!(null)),
        ("GET", "/samples/one-page.pdf".to_owned(), json!(null)),
        ("GET", format!("/quickstart?account={account}"), json!(null)),
        ("GET", "/ca.pem".to_owned(), json!(null)),
        ("GET", "/ca-bundle.pem".to_owned(), json!(null)),
        ("POST", format!("/explain-signature?account={account}"), explained),
        ("POST", format!("/incoming-faxes?account={account}"), json!({ "pages": 2 })),
        ("GET", format!("/twiml-bins?account={account}"), json!(null)),
        ("POST", format!("/twiml-bins?account={account}"), twiml),
        ("GET", format!("/twiml-bins/{bin}?account={account}"), json!(null)),
        ("POST", format!("/twiml-bins/{bin}?account={account}"), json!({ "name": "Accept" })),
        ("DELETE", format!("/twiml-bins/{bin}?account={account}"), json!(null)),
        ("GET", format!("/faxes?account={account}&direction=inbound&text=fx&number=1501"), json!(null)),
        ("DELETE", format!("/faxes?account={account}&status=any&q=code:34004"), json!(null)),
        ("GET", format!("/faxes/{fax}?account={account}"), json!(null)),
        ("GET", format!("/faxes/{fax}/document.pdf?account={account}"), json!(null)),
        ("GET", format!("/faxes/{fax}/conversation.json?account={account}"), json!(null)),
        ("GET", format!("/faxes/{fax}/conversation.har?account={account}"), json!(null)),
        ("GET", format!("/faxes/{fax}/conversation.md?account={account}"), json!(null)),
        ("GET", format!("/faxes/{fax}/pages/1.png?account={account}&width=100"), json!(null)),
        ("GET", format!("/faxes/{fax}/pages/1/text?account={account}"), json!(null)),
        ("GET", format!("/events?account={account}&limit=5"), json!(null)),
        ("GET", format!("/events/hash?account={account}"), json!(null)),
        ("GET", format!("/wait?account={account}&for=idle"), json!(null)),
        ("POST", format!("/verify?account={account}"), json!({ "match": { "kind": "fax.page" } })),
        ("GET", format!("/webhooks?account={account}"), json!(null)),
        ("GET", format!("/webhooks/{id}?account={account}"), json!(null)),
        ("POST", format!("/webhooks/{id}/replay?account={account}"), json!({})),
        ("GET", "/traffic?limit=5".to_owned(), json!(null)),
        ("GET", format!("/clock?account={account}"), json!(null)),
        ("PUT", format!("/clock?account={account}"), json!({ "mode": "frozen" })),
        ("POST", format!("/clock/advance?account={account}"), json!({ "seconds": 60 })),
        ("POST", format!("/clock/drain?account={account}"), json!(null)),
        ("POST", format!("/rules?account={account}"), json!({ "outcome": { "status": "busy" } })),
        ("GET", format!("/rules?account={account}"), json!(null)),
        ("POST", format!("/rules/1?account={account}"), json!({ "enabled": false })),
        ("DELETE", format!("/rules/1?account={account}"), json!(null)),
        ("DELETE", format!("/rules?account={account}"), json!(null)),
        ("GET", "/check/list".to_owned(), json!(null)),
        ("POST", format!("/check?account={account}"), json!({ "url": "http://127.0.0.1:9/fax", "wait": false })),
        ("DELETE", format!("/check?account={account}"), json!(null)),
        ("GET", format!("/check?account={account}"), json!(null)),
        ("GET", format!("/state?account={account}&media=hash"), json!(null)),
        ("PUT", format!("/state?account={account}"), state),
        ("PUT", format!("/snapshots/one?account={account}"), json!(null)),
        ("GET", format!("/snapshots?account={account}"), json!(null)),
        ("POST", format!("/snapshots/one?account={account}"), json!(null)),
        ("POST", format!("/reset?account={account}&snapshot=one"), json!(null)),
        ("DELETE", format!("/snapshots/one?account={account}"), json!(null)),
        ("POST", format!("/reset?account={account}"), json!(null)),
        ("POST", "/accounts".to_owned(), json!({ "friendly_name": "another" })),
        ("DELETE", format!("/accounts/{account}"), json!(null)),
    ];
    let driven: Vec<_> = calls.iter().map(|(method, target, _)| format!("{method} {target}")).collect();
    for (method, target, body) in calls {
        bench.ok(method, &target, body).await;
    }
    let missed = described::missed(&openapi(), BASE, &driven);
    assert!(missed.is_empty(), "described, but not called by this test: {missed:?}");
}

#[tokio::test]
async fn a_stream_sends_past_and_new_events_and_resumes_where_it_broke_off() {
    let bench = Bench::new().await;
    let account = bench.account().await;
    bench.receive(&account).await;
    let open = async |last_event_id: &str| {
        let mut request = Bench::request("GET", &format!("/events?account={account}&kind=fax.status"), &Value::Null);
        request.headers_mut().insert(header::ACCEPT, "text/event-stream".parse().expect("a value"));
        request.headers_mut().insert("last-event-id", last_event_id.parse().expect("a value"));
        let response = bench.send(request).await;
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        let mut stream = response.into_body().into_data_stream();
        assert!(block(&mut stream).await.is_some_and(|opening| opening.starts_with(':')));
        stream
    };
    let mut stream = open("0").await;
    let there = block(&mut stream).await.expect("events");
    assert_eq!((there.matches("\ndata: ").count(), there.matches("\"received\"").count()), (2, 1), "{there}");
    let last = there.rsplit_once("id: ").and_then(|(_, rest)| rest.split_once('\n')).expect("an id").0.to_owned();
    bench.receive(&account).await;
    let comes = block(&mut stream).await.expect("more events");
    assert!(!comes.contains(&format!("id: {last}\n")) && comes.contains("\"receiving\""), "{comes}");
    let resumed = block(&mut open(&last).await).await.expect("events again");
    assert!(resumed.starts_with(comes.split_once('\n').expect("lines").0), "{resumed}");
    // The stream ends with its world.
    bench.ok("DELETE", &format!("/accounts/{account}"), Value::Null).await;
    while block(&mut stream).await.is_some() {}
}

#[tokio::test]
async fn a_stream_is_produced_in_small_pieces_and_loses_nothing_between_them() {
    /// The size at which the emulator ends a piece, `DRAW_BYTES_MAX`.
    const PIECE_BYTES: usize = 32 * 1024;
    /// An upper bound on the bytes of one event. A piece may exceed `PIECE_BYTES` by less than this.
    const EVENT_BYTES: usize = 4 * 1024;
    const EVENTS: u64 = 150;
    let bench = Bench::new().await;
    let account = bench.account().await;
    let world = bench.registry.world(account.parse().expect("a SID")).expect("a world");
    let first = world.read_journal(|journal| journal.last_seq()) + 1;
    for _ in 0..EVENTS {
        let path = format!("/{}", "x".repeat(EVENT_BYTES - 300)).into();
        let request = |at| ApiRequest { at, method: "GET".into(), path, status: 404, ..ApiRequest::default() };
        world.read_and_note(|_, now| ((), request(now)));
    }
    let target = format!("/events?account={account}&since={}", first - 1);
    let mut request = Bench::request("GET", &target, &Value::Null);
    request.headers_mut().insert(header::ACCEPT, "text/event-stream".parse().expect("a value"));
    let mut stream = bench.send(request).await.into_body().into_data_stream();
    // The stream opens with a comment.
    block(&mut stream).await;
    let mut next = first;
    while next < first + EVENTS {
        let piece = block(&mut stream).await.expect("more events");
        assert!(piece.len() < PIECE_BYTES + EVENT_BYTES, "{} bytes", piece.len());
        for id in piece.lines().filter_map(|line| line.strip_prefix("id: ")) {
            assert_eq!(id, next.to_string());
            next += 1;
        }
    }
}

#[tokio::test]
async fn a_reader_that_fell_behind_learns_what_was_dropped() {
    let bench = Bench::new().await;
    let account = bench.account().await;
    let world = bench.registry.world(account.parse().expect("a SID")).expect("a world");
    for _ in 0..fauxfax::engine::journal::JOURNAL_EVENTS_MAX + 7 {
        world.note(None, EventKind::CallNotAnswered);
    }
    let page = bench.ok("GET", &format!("/events?account={account}&limit=1&since=2"), Value::Null).await;
    assert_eq!((&page["evicted"], &page["missed"], &page["events"][0]["seq"]), (&json!(7), &json!(5), &json!(8)));
    let mut request = Bench::request("GET", &format!("/events?account={account}&since=2"), &Value::Null);
    request.headers_mut().insert(header::ACCEPT, "text/event-stream".parse().expect("a value"));
    let mut stream = bench.send(request).await.into_body().into_data_stream();
    // The stream opens with a comment.
    block(&mut stream).await;
    let told = block(&mut stream).await.expect("a gap");
    assert!(
        told.starts_with("event: evicted\nid: 7\ndata: {\"from_seq\":3,\"to_seq\":7,\"count\":5}\n\nid: 8\n"),
        "{told}"
    );
    let evicted = async || bench.ok("GET", "/health", Value::Null).await["evicted"]["events"].clone();
    assert_eq!(evicted().await, 7);
    assert!(bench.registry.remove(account.parse().expect("a SID")));
    assert_eq!(evicted().await, 7, "events that a removed account had dropped still count");
}

#[tokio::test]
async fn a_webhook_is_replayed_with_edits_and_signed_accordingly() {
    let bench = Bench::new().await;
    let account = bench.account().await;
    let fax = bench.receive(&account).await["fax_sid"].as_str().expect("a SID").to_owned();
    let list = bench.ok("GET", &format!("/webhooks?account={account}&fax={fax}"), Value::Null).await;
    let action = list["webhooks"].as_array().expect("a list").iter().find(|webhook| webhook["purpose"] == "action");
    let action = action.expect("an action");
    assert_eq!((&action["delivered"], &action["params"]["FaxStatus"]), (&json!(true), &json!("received")));
    let id = action["id"].as_str().expect("an id");
    let replay = format!("/webhooks/{id}/replay?account={account}");
    let edits = json!({ "url": format!("{}/elsewhere?x=1", bench.app.uri()), "params": { "FaxStatus": "failed" } });
    let exchange = bench.ok("POST", &replay, edits).await;
    assert_eq!((&exchange["status"], &exchange["params"]["FaxStatus"]), (&json!(404), &json!("failed")));
    let explain = json!({
        "url": exchange["url"], "params": exchange["params"],
        "signature": exchange["request_headers"]["x-twilio-signature"],
    });
    let explained = bench.ok("POST", &format!("/explain-signature?account={account}"), explain).await;
    assert_eq!((&explained["valid"], &explained["mistake"]), (&json!(true), &Value::Null), "{explained}");
    let checked = exchange["url"].as_str().expect("a URL").replace("http:", "https:");
    let explain = json!({ "url": exchange["url"], "params": exchange["params"], "app_url": checked });
    let explained = bench.ok("POST", &format!("/explain-signature?account={account}"), explain).await;
    assert_eq!((&explained["valid"], &explained["mistake"]), (&json!(false), &json!("scheme")), "{explained}");
    let matching = explained["variants"].as_array().expect("a list").iter().find(|variant| variant["matches"] == true);
    assert_eq!(matching.expect("a variant")["signature"], explained["signature"]);
    let again = bench.ok("GET", &format!("/webhooks/{id}?account={account}"), Value::Null).await;
    let replays: Vec<_> = again["attempts"].as_array().expect("attempts").iter().map(|each| &each["replay"]).collect();
    assert_eq!(replays, [&json!(false), &json!(true)]);
    let (status, detail) = bench.refused("POST", &replay, json!({ "ulr": "x" })).await;
    assert!(status == 422 && detail.contains("did you mean url"), "{detail}");
    let (status, detail) = bench.refused("GET", &format!("/webhooks/nothing?account={account}"), Value::Null).await;
    assert!(status == 404 && detail.contains("GET /webhooks"), "{detail}");
}

#[tokio::test]
async fn a_failed_expectation_is_reported_with_the_closest_events() {
    let bench = Bench::new().await;
    let account = bench.account().await;
    bench.receive(&account).await;
    let verify = format!("/verify?account={account}");
    let part = |status: &str| json!({ "kind": "webhook.attempt", "data": { "purpose": "action", "params": { "FaxStatus": status } } });
    let verdict = bench.ok("POST", &verify, json!({ "match": part("received"), "times": 1 })).await;
    assert_eq!((&verdict["verified"], &verdict["found"]), (&json!(true), &json!(1)));
    let verdict = bench.ok("POST", &verify, json!({ "match": part("failed") })).await;
    let differs = &verdict["closest"][0]["differs"];
    assert_eq!(differs, &json!({ "data.params.FaxStatus": { "want": "failed", "got": "received" } }));
    let in_order = json!({ "in_order": [{ "data": { "new": "receiving" } }, part("received")] });
    assert_eq!(bench.ok("POST", &verify, in_order).await["verified"], true);
    let bomb = json!({ "match": { "data": { "body": { "regex": "((a{99}){99}){99}" } } } });
    let (status, detail) = bench.refused("POST", &verify, bomb).await;
    assert!(status == 422 && detail.contains("65536 bytes"), "{detail}");
    let typo = json!({ "match": { "kind": "fax.pgae" }, "times": 0 });
    let (status, detail) = bench.refused("POST", &verify, typo).await;
    assert!(status == 422 && detail.contains("did you mean fax.page"), "{detail}");
    let (status, detail) = bench.refused("POST", &verify, json!({ "macth": {} })).await;
    assert!(status == 422 && detail.contains("did you mean match"), "{detail}");
}

#[tokio::test]
async fn a_wait_that_times_out_says_how_far_the_fax_got_and_what_is_next() {
    let bench = Bench::at(Pace::Times(1_000.0)).await;
    let account = bench.account().await;
    let fax = bench.receive(&account).await["fax_sid"].as_str().expect("a SID").to_owned();
    let wait = format!("/wait?account={account}&timeout=0.01");
    let (status, detail) = bench.refused("GET", &format!("{wait}&fax={fax}&status=failed"), Value::Null).await;
    assert!(status == 409 && detail.contains("can no longer become failed: its last status is received"), "{detail}");
    let (status, detail) = bench.refused("GET", &format!("{wait}&status=failed"), Value::Null).await;
    assert!(status == 408 && detail.contains("entered is received"), "{detail}");
    bench.ok("PUT", &format!("/clock?account={account}"), json!({ "mode": "frozen" })).await;
    let call = bench.ok("POST", &format!("/incoming-faxes?account={account}"), json!({})).await;
    let since = &call["seq"];
    bench.ok("GET", &format!("/wait?account={account}&status=receiving&since={since}"), Value::Null).await;
    // Advancing by zero seconds returns once the fax's pages have been made; then the fax waits only for the frozen clock.
    bench.ok("POST", &format!("/clock/advance?account={account}"), json!({ "seconds": 0 })).await;
    let (status, detail) = bench.refused("GET", &format!("{wait}&for=idle"), Value::Null).await;
    assert!(status == 408 && detail.contains("the clock is frozen"), "{detail}");
    let any = format!("/wait?account={account}&status=received&since={}", call["seq"]);
    let drain = format!("/clock/drain?account={account}");
    let (waited, _) = tokio::join!(bench.ok("GET", &any, Value::Null), bench.ok("POST", &drain, Value::Null));
    assert_eq!(waited["event"]["fax_sid"], call["fax_sid"]);
    let (status, detail) = bench.refused("GET", &format!("{wait}&status=recieved"), Value::Null).await;
    assert!(status == 422 && detail.contains("received"), "{detail}");
}

#[tokio::test]
async fn a_wait_that_times_out_describes_the_world_that_was_created_meanwhile() {
    let bench = Bench::new().await;
    let account = AccountSid::from_bytes([0xee; 16]).to_string();
    let target = format!("/wait?account={account}&status=delivered&timeout=1");
    let waiting = bench.refused("GET", &target, Value::Null);
    let calling = async {
        // `join!` polls the wait first, so by now it has looked for the world and found none.
        let number = json!({
            "phone_number": "+15017122661", "voice_receive_mode": "fax", "voice_url": "http://127.0.0.1:9/fax",
        });
        bench.ok("POST", "/accounts", json!({ "sid": account, "numbers": [number] })).await;
        let delayed = json!({ "match": { "purpose": "fax-url" }, "webhook": { "delay_ms": 3_600_000 } });
        bench.ok("POST", &format!("/rules?account={account}"), delayed).await;
        bench.ok("POST", &format!("/incoming-faxes?account={account}"), json!({})).await
    };
    let ((status, detail), call) = tokio::join!(waiting, calling);
    let call = call["fax_sid"].as_str().expect("a SID");
    assert!(status == 408 && detail.contains(call), "{detail}");
}

#[tokio::test]
async fn the_described_pattern_of_an_account_fits_exactly_what_calls_accept() {
    let bench = Bench::new().await;
    let parameters = openapi()["paths"][format!("{BASE}/clock")]["get"]["parameters"].clone();
    let account = parameters.as_array().and_then(|all| all.iter().find(|each| each["name"] == "account"));
    let pattern = account.map(|account| account["schema"]["pattern"].clone()).expect("every call has the parameter");
    let pattern = Pattern::parse(&json!({ "regex": pattern })).expect("a regular expression");
    let digits = "0a".repeat(16);
    let project = "831455c6-574e-4d8b-b6ee-2418140bf4cd";
    for (account, is_accepted) in [
        (format!("AC{digits}"), true),
        (format!("AC{}", digits.to_uppercase()), true),
        (project.to_owned(), true),
        (project.to_uppercase(), true),
        (format!("FX{digits}"), false),
        (format!("AC{project}"), false),
        (digits, false),
    ] {
        let (status, answer) = bench.call("GET", &format!("/clock?account={account}"), Value::Null).await;
        assert_eq!((status == 200, pattern.fits(&json!(account))), (is_accepted, is_accepted), "{account}: {answer}");
    }
}

#[tokio::test]
async fn faxes_are_paginated_and_filtered_by_direction_status_number_and_text() {
    let bench = Bench::new().await;
    let account = bench.account().await;
    for _ in 0..3 {
        bench.receive(&account).await;
    }
    let list = async |query: &str| bench.ok("GET", &format!("/faxes?account={account}{query}"), Value::Null).await;
    let count = |page: &Value| page["faxes"].as_array().map(Vec::len);
    for (query, found) in [
        ("", 3),
        ("&direction=outbound", 0),
        ("&status=received,failed", 3),
        ("&status=failed", 0),
        ("&number=%2B1501*", 3),
        ("&number=1999", 0),
        ("&text=FX", 3),
        ("&text=nothing", 0),
    ] {
        assert_eq!(count(&list(query).await), Some(found), "{query}");
    }
    let first = list("&limit=2").await;
    assert_eq!((count(&first), &first["total"]), (Some(2), &json!(3)));
    let second = list(&format!("&limit=2&page_token={}", first["next_page_token"])).await;
    assert_eq!((count(&second), &second["next_page_token"]), (Some(1), &Value::Null));
    assert_ne!(first["faxes"][1]["sid"], second["faxes"][0]["sid"]);
}

#[tokio::test]
async fn metrics_include_worlds_that_have_been_deleted() {
    let bench = Bench::new().await;
    let account = bench.account().await;
    bench.receive(&account).await;
    let metrics = async || {
        let request =
            Request::get("/metrics").header(header::HOST, "localhost").body(Body::empty()).expect("a request");
        let body = bench.send(request).await.into_body();
        String::from_utf8(to_bytes(body, usize::MAX).await.expect("a body").to_vec()).expect("text")
    };
    bench.ok("DELETE", &format!("/accounts/{account}"), Value::Null).await;
    let text = metrics().await;
    for line in [
        "fauxfax_worlds 1",
        "fauxfax_fax_status_changes_total{status=\"received\"} 1",
        "fauxfax_webhooks_total{purpose=\"action\",result=\"answered\"} 1",
        "fauxfax_events_evicted_total 0",
        "fauxfax_requests_under_way 0",
        "# EOF",
    ] {
        assert!(text.lines().any(|own| own == line), "{line} is not in\n{text}");
    }
}

#[tokio::test]
async fn a_new_account_without_a_token_gets_one_and_an_existing_sid_is_refused() {
    let bench = Bench::new().await;
    let sid = format!("AC{}", "5".repeat(32));
    let account = bench.ok("POST", "/accounts", json!({ "sid": sid })).await;
    assert_eq!((&account["sid"], account["auth_token"].as_str().map(str::len)), (&json!(sid), Some(32)));
    assert_eq!(bench.refused("POST", "/accounts", json!({ "sid": sid })).await.0, 409);
    assert_eq!(bench.refused("POST", "/accounts", json!({ "sid": "AC1" })).await.0, 400);
    let other = bench.refused("POST", "/accounts", json!({ "dialect": "signalwire", "sid": sid })).await;
    assert!(other.0 == 422 && other.1.contains("dialect: must be twilio, because sid is AC and 32"), "{other:?}");
    assert_eq!(
        bench.refused("DELETE", &format!("/accounts/{}", AccountSid::from_bytes([7; 16])), Value::Null).await.0,
        409
    );
    let target = format!("/accounts/{sid}");
    let edits = json!({ "service": "retired", "status": "suspended", "debugger_url": "http://127.0.0.1:9/", "friendly_name": "Desk" });
    let edited = bench.ok("POST", &target, edits).await;
    assert_eq!((&edited["service"], &edited["friendly_name"]), (&json!("retired"), &json!("Desk")));
    assert_eq!(bench.ok("POST", &target, json!({ "debugger_url": null })).await["debugger_url"], Value::Null);
    assert_eq!(bench.ok("POST", &target, json!({})).await["service"], "retired", "an absent field is unchanged");
    assert_eq!(edited["status"], "suspended");
    bench.ok("POST", &target, json!({ "status": "closed" })).await;
    assert_eq!(bench.refused("POST", &target, json!({ "status": "active" })).await.0, 409, "it stays closed");
    assert_eq!(bench.refused("POST", &target, json!({ "service": "fax" })).await.0, 422);
    assert_eq!(bench.refused("POST", &target, json!({ "debugger_url": "x" })).await.0, 422);
    bench.ok("DELETE", &format!("/accounts/{sid}"), Value::Null).await;
    assert_eq!(bench.refused("GET", &format!("/accounts/{sid}"), Value::Null).await.0, 404);
}

#[tokio::test]
async fn a_bad_field_of_an_incoming_fax_is_refused_by_name() {
    let bench = Bench::new().await;
    let account = bench.account().await;
    let at = |query: &str| format!("/incoming-faxes?account={account}{query}");
    for (body, status, part) in [
        (json!({ "to": "+15550000000" }), 404, "+15550000000"),
        (json!({ "to": "nonsense" }), 422, "to"),
        (json!({ "pages": 0 }), 422, "pages: must be 1 to"),
        (json!({ "pages": 1_000_000_000 }), 422, "pages: must be 1 to"),
        (json!({ "quality": "good" }), 422, "standard, fine, superfine"),
        (json!({ "station_id": "x".repeat(21) }), 422, "20 characters"),
        (json!({ "outcome": "busy" }), 422, "outcome"),
        (json!({ "outcome": { "status": "failed", "after_page": 2 } }), 422, "outcome"),
        (json!({ "outcome": { "status": "received", "code": 34004 } }), 422, "failed"),
        (json!({ "outcome": { "status": "failed", "code": 1 } }), 422, "34004"),
        (json!({ "page": 1 }), 422, "did you mean pages"),
        (json!({ "media_url": "http://127.0.0.1:1/x.pdf" }), 422, "refused"),
        (json!({ "pages": 1, "media_url": "http://h/" }), 422, "one of"),
    ] {
        let refused = bench.refused("POST", &at(""), body.clone()).await;
        assert!(refused.0 == status && refused.1.contains(part), "{body}: {refused:?}");
    }
    bench.ok("PUT", &format!("/clock?account={account}"), json!({ "mode": "frozen" })).await;
    let (status, detail) = bench.refused("POST", &at("&wait=true"), json!({})).await;
    assert!(status == 409 && detail.contains("advance or drain"), "{detail}");
}

#[tokio::test]
async fn an_exported_world_can_be_imported_and_an_invalid_one_changes_nothing() {
    let bench = Bench::new().await;
    let account = bench.account().await;
    let state = format!("/state?account={account}");
    let fax = bench.receive(&account).await["fax_sid"].as_str().expect("a SID").to_owned();
    let world = bench.registry.world(account.parse().expect("a SID")).expect("a world");
    let key = bench.registry.create_key(&world, "CI".into()).expect("there is room");
    let secret = world.read(|engine| engine.key(key).map(|key| key.secret.clone())).expect("a secret");
    bench.ok("PUT", &format!("/clock?account={account}"), json!({ "mode": "frozen" })).await;
    let (whole, small) = (
        bench.ok("GET", &state, Value::Null).await,
        bench.ok("GET", &format!("{state}&media=hash"), Value::Null).await,
    );
    assert!(small.to_string().len() < whole.to_string().len() && small["documents"] == json!({}));
    let back = bench.ok("PUT", &state, small.clone()).await;
    assert_eq!(back["removed"], json!({ "faxes": 1 }));
    bench.ok("POST", &format!("/reset?account={account}"), json!({})).await;
    let events = bench.ok("GET", &format!("/events?account={account}&kind=world.reset&all=true"), Value::Null).await;
    let to: Vec<_> = events["events"].as_array().expect("a list").iter().map(|event| &event["data"]["to"]).collect();
    assert_eq!(to, ["state", "start"]);
    // A refused call leaves the world and its journal unchanged.
    let last = bench.ok("GET", &format!("/events?account={account}"), Value::Null).await["last_seq"].clone();
    let (status, detail) = bench.refused("PUT", &state, small).await;
    assert!(status == 422 && detail.contains("faxes[0].media.document") && detail.contains("unchanged"), "{detail}");
    let changed = |pointer: &str, value: Value| {
        let mut document = whole.clone();
        document.pointer_mut(pointer).expect("a fax")["qualty"] = value;
        document
    };
    let (status, detail) = bench.refused("PUT", &state, changed("/world/tables/faxes/0", json!("fine"))).await;
    assert!(status == 422 && detail.contains("did you mean quality"), "{detail}");
    let mut newer = whole.clone();
    newer["fauxfax_state"] = json!(3);
    let (status, detail) = bench.refused("PUT", &state, newer).await;
    assert!(status == 422 && detail.contains("newer"), "{detail}");
    assert_eq!(bench.ok("GET", &format!("/events?account={account}"), Value::Null).await["last_seq"], last);
    // A world's API keys may exist only once, so another account can load the world only after this one is deleted.
    let other = bench.account().await;
    let (status, detail) = bench.refused("PUT", &format!("/state?account={other}"), whole.clone()).await;
    assert!(status == 422 && detail.contains(&key.to_string()), "{detail}");
    bench.ok("DELETE", &format!("/accounts/{account}"), Value::Null).await;
    bench.ok("PUT", &format!("/state?account={other}"), whole).await;
    bench.ok("GET", &format!("/faxes/{fax}?account={other}"), Value::Null).await;
    assert_eq!(bench.ok("GET", &format!("/clock?account={other}"), Value::Null).await["mode"], "frozen");
    let theirs = bench.registry.sign_in_with_key(key, &secret).map(|world| world.sid().to_string());
    assert_eq!(theirs, Ok(other));
}
