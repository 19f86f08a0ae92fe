//! The REST APIs of all dialects: finds a request's dialect and route and signs its client in, then runs the call's
//! handler and records the call in the journal. The routes and handlers are in one folder per dialect.
//!
//! Handlers hold no policy and no state: they ask the dialect and the world. They never wait either; anything that
//! takes time is an effect of the engine.

mod call;
mod route;

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::str::FromStr;
use std::sync::LazyLock;

use axum::BoxError;
use axum::body::HttpBody;
use axum::http::request::Parts;
use axum::http::{Method, Request};
use axum::response::Response;
use bytes::Bytes;
use matchit::Params;
use percent_encoding::percent_decode_str;

pub(super) use self::call::Call;
use self::route::Operation;
pub(super) use self::route::Route;
use super::auth::{self, SignedIn};
use super::response_future::{ResponseFuture, at_once, later};
use super::traffic::{self, Unassignable};
use super::{AbortHandle, asked_path, reply, signalwire, twilio};
use crate::dialect::error::{ApiError, Reason};
use crate::emulator::{NoWorld, Registry};
use crate::model::account::Dialect;
use crate::model::sid::AccountSid;

/// Where the resources of an account begin, in both dialects.
const ACCOUNTS: &str = "/2010-04-01/Accounts/";

/// The routes of one dialect. They are matched here and not by axum, whose handlers are boxed futures: these are plain
/// functions, so most calls are answered without a future.
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

/// Answers a request whose path is one of these APIs'; any other request is handed back. A call that need not wait is
/// answered without a future.
pub(super) fn answer<B>(
    registry: &Registry,
    request: Request<B>,
    connection: &AbortHandle,
) -> ControlFlow<ResponseFuture, Request<B>>
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let (parts, body) = request.into_parts();
    let dialect = dialect_of(&parts);
    let Ok(found) = routes_of(dialect).at(parts.uri.path()) else {
        return ControlFlow::Continue(Request::from_parts(parts, body));
    };
    let params = PathParams(found.params);
    let refuse = |why, error| ControlFlow::Break(at_once(traffic::refuse(registry, &parts, why, &error)));
    if let Some(account) = params.account().flatten().filter(|account| Dialect::of(*account) != dialect) {
        let why = Unassignable { account: Some(account), reason: NoWorld::OtherDialect };
        return refuse(why, ApiError::new(Reason::NotFound, elsewhere(account)));
    }
    let Some(operation) = found.value.operation(&parts.method) else {
        let response = reply::wrong_method(&parts, found.value.methods());
        let why = Unassignable { account: params.account().flatten(), reason: NoWorld::WrongMethod };
        let code = dialect.status_and_code(Reason::MethodNotAllowed).1;
        traffic::note(registry, &parts, why, (response.status().as_u16(), Some(code)));
        return ControlFlow::Break(at_once(response));
    };
    let signed_in = match auth::sign_in(registry, &parts, params.account(), operation.area) {
        Ok(signed_in) => signed_in,
        Err((why, error)) => return refuse(why, error),
    };
    // A body must be read and a rule may delay: both need a future, and the common GET does not.
    if parts.method == Method::POST || signed_in.has_api_rules() {
        let (registry, connection) = (registry.clone(), connection.clone());
        return ControlFlow::Break(later(async move {
            answer_later(&registry, &signed_in, &parts, operation, body, &connection).await
        }));
    }
    let admitted = auth::admit(&signed_in, operation.area, operation.action);
    let call = Call::of(registry, &signed_in, &parts, &params, Bytes::new());
    let admitted = admitted.map_err(|refusal| call.refused(&refusal));
    ControlFlow::Break(at_once(call.answered(admitted.and_then(|()| (operation.handler)(&call)))))
}

/// Answers a call that has a body to read, or that a tester's rule may delay, refuse or reset.
async fn answer_later<B>(
    registry: &Registry,
    signed_in: &SignedIn,
    parts: &Parts,
    operation: Operation,
    body: B,
    connection: &AbortHandle,
) -> Response
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    // Matched again: parameters borrow from the request, which has moved since the first match.
    let params = || {
        let found = routes_of(dialect_of(parts)).at(parts.uri.path());
        PathParams(found.expect("it is a call of these APIs").params)
    };
    if let Some((response, code)) = auth::otherwise(registry, signed_in, parts, connection).await {
        Call::of(registry, signed_in, parts, &params(), Bytes::new()).note(response.status(), code);
        return response;
    }
    let body = match auth::admit(signed_in, operation.area, operation.action) {
        Ok(()) if parts.method == Method::POST => reply::form_body(body, registry.budget()).await,
        admitted => admitted.map(|()| Bytes::new()).map_err(|refusal| ApiError::refused(&refusal, asked_path(parts))),
    };
    let (body, error) = body.map_or_else(|error| (Bytes::new(), Some(error)), |body| (body, None));
    // Letting other connections go first costs less than a thread asleep at the world's lock.
    signed_in.world().quiet().await;
    let params = params();
    let call = Call::of(registry, signed_in, parts, &params, body);
    call.answered(error.map_or_else(|| (operation.handler)(&call), Err))
}

/// Returns the dialect of a request: SignalWire's if the path is below one of its roots or names a project, else
/// Twilio's.
pub(super) fn dialect_of(parts: &Parts) -> Dialect {
    let path = asked_path(parts);
    let below = |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let account = || path.strip_prefix(ACCOUNTS)?.split(['/', '.']).next()?.parse::<AccountSid>().ok();
    if signalwire::ROOTS.iter().any(|root| below(root)) {
        return Dialect::SignalWire;
    }
    // Only the credential tells whose list of accounts it is.
    let named = if path.trim_end_matches(".json") == ACCOUNTS.trim_end_matches('/') {
        auth::account_of(&parts.headers)
    } else {
        account()
    };
    named.map_or(Dialect::Twilio, Dialect::of)
}

/// Returns the error for a path that a client of the other dialect would ask for: Twilio's 2010-04-01 API never had
/// faxes nor bins, and SignalWire's has no v1.
pub(super) fn hint(parts: &Parts) -> Option<ApiError> {
    if dialect_of(parts) != Dialect::Twilio || SIGNALWIRE.at(parts.uri.path()).is_err() {
        return None;
    }
    let message = if asked_path(parts).contains("/Faxes") {
        "Twilio's Fax API is at /v1/Faxes; below /2010-04-01/Accounts only SignalWire's projects have Faxes, and a \
         project's id is a UUID"
    } else {
        "only SignalWire's projects have it, and a project's id is a UUID"
    };
    Some(ApiError::new(
        Reason::NotFound,
        format!("The requested resource {} was not found: {message}", asked_path(parts)),
    ))
}

/// Tells the client of an account where the APIs of its dialect are.
pub(super) fn elsewhere(account: AccountSid) -> String {
    match Dialect::of(account) {
        Dialect::Twilio => format!(
            "{account} is a Twilio account; its faxes are at /v1/Faxes, its other resources at {ACCOUNTS}{account}"
        ),
        Dialect::SignalWire => format!(
            "{account} is a SignalWire project; its resources are at {}, those of faxes too",
            crate::dialect::signalwire::account_path(account)
        ),
    }
}

/// The named parts of a path, as matched by its route.
pub(super) struct PathParams<'a>(Params<'static, 'a>);

impl PathParams<'_> {
    /// Returns the account in the path: `None` if the path has none, `Some(None)` if that part is not an AccountSid.
    fn account(&self) -> Option<Option<AccountSid>> {
        self.0.get("account").map(|_| self.parse("account"))
    }

    /// Returns a part of the path, percent-decoded; `None` if there is no such part, or it isn't UTF-8.
    fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        percent_decode_str(self.0.get(name)?).decode_utf8().ok()
    }

    /// Parses a part of the path; `None` if it is missing or malformed.
    pub(super) fn parse<T: FromStr>(&self, name: &str) -> Option<T> {
        self.text(name)?.parse().ok()
    }
}

#[cfg(test)]
#[path = "../twilio_tests.rs"]
mod tests;
