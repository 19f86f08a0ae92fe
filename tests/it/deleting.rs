//! Tests the count of callbacks that an app did not accept, and the deletion of many faxes at once.

use fauxfax::engine::input::CreateFax;
use fauxfax::model::phone::PhoneNumber;
use serde_json::{Value, json};
use url::form_urlencoded;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::control::Bench;
use crate::script::{FAR, order};

const LETTER: &[u8] = include_bytes!("../../fixtures/documents/two-pages.pdf");
/// A number that is always busy.
const BUSY: PhoneNumber = PhoneNumber::from_digits(15_005_550_101);

/// An emulator, and an app that serves a document and accepts faxes, but responds to callbacks with an error status.
struct Desk {
    bench: Bench,
    app: MockServer,
    account: String,
}

impl Desk {
    async fn new() -> Self {
        let bench = Bench::new().await;
        let app = MockServer::start().await;
        let letter = ResponseTemplate::new(200).set_body_raw(LETTER, "application/pdf");
        Mock::given(path("/letter.pdf")).respond_with(letter).mount(&app).await;
        let twiml = r#"<Response><Receive action="/crash"/></Response>"#;
        let twiml = ResponseTemplate::new(200).set_body_raw(twiml, "text/xml");
        Mock::given(path("/fax")).respond_with(twiml).mount(&app).await;
        Mock::given(path("/crash")).respond_with(ResponseTemplate::new(500)).mount(&app).await;
        let number = |number: &str, page: &str| json!({ "phone_number": number, "voice_receive_mode": "fax", "voice_url": format!("{}{page}", app.uri()) });
        let numbers = [number("+15017122661", "/fax"), number("+15017122662", "/crash")];
        let account = bench.ok("POST", "/accounts", json!({ "numbers": numbers })).await;
        let account = account["sid"].as_str().expect("a SID").to_owned();
        Self { bench, app, account }
    }

    async fn call(&self, method: &str, path: &str, params: &[(&str, &str)], body: Value) -> Value {
        let params = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
        self.bench.ok(method, &format!("{path}?account={}&{params}", self.account), body).await
    }

    async fn list(&self, q: &str) -> Value {
        self.call("GET", "/faxes", &[("q", q)], Value::Null).await
    }

    async fn receive(&self, to: &str) -> Value {
        self.call("POST", "/incoming-faxes", &[("wait", "true")], json!({ "to": to })).await
    }

    /// Sends a fax whose callbacks go to this page of the app, if any, and waits until the account is idle.
    async fn send(&self, to: PhoneNumber, callback: Option<&str>) {
        let world = self.bench.registry.world(self.account.parse().expect("a SID")).expect("a world");
        let status_callback = callback.map(|page| format!("{}{page}", self.app.uri()).into());
        let media_url = format!("{}/letter.pdf", self.app.uri()).into();
        world.handle(CreateFax { media_url, status_callback, ..order(to) }).expect("accepted");
        self.call("GET", "/wait", &[("for", "idle")], Value::Null).await;
    }
}

#[tokio::test]
async fn the_list_counts_the_callbacks_that_an_app_did_not_accept() {
    let desk = Desk::new().await;
    desk.receive("+15017122661").await;
    desk.send(FAR, Some("/crash")).await;
    desk.send(FAR, None).await;
    let page = desk.list("").await;
    let failed = |at: usize| (page["faxes"][at]["callbacks_failed"].clone(), page["faxes"][at]["last_failure"].clone());
    assert_eq!(failed(0), (json!(0), Value::Null));
    assert_eq!(failed(1), (json!(4), json!("status-callback 500")), "queued, processing, sending and delivered");
    assert_eq!(failed(2), (json!(1), json!("action 500")));
    assert_eq!(page["faxes"][1]["status"], "delivered");
    for (q, hits) in [("callbacks:failed", 2), ("callbacks:ok", 1), ("-callbacks:failed direction:inbound", 0)] {
        assert_eq!(desk.list(q).await["hits"], hits, "{q}");
    }
    let refused =
        desk.bench.refused("GET", &format!("/faxes?account={}&q=callbacks:no", desk.account), Value::Null).await;
    assert!(refused.0 == 422 && refused.1.contains("failed, ok"), "{refused:?}");
    // The count is part of the state.
    let state = desk.call("GET", "/state", &[], Value::Null).await;
    desk.call("POST", "/reset", &[], Value::Null).await;
    desk.call("PUT", "/state", &[], state).await;
    assert_eq!(desk.list("callbacks:failed").await["faxes"][0]["last_failure"], "status-callback 500");
}

#[tokio::test]
async fn faxes_that_a_search_finds_are_deleted_except_those_in_progress() {
    let desk = Desk::new().await;
    desk.receive("+15017122661").await;
    desk.receive("+15017122662").await;
    for _ in 0..3 {
        desk.send(BUSY, None).await;
    }
    let delete = async |params: &[(&str, &str)]| desk.call("DELETE", "/faxes", params, Value::Null).await;
    let counts = |faxes: usize, calls: usize, active: usize| json!({ "deleted": faxes, "deleted_calls": calls, "in_progress": active });
    assert_eq!(delete(&[("q", "34004")]).await, counts(0, 0, 0));
    assert_eq!(delete(&[("q", "status:busy")]).await, counts(3, 0, 0));
    assert_eq!(desk.list("status:any").await["hits"], 2);
    desk.call("PUT", "/clock", &[], json!({ "mode": "frozen" })).await;
    let world = desk.bench.registry.world(desk.account.parse().expect("a SID")).expect("a world");
    world.handle(order(FAR)).expect("accepted");
    // Calls that nobody took are deleted only if a status is given.
    assert_eq!(delete(&[]).await, counts(1, 0, 1));
    assert_eq!(delete(&[("status", "any")]).await, counts(0, 1, 1));
    let left = desk.list("status:any").await;
    assert_eq!((&left["hits"], &left["total"], &left["total_calls"]), (&json!(1), &json!(1), &json!(0)));
    let refused = desk.bench.refused("DELETE", "/faxes?q=zzz:1", Value::Null).await;
    assert!(refused.0 == 422 && refused.1.starts_with("q: unknown key"), "{refused:?}");
}

#[tokio::test]
async fn more_faxes_than_are_read_in_one_step_are_all_deleted() {
    let desk = Desk::new().await;
    let world = desk.bench.registry.world(desk.account.parse().expect("a SID")).expect("a world");
    // Each step reads 2,000 entries (`SLICE_MAX` in http/control/listing.rs).
    for _ in 0..4_500 {
        let order = CreateFax { media_url: "http://127.0.0.1:9/a.pdf".into(), ..order(BUSY) };
        let sid = world.handle(order).expect("accepted");
        world.handle(fauxfax::engine::input::CancelFax(sid)).expect("canceled");
    }
    assert_eq!(desk.call("DELETE", "/faxes", &[("status", "canceled")], Value::Null).await["deleted"], 4_500);
    assert_eq!(desk.list("").await["total"], 0);
}
