//! Twilio's REST APIs: extract, ask the dialect, ask the world, answer. No rule and no state lives here.

mod accounts;
mod alerts;
mod applications;
mod available;
mod caller_ids;
mod faxes;
mod keys;
mod numbers;

use std::str::FromStr;
use std::sync::Arc;

use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::middleware;

use super::auth::{self, SignedIn};
use super::{PathParams, asked_path, origin};
use crate::dialect::error::ApiError;
use crate::dialect::twilio::View;
use crate::emulator::{Emulator, World};
use crate::engine::Engine;
use crate::engine::input::{Command, Input, Reply};
use crate::model::account::PriceForm;
use crate::model::refusal::Refusal;

/// The routes of `fax.twilio.com` and `api.twilio.com`, each behind its credential.
pub(super) fn routes(emulator: Emulator) -> Router<Emulator> {
    Router::new()
        .merge(faxes::routes())
        .merge(accounts::routes())
        .merge(numbers::routes())
        .merge(available::routes())
        .merge(alerts::routes())
        .merge(keys::routes())
        .merge(caller_ids::routes())
        .merge(applications::routes())
        .route_layer(middleware::from_fn_with_state(emulator, auth::sign_in))
}

/// An authenticated request, apart from its form.
struct Call {
    /// The world that is addressed.
    world: World,
    /// The world of the credential.
    own: World,
    origin: Arc<str>,
    price: PriceForm,
    path: String,
    params: Arc<PathParams>,
}

impl FromRequestParts<Emulator> for Call {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, emulator: &Emulator) -> Result<Self, ApiError> {
        let SignedIn { params, world, own } = SignedIn::from_request_parts(parts, emulator).await?;
        let settings = emulator.settings();
        let origin = origin(parts, settings.public_url.as_ref());
        Ok(Self { world, own, origin, price: settings.price, path: asked_path(parts).to_owned(), params })
    }
}

impl Call {
    /// A part of the path; what is not well-formed names nothing that exists.
    fn part<T: FromStr>(&self, name: &str) -> Result<T, ApiError> {
        self.params.parse(name).ok_or_else(|| self.not_found())
    }

    fn not_found(&self) -> ApiError {
        ApiError::not_found(&self.path)
    }

    /// Looks at the world.
    fn read<T>(&self, look: impl FnOnce(&Engine, &View<'_>) -> Result<T, Refusal>) -> Result<T, ApiError> {
        let (account, signing_key) = (self.world.sid(), self.world.signing_key());
        let look = |engine: &Engine, now| {
            look(engine, &View { account, origin: &self.origin, now, signing_key: &signing_key, price: self.price })
        };
        self.world.read_now(look).map_err(|refusal| ApiError::refused(&refusal, &self.path))
    }

    /// Changes the world and looks at what came of it.
    fn command<T>(
        &self,
        command: Command,
        look: impl FnOnce(&Engine, &View<'_>, &Reply) -> Result<T, Refusal>,
    ) -> Result<T, ApiError> {
        let reply = self.world.handle(Input::Command(command));
        let reply = reply.map_err(|refusal| ApiError::refused(&refusal, &self.path))?;
        self.read(|engine, view| look(engine, view, &reply))
    }
}

#[cfg(test)]
#[path = "../twilio_tests.rs"]
mod tests;
