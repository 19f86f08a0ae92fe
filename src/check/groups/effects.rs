//! What the app did about one fax that should happen once: its downloads, its changes through the REST API, and what it
//! added to the page of `--probe`.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::check::page::Page;
use crate::check::{Run, Stop};

/// What an app did that recorded a fax twice.
const ON_PAGE_TWICE: &str = "added the fax to the page of --probe twice";
/// The interval between two looks. Each may be a request to the app.
const LOOK_INTERVAL: Duration = Duration::from_millis(75);

/// What the app did about one fax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Effects {
    /// The number of times that a download of the document was tried.
    pub(super) downloads: usize,
    /// The number of calls of the REST API that change something.
    pub(super) changes: usize,
    /// How often the fax was added to the page, if the page shows its SID or its caller.
    pub(super) mentions: usize,
    /// What was added to the page.
    pub(super) growth: u64,
}

impl Effects {
    /// Returns whether nothing can be seen.
    pub(super) fn is_nothing(self) -> bool {
        self == Self::default()
    }

    /// Returns whether at least as much happened as usual.
    fn covers(self, usual: Self) -> bool {
        let is_on_page = if usual.mentions > 0 { self.mentions >= usual.mentions } else { self.growth >= usual.growth };
        self.downloads >= usual.downloads && self.changes >= usual.changes && is_on_page
    }

    /// Returns what happened twice, although the usual notification makes it happen once.
    pub(super) fn doubled(self, usual: Self) -> Option<&'static str> {
        if usual.downloads > 0 && self.downloads >= 2 * usual.downloads {
            return Some("downloaded the document twice");
        }
        if usual.changes > 0 && self.changes >= 2 * usual.changes {
            return Some("made its changes through the REST API twice");
        }
        // A page with room for the newest faxes only loses others when it gets one, so its growth is a second choice.
        let is_doubled = match usual.mentions {
            0 => usual.growth > 0 && self.growth >= 2 * usual.growth,
            usual => self.mentions >= 2 * usual,
        };
        is_doubled.then_some(ON_PAGE_TWICE)
    }
}

/// Waits until the app has done something about a fax, but no longer than `work`, and then until it has had time to do more.
/// `before` is the page as it was before the fax.
pub(super) async fn usual_effects(
    run: &Run,
    fax: &str,
    before: Option<&Page>,
    work: Duration,
) -> Result<Effects, Stop> {
    if effects(run, fax, before, work, |seen| !seen.is_nothing()).await?.is_nothing() {
        return Ok(Effects::default());
    }
    effects(run, fax, before, run.options.limits.settle, |_| false).await
}

/// Waits until the app has done twice what it usually does about a fax, or has had time to.
pub(super) async fn doubled_effects(
    run: &Run,
    fax: &str,
    before: Option<&Page>,
    usual: Effects,
) -> Result<Option<&'static str>, Stop> {
    // An app that works from a queue needs its time again before anything can be doubled.
    effects(run, fax, before, run.options.limits.work, |seen| seen.covers(usual)).await?;
    let is_doubled = |seen: Effects| seen.doubled(usual).is_some();
    let doubled = effects(run, fax, before, run.options.limits.settle, is_doubled).await?.doubled(usual);
    // A count that rises by itself, such as the seconds since the app's start, shows no faxes.
    let is_on_page = doubled == Some(ON_PAGE_TWICE) && usual.mentions == 0;
    Ok(if is_on_page && run.changes_by_itself().await? { None } else { doubled })
}

async fn effects(
    run: &Run,
    fax: &str,
    before: Option<&Page>,
    limit: Duration,
    is_enough: impl Fn(Effects) -> bool + Send,
) -> Result<Effects, Stop> {
    let caller = run.other_side(fax).await?;
    let end = Instant::now() + limit;
    let mut looks = interval(LOOK_INTERVAL);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let requests = run.requests_about(fax).await?;
        let (mentions, growth) = match (before, run.probe().await?) {
            (Some(before), Some(page)) => (page.new_mentions(before, fax, &caller), page.growth(before)),
            _ => (0, 0),
        };
        let seen = Effects {
            // Refused ones count too: the document may be gone because the app had deleted it the first time.
            downloads: requests.iter().filter(|request| request.is_for_media()).count(),
            changes: requests.iter().filter(|request| request.kind == "rest" && request.method != "GET").count(),
            mentions,
            growth,
        };
        if is_enough(seen) || Instant::now() >= end {
            return Ok(seen);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_usually_happens_can_happen_twice() {
        let usual = Effects { downloads: 2, changes: 0, mentions: 0, growth: 3 };
        assert_eq!(Effects { downloads: 3, changes: 5, mentions: 0, growth: 5 }.doubled(usual), None);
        assert_eq!(Effects { downloads: 4, ..usual }.doubled(usual), Some("downloaded the document twice"));
        assert_eq!(Effects { growth: 6, ..usual }.doubled(usual), Some(ON_PAGE_TWICE));
        let listed = Effects { mentions: 1, growth: 1, ..Effects::default() };
        assert_eq!(Effects { growth: 9, ..listed }.doubled(listed), None, "the page has moved on");
        assert_eq!(Effects { mentions: 2, ..listed }.doubled(listed), Some(ON_PAGE_TWICE));
        assert!(Effects::default().is_nothing() && Effects::default().doubled(Effects::default()).is_none());
    }
}
