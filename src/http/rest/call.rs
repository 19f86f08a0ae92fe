//! A REST call whose client has signed in: the data and functions with which its handler reads and changes the world.

use std::borrow::Cow;
use std::cell::Cell;
use std::str::FromStr;
use std::sync::Arc;

use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
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
use crate::http::reply::{self, Reply};
use crate::http::traffic::{self, Arrived, ResponseRecord, Unassignable};
use crate::http::{asked_path, origin};
use crate::model::account::{Dialect, PriceFormat};
use crate::model::refusal::Refusal;
use crate::model::sid::FaxSid;
use crate::model::time::Timestamp;
use crate::world::journal::{ApiRequest, Excerpt, RequestedService};

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
    arrived: Arrived,
    params: &'a PathParams<'a>,
    body: Bytes,
    /// Whether the call is already in the world's journal.
    is_noted: Cell<bool>,
}

impl<'a> Call<'a> {
    pub(in crate::http) fn of(
        registry: &'a Registry,
        signed_in: &'a SignedIn,
        (parts, arrived): (&'a Parts, Arrived),
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
            arrived,
            params,
            body,
            is_noted: Cell::new(false),
        }
    }

    /// Turns a handler's result into a response, and records the call in the journal unless the handler already has.
    pub(in crate::http) fn answered(&self, answer: Result<Reply, ApiError>) -> Response {
        let answer = answer.map_err(|error| self.explained(error));
        if !self.is_noted.get() {
            self.note(self.described(&answer));
        }
        if self.world.is_fresh() {
            // This world was created for one read of an unused account and disappears along with its journal, so the
            // call is also recorded among the requests that belong to no world.
            let why = Unassignable { account: Some(self.world.sid()), reason: NoWorld::NotCreated };
            traffic::note(
                self.registry,
                (self.parts, self.arrived),
                RequestedService::Rest,
                why,
                self.described(&answer),
            );
        }
        answer.map_or_else(|error| reply::error_at(self.parts, &error), Reply::into_response)
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
    pub(in crate::http) fn note(&self, answered: ResponseRecord) {
        let asked = self.asked();
        self.world.read_and_note(|_, now| ((), self.noted(asked, now, answered)));
    }

    fn asked(&self) -> Asked {
        let (method, path) = (traffic::name_of(&self.parts.method), traffic::target(self.parts));
        Asked { fax: self.params.parse("fax"), method, path, form: Excerpt::of(&self.body) }
    }

    /// Returns the call as the journal records it.
    fn noted(&self, asked: Asked, at: Timestamp, answered: ResponseRecord) -> ApiRequest {
        let Asked { fax, method, path, form } = asked;
        let ResponseRecord { status, code, body: response, is_reset, rule } = answered;
        let (service, duration) = (RequestedService::Rest, self.arrived.elapsed(self.registry));
        ApiRequest {
            service,
            at,
            fax,
            method,
            path,
            status,
            code,
            form,
            response,
            duration,
            is_reset,
            rule,
            no_world: None,
            named: None,
        }
    }

    /// Describes the response to a handler's result.
    fn described(&self, result: &Result<Reply, ApiError>) -> ResponseRecord {
        match result {
            Ok(reply) => ResponseRecord::usual(reply.status.as_u16(), None, Excerpt::of(&reply.body)),
            Err(error) => ResponseRecord::with(self.parts, error),
        }
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

    /// Returns 200 with what `look` reads from the world.
    pub(in crate::http) fn show<T: Serialize>(
        &'a self,
        look: impl FnOnce(&Engine, &View<'a>) -> Result<T, Refusal>,
    ) -> Result<Reply, ApiError> {
        let shown = self.world.read_now(|engine, now| look(engine, &self.view(now)));
        // A read changes nothing, so its result may be turned into JSON after the world is unlocked. `answered` records
        // the call.
        shown.map(|shown| reply::ok(&shown)).map_err(|refusal| self.refused(&refusal))
    }

    /// Changes the world; returns 200 with what `look` then reads from it.
    pub(in crate::http) fn change<T: Serialize>(
        &'a self,
        command: impl Command<Done = Result<(), Refusal>>,
        look: impl FnOnce(&Engine, &View<'a>) -> Result<T, Refusal>,
    ) -> Result<Reply, ApiError> {
        self.change_if(|_| Ok(()), command, look)
    }

    /// Does the same as [`Call::change`], unless `check` refuses the change.
    pub(in crate::http) fn change_if<T: Serialize>(
        &'a self,
        check: impl FnOnce(&Engine) -> Result<(), Refusal>,
        command: impl Command<Done = Result<(), Refusal>>,
        look: impl FnOnce(&Engine, &View<'a>) -> Result<T, Refusal>,
    ) -> Result<Reply, ApiError> {
        self.command(check, command, |engine, view, ()| look(engine, view).map(|shown| reply::ok(&shown)))
    }

    /// Creates a resource in the world; returns 201 with a view of it.
    pub(in crate::http) fn create<D, T: Serialize>(
        &'a self,
        command: impl Command<Done = Result<D, Refusal>>,
        look: impl FnOnce(&Engine, &View<'a>, D) -> Result<T, Refusal>,
    ) -> Result<Reply, ApiError> {
        self.command(
            |_| Ok(()),
            command,
            |engine, view, done| look(engine, view, done).map(|created| reply::created(&created)),
        )
    }

    /// Deletes a resource from the world; returns 204.
    pub(in crate::http) fn delete(
        &'a self,
        command: impl Command<Done = Result<(), Refusal>>,
    ) -> Result<Reply, ApiError> {
        self.command(|_| Ok(()), command, |_, _, ()| Ok(reply::no_content()))
    }

    /// Changes the world, views the result and records the call under one lock, so that no other entry comes between
    /// the change and the call in the journal. The view is turned into JSON under the lock, too, because the record
    /// contains the response.
    fn command<C, D>(
        &'a self,
        check: impl FnOnce(&Engine) -> Result<(), Refusal>,
        command: C,
        look: impl FnOnce(&Engine, &View<'a>, D) -> Result<Reply, Refusal>,
    ) -> Result<Reply, ApiError>
    where
        C: Command<Done = Result<D, Refusal>>,
    {
        let mut asked = self.asked();
        let shown = self.world.handle_checked_and_note(check, command, |engine, done, now| {
            // The path of a call that creates a fax names no fax, so the created one is recorded.
            asked.fax = C::created(&done).or(asked.fax);
            let shown = done.and_then(|done| look(engine, &self.view(now), done));
            let shown = shown.map_err(|refusal| self.refused(&refusal));
            let answered = self.described(&shown);
            (shown, self.noted(asked, now, answered))
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
    fax: Option<FaxSid>,
    method: Cow<'static, str>,
    path: Box<str>,
    form: Excerpt,
}
