//! Tests SignalWire's resources other than faxes: numbers, numbers for sale, applications, accounts, bins and fax logs.

use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use fauxfax::emulator::{AccountSetup, GuardOptions, Registry, Settings};
use fauxfax::engine::WorldOptions;
use fauxfax::http;
use fauxfax::io::client::{Client, ClientOptions};
use fauxfax::model::account::{AccountMode, CallbackPolicy, DocumentPolicy, MediaUserAgent, PriceForm, Service};
use fauxfax::model::sid::AccountSid;
use fauxfax::model::time::Pace;
use serde_json::Value;
use tokio::runtime::Handle;
use tower::ServiceExt;

const PROJECT: &str = "b3877c40-da60-4998-90ad-b792e98472ac";
const NOBODY: &str = "831455c6-574e-4d8b-b6ee-2418140bf4cd";

/// An emulator with one Twilio account, called by a client of a SignalWire project.
struct Space {
    registry: Registry,
}

struct Answer {
    status: u16,
    text: String,
}

impl Answer {
    /// Checks the status, and returns the body as JSON.
    #[track_caller]
    fn json(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// Checks a compatibility API error and returns its message.
    #[track_caller]
    fn refused(&self, status: u16, code: u32) -> String {
        let body = self.json(status);
        assert_eq!((&body["status"], &body["code"]), (&status.into(), &code.into()), "{body}");
        assert!(body["more_info"].as_str().is_some_and(|url| url.contains("signalwire.com")), "{body}");
        body["message"].as_str().expect("a message").to_owned()
    }
}

impl Space {
    fn new() -> Self {
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
        let setup = AccountSetup {
            sid: Some(AccountSid::from_bytes([7; 16])),
            auth_token: Some("secret".into()),
            ..AccountSetup::default()
        };
        let registry = Registry::new(settings, client, setup, Vec::new(), Handle::current()).expect("an emulator");
        Self { registry }
    }

    async fn send(&self, method: &str, target: &str, form: &str, credential: Option<&str>) -> Answer {
        let request = Request::builder().method(method).uri(target).header(header::HOST, "localhost:8329");
        let request = match credential {
            Some(credential) => {
                request.header(header::AUTHORIZATION, format!("Basic {}", BASE64_STANDARD.encode(credential)))
            }
            None => request,
        };
        let service = http::service(self.registry.clone(), ([127, 0, 0, 1], 8329).into());
        let request = request.body(Body::from(form.to_owned())).expect("a request");
        let response = service.oneshot(request).await.expect("an answer");
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        Answer { status, text: String::from_utf8(body.to_vec()).expect("text") }
    }

    /// Calls the API as the project, at a path below the project's.
    async fn call(&self, method: &str, path: &str, form: &str) -> Answer {
        let target = format!("/api/laml/2010-04-01/Accounts/{PROJECT}{path}");
        self.send(method, &target, form, Some(&format!("{PROJECT}:PTtoken"))).await
    }

    /// Fetches the relative URI that a resource contains.
    async fn follow(&self, uri: &Value) -> Answer {
        self.send("GET", uri.as_str().expect("a URI"), "", Some(&format!("{PROJECT}:PTtoken"))).await
    }
}

fn is_uuid(id: &Value) -> bool {
    id.as_str().is_some_and(|text| text.len() == 36 && text.parse::<AccountSid>().is_ok())
}

#[tokio::test]
async fn a_number_is_bought_shown_changed_and_released() {
    let space = Space::new();
    let form = "PhoneNumber=%2B13103386745&VoiceReceiveMode=fax&VoiceUrl=http://localhost:3000/fax&VoiceMethod=GET\
                &StatusCallback=http://localhost:3000/status";
    let bought = space.call("POST", "/IncomingPhoneNumbers", form).await.json(201);
    assert!(is_uuid(&bought["sid"]), "{bought}");
    assert_eq!((&bought["account_sid"], &bought["account_id"]), (&PROJECT.into(), &PROJECT.into()));
    assert_eq!((&bought["phone_number"], &bought["friendly_name"]), (&"+13103386745".into(), &"310-338-6745".into()));
    assert_eq!((&bought["voice_url"], &bought["voice_method"]), (&"http://localhost:3000/fax".into(), &"GET".into()));
    assert_eq!(bought.get("voice_receive_mode"), None);
    let world = space.registry.world(PROJECT.parse().expect("a project")).expect("its world");
    let mode = world.read(|engine| engine.numbers().next().map(|number| number.attributes.voice_receive_mode));
    assert_eq!(mode.map(|mode| mode.as_str()), Some("fax"));
    // The response is the same whether the number is fetched with or without `/api/laml` and `.json`.
    let sid = bought["sid"].as_str().expect("a sid");
    assert_eq!(space.follow(&bought["uri"]).await.json(200), bought);
    let bare = format!("/2010-04-01/Accounts/{PROJECT}/IncomingPhoneNumbers/{sid}");
    assert_eq!(space.follow(&bare.into()).await.json(200), bought);
    let path = format!("/IncomingPhoneNumbers/{sid}");
    let changed = space.call("POST", &path, "FriendlyName=Records&VoiceUrl=").await.json(200);
    assert_eq!((&changed["friendly_name"], &changed["voice_url"]), (&"Records".into(), &Value::Null));
    assert_eq!(space.call("DELETE", &format!("{path}.json"), "").await.status, 204);
    space.call("GET", &path, "").await.refused(404, 20404);
    space.call("DELETE", &path, "").await.refused(404, 20404);
}

#[tokio::test]
async fn numbers_are_listed_newest_first_filtered_and_paginated() {
    let space = Space::new();
    for number in ["13103386745", "15005550006", "13103386747"] {
        space.call("POST", "/IncomingPhoneNumbers.json", &format!("PhoneNumber=%2B{number}")).await.json(201);
    }
    let first = space.call("GET", "/IncomingPhoneNumbers?PhoneNumber=%2B1310&PageSize=1", "").await.json(200);
    assert_eq!(first["incoming_phone_numbers"][0]["phone_number"], "+13103386747");
    assert_eq!(
        (&first["page"], &first["page_size"], &first["previous_page_uri"]),
        (&0.into(), &1.into(), &Value::Null)
    );
    let second = space.follow(&first["next_page_uri"]).await.json(200);
    assert_eq!(second["incoming_phone_numbers"][0]["phone_number"], "+13103386745");
    assert_eq!(second["next_page_uri"], Value::Null);
    let back = space.follow(&second["previous_page_uri"]).await.json(200);
    assert_eq!(back["incoming_phone_numbers"], first["incoming_phone_numbers"]);
    let named = space.call("GET", "/IncomingPhoneNumbers?FriendlyName=500-555-0006", "").await.json(200);
    assert_eq!(named["incoming_phone_numbers"].as_array().map(Vec::len), Some(1));
    for (query, code) in [("Page=1", 54453), ("PageSize=1001", 54454), ("PageToken=PA1", 21481)] {
        space.call("GET", &format!("/IncomingPhoneNumbers?{query}"), "").await.refused(422, code);
    }
}

#[tokio::test]
async fn bad_numbers_and_unknown_ids_are_refused() {
    let space = Space::new();
    for (form, code) in [
        ("", 10000),
        ("PhoneNumber=12", 21421),
        ("PhoneNumber=%2B15005550000", 21422),
        ("PhoneNumber=%2B13103386745&VoiceReceiveMode=both", 21209),
        ("PhoneNumber=%2B13103386745&VoiceMethod=PUT", 21209),
        ("PhoneNumber=%2B13103386745&VoiceUrl=nowhere", 21402),
        ("PhoneNumber=%2B13103386745&VoiceFallbackUrl=http://h/", 21405),
        ("PhoneNumber=%2B13103386745&VoiceApplicationSid=831455c6-574e-4d8b-b6ee-2418140bf4cd", 21420),
        ("PhoneNumber=%2B13103386745&VoiceApplicationSid=AP00000000000000000000000000000000", 10000),
    ] {
        space.call("POST", "/IncomingPhoneNumbers", form).await.refused(422, code);
    }
    for id in [NOBODY, "PN00000000000000000000000000000000", "x", "Local", "%ff"] {
        space.call("GET", &format!("/IncomingPhoneNumbers/{id}"), "").await.refused(404, 20404);
        space.call("POST", &format!("/IncomingPhoneNumbers/{id}"), "FriendlyName=x").await.refused(404, 20404);
    }
    space.call("PUT", "/IncomingPhoneNumbers", "").await.refused(405, 20004);
}

#[tokio::test]
async fn numbers_for_sale_can_be_searched_and_bought_as_fax_numbers() {
    let space = Space::new();
    let all = space.call("GET", "/AvailablePhoneNumbers", "").await.json(200);
    let country = space.follow(&all["countries"][0]["uri"]).await.json(200);
    assert_eq!(country, all["countries"][0]);
    assert_eq!(country["subresource_uris"].as_object().map(serde_json::Map::len), Some(2));
    let local = space.follow(&country["subresource_uris"]["local"]).await.json(200);
    assert_eq!(local["available_phone_numbers"].as_array().map(Vec::len), Some(50));
    let path = "/AvailablePhoneNumbers/US/Local?AreaCode=415&FaxEnabled=perhaps&SmsEnabled=false";
    let found = space.call("GET", path, "").await.json(200);
    assert!(found["uri"].as_str().is_some_and(|uri| uri.ends_with(path)), "{found}");
    let number = found["available_phone_numbers"][0]["phone_number"].as_str().expect("a number");
    assert!(number.starts_with("+1415"), "{number}");
    let form = format!("PhoneNumber={}&VoiceReceiveMode=fax", number.replace('+', "%2B"));
    space.call("POST", "/IncomingPhoneNumbers", &form).await.json(201);
    let found = space.call("GET", path, "").await.json(200);
    assert!(found["available_phone_numbers"].as_array().expect("a list").iter().all(|o| o["phone_number"] != number));
    space.call("GET", "/AvailablePhoneNumbers/US/TollFree", "").await.json(200);
    space.call("GET", "/AvailablePhoneNumbers/US/Local?AreaCode=x", "").await.refused(422, 10000);
    for path in ["/XX", "/US/Mobile", "/GB/Mobile", "/US/local", "/XX/Local"] {
        space.call("GET", &format!("/AvailablePhoneNumbers{path}"), "").await.refused(404, 20404);
    }
}

#[tokio::test]
async fn a_number_uses_the_urls_of_its_application() {
    let space = Space::new();
    let form = "FriendlyName=Intake&VoiceUrl=http://localhost:3000/fax&VoiceMethod=GET";
    let created = space.call("POST", "/Applications", form).await.json(201);
    assert!(is_uuid(&created["sid"]), "{created}");
    assert_eq!((&created["voice_url"], &created["sms_url"]), (&"http://localhost:3000/fax".into(), &"".into()));
    assert!(created["date_created"].as_str().is_some_and(|date| date.ends_with(" +0000")), "{created}");
    assert_eq!(space.follow(&created["uri"]).await.json(200), created);
    let sid = created["sid"].as_str().expect("a sid");
    let form = format!("PhoneNumber=%2B13103386745&VoiceApplicationSid={sid}");
    let number = space.call("POST", "/IncomingPhoneNumbers", &form).await.json(201);
    assert_eq!(number["voice_application_sid"], sid);
    let path = format!("/Applications/{sid}");
    assert_eq!(space.call("POST", &path, "VoiceUrl=").await.json(200)["voice_url"], "");
    for (query, count) in [("", 1), ("?FriendlyName=Intake", 1), ("?FriendlyName=x", 0)] {
        let list = space.call("GET", &format!("/Applications{query}"), "").await.json(200);
        assert_eq!(list["applications"].as_array().map(Vec::len), Some(count), "{query}");
    }
    space.call("POST", "/Applications", "VoiceUrl=http://h/").await.refused(422, 10000);
    space.call("POST", &path, "VoiceUrl=h").await.refused(422, 21402);
    assert_eq!(space.call("DELETE", &path, "").await.status, 204);
    for id in [sid, NOBODY, "AP00000000000000000000000000000000", "x"] {
        space.call("GET", &format!("/Applications/{id}"), "").await.refused(404, 20404);
    }
}

#[tokio::test]
async fn a_project_has_no_visible_token_and_is_the_only_one_listed() {
    let space = Space::new();
    let shown = space.call("GET", "", "").await.json(200);
    assert_eq!((&shown["sid"], &shown["status"], &shown["type"]), (&PROJECT.into(), &"active".into(), &"Full".into()));
    assert_eq!((&shown["auth_token"], &shown["subproject"]), (&"redacted".into(), &false.into()));
    assert_eq!(shown["subresource_uris"]["keys"], Value::Null);
    assert_eq!(space.follow(&shown["uri"]).await.json(200)["uri"], shown["uri"]);
    space.follow(&shown["subresource_uris"]["incoming_phone_numbers"]).await.json(200);
    let credential = format!("{PROJECT}:PTtoken");
    for path in ["/api/laml/2010-04-01/Accounts.json", "/2010-04-01/Accounts.json", "/2010-04-01/Accounts"] {
        let list = space.send("GET", path, "", Some(&credential)).await.json(200);
        assert_eq!(list["accounts"][0]["sid"], PROJECT, "{path}");
        assert_eq!((&list["page"], list["accounts"].as_array().map(Vec::len)), (&0.into(), Some(1)));
        assert!(list["uri"].as_str().is_some_and(|uri| uri.starts_with("/api/laml/2010-04-01/Accounts?")), "{list}");
    }
    // A Twilio account's list keeps Twilio's format.
    let twilio = format!("{}:secret", AccountSid::from_bytes([7; 16]));
    let list = space.send("GET", "/2010-04-01/Accounts.json", "", Some(&twilio)).await.json(200);
    assert!(list["uri"].as_str().is_some_and(|uri| uri.starts_with("/2010-04-01/")), "{list}");
    space.send("GET", "/api/laml/2010-04-01/Accounts.json", "", Some(&twilio)).await.refused(401, 20003);
    let other = format!("/api/laml/2010-04-01/Accounts/{NOBODY}");
    space.send("GET", &other, "", Some(&credential)).await.refused(401, 20003);
}

#[tokio::test]
async fn a_bin_is_stored_and_served_to_anyone_and_its_requests_are_counted() {
    let space = Space::new();
    let form = "Name=Take+it&Contents=%3CResponse%3E%3CReceive/%3E%3C/Response%3E";
    let created = space.call("POST", "/LamlBins", form).await.json(201);
    assert_eq!((&created["name"], &created["num_requests"]), (&"Take it".into(), &0.into()));
    assert_eq!((&created["date_last_accessed"], &created["account_sid"]), (&Value::Null, &PROJECT.into()));
    let (sid, url) = (created["sid"].as_str().expect("a sid"), created["request_url"].as_str().expect("a URL"));
    assert_eq!(url, format!("http://localhost:8329/laml-bins/{sid}"));
    for method in ["GET", "POST"] {
        let served = space.send(method, &format!("/laml-bins/{sid}?x=1"), "From=1", None).await;
        assert_eq!((served.status, served.text.as_str()), (200, "<Response><Receive/></Response>"));
    }
    let shown = space.follow(&created["uri"]).await.json(200);
    assert_eq!(shown["num_requests"], 2);
    assert!(shown["date_last_accessed"].as_str().is_some_and(|date| date.ends_with('Z')), "{shown}");
    let path = format!("/LamlBins/{sid}.json");
    let changed = space.call("POST", &path, "Contents=%3CResponse/%3E").await.json(200);
    assert_eq!((&changed["name"], &changed["contents"]), (&"Take it".into(), &"<Response/>".into()));
    for (query, count) in [("", 1), ("?Name=Take+it", 1), ("?Name=x", 0)] {
        let list = space.call("GET", &format!("/LamlBins{query}"), "").await.json(200);
        assert_eq!(list["laml_bins"].as_array().map(Vec::len), Some(count), "{query}");
    }
    space.call("POST", "/LamlBins", "Contents=x").await.refused(422, 10000);
    let long = format!("Name=x&Contents={}", "x".repeat(64 * 1024 + 1));
    assert!(space.call("POST", "/LamlBins", &long).await.refused(422, 10000).contains("Contents"));
    assert_eq!(space.call("DELETE", &path, "").await.status, 204);
    space.call("GET", &path, "").await.refused(404, 20404);
    for id in [sid, NOBODY, "x", "EH00000000000000000000000000000000"] {
        space.send("GET", &format!("/laml-bins/{id}"), "", None).await.refused(404, 20404);
    }
}

/// Makes a fax machine call the project's number, and returns the control API's report of the conversation.
async fn receive(space: &Space) -> Value {
    let path = format!("/_fauxfax/v1/incoming-faxes?account={PROJECT}&wait=true&timeout=20");
    space.send("POST", &path, "{\"to\":\"+13103386745\",\"from\":\"+15556677888\"}", None).await.json(200)
}

#[tokio::test]
async fn a_bin_accepts_a_fax_without_a_connection_and_is_journaled_like_an_app() {
    let space = Space::new();
    let form = "Name=Take&Contents=%3CResponse%3E%3CReceive/%3E%3C/Response%3E";
    let bin = space.call("POST", "/LamlBins", form).await.json(201);
    // Nothing listens on this port, so the bin is served only if the emulator opens no connection for it.
    let url = bin["request_url"].as_str().expect("a URL").replace("8329", "1");
    let form = format!("PhoneNumber=%2B13103386745&VoiceReceiveMode=fax&VoiceMethod=GET&VoiceUrl={url}");
    space.call("POST", "/IncomingPhoneNumbers", &form).await.json(201);
    let told = receive(&space).await;
    assert_eq!(told["outcome"], "received", "{told}");
    let webhook = &told["webhooks"][0];
    assert_eq!((&webhook["purpose"], &webhook["method"]), (&"fax-url".into(), &"GET".into()), "{webhook}");
    let text = webhook.to_string();
    for part in ["<Response><Receive/></Response>", "X-SignalWire-Signature", "\"status\":200"] {
        assert!(text.to_lowercase().contains(&part.to_lowercase()), "{part}: {webhook}");
    }
    assert_eq!(space.follow(&bin["uri"]).await.json(200)["num_requests"], 1);
    // Once the bin is deleted, its URL belongs to an app that isn't running.
    space.call("DELETE", &format!("/LamlBins/{}", bin["sid"].as_str().expect("a sid")), "").await;
    assert_eq!(receive(&space).await["outcome"], "not-answered");
}

#[tokio::test]
async fn fax_logs_are_paginated() {
    let space = Space::new();
    let credential = format!("{PROJECT}:PTtoken");
    let get = async |target: &str| space.send("GET", target, "", Some(&credential)).await;
    let empty = get("/api/fax/logs").await.json(200);
    assert_eq!(empty["data"], Value::Array(Vec::new()));
    let form = "Name=Take&Contents=%3CResponse%3E%3CReceive/%3E%3C/Response%3E";
    let bin = space.call("POST", "/LamlBins", form).await.json(201);
    let url = bin["request_url"].as_str().expect("a URL");
    let form = format!("PhoneNumber=%2B13103386745&VoiceReceiveMode=fax&VoiceUrl={url}");
    space.call("POST", "/IncomingPhoneNumbers", &form).await.json(201);
    let (first, second) = (receive(&space).await, receive(&space).await);
    let page = get("/api/fax/logs?page_size=1&include_deleted=true").await.json(200);
    let log = &page["data"][0];
    assert_eq!(log["id"], second["fax"]["sid"]);
    assert_eq!((&log["status"], &log["direction"]), (&"completed".into(), &"inbound".into()));
    assert_eq!((&log["source"], &log["type"]), (&"laml".into(), &"laml_call".into()));
    assert!(log["number_of_pages"].as_u64().is_some_and(|pages| pages > 0), "{log}");
    assert!(log["charge"].as_f64().is_some_and(|charge| charge > 0.0), "{log}");
    let next = page["links"]["next"].as_str().expect("a next page").strip_prefix("http://localhost:8329");
    let older = get(next.expect("an absolute link")).await.json(200);
    assert_eq!(older["data"][0]["id"], first["fax"]["sid"]);
    assert_eq!((older["links"].get("next"), older["links"]["prev"].is_string()), (None, true));
    let id = log["id"].as_str().expect("an id");
    assert_eq!(get(&format!("/api/fax/logs/{id}")).await.json(200)["id"], id);
    assert_eq!(get("/api/fax/logs?created_before=2020-01-01").await.json(200)["data"], Value::Array(Vec::new()));
    for (target, status, attribute) in [
        ("/api/fax/logs?page_size=0", 422, Value::from("page_size")),
        ("/api/fax/logs?created_on=soon", 422, "created_on".into()),
        (&format!("/api/fax/logs/{NOBODY}"), 404, Value::Null),
        ("/api/fax/logs/x", 404, Value::Null),
    ] {
        let errors = get(target).await.json(status);
        assert_eq!(errors["errors"][0]["attribute"], attribute, "{target}: {errors}");
    }
    assert_eq!(space.send("GET", "/api/fax/logs", "", None).await.json(401)["errors"][0]["code"], "unauthorized");
    assert!(space.send("POST", "/api/fax/logs", "", Some(&credential)).await.json(405)["errors"].is_array());
}

#[tokio::test]
async fn refusals_by_a_rule_and_by_the_guard_have_the_error_format_of_the_fax_logs() {
    let space = Space::new();
    let credential = format!("{PROJECT}:PTtoken");
    let rule = r#"{"match":{"path":"/api/fax/*"},"api":{"status":429}}"#;
    let added = space.send("POST", &format!("/_fauxfax/v1/rules?account={PROJECT}"), rule, None).await;
    assert!(added.status < 300, "{}", added.text);
    let error = space.send("GET", "/api/fax/logs", "", Some(&credential)).await.json(429);
    assert_eq!(error["errors"][0]["code"], "too_many_requests", "{error}");
    let error = space.send("GET", "http://rebound.example/api/fax/logs", "", Some(&credential)).await.json(421);
    assert_eq!(error["errors"][0]["type"], "request_error", "{error}");
    let path = format!("http://rebound.example/api/laml/2010-04-01/Accounts/{PROJECT}/Faxes");
    space.send("GET", &path, "", Some(&credential)).await.refused(421, 20006);
}
