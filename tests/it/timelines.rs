//! Compares whole conversations, written as text that a person can judge, with snapshots. Ids and times are not masked,
//! since the seed and the script determine them.

use std::fmt::Write;
use std::time::Duration;

use fauxfax::dialect::sentence;
use fauxfax::dialect::twilio::codes::code as code_of;
use fauxfax::engine::effect::Intent;
use fauxfax::engine::event::{Event, EventKind};
use fauxfax::engine::input::CreateFax;
use fauxfax::model::phone::PhoneNumber;
use fauxfax::model::webhook::ExchangeFailure;

use crate::script::{FAR, OWN, START, Script, call, order};

const HOUR: Duration = Duration::from_secs(3_600);

/// Formats one line per event: seconds since the start, the first digits of the fax's SID, and what happened.
fn timeline(script: &Script) -> String {
    let mut text = String::new();
    for event in script.events(None) {
        let seconds = event.at.since(START).as_secs_f64();
        let fax = event.fax.map(|sid| sid.to_string()).unwrap_or_default();
        let _ = writeln!(text, "{seconds:>8.1}  {:6}  {}", fax.get(..6).unwrap_or_default(), happened(&event));
    }
    text
}

/// Describes an event without its time and fax.
fn happened(event: &Event) -> String {
    match &event.kind {
        EventKind::FaxStatus { old, new, failure } => {
            let old = old.map(|old| format!("{old} → ")).unwrap_or_default();
            let error = failure.as_ref().map(|failure| format!("  {} {}", code_of(failure.fault), failure.text()));
            let error = error.unwrap_or_default();
            format!("fax.status      {old}{new}{error}")
        }
        EventKind::FaxPage { page, pages, .. } => format!("fax.page        {page} of {pages}"),
        EventKind::DocumentFetched { document, .. } => format!("document        {document:?}"),
        EventKind::DocumentLoss(loss) => format!("document.loss   {loss}"),
        EventKind::WebhookAttempt { record } => {
            let end = record.failure.as_ref().map_or_else(|| "ok".to_owned(), ToString::to_string);
            let note = sentence::of_delivery(&record.delivery).map(|note| format!("  ({note})")).unwrap_or_default();
            format!("webhook         {} {}: {end}{note}", record.purpose.as_str(), record.url)
        }
        EventKind::TwimlExecuted { verb } => format!("twiml           <{}>", verb.name()),
        EventKind::Alert(alert) => format!("alert           {} {}", code_of(alert.fault), alert.message),
        EventKind::CallAttempt { attempt, outcome, retry_at, rule } => {
            format!("call.attempt    {attempt}: {}", sentence::of_call(*outcome, *retry_at, *rule))
        }
        EventKind::CallNotAnswered
        | EventKind::CallerIdAdopted { .. }
        | EventKind::MessageStatus { .. }
        | EventKind::MediaEvicted
        | EventKind::MediaRefused { .. }
        | EventKind::MediaWarning { .. }
        | EventKind::AnswerDropped
        | EventKind::RuleFired { .. }
        | EventKind::PedanticActed { .. }
        | EventKind::ClockMoved { .. }
        | EventKind::WebhookReplayed { .. }
        | EventKind::WorldBroken { .. }
        | EventKind::WorldReset { .. } => event.kind.as_str().to_owned(),
    }
}

/// Completes every effect as a well-behaved app would, until nothing is under way and no deadline is left.
pub(crate) fn to_rest(script: &mut Script, twiml: &str) {
    while script.engine.next_work().is_some() || script.is_asked() {
        while script.is_asked() {
            match *script.first_effect().intent {
                Intent::FetchDocument { .. } | Intent::Render(_) => script.answer_document(2),
                Intent::AskForTwiml(_) => script.answer_twiml(twiml, &[]),
                Intent::Deliver(_) | Intent::NotifyOfMessage(_) | Intent::Report(_) => script.answer_ok(),
            }
        }
        script.forward_to_next();
    }
}

/// Sends a fax to a number, and returns the timeline. `twiml` is the response of an app that receives the fax.
fn sent(to: PhoneNumber, ttl_minutes: Option<u32>, twiml: &str) -> String {
    let mut script = Script::default();
    let callback = Some("http://app/status".into());
    script.send(CreateFax { ttl_minutes, status_callback: callback, ..order(to) });
    to_rest(&mut script, twiml);
    timeline(&script)
}

#[test]
fn a_fax_is_sent() {
    insta::assert_snapshot!(sent(FAR, None, ""));
}

#[test]
fn a_number_that_is_busy_twice_is_called_until_it_connects() {
    insta::assert_snapshot!(sent(PhoneNumber::from_digits(15_005_550_107), None, ""));
}

#[test]
fn a_transmission_breaks_after_a_page() {
    insta::assert_snapshot!(sent(PhoneNumber::from_digits(15_005_550_104), None, ""));
}

#[test]
fn a_fax_to_a_number_of_the_same_world_rings_there() {
    insta::assert_snapshot!(sent(OWN, None, "<Response><Receive action=\"/done\"/></Response>"));
}

#[test]
fn a_number_of_the_same_world_that_rejects_is_busy() {
    insta::assert_snapshot!(sent(OWN, None, "<Response><Reject/></Response>"));
}

#[test]
fn a_fax_is_received() {
    let mut script = Script::default();
    script.receive(call(2));
    to_rest(&mut script, "<Response><Say/><Receive action=\"done?x=1\" storeMedia=\"false\"/></Response>");
    insta::assert_snapshot!(timeline(&script));
}

#[test]
fn an_app_that_cannot_be_reached_gets_no_fax() {
    let mut script = Script::default();
    script.receive(call(1));
    script.answer_no_twiml(ExchangeFailure::ConnectionRefused);
    script.forward(Duration::ZERO);
    script.answer_no_twiml(ExchangeFailure::ConnectionRefused);
    script.forward(HOUR);
    insta::assert_snapshot!(timeline(&script));
}
