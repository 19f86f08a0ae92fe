//! Makes faxes for the checks: a machine calls the account's number, or the account sends a fax. Each fax has a caller or a
//! called number of its own, so that its rules match only it, and several may be under way at once.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::activity::Request;
use super::conversation::Conversation;
use super::exchange::Exchange;
use super::{Run, Stop};
use crate::client::ApiError;
use crate::io::own::CONTROL_BASE;
use crate::model::webhook::{Method, Purpose};

/// How long a fax may take to end, including the time that the app takes to respond, in seconds of real time.
const SETTLE_S: u64 = 60;
/// How long a notification is held back so that something can come before it, in milliseconds of virtual time. On a line
/// without delay, a fax ends as soon as the app has been asked for TwiML, but the clock stands still until the fax is brought
/// to its end.
const HELD_MS: u64 = 1_000;
/// The number of requests to the app that a fax usually causes.
const REQUESTS_OF_FAX: usize = 2;

/// An incoming fax to make.
#[derive(Debug, Clone)]
#[must_use = "the call is made by Run::receive"]
pub struct Call {
    /// The caller's number, which no other fax of the run has.
    caller: String,
    /// Further fields of the call to the control API.
    fields: Value,
    rules: Vec<Value>,
}

/// A fax for the emulator to send: the app's own, or one that is sent as if by the app.
#[derive(Debug, Clone)]
#[must_use = "the fax is sent by Run::send"]
pub struct Order {
    /// The called number, which no other fax of the run has; `None` if the app chooses it.
    to: Option<String>,
    status_callback: String,
    /// The HTTP method of the status callbacks.
    method: String,
    rules: Vec<Value>,
}

/// A fax that has been made but has not ended, with the rules for it.
#[derive(Debug)]
#[must_use = "the fax is brought to its end by Run::finish"]
pub struct Pending {
    /// The SID of the fax or call.
    pub fax: String,
    /// The place in the journal of the last event before the fax.
    since: u64,
    /// The ids of the rules.
    rules: Vec<Value>,
}

impl Call {
    /// Sets a field of the call to the control API, such as `pages` or `station_id`.
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

    /// Adds a rule that changes the app's downloads of the document. `effect` is the rule's `media`.
    pub fn media(mut self, effect: &Value) -> Self {
        let matches = json!({ "direction": "inbound", "from": self.caller });
        self.rules.push(json!({ "match": matches, "media": effect }));
        self
    }

    /// Adds a rule that changes the app's first download of the document. `effect` is the rule's `media`.
    pub fn first_download(mut self, effect: &Value) -> Self {
        let matches = json!({ "direction": "inbound", "from": self.caller });
        self.rules.push(json!({ "match": matches, "times": 1, "media": effect }));
        self
    }

    /// Returns whether the fax is received with an action of its own, without asking the app for TwiML.
    pub fn has_action(&self) -> bool {
        self.fields["action"].is_string()
    }

    /// Makes this number, address or name the caller instead. Rules that are added later match it; such a call must not
    /// run beside others from the same caller.
    pub fn from(self, caller: &str) -> Self {
        Self { caller: caller.to_owned(), ..self }
    }
}

impl Order {
    /// Adds a rule that changes the webhooks with this purpose. `effect` is the rule's `webhook`.
    pub fn webhook(self, purpose: Purpose, effect: &Value) -> Self {
        let mut matches = json!({ "direction": "outbound", "purpose": purpose.as_str() });
        let effect = match &self.to {
            Some(to) => {
                matches["to"] = to.as_str().into();
                effect.clone()
            }
            None => held(effect),
        };
        self.rule(json!({ "match": matches, "webhook": effect }))
    }

    /// Holds back the notifications of a fax that the app sends, unless another rule changes them: at the pace `max`, they
    /// would come before the app has stored the fax.
    fn with_held_notifications(self) -> Self {
        if self.to.is_some() { self } else { self.webhook(Purpose::StatusCallback, &json!({})) }
    }

    /// Adds a rule. If it matches other faxes too, the check must run alone.
    pub fn rule(mut self, rule: Value) -> Self {
        self.rules.push(rule);
        self
    }
}

/// Returns the effect of a rule on webhooks, with a delay unless it has one, or unless nothing is sent.
fn held(effect: &Value) -> Value {
    let mut held = effect.clone();
    if held["drop"].is_null() && held["delay_ms"].is_null() {
        held["delay_ms"] = HELD_MS.into();
    }
    held
}

impl Run {
    /// Returns an incoming fax from a caller of its own. The app is asked for its TwiML.
    pub fn call(&self) -> Call {
        Call { caller: self.next_number(), fields: json!({}), rules: Vec::new() }
    }

    /// Returns an incoming fax for which the app gets a request with this purpose, along with a rule that changes that
    /// request. If the user has named the action, the fax is received without asking the app for TwiML.
    pub fn call_with(&self, purpose: Purpose, effect: &Value) -> Call {
        let call = self.call().webhook(purpose, effect);
        match (purpose, &self.options.action) {
            (Purpose::Action, Some(action)) => call.field("action", action.as_str()),
            _ => call,
        }
    }

    /// Does the same as [`Run::call_with`], but the request waits until the clock is moved.
    pub fn call_held(&self, purpose: Purpose, effect: &Value) -> Call {
        self.call_with(purpose, &held(effect))
    }

    /// Returns a fax to be sent to a number of its own, with this status callback.
    pub fn order(&self, status_callback: &str) -> Order {
        let (to, method) = (Some(self.next_number()), Method::Post.to_string());
        Order { to, status_callback: status_callback.to_owned(), method, rules: Vec::new() }
    }

    /// Returns a fax to be sent to a number of its own, of which the app is notified as in this status callback.
    pub(super) fn order_like(&self, callback: &Exchange) -> Order {
        // The URL of a GET contains the parameters, which belong to another fax.
        Order { method: callback.method.clone(), ..self.order(&callback.url_as_configured()) }
    }

    /// Returns a fax to be sent to a number of its own, of which the app is notified as in the good status callback.
    ///
    /// # Errors
    /// Fails if the app did not accept that callback.
    pub fn order_like_good(&self) -> Result<Order, Stop> {
        Ok(self.order_like(self.accepted(Purpose::StatusCallback)?))
    }

    /// Returns a fax that the user's command makes the app send or, if there is no such command, one that the run sends as
    /// if it were the app. In the first case, the fax's rules match all faxes that are sent, so the check must run alone.
    ///
    /// # Errors
    /// Fails if the app did not accept the good status callback.
    pub fn order_of_app(&self) -> Result<Order, Stop> {
        let order = self.order_like_good()?;
        Ok(if self.options.send.is_some() { Order { to: None, ..order } } else { order })
    }

    /// Sends a fax whose notifications this effect of a rule changes: as if by the app, or by the app itself if it
    /// refuses notifications of faxes that it did not send.
    ///
    /// # Errors
    /// Fails like [`Run::send`].
    pub async fn send_changed(&self, effect: &Value) -> Result<Conversation, Stop> {
        let purpose = Purpose::StatusCallback;
        if !self.is_for_own_faxes_only() {
            return self.send(self.order_like_good()?.webhook(purpose, effect)).await;
        }
        // The rule matches all faxes that are sent, so checks that run side by side take turns.
        let _turn = self.sending.lock().await;
        self.send(self.order_of_app()?.webhook(purpose, effect)).await
    }

    /// Makes the call, and moves the clock until it has ended and the app has been notified.
    ///
    /// # Errors
    /// Fails if the emulator refuses a call, if the fax doesn't end in time, or at the limit of requests.
    pub async fn receive(&self, call: Call) -> Result<Conversation, Stop> {
        self.finish(self.ring(call).await?).await
    }

    /// Makes the app send a fax, and brings the fax to its end. Checks that call this must run alone, because otherwise the
    /// app's fax couldn't be told from other faxes.
    ///
    /// # Errors
    /// Fails like [`Run::send`].
    pub async fn make_the_app_send(&self) -> Result<Conversation, Stop> {
        self.send(Order { to: None, ..self.order("") }).await
    }

    /// Makes the call, without moving the clock.
    ///
    /// # Errors
    /// Fails if the emulator refuses a call, or at the limit of requests.
    pub async fn ring(&self, call: Call) -> Result<Pending, Stop> {
        self.admit(REQUESTS_OF_FAX).await?;
        let mut body = call.fields;
        body["to"] = json!(self.place.number);
        body["from"] = json!(call.caller);
        let ringing = async {
            let rung = self.place.api.post("/incoming-faxes", &body).await?;
            Ok((text(&rung["fax_sid"]), rung["seq"].as_u64().unwrap_or_default()))
        };
        self.pending(&call.rules, ringing).await
    }

    /// Waits until the app has been asked for TwiML for the fax, or until the time limit for a response has passed.
    ///
    /// # Errors
    /// Fails if the emulator does not respond.
    pub async fn until_asked(&self, pending: &Pending) -> Result<(), Stop> {
        let read = || Conversation::read(&self.place.api, &pending.fax, pending.since);
        let is_asked = |conversation: &Conversation| conversation.of(Purpose::FaxUrl).next().is_some();
        self.watch(self.options.limits.late, read, is_asked).await?;
        Ok(())
    }

    /// Does the same as [`Run::receive`], but keeps the rules until `is_wanted` holds for the app's requests about the
    /// fax, or until the time for the app's work and the `extra` time are over. Also returns these requests.
    ///
    /// # Errors
    /// Fails like [`Run::receive`].
    pub async fn receive_until(
        &self,
        call: Call,
        extra: Duration,
        is_wanted: impl Fn(&[Request]) -> bool + Send + Sync,
    ) -> Result<(Conversation, Vec<Request>), Stop> {
        let pending = self.ring(call).await?;
        let conversation = self.end(&pending).await?;
        // An app that has refused a request does no work for it.
        let is_refused = conversation.exchanges.iter().any(|exchange| !exchange.is_accepted());
        let time = if is_refused { Duration::ZERO } else { self.options.limits.work + extra };
        let end = Instant::now() + time;
        let requests = self.requests_until(end, &conversation.fax, is_wanted).await?;
        self.forget(pending).await;
        Ok((conversation, requests))
    }

    /// Sends the fax, and moves the clock until it has ended and the app has been notified.
    ///
    /// # Errors
    /// Fails like [`Run::receive`], and if the app can't be made to send.
    pub async fn send(&self, order: Order) -> Result<Conversation, Stop> {
        self.finish(self.queue(order).await?).await
    }

    /// Sends the fax, without moving the clock.
    ///
    /// # Errors
    /// Fails like [`Run::ring`], and if the app can't be made to send.
    pub async fn queue(&self, order: Order) -> Result<Pending, Stop> {
        self.admit(2 * REQUESTS_OF_FAX).await?;
        let order = order.with_held_notifications();
        let document = format!("{}{CONTROL_BASE}/samples/one-page.pdf", self.place.api.base());
        let queueing = async {
            let Some(to) = &order.to else { return self.fax_of_app().await };
            let since = self.last_seq().await?;
            let mut form = vec![
                ("From", self.place.number.as_str()),
                ("To", to),
                ("MediaUrl", document.as_str()),
                ("StatusCallback", order.status_callback.as_str()),
            ];
            // Only SignalWire has this parameter, so only its status callbacks can be GETs.
            if order.method != Method::Post.as_str() {
                form.push(("StatusCallbackMethod", order.method.as_str()));
            }
            let fax = self.place.rest(&self.place.faxes(), &form).await?;
            Ok((text(&fax["sid"]), since))
        };
        self.pending(&order.rules, queueing).await
    }

    /// Cancels a fax that has not been sent.
    ///
    /// # Errors
    /// Fails if the emulator refuses.
    pub async fn cancel(&self, fax: &str) -> Result<(), Stop> {
        self.place.rest(&format!("{}/{fax}", self.place.faxes()), &[("Status", "canceled")]).await?;
        Ok(())
    }

    /// Deletes a fax that has ended.
    ///
    /// # Errors
    /// Fails if there is no such fax, or if it has not ended.
    pub async fn delete(&self, fax: &str) -> Result<(), Stop> {
        let query = [("q", &*format!("sid:{fax}")), ("status", "any")];
        let done = self.place.api.control("DELETE", "/faxes", &query, None).await?;
        let is_deleted = done["deleted"].as_u64().is_some_and(|count| count > 0);
        if is_deleted { Ok(()) } else { Err(Stop::not_judged(format!("fax {fax} could not be deleted"))) }
    }

    /// Moves the clock until the fax has ended and the app has been notified, and removes the fax's rules.
    ///
    /// # Errors
    /// Fails if the fax doesn't end in time.
    pub async fn finish(&self, pending: Pending) -> Result<Conversation, Stop> {
        let ended = self.end(&pending).await;
        self.forget(pending).await;
        ended
    }

    /// Removes a fax's rules.
    pub async fn forget(&self, pending: Pending) {
        self.remove_rules(pending.rules).await;
    }

    /// Moves the clock until the fax has ended and the app has been notified, but leaves the fax's rules in force.
    ///
    /// # Errors
    /// Fails if the fax doesn't end in time.
    pub async fn end(&self, pending: &Pending) -> Result<Conversation, Stop> {
        self.ended(&pending.fax, pending.since).await
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

    /// Sends the last request with this purpose about a fax again, with a correct signature.
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

    /// Makes the number ask this address for TwiML. Only a check that runs alone may change it.
    ///
    /// # Errors
    /// Fails if the emulator refuses.
    pub async fn set_url(&self, url: &str) -> Result<(), Stop> {
        Ok(self.place.set_voice_url(&self.options.limits.voice_url(url)).await?)
    }

    /// Makes the number ask the app with this HTTP method. Only a check that runs alone may change it.
    ///
    /// # Errors
    /// Fails if the emulator refuses.
    pub async fn set_method(&self, method: &str) -> Result<(), Stop> {
        Ok(self.place.set_voice_method(method).await?)
    }

    /// Returns the place in the journal of the last event.
    pub(super) async fn last_seq(&self) -> Result<u64, ApiError> {
        let list = self.place.api.get("/events", &[("limit", "0")]).await?;
        Ok(list["last_seq"].as_u64().unwrap_or_default())
    }

    /// Brings a fax to its end, and returns what happened to it since this place in the journal.
    pub(super) async fn ended(&self, fax: &str, since: u64) -> Result<Conversation, Stop> {
        self.drain().await?;
        let conversation = Conversation::read(&self.place.api, fax, since).await?;
        self.took(conversation.exchanges.len().saturating_sub(REQUESTS_OF_FAX));
        for exchange in &conversation.exchanges {
            for url in [Some(&exchange.url), exchange.redirected_to.as_ref()].into_iter().flatten() {
                self.stay_private(url).await?;
            }
        }
        Ok(conversation)
    }

    /// Adds the rules and makes a fax. `making` returns its SID and the place in the journal before it.
    async fn pending(
        &self,
        rules: &[Value],
        making: impl Future<Output = Result<(String, u64), Stop>>,
    ) -> Result<Pending, Stop> {
        let rules = self.add_rules(rules).await?;
        match making.await {
            Ok((fax, since)) => Ok(Pending { fax, since, rules }),
            Err(stop) => {
                self.remove_rules(rules).await;
                Err(stop)
            }
        }
    }

    /// Adds rules, and returns their ids; if one is refused, none is added.
    pub(super) async fn add_rules(&self, rules: &[Value]) -> Result<Vec<Value>, Stop> {
        let mut ids = Vec::new();
        for rule in rules {
            match self.place.api.post("/rules", rule).await {
                Ok(rule) => ids.push(rule["id"].clone()),
                Err(error) => {
                    self.remove_rules(ids).await;
                    return Err(Stop::not_judged(format!("this emulator can't make the request: {error}")));
                }
            }
        }
        Ok(ids)
    }

    /// Removes rules.
    pub(super) async fn remove_rules(&self, ids: Vec<Value>) {
        for id in ids {
            // If this fails, the rules that are left are removed before the next check that runs alone, and at the end
            // of the run.
            let _ = self.place.api.control("DELETE", &format!("/rules/{id}"), &[], None).await;
        }
    }

    /// Removes the rules that a check has left because it was interrupted.
    pub(super) async fn remove_all_rules(&self) {
        // If this fails, so will the next call to the emulator, which says why.
        let _ = self.place.api.control("DELETE", "/rules", &[], None).await;
    }

    pub(super) fn next_number(&self) -> String {
        format!("+{}", self.callers.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
