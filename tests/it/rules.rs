//! Tests rules in the engine: which rule acts, when that is decided, and what each kind of rule does.

use std::time::Duration;

use fauxfax::dialect::rule;
use fauxfax::dialect::twilio::codes::code as code_of;
use fauxfax::engine::WorldSpec;
use fauxfax::engine::effect::{Effect, Intent};
use fauxfax::engine::event::EventKind;
use fauxfax::engine::input::{
    AddRule, ApiCalled, ChangeRule, CreateApplication, CreateFax, CreateKey, DropRule, DropRules, MediaRequested,
    Reset, Restore, RuleChange, TakeSnapshot,
};
use fauxfax::model::account::{Account, CallbackPolicy, Dialect};
use fauxfax::model::application::ApplicationChange;
use fauxfax::model::fax::Status;
use fauxfax::model::number::{NumberChange, ReceiveMode};
use fauxfax::model::phone::PhoneNumber;
use fauxfax::model::refusal::Refusal;
use fauxfax::model::request_edits::RequestEdits;
use fauxfax::model::sid::FaxSid;
use fauxfax::model::webhook::{ExchangeFailure, Signature};
use serde_json::{Value, json};

use crate::script::{FAR, OWN, Script, call, order, spec};
use crate::state::reload;

const RECEIVE: &str = "<Response><Receive action=\"/done\"/></Response>";
const HOUR: Duration = Duration::from_secs(3_600);
const SECOND: Duration = Duration::from_secs(1);

fn with_rules(rules: &[Value]) -> Script {
    let mut script = Script::default();
    for value in rules {
        add(&mut script, value);
    }
    script
}

fn add(script: &mut Script, value: &Value) -> u64 {
    let rule = rule::parse(value, Dialect::Twilio).expect("a rule");
    match script.control(AddRule(rule)) {
        Ok(id) => id,
        other => panic!("not added: {other:?}"),
    }
}

/// Sends a fax of `pages` pages, lets an hour pass so that it ends, and returns its status.
fn sent(script: &mut Script, to: PhoneNumber, pages: u32) -> Status {
    let sid = script.send(order(to));
    script.answer_document(pages);
    script.forward(HOUR);
    script.status(sid)
}

/// Lists the ids of the rules that have acted, in order.
fn fired(script: &Script) -> Vec<u64> {
    let id = |kind: &EventKind| if let EventKind::RuleFired { id, .. } = kind { Some(*id) } else { None };
    script.events(None).iter().filter_map(|event| id(&event.kind)).collect()
}

/// Returns an order to send a fax with a StatusCallback and this Ttl.
fn told(ttl_minutes: Option<u32>) -> CreateFax {
    CreateFax { status_callback: Some("http://app/s".into()), ttl_minutes, ..order(FAR) }
}

/// Completes every effect at once until no work is left, and returns the status, token and signature of each notice.
fn messages(script: &mut Script) -> Vec<(Status, String, Signature)> {
    let mut told = Vec::new();
    loop {
        while script.is_asked() {
            let Effect { intent, .. } = script.first_effect().clone();
            match &*intent {
                Intent::Deliver(notice) => {
                    told.push((notice.status, notice.idempotency_token.to_string(), notice.signature));
                    script.answer_ok();
                }
                Intent::FetchDocument { .. } => script.answer_document(1),
                Intent::AskForTwiml(_) => script.answer_twiml(RECEIVE, &[]),
                Intent::NotifyOfMessage(_) | Intent::Report(_) => script.answer_ok(),
                Intent::Render(_) => unreachable!("the script itself completes renders"),
            }
        }
        if script.engine.next_work().is_none() {
            return told;
        }
        script.forward_to_next();
    }
}

fn statuses(messages: &[(Status, String, Signature)]) -> Vec<Status> {
    messages.iter().map(|(status, ..)| *status).collect()
}

#[test]
fn a_sent_fax_ends_as_the_outcome_of_a_rule_says() {
    for (outcome, status, code) in [
        (json!({ "status": "delivered" }), Status::Delivered, None),
        (json!({ "status": "busy" }), Status::Busy, Some(34002)),
        (json!({ "status": "no-answer" }), Status::NoAnswer, Some(34003)),
        (json!({ "status": "failed" }), Status::Failed, Some(34004)),
        (json!({ "status": "failed", "code": 34108 }), Status::Failed, Some(34108)),
    ] {
        let mut script = with_rules(&[json!({ "match": { "to": "+1555*" }, "outcome": outcome })]);
        let sid = script.send(order(FAR));
        script.answer_document(2);
        script.forward(HOUR);
        let fax = script.engine.fax(sid).expect("the fax exists");
        assert_eq!((fax.status(), fax.failure().map(|failure| code_of(failure.fault))), (status, code), "{outcome}");
        assert_eq!(fired(&script), [1]);
    }
}

#[test]
fn a_failed_transmission_breaks_off_after_the_pages_given_in_its_rule() {
    let mut script = with_rules(&[json!({ "outcome": { "status": "failed", "after_pages": 2 } })]);
    let sid = script.send(order(FAR));
    script.answer_document(3);
    script.forward(HOUR);
    let pages = script.events(Some(sid)).iter().filter(|event| event.kind.as_str() == "fax.page").count();
    assert_eq!((pages, script.status(sid)), (2, Status::Failed));
}

#[test]
fn a_rule_takes_precedence_over_an_owned_number_and_a_number_that_behaves() {
    let busy = json!({ "match": { "direction": "outbound" }, "outcome": { "status": "busy" } });
    assert_eq!(sent(&mut with_rules(&[busy]), OWN, 1), Status::Busy);
    let fine = json!({ "outcome": { "status": "delivered" } });
    assert_eq!(sent(&mut with_rules(&[fine]), PhoneNumber::from_digits(15_005_550_101), 1), Status::Delivered);
}

#[test]
fn the_first_matching_rule_of_each_kind_acts() {
    let mut script = with_rules(&[
        json!({ "match": { "to": "+44*" }, "outcome": { "status": "busy" } }),
        json!({ "match": { "to": "+1*" }, "outcome": { "status": "delivered" } }),
        json!({ "outcome": { "status": "no-answer" } }),
        json!({ "line": { "rate_bps": 7200 } }),
    ]);
    let sid = script.send(order(FAR));
    script.answer_document(1);
    script.forward(HOUR);
    assert_eq!(script.status(sid), Status::Delivered);
    assert_eq!(fired(&script), [2, 4]);
    assert_eq!(script.engine.fax(sid).map(|fax| fax.duration_s()), Ok(Some(60)), "half the rate, twice the time");
}

#[test]
fn after_and_times_count_matches() {
    let mut script = with_rules(&[json!({ "after": 1, "times": 2, "outcome": { "status": "busy" } })]);
    let ends: Vec<Status> = (0..4).map(|_| sent(&mut script, FAR, 1)).collect();
    assert_eq!(ends, [Status::Delivered, Status::Busy, Status::Busy, Status::Delivered]);
    let held = script.engine.rule_book().next().expect("a used-up rule stays listed").clone();
    assert_eq!((held.matched, held.fired), (4, 2));
}

#[test]
fn within_a_ttl_each_call_is_checked_against_the_rules() {
    let mut script = with_rules(&[json!({ "times": 2, "outcome": { "status": "busy" } })]);
    let sid = script.send(CreateFax { ttl_minutes: Some(10), ..order(FAR) });
    script.answer_document(1);
    script.forward(HOUR);
    assert_eq!((script.status(sid), fired(&script)), (Status::Delivered, vec![1, 1]));
}

#[test]
fn pages_and_parties_are_matched() {
    let rule = json!({ "match": { "pages": { "min": 2 }, "from": "+1500*" }, "outcome": { "status": "busy" } });
    let mut script = with_rules(&[rule]);
    assert_eq!(sent(&mut script, FAR, 1), Status::Delivered);
    assert_eq!(sent(&mut script, FAR, 2), Status::Busy);
}

#[test]
fn chance_depends_on_the_seed_and_not_on_timing() {
    let ends = |gap: Duration| -> Vec<Status> {
        let mut script = with_rules(&[json!({ "chance": 0.5, "outcome": { "status": "busy" } })]);
        let faxes: Vec<FaxSid> = (0..40)
            .map(|_| {
                let sid = script.send(order(FAR));
                script.forward(gap);
                sid
            })
            .collect();
        while script.is_asked() {
            script.answer_document(1);
        }
        script.forward(HOUR);
        faxes.into_iter().map(|sid| script.status(sid)).collect()
    };
    let drawn = ends(Duration::ZERO);
    let busy = drawn.iter().filter(|status| **status == Status::Busy).count();
    assert!((8..32).contains(&busy), "{busy} of 40 at an even chance");
    assert_eq!(drawn, ends(SECOND));
}

#[test]
fn an_incoming_fax_breaks_off_as_its_rule_says() {
    let rule =
        json!({ "match": { "direction": "inbound", "pages": 3 }, "outcome": { "status": "failed", "after_pages": 1 } });
    let mut script = with_rules(&[rule]);
    let sid = script.receive(call(3));
    script.answer_twiml(RECEIVE, &[]);
    script.forward(HOUR);
    assert_eq!(script.status(sid), Status::Failed);
    let other = script.receive(call(1));
    script.answer_ok();
    script.answer_twiml(RECEIVE, &[]);
    script.forward(HOUR);
    assert_eq!(script.status(other), Status::Received);
}

#[test]
fn a_fax_between_own_numbers_fails_at_both_ends_if_the_receiving_end_fails() {
    let mut script = with_rules(&[json!({ "match": { "direction": "inbound" }, "outcome": { "status": "failed" } })]);
    let sid = script.send(order(OWN));
    script.answer_document(1);
    script.forward(SECOND);
    script.answer_twiml(RECEIVE, &[]);
    script.forward(HOUR);
    assert_eq!(script.status(sid), Status::Failed);
    let ends = script.events(None).iter().filter(|event| event.kind.entered() == Some(Status::Failed)).count();
    assert_eq!(ends, 2);
}

#[test]
fn a_duplicate_has_the_token_of_the_original() {
    let rule = json!({ "match": { "purpose": "status-callback" }, "times": 1, "webhook": { "duplicate": true } });
    let mut script = with_rules(&[rule]);
    script.send(told(None));
    let told = messages(&mut script);
    let expected = [Status::Queued, Status::Queued, Status::Processing, Status::Sending, Status::Delivered];
    assert_eq!(statuses(&told), expected);
    assert_eq!(told[0].1, told[1].1);
    assert_ne!(told[1].1, told[2].1);
}

#[test]
fn a_reordered_notice_follows_the_next_one_with_its_own_token() {
    let rule =
        json!({ "match": { "purpose": "status-callback" }, "after": 1, "times": 1, "webhook": { "reorder": true } });
    let mut plain = Script::default();
    plain.send(told(None));
    let usual = messages(&mut plain);
    let mut script = with_rules(&[rule]);
    script.send(told(None));
    let told = messages(&mut script);
    assert_eq!(statuses(&told), [Status::Queued, Status::Sending, Status::Processing, Status::Delivered]);
    assert_eq!((&told[1].1, &told[2].1), (&usual[2].1, &usual[1].1));
}

#[test]
fn of_two_reordered_notices_in_a_row_only_the_first_waits_for_the_other() {
    let mut script = with_rules(&[json!({ "webhook": { "reorder": true } })]);
    script.send(told(None));
    let told = messages(&mut script);
    assert_eq!(statuses(&told), [Status::Processing, Status::Queued, Status::Delivered, Status::Sending]);
}

#[test]
fn the_last_notice_cannot_be_reordered_and_is_sent() {
    let mut script = with_rules(&[json!({ "webhook": { "reorder": true } })]);
    script.send(told(None));
    let told = messages(&mut script);
    assert_eq!(told.len(), 4);
    assert!(script.engine.is_idle());
}

#[test]
fn a_dropped_notice_is_never_sent_but_later_ones_are() {
    let mut script = with_rules(&[json!({ "after": 1, "times": 1, "webhook": { "drop": true } })]);
    script.send(told(None));
    assert_eq!(statuses(&messages(&mut script)), [Status::Queued, Status::Sending, Status::Delivered]);
}

#[test]
fn a_delayed_webhook_is_scheduled_on_the_worlds_clock() {
    let mut script = with_rules(&[json!({ "match": { "purpose": "action" }, "webhook": { "delay_ms": 90000 } })]);
    script.receive(call(1));
    script.answer_twiml(RECEIVE, &[]);
    script.forward(Duration::from_secs(30));
    script.expect_effects(&[]);
    script.expect_deadline(90_000);
    assert!(!script.engine.is_idle());
    script.forward(Duration::from_secs(89));
    script.expect_effects(&[]);
    script.forward(SECOND);
    script.expect_effects(&["tell action received http://app/done"]);
    script.answer_ok();
    assert!(script.engine.is_idle());
}

#[test]
fn a_delayed_webhook_of_a_deleted_fax_is_still_sent() {
    let mut script = with_rules(&[json!({ "match": { "purpose": "action" }, "webhook": { "delay_ms": 90000 } })]);
    let sid = script.receive(call(1));
    script.answer_twiml(RECEIVE, &[]);
    script.forward(Duration::from_secs(31));
    script.command(fauxfax::engine::input::DeleteFax(sid)).expect("the fax has ended");
    script.forward(HOUR);
    script.expect_effects(&["tell action received http://app/done"]);
    script.answer_ok();
    assert!(script.engine.is_idle());
}

#[test]
fn signatures_are_corrupted_as_a_rule_says() {
    for word in ["bad", "missing", "stale", "other-token", "tampered"] {
        let mut script = with_rules(&[json!({ "times": 1, "webhook": { "signature": word } })]);
        script.send(told(None));
        let told = messages(&mut script);
        assert_eq!((told[0].2.as_str(), told[1].2), (word, Signature::Good));
    }
}

#[test]
fn a_stale_signature_affects_notices_but_not_twiml_requests() {
    let mut script = with_rules(&[json!({ "times": 1, "webhook": { "signature": "stale" } })]);
    script.receive(call(1));
    let Intent::AskForTwiml(question) = &*script.first_effect().intent else { panic!("not a request for TwiML") };
    assert_eq!(question.signature, Signature::Good, "the rule does not apply to a request for TwiML");
    script.answer_twiml(RECEIVE, &[]);
    script.forward(HOUR);
    let Intent::Deliver(notice) = &*script.first_effect().intent else { panic!("not a notice") };
    assert_eq!(notice.signature, Signature::Stale, "the request for TwiML has not used up the rule");
}

#[test]
fn a_stale_signature_affects_a_fallback_urls_notice_but_not_its_twiml_request() {
    let fallback = NumberChange {
        voice_receive_mode: Some(ReceiveMode::Fax),
        voice_url: Some("http://app/fax".into()),
        voice_fallback_url: Some("http://app/fallback".into()),
        ..NumberChange::default()
    };
    let project = "b3877c40-da60-4998-90ad-b792e98472ac".parse().expect("a project's UUID");
    let account = Account::new(project, Some("secret".into()), spec().account.created);
    let mut script = Script::new(WorldSpec { account, numbers: vec![(OWN, fallback)], ..spec() });
    let stale = json!({ "match": { "purpose": "fallback-url" }, "times": 1, "webhook": { "signature": "stale" } });
    let stale = rule::parse(&stale, Dialect::SignalWire).expect("a rule");
    script.control(AddRule(stale)).expect("added");
    script.receive(call(1));
    script.answer_no_twiml(ExchangeFailure::HttpStatus(500));
    script.forward(Duration::ZERO);
    script.expect_effects(&["ask fallback-url http://app/fallback"]);
    let Intent::AskForTwiml(question) = &*script.first_effect().intent else { panic!("not a request for TwiML") };
    assert_eq!(question.signature, Signature::Good);
    script.answer_twiml(RECEIVE, &[]);
    script.forward(HOUR);
    script.expect_effects(&["tell action received http://app/done"]);
    script.answer_failure(ExchangeFailure::HttpStatus(500));
    script.forward(Duration::ZERO);
    script.expect_effects(&["tell fallback-url received http://app/fallback"]);
    let Intent::Deliver(notice) = &*script.first_effect().intent else { panic!("not a notice") };
    assert_eq!(notice.signature, Signature::Stale);
}

#[test]
fn a_dropped_twiml_request_counts_as_an_unreachable_app() {
    let mut script = with_rules(&[json!({ "match": { "purpose": "fax-url" }, "webhook": { "drop": true } })]);
    script.receive(call(1));
    script.expect_effects(&[]);
    assert_eq!(script.alerts(), [11205]);
    assert!(script.engine.is_idle());
}

#[test]
fn only_the_first_response_to_a_duplicated_twiml_request_counts() {
    let mut script = with_rules(&[json!({ "match": { "purpose": "fax-url" }, "webhook": { "duplicate": true } })]);
    let sid = script.receive(call(1));
    script.expect_effects(&["ask fax-url http://app/fax", "ask fax-url http://app/fax"]);
    script.answer_twiml(RECEIVE, &[]);
    script.answer_twiml("<Response><Reject/></Response>", &[]);
    script.forward(HOUR);
    assert_eq!(script.status(sid), Status::Received);
}

#[test]
fn webhook_counters_do_not_depend_on_the_order_of_responses() {
    // Neither fax's document can be fetched, and the network decides which fetch fails first.
    let spared = |swapped: bool| -> Vec<FaxSid> {
        let rule =
            json!({ "match": { "purpose": "status-callback" }, "after": 2, "times": 1, "webhook": { "drop": true } });
        let mut spec = spec();
        spec.options.callbacks = CallbackPolicy::QueuedAndFinal;
        let mut script = Script::new(spec);
        add(&mut script, &rule);
        for _ in 0..2 {
            script.send(told(None));
        }
        script.answer_all_documents_with_failure(swapped);
        script.forward(Duration::ZERO);
        let of_rule = |event: &std::sync::Arc<fauxfax::engine::event::Event>| {
            matches!(event.kind, EventKind::RuleFired { .. }).then_some(event.fax).flatten()
        };
        script.events(None).iter().filter_map(of_rule).collect()
    };
    assert_eq!(spared(false), spared(true));
    assert_eq!(spared(false).len(), 1);
}

#[test]
fn rules_are_limited_in_number_and_removed_singly_or_all_together() {
    let mut script = with_rules(&[json!({ "outcome": { "status": "busy" } }), json!({ "line": { "noise": 1 } })]);
    assert_eq!(script.control(DropRule(1)), Ok(()));
    assert_eq!(script.control(DropRule(1)), Err(Refusal::NoRule(1)));
    assert_eq!(sent(&mut script, FAR, 1), Status::Delivered);
    script.control(DropRules).expect("dropped");
    assert_eq!(script.engine.rule_book().count(), 0);
    let again = add(&mut script, &json!({ "outcome": { "status": "busy" } }));
    assert_eq!(again, 3, "an id is never reused");
    for _ in 1..fauxfax::engine::RULES_MAX {
        add(&mut script, &json!({ "line": { "noise": 1 } }));
    }
    let rule = rule::parse(&json!({ "line": { "noise": 1 } }), Dialect::Twilio).expect("a rule");
    assert!(matches!(script.control(AddRule(rule)), Err(Refusal::LimitReached { .. })));
}

#[test]
fn a_disabled_rule_counts_nothing_and_leaves_its_matches_to_later_rules() {
    let rules =
        [json!({ "times": 2, "outcome": { "status": "busy" } }), json!({ "outcome": { "status": "no-answer" } })];
    let mut script = with_rules(&rules);
    let counters = |script: &Script| -> Vec<_> {
        script.engine.rule_book().map(|held| (held.id, held.matched, held.fired)).collect()
    };
    assert_eq!(sent(&mut script, FAR, 1), Status::Busy);
    assert_eq!(script.control(ChangeRule { id: 1, change: RuleChange::Enabled(false) }), Ok(()));
    assert_eq!(sent(&mut script, FAR, 1), Status::NoAnswer);
    assert_eq!(counters(&script), [(1, 1, 1), (2, 1, 1)]);
    script.control(ChangeRule { id: 1, change: RuleChange::Enabled(true) }).expect("enabled");
    assert_eq!(sent(&mut script, FAR, 1), Status::Busy);
    assert_eq!(sent(&mut script, FAR, 1), Status::NoAnswer, "the counter goes on");
    let gone = ChangeRule { id: 3, change: RuleChange::Enabled(true) };
    assert_eq!(script.control(gone), Err(Refusal::NoRule(3)));
}

#[test]
fn a_replaced_rule_keeps_its_id_its_counters_and_its_place() {
    let mut script = with_rules(&[json!({ "outcome": { "status": "busy" } }), json!({ "line": { "noise": 1 } })]);
    assert_eq!(sent(&mut script, FAR, 1), Status::Busy);
    let other = json!({ "after": 2, "outcome": { "status": "no-answer" } });
    let other = rule::parse(&other, Dialect::Twilio).expect("a rule");
    script.control(ChangeRule { id: 1, change: RuleChange::Replaced(other) }).expect("replaced");
    assert_eq!(sent(&mut script, FAR, 1), Status::Delivered, "the second match is skipped");
    assert_eq!(sent(&mut script, FAR, 1), Status::NoAnswer);
    let ids: Vec<_> = script.engine.rule_book().map(|held| (held.id, held.matched, held.fired)).collect();
    assert_eq!(ids, [(1, 3, 2), (2, 3, 3)]);
}

#[test]
fn without_an_enabled_webhook_rule_no_webhook_waits_for_a_decision() {
    // A world with a disabled rule must have the same events as a world without rules.
    let events = |rules: &[Value]| {
        let mut script = with_rules(rules);
        sent(&mut script, FAR, 2);
        script.events(None).iter().map(|event| format!("{:?} {:?}", event.at, event.kind)).collect::<Vec<_>>()
    };
    assert_eq!(events(&[]), events(&[json!({ "enabled": false, "webhook": { "drop": true } })]));
}

#[test]
fn api_keys_and_applications_are_limited_in_number() {
    let mut script = Script::default();
    let keys = (0..).find_map(|_| script.command(CreateKey("key".into())).err());
    let refused = keys.expect("there is a limit");
    assert!(matches!(refused, Refusal::LimitReached { what: "API keys", limit: 10_000 }), "{refused}");
    let applications = (0..).find_map(|_| script.command(CreateApplication(ApplicationChange::default())).err());
    let refused = applications.expect("there is a limit");
    assert!(matches!(refused, Refusal::LimitReached { what: "applications", limit: 10_000 }), "{refused}");
}

#[test]
fn a_reset_brings_back_the_configured_rules_and_a_restore_their_counters() {
    let mut spec = spec();
    spec.rules =
        vec![rule::parse(&json!({ "times": 1, "outcome": { "status": "busy" } }), Dialect::Twilio).expect("a rule")];
    let mut script = Script::new(spec);
    script.control(TakeSnapshot("fresh".into())).expect("taken");
    assert_eq!(sent(&mut script, FAR, 1), Status::Busy);
    assert_eq!(sent(&mut script, FAR, 1), Status::Delivered);
    script.control(Restore("fresh".into())).expect("restored");
    assert_eq!(sent(&mut script, FAR, 1), Status::Busy);
    script.control(DropRules).expect("dropped");
    script.control(Reset { seed: None }).expect("reset");
    assert_eq!(sent(&mut script, FAR, 1), Status::Busy);
}

#[test]
fn rest_calls_are_matched_by_method_and_path() {
    let rule = json!({ "match": { "method": "POST", "path": "/v1/Faxes" }, "times": 1, "api": { "status": 429 } });
    let mut script = with_rules(&[rule]);
    let mut called = |method: &str, path: &str| {
        let control = ApiCalled { method: method.into(), path: path.into() };
        match script.control(control) {
            Ok(fault) => fault.and_then(|(_, fault)| fault.refusal),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(called("GET", "/v1/Faxes"), None);
    assert_eq!(called("POST", "/v1/Faxes"), Some((429, Some(20429))));
    assert_eq!(called("POST", "/v1/Faxes"), None);
}

#[test]
fn downloads_are_matched_by_fax_and_path_and_an_unknown_fax_matches_nothing() {
    let rule = json!({
        "match": { "direction": "inbound", "pages": 1, "path": "/fax/*" }, "after": 1, "times": 1, "media": { "status": 500 },
    });
    let mut script = with_rules(&[rule]);
    let outbound = script.send(order(FAR));
    script.answer_document(1);
    let inbound = script.receive(call(1));
    script.answer_twiml(RECEIVE, &[]);
    script.forward(HOUR);
    let mut status = |fax: FaxSid, path: &str| {
        let asked = MediaRequested { fax, method: "GET".into(), path: path.into() };
        script.control(asked).expect("never refused").and_then(|(_, fault)| fault.status)
    };
    for other in [status(outbound, "/fax/1"), status(inbound, "/v1"), status(FaxSid::from_bytes([9; 16]), "/fax/1")] {
        assert_eq!(other, None);
    }
    assert_eq!(
        (status(inbound, "/fax/1"), status(inbound, "/fax/1"), status(inbound, "/fax/1")),
        (None, Some(500), None)
    );
    assert_eq!(fired(&script), [1]);
}

#[test]
fn a_rules_changes_are_kept_by_duplicates_retries_and_states() {
    let rule = json!({
        "match": { "purpose": "action" },
        "webhook": { "delay_ms": 90000, "duplicate": true, "params": { "add": { "A": "1" } }, "headers": { "remove": ["B"] } },
    });
    let mut script = with_rules(&[rule]);
    script.receive(call(1));
    script.answer_twiml(RECEIVE, &[]);
    script.forward(Duration::from_secs(60));
    reload(&mut script.engine, script.now);
    script.forward(HOUR);
    let edits = |script: &Script| {
        let Intent::Deliver(notice) = &*script.first_effect().intent else { panic!("not a notice") };
        notice.by_rule.as_ref().and_then(|mark| mark.edits.clone()).expect("edits")
    };
    let first = edits(&script);
    assert_eq!(*first, RequestEdits::default().add_param("A", "1").remove_header("B"));
    reload(&mut script.engine, script.now);
    assert_eq!(edits(&script), first, "a notice under way keeps its changes");
    script.answer_ok();
    assert_eq!(edits(&script), first, "the duplicate has the same changes");
}

#[test]
fn a_restored_delay_keeps_its_remaining_time() {
    let mut script = with_rules(&[json!({ "match": { "purpose": "action" }, "webhook": { "delay_ms": 90000 } })]);
    script.receive(call(1));
    script.answer_twiml(RECEIVE, &[]);
    script.forward(Duration::from_secs(60));
    script.control(TakeSnapshot("delayed".into())).expect("taken");
    script.expect_deadline(60_000);
    script.forward(HOUR);
    script.control(Restore("delayed".into())).expect("restored");
    script.expect_deadline(60_000);
    script.forward(Duration::from_secs(60));
    script.expect_effects(&["tell action received http://app/done"]);
}
