//! `/2010-04-01/Accounts`. Which account a credential reaches has been decided before.

use axum::Router;
use axum::response::Response;
use axum::routing::get;

use super::Call;
use crate::dialect::error::ApiError;
use crate::dialect::twilio::accounts::{self, AccountList, AccountResource};
use crate::emulator::Emulator;
use crate::http::reply::{self, QueryForm};

pub(super) fn routes() -> Router<Emulator> {
    Router::new().route("/2010-04-01/Accounts", get(list)).route("/2010-04-01/Accounts/{account}", get(fetch))
}

async fn list(call: Call, QueryForm(query): QueryForm) -> Result<Response, ApiError> {
    let request = accounts::list_accounts(&query)?;
    Ok(reply::ok(&call.read(|engine, _| Ok(AccountList::of(engine.account(), &request)))?))
}

async fn fetch(call: Call) -> Result<Response, ApiError> {
    Ok(reply::ok(&call.read(|engine, _| Ok(AccountResource::of(engine.account())))?))
}
