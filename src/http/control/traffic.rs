//! The control API's call to list every request in both directions: from clients to the REST APIs and the media host,
//! and from the emulator to apps. Requests that were refused before they reached an account are listed, too.

use axum::Json;
use axum::extract::{FromRequestParts, Request, State};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::extract::{Asked, Named};
use super::journal::last_event_id;
use super::problem::Problem;
use super::traffic_filter::{TrafficFilter, TrafficQuery};
use super::traffic_view::RequestView;
use super::{feed_stream, stream};
use crate::emulator::Registry;
use crate::world::feed::Feed;

/// The number of requests per page if no `limit` is given.
const LIMIT_DEFAULT: usize = 1_000;

/// Requests, oldest first.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Traffic")]
pub(super) struct TrafficPage {
    requests: Vec<RequestView>,
    /// Place of the newest entry. To read on after a page, pass the `seq` of its last request as `since`.
    last_seq: u64,
    /// Number of entries dropped since the start. The events of all accounts are entries, too, not only requests.
    evicted: u64,
    /// How many of the dropped entries came after `since`, and are thus missing from this page.
    missed: u64,
}

/// Which of the matching requests to return.
#[derive(Debug, Clone, Copy)]
enum Part {
    /// The oldest ones, at most this many.
    First(usize),
    /// The newest ones, at most this many.
    Last(usize),
}

#[expect(clippy::disallowed_methods, reason = "searching every request takes a while")]
pub(super) async fn list(State(registry): State<Registry>, request: Request) -> Result<Response, Problem> {
    let (mut parts, _) = request.into_parts();
    let Named(account) = Named::from_request_parts(&mut parts, &registry).await?;
    let Asked(query): Asked<TrafficQuery> = Asked::from_request_parts(&mut parts, &registry).await?;
    let part = match (query.limit, query.last) {
        (limit, None) => Part::First(limit.unwrap_or(LIMIT_DEFAULT)),
        (None, Some(last)) => Part::Last(last),
        (Some(_), Some(_)) => {
            let detail =
                "last: can't be given together with limit; limit counts from the oldest request, last from the newest";
            return Err(Problem::new(422, "bad-field", detail));
        }
    };
    // A reconnecting browser repeats its query, so the header takes precedence.
    let (asked, resumed) = (query.since.unwrap_or(0), last_event_id(&parts.headers)?);
    let filter = TrafficFilter::parse(query, account)?;
    // Runs on a separate thread, since other calls must not wait for it.
    let searched = tokio::task::spawn_blocking(move || {
        if !stream::is_wanted(&parts.headers) {
            return Json(page(registry.feed(), &filter, asked, part)).into_response();
        }
        let since = match (resumed, part) {
            (Some(resumed), _) => resumed,
            (None, Part::First(_)) => asked,
            (None, Part::Last(last)) => before_last(registry.feed(), &filter, asked, last),
        };
        let all = registry.clone();
        feed_stream::answer(registry, since, move |news| filter.view(news, all.feed()).map(|view| json!(view)))
    });
    searched.await.map_err(|error| Problem::new(500, "internal", error.to_string()))
}

/// Returns the place just before the newest `count` requests that match.
fn before_last(feed: &Feed, filter: &TrafficFilter, since: u64, count: usize) -> u64 {
    let found = feed.read(since, usize::MAX);
    let matching = found.entries.iter().rev().filter(|news| filter.view(news, feed).is_some());
    matching.take(count).last().map_or(found.last_seq, |news| news.seq - 1)
}

fn page(feed: &Feed, filter: &TrafficFilter, since: u64, part: Part) -> TrafficPage {
    let found = feed.read(since, usize::MAX);
    let views = found.entries.iter();
    let requests = match part {
        Part::First(limit) => views.filter_map(|news| filter.view(news, feed)).take(limit).collect(),
        Part::Last(last) => {
            let mut newest: Vec<_> = views.rev().filter_map(|news| filter.view(news, feed)).take(last).collect();
            newest.reverse();
            newest
        }
    };
    let (last_seq, evicted) = (found.last_seq, found.evicted);
    TrafficPage { requests, last_seq, evicted, missed: evicted.saturating_sub(since) }
}
