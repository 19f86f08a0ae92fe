//! `/v1/Alerts` of the Monitor API. What is worth an alert is the engine's business.

use super::{Call, Route};
use crate::dialect::error::ApiError;
use crate::dialect::twilio::alerts::{self, AlertInstance, AlertList, Raised};
use crate::http::reply::{self, Answer};

pub(super) const ROUTES: &[Route] = &[Route::at("/v1/Alerts").get(list), Route::at("/v1/Alerts/{alert}").get(fetch)];

fn list(call: &Call<'_>) -> Result<Answer, ApiError> {
    let (filter, request) = alerts::list_alerts(&call.query()?)?;
    let list = call.read(|engine, view| {
        let shown: Vec<Raised<'_>> = engine.alerts(view.now).filter(|raised| filter.shows(raised)).collect();
        Ok(AlertList::of(&request.cut(shown.iter(), |(event, _)| event.seq), &request, view))
    });
    Ok(reply::ok(&list?))
}

fn fetch(call: &Call<'_>) -> Result<Answer, ApiError> {
    let sid = call.part("alert")?;
    Ok(reply::ok(
        &call.read(|engine, view| engine.alert_of(sid, view.now).map(|raised| AlertInstance::of(raised, view)))?,
    ))
}
