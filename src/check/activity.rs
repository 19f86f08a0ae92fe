//! What the app did by itself: its calls to the REST API, its downloads of media, and what a page of its own shows.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::exchange::Exchange;
use super::page::Page;
use super::{Run, Stop};
use crate::client::ApiError;

/// The interval at which the emulator is asked for the app's requests.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// The text that every document's path in the REST API contains.
const MEDIA_RESOURCE: &str = "/Media/";
/// The interval at which the app's page is read while the run waits for it to change. Each read counts as a request to the
/// app.
const PAGE_INTERVAL: Duration = Duration::from_millis(250);
/// A little more than the time in which a counter of seconds changes.
const COUNTER_TIME: Duration = Duration::from_millis(1_100);

/// A request of the app to the emulator.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// `rest` or `media`.
    pub kind: String,
    /// The HTTP method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The parameters in the query and the body.
    pub params: Value,
    /// The status of the emulator's response, if it gave one.
    pub status: Option<u64>,
    /// The response to a call of the REST API.
    pub answer: Value,
}

impl Request {
    /// Returns whether this is a request for a document.
    #[must_use]
    pub fn is_for_media(&self) -> bool {
        let is_media = self.kind == "media" || (self.kind == "rest" && self.path.contains(MEDIA_RESOURCE));
        is_media && self.method == "GET"
    }

    /// Returns whether the app got the document, or a part of it, with this request.
    #[must_use]
    pub fn is_download(&self) -> bool {
        self.is_for_media() && matches!(self.status, Some(200 | 206))
    }

    /// Returns whether the app called the REST API to create a fax.
    #[must_use]
    pub fn is_creation(&self) -> bool {
        self.kind == "rest" && self.method == "POST" && self.path.trim_end_matches(".json").ends_with("/Faxes")
    }

    /// Returns whether this call deleted the fax or its document.
    #[must_use]
    pub fn is_deletion(&self) -> bool {
        self.kind == "rest" && self.method == "DELETE" && matches!(self.status, Some(200..300))
    }

    /// Returns the request as an exchange with the emulator at this URL, without the response.
    #[must_use]
    pub fn exchange(&self, base: &str) -> Exchange {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        let params = self.params.as_object().into_iter().flatten();
        Exchange {
            purpose: self.kind.clone(),
            method: self.method.clone(),
            url: format!("{base}{}", self.path),
            params: params.map(|(name, value)| (name.clone(), text(value))).collect(),
            status: self.status.and_then(|status| u16::try_from(status).ok()),
            ..Exchange::default()
        }
    }

    /// Describes the request in a few words.
    #[must_use]
    pub fn words(&self) -> String {
        match self.kind.as_str() {
            "media" => "a download of the document".to_owned(),
            _ => format!("{} {}", self.method, self.path.split('?').next().unwrap_or_default()),
        }
    }
}

impl Run {
    /// Lists the app's requests about a fax so far.
    ///
    /// # Errors
    /// Fails if the emulator does not respond.
    pub async fn requests_about(&self, fax: &str) -> Result<Vec<Request>, ApiError> {
        let list = self.place.api.get("/traffic", &[("direction", "in"), ("fax", fax)]).await?;
        Ok(requests(&list))
    }

    /// Returns the number, address or name of the machine at the other end of a fax, or an empty text if the app has deleted
    /// the fax.
    ///
    /// # Errors
    /// Fails if the emulator does not respond.
    pub async fn other_side(&self, fax: &str) -> Result<String, ApiError> {
        let shown = match self.place.api.get(&format!("/faxes/{fax}"), &[]).await {
            Err(error) if error.is_status(404) => return Ok(String::new()),
            shown => shown?,
        };
        let end = if shown["direction"] == "outbound" { "to" } else { "from" };
        Ok(shown[end].as_str().unwrap_or_default().to_owned())
    }

    /// Lists the calls of the REST API that create or read faxes since this place in the traffic, the run's own among
    /// them.
    ///
    /// # Errors
    /// Fails if the emulator does not respond.
    pub async fn calls_since(&self, place: u64) -> Result<Vec<Request>, ApiError> {
        let query = [("direction", "in"), ("kind", "rest"), ("path", "/Faxes"), ("since", &*place.to_string())];
        Ok(requests(&self.place.api.get("/traffic", &query).await?))
    }

    /// Returns the newest request's place in the traffic.
    ///
    /// # Errors
    /// Fails if the emulator does not respond.
    pub async fn traffic_place(&self) -> Result<u64, ApiError> {
        let list = self.place.api.get("/traffic", &[("last", "0")]).await?;
        Ok(list["last_seq"].as_u64().unwrap_or_default())
    }

    /// Counts the downloads that a rule slows down, since this place in the journal. A download counts as soon as it
    /// begins.
    ///
    /// # Errors
    /// Fails if the emulator does not respond.
    pub async fn slowed_downloads(&self, since: u64) -> Result<usize, Stop> {
        let query = [("since", &*since.to_string()), ("kind", "media.warning")];
        let list = self.place.api.get("/events", &query).await?;
        Ok(list["events"].as_array().map_or(0, Vec::len))
    }

    /// Waits until the app has made more than `known` requests about a fax, or has had time to, and lists them.
    ///
    /// # Errors
    /// Fails if the emulator does not respond.
    pub async fn requests_beyond(&self, known: usize, fax: &str) -> Result<Vec<Request>, ApiError> {
        self.watch(self.options.limits.settle, || self.requests_about(fax), |requests| requests.len() > known).await
    }

    /// Waits until `is_wanted` holds for the app's requests about a fax, or until the time for the app's work is over,
    /// and lists them.
    ///
    /// # Errors
    /// Fails if the emulator does not respond.
    pub async fn requests_wanted(
        &self,
        fax: &str,
        is_wanted: impl Fn(&[Request]) -> bool + Send + Sync,
    ) -> Result<Vec<Request>, ApiError> {
        self.requests_until(Instant::now() + self.options.limits.work, fax, is_wanted).await
    }

    pub(super) async fn requests_until(
        &self,
        end: Instant,
        fax: &str,
        is_wanted: impl Fn(&[Request]) -> bool + Send + Sync,
    ) -> Result<Vec<Request>, ApiError> {
        let limit = end.saturating_duration_since(Instant::now());
        self.watch(limit, || self.requests_about(fax), |requests| is_wanted(requests)).await
    }

    /// Waits until `is_enough` holds for what `look` sees, or the limit has passed. Returns what was seen last.
    ///
    /// # Errors
    /// Fails if `look` does.
    pub async fn watch<T, E, F>(
        &self,
        limit: Duration,
        look: impl Fn() -> F + Send,
        is_enough: impl Fn(&T) -> bool + Send,
    ) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>> + Send,
        T: Send,
    {
        let end = Instant::now() + limit;
        let mut looks = interval(LOOK_INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            let seen = look().await?;
            if is_enough(&seen) || Instant::now() >= end {
                return Ok(seen);
            }
        }
    }

    /// Lists why downloads of a fax's document have been refused or warned about so far, such as `no-user-agent`.
    ///
    /// # Errors
    /// Fails if the emulator does not respond.
    pub async fn download_faults(&self, fax: &str) -> Result<Vec<String>, ApiError> {
        let list = self.place.api.get("/events", &[("fax", fax)]).await?;
        let is_fault = |event: &&Value| matches!(event["kind"].as_str(), Some("media.warning" | "media.refused"));
        let faults = list["events"].as_array().into_iter().flatten().filter(is_fault);
        Ok(faults.filter_map(|event| event["data"]["reason"].as_str()).map(ToOwned::to_owned).collect())
    }

    /// Reads the page that the user named with `--probe`, if there is one, so that it can be compared later.
    ///
    /// # Errors
    /// Fails if the page can't be read.
    pub async fn probe(&self) -> Result<Option<Page>, Stop> {
        Ok(self.page().await?.map(|exchange| Page::of(&exchange.answer)))
    }

    /// Waits until the page of `--probe` has stopped changing, and returns it. Returns `None` if there is no page, or if
    /// the page changes by itself, as one with a clock or a form token does: comparing such a page would prove nothing.
    ///
    /// # Errors
    /// Fails if the page can't be read.
    pub async fn steady_probe(&self) -> Result<Option<Page>, Stop> {
        if self.page_is_unsteady.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let Some(mut page) = self.probe().await? else { return Ok(None) };
        let (end, mut since) = (Instant::now() + self.options.limits.work, Instant::now());
        let mut looks = interval(LOOK_INTERVAL.max(self.options.limits.settle / 4));
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            let now = self.probe().await?;
            if now.as_ref() == Some(&page) {
                if since.elapsed() >= self.options.limits.settle {
                    return Ok(now);
                }
            } else if let Some(now) = now {
                (page, since) = (now, Instant::now());
            }
            if Instant::now() >= end {
                self.page_is_unsteady.store(true, Ordering::Relaxed);
                return Ok(None);
            }
        }
    }

    /// Returns whether the page of `--probe` changes in two intervals in a row in which nothing happens, as a page with a
    /// counter of seconds does. From then on, it is not compared.
    ///
    /// # Errors
    /// Fails if the page can't be read.
    pub async fn changes_by_itself(&self) -> Result<bool, Stop> {
        let mut page = self.probe().await?;
        for _ in 0..2 {
            let now = self.watch(COUNTER_TIME, || self.probe(), |now| *now != page).await?;
            if now == page {
                return Ok(false);
            }
            page = now;
        }
        self.page_is_unsteady.store(true, Ordering::Relaxed);
        Ok(true)
    }

    /// Reads the page that the user named with `--probe`, if there is one.
    ///
    /// # Errors
    /// Fails if the page can't be read.
    pub async fn page(&self) -> Result<Option<Exchange>, Stop> {
        let Some(url) = &self.options.probe else { return Ok(None) };
        let exchange = self.look(url).await?;
        if exchange.is_accepted() && exchange.error.is_none() {
            return Ok(Some(exchange));
        }
        Err(Stop::not_judged(format!("the page of --probe can't be compared: {}", exchange.outcome())))
    }

    /// Waits until `is_wanted` holds for the page of `--probe`, or until `end`. Returns the page if it holds.
    ///
    /// # Errors
    /// Fails if the page can't be read.
    pub async fn page_until(
        &self,
        end: Instant,
        is_wanted: impl Fn(&Exchange) -> bool + Send + Sync,
    ) -> Result<Option<Exchange>, Stop> {
        let mut looks = interval(PAGE_INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            let page = self.page().await?.filter(&is_wanted);
            if page.is_some() || Instant::now() >= end {
                return Ok(page);
            }
        }
    }

    /// Does the same as [`Run::page_until`], with the page in the form in which pages are compared.
    ///
    /// # Errors
    /// Fails if the page can't be read.
    pub async fn probe_until(
        &self,
        end: Instant,
        is_wanted: impl Fn(&Page) -> bool + Send + Sync,
    ) -> Result<Option<Page>, Stop> {
        let page = |exchange: &Exchange| Page::of(&exchange.answer);
        let found = self.page_until(end, |exchange| is_wanted(&page(exchange))).await?;
        Ok(found.as_ref().map(page))
    }

    /// Waits until a word is on the page of `--probe` more often than before, and returns the page, or `None` if that
    /// doesn't happen in the time for the app's work. That time begins now or, if the page has not come to show the
    /// word more often since before the first fax, at the end of the good requests.
    ///
    /// # Errors
    /// Fails if the page can't be read.
    pub async fn probe_shows(&self, word: &str, before: &Page) -> Result<Option<Page>, Stop> {
        let (limits, now) = (self.options.limits, Instant::now());
        let has_shown = self.first_page.as_ref().is_none_or(|first| before.count(word) > first.count(word));
        let end =
            if has_shown { now + limits.work } else { (self.control.ended + limits.work).max(now + limits.settle) };
        self.probe_until(end, |page| page.count(word) > before.count(word)).await
    }

    /// Waits until the page of `--probe` differs from `before`, or has had time to change. Returns whether it differs.
    ///
    /// # Errors
    /// Fails if the page can't be read.
    pub async fn probe_differs(&self, before: Option<&Page>) -> Result<bool, Stop> {
        let Some(before) = before else { return Ok(false) };
        let end = Instant::now() + self.options.limits.settle;
        let mut looks = interval(LOOK_INTERVAL.max(self.options.limits.settle / 4));
        loop {
            looks.tick().await;
            if self.probe().await?.as_ref() != Some(before) {
                return Ok(true);
            }
            if Instant::now() >= end {
                return Ok(false);
            }
        }
    }
}

fn requests(list: &Value) -> Vec<Request> {
    let request = |request: &Value| {
        let text = |name: &str| request[name].as_str().unwrap_or_default().to_owned();
        let (kind, method, path) = (text("kind"), text("method"), text("path"));
        Request {
            kind,
            method,
            path,
            params: request["params"].clone(),
            status: request["status"].as_u64(),
            answer: request["answer"].clone(),
        }
    };
    list["requests"].as_array().into_iter().flatten().map(request).collect()
}
