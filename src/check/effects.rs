//! What the app did about one fax that should happen once: its downloads, its changes through the REST API, and what it
//! added to the page of `--probe`.

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::activity::Request;
use super::page::Page;
use super::stimulus::Call;
use super::{Run, Stop};
use crate::model::webhook::Purpose;

/// The interval between two looks at what the app has done. Each look may be a request to the app.
const LOOK_INTERVAL: Duration = Duration::from_millis(75);

/// What an app did that recorded a fax twice.
const ON_PAGE_TWICE: &str = "added the fax to the page of --probe twice";

/// What the app did about one fax since an earlier moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Effects {
    /// The number of times that a download of the document was tried.
    downloads: i64,
    /// The number of calls of the REST API that change something.
    changes: i64,
    /// What was added to the page; negative if more was removed.
    growth: i64,
    /// How many more times the page mentions the fax's SID.
    mentions: i64,
    /// How many more times the page mentions the number at the other end of the fax.
    numbers: i64,
    /// Whether the page mentions the fax's SID at all.
    is_mentioned: bool,
    /// Whether the page has changed.
    has_changed_page: bool,
}

/// What could be seen of a fax at one moment.
#[derive(Debug, Clone)]
pub struct Moment {
    /// The page, if there is one and it doesn't change by itself.
    pub(super) page: Option<Page>,
    /// The fax's SID, and the number, address or name at its other end. Both are empty before a fax is made.
    fax: (String, String),
    downloads: i64,
    changes: i64,
}

/// What the app does about a usual incoming fax, which several checks compare with what it does about others.
#[derive(Debug, Clone)]
pub struct Usual {
    /// The SID of the fax.
    pub fax: String,
    /// What the app did when it was asked for TwiML.
    pub asked: Effects,
    /// What the app did when it was notified.
    pub notified: Effects,
}

impl Effects {
    /// Returns whether the app did nothing that can be seen.
    pub fn is_nothing(self) -> bool {
        Self { is_mentioned: false, ..self } == Self::default()
    }

    /// Returns whether it could be seen if these effects happened twice. A page that shows only the newest faxes may
    /// change without getting longer, but then it must name the fax.
    pub fn could_double(self) -> bool {
        let on_page = self.growth != 0 || self.numbers > 0 || (self.is_mentioned && self.has_changed_page);
        self.downloads > 0 || self.changes > 0 || on_page
    }

    /// Returns these effects and `other` together.
    pub fn and(self, other: Self) -> Self {
        Self {
            downloads: self.downloads + other.downloads,
            changes: self.changes + other.changes,
            growth: self.growth + other.growth,
            mentions: self.mentions + other.mentions,
            numbers: self.numbers + other.numbers,
            is_mentioned: self.is_mentioned || other.is_mentioned,
            has_changed_page: self.has_changed_page || other.has_changed_page,
        }
    }

    /// Returns these effects less others.
    pub fn without(self, other: Self) -> Self {
        Self {
            downloads: self.downloads - other.downloads,
            changes: self.changes - other.changes,
            growth: self.growth - other.growth,
            mentions: self.mentions - other.mentions,
            numbers: self.numbers - other.numbers,
            ..self
        }
    }

    /// Returns whether at least as much happened as in `other`.
    fn covers(self, other: Self) -> bool {
        let is_on_page = if other.is_mentioned {
            self.mentions >= other.mentions
        } else if other.numbers > 0 {
            self.numbers >= other.numbers
        } else {
            self.growth >= other.growth
        };
        self.downloads >= other.downloads && self.changes >= other.changes && is_on_page
    }

    /// Returns what happened twice, although it usually happens once. `once` is the usual effect of one request, and `rest`
    /// is what happens in any case.
    pub fn doubled(self, once: Self, rest: Self) -> Option<&'static str> {
        let is_double = |seen: i64, once: i64, rest: i64| once > 0 && seen - rest >= 2 * once;
        if is_double(self.downloads, once.downloads, rest.downloads) {
            return Some("downloaded the document twice");
        }
        if is_double(self.changes, once.changes, rest.changes) {
            return Some("made its changes through the REST API twice");
        }
        let usual = once.and(rest);
        // The SID is in every record of the fax or in none. Otherwise, the number of the caller tells. A page that
        // shows only the newest faxes loses one when it gets another, so its length is the last choice; and a record
        // that replaces another, such as that of the call, may leave the page shorter.
        let is_on_page = if usual.is_mentioned {
            self.mentions > usual.mentions
        } else if once.numbers > 0 {
            is_double(self.numbers, once.numbers, rest.numbers)
        } else if once.growth < 0 {
            self.growth > usual.growth
        } else {
            is_double(self.growth, once.growth, rest.growth)
        };
        is_on_page.then_some(ON_PAGE_TWICE)
    }

    /// Returns whether only the length of the page, or a count on it, shows that these effects happened.
    const fn is_only_growth(self) -> bool {
        !self.is_mentioned && self.numbers <= 0
    }
}

impl Moment {
    /// Returns what can be seen of a fax once the page has stopped changing; without a fax, what there is before one is made.
    pub async fn now(run: &Run, fax: Option<&str>) -> Result<Self, Stop> {
        let page = run.steady_probe().await?;
        let Some(sid) = fax else {
            return Ok(Self { page, fax: <(String, String)>::default(), downloads: 0, changes: 0 });
        };
        let number = run.other_side(sid).await?;
        Self::of(run, (sid.to_owned(), number), page).await
    }

    async fn of(run: &Run, fax: (String, String), page: Option<Page>) -> Result<Self, Stop> {
        let requests = run.requests_about(&fax.0).await?;
        let count = |is_counted: &dyn Fn(&Request) -> bool| {
            let count = requests.iter().filter(|request| is_counted(request)).count();
            i64::try_from(count).unwrap_or(i64::MAX)
        };
        Ok(Self {
            page,
            fax,
            // Refused downloads count too: the document may be gone because the app has already deleted it.
            downloads: count(&Request::is_for_media),
            // The call that created the fax is no effect of a request about it, and may be the run's own.
            changes: count(&|request| request.kind == "rest" && request.method != "GET" && !request.is_creation()),
        })
    }

    /// Returns what has happened since an earlier moment.
    pub fn since(&self, earlier: &Self) -> Effects {
        let pages = self.page.as_ref().zip(earlier.page.as_ref());
        let (fax, number) = &self.fax;
        Effects {
            downloads: self.downloads - earlier.downloads,
            changes: self.changes - earlier.changes,
            growth: pages.map_or(0, |(now, then)| now.growth(then)),
            mentions: pages.map_or(0, |(now, then)| now.mentions(fax) - then.mentions(fax)),
            numbers: pages.map_or(0, |(now, then)| now.mentions_of_number(number) - then.mentions_of_number(number)),
            is_mentioned: pages.is_some_and(|(now, _)| now.mentions(fax) > 0),
            has_changed_page: pages.is_some_and(|(now, then)| now != then),
        }
    }
}

impl Run {
    /// Returns what the app does about a usual incoming fax of which it is notified. The checks that call this share
    /// one fax, which the first of them makes; they must run alone.
    ///
    /// # Errors
    /// Fails if the fax can't be made, or if the page of `--probe` can't be read.
    pub async fn usual(&self) -> Result<&Usual, Stop> {
        self.usual.get_or_try_init(|| self.usual_of(self.call_held(Purpose::Action, &Value::Null))).await
    }

    /// Returns what the app does about this incoming fax, of which it must not be notified before the clock is moved.
    ///
    /// # Errors
    /// Fails like [`Run::usual`].
    pub async fn usual_of(&self, call: Call) -> Result<Usual, Stop> {
        let start = Moment::now(self, None).await?;
        let work = self.patience(start.page.as_ref()).await?;
        let asks = !call.has_action();
        let pending = self.ring(call).await?;
        // With an action, the emulator receives the fax without asking the app.
        if asks {
            self.until_asked(&pending).await?;
        }
        let before = Moment::now(self, Some(&pending.fax)).await?;
        let fax = self.finish(pending).await?.fax;
        let notified = self.effects_of_one(&fax, &before, work).await?;
        Ok(Usual { fax, asked: before.since(&start), notified })
    }

    /// Returns how long to wait for the app to do something about a fax that can be seen. An app that has shown nothing
    /// of the first fax, in the time for its work, will show nothing of another one, so it isn't given that time again.
    async fn patience(&self, page: Option<&Page>) -> Result<Duration, Stop> {
        let limits = self.options.limits;
        if page.is_some() && page != self.first_page.as_ref() {
            return Ok(limits.work);
        }
        if self.notified().is_err() {
            return Ok(limits.work);
        }
        let requests = self.first_requests(|requests| !requests.is_empty()).await?;
        Ok(if requests.is_empty() { limits.settle } else { limits.work })
    }

    /// Waits until the app has done something about a fax since `before`, but no longer than `work`, and then until it has had
    /// time to do more.
    ///
    /// # Errors
    /// Fails if the page can't be read, or if the emulator does not respond.
    pub async fn effects_of_one(&self, fax: &str, before: &Moment, work: Duration) -> Result<Effects, Stop> {
        if self.effects(fax, before, work, |seen| !seen.is_nothing()).await?.is_nothing() {
            return Ok(Effects::default());
        }
        self.effects(fax, before, self.options.limits.settle, |_| false).await
    }

    /// Waits until the app has done twice what it usually does once, or has had time to, and returns what that is. Each
    /// pair divides the app's usual effects into those of one request and the rest, which happens in any case.
    ///
    /// # Errors
    /// Fails like [`Run::effects_of_one`].
    pub async fn doubled_effects(
        &self,
        fax: &str,
        before: &Moment,
        pairs: &[(Effects, Effects)],
    ) -> Result<Option<&'static str>, Stop> {
        let is_usual = |seen: Effects| pairs.iter().all(|(once, rest)| seen.covers(once.and(*rest)));
        // An app that works from a queue needs its time again before anything can be doubled.
        self.effects(fax, before, self.options.limits.work, is_usual).await?;
        let doubled = |seen: Effects| pairs.iter().find_map(|(once, rest)| seen.doubled(*once, *rest));
        let seen = self.effects(fax, before, self.options.limits.settle, |seen| doubled(seen).is_some()).await?;
        // A count that rises by itself, such as the seconds since the app's start, doesn't count faxes.
        let is_counted = doubled(seen) == Some(ON_PAGE_TWICE) && seen.is_only_growth();
        Ok(if is_counted && self.changes_by_itself().await? { None } else { doubled(seen) })
    }

    async fn effects(
        &self,
        fax: &str,
        before: &Moment,
        limit: Duration,
        is_enough: impl Fn(Effects) -> bool + Send,
    ) -> Result<Effects, Stop> {
        // The app may have deleted the fax meanwhile.
        let is_known = before.fax.0 == fax;
        let fax = if is_known { before.fax.clone() } else { (fax.to_owned(), self.other_side(fax).await?) };
        let end = Instant::now() + limit;
        let mut looks = interval(LOOK_INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            // A page that changes by itself isn't compared, so it need not be read either.
            let page = if before.page.is_some() { self.probe().await? } else { None };
            let seen = Moment::of(self, fax.clone(), page).await?.since(before);
            if is_enough(seen) || Instant::now() >= end {
                return Ok(seen);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Effects = Effects {
        downloads: 0,
        changes: 0,
        growth: 0,
        mentions: 0,
        numbers: 0,
        is_mentioned: false,
        has_changed_page: false,
    };
    const TOLD: Option<&str> = Some(ON_PAGE_TWICE);

    #[test]
    fn only_what_usually_happens_can_happen_twice() {
        let usual = Effects { downloads: 2, growth: 3, ..NOTHING };
        assert_eq!(Effects { downloads: 3, changes: 5, growth: 5, ..NOTHING }.doubled(usual, NOTHING), None);
        assert_eq!(Effects { downloads: 4, ..usual }.doubled(usual, NOTHING), Some("downloaded the document twice"));
        assert_eq!(Effects { growth: 6, ..usual }.doubled(usual, NOTHING), TOLD);
        assert!(NOTHING.is_nothing() && NOTHING.doubled(NOTHING, NOTHING).is_none());
    }

    #[test]
    fn a_page_that_names_the_caller_tells_more_than_its_length() {
        let listed = Effects { numbers: 1, growth: 1, has_changed_page: true, ..NOTHING };
        assert_eq!(Effects { growth: 9, ..listed }.doubled(listed, NOTHING), None, "the page has moved on");
        assert_eq!(Effects { numbers: 2, ..listed }.doubled(listed, NOTHING), TOLD);
        assert!(!listed.is_only_growth() && Effects { growth: 1, ..NOTHING }.is_only_growth());
    }

    #[test]
    fn what_happens_in_any_case_is_not_doubled() {
        let (once, rest) = (Effects { growth: 3, ..NOTHING }, Effects { growth: 4, ..NOTHING });
        assert_eq!(Effects { growth: 9, ..NOTHING }.doubled(once, rest), None);
        assert_eq!(Effects { growth: 10, ..NOTHING }.doubled(once, rest), TOLD);
    }

    #[test]
    fn a_record_that_replaces_another_one_can_be_doubled_too() {
        let once = Effects { growth: -1, has_changed_page: true, ..NOTHING };
        assert_eq!(once.doubled(once, NOTHING), None);
        assert_eq!(Effects { growth: 2, ..once }.doubled(once, NOTHING), TOLD);
        // A full page doesn't get longer, but names the fax once or twice.
        let named = Effects { is_mentioned: true, has_changed_page: true, ..NOTHING };
        assert!(named.could_double() && !Effects { is_mentioned: false, ..named }.could_double());
        assert_eq!(named.doubled(named, NOTHING), None);
        assert_eq!(Effects { mentions: 1, ..named }.doubled(named, NOTHING), TOLD);
    }
}
