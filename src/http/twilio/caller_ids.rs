//! `OutgoingCallerIds`: numbers an account may send from without owning them. Verifying is the engine's business.

use axum::Router;
use axum::response::Response;
use axum::routing::get;

use super::Call;
use crate::dialect::error::ApiError;
use crate::dialect::twilio::caller_ids::{self, CallerIdList, CallerIdResource, ValidationResource};
use crate::emulator::Emulator;
use crate::engine::input::{CallerIdCommand, Command, Reply};
use crate::http::reply::{self, FormBody, QueryForm};

pub(super) fn routes() -> Router<Emulator> {
    let root = "/2010-04-01/Accounts/{account}/OutgoingCallerIds";
    Router::new()
        .route(root, get(list).post(validate))
        .route(&format!("{root}/{{number}}"), get(fetch).post(update).delete(delete))
}

async fn list(call: Call, QueryForm(query): QueryForm) -> Result<Response, ApiError> {
    let (filter, request) = caller_ids::list_caller_ids(&query)?;
    let list = call.read(|engine, view| {
        let page = request.cut(engine.caller_ids().filter(|id| filter.shows(id)), |id| id.ordinal);
        Ok(CallerIdList::of(&page, &request, view.account))
    });
    Ok(reply::ok(&list?))
}

async fn validate(call: Call, FormBody(form): FormBody) -> Result<Response, ApiError> {
    let (number, name) = caller_ids::validate(&form)?;
    let command = Command::CallerId(CallerIdCommand::Verify(number, name));
    let validation = call.command(command, |engine, view, reply| {
        let Reply::CallerId(sid) = reply else { unreachable!("a verification is answered with a caller id") };
        engine.caller_id(*sid).map(|caller_id| ValidationResource::of(caller_id, view.account))
    });
    Ok(reply::created(&validation?))
}

async fn fetch(call: Call) -> Result<Response, ApiError> {
    let sid = call.part("number")?;
    let show = call.read(|engine, view| engine.caller_id(sid).map(|id| CallerIdResource::of(id, view.account)));
    Ok(reply::ok(&show?))
}

async fn update(call: Call, FormBody(form): FormBody) -> Result<Response, ApiError> {
    let sid = call.part("number")?;
    let command = Command::CallerId(CallerIdCommand::Rename(sid, caller_ids::caller_id_name(&form)?));
    let show = call.command(command, |engine, view, _| {
        engine.caller_id(sid).map(|caller_id| CallerIdResource::of(caller_id, view.account))
    });
    Ok(reply::ok(&show?))
}

async fn delete(call: Call) -> Result<Response, ApiError> {
    call.command(Command::CallerId(CallerIdCommand::Delete(call.part("number")?)), |_, _, _| Ok(()))?;
    Ok(reply::no_content())
}
