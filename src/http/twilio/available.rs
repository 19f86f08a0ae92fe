//! `AvailablePhoneNumbers`: the search for numbers that can be bought. Buying is in `numbers.rs`.

use std::collections::BTreeSet;

use super::{Call, Route};
use crate::dialect::error::ApiError;
use crate::dialect::twilio::available::{self, CountryList, CountryResource, OfferList};
use crate::engine::admission::Area;
use crate::http::reply::{self, Reply};
use crate::model::inventory;

pub(super) const ROUTES: &[Route] = &[
    Route::at("/2010-04-01/Accounts/{account}/AvailablePhoneNumbers", Area::AvailableNumbers)
        .read(|call| Ok(countries(call))),
    Route::at("/2010-04-01/Accounts/{account}/AvailablePhoneNumbers/{country}", Area::AvailableNumbers).read(country),
    Route::at("/2010-04-01/Accounts/{account}/AvailablePhoneNumbers/{country}/{kind}", Area::AvailableNumbers)
        .read(search),
];

fn countries(call: &Call<'_>) -> Reply {
    reply::ok(&CountryList::of(call.world.sid()))
}

fn country(call: &Call<'_>) -> Result<Reply, ApiError> {
    let country = available::country_of(&call.part::<String>("country")?).ok_or_else(|| call.not_found())?;
    Ok(reply::ok(&CountryResource::of(country, call.world.sid())))
}

fn search(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (country, kind): (String, String) = (call.part("country")?, call.part("kind")?);
    let search =
        available::search(&call.query()?, available::list_of(&country, &kind).ok_or_else(|| call.not_found())?)?;
    // The search may take milliseconds, so it runs outside the world's lock, on a copy of the data.
    let (seed, owned) = call
        .world
        .read(|engine| (engine.inventory_seed(), engine.numbers().map(|own| own.number).collect::<BTreeSet<_>>()));
    let taken = |number| owned.contains(&number);
    let offers = inventory::search(seed, search.country, search.kind, &search.filter, search.limit, &taken);
    Ok(reply::ok(&OfferList::of(&offers, &search, call.world.sid())))
}
