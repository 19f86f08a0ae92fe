//! Tests how the journal marks calls and webhooks: what was unusual, such as a retry, a duplicate or a delay, and which
//! rule caused it.

use std::time::Duration;

use fauxfax::dialect::sentence;
use fauxfax::engine::event::{CallResult, EventKind, RuledWebhook};
use fauxfax::engine::input::{AddRule, CancelFax, CreateFax};
use fauxfax::model::account::Dialect;
use fauxfax::model::fax::Status;
use fauxfax::model::phone::PhoneNumber;
use fauxfax::model::sid::FaxSid;
use fauxfax::model::webhook::{ExchangeFailure, Purpose};
use serde_json::{Value, json};

use crate::control::Bench;
use crate::script::{FAR, OWN, Script, call, order};
use crate::state;

const RECEIVE: &str = "<Response><Receive action=\"/done\"/></Response>";
const HOUR: Duration = Duration::from_secs(3_600);
const MINUTE: Duration = Duration::from_secs(60);
/// A number that behaves: it is busy twice.
const BUSY_TWICE: PhoneNumber = PhoneNumber::from_digits(15_005_550_107);

/// Creates a world with this rule.
fn with_rule(value: &Value) -> Script {
    let mut script = Script::default();
    let rule = fauxfax::dialect::rule::parse(value, Dialect::Twilio).expect("a rule");
    assert!(script.control(AddRule(rule)).is_ok());
    script
}

/// The number, outcome and rule of each call of a fax, and whether another call was announced.
type Calls = Vec<(u32, CallResult, Option<u64>, bool)>;

fn calls(script: &Script, sid: FaxSid) -> Calls {
    let events = script.events(Some(sid));
    let of_call = events.iter().filter_map(|event| {
        let EventKind::CallAttempt { attempt, outcome, retry_at, rule } = &event.kind else { return None };
        Some((*attempt, *outcome, *rule, retry_at.is_some()))
    });
    of_call.collect()
}

/// Lists the note on each exchange with this purpose; the note on a usual exchange is empty.
fn notes(script: &Script, purpose: Purpose) -> Vec<String> {
    let events = script.events(None);
    let exchanges = events.iter().filter_map(|event| event.kind.exchange()).filter(|record| record.purpose == purpose);
    exchanges.map(|record| sentence::of_delivery(&record.delivery).unwrap_or_default()).collect()
}

/// Returns an order to send a fax with a StatusCallback.
fn told() -> CreateFax {
    CreateFax { status_callback: Some("http://app/s".into()), ..order(FAR) }
}

fn to_rest(script: &mut Script) {
    crate::timelines::to_rest(script, RECEIVE);
}

#[test]
fn each_call_of_a_fax_is_an_event_before_its_first_page() {
    let mut script = Script::default();
    let sid = script.send(order(BUSY_TWICE));
    to_rest(&mut script);
    let busy = |attempt| (attempt, CallResult::Busy, None, true);
    assert_eq!(calls(&script, sid), [busy(1), busy(2), (3, CallResult::Connected, None, false)]);
    let kinds: Vec<_> = script.events(Some(sid)).iter().map(|event| event.kind.as_str()).collect();
    let first = kinds.iter().position(|kind| *kind == "call.attempt").expect("a call");
    assert_eq!(&kinds[first..first + 4], ["call.attempt", "call.attempt", "call.attempt", "fax.page"]);
}

#[test]
fn the_next_call_starts_at_the_announced_time() {
    let mut script = Script::default();
    let sid = script.send(order(BUSY_TWICE));
    script.answer_document(1);
    let announced = |script: &Script| {
        script
            .events(Some(sid))
            .iter()
            .find_map(|event| if let EventKind::CallAttempt { retry_at, .. } = &event.kind { *retry_at } else { None })
    };
    while announced(&script).is_none() {
        script.forward_to_next();
    }
    assert_eq!(script.engine.next_work(), announced(&script));
}

#[test]
fn a_call_names_the_rule_that_decided_its_outcome() {
    let mut script = with_rule(&json!({ "times": 1, "outcome": { "status": "busy" } }));
    let sid = script.send(CreateFax { ttl_minutes: Some(5), ..order(FAR) });
    to_rest(&mut script);
    assert_eq!(
        calls(&script, sid),
        [(1, CallResult::Busy, Some(1), true), (2, CallResult::Connected, None, false)],
        "the second call is not the rule's"
    );
}

#[test]
fn a_call_to_a_number_of_the_account_reports_its_outcome() {
    for (twiml, outcome) in [(RECEIVE, CallResult::Connected), ("<Response><Reject/></Response>", CallResult::Busy)] {
        let mut script = Script::default();
        let sid = script.send(order(OWN));
        crate::timelines::to_rest(&mut script, twiml);
        assert_eq!(calls(&script, sid), [(1, outcome, None, false)], "{twiml}");
    }
    let mut script = Script::default();
    let sid = script.send(order(OWN));
    script.answer_document(1);
    script.forward_to_next();
    assert!(script.control(CancelFax(sid)).is_ok(), "the number still rings");
    assert_eq!(calls(&script, sid), [(1, CallResult::Canceled, None, false)]);
}

#[test]
fn a_duplicate_a_delay_and_a_late_notice_are_marked() {
    let to_app = json!({ "purpose": "status-callback" });
    for (webhook, note) in [
        (json!({ "duplicate": true }), "second delivery, same token, by rule 1"),
        (json!({ "delay_ms": 3_000 }), "held 3 s by rule 1"),
        (json!({ "reorder": true }), "sent after the next one by rule 1"),
        (json!({ "signature": "missing" }), "signature left out on purpose by rule 1"),
        (json!({ "duplicate": true, "delay_ms": 500 }), "second delivery, same token, held 0.5 s, by rule 1"),
    ] {
        let mut script = with_rule(&json!({ "match": to_app, "after": 1, "times": 1, "webhook": webhook }));
        script.send(told());
        to_rest(&mut script);
        let notes = notes(&script, Purpose::StatusCallback);
        assert_eq!(notes.iter().filter(|own| *own == note).count(), 1, "{webhook}: {notes:?}");
        let unusual = notes.iter().filter(|note| !note.is_empty()).count();
        assert!(unusual == 1 || webhook.get("delay_ms").is_some(), "{webhook}: {notes:?}");
    }
}

#[test]
fn only_notices_that_another_one_overtook_are_marked_as_late() {
    let mut script = with_rule(&json!({ "match": { "purpose": "status-callback" }, "webhook": { "reorder": true } }));
    script.send(told());
    to_rest(&mut script);
    let late = "sent after the next one by rule 1";
    assert_eq!(notes(&script, Purpose::StatusCallback), ["", late, "", late]);
}

#[test]
fn a_rule_that_drops_a_webhook_says_which_one() {
    let mut script = with_rule(&json!({ "after": 1, "times": 1, "webhook": { "drop": true } }));
    script.send(told());
    to_rest(&mut script);
    let fired = |kind: &EventKind| if let EventKind::RuleFired { webhook, .. } = kind { *webhook } else { None };
    let fired: Vec<_> = script.events(None).iter().filter_map(|event| fired(&event.kind)).collect();
    assert_eq!(fired, [RuledWebhook { purpose: Purpose::StatusCallback, status: Some(Status::Processing) }]);
}

#[test]
fn the_second_delivery_of_a_duplicated_twiml_request_has_a_note() {
    let mut script = with_rule(&json!({ "match": { "purpose": "fax-url" }, "webhook": { "duplicate": true } }));
    script.receive(call(1));
    to_rest(&mut script);
    assert_eq!(notes(&script, Purpose::FaxUrl), ["", "second delivery, same token, by rule 1"]);
}

#[test]
fn a_retry_says_what_went_wrong_before() {
    let mut script = Script::default();
    script.send(CreateFax { status_callback: Some("http://app/s#rc=2&rp=all".into()), ..order(FAR) });
    script.answer_failure(ExchangeFailure::ReadTimeout);
    script.forward(Duration::ZERO);
    script.answer_document(1);
    script.answer_failure(ExchangeFailure::HttpStatus(503));
    script.forward(Duration::ZERO);
    to_rest(&mut script);
    let notes = notes(&script, Purpose::StatusCallback);
    assert_eq!(&notes[..3], ["", "second attempt after a timeout", "third attempt after an error status"]);
    assert!(notes[3..].iter().all(String::is_empty), "{notes:?}");
}

#[test]
fn marks_survive_an_export() {
    let mut script = with_rule(&json!({ "match": { "purpose": "action" }, "webhook": { "delay_ms": 90000 } }));
    script.receive(call(1));
    script.answer_twiml(RECEIVE, &[]);
    script.forward(MINUTE);
    assert_eq!(script.engine.waiting_count(), 1, "the action waits");
    state::reload(&mut script.engine, script.now);
    script.forward(HOUR);
    script.answer_ok();
    assert_eq!(notes(&script, Purpose::Action), ["held 90 s by rule 1"]);
    // The rule of a call that rings is kept, too.
    let mut script = with_rule(&json!({ "outcome": { "status": "busy" } }));
    let sid = script.send(order(FAR));
    script.answer_document(1);
    script.forward(Duration::from_secs(1));
    state::reload(&mut script.engine, script.now);
    to_rest(&mut script);
    assert_eq!(calls(&script, sid), [(1, CallResult::Busy, Some(1), false)]);
}

#[tokio::test]
async fn events_show_the_marks_and_explain_signature_names_the_rule() {
    let bench = Bench::new().await;
    let account = bench.account().await;
    let at = |path: &str| format!("{path}?account={account}");
    let rule = json!({ "match": { "purpose": "action" }, "webhook": { "signature": "bad", "duplicate": true } });
    bench.ok("POST", &at("/rules"), rule).await;
    bench.receive(&account).await;
    let events = bench.ok("GET", &at("/events"), Value::Null).await;
    let of_kind = |kind: &str, purpose: &Value| {
        let events = events["events"].as_array().expect("events").iter();
        let data = events.filter(|event| event["kind"] == kind).map(|event| &event["data"]);
        data.filter(|data| data["purpose"] == *purpose).cloned().collect::<Vec<_>>()
    };
    let sent = of_kind("webhook.attempt", &json!("action"));
    let fields = |data: &Value| ["attempt", "delivery", "rule_id", "held_ms", "note"].map(|name| data[name].clone());
    let first = json!([1, 1, 1, 0, "signature spoiled on purpose by rule 1"]);
    let second = json!([1, 2, 1, 0, "second delivery, same token, signature spoiled on purpose, by rule 1"]);
    assert_eq!(sent.iter().map(|data| json!(fields(data))).collect::<Vec<_>>(), [first, second]);
    let asked = of_kind("webhook.attempt", &json!("fax-url"));
    assert_eq!(json!(fields(&asked[0])), json!([1, 1, null, 0, null]));
    let fired = of_kind("rule.fired", &json!("action"));
    let what = "rule 1 sends this webhook twice and gives it an invalid signature (action, received)";
    assert_eq!((&fired[0]["what"], &fired[0]["status"]), (&json!(what), &json!("received")));

    let ask = |data: &Value, signature: &Value| json!({ "url": data["url"], "params": data["params"], "signature": signature });
    let signature = &sent[0]["request_headers"]["x-twilio-signature"];
    let explained = bench.ok("POST", &at("/explain-signature"), ask(&sent[0], signature)).await;
    let told = [&explained["valid"], &explained["mistake"]];
    assert_eq!(told, [&json!(false), &json!("by-rule")], "{explained}");
    let detail = explained["detail"].as_str().expect("a detail");
    assert!(detail.starts_with("rule 1 spoiled this signature on purpose"), "{detail}");
    // The same request with a different signature is the app's own mistake.
    let explained = bench.ok("POST", &at("/explain-signature"), ask(&sent[0], &json!("x"))).await;
    assert_eq!(explained["mistake"], "unknown");
    let explained = bench.ok("POST", &at("/explain-signature"), ask(&sent[0], &explained["expected"])).await;
    assert_eq!(explained["valid"], true);
}
