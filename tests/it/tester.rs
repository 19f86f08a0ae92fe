//! Tests what a tester can do over the control API while an app uses the REST API: rules, clock, snapshots, resets and
//! claims.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, header};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use fauxfax::dialect::signature;
use fauxfax::emulator::{AccountSetup, Registry};
use fauxfax::io::client::ClientOptions;
use fauxfax::model::number::{NumberChange, ReceiveMode};
use fauxfax::model::phone::PhoneNumber;
use fauxfax::model::sid::AccountSid;
use fauxfax::model::time::Pace;
use fauxfax::{http, server};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, Respond, ResponseTemplate};

use crate::host::{Host, settings};

const OWN: PhoneNumber = PhoneNumber::from_digits(15_005_550_006);
const TOKEN: &str = "secret";
const RECEIVE: &str = "<Response><Receive action=\"/done\"/></Response>";
/// More rows than the header line takes at the top of a page.
const HEADER_ROWS: usize = 100;
/// The time after which a test gives up waiting, far longer than any call takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// An emulator with one account, and that account's app.
struct Tester {
    registry: Registry,
    app: MockServer,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    json: Value,
}

impl Tester {
    /// Creates one account with one fax number, whose app accepts every fax.
    async fn new() -> Self {
        Self::with_fax_url(ResponseTemplate::new(200).set_body_raw(RECEIVE, "text/xml")).await
    }

    /// Creates one account with one fax number, whose app gives this response to requests for TwiML.
    async fn with_fax_url(answer: impl Respond + 'static) -> Self {
        let app = MockServer::start().await;
        Mock::given(path("/fax")).respond_with(answer).mount(&app).await;
        Mock::given(path("/done")).respond_with(ResponseTemplate::new(200)).mount(&app).await;
        let change = NumberChange {
            voice_receive_mode: Some(ReceiveMode::Fax),
            voice_url: Some(format!("{}/fax", app.uri()).into()),
            ..NumberChange::default()
        };
        let setup = AccountSetup {
            sid: Some(AccountSid::from_bytes([7; 16])),
            auth_token: Some(TOKEN.into()),
            numbers: vec![(OWN, change)],
            ..AccountSetup::default()
        };
        let Host { registry } = Host::with(settings(Pace::Times(100.0)), &ClientOptions::default(), setup);
        Self { registry, app }
    }

    async fn call(&self, method: &str, target: &str, credential: Option<&str>, body: String) -> Answer {
        let request = Request::builder().method(method).uri(target).header(header::HOST, "localhost:8329");
        let request = credential.into_iter().fold(request, |request, credential| {
            request.header(header::AUTHORIZATION, format!("Basic {}", BASE64_STANDARD.encode(credential)))
        });
        let service = http::service(self.registry.clone(), ([127, 0, 0, 1], 8329).into());
        let request = request.body(Body::from(body)).expect("a request");
        let answering = async {
            let response = service.oneshot(request).await.expect("an answer");
            let (parts, body) = response.into_parts();
            (parts, to_bytes(body, usize::MAX).await.expect("a body"))
        };
        let (parts, body) = tokio::time::timeout(PATIENCE, answering).await.expect("an answer in time");
        let json = serde_json::from_slice(&body).unwrap_or_default();
        Answer { status: parts.status.as_u16(), headers: parts.headers, json }
    }

    async fn control(&self, method: &str, target: &str, body: Value) -> Answer {
        self.call(method, &format!("/_fauxfax/v1{target}"), None, body.to_string()).await
    }

    /// Fetches a file from the control API.
    async fn file(&self, target: &str) -> Vec<u8> {
        let request = Request::get(format!("/_fauxfax/v1{target}")).header(header::HOST, "localhost:8329");
        let service = http::service(self.registry.clone(), ([127, 0, 0, 1], 8329).into());
        let response = service.oneshot(request.body(Body::empty()).expect("a request")).await.expect("an answer");
        assert_eq!(response.status(), 200, "{target}");
        to_bytes(response.into_body(), usize::MAX).await.expect("a body").to_vec()
    }

    /// Returns the rows of a fax's first page, below the header line.
    async fn rows(&self, fax: &str) -> Vec<Vec<u8>> {
        let png = self.file(&format!("/faxes/{fax}/pages/1.png?width=1728")).await;
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().expect("a picture");
        let mut pels = vec![0; reader.output_buffer_size().expect("a size")];
        reader.next_frame(&mut pels).expect("pels");
        pels.chunks(1_728).skip(HEADER_ROWS).map(<[u8]>::to_vec).collect()
    }

    /// Makes a control call that must succeed.
    async fn done(&self, method: &str, target: &str, body: Value) -> Value {
        let answer = self.control(method, target, body).await;
        assert!((200..300).contains(&answer.status), "{method} {target}: {} {}", answer.status, answer.json);
        answer.json
    }

    /// Makes a control call that must be refused, and returns its status and detail.
    async fn refused(&self, method: &str, target: &str, body: Value) -> (u16, String) {
        let answer = self.control(method, target, body).await;
        assert_eq!(answer.headers[header::CONTENT_TYPE], "application/problem+json", "{method} {target}");
        (answer.status, answer.json["detail"].as_str().expect("a detail").to_owned())
    }

    async fn rest(&self, method: &str, target: &str, form: &str) -> Answer {
        let credential = format!("{}:{TOKEN}", AccountSid::from_bytes([7; 16]));
        self.call(method, target, Some(&credential), form.to_owned()).await
    }

    /// Freezes the clock.
    async fn freeze(&self) {
        self.done("PUT", "/clock", json!({ "mode": "frozen" })).await;
    }

    /// Makes a fax machine call the number, and returns the SID of the fax.
    async fn receive(&self) -> String {
        let answer = self.done("POST", "/incoming-faxes", json!({})).await;
        answer["fax_sid"].as_str().expect("a SID").to_owned()
    }
}

#[tokio::test]
async fn a_deliberate_refusal_is_a_twilio_error_that_says_when_to_retry() {
    let tester = Tester::new().await;
    let rule = json!({ "match": { "path": "/v1/Faxes*" }, "times": 1, "api": { "status": 429 } });
    let added = tester.done("POST", "/rules", rule).await;
    assert_eq!((&added["id"], &added["warning"]), (&1.into(), &Value::Null));
    let refused = tester.rest("GET", "/v1/Faxes", "").await;
    assert_eq!((refused.status, &refused.json["code"]), (429, &20429.into()));
    assert_eq!(refused.headers[header::RETRY_AFTER], "1");
    assert_eq!(tester.rest("GET", "/v1/Faxes", "").await.status, 200);
    let events = tester.done("GET", "/events?kind=rule.fired", Value::Null).await;
    assert_eq!(
        events["events"][0]["data"],
        json!({
            "rule_id": 1, "kind": "api", "api": { "status": 429, "code": 20429 },
            "what": "rule 1 refuses the request with 429 and code 20429",
        })
    );
    let calls = tester.done("GET", "/events?kind=api.request", Value::Null).await;
    assert_eq!(
        (&calls["events"][0]["data"]["status"], &calls["events"][1]["data"]["status"]),
        (&429.into(), &200.into())
    );
}

#[tokio::test]
async fn rules_are_listed_with_their_counts_and_removed() {
    let tester = Tester::new().await;
    tester.done("POST", "/rules", json!({ "match": { "to": "+1*" }, "outcome": { "status": "busy" } })).await;
    let shadowed = json!({ "match": { "to": "+1555*" }, "outcome": { "status": "no-answer" } });
    let added = tester.done("POST", "/rules", shadowed).await;
    assert!(added["warning"].as_str().is_some_and(|warning| warning.contains("rule 1 always acts first")), "{added}");
    let list = tester.done("GET", "/rules", Value::Null).await;
    let first = &list["rules"][0];
    assert_eq!(
        (&first["match"]["to"], &first["outcome"]["status"], &first["fired"]),
        (&"+1*".into(), &"busy".into(), &0.into())
    );
    assert_eq!(tester.control("DELETE", "/rules/1", Value::Null).await.status, 204);
    assert_eq!(tester.refused("DELETE", "/rules/1", Value::Null).await.0, 404);
    assert_eq!(tester.control("DELETE", "/rules", Value::Null).await.status, 204);
    assert_eq!(tester.done("GET", "/rules", Value::Null).await["rules"], json!([]));
    let (status, detail) = tester.refused("POST", "/rules", json!({ "outcme": {} })).await;
    assert_eq!(
        (status, detail.contains("exactly one effect") || detail.contains("did you mean outcome")),
        (422, true),
        "{detail}"
    );
}

#[tokio::test]
async fn a_rule_is_disabled_enabled_and_replaced_under_its_id() {
    let tester = Tester::new().await;
    tester.done("POST", "/rules", json!({ "match": { "to": "+1*" }, "outcome": { "status": "busy" } })).await;
    tester.done("POST", "/rules", json!({ "match": { "to": "+1555*" }, "outcome": { "status": "no-answer" } })).await;
    let listed = tester.done("GET", "/rules", Value::Null).await;
    assert!(listed["rules"][1]["warning"].as_str().is_some_and(|warning| warning.contains("rule 1")), "{listed}");
    let off = tester.done("POST", "/rules/1", json!({ "enabled": false })).await;
    assert_eq!((&off["id"], &off["enabled"], &off["outcome"]["status"]), (&1.into(), &false.into(), &"busy".into()));
    let listed = tester.done("GET", "/rules", Value::Null).await;
    assert_eq!(listed["rules"][1]["warning"], Value::Null, "a disabled rule leaves its matches to the next");
    // A listed rule can be posted back as it is, so a client that edits it needn't know which fields are read-only.
    let mut edited = listed["rules"][0].clone();
    edited["times"] = 2.into();
    let replaced = tester.done("POST", "/rules/1", edited).await;
    assert_eq!((&replaced["times"], &replaced["enabled"]), (&2.into(), &false.into()));
    let on = tester.done("POST", "/rules/1", json!({ "enabled": true })).await;
    assert_eq!((&on["times"], on.get("enabled")), (&2.into(), None));
    for (target, body, status, told) in [
        ("/rules/9", json!({ "enabled": true }), 404, "9"),
        ("/rules/x", json!({ "enabled": true }), 404, "x"),
        ("/rules/1", json!({ "enabled": "yes" }), 422, "enabled: must be true or false"),
        ("/rules/1", json!({}), 422, "exactly one effect"),
        ("/rules/1", json!([]), 422, ""),
    ] {
        let (refused, detail) = tester.refused("POST", target, body.clone()).await;
        assert!(refused == status && detail.contains(told), "{target} {body}: {refused} {detail}");
    }
}

#[tokio::test]
async fn a_connection_can_be_reset_deliberately() {
    let tester = Tester::new().await;
    tester.done("POST", "/rules", json!({ "times": 1, "api": { "reset": true } })).await;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = server::run(listener, http::service(tester.registry.clone(), address), async { drop(stopped.await) });
    let asking = async {
        let credential = BASE64_STANDARD.encode(format!("{}:{TOKEN}", AccountSid::from_bytes([7; 16])));
        let request = format!(
            "GET /v1/Faxes HTTP/1.1\r\nHost: fax.test\r\nConnection: close\r\nAuthorization: Basic {credential}\r\n\r\n"
        );
        let mut ends = Vec::new();
        for _ in 0..2 {
            let mut stream = TcpStream::connect(address).await.expect("a connection");
            stream.write_all(request.as_bytes()).await.expect("sent");
            let mut answer = Vec::new();
            let end = stream.read_to_end(&mut answer).await;
            ends.push(end.map(|_| answer.starts_with(b"HTTP/1.1 200")).map_err(|error| (error.kind(), answer.len())));
        }
        drop(stop);
        ends
    };
    let (_, ends) = tokio::time::timeout(PATIENCE, async { tokio::join!(serving, asking) }).await.expect("it stops");
    assert_eq!(ends, [Err((std::io::ErrorKind::ConnectionReset, 0)), Ok(true)]);
}

#[tokio::test]
async fn a_delayed_call_still_gets_its_response() {
    let tester = Tester::new().await;
    tester.done("POST", "/rules", json!({ "times": 1, "api": { "delay_ms": 20 } })).await;
    let before = tester.registry.uptime();
    assert_eq!(tester.rest("GET", "/v1/Faxes", "").await.status, 200);
    assert!(tester.registry.uptime() - before >= Duration::from_millis(20));
}

#[tokio::test]
async fn signatures_on_the_wire_are_as_a_rule_says() {
    let tester = Tester::new().await;
    for word in ["bad", "missing", "stale"] {
        let rule = json!({ "match": { "purpose": "action" }, "times": 1, "webhook": { "signature": word } });
        tester.done("POST", "/rules", rule).await;
    }
    for _ in 0..4 {
        tester.done("POST", "/incoming-faxes?wait=true", json!({})).await;
    }
    let requests = tester.app.received_requests().await.expect("recorded");
    let url = format!("{}/done", tester.app.uri());
    let judged: Vec<Option<&str>> = requests
        .iter()
        .filter(|request| request.url.path() == "/done")
        .map(|request| {
            let value = request.headers.get("X-Twilio-Signature")?.to_str().ok()?;
            let params: Vec<(String, String)> =
                url::form_urlencoded::parse(&request.body).map(|(name, value)| (name.into(), value.into())).collect();
            let good = value == signature::of_form(TOKEN, &url, &params);
            let earlier = params.iter().map(|(name, value)| {
                (name.clone(), if name == "FaxStatus" { "queued".to_owned() } else { value.clone() })
            });
            let stale = value == signature::of_form(TOKEN, &url, &earlier.collect::<Vec<_>>());
            Some(if good {
                "good"
            } else if stale {
                "stale"
            } else {
                "bad"
            })
        })
        .collect();
    assert_eq!(judged, [Some("bad"), None, Some("stale"), Some("good")]);
}

#[tokio::test]
async fn advancing_a_frozen_clock_ends_a_fax_and_reports_what_happened() {
    let tester = Tester::new().await;
    tester.freeze().await;
    let sid = tester.receive().await;
    let moved = tester.done("POST", "/clock/drain", json!({})).await;
    let statuses: Vec<&str> =
        moved["events"].as_array().expect("events").iter().filter_map(|event| event["data"]["new"].as_str()).collect();
    assert!(statuses.ends_with(&["received"]), "{moved}");
    assert_eq!(tester.done("GET", "/wait?for=idle", Value::Null).await["idle"], true);
    // Advancing the clock also removes the fax once it is 180 days old.
    assert_eq!(tester.rest("GET", &format!("/v1/Faxes/{sid}"), "").await.status, 200);
    tester.done("POST", "/clock/advance", json!({ "seconds": 179.9 * 86_400.0 })).await;
    assert_eq!(tester.rest("GET", &format!("/v1/Faxes/{sid}"), "").await.status, 200);
    tester.done("POST", "/clock/advance", json!({ "seconds": 86_400 })).await;
    assert_eq!(tester.rest("GET", &format!("/v1/Faxes/{sid}"), "").await.status, 404);
}

#[tokio::test]
async fn a_clock_refuses_impossible_moves() {
    let tester = Tester::new().await;
    assert_eq!(tester.refused("POST", "/clock/advance", json!({ "seconds": 1 })).await.0, 409);
    assert_eq!(tester.refused("POST", "/clock/drain", json!({})).await.0, 409);
    tester.freeze().await;
    for (order, part) in [
        (json!({ "seconds": 1e9 * 365.25 * 86_400.0 }), "the clock ends at 9999"),
        (json!({ "seconds": -1 }), "seconds"),
        (json!({ "seconds": 1e300 }), "seconds"),
        (json!({ "to": "1999-01-01T00:00:00Z" }), "can't move back"),
        (json!({ "to": "soon" }), "an RFC 3339 date and time"),
        (json!({ "seconds": 1, "to": "2030-01-01T00:00:00Z" }), "one of seconds"),
        (json!({}), "one of seconds"),
        (json!({ "seconds": 1, "timeout": 1e6 }), "600"),
    ] {
        let (status, detail) = tester.refused("POST", "/clock/advance", order.clone()).await;
        assert!(status == 422 && detail.contains(part), "{order}: {status} {detail}");
    }
    let waiting = tester.refused("POST", "/incoming-faxes?wait=true", json!({})).await;
    assert!(waiting.0 == 409 && waiting.1.contains("advance or drain"), "{waiting:?}");
}

#[tokio::test]
async fn time_advanced_before_a_timeout_stays_advanced() {
    let hangs = ResponseTemplate::new(200).set_body_raw(RECEIVE, "text/xml").set_delay(Duration::from_secs(3_600));
    let tester = Tester::with_fax_url(hangs).await;
    tester.freeze().await;
    tester.done("POST", "/clock/advance", json!({ "seconds": 5 })).await;
    tester.receive().await;
    let before = tester.done("GET", "/clock", Value::Null).await;
    let (status, detail) = tester.refused("POST", "/clock/advance", json!({ "seconds": 60, "timeout": 0.05 })).await;
    assert_eq!((status, detail.contains("keeps the time")), (408, true), "{detail}");
    assert_eq!(
        tester.done("GET", "/clock", Value::Null).await["now"],
        before["now"],
        "the clock stands still while an app hangs"
    );
    let reset = tester.done("POST", "/reset", Value::Null).await;
    assert_eq!((&reset["canceled"]["faxes"], &reset["canceled"]["webhooks"]), (&1.into(), &1.into()));
    tester.done("POST", "/clock/advance", json!({ "seconds": 60 })).await;
}

#[tokio::test]
async fn snapshots_are_taken_restored_listed_and_removed() {
    let tester = Tester::new().await;
    tester.freeze().await;
    let sid = tester.receive().await;
    assert_eq!(tester.control("PUT", "/snapshots/ringing", Value::Null).await.status, 201);
    tester.done("POST", "/clock/drain", json!({})).await;
    let restored = tester.done("POST", "/snapshots/ringing", Value::Null).await;
    assert_eq!(restored["removed"]["faxes"], 1);
    let fax = tester.rest("GET", &format!("/v1/Faxes/{sid}"), "").await.json;
    assert_eq!((&fax["status"], &fax["num_pages"]), (&"receiving".into(), &Value::Null), "its app is asked again");
    assert_eq!(tester.rest("GET", "/v1/Faxes", "").await.json["faxes"], json!([]));
    tester.done("POST", "/clock/drain", json!({})).await;
    assert_eq!(tester.rest("GET", &format!("/v1/Faxes/{sid}"), "").await.json["status"], "received");
    let list = tester.done("GET", "/snapshots", Value::Null).await;
    assert_eq!((&list["snapshots"][0]["name"], &list["snapshots"][0]["pending"]), (&"ringing".into(), &1.into()));
    let (status, detail) = tester.refused("PUT", "/snapshots/ringing?if_absent=true", Value::Null).await;
    assert_eq!((status, detail.contains("there is a snapshot ringing already")), (409, true), "{detail}");
    assert_eq!(tester.control("PUT", "/snapshots/other?if_absent=true", Value::Null).await.status, 201);
    tester.done("POST", "/reset?snapshot=ringing", Value::Null).await;
    assert_eq!(tester.control("DELETE", "/snapshots/ringing", Value::Null).await.status, 204);
    assert_eq!(tester.refused("POST", "/snapshots/ringing", Value::Null).await.0, 404);
    assert_eq!(tester.refused("POST", "/reset?snapshot=ringing", Value::Null).await.0, 404);
    assert_eq!(tester.refused("PUT", "/snapshots/a%20b", Value::Null).await.0, 422);
}

#[tokio::test]
async fn an_unclaimed_world_accepts_no_call_until_the_first_token_claims_it() {
    let tester = Tester::new().await;
    let account = AccountSid::from_bytes([9; 16]);
    let query = format!("?account={account}");
    let number = json!({ "to": "+15005550006" });
    let (status, detail) = tester.refused("POST", &format!("/incoming-faxes{query}"), number).await;
    assert_eq!((status, detail.contains("claim it first")), (409, true), "{detail}");
    let call = |token: &str| {
        let credential = format!("{account}:{token}");
        let tester = &tester;
        async move { tester.call("GET", "/v1/Faxes", Some(&credential), String::new()).await.status }
    };
    assert_eq!(call("first").await, 200);
    assert_eq!(call("second").await, 401);
    tester.done("POST", &format!("/reset{query}"), Value::Null).await;
    assert_eq!((call("second").await, call("first").await), (401, 200), "a reset keeps the claim");
}

#[tokio::test]
async fn two_accounts_are_isolated() {
    let tester = Tester::new().await;
    let other = format!("?account={}", AccountSid::from_bytes([9; 16]));
    tester.freeze().await;
    tester.done("POST", &format!("/rules{other}"), json!({ "outcome": { "status": "busy" } })).await;
    tester.done("PUT", &format!("/snapshots/own{other}"), Value::Null).await;
    assert_eq!(tester.done("GET", "/rules", Value::Null).await["rules"], json!([]));
    assert_eq!(tester.done("GET", "/snapshots", Value::Null).await["snapshots"], json!([]));
    assert_eq!(tester.done("GET", &format!("/clock{other}"), Value::Null).await["mode"], "running");
    tester.receive().await;
    let theirs = tester.done("GET", &format!("/events{other}"), Value::Null).await;
    assert_eq!(theirs["last_seq"], 0);
    tester.done("POST", &format!("/reset{other}"), Value::Null).await;
    assert_eq!(tester.registry.worlds()[0].read(|engine| engine.pending_count()), 1);
}

#[tokio::test]
async fn line_noise_damages_rows_of_the_received_pages() {
    let tester = Tester::new().await;
    let call = json!({ "pages": 1 });
    let clean = tester.done("POST", "/incoming-faxes?wait=true", call.clone()).await;
    tester.done("POST", "/rules", json!({ "line": { "noise": 0.1 } })).await;
    let noisy = tester.done("POST", "/incoming-faxes?wait=true", call).await;
    assert_eq!((&clean["outcome"], &noisy["outcome"]), (&json!("received"), &json!("received")));
    let clean = tester.rows(clean["fax"]["sid"].as_str().expect("a SID")).await;
    let noisy = tester.rows(noisy["fax"]["sid"].as_str().expect("a SID")).await;
    let sent: std::collections::HashSet<_> = clean.iter().collect();
    let streaked = noisy.iter().filter(|row| !sent.contains(row)).count();
    // A tenth of a letter page's rows, about 220, are damaged, and a third of those are streaked.
    assert!((20..220).contains(&streaked), "{streaked} of {} rows", noisy.len());
    let received: std::collections::HashSet<_> = noisy.iter().collect();
    let lost = clean.iter().filter(|row| !received.contains(row)).count();
    assert!(lost > 20, "only {lost} rows are damaged");
}

#[tokio::test]
async fn a_fax_stored_as_pdf_is_available_as_pdf_and_as_tiff() {
    let tester = Tester::new().await;
    let received = tester.done("POST", "/incoming-faxes?wait=true", json!({ "pages": 2 })).await;
    let fax = received["fax"]["sid"].as_str().expect("a SID");
    assert_eq!(tester.done("GET", &format!("/faxes/{fax}"), Value::Null).await["media_type"], "application/pdf");
    for (name, magic) in [("document.pdf", b"%PDF".as_slice()), ("document.tiff", b"II*\0")] {
        let file = tester.file(&format!("/faxes/{fax}/{name}")).await;
        assert!(file.starts_with(magic), "{name}");
        let probe = fauxfax::document::probe(&file.into()).expect("a document");
        assert_eq!(probe.pages, 2, "{name}");
    }
}

#[tokio::test]
async fn a_clock_can_be_advanced_exactly_to_its_next_deadline() {
    let tester = Tester::new().await;
    tester.freeze().await;
    tester.done("POST", "/incoming-faxes", json!({ "pages": 2 })).await;
    let mut moved = tester.done("POST", "/clock/advance", json!({ "seconds": 0 })).await;
    let mut deadlines = 0;
    while let Some(at) = moved["next"][0]["at"].as_str().map(ToOwned::to_owned) {
        moved = tester.done("POST", "/clock/advance", json!({ "to": at })).await;
        assert_eq!(moved["now"], json!(at));
        assert_ne!(moved["events"], json!([]), "what was due at {at} has happened");
        deadlines += 1;
    }
    assert_eq!(deadlines, 2, "one deadline per page");
}
