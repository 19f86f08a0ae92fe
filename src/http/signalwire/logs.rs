//! `/api/fax/logs`: the faxes of the credential's project as read-only logs.

use super::{Call, Route};
use crate::dialect::error::ApiError;
use crate::dialect::signalwire::logs::{self, LogList, LogResource};
use crate::engine::admission::Area;
use crate::http::reply::Reply;

pub(super) const ROUTES: &[Route] =
    &[Route::at("/api/fax/logs", Area::Faxes).read(list), Route::at("/api/fax/logs/{fax}", Area::Faxes).read(fetch)];

fn list(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (filter, request) = logs::list_logs(&call.query()?)?;
    call.show(|engine, view| Ok(LogList::of(&engine.faxes(&filter, request.cursor(), request.size), &request, view)))
}

fn fetch(call: &Call<'_>) -> Result<Reply, ApiError> {
    let sid = call.part("fax")?;
    call.show(|engine, view| engine.fax(sid).map(|fax| LogResource::of(fax, view)))
}
