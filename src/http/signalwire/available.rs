//! A project's `AvailablePhoneNumbers`: the search for numbers that can be bought. Buying is in `numbers.rs`.

use std::collections::BTreeSet;

use super::{Call, Route};
use crate::dialect::error::ApiError;
use crate::dialect::signalwire::available::{self, CountryList, CountryResource, OfferList};
use crate::dialect::twilio::available::country_of;
use crate::engine::admission::Area;
use crate::http::reply::{self, Reply};
use crate::model::inventory;

pub(super) const ROUTES: &[Route] = &[
    Route::at("/2010-04-01/Accounts/{account}/AvailablePhoneNumbers", Area::AvailableNumbers)
        .read(|call| Ok(reply::ok(&CountryList::of(call.world.sid())))),
    Route::at("/2010-04-01/Accounts/{account}/AvailablePhoneNumbers/{country}", Area::AvailableNumbers).read(country),
    Route::at("/2010-04-01/Accounts/{account}/AvailablePhoneNumbers/{country}/{kind}", Area::AvailableNumbers)
        .read(search),
];

fn country(call: &Call<'_>) -> Result<Reply, ApiError> {
    let country = country_of(&call.part::<String>("country")?).ok_or_else(|| call.not_found())?;
    Ok(reply::ok(&CountryResource::of(country, call.world.sid())))
}

fn search(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (country, kind): (String, String) = (call.part("country")?, call.part("kind")?);
    let list = available::list_of(&country, &kind).ok_or_else(|| call.not_found())?;
    let search = available::search(&call.query()?, list)?;
    // The search may take milliseconds, so it runs outside the world's lock, on a copy of the data.
    let (seed, owned) = call
        .world
        .read(|engine| (engine.inventory_seed(), engine.numbers().map(|own| own.number).collect::<BTreeSet<_>>()));
    let (wanted, taken) = (&search.wanted, |number| owned.contains(&number));
    let offers = inventory::search(seed, wanted.country, wanted.kind, &wanted.filter, wanted.limit, &taken);
    Ok(reply::ok(&OfferList::of(&offers, &search, call.world.sid())))
}
