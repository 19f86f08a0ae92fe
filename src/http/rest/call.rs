//! A REST call whose client has signed in: the data and functions with which its handler reads and changes the world.

use std::borrow::Cow;
use std::cell::Cell;
use std::str::FromStr;
use std::sync::Arc;

use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use serde::Serialize;

use super::PathParams;
use crate::dialect::error::{ApiError, Reason};
use crate::dialect::form::Form;
use crate::dialect::parameter;
use crate::dialect::view::View;
use crate::emulator::{NoWorld, Registry, World};
use crate::engine::Engine;
use crate::engine::command::Command;
use crate::http::auth::SignedIn;
use crate::http::traffic::{self, Unassignable};
use crate::http::{asked_path, origin, reply};
use crate::model::account::{Dialect, PriceFormat};
use crate::model::refusal::Refusal;
use crate::model::sid::FaxSid;
use crate::model::time::Timestamp;
use crate::world::journal::ApiRequest;

/// The content type of the bodies that the REST APIs read.
const FORM: &str = "application/x-www-form-urlencoded";

/// A call whose client has signed in, with everything that a handler needs.
pub(in crate::http) struct Call<'a> {
    pub(in crate::http) registry: &'a Registry,
    /// The world that the path addresses.
    pub(in crate::http) world: &'a World,
    /// The dialect of the path, and thus of both worlds.
    dialect: Dialect,
    /// The world that the credential belongs to.
    pub(in crate::http) own: &'a World,
    pub(in crate::http) origin: Arc<str>,
    price: PriceFormat,
    pub(in crate::http) parts: &'a Parts,
    params: &'a PathParams<'a>,
    body: Bytes,
    /// Whether the call is already in the world's journal.
    is_noted: Cell<bool>,
}

impl<'a> Call<'a> {
    pub(in crate::http) fn of(
        registry: &'a Registry,
        signed_in: &'a SignedIn,
        parts: &'a Parts,
        params: &'a PathParams<'a>,
        body: Bytes,
    ) -> Self {
        let settings = registry.settings();
        let origin = origin(parts, settings.public_url.as_ref());
        signed_in.world().note_origin(&origin);
        Self {
            registry,
            world: signed_in.world(),
            dialect: Dialect::of(signed_in.own.sid()),
            own: &signed_in.own,
            origin,
            price: settings.price,
            parts,
            params,
            body,
            is_noted: Cell::new(false),
        }
    }

    /// Turns a handler's result into a response, and records the call in the journal unless the handler already has.
    pub(in crate::http) fn answered(&self, answer: Result<Response, ApiError>) -> Response {
        let answer = answer.map_err(|error| self.explained(error));
        let (response, code) = match answer {
            Ok(response) => (response, None),
            Err(error) => (reply::error_at(self.parts, &error), Some(error.code(self.dialect))),
        };
        if !self.is_noted.get() {
            self.note(response.status(), code);
        }
        if self.world.is_fresh() {
            // This world was created for one read of an unused account and disappears along with its journal, so the
            // call is also recorded among the requests that belong to no world.
            let why = Unassignable { account: Some(self.world.sid()), reason: NoWorld::NotCreated };
            traffic::note(self.registry, self.parts, why, (response.status().as_u16(), code));
        }
        response
    }

    /// Extends the error for a missing parameter with a hint if the body was not sent as a form.
    fn explained(&self, mut error: ApiError) -> ApiError {
        let is_missing = matches!(
            error.reason,
            Reason::Missing | Reason::ToMissing | Reason::FromMissing | Reason::RecipientMissing
        );
        let content_type = self.parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if let Some(content_type) = content_type.filter(|name| is_missing && !name.starts_with(FORM)) {
            let content_type = parameter::excerpt(content_type);
            error.message = format!("{} (send the body as {FORM}, not {content_type})", error.message);
        }
        error
    }

    /// Records the call in the world's journal.
    pub(in crate::http) fn note(&self, status: StatusCode, code: Option<u32>) {
        let asked = self.asked();
        self.world.read_and_note(|_, now| ((), asked.noted(now, status.as_u16(), code)));
    }

    fn asked(&self) -> Asked {
        let (method, path) = (traffic::name_of(&self.parts.method), traffic::target(self.parts));
        Asked { dialect: self.dialect, fax: self.params.parse("fax"), method, path }
    }

    /// Parses the query's parameters.
    pub(in crate::http) fn query(&self) -> Result<Form, ApiError> {
        reply::form(self.parts.uri.query().unwrap_or_default().as_bytes())
    }

    /// Parses the body's parameters.
    pub(in crate::http) fn form(&self) -> Result<Form, ApiError> {
        reply::form(&self.body)
    }

    /// Parses a part of the path; 404 if it is malformed, since no resource can have such a name.
    pub(in crate::http) fn part<T: FromStr>(&self, name: &str) -> Result<T, ApiError> {
        self.params.parse(name).ok_or_else(|| self.not_found())
    }

    pub(in crate::http) fn not_found(&self) -> ApiError {
        ApiError::not_found(asked_path(self.parts))
    }

    pub(in crate::http) fn refused(&self, refusal: &Refusal) -> ApiError {
        ApiError::refused(refusal, asked_path(self.parts), self.dialect)
    }

    /// Returns 200 with a view of the world.
    pub(in crate::http) fn show<T: Serialize>(
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
    pub(in crate::http) fn change<T: Serialize>(
        &'a self,
        command: impl Command<Done = Result<(), Refusal>>,
        look: impl FnOnce(&Engine, &View<'a>) -> Result<T, Refusal>,
    ) -> Result<Response, ApiError> {
        self.change_if(|_| Ok(()), command, look)
    }

    /// Does the same as [`Call::change`], unless `check` refuses the change.
    pub(in crate::http) fn change_if<T: Serialize>(
        &'a self,
        check: impl FnOnce(&Engine) -> Result<(), Refusal>,
        command: impl Command<Done = Result<(), Refusal>>,
        look: impl FnOnce(&Engine, &View<'a>) -> Result<T, Refusal>,
    ) -> Result<Response, ApiError> {
        let changed = self.command(check, command, StatusCode::OK, |engine, view, ()| look(engine, view));
        changed.map(|shown| reply::ok(&shown))
    }

    /// Creates a resource in the world; returns 201 with a view of it.
    pub(in crate::http) fn create<D, T: Serialize>(
        &'a self,
        command: impl Command<Done = Result<D, Refusal>>,
        look: impl FnOnce(&Engine, &View<'a>, D) -> Result<T, Refusal>,
    ) -> Result<Response, ApiError> {
        self.command(|_| Ok(()), command, StatusCode::CREATED, look).map(|created| reply::created(&created))
    }

    /// Deletes a resource from the world; returns 204.
    pub(in crate::http) fn delete(
        &'a self,
        command: impl Command<Done = Result<(), Refusal>>,
    ) -> Result<Response, ApiError> {
        self.command(|_| Ok(()), command, StatusCode::NO_CONTENT, |_, _, _| Ok(())).map(|()| reply::no_content())
    }

    /// Changes the world, views the result and records the call under one lock, so that in the journal no other entry
    /// comes between the change and the call.
    fn command<C, D, T>(
        &'a self,
        check: impl FnOnce(&Engine) -> Result<(), Refusal>,
        command: C,
        status: StatusCode,
        look: impl FnOnce(&Engine, &View<'a>, D) -> Result<T, Refusal>,
    ) -> Result<T, ApiError>
    where
        C: Command<Done = Result<D, Refusal>>,
    {
        let mut asked = self.asked();
        let shown = self.world.handle_checked_and_note(check, command, |engine, done, now| {
            // The path of a call that creates a fax names no fax, so the created one is recorded.
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

/// A request as the journal will record it, while its response is not known yet.
struct Asked {
    dialect: Dialect,
    fax: Option<FaxSid>,
    method: Cow<'static, str>,
    path: Box<str>,
}

impl Asked {
    /// Adds the outcome: the status and code of the error or, without an error, `status`.
    pub(in crate::http) fn answered(self, at: Timestamp, status: StatusCode, error: Option<&ApiError>) -> ApiRequest {
        let (status, code) =
            error.map_or((status.as_u16(), None), |error| (error.status(self.dialect), Some(error.code(self.dialect))));
        self.noted(at, status, code)
    }

    fn noted(self, at: Timestamp, status: u16, code: Option<u32>) -> ApiRequest {
        let Self { fax, method, path, .. } = self;
        ApiRequest { at, fax, method, path, status, code }
    }
}
