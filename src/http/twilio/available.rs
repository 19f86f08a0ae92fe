//! `AvailablePhoneNumbers`: what could be bought. Buying is `numbers.rs`.

use std::collections::BTreeSet;

use axum::Router;
use axum::response::Response;
use axum::routing::get;

use super::Call;
use crate::dialect::error::ApiError;
use crate::dialect::twilio::available::{self, CountryList, CountryResource, OfferList};
use crate::emulator::Emulator;
use crate::http::reply::{self, QueryForm};
use crate::model::inventory;

pub(super) fn routes() -> Router<Emulator> {
    let root = "/2010-04-01/Accounts/{account}/AvailablePhoneNumbers";
    Router::new()
        .route(root, get(countries))
        .route(&format!("{root}/{{country}}"), get(country))
        .route(&format!("{root}/{{country}}/{{kind}}"), get(search))
}

async fn countries(call: Call) -> Response {
    reply::ok(&CountryList::of(call.world.sid()))
}

async fn country(call: Call) -> Result<Response, ApiError> {
    let country = available::country_of(&call.part::<String>("country")?).ok_or_else(|| call.not_found())?;
    Ok(reply::ok(&CountryResource::of(country, call.world.sid())))
}

async fn search(call: Call, QueryForm(query): QueryForm) -> Result<Response, ApiError> {
    let (country, kind): (String, String) = (call.part("country")?, call.part("kind")?);
    let search = available::search(&query, available::list_of(&country, &kind).ok_or_else(|| call.not_found())?)?;
    // The search takes milliseconds at worst, so it doesn't hold the world's lock.
    let (seed, owned) = call.read(|engine, _| {
        Ok((engine.inventory_seed(), engine.numbers().map(|own| own.number).collect::<BTreeSet<_>>()))
    })?;
    let taken = |number| owned.contains(&number);
    let offers = inventory::search(seed, search.country, search.kind, &search.filter, search.limit, &taken);
    Ok(reply::ok(&OfferList::of(&offers, &search, call.world.sid())))
}
