//! Snapshots of a world, and the way back: to one of them or to the configured start. The engine takes and restores.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::problem::Problem;
use super::{Addressed, event};
use crate::emulator::World;
use crate::engine::input::{Control, Input, Reply};
use crate::engine::{Engine, SNAPSHOT_NAME_CHARS_MAX, SnapshotView};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResetQuery {
    snapshot: Option<String>,
    #[serde(rename = "account")]
    _account: Option<String>,
}

pub(super) async fn list(Addressed(world): Addressed) -> Json<Value> {
    let snapshots: Vec<Value> = world.read(|engine| engine.snapshots().map(|each| view(&each)).collect());
    Json(json!({ "snapshots": snapshots }))
}

pub(super) async fn take(
    Addressed(world): Addressed,
    Path(name): Path<String>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let name = checked(&name)?;
    ask(&world, Control::TakeSnapshot(name.clone()))?;
    let taken = world.read(|engine| engine.snapshots().find(|each| each.name == name).map(|each| view(&each)));
    Ok((StatusCode::CREATED, Json(json!(taken))))
}

pub(super) async fn restore(Addressed(world): Addressed, Path(name): Path<String>) -> Result<Json<Value>, Problem> {
    go_back(&world, Control::Restore(checked(&name)?))
}

pub(super) async fn remove(Addressed(world): Addressed, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    ask(&world, Control::DropSnapshot(checked(&name)?))?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn reset(
    Addressed(world): Addressed,
    query: Result<Query<ResetQuery>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(query) = query.map_err(Problem::query)?;
    go_back(&world, query.snapshot.as_deref().map(checked).transpose()?.map_or(Control::Reset, Control::Restore))
}

fn go_back(world: &World, control: Control) -> Result<Json<Value>, Problem> {
    let Reply::Reset(canceled) = ask(world, control)? else {
        return Err(Problem::new(500, "internal", "a reset was answered otherwise"));
    };
    let pending: Vec<String> = canceled.pending.iter().map(ToString::to_string).collect();
    Ok(Json(json!({
        "canceled": { "faxes": canceled.count.pending, "webhooks": canceled.count.effects, "fax_sids": pending },
        "removed": { "faxes": canceled.count.faxes },
        "seq": world.read(Engine::last_seq),
    })))
}

fn ask(world: &World, control: Control) -> Result<Reply, Problem> {
    world.handle(Input::Control(control)).map_err(|refusal| Problem::refused(&refusal))
}

fn checked(name: &str) -> Result<Box<str>, Problem> {
    let is_good = (1..=SNAPSHOT_NAME_CHARS_MAX).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    let detail =
        || format!("a snapshot's name is 1 to {SNAPSHOT_NAME_CHARS_MAX} letters, digits, dots, dashes or underscores");
    is_good.then(|| name.into()).ok_or_else(|| Problem::new(422, "bad-name", detail()))
}

fn view(snapshot: &SnapshotView) -> Value {
    json!({
        "name": snapshot.name,
        "taken": event::moment(snapshot.taken),
        "faxes": snapshot.faxes,
        "pending": snapshot.pending,
    })
}
