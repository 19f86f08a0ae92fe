//! Twilio's REST APIs: finds a request's route and signs its client in, then runs the call's handler and records the
//! call in the journal.
//!
//! Handlers hold no policy and no state: they ask the dialect and the world. They never wait either; anything that
//! takes time is an effect of the engine.

mod accounts;
mod alerts;
mod applications;
mod available;
mod caller_ids;
mod faxes;
mod keys;
mod numbers;

use std::borrow::Cow;
use std::cell::Cell;
use std::ops::ControlFlow;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use axum::BoxError;
use axum::body::HttpBody;
use axum::http::request::Parts;
use axum::http::{Method, Request, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use matchit::Params;
use percent_encoding::percent_decode_str;
use serde::Serialize;

use super::auth::{self, SignedIn};
use super::reply;
use super::traffic::{self, Unassignable};
use super::{AbortHandle, asked_path, origin};
use crate::dialect::error::{ApiError, CODE_METHOD_NOT_ALLOWED};
use crate::dialect::form::Form;
use crate::dialect::twilio::View;
use crate::emulator::{NoWorld, Registry, World};
use crate::engine::Engine;
use crate::engine::admission::{Action, Area};
use crate::engine::command::Command;
use crate::model::account::PriceForm;
use crate::model::refusal::Refusal;
use crate::model::sid::{AccountSid, FaxSid};
use crate::model::time::Timestamp;
use crate::world::journal::ApiRequest;

/// All calls of `fax.twilio.com`, `api.twilio.com` and `monitor.twilio.com`. They are routed here and not by axum,
/// whose handlers are boxed futures: these are plain functions.
static ROUTES: LazyLock<matchit::Router<&'static Route>> = LazyLock::new(|| {
    let mut router = matchit::Router::new();
    for route in [
        faxes::ROUTES,
        accounts::ROUTES,
        numbers::ROUTES,
        available::ROUTES,
        alerts::ROUTES,
        keys::ROUTES,
        caller_ids::ROUTES,
        applications::ROUTES,
    ]
    .into_iter()
    .flatten()
    {
        router.insert(route.path, route).expect("no two routes are the same");
    }
    router
});

/// A call's handler, which reads or changes worlds and never waits.
type Handler = fn(&Call<'_>) -> Result<Response, ApiError>;

/// A path, its area for admission, and the handler of each method that it has.
struct Route {
    path: &'static str,
    area: Area,
    get: Option<Handler>,
    post: Option<(Action, Handler)>,
    delete: Option<Handler>,
}

impl Route {
    const fn at(path: &'static str, area: Area) -> Self {
        Self { path, area, get: None, post: None, delete: None }
    }

    const fn read(self, handler: Handler) -> Self {
        Self { get: Some(handler), ..self }
    }

    const fn create(self, handler: Handler) -> Self {
        Self { post: Some((Action::Create, handler)), ..self }
    }

    const fn update(self, handler: Handler) -> Self {
        Self { post: Some((Action::Update, handler)), ..self }
    }

    const fn delete(self, handler: Handler) -> Self {
        Self { delete: Some(handler), ..self }
    }

    /// Returns what a method does. HEAD runs GET's handler; hyper leaves out the body.
    fn operation(&self, method: &Method) -> Option<Operation> {
        let (action, handler) = match *method {
            Method::GET | Method::HEAD => (Action::Read, self.get?),
            Method::POST => self.post?,
            Method::DELETE => (Action::Delete, self.delete?),
            _ => return None,
        };
        Some(Operation { area: self.area, action, handler })
    }

    /// Returns the methods that the path has, in the form of the `Allow` header.
    fn methods(&self) -> String {
        let methods =
            [("GET,HEAD", self.get.is_some()), ("POST", self.post.is_some()), ("DELETE", self.delete.is_some())];
        let taken = methods.into_iter().filter_map(|(name, is_taken)| is_taken.then_some(name));
        taken.collect::<Vec<_>>().join(",")
    }
}

/// What a call does, and the area that admission judges it by.
#[derive(Clone, Copy)]
struct Operation {
    area: Area,
    action: Action,
    handler: Handler,
}

/// Answers a request whose path is one of these APIs'; any other request is handed back.
pub(super) async fn answer<B>(
    registry: &Registry,
    request: Request<B>,
    connection: &AbortHandle,
) -> ControlFlow<Response, Request<B>>
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let (parts, body) = request.into_parts();
    let Ok(found) = ROUTES.at(parts.uri.path()) else { return ControlFlow::Continue(Request::from_parts(parts, body)) };
    let params = PathParams(found.params);
    let Some(operation) = found.value.operation(&parts.method) else {
        let response = reply::wrong_method(&parts, found.value.methods());
        let why = Unassignable { account: params.account().flatten(), reason: NoWorld::WrongMethod };
        traffic::note(registry, &parts, why, (response.status().as_u16(), Some(CODE_METHOD_NOT_ALLOWED)));
        return ControlFlow::Break(response);
    };
    let signed_in = match auth::sign_in(registry, &parts, params.account(), operation.area) {
        Ok(signed_in) => signed_in,
        Err((why, error)) => return ControlFlow::Break(traffic::refuse(registry, &parts, why, &error)),
    };
    // A tester's rule may delay, refuse or reset the call.
    if let Some((response, code)) = auth::otherwise(registry, &signed_in, &parts, connection).await {
        Call::of(registry, &signed_in, &parts, &params, Bytes::new()).note(response.status(), code);
        return ControlFlow::Break(response);
    }
    let body = match auth::admit(&signed_in, operation.area, operation.action) {
        Ok(()) if parts.method == Method::POST => reply::form_body(body, registry.budget()).await,
        admitted => admitted.map(|()| Bytes::new()).map_err(|refusal| ApiError::refused(&refusal, asked_path(&parts))),
    };
    let (body, error) = body.map_or_else(|error| (Bytes::new(), Some(error)), |body| (body, None));
    let call = Call::of(registry, &signed_in, &parts, &params, body);
    ControlFlow::Break(call.answered(error.map_or_else(|| (operation.handler)(&call), Err)))
}

/// The named parts of a path, as matched by its route.
struct PathParams<'a>(Params<'static, 'a>);

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
    fn parse<T: FromStr>(&self, name: &str) -> Option<T> {
        self.text(name)?.parse().ok()
    }
}

/// A call whose client has signed in, with all that a handler needs.
struct Call<'a> {
    registry: &'a Registry,
    /// The world that the path addresses.
    world: &'a World,
    /// The world that the credential belongs to.
    own: &'a World,
    origin: Arc<str>,
    price: PriceForm,
    parts: &'a Parts,
    params: &'a PathParams<'a>,
    body: Bytes,
    /// Whether the world's journal has the call already.
    is_noted: Cell<bool>,
}

impl<'a> Call<'a> {
    fn of(
        registry: &'a Registry,
        signed_in: &'a SignedIn,
        parts: &'a Parts,
        params: &'a PathParams<'a>,
        body: Bytes,
    ) -> Self {
        let settings = registry.settings();
        Self {
            registry,
            world: signed_in.world(),
            own: &signed_in.own,
            origin: origin(parts, settings.public_url.as_ref()),
            price: settings.price,
            parts,
            params,
            body,
            is_noted: Cell::new(false),
        }
    }

    /// Turns a handler's result into a response, and records the call in the journal unless the handler already has.
    fn answered(&self, answer: Result<Response, ApiError>) -> Response {
        let (response, code) = match answer {
            Ok(response) => (response, None),
            Err(error) => (reply::error(&error), Some(error.code)),
        };
        if !self.is_noted.get() {
            self.note(response.status(), code);
        }
        if self.world.is_fresh() {
            // This world was made up for one read of an unused account and disappears with its journal, so the call
            // is recorded here too.
            let why = Unassignable { account: Some(self.world.sid()), reason: NoWorld::NotCreated };
            traffic::note(self.registry, self.parts, why, (response.status().as_u16(), code));
        }
        response
    }

    /// Records the call in the world's journal.
    fn note(&self, status: StatusCode, code: Option<u32>) {
        let asked = self.asked();
        self.world.read_and_note(|_, now| ((), asked.noted(now, status.as_u16(), code)));
    }

    fn asked(&self) -> Asked {
        let (method, path) = (traffic::name_of(&self.parts.method), traffic::target(self.parts));
        Asked { fax: self.params.parse("fax"), method, path }
    }

    /// Parses the query's parameters.
    fn query(&self) -> Result<Form, ApiError> {
        reply::form(self.parts.uri.query().unwrap_or_default().as_bytes())
    }

    /// Parses the body's parameters.
    fn form(&self) -> Result<Form, ApiError> {
        reply::form(&self.body)
    }

    /// Parses a part of the path; 404 if it is malformed, as nothing can have such a name.
    fn part<T: FromStr>(&self, name: &str) -> Result<T, ApiError> {
        self.params.parse(name).ok_or_else(|| self.not_found())
    }

    fn not_found(&self) -> ApiError {
        ApiError::not_found(asked_path(self.parts))
    }

    fn refused(&self, refusal: &Refusal) -> ApiError {
        ApiError::refused(refusal, asked_path(self.parts))
    }

    /// Returns 200 with a view of the world.
    fn show<T: Serialize>(
        &'a self,
        look: impl FnOnce(&Engine, &View<'a>) -> Result<T, Refusal>,
    ) -> Result<Response, ApiError> {
        let asked = self.asked();
        let shown = self.world.read_and_note(|engine, now| {
            let shown = look(engine, &self.view(now)).map_err(|refusal| self.refused(&refusal));
            let request = asked.answered(now, StatusCode::OK, shown.as_ref().err());
            (shown, request)
        });
        self.is_noted.set(true);
        shown.map(|shown| reply::ok(&shown))
    }

    /// Changes the world; returns 200 with a view of the result.
    fn change<T: Serialize>(
        &'a self,
        command: impl Command<Done = Result<(), Refusal>>,
        look: impl FnOnce(&Engine, &View<'a>) -> Result<T, Refusal>,
    ) -> Result<Response, ApiError> {
        let changed = self.command(command, StatusCode::OK, |engine, view, _| look(engine, view));
        changed.map(|shown| reply::ok(&shown))
    }

    /// Creates something in the world; returns 201 with a view of it.
    fn create<D, T: Serialize>(
        &'a self,
        command: impl Command<Done = Result<D, Refusal>>,
        look: impl FnOnce(&Engine, &View<'a>, D) -> Result<T, Refusal>,
    ) -> Result<Response, ApiError> {
        self.command(command, StatusCode::CREATED, look).map(|created| reply::created(&created))
    }

    /// Deletes something from the world; returns 204.
    fn delete(&'a self, command: impl Command<Done = Result<(), Refusal>>) -> Result<Response, ApiError> {
        self.command(command, StatusCode::NO_CONTENT, |_, _, _| Ok(())).map(|()| reply::no_content())
    }

    /// Changes the world, views the result and records the call under one lock, so that nothing comes between them in
    /// the journal.
    fn command<C, D, T>(
        &'a self,
        command: C,
        status: StatusCode,
        look: impl FnOnce(&Engine, &View<'a>, D) -> Result<T, Refusal>,
    ) -> Result<T, ApiError>
    where
        C: Command<Done = Result<D, Refusal>>,
    {
        let mut asked = self.asked();
        let shown = self.world.handle_and_note(command, |engine, done, now| {
            asked.fax = C::created(&done).or(asked.fax);
            let shown = done.and_then(|done| look(engine, &self.view(now), done));
            let shown = shown.map_err(|refusal| self.refused(&refusal));
            let request = asked.answered(now, status, shown.as_ref().err());
            (shown, request)
        });
        self.is_noted.set(true);
        shown
    }

    fn view(&self, now: Timestamp) -> View<'_> {
        let (account, signing_key) = (self.world.sid(), self.world.signing_key());
        View { account, origin: &self.origin, now, signing_key, price: self.price }
    }
}

/// The request as the journal records it, before its response is known.
struct Asked {
    fax: Option<FaxSid>,
    method: Cow<'static, str>,
    path: Box<str>,
}

impl Asked {
    /// Adds the response: `status`, or that of the error.
    fn answered(self, at: Timestamp, status: StatusCode, error: Option<&ApiError>) -> ApiRequest {
        let (status, code) = error.map_or((status.as_u16(), None), |error| (error.status, Some(error.code)));
        self.noted(at, status, code)
    }

    fn noted(self, at: Timestamp, status: u16, code: Option<u32>) -> ApiRequest {
        let Self { fax, method, path } = self;
        ApiRequest { at, fax, method, path, status, code }
    }
}

#[cfg(test)]
#[path = "../twilio_tests.rs"]
mod tests;
