//! An emulator with one account, which the wire tests call without a socket. `Host::api` checks responses against Twilio's
//! description.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use fauxfax::emulator::{AccountSetup, GuardOptions, Registry, Settings, World};
use fauxfax::engine::WorldOptions;
use fauxfax::engine::event::{Alert, EventKind};
use fauxfax::engine::journal::{EventFilter, JOURNAL_EVENTS_MAX};
use fauxfax::http;
use fauxfax::io::client::{Client, ClientOptions};
use fauxfax::model::account::{AccountMode, CallbackPolicy, DocumentPolicy, MediaUserAgent, PriceForm, Service};
use fauxfax::model::number::{NumberChange, ReceiveMode};
use fauxfax::model::sid::AccountSid;
use fauxfax::model::time::Pace;
use serde_json::Value;
use tokio::runtime::Handle;
use tower::ServiceExt;

use crate::schema::assert_described;
use crate::script::OWN;

/// The time after which a test gives up waiting, far longer than anything in the tests takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// The account's token.
pub(crate) const TOKEN: &str = "secret";

/// Returns the SID of the only account.
pub(crate) const fn account() -> AccountSid {
    AccountSid::from_bytes([7; 16])
}

/// Returns the settings that the tests' emulators have unless a test changes them.
pub(crate) fn settings(pace: Pace) -> Settings {
    Settings {
        seed: 8,
        options: WorldOptions {
            pace,
            callbacks: CallbackPolicy::All,
            documents: DocumentPolicy::Lenient,
            accounts: AccountMode::Open,
            is_pedantic: false,
            media_budget_bytes: 1 << 30,
        },
        price: PriceForm::Text.into(),
        service: Service::Full,
        public_url: None,
        guard: GuardOptions::default(),
        media_user_agent: MediaUserAgent::Warn,
    }
}

/// Returns an account with one fax number, whose app is at this URL.
pub(crate) fn setup(voice_url: &str) -> AccountSetup {
    let fax_number = NumberChange {
        voice_receive_mode: Some(ReceiveMode::Fax),
        voice_url: Some(voice_url.into()),
        ..NumberChange::default()
    };
    AccountSetup {
        sid: Some(account()),
        auth_token: Some(TOKEN.into()),
        numbers: vec![(OWN, fax_number)],
        ..AccountSetup::default()
    }
}

/// An emulator under test.
pub(crate) struct Host {
    pub(crate) registry: Registry,
}

/// A response of the emulator.
pub(crate) struct Answer {
    pub(crate) status: u16,
    text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// Returns the status and code of an error.
    pub(crate) fn error(&self) -> (u16, u64) {
        let body = self.json();
        assert_eq!(body["status"], self.status, "{body}");
        (self.status, body["code"].as_u64().unwrap_or_default())
    }
}

impl Host {
    pub(crate) fn new(setup: AccountSetup) -> Self {
        Self::with(settings(Pace::Max), &ClientOptions::default(), setup)
    }

    pub(crate) fn with(settings: Settings, options: &ClientOptions, setup: AccountSetup) -> Self {
        let client = Client::new(options).expect("a client");
        let registry = Registry::new(settings, client, setup, Vec::new(), Handle::current()).expect("an emulator");
        Self { registry }
    }

    pub(crate) fn world(&self) -> World {
        self.registry.world(account()).expect("the world")
    }

    /// Makes a request with the account's SID and token.
    pub(crate) async fn call(&self, method: &str, target: &str, form: &str) -> Answer {
        self.call_as((&account().to_string(), TOKEN), method, target, form).await
    }

    /// Makes a request with this SID and token.
    pub(crate) async fn call_as(&self, who: (&str, &str), method: &str, target: &str, form: &str) -> Answer {
        let credential = BASE64_STANDARD.encode(format!("{}:{}", who.0, who.1));
        let request = Request::builder().method(method).uri(target).header(header::HOST, "localhost:8329");
        let request = request.header(header::AUTHORIZATION, format!("Basic {credential}"));
        let service = http::service(self.registry.clone(), ([127, 0, 0, 1], 8329).into());
        let request = request.body(Body::from(form.to_owned())).expect("a request");
        let response = service.oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("a body");
        Answer { status: parts.status.as_u16(), text: String::from_utf8(body.to_vec()).expect("text") }
    }

    /// Makes a GET request with the account's SID and token, and returns the response's status and text.
    pub(crate) async fn text(&self, target: &str) -> (u16, String) {
        let answer = self.call("GET", target, "").await;
        (answer.status, answer.text)
    }

    /// Makes a REST call as the account, and checks the response against what Twilio's description says about the path
    /// `described`.
    pub(crate) async fn api(&self, method: &str, described: &str, target: &str, form: &str) -> Value {
        let answer = self.call(method, target, form).await;
        assert_described(method, described, answer.status, &answer.text);
        if answer.text.is_empty() { Value::Null } else { answer.json() }
    }

    /// Waits until the world is idle, and returns all of its alerts.
    pub(crate) async fn alerts_at_rest(&self) -> Vec<Alert> {
        let world = self.world();
        let idle = world.until(|engine| engine.is_idle().then_some(()));
        tokio::time::timeout(PATIENCE, idle).await.expect("the world becomes idle");
        let events = world.read(|engine| engine.events(&EventFilter::default(), JOURNAL_EVENTS_MAX));
        let alert = |kind: &EventKind| if let EventKind::Alert(alert) = kind { Some(alert.clone()) } else { None };
        events.iter().filter_map(|event| alert(&event.kind)).collect()
    }
}
