//! SignalWire's resources beside the faxes, over the wire: numbers, numbers for sale, applications, accounts.

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

/// An emulator with one Twilio account, where a client of a SignalWire project calls.
struct Space {
    registry: Registry,
}

struct Answer {
    status: u16,
    text: String,
}

impl Answer {
    #[track_caller]
    fn json(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The error of SignalWire's compatibility API.
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
            media_budget_bytes: 1 << 30,
        };
        let settings = Settings {
            seed: 8,
            options,
            price: PriceForm::Text,
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

    /// Calls the API at a path below the project's.
    async fn call(&self, method: &str, path: &str, form: &str) -> Answer {
        let target = format!("/api/laml/2010-04-01/Accounts/{PROJECT}{path}");
        self.send(method, &target, form, Some(&format!("{PROJECT}:PTtoken"))).await
    }

    /// Calls what a relative URI in a resource leads to.
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
    // With and without `/api/laml`, and with and without `.json`.
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
async fn numbers_are_listed_newest_first_filtered_and_by_pages() {
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
async fn bad_numbers_and_ids_of_nothing_are_refused() {
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
