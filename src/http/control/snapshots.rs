//! The control API's calls for snapshots and resets. The engine takes and restores the snapshots.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event;
use super::extract::{Addressed, Asked};
use super::problem::Problem;
use crate::emulator::World;
use crate::engine::Canceled;
use crate::engine::command::Command;
use crate::engine::input::{DropSnapshot, Reset, Restore, TakeSnapshot};
use crate::engine::{Engine, SNAPSHOT_NAME_CHARS_MAX, SnapshotView};
use crate::model::refusal::Refusal;

/// The state to reset to.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ResetQuery {
    /// Name of a snapshot, instead of the configured start.
    snapshot: Option<String>,
    /// Seed for ids and random choices, which are then the same as after any other reset with this seed.
    seed: Option<u64>,
}

/// How to take a snapshot.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TakeQuery {
    /// Whether to refuse if there is a snapshot with this name, instead of replacing it. Of two calls at the same moment,
    /// only one succeeds.
    #[serde(default)]
    if_absent: bool,
}

/// A snapshot.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Snapshot")]
pub(super) struct SnapshotShown {
    name: Box<str>,
    /// Time at which the snapshot was taken, by the world's clock.
    taken: String,
    faxes: usize,
    pending: usize,
}

/// The snapshots of a world.
#[derive(Serialize, JsonSchema)]
pub(super) struct SnapshotList {
    snapshots: Vec<SnapshotShown>,
}

/// A summary of what a reset, a restore or the loading of a state removed.
#[derive(Serialize, JsonSchema)]
pub(super) struct ResetDone {
    canceled: CanceledShown,
    removed: Removed,
    seq: u64,
}

/// The work that had not ended and was canceled.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Canceled")]
struct CanceledShown {
    faxes: usize,
    webhooks: usize,
    /// SIDs of these faxes and calls, or of the first hundred if there are more.
    fax_sids: Vec<String>,
}

/// The number of removed resources, by kind.
#[derive(Serialize, JsonSchema)]
struct Removed {
    faxes: usize,
}

pub(super) async fn list(Addressed(world): Addressed) -> Json<SnapshotList> {
    Json(SnapshotList { snapshots: world.read(|engine| engine.snapshots().map(|each| view(&each)).collect()) })
}

pub(super) async fn take(
    Addressed(world): Addressed,
    Path(name): Path<String>,
    Asked(query): Asked<TakeQuery>,
) -> Result<(StatusCode, Json<SnapshotShown>), Problem> {
    let name = checked(&name)?;
    let is_wanted = |engine: &Engine| !query.if_absent || engine.snapshots().all(|each| each.name != name);
    let taken = world.handle_if(is_wanted, TakeSnapshot(name.clone()))?;
    let exists =
        || format!("there is a snapshot {name} already; remove it first, or leave if_absent out to replace it");
    taken.ok_or_else(|| Problem::new(409, "snapshot-exists", exists()))?;
    let taken = world.read(|engine| engine.snapshots().find(|each| each.name == name).map(|each| view(&each)));
    // A concurrent call may have removed the snapshot between the two locks.
    let taken = taken.ok_or_else(|| Problem::new(409, "conflict", "the snapshot has already been removed"))?;
    Ok((StatusCode::CREATED, Json(taken)))
}

pub(super) async fn restore(Addressed(world): Addressed, Path(name): Path<String>) -> Result<Json<ResetDone>, Problem> {
    rewind_to(&world, Restore(checked(&name)?))
}

pub(super) async fn remove(Addressed(world): Addressed, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    world.handle(DropSnapshot(checked(&name)?))?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn reset(
    Addressed(world): Addressed,
    Asked(query): Asked<ResetQuery>,
) -> Result<Json<ResetDone>, Problem> {
    match (&query.snapshot, query.seed) {
        (None, seed) => rewind_to(&world, Reset { seed }),
        (Some(name), None) => rewind_to(&world, Restore(checked(name)?)),
        (Some(_), Some(_)) => {
            let detail = "a snapshot keeps its ids, so it can't be restored with a new seed; give either seed or \
                          snapshot";
            Err(Problem::new(422, "bad-reset", detail))
        }
    }
}

fn rewind_to(
    world: &World,
    command: impl Command<Done = Result<Canceled, Refusal>>,
) -> Result<Json<ResetDone>, Problem> {
    let canceled = world.handle(command)?;
    Ok(Json(done(world, &canceled)))
}

/// Returns a summary of what a reset, a restore or the loading of a state removed.
pub(super) fn done(world: &World, canceled: &Canceled) -> ResetDone {
    let pending: Vec<String> = canceled.pending.iter().map(ToString::to_string).collect();
    let (faxes, webhooks) = (canceled.count.pending, canceled.count.effects);
    ResetDone {
        canceled: CanceledShown { faxes, webhooks, fax_sids: pending },
        removed: Removed { faxes: canceled.count.faxes },
        seq: world.read_journal(|journal| journal.last_seq()),
    }
}

fn checked(name: &str) -> Result<Box<str>, Problem> {
    // A valid name is ASCII, so it has as many bytes as characters.
    let is_good = (1..=SNAPSHOT_NAME_CHARS_MAX).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    let detail = || {
        format!("a snapshot's name must be 1 to {SNAPSHOT_NAME_CHARS_MAX} letters, digits, dots, dashes or underscores")
    };
    is_good.then(|| name.into()).ok_or_else(|| Problem::new(422, "bad-name", detail()))
}

fn view(snapshot: &SnapshotView) -> SnapshotShown {
    SnapshotShown {
        name: snapshot.name.clone(),
        taken: event::moment(snapshot.taken),
        faxes: snapshot.faxes,
        pending: snapshot.pending,
    }
}
