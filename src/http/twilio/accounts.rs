//! `/2010-04-01/Accounts`: the credential's own account and its subaccounts. Sign-in has already decided which accounts
//! a credential reaches; a new account gets its world in `emulator.rs`.

use super::{Call, Route};
use crate::dialect::error::{ApiError, Reason};
use crate::dialect::twilio::accounts::{self, AccountList, AccountResource};
use crate::emulator::World;
use crate::engine::admission::Area;
use crate::engine::input::UpdateAccount;
use crate::http::reply::{self, Reply};
use crate::model::account::Account;

pub(super) const ROUTES: &[Route] = &[
    Route::at("/2010-04-01/Accounts", Area::Accounts).read(list).create(create),
    Route::at("/2010-04-01/Accounts/{account}", Area::Accounts).read(fetch).update(update),
];

fn list(call: &Call<'_>) -> Result<Reply, ApiError> {
    let request = accounts::list_accounts(&call.query()?)?;
    let worlds = call.registry.subaccounts(call.own.sid());
    // Newest first: the registry lists the oldest first, and an owner is older than all its subaccounts.
    let reached: Vec<Account> = worlds.iter().rev().chain([call.own]).map(account).collect();
    Ok(reply::ok(&AccountList::of(&reached, &request)))
}

fn create(call: &Call<'_>) -> Result<Reply, ApiError> {
    if account(call.own).owner.is_some() {
        return Err(ApiError::new(Reason::AccessDenied, "A subaccount can't have subaccounts"));
    }
    let name = accounts::create_account(&call.form()?, call.world.now())?;
    let created = call.registry.create_subaccount(call.own, &name);
    let world = created.map_err(|error| ApiError::new(Reason::TooMany, format!("Too Many Requests: {error}")))?;
    Ok(reply::created(&AccountResource::of(&account(&world))))
}

fn fetch(call: &Call<'_>) -> Result<Reply, ApiError> {
    call.show(|engine, _| Ok(AccountResource::of(engine.account())))
}

fn update(call: &Call<'_>) -> Result<Reply, ApiError> {
    let change = accounts::update_account(&call.form()?)?;
    let is_own_subaccount = call.own.sid() == call.world.sid() && account(call.own).owner.is_some();
    if change.status.is_some() && is_own_subaccount {
        return Err(ApiError::new(Reason::AccessDenied, "Only its owner can change the status of a subaccount"));
    }
    call.change(UpdateAccount(change), |engine, _| Ok(AccountResource::of(engine.account())))
}

fn account(world: &World) -> Account {
    world.read(|engine| engine.account().clone())
}
