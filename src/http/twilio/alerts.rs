//! The Monitor API's `/v1/Alerts`. The engine decides which events raise an alert.

use super::{Call, Route};
use crate::dialect::error::ApiError;
use crate::dialect::twilio::alerts::{self, AlertInstance, AlertList, Raised};
use crate::engine::admission::Area;
use crate::http::reply::Reply;

pub(super) const ROUTES: &[Route] =
    &[Route::at("/v1/Alerts", Area::Alerts).read(list), Route::at("/v1/Alerts/{alert}", Area::Alerts).read(fetch)];

fn list(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (filter, request) = alerts::list_alerts(&call.query()?)?;
    call.show(|engine, view| {
        let shown: Vec<Raised<'_>> = engine.alerts(view.now).filter(|raised| filter.shows(raised)).collect();
        Ok(AlertList::of(&request.cut(shown.iter(), |(event, _)| event.seq), &request, view))
    })
}

fn fetch(call: &Call<'_>) -> Result<Reply, ApiError> {
    let sid = call.part("alert")?;
    call.show(|engine, view| engine.alert_of(sid, view.now).map(|raised| AlertInstance::of(raised, view)))
}
