//! The control API's calls to list and search the faxes of one account or of all, newest first, and to delete the faxes
//! that a search finds. The REST API lacks such a search; the console uses this one.

use axum::Json;
use axum::extract::{FromRequestParts, Request, State};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::extract::{Accounts, Addressed, Asked, bad_query, given};
use super::listing::{Key, Listing, Slices, Start};
use super::problem::Problem;
use crate::dialect::search::Search;
use crate::emulator::{Registry, World};
use crate::engine::Entries;
use crate::engine::agenda::Ordinal;
use crate::engine::input::DeleteEntries;
use crate::http::origin;

/// The default number of faxes per page.
const PAGE_SIZE_DEFAULT: usize = 50;
const PAGE_SIZE_MAX: usize = 500;

/// The filters and the paging of a list of faxes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FaxesQuery {
    /// A search: terms separated by spaces, all of which must match, such as `status:failed to:+1555* pages:>10
    /// after:5m -from:Jack "no answer"`. The keys are `status`, `direction`, `from`, `to`, `number`, `code`, `pages`,
    /// `callbacks`, `after`, `before`, `quality`, `sid`, `error` and `text`; a word without a key is searched for in
    /// the SID, the numbers and the error. Numbers match regardless of punctuation.
    q: Option<String>,
    /// `inbound` or `outbound`.
    direction: Option<String>,
    /// A status, or several separated by commas. `not-answered` lists the calls that ended without a fax, and `any`
    /// both these and all faxes.
    status: Option<String>,
    /// Digits of the sender's or the receiver's number, however they are written; `*` stands for anything.
    number: Option<String>,
    /// Text in the SID, the parties or the error, or the error's code, regardless of case.
    text: Option<String>,
    /// `next_page_token` of the previous page.
    page_token: Option<String>,
    /// Faxes per page, 1 to 500; 50 by default.
    limit: Option<usize>,
}

/// One page of faxes.
#[derive(Serialize, JsonSchema)]
pub(super) struct FaxPage {
    /// The faxes, as the REST API shows them, plus `error_code`, `error_message`, `callbacks_failed` and
    /// `last_failure`. If asked for, the calls that ended without a fax are listed, too, in a similar form.
    faxes: Vec<Value>,
    /// Token of the next page; null on the last one. A page may be short, even empty, without being the last.
    next_page_token: Option<PageToken>,
    /// Number of faxes in the world, or with `account=*` in all worlds, regardless of filters.
    total: usize,
    /// Number of calls that ended without a fax and are still known, regardless of filters.
    total_calls: usize,
    /// Number of faxes and calls that match all filters, on any page.
    hits: usize,
    /// Whether `hits` is exact. It is false, and `hits` is too low, if there are too many faxes to count at once, or if
    /// a reset came while they were being counted.
    hits_complete: bool,
    /// SIDs of the accounts that are left out because their worlds have broken; only with `account=*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<Vec<String>>,
}

/// The token of the next page: a number in a list of one account, a string in one of all accounts.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum PageToken {
    OneAccount(Ordinal),
    AllAccounts(String),
}

pub(super) async fn list(State(registry): State<Registry>, request: Request) -> Result<Json<FaxPage>, Problem> {
    let (mut parts, _) = request.into_parts();
    let accounts = Accounts::from_request_parts(&mut parts, &registry).await?;
    let Asked(query): Asked<FaxesQuery> = Asked::from_request_parts(&mut parts, &registry).await?;
    let size = query.limit.unwrap_or(PAGE_SIZE_DEFAULT);
    if !(1..=PAGE_SIZE_MAX).contains(&size) {
        return Err(bad(format!("limit: must be 1 to {PAGE_SIZE_MAX}, not {size}")));
    }
    let search = query.search()?;
    let origin = origin(&parts, registry.settings().public_url.as_ref());
    let token = given(query.page_token.as_deref());
    let (start, worlds, skipped) = match accounts {
        Accounts::One(world) => (start_in_one(token)?, vec![world], None),
        Accounts::All(worlds) => {
            let (broken, sound): (Vec<World>, Vec<World>) =
                worlds.into_iter().partition(|world| world.broken().is_some());
            let skipped = broken.iter().map(|world| world.sid().to_string()).collect();
            (start_in_all(token)?, sound, Some(skipped))
        }
    };
    let is_one = skipped.is_none();
    let listing = Listing { worlds: &worlds, search: &search, origin: &origin, price: registry.settings().price };
    let page = listing.page(start, size).await;
    let hits = listing.hits(&page).await;
    Ok(Json(FaxPage {
        faxes: page.shown,
        next_page_token: page.next.map(|next| {
            if is_one { PageToken::OneAccount(next.ordinal) } else { PageToken::AllAccounts(next.to_string()) }
        }),
        total: listing.total(Entries::Faxes),
        total_calls: listing.total(Entries::Unanswered),
        hits: hits.count,
        hits_complete: hits.is_complete,
        skipped,
    }))
}

/// The faxes and calls to delete: the ones that `GET /faxes` finds with the same parameters, on all pages.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DeleteQuery {
    /// A search, as for the list.
    q: Option<String>,
    /// `inbound` or `outbound`.
    direction: Option<String>,
    /// A status, or several separated by commas. `not-answered` stands for the calls that ended without a fax, and
    /// `any` for both these and all faxes.
    status: Option<String>,
    /// Digits of the sender's or the receiver's number, however they are written; `*` stands for anything.
    number: Option<String>,
    /// Text in the SID, the parties or the error, or the error's code, regardless of case.
    text: Option<String>,
}

/// The result of deleting faxes and calls.
#[derive(Serialize, JsonSchema)]
pub(super) struct DeletedFaxes {
    /// Number of faxes that were deleted, with their media.
    deleted: usize,
    /// Number of calls without a fax that were forgotten.
    deleted_calls: usize,
    /// Number of matching faxes that were left because they are still in progress.
    in_progress: usize,
}

pub(super) async fn delete(
    Addressed(world): Addressed,
    Asked(query): Asked<DeleteQuery>,
) -> Result<Json<DeletedFaxes>, Problem> {
    let DeleteQuery { q, direction, status, number, text } = query;
    let search = FaxesQuery { q, direction, status, number, text, ..FaxesQuery::default() }.search()?;
    let mut done = DeletedFaxes { deleted: 0, deleted_calls: 0, in_progress: 0 };
    let mut slices = Slices::new(&world, &search);
    while let Some(sids) = slices.next() {
        let deleted = world.handle(DeleteEntries(sids))?;
        done.deleted += deleted.faxes;
        done.deleted_calls += deleted.calls;
        done.in_progress += deleted.active;
        tokio::task::yield_now().await;
    }
    Ok(Json(done))
}

impl FaxesQuery {
    /// Combines the search and the filters into one search.
    fn search(&self) -> Result<Search, Problem> {
        let q = self.q.as_deref().unwrap_or_default();
        let mut search = Search::parse(q).map_err(|why| Problem::new(422, "bad-search", format!("q: {why}")))?;
        for (key, value) in [("direction", &self.direction), ("status", &self.status), ("number", &self.number)] {
            if let Some(value) = given(value.as_deref()) {
                search.require(key, value).map_err(|why| bad(why.to_string()))?;
            }
        }
        if let Some(text) = given(self.text.as_deref()) {
            search.require_text(text);
        }
        Ok(search)
    }
}

fn start_in_one(token: Option<&str>) -> Result<Start, Problem> {
    let Some(token) = token else { return Ok(Start::Newest) };
    token.parse().map(Start::Before).map_err(|_| {
        let detail = format!("page_token: must be a whole number from 0 to {}, not {token:?}", Ordinal::MAX);
        bad_query(&detail)
    })
}

fn start_in_all(token: Option<&str>) -> Result<Start, Problem> {
    let Some(token) = token else { return Ok(Start::Newest) };
    Key::parse(token).map(Start::Below).ok_or_else(|| {
        bad_query(&format!("page_token: must be the next_page_token of a page of all accounts' faxes, not {token:?}"))
    })
}

fn bad(detail: String) -> Problem {
    Problem::new(422, "bad-field", detail)
}
