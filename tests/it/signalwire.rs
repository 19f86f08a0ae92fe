//! Tests the responses of SignalWire's compatibility API: faxes and their media, lists and pages, and each documented
//! error.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use fauxfax::clock::ClockMode;
use fauxfax::document::sample;
use fauxfax::emulator::{AccountSetup, GuardOptions, Registry, Settings, World};
use fauxfax::engine::WorldOptions;
use fauxfax::http;
use fauxfax::io::client::{Client, ClientOptions};
use fauxfax::model::account::{AccountMode, CallbackPolicy, DocumentPolicy, MediaUserAgent, PriceForm, Service};
use fauxfax::model::sid::{AccountSid, FaxSid};
use fauxfax::model::time::Pace;
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tower::ServiceExt;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

const PROJECT: &str = "b3877c40-da60-4998-90ad-b792e98472ac";
const TWILIO: &str = "AC0123456789abcdef0123456789abcdef";
/// The time after which a test gives up waiting for the end of a fax, far longer than a fax takes at the highest pace.
const PATIENCE: Duration = Duration::from_secs(20);

/// An emulator, and a server with a document to send.
struct Wire {
    registry: Registry,
    app: MockServer,
}

struct Answer {
    status: u16,
    body: Value,
}

impl Answer {
    /// Returns the status, code and message of an error.
    fn error(&self) -> (u16, u64, &str) {
        assert_eq!(self.body["status"], self.status, "{}", self.body);
        assert!(self.body["more_info"].as_str().is_some_and(|url| url.contains("signalwire.com")), "{}", self.body);
        (self.status, self.body["code"].as_u64().expect("a code"), self.body["message"].as_str().expect("a message"))
    }
}

impl Wire {
    async fn new() -> Self {
        let options = WorldOptions {
            pace: Pace::Max,
            callbacks: CallbackPolicy::All,
            documents: DocumentPolicy::Lenient,
            accounts: AccountMode::Open,
            is_pedantic: false,
            media_budget_bytes: 1 << 30,
        };
        let settings = Settings {
            seed: 8,
            options,
            price: PriceForm::Text.into(),
            service: Service::Full,
            public_url: None,
            guard: GuardOptions::default(),
            media_user_agent: MediaUserAgent::Warn,
        };
        let client = Client::new(&ClientOptions::default()).expect("a client");
        let default = AccountSetup { sid: Some(AccountSid::from_bytes([7; 16])), ..AccountSetup::default() };
        let registry = Registry::new(settings, client, default, Vec::new(), Handle::current()).expect("an emulator");
        let app = MockServer::start().await;
        let pdf = ResponseTemplate::new(200).set_body_raw(sample::test_pages(2), "application/pdf");
        Mock::given(path("/fax.pdf")).respond_with(pdf).mount(&app).await;
        Self { registry, app }
    }

    fn world(&self) -> World {
        self.registry.world(PROJECT.parse().expect("an id")).expect("the project's world")
    }

    async fn call_as(&self, credential: &str, method: &str, target: &str, form: &str) -> Answer {
        let request = Request::builder().method(method).uri(target).header(header::HOST, "localhost:8329");
        let request = request.header(header::AUTHORIZATION, format!("Basic {}", BASE64_STANDARD.encode(credential)));
        let service = http::service(self.registry.clone(), ([127, 0, 0, 1], 8329).into());
        let request = request.body(Body::from(form.to_owned())).expect("a request");
        let response = service.oneshot(request).await.expect("a response");
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        Answer { status, body: serde_json::from_slice(&body).unwrap_or(Value::Null) }
    }

    async fn call(&self, method: &str, target: &str, form: &str) -> Answer {
        self.call_as(&format!("{PROJECT}:token"), method, target, form).await
    }

    async fn get(&self, target: &str) -> Answer {
        self.call("GET", target, "").await
    }

    fn order(&self, to: &str) -> String {
        format!("To=%2B{to}&From=%2B15556677888&MediaUrl={}/fax.pdf", self.app.uri())
    }

    async fn create(&self, to: &str) -> Value {
        let created = self.call("POST", &faxes(""), &self.order(to)).await;
        assert_eq!(created.status, 201, "{}", created.body);
        created.body
    }

    /// Sends a fax, waits until it has ended, and returns the resource.
    async fn send(&self, to: &str) -> Value {
        let created = self.create(to).await;
        let sid: FaxSid = text(&created, "sid").parse().expect("an id");
        let world = self.world();
        let ended = world.until(|engine| engine.fax(sid).ok().filter(|fax| fax.status().is_final()).map(drop));
        tokio::time::timeout(PATIENCE, ended).await.expect("the fax ends");
        self.get(text(&created, "url")).await.body
    }
}

fn faxes(rest: &str) -> String {
    format!("/api/laml/2010-04-01/Accounts/{PROJECT}/Faxes{rest}")
}

fn text<'a>(resource: &'a Value, key: &str) -> &'a str {
    resource[key].as_str().unwrap_or_else(|| panic!("{key} of {resource}"))
}

/// Returns whether a value is a lower-case UUID of version 4.
fn is_uuid(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    text.parse::<FaxSid>().is_ok_and(|id| id.to_string() == text)
        && text.as_bytes().get(14) == Some(&b'4')
        && text.as_bytes().get(19).is_some_and(|variant| b"89ab".contains(variant))
}

#[tokio::test]
async fn a_created_fax_has_the_recorded_properties() {
    let wire = Wire::new().await;
    let fax = wire.create("15556677999").await;
    assert!(is_uuid(&fax["sid"]) && is_uuid(&fax["media_sid"]), "{fax}");
    let url = faxes(&format!("/{}", text(&fax, "sid")));
    let expected = json!({
        "account_sid": PROJECT, "api_version": "v1", "date_created": fax["date_created"],
        "date_updated": fax["date_created"], "direction": "outbound", "from": "+15556677888", "media_url": null,
        "media_sid": fax["media_sid"], "num_pages": null, "price": null, "price_unit": "USD", "quality": "fine",
        "sid": fax["sid"], "status": "queued", "to": "+15556677999", "duration": 0,
        "links": { "media": format!("{url}/Media") }, "url": url, "error_code": null, "error_message": null,
    });
    assert_eq!(fax, expected);
    assert!(text(&fax, "date_created").ends_with('Z') && !text(&fax, "date_created").contains('.'));
}

#[tokio::test]
async fn both_roots_and_both_endings_lead_to_the_same_fax() {
    let wire = Wire::new().await;
    let fax = wire.send("15556677999").await;
    let sid = text(&fax, "sid");
    for root in ["/api/laml", ""] {
        for ending in ["", ".json"] {
            let path = format!("{root}/2010-04-01/Accounts/{PROJECT}/Faxes");
            assert_eq!(wire.get(&format!("{path}/{sid}{ending}")).await.body["sid"], *sid, "{root} {ending}");
            let list = wire.get(&format!("{path}{ending}?DateCreatedAfter=2000-01-01")).await.body;
            let oldest = list["faxes"].as_array().and_then(|faxes| faxes.last()).expect("a fax");
            assert_eq!(oldest["sid"], *sid, "{root} {ending}");
            let created = wire.call("POST", &format!("{path}{ending}"), &wire.order("15556677999")).await;
            assert_eq!(created.status, 201);
        }
    }
}

#[tokio::test]
async fn a_delivered_fax_has_json_numbers_as_recorded_and_keeps_its_media_sid() {
    let wire = Wire::new().await;
    let created = wire.create("15556677999").await;
    let fax = wire.send("15556677999").await;
    assert_eq!((&fax["status"], &fax["num_pages"]), (&"delivered".into(), &2.into()));
    assert!(fax["price"].as_f64().is_some_and(|price| price > 0.0), "{fax}");
    assert!(fax["duration"].as_u64().is_some_and(|seconds| seconds > 0), "{fax}");
    let media = wire.get(text(&fax["links"], "media")).await.body;
    let keys: Vec<&String> = media.as_object().expect("an object").keys().collect();
    assert!(!keys.iter().any(|key| *key == "media"), "the libraries can read a page only if it has one list: {keys:?}");
    assert_eq!(media["fax_media"][0]["sid"], fax["media_sid"]);
    let one = wire.get(text(&media["fax_media"][0], "uri")).await.body;
    assert_eq!((&one, &one["url"], &one["uri"]), (&media["fax_media"][0], &one["uri"], &one["url"]));
    assert_eq!((&one["fax_sid"], text(&one, "uri").ends_with(".json")), (&fax["sid"], true));
    let early: FaxSid = text(&created, "sid").parse().expect("an id");
    let world = wire.world();
    let ended = world.until(|engine| engine.fax(early).ok().filter(|fax| fax.status().is_final()).map(drop));
    tokio::time::timeout(PATIENCE, ended).await.expect("the fax ends");
    let late = wire.get(text(&created, "url")).await.body;
    assert_eq!(late["media_sid"], created["media_sid"]);
}

#[tokio::test]
async fn media_can_be_deleted_and_then_the_fax() {
    let wire = Wire::new().await;
    let fax = wire.send("15556677999").await;
    let media = format!("{}/{}", text(&fax["links"], "media"), text(&fax, "media_sid"));
    assert_eq!(wire.call("DELETE", &media, "").await.status, 204);
    assert_eq!(wire.get(&media).await.error().1, 20404);
    let after = wire.get(text(&fax, "url")).await.body;
    assert_eq!((&after["media_url"], &after["media_sid"]), (&Value::Null, &fax["media_sid"]));
    assert_eq!(wire.get(text(&fax["links"], "media")).await.body["fax_media"], json!([]));
    assert_eq!(wire.call("DELETE", text(&fax, "url"), "").await.status, 204);
    assert_eq!(wire.get(text(&fax, "url")).await.error().1, 20404);
}

#[tokio::test]
async fn a_list_has_relative_links_through_all_its_pages() {
    let wire = Wire::new().await;
    for _ in 0..3 {
        wire.send("15556677999").await;
    }
    let first = wire.get(&faxes("?PageSize=2&To=%2B15556677999")).await.body;
    let keys: Vec<&str> = first.as_object().expect("an object").keys().map(String::as_str).collect();
    for key in ["uri", "first_page_uri", "next_page_uri", "previous_page_uri", "page", "page_size", "faxes"] {
        assert!(keys.contains(&key), "{key} of {keys:?}");
    }
    assert_eq!(keys.len(), 7, "{keys:?}");
    assert_eq!(
        (&first["page"], &first["page_size"], &first["previous_page_uri"]),
        (&0.into(), &2.into(), &Value::Null)
    );
    let next = text(&first, "next_page_uri");
    assert!(next.starts_with(&faxes("?To=%2B15556677999&Page=1&PageSize=2&PageToken=PA")), "{next}");
    let last = wire.get(next).await.body;
    assert_eq!((last["faxes"].as_array().map(Vec::len), &last["next_page_uri"]), (Some(1), &Value::Null));
    let back = wire.get(text(&last, "previous_page_uri")).await.body;
    assert_eq!(back["faxes"], first["faxes"]);
}

#[tokio::test]
async fn a_list_is_filtered_by_dates_with_offsets() {
    let wire = Wire::new().await;
    wire.send("15556677999").await;
    let count = async |query: &str| {
        let answer = wire.get(&faxes(&format!("?{query}"))).await;
        answer.body["faxes"].as_array().map(Vec::len)
    };
    assert_eq!(count("DateCreatedAfter=2020-01-01T00%3A00%3A00%2B00%3A00").await, Some(1));
    assert_eq!(count("DateCreatedAfter=2020-01-01T00:00:00+00:00").await, Some(1), "a plus that wasn't encoded");
    assert_eq!(count("DateCreatedOnOrBefore=2020-01-01T00:00:00Z").await, Some(0));
    assert_eq!(count("DateCreatedAfter=yesterday").await, None);
}

#[tokio::test]
async fn each_invalid_request_is_422_with_the_documented_code() {
    let wire = Wire::new().await;
    let good = wire.order("15556677999");
    let without = |name: &str| {
        let kept = good.split('&').filter(|pair| !pair.starts_with(&format!("{name}=")));
        kept.collect::<Vec<_>>().join("&")
    };
    for (form, code) in [
        (without("To"), 21603),
        (without("From"), 21603),
        (without("MediaUrl"), 10000),
        (good.replace("MediaUrl=http://", "MediaUrl=ftp://"), 21620),
        (good.replace("To=%2B15556677999", "To=nobody"), 21211),
        (good.replace("From=%2B15556677888", "From=nobody"), 21212),
        (format!("{good}&Quality=best"), 10000),
        (format!("{good}&Ttl=4"), 10000),
        (format!("{good}&Ttl=301"), 10000),
        (format!("{good}&StoreMedia=perhaps"), 10000),
        (format!("{good}&StatusCallback=nowhere"), 21456),
    ] {
        let answer = wire.call("POST", &faxes(""), &form).await;
        let (status, own, message) = answer.error();
        assert_eq!((status, own), (422, code), "{form}: {message}");
    }
    for (query, code) in [
        ("PageSize=0", 54454),
        ("PageSize=1001", 54454),
        ("Page=1", 54453),
        ("PageToken=x", 21481),
        ("From=15556677888", 10000),
    ] {
        let answer = wire.get(&faxes(&format!("?{query}"))).await;
        let (status, own, message) = answer.error();
        assert_eq!((status, own), (422, code), "{query}: {message}");
    }
    assert_eq!(wire.get(&faxes("")).await.body["faxes"], json!([]), "nothing was created");
}

#[tokio::test]
async fn unknown_resources_are_404_and_a_wrong_token_is_401() {
    let wire = Wire::new().await;
    let fax = wire.send("15556677999").await;
    let digits = text(&fax, "sid").replace('-', "");
    for unknown in ["/831455c6-574e-4d8b-b6ee-2418140bf4cd", "/nothing", &format!("/FX{digits}"), &format!("/{digits}")]
    {
        assert_eq!(wire.get(&faxes(unknown)).await.error().1, 20404, "{unknown}");
    }
    let other = wire.call_as(&format!("{PROJECT}:another"), "GET", &faxes(""), "").await;
    let (status, code, _) = other.error();
    assert_eq!((status, code), (401, 20003));
}

#[tokio::test]
async fn only_a_queued_fax_can_be_canceled_and_only_an_ended_one_deleted() {
    let wire = Wire::new().await;
    let ended = wire.send("15556677999").await;
    let late = wire.call("POST", text(&ended, "url"), "Status=canceled").await;
    let (status, code, message) = late.error();
    assert_eq!((status, code), (422, 10000));
    assert!(message.ends_with("only a queued fax can"), "{message}");
    wire.world().set_clock_mode(ClockMode::Frozen);
    let queued = wire.create("15556677999").await;
    let (status, code) = {
        let early = wire.call("DELETE", text(&queued, "url"), "").await;
        let (status, code, _) = early.error();
        (status, code)
    };
    assert_eq!((status, code), (409, 20009));
    let canceled = wire.call("POST", text(&queued, "url"), "Status=canceled").await;
    assert_eq!((canceled.status, &canceled.body["status"]), (200, &"canceled".into()));
    assert_eq!(wire.call("DELETE", text(&queued, "url"), "").await.status, 204);
}

#[tokio::test]
async fn failure_messages_match_the_documentation() {
    let wire = Wire::new().await;
    for (to, status, code, message) in [
        ("15005550101", "busy", Value::Null, Value::Null),
        ("15005550102", "no-answer", Value::Null, Value::Null),
        ("15005550103", "failed", 34004.into(), "Fax transmission not established".into()),
        ("15005550105", "failed", 34004.into(), "Failed to train with any of the compatible modems".into()),
    ] {
        let fax = wire.send(to).await;
        assert_eq!(
            (&fax["status"], &fax["error_code"], &fax["error_message"]),
            (&status.into(), &code, &message),
            "{to}"
        );
    }
    let fax = wire.send("15005550104").await;
    assert_eq!((&fax["num_pages"], &fax["error_message"]), (&1.into(), &"The call dropped prematurely".into()));
    assert!(fax["price"].is_number() && fax["media_url"].is_string(), "{fax}");
}

#[tokio::test]
async fn a_fax_whose_document_is_missing_fails_as_recorded() {
    let wire = Wire::new().await;
    let form = wire.order("15556677999").replace("fax.pdf", "gone.pdf");
    let created = wire.call("POST", &faxes(""), &form).await.body;
    let sid: FaxSid = text(&created, "sid").parse().expect("an id");
    let world = wire.world();
    let ended = world.until(|engine| engine.fax(sid).ok().filter(|fax| fax.status().is_final()).map(drop));
    tokio::time::timeout(PATIENCE, ended).await.expect("the fax ends");
    let fax = wire.get(text(&created, "url")).await.body;
    assert_eq!((&fax["status"], &fax["duration"]), (&"failed".into(), &0.into()));
    assert_eq!((&fax["media_url"], &fax["num_pages"], &fax["price"]), (&Value::Null, &Value::Null, &Value::Null));
    assert_eq!(fax["error_message"], "Document loading error");
}

#[tokio::test]
async fn an_account_of_the_other_dialect_is_pointed_to_its_own_api() {
    let wire = Wire::new().await;
    let here = format!("/api/laml/2010-04-01/Accounts/{TWILIO}/Faxes");
    let lost = wire.call_as(&format!("{TWILIO}:token"), "GET", &here, "").await;
    assert_eq!(lost.status, 404);
    assert!(text(&lost.body, "message").contains("/v1/Faxes"), "{}", lost.body);
    let never = format!("/2010-04-01/Accounts/{TWILIO}/Faxes.json");
    let lost = wire.call_as(&format!("{TWILIO}:token"), "GET", &never, "").await;
    assert_eq!((lost.status, &lost.body["code"]), (404, &20404.into()));
    assert!(text(&lost.body, "message").contains("/v1/Faxes"), "{}", lost.body);
    let lost = wire.call_as(&format!("{PROJECT}:token"), "GET", "/v1/Faxes", "").await;
    assert_eq!(lost.status, 401);
    assert!(text(&lost.body, "message").contains("/api/laml/2010-04-01"), "{}", lost.body);
    assert!(wire.registry.world(PROJECT.parse().expect("an id")).is_none(), "a misdirected call creates no world");
    assert!(wire.registry.world(TWILIO.parse().expect("an id")).is_none(), "a misdirected call creates no world");
}

#[tokio::test]
async fn one_emulator_serves_both_dialects() {
    let wire = Wire::new().await;
    let project = wire.create("15556677999").await;
    let account = wire.call_as(&format!("{TWILIO}:token"), "POST", "/v1/Faxes", &wire.order("15556677999")).await;
    assert!(is_uuid(&project["sid"]));
    assert!(text(&account.body, "sid").starts_with("FX"), "{}", account.body);
    let path = format!("/2010-04-01/Accounts/{PROJECT}/Faxes/{}", text(&account.body, "sid"));
    assert_eq!(wire.get(&path).await.error().1, 20404);
}

#[tokio::test]
async fn clients_of_signalwire_get_its_errors_for_unknown_paths_too() {
    let wire = Wire::new().await;
    for path in ["/api/relay/rest/phone_numbers", "/fax/v1/Faxes", "//api/laml/2010-04-01"] {
        let (status, code, _) = wire.get(path).await.error();
        assert_eq!((status, code), (404, 20404), "{path}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_a_form_is_reported_as_such() {
    let wire = Wire::new().await;
    let request = Request::post(faxes("")).header(header::HOST, "localhost:8329");
    let credential = format!("Basic {}", BASE64_STANDARD.encode(format!("{PROJECT}:token")));
    let request = request.header(header::AUTHORIZATION, credential).header(header::CONTENT_TYPE, "application/json");
    let service = http::service(wire.registry.clone(), ([127, 0, 0, 1], 8329).into());
    let body = Body::from(r#"{"To":"+15556677999"}"#);
    let response = service.oneshot(request.body(body).expect("a request")).await.expect("a response");
    let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    let error: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(error["code"], 21603);
    assert!(text(&error, "message").contains("not application/json"), "{error}");
}
