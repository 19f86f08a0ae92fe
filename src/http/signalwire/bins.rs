//! A project's `LamlBins`. `http/bins.rs` serves their contents.

use super::{Call, Route};
use crate::dialect::error::ApiError;
use crate::dialect::signalwire::bins::{self, BinList, BinResource};
use crate::dialect::view::View;
use crate::engine::Engine;
use crate::engine::admission::Area;
use crate::engine::input::{DeleteTwimlBin, UpdateTwimlBin};
use crate::http::reply::Reply;
use crate::model::refusal::Refusal;
use crate::model::sid::TwimlBinSid;

pub(super) const ROUTES: &[Route] = &[
    Route::at("/2010-04-01/Accounts/{account}/LamlBins", Area::Applications).read(list).create(create),
    Route::at("/2010-04-01/Accounts/{account}/LamlBins/{bin}", Area::Applications)
        .read(fetch)
        .update(update)
        .delete(delete),
];

fn list(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (name, request) = bins::list_bins(&call.query()?)?;
    call.show(|engine, view| {
        let shown = engine.twiml_bins().filter(|bin| name.as_deref().is_none_or(|name| *name == *bin.name));
        Ok(BinList::of(&request.cut(shown, |bin| bin.ordinal), &request, view))
    })
}

fn create(call: &Call<'_>) -> Result<Reply, ApiError> {
    call.create(bins::create_bin(&call.form()?)?, show)
}

fn fetch(call: &Call<'_>) -> Result<Reply, ApiError> {
    let sid = call.part("bin")?;
    call.show(|engine, view| show(engine, view, sid))
}

fn update(call: &Call<'_>) -> Result<Reply, ApiError> {
    let sid = call.part("bin")?;
    let command = UpdateTwimlBin(sid, bins::update_bin(&call.form()?)?);
    call.change(command, |engine, view| show(engine, view, sid))
}

fn delete(call: &Call<'_>) -> Result<Reply, ApiError> {
    call.delete(DeleteTwimlBin(call.part("bin")?))
}

fn show(engine: &Engine, view: &View<'_>, sid: TwimlBinSid) -> Result<BinResource, Refusal> {
    engine.twiml_bin(sid).map(|bin| BinResource::of(bin, view))
}
