//! Tests the progress of pending faxes in the control API: the page on the line, its parts, and its picture.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use fauxfax::engine::Step;
use fauxfax::http::control::BASE;
use fauxfax::model::fax::Status;
use fauxfax::model::phone::PhoneNumber;
use fauxfax::model::time::Pace;
use serde_json::{Value, json};

use crate::control::Bench;
use crate::script::{OWN, Script, call, order};

/// A frozen world at the pace of real lines.
struct Frozen {
    bench: Bench,
    account: String,
}

impl Frozen {
    async fn new() -> Self {
        let bench = Bench::at(Pace::Times(1.0)).await;
        let account = bench.account().await;
        let own = Self { bench, account };
        own.ok("PUT", "/clock", json!({ "mode": "frozen" })).await;
        own
    }

    async fn ok(&self, method: &str, target: &str, body: Value) -> Value {
        self.bench.ok(method, &self.target(target), body).await
    }

    fn target(&self, target: &str) -> String {
        format!("{target}?account={}", self.account)
    }

    /// Moves the clock, and waits until no request to the app is under way.
    async fn advance(&self, to: &Value) {
        self.ok("POST", "/clock/advance", json!({ "to": to })).await;
    }

    /// Lets a fax machine call, and waits until its first page is on the line.
    async fn receive(&self, order: Value) -> String {
        let ringing = self.ok("POST", "/incoming-faxes", order).await;
        self.ok("POST", "/clock/advance", json!({ "seconds": 0 })).await;
        ringing["fax_sid"].as_str().expect("a SID").to_owned()
    }

    async fn fax(&self, sid: &str) -> Value {
        self.ok("GET", &format!("/faxes/{sid}"), Value::Null).await
    }

    /// Requests the picture of a page, and returns the status and the number of bytes.
    async fn picture(&self, sid: &str, page: u32) -> (u16, usize) {
        let target = self.target(&format!("{BASE}/faxes/{sid}/pages/{page}.png"));
        let request = Request::get(target).header(header::HOST, "localhost:8329");
        let response = self.bench.send(request.body(Body::empty()).expect("a request")).await;
        let status = response.status().as_u16();
        (status, to_bytes(response.into_body(), usize::MAX).await.expect("a body").len())
    }
}

/// Lists the parts of a page, each with the time at which it ends.
fn parts(progress: &Value) -> Vec<(&str, &str)> {
    let parts = progress["parts"].as_array().expect("a list").iter();
    parts.map(|part| (part["part"].as_str().expect("text"), part["ends_at"].as_str().expect("text"))).collect()
}

#[tokio::test]
async fn a_page_on_the_line_has_a_picture_and_parts_the_last_of_which_ends_with_the_page() {
    let world = Frozen::new().await;
    let sid = world.receive(json!({ "pages": 2 })).await;
    let fax = world.fax(&sid).await;
    assert_eq!((&fax["status"], &fax["num_pages"]), (&json!("receiving"), &Value::Null));
    let first = fax["progress"].clone();
    assert_eq!((&first["step"], &first["clock"], &first["pictures"]), (&json!("page"), &json!("frozen"), &json!(true)));
    let facts = [&first["page"], &first["pages"], &first["rate_bps"], &first["coding"]];
    assert_eq!(facts, [&json!(1), &json!(2), &json!(14_400), &json!("MMR")]);
    assert_eq!(first["started_at"], first["now"], "the page has just begun");
    let names: Vec<_> = parts(&first).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["handshake", "training", "picture", "confirmation"]);
    assert!(parts(&first).is_sorted_by_key(|(_, ends)| *ends));
    assert_eq!(parts(&first)[3].1, first["ends_at"]);
    let (status, bytes) = world.picture(&sid, 1).await;
    assert!(status == 200 && bytes > 1_000, "{status} {bytes}");

    world.advance(&first["ends_at"]).await;
    let second = world.fax(&sid).await["progress"].clone();
    assert_eq!((&second["page"], &second["started_at"]), (&json!(2), &first["ends_at"]));
    let names: Vec<_> = parts(&second).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["training", "picture", "confirmation", "release"]);
    world.advance(&second["ends_at"]).await;
    let over = world.fax(&sid).await;
    assert_eq!((&over["status"], over.get("progress")), (&json!("received"), None));
    assert_eq!(world.picture(&sid, 2).await.0, 200);
}

#[tokio::test]
async fn a_call_that_breaks_ends_before_the_parts_of_its_page() {
    let world = Frozen::new().await;
    let sid = world.receive(json!({ "pages": 2, "outcome": { "status": "failed", "after_pages": 1 } })).await;
    world.advance(&world.fax(&sid).await["progress"]["ends_at"]).await;
    let progress = world.fax(&sid).await["progress"].clone();
    assert_eq!(progress["page"], 2);
    let (_, ends) = parts(&progress)[3];
    assert!(progress["ends_at"].as_str().expect("text") < ends, "{progress}");
    world.advance(&progress["ends_at"]).await;
    assert_eq!(world.fax(&sid).await["status"], "failed");
}

#[test]
fn both_ends_of_a_fax_in_one_world_have_the_same_page_on_the_line() {
    let mut script = Script::default();
    let step = |script: &Script, sid| script.engine.progress(sid).expect("it is pending").step;
    let sent = script.send(order(OWN));
    assert_eq!(step(&script, sent), Step::Fetching);
    script.answer_document(2);
    assert_eq!(step(&script, sent), Step::Converting);
    script.forward(Duration::from_secs(1));
    let received = script.first_effect().fax.expect("it belongs to a call");
    assert_eq!((step(&script, sent), step(&script, received)), (Step::Ringing, Step::Asking));
    script.answer_twiml("<Response><Receive/></Response>", &[]);
    let [ours, theirs] = [sent, received].map(|sid| script.engine.progress(sid).expect("it is pending"));
    assert_eq!((ours.step, ours.call, theirs.call), (Step::Page, Some(1), None));
    assert_eq!(ours.page.as_ref().map(|page| (page.page, page.pages)), Some((1, 2)));
    assert_eq!((ours.page, ours.ends), (theirs.page, theirs.ends));
    script.forward(Duration::from_secs(3_600));
    assert_eq!([sent, received].map(|sid| script.engine.progress(sid)), [None, None]);
}

#[test]
fn the_progress_of_a_fax_that_waits_for_a_redial_says_when_that_is_due() {
    let mut script = Script::default();
    let sid = script.send(order(PhoneNumber::from_digits(15_005_550_107)));
    script.answer_document(1);
    while script.engine.progress(sid).expect("it is pending").step != Step::Redial {
        script.forward_to_next();
    }
    let progress = script.engine.progress(sid).expect("it is pending");
    assert_eq!((progress.call, progress.ends), (Some(1), script.engine.next_work()));
}

#[test]
fn pages_that_are_not_to_be_stored_cannot_be_seen_while_they_come_in() {
    for (twiml, seen) in [("<Receive/>", true), ("<Receive storeMedia=\"false\"/>", false)] {
        let mut script = Script::default();
        let sid = script.receive(call(1));
        assert!(script.engine.pages_so_far(sid).is_none(), "the app is still being asked");
        script.answer_twiml(&format!("<Response>{twiml}</Response>"), &[]);
        assert_eq!(script.status(sid), Status::Receiving);
        assert_eq!(script.engine.pages_so_far(sid).is_some(), seen, "{twiml}");
    }
}
