//! `OutgoingCallerIds`: numbers that an account may send from without owning them.

use super::{Call, Route};
use crate::dialect::error::ApiError;
use crate::dialect::twilio::caller_ids::{self, CallerIdList, CallerIdResource, ValidationResource};
use crate::engine::admission::Area;
use crate::engine::input::{DeleteCallerId, RenameCallerId, VerifyCallerId};
use crate::http::reply::Reply;

pub(super) const ROUTES: &[Route] = &[
    Route::at("/2010-04-01/Accounts/{account}/OutgoingCallerIds", Area::CallerIds).read(list).create(validate),
    Route::at("/2010-04-01/Accounts/{account}/OutgoingCallerIds/{number}", Area::CallerIds)
        .read(fetch)
        .update(update)
        .delete(delete),
];

fn list(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (filter, request) = caller_ids::list_caller_ids(&call.query()?)?;
    call.show(|engine, view| {
        let page = request.cut(engine.caller_ids().filter(|id| filter.shows(id)), |id| id.ordinal);
        Ok(CallerIdList::of(&page, &request, view.account))
    })
}

fn validate(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (number, name) = caller_ids::validate(&call.form()?)?;
    call.create(VerifyCallerId(number, name), |engine, view, sid| {
        engine.caller_id(sid).map(|caller_id| ValidationResource::of(caller_id, view.account))
    })
}

fn fetch(call: &Call<'_>) -> Result<Reply, ApiError> {
    let sid = call.part("number")?;
    call.show(|engine, view| engine.caller_id(sid).map(|id| CallerIdResource::of(id, view.account)))
}

fn update(call: &Call<'_>) -> Result<Reply, ApiError> {
    let sid = call.part("number")?;
    let command = RenameCallerId(sid, caller_ids::caller_id_name(&call.form()?)?);
    call.change(command, |engine, view| {
        engine.caller_id(sid).map(|caller_id| CallerIdResource::of(caller_id, view.account))
    })
}

fn delete(call: &Call<'_>) -> Result<Reply, ApiError> {
    call.delete(DeleteCallerId(call.part("number")?))
}
