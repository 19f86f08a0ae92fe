//! `IncomingPhoneNumbers`: an account's numbers. The engine decides which numbers may be bought.

use super::{Call, Route};
use crate::dialect::error::ApiError;
use crate::dialect::twilio::numbers::{self, NumberList, NumberResource};
use crate::dialect::view::View;
use crate::engine::Engine;
use crate::engine::admission::Area;
use crate::engine::input::{ReleaseNumber, UpdateNumber};
use crate::http::reply::Reply;
use crate::model::inventory::NumberKind;
use crate::model::refusal::Refusal;
use crate::model::sid::NumberSid;

pub(super) const ROUTES: &[Route] = &[
    Route::at("/2010-04-01/Accounts/{account}/IncomingPhoneNumbers", Area::Numbers)
        .read(|call| list(call, None))
        .create(|call| buy(call, None)),
    Route::at("/2010-04-01/Accounts/{account}/IncomingPhoneNumbers/Local", Area::Numbers)
        .read(|call| list(call, Some(NumberKind::Local)))
        .create(|call| buy(call, Some(NumberKind::Local))),
    Route::at("/2010-04-01/Accounts/{account}/IncomingPhoneNumbers/Mobile", Area::Numbers)
        .read(|call| list(call, Some(NumberKind::Mobile)))
        .create(|call| buy(call, Some(NumberKind::Mobile))),
    Route::at("/2010-04-01/Accounts/{account}/IncomingPhoneNumbers/TollFree", Area::Numbers)
        .read(|call| list(call, Some(NumberKind::TollFree)))
        .create(|call| buy(call, Some(NumberKind::TollFree))),
    Route::at("/2010-04-01/Accounts/{account}/IncomingPhoneNumbers/{number}", Area::Numbers)
        .read(fetch)
        .update(update)
        .delete(release),
];

fn list(call: &Call<'_>, kind: Option<NumberKind>) -> Result<Reply, ApiError> {
    let (filter, request) = numbers::list_numbers(&call.query()?, kind)?;
    call.show(|engine, view| {
        let seed = engine.inventory_seed();
        let shown = engine.numbers().filter(|number| filter.shows(number, seed));
        let page = request.cut(shown, |number| number.ordinal);
        Ok(NumberList::of(&page, &request, kind, view.account, seed))
    })
}

fn buy(call: &Call<'_>, kind: Option<NumberKind>) -> Result<Reply, ApiError> {
    let seed = call.world.read(Engine::inventory_seed);
    let order = numbers::buy_number(&call.form()?, kind, seed)?;
    call.create(order, show)
}

fn fetch(call: &Call<'_>) -> Result<Reply, ApiError> {
    let sid = call.part("number")?;
    call.show(|engine, view| show(engine, view, sid))
}

fn update(call: &Call<'_>) -> Result<Reply, ApiError> {
    let sid = call.part("number")?;
    let change = numbers::update_number(&call.form()?, call.world.sid())?;
    let command = UpdateNumber(sid, change);
    call.change(command, |engine, view| show(engine, view, sid))
}

fn release(call: &Call<'_>) -> Result<Reply, ApiError> {
    call.delete(ReleaseNumber(call.part("number")?))
}

fn show(engine: &Engine, view: &View<'_>, sid: NumberSid) -> Result<NumberResource, Refusal> {
    engine.number(sid).map(|number| NumberResource::of(number, view.account, engine.inventory_seed()))
}
