//! Answers REST API requests: finds a request's dialect and route, signs the client in, runs the call's handler, and
//! records the call in the journal.
//!
//! Handlers hold no policy and no state: they ask the dialect and the world. They never wait either; anything that
//! takes time is an engine effect.

use std::ops::ControlFlow;
use std::sync::LazyLock;

use axum::BoxError;
use axum::body::HttpBody;
use axum::http::request::Parts;
use axum::http::{Method, Request};
use axum::response::Response;
use bytes::Bytes;

use super::auth;
use super::dialects::{dialect_of, elsewhere};
use super::rest::{Call, PathParams, Route};
use super::traffic::{self, Arrived, ResponseRecord, Unassignable};
use super::{AbortHandle, asked_path, reply, signalwire, twilio};
use crate::dialect::error::{ApiError, Reason};
use crate::emulator::{NoWorld, Registry};
use crate::model::account::Dialect;

/// The routes of one dialect. They are matched here and not by axum, because axum's handlers are boxed futures. These
/// handlers are plain functions, so most calls need no future.
type Routes = matchit::Router<&'static Route>;

static TWILIO: LazyLock<Routes> = LazyLock::new(|| routes(twilio::ROUTES));
static SIGNALWIRE: LazyLock<Routes> = LazyLock::new(|| routes(signalwire::ROUTES));

fn routes(tables: &[&'static [Route]]) -> Routes {
    let mut router = Routes::new();
    for route in tables.iter().copied().flatten() {
        router.insert(route.path, route).expect("no two routes are the same");
    }
    router
}

fn routes_of(dialect: Dialect) -> &'static Routes {
    match dialect {
        Dialect::Twilio => &TWILIO,
        Dialect::SignalWire => &SIGNALWIRE,
    }
}

/// Answers a request whose path belongs to one of the REST APIs; any other request is returned unanswered.
pub(super) async fn answer<B>(
    registry: &Registry,
    request: Request<B>,
    arrived: Arrived,
    connection: &AbortHandle,
) -> ControlFlow<Response, Request<B>>
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let (parts, body) = request.into_parts();
    let dialect = dialect_of(&parts);
    let refuse = |why, error| ControlFlow::Break(traffic::refuse(registry, (&parts, arrived), why, &error));
    let Ok(found) = routes_of(dialect).at(parts.uri.path()) else {
        return match hint(dialect, &parts) {
            Some(error) => refuse(Unassignable::because(NoWorld::UnknownPath), error),
            None => ControlFlow::Continue(Request::from_parts(parts, body)),
        };
    };
    let params = PathParams(found.params);
    // Only a path under a root such as `/api/laml` can name an account of the other dialect.
    if let Some(account) = params.account().flatten().filter(|account| Dialect::of(*account) != dialect) {
        let why = Unassignable { account: Some(account), reason: NoWorld::OtherDialect };
        return refuse(why, ApiError::new(Reason::NotFound, elsewhere(account)));
    }
    let Some(operation) = found.value.operation(&parts.method) else {
        // The client has not signed in yet, so the request belongs to no world.
        let why = Unassignable { account: params.account().flatten(), reason: NoWorld::WrongMethod };
        let error = ApiError::method_not_allowed(parts.method.as_str(), asked_path(&parts));
        traffic::note_refused(registry, (&parts, arrived), why, ResponseRecord::with(&parts, &error));
        return ControlFlow::Break(reply::wrong_method(&parts, &error, found.value.methods()));
    };
    let signed_in = match auth::sign_in(registry, &parts, params.account(), operation.area) {
        Ok(signed_in) => signed_in,
        Err((why, error)) => return refuse(why, error),
    };
    // A tester's rule may delay, refuse or reset the call.
    if let Some((response, answered)) = auth::otherwise(registry, &signed_in, &parts, connection).await {
        Call::of(registry, &signed_in, (&parts, arrived), &params, Bytes::new()).note(answered);
        return ControlFlow::Break(response);
    }
    let body = match auth::admit(&signed_in, operation.area, operation.action) {
        Ok(()) if parts.method == Method::POST => reply::form_body(body, registry.budget()).await,
        admitted => {
            admitted.map(|()| Bytes::new()).map_err(|refusal| ApiError::refused(&refusal, asked_path(&parts), dialect))
        }
    };
    let (body, error) = body.map_or_else(|error| (Bytes::new(), Some(error)), |body| (body, None));
    let call = Call::of(registry, &signed_in, (&parts, arrived), &params, body);
    ControlFlow::Break(call.answered(error.map_or_else(|| (operation.handler)(&call), Err)))
}

/// Returns the error for a Twilio path that exists only in SignalWire's API: Twilio's 2010-04-01 API never had faxes or
/// bins.
fn hint(dialect: Dialect, parts: &Parts) -> Option<ApiError> {
    if dialect != Dialect::Twilio || SIGNALWIRE.at(parts.uri.path()).is_err() {
        return None;
    }
    let path = asked_path(parts);
    let message = if path.contains("/Faxes") {
        "Twilio's Fax API is at /v1/Faxes; below /2010-04-01/Accounts only SignalWire's projects have Faxes, and a \
         project's id is a UUID"
    } else {
        "only SignalWire's projects have this resource, and a project's id is a UUID"
    };
    Some(ApiError::new(Reason::NotFound, format!("The requested resource {path} was not found: {message}")))
}

#[cfg(test)]
#[path = "twilio_tests.rs"]
mod tests;
