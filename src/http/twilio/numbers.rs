//! `IncomingPhoneNumbers`: the numbers of an account. What may be bought is the engine's business.

use axum::Router;
use axum::response::Response;
use axum::routing::get;

use super::Call;
use crate::dialect::error::ApiError;
use crate::dialect::form::Form;
use crate::dialect::twilio::View;
use crate::dialect::twilio::numbers::{self, NumberList, NumberResource};
use crate::emulator::Emulator;
use crate::engine::Engine;
use crate::engine::input::{Command, Reply};
use crate::http::reply::{self, FormBody, QueryForm};
use crate::model::inventory::NumberKind;
use crate::model::refusal::Refusal;
use crate::model::sid::NumberSid;

pub(super) fn routes() -> Router<Emulator> {
    let root = "/2010-04-01/Accounts/{account}/IncomingPhoneNumbers";
    let router = Router::new()
        .route(root, get(list_all).post(buy_any))
        .route(&format!("{root}/{{number}}"), get(fetch).post(update).delete(release));
    NumberKind::ALL.iter().fold(router, |router, &kind| {
        let methods = get(move |call: Call, QueryForm(query)| async move { list(&call, &query, Some(kind)) })
            .post(move |call: Call, FormBody(form)| async move { buy(&call, &form, Some(kind)) });
        router.route(&format!("{root}/{kind}"), methods)
    })
}

async fn list_all(call: Call, QueryForm(query): QueryForm) -> Result<Response, ApiError> {
    list(&call, &query, None)
}

async fn buy_any(call: Call, FormBody(form): FormBody) -> Result<Response, ApiError> {
    buy(&call, &form, None)
}

fn list(call: &Call, query: &Form, kind: Option<NumberKind>) -> Result<Response, ApiError> {
    let (filter, request) = numbers::list_numbers(query, kind)?;
    let list = call.read(|engine, view| {
        let seed = engine.inventory_seed();
        let shown = engine.numbers().filter(|number| filter.shows(number, seed));
        let page = request.cut(shown, |number| number.ordinal);
        Ok(NumberList::of(&page, &request, kind, view.account, seed))
    });
    Ok(reply::ok(&list?))
}

fn buy(call: &Call, form: &Form, kind: Option<NumberKind>) -> Result<Response, ApiError> {
    let seed = call.read(|engine, _| Ok(engine.inventory_seed()))?;
    let order = numbers::buy_number(form, kind, seed)?;
    let command = Command::BuyNumber(Box::new(order));
    Ok(reply::created(&call.command(command, |engine, view, reply| show(engine, view, sid_of(reply)))?))
}

async fn fetch(call: Call) -> Result<Response, ApiError> {
    let sid = call.part("number")?;
    Ok(reply::ok(&call.read(|engine, view| show(engine, view, sid))?))
}

async fn update(call: Call, FormBody(form): FormBody) -> Result<Response, ApiError> {
    let sid = call.part("number")?;
    let change = numbers::update_number(&form, call.world.sid())?;
    let command = Command::UpdateNumber(sid, Box::new(change));
    Ok(reply::ok(&call.command(command, |engine, view, _| show(engine, view, sid))?))
}

async fn release(call: Call) -> Result<Response, ApiError> {
    call.command(Command::ReleaseNumber(call.part("number")?), |_, _, _| Ok(()))?;
    Ok(reply::no_content())
}

fn show(engine: &Engine, view: &View<'_>, sid: NumberSid) -> Result<NumberResource, Refusal> {
    engine.number(sid).map(|number| NumberResource::of(number, view.account, engine.inventory_seed()))
}

fn sid_of(reply: &Reply) -> NumberSid {
    let Reply::Number(sid) = reply else { unreachable!("a purchase is answered with a number, not {reply:?}") };
    *sid
}
