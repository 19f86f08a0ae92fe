//! The steps that do something: an incoming fax, a fax to send, the clock, a request, and checks of the app.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use super::document::{Check, Clock, ClockWord, Move, Request, Send};
use super::expect::short;
use super::place::{PASSING, tried};
use super::report::Mismatch;
use super::run::{Failure, Run, Stop, late};
use crate::check::list::Selection;
use crate::check::{self, Raw, Verdict};
use crate::client::ApiError;
use crate::dialect::form;

/// The value of the User-Agent header.
const USER_AGENT: &str = concat!("fauxfax/", env!("CARGO_PKG_VERSION"), " (run)");
/// The media type of a form.
const FORM: &str = "application/x-www-form-urlencoded";

impl Run<'_> {
    /// Has a fax machine call a number, which first gets the URL or the TwiML that the step names, if any.
    pub(super) async fn receive(&self, raw: &Value) -> Result<Value, Stop> {
        let mut fields = raw.clone();
        let object = fields.as_object_mut();
        let [url, twiml] = match object {
            Some(object) => ["fax_url", "fax_twiml"].map(|name| object.remove(name)),
            None => [None, None],
        };
        let text = |value: Option<Value>| value.and_then(|value| value.as_str().map(ToOwned::to_owned));
        let url = match (text(url), text(twiml)) {
            (Some(url), _) => Some(url),
            (None, Some(twiml)) => {
                let bin = self.place.api.post("/twiml-bins", &json!({ "twiml": twiml })).await?;
                bin["url"].as_str().map(ToOwned::to_owned)
            }
            (None, None) => None,
        };
        if let Some(url) = url {
            let number = self.number(raw["to"].as_str()).await?;
            self.place.set_voice_url(&number, &url).await?;
        }
        Ok(self.place.api.post("/incoming-faxes", &fields).await?)
    }

    /// Returns the SID of the named number, or of the account's only fax number if none is named.
    async fn number(&self, named: Option<&str>) -> Result<String, Stop> {
        let numbers = self.place.numbers().await?;
        let is_meant = |number: &&Value| match named {
            Some(named) => number["phone_number"] == named,
            None => number["voice_receive_mode"] == "fax",
        };
        let found: Vec<&Value> = numbers.iter().filter(is_meant).collect();
        let text = |number: &Value, name: &str| number[name].as_str().unwrap_or_default().to_owned();
        if let [number] = found[..] {
            return Ok(text(number, "sid"));
        }
        let expected = match named {
            Some(named) => format!("the account to have the number {named}"),
            None => "the account to have exactly one fax number, or a `to`".to_owned(),
        };
        let own: Vec<String> = numbers.iter().map(|number| text(number, "phone_number")).collect();
        Err(Failure::of(expected, format!("it has {}", own.join(", "))).into())
    }

    /// Sends a fax through the REST API.
    pub(super) async fn send(&self, raw: &Value, send: Send) -> Result<Value, Stop> {
        let from = match send.from {
            Some(from) => from,
            None => {
                let numbers = self.place.numbers().await?;
                let first = numbers.first().and_then(|number| number["phone_number"].as_str());
                first
                    .map(ToOwned::to_owned)
                    .ok_or_else(|| Failure::of("the account to have a number", "it has none"))?
            }
        };
        let given = [
            ("From", Some(from)),
            ("To", Some(send.to)),
            ("MediaUrl", raw["media_url"].as_str().map(ToOwned::to_owned)),
            ("Quality", send.quality),
            ("Ttl", send.ttl.map(|minutes| minutes.to_string())),
            ("StoreMedia", send.store_media.map(|is| is.to_string())),
            ("StatusCallback", send.status_callback),
        ];
        let form: Vec<(&str, &str)> =
            given.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect();
        let sent = self.place.rest(&self.place.faxes(), &form, send.refused).await;
        match (sent, send.refused) {
            (Ok(fax), None) => Ok(fax),
            (Ok(fax), Some(code)) => {
                let sid = fax["sid"].as_str();
                let expected = format!("the API to refuse the fax with error {code}");
                Err(Failure::of(expected, "it accepted the fax").about(sid).into())
            }
            (Err(error @ ApiError::Unreachable { .. }), _) => Err(error.into()),
            (Err(error), refused) => {
                let (code, answer) = self.place.refusal().await?;
                let is_passing = PASSING.iter().any(|status| error.is_status(*status));
                let seen = match answer {
                    Some(text) if is_passing => format!("{text}; {}", tried()),
                    Some(text) => text,
                    None => error.to_string(),
                };
                match (refused, code) {
                    (Some(wanted), Some(code)) if wanted == code => Ok(json!({ "code": code })),
                    (Some(wanted), code) => {
                        let code = code.map(|code| format!("error {code}: ")).unwrap_or_default();
                        let expected = format!("the API to refuse the fax with error {wanted}");
                        Err(Failure::of(expected, format!("{code}{seen}")).into())
                    }
                    (None, code) => {
                        let expects =
                            code.filter(|_| is_passing).map(|code| format!(", or expect it with `refused = {code}`"));
                        let code = code.map(|code| format!("with error {code}")).unwrap_or_default();
                        let seen = format!("the API refused it {code}: {seen}{}", expects.unwrap_or_default());
                        Err(Failure::of("the API to accept the fax", seen).into())
                    }
                }
            }
        }
    }

    /// Changes or moves the clock.
    pub(super) async fn clock(&self, raw: &Value, clock: &Clock) -> Result<Value, Stop> {
        let api = &self.place.api;
        let mode = |mode: &str| json!({ "mode": mode });
        let moved = match clock {
            Clock::Word(ClockWord::Freeze) => api.control("PUT", "/clock", &[], Some(&mode("frozen"))).await,
            Clock::Word(ClockWord::Run) => api.control("PUT", "/clock", &[], Some(&mode("running"))).await,
            Clock::Word(ClockWord::Drain) => api.post("/clock/drain", &json!({})).await,
            Clock::Move(Move { .. }) => api.post("/clock/advance", raw).await,
        };
        // The events of the move are in the journal, so the step's value needs no copy of them.
        let mut moved = moved?;
        if let Some(fields) = moved.as_object_mut() {
            fields.remove("events");
        }
        Ok(moved)
    }

    /// Makes a request, and returns its status with the fields of its response, or with the text if that is no JSON
    /// object.
    pub(super) async fn request(&self, request: &Request) -> Result<Value, Stop> {
        let mut headers: Vec<(&str, &str)> =
            request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let is_given = |wanted: &str| request.headers.keys().any(|name| name.eq_ignore_ascii_case(wanted));
        let (kind, body) = match (&request.form, &request.json, &request.body) {
            (Some(pairs), _, _) => {
                let pairs: Vec<(&str, &str)> =
                    pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                (FORM, form::encode(&pairs))
            }
            (None, Some(data), _) => ("application/json", data.to_string()),
            (None, None, Some(text)) => ("text/plain", text.clone()),
            (None, None, None) => ("", String::new()),
        };
        if !kind.is_empty() && !is_given("content-type") {
            headers.push(("content-type", kind));
        }
        if !is_given("user-agent") {
            headers.push(("user-agent", USER_AGENT));
        }
        let method = request.method.as_deref().unwrap_or(if kind.is_empty() { "GET" } else { "POST" });
        let exchange = self.direct.ask(&Raw { method, url: &request.url, headers: &headers, body: &body }).await;
        let mut failure = Failure::default();
        let status = exchange.status.map_or(Value::Null, Value::from);
        match &request.status {
            None if !exchange.is_accepted() => {
                failure
                    .mismatches
                    .push(Mismatch { expected: "a status from 200 to 299".to_owned(), seen: exchange.outcome() });
            }
            None => {}
            Some(wanted) => {
                let pattern = wanted.pattern().map_err(|error| Failure::of("a valid status", error.to_string()))?;
                if !pattern.fits(&status) {
                    let expected = format!("the status {}", pattern.to_json());
                    failure.mismatches.push(Mismatch { expected, seen: exchange.outcome() });
                }
            }
        }
        if let Some(wanted) = &request.answer {
            let pattern = wanted.pattern().map_err(|error| Failure::of("a valid pattern", error.to_string()))?;
            if !pattern.fits(&Value::from(exchange.answer.clone())) {
                let expected = format!("a response {}", pattern.to_json());
                failure.mismatches.push(Mismatch { expected, seen: short(&Value::from(exchange.answer.clone())) });
            }
        }
        if !failure.mismatches.is_empty() {
            return Err(Failure { exchange: Some(exchange), ..failure }.into());
        }
        let parsed: Value = serde_json::from_str(&exchange.answer).unwrap_or_default();
        let mut value = if parsed.is_object() { parsed } else { json!({ "answer": exchange.answer }) };
        if let Some(fields) = value.as_object_mut() {
            fields.entry("status").or_insert(status);
        }
        Ok(value)
    }

    /// Runs checks of the app, and fails if one of them fails. The checks end early after `left`, or if the user ends
    /// the run. In any case, they put back what they changed.
    pub(super) async fn check(&self, wanted: &Check, left: Duration) -> Result<Value, Stop> {
        let Check { url, action, only, skip, quick } = wanted;
        let selection = Selection { profiles: Vec::new(), quick: *quick, only: only.clone(), skip: skip.clone() };
        let checks = selection.checks().map_err(|error| Failure::of("known checks", error.to_string()))?;
        let mut options = check::Options::new(url, checks);
        options.action.clone_from(action);
        options.account = Some(self.place.sid.clone());
        options.client = self.options.client.clone();
        options.owns_host = true;
        let mut stopped = self.stopped.clone();
        let cancel = async {
            let _ = timeout(left, stopped.wait_for(|is_stopped| *is_stopped)).await;
        };
        let report = check::run(self.options.endpoint.clone(), options, &|_| (), cancel).await;
        let report = report.map_err(|error| Failure::of("the checks to run", error.to_string()))?;
        if report.interrupted {
            return Err(late().into());
        }
        let failed: Vec<_> = report.results.iter().filter(|result| result.verdict == Verdict::Fail).collect();
        let Some(first) = failed.first() else { return Ok(json!({})) };
        let mismatches = failed.iter().map(|result| Mismatch {
            expected: format!("{}: {}", result.check.id, result.check.title),
            seen: result.seen.clone(),
        });
        Err(Failure { mismatches: mismatches.collect(), fax: None, exchange: first.exchange.clone() }.into())
    }
}
