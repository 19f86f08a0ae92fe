//! The control API's calls to export a world as one document and to load one. The engine writes and checks the
//! document.

use std::convert::Infallible;
use std::io;

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State as Shared};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::runtime::Handle;

use super::extract::{Addressed, Asked};
use super::problem::Problem;
use super::snapshots::{self, ResetDone};
use crate::emulator::Registry;
use crate::engine::Engine;
use crate::engine::export::{MediaForm, State, StateError};
use crate::http::body;
use crate::io::budget::{NoRoom, ROOM_WAIT_MAX};

/// The longest state that is accepted, in bytes. A larger state can omit its documents (`media=hash`), or be loaded
/// with `serve --state`.
const STATE_BYTES_MAX: usize = 256 * 1024 * 1024;

/// How the documents of faxes are exported.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StateQuery {
    /// `inline`, which is the default, or `hash`, which only names the documents by their hash, for a world that still
    /// has them.
    #[serde(default)]
    media: Media,
}

#[derive(Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Media {
    #[default]
    Inline,
    Hash,
}

/// An exported world.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "State")]
pub(super) struct StateShown {
    /// Version of the format.
    fauxfax_state: u64,
    /// SID of the account that the world was exported from; any account of the same dialect may load it.
    account_sid: String,
    /// Whether the clock is frozen.
    clock_frozen: bool,
    /// The account's name, status and options, without its token.
    account: Map<String, Value>,
    /// The API keys, including their secrets.
    keys: Map<String, Value>,
    /// Faxes, numbers, rules, and the work that is due.
    world: Map<String, Value>,
    /// The documents in base64, by their SHA-256.
    documents: Map<String, Value>,
}

pub(super) async fn show(
    Shared(registry): Shared<Registry>,
    Addressed(world): Addressed,
    Asked(query): Asked<StateQuery>,
) -> Result<Response, Problem> {
    let form = match query.media {
        Media::Inline => MediaForm::Inline,
        Media::Hash => MediaForm::Hash,
    };
    let turn = registry.gates().state().await.ok_or_else(Problem::no_turn)?;
    let mut written = registry.budget().body(ROOM_WAIT_MAX);
    // The closure owns the turn, which is thus held until the work ends, even if the client has gone by then.
    let written = blocking(move |runtime| {
        let _turn = turn;
        let done = world.state().write(form, written.writer(runtime));
        done.map(|()| written).map_err(not_written)
    });
    let written = written.await??;
    let head = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CONTENT_LENGTH, written.len().into()),
    ];
    let chunks = written.into_chunks().map(Ok::<_, Infallible>);
    Ok((head, Body::from_stream(stream::iter(chunks))).into_response())
}

pub(super) async fn load(
    Shared(registry): Shared<Registry>,
    Addressed(world): Addressed,
    request: Request,
) -> Result<Json<ResetDone>, Problem> {
    let read = body::read(request.into_body(), STATE_BYTES_MAX, registry.budget()).await;
    let read =
        read.map_err(|fault| Problem::body(fault, format!("a state may have at most {STATE_BYTES_MAX} bytes")))?;
    // The turn is taken only after the body has been read, so that a slow client doesn't hold it.
    let turn = registry.gates().state().await.ok_or_else(Problem::no_turn)?;
    let loaded = blocking(move |_| {
        let _turn = turn;
        // `_room` keeps the state's share of the budget until it has been loaded.
        let (text, _room) = read.into_whole();
        // An export with `media=hash` names documents that may still be stored in this world.
        let stored = world.read(Engine::stored_documents);
        let canceled = State::read(&text, &stored).and_then(|state| registry.load_state(&world, state));
        Ok(Json(snapshots::done(&world, &canceled.map_err(|error| refused(&error))?)))
    });
    loaded.await?
}

/// Runs long work on a thread where it delays no other call.
#[expect(clippy::disallowed_methods, reason = "a state takes a while to write and read; turns limit how many at once")]
async fn blocking<T: Send + 'static>(work: impl FnOnce(&Handle) -> T + Send + 'static) -> Result<T, Problem> {
    let runtime = Handle::current();
    let done = tokio::task::spawn_blocking(move || work(&runtime)).await;
    done.map_err(|error| Problem::new(500, "internal", error.to_string()))
}

/// Returns the error for a state that can't be written, whether for lack of room in the budget or because of a fault in
/// the emulator.
fn not_written(error: serde_json::Error) -> Problem {
    let detail = format!("the state can't be written: {error}");
    let source = io::Error::from(error);
    match source.get_ref().and_then(|source| source.downcast_ref::<NoRoom>()) {
        Some(no_room) => Problem::no_room(*no_room),
        None => Problem::new(500, "internal", detail),
    }
}

fn refused(error: &StateError) -> Problem {
    let name = match error {
        StateError::NoJson { why } => return Problem::new(400, "bad-json", why.clone()),
        StateError::Newer { .. } => "state-newer",
        StateError::NoDocument { .. } => "state-document-missing",
        StateError::NoState | StateError::Wrong { .. } => "state-not-understood",
    };
    Problem::new(422, name, format!("{error}; the world is unchanged"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_why_a_state_cannot_be_written_is_reported() {
        let written = |no_room: NoRoom| not_written(serde_json::Error::io(io::Error::other(no_room)));
        assert_eq!(written(NoRoom::InTime), Problem::no_room(NoRoom::InTime));
        assert_eq!(written(NoRoom::Ever), Problem::no_room(NoRoom::Ever));
        let other = not_written(<serde_json::Error as serde::ser::Error>::custom("key must be a string"));
        assert_eq!(other, Problem::new(500, "internal", "the state can't be written: key must be a string"));
    }
}
