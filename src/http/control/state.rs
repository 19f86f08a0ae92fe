//! A world as one document, handed out and taken. What is in it, and whether it is understood, is the engine's business.

use axum::Json;
use axum::body::to_bytes;
use axum::extract::{Request, State as Shared};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::extract::{self, Addressed, Asked};
use super::problem::Problem;
use super::snapshots::{self, ResetDone};
use crate::emulator::Emulator;
use crate::engine::Engine;
use crate::engine::state::{MediaForm, State, StateError};

/// The longest state that is taken; one with more documents is named by hash, or loaded by `serve --state`.
const STATE_BYTES_MAX: usize = 256 * 1024 * 1024;

/// How the documents of faxes are handed out.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StateQuery {
    /// `inline`, the default, or `hash`: only named, for a world that has them.
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

/// A world as a document.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "State")]
pub(super) struct StateShown {
    /// The version of the document.
    fauxfax_state: u64,
    /// Whose world it was; another account may take it.
    account_sid: String,
    /// Whether its clock stands still.
    clock_frozen: bool,
    /// The account's name, status and choices; never its token.
    account: Map<String, Value>,
    /// The API keys, their secrets included.
    keys: Map<String, Value>,
    /// The faxes, numbers, rules and what is due.
    world: Map<String, Value>,
    /// The documents in base64, by their SHA-256.
    documents: Map<String, Value>,
}

pub(super) async fn show(Addressed(world): Addressed, Asked(query): Asked<StateQuery>) -> Json<Value> {
    let form = match query.media {
        Media::Inline => MediaForm::Inline,
        Media::Hash => MediaForm::Hash,
    };
    Json(world.state().to_json(form))
}

pub(super) async fn load(
    Shared(emulator): Shared<Emulator>,
    Addressed(world): Addressed,
    request: Request,
) -> Result<Json<ResetDone>, Problem> {
    let body = to_bytes(request.into_body(), STATE_BYTES_MAX).await;
    let body =
        body.map_err(|_| Problem::new(413, "too-large", format!("a state is at most {STATE_BYTES_MAX} bytes")))?;
    let document = serde_json::from_slice(&body).map_err(|error| Problem::new(400, "bad-json", error.to_string()))?;
    let stored = world.read(Engine::stored_documents);
    let canceled = State::of_json(document, &stored).and_then(|state| emulator.load_state(&world, state));
    Ok(Json(snapshots::done(&world, &canceled.map_err(|error| refused(&error))?)))
}

fn refused(error: &StateError) -> Problem {
    let name = match error {
        StateError::Newer { .. } => "state-newer",
        StateError::NoDocument { .. } => "state-document-missing",
        StateError::NoState | StateError::Wrong { .. } => "state-not-understood",
    };
    let detail = match error {
        StateError::Wrong { place, why } => format!("{place}: {}", extract::near(why)),
        StateError::NoState | StateError::Newer { .. } | StateError::NoDocument { .. } => error.to_string(),
    };
    Problem::new(422, name, format!("{detail}; the world is as it was"))
}
