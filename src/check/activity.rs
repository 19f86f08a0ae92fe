//! What the app did by itself: its calls to the REST API, its downloads of media, and what a page of its own shows.

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::api::ApiError;
use super::direct::Raw;
use super::{Run, Stop};

/// The interval at which the emulator is asked for the app's requests.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// A request of the app to the emulator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `rest` or `media`.
    pub kind: String,
    /// The HTTP method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The status of the emulator's response, if it gave one.
    pub status: Option<u64>,
}

/// A page of the app at one moment: JSON, which is compared as values, or any other text.
#[derive(Debug, Clone, PartialEq)]
pub enum Page {
    /// The page is JSON.
    Json(Value),
    /// The page is something else.
    Text(String),
}

impl Request {
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
        let request = |request: &Value| {
            let text = |name: &str| request[name].as_str().unwrap_or_default().to_owned();
            let (kind, method, path) = (text("kind"), text("method"), text("path"));
            Request { kind, method, path, status: request["status"].as_u64() }
        };
        Ok(list["requests"].as_array().into_iter().flatten().map(request).collect())
    }

    /// Waits until the app has made more than `known` requests about a fax, or has had time to, and lists them.
    ///
    /// # Errors
    /// Fails if the emulator does not respond.
    pub async fn requests_beyond(&self, known: usize, fax: &str) -> Result<Vec<Request>, ApiError> {
        let end = Instant::now() + self.options.limits.settle;
        let mut looks = interval(LOOK_INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            let requests = self.requests_about(fax).await?;
            if requests.len() > known || Instant::now() >= end {
                return Ok(requests);
            }
        }
    }

    /// Reads the page that the user named with `--probe`, if there is one.
    ///
    /// # Errors
    /// Fails if the page can't be read.
    pub async fn probe(&self) -> Result<Option<Page>, Stop> {
        let Some(url) = &self.options.probe else { return Ok(None) };
        let exchange = self.ask(&Raw { method: "GET", url, ..Raw::default() }).await?;
        if !exchange.is_accepted() || exchange.error.is_some() {
            return Err(Stop::not_judged(format!("the page of --probe can't be compared: {}", exchange.outcome())));
        }
        let json = serde_json::from_str(&exchange.answer).ok();
        Ok(Some(json.map_or(Page::Text(exchange.answer), Page::Json)))
    }

    /// Waits until the page of `--probe` differs from what it was, or has had time to. Returns whether it differs.
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
