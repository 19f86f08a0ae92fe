//! A project's `IncomingPhoneNumbers`. The engine decides which numbers may be bought.

use super::{Call, Route};
use crate::dialect::error::ApiError;
use crate::dialect::signalwire::numbers::{self, NumberList, NumberResource};
use crate::dialect::view::View;
use crate::engine::Engine;
use crate::engine::admission::Area;
use crate::engine::input::{ReleaseNumber, UpdateNumber};
use crate::http::reply::Reply;
use crate::model::refusal::Refusal;
use crate::model::sid::NumberSid;

pub(super) const ROUTES: &[Route] = &[
    Route::at("/2010-04-01/Accounts/{account}/IncomingPhoneNumbers", Area::Numbers).read(list).create(buy),
    Route::at("/2010-04-01/Accounts/{account}/IncomingPhoneNumbers/{number}", Area::Numbers)
        .read(fetch)
        .update(update)
        .delete(release),
];

fn list(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (filter, request) = numbers::list_numbers(&call.query()?)?;
    call.show(|engine, view| {
        let page = request.cut(engine.numbers().filter(|number| filter.shows(number)), |number| number.ordinal);
        Ok(NumberList::of(&page, &request, view.account, engine.inventory_seed()))
    })
}

fn buy(call: &Call<'_>) -> Result<Reply, ApiError> {
    let seed = call.world.read(Engine::inventory_seed);
    call.create(numbers::buy_number(&call.form()?, seed)?, show)
}

fn fetch(call: &Call<'_>) -> Result<Reply, ApiError> {
    let sid = call.part("number")?;
    call.show(|engine, view| show(engine, view, sid))
}

fn update(call: &Call<'_>) -> Result<Reply, ApiError> {
    let sid = call.part("number")?;
    let command = UpdateNumber(sid, numbers::update_number(&call.form()?)?);
    call.change(command, |engine, view| show(engine, view, sid))
}

fn release(call: &Call<'_>) -> Result<Reply, ApiError> {
    call.delete(ReleaseNumber(call.part("number")?))
}

fn show(engine: &Engine, view: &View<'_>, sid: NumberSid) -> Result<NumberResource, Refusal> {
    engine.number(sid).map(|number| NumberResource::of(number, view.account, engine.inventory_seed()))
}
