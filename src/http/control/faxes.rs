//! The list of a world's faxes, newest first, with filters that the REST API lacks; the console uses it.

use axum::Json;
use axum::extract::{FromRequestParts, Request, State};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::extract::{Addressed, Asked};
use super::problem::Problem;
use crate::dialect::resource;
use crate::dialect::view::View;
use crate::emulator::Registry;
use crate::engine::agenda::Ordinal;
use crate::engine::{Cursor, Engine, Fax, FaxFilter};
use crate::http::origin;
use crate::model::account::Dialect;
use crate::model::fax::{Direction, Status};

/// The default number of faxes per page.
const PAGE_SIZE_DEFAULT: usize = 50;
const PAGE_SIZE_MAX: usize = 500;
/// The maximum number of faxes examined for one page, so that searching a million faxes for a rare string doesn't hold
/// the world's lock for long. The page may then be short; the next page continues from there.
const LOOKED_AT_MAX: usize = 20_000;
/// The maximum number of faxes that are read from the engine at a time.
const DRAWN_MAX: usize = 500;

/// The filters and the paging of a list of faxes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FaxesQuery {
    /// `inbound` or `outbound`.
    direction: Option<String>,
    /// A status, or several separated by commas.
    status: Option<String>,
    /// Beginning of the sender's or the receiver's number; the `+`, and a `*` at the end, are optional.
    number: Option<String>,
    /// Text in the SID, the parties or the error, regardless of case.
    text: Option<String>,
    /// `next_page_token` of the previous page.
    page_token: Option<u64>,
    /// Faxes per page, 1 to 500; 50 by default.
    limit: Option<usize>,
}

/// One page of faxes.
#[derive(Serialize, JsonSchema)]
pub(super) struct FaxPage {
    /// The faxes, as the REST API shows them.
    faxes: Vec<Value>,
    /// Token of the next page; null on the last one. A page may be short, even empty, without being the last.
    next_page_token: Option<u64>,
    /// Number of faxes in the world, regardless of filters.
    total: usize,
}

/// The query's filters after they have been checked.
struct Wanted {
    direction: Option<Direction>,
    statuses: Option<Vec<Status>>,
    number: Option<String>,
    text: Option<String>,
}

pub(super) async fn list(State(registry): State<Registry>, request: Request) -> Result<Json<FaxPage>, Problem> {
    let (mut parts, _) = request.into_parts();
    let Addressed(world) = Addressed::from_request_parts(&mut parts, &registry).await?;
    let Asked(query): Asked<FaxesQuery> = Asked::from_request_parts(&mut parts, &registry).await?;
    let size = query.limit.unwrap_or(PAGE_SIZE_DEFAULT);
    if !(1..=PAGE_SIZE_MAX).contains(&size) {
        return Err(bad(format!("limit: 1 to {PAGE_SIZE_MAX}, not {size}")));
    }
    let from = query.page_token;
    let wanted = Wanted::parse(query)?;
    let origin = origin(&parts, registry.settings().public_url.as_ref());
    let (account, now, key) = (world.sid(), world.now(), world.signing_key());
    let view = View { account, origin: &origin, now, signing_key: key, price: registry.settings().price };
    Ok(Json(world.read(|engine| {
        let (faxes, next_page_token) = page(engine, &wanted, from, size);
        let faxes = faxes.into_iter().map(|fax| resource::fax(engine, fax, &view)).collect();
        FaxPage { faxes, next_page_token, total: engine.fax_count() }
    })))
}

/// Returns the newest `size` matching faxes older than `from`, and the start of the next page.
fn page<'a>(
    engine: &'a Engine,
    wanted: &Wanted,
    from: Option<Ordinal>,
    size: usize,
) -> (Vec<&'a Fax>, Option<Ordinal>) {
    let (mut found, mut looked_at) = (Vec::new(), 0);
    let mut cursor = from.map_or(Cursor::Skip(0), Cursor::Before);
    loop {
        let drawn = engine.faxes(&FaxFilter::default(), cursor, DRAWN_MAX);
        let count = drawn.items.len();
        for (place, fax) in drawn.items.into_iter().enumerate() {
            if wanted.fits(fax, engine.account().dialect) {
                found.push(fax);
            }
            // Without this, a full page that ends with the oldest fax would link to an empty page.
            let is_last = place + 1 == count && !drawn.has_next;
            // Stop at whichever limit is reached first: a page of rare matches ends early instead of holding the lock.
            if found.len() == size || looked_at == LOOKED_AT_MAX {
                return (found, (!is_last).then_some(fax.ordinal));
            }
            looked_at += 1;
            cursor = Cursor::Before(fax.ordinal);
        }
        if !drawn.has_next {
            return (found, None);
        }
    }
}

impl Wanted {
    fn parse(query: FaxesQuery) -> Result<Self, Problem> {
        let direction = query.direction.as_deref().map(|word| {
            Direction::from_word(word)
                .ok_or_else(|| bad(format!("direction: {word:?} is neither inbound nor outbound")))
        });
        let status = |word: &str| {
            let words = || Status::ALL.iter().map(|status| status.as_str()).collect::<Vec<_>>().join(", ");
            Status::from_word(word).ok_or_else(|| bad(format!("status: {word:?} is not one of {}", words())))
        };
        let statuses = query.status.as_deref().map(|words| words.split(',').map(status).collect::<Result<_, _>>());
        Ok(Self {
            direction: direction.transpose()?,
            statuses: statuses.transpose()?,
            number: query.number.map(|number| number.trim().trim_start_matches('+').trim_end_matches('*').to_owned()),
            text: query.text.map(|text| text.trim().to_lowercase()).filter(|text| !text.is_empty()),
        })
    }

    fn fits(&self, fax: &Fax, dialect: Dialect) -> bool {
        // A closure, because many faxes are examined and most filters don't need these strings.
        let parties = || [fax.from.to_string(), fax.to.to_string()];
        let is_party =
            |number: &String| parties().iter().any(|party| party.trim_start_matches('+').starts_with(number));
        let is_said = |text: &String| {
            let error = fax.failure().and_then(|failure| dialect.failure_text(failure));
            let texts = parties().into_iter().chain([fax.sid.to_string(), error.unwrap_or_default().to_owned()]);
            texts.into_iter().any(|own| own.to_lowercase().contains(text.as_str()))
        };
        self.direction.is_none_or(|direction| fax.direction() == direction)
            && self.statuses.as_ref().is_none_or(|statuses| statuses.contains(&fax.status()))
            && self.number.as_ref().is_none_or(is_party)
            && self.text.as_ref().is_none_or(is_said)
    }
}

fn bad(detail: String) -> Problem {
    Problem::new(422, "bad-field", detail)
}
