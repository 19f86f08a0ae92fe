//! A project's `LamlBins`, and `/laml-bins/{id}`, where anyone may read a bin without a credential. The emulator reads
//! its own bins within the process (`io/own.rs`).

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::get;

use super::{Call, Route};
use crate::dialect::error::ApiError;
use crate::dialect::signalwire::bins::{self, BinList, BinResource, CONTENT_TYPE, bin_at};
use crate::dialect::view::View;
use crate::emulator::{NoWorld, Registry};
use crate::engine::Engine;
use crate::engine::admission::Area;
use crate::engine::input::{DeleteTwimlBin, ServeTwimlBin, UpdateTwimlBin};
use crate::http::asked_path;
use crate::http::reply;
use crate::http::traffic::{self, Unassignable};
use crate::model::account::Dialect;
use crate::model::refusal::Refusal;
use crate::model::sid::TwimlBinSid;
use crate::world::journal::ApiRequest;

pub(super) const ROUTES: &[Route] = &[
    Route::at("/2010-04-01/Accounts/{account}/LamlBins", Area::Applications).read(list).create(create),
    Route::at("/2010-04-01/Accounts/{account}/LamlBins/{bin}", Area::Applications)
        .read(fetch)
        .update(update)
        .delete(delete),
];

/// Returns the route at which bins are served.
pub(in crate::http) fn served() -> Router<Registry> {
    Router::new().route("/laml-bins/{bin}", get(serve).post(serve))
}

fn list(call: &Call<'_>) -> Result<Response, ApiError> {
    let (name, request) = bins::list_bins(&call.query()?)?;
    call.show(|engine, view| {
        let shown = engine.twiml_bins().filter(|bin| name.as_deref().is_none_or(|name| *name == *bin.name));
        Ok(BinList::of(&request.cut(shown, |bin| bin.ordinal), &request, view))
    })
}

fn create(call: &Call<'_>) -> Result<Response, ApiError> {
    call.create(bins::create_bin(&call.form()?)?, show)
}

fn fetch(call: &Call<'_>) -> Result<Response, ApiError> {
    let sid = call.part("bin")?;
    call.show(|engine, view| show(engine, view, sid))
}

fn update(call: &Call<'_>) -> Result<Response, ApiError> {
    let sid = call.part("bin")?;
    let command = UpdateTwimlBin(sid, bins::update_bin(&call.form()?)?);
    call.change(command, |engine, view| show(engine, view, sid))
}

fn delete(call: &Call<'_>) -> Result<Response, ApiError> {
    call.delete(DeleteTwimlBin(call.part("bin")?))
}

fn show(engine: &Engine, view: &View<'_>, sid: TwimlBinSid) -> Result<BinResource, Refusal> {
    engine.twiml_bin(sid).map(|bin| BinResource::of(bin, view))
}

/// Serves a bin to anyone, ignoring the request's parameters.
async fn serve(State(registry): State<Registry>, parts: Parts) -> Response {
    let owner = bin_at(parts.uri.path()).and_then(|sid| Some((sid, registry.owner_of_bin(sid)?)));
    let Some((sid, world)) = owner else {
        let error = ApiError::not_found(asked_path(&parts));
        return traffic::refuse(&registry, &parts, Unassignable::because(NoWorld::UnknownPath), &error);
    };
    let (method, path) = (traffic::name_of(&parts.method), traffic::target(&parts));
    let served = world.handle_and_note(ServeTwimlBin(sid), |_, served, at| {
        let served = served.map_err(|refusal| ApiError::refused(&refusal, asked_path(&parts), Dialect::SignalWire));
        let (status, code) = served.as_ref().map_or_else(
            |error| (error.status(Dialect::SignalWire), Some(error.code(Dialect::SignalWire))),
            |_| (StatusCode::OK.as_u16(), None),
        );
        (served, ApiRequest { at, fax: None, method, path, status, code })
    });
    match served {
        Ok(contents) => {
            let mut response = Response::new(Body::from(Bytes::copy_from_slice(contents.as_bytes())));
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
            response
        }
        Err(error) => reply::error(Dialect::SignalWire, &error),
    }
}
