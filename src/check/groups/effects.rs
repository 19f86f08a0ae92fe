//! The effects of one fax, each of which should happen only once: the app's downloads, its changes through the REST API, and
//! what it added to the page of `--probe`.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::check::page::Page;
use crate::check::{Run, Stop};

/// The interval between two looks at what the app has done. Each look may be a request to the app.
const LOOK_INTERVAL: Duration = Duration::from_millis(75);

/// What the app did about one fax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Effects {
    /// The number of times that a download of the document was tried.
    pub(super) downloads: usize,
    /// The number of calls of the REST API that change something.
    pub(super) changes: usize,
    /// What was added to the page.
    pub(super) growth: u64,
}

impl Effects {
    /// Returns whether the app did nothing that can be seen.
    pub(super) fn is_nothing(self) -> bool {
        self == Self::default()
    }

    /// Returns whether at least as much happened as usual.
    fn covers(self, usual: Self) -> bool {
        self.downloads >= usual.downloads && self.changes >= usual.changes && self.growth >= usual.growth
    }

    /// Returns what happened twice, although it happens only once for an ordinary notification.
    pub(super) fn doubled(self, usual: Self) -> Option<&'static str> {
        if usual.downloads > 0 && self.downloads >= 2 * usual.downloads {
            return Some("downloaded the document twice");
        }
        if usual.changes > 0 && self.changes >= 2 * usual.changes {
            return Some("made its changes through the REST API twice");
        }
        (usual.growth > 0 && self.growth >= 2 * usual.growth).then_some("added the fax to the page of --probe twice")
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
    // An app that works through a queue needs the same time again before it can do anything twice.
    effects(run, fax, before, run.options.limits.work, |seen| seen.covers(usual)).await?;
    let is_doubled = |seen: Effects| seen.doubled(usual).is_some();
    Ok(effects(run, fax, before, run.options.limits.settle, is_doubled).await?.doubled(usual))
}

async fn effects(
    run: &Run,
    fax: &str,
    before: Option<&Page>,
    limit: Duration,
    is_enough: impl Fn(Effects) -> bool + Send,
) -> Result<Effects, Stop> {
    let end = Instant::now() + limit;
    let mut looks = interval(LOOK_INTERVAL);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let requests = run.requests_about(fax).await?;
        let growth = match (before, run.probe().await?) {
            (Some(before), Some(page)) => page.growth(before),
            _ => 0,
        };
        let seen = Effects {
            // Refused downloads count too: the document may be gone because the app has already deleted it.
            downloads: requests.iter().filter(|request| request.is_for_media()).count(),
            changes: requests.iter().filter(|request| request.kind == "rest" && request.method != "GET").count(),
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
        let usual = Effects { downloads: 2, changes: 0, growth: 3 };
        assert_eq!(Effects { downloads: 3, changes: 5, growth: 5 }.doubled(usual), None);
        assert_eq!(Effects { downloads: 4, ..usual }.doubled(usual), Some("downloaded the document twice"));
        assert_eq!(Effects { growth: 6, ..usual }.doubled(usual), Some("added the fax to the page of --probe twice"));
        assert!(Effects::default().is_nothing() && Effects::default().doubled(Effects::default()).is_none());
    }
}
