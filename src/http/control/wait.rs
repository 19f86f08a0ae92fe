//! `GET /wait`: waits for a fax's status, for the fax's end, or until nothing is pending. A request that
//! names a fax and statuses fails as soon as the fax can no longer enter any of them.

use std::time::Duration;

use axum::Json;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::clock::timeout;
use super::event::{self, EventView};
use super::extract::{Asked, Awaited, bad_query};
use super::incoming::gone;
use super::journal::Start;
use super::problem::Problem;
use crate::clock::ClockMode;
use crate::emulator::World;
use crate::engine::journal::{EventFilter, JOURNAL_EVENTS_MAX};
use crate::engine::{ConversationState, Fax, Prospect, Unreachable};
use crate::model::fax::Status;
use crate::model::sid::FaxSid;
use crate::world::journal::JournalEvent;

/// What to wait for, and for how long.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WaitQuery {
    /// SID of a fax; any fax by default.
    fax: Option<String>,
    /// A status, or several separated by commas; entering any of them ends the wait.
    status: Option<String>,
    /// Only events after this place in the journal; by default after the last reset.
    since: Option<u64>,
    /// Also events before the last reset; not together with `since`.
    #[serde(default)]
    all: bool,
    /// Seconds to wait at most; 30 by default.
    timeout: Option<f64>,
    /// `idle`: until nothing is under way and no deadline is set. `settled`: until the fax has ended and every webhook
    /// about it has been sent.
    #[serde(rename = "for")]
    what: Option<String>,
}

/// The event or state that ended the wait.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Waited")]
pub(super) struct WaitedView {
    /// The event with which a fax entered the status, if the wait was for a status.
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<EventView>,
    /// True if the wait was for `idle`, since nothing is pending now.
    #[serde(skip_serializing_if = "Option::is_none")]
    idle: Option<bool>,
    /// The last status of the fax, or `not-answered`, if the wait was for the fax's end.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    /// Place in the journal from which the next wait can continue, as its `since`.
    seq: u64,
}

pub(super) async fn wait(awaited: Awaited, Asked(query): Asked<WaitQuery>) -> Result<Json<WaitedView>, Problem> {
    let registry = awaited.registry.clone();
    tokio::select! {
        waited = waited(awaited, query) => waited,
        () = registry.stopping() => Err(Problem::stopping()),
    }
}

async fn waited(awaited: Awaited, query: WaitQuery) -> Result<Json<WaitedView>, Problem> {
    let patience = timeout(query.timeout)?;
    let start = Start::of(query.since, query.all).map_err(|error| bad_query(&error))?;
    match (query.what.as_deref(), &query.status) {
        // The combinations that make sense. Anything else is refused, so that a typo doesn't cause a different wait.
        (Some("idle"), None) if query.fax.is_none() => idle(&awaited.world, patience).await,
        (Some("settled"), None) if query.fax.is_some() => end_of(&awaited.world, fax(&query)?, patience).await,
        (None, Some(status)) => {
            let fax = fax(&query)?;
            let wanted = Wanted { fax, statuses: statuses(status)?, start };
            status_of(&awaited, &wanted, patience).await
        }
        _ => Err(Problem::new(
            422,
            "bad-wait",
            "give status, with or without a fax, for=settled with a fax, or for=idle alone",
        )),
    }
}

fn fax(query: &WaitQuery) -> Result<Option<FaxSid>, Problem> {
    let fax = query.fax.as_deref().map(str::parse).transpose();
    fax.map_err(|error| Problem::new(422, "bad-field", format!("fax: {error}")))
}

async fn end_of(world: &World, fax: Option<FaxSid>, patience: Duration) -> Result<Json<WaitedView>, Problem> {
    // Never happens, since `waited` calls this only with a fax.
    let Some(fax) = fax else { return Err(Problem::new(422, "bad-wait", "for=settled needs a fax")) };
    match tokio::time::timeout(patience, world.ended(fax)).await {
        Ok(None) => Err(Problem::gone(world)),
        Ok(Some(ended)) => {
            let outcome = Some(last_status(ended).ok_or_else(|| gone(fax))?);
            let seq = world.read_journal(|journal| journal.last_seq());
            Ok(Json(WaitedView { event: None, idle: None, outcome, seq }))
        }
        Err(_) => Err(Problem::new(408, "not-settled", format!("{fax} has not ended; {}", pending(world)))),
    }
}

async fn idle(world: &World, patience: Duration) -> Result<Json<WaitedView>, Problem> {
    let rest = world.until_journaled(|journal| journal.engine().is_idle().then(|| journal.last_seq()));
    match tokio::time::timeout(patience, rest).await {
        Ok(Some(seq)) => Ok(Json(WaitedView { event: None, idle: Some(true), outcome: None, seq })),
        Ok(None) => Err(Problem::gone(world)),
        Err(_) => Err(Problem::new(408, "not-idle", pending(world))),
    }
}

/// Returns the word for the end of a conversation: the fax's final status, or `not-answered`. `None` if the
/// conversation goes on or is unknown.
const fn last_status(ended: ConversationState) -> Option<&'static str> {
    match ended {
        ConversationState::Settled(status) => Some(status.as_str()),
        ConversationState::NotAnswered => Some("not-answered"),
        ConversationState::Pending | ConversationState::Unknown => None,
    }
}

/// Describes the pending work that keeps the world from being idle.
fn pending(world: &World) -> String {
    let frozen = world.clock_mode() == ClockMode::Frozen;
    world.read(|engine| {
        let mut detail = format!("{} faxes and calls have not ended", engine.pending_count());
        if !engine.is_settled() {
            detail.push_str("; a request to an app or the rendering of a document is under way");
        }
        if let Some((alarm, fax)) = engine.deadlines().next() {
            let fax = fax.map(|sid| format!(" ({sid})")).unwrap_or_default();
            detail = format!("{detail}; next, {}{fax} at {}", alarm.kind.what(), event::moment(alarm.at));
            if frozen {
                detail.push_str(", and the clock is frozen: advance or drain it");
            }
        }
        detail
    })
}

/// The statuses to wait for, the fax, and the place in the journal from which to look.
struct Wanted {
    fax: Option<FaxSid>,
    statuses: Vec<Status>,
    start: Start,
}

/// The result of a wait that ended in time.
enum Ended {
    Entered(JournalEvent),
    /// The fax has the status, but the journal no longer shows the event with which the fax entered it. The number is
    /// the journal's last place.
    HasStatus(u64),
    Unreachable(FaxSid, Unreachable),
}

async fn status_of(awaited: &Awaited, wanted: &Wanted, patience: Duration) -> Result<Json<WaitedView>, Problem> {
    let mut nearest = None;
    let waiting = tokio::time::timeout(patience, async {
        // If the account has no world, a particular fax can't exist, but some fax may still come once the account is
        // created.
        if awaited.is_fresh && wanted.fax.is_none() {
            let world = awaited.created().await;
            return entered(&world, wanted, &mut nearest).await;
        }
        entered(&awaited.world, wanted, &mut nearest).await
    });
    let ended = waiting.await;
    // Looked up only now: the account's world may have been created during the wait, and an error should describe it.
    let world = &awaited.registry.world(awaited.world.sid()).unwrap_or_else(|| awaited.world.clone());
    match ended {
        Ok(Some(Ended::Entered(event))) => {
            Ok(Json(WaitedView { event: Some(EventView::of(&event)), idle: None, outcome: None, seq: event.seq }))
        }
        Ok(Some(Ended::HasStatus(seq))) => Ok(Json(WaitedView { event: None, idle: None, outcome: None, seq })),
        Ok(Some(Ended::Unreachable(fax, why))) => {
            let statuses: Vec<_> = wanted.statuses.iter().map(|status| status.as_str()).collect();
            let detail = format!("{fax} can no longer become {}: {why}", statuses.join(" or "));
            Err(Problem::new(409, "status-unreachable", detail).of_fax(why.status()))
        }
        Ok(None) => Err(Problem::gone(world)),
        Err(_) => Err(too_late(world, wanted, nearest)),
    }
}

/// Waits for a status; `None` if the world is removed or breaks first.
async fn entered(world: &World, wanted: &Wanted, nearest: &mut Option<(FaxSid, Status)>) -> Option<Ended> {
    let Wanted { fax, statuses, start } = wanted;
    let mut filter: Option<EventFilter> = None;
    world
        .until_journaled(|journal| {
            // Computed only once, so that a reset during the wait doesn't move the start.
            let filter = filter.get_or_insert_with(|| EventFilter {
                since: start.seq(journal),
                fax: *fax,
                kind: Some("fax.status".into()),
                purpose: None,
            });
            let news = journal.events(filter, JOURNAL_EVENTS_MAX);
            let found = news.iter().find(|each| each.entered().is_some_and(|status| statuses.contains(&status)));
            // The next check considers only newer events.
            filter.since = journal.last_seq();
            // Kept for the error in case the wait times out.
            *nearest = news.last().and_then(|last| last.fax().zip(last.entered())).or(*nearest);
            if let Some(found) = found {
                return Some(Ended::Entered(found.clone()));
            }
            // If any fax will do, a status never becomes unreachable.
            let fax = (*fax)?;
            match journal.engine().prospect(fax, statuses) {
                Prospect::Possible => None,
                // An event before `since` doesn't count, and a fax enters a status only once, so waiting is in vain.
                Prospect::Reached(status) if start.is_given() => {
                    Some(Ended::Unreachable(fax, Unreachable::Earlier(status)))
                }
                // If the fax entered the status before a restore, the journal may no longer show the event.
                Prospect::Reached(status) => {
                    Some(journal.entry_of(fax, status).map_or(Ended::HasStatus(journal.last_seq()), Ended::Entered))
                }
                Prospect::Unreachable(why) => Some(Ended::Unreachable(fax, why)),
            }
        })
        .await
}

fn too_late(world: &World, wanted: &Wanted, nearest: Option<(FaxSid, Status)>) -> Problem {
    let fax = wanted.fax;
    let now = fax.and_then(|fax| world.read(|engine| engine.fax(fax).ok().map(Fax::status)));
    let since = world.read_journal(|journal| wanted.start.seq(journal));
    let reached = match (nearest, fax, now) {
        (Some((fax, status)), _, _) => format!("since event {since}, the last status that {fax} entered is {status}"),
        (None, Some(fax), Some(now)) => format!("{fax} has entered no status since event {since}; it is {now}"),
        (None, Some(fax), None) => format!("the call {fax} has not become a fax"),
        (None, None, _) => format!("no fax has entered a status since event {since}"),
    };
    Problem::new(408, "not-reached", format!("{reached}; {}", pending(world)))
}

fn statuses(text: &str) -> Result<Vec<Status>, Problem> {
    let read = |word: &str| {
        let words = || Status::ALL.iter().map(|status| status.as_str()).collect::<Vec<_>>().join(", ");
        Status::from_word(word)
            .ok_or_else(|| Problem::new(422, "bad-field", format!("status: {word:?} is not one of {}", words())))
    };
    text.split(',').map(read).collect()
}
