//! Makes faxes for the checks: a machine calls the account's number, or the account sends a fax. Each has a caller or a
//! called number of its own, by which its rules match it alone, so several may be under way.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::activity::Request;
use super::api::ApiError;
use super::conversation::Conversation;
use super::exchange::Exchange;
use super::{Run, Stop};
use crate::http::control::BASE;
use crate::model::webhook::Purpose;

/// How long the emulator may take to bring a fax to its end while the app takes its time, in seconds of real time.
const SETTLE_S: u64 = 60;
/// The number of requests to the app that a fax usually causes.
const REQUESTS_OF_FAX: usize = 2;

/// An incoming fax to make.
#[derive(Debug, Clone)]
#[must_use = "the call is made by Run::receive"]
pub struct Call {
    /// The caller's number, which no other fax of the run has.
    caller: String,
    /// Further fields of the control API's call.
    fields: Value,
    rules: Vec<Value>,
}

/// A fax for the emulator to send as if the app had sent it.
#[derive(Debug, Clone)]
#[must_use = "the fax is sent by Run::send"]
pub struct Order {
    /// The called number, which no other fax of the run has.
    to: String,
    status_callback: String,
    rules: Vec<Value>,
}

impl Call {
    /// Sets a field of the control API's call, such as `pages` or `station_id`.
    pub fn field(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields[name] = value.into();
        self
    }

    /// Adds a rule that changes the webhooks with this purpose. `effect` is the rule's `webhook`, or null for none.
    pub fn webhook(mut self, purpose: Purpose, effect: &Value) -> Self {
        if effect.is_null() {
            return self;
        }
        let matches = json!({ "direction": "inbound", "from": self.caller, "purpose": purpose.as_str() });
        self.rules.push(json!({ "match": matches, "webhook": effect }));
        self
    }
}

impl Call {
    /// Lets this number, address or name call instead. Rules that are added later match it; such a call must not run beside
    /// others from the same caller.
    pub fn from(self, caller: &str) -> Self {
        Self { caller: caller.to_owned(), ..self }
    }

    /// Adds a rule that changes the app's downloads of the document. `effect` is the rule's `media`.
    pub fn media(mut self, effect: &Value) -> Self {
        let matches = json!({ "direction": "inbound", "from": self.caller });
        self.rules.push(json!({ "match": matches, "media": effect }));
        self
    }
}

impl Order {
    /// Calls this number instead, such as one that behaves. Rules that are added later match it; such an order must not
    /// run beside others to the same number.
    pub fn to(self, number: &str) -> Self {
        Self { to: number.to_owned(), ..self }
    }

    /// Adds a rule that changes the webhooks with this purpose. `effect` is the rule's `webhook`.
    pub fn webhook(mut self, purpose: Purpose, effect: &Value) -> Self {
        let matches = json!({ "direction": "outbound", "to": self.to, "purpose": purpose.as_str() });
        self.rules.push(json!({ "match": matches, "webhook": effect }));
        self
    }
}

impl Run {
    /// Returns an incoming fax from a caller of its own, which asks the app for TwiML.
    pub fn call(&self) -> Call {
        Call { caller: self.next_number(), fields: json!({}), rules: Vec::new() }
    }

    /// Returns an incoming fax for which the app gets a request with this purpose, with a rule that changes it. If the
    /// user has named the action, the fax is received without asking the app for TwiML.
    pub fn call_with(&self, purpose: Purpose, effect: &Value) -> Call {
        let call = self.call().webhook(purpose, effect);
        match (purpose, &self.options.action) {
            (Purpose::Action, Some(action)) => call.field("action", action.as_str()),
            _ => call,
        }
    }

    /// Returns a fax to be sent to a number of its own, with this status callback.
    pub fn order(&self, status_callback: &str) -> Order {
        Order { to: self.next_number(), status_callback: status_callback.to_owned(), rules: Vec::new() }
    }

    /// Makes the call, and moves the clock until it has ended and the app has been notified.
    ///
    /// # Errors
    /// Fails if the emulator refuses a call, if the fax doesn't end in time, or at the limit of requests.
    pub async fn receive(&self, call: Call) -> Result<Conversation, Stop> {
        self.admit(REQUESTS_OF_FAX).await?;
        self.with_rules(&call.rules, self.ring(&call)).await
    }

    /// Does the same as [`Run::receive`], and keeps the rules until the app's requests about the fax are as wanted, or until
    /// it has had its time and `extra` time. Returns these requests, too.
    ///
    /// # Errors
    /// Fails like [`Run::receive`].
    pub async fn receive_until(
        &self,
        call: Call,
        extra: Duration,
        is_wanted: impl Fn(&[Request]) -> bool,
    ) -> Result<(Conversation, Vec<Request>), Stop> {
        self.admit(REQUESTS_OF_FAX).await?;
        let work = async {
            let conversation = self.ring(&call).await?;
            let end = Instant::now() + self.options.limits.work + extra;
            let requests = self.requests_until(end, &conversation.fax, is_wanted).await?;
            Ok((conversation, requests))
        };
        self.with_rules(&call.rules, work).await
    }

    async fn ring(&self, call: &Call) -> Result<Conversation, Stop> {
        let mut body = call.fields.clone();
        body["to"] = json!(self.place.number);
        body["from"] = json!(call.caller);
        let rung = self.place.api.post("/incoming-faxes", &body).await?;
        self.ended(&rung["fax_sid"], rung["seq"].as_u64().unwrap_or_default()).await
    }

    /// Sends the fax, and moves the clock until it has ended and the app has been notified.
    ///
    /// # Errors
    /// Fails like [`Run::receive`].
    pub async fn send(&self, order: Order) -> Result<Conversation, Stop> {
        self.admit(2 * REQUESTS_OF_FAX).await?;
        let document = format!("{}{BASE}/samples/one-page.pdf", self.place.api.base());
        let sending = async {
            let since = self.last_seq().await?;
            let form = [
                ("From", self.place.number.as_str()),
                ("To", order.to.as_str()),
                ("MediaUrl", document.as_str()),
                ("StatusCallback", order.status_callback.as_str()),
            ];
            let fax = self.place.rest(&self.place.faxes(), &form).await?;
            self.ended(&fax["sid"], since).await
        };
        self.with_rules(&order.rules, sending).await
    }

    /// Moves the clock until no work is left.
    ///
    /// # Errors
    /// Fails if the emulator refuses, or if the faxes don't end in time.
    pub async fn drain(&self) -> Result<(), Stop> {
        let drained = self.place.api.post("/clock/drain", &json!({ "timeout": SETTLE_S })).await;
        match drained {
            Ok(_) => Ok(()),
            Err(error) if error.is_status(408) => {
                Err(Stop::not_judged(format!("the fax did not end within {SETTLE_S} s of real time; the app may hang")))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Moves the clock by a duration, such as `24h`.
    ///
    /// # Errors
    /// Fails if the emulator refuses.
    pub async fn advance(&self, by: &str) -> Result<(), Stop> {
        self.place.api.post("/clock/advance", &json!({ "by": by, "timeout": SETTLE_S })).await?;
        Ok(())
    }

    /// Sends the last request with this purpose about a fax again, with a right signature.
    ///
    /// # Errors
    /// Fails if there is no such request.
    pub async fn replay(&self, fax: &str, purpose: Purpose) -> Result<Exchange, Stop> {
        self.admit(1).await?;
        let list = self.place.api.get("/webhooks", &[("fax", fax)]).await?;
        let webhooks = list["webhooks"].as_array().map(Vec::as_slice).unwrap_or_default();
        let found = webhooks.iter().rev().find(|webhook| webhook["purpose"] == purpose.as_str());
        let id = found.and_then(|webhook| webhook["id"].as_str());
        let id = id.ok_or_else(|| Stop::not_judged(format!("there is no request to repeat ({purpose})")))?;
        let exchange = self.place.api.post(&format!("/webhooks/{id}/replay"), &json!({})).await?;
        Ok(Exchange::of_event(&exchange))
    }

    /// Lets the number ask this address for TwiML. Only a check that runs alone may change it.
    ///
    /// # Errors
    /// Fails if the emulator refuses.
    pub async fn set_url(&self, url: &str) -> Result<(), Stop> {
        Ok(self.place.set_voice_url(&self.options.limits.voice_url(url)).await?)
    }

    /// Lets the number ask the app with this HTTP method. Only a check that runs alone may change it.
    ///
    /// # Errors
    /// Fails if the emulator refuses.
    pub async fn set_method(&self, method: &str) -> Result<(), Stop> {
        Ok(self.place.set_voice_method(method).await?)
    }

    /// Returns the place of the journal's last event.
    pub(super) async fn last_seq(&self) -> Result<u64, ApiError> {
        let list = self.place.api.get("/events", &[("limit", "0")]).await?;
        Ok(list["last_seq"].as_u64().unwrap_or_default())
    }

    /// Brings a fax to its end, and returns what happened to it since this place of the journal.
    pub(super) async fn ended(&self, fax: &Value, since: u64) -> Result<Conversation, Stop> {
        self.drain().await?;
        let conversation = Conversation::read(&self.place.api, fax.as_str().unwrap_or_default(), since).await?;
        self.took(conversation.exchanges.len().saturating_sub(REQUESTS_OF_FAX));
        for exchange in &conversation.exchanges {
            if let Some(url) = &exchange.redirected_to {
                self.stay_private(url).await?;
            }
        }
        Ok(conversation)
    }

    /// Adds the rules, does the work, and removes the rules.
    async fn with_rules<T>(&self, rules: &[Value], work: impl Future<Output = Result<T, Stop>>) -> Result<T, Stop> {
        let mut ids = Vec::new();
        let mut added = Ok(());
        for rule in rules {
            match self.place.api.post("/rules", rule).await {
                Ok(rule) => ids.push(rule["id"].clone()),
                Err(error) => {
                    added = Err(Stop::not_judged(format!("this emulator can't make the request: {error}")));
                    break;
                }
            }
        }
        let done = match added {
            Ok(()) => work.await,
            Err(stop) => Err(stop),
        };
        for id in ids {
            // Only this fax matches the rule, and the end of the run removes what is left.
            let _ = self.place.api.control("DELETE", &format!("/rules/{id}"), &[], None).await;
        }
        done
    }

    fn next_number(&self) -> String {
        format!("+{}", self.callers.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
    }
}
