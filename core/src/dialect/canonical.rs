//! The canonical projection of a journal and its hash. Both are the same for two runs with the same seed and inputs.
//!
//! The projection begins after the last reset, restore or load. Its lines are sorted by virtual time, fax, strand and
//! step. A strand is a group of events. In two strands, a fax's conversation and the notices about it, the events
//! always occur in the same order, and an event's step is its position in that order. In all other strands, the order
//! varies from run to run, so the step is 0. Therefore it doesn't matter which of two apps responded first. Faxes are
//! numbered (`#1`, `#2`) in the order of their events instead of named by SID, because the SIDs after a reset differ,
//! unless the reset names a seed. Real durations, ports, headers, bodies, error texts, absolute dates and clock moves
//! are left out.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::sentence;
use super::twilio::codes;
use crate::engine::event::{Event, EventKind};
use crate::engine::rule::RuleKind;
use crate::model::hex;
use crate::model::sid::FaxSid;
use crate::model::webhook::{ExchangeRecord, Purpose};
use crate::twiml::{Receive, Verb};

/// First letters of the SIDs of faxes, media and text messages: `FX`, `ME` and `SM`.
const SID_PREFIXES: [char; 3] = ['F', 'M', 'S'];
/// Hexadecimal digits in a SID.
const SID_DIGITS: usize = 32;

/// Returns the projection's lines for these events, which must be in the journal's order.
#[must_use]
pub fn projection(events: &[Arc<Event>]) -> Vec<String> {
    let is_reset = |event: &Arc<Event>| matches!(event.kind, EventKind::WorldReset { .. });
    // The same inputs must give the same hash after a reset as in a fresh world.
    let start = events.iter().rposition(is_reset).map_or(0, |reset| reset + 1);
    let told: Vec<_> = events[start..].iter().filter_map(|event| Some((event, line(event)?))).collect();
    // Times count from the first event, because the date of a run must not matter.
    let Some(origin) = told.iter().map(|(event, _)| event.at).min() else { return Vec::new() };
    let mut steps: BTreeMap<(Option<FaxSid>, Strand), u64> = BTreeMap::new();
    let mut by_fax: BTreeMap<Option<FaxSid>, Vec<Line>> = BTreeMap::new();
    for (event, (strand, text)) in told {
        let step = match strand {
            Strand::Conversation | Strand::Messages => {
                let step = steps.entry((event.fax, strand)).or_default();
                *step += 1;
                *step
            }
            // These events follow from events of both strands above, from different text messages, or from requests
            // that may be answered at any time, so their order varies from run to run.
            Strand::Alerts | Strand::Reports | Strand::Rules | Strand::TextMessages | Strand::SecondRequests => 0,
        };
        let text = without_sids(&text);
        by_fax.entry(event.fax).or_default().push(Line { at: event.at.since(origin), strand, step, text });
    }
    // A fax is identified by its events, since its SID may differ after a reset.
    let of_world = by_fax.remove(&None).unwrap_or_default();
    let mut faxes: Vec<Vec<Line>> = by_fax.into_values().collect();
    // Sorted in two passes: first the lines of each fax, then the faxes by all their lines. The second pass determines
    // the numbers of the faxes.
    faxes.iter_mut().for_each(|lines| lines.sort());
    faxes.sort();
    let numbered =
        faxes.into_iter().zip(1_u64..).flat_map(|(lines, number)| lines.into_iter().map(move |line| (number, line)));
    // The number 0 stands for events of the world itself.
    let mut lines: Vec<_> = of_world.into_iter().map(|line| (0, line)).chain(numbered).collect();
    lines.sort_by(|(fax, line), (other_fax, other)| {
        (line.at, fax, line.strand, line.step, &line.text).cmp(&(
            other.at,
            other_fax,
            other.strand,
            other.step,
            &other.text,
        ))
    });
    let show = |(fax, Line { at, step, text, .. }): &(u64, Line)| {
        let fax = if *fax == 0 { "-".to_owned() } else { format!("#{fax}") };
        format!("{} {fax} {step} {text}", at.as_micros())
    };
    lines.iter().map(show).collect()
}

/// One event of the projection. The lines of a fax are sorted by these fields, in this order.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    at: std::time::Duration,
    strand: Strand,
    step: u64,
    text: String,
}

/// Shortens the SID of each fax, medium and text message to its prefix, as in `FX#`.
fn without_sids(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(SID_PREFIXES) {
        let (before, sid) = rest.split_at(at);
        kept.push_str(before);
        let digits = sid[1..]
            .strip_prefix(['X', 'E', 'M'])
            .map_or(0, |tail| tail.bytes().take_while(u8::is_ascii_hexdigit).count());
        // Only a prefix followed by exactly 32 digits is a SID.
        let (own, after) = sid.split_at(if digits == SID_DIGITS { SID_DIGITS + 2 } else { 1 });
        kept.push_str(if own.len() > 1 { &own[..2] } else { own });
        if own.len() > 1 {
            kept.push('#');
        }
        rest = after;
    }
    kept + rest
}

/// Returns the SHA-256 of a projection in hexadecimal.
#[must_use]
pub fn hash(lines: &[String]) -> String {
    let digest = lines.iter().fold(Sha256::new(), |digest, line| digest.chain_update(line).chain_update("\n"));
    hex::encode(digest.finalize())
}

/// The strand to which an event belongs. The order of events is fixed only within the first two strands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Strand {
    /// Events of the fax itself: statuses, pages, its document, its TwiML.
    Conversation,
    /// Notices: webhooks to `action` and status callbacks.
    Messages,
    /// Monitor API alerts.
    Alerts,
    /// Webhooks to the Debugger URL.
    Reports,
    /// What a tester's rules and pedantic mode have done.
    Rules,
    /// Statuses and callbacks of text messages, which belong to no fax.
    TextMessages,
    /// Second requests for TwiML, which a rule or pedantic mode makes at the same time as the first ones.
    SecondRequests,
}

/// Returns an event's strand and line; `None` if it is not part of the projection.
fn line(event: &Event) -> Option<(Strand, String)> {
    let kind = &event.kind;
    let name = kind.as_str();
    let conversation = |text: String| Some((Strand::Conversation, format!("{name} {text}")));
    match kind {
        EventKind::FaxStatus { old, new, failure } => {
            let old = old.map_or("-", crate::model::fax::Status::as_str);
            conversation(format!("{old} {new} {}", failure.as_ref().map_or(0, |failure| codes::code(failure.fault))))
        }
        EventKind::FaxPage { page, pages, line_ms, .. } => conversation(format!("{page} {pages} {line_ms}")),
        EventKind::DocumentFetched { record, document } => {
            let document =
                document.as_ref().map_or_else(|_| "none".to_owned(), |(pages, bytes)| format!("{pages} {bytes}"));
            conversation(format!("{} {document}", exchange(record)))
        }
        EventKind::DocumentLoss(loss) => conversation(loss.to_string()),
        EventKind::WebhookAttempt { record } => {
            let is_second = record.delivery.number() > 1;
            let strand = match record.purpose {
                Purpose::FaxUrl | Purpose::FallbackUrl if is_second => Strand::SecondRequests,
                Purpose::MediaUrl | Purpose::FaxUrl | Purpose::FallbackUrl => Strand::Conversation,
                Purpose::StatusCallback if event.fax.is_none() => Strand::TextMessages,
                Purpose::Action | Purpose::StatusCallback => Strand::Messages,
                Purpose::Debugger => Strand::Reports,
            };
            Some((strand, format!("{name} {}", exchange(record))))
        }
        EventKind::TwimlExecuted { verb } => conversation(twiml(verb)),
        EventKind::CallAttempt { attempt, outcome, .. } => conversation(format!("{attempt} {outcome}")),
        EventKind::CallNotAnswered | EventKind::MediaEvicted => conversation(String::new()),
        EventKind::MessageStatus { message: _, old, new } => {
            let old = old.map_or("-", crate::model::message::MessageStatus::as_str);
            Some((Strand::TextMessages, format!("{name} {old} {new}")))
        }
        EventKind::CallerIdAdopted { number } => conversation(number.to_string()),
        EventKind::Alert(alert) => {
            Some((Strand::Alerts, format!("{name} {} {}", codes::code(alert.fault), alert.level.as_str())))
        }
        EventKind::RuleFired { id, rule, .. } => match rule.effect.kind() {
            // Clients call at any time, so the order of these events isn't fixed.
            RuleKind::Api | RuleKind::Media => None,
            RuleKind::Outcome | RuleKind::Line | RuleKind::Webhook => Some((Strand::Rules, format!("{name} {id}"))),
        },
        EventKind::PedanticActed { effect, webhook, call } => match effect.kind() {
            RuleKind::Api | RuleKind::Media => None,
            RuleKind::Outcome | RuleKind::Line | RuleKind::Webhook => {
                let what = sentence::of_pedantic(effect, webhook.as_ref(), call.as_deref());
                Some((Strand::Rules, format!("{name} {what}")))
            }
        },
        EventKind::MediaRefused { .. }
        | EventKind::MediaWarning { .. }
        | EventKind::AnswerDropped
        | EventKind::WebhookReplayed { .. }
        | EventKind::ClockMoved { .. }
        | EventKind::WorldBroken { .. }
        | EventKind::WorldReset { .. } => None,
    }
}

fn exchange(record: &ExchangeRecord) -> String {
    let params: Vec<String> = match record.purpose {
        // The payload contains error texts and received headers, which differ between runs.
        Purpose::Debugger => Vec::new(),
        Purpose::MediaUrl | Purpose::FaxUrl | Purpose::FallbackUrl | Purpose::Action | Purpose::StatusCallback => {
            record.params.iter().filter_map(param).collect()
        }
    };
    let status = record.status.map_or(0, |status| status);
    // Twilio's codes identify faults here, whatever the account's dialect.
    let code = record.failure.as_ref().map_or(0, |failure| codes::code(failure.fault()));
    let redirected_to = record.redirected_to.as_deref().map(without_port).unwrap_or_default();
    let (purpose, url) = (record.purpose.as_str(), without_port(&record.url));
    format!("{purpose} {} {url} {params:?} {status} {code} {redirected_to}", record.method)
}

fn param((name, value): &(String, String)) -> Option<String> {
    match name.as_str() {
        "ErrorMessage" => None,
        // The query of a stored document's URL contains its date and signature.
        "MediaUrl" => Some(format!("{name}={}", without_port(value.split('?').next().unwrap_or_default()))),
        _ => Some(format!("{name}={}", without_port(value))),
    }
}

fn twiml(verb: &Verb) -> String {
    match verb {
        Verb::Receive(Receive { action, method, media_type, page_size, store_media }) => {
            let action = action.as_deref().map(without_port).unwrap_or_default();
            format!("{} {action} {method} {media_type} {page_size} {store_media}", verb.name())
        }
        Verb::Reject => verb.name().to_owned(),
    }
}

/// Removes the port if the string is a URL.
fn without_port(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let digits = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    format!("{scheme}://{}{path}", digits.map_or(host, |(name, _)| name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::event::ResetCount;
    use crate::engine::event::ResetTo;
    use crate::model::fax::Status;
    use crate::model::time::Timestamp;
    use crate::model::webhook::{Delivery, Method};

    fn event(seq: u64, seconds: i64, fax: u8, kind: EventKind) -> Arc<Event> {
        let fax = Some(FaxSid::from_bytes([fax; 16]));
        Arc::new(Event { seq, at: Timestamp::from_seconds(seconds), fax, kind })
    }

    fn status(new: Status) -> EventKind {
        EventKind::FaxStatus { old: None, new, failure: None }
    }

    fn told(port: u16, duration_ms: u64, body: &str) -> EventKind {
        let record = ExchangeRecord {
            purpose: Purpose::StatusCallback,
            method: Method::Post,
            url: format!("http://[::1]:{port}/status?a=b:1"),
            params: vec![("MediaUrl".to_owned(), format!("http://localhost:{port}/fax/1?X-Amz-Date={duration_ms}"))],
            request_headers: Vec::new(),
            redirected_to: None,
            status: Some(200),
            response_headers: vec![("date".to_owned(), duration_ms.to_string())],
            response_body: body.to_owned(),
            duration_ms,
            failure: None,
            delivery: Delivery::FIRST,
        };
        EventKind::WebhookAttempt { record: Arc::new(record) }
    }

    #[test]
    fn response_order_speed_and_ports_do_not_matter() {
        let one =
            [event(1, 5, 1, status(Status::Queued)), event(2, 5, 1, told(1, 1, "x")), event(3, 5, 2, told(1, 2, ""))];
        let other =
            [event(1, 9, 2, told(7, 9, "")), event(2, 9, 1, told(7, 8, "")), event(3, 9, 1, status(Status::Queued))];
        assert_eq!(projection(&one), projection(&other));
        assert!(projection(&one)[1].contains("http://[::1]/status?a=b:1"), "{:?}", projection(&one));
    }

    #[test]
    fn the_order_within_a_strand_and_the_time_matter() {
        let (queued, busy) = (status(Status::Queued), status(Status::Busy));
        let right = projection(&[event(1, 5, 1, queued.clone()), event(2, 5, 1, busy.clone())]);
        let wrong = projection(&[event(1, 5, 1, busy.clone()), event(2, 5, 1, queued.clone())]);
        let late = projection(&[event(1, 5, 1, queued), event(2, 6, 1, busy)]);
        assert_ne!(right, wrong);
        assert_ne!(right, late);
        assert_ne!(hash(&right), hash(&late));
    }

    #[test]
    fn sids_do_not_affect_the_projection() {
        let run = |one: u8, other: u8| {
            let about = |fax: u8| {
                let EventKind::WebhookAttempt { record } = told(1, 1, "") else { panic!("not a webhook attempt") };
                let mut record = ExchangeRecord::clone(&record);
                record.params.push(("FaxSid".to_owned(), FaxSid::from_bytes([fax; 16]).to_string()));
                EventKind::WebhookAttempt { record: Arc::new(record) }
            };
            [
                event(1, 5, one, status(Status::Queued)),
                event(2, 5, other, status(Status::Busy)),
                event(3, 6, one, about(one)),
                event(4, 7, other, about(other)),
            ]
        };
        assert_eq!(projection(&run(1, 2)), projection(&run(9, 3)));
        assert!(projection(&run(1, 2)).iter().any(|line| line.contains("FaxSid=FX#")), "{:?}", projection(&run(1, 2)));
        assert_ne!(projection(&run(1, 1)), projection(&run(1, 2)), "one fax must differ from two");
    }

    #[test]
    fn only_whole_sids_are_shortened() {
        let sid = FaxSid::from_bytes([0xab; 16]);
        assert_eq!(
            without_sids(&format!("a {sid} MExx F {sid}0 /fax/{sid}/x")),
            format!("a FX# MExx F {sid}0 /fax/FX#/x")
        );
        assert_eq!(without_sids(""), "");
    }

    #[test]
    fn events_before_the_last_reset_are_omitted() {
        let reset = EventKind::WorldReset { count: ResetCount::default(), to: ResetTo::Start };
        let before = event(1, 1, 1, status(Status::Busy));
        let after = event(3, 9, 1, status(Status::Queued));
        let whole = projection(&[before, event(2, 5, 1, reset), Arc::clone(&after)]);
        assert_eq!(whole, projection(&[after]));
        assert_eq!(projection(&[]), Vec::<String>::new());
    }
}
