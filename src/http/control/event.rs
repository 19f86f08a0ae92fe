//! Journal events as JSON. Passwords in URLs are masked here; `request.rs` masks the other secrets in clients'
//! requests. The secret headers of requests to apps are masked before they are journaled.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::masked::{pairs, without_passwords};
use super::request;
use crate::dialect::advice::{self, Advice};
use crate::dialect::{date, rule, sentence};
use crate::engine::event::{Alert, EventKind, RuledWebhook};
use crate::engine::rule::RuleEffect;
use crate::model::account::Dialect;
use crate::model::message::MessageStatus;
use crate::model::page::{PageLoss, PageText};
use crate::model::time::Timestamp;
use crate::model::webhook::ExchangeRecord;
use crate::twiml::{Receive, Verb};
use crate::world::journal::{self, Entry, JournalEvent};

/// An event of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Event")]
pub struct EventView {
    /// Place in the journal, always one higher than that of the previous event, even after a reset.
    pub seq: u64,
    /// Time of the event, by the world's clock.
    pub at: String,
    /// The kind of event, such as `fax.status`.
    pub kind: &'static str,
    /// SID of the fax or call that the event is about; null if it is about neither.
    pub fax_sid: Option<String>,
    /// Details, whose fields depend on the kind.
    pub data: Value,
}

impl EventView {
    /// Returns the view of an event.
    #[must_use]
    pub fn of(event: &JournalEvent) -> Self {
        Self {
            seq: event.seq,
            at: moment(event.at()),
            kind: event.kind(),
            fax_sid: event.fax().map(|sid| sid.to_string()),
            data: without_passwords(data(event.dialect, &event.entry)),
        }
    }
}

/// Lists the kinds of events.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    journal::kinds()
}

/// Returns an event as a JSON object.
pub fn json(event: &JournalEvent) -> Value {
    json!(EventView::of(event))
}

/// Formats a moment with microseconds: `2026-01-02T03:04:05.000006Z`.
pub fn moment(at: Timestamp) -> String {
    let seconds = date::iso(at);
    // The Euclidean remainder isn't negative even for a moment before 1970.
    format!("{}.{:06}Z", seconds.trim_end_matches('Z'), at.micros().rem_euclid(1_000_000))
}

/// Returns one exchange with an app as JSON: request, response and redirects.
pub fn exchange(dialect: Dialect, record: &ExchangeRecord) -> Value {
    without_passwords(exchange_in_full(dialect, record))
}

fn exchange_in_full(dialect: Dialect, record: &ExchangeRecord) -> Value {
    json!({
        "purpose": record.purpose.as_str(),
        "method": record.method.as_str(),
        "url": record.url,
        "params": pairs(&record.params),
        "request_headers": pairs(&record.request_headers),
        "redirected_to": record.redirected_to,
        "status": record.status,
        "response_headers": pairs(&record.response_headers),
        "body": record.response_body,
        "duration_ms": record.duration_ms,
        "error": record.failure.as_ref().map(|failure| json!({ "code": dialect.code(failure.fault()), "message": failure.to_string() })),
        "attempt": record.delivery.attempt,
        "delivery": record.delivery.number(),
        "rule_id": record.delivery.rule(),
        "held_ms": record.delivery.held_ms(),
        "pedantic": record.delivery.is_pedantic(),
        "note": sentence::of_delivery(&record.delivery),
    })
}

fn data(dialect: Dialect, entry: &Entry) -> Value {
    match entry {
        Entry::Engine(event) => data_of_engine(dialect, &event.kind),
        Entry::Request(request) => request::data(dialect, request),
    }
}

/// Adds the text of a page, and whether pictures cover most of it.
fn with_text(mut data: Value, text: Option<&PageText>) -> Value {
    data["text"] = json!(text.map(|text| &*text.content));
    if text.is_some_and(|text| text.has_pictures) {
        data["pictures"] = json!(true);
    }
    data
}

fn data_of_engine(dialect: Dialect, kind: &EventKind) -> Value {
    match kind {
        EventKind::FaxStatus { old, new, failure } => json!({
            "old": old.map(crate::model::fax::Status::as_str),
            "new": new.as_str(),
            "error_code": failure.as_ref().and_then(|failure| dialect.failure_code(failure)),
            "error_message": failure.as_ref().and_then(|failure| dialect.failure_text(failure)),
        }),
        EventKind::FaxPage { page, pages, line, bits, line_ms, text } => with_text(
            json!({
                "page": page,
                "pages": pages,
                "rate_bps": line.rate_bps,
                "coding": line.coding.as_str(),
                "ecm": line.has_error_correction(),
                "bits": bits,
                "line_seconds": std::time::Duration::from_millis(*line_ms).as_secs_f64(),
            }),
            text.as_ref(),
        ),
        EventKind::DocumentFetched { record, document } => {
            let mut data = exchange_in_full(dialect, record);
            match document {
                Ok((pages, bytes)) => data["document"] = json!({ "pages": pages, "bytes": bytes }),
                Err(reason) => data["reason"] = json!(reason),
            }
            data
        }
        EventKind::DocumentLoss(PageLoss { page, what }) => json!({ "page": page, "what": what }),
        EventKind::WebhookAttempt { record } => exchange_in_full(dialect, record),
        EventKind::WebhookReplayed { of, record } => {
            let mut data = exchange_in_full(dialect, record);
            data["webhook"] = json!(of);
            data["note"] = json!("sent again at a tester's request");
            data
        }
        EventKind::TwimlExecuted { verb } => twiml(verb),
        EventKind::Alert(alert) => alert_data(dialect, alert),
        EventKind::MessageStatus { message, old, new } => json!({
            "message_sid": message.to_string(),
            "old": old.map(MessageStatus::as_str),
            "new": new.as_str(),
        }),
        EventKind::CallerIdAdopted { number } => json!({ "phone_number": number.to_string() }),
        EventKind::MediaRefused { status, fault, detail } => {
            json!({ "status": status, "reason": fault.as_str(), "detail": detail })
        }
        EventKind::MediaWarning { fault, detail } => json!({ "reason": fault.as_str(), "detail": detail }),
        EventKind::CallAttempt { attempt, outcome, retry_at, rule } => json!({
            "attempt": attempt,
            "outcome": outcome.as_str(),
            "retry_at": retry_at.map(moment),
            "rule_id": rule,
            "what": sentence::of_call(*outcome, *retry_at, *rule),
        }),
        EventKind::CallNotAnswered | EventKind::MediaEvicted | EventKind::AnswerDropped => json!({}),
        EventKind::RuleFired { id, rule, webhook } => rule_fired(*id, &rule.effect, webhook.as_ref()),
        EventKind::PedanticActed { effect, webhook, call } => pedantic_acted(effect, webhook.as_ref(), call.as_deref()),
        EventKind::ClockMoved { from, frozen } => json!({ "from": moment(*from), "frozen": frozen }),
        EventKind::WorldBroken { why, inputs, seed } => json!({ "why": why, "inputs": inputs, "seed": seed }),
        EventKind::WorldReset { count, to } => json!({
            "faxes": count.faxes,
            "pending": count.pending,
            "webhooks": count.effects,
            "to": to.as_str(),
            "snapshot": to.snapshot(),
        }),
    }
}

fn rule_fired(id: u64, effect: &RuleEffect, webhook: Option<&RuledWebhook>) -> Value {
    let mut data = acted(effect, &sentence::of_rule(id, effect, webhook), webhook);
    data["rule_id"] = json!(id);
    data
}

fn pedantic_acted(effect: &RuleEffect, webhook: Option<&RuledWebhook>, call: Option<&str>) -> Value {
    let mut data = acted(effect, &sentence::of_pedantic(effect, webhook, call), webhook);
    if let Some(call) = call {
        data["call"] = json!(call);
    }
    data
}

/// Returns the effect of a rule that acted, either a tester's or one of pedantic mode, and the webhook that it acted
/// on.
fn acted(effect: &RuleEffect, what: &str, webhook: Option<&RuledWebhook>) -> Value {
    let kind = effect.kind().as_str();
    let mut data = json!({ "kind": kind, "what": what, kind: rule::json_of_effect(effect) });
    if let Some(RuledWebhook { purpose, status }) = webhook {
        data["purpose"] = json!(purpose.as_str());
        data["status"] = json!(status.map(crate::model::fax::Status::as_str));
    }
    data
}

fn alert_data(dialect: Dialect, alert: &Alert) -> Value {
    let Advice { cause, remedy } = advice::of_alert(alert, dialect);
    json!({
        "sid": alert.sid.to_string(),
        "code": dialect.code(alert.fault),
        "level": alert.level.as_str(),
        "message": alert.message,
        "cause": cause,
        "advice": remedy,
        "more_info": dialect.more_info(dialect.code(alert.fault)),
        "request_url": alert.record.as_ref().map(|record| &record.url),
    })
}

fn twiml(verb: &Verb) -> Value {
    match verb {
        Verb::Receive(Receive { action, method, media_type, page_size, store_media }) => json!({
            "verb": verb.name(),
            "action": action,
            "method": method.as_str(),
            "mediaType": media_type.as_str(),
            "pageSize": page_size.as_str(),
            "storeMedia": store_media,
        }),
        Verb::Reject => json!({ "verb": verb.name() }),
    }
}
