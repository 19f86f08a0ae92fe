//! A project's `Faxes` and their media. The engine decides which actions a fax allows; whether it can be canceled is
//! also up to `check_cancel`.

use std::sync::Arc;

use super::{Call, Route};
use crate::dialect::error::ApiError;
use crate::dialect::signalwire::faxes::{self, FaxList, FaxResource, MediaList, MediaResource};
use crate::dialect::twilio::faxes::{FaxUpdate, update_fax};
use crate::dialect::view::View;
use crate::engine::Engine;
use crate::engine::admission::Area;
use crate::engine::input::{CancelFax, DeleteFax, DeleteMedia};
use crate::http::reply::Reply;
use crate::model::refusal::Refusal;
use crate::model::sid::{FaxSid, MediaSid};

pub(super) const ROUTES: &[Route] = &[
    Route::at("/2010-04-01/Accounts/{account}/Faxes", Area::Faxes).read(list).create(create),
    Route::at("/2010-04-01/Accounts/{account}/Faxes/{fax}", Area::Faxes).read(fetch).update(update).delete(delete),
    Route::at("/2010-04-01/Accounts/{account}/Faxes/{fax}/Media", Area::Faxes).read(list_media),
    Route::at("/2010-04-01/Accounts/{account}/Faxes/{fax}/Media/{media}", Area::Faxes)
        .read(fetch_media)
        .delete(delete_media),
];

fn create(call: &Call<'_>) -> Result<Reply, ApiError> {
    let order = faxes::create_fax(&call.form()?, Arc::clone(&call.origin))?;
    call.create(order, show)
}

fn list(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (filter, request) = faxes::list_faxes(&call.query()?)?;
    call.show(|engine, view| {
        let page = engine.faxes(&filter, request.cursor(), request.size);
        Ok(FaxList::of(engine, &page, &request, view))
    })
}

fn fetch(call: &Call<'_>) -> Result<Reply, ApiError> {
    let sid = call.part("fax")?;
    call.show(|engine, view| show(engine, view, sid))
}

fn update(call: &Call<'_>) -> Result<Reply, ApiError> {
    let sid = call.part("fax")?;
    match update_fax(&call.form()?)? {
        FaxUpdate::Nothing => call.show(|engine, view| show(engine, view, sid)),
        FaxUpdate::Cancel => {
            let is_queued = |engine: &Engine| faxes::check_cancel(engine, sid);
            call.change_if(is_queued, CancelFax(sid), |engine, view| show(engine, view, sid))
        }
    }
}

fn delete(call: &Call<'_>) -> Result<Reply, ApiError> {
    call.delete(DeleteFax(call.part("fax")?))
}

fn list_media(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (sid, request) = (call.part("fax")?, faxes::list_media(&call.query()?)?);
    call.show(|engine, view| MediaList::find(engine, sid, &request, view.account))
}

fn fetch_media(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (sid, media): (FaxSid, MediaSid) = (call.part("fax")?, call.part("media")?);
    call.show(|engine, view| MediaResource::of(engine.media(sid, media)?, view.account).ok_or(Refusal::NoMedia(media)))
}

fn delete_media(call: &Call<'_>) -> Result<Reply, ApiError> {
    call.delete(DeleteMedia(call.part("fax")?, call.part("media")?))
}

fn show<'a>(engine: &Engine, view: &View<'a>, sid: FaxSid) -> Result<FaxResource<'a>, Refusal> {
    FaxResource::find(engine, sid, view)
}
