//! `/v1/Faxes` and the media of faxes. The engine decides which actions a fax allows.

use std::sync::Arc;

use super::{Call, Route};
use crate::dialect::error::{ApiError, Reason};
use crate::dialect::twilio::faxes::{self, FaxList, FaxResource, FaxUpdate, MediaList, MediaResource};
use crate::dialect::view::View;
use crate::engine::Engine;
use crate::engine::admission::Area;
use crate::engine::input::{CancelFax, DeleteFax, DeleteMedia};
use crate::http::reply::Reply;
use crate::http::user_agent;
use crate::model::account::{Dialect, MediaUserAgent};
use crate::model::refusal::Refusal;
use crate::model::sid::{FaxSid, MediaSid};

pub(super) const ROUTES: &[Route] = &[
    Route::at("/v1/Faxes", Area::Faxes).read(list).create(create),
    Route::at("/v1/Faxes/{fax}", Area::Faxes).read(fetch).update(update).delete(delete),
    Route::at("/v1/Faxes/{fax}/Media", Area::Faxes).read(list_media),
    Route::at("/v1/Faxes/{fax}/Media/{media}", Area::Faxes).read(fetch_media).delete(delete_media),
];

fn create(call: &Call<'_>) -> Result<Reply, ApiError> {
    let order = faxes::create_fax(&call.form()?, Arc::clone(&call.origin))?;
    call.create(order, show)
}

fn list(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (filter, request) = faxes::list_faxes(&call.query()?)?;
    call.show(|engine, view| {
        let page = engine.faxes(&filter, request.cursor(), request.size);
        Ok(FaxList::of(&page, &request, view))
    })
}

fn fetch(call: &Call<'_>) -> Result<Reply, ApiError> {
    let sid = call.part("fax")?;
    call.show(|engine, view| show(engine, view, sid))
}

fn update(call: &Call<'_>) -> Result<Reply, ApiError> {
    let sid = call.part("fax")?;
    match faxes::update_fax(&call.form()?)? {
        FaxUpdate::Nothing => call.show(|engine, view| show(engine, view, sid)),
        FaxUpdate::Cancel => call.change(CancelFax(sid), |engine, view| show(engine, view, sid)),
    }
}

fn delete(call: &Call<'_>) -> Result<Reply, ApiError> {
    call.delete(DeleteFax(call.part("fax")?))
}

fn list_media(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (sid, request) = (call.part("fax")?, faxes::list_media(&call.query()?)?);
    call.show(|engine, view| MediaList::find(engine, sid, &request, view))
}

fn fetch_media(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (sid, media): (FaxSid, MediaSid) = (call.part("fax")?, call.part("media")?);
    let unnamed = !user_agent::is_named(&call.parts.headers);
    if unnamed && call.registry.settings().media_user_agent == MediaUserAgent::Required {
        let error = ApiError::new(Reason::Forbidden, user_agent::REFUSED);
        call.world.note(Some(sid), user_agent::refused(error.status(Dialect::Twilio)));
        return Err(error);
    }
    let shown = call.show(|engine, view| {
        let fax = engine.media(sid, media)?;
        MediaResource::of(fax, view).ok_or(Refusal::NoMedia(media))
    })?;
    if unnamed {
        call.world.note(Some(sid), user_agent::warning());
    }
    Ok(shown)
}

fn delete_media(call: &Call<'_>) -> Result<Reply, ApiError> {
    call.delete(DeleteMedia(call.part("fax")?, call.part("media")?))
}

fn show<'a>(engine: &Engine, view: &View<'a>, sid: FaxSid) -> Result<FaxResource<'a>, Refusal> {
    FaxResource::find(engine, sid, view)
}
