//! `Keys`: the API keys of an account. Where a key leads is the registry's business.

use super::{Call, Route};
use crate::dialect::error::ApiError;
use crate::dialect::twilio::keys::{self, KeyList, KeyResource, NewKeyResource};
use crate::engine::input::{Command, KeyCommand};
use crate::http::reply::{self, Answer};

pub(super) const ROUTES: &[Route] = &[
    Route::at("/2010-04-01/Accounts/{account}/Keys").get(list).post(create),
    Route::at("/2010-04-01/Accounts/{account}/Keys/{key}").get(fetch).post(update).delete(delete),
];

fn list(call: &Call<'_>) -> Result<Answer, ApiError> {
    let request = keys::list_keys(&call.query()?)?;
    let list = call.read(|engine, view| {
        let page = request.cut(engine.keys(), |key| key.ordinal);
        Ok(KeyList::of(&page, &request, view.account))
    });
    Ok(reply::ok(&list?))
}

fn create(call: &Call<'_>) -> Result<Answer, ApiError> {
    let name = keys::key_name(&call.form()?)?.unwrap_or_default();
    let sid = call.emulator.create_key(call.world, name).map_err(|refusal| ApiError::refused(&refusal, call.path))?;
    Ok(reply::created(&call.read(|engine, _| engine.key(sid).map(NewKeyResource::of))?))
}

fn fetch(call: &Call<'_>) -> Result<Answer, ApiError> {
    let sid = call.part("key")?;
    Ok(reply::ok(&call.read(|engine, _| engine.key(sid).map(KeyResource::of))?))
}

fn update(call: &Call<'_>) -> Result<Answer, ApiError> {
    let sid = call.part("key")?;
    let command = Command::Key(KeyCommand::Rename(sid, keys::key_name(&call.form()?)?));
    Ok(reply::ok(&call.command(command, |engine, _, _| engine.key(sid).map(KeyResource::of))?))
}

fn delete(call: &Call<'_>) -> Result<Answer, ApiError> {
    call.command(Command::Key(KeyCommand::Delete(call.part("key")?)), |_, _, _| Ok(()))?;
    Ok(reply::no_content())
}
