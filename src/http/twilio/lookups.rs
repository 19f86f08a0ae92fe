//! The Lookup API's `/v1/PhoneNumbers` and `/v2/PhoneNumbers`, which depend only on the number and the query.

use super::{Call, Route};
use crate::dialect::error::ApiError;
use crate::dialect::twilio::lookups::{LookupV1, LookupV2};
use crate::engine::admission::Area;
use crate::http::reply::{self, Reply};

pub(super) const ROUTES: &[Route] = &[
    Route::at("/v1/PhoneNumbers/{number}", Area::Lookups).read(fetch_v1),
    Route::at("/v2/PhoneNumbers/{number}", Area::Lookups).read(fetch_v2),
];

fn fetch_v1(call: &Call<'_>) -> Result<Reply, ApiError> {
    let number: String = call.part("number")?;
    let found = LookupV1::of(&number, &call.query()?, &call.origin);
    found.map(|found| reply::ok(&found)).ok_or_else(|| call.not_found())
}

fn fetch_v2(call: &Call<'_>) -> Result<Reply, ApiError> {
    let number: String = call.part("number")?;
    Ok(reply::ok(&LookupV2::of(&number, &call.query()?, &call.origin)))
}
