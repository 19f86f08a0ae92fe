//! Tests text messages with engine scripts: their statuses from queued to delivered, their callbacks, and what
//! snapshots, states and resets do to them.

use std::time::Duration;

use fauxfax::dialect::canonical;
use fauxfax::engine::event::EventKind;
use fauxfax::engine::export::{MediaForm, State};
use fauxfax::engine::input::{
    ChangeAccount, CreateMessage, DeleteMessage, RedactMessage, Reset, Restore, TakeSnapshot,
};
use fauxfax::engine::journal::EventFilter;
use fauxfax::engine::messages::MESSAGES_MAX;
use fauxfax::model::account::{AccountChange, AccountMode, Service};
use fauxfax::model::message::{Message, MessageStatus, Sender};
use fauxfax::model::phone::{Party, PhoneNumber};
use fauxfax::model::refusal::Refusal;
use fauxfax::model::sid::MessageSid;
use fauxfax::model::webhook::ExchangeFailure;
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::once::token;
use crate::script::{FAR, OWN, Script, order, spec};
use crate::{replay, state, timelines};

const SECOND: Duration = Duration::from_secs(1);
/// A number that the account neither owns nor has verified.
const FOREIGN: PhoneNumber = PhoneNumber::from_digits(15_017_122_661);
/// Twilio's magic number that stands for an invalid number.
const INVALID: PhoneNumber = PhoneNumber::from_digits(15_005_550_001);

/// Returns a message with this text and without a StatusCallback.
fn text(body: &str) -> CreateMessage {
    CreateMessage {
        from: Some(Sender::Number(OWN)),
        to: FAR,
        body: body.into(),
        media: 0,
        messaging_service: None,
        status_callback: None,
    }
}

/// Returns a message with this text and a StatusCallback.
fn told(body: &str) -> CreateMessage {
    CreateMessage { status_callback: Some("http://app/m".into()), ..text(body) }
}

fn create(script: &mut Script, message: CreateMessage) -> MessageSid {
    script.command(message).unwrap_or_else(|refusal| panic!("{refusal}"))
}

fn status(script: &Script, sid: MessageSid) -> MessageStatus {
    script.engine.message(sid).expect("it exists").status
}

/// Lists the statuses that a message has had.
fn way(script: &Script, sid: MessageSid) -> Vec<MessageStatus> {
    let events = script.events(None);
    let entered = events.iter().filter_map(|event| {
        let EventKind::MessageStatus { message, new, .. } = event.kind else { return None };
        (message == sid).then_some(new)
    });
    entered.collect()
}

/// Returns the world's exported state.
fn written(script: &Script) -> Value {
    script.engine.state(false, script.now).to_json(MediaForm::Inline).expect("JSON")
}

#[test]
fn a_message_is_queued_then_sent_then_delivered() {
    let mut script = Script::default();
    let sid = create(&mut script, text("Your fax was sent"));
    assert_eq!(status(&script, sid), MessageStatus::Queued);
    script.expect_deadline(1_000);
    script.forward(SECOND);
    let message = script.engine.message(sid).expect("it exists");
    assert_eq!((message.status, message.sent), (MessageStatus::Sent, Some(script.now)));
    script.expect_deadline(3_000);
    script.forward(3 * SECOND);
    let message = script.engine.message(sid).expect("it exists");
    assert_eq!((message.status, message.sent), (MessageStatus::Delivered, Some(crate::script::START.after(SECOND))));
    assert_eq!(message.updated, script.now);
    assert_eq!(way(&script, sid), MessageStatus::ALL);
    assert!(script.engine.is_idle(), "nothing else is due");
}

#[test]
fn the_app_is_notified_once_and_in_order_of_each_status_but_the_first() {
    let mut script = Script::default();
    create(&mut script, told("x"));
    script.expect_effects(&[]);
    script.forward(10 * SECOND);
    script.expect_effects(&["tell message sent http://app/m"]);
    script.answer_ok();
    script.expect_effects(&["tell message delivered http://app/m"]);
    script.answer_ok();
    assert!(script.engine.is_idle());
    create(&mut script, text("nobody is notified"));
    script.forward(10 * SECOND);
    assert!(script.engine.is_idle());
}

#[test]
fn a_failed_callback_raises_an_alert_and_is_not_repeated() {
    let mut script = Script::default();
    let debugger_url = Some(Some("http://app/debugger".into()));
    script.command(ChangeAccount(AccountChange { debugger_url, ..AccountChange::default() })).expect("changed");
    create(&mut script, told("x"));
    script.forward(4 * SECOND);
    script.answer_failure(ExchangeFailure::HttpStatus(500));
    assert_eq!(script.alerts(), [11200]);
    script.expect_effects(&["tell debugger http://app/debugger", "tell message delivered http://app/m"]);
    script.answer_ok();
    script.answer_lost();
    assert_eq!(script.alerts(), [11200, 12400]);
    script.expect_effects(&["tell debugger http://app/debugger"]);
    script.answer_failure(ExchangeFailure::ReadTimeout);
    assert!(script.engine.is_idle(), "a failure to notify the debugger raises no alert");
}

#[test]
fn a_sender_must_be_owned_or_verified_in_strict_mode_and_is_adopted_in_open_mode() {
    let from = |number| CreateMessage { from: Some(Sender::Number(number)), ..text("x") };
    let mut strict = spec();
    strict.options.accounts = AccountMode::Strict;
    let mut script = Script::new(strict);
    assert!(script.command(from(OWN)).is_ok() && script.command(from(FAR)).is_ok());
    assert_eq!(script.command(from(FOREIGN)), Err(Refusal::SenderNotOwned(FOREIGN)));
    let named = CreateMessage { from: Some(Sender::Name("Acme".into())), ..text("x") };
    assert!(script.command(named).is_ok() && script.command(CreateMessage { from: None, ..text("x") }).is_ok());
    let mut script = Script::default();
    create(&mut script, from(FOREIGN));
    assert!(script.engine.caller_ids().any(|id| id.number == FOREIGN), "adopted, as the sender of a fax is");
    let party = Party::Number(INVALID);
    assert_eq!(script.command(CreateMessage { to: INVALID, ..text("x") }), Err(Refusal::InvalidTo(party.clone())));
    assert_eq!(script.command(from(INVALID)), Err(Refusal::InvalidFrom(party)));
}

#[test]
fn a_message_can_be_redacted_and_after_its_delivery_deleted() {
    let mut script = Script::default();
    let sid = create(&mut script, told("secret"));
    assert_eq!(script.command(DeleteMessage(sid)), Err(Refusal::MessageNotDelivered(sid)));
    script.command(RedactMessage(sid)).expect("redacted");
    let message = script.engine.message(sid).expect("it exists");
    assert_eq!((&*message.body, message.segments), ("", 1));
    script.forward(4 * SECOND);
    script.command(DeleteMessage(sid)).expect("it was delivered");
    for gone in [script.command(DeleteMessage(sid)), script.command(RedactMessage(sid))] {
        assert_eq!(gone, Err(Refusal::NoMessage(sid)));
    }
    // The notice under way is completed, and nothing follows.
    script.answer_ok();
    assert!(script.engine.is_idle());
    assert_ne!(create(&mut script, text("x")), sid, "no SID is used twice");
}

#[test]
fn beyond_the_limit_a_message_is_refused() {
    let mut script = Script::default();
    for _ in 0..MESSAGES_MAX {
        create(&mut script, text("x"));
    }
    let full = Refusal::LimitReached { what: "messages", limit: MESSAGES_MAX };
    assert_eq!(script.command(text("x")), Err(full));
    script.forward(4 * SECOND);
    let newest = script.engine.messages().next().expect("there are many").sid;
    script.command(DeleteMessage(newest)).expect("it was delivered");
    create(&mut script, text("there is room again"));
}

#[test]
fn test_credentials_get_no_callbacks() {
    let mut script = Script::default();
    let service = Some(Service::TestCredentials);
    script.command(ChangeAccount(AccountChange { service, ..AccountChange::default() })).expect("changed");
    create(&mut script, told("x"));
    script.forward(10 * SECOND);
    assert!(script.engine.is_idle());
}

#[test]
fn a_restore_brings_back_messages_with_their_remaining_time_and_their_callbacks() {
    let mut script = Script::default();
    let sid = create(&mut script, told("x"));
    script.forward(Duration::from_millis(1_500));
    script.control(TakeSnapshot("sent".into())).expect("taken");
    let first = token(&script.first_effect().intent);
    script.answer_ok();
    script.forward(10 * SECOND);
    assert_eq!(status(&script, sid), MessageStatus::Delivered);
    script.control(Restore("sent".into())).expect("restored");
    assert_eq!(status(&script, sid), MessageStatus::Sent);
    script.expect_deadline(2_500);
    script.expect_effects(&["tell message sent http://app/m"]);
    assert_eq!(token(&script.first_effect().intent), first, "the callback that was under way keeps its token");
    script.answer_late();
    script.answer_ok();
    script.forward(3 * SECOND);
    script.expect_effects(&["tell message delivered http://app/m"]);
    script.control(Reset { seed: None }).expect("reset");
    assert_eq!(script.engine.messages().count(), 0);
    assert!(script.engine.is_idle());
}

#[test]
fn messages_do_not_change_what_happens_to_faxes() {
    let run = |with_messages: bool| {
        let mut script = Script::default();
        if with_messages {
            create(&mut script, text("x"));
        }
        let sid = script.send(order(FAR));
        script.answer_document(2);
        script.forward(3_600 * SECOND);
        let events = script.engine.events(&EventFilter { fax: Some(sid), ..EventFilter::default() }, usize::MAX);
        (sid, canonical::projection(&events))
    };
    assert_eq!(run(true), run(false));
}

#[test]
fn the_hash_of_a_run_depends_neither_on_sids_nor_on_which_app_responds_first() {
    let run = |is_swapped: bool, after_reset: bool| {
        let mut script = Script::default();
        if after_reset {
            create(&mut script, told("before"));
            script.control(Reset { seed: None }).expect("reset");
        }
        let other = CreateMessage { status_callback: Some("http://other/m".into()), ..told("b") };
        let messages = [told("a"), other];
        for message in messages {
            create(&mut script, message);
        }
        script.forward(SECOND);
        let all = script.take_asked();
        let all: Vec<_> = if is_swapped { all.into_iter().rev().collect() } else { all };
        all.into_iter().for_each(|effect| script.answer_ok_to(effect));
        let events = script.events(None);
        assert!(events.iter().any(|event| event.kind.as_str() == "webhook.attempt"));
        canonical::projection(&events)
    };
    assert_eq!(run(false, false), run(true, false));
    assert_eq!(run(false, false), run(false, true));
    let lines = run(false, false);
    assert!(lines.iter().all(|line| !line.contains("SM0") && !line.contains("fax")), "{lines:?}");
}

/// Creates a world with a message in each status, and one that was deleted while its app was being notified.
fn busy() -> Script {
    let mut script = Script::default();
    script.engine.record();
    let gone = create(&mut script, told("gone"));
    create(&mut script, told("delivered"));
    script.forward(5 * SECOND);
    script.command(DeleteMessage(gone)).expect("it was delivered");
    create(&mut script, told("sent"));
    script.forward(2 * SECOND);
    let service = Some("MG0123456789abcdef0123456789abcdef".into());
    create(&mut script, CreateMessage { from: None, messaging_service: service, media: 2, ..told("queued") });
    create(&mut script, CreateMessage { from: Some(Sender::Name("My Shop".into())), ..text("quiet") });
    script
}

#[test]
fn a_world_with_messages_can_be_exported_imported_and_replayed() {
    let mut script = busy();
    state::survives(&script.engine, script.now);
    let document = written(&script);
    let listed = document["world"]["messages"]["list"].as_array().expect("a list");
    assert_eq!((listed.len(), &document["world"]["messages"]["last"]), (4, &json!(5)));
    assert_eq!(listed[0]["owed"], json!(["sent", "delivered"]));
    assert_eq!(document["world"]["under_way"].as_array().map(Vec::len), Some(2), "no notice of the deleted one");
    script.load(State::of_json(&document, &[]).expect("a valid state"));
    script.expect_effects(&["tell message sent http://app/m"; 2]);
    let mut script = busy();
    replay::assert_reproduces(&mut script.engine, true);
}

#[test]
fn a_state_without_messages_does_not_mention_them() {
    assert_eq!(written(&Script::default())["world"].get("messages"), None);
}

#[test]
fn a_reset_reports_the_callbacks_of_messages_that_it_cancels() {
    let mut script = Script::default();
    create(&mut script, text("without a callback"));
    create(&mut script, told("queued"));
    assert_eq!(script.control(Reset { seed: None }).expect("it resets").count.effects, 1);
    create(&mut script, told("sent, and its notice is under way"));
    script.forward(SECOND);
    assert_eq!(script.control(Reset { seed: None }).expect("it resets").count.effects, 1);
}

#[test]
fn an_inconsistent_state_is_refused_with_its_place() {
    let refused = |change: fn(&mut Value)| {
        let mut document = written(&busy());
        change(&mut document["world"]);
        State::of_json(&document, &[]).expect_err("it is refused").to_string()
    };
    for (told, start) in [
        (
            refused(|world| world["messages"]["list"][0]["status"] = json!("sent")),
            "world.messages.list[0].status: is sent",
        ),
        (
            refused(|world| world["messages"]["list"][1]["status"] = json!("delivered")),
            "world.messages.list[1].status: ",
        ),
        (refused(|world| world["messages"]["list"][0]["owed"] = json!([])), "world.messages.list[0].owed: "),
        (
            refused(|world| world["messages"]["list"][0]["body"] = json!("x".repeat(1_601))),
            "world.messages.list[0].body: must have at most 1600 characters",
        ),
        (
            refused(|world| world["messages"]["list"][0]["media"] = json!(11)),
            "world.messages.list[0].media: must be at most 10",
        ),
        (refused(|world| world["messages"]["list"][3]["owed"] = json!(["queued"])), "world.messages.list[3].owed: "),
        (refused(|world| world["messages"]["list"][0]["to"] = json!("911")), "world.messages.list[0].to: "),
        (refused(|world| world["messages"]["list"][0]["sid"] = json!("FX1")), "world.messages.list[0].sid: "),
        (refused(|world| world["messages"]["list"][0]["ordinal"] = json!(3)), "world.messages: number 3 of the list"),
        (refused(|world| world["agenda"][0]["ordinal"] = json!(77)), "world.messages.list["),
        (
            refused(|world| {
                let alarm = json!({ "at": "2026-01-01T00:00:00Z", "ordinal": 77, "kind": "message" });
                world["agenda"].as_array_mut().expect("a list").push(alarm);
            }),
            "world.agenda: there is no message with the ordinal 77",
        ),
        (
            refused(|world| world["under_way"][0]["fax"] = json!("FX0123456789abcdef0123456789abcdef")),
            "world.under_way[0].fax: must be left out",
        ),
        (
            refused(|world| {
                let notice = world["under_way"][0].clone();
                world["messages"]["list"].as_array_mut().expect("a list").remove(0);
                world["under_way"] = json!([notice]);
            }),
            "world.messages.list[0].owed: ",
        ),
        (
            refused(|world| {
                let sid = "831455c6-574e-4d8b-b6ee-2418140bf4cd";
                world["under_way"][0]["intent"]["notify-of-message"]["message"] = json!(sid);
            }),
            "world.under_way[0].intent.notify-of-message.message: 831455c6",
        ),
    ] {
        assert!(told.starts_with(start), "{start}: {told}");
    }
}

/// Does something at random to a world with messages.
fn step(script: &mut Script, dice: &mut Dice) {
    match dice.roll(12) {
        0..=3 => drop(create(script, if dice.roll(3) == 0 { text("x") } else { told("x") })),
        4..=6 if script.is_asked() => match dice.roll(3) {
            0 => script.answer_ok(),
            1 => script.answer_failure(ExchangeFailure::ConnectionRefused),
            _ => script.answer_lost(),
        },
        7 => {
            let all: Vec<_> = script.engine.messages().map(|message| (message.sid, message.status)).collect();
            if let Some((sid, status)) = dice.pick(&all).copied() {
                assert_eq!(script.command(DeleteMessage(sid)).is_ok(), status.is_final(), "{sid} {status}");
            }
        }
        8 => script.control(TakeSnapshot("one".into())).expect("taken"),
        // There may be no snapshot yet.
        9 => drop(script.control(Restore("one".into()))),
        10 => {
            let document = written(script);
            script.load(State::of_json(&document, &[]).unwrap_or_else(|error| panic!("{error}: {document:#}")));
        }
        _ => script.forward(Duration::from_millis(dice.roll(4_000))),
    }
}

#[test]
fn whatever_happens_a_world_with_messages_can_be_exported_and_settles() {
    for seed in 0..50 {
        let (mut script, mut dice) = (Script::default(), Dice(seed));
        script.engine.record();
        for _ in 0..40 {
            step(&mut script, &mut dice);
            state::survives(&script.engine, script.now);
        }
        script.answer_late();
        timelines::to_rest(&mut script, "");
        assert!(script.engine.is_idle(), "seed {seed}");
        let is_done = |message: &Message| message.status.is_final() && message.owed.is_empty();
        assert!(script.engine.messages().all(is_done), "seed {seed}: each message is delivered, and its app notified");
        replay::assert_reproduces(&mut script.engine, seed % 8 == 0);
    }
}
