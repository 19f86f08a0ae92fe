//! `Keys`: an account's API keys. The registry maps a key to its account at sign-in.

use super::{Call, Route};
use crate::dialect::error::ApiError;
use crate::dialect::twilio::keys::{self, KeyList, KeyResource, NewKeyResource};
use crate::engine::admission::Area;
use crate::engine::input::{DeleteKey, RenameKey};
use crate::http::reply::{self, Reply};

pub(super) const ROUTES: &[Route] = &[
    Route::at("/2010-04-01/Accounts/{account}/Keys", Area::Keys).read(list).create(create),
    Route::at("/2010-04-01/Accounts/{account}/Keys/{key}", Area::Keys).read(fetch).update(update).delete(delete),
];

fn list(call: &Call<'_>) -> Result<Reply, ApiError> {
    let request = keys::list_keys(&call.query()?)?;
    call.show(|engine, view| {
        let page = request.cut(engine.keys(), |key| key.ordinal);
        Ok(KeyList::of(&page, &request, view.account))
    })
}

fn create(call: &Call<'_>) -> Result<Reply, ApiError> {
    let name = keys::key_name(&call.form()?)?.unwrap_or_default();
    // Not `call.create`, because the registry must map the key to its account.
    let sid = call.registry.create_key(call.world, name).map_err(|refusal| call.refused(&refusal))?;
    let key = call.world.read(|engine| engine.key(sid).map(NewKeyResource::of));
    Ok(reply::created(&key.map_err(|refusal| call.refused(&refusal))?))
}

fn fetch(call: &Call<'_>) -> Result<Reply, ApiError> {
    let sid = call.part("key")?;
    call.show(|engine, _| engine.key(sid).map(KeyResource::of))
}

fn update(call: &Call<'_>) -> Result<Reply, ApiError> {
    let sid = call.part("key")?;
    let command = RenameKey(sid, keys::key_name(&call.form()?)?);
    call.change(command, |engine, _| engine.key(sid).map(KeyResource::of))
}

fn delete(call: &Call<'_>) -> Result<Reply, ApiError> {
    call.delete(DeleteKey(call.part("key")?))
}
