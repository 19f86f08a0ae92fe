//! Tests resets, snapshots and restores in the engine: which state comes back, which effects are issued again, and which
//! completions are dropped.

use std::time::Duration;

use fauxfax::engine::SNAPSHOTS_MAX;
use fauxfax::engine::event::EventKind;
use fauxfax::engine::export::LoadState;
use fauxfax::engine::input::{AddRule, Claim, CreateFax, DeleteFax, DropSnapshot, Reset, Restore, TakeSnapshot};
use fauxfax::model::fax::Status;
use fauxfax::model::phone::PhoneNumber;
use fauxfax::model::refusal::Refusal;

use serde_json::json;

use crate::once::token;
use crate::script::{FAR, Script, call, order};
use crate::timelines::to_rest;

const RECEIVE: &str = "<Response><Receive action=\"/done\"/></Response>";
const HOUR: Duration = Duration::from_secs(3_600);
const SECOND: Duration = Duration::from_secs(1);

fn take(script: &mut Script, name: &str) {
    assert_eq!(script.control(TakeSnapshot(name.into())), Ok(()));
}

fn restore(script: &mut Script, name: &str) -> fauxfax::engine::Canceled {
    match script.control(Restore(name.into())) {
        Ok(canceled) => canceled,
        other => panic!("not restored: {other:?}"),
    }
}

/// Returns an order to send a fax with this StatusCallback.
fn told(callback: &str) -> CreateFax {
    CreateFax { status_callback: Some(callback.into()), ..order(FAR) }
}

#[test]
fn a_restore_brings_back_deleted_faxes_and_removes_later_ones() {
    let mut script = Script::default();
    let kept = script.send(order(FAR));
    script.answer_document(2);
    script.forward(HOUR);
    take(&mut script, "sent");
    script.command(DeleteFax(kept)).expect("the fax has ended");
    let later = script.send(order(FAR));
    restore(&mut script, "sent");
    let fax = script.engine.fax(kept).expect("the fax is back");
    assert_eq!((fax.status(), fax.pages(), fax.media.is_some()), (Status::Delivered, Some(2), true));
    assert_eq!(script.engine.fax(later).err(), Some(Refusal::NoFax(later)));
    assert_eq!(script.engine.media_bytes(), 100);
}

#[test]
fn work_in_progress_is_issued_again_with_the_same_token() {
    let mut script = Script::default();
    script.send(told("http://app/s"));
    script.receive(call(1));
    take(&mut script, "asked");
    let first = token(&script.first_effect().intent);
    script.answer_ok();
    script.forward(SECOND);
    restore(&mut script, "asked");
    script.expect_effects(&[
        "tell status-callback queued http://app/s",
        "fetch http://app/a.pdf",
        "ask fax-url http://app/fax",
    ]);
    assert_eq!(token(&script.first_effect().intent), first);
    assert_eq!(script.engine.pending_count(), 2, "the sent fax and the call");
}

#[test]
fn responses_from_an_earlier_generation_are_journaled_and_dropped() {
    let mut script = Script::default();
    let sid = script.send(order(FAR));
    take(&mut script, "fetching");
    restore(&mut script, "fetching");
    script.answer_late();
    let dropped = script.events(None).iter().filter(|event| matches!(event.kind, EventKind::AnswerDropped)).count();
    assert_eq!((dropped, script.status(sid)), (1, Status::Processing));
    script.answer_document(1);
    script.forward(HOUR);
    assert_eq!(script.status(sid), Status::Delivered);
}

#[test]
fn a_restored_call_continues_for_its_remaining_time() {
    let mut script = Script::default();
    let sid = script.send(order(FAR));
    script.answer_document(1);
    script.forward(SECOND);
    script.forward(Duration::from_secs(4));
    take(&mut script, "ringing");
    script.expect_deadline(2_000);
    script.forward(HOUR);
    assert_eq!(script.status(sid), Status::Delivered);
    restore(&mut script, "ringing");
    script.expect_deadline(2_000);
    assert_eq!(script.status(sid), Status::Sending);
}

#[test]
fn a_restored_ttl_keeps_its_remaining_time() {
    let mut script = Script::default();
    let busy = PhoneNumber::from_digits(15_005_550_101);
    let sid = script.send(CreateFax { ttl_minutes: Some(3), ..order(busy) });
    script.answer_document(1);
    script.forward(Duration::from_secs(10));
    take(&mut script, "waiting");
    script.forward(HOUR);
    restore(&mut script, "waiting");
    // With or without the restore, the fax is called at 1, 64 and 127 s after its start. The last call ends 120 s after
    // the snapshot.
    script.forward(Duration::from_secs(119));
    assert_eq!(script.status(sid), Status::Sending);
    script.forward(SECOND);
    assert_eq!(script.status(sid), Status::Busy);
}

#[test]
fn neither_seq_nor_the_clock_goes_back_with_a_restore() {
    let mut script = Script::default();
    take(&mut script, "start");
    script.send(order(FAR));
    let (seq, latest) = (script.engine.last_seq(), script.engine.latest());
    script.forward(HOUR);
    restore(&mut script, "start");
    assert!(script.engine.last_seq() > seq && script.engine.latest() > latest);
    let events = script.events(None);
    assert!(events.windows(2).all(|pair| pair[0].seq < pair[1].seq && pair[0].at <= pair[1].at));
}

#[test]
fn a_reset_or_restore_never_repeats_an_id_unless_a_seed_is_given() {
    let mut script = Script::default();
    take(&mut script, "start");
    let mut sent = vec![script.send(order(FAR))];
    restore(&mut script, "start");
    sent.push(script.send(order(FAR)));
    restore(&mut script, "start");
    sent.push(script.send(order(FAR)));
    script.control(Reset { seed: None }).expect("reset");
    sent.push(script.send(order(FAR)));
    let state = script.engine.state(false, script.now);
    script.engine.handle(LoadState(state), script.now);
    sent.push(script.send(order(FAR)));
    let once: std::collections::BTreeSet<_> = sent.iter().collect();
    assert_eq!(once.len(), sent.len(), "{sent:?}");
    let with_seed = |script: &mut Script| {
        script.control(Reset { seed: Some(7) }).expect("reset");
        script.send(order(FAR))
    };
    assert_eq!(with_seed(&mut script), sent[0], "the world began with this seed");
    assert_eq!(with_seed(&mut script), sent[0]);
}

#[test]
fn repeating_the_same_steps_after_a_reset_has_the_same_outcome() {
    let rule = json!({ "match": { "direction": "outbound" }, "chance": 0.5, "outcome": { "status": "busy" } });
    let mut script = Script::default();
    let run = |script: &mut Script| {
        script
            .control(AddRule(
                fauxfax::dialect::rule::parse(&rule, fauxfax::model::account::Dialect::Twilio).expect("a rule"),
            ))
            .expect("added");
        for _ in 0..12 {
            script.send(order(FAR));
        }
        to_rest(script, "");
        fauxfax::dialect::canonical::projection(&script.events(None))
    };
    let first = run(&mut script);
    script.control(Reset { seed: None }).expect("reset");
    script.forward(HOUR);
    let again = run(&mut script);
    assert_eq!(first, again);
    let busy = first.iter().filter(|line| line.contains("fax.status") && line.contains(" busy ")).count();
    assert!((1..12).contains(&busy), "a rule with a chance of one half applies to some of the faxes: {busy} are busy");
    assert!(first.iter().any(|line| line.contains(" #12 ")), "{first:?}");
}

#[test]
fn a_reset_cancels_pending_work_and_lists_it() {
    let mut script = Script::default();
    let done = script.send(order(FAR));
    script.answer_document(1);
    script.forward(HOUR);
    let waiting = script.send(told("http://app/s"));
    let ringing = script.receive(call(1));
    let Ok(canceled) = script.control(Reset { seed: None }) else { panic!("not reset") };
    assert_eq!((canceled.count.faxes, canceled.count.pending, canceled.count.effects), (2, 2, 4));
    assert_eq!(canceled.pending, [waiting, ringing]);
    assert!(script.engine.is_idle() && script.engine.fax(done).is_err());
    assert_eq!(script.engine.numbers().count(), 1);
    script.answer_late();
    assert!(script.engine.is_idle());
}

#[test]
fn a_reset_keeps_the_snapshots_and_the_claim() {
    let mut spec = crate::script::spec();
    spec.account.auth_token = None;
    let mut script = Script::new(spec);
    assert!(script.engine.handle(Claim("first".into()), script.now));
    take(&mut script, "kept");
    script.control(Reset { seed: None }).expect("reset");
    assert_eq!(script.engine.snapshots().count(), 1);
    assert!(
        !script.engine.handle(Claim("second".into()), script.now)
            && script.engine.handle(Claim("first".into()), script.now)
    );
}

#[test]
fn a_claim_made_after_a_snapshot_survives_the_restore() {
    let mut spec = crate::script::spec();
    spec.account.auth_token = None;
    let mut script = Script::new(spec);
    take(&mut script, "unclaimed");
    assert!(script.engine.handle(Claim("first".into()), script.now));
    restore(&mut script, "unclaimed");
    assert!(!script.engine.handle(Claim("second".into()), script.now));
}

#[test]
fn restoring_a_missing_snapshot_changes_nothing() {
    let mut script = Script::default();
    let sid = script.send(order(FAR));
    let none: Box<str> = "none".into();
    assert_eq!(script.control(Restore(none.clone())), Err(Refusal::NoSnapshot(none.clone())));
    assert_eq!(script.control(DropSnapshot(none.clone())), Err(Refusal::NoSnapshot(none)));
    assert_eq!(script.status(sid), Status::Processing);
    script.expect_effects(&["fetch http://app/a.pdf"]);
}

#[test]
fn snapshots_are_limited_and_replaced_by_name() {
    let mut script = Script::default();
    for n in 0..SNAPSHOTS_MAX {
        take(&mut script, &n.to_string());
    }
    let refused = script.control(TakeSnapshot("more".into()));
    assert!(matches!(refused, Err(Refusal::LimitReached { limit: SNAPSHOTS_MAX, .. })));
    take(&mut script, "0");
    script.control(DropSnapshot("1".into())).expect("the snapshot exists");
    take(&mut script, "more");
}

#[test]
fn a_snapshot_shares_its_documents_with_the_world() {
    let mut script = Script::default();
    let sid = script.receive(call(1));
    script.answer_twiml(RECEIVE, &[]);
    script.forward(HOUR);
    let bytes = |script: &Script| {
        let fax = script.engine.fax(sid).expect("the fax exists");
        std::sync::Arc::clone(&fax.media.as_ref().expect("kept").document.bytes)
    };
    let before = bytes(&script);
    take(&mut script, "received");
    script.answer_ok();
    restore(&mut script, "received");
    assert!(std::sync::Arc::ptr_eq(&before, &bytes(&script)));
}
