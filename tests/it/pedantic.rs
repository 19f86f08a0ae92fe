//! Tests pedantic mode in the engine: what it does to webhooks, REST calls and downloads. The seed alone decides that, and
//! nothing else changes.

use std::collections::BTreeMap;
use std::time::Duration;

use fauxfax::dialect::canonical;
use fauxfax::dialect::rule;
use fauxfax::engine::effect::Intent;
use fauxfax::engine::event::{Event, EventKind};
use fauxfax::engine::input::{AddRule, ApiCalled, CreateFax, MediaRequested, Reset};
use fauxfax::engine::journal::EventFilter;
use fauxfax::engine::random::WorldSeed;
use fauxfax::engine::rule::{RuleEffect, RuleKind};
use fauxfax::engine::{Cursor, FaxFilter, WorldSpec};
use fauxfax::model::account::Dialect;
use fauxfax::model::fax::Status;
use fauxfax::model::webhook::ActingRule;
use serde_json::json;

use crate::script::{FAR, OWN, Script, call, order, spec};
use crate::state::reload;

const RECEIVE: &str = "<Response><Receive action=\"/done\"/></Response>";
const SEEDS: u64 = 60;
const HOUR: Duration = Duration::from_secs(3_600);

/// The status in a notice, and whether this is the notice's first or second delivery.
type Told = (Status, u64);

fn world(seed: u64, is_pedantic: bool) -> Script {
    let mut spec = WorldSpec { seed: WorldSeed::of(seed, spec().account.sid), ..spec() };
    spec.options.is_pedantic = is_pedantic;
    Script::new(spec)
}

/// Sends two faxes, one of them to the world's own number, and receives one.
fn run(script: &mut Script) {
    for to in [FAR, OWN] {
        script.send(CreateFax { status_callback: Some("http://app/s".into()), ..order(to) });
    }
    script.receive(call(2));
    crate::timelines::to_rest(script, RECEIVE);
}

fn lines(script: &Script) -> Vec<String> {
    canonical::projection(&script.engine.events(&EventFilter::default(), usize::MAX))
}

/// Returns what happened to each fax, and when, apart from webhooks and what pedantic mode did to them.
fn happened(script: &Script) -> Vec<String> {
    let events = script.events(None);
    let of_faxes = events
        .iter()
        .filter(|event| !matches!(event.kind, EventKind::WebhookAttempt { .. } | EventKind::PedanticActed { .. }));
    let mut told: Vec<String> =
        of_faxes.map(|event| format!("{:?} {:?} {:?}", event.at, event.fax, event.kind)).collect();
    // The lines are sorted, because webhooks determine the order of events at the same moment.
    told.sort();
    told
}

fn acts(script: &Script) -> Vec<Event> {
    let events = script.events(None);
    let acts = events.iter().filter(|event| matches!(event.kind, EventKind::PedanticActed { .. }));
    acts.map(|event| Event::clone(event)).collect()
}

/// Completes every effect immediately until no work is left. Returns each delivery of a notice, with its token.
fn notices(script: &mut Script) -> Vec<(Told, String)> {
    let mut told = Vec::new();
    while script.engine.next_work().is_some() || script.is_asked() {
        while script.is_asked() {
            match &*script.first_effect().clone().intent {
                Intent::Deliver(notice) => {
                    let is_duplicate = notice.by_rule.as_ref().is_some_and(|mark| mark.is_duplicate);
                    let delivery = if is_duplicate { 2 } else { 1 };
                    told.push(((notice.status, delivery), notice.idempotency_token.to_string()));
                    script.answer_ok();
                }
                Intent::FetchDocument { .. } => script.answer_document(1),
                Intent::AskForTwiml(_) => script.answer_twiml(RECEIVE, &[]),
                Intent::NotifyOfMessage(_) | Intent::Report(_) => script.answer_ok(),
                Intent::Render(_) => unreachable!("the script itself completes renders"),
            }
        }
        script.forward_to_next();
    }
    told
}

#[test]
fn the_same_seed_does_the_same_and_another_seed_something_else() {
    let journal = |seed| {
        let mut script = world(seed, true);
        run(&mut script);
        lines(&script)
    };
    let all: Vec<Vec<String>> = (0..SEEDS).map(journal).collect();
    for (seed, lines) in (0..SEEDS).zip(&all) {
        assert_eq!(*lines, journal(seed), "seed {seed}");
    }
    let pedantic = |lines: &[String]| lines.iter().filter(|line| line.contains("pedantic.acted")).count();
    let counts: Vec<usize> = all.iter().map(|lines| pedantic(lines)).collect();
    assert!(counts.iter().any(|count| *count != counts[0]), "{counts:?}");
    assert!(counts.iter().filter(|count| **count > 0).count() > counts.len() * 9 / 10, "{counts:?}");
}

#[test]
fn a_run_is_repeated_after_a_reset() {
    let mut script = world(3, true);
    run(&mut script);
    let first = lines(&script);
    script.control(Reset { seed: None }).expect("a reset is never refused");
    run(&mut script);
    assert_eq!(lines(&script), first);
}

#[test]
fn faxes_take_the_same_course_as_without_pedantic_mode() {
    for seed in 0..SEEDS {
        let (mut pedantic, mut plain) = (world(seed, true), world(seed, false));
        run(&mut pedantic);
        run(&mut plain);
        assert_eq!(happened(&pedantic), happened(&plain), "seed {seed}");
        assert!(acts(&plain).is_empty());
    }
}

#[test]
fn notices_keep_their_order_and_only_a_second_delivery_comes_late_with_the_same_token() {
    let usual: Vec<Told> =
        [Status::Queued, Status::Processing, Status::Sending, Status::Delivered].map(|status| (status, 1)).into();
    let (mut repeated, mut late) = (0, 0);
    for seed in 0..SEEDS {
        let mut script = world(seed, true);
        script.send(CreateFax { status_callback: Some("http://app/s".into()), ..order(FAR) });
        let told = notices(&mut script);
        let firsts: Vec<Told> = told.iter().map(|(told, _)| *told).filter(|(_, delivery)| *delivery == 1).collect();
        assert_eq!(firsts, usual, "seed {seed}");
        for (at, ((status, delivery), token)) in told.iter().enumerate().filter(|(_, ((_, delivery), _))| *delivery > 1)
        {
            assert_eq!(*delivery, 2);
            let first = told.iter().position(|(other, _)| *other == (*status, 1)).expect("a first delivery");
            assert!(first < at && at - first <= 3, "seed {seed}: {told:?}");
            assert_eq!(told[first].1, *token, "seed {seed}");
            repeated += 1;
            late += usize::from(at - first > 1);
        }
    }
    assert!(repeated > 10 && late > 3 && late < repeated, "{late} of {repeated} duplicates are late");
}

#[test]
fn a_notice_that_waits_for_another_one_is_sent_when_the_fax_ends_without_one() {
    let late = json!({ "webhook": { "duplicate": true, "late": true } });
    for rule in [json!({ "webhook": { "reorder": true } }), late] {
        let mut script = world(1, false);
        let rule = rule::parse(&rule, Dialect::Twilio).expect("a rule");
        script.control(AddRule(rule)).expect("there is room");
        let statuses = Some([Status::Queued].into_iter().collect());
        let order =
            CreateFax { callback_statuses: statuses, status_callback: Some("http://app/s".into()), ..order(FAR) };
        let sid = script.send(order);
        crate::timelines::to_rest(&mut script, RECEIVE);
        assert_eq!((script.status(sid), script.engine.waiting_count()), (Status::Delivered, 0));
        assert!(script.engine.is_idle());
    }
}

#[test]
fn an_app_that_is_asked_twice_decides_with_its_first_response() {
    let asks_twice = |seed: &u64| {
        let mut script = world(*seed, true);
        script.receive(call(1));
        script.take_asked().len() == 2
    };
    let seed = (0..SEEDS).find(asks_twice).expect("a seed that asks twice");
    let mut script = world(seed, true);
    let sid = script.receive(call(1));
    let tokens: Vec<String> = script
        .take_asked()
        .into_iter()
        .map(|effect| {
            let token = crate::once::token(&effect.intent);
            script.put_back(effect);
            token
        })
        .collect();
    assert_eq!(tokens[0], tokens[1]);
    // The requests have been put back in reverse order, so the second one gets its response first.
    script.answer_twiml("<Response><Reject/></Response>", &[]);
    script.answer_twiml(RECEIVE, &[]);
    script.forward(HOUR);
    assert_eq!(script.status(sid), Status::Received);
}

#[test]
fn the_hash_does_not_depend_on_which_of_two_requests_is_answered_first() {
    let answered = |is_second_first: bool| {
        let mut script = world(1, false);
        let rule = json!({ "webhook": { "duplicate": true } });
        script.control(AddRule(rule::parse(&rule, Dialect::Twilio).expect("a rule"))).expect("there is room");
        script.receive(call(1));
        let mut asked = script.take_asked();
        assert_eq!(asked.len(), 2, "the app is asked twice");
        // The effect that is put back last is completed first.
        if !is_second_first {
            asked.reverse();
        }
        asked.into_iter().for_each(|effect| script.put_back(effect));
        crate::timelines::to_rest(&mut script, RECEIVE);
        let events = script.events(None);
        let deliveries = events.iter().filter_map(|event| event.kind.exchange()).map(|record| record.delivery.number());
        (deliveries.collect::<Vec<_>>(), lines(&script))
    };
    let [(first, lines_of_first), (second, lines_of_second)] = [false, true].map(answered);
    assert_eq!((first[..2].to_vec(), second[..2].to_vec()), (vec![1, 2], vec![2, 1]));
    assert_eq!(lines_of_first, lines_of_second);
}

#[test]
fn a_testers_rule_takes_precedence() {
    for seed in 0..SEEDS {
        let mut script = world(seed, true);
        for rule in [
            json!({ "webhook": { "headers": { "set": { "X-Own": "1" } } } }),
            json!({ "api": { "delay_ms": 1 } }),
            json!({ "media": { "delay_ms": 1 } }),
        ] {
            script.control(AddRule(rule::parse(&rule, Dialect::Twilio).expect("a rule"))).expect("there is room");
        }
        run(&mut script);
        let fax = script.engine.faxes(&FaxFilter::default(), Cursor::Skip(0), 1).items[0].sid;
        for place in 0..20 {
            let called = ApiCalled { method: "GET".into(), path: "/v1/Faxes".into() };
            let (rule, fault) = script.control(called).expect("never refused").expect("the rule acts");
            assert_eq!((rule, fault.delay_ms, fault.refusal), (ActingRule::Tester(2), 1, None), "call {place}");
        }
        let asked = MediaRequested { fax, method: "GET".into(), path: "/fax/1".into() };
        let (rule, _) = script.control(asked).expect("never refused").expect("the rule acts");
        assert_eq!(rule, ActingRule::Tester(3));
        assert!(acts(&script).is_empty(), "seed {seed}");
    }
}

#[test]
fn everything_that_pedantic_mode_does_is_journaled_with_its_webhook_call_or_download() {
    let mut kinds: BTreeMap<&'static str, usize> = BTreeMap::new();
    for seed in 0..SEEDS {
        let mut script = world(seed, true);
        run(&mut script);
        let faxes: Vec<_> =
            script.engine.faxes(&FaxFilter::default(), Cursor::Skip(0), 9).items.iter().map(|fax| fax.sid).collect();
        let mut done = 0;
        for fax in &faxes {
            let asked = MediaRequested { fax: *fax, method: "GET".into(), path: "/fax/1".into() };
            let (first, again) = (script.control(asked.clone()), script.control(asked));
            let fault =
                |acted: Result<Option<(ActingRule, _)>, _>| acted.expect("never refused").map(|(_, fault)| fault);
            let (first, again) = (fault(first), fault(again));
            assert_eq!(first, again, "all downloads of a fax are treated alike");
            done += 2 * usize::from(first.is_some());
        }
        for _ in 0..20 {
            let called = ApiCalled { method: "GET".into(), path: "/v1/Faxes".into() };
            done += usize::from(script.control(called).expect("never refused").is_some());
        }
        let acts = acts(&script);
        for act in &acts {
            let EventKind::PedanticActed { effect, webhook, call } = &act.kind else { panic!("another event") };
            *kinds.entry(effect.kind().as_str()).or_default() += 1;
            assert_eq!(webhook.is_some(), effect.kind() == RuleKind::Webhook);
            assert_eq!(call.is_some(), effect.kind() != RuleKind::Webhook);
            assert_eq!(act.fax.is_none(), matches!(**effect, RuleEffect::Api(_)));
        }
        let other =
            acts.iter().filter(|act| !matches!(&act.kind, EventKind::PedanticActed { webhook: Some(_), .. })).count();
        assert_eq!(other, done, "seed {seed}");
        // The record of a webhook that was changed or repeated says so, too.
        let marked = script
            .events(None)
            .iter()
            .filter_map(|event| event.kind.exchange().cloned())
            .filter(|record| record.delivery.is_pedantic())
            .count();
        assert!(marked >= acts.len() - other, "seed {seed}: {marked} marks");
    }
    assert_eq!(kinds.keys().copied().collect::<Vec<_>>(), ["api", "media", "webhook"], "{kinds:?}");
}

#[test]
fn an_exported_state_keeps_what_pedantic_mode_has_planned() {
    for seed in 0..SEEDS {
        let (mut kept, mut reloaded) = (world(seed, true), world(seed, true));
        for script in [&mut kept, &mut reloaded] {
            script.send(CreateFax { status_callback: Some("http://app/s".into()), ..order(FAR) });
            script.answer_document(1);
        }
        let now = reloaded.now;
        reload(&mut reloaded.engine, now);
        for script in [&mut kept, &mut reloaded] {
            // What was under way is issued again.
            script.take_asked();
        }
        let state = |script: &Script| {
            script.engine.state(false, script.now).to_json(fauxfax::engine::export::MediaForm::Hash).expect("JSON")
        };
        let (mut one, mut other) = (state(&kept), state(&reloaded));
        for document in [&mut one, &mut other] {
            document["world"].as_object_mut().expect("an object").remove("ways_back");
        }
        assert_eq!(one, other, "seed {seed}");
    }
}
