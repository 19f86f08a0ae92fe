//! Tests, over real HTTP, the requests to apps of SignalWire accounts: parameters, headers, signatures, limits and
//! attempts. Also tests how signing keys are set, shown and imported.

use fauxfax::dialect::signature;
use fauxfax::emulator::{AccountSetup, Settings, World};
use fauxfax::engine::event::{Alert, EventKind};
use fauxfax::engine::export::{MediaForm, State};
use fauxfax::engine::input::{ChangeAccount, ReceiveFax};
use fauxfax::engine::journal::{EventFilter, JOURNAL_EVENTS_MAX};
use fauxfax::io::client::ClientOptions;
use fauxfax::model::account::{AccountChange, CallbackPolicy, Dialect, Service, SignatureHeaders};
use fauxfax::model::number::{NumberChange, ReceiveMode};
use fauxfax::model::sid::{AccountSid, FaxSid};
use fauxfax::model::time::Pace;
use fauxfax::model::webhook::ExchangeFailure;
use serde_json::{Value, json};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::apps::{Manner, app};
use crate::control::Bench;
use crate::host::{Host, PATIENCE, settings};
use crate::script::{OWN, call, letter};

const PROJECT: &str = "b3877c40-da60-4998-90ad-b792e98472ac";
const TOKEN: &str = "PT0123456789";
const KEY: &str = "PSK_localtestsigningkey0001";

fn project() -> AccountSid {
    PROJECT.parse().expect("a project's UUID")
}

fn setup(number: NumberChange) -> AccountSetup {
    AccountSetup {
        sid: Some(project()),
        auth_token: Some(TOKEN.into()),
        signing_key: Some(KEY.into()),
        numbers: vec![(OWN, NumberChange { voice_receive_mode: Some(ReceiveMode::Fax), ..number })],
        ..AccountSetup::default()
    }
}

/// Creates an emulator with the project, whose fax number has this URL and fallback URL.
fn host(voice_url: &str, fallback: Option<&str>) -> Host {
    Host::new(setup(NumberChange {
        voice_url: Some(voice_url.into()),
        voice_fallback_url: fallback.map(Into::into),
        ..NumberChange::default()
    }))
}

fn world(host: &Host) -> World {
    host.registry.world(project()).expect("the project")
}

fn ring(host: &Host) -> FaxSid {
    world(host).handle(ReceiveFax { document: letter(1), ..call(1) }).expect("the call rings").sid
}

/// Waits until the world is idle, and returns the codes and messages of its alerts.
async fn alerts(host: &Host) -> Vec<(u32, String)> {
    let world = world(host);
    let idle = world.until(|engine| engine.is_idle().then_some(()));
    tokio::time::timeout(PATIENCE, idle).await.expect("the world becomes idle");
    let events = world.read(|engine| engine.events(&EventFilter::default(), JOURNAL_EVENTS_MAX));
    let told = |alert: &Alert| (Dialect::SignalWire.code(alert.fault), alert.message.to_string());
    let alert = |kind: &EventKind| if let EventKind::Alert(alert) = kind { Some(told(alert)) } else { None };
    events.iter().filter_map(|event| alert(&event.kind)).collect()
}

async fn codes(host: &Host) -> Vec<u32> {
    alerts(host).await.into_iter().map(|(code, _)| code).collect()
}

async fn requests(server: &MockServer, path: &str) -> Vec<Request> {
    let all = server.received_requests().await.expect("recorded");
    all.into_iter().filter(|request| request.url.path() == path).collect()
}

fn fields(body: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(body).into_owned().collect()
}

fn names(fields: &[(String, String)]) -> Vec<&str> {
    fields.iter().map(|(name, _)| name.as_str()).collect()
}

fn value<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
    fields.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value)
}

fn cxml(body: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(format!("<Response>{body}</Response>"), "application/xml")
}

/// Starts an app that serves a document and these responses.
async fn server(responses: &[(&str, ResponseTemplate)]) -> MockServer {
    let server = MockServer::start().await;
    let pdf = ResponseTemplate::new(200).set_body_raw(fauxfax::document::sample::test_pages(1), "application/pdf");
    Mock::given(path("/a.pdf")).respond_with(pdf).mount(&server).await;
    for (at, response) in responses {
        Mock::given(path(*at)).respond_with(response.clone()).mount(&server).await;
    }
    server
}

/// Creates a fax over REST. Returns the status of the response and the error code, or 0 if there is no error.
async fn send(host: &Host, server: &MockServer, more: &str) -> (u16, u64) {
    let form = format!("To=%2B15556677999&From=%2B15005550006&MediaUrl={}/a.pdf{more}", server.uri());
    let target = format!("/api/laml/2010-04-01/Accounts/{PROJECT}/Faxes");
    let answer = host.call_as((PROJECT, TOKEN), "POST", &target, &form).await;
    if answer.status < 300 { (answer.status, 0) } else { answer.error() }
}

/// Checks the vectors from SignalWire's own tests, and from the validators that it publishes on npm and PyPI.
#[test]
fn the_published_signature_vectors_hold() {
    let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let fax = pairs(&[
        ("FaxSid", "831455c6-574e-4d8b-b6ee-2418140bf4cd"),
        ("AccountSid", PROJECT),
        ("From", "+15556677888"),
        ("To", "+15556677999"),
        ("RemoteStationId", "+15556677999"),
        ("FaxStatus", "delivered"),
        ("ApiVersion", "v1"),
        ("NumPages", "1"),
        ("MediaSid", "aff0684c-3445-49bc-802b-3a0a488139f5"),
        ("MediaUrl", "http://127.0.0.1:4010/files/a.pdf"),
        ("OriginalMediaUrl", "https://e.com/a.pdf"),
        ("Timestamp", "2026-01-13T21:54:46Z"),
    ]);
    assert_eq!(signature::of_form(KEY, "https://example.com/fax/status?job=7", &fax), "1QiDXpX4kmy+WWegeix4MU3Kju8=");
    let voice = pairs(&[
        ("AccountSid", "6bfbbe86-a901-4197-8759-2a0de1fa319d"),
        ("ApiVersion", "2010-04-01"),
        ("CallbackSource", "call-progress-events"),
        ("CallSid", "0703574f-b151-465d-aedb-28972eb513c7"),
        ("CallStatus", "busy"),
        ("Direction", "outbound-api"),
        ("From", "sip:+17063958228@sip.swire.io"),
        ("HangupBy", "sip:jpsantos@joaosantos-2a0de1fa319d.sip.swire.io"),
        ("HangupDirection", "inbound"),
        ("Timestamp", "Thu, 09 Nov 2023 17:05:04 +0000"),
        ("To", "sip:jpsantos@joaosantos-2a0de1fa319d.sip.swire.io"),
        ("SipResultCode", "486"),
    ]);
    let signed =
        signature::of_form("PSK_V3bF8oyeRNpJWGoRWHNYQMUU", "http://0aac-189-71-169-171.ngrok-free.app/voice", &voice);
    assert_eq!(signed, "lf3nWPmUr2y6jSeeoMW4mg58vgI=");
}

#[tokio::test]
async fn the_number_and_the_action_get_the_captured_parameters_signed_with_the_signing_key() {
    let receive = cxml(
        "<Receive action=\"/done?job=7\" mediaType=\"image/tiff\" pageSize=\"a4\" method=\"POST\" storeMedia=\"true\"/>",
    );
    let server = server(&[("/fax", receive), ("/done", ResponseTemplate::new(200))]).await;
    let host = host(&format!("{}/fax", server.uri()), None);
    ring(&host);
    assert_eq!(alerts(&host).await, []);
    let (asked, told) = (requests(&server, "/fax").await, requests(&server, "/done").await);
    let ([asked], [told]) = (&asked[..], &told[..]) else { panic!("not exactly one request each") };
    let params = fields(&asked.body);
    assert_eq!(names(&params), ["FaxSid", "AccountSid", "From", "To", "ApiVersion"]);
    assert_eq!((value(&params, "AccountSid"), value(&params, "ApiVersion")), (PROJECT, "v1"));
    let params = fields(&told.body);
    let expected = [
        "FaxSid",
        "AccountSid",
        "From",
        "To",
        "RemoteStationId",
        "FaxStatus",
        "ApiVersion",
        "NumPages",
        "MediaSid",
        "MediaUrl",
        "Timestamp",
    ];
    assert_eq!(names(&params), expected);
    assert_eq!((value(&params, "FaxStatus"), value(&params, "NumPages")), ("received", "1"));
    assert!(
        value(&params, "Timestamp").ends_with('Z') && value(&params, "MediaUrl").contains(value(&params, "FaxSid"))
    );
    for (request, at) in [(asked, "/fax"), (told, "/done?job=7")] {
        let header = |name: &str| request.headers.get(name).map(|value| value.to_str().expect("text"));
        let expected = signature::of_form(KEY, &format!("{}{at}", server.uri()), &fields(&request.body));
        assert_eq!(header("x-signalwire-signature"), Some(expected.as_str()));
        assert_eq!((header("user-agent"), header("accept")), (Some("SignalwireCallback/1.0"), Some("*/*")));
        assert_eq!(header("content-type"), Some("application/x-www-form-urlencoded"));
        assert_eq!((header("x-twilio-signature"), header("i-twilio-idempotency-token")), (None, None));
    }
}

#[tokio::test]
async fn twilios_header_optionally_has_the_same_value_and_the_token_signs_without_a_signing_key() {
    let server = server(&[("/fax", cxml("<Reject/>"))]).await;
    let options = ClientOptions { signature_headers: SignatureHeaders::Both, ..ClientOptions::default() };
    let url = format!("{}/fax", server.uri());
    let number = NumberChange { voice_url: Some(url.as_str().into()), ..NumberChange::default() };
    let host = Host::with(settings(Pace::Max), &options, AccountSetup { signing_key: None, ..setup(number) });
    ring(&host);
    assert_eq!(alerts(&host).await, []);
    let change = AccountChange { signing_key: Some(Some(KEY.into())), ..AccountChange::default() };
    world(&host).handle(ChangeAccount(change)).expect("changed");
    ring(&host);
    assert_eq!(alerts(&host).await, []);
    let requests = requests(&server, "/fax").await;
    for (request, key) in requests.iter().zip([TOKEN, KEY]) {
        let expected = signature::of_form(key, &url, &fields(&request.body));
        for header in ["x-signalwire-signature", "x-twilio-signature"] {
            assert_eq!(request.headers[header], expected.as_str(), "{header}");
        }
    }
}

#[tokio::test]
async fn a_status_callback_gets_the_requested_events_with_the_requested_method() {
    for (more, statuses) in [
        ("", &["delivered"][..]),
        ("&StatusCallbackEvent=", &["delivered"]),
        ("&StatusCallbackEvent=answered", &["sending"]),
        ("&StatusCallbackEvent%5B%5D=answered&StatusCallbackEvent%5B%5D=completed", &["sending", "delivered"]),
        ("&StatusCallbackEvent=initiated&StatusCallbackEvent=completed", &["processing", "delivered"]),
        ("&StatusCallbackEvent=ringing,answered%20completed", &["processing", "sending", "delivered"]),
        ("&StatusCallbackEvent=ringing_forwarded,ringing_queued", &[]),
        ("&StatusCallbackMethod=GET", &["delivered"]),
    ] {
        let server = server(&[("/status", ResponseTemplate::new(200))]).await;
        let host = host("http://127.0.0.1:9/fax", None);
        let callback = format!("&StatusCallback={}/status%3Fjob=7{more}", server.uri());
        assert_eq!(send(&host, &server, &callback).await, (201, 0), "{more}");
        assert_eq!(alerts(&host).await, [], "{more}");
        let told = requests(&server, "/status").await;
        let is_get = more.ends_with("GET");
        let sent = |request: &Request| {
            assert_eq!(request.method.as_str(), if is_get { "GET" } else { "POST" });
            if is_get { request.url.query_pairs().into_owned().collect() } else { fields(&request.body) }
        };
        let told: Vec<Vec<(String, String)>> = told.iter().map(sent).collect();
        let entered: Vec<&str> = told.iter().map(|params| value(params, "FaxStatus")).collect();
        assert_eq!(entered, statuses, "{more}");
    }
}

#[tokio::test]
async fn the_last_callback_of_a_sent_fax_has_its_documented_parameters() {
    let server = server(&[("/status", ResponseTemplate::new(200))]).await;
    let host = host("http://127.0.0.1:9/fax", None);
    send(&host, &server, &format!("&StatusCallback={}/status", server.uri())).await;
    assert_eq!(alerts(&host).await, []);
    let told = requests(&server, "/status").await;
    let params = fields(&told[0].body);
    let expected = [
        "FaxSid",
        "AccountSid",
        "From",
        "To",
        "RemoteStationId",
        "FaxStatus",
        "ApiVersion",
        "NumPages",
        "MediaSid",
        "MediaUrl",
        "OriginalMediaUrl",
        "Timestamp",
    ];
    assert_eq!((told.len(), names(&params)), (1, expected.to_vec()));
    assert_eq!(value(&params, "OriginalMediaUrl"), format!("{}/a.pdf", server.uri()));
}

#[tokio::test]
async fn wrong_callback_parameters_are_refused_with_their_codes() {
    let server = server(&[]).await;
    let host = host("http://127.0.0.1:9/fax", None);
    for (more, code) in [
        ("&StatusCallbackMethod=PUT", 21209),
        ("&StatusCallbackEvent=delivered", 21626),
        ("&StatusCallbackEvent=,", 21626),
        ("&StatusCallbackEvent=completed&StatusCallbackEvent=x", 21626),
        ("&StatusCallback=nonsense", 21456),
        ("&Ttl=4", 10000),
        ("&Ttl=301", 10000),
    ] {
        assert_eq!(send(&host, &server, more).await, (422, code), "{more}");
    }
    assert_eq!(world(&host).read(|engine| engine.fax_count()), 0);
}

#[tokio::test]
async fn a_status_callback_is_tried_at_most_three_times() {
    for (failures, tries, alerted) in [(1_u8, 2_usize, vec![]), (2, 3, vec![]), (9, 3, vec![11217])] {
        let server = server(&[]).await;
        let failing = ResponseTemplate::new(503);
        Mock::given(path("/status"))
            .respond_with(failing)
            .up_to_n_times(failures.into())
            .with_priority(1)
            .mount(&server)
            .await;
        Mock::given(path("/status")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
        let host = host("http://127.0.0.1:9/fax", None);
        send(&host, &server, &format!("&StatusCallback={}/status", server.uri())).await;
        assert_eq!(codes(&host).await, alerted, "{failures} failures");
        assert_eq!(requests(&server, "/status").await.len(), tries, "{failures} failures");
        let bench = Bench::of(host.registry.clone()).await;
        let list = bench.ok("GET", &format!("/webhooks?account={PROJECT}"), Value::Null).await;
        let told: Vec<_> = list["webhooks"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|webhook| webhook["purpose"] == "status-callback")
            .collect();
        let [told] = told[..] else { panic!("not exactly one webhook: {list}") };
        assert_eq!(told["attempts"].as_array().map(Vec::len), Some(tries), "{told}");
        assert_eq!(told["delivered"], tries > usize::from(failures), "{told}");
    }
}

#[tokio::test]
async fn a_failed_request_to_a_number_or_action_is_sent_to_the_fallback_at_once() {
    let unavailable = || ResponseTemplate::new(503);
    let receive = cxml("<Receive action=\"/done\"/>");
    let server = server(&[("/fax", unavailable()), ("/done", unavailable()), ("/fallback", receive)]).await;
    let host = host(&format!("{}/fax", server.uri()), Some(&format!("{}/fallback", server.uri())));
    ring(&host);
    assert_eq!(codes(&host).await, [11217, 11217], "the number's URL and the action fail");
    assert_eq!((requests(&server, "/fax").await.len(), requests(&server, "/done").await.len()), (1, 1));
    let fallback = requests(&server, "/fallback").await;
    let [asked, told] = &fallback[..] else { panic!("not exactly two requests: {fallback:?}") };
    assert_eq!(
        (value(&fields(&asked.body), "ErrorCode"), value(&fields(&told.body), "FaxStatus")),
        ("11217", "received")
    );
}

#[tokio::test]
async fn signalwires_time_limits_can_be_set_in_the_fragment() {
    for (manner, fragment, failure) in [
        (Manner::Hang, "#rt=200&ct=9&rc=5", ExchangeFailure::ReadTimeout),
        (Manner::Drip, "#tt=300", ExchangeFailure::TotalTimeout),
    ] {
        let app = app(manner).await;
        let host = host(&format!("{}/fax{fragment}", app.url), None);
        ring(&host);
        assert_eq!(codes(&host).await, [11200]);
        let events = world(&host).read(|engine| engine.events(&EventFilter::default(), JOURNAL_EVENTS_MAX));
        let records: Vec<_> = events.iter().filter(|event| event.kind.as_str() == "webhook.attempt").collect();
        let [record] = records[..] else { panic!("not exactly one attempt: {records:?}") };
        let record = record.kind.exchange().expect("a record");
        assert_eq!(record.failure, Some(failure));
        assert!((200..3_000).contains(&record.duration_ms), "{record:?}");
    }
}

#[tokio::test]
async fn three_redirects_are_followed_but_not_a_fourth() {
    let to = |place: &str| ResponseTemplate::new(307).insert_header("Location", place);
    let responses = [("/4", to("/3")), ("/3", to("/2")), ("/2", to("/1")), ("/1", to("/0")), ("/0", cxml("<Reject/>"))];
    let server = server(&responses).await;
    for (from, expected) in [("/3", vec![]), ("/4", vec![11215])] {
        let host = host(&format!("{}{from}", server.uri()), None);
        ring(&host);
        let alerts = alerts(&host).await;
        assert_eq!(alerts.iter().map(|(code, _)| *code).collect::<Vec<_>>(), expected, "{from} {alerts:?}");
        let named = |text: &str| text.contains("too many redirects;") && !text.contains("SignalWire");
        assert!(alerts.iter().all(|(_, text)| named(text)), "{alerts:?}");
    }
}

#[tokio::test]
async fn cxml_needs_its_own_content_type_and_may_have_at_most_64_kb() {
    let body = |length: usize| format!("<Response><Reject/>{}</Response>", " ".repeat(length));
    for (content_type, length, expected) in [
        ("application/xml", 0, vec![]),
        ("text/xml; charset=utf-8", 0, vec![]),
        ("text/plain", 0, vec![12300]),
        ("application/json", 0, vec![12300]),
        ("text/xml", 65 * 1024, vec![11750]),
    ] {
        let response = ResponseTemplate::new(200).set_body_raw(body(length), content_type);
        let server = server(&[("/fax", response)]).await;
        let host = host(&format!("{}/fax", server.uri()), None);
        ring(&host);
        let alerts = alerts(&host).await;
        assert_eq!(alerts.iter().map(|(code, _)| *code).collect::<Vec<_>>(), expected, "{content_type} {alerts:?}");
        assert!(
            alerts.iter().all(|(_, text)| !text.contains("TwiML") && !text.contains("--twiml-types")),
            "{alerts:?}"
        );
    }
}

#[tokio::test]
async fn store_media_is_ignored_with_a_warning_and_a_rejected_fax_is_listed_as_canceled() {
    let receive = cxml("<Receive action=\"/done\" storeMedia=\"false\"/>");
    let server = server(&[("/fax", receive), ("/done", ResponseTemplate::new(200)), ("/no", cxml("<Reject/>"))]).await;
    let host = host(&format!("{}/fax", server.uri()), None);
    ring(&host);
    let alerts = alerts(&host).await;
    assert!(matches!(&alerts[..], [(12100, text)] if text.contains("storeMedia")), "{alerts:?}");
    assert!(!value(&fields(&requests(&server, "/done").await[0].body), "MediaUrl").is_empty());

    let host = self::host(&format!("{}/no", server.uri()), None);
    let sid = ring(&host);
    assert!(codes(&host).await.is_empty());
    let target = format!("/2010-04-01/Accounts/{PROJECT}/Faxes.json");
    let list = host.call_as((PROJECT, TOKEN), "GET", &target, "").await.json();
    let fax = &list["faxes"][0];
    assert_eq!((fax["sid"].as_str(), fax["status"].as_str()), (Some(&*sid.to_string()), Some("canceled")));
}

#[tokio::test]
async fn a_fax_without_a_ttl_is_tried_once_whatever_the_callback_policy() {
    let server = server(&[("/status", ResponseTemplate::new(200))]).await;
    let mut settings = settings(Pace::Max);
    settings.options.callbacks = CallbackPolicy::QueuedAndFinal;
    let host = Host::with(settings, &ClientOptions::default(), setup(NumberChange::default()));
    let form =
        format!("To=%2B15005550101&From=%2B15005550006&MediaUrl={0}/a.pdf&StatusCallback={0}/status", server.uri());
    let target = format!("/2010-04-01/Accounts/{PROJECT}/Faxes");
    let fax = host.call_as((PROJECT, TOKEN), "POST", &target, &form).await.json();
    assert!(fax.get("ttl").is_none() && fax["status"] == "queued", "{fax}");
    codes(&host).await;
    let told = requests(&server, "/status").await;
    let statuses: Vec<_> = told.iter().map(|request| value(&fields(&request.body), "FaxStatus").to_owned()).collect();
    assert_eq!(statuses, ["busy"]);
}

#[tokio::test]
async fn the_control_api_sets_and_shows_the_signing_key_and_explains_signatures_made_with_it() {
    let bench = Bench::new().await;
    let order = json!({ "sid": PROJECT, "auth_token": TOKEN, "signing_key": KEY });
    let account = bench.ok("POST", "/accounts", order).await;
    assert_eq!((&account["dialect"], &account["signing_key"]), (&json!("signalwire"), &json!(KEY)));
    let target = format!("/accounts/{PROJECT}");
    for (given, shown) in [(json!(null), TOKEN), (json!("PSK_other"), "PSK_other")] {
        let account = bench.ok("POST", &target, json!({ "signing_key": given })).await;
        assert_eq!((&account["signing_key"], &account["auth_token"]), (&json!(shown), &json!(TOKEN)));
    }
    assert_eq!(bench.ok("GET", &target, Value::Null).await["signing_key"], "PSK_other");
    let state = bench.ok("GET", &format!("/state?account={PROJECT}"), Value::Null).await;
    assert_eq!(state["account"]["signing_key"], "PSK_other", "{}", state["account"]);
    for (key, told) in [("", "1 to 256 characters"), ("a\nb", "control character")] {
        let refused = bench.refused("POST", &target, json!({ "signing_key": key })).await;
        assert!(refused.0 == 422 && refused.1.contains(told), "{refused:?}");
    }
    let refused = bench.refused("POST", "/accounts", json!({ "signing_key": KEY })).await;
    assert!(refused.0 == 422 && refused.1.contains("auth_token signs"), "{refused:?}");

    let (url, params) = ("http://app.test/fax", json!({ "FaxSid": "1" }));
    let sign = |key: &str| signature::of_form(key, url, &[("FaxSid".to_owned(), "1".to_owned())]);
    let explain = async |signature: &str| {
        let question = json!({ "url": url, "params": params, "signature": signature });
        bench.ok("POST", &format!("/explain-signature?account={PROJECT}"), question).await
    };
    let valid = explain(&sign("PSK_other")).await;
    let expected = (&json!(true), &json!("X-SignalWire-Signature"), &json!("signing key"));
    assert_eq!((&valid["valid"], &valid["header"], &valid["key"]), expected);
    for sid in ["0b2f19a8-7b0e-4b05-9a57-0d1e3d5b2f11", "f0000000-0000-4000-8000-000000000000"] {
        bench.ok("POST", "/accounts", json!({ "sid": sid, "auth_token": TOKEN })).await;
        let by_token = explain(&sign(TOKEN)).await;
        assert_eq!(by_token["mistake"], "wrong-token", "{by_token}");
        let detail = by_token["detail"].as_str().expect("a string");
        assert!(detail.contains("the API token") && !detail.contains(TOKEN), "{detail}");
        assert!(!detail.contains("another account"), "the account's own token comes first: {detail}");
    }
}

#[tokio::test]
async fn a_state_with_a_key_or_a_service_that_no_account_of_its_dialect_can_have_is_refused() {
    let bench = Bench::new().await;
    bench.ok("POST", "/accounts", json!({ "sid": PROJECT, "auth_token": TOKEN, "signing_key": KEY })).await;
    let twilios = bench.account().await;
    let retired = "must be full for a SignalWire account: SignalWire hasn't retired faxes and has no test credentials";
    for (sid, field, bad, why) in [
        (PROJECT, "signing_key", "", "must have 1 to 256 characters, none of them a control character"),
        (PROJECT, "signing_key", "bad\nkey", "must have 1 to 256 characters, none of them a control character"),
        (&twilios, "signing_key", KEY, "must be left out of a Twilio account, whose token signs its webhooks"),
        (PROJECT, "service", "retired", retired),
        (PROJECT, "service", "test-credentials", retired),
    ] {
        let target = format!("/state?account={sid}");
        let state = bench.ok("GET", &target, Value::Null).await;
        let mut forged = state.clone();
        forged["account"][field] = json!(bad);
        let refused = bench.refused("PUT", &target, forged).await;
        assert_eq!(refused, (422, format!("account.{field}: {why}; the world is unchanged")));
        assert_eq!(bench.ok("GET", &target, Value::Null).await["account"], state["account"]);
        bench.ok("PUT", &target, state).await;
    }
}

#[tokio::test]
async fn the_control_api_retires_no_signalwire_account() {
    let bench = Bench::of(
        Host::with(
            Settings { service: Service::Retired, ..settings(Pace::Max) },
            &ClientOptions::default(),
            AccountSetup::default(),
        )
        .registry,
    )
    .await;
    let account = bench.ok("POST", "/accounts", json!({ "sid": PROJECT })).await;
    assert_eq!(account["service"], "full", "the general setting applies only to Twilio accounts");
    assert_eq!(bench.ok("POST", "/accounts", json!({})).await["service"], "retired");
    for service in ["retired", "test-credentials"] {
        for (target, order) in [
            ("/accounts", json!({ "dialect": "signalwire", "service": service })),
            (&*format!("/accounts/{PROJECT}"), json!({ "service": service })),
        ] {
            let refused = bench.refused("POST", target, order).await;
            assert!(refused.0 == 422 && refused.1.starts_with("service: must be full for a SignalWire"), "{refused:?}");
        }
    }
    bench.ok("POST", &format!("/accounts/{PROJECT}"), json!({ "service": "full" })).await;
}

#[tokio::test]
async fn importing_a_state_gives_its_signing_key_to_an_account_without_one() {
    let host = host("http://127.0.0.1:9/fax", None);
    let state =
        world(&host).read(|engine| engine.state(false, engine.latest()).to_json(MediaForm::Inline)).expect("written");
    for (own, expected) in [(None, KEY), (Some("PSK_own"), "PSK_own")] {
        let setup = AccountSetup { signing_key: own.map(Into::into), ..setup(NumberChange::default()) };
        let other = Host::new(setup);
        let read = State::of_json(&state, &[]).expect("a valid state");
        other.registry.load_state(&world(&other), read).expect("loaded");
        assert_eq!(
            world(&other).read(|engine| engine.account().webhook_key().map(str::to_owned)).as_deref(),
            Some(expected)
        );
    }
}
