//! A fax that the run has made, with every request to the app about it, read from the journal once it has ended.

use serde_json::Value;

use super::api::Api;
use super::exchange::Exchange;
use crate::client::ApiError;
use crate::model::webhook::Purpose;

/// The status of a response by an app that doesn't know the fax.
const NOT_FOUND: u16 = 404;

/// A fax or a call, and what happened to it.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// The SID of the fax or call.
    pub fax: String,
    /// The account's events about it, oldest first, as the control API shows them.
    pub events: Vec<Value>,
    /// The requests to the app, oldest first.
    pub exchanges: Vec<Exchange>,
}

impl Conversation {
    pub(super) async fn read(api: &Api, fax: &str, since: u64) -> Result<Self, ApiError> {
        let list = api.get("/events", &[("fax", fax), ("since", &since.to_string())]).await?;
        let events = list["events"].as_array().cloned().unwrap_or_default();
        let is_webhook = |event: &&Value| event["kind"] == "webhook.attempt" && event["data"]["purpose"] != "debugger";
        let exchanges = events.iter().filter(is_webhook).map(|event| Exchange::of_event(&event["data"])).collect();
        Ok(Self { fax: fax.to_owned(), events, exchanges })
    }

    /// Returns the requests to the app with this purpose, oldest first.
    pub fn of(&self, purpose: Purpose) -> impl DoubleEndedIterator<Item = &Exchange> {
        self.exchanges.iter().filter(move |exchange| exchange.purpose == purpose.as_str())
    }

    /// Returns the first request with this purpose that the app did not respond 404 to, or else the first. The first
    /// notification can come before an app has stored the fax that it has just sent.
    #[must_use]
    pub fn first_known(&self, purpose: Purpose) -> Option<&Exchange> {
        self.of(purpose).find(|exchange| exchange.status != Some(NOT_FOUND)).or_else(|| self.of(purpose).next())
    }

    /// Returns the first request with this purpose that the app did not accept. A response 404 before the first one
    /// that it accepted doesn't count, because an app may not know its fax yet.
    #[must_use]
    pub fn refusal(&self, purpose: Purpose) -> Option<&Exchange> {
        let known_from = self.of(purpose).position(Exchange::is_accepted).unwrap_or_default();
        let is_refusal = |at: usize, exchange: &Exchange| {
            !exchange.is_accepted() && (at >= known_from || exchange.status != Some(NOT_FOUND))
        };
        self.of(purpose).enumerate().find(|(at, exchange)| is_refusal(*at, exchange)).map(|(_, exchange)| exchange)
    }

    /// Returns the data of the events of this kind, oldest first.
    pub fn events_of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.events.iter().filter(move |event| event["kind"] == kind).map(|event| &event["data"])
    }

    /// Returns whether the app took the call.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        self.events_of("twiml.executed").any(|data| data["verb"] == "Receive")
    }
}
