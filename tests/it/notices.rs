//! Tests status notices with engine scripts: how often they are retried, and what happens to the notices of a deleted
//! fax.

use std::time::Duration;

use fauxfax::engine::input::{CancelFax, CreateFax, DeleteFax};
use fauxfax::engine::{ConversationState, Prospect, Unreachable, WorldSpec};
use fauxfax::model::account::{Account, CallbackPolicy};
use fauxfax::model::fax::Status;
use fauxfax::model::phone::PhoneNumber;
use fauxfax::model::sid::FaxSid;
use fauxfax::model::webhook::ExchangeFailure;

use crate::script::{FAR, Script, order, spec};

/// Creates the world of a SignalWire account.
fn project() -> Script {
    let sid = "b3877c40-da60-4998-90ad-b792e98472ac".parse().expect("a project's UUID");
    let account = Account::new(sid, Some("secret".into()), spec().account.created);
    Script::new(WorldSpec { account, ..spec() })
}

#[test]
fn signalwire_retries_a_status_callback_after_a_second_and_at_most_twice() {
    let mut script = project();
    let only = Some([Status::Canceled].into_iter().collect());
    let fax = CreateFax { callback_statuses: only, ..order(FAR) };
    let fax = CreateFax { status_callback: Some("http://app/s#tt=100".into()), ..fax };
    let sid = script.command(fax).expect("accepted");
    script.expect_effects(&[]);
    script.command(CancelFax(sid)).expect("canceled");
    for _ in 0..2 {
        script.expect_effects(&["tell status-callback canceled http://app/s#tt=100"]);
        script.answer_failure(ExchangeFailure::TotalTimeout);
        script.expect_effects(&[]);
        script.expect_deadline(1_000);
        script.forward(Duration::from_secs(1));
    }
    script.answer_failure(ExchangeFailure::HttpStatus(500));
    script.expect_effects(&[]);
    assert!(script.engine.is_idle() && script.alerts().len() == 1, "giving up the callback raises one alert");
}

#[test]
fn a_fax_deleted_while_its_callback_awaits_a_retry_stays_pending_until_the_last_retry() {
    let mut script = project();
    let only = Some([Status::Canceled].into_iter().collect());
    let fax = CreateFax { status_callback: Some("http://app/s".into()), callback_statuses: only, ..order(FAR) };
    let sid = script.command(fax).expect("accepted");
    script.command(CancelFax(sid)).expect("canceled");
    script.answer_failure(ExchangeFailure::HttpStatus(500));
    script.command(DeleteFax(sid)).expect("deleted");
    for _ in 0..2 {
        assert_eq!(script.engine.conversation(sid), ConversationState::Pending);
        script.forward(Duration::from_secs(1));
        script.answer_failure(ExchangeFailure::HttpStatus(500));
    }
    assert_eq!(script.engine.conversation(sid), ConversationState::Settled(Status::Canceled));
    assert!(script.engine.is_idle());
}

/// Creates a fax and cancels it. Its StatusCallback is notified only of the cancellation.
fn canceled(script: &mut Script) -> FaxSid {
    let only = Some([Status::Canceled].into_iter().collect());
    let fax = CreateFax { status_callback: Some("http://app/s".into()), callback_statuses: only, ..order(FAR) };
    let sid = script.command(fax).expect("accepted");
    script.command(CancelFax(sid)).expect("canceled");
    script.expect_effects(&["tell status-callback canceled http://app/s"]);
    sid
}

#[test]
fn a_notice_is_retried_even_if_its_fax_is_deleted_during_the_first_attempt() {
    for (mut script, wait_s) in [(Script::default(), 0), (project(), 1)] {
        let sid = canceled(&mut script);
        script.command(DeleteFax(sid)).expect("the fax has ended");
        script.answer_failure(ExchangeFailure::ConnectionRefused);
        assert_eq!(script.alerts().len(), 0, "the notice has not been given up yet");
        script.forward(Duration::from_secs(wait_s));
        script.expect_effects(&["tell status-callback canceled http://app/s"]);
        script.answer_ok();
        assert_eq!(script.engine.conversation(sid), ConversationState::Settled(Status::Canceled));
        assert!(script.engine.is_idle() && script.alerts().is_empty());
    }
}

#[test]
fn a_deleted_fax_enters_no_further_status_even_while_its_notice_is_under_way() {
    let mut script = Script::default();
    let sid = canceled(&mut script);
    script.command(DeleteFax(sid)).expect("the fax has ended");
    assert_eq!(script.engine.conversation(sid), ConversationState::Pending);
    // Unlike this fax, a ringing call, which is pending as well, could still become a receiving fax.
    for wanted in [Status::Receiving, Status::Failed, Status::Delivered] {
        let prospect = script.engine.prospect(sid, &[wanted]);
        let Prospect::Unreachable(why) = prospect else { panic!("{wanted}: {prospect:?}") };
        assert_eq!(why, Unreachable::Elsewhere(Status::Canceled), "{wanted}");
    }
}

#[test]
fn after_a_late_wake_up_alerts_about_a_url_are_dated_by_the_missed_deadlines() {
    let mut options = spec();
    options.options.callbacks = CallbackPolicy::Final;
    let mut script = Script::new(options);
    for _ in 0..2 {
        let busy = order(PhoneNumber::from_digits(15_005_550_101));
        script.send(CreateFax { status_callback: Some("http://app/s#rp=never".into()), ..busy });
        script.answer_document(1);
        // The calls of the two faxes end at different times.
        script.forward(Duration::from_millis(100));
    }
    // Everything that is left is handled at once, as if the machine had slept for a minute.
    script.now = script.now.after(Duration::from_secs(60));
    for _ in 0..2 {
        script.engine.handle_timeout(script.now);
    }
    let times: Vec<_> = script.events(None).iter().map(|event| event.at).collect();
    assert_eq!(script.alerts(), [11243, 34002, 11243, 34002]);
    assert!(times.is_sorted(), "{times:?}");
}
