//! `/2010-04-01/Accounts`. Which accounts a credential reaches has been decided before; founding is `emulator.rs`'s.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use super::Call;
use crate::dialect::error::{ApiError, CODE_ACCESS_DENIED, CODE_TOO_MANY};
use crate::dialect::twilio::accounts::{self, AccountList, AccountResource};
use crate::emulator::{Emulator, World};
use crate::engine::input::Command;
use crate::http::reply::{self, FormBody, QueryForm};
use crate::model::account::Account;

pub(super) fn routes() -> Router<Emulator> {
    Router::new()
        .route("/2010-04-01/Accounts", get(list).post(create))
        .route("/2010-04-01/Accounts/{account}", get(fetch).post(update))
}

async fn list(call: Call, State(emulator): State<Emulator>, QueryForm(query): QueryForm) -> Result<Response, ApiError> {
    let request = accounts::list_accounts(&query)?;
    let worlds = emulator.subaccounts(call.own.sid());
    let reached: Vec<Account> = worlds.iter().rev().chain([&call.own]).map(account).collect();
    Ok(reply::ok(&AccountList::of(&reached, &request)))
}

async fn create(call: Call, State(emulator): State<Emulator>, FormBody(form): FormBody) -> Result<Response, ApiError> {
    if account(&call.own).owner.is_some() {
        return Err(ApiError::new(403, CODE_ACCESS_DENIED, "A subaccount can't have subaccounts"));
    }
    let name = accounts::create_account(&form, call.world.now())?;
    let founded = emulator.found_subaccount(&call.own, &name);
    let world = founded.map_err(|error| ApiError::new(429, CODE_TOO_MANY, format!("Too Many Requests: {error}")))?;
    Ok(reply::created(&AccountResource::of(&account(&world))))
}

async fn fetch(call: Call) -> Result<Response, ApiError> {
    Ok(reply::ok(&call.read(|engine, _| Ok(AccountResource::of(engine.account())))?))
}

async fn update(call: Call, FormBody(form): FormBody) -> Result<Response, ApiError> {
    let change = accounts::update_account(&form)?;
    let is_own_subaccount = call.own.sid() == call.world.sid() && account(&call.own).owner.is_some();
    if change.status.is_some() && is_own_subaccount {
        return Err(ApiError::new(403, CODE_ACCESS_DENIED, "Only its owner changes the status of a subaccount"));
    }
    let command = Command::Account(Box::new(change));
    Ok(reply::ok(&call.command(command, |engine, _, _| Ok(AccountResource::of(engine.account())))?))
}

fn account(world: &World) -> Account {
    world.read(|engine| engine.account().clone())
}
