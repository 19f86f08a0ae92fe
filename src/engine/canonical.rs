//! The canonical projection of a journal: what two runs with the same seed and inputs must have in common, and its hash.
//!
//! It begins after the last reset. Lines are sorted by virtual time, fax, strand and step; a strand is what happens to
//! one fax in one order (its conversation, its messages), so that it doesn't matter which of two apps answered first.
//! Real durations, ports, headers, bodies, texts of errors and absolute dates are left out, as are the calls that asked
//! for something and the moves of the clock. It reads a journal and changes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::journal::{Event, EventKind};
use super::rule::RuleKind;
use crate::model::sid::FaxSid;
use crate::model::webhook::{ExchangeRecord, Purpose};
use crate::twiml::{Receive, Verb};

/// The projection of these events, which come in the order of the journal.
#[must_use]
pub fn projection(events: &[Arc<Event>]) -> Vec<String> {
    let is_reset = |event: &Arc<Event>| matches!(event.kind, EventKind::WorldReset { .. });
    let start = events.iter().rposition(is_reset).map_or(0, |reset| reset + 1);
    let told: Vec<_> = events[start..].iter().filter_map(|event| Some((event, line(&event.kind)?))).collect();
    let Some(origin) = told.iter().map(|(event, _)| event.at).min() else { return Vec::new() };
    let mut steps: BTreeMap<(Option<FaxSid>, Strand), u64> = BTreeMap::new();
    let mut lines: Vec<_> = told
        .into_iter()
        .map(|(event, (strand, text))| {
            let step = match strand {
                Strand::Conversation | Strand::Messages => {
                    let step = steps.entry((event.fax, strand)).or_default();
                    *step += 1;
                    *step
                }
                // Raised by either of the others, in an order that is luck.
                Strand::Alerts | Strand::Reports | Strand::Rules => 0,
            };
            (event.at.since(origin), event.fax, strand, step, text)
        })
        .collect();
    lines.sort();
    let show = |(at, fax, _, step, text): &(std::time::Duration, Option<FaxSid>, Strand, u64, String)| {
        let fax = fax.map_or_else(|| "-".to_owned(), |fax| fax.to_string());
        format!("{} {fax} {step} {text}", at.as_micros())
    };
    lines.iter().map(show).collect()
}

/// The hash of a projection, in hexadecimal digits.
#[must_use]
pub fn hash(lines: &[String]) -> String {
    let digest = lines.iter().fold(Sha256::new(), |digest, line| digest.chain_update(line).chain_update("\n"));
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What happens to a fax in one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Strand {
    /// Statuses, pages, its document, its TwiML.
    Conversation,
    /// Actions and status callbacks.
    Messages,
    /// Alerts.
    Alerts,
    /// What the Debugger webhook is told.
    Reports,
    /// What a tester's rules did.
    Rules,
}

/// The strand and the text of an event; none of one that is no part of the projection.
fn line(kind: &EventKind) -> Option<(Strand, String)> {
    let name = kind.as_str();
    let conversation = |text: String| Some((Strand::Conversation, format!("{name} {text}")));
    match kind {
        EventKind::FaxStatus { old, new, error } => {
            let old = old.map_or("-", crate::model::fax::Status::as_str);
            conversation(format!("{old} {new} {}", error.as_ref().map_or(0, |(code, _)| *code)))
        }
        EventKind::FaxPage { page, pages, line_ms, .. } => conversation(format!("{page} {pages} {line_ms}")),
        EventKind::DocumentFetched { record, document } => {
            let document =
                document.as_ref().map_or_else(|_| "none".to_owned(), |(pages, bytes)| format!("{pages} {bytes}"));
            conversation(format!("{} {document}", exchange(record)))
        }
        EventKind::WebhookAttempt { record } => {
            let strand = match record.purpose {
                Purpose::MediaUrl | Purpose::FaxUrl | Purpose::FallbackUrl => Strand::Conversation,
                Purpose::Action | Purpose::StatusCallback => Strand::Messages,
                Purpose::Debugger => Strand::Reports,
            };
            Some((strand, format!("{name} {}", exchange(record))))
        }
        EventKind::TwimlExecuted { verb } => conversation(twiml(verb)),
        EventKind::CallNotAnswered | EventKind::MediaEvicted => conversation(String::new()),
        EventKind::CallerIdAdopted { number } => conversation(number.to_string()),
        EventKind::Alert(alert) => Some((Strand::Alerts, format!("{name} {} {}", alert.code, alert.level.as_str()))),
        EventKind::RuleFired { id, rule } => match rule.effect.kind() {
            RuleKind::Api => None,
            RuleKind::Outcome | RuleKind::Line | RuleKind::Webhook => Some((Strand::Rules, format!("{name} {id}"))),
        },
        EventKind::ApiRequest { .. }
        | EventKind::MediaRefused { .. }
        | EventKind::MediaWarning { .. }
        | EventKind::AnswerDropped
        | EventKind::WebhookReplayed { .. }
        | EventKind::ClockMoved { .. }
        | EventKind::WorldReset { .. } => None,
    }
}

fn exchange(record: &ExchangeRecord) -> String {
    let params: Vec<String> = match record.purpose {
        // The payload has the texts of errors and the headers that came.
        Purpose::Debugger => Vec::new(),
        Purpose::MediaUrl | Purpose::FaxUrl | Purpose::FallbackUrl | Purpose::Action | Purpose::StatusCallback => {
            record.params.iter().filter_map(param).collect()
        }
    };
    let status = record.status.map_or(0, |status| status);
    let code = record.failure.as_ref().map_or(0, crate::model::webhook::ExchangeFailure::code);
    let redirected_to = record.redirected_to.as_deref().map(without_port).unwrap_or_default();
    let (purpose, url) = (record.purpose.as_str(), without_port(&record.url));
    format!("{purpose} {} {url} {params:?} {status} {code} {redirected_to}", record.method)
}

fn param((name, value): &(String, String)) -> Option<String> {
    match name.as_str() {
        "ErrorMessage" => None,
        // A stored document's URL is signed for its date.
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

/// The text; where it is an address, without its port.
fn without_port(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let digits = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    format!("{scheme}://{}{path}", digits.map_or(host, |(name, _)| name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::input::ResetCount;
    use crate::engine::journal::WayBack;
    use crate::model::fax::Status;
    use crate::model::time::Timestamp;
    use crate::model::webhook::Method;

    fn event(seq: u64, seconds: i64, fax: u8, kind: EventKind) -> Arc<Event> {
        let fax = Some(FaxSid::from_bytes([fax; 16]));
        Arc::new(Event { seq, at: Timestamp::from_seconds(seconds), fax, kind })
    }

    fn status(new: Status) -> EventKind {
        EventKind::FaxStatus { old: None, new, error: None }
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
        };
        EventKind::WebhookAttempt { record: Arc::new(record) }
    }

    #[test]
    fn which_app_answered_first_how_fast_and_on_which_port_does_not_matter() {
        let one =
            [event(1, 5, 1, status(Status::Queued)), event(2, 5, 1, told(1, 1, "x")), event(3, 5, 2, told(1, 2, ""))];
        let other =
            [event(1, 9, 2, told(7, 9, "")), event(2, 9, 1, told(7, 8, "")), event(3, 9, 1, status(Status::Queued))];
        assert_eq!(projection(&one), projection(&other));
        assert!(projection(&one)[1].contains("http://[::1]/status?a=b:1"), "{:?}", projection(&one));
    }

    #[test]
    fn the_order_within_a_strand_and_the_time_do_matter() {
        let (queued, busy) = (status(Status::Queued), status(Status::Busy));
        let right = projection(&[event(1, 5, 1, queued.clone()), event(2, 5, 1, busy.clone())]);
        let wrong = projection(&[event(1, 5, 1, busy.clone()), event(2, 5, 1, queued.clone())]);
        let late = projection(&[event(1, 5, 1, queued), event(2, 6, 1, busy)]);
        assert_ne!(right, wrong);
        assert_ne!(right, late);
        assert_ne!(hash(&right), hash(&late));
    }

    #[test]
    fn what_was_before_the_last_reset_is_forgotten() {
        let reset = EventKind::WorldReset { count: ResetCount::default(), to: WayBack::Start };
        let before = event(1, 1, 1, status(Status::Busy));
        let after = event(3, 9, 1, status(Status::Queued));
        let whole = projection(&[before, event(2, 5, 1, reset), Arc::clone(&after)]);
        assert_eq!(whole, projection(&[after]));
        assert_eq!(projection(&[]), Vec::<String>::new());
    }
}
