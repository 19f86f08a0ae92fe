//! Tests whole conversations over the REST API and the media host, and checks the API's responses against Twilio's
//! description. The tests use the world itself only to wait and to move its clock.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, header};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use fauxfax::clock::ClockMode;
use fauxfax::document::sample;
use fauxfax::emulator::{AccountSetup, GuardOptions, Registry, Settings, World};
use fauxfax::engine::WorldOptions;
use fauxfax::io::client::{Client, ClientOptions};
use fauxfax::model::account::{AccountMode, CallbackPolicy, DocumentPolicy, MediaUserAgent, PriceForm, Service};
use fauxfax::model::sid::{AccountSid, FaxSid};
use fauxfax::model::time::Pace;
use fauxfax::{http, server};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tower::ServiceExt;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::schema::assert_described;

const ORIGIN: &str = "http://localhost:8329";
/// The time after which a test gives up waiting, far longer than a conversation at the highest pace takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// An emulator with one account, called without a socket.
struct Wire {
    registry: Registry,
    credential: String,
    /// The app that serves the document to be sent.
    app: MockServer,
    document: Vec<u8>,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

impl Wire {
    async fn new(price: PriceForm) -> Self {
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
            price: price.into(),
            service: Service::Full,
            public_url: None,
            guard: GuardOptions::default(),
            media_user_agent: MediaUserAgent::Warn,
        };
        let client = Client::new(&ClientOptions::default());
        let setup = AccountSetup {
            sid: Some(AccountSid::from_bytes([7; 16])),
            auth_token: Some("secret".into()),
            ..AccountSetup::default()
        };
        let client = client.expect("a client");
        let registry = Registry::new(settings, client, setup, Vec::new(), Handle::current()).expect("an emulator");
        let credential = format!("{}:secret", AccountSid::from_bytes([7; 16]));
        let (app, document) = (MockServer::start().await, sample::test_pages(2));
        let pdf = ResponseTemplate::new(200).set_body_raw(document.clone(), "application/pdf");
        Mock::given(path("/fax.pdf")).respond_with(pdf).mount(&app).await;
        Self { registry, credential: format!("Basic {}", BASE64_STANDARD.encode(credential)), app, document }
    }

    fn world(&self) -> World {
        self.registry.world(AccountSid::from_bytes([7; 16])).expect("the world")
    }

    async fn call(&self, method: &str, target: &str, headers: &[(&str, &str)], form: String) -> Answer {
        let request = Request::builder().method(method).uri(target.strip_prefix(ORIGIN).unwrap_or(target));
        let request = request.header(header::HOST, "localhost:8329").header(header::USER_AGENT, "test");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let service = http::service(self.registry.clone(), ([127, 0, 0, 1], 8329).into());
        let response = service.oneshot(request.body(Body::from(form)).expect("a request")).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("a body").to_vec();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// Calls the Fax API, and checks the response against Twilio's description of the path `described`.
    async fn fax_api(&self, method: &str, described: &str, target: &str, form: &str) -> Value {
        let answer = self.call(method, target, &[("authorization", &self.credential)], form.to_owned()).await;
        assert_described(method, described, answer.status, answer.text());
        if answer.body.is_empty() { Value::Null } else { answer.json() }
    }

    /// Sends a fax and waits until it has ended.
    async fn send(&self, to: &str, options: &str) -> Value {
        let media_url = format!("{}/fax.pdf", self.app.uri());
        let form = format!("To=%2B{to}&From=%2B15017122661&MediaUrl={media_url}{options}");
        let fax = self.fax_api("POST", "/v1/Faxes", "/v1/Faxes", &form).await;
        assert_eq!(
            (&fax["status"], &fax["media_sid"], &fax["num_pages"]),
            (&"queued".into(), &Value::Null, &Value::Null)
        );
        let sid: FaxSid = fax["sid"].as_str().and_then(|sid| sid.parse().ok()).expect("a SID");
        let world = self.world();
        let ended = world.until(|engine| engine.fax(sid).ok().filter(|fax| fax.status().is_final()).map(drop));
        tokio::time::timeout(PATIENCE, ended).await.expect("the fax ends");
        fax
    }

    async fn fetch(&self, fax: &Value) -> Value {
        self.fax_api("GET", "/v1/Faxes/{Sid}", text(fax, "url"), "").await
    }
}

fn text<'a>(resource: &'a Value, key: &str) -> &'a str {
    resource[key].as_str().unwrap_or_else(|| panic!("{key} of {resource}"))
}

#[tokio::test]
async fn a_delivered_fax_has_a_document_a_duration_and_a_price() {
    let wire = Wire::new(PriceForm::Text).await;
    let created = wire.send("15558675310", "").await;
    let fax = wire.fetch(&created).await;
    assert_eq!((&fax["status"], &fax["num_pages"]), (&"delivered".into(), &2.into()));
    assert!(fax["duration"].as_u64().is_some_and(|seconds| seconds > 0), "{fax}");
    let price = fax["price"].as_str().expect("a string");
    assert!(price.starts_with("-0.0"), "a charge is negative by default: {fax}");
    assert_eq!(fax["price_unit"], "USD");
    let media =
        wire.fax_api("GET", "/v1/Faxes/{FaxSid}/Media", fax["links"]["media"].as_str().expect("a link"), "").await;
    assert_eq!(media["media"][0]["sid"], fax["media_sid"]);
    let one = wire.fax_api("GET", "/v1/Faxes/{FaxSid}/Media/{Sid}", text(&media["media"][0], "url"), "").await;
    assert_eq!((&one, &one["content_type"]), (&media["media"][0], &"application/pdf".into()));
    let document = wire.call("GET", text(&fax, "media_url"), &[], String::new()).await;
    assert_eq!(document.status, 200);
    assert!(document.body.starts_with(b"%PDF-") && document.body != wire.document, "a file of the pages as sent");
    let part = wire.call("GET", text(&fax, "media_url"), &[("range", "bytes=0-4")], String::new()).await;
    assert_eq!((part.status, part.text()), (206, "%PDF-"));
    let head = wire.call("HEAD", text(&fax, "media_url"), &[], String::new()).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.headers[header::CONTENT_LENGTH], document.body.len().to_string().as_str());
}

#[tokio::test]
async fn in_a_busy_an_unanswered_and_a_delivered_fax_the_same_fields_are_null_as_in_the_recordings() {
    let wire = Wire::new(PriceForm::Number).await;
    for (to, status, duration, priced) in [
        ("15005550101", "busy", Value::Null, false),
        ("15005550102", "no-answer", 15.into(), false),
        ("15558675310", "delivered", Value::Null, true),
    ] {
        let created = wire.send(to, "").await;
        let fax = wire.fetch(&created).await;
        assert_eq!((&fax["status"], &fax["num_pages"]), (&status.into(), &2.into()));
        assert!(fax["media_sid"].is_string() && fax["media_url"].is_string(), "{fax}");
        assert!(priced || fax["duration"] == duration, "{fax}");
        assert_eq!((fax["price"].is_number(), fax["price_unit"].is_string()), (priced, priced), "{fax}");
    }
    let list = wire.fax_api("GET", "/v1/Faxes", "/v1/Faxes?PageSize=2", "").await;
    assert_eq!(list["faxes"].as_array().map(Vec::len), Some(2));
    let rest = wire.fax_api("GET", "/v1/Faxes", text(&list["meta"], "next_page_url"), "").await;
    assert_eq!(rest["faxes"][0]["status"], "busy");
}

#[tokio::test]
async fn without_store_media_no_media_are_kept() {
    let wire = Wire::new(PriceForm::Text).await;
    let created = wire.send("15558675310", "&StoreMedia=False").await;
    let fax = wire.fetch(&created).await;
    assert_eq!(
        (&fax["status"], &fax["media_sid"], &fax["media_url"]),
        (&"delivered".into(), &Value::Null, &Value::Null)
    );
    let media =
        wire.fax_api("GET", "/v1/Faxes/{FaxSid}/Media", fax["links"]["media"].as_str().expect("a link"), "").await;
    assert_eq!(media["media"], Value::Array(vec![]));
}

#[tokio::test]
async fn deleted_media_are_null_and_their_url_is_404() {
    let wire = Wire::new(PriceForm::Text).await;
    let created = wire.send("15558675310", "").await;
    let fax = wire.fetch(&created).await;
    let media = format!("{}/{}", fax["links"]["media"].as_str().expect("a link"), text(&fax, "media_sid"));
    wire.fax_api("DELETE", "/v1/Faxes/{FaxSid}/Media/{Sid}", &media, "").await;
    let after = wire.fetch(&created).await;
    assert_eq!(
        (&after["media_sid"], &after["media_url"], &after["num_pages"]),
        (&Value::Null, &Value::Null, &2.into())
    );
    let document = wire.call("GET", text(&fax, "media_url"), &[], String::new()).await;
    assert_eq!(document.status, 404);
    assert!(document.text().contains("<Code>NoSuchKey</Code>"), "{}", document.text());
    wire.fax_api("DELETE", "/v1/Faxes/{Sid}", text(&fax, "url"), "").await;
}

#[tokio::test]
async fn a_media_url_expires_by_the_worlds_clock_and_a_fetch_returns_a_fresh_one() {
    let wire = Wire::new(PriceForm::Text).await;
    let created = wire.send("15558675310", "").await;
    let world = wire.world();
    world.set_clock_mode(ClockMode::Frozen);
    let early = wire.fetch(&created).await;
    world.advance(world.now().after(Duration::from_secs(2 * 60 * 60))).await.expect("the clock moves");
    let expired = wire.call("GET", text(&early, "media_url"), &[], String::new()).await;
    assert_eq!(expired.status, 403);
    assert!(expired.text().contains("<Message>Request has expired"), "{}", expired.text());
    let late = wire.fetch(&created).await;
    assert_eq!(wire.call("GET", text(&late, "media_url"), &[], String::new()).await.status, 200);
}

#[tokio::test]
async fn a_connection_on_which_a_request_is_refused_before_its_body_arrives_serves_the_next_request() {
    let wire = Wire::new(PriceForm::Text).await;
    served(&wire, async |address| {
        // A request without a credential, one to an unknown path, and one with a method that the path doesn't have.
        for target in ["POST /v1/Faxes", "POST /nowhere", "PATCH /v1/Faxes"] {
            let mut stream = TcpStream::connect(address).await.expect("a connection");
            let head = format!("{target} HTTP/1.1\r\nHost: fax.test\r\nContent-Length: 4\r\n\r\n");
            stream.write_all(head.as_bytes()).await.expect("sent");
            // Once another connection has had its response, the head of this request has been read.
            ask(address, "GET /nowhere HTTP/1.0\r\n\r\n").await;
            stream.write_all(b"To=1").await.expect("the body follows");
            let next = "GET /nowhere HTTP/1.1\r\nHost: fax.test\r\nConnection: close\r\n\r\n";
            stream.write_all(next.as_bytes()).await.expect("sent");
            let mut answers = String::new();
            stream.read_to_string(&mut answers).await.expect("both are answered");
            assert_eq!(answers.matches("HTTP/1.1 4").count(), 2, "{answers}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_connection_is_closed_cleanly_if_the_client_asks_for_it() {
    let wire = Wire::new(PriceForm::Text).await;
    served(&wire, async |address| {
        for head in ["HTTP/1.1\r\nHost: fax.test\r\nConnection: close\r\n", "HTTP/1.0\r\n"] {
            let answer = ask(address, &format!("GET /v1/Faxes {head}Authorization: {}\r\n\r\n", wire.credential)).await;
            assert!(answer.contains(" 200 OK\r\n") && answer.contains("content-length: "), "{answer}");
            let host =
                if head.contains("fax.test") { "http://fax.test".to_owned() } else { format!("http://{address}") };
            assert!(answer.contains(&format!("\"url\":\"{host}/v1/Faxes?")), "{answer}");
        }
    })
    .await;
}

/// Serves the emulator on a free port until `ask` has finished.
async fn served(wire: &Wire, ask: impl AsyncFnOnce(SocketAddr)) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = server::run(listener, http::service(wire.registry.clone(), address), async { drop(stopped.await) });
    let asking = async {
        ask(address).await;
        drop(stop);
    };
    tokio::time::timeout(PATIENCE, async { tokio::join!(serving, asking) }).await.expect("the server stops");
}

/// Sends a request on a new connection and returns the response.
async fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("the answer ends with the connection");
    answer
}
