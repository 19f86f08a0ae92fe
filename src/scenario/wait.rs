//! Waits until something has happened. A frozen clock is moved from deadline to deadline until then, so that a wait takes
//! no longer than the app does.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::document::Wait;
use super::expect::{described, verify};
use super::run::{Failure, Run, Stop};
use crate::client::ApiError;

/// How long to wait if the file doesn't say.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long one move of the clock may take, including the app's responses. It is less than the time limit for a call to
/// the emulator.
const MOVE_TIME_MAX: Duration = Duration::from_secs(60);
/// The interval at which to look while the app has to do something.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// The result of a look.
enum Look {
    /// The awaited event has happened.
    There(Value),
    /// It may still happen; the text says how far things have come.
    NotYet(String),
    /// It can't happen any more, for this reason.
    Never(String),
}

impl Run<'_> {
    /// Waits. If the wait or the event that ended it is about a fax, returns that fax as it is afterwards.
    pub(super) async fn wait(&mut self, wait: &Wait) -> Result<Value, Stop> {
        let fax = wait.fax.as_deref().map(|step| self.fax_named(step)).transpose()?;
        let fax = match (&wait.r#for, fax) {
            // If no fax is named, a wait for `settled` is for the latest one.
            (Some(what), None) if what == "settled" => self.latest.clone(),
            (_, fax) => fax,
        };
        if wait.r#for.as_deref() == Some("settled") && fax.is_none() {
            return Err(
                Failure::of("a fax to wait for", "no step before this one has a fax; name it with `fax`").into()
            );
        }
        let expected = match (&wait.status, wait.r#for.as_deref(), &wait.r#match) {
            (Some(status), _, _) => {
                let which = if fax.is_some() { "the fax" } else { "a fax" };
                format!("{which} to become {}", status.replace(',', " or "))
            }
            (_, Some("idle"), _) => "nothing to be in progress any more".to_owned(),
            (_, Some(_), _) => "the fax to end".to_owned(),
            (_, _, part) => {
                let part = part.as_ref().map(|part| Value::Object(part.clone())).unwrap_or_default();
                described(&part, wait.times.as_ref())
            }
        };
        let about = fax.clone().or_else(|| self.latest.clone());
        let patience = wait.timeout.map_or(PATIENCE, Duration::from_secs_f64);
        let end = Instant::now() + patience;
        let mut looks = interval(LOOK_INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let standing = match self.look(wait, fax.as_deref()).await? {
                Look::There(found) => return self.found(&found, fax).await,
                Look::Never(why) => return Err(Failure::of(expected, why).about(about.as_deref()).into()),
                Look::NotYet(standing) => standing,
            };
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let seen = format!("after {} s: {standing}", patience.as_secs_f64());
                return Err(Failure::of(expected, seen).about(about.as_deref()).into());
            }
            if !self.moved(left).await? {
                looks.tick().await;
            }
        }
    }

    /// Checks once whether the awaited event has happened.
    async fn look(&self, wait: &Wait, fax: Option<&str>) -> Result<Look, Stop> {
        if let Some(part) = &wait.r#match {
            let mut part = part.clone();
            if let Some(fax) = fax {
                part.insert("fax_sid".to_owned(), fax.into());
            }
            let times = wait.times.as_ref().map_or(json!({ "at_least": 1 }), |times| times.0.clone());
            let order = json!({ "match": part, "times": times, "since": self.place.since });
            let found = verify(&self.place.api, &order).await?;
            let matched = found["matched"].as_array().and_then(|events| events.last()).cloned();
            return Ok(if found["verified"] == true {
                Look::There(json!({ "event": matched }))
            } else {
                Look::NotYet(format!("{} such events", found["found"]))
            });
        }
        let since = self.waited.to_string();
        let mut query = vec![("timeout", "0")];
        query.extend(fax.map(|fax| ("fax", fax)));
        match &wait.status {
            Some(status) => {
                query.push(("status", status));
                // A named fax may have entered the status long ago.
                query.extend(fax.is_none().then_some(("since", since.as_str())));
            }
            None => query.extend(wait.r#for.as_deref().map(|what| ("for", what))),
        }
        match self.place.api.get("/wait", &query).await {
            Ok(found) => Ok(Look::There(found)),
            Err(ApiError::Refused { status: 408, detail, .. }) => Ok(Look::NotYet(detail)),
            Err(ApiError::Refused { status: 409, detail, .. }) => Ok(Look::Never(detail)),
            Err(error) => Err(error.into()),
        }
    }

    /// Moves a frozen clock to the next deadline. Returns whether there was one.
    async fn moved(&self, left: Duration) -> Result<bool, Stop> {
        let clock = self.place.api.get("/clock", &[]).await?;
        let next = &clock["next"][0]["at"];
        if clock["mode"] != "frozen" || !next.is_string() {
            return Ok(false);
        }
        let order = json!({ "to": next, "timeout": left.min(MOVE_TIME_MAX).as_secs_f64() });
        match self.place.api.post("/clock/advance", &order).await {
            // The app takes too long, which the next look reports.
            Ok(_) | Err(ApiError::Refused { status: 408, .. }) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    async fn found(&mut self, found: &Value, fax: Option<String>) -> Result<Value, Stop> {
        self.waited = found["seq"].as_u64().or(found["event"]["seq"].as_u64()).unwrap_or(self.waited);
        let of_event = found["event"]["fax_sid"].as_str().map(ToOwned::to_owned);
        let Some(fax) = fax.or(of_event) else { return Ok(json!({})) };
        match self.fax(&fax).await {
            Ok(shown) => Ok(shown),
            // The app may have deleted the fax.
            Err(error) if error.is_status(404) => Ok(json!({ "fax_sid": fax })),
            Err(error) => Err(error.into()),
        }
    }
}
