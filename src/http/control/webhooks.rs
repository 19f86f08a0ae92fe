//! The control API's calls to list the requests to an app, each with its journaled attempts, and to send one again.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::event;
use super::extract::{Addressed, Asked, JsonBody, bad_query};
use super::journal::{Start, parse_fax};
use super::lazy;
use super::problem::Problem;
use crate::dialect::{form, mask};
use crate::emulator::{Registry, World};
use crate::engine::event::EventKind;
use crate::engine::journal::{EventFilter, JOURNAL_EVENTS_MAX};
use crate::io::Replay;
use crate::model::sid::FaxSid;
use crate::model::webhook::{ExchangeRecord, Method, Purpose};
use crate::world::journal::JournalEvent;

/// The header that identifies a webhook: its value is the same in all attempts of the webhook, and in no other webhook
/// since the last reset.
const TOKEN_HEADER: &str = "i-twilio-idempotency-token";

/// Which webhooks to return.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WebhooksQuery {
    /// Only webhooks about this fax or call, by its SID.
    fax: Option<String>,
    /// Only webhooks with an attempt after this place in the journal; by default after the last reset.
    since: Option<u64>,
    /// Also webhooks before the last reset; not together with `since`.
    #[serde(default)]
    all: bool,
}

/// Changes to a webhook that is sent again.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReplayEdits {
    /// URL to send the webhook to, instead of the recorded one.
    url: Option<String>,
    /// `GET` or `POST`, instead of the recorded method.
    method: Option<String>,
    /// Parameters to set; null removes one.
    #[serde(default)]
    params: BTreeMap<String, Option<String>>,
}

/// A request to an app, with its attempts.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Webhook")]
pub(super) struct WebhookView {
    /// The idempotency token. Document fetches and the webhooks of SignalWire accounts have none; their id is the place
    /// of the first attempt in the journal.
    id: String,
    fax_sid: Option<String>,
    purpose: &'static str,
    method: &'static str,
    url: String,
    params: BTreeMap<String, String>,
    /// Whether any attempt succeeded.
    delivered: bool,
    attempts: Vec<Attempt>,
}

/// One attempt of a webhook.
#[derive(Serialize, JsonSchema)]
pub(super) struct Attempt {
    /// Place of the attempt in the journal.
    seq: u64,
    at: String,
    /// Whether the attempt is a replay that a tester asked for.
    replay: bool,
    /// Request, response, timing and failure.
    exchange: Value,
}

/// The webhooks of a world.
#[derive(Serialize, JsonSchema)]
pub(super) struct WebhookList {
    webhooks: Vec<WebhookView>,
    #[serde(flatten)]
    end: ListEnd,
}

/// The fields that follow the webhooks of a list.
#[derive(Serialize, JsonSchema)]
struct ListEnd {
    /// Place of the journal's newest event; pass it as the next `since`.
    last_seq: u64,
}

/// The attempts of one webhook, oldest first.
struct Webhook {
    id: String,
    fax: Option<FaxSid>,
    attempts: Vec<JournalEvent>,
}

pub(super) async fn list(Addressed(world): Addressed, Asked(query): Asked<WebhooksQuery>) -> Result<Response, Problem> {
    let fax = query.fax.as_deref().map(parse_fax).transpose()?;
    let start = Start::of(query.since, query.all).map_err(|error| bad_query(&error))?;
    let (webhooks, last_seq) = webhooks(&world, fax);
    let since = world.read_journal(|journal| start.seq(journal));
    let is_later = move |webhook: &Webhook| webhook.attempts.last().is_some_and(|event| event.seq > since);
    let webhooks = webhooks.into_iter().filter(is_later).filter_map(|webhook| webhook.view());
    Ok(lazy::list("webhooks", webhooks, &ListEnd { last_seq }))
}

pub(super) async fn show(Addressed(world): Addressed, Path(id): Path<String>) -> Result<Json<WebhookView>, Problem> {
    find(&world, &id)?.view().map(Json).ok_or_else(|| missing(&id))
}

pub(super) async fn replay(
    State(registry): State<Registry>,
    Addressed(world): Addressed,
    Path(id): Path<String>,
    JsonBody(edits): JsonBody<ReplayEdits>,
) -> Result<Json<Value>, Problem> {
    let webhook = find(&world, &id)?;
    // Without the account's token there is no key to sign with.
    if world.read(|engine| engine.account().auth_token.is_none()) {
        return Err(Problem::refused(&crate::model::refusal::Refusal::Unclaimed));
    }
    let first = webhook.attempts.first().and_then(JournalEvent::exchange).ok_or_else(|| missing(&id))?;
    // Exchanges include document fetches, which are not webhooks and can't be sent again.
    if !matches!(webhook.attempts.first().and_then(JournalEvent::engine_kind), Some(EventKind::WebhookAttempt { .. })) {
        return Err(Problem::new(409, "not-a-webhook", "a document's fetch can't be sent again; send the fax again"));
    }
    let record = registry.replay(&world, webhook.fax, &id, edited(first, &id, edits)?).await;
    Ok(Json(event::exchange(world.read(|engine| engine.account().dialect), &record)))
}

/// Returns the recorded request with the edits applied.
fn edited(record: &ExchangeRecord, id: &str, edits: ReplayEdits) -> Result<Replay, Problem> {
    let method = match edits.method.as_deref() {
        None => record.method,
        Some("GET") => Method::Get,
        Some("POST") => Method::Post,
        Some(other) => {
            return Err(Problem::new(422, "bad-field", format!("method: {other:?} is neither GET nor POST")));
        }
    };
    let mut params = record.params.clone();
    for (name, value) in edits.params {
        let at = params.iter().position(|(own, _)| *own == name);
        match (at, value) {
            (Some(at), Some(value)) => params[at].1 = value,
            (Some(at), None) => drop(params.remove(at)),
            (None, Some(value)) => params.push((name, value)),
            (None, None) => {
                return Err(Problem::new(
                    422,
                    "bad-field",
                    format!("params: there is no parameter {name:?} to remove"),
                ));
            }
        }
    }
    let url = edits.url.unwrap_or_else(|| address(record).to_owned());
    Ok(Replay { purpose: record.purpose, url, method, params, idempotency_token: id.to_owned() })
}

/// Returns the URL without the parameters that a GET carries in its query.
fn address(record: &ExchangeRecord) -> &str {
    match record.method {
        Method::Post => &record.url,
        Method::Get => {
            let query = form::added_query(&record.params);
            // A GET is recorded with its parameters in the query; a URL that doesn't end in them is used unchanged.
            record.url.strip_suffix(&query).map_or(&*record.url, |url| url.trim_end_matches(['?', '&']))
        }
    }
}

fn find(world: &World, id: &str) -> Result<Webhook, Problem> {
    // After a reset with the same seed, equal requests have equal tokens; the newest one counts.
    webhooks(world, None).0.into_iter().rev().find(|webhook| webhook.id == id).ok_or_else(|| missing(id))
}

fn missing(id: &str) -> Problem {
    let detail = format!("there is no webhook {id}, or it has been dropped from the journal; GET /webhooks lists them");
    Problem::new(404, "webhook-not-found", detail)
}

/// Groups a world's attempts into webhooks, in the order of their first attempts.
fn webhooks(world: &World, fax: Option<FaxSid>) -> (Vec<Webhook>, u64) {
    let filter = EventFilter::default();
    let (events, last_seq) =
        world.read_journal(|journal| (journal.events(&filter, JOURNAL_EVENTS_MAX), journal.last_seq()));
    (grouped(events).into_iter().filter(|webhook| fax.is_none() || webhook.fax == fax).collect(), last_seq)
}

fn grouped(events: Vec<JournalEvent>) -> Vec<Webhook> {
    let mut webhooks: Vec<Webhook> = Vec::new();
    let mut by_id: BTreeMap<String, usize> = BTreeMap::new();
    for event in events {
        let Some(record) = event.exchange() else {
            // After a reset with the same seed, tokens are reused for other webhooks.
            if matches!(event.engine_kind(), Some(EventKind::WorldReset { .. })) {
                by_id.clear();
            }
            continue;
        };
        let id = if let Some(EventKind::WebhookReplayed { of, .. }) = event.engine_kind() {
            of.to_string()
        } else {
            // Document fetches and SignalWire's webhooks have no token: each counts as a separate webhook, unless it
            // repeats a failed StatusCallback.
            let first = || tried_before(&webhooks, &event, record).unwrap_or_else(|| event.seq.to_string());
            token(record).map_or_else(first, ToOwned::to_owned)
        };
        let at = *by_id.entry(id.clone()).or_insert_with(|| {
            webhooks.push(Webhook { id, fax: event.fax(), attempts: Vec::new() });
            webhooks.len() - 1
        });
        webhooks[at].attempts.push(event);
    }
    webhooks
}

/// If this attempt, which has no token, repeats a failed StatusCallback, returns the id of that StatusCallback.
fn tried_before(webhooks: &[Webhook], event: &JournalEvent, record: &ExchangeRecord) -> Option<String> {
    if record.purpose != Purpose::StatusCallback {
        return None;
    }
    let of_fax = |webhook: &&Webhook| webhook.fax.is_some() && webhook.fax == event.fax();
    let mut of_fax = webhooks.iter().rev().filter(of_fax);
    // A fax's notices are sent one after the other, so only the latest can be repeated.
    let latest = of_fax.find(|webhook| {
        let attempt = webhook.attempts.last().and_then(JournalEvent::exchange);
        attempt.is_some_and(|record| record.purpose == Purpose::StatusCallback)
    })?;
    let attempt = latest.attempts.last()?.exchange()?;
    let is_repeated = attempt.failure.is_some() && attempt.url == record.url && is_same_status(attempt, record);
    is_repeated.then(|| latest.id.clone())
}

fn is_same_status(one: &ExchangeRecord, other: &ExchangeRecord) -> bool {
    let status = |record: &ExchangeRecord| {
        record.params.iter().find(|(name, _)| name == "FaxStatus").map(|(_, value)| value.clone())
    };
    status(one) == status(other)
}

fn token(record: &ExchangeRecord) -> Option<&str> {
    let header = record.request_headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(TOKEN_HEADER));
    header.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
}

impl Webhook {
    fn view(&self) -> Option<WebhookView> {
        let first = self.attempts.first()?.exchange()?;
        let attempts = self.attempts.iter().filter_map(|event| {
            Some(Attempt {
                seq: event.seq,
                at: event::moment(event.at()),
                replay: matches!(event.engine_kind(), Some(EventKind::WebhookReplayed { .. })),
                exchange: event::exchange(event.dialect, event.exchange()?),
            })
        });
        let delivered = |event: &JournalEvent| event.exchange().is_some_and(|record| record.failure.is_none());
        Some(WebhookView {
            id: self.id.clone(),
            fax_sid: self.fax.map(|sid| sid.to_string()),
            purpose: first.purpose.as_str(),
            method: first.method.as_str(),
            url: mask::passwords(&first.url).into_owned(),
            params: first
                .params
                .iter()
                .map(|(name, value)| (name.clone(), mask::passwords(value).into_owned()))
                .collect(),
            delivered: self.attempts.iter().any(delivered),
            attempts: attempts.collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::webhook::Delivery;

    fn record(method: Method, url: &str) -> ExchangeRecord {
        ExchangeRecord {
            purpose: Purpose::Action,
            method,
            url: url.to_owned(),
            params: vec![("FaxSid".to_owned(), "FX1".to_owned()), ("FaxStatus".to_owned(), "a?b".to_owned())],
            request_headers: Vec::new(),
            redirected_to: None,
            status: Some(200),
            response_headers: Vec::new(),
            response_body: String::new(),
            duration_ms: 1,
            failure: None,
            delivery: Delivery::FIRST,
        }
    }

    #[test]
    fn a_replayed_get_does_not_repeat_its_parameters() {
        for url in ["http://h/p", "http://h/p?x=1"] {
            let record = record(Method::Get, "");
            let record = ExchangeRecord { url: form::with_query(url, &record.params), ..record };
            assert_eq!(edited(&record, "id", ReplayEdits::default()).expect("a replay").url, url);
        }
    }

    #[test]
    fn edits_set_add_and_remove_parameters() {
        let edits = |text: &str| serde_json::from_str::<ReplayEdits>(text).expect("edits");
        let record = record(Method::Post, "http://h/p");
        let edits_all =
            edits(r#"{"url":"http://g/","method":"GET","params":{"FaxStatus":"failed","New":"1","FaxSid":null}}"#);
        let replay = edited(&record, "id", edits_all).expect("a replay");
        assert_eq!((replay.url.as_str(), replay.method), ("http://g/", Method::Get));
        let params = [("FaxStatus", "failed"), ("New", "1")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(replay.params, params);
        assert!(edited(&record, "id", edits(r#"{"params":{"Nothing":null}}"#)).is_err());
        assert!(edited(&record, "id", edits(r#"{"method":"PUT"}"#)).is_err());
    }
}
