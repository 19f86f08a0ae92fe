//! The control API's calls that export the conversation about a fax or call: as JSON, HAR and Markdown. All three are
//! made from the events that the journal still has.

mod exchange;
mod facts;
mod har;
mod literal;
mod markdown;
mod step;

use axum::extract::{FromRequestParts, Path, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use self::facts::{Facts, Secrets, VERSION};
use super::event::{EventView, moment};
use super::extract::Addressed;
use super::fax;
use super::lazy;
use super::problem::Problem;
use crate::clock::ClockMode;
use crate::dialect::entry;
use crate::dialect::view::View;
use crate::emulator::Registry;
use crate::engine::event::EventKind;
use crate::engine::journal::{EventFilter, JOURNAL_EVENTS_MAX};
use crate::engine::{CallOutcome, ConversationState};
use crate::http::origin;
use crate::model::account::Dialect;
use crate::model::fax::Status;
use crate::model::sid::FaxSid;
use crate::world::journal::{Journal, JournalEvent};

/// A conversation, as a file for people and programs.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ConversationFile")]
pub(super) struct ConversationFile {
    #[serde(flatten)]
    head: Head,
    /// The events of the conversation, oldest first, as `GET /events` shows them.
    events: Vec<EventView>,
}

/// The fields that precede the events of a conversation.
#[derive(Serialize, JsonSchema)]
struct Head {
    /// The version of the emulator.
    fauxfax: &'static str,
    account_sid: String,
    /// `twilio` or `signalwire`.
    service: &'static str,
    /// SID of the fax or call.
    fax_sid: String,
    /// The fax as `GET /faxes/{sid}` shows it; null if the call never became a fax, or the fax has been deleted.
    fax: Option<Value>,
    /// The status that the fax ended with, or `not-answered`; null while the conversation is in progress, or if the
    /// journal no longer has the outcome.
    outcome: Option<&'static str>,
    /// Number of events that the journal has dropped since the start.
    evicted: u64,
    /// The maximum number of those that may belong to this conversation; 0 if no event is missing.
    missed: u64,
}

/// A conversation, with the events from which its forms are made.
struct Export {
    sid: FaxSid,
    facts: Facts,
    events: Vec<JournalEvent>,
    secrets: Secrets,
}

pub(super) async fn as_json(
    State(registry): State<Registry>,
    Path(sid): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let Export { sid, facts, events, secrets } = read(&registry, &sid, request).await?;
    let head = Head {
        fauxfax: VERSION,
        account_sid: facts.account_sid,
        service: facts.service,
        fax_sid: facts.sid,
        fax: facts.fax,
        outcome: facts.outcome,
        evicted: facts.evicted,
        missed: facts.missed,
    };
    let begin = open_list(&json!(head), "events");
    let events = events.into_iter().map(move |event| view(&event, &secrets));
    Ok((named(sid, "json"), lazy::within(begin, events, "]}")).into_response())
}

pub(super) async fn as_har(
    State(registry): State<Registry>,
    Path(sid): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let Export { sid, facts, events, secrets } = read(&registry, &sid, request).await?;
    let begun = events.first().map(|event| moment(event.at()));
    let begin = format!("{{\"log\":{}", open_list(&har::log(&facts, begun.as_deref()), "entries"));
    let mut entries = har::Entries::new(&facts);
    let entries = events.into_iter().filter_map(move |event| entries.entry(&view(&event, &secrets)));
    Ok((named(sid, "har"), lazy::within(begin, entries, "]}}")).into_response())
}

pub(super) async fn as_markdown(
    State(registry): State<Registry>,
    Path(sid): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let Export { sid, facts, events, secrets } = read(&registry, &sid, request).await?;
    let text = markdown::document(&facts, events.iter().map(|event| view(event, &secrets)));
    let media_type = [(header::CONTENT_TYPE, HeaderValue::from_static("text/markdown; charset=utf-8"))];
    Ok((named(sid, "md"), media_type, text).into_response())
}

/// Returns the beginning of a JSON document: the fields of an object, followed by the name and the opening bracket of a
/// list, which is its last field.
fn open_list(object: &Value, name: &str) -> String {
    let text = object.to_string();
    format!("{},\"{name}\":[", text.strip_suffix('}').unwrap_or(&text))
}

/// Returns the header that gives a download the name of its conversation.
fn named(sid: FaxSid, extension: &str) -> [(HeaderName, String); 1] {
    [(header::CONTENT_DISPOSITION, format!("attachment; filename=\"{sid}.{extension}\""))]
}

fn view(event: &JournalEvent, secrets: &Secrets) -> EventView {
    let view = EventView::of(event);
    EventView { data: secrets.masked(view.data), ..view }
}

/// Reads the part of a conversation since the last reset. The fax, the events and the number of missing events are read
/// under one lock, so they are consistent.
async fn read(registry: &Registry, sid: &str, request: Request) -> Result<Export, Problem> {
    let (mut parts, _) = request.into_parts();
    let Addressed(world) = Addressed::from_request_parts(&mut parts, registry).await?;
    let origin = origin(&parts, registry.settings().public_url.as_ref());
    let (account, now, key) = (world.sid(), world.now(), world.signing_key());
    let shown = View { account, origin: &origin, now, signing_key: key, price: registry.settings().price };
    let wanted = fax::parse(sid)?;
    let is_frozen = world.clock_mode() == ClockMode::Frozen;
    world.read_journal(|journal| {
        let engine = journal.engine();
        let fax = entry::find(engine, wanted, &shown);
        let filter = EventFilter { since: journal.last_reset(), fax: Some(wanted), ..EventFilter::default() };
        let events = journal.events(&filter, JOURNAL_EVENTS_MAX);
        if fax.is_none() && events.is_empty() {
            return Err(missing(journal, wanted));
        }
        let owner = engine.account();
        let secrets = [owner.auth_token.as_deref(), owner.signing_key.as_deref()].into_iter().flatten();
        let account_sid = account.to_string();
        let secrets = Secrets::new(&account_sid, secrets);
        let facts = Facts {
            sid: wanted.to_string(),
            account_sid,
            service: Dialect::of(account).as_str(),
            fax,
            outcome: outcome(engine.conversation(wanted)),
            evicted: journal.evicted(),
            missed: missed(journal, wanted, events.first()),
            is_frozen,
            origin: origin.to_string(),
        };
        Ok(Export { sid: wanted, facts, events, secrets })
    })
}

fn outcome(state: ConversationState) -> Option<&'static str> {
    match state {
        ConversationState::Settled(status) => Some(status.as_str()),
        ConversationState::NotAnswered => Some(CallOutcome::NotAnswered.as_str()),
        ConversationState::Pending | ConversationState::Unknown => None,
    }
}

/// Returns how many dropped events may belong to a conversation whose first kept event is `first`.
fn missed(journal: Journal<'_>, sid: FaxSid, first: Option<&JournalEvent>) -> u64 {
    let dropped = journal.evicted().saturating_sub(journal.last_reset());
    // The first event of a sent fax is its creation.
    let is_created = |event: &JournalEvent| {
        matches!(event.engine_kind(), Some(EventKind::FaxStatus { old: None, new: Status::Queued, .. }))
    };
    // A fax that was created after the oldest kept event has lost no events.
    let oldest = journal.events(&EventFilter::default(), 1).first().map(JournalEvent::at);
    let created = journal.engine().fax(sid).ok().map(|fax| fax.created);
    let is_newer = oldest.zip(created).is_some_and(|(oldest, created)| created > oldest);
    if is_newer || first.is_some_and(is_created) { 0 } else { dropped }
}

fn missing(journal: Journal<'_>, sid: FaxSid) -> Problem {
    let earlier = EventFilter { fax: Some(sid), ..EventFilter::default() };
    let why = if !journal.events(&earlier, 1).is_empty() {
        format!(
            "a reset or restore has removed {sid}; GET /_fauxfax/v1/events?all=true&fax={sid} still lists its events"
        )
    } else if journal.evicted() > 0 {
        format!("there is no fax or call {sid}, or it has been deleted and the journal has dropped its events")
    } else {
        format!("there is no fax or call {sid}")
    };
    Problem::new(404, "conversation-not-found", why)
}
