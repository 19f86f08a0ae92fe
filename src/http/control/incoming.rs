//! `POST /incoming-faxes`: a fax machine calls one of the world's numbers. Turns the tester's fields and document into
//! a call and, on request, waits for the end of the conversation.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::clock::timeout;
use super::event::{self, EventView};
use super::extract::{Addressed, Asked};
use super::problem::Problem;
use super::upload::{self, DetailedOutcome, Fields, Outcome, Upload};
use crate::clock::ClockMode;
use crate::dialect::incoming::{IncomingFailure, IncomingFax};
use crate::dialect::resource;
use crate::dialect::twiml_bin::bin_url;
use crate::dialect::view::View;
use crate::document::sample;
use crate::emulator::{Registry, World};
use crate::engine::CallOutcome;
use crate::engine::event::EventKind;
use crate::engine::input::{DocumentFault, ReceiveFax, Ringing};
use crate::engine::journal::{EventFilter, JOURNAL_EVENTS_MAX};
use crate::http::origin;
use crate::io::budget::Hold;
use crate::model::account::Dialect;
use crate::model::fax::Quality;
use crate::model::media::Document;
use crate::model::sid::FaxSid;

/// The number of test pages if `pages` is not given.
const PAGES_DEFAULT: u32 = 1;

/// Whether and how long to wait for the end of the conversation.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReceiveQuery {
    wait: Option<bool>,
    /// Seconds to wait at most; 30 by default.
    timeout: Option<f64>,
}

/// A call that has begun.
#[derive(Serialize, JsonSchema)]
pub(super) struct Rung {
    /// The SID that the fax will have if the app takes the call.
    fax_sid: String,
    account_sid: String,
    from: String,
    to: String,
    /// Place in the journal just before the call.
    seq: u64,
}

/// A conversation that has settled.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Conversation")]
pub(super) struct ConversationView {
    fax_sid: String,
    /// The REST resource; null if the call never became a fax, or the fax has been deleted.
    fax: Option<Value>,
    /// `received`, `failed`, `rejected` or `not-answered`.
    outcome: &'static str,
    events: Vec<EventView>,
    /// The requests to the app, oldest first.
    webhooks: Vec<Value>,
    /// Place in the journal just before the call.
    seq: u64,
}

pub(super) async fn receive(State(registry): State<Registry>, request: Request) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let Addressed(world) = Addressed::from_request_parts(&mut parts, &registry).await?;
    let Asked(wait): Asked<ReceiveQuery> = Asked::from_request_parts(&mut parts, &registry).await?;
    let patience = timeout(wait.timeout)?;
    let waits = wait.wait.unwrap_or(false);
    // On a frozen clock the wait could only time out, so the call is refused before the upload is read.
    if waits && world.clock_mode() == ClockMode::Frozen {
        let detail =
            "the clock is frozen, so the fax would never end: leave out wait=true, then advance or drain the clock";
        return Err(Problem::new(409, "clock-frozen", detail));
    }
    let upload = upload::read(&parts, body, registry.budget()).await?;
    let (order, twiml) = order(&registry, &world, &parts, upload).await?;
    // Read before the call, so that the conversation includes all of its events.
    let seq = world.read_journal(|journal| journal.last_seq());
    let call = match twiml {
        Some(twiml) => {
            let own = origin(&parts, registry.settings().public_url.as_ref());
            world.receive_with(twiml, |bin| bin_url(&own, bin), order)?
        }
        None => world.handle(order)?,
    };
    tracing::info!(fax.sid = %call.sid, "fax machine {} calls {}: {}", call.from, call.to, call.sid);
    if !waits {
        return Ok((StatusCode::ACCEPTED, Json(ringing(&world, &call, seq))).into_response());
    }
    let ended = tokio::select! {
        ended = tokio::time::timeout(patience, world.ended(call.sid)) => ended,
        () = registry.stopping() => return Err(Problem::stopping()),
    };
    let Ok(ended) = ended else {
        let detail = format!("{} has not ended within {} s; it is still in progress", call.sid, patience.as_secs_f64());
        return Err(Problem::new(408, "not-settled", detail));
    };
    let ended = ended.ok_or_else(|| Problem::gone(&world))?;
    let outcome = ended.outcome().ok_or_else(|| gone(call.sid))?;
    Ok(Json(conversation(&registry, &world, &call, outcome, seq)).into_response())
}

/// Returns the error for a conversation that a reset has removed, or that never existed.
pub(super) fn gone(fax: FaxSid) -> Problem {
    let detail = format!("{fax} can no longer end: there is no such fax, or a reset or restore has removed it");
    Problem::new(409, "status-unreachable", detail)
}

/// Returns the call to make, and the TwiML to execute in place of the app's, if the tester named an action.
async fn order(
    registry: &Registry,
    world: &World,
    parts: &Parts,
    upload: Upload,
) -> Result<(ReceiveFax, Option<String>), Problem> {
    let Upload { fields, file } = upload;
    let quality = fields.quality.as_deref().map(|word| {
        Quality::from_word(word)
            .ok_or_else(|| bad("quality", &format!("{word:?} is not one of standard, fine, superfine")))
    });
    let sid = fields.sid.as_deref().map(str::parse).transpose();
    let fax = IncomingFax {
        to: fields.to.as_deref(),
        from: fields.from.as_deref(),
        station_id: fields.station_id.as_deref(),
        quality: quality.transpose()?,
        sid: sid.map_err(|error: crate::model::sid::SidError| bad("sid", &error.to_string()))?,
        failure: fields.outcome.as_ref().map(failure).transpose()?.flatten(),
        action: fields.action.as_deref(),
    };
    let fax =
        fax.checked(Dialect::of(world.sid())).map_err(|error| Problem::new(422, "bad-field", error.to_string()))?;
    let document = document(registry, world, &fields, file).await?;
    let own = origin(parts, registry.settings().public_url.as_ref());
    let twiml = fax.twiml();
    // The app may accept documents only from the host to which it sends its own calls; the tester may use another.
    let origin = world.service_origin().unwrap_or(own);
    Ok((fax.with_document(document, origin), twiml))
}

/// Returns the requested failure of the transmission, if any.
fn failure(outcome: &Outcome) -> Result<Option<IncomingFailure<'_>>, Problem> {
    let (word, code, after_pages, message) = match outcome {
        Outcome::Word(word) => (word, None, None, None),
        Outcome::Detailed(DetailedOutcome { status, code, after_pages, message }) => {
            (status, *code, *after_pages, message.as_deref())
        }
    };
    match CallOutcome::from_word(word) {
        Some(CallOutcome::Received) if code.is_some() || after_pages.is_some() || message.is_some() => {
            let why = "code, after_pages and message are only valid with the status failed, not with received";
            Err(bad("outcome", why))
        }
        Some(CallOutcome::Received) => Ok(None),
        Some(CallOutcome::Failed) => Ok(Some(IncomingFailure { code, after_pages: after_pages.unwrap_or(0), message })),
        Some(CallOutcome::Rejected | CallOutcome::NotAnswered) | None => {
            let why = "is neither received nor failed; rejecting or not answering is up to the app's TwiML";
            Err(bad("outcome", &format!("{word:?} {why}")))
        }
    }
}

fn bad(field: &str, why: &str) -> Problem {
    Problem::new(422, "bad-field", format!("{field}: {why}"))
}

async fn document(
    registry: &Registry,
    world: &World,
    fields: &Fields,
    file: Option<(Arc<[u8]>, Hold)>,
) -> Result<Document, Problem> {
    let read = match (file, &fields.media_url, fields.pages) {
        // `_room` keeps the upload's share of the budget until its pages have been counted.
        (Some((bytes, _room)), None, None) => registry.renderer().probe(bytes).await.map_err(DocumentFault::Unreadable),
        (None, Some(url), None) => registry.fetch_document(world, url).await,
        (None, None, pages) => {
            let document = sample::document(pages.unwrap_or(PAGES_DEFAULT));
            return document.map_err(|error| bad("pages", &error.to_string()));
        }
        _ => return Err(Problem::new(422, "bad-field", "give only one of file, media_url and pages")),
    };
    read.map_err(|fault| match fault {
        DocumentFault::Fetch(failure) => Problem::new(422, "document-unreadable", format!("media_url: {failure}")),
        DocumentFault::Unreadable(unreadable) => Problem::new(422, "document-unreadable", unreadable.reason),
    })
}

fn ringing(world: &World, call: &Ringing, seq: u64) -> Rung {
    Rung {
        fax_sid: call.sid.to_string(),
        account_sid: world.sid().to_string(),
        from: call.from.to_string(),
        to: call.to.to_string(),
        seq,
    }
}

fn conversation(
    registry: &Registry,
    world: &World,
    call: &Ringing,
    outcome: CallOutcome,
    seq: u64,
) -> ConversationView {
    let filter = EventFilter { since: seq, fax: Some(call.sid), ..EventFilter::default() };
    let (account, now, key) = (world.sid(), world.now(), world.signing_key());
    let (fax, events) = world.read_journal(|journal| {
        let shown = journal.engine().fax(call.sid).ok().map(|fax| {
            let origin = fax.origin();
            let view = View { account, origin, now, signing_key: key, price: registry.settings().price };
            resource::fax(journal.engine(), fax, &view)
        });
        (shown, journal.events(&filter, JOURNAL_EVENTS_MAX))
    });
    let webhooks: Vec<Value> = events
        .iter()
        .filter(|each| matches!(each.engine_kind(), Some(EventKind::WebhookAttempt { .. })))
        .filter_map(|each| each.exchange().map(|record| event::exchange(each.dialect, record)))
        .collect();
    let events = events.iter().map(EventView::of).collect();
    ConversationView { fax_sid: call.sid.to_string(), fax, outcome: outcome.as_str(), events, webhooks, seq }
}
