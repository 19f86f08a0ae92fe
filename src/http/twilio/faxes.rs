//! `/v1/Faxes` and the media below. What a fax may do is the engine's business.

use std::sync::Arc;

use super::{Call, Route};
use crate::dialect::error::ApiError;
use crate::dialect::twilio::View;
use crate::dialect::twilio::faxes::{self, FaxList, FaxResource, FaxUpdate, MediaList, MediaResource};
use crate::engine::Engine;
use crate::engine::input::{Command, Reply};
use crate::http::reply::{self, Answer};
use crate::model::refusal::Refusal;
use crate::model::sid::{FaxSid, MediaSid};

pub(super) const ROUTES: &[Route] = &[
    Route::at("/v1/Faxes").get(list).post(create),
    Route::at("/v1/Faxes/{fax}").get(fetch).post(update).delete(delete),
    Route::at("/v1/Faxes/{fax}/Media").get(list_media),
    Route::at("/v1/Faxes/{fax}/Media/{media}").get(fetch_media).delete(delete_media),
];

fn create(call: &Call<'_>) -> Result<Answer, ApiError> {
    let order = faxes::create_fax(&call.form()?, Arc::clone(&call.origin))?;
    let (sid, fax) = call.command(Command::CreateFax(Box::new(order)), |engine, view, reply| {
        let sid = sid_of(reply);
        Ok((sid, show(engine, view, sid)?))
    })?;
    Ok(reply::created(&fax).about(sid))
}

fn list(call: &Call<'_>) -> Result<Answer, ApiError> {
    let (filter, request) = faxes::list_faxes(&call.query()?)?;
    let list = call.read(|engine, view| {
        let page = engine.faxes(&filter, request.cursor(), request.size);
        Ok(FaxList::of(&page, &request, view))
    });
    Ok(reply::ok(&list?))
}

fn fetch(call: &Call<'_>) -> Result<Answer, ApiError> {
    let sid = call.part("fax")?;
    Ok(reply::ok(&call.read(|engine, view| show(engine, view, sid))?))
}

fn update(call: &Call<'_>) -> Result<Answer, ApiError> {
    let sid = call.part("fax")?;
    let fax = match faxes::update_fax(&call.form()?)? {
        FaxUpdate::Nothing => call.read(|engine, view| show(engine, view, sid)),
        FaxUpdate::Cancel => call.command(Command::CancelFax(sid), |engine, view, _| show(engine, view, sid)),
    };
    Ok(reply::ok(&fax?))
}

fn delete(call: &Call<'_>) -> Result<Answer, ApiError> {
    call.command(Command::DeleteFax(call.part("fax")?), |_, _, _| Ok(()))?;
    Ok(reply::no_content())
}

fn list_media(call: &Call<'_>) -> Result<Answer, ApiError> {
    let (sid, request) = (call.part("fax")?, faxes::list_media(&call.query()?)?);
    let list = call.read(|engine, view| engine.fax(sid).map(|fax| MediaList::of(fax, &request, view)))?;
    Ok(reply::ok(&list))
}

fn fetch_media(call: &Call<'_>) -> Result<Answer, ApiError> {
    let (sid, media): (FaxSid, MediaSid) = (call.part("fax")?, call.part("media")?);
    let resource = call.read(|engine, view| {
        let fax = engine.media(sid, media)?;
        MediaResource::of(fax, view).ok_or(Refusal::NoMedia(media))
    });
    Ok(reply::ok(&resource?))
}

fn delete_media(call: &Call<'_>) -> Result<Answer, ApiError> {
    call.command(Command::DeleteMedia(call.part("fax")?, call.part("media")?), |_, _, _| Ok(()))?;
    Ok(reply::no_content())
}

fn show(engine: &Engine, view: &View<'_>, sid: FaxSid) -> Result<FaxResource, Refusal> {
    engine.fax(sid).map(|fax| FaxResource::of(fax, view))
}

fn sid_of(reply: &Reply) -> FaxSid {
    let Reply::Fax(sid) = reply else { unreachable!("create is answered with a fax, not {reply:?}") };
    *sid
}
