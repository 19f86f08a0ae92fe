//! Tests the export of conversations as JSON, HAR and Markdown, over the control API and from the command line.

use std::process::{Command, Output};

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, header};
use fauxfax::Emulator;
use fauxfax::emulator::AccountSetup;
use fauxfax::engine::event::EventKind;
use fauxfax::engine::journal::JOURNAL_EVENTS_MAX;
use fauxfax::http::control::BASE;
use fauxfax::io::client::ClientOptions;
use fauxfax::model::time::Pace;
use serde_json::{Value, json};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::control::Bench;
use crate::host::{Host, account, settings, setup};

const RECEIVE: &str = "<Response><Receive action=\"/done\"/></Response>";
const LONG_TOKEN: &str = "5f4dcc3b5aa765d61d8327deb882cf99";
const FORMATS: [&str; 3] = ["json", "har", "md"];

/// Starts an app that accepts faxes, and gives this response to the callback of a received fax.
async fn app(done: ResponseTemplate) -> MockServer {
    let app = MockServer::start().await;
    let twiml = ResponseTemplate::new(200).set_body_raw(RECEIVE, "text/xml");
    Mock::given(path("/fax")).respond_with(twiml).mount(&app).await;
    Mock::given(path("/done")).respond_with(done).mount(&app).await;
    app
}

/// Starts an emulator whose only account has its app at this URL.
async fn bench(voice_url: &str) -> (Host, Bench) {
    of(setup(voice_url)).await
}

/// Starts an emulator whose only account has this setup.
async fn of(setup: AccountSetup) -> (Host, Bench) {
    let host = Host::with(settings(Pace::Max), &ClientOptions::default(), setup);
    let bench = Bench::of(host.registry.clone()).await;
    (host, bench)
}

/// Exports a conversation, and returns the response's headers and text.
async fn export(bench: &Bench, fax: &str, format: &str) -> (HeaderMap, String) {
    let target = format!("{BASE}/faxes/{fax}/conversation.{format}");
    let request = Request::get(&target).header(header::HOST, "localhost:8329").body(Body::empty()).expect("a request");
    let response = bench.send(request).await;
    assert_eq!(response.status(), 200, "{target}");
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body");
    (parts.headers, String::from_utf8(body.to_vec()).expect("text"))
}

/// Exports a conversation as JSON or HAR, and checks the response against the OpenAPI document.
async fn json_of(bench: &Bench, fax: &str, format: &str) -> Value {
    bench.ok("GET", &format!("/faxes/{fax}/conversation.{format}"), Value::Null).await
}

/// Receives a fax or a call, waits for its end, and returns its SID.
async fn receive(bench: &Bench, outcome: &str) -> String {
    let conversation = bench.ok("POST", "/incoming-faxes?wait=true", json!({})).await;
    assert_eq!(conversation["outcome"], outcome, "{conversation}");
    conversation["fax_sid"].as_str().expect("a SID").to_owned()
}

/// Whether a value has the type that a field requires.
type IsKind = fn(&Value) -> bool;

/// The fields that HAR 1.2 requires of an entry and two that fauxfax adds, each with the type of its value.
const REQUIRED: [(&str, IsKind); 26] = [
    ("/startedDateTime", Value::is_string),
    ("/time", Value::is_number),
    ("/cache", Value::is_object),
    ("/timings/send", Value::is_number),
    ("/timings/wait", Value::is_number),
    ("/timings/receive", Value::is_number),
    ("/request/method", Value::is_string),
    ("/request/url", Value::is_string),
    ("/request/httpVersion", Value::is_string),
    ("/request/cookies", Value::is_array),
    ("/request/headers", Value::is_array),
    ("/request/queryString", Value::is_array),
    ("/request/headersSize", Value::is_number),
    ("/request/bodySize", Value::is_number),
    ("/response/status", Value::is_number),
    ("/response/statusText", Value::is_string),
    ("/response/httpVersion", Value::is_string),
    ("/response/cookies", Value::is_array),
    ("/response/headers", Value::is_array),
    ("/response/content/size", Value::is_number),
    ("/response/content/mimeType", Value::is_string),
    ("/response/redirectURL", Value::is_string),
    ("/response/headersSize", Value::is_number),
    ("/response/bodySize", Value::is_number),
    ("/_purpose", Value::is_string),
    ("/_fax_sid", Value::is_string),
];

/// Checks that a HAR file has everything that the specification and browsers require, and returns its entries.
fn entries(har: &Value) -> &[Value] {
    let log = &har["log"];
    assert_eq!((&log["version"], &log["creator"]["name"]), (&json!("1.2"), &json!("fauxfax")));
    assert!(log["creator"]["version"].is_string() && log["comment"].is_string());
    let page = &log["pages"][0];
    assert!(page["startedDateTime"].is_string() && page["title"].is_string() && page["pageTimings"].is_object());
    let entries = log["entries"].as_array().expect("entries");
    for entry in entries {
        assert_eq!(entry["pageref"], page["id"]);
        for (at, is_kind) in REQUIRED {
            assert!(entry.pointer(at).is_some_and(is_kind), "{at}: {entry:#}");
        }
        let data = &entry["request"]["postData"];
        // The specification allows either `params` or `text`, but not both.
        let has_one = data["params"].is_array() != data["text"].is_string();
        assert!(data.is_null() || data["mimeType"].is_string() && has_one, "{data}");
    }
    entries
}

#[tokio::test]
async fn a_received_fax_is_exported_in_each_format() {
    let app = app(ResponseTemplate::new(204)).await;
    let (host, bench) = bench(&format!("{}/fax", app.uri())).await;
    let fax = receive(&bench, "received").await;
    // The app fetches the fax, and this request is part of the conversation too.
    assert_eq!(host.call("GET", &format!("/v1/Faxes/{fax}"), "").await.status, 200);
    let json = json_of(&bench, &fax, "json").await;
    assert_eq!((&json["outcome"], &json["service"]), (&json!("received"), &json!("twilio")));
    assert_eq!((&json["account_sid"], &json["fax"]["sid"]), (&json!(account().to_string()), &json!(fax)));
    assert_eq!((&json["evicted"], &json["missed"]), (&json!(0), &json!(0)));
    let events = bench.ok("GET", &format!("/events?fax={fax}"), Value::Null).await;
    assert_eq!(json["events"], events["events"]);
    let har = json_of(&bench, &fax, "har").await;
    let purposes: Vec<_> = entries(&har).iter().map(|entry| entry["_purpose"].clone()).collect();
    assert_eq!(purposes, ["fax-url", "action", "rest-api"]);
    let call = &entries(&har)[2]["request"];
    assert_eq!(
        (&call["method"], &call["url"]),
        (&json!("GET"), &json!(format!("http://localhost:8329/v1/Faxes/{fax}")))
    );
    let (_, text) = export(&bench, &fax, "md").await;
    assert!(text.starts_with(&format!("### Fax `{fax}`: received\n")) && !text.contains("<details>"), "{text}");
    let types = ["application/json", "application/json", "text/markdown; charset=utf-8"];
    for (format, media_type) in FORMATS.iter().zip(types) {
        let (headers, _) = export(&bench, &fax, format).await;
        assert_eq!(headers[header::CONTENT_TYPE], media_type);
        assert_eq!(headers[header::CONTENT_DISPOSITION], format!("attachment; filename=\"{fax}.{format}\"").as_str());
    }
}

#[tokio::test]
async fn a_call_that_no_app_took_is_exported_with_the_reason() {
    let (_host, bench) = bench("http://127.0.0.1:9/fax").await;
    let call = receive(&bench, "not-answered").await;
    let json = json_of(&bench, &call, "json").await;
    assert_eq!((&json["outcome"], &json["fax"]["status"]), (&json!("not-answered"), &json!("not-answered")));
    assert_eq!(json["fax"]["error_code"], 11202, "the error is that of the call, since there is no fax: {json:#}");
    let har = json_of(&bench, &call, "har").await;
    let asked = &entries(&har)[0];
    let error = asked["response"]["_error"].as_str().expect("an error");
    assert!(asked["response"]["status"] == 0 && error.starts_with("connection refused"), "{asked:#}");
    let (_, text) = export(&bench, &call, "md").await;
    for expected in
        ["**not-answered**", "inbound · from `+", "<details>", "connection refused", "FaxSid=", "no response"]
    {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[tokio::test]
async fn a_sent_fax_whose_document_cannot_be_fetched_shows_the_fetch() {
    let (host, bench) = bench("http://127.0.0.1:9/fax").await;
    let form = "From=%2B15005550006&To=%2B15558675310&MediaUrl=http%3A%2F%2F127.0.0.1%3A9%2Fa.pdf";
    let created = host.call("POST", "/v1/Faxes", form).await;
    let fax = created.json()["sid"].as_str().expect("a SID").to_owned();
    bench.ok("GET", &format!("/wait?fax={fax}&for=settled"), Value::Null).await;
    let har = json_of(&bench, &fax, "har").await;
    let purposes: Vec<_> = entries(&har).iter().map(|entry| entry["_purpose"].clone()).collect();
    assert!(purposes.contains(&json!("rest-api")) && purposes.contains(&json!("media-url")), "{purposes:?}");
    let (_, text) = export(&bench, &fax, "md").await;
    for expected in ["outbound · from", "**failed** · error ", "media-url: <code>GET http://127.0.0.1:9/a.pdf</code>"]
    {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[tokio::test]
async fn a_deleted_fax_is_exported_from_its_events() {
    let app = app(ResponseTemplate::new(204)).await;
    let (host, bench) = bench(&format!("{}/fax", app.uri())).await;
    let fax = receive(&bench, "received").await;
    assert_eq!(host.call("DELETE", &format!("/v1/Faxes/{fax}"), "").await.status, 204);
    let json = json_of(&bench, &fax, "json").await;
    assert_eq!((&json["outcome"], &json["fax"]), (&json!("received"), &Value::Null));
    let har = json_of(&bench, &fax, "har").await;
    assert_eq!(entries(&har).last().map(|entry| &entry["request"]["method"]), Some(&json!("DELETE")));
    let (_, text) = export(&bench, &fax, "md").await;
    assert!(text.contains(": received\n") && text.contains("it has been deleted"), "{text}");
}

#[tokio::test]
async fn a_fax_of_a_signalwire_account_has_that_services_ids() {
    let app = app(ResponseTemplate::new(204)).await;
    let (_host, bench) = bench("http://127.0.0.1:9/fax").await;
    let number = json!({
        "phone_number": "+15017122661", "voice_receive_mode": "fax", "voice_url": format!("{}/fax", app.uri()),
    });
    let account = bench.ok("POST", "/accounts", json!({ "dialect": "signalwire", "numbers": [number] })).await;
    let project = account["sid"].as_str().expect("a SID");
    let call = bench.ok("POST", &format!("/incoming-faxes?wait=true&account={project}"), json!({})).await;
    let fax = call["fax_sid"].as_str().expect("a SID");
    let target = |format: &str| format!("/faxes/{fax}/conversation.{format}?account={project}");
    let json = bench.ok("GET", &target("json"), Value::Null).await;
    assert_eq!((&json["service"], &json["account_sid"]), (&json!("signalwire"), &json!(project)));
    assert_eq!((&json["fax"]["sid"], &json["outcome"]), (&json!(fax), &json!("received")));
    let har = bench.ok("GET", &target("har"), Value::Null).await;
    assert_eq!(entries(&har).len(), 2, "{har:#}");
}

#[tokio::test]
async fn a_conversation_that_does_not_exist_is_refused_with_the_reason() {
    let app = app(ResponseTemplate::new(204)).await;
    let (_host, bench) = bench(&format!("{}/fax", app.uri())).await;
    let nobody = format!("FX{}", "0".repeat(32));
    for sid in [nobody.as_str(), "nonsense"] {
        for format in FORMATS {
            let target = format!("/faxes/{sid}/conversation.{format}");
            let (status, detail) = bench.refused("GET", &target, Value::Null).await;
            assert!(status == 404 && detail.contains(sid), "{detail}");
        }
    }
    let fax = receive(&bench, "received").await;
    bench.ok("POST", "/reset", Value::Null).await;
    let (status, detail) = bench.refused("GET", &format!("/faxes/{fax}/conversation.md"), Value::Null).await;
    assert!(status == 404 && detail.contains("reset") && detail.contains("all=true&fax="), "{detail}");
    let (_, detail) = bench.refused("GET", &format!("/faxes/{fax}/conversation.txt"), Value::Null).await;
    assert!(detail.contains("conversation.har"), "{detail}");
}

#[tokio::test]
async fn each_format_says_that_the_journal_has_dropped_events() {
    let app = app(ResponseTemplate::new(204)).await;
    let (host, bench) = bench(&format!("{}/fax", app.uri())).await;
    let fax = receive(&bench, "received").await;
    let world = host.world();
    let before = json_of(&bench, &fax, "json").await["events"].as_array().map_or(0, Vec::len);
    let fill = |count: usize| (0..count).for_each(|_| world.note(None, EventKind::CallNotAnswered));
    // All but the last two events of the conversation are dropped.
    fill(JOURNAL_EVENTS_MAX - 2);
    let json = json_of(&bench, &fax, "json").await;
    assert_eq!(json["events"].as_array().map(Vec::len), Some(2), "{before} before");
    assert!(json["missed"] == json["evicted"] && json["missed"].as_u64() > Some(0), "{json}");
    let har = json_of(&bench, &fax, "har").await;
    assert!(har["log"]["comment"].as_str().is_some_and(|comment| comment.starts_with("Incomplete: ")), "{har}");
    let (_, text) = export(&bench, &fax, "md").await;
    assert!(text.contains("\nIncomplete: the journal has dropped"), "{text}");
    // A later fax is complete, although events were dropped.
    let later = receive(&bench, "received").await;
    let json = json_of(&bench, &later, "json").await;
    assert!(json["missed"] == 0 && json["evicted"].as_u64() > Some(0), "{json}");
    assert!(!export(&bench, &later, "md").await.1.contains("Incomplete"));
    assert_eq!(host.call("DELETE", &format!("/v1/Faxes/{fax}"), "").await.status, 204);
    fill(JOURNAL_EVENTS_MAX);
    let (status, detail) = bench.refused("GET", &format!("/faxes/{fax}/conversation.json"), Value::Null).await;
    assert!(status == 404 && detail.contains("dropped its events"), "{detail}");
}

#[tokio::test]
async fn no_export_contains_the_accounts_token_or_a_password() {
    let page = format!("<h1>Error</h1>\n````\n</details> TWILIO_AUTH_TOKEN={LONG_TOKEN} @everybody");
    let app = app(ResponseTemplate::new(500).set_body_raw(page, "text/html")).await;
    let url = format!("{}/fax?token=t0ken", app.uri().replace("http://", "http://user:p4ssword@"));
    let (_host, bench) = of(AccountSetup { auth_token: Some(LONG_TOKEN.into()), ..setup(&url) }).await;
    let fax = receive(&bench, "received").await;
    for format in FORMATS {
        let (_, text) = export(&bench, &fax, format).await;
        assert!(!text.contains(LONG_TOKEN) && !text.contains("p4ssword"), "{format}: {text}");
        assert!(text.contains("TWILIO_AUTH_TOKEN=***"), "{format}: {text}");
        // JSON has the events as GET /events shows them. HAR and Markdown are meant to be shared with others, so they
        // leave out the values of secret parameters.
        assert_eq!(text.contains("t0ken"), format == "json", "{format}: {text}");
    }
}

/// Replaces everything that differs from run to run: the app's address, signatures, dates and durations.
fn steady(text: &str, app: &MockServer) -> String {
    let authority = app.uri().replace("http://", "");
    let line = |line: &str| {
        let line = line.replace(&authority, "app");
        for header in ["X-Twilio-Signature: ", "x-twilio-signature: ", "date: "] {
            if line.starts_with(header) {
                return format!("{header}…");
            }
        }
        match line.split_once(" in ").and_then(|(before, after)| Some((before, after.split_once(" ms")?.1))) {
            Some((before, after)) => format!("{before} in 0 ms{after}"),
            None => line,
        }
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn steady_har(mut har: Value, app: &MockServer) -> String {
    for entry in har["log"]["entries"].as_array_mut().expect("entries") {
        entry["time"] = json!(0);
        entry["timings"]["wait"] = json!(0);
        entry["startedDateTime"] = json!("…");
        for side in ["request", "response"] {
            for header in entry[side]["headers"].as_array_mut().expect("headers") {
                let name = header["name"].as_str().expect("a name").to_ascii_lowercase();
                if name == "date" || name == "x-twilio-signature" {
                    header["value"] = json!("…");
                }
            }
        }
    }
    steady(&format!("{har:#}"), app)
}

#[tokio::test]
async fn the_export_of_a_failed_callback_is_as_in_the_snapshots() {
    let page = "Traceback (most recent call last):\n  File \"app.py\", line 7\n```\nKeyError: 'MediaUrl' | <b>\n";
    let app = app(ResponseTemplate::new(500).set_body_raw(page, "text/plain")).await;
    let (_host, bench) = bench(&format!("{}/fax", app.uri())).await;
    bench.ok("PUT", "/clock", json!({ "mode": "frozen" })).await;
    bench.ok("POST", "/clock/advance", json!({ "to": "2030-01-01T00:00:00Z" })).await;
    let call = bench.ok("POST", "/incoming-faxes", json!({ "pages": 2, "from": "+15558675310" })).await;
    bench.ok("POST", "/clock/drain", Value::Null).await;
    let fax = call["fax_sid"].as_str().expect("a SID");
    insta::assert_snapshot!("a_failed_callback_as_markdown", steady(&export(&bench, fax, "md").await.1, &app));
    let har = json_of(&bench, fax, "har").await;
    entries(&har);
    insta::assert_snapshot!("a_failed_callback_as_har", steady_har(har, &app));
}

#[expect(clippy::disallowed_methods, reason = "waiting for a program must not block the server")]
async fn run(url: &str, account: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fauxfax"));
    command.args(arguments).args(["--url", url, "--account", account]);
    tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.expect("it ends")
}

#[tokio::test]
async fn the_command_line_prints_a_conversation_as_har_or_markdown() {
    let emulator = Emulator::builder().start().await.expect("the emulator starts");
    let account = emulator.account().expect("an account");
    account.number("+15005550006").expect("a number");
    let (url, sid) = (emulator.url(), account.sid().to_string());
    let receive = run(&url, &sid, &["receive"]).await;
    let told = String::from_utf8_lossy(&receive.stdout).into_owned();
    let at = told.find("FX").unwrap_or_else(|| panic!("{told}{}", String::from_utf8_lossy(&receive.stderr)));
    let fax = &told[at..at + 34];
    let har = run(&url, &sid, &["events", "--fax", fax, "--har"]).await;
    assert!(har.status.success(), "{}", String::from_utf8_lossy(&har.stderr));
    entries(&serde_json::from_slice(&har.stdout).expect("JSON"));
    for flag in ["--markdown", "--md"] {
        let output = run(&url, &sid, &["events", "--fax", fax, flag]).await;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.starts_with(&format!("### Fax `{fax}`: ")) && text.ends_with(".\n"), "{text}");
    }
    let cases: [(&[&str], i32, &str); 6] = [
        (&["--har"], 2, "--fax"),
        (&["--markdown"], 2, "--fax"),
        (&["--fax", fax, "--har", "--json"], 2, "cannot be used with"),
        (&["--fax", fax, "--har", "--md"], 2, "cannot be used with"),
        (&["--fax", "FX/../../x", "--har"], 1, "is not the SID of a fax or call"),
        (&["--fax", "FX00000000000000000000000000000000", "--md"], 1, "there is no fax or call FX"),
    ];
    for (arguments, code, expected) in cases {
        let output = run(&url, &sid, &[&["events"], arguments].concat()).await;
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
        assert!(text.contains(expected), "{arguments:?}: {text}");
    }
    emulator.stop().await;
}
