//! Twilio's REST APIs: which call a request is, who makes it, and what it is answered. No rule and no state lives here.
//!
//! A request's path finds its route, its credential a world; then the call's handler asks the dialect and the world. No
//! handler waits: what takes time is an effect.

mod accounts;
mod alerts;
mod applications;
mod available;
mod caller_ids;
mod faxes;
mod keys;
mod numbers;

use std::borrow::Cow;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use axum::BoxError;
use axum::body::HttpBody;
use axum::http::request::Parts;
use axum::http::{Method, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use matchit::Params;
use percent_encoding::percent_decode_str;

use super::auth::{self, SignedIn};
use super::reply::{self, Answer};
use super::{asked_path, asked_target, origin};
use crate::dialect::error::ApiError;
use crate::dialect::form::Form;
use crate::dialect::twilio::View;
use crate::emulator::{Emulator, World};
use crate::engine::Engine;
use crate::engine::input::{Command, Input, Reply};
use crate::engine::journal::EventKind;
use crate::model::account::PriceForm;
use crate::model::refusal::Refusal;
use crate::model::sid::AccountSid;
use crate::model::time::Timestamp;

/// So much of a target is journaled; real ones are shorter.
const TARGET_LEN_MAX: usize = 2_048;

/// All calls of `fax.twilio.com`, `api.twilio.com` and `monitor.twilio.com`.
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

/// What a call does: it looks at worlds or changes them, and never waits.
type Handler = fn(&Call<'_>) -> Result<Answer, ApiError>;

/// A path, with the handler of each method that it takes.
struct Route {
    path: &'static str,
    get: Option<Handler>,
    post: Option<Handler>,
    delete: Option<Handler>,
}

impl Route {
    const fn at(path: &'static str) -> Self {
        Self { path, get: None, post: None, delete: None }
    }

    const fn get(self, handler: Handler) -> Self {
        Self { get: Some(handler), ..self }
    }

    const fn post(self, handler: Handler) -> Self {
        Self { post: Some(handler), ..self }
    }

    const fn delete(self, handler: Handler) -> Self {
        Self { delete: Some(handler), ..self }
    }

    /// The handler of a method; HEAD goes with GET, and its body stays here.
    fn handler(&self, method: &Method) -> Option<Handler> {
        match *method {
            Method::GET | Method::HEAD => self.get,
            Method::POST => self.post,
            Method::DELETE => self.delete,
            _ => None,
        }
    }

    /// The methods that it takes, as `Allow` lists them.
    fn methods(&self) -> String {
        let methods = [("GET,HEAD", self.get), ("POST", self.post), ("DELETE", self.delete)];
        let taken = methods.into_iter().filter_map(|(name, handler)| handler.map(|_| name));
        taken.collect::<Vec<_>>().join(",")
    }
}

/// Whether there is a call at this path.
pub(super) fn has(path: &str) -> bool {
    ROUTES.at(path).is_ok()
}

/// Answers a request whose path is that of a call.
pub(super) async fn answer<B>(emulator: Emulator, request: Request<B>) -> Response
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let (parts, body) = request.into_parts();
    let found = ROUTES.at(parts.uri.path()).expect("it is a call of these APIs");
    let Some(handler) = found.value.handler(&parts.method) else {
        return reply::wrong_method(&parts, found.value.methods());
    };
    let params = PathParams(found.params);
    let signed_in = match auth::sign_in(&emulator, &parts, params.account()) {
        Ok(signed_in) => signed_in,
        Err(error) => return error.into_response(),
    };
    let (response, fax, code) = match auth::otherwise(&emulator, &signed_in, &parts).await {
        Some((response, code)) => (response, None, code),
        None => match handle(handler, &emulator, &signed_in, &parts, &params, body).await {
            Ok(answer) => (answer.response, answer.fax, None),
            Err(error) => {
                let code = error.code;
                (error.into_response(), None, Some(code))
            }
        },
    };
    let method = parts.method.as_str().into();
    let path = asked_target(&parts).path_and_query().map_or("", |target| target.as_str());
    // A target is ASCII, so every place in it is a border between characters.
    let path = path.get(..TARGET_LEN_MAX).unwrap_or(path).into();
    let status = response.status().as_u16();
    signed_in.world().note(params.parse("fax").or(fax), EventKind::ApiRequest { method, path, status, code });
    response
}

/// Has a call done that its tester lets be done.
async fn handle<B>(
    handler: Handler,
    emulator: &Emulator,
    signed_in: &SignedIn,
    parts: &Parts,
    params: &PathParams<'_>,
    body: B,
) -> Result<Answer, ApiError>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    auth::admit(signed_in, parts)?;
    let body = if parts.method == Method::POST { reply::form_body(body).await? } else { Bytes::new() };
    let settings = emulator.settings();
    handler(&Call {
        emulator,
        world: signed_in.world(),
        own: &signed_in.own,
        origin: origin(parts, settings.public_url.as_ref()),
        price: settings.price,
        path: asked_path(parts),
        params,
        query: parts.uri.query().unwrap_or_default(),
        body,
    })
}

/// The named parts of a path.
struct PathParams<'a>(Params<'static, 'a>);

impl PathParams<'_> {
    /// The account that the path names, if it names one; none inside where it is no AccountSid.
    fn account(&self) -> Option<Option<AccountSid>> {
        self.0.get("account").map(|_| self.parse("account"))
    }

    /// A part, if there is one of this name; one that is not UTF-8 names nothing that exists.
    fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        percent_decode_str(self.0.get(name)?).decode_utf8().ok()
    }

    /// A part, if it is there and well-formed.
    fn parse<T: FromStr>(&self, name: &str) -> Option<T> {
        self.text(name)?.parse().ok()
    }
}

/// A call that was let in.
struct Call<'a> {
    emulator: &'a Emulator,
    /// The world that is addressed.
    world: &'a World,
    /// The world of the credential.
    own: &'a World,
    origin: Arc<str>,
    price: PriceForm,
    path: &'a str,
    params: &'a PathParams<'a>,
    query: &'a str,
    body: Bytes,
}

impl Call<'_> {
    /// The query's parameters.
    fn query(&self) -> Result<Form, ApiError> {
        reply::form(self.query.as_bytes())
    }

    /// The body's parameters.
    fn form(&self) -> Result<Form, ApiError> {
        reply::form(&self.body)
    }

    /// A part of the path; what is not well-formed names nothing that exists.
    fn part<T: FromStr>(&self, name: &str) -> Result<T, ApiError> {
        self.params.parse(name).ok_or_else(|| self.not_found())
    }

    fn not_found(&self) -> ApiError {
        ApiError::not_found(self.path)
    }

    /// Looks at the world.
    fn read<T>(&self, look: impl FnOnce(&Engine, &View<'_>) -> Result<T, Refusal>) -> Result<T, ApiError> {
        let shown = self.world.read_now(|engine, now| look(engine, &self.view(now)));
        shown.map_err(|refusal| ApiError::refused(&refusal, self.path))
    }

    /// Changes the world and looks at what came of it.
    fn command<T>(
        &self,
        command: Command,
        look: impl FnOnce(&Engine, &View<'_>, &Reply) -> Result<T, Refusal>,
    ) -> Result<T, ApiError> {
        let shown = self
            .world
            .handle_and_look(Input::Command(command), |engine, reply, now| look(engine, &self.view(now), reply));
        shown.map_err(|refusal| ApiError::refused(&refusal, self.path))
    }

    fn view(&self, now: Timestamp) -> View<'_> {
        let (account, signing_key) = (self.world.sid(), self.world.signing_key());
        View { account, origin: &self.origin, now, signing_key, price: self.price }
    }
}

#[cfg(test)]
#[path = "../twilio_tests.rs"]
mod tests;
