//! `Keys`: the API keys of an account. Where a key leads is the registry's business.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use super::Call;
use crate::dialect::error::ApiError;
use crate::dialect::twilio::keys::{self, KeyList, KeyResource, NewKeyResource};
use crate::emulator::Emulator;
use crate::engine::input::{Command, KeyCommand};
use crate::http::reply::{self, FormBody, QueryForm};

pub(super) fn routes() -> Router<Emulator> {
    let root = "/2010-04-01/Accounts/{account}/Keys";
    Router::new()
        .route(root, get(list).post(create))
        .route(&format!("{root}/{{key}}"), get(fetch).post(update).delete(delete))
}

async fn list(call: Call, QueryForm(query): QueryForm) -> Result<Response, ApiError> {
    let request = keys::list_keys(&query)?;
    let list = call.read(|engine, view| {
        let page = request.cut(engine.keys(), |key| key.ordinal);
        Ok(KeyList::of(&page, &request, view.account))
    });
    Ok(reply::ok(&list?))
}

async fn create(call: Call, State(emulator): State<Emulator>, FormBody(form): FormBody) -> Result<Response, ApiError> {
    let name = keys::key_name(&form)?.unwrap_or_default();
    let sid = emulator.create_key(&call.world, name).map_err(|refusal| ApiError::refused(&refusal, &call.path))?;
    Ok(reply::created(&call.read(|engine, _| engine.key(sid).map(NewKeyResource::of))?))
}

async fn fetch(call: Call) -> Result<Response, ApiError> {
    let sid = call.part("key")?;
    Ok(reply::ok(&call.read(|engine, _| engine.key(sid).map(KeyResource::of))?))
}

async fn update(call: Call, FormBody(form): FormBody) -> Result<Response, ApiError> {
    let sid = call.part("key")?;
    let command = Command::Key(KeyCommand::Rename(sid, keys::key_name(&form)?));
    Ok(reply::ok(&call.command(command, |engine, _, _| engine.key(sid).map(KeyResource::of))?))
}

async fn delete(call: Call) -> Result<Response, ApiError> {
    call.command(Command::Key(KeyCommand::Delete(call.part("key")?)), |_, _, _| Ok(()))?;
    Ok(reply::no_content())
}
