//! The control API: what testers touch, under `/_fauxfax/v1`. Handlers hold no policy; nothing here speaks Twilio's words
//! except where it shows a resource as clients see it.

mod accounts;
mod clock;
pub mod event;
pub(super) mod guard;
mod health;
mod incoming;
mod journal;
mod problem;
mod snapshots;
mod upload;
mod wait;

use axum::Router;
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use axum::middleware;
use axum::routing::{get, post, put};
use serde::Deserialize;

use self::problem::Problem;
use crate::emulator::{Emulator, SignInError, World};
use crate::model::sid::AccountSid;

/// The root of the control API.
pub const BASE: &str = "/_fauxfax/v1";

/// The routes of the control API and the plain health checks at the root.
pub fn router(emulator: Emulator) -> Router {
    let control = Router::new()
        .route("/health", get(health::health))
        .route("/accounts", get(accounts::list).post(accounts::create))
        .route("/accounts/{sid}", get(accounts::show).delete(accounts::remove))
        .route("/incoming-faxes", post(incoming::receive))
        .route("/events", get(journal::list))
        .route("/wait", get(wait::wait))
        .route("/clock", get(clock::show).put(clock::set))
        .route("/clock/advance", post(clock::advance))
        .route("/clock/drain", post(clock::drain))
        .route("/reset", post(snapshots::reset))
        .route("/snapshots", get(snapshots::list))
        .route("/snapshots/{name}", put(snapshots::take).post(snapshots::restore).delete(snapshots::remove))
        .fallback(problem::no_such_call)
        .method_not_allowed_fallback(problem::wrong_method)
        .layer(middleware::from_fn_with_state(emulator.clone(), guard::check));
    Router::new()
        .nest(BASE, control)
        .route("/livez", get(health::live))
        .route("/readyz", get(health::live))
        .with_state(emulator)
}

/// The world that a call is about: `?account=`, else the default account's.
pub struct Addressed(pub World);

#[derive(Deserialize)]
struct AccountQuery {
    account: Option<String>,
}

impl FromRequestParts<Emulator> for Addressed {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, emulator: &Emulator) -> Result<Self, Problem> {
        let query: AccountQuery = Query::try_from_uri(&parts.uri).map(|Query(query)| query).map_err(Problem::query)?;
        let account = match query.account {
            None => emulator.default_account(),
            Some(text) => parse_account(&text)?,
        };
        emulator.enter_unclaimed(account).map(Self).map_err(|error| match error {
            SignInError::UnknownAccount(_) | SignInError::WrongToken(_) | SignInError::WrongKey(_) => {
                Problem::no_account(account)
            }
            SignInError::TooManyWorlds { .. } => Problem::new(429, "too-many-accounts", error.to_string()),
        })
    }
}

fn parse_account(text: &str) -> Result<AccountSid, Problem> {
    text.parse().map_err(|error| Problem::new(400, "bad-account", format!("account {text:?} is {error}")))
}
