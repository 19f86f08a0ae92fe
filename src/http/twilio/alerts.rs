//! `/v1/Alerts` of the Monitor API. What is worth an alert is the engine's business.

use axum::Router;
use axum::response::Response;
use axum::routing::get;

use super::Call;
use crate::dialect::error::ApiError;
use crate::dialect::twilio::alerts::{self, AlertInstance, AlertList, Raised};
use crate::emulator::Emulator;
use crate::http::reply::{self, QueryForm};

pub(super) fn routes() -> Router<Emulator> {
    Router::new().route("/v1/Alerts", get(list)).route("/v1/Alerts/{alert}", get(fetch))
}

async fn list(call: Call, QueryForm(query): QueryForm) -> Result<Response, ApiError> {
    let (filter, request) = alerts::list_alerts(&query)?;
    let list = call.read(|engine, view| {
        let shown: Vec<Raised<'_>> = engine.alerts(view.now).filter(|raised| filter.shows(raised)).collect();
        Ok(AlertList::of(&request.cut(shown.iter(), |(event, _)| event.seq), &request, view))
    });
    Ok(reply::ok(&list?))
}

async fn fetch(call: Call) -> Result<Response, ApiError> {
    let sid = call.part("alert")?;
    Ok(reply::ok(
        &call.read(|engine, view| engine.alert_of(sid, view.now).map(|raised| AlertInstance::of(raised, view)))?,
    ))
}
