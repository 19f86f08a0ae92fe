//! `OutgoingCallerIds`: numbers an account may send from without owning them. Verifying is the engine's business.

use super::{Call, Route};
use crate::dialect::error::ApiError;
use crate::dialect::twilio::caller_ids::{self, CallerIdList, CallerIdResource, ValidationResource};
use crate::engine::input::{CallerIdCommand, Command, Reply};
use crate::http::reply::{self, Answer};

pub(super) const ROUTES: &[Route] = &[
    Route::at("/2010-04-01/Accounts/{account}/OutgoingCallerIds").get(list).post(validate),
    Route::at("/2010-04-01/Accounts/{account}/OutgoingCallerIds/{number}").get(fetch).post(update).delete(delete),
];

fn list(call: &Call<'_>) -> Result<Answer, ApiError> {
    let (filter, request) = caller_ids::list_caller_ids(&call.query()?)?;
    let list = call.read(|engine, view| {
        let page = request.cut(engine.caller_ids().filter(|id| filter.shows(id)), |id| id.ordinal);
        Ok(CallerIdList::of(&page, &request, view.account))
    });
    Ok(reply::ok(&list?))
}

fn validate(call: &Call<'_>) -> Result<Answer, ApiError> {
    let (number, name) = caller_ids::validate(&call.form()?)?;
    let command = Command::CallerId(CallerIdCommand::Verify(number, name));
    let validation = call.command(command, |engine, view, reply| {
        let Reply::CallerId(sid) = reply else { unreachable!("a verification is answered with a caller id") };
        engine.caller_id(*sid).map(|caller_id| ValidationResource::of(caller_id, view.account))
    });
    Ok(reply::created(&validation?))
}

fn fetch(call: &Call<'_>) -> Result<Answer, ApiError> {
    let sid = call.part("number")?;
    let show = call.read(|engine, view| engine.caller_id(sid).map(|id| CallerIdResource::of(id, view.account)));
    Ok(reply::ok(&show?))
}

fn update(call: &Call<'_>) -> Result<Answer, ApiError> {
    let sid = call.part("number")?;
    let command = Command::CallerId(CallerIdCommand::Rename(sid, caller_ids::caller_id_name(&call.form()?)?));
    let show = call.command(command, |engine, view, _| {
        engine.caller_id(sid).map(|caller_id| CallerIdResource::of(caller_id, view.account))
    });
    Ok(reply::ok(&show?))
}

fn delete(call: &Call<'_>) -> Result<Answer, ApiError> {
    call.command(Command::CallerId(CallerIdCommand::Delete(call.part("number")?)), |_, _, _| Ok(()))?;
    Ok(reply::no_content())
}
