//! Tests the engine with scripts that feed it commands and time, and check its effects, deadlines and statuses.

use std::time::Duration;

use fauxfax::dialect::twilio::codes::code as code_of;
use fauxfax::engine::ConversationState;
use fauxfax::engine::effect::Intent;
use fauxfax::engine::input::{BuyNumber, CancelFax, Claim, DeleteFax, DocumentFault, NumberRequest, Reset};
use fauxfax::model::account::{AccountMode, CallbackPolicy};
use fauxfax::model::fault::Fault;
use fauxfax::model::fax::Status;
use fauxfax::model::number::{NumberChange, ReceiveMode};
use fauxfax::model::phone::{Party, PhoneNumber};
use fauxfax::model::refusal::Refusal;
use fauxfax::model::time::Pace;
use fauxfax::model::webhook::ExchangeFailure;

use crate::script::{FAR, OWN, Script, broken, call, document, order, spec};

const RECEIVE: &str = "<Response><Receive action=\"/done\"/></Response>";
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);

const fn number(digits: u64) -> PhoneNumber {
    PhoneNumber::from_digits(digits)
}

/// Sends a two-page fax to `to`, and lets an hour pass, during which the fax ends.
fn sent_to(to: PhoneNumber) -> (Script, fauxfax::model::sid::FaxSid) {
    let mut script = Script::default();
    let sid = script.send(order(to));
    script.answer_document(2);
    script.forward(HOUR);
    (script, sid)
}

#[test]
fn a_fax_is_queued_immediately_and_then_fetches_its_document() {
    let mut script = Script::default();
    let reply = script.command(order(FAR));
    let Ok(sid) = reply else { panic!("{reply:?}") };
    assert_eq!(script.status(sid), Status::Queued);
    script.expect_effects(&[]);
    script.expect_deadline(0);
    script.forward(Duration::ZERO);
    assert_eq!(script.status(sid), Status::Processing);
    script.expect_effects(&["fetch http://app/a.pdf"]);
}

#[test]
fn a_fax_is_sent_page_by_page_and_delivered() {
    let mut script = Script::default();
    let sid = script.send(order(FAR));
    script.answer_document(2);
    script.expect_deadline(1_000);
    script.forward(Duration::from_secs(1));
    assert_eq!(script.status(sid), Status::Sending);
    script.expect_deadline(6_000);
    script.forward(Duration::from_secs(6));
    script.expect_deadline(30_000);
    script.forward(Duration::from_secs(60));
    let fax = script.engine.fax(sid).expect("the fax exists");
    assert_eq!((fax.status(), fax.pages(), fax.duration_s()), (Status::Delivered, Some(2), Some(60)));
    assert_eq!(fax.price_micros(), Some(7_000));
    assert!(fax.media.is_some() && script.engine.is_idle());
}

#[test]
fn numbers_that_behave_have_their_documented_outcomes() {
    for (digits, status, code, pages) in [
        (15_005_550_101, Status::Busy, Some(34002), Some(2)),
        (15_005_550_102, Status::NoAnswer, Some(34003), Some(2)),
        (15_005_550_103, Status::Failed, Some(34004), Some(2)),
        (15_005_550_104, Status::Failed, Some(34004), Some(2)),
        (15_005_550_105, Status::Failed, Some(34108), Some(2)),
        (15_005_550_106, Status::Delivered, None, Some(2)),
        (15_005_550_107, Status::Delivered, None, Some(2)),
    ] {
        let (script, sid) = sent_to(number(digits));
        let fax = script.engine.fax(sid).expect("the fax exists");
        let ended = (fax.status(), fax.failure().map(|failure| code_of(failure.fault)), fax.pages());
        assert_eq!(ended, (status, code, pages), "+{digits}");
    }
}

#[test]
fn durations_depend_on_the_line() {
    for (digits, duration_s) in [
        (15_005_550_101, None),
        (15_005_550_102, Some(15)),
        (15_005_550_103, Some(10)),
        (15_005_550_104, Some(40)),
        (15_005_550_106, Some(240)),
    ] {
        let (script, sid) = sent_to(number(digits));
        assert_eq!(script.engine.fax(sid).map(|fax| fax.duration_s()), Ok(duration_s), "+{digits}");
    }
}

#[test]
fn a_number_that_fails_after_one_page_reports_one_page() {
    let (script, sid) = sent_to(number(15_005_550_104));
    let pages = script.events(Some(sid)).iter().filter(|event| event.kind.as_str() == "fax.page").count();
    assert_eq!(pages, 1);
}

#[test]
fn a_busy_line_is_called_again_until_the_ttl_runs_out() {
    let mut script = Script::default();
    let sid = script.send(fauxfax::engine::input::CreateFax { ttl_minutes: Some(3), ..order(number(15_005_550_101)) });
    script.answer_document(1);
    // The calls begin at 1, 64 and 127 s, and each is busy after 3 s. A fourth would begin after the end of the Ttl,
    // which is three minutes.
    script.forward(Duration::from_secs(129));
    assert_eq!(script.status(sid), Status::Sending);
    script.forward(Duration::from_secs(1));
    assert_eq!(script.status(sid), Status::Busy);
    assert_eq!(script.statuses(sid), [Status::Queued, Status::Processing, Status::Sending, Status::Busy]);
}

#[test]
fn a_ttl_runs_out_at_any_pace() {
    let mut spec = spec();
    spec.options.pace = Pace::Max;
    let mut script = Script::new(spec);
    let sid =
        script.send(fauxfax::engine::input::CreateFax { ttl_minutes: Some(300), ..order(number(15_005_550_102)) });
    script.answer_document(1);
    script.forward(Duration::ZERO);
    assert_eq!(script.status(sid), Status::NoAnswer);
}

#[test]
fn callbacks_are_sent_in_order_and_one_at_a_time() {
    let mut script = Script::default();
    let sid =
        script.send(fauxfax::engine::input::CreateFax { status_callback: Some("http://app/s".into()), ..order(FAR) });
    script.expect_effects(&["tell status-callback queued http://app/s", "fetch http://app/a.pdf"]);
    let first = script.first_effect().clone();
    script.answer_ok();
    script.expect_effects(&["fetch http://app/a.pdf", "tell status-callback processing http://app/s"]);
    script.answer_document(1);
    script.forward(HOUR);
    script.expect_effects(&["tell status-callback processing http://app/s"]);
    assert_eq!(script.engine.conversation(sid), ConversationState::Pending);
    script.answer_failure(ExchangeFailure::TotalTimeout);
    script.expect_effects(&["tell status-callback sending http://app/s"]);
    script.answer_ok();
    let Intent::Deliver(last) = &*script.first_effect().intent else { panic!("not a callback") };
    assert_eq!((last.status, last.pages, last.rate_bps), (Status::Delivered, Some(1), Some(14_400)));
    assert_eq!(last.remote_station_id.as_deref(), Some("+15558675310"));
    let Intent::Deliver(first) = &*first.intent else { panic!("not a callback") };
    assert_eq!((first.pages, first.rate_bps), (None, None));
    assert_ne!(first.idempotency_token, last.idempotency_token);
    script.answer_ok();
    assert_eq!(script.engine.conversation(sid), ConversationState::Settled(Status::Delivered));
    assert_eq!(script.alerts(), [11203]);
}

#[test]
fn a_missing_document_after_an_early_callback_is_explained_in_the_alert() {
    let fetch = |callbacks, status_callback: Option<&str>, failure| {
        let mut spec = spec();
        spec.options.callbacks = callbacks;
        let mut script = Script::new(spec);
        let told = status_callback.map(Into::into);
        script.send(fauxfax::engine::input::CreateFax { status_callback: told, ..order(FAR) });
        if callbacks == CallbackPolicy::All && status_callback.is_some() {
            script.answer_ok();
        }
        script.answer_no_document(DocumentFault::Fetch(failure));
        script.alert_texts().pop().expect("an alert")
    };
    let (url, gone) = (Some("http://app/s"), ExchangeFailure::HttpStatus);
    let mut script = Script::default();
    script.send(fauxfax::engine::input::CreateFax { status_callback: url.map(Into::into), ..order(FAR) });
    script.answer_failure(ExchangeFailure::ConnectionRefused);
    script.answer_no_document(DocumentFault::Fetch(gone(404)));
    let text = script.alert_texts().pop().expect("an alert");
    assert!(!text.contains("--callbacks"), "the app was never reached: {text}");
    assert!(fetch(CallbackPolicy::All, url, gone(404)).contains("--callbacks final"));
    assert!(fetch(CallbackPolicy::All, url, gone(410)).contains("--callbacks final"));
    for (callbacks, url, failure) in [
        (CallbackPolicy::Final, url, gone(404)),
        (CallbackPolicy::All, None, gone(404)),
        (CallbackPolicy::All, url, gone(500)),
        (CallbackPolicy::All, url, ExchangeFailure::ConnectionRefused),
    ] {
        let text = fetch(callbacks, url, failure.clone());
        assert!(
            text.starts_with("MediaUrl: ") && !text.contains("--callbacks"),
            "{callbacks:?} {url:?} {failure}: {text}"
        );
    }
}

#[test]
fn an_account_chooses_which_statuses_are_reported() {
    for (callbacks, told) in [
        (
            CallbackPolicy::QueuedAndFinal,
            vec!["tell status-callback queued http://app/s", "tell status-callback delivered http://app/s"],
        ),
        (CallbackPolicy::Final, vec!["tell status-callback delivered http://app/s"]),
    ] {
        let mut spec = spec();
        spec.options.callbacks = callbacks;
        let mut script = Script::new(spec);
        script.send(fauxfax::engine::input::CreateFax { status_callback: Some("http://app/s".into()), ..order(FAR) });
        for expected in &told {
            if script.first_effect().intent.kind() == fauxfax::engine::effect::IntentKind::FetchDocument {
                script.answer_document(1);
                script.forward(HOUR);
            }
            script.expect_effects_begin_with(expected);
            script.answer_ok();
        }
        assert!(script.engine.is_idle() || told.len() == 2);
    }
}

#[test]
fn a_document_that_cannot_be_fetched_fails_the_fax_with_the_fetch_error_code() {
    let mut script = Script::default();
    let sid = script.send(order(FAR));
    script.answer_no_document(DocumentFault::Fetch(ExchangeFailure::HttpStatus(404)));
    let fax = script.engine.fax(sid).expect("the fax exists");
    assert_eq!(
        (fax.status(), fax.pages(), fax.failure().map(|failure| code_of(failure.fault))),
        (Status::Failed, None, Some(11200))
    );
    assert_eq!(script.alerts(), [11200]);
}

#[test]
fn an_emulator_fault_fails_the_fax_or_call_that_was_waiting() {
    let mut script = Script::default();
    let sid = script.send(order(FAR));
    script.answer_lost();
    assert_eq!(script.status(sid), Status::Failed);
    let call = script.receive(call(1));
    script.answer_lost();
    assert_eq!(script.engine.conversation(call), ConversationState::NotAnswered);
}

#[test]
fn a_fax_can_be_canceled_until_sending_begins() {
    let mut script = Script::default();
    let sid = script.send(order(FAR));
    assert_eq!(script.command(CancelFax(sid)), Ok(()));
    assert_eq!(script.status(sid), Status::Canceled);
    script.answer_document(3);
    script.forward(HOUR);
    assert_eq!(script.status(sid), Status::Canceled);
    let late = script.send(order(FAR));
    script.answer_document(1);
    script.forward(Duration::from_secs(2));
    assert_eq!(script.command(CancelFax(late)), Err(Refusal::TooLateToCancel(late)));
}

#[test]
fn an_active_fax_cannot_be_deleted_and_a_deleted_one_is_gone() {
    let mut script = Script::default();
    let sid = script.send(order(FAR));
    assert_eq!(script.command(DeleteFax(sid)), Err(Refusal::StillActive(sid)));
    script.answer_document(1);
    script.forward(HOUR);
    assert_eq!(script.command(DeleteFax(sid)), Ok(()));
    assert_eq!(script.command(DeleteFax(sid)), Err(Refusal::NoFax(sid)));
    assert_eq!(script.engine.fax_count(), 0);
}

#[test]
fn receive_creates_an_incoming_fax_whose_action_is_notified() {
    let mut script = Script::default();
    let sid = script.receive(call(2));
    script.expect_effects(&["ask fax-url http://app/fax"]);
    assert!(script.engine.fax(sid).is_err());
    script.answer_twiml(RECEIVE, &["s=1"]);
    assert_eq!(script.status(sid), Status::Receiving);
    script.expect_effects(&[]);
    script.expect_deadline(30_000);
    script.forward(Duration::from_secs(60));
    script.expect_effects(&["tell action received http://app/done"]);
    let Intent::Deliver(notice) = &*script.first_effect().intent else { panic!("not a notice") };
    assert_eq!((notice.pages, notice.remote_station_id.as_deref()), (Some(2), Some("FAR MACHINE")));
    assert!(notice.media.is_some() && notice.attachment.is_none());
    assert_eq!(notice.cookies[0].pair, "s=1");
    assert_eq!(script.engine.conversation(sid), ConversationState::Pending);
    script.answer_ok();
    assert_eq!(script.engine.conversation(sid), ConversationState::Settled(Status::Received));
}

#[test]
fn without_an_action_the_numbers_status_callback_is_notified() {
    let mut spec = spec();
    spec.numbers[0].1.status_callback = Some("http://app/number".into());
    let mut script = Script::new(spec);
    script.receive(call(1));
    script.answer_twiml("<Response><Receive/></Response>", &[]);
    script.forward(HOUR);
    script.expect_effects(&["tell status-callback received http://app/number"]);
    script.answer_ok();
    script.receive(call(1));
    script.answer_twiml(RECEIVE, &[]);
    script.forward(HOUR);
    script.expect_effects(&["tell action received http://app/done"]);
}

#[test]
fn media_that_are_not_stored_are_attached_to_the_action() {
    let mut script = Script::default();
    let sid = script.receive(call(1));
    script.answer_twiml("<Response><Receive action=\"/done\" storeMedia=\"false\"/></Response>", &[]);
    script.forward(HOUR);
    let Intent::Deliver(notice) = &*script.first_effect().intent else { panic!("not a notice") };
    assert_eq!(notice.attachment, Some(document(1, 100)));
    assert!(notice.media.is_none() && script.engine.fax(sid).is_ok_and(|fax| fax.media.is_none()));
}

#[test]
fn a_rejected_fax_is_created_as_canceled_and_nobody_is_notified() {
    let mut script = Script::default();
    let sid = script.receive(call(1));
    script.answer_twiml("<Response><Reject/></Response>", &[]);
    assert_eq!(script.statuses(sid), [Status::Canceled]);
    assert_eq!(script.engine.conversation(sid), ConversationState::Settled(Status::Canceled));
    assert!(script.engine.is_idle());
}

#[test]
fn the_fallback_gets_the_error_and_decides_the_outcome() {
    let mut spec = spec();
    spec.numbers[0].1.voice_fallback_url = Some("http://app/fallback".into());
    let mut script = Script::new(spec);
    let sid = script.receive(call(1));
    script.answer_no_twiml(ExchangeFailure::ConnectionRefused);
    script.forward(Duration::ZERO);
    script.answer_no_twiml(ExchangeFailure::ConnectionRefused);
    script.expect_effects(&["ask fallback-url http://app/fallback"]);
    let Intent::AskForTwiml(request) = &*script.first_effect().intent else { panic!("not a request for TwiML") };
    assert_eq!(request.failed, Some((Fault::ConnectionRefused, "http://app/fax".into())));
    script.answer_twiml(RECEIVE, &[]);
    assert_eq!(script.status(sid), Status::Receiving);
}

#[test]
fn without_usable_twiml_a_call_creates_no_fax() {
    for (twiml, code) in [("<Response/>", 34106), ("<Response>", 12100), ("<Fax/>", 12102), ("", 11770)] {
        let mut script = Script::default();
        let sid = script.receive(call(1));
        script.answer_twiml(twiml, &[]);
        assert_eq!(script.engine.conversation(sid), ConversationState::NotAnswered, "{twiml}");
        assert!(script.engine.fax(sid).is_err() && script.engine.is_idle());
        assert_eq!(script.alerts(), [code]);
    }
}

#[test]
fn an_incoming_fax_breaks_off_where_the_tester_chooses() {
    let mut script = Script::default();
    let sid = script
        .receive(fauxfax::engine::input::ReceiveFax { line_fault: Some(broken(Fault::Incompatible, 1)), ..call(3) });
    script.answer_twiml(RECEIVE, &[]);
    script.forward(HOUR);
    assert_eq!(script.status(sid), Status::Failed);
    let Intent::Deliver(notice) = &*script.first_effect().intent else { panic!("not a notice") };
    assert_eq!(notice.failure.as_ref().map(|failure| failure.fault), Some(Fault::Incompatible));
    assert_eq!(notice.pages, None);
}

#[test]
fn only_an_owned_fax_number_can_be_called() {
    let refused = |script: &mut Script, to| {
        let order = fauxfax::engine::input::ReceiveFax { to, ..call(1) };
        script.engine.handle(order, script.now)
    };
    let mut script = Script::default();
    assert_eq!(refused(&mut script, Some(FAR)), Err(Refusal::NumberNotOwned(FAR)));
    assert!(refused(&mut script, None).is_ok());
    let mut spec = spec();
    spec.numbers[0].1.voice_receive_mode = Some(ReceiveMode::Voice);
    let mut script = Script::new(spec);
    assert_eq!(refused(&mut script, Some(OWN)), Err(Refusal::NotAFaxNumber(OWN)));
    assert_eq!(refused(&mut script, None), Err(Refusal::AmbiguousNumber(0)));
}

#[test]
fn an_unclaimed_account_cannot_be_called() {
    let mut spec = spec();
    spec.account.auth_token = None;
    let mut script = Script::new(spec);
    let reply = script.engine.handle(call(1), script.now);
    assert_eq!(reply, Err(Refusal::Unclaimed));
    assert!(
        script.engine.handle(Claim("first".into()), script.now)
            && !script.engine.handle(Claim("second".into()), script.now)
            && script.engine.handle(Claim("first".into()), script.now)
    );
}

#[test]
fn a_fax_to_an_owned_number_rings_there_and_delivers_the_same_pages() {
    let mut script = Script::default();
    let sid = script.send(order(OWN));
    script.answer_document(2);
    script.forward(Duration::from_secs(1));
    assert_eq!(script.status(sid), Status::Processing);
    script.expect_effects(&["ask fax-url http://app/fax"]);
    let far = script.first_effect().fax.expect("it belongs to a call");
    script.answer_twiml(RECEIVE, &[]);
    assert_eq!((script.status(sid), script.status(far)), (Status::Sending, Status::Receiving));
    script.forward(HOUR);
    assert_eq!((script.status(sid), script.status(far)), (Status::Delivered, Status::Received));
    let (out, into) = (script.engine.fax(sid).expect("sent"), script.engine.fax(far).expect("received"));
    assert_eq!(out.media.as_ref().map(|media| &media.document), into.media.as_ref().map(|media| &media.document));
    assert_eq!((out.duration_s(), into.duration_s()), (Some(60), Some(60)));
}

#[test]
fn the_receiving_app_decides_the_outcome_of_a_fax_to_an_owned_number() {
    for (twiml, status) in [("<Response><Reject/></Response>", Status::Busy), ("<Response/>", Status::NoAnswer)] {
        let mut script = Script::default();
        let sid = script.send(order(OWN));
        script.answer_document(1);
        script.forward(Duration::from_secs(1));
        script.answer_twiml(twiml, &[]);
        assert_eq!(script.status(sid), status, "{twiml}");
        assert!(script.engine.is_idle());
    }
    let mut spec = spec();
    spec.numbers[0].1.voice_receive_mode = Some(ReceiveMode::Voice);
    let mut script = Script::new(spec);
    let sid = script.send(order(OWN));
    script.answer_document(1);
    script.forward(Duration::from_secs(1));
    assert_eq!(script.status(sid), Status::NoAnswer);
}

#[test]
fn canceling_while_the_receiving_app_is_asked_hangs_up() {
    let mut script = Script::default();
    let sid = script.send(order(OWN));
    script.answer_document(1);
    script.forward(Duration::from_secs(1));
    let far = script.first_effect().fax.expect("it belongs to a call");
    assert_eq!(script.command(CancelFax(sid)), Ok(()));
    script.answer_twiml(RECEIVE, &[]);
    assert_eq!(script.engine.conversation(far), ConversationState::NotAnswered);
    assert!(script.engine.is_idle());
}

#[test]
fn an_unowned_caller_id_is_adopted_in_open_mode_and_refused_in_strict_mode() {
    let stranger = number(15_551_234_567);
    let strange = || fauxfax::engine::input::CreateFax { from: Some(Party::Number(stranger)), ..order(FAR) };
    let mut script = Script::default();
    assert!(script.command(strange()).is_ok());
    assert!(script.events(None).iter().any(|event| event.kind.as_str() == "caller-id.adopted"));
    let mut spec = spec();
    spec.options.accounts = AccountMode::Strict;
    let mut script = Script::new(spec);
    let refused = script.command(strange());
    assert_eq!(refused, Err(Refusal::FromNotOwned(stranger)));
    let known = fauxfax::engine::input::CreateFax { from: Some(Party::Number(FAR)), ..order(FAR) };
    assert!(script.command(known).is_ok());
}

#[test]
fn buying_magic_numbers_works_as_documented_by_twilio() {
    let mut script = Script::default();
    let mut buy = |wanted| script.command(BuyNumber { wanted, change: NumberChange::default() });
    assert_eq!(
        buy(NumberRequest::Number(number(15_005_550_000))),
        Err(Refusal::NumberUnavailable(number(15_005_550_000)))
    );
    assert_eq!(buy(NumberRequest::Number(number(15_005_550_001))), Err(Refusal::NumberInvalid(number(15_005_550_001))));
    assert_eq!(buy(NumberRequest::Area(533)), Err(Refusal::NoneInArea(533)));
    assert_eq!(buy(NumberRequest::Number(OWN)), Err(Refusal::NumberUnavailable(OWN)));
    assert!(buy(NumberRequest::Area(500)).is_ok());
    assert!(buy(NumberRequest::Area(415)).is_ok());
}

#[test]
fn a_fax_is_kept_for_180_days() {
    let (mut script, sid) = sent_to(FAR);
    script.forward(DAY * 179);
    assert!(script.engine.fax(sid).is_ok());
    assert!(script.engine.next_work().is_none() && script.engine.poll_timeout().is_some());
    script.forward(DAY);
    assert!(script.engine.fax(sid).is_err());
    assert_eq!((script.engine.media_bytes(), script.engine.poll_timeout()), (0, None));
}

#[test]
fn beyond_the_media_budget_the_media_of_the_oldest_ended_faxes_are_removed_first() {
    let mut script = Script::default();
    let faxes: Vec<_> = (0..12)
        .map(|_| {
            let sid = script.send(order(FAR));
            script.answer_document(1);
            script.forward(HOUR);
            sid
        })
        .collect();
    let kept: Vec<bool> =
        faxes.iter().map(|sid| script.engine.fax(*sid).is_ok_and(|fax| fax.media.is_some())).collect();
    assert_eq!(kept, [false, false, true, true, true, true, true, true, true, true, true, true]);
    assert_eq!((script.engine.media_evicted(), script.engine.media_bytes()), (2, 1_000));
}

#[test]
fn a_reset_cancels_pending_work_and_late_responses_change_nothing() {
    let mut script = Script::default();
    script.send(order(FAR));
    let seq = script.engine.last_seq();
    let reply = script.engine.handle(Reset { seed: None }, script.now);
    let Ok(count) = reply else { panic!("{reply:?}") };
    assert_eq!((count.count.faxes, count.count.pending, count.count.effects), (1, 1, 1));
    script.answer_document(1);
    assert_eq!(script.engine.fax_count(), 0);
    assert!(script.engine.last_seq() > seq && script.engine.is_idle());
    assert!(script.engine.owned_number(OWN).is_some());
}

#[test]
fn ids_depend_on_the_seed_and_not_on_the_timing_of_other_faxes() {
    let run = |slow: bool| {
        let mut script = Script::default();
        let first = script.send(order(FAR));
        if slow {
            script.forward(HOUR);
        }
        let second = script.send(order(FAR));
        (first, second)
    };
    assert_eq!(run(false), run(true));
    let mut spec = spec();
    spec.seed = fauxfax::engine::random::WorldSeed::of(8, spec.account.sid);
    assert_ne!(Script::new(spec).send(order(FAR)), run(false).0);
}

#[test]
fn callback_statuses_of_a_fax_override_the_accounts_callback_policy() {
    let mut script = Script::default();
    let told = fauxfax::engine::input::CreateFax { status_callback: Some("http://app/s".into()), ..order(FAR) };
    let none = fauxfax::engine::input::CreateFax { callback_statuses: Some([].into_iter().collect()), ..told.clone() };
    let sid = script.command(none).expect("accepted");
    script.command(CancelFax(sid)).expect("canceled");
    script.expect_effects(&[]);
    let by_get = fauxfax::engine::input::CreateFax {
        callback_statuses: Some([Status::Queued].into_iter().collect()),
        callback_method: fauxfax::model::webhook::Method::Get,
        ..told
    };
    script.command(by_get).expect("accepted");
    script.expect_effects(&["tell status-callback queued http://app/s"]);
    let Intent::Deliver(notice) = &*script.first_effect().intent else { panic!("not a notice") };
    assert_eq!(notice.method, fauxfax::model::webhook::Method::Get);
}
