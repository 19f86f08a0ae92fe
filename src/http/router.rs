//! Routes all surfaces on one port by path, and answers requests that no route matches.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::panic::AssertUnwindSafe;
use std::task::{Context, Poll};

use axum::body::HttpBody;
use axum::extract::Request;
use axum::http::uri::{PathAndQuery, Uri};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{BoxError, Router};
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use tower::{Service, ServiceExt};

use super::control::Problem;
use super::dialects::dialect_of;
use super::guard::{self, Verdict};
use super::reply::ErrorForm;
use super::traffic::{self, Arrived, ResponseRecord, Unassignable};
use super::{
    AbortHandle, AskedTarget, CaFiles, Checks, ListenAddress, asked_path, bins, control, dispatch, media, reply,
};
use crate::dialect::error::ApiError;
use crate::dialect::signalwire;
use crate::emulator::{NoWorld, Registry};
use crate::io::own::{MCP_PATH, is_below};
use crate::world::journal::{Excerpt, RequestedService};

/// The root of the paths that may end in `.json`; Twilio's libraries write the suffix.
const SUFFIXED_ROOT: &str = "/2010-04-01/";
const SUFFIX: &str = ".json";

/// The service of a listener: the REST APIs, media, the control API and the console.
#[derive(Clone)]
pub struct App {
    registry: Registry,
    /// Everything but the REST APIs, which are routed in `dispatch`.
    pages: Router,
    /// The listener's address, which links contain if a request names no host.
    address: SocketAddr,
}

/// Returns the service of a listener at `address`.
#[must_use]
pub fn service(registry: Registry, address: SocketAddr) -> App {
    service_with(registry, address, None, &Checks::default())
}

/// Returns the same as [`service`], with the local CA's files at paths such as `/ca.pem`, and with runs of checks that
/// several listeners share.
#[must_use]
pub fn service_with(registry: Registry, address: SocketAddr, ca: Option<&CaFiles>, checks: &Checks) -> App {
    let pages = pages(&registry, address, ca, checks);
    App { registry, pages, address }
}

impl App {
    /// Adds the tools of the Model Context Protocol, which are routes at `/mcp`.
    #[must_use]
    pub fn with_tools(self, tools: Router) -> Self {
        Self { pages: self.pages.merge(tools), ..self }
    }

    /// Responds to a request. Through `connection`, a rule can reset the request's connection.
    pub async fn answer<B>(&self, request: Request<B>, connection: &AbortHandle) -> Response
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let arrived = Arrived::now(&self.registry);
        let (parts, body) = prepared(request, self.address).into_parts();
        let form = ErrorForm::at(&parts, dialect_of(&parts));
        let verdict = guard::judge(&parts, self.registry.settings());
        if let Verdict::Refuse(response, Some(error)) = &verdict {
            let (status, why) = (response.status().as_u16(), Unassignable::because(NoWorld::NotAllowed));
            let (code, body) = (Some(error.code(form.dialect)), Excerpt::of(&error.body(form.dialect)));
            let answered = ResponseRecord::usual(status, code, body);
            if status == StatusCode::MISDIRECTED_REQUEST.as_u16() {
                traffic::note_refused(&self.registry, (&parts, arrived), why, answered);
            } else {
                // A web page sent the request, so this isn't an app's mistake, and no page may fill an account's
                // journal.
                traffic::note(&self.registry, (&parts, arrived), RequestedService::Rest, why, answered);
            }
        }
        let request = Request::from_parts(parts, body);
        match verdict {
            Verdict::Pass => self.routed(form, request, arrived, connection).await,
            Verdict::PassTo(origin) => {
                guard::readable_by(self.routed(form, request, arrived, connection).await, &origin)
            }
            Verdict::Answer(response) | Verdict::Refuse(response, _) => response,
        }
    }

    /// Responds according to the request's route, and charges the response's bytes to the budget until they have been
    /// sent.
    async fn routed<B>(
        &self,
        form: ErrorForm,
        request: Request<B>,
        arrived: Arrived,
        connection: &AbortHandle,
    ) -> Response
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        // A panic in a world breaks that world, which logs it; the client still gets a response.
        let answered = AssertUnwindSafe(self.route(request, arrived, connection)).catch_unwind().await;
        reply::charged(form, answered.unwrap_or_else(|_| reply::fault(form)), self.registry.budget())
    }

    async fn route<B>(&self, request: Request<B>, arrived: Arrived, connection: &AbortHandle) -> Response
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        match dispatch::answer(&self.registry, request, arrived, connection).await {
            ControlFlow::Break(response) => response,
            ControlFlow::Continue(mut request) => {
                request.extensions_mut().insert(arrived);
                // axum's routers never fail.
                let Ok(response) = self.pages.clone().oneshot(request).await;
                response
            }
        }
    }
}

impl<B> Service<Request<B>> for App
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // Listeners that can reset a connection add a handle for it. With other listeners, the response is cut short
        // instead.
        let connection = request.extensions().get().cloned().unwrap_or_default();
        let app = self.clone();
        Box::pin(async move { Ok(app.answer(request, &connection).await) })
    }
}

/// Returns all routes except those of the REST APIs.
fn pages(registry: &Registry, address: SocketAddr, ca: Option<&CaFiles>, checks: &Checks) -> Router {
    let router = Router::new()
        .merge(media::routes())
        .merge(bins::routes())
        .with_state(registry.clone())
        .merge(control::router(registry.clone(), address, ca, checks));
    #[cfg(feature = "console")]
    let router = router.merge(super::console::router(registry));
    #[cfg(feature = "mcp")]
    let router = router.merge(super::docs::router(registry));
    let (of_paths, of_methods) = (registry.clone(), registry.clone());
    router
        .fallback(move |request: Request| ready(no_such_path(&of_paths, request)))
        .method_not_allowed_fallback(move |request: Request| ready(wrong_method(&of_methods, request)))
}

fn no_such_path(registry: &Registry, request: Request) -> Response {
    // A client of the Model Context Protocol needs to know where the protocol is served, not that a REST resource is
    // missing.
    if is_below(request.uri().path(), MCP_PATH) {
        let detail =
            "this emulator doesn't serve the Model Context Protocol here; start it with --mcp, and use the path /mcp";
        return Problem::new(404, "mcp-not-served", detail).into_response();
    }
    traffic::no_such_resource(registry, request)
}

fn prepared<B>(mut request: Request<B>, address: SocketAddr) -> Request<B> {
    // The address is needed only for links, and only if nothing else names a host.
    if !request.headers().contains_key(header::HOST) {
        request.extensions_mut().insert(ListenAddress(address));
    }
    rewrite(request)
}

// A route can't have a parameter and a suffix in one segment, so the suffix is removed before routing. The root of
// SignalWire's paths, which SignalWire's own libraries omit, is removed too.
fn rewrite<B>(mut request: Request<B>) -> Request<B> {
    let Some(rewritten) = rewritten(request.uri()) else { return request };
    let asked = std::mem::replace(request.uri_mut(), rewritten);
    request.extensions_mut().insert(AskedTarget(asked));
    request
}

fn rewritten(uri: &Uri) -> Option<Uri> {
    let rooted = uri.path().strip_prefix(signalwire::ROOT).filter(|path| path.starts_with(SUFFIXED_ROOT));
    let path = rooted.unwrap_or_else(|| uri.path());
    // Only the 2010-04-01 API has the suffix.
    let bare = path.strip_suffix(SUFFIX).filter(|path| path.starts_with(SUFFIXED_ROOT));
    let path = bare.or(rooted)?;
    let target = uri.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(target).ok()?);
    Uri::from_parts(parts).ok()
}

fn wrong_method(registry: &Registry, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let error = ApiError::method_not_allowed(parts.method.as_str(), asked_path(&parts));
    traffic::refuse(registry, (&parts, Arrived::of(&parts)), Unassignable::because(NoWorld::WrongMethod), &error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(uri: &str) -> Option<String> {
        rewritten(&uri.parse().unwrap()).map(|uri| uri.to_string())
    }

    #[test]
    fn the_suffix_is_removed_only_where_it_names_a_format() {
        assert_eq!(stripped("/2010-04-01/Accounts.json").as_deref(), Some("/2010-04-01/Accounts"));
        let with_query = stripped("/2010-04-01/Accounts/AC1/IncomingPhoneNumbers.json?PageSize=1&x=a.json");
        assert_eq!(with_query.as_deref(), Some("/2010-04-01/Accounts/AC1/IncomingPhoneNumbers?PageSize=1&x=a.json"));
        let absolute = stripped("https://api.twilio.com/2010-04-01/Accounts/AC1.json");
        assert_eq!(absolute.as_deref(), Some("https://api.twilio.com/2010-04-01/Accounts/AC1"));
        for rooted in ["/api/laml/2010-04-01/Accounts/p/Faxes", "/api/laml/2010-04-01/Accounts/p/Faxes.json"] {
            assert_eq!(stripped(rooted).as_deref(), Some("/2010-04-01/Accounts/p/Faxes"));
        }
        for kept in [
            "/v1/Faxes.json",
            "/_fauxfax/v1/openapi.json",
            "/2010-04-01/Accounts",
            "/2010-04-01.json",
            "/api/laml/x.json",
        ] {
            assert_eq!(stripped(kept), None, "{kept}");
        }
    }
}
