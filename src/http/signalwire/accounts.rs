//! `Accounts`, which lists only the project that the credential belongs to.

use super::{Call, Route};
use crate::dialect::error::ApiError;
use crate::dialect::signalwire::accounts::{self, AccountList, AccountResource};
use crate::engine::admission::Area;
use crate::http::reply::Reply;

pub(super) const ROUTES: &[Route] = &[
    Route::at("/2010-04-01/Accounts", Area::Accounts).read(list),
    Route::at("/2010-04-01/Accounts/{account}", Area::Accounts).read(fetch),
];

fn list(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (name, request) = accounts::list_accounts(&call.query()?)?;
    call.show(|engine, _| Ok(AccountList::of(engine.account(), name.as_deref(), &request)))
}

fn fetch(call: &Call<'_>) -> Result<Reply, ApiError> {
    call.show(|engine, _| Ok(AccountResource::of(engine.account())))
}
