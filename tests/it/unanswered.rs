//! Tests what the engine remembers of calls that ended without a fax: the reason, and their place among the faxes.

use std::time::Duration;

use fauxfax::dialect::rule;
use fauxfax::engine::export::{MediaForm, State};
use fauxfax::engine::input::{AddRule, CancelFax, Reset};
use fauxfax::engine::{Entries, UnansweredCall};
use fauxfax::model::account::Dialect;
use fauxfax::model::fault::Fault;
use fauxfax::model::sid::FaxSid;
use fauxfax::model::webhook::{ExchangeFailure, Purpose};
use serde_json::json;

use crate::script::{OWN, Script, call, order, spec};

const RECEIVE: &str = "<Response><Receive/></Response>";

fn remembered(script: &Script, sid: FaxSid) -> &UnansweredCall {
    script.engine.unanswered_call(sid).expect("the call is remembered")
}

#[test]
fn the_reason_comes_from_the_last_request_to_the_app() {
    let mut spec = spec();
    spec.numbers[0].1.voice_fallback_url = Some("http://app/fallback".into());
    let mut script = Script::new(spec);
    let sid = script.receive(call(3));
    script.answer_no_twiml(ExchangeFailure::HttpStatus(500));
    assert!(script.engine.unanswered_call(sid).is_none(), "the fallback may still take the call");
    script.forward(Duration::from_secs(1));
    script.answer_twiml("<Response><Nonsense/></Response>", &[]);
    let call = remembered(&script, sid);
    let record = call.cause.record.as_ref().expect("a request");
    assert_eq!((record.purpose, record.url.as_str()), (Purpose::FallbackUrl, "http://app/fallback"));
    let told = script.alert_texts().pop().expect("an alert");
    assert_eq!(*call.cause.message, *told, "the message is that of the last alert");
    assert_eq!((call.pages, call.ended.since(call.rang)), (3, Duration::from_secs(1)));
}

#[test]
fn a_call_without_a_request_to_an_app_has_a_reason_too() {
    let mut script = Script::default();
    let drop = json!({ "match": { "purpose": "fax-url" }, "times": 1, "webhook": { "drop": true } });
    script.control(AddRule(rule::parse(&drop, Dialect::Twilio).expect("a rule"))).expect("accepted");
    let dropped = script.receive(call(1));
    let cause = &remembered(&script, dropped).cause;
    assert_eq!((cause.fault, cause.record.is_none()), (Some(Fault::ConnectionFailure), true));
    assert!(cause.message.contains("dropped by a rule"), "{}", cause.message);
    let lost = script.receive(call(1));
    script.answer_lost();
    assert_eq!(remembered(&script, lost).cause.fault, Some(Fault::Internal));
}

#[test]
fn a_caller_who_hangs_up_causes_no_fault() {
    let mut script = Script::default();
    let fax = script.send(order(OWN));
    script.answer_document(1);
    script.forward_to_next();
    script.expect_effects(&["ask fax-url http://app/fax"]);
    script.command(CancelFax(fax)).expect("it can be canceled");
    let calls: Vec<_> = script.engine.entries(Entries::Unanswered, u64::MAX).map(|entry| entry.sid()).collect();
    let [sid] = calls[..] else { panic!("expected exactly one call: {calls:?}") };
    let cause = &remembered(&script, sid).cause;
    assert_eq!((cause.fault, &*cause.message), (None, "the caller hung up before the app responded"));
}

#[test]
fn calls_and_faxes_are_listed_in_the_order_in_which_they_rang() {
    let mut script = Script::default();
    let first = script.receive(call(1));
    script.answer_twiml(RECEIVE, &[]);
    let slow = script.receive(call(1));
    let held = script.take_asked();
    let last = script.receive(call(1));
    script.answer_twiml(RECEIVE, &[]);
    // The app fails the second call only after the third has become a fax.
    script.take_asked();
    for effect in held {
        script.put_back(effect);
        script.answer_no_twiml(ExchangeFailure::HttpStatus(500));
    }
    let listed = |which| script.engine.entries(which, u64::MAX).map(|entry| entry.sid()).collect::<Vec<_>>();
    assert_eq!(listed(Entries::Both), [last, slow, first]);
    assert_eq!(listed(Entries::Faxes), [last, first]);
    assert_eq!(listed(Entries::Unanswered), [slow]);
    let middle = remembered(&script, slow).ordinal;
    let rest: Vec<_> = script.engine.entries(Entries::Both, middle).map(|entry| entry.sid()).collect();
    assert_eq!(rest, [first]);
}

#[test]
fn a_reset_forgets_unanswered_calls_and_a_state_that_contradicts_itself_is_refused() {
    let mut script = Script::default();
    let sid = script.receive(call(1));
    script.answer_no_twiml(ExchangeFailure::HttpStatus(500));
    let fax = script.receive(call(1));
    script.answer_twiml(RECEIVE, &[]);
    let taken = script.engine.fax(fax).expect("a fax").ordinal;
    let document = script.engine.state(false, script.now).to_json(MediaForm::Inline).expect("JSON");
    State::of_json(&document, &[]).expect("a valid state");
    let mut doubled = document.clone();
    doubled["world"]["unanswered"][0]["ordinal"] = json!(taken);
    let error = State::of_json(&doubled, &[]).expect_err("refused").to_string();
    assert!(error.starts_with("world.unanswered[0].ordinal: is ") && error.contains("also the ordinal"), "{error}");
    let mut ahead = document.clone();
    ahead["world"]["unanswered"][0]["ordinal"] = json!(1_000);
    let error = State::of_json(&ahead, &[]).expect_err("refused").to_string();
    assert_eq!(error, "world.next_ordinal: must be greater than 1000, which is in use");
    let mut twice = document.clone();
    twice["world"]["not_answered"] = json!([sid, sid]);
    let error = State::of_json(&twice, &[]).expect_err("refused").to_string();
    assert_eq!(error, format!("world.not_answered: lists the call {sid} twice"));
    let mut both = document;
    both["world"]["not_answered"] = json!([sid, fax]);
    let error = State::of_json(&both, &[]).expect_err("refused").to_string();
    assert_eq!(error, format!("world.not_answered: {fax} is also a fax or a ringing call"));
    script.control(Reset { seed: None }).expect("reset");
    assert_eq!(script.engine.entries(Entries::Both, u64::MAX).count(), 0);
}
