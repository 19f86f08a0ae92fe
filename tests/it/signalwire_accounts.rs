//! Tests SignalWire accounts: how they are created, how the control API presents them, the URLs of their media, and how
//! their faxes fail.

use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, header};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use fauxfax::emulator::{AccountSetup, GuardOptions, Registry, Settings};
use fauxfax::http;
use fauxfax::io::client::ClientOptions;
use fauxfax::model::number::{NumberChange, ReceiveMode};
use fauxfax::model::sid::AccountSid;
use fauxfax::model::time::Pace;
use serde_json::{Value, json};
use tower::ServiceExt;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::control::Bench;
use crate::host::{Host, settings};
use crate::script::OWN;

const PROJECT: &str = "831455c6-574e-4d8b-b6ee-2418140bf4cd";
const TOKEN: &str = "PT0123";
const LETTER: &[u8] = include_bytes!("../../fixtures/documents/two-pages.pdf");
const RECEIVE: &str = "<Response><Receive action=\"/received\"/></Response>";
const FILES: &str = "https://files.signalwire.com/";

/// An emulator whose default account is a SignalWire project, and the project's app.
struct Project {
    bench: Bench,
    app: MockServer,
}

impl Project {
    async fn new() -> Self {
        Self::with(settings(Pace::Max)).await
    }

    async fn with(settings: Settings) -> Self {
        let app = MockServer::start().await;
        let on = |at: &str, answer: ResponseTemplate| Mock::given(path(at)).respond_with(answer);
        on("/fax", ResponseTemplate::new(200).set_body_raw(RECEIVE, "text/xml")).mount(&app).await;
        on("/received", ResponseTemplate::new(200).set_body_raw("<Response/>", "text/xml")).mount(&app).await;
        on("/status", ResponseTemplate::new(200).set_body_raw("<Response/>", "text/xml")).mount(&app).await;
        let letter = ResponseTemplate::new(200).set_body_raw(LETTER, "application/pdf");
        Mock::given(method("GET")).and(path("/letter.pdf")).respond_with(letter).mount(&app).await;
        let number = NumberChange {
            voice_receive_mode: Some(ReceiveMode::Fax),
            voice_url: Some(format!("{}/fax", app.uri()).into()),
            ..NumberChange::default()
        };
        let setup = AccountSetup {
            sid: Some(PROJECT.parse().expect("a UUID")),
            auth_token: Some(TOKEN.into()),
            numbers: vec![(OWN, number)],
            ..AccountSetup::default()
        };
        let Host { registry } = Host::with(settings, &ClientOptions::default(), setup);
        Self { bench: Bench::of(registry).await, app }
    }

    /// Makes a REST call as the project, with this host name.
    async fn rest(&self, host: &str, method: &str, target: &str, form: &str) -> Value {
        let basic = BASE64_STANDARD.encode(format!("{PROJECT}:{TOKEN}"));
        let target = format!("/api/laml/2010-04-01/Accounts/{PROJECT}{target}");
        let request = Request::builder().method(method).uri(target).header(header::HOST, host);
        let request = request.header(header::AUTHORIZATION, format!("Basic {basic}"));
        let response = send(&self.bench.registry, request.body(Body::from(form.to_owned())).expect("a request")).await;
        let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{error}: {bytes:?}"))
    }

    /// Sends a fax to a number and waits until it has ended.
    async fn send(&self, to: &str) -> Value {
        let form = format!(
            "From=%2B{}&To=%2B{to}&MediaUrl={1}/letter.pdf&StatusCallback={1}/status",
            &OWN.to_string()[1..],
            self.app.uri()
        );
        let fax = self.rest("localhost:8329", "POST", "/Faxes", &form).await;
        let sid = fax["sid"].as_str().unwrap_or_else(|| panic!("refused: {fax}"));
        self.bench.ok("GET", &format!("/wait?fax={sid}&for=settled"), Value::Null).await;
        self.rest("localhost:8329", "GET", &format!("/Faxes/{sid}"), "").await
    }

    /// Returns the parameters of the last webhook that had this purpose and was about this fax.
    async fn told(&self, fax: &Value, purpose: &str) -> Value {
        let sid = fax["sid"].as_str().expect("a SID");
        let webhooks = self.bench.ok("GET", &format!("/webhooks?fax={sid}"), Value::Null).await;
        let all = webhooks["webhooks"].as_array().unwrap_or_else(|| panic!("no list: {webhooks}"));
        let last = all.iter().rfind(|each| each["purpose"] == purpose).unwrap_or_else(|| panic!("none: {webhooks}"));
        last["params"].clone()
    }
}

async fn send(registry: &Registry, request: Request<Body>) -> Response<Body> {
    let service = http::service(registry.clone(), ([127, 0, 0, 1], 8329).into());
    service.oneshot(request).await.expect("an answer")
}

/// Fetches a document by its URL, and returns the status, media type, file name and length.
async fn fetch(registry: &Registry, url: &str, authorization: Option<&str>) -> (u16, String, String, usize) {
    let mut request = Request::get(url);
    if let Some(authorization) = authorization {
        request = request.header(header::AUTHORIZATION, authorization);
    }
    let response = send(registry, request.body(Body::empty()).expect("a request")).await;
    let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let (status, kind, name) =
        (response.status().as_u16(), text(header::CONTENT_TYPE), text(header::CONTENT_DISPOSITION));
    (status, kind, name, to_bytes(response.into_body(), usize::MAX).await.expect("a body").len())
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("no {field}: {value}"))
}

#[tokio::test]
async fn an_accounts_sid_determines_its_dialect_or_vice_versa() {
    let bench = Bench::new().await;
    let minted = bench.ok("POST", "/accounts", json!({ "dialect": "signalwire" })).await;
    assert!(text(&minted, "sid").parse::<AccountSid>().is_ok() && text(&minted, "sid").len() == 36, "{minted}");
    assert_eq!(minted["dialect"], "signalwire");
    assert!(text(&minted, "auth_token").starts_with("PT") && text(&minted, "auth_token").len() == 50, "{minted}");
    let named = bench.ok("POST", "/accounts", json!({ "sid": PROJECT })).await;
    assert_eq!((text(&named, "sid"), text(&named, "dialect")), (PROJECT, "signalwire"));
    let other = "0b2f19a8-7b0e-4b05-9a57-0d1e3d5b2f11";
    let refused = bench.refused("POST", "/accounts", json!({ "sid": other, "dialect": "twilio" })).await;
    let why = "dialect: must be signalwire, because sid is the UUID of a SignalWire project";
    assert!(refused.0 == 422 && refused.1.starts_with(why), "{refused:?}");
    let refused = bench.refused("GET", "/accounts/831455c6", Value::Null).await;
    let why = "is neither AC and 32 hexadecimal digits nor the UUID of a SignalWire project";
    assert!(refused.0 == 400 && refused.1.contains(why), "{refused:?}");
}

#[tokio::test]
async fn the_control_api_shows_the_resources_of_the_accounts_own_dialect() {
    let project = Project::new().await;
    let conversation = project.bench.ok("POST", "/incoming-faxes?wait=true", json!({ "pages": 2 })).await;
    let fax = &conversation["fax"];
    assert_eq!((&fax["status"], &fax["num_pages"], &fax["error_code"]), (&json!("received"), &json!(2), &Value::Null));
    assert!(text(fax, "url").starts_with(&format!("/api/laml/2010-04-01/Accounts/{PROJECT}/Faxes/")), "{fax}");
    let sid = text(fax, "sid");
    assert_eq!(text(&project.bench.ok("GET", "/faxes", Value::Null).await["faxes"][0], "url"), text(fax, "url"));
    assert_eq!(text(&project.bench.ok("GET", &format!("/faxes/{sid}"), Value::Null).await, "url"), text(fax, "url"));
    let twilios = format!("FX{}", "1".repeat(32));
    let refused = project.bench.refused("POST", "/incoming-faxes", json!({ "sid": twilios })).await;
    assert!(refused.0 == 422 && refused.1.contains("is not a signalwire id, which is a UUID"), "{refused:?}");
    let own = "0b2f19a8-7b0e-4b05-9a57-0d1e3d5b2f11";
    assert_eq!(project.bench.ok("POST", "/incoming-faxes", json!({ "sid": own })).await["fax_sid"], own);
}

#[tokio::test]
async fn a_media_url_never_changes_and_names_signalwires_host_if_the_client_called_that_host() {
    let project = Project::new().await;
    let registry = &project.bench.registry;
    let fax = project.bench.ok("POST", "/incoming-faxes?wait=true", json!({ "pages": 1 })).await["fax"].clone();
    let sid = text(&fax, "sid");
    let own = text(&fax, "media_url");
    assert!(own.starts_with("http://localhost:8329/") && own.ends_with(&format!("-{sid}.pdf")), "{own}");
    assert!(own.contains(&format!("/{PROJECT}/faxes/")), "{own}");
    assert_eq!(project.told(&fax, "action").await["MediaUrl"], own);
    let target = format!("/Faxes/{sid}");
    let theirs = project.rest("example.signalwire.com", "GET", &target, "").await;
    let path = own.trim_start_matches("http://localhost:8329/");
    assert_eq!(theirs["media_url"], format!("{FILES}{path}"));
    let (status, kind, name, len) = fetch(registry, text(&theirs, "media_url"), None).await;
    let expected = format!("inline; filename=\"{sid}.pdf\"");
    assert_eq!((status, kind.as_str(), name.as_str()), (200, "application/pdf", expected.as_str()));
    assert!(len > 0);
    project.bench.ok("PUT", "/clock", json!({ "mode": "frozen" })).await;
    project.bench.ok("POST", "/clock/advance", json!({ "seconds": 30_000 })).await;
    assert_eq!(project.rest("localhost:8329", "GET", &target, "").await["media_url"], own, "the URL never changes");
    assert_eq!(fetch(registry, own, None).await.0, 200);
    for wrong in [own.replace(".pdf", ".tiff"), own.replace("faxes/2", "faxes/1"), own.replace(PROJECT, sid)] {
        assert_eq!(fetch(registry, &wrong, None).await.0, 404, "{wrong}");
    }
}

#[tokio::test]
async fn protected_media_need_the_projects_credential() {
    let guard = GuardOptions { protect_media: true, ..GuardOptions::default() };
    let project = Project::with(Settings { guard, ..settings(Pace::Max) }).await;
    let fax = project.bench.ok("POST", "/incoming-faxes?wait=true", json!({ "pages": 1 })).await["fax"].clone();
    let url = text(&fax, "media_url");
    let basic = |who: &str| format!("Basic {}", BASE64_STANDARD.encode(who));
    let own = format!("{PROJECT}:{TOKEN}");
    for (authorization, status) in [
        (None, 401),
        (Some(basic(&own)), 200),
        (Some(format!("Bearer {TOKEN}")), 200),
        (Some("Bearer PT9".to_owned()), 401),
        (Some(basic(&format!("{PROJECT}:PT9"))), 401),
        (Some(basic(&format!("0b2f19a8-7b0e-4b05-9a57-0d1e3d5b2f11:{TOKEN}"))), 401),
    ] {
        let fetched = fetch(&project.bench.registry, url, authorization.as_deref()).await;
        assert_eq!(fetched.0, status, "{authorization:?}");
    }
    let request = Request::get(url).body(Body::empty()).expect("a request");
    let refused = to_bytes(send(&project.bench.registry, request).await.into_body(), usize::MAX).await.expect("a body");
    let refused: Value = serde_json::from_slice(&refused).expect("JSON");
    let traffic = project.bench.ok("GET", "/traffic?kind=media&last=1", Value::Null).await;
    assert_eq!(traffic["requests"][0]["answer"], refused, "the traffic shows the response that was sent: {traffic}");
}

#[tokio::test]
async fn a_state_of_the_other_dialect_is_refused_and_nothing_is_lost() {
    let project = Project::new().await;
    project.bench.ok("POST", "/incoming-faxes?wait=true", json!({})).await;
    let twilios = format!("AC{}", "1".repeat(32));
    let theirs = project.bench.ok("GET", &format!("/state?account={twilios}"), Value::Null).await;
    let own = project.bench.ok("GET", "/state", Value::Null).await;
    let refused = project.bench.refused("PUT", "/state", theirs.clone()).await;
    let why = format!("account_sid: {twilios} is a twilio account, but {PROJECT} is a signalwire account");
    assert!(refused.0 == 422 && refused.1.starts_with(&why), "{refused:?}");
    assert!(refused.1.ends_with("the world is unchanged"), "{refused:?}");
    assert_eq!(project.bench.ok("GET", "/faxes", Value::Null).await["total"], 1);
    let mut forged = own.clone();
    forged["account"]["dialect"] = json!("twilio");
    let refused = project.bench.refused("PUT", "/state", forged).await;
    assert!(refused.0 == 422 && refused.1.contains("account.dialect: is twilio, but account_sid is"), "{refused:?}");
    let refused = project.bench.refused("PUT", &format!("/state?account={twilios}"), own.clone()).await;
    assert_eq!(refused.0, 422, "{refused:?}");
    for (place, prefix) in [
        ("world.tables.faxes[0].sid", "FX"),
        ("world.tables.faxes[0].media.sid", "ME"),
        ("world.numbers.numbers[0].sid", "PN"),
    ] {
        let pointer = format!("/{}", place.replace(['.', '['], "/").replace(']', ""));
        let id = format!("{prefix}{}", "1".repeat(32));
        let mut forged = own.clone();
        *forged.pointer_mut(&pointer).unwrap_or_else(|| panic!("{pointer}: {own}")) = json!(id);
        let refused = project.bench.refused("PUT", "/state", forged).await;
        let why =
            format!("{place}: {id} is a twilio id, but account_sid is a signalwire account; the world is unchanged");
        assert_eq!(refused, (422, why));
    }
    assert_eq!(project.bench.ok("GET", "/state", Value::Null).await["world"]["tables"], own["world"]["tables"]);
    project.bench.ok("PUT", "/state", own).await;
    assert_eq!(project.bench.ok("GET", "/faxes", Value::Null).await["total"], 1);
}

#[tokio::test]
async fn a_rule_sets_the_message_of_a_failure_in_both_dialects() {
    let message = "The HDLC carrier did not stop in a timely manner";
    let rule = json!({ "outcome": { "status": "failed", "after_pages": 1, "message": message } });
    let project = Project::new().await;
    let added = project.bench.ok("POST", "/rules", rule.clone()).await;
    assert_eq!((&added["outcome"]["message"], &added["outcome"]["code"]), (&json!(message), &json!(34004)), "{added}");
    let fax = project.send("15558675310").await;
    assert_eq!((&fax["error_code"], &fax["error_message"]), (&json!(34004), &json!(message)), "{fax}");
    let told = project.told(&fax, "status-callback").await;
    assert_eq!((&told["ErrorCode"], &told["ErrorMessage"]), (&json!("34004"), &json!(message)), "{told}");
    let conversation = project.bench.ok("POST", "/incoming-faxes?wait=true", json!({ "pages": 2 })).await;
    assert_eq!(conversation["fax"]["error_message"], message);
    let twilio = Bench::new().await;
    let account = twilio.account().await;
    twilio.ok("POST", &format!("/rules?account={account}"), rule).await;
    let order = json!({ "pages": 2 });
    let conversation = twilio.ok("POST", &format!("/incoming-faxes?wait=true&account={account}"), order).await;
    assert_eq!(conversation["outcome"], "failed");
    let told = conversation["webhooks"].as_array().and_then(|all| all.last()).expect("a notice")["params"].clone();
    assert_eq!((&told["ErrorCode"], &told["ErrorMessage"]), (&json!("34004"), &json!(message)), "{told}");
}

#[tokio::test]
async fn an_incoming_fax_may_fail_with_a_message_from_the_tester() {
    let project = Project::new().await;
    let failing = |outcome: Value| json!({ "pages": 3, "outcome": outcome });
    let order = failing(json!({ "status": "failed", "after_pages": 1, "message": "Connection failed" }));
    let conversation = project.bench.ok("POST", "/incoming-faxes?wait=true", order).await;
    assert_eq!(conversation["fax"]["error_message"], "Connection failed", "{conversation}");
    for (outcome, why) in [
        (json!({ "status": "failed", "code": 34108 }), "outcome: the code must be 34004, not 34108"),
        (json!({ "status": "failed", "message": "" }), "outcome: the message must have 1 to 200 characters"),
        (json!({ "status": "received", "message": "x" }), "outcome: code, after_pages and message are only valid with"),
    ] {
        let refused = project.bench.refused("POST", "/incoming-faxes", failing(outcome)).await;
        assert!(refused.0 == 422 && refused.1.starts_with(why), "{refused:?}");
    }
}

#[tokio::test]
async fn numbers_that_behave_fail_with_signalwires_code_and_messages() {
    let project = Project::new().await;
    for (to, status, pages, text) in [
        ("15005550101", "busy", 0, None),
        ("15005550102", "no-answer", 0, None),
        ("15005550103", "failed", 0, Some("Fax transmission not established")),
        ("15005550104", "failed", 1, Some("The call dropped prematurely")),
        ("15005550105", "failed", 0, Some("Failed to train with any of the compatible modems")),
        ("15005550106", "delivered", 2, None),
    ] {
        let fax = project.send(to).await;
        let code = text.map(|_| 34004);
        let shown = (&fax["status"], &fax["error_code"], &fax["error_message"]);
        assert_eq!(shown, (&json!(status), &json!(code), &json!(text)), "{to}: {fax}");
        assert_eq!(fax["num_pages"], pages, "{to}: {fax}");
        let Some(text) = text else { continue };
        let sid = fax["sid"].as_str().expect("a SID");
        let alerts = project.bench.ok("GET", &format!("/events?kind=alert&fax={sid}"), Value::Null).await;
        let message = &alerts["events"][0]["data"]["message"];
        assert_eq!(*message, format!("outbound to +{to}: {text}"), "{alerts}");
    }
}
