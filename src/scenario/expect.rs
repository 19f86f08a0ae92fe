//! Checks what a step expects to be true when it is performed: of a fax, of its pages and webhooks, of a search, and of
//! the journal.

use serde_json::{Map, Value, json};

use super::document::{Expect, PageExpect, WebhookExpect};
use super::report::Mismatch;
use super::run::{Failure, Run, Stop};
use super::wanted::{Count, Wanted};
use crate::check::{Api, Exchange};
use crate::client::ApiError;
use crate::dialect::matching::Times;

/// The maximum number of differences from the closest event that are shown.
const DIFFERENCES_MAX: usize = 5;
/// The maximum number of characters of a value that are shown.
const VALUE_CHARS_MAX: usize = 200;

impl Expect {
    /// Returns the fields that the fax must have.
    pub(super) fn fields(&self) -> Vec<(&'static str, &Wanted)> {
        let all = [
            ("status", &self.status),
            ("direction", &self.direction),
            ("from", &self.from),
            ("to", &self.to),
            ("num_pages", &self.num_pages),
            ("duration", &self.duration),
            ("quality", &self.quality),
            ("error_code", &self.error_code),
            ("error_message", &self.error_message),
            ("cause", &self.cause),
            ("callbacks_failed", &self.callbacks_failed),
            ("last_failure", &self.last_failure),
        ];
        all.into_iter().filter_map(|(name, wanted)| Some((name, wanted.as_ref()?))).collect()
    }
}

impl PageExpect {
    /// Returns the pattern that the data of the page's event must match.
    pub(super) fn data(&self) -> Value {
        object(vec![
            ("page", self.page.map(Value::from)),
            ("text", self.text.as_ref().map(|text| text.0.clone())),
            ("pictures", self.pictures.map(Value::from)),
        ])
    }
}

impl WebhookExpect {
    /// Returns the pattern that the data of the request's event must match.
    pub(super) fn data(&self) -> Value {
        let wanted = |wanted: &Option<Wanted>| wanted.as_ref().map(|wanted| wanted.0.clone());
        let all = |pairs: &Option<std::collections::BTreeMap<String, Wanted>>| {
            let pairs = pairs.as_ref()?;
            Some(Value::Object(pairs.iter().map(|(name, wanted)| (name.clone(), wanted.0.clone())).collect()))
        };
        object(vec![
            ("purpose", self.purpose.clone().map(Value::from)),
            ("method", wanted(&self.method)),
            ("url", wanted(&self.url)),
            ("params", all(&self.params)),
            ("request_headers", all(&self.request_headers)),
            ("status", wanted(&self.status)),
            ("body", wanted(&self.body)),
            ("error", all(&self.error)),
            ("attempt", self.attempt.map(Value::from)),
            ("delivery", self.delivery.map(Value::from)),
            ("note", wanted(&self.note)),
        ])
    }
}

fn object(fields: Vec<(&str, Option<Value>)>) -> Value {
    let given = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(given.collect())
}

/// Asks the control API to check an expectation.
pub(super) async fn verify(api: &Api, order: &Value) -> Result<Value, ApiError> {
    api.post("/verify", order).await
}

/// Describes the events that are expected: how many, and the part of an event that each must match.
pub(super) fn described(part: &Value, times: Option<&Count>) -> String {
    let mut fields = Vec::new();
    for (name, value) in part.as_object().into_iter().flatten().filter(|(name, _)| *name != "kind") {
        flat(value, if name == "data" { "" } else { name }, &mut fields);
    }
    let [one, several] = match part["kind"].as_str() {
        Some("webhook.attempt") => ["request to the app".to_owned(), "requests to the app".to_owned()],
        Some("fax.page") => ["page".to_owned(), "pages".to_owned()],
        Some(kind) => [format!("event {kind}"), format!("events {kind}")],
        None => ["event".to_owned(), "events".to_owned()],
    };
    let with = if fields.is_empty() { String::new() } else { format!(" with {}", fields.join(", ")) };
    format!("{}{with}", counted(times, &one, &several))
}

/// Describes how many things are expected, as in `at least 2 pages`.
fn counted(times: Option<&Count>, one: &str, several: &str) -> String {
    let Times { at_least, at_most } = times.and_then(|times| times.times().ok()).unwrap_or_default();
    let noun = |count: usize| if count == 1 { one } else { several };
    match (at_least, at_most) {
        (_, 0) => format!("no {one}"),
        (least, most) if least == most => format!("exactly {least} {}", noun(least)),
        (least, usize::MAX) => format!("at least {least} {}", noun(least)),
        (0, most) => format!("at most {most} {}", noun(most)),
        (least, most) => format!("{least} to {most} {several}"),
    }
}

/// Lists the fields of a pattern by their paths.
fn flat(value: &Value, path: &str, fields: &mut Vec<String>) {
    let is_pattern = |object: &Map<String, Value>| {
        object.len() == 1 && ["prefix", "regex", "contains"].iter().any(|name| object.contains_key(*name))
    };
    match value {
        Value::Object(object) if is_pattern(object) => {
            fields.extend(object.iter().map(|(name, value)| format!("{path} {name} {value}")));
        }
        Value::Object(object) => {
            for (name, value) in object {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                flat(value, &path, fields);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            fields.push(format!("{path} {value}"));
        }
    }
}

impl Run<'_> {
    /// Fails with everything that isn't as expected.
    pub(super) async fn expect(&self, expect: &Expect) -> Result<Value, Stop> {
        let named = expect.fax.as_deref().map(|step| self.fax_named(step)).transpose()?;
        let fax = named.clone().or_else(|| self.latest.clone());
        let mut failure = Failure::default().about(fax.as_deref());
        self.expect_fields(expect, fax.as_deref(), &mut failure).await?;
        for page in &expect.pages {
            self.expect_events("fax.page", page.data(), page.times.as_ref(), fax.as_deref(), &mut failure).await?;
        }
        for webhook in &expect.webhooks {
            let (data, times) = (webhook.data(), webhook.times.as_ref());
            self.expect_events("webhook.attempt", data, times, fax.as_deref(), &mut failure).await?;
        }
        if let Some(search) = &expect.faxes {
            let hits = self.place.hits(&search.q).await?;
            let times = search.times.times().unwrap_or_default();
            if !(times.at_least..=times.at_most).contains(&hits) {
                let of = if search.q.is_empty() { String::new() } else { format!(" with {}", search.q) };
                let expected = format!("{}{of}", counted(Some(&search.times), "fax", "faxes"));
                failure.mismatches.push(Mismatch { expected, seen: hits.to_string() });
            }
        }
        if let Some(part) = &expect.r#match {
            let part = of_fax(part, named.as_deref());
            self.expect_match(&part, expect.times.as_ref(), &mut failure).await?;
        }
        if let Some(parts) = &expect.in_order {
            self.expect_in_order(parts, named.as_deref(), &mut failure).await?;
        }
        if failure.mismatches.is_empty() { Ok(json!({})) } else { Err(failure.into()) }
    }

    async fn expect_fields(&self, expect: &Expect, fax: Option<&str>, failure: &mut Failure) -> Result<(), Stop> {
        let fields = expect.fields();
        if fields.is_empty() {
            return Ok(());
        }
        let Some(fax) = fax else {
            let seen = "no step before this one has a fax; name it with `fax`";
            return Err(Failure::of("a fax", seen).into());
        };
        let shown = match self.fax(fax).await {
            Ok(shown) => shown,
            Err(error) if error.is_status(404) => {
                return Err(Failure::of("the fax to exist", error.to_string()).about(Some(fax)).into());
            }
            Err(error) => return Err(error.into()),
        };
        for (name, wanted) in fields {
            let pattern = wanted.pattern().map_err(|error| Failure::of("a valid pattern", error.to_string()))?;
            // The REST APIs write some numbers as text.
            let is_same =
                |value: &Value| pattern.fits(value) || as_number(value).is_some_and(|value| pattern.fits(&value));
            if !is_same(&shown[name]) {
                let mut expected = Vec::new();
                flat(&wanted.0, name, &mut expected);
                let expected = expected.join(", ");
                failure.mismatches.push(Mismatch { expected, seen: short(&shown[name]) });
            }
        }
        if !failure.mismatches.is_empty() {
            failure.exchange = self.last_refused(fax).await?;
        }
        Ok(())
    }

    /// Returns the last request about a fax that the app did not accept.
    async fn last_refused(&self, fax: &str) -> Result<Option<Exchange>, Stop> {
        let since = self.place.since.to_string();
        let query = [("fax", fax), ("kind", "webhook.attempt"), ("since", &since), ("limit", "10000")];
        let list = self.place.api.get("/events", &query).await?;
        let all = list["events"].as_array().into_iter().flatten();
        Ok(all.map(|event| Exchange::of_event(&event["data"])).rfind(|exchange| !exchange.is_accepted()))
    }

    async fn expect_events(
        &self,
        kind: &str,
        data: Value,
        times: Option<&Count>,
        fax: Option<&str>,
        failure: &mut Failure,
    ) -> Result<(), Stop> {
        let part = object(vec![("kind", Some(kind.into())), ("data", Some(data))]);
        let part = of_fax(part.as_object().unwrap_or(&Map::new()), fax);
        self.expect_match(&part, times, failure).await
    }

    async fn expect_match(&self, part: &Value, times: Option<&Count>, failure: &mut Failure) -> Result<(), Stop> {
        let count = times.map_or(json!({ "at_least": 1 }), |times| times.0.clone());
        let order = json!({ "match": part, "times": count, "since": self.place.since });
        let found = verify(&self.place.api, &order).await?;
        if found["verified"] == true {
            return Ok(());
        }
        let mismatch = Mismatch { expected: described(&without_fax(part), times), seen: seen(&found) };
        failure.mismatches.push(mismatch);
        failure.exchange = failure.exchange.take().or_else(|| exchange_of(&found));
        Ok(())
    }

    async fn expect_in_order(
        &self,
        parts: &[Map<String, Value>],
        fax: Option<&str>,
        failure: &mut Failure,
    ) -> Result<(), Stop> {
        let parts: Vec<Value> = parts.iter().map(|part| of_fax(part, fax)).collect();
        let found = verify(&self.place.api, &json!({ "in_order": parts, "since": self.place.since })).await?;
        if found["verified"] == true {
            return Ok(());
        }
        let missing = found["missing_step"].as_u64().and_then(|index| usize::try_from(index).ok()).unwrap_or_default();
        let part = parts.get(missing).map(without_fax).unwrap_or_default();
        let before = missing.checked_sub(1).map(|before| format!(" after in_order[{before}]")).unwrap_or_default();
        let expected = format!("in_order[{missing}]: {}{before}", described(&part, None));
        failure.mismatches.push(Mismatch { expected, seen: seen(&json!({ "found": 0, "closest": found["closest"] })) });
        failure.exchange = failure.exchange.take().or_else(|| exchange_of(&found));
        Ok(())
    }
}

/// Adds the fax to a part of an event that names none.
fn of_fax(part: &Map<String, Value>, fax: Option<&str>) -> Value {
    let mut part = part.clone();
    if let Some(fax) = fax {
        part.entry("fax_sid").or_insert(fax.into());
    }
    part.into()
}

/// Leaves out the fax, which is shown anyway.
fn without_fax(part: &Value) -> Value {
    let mut part = part.clone();
    if let Some(fields) = part.as_object_mut() {
        fields.remove("fax_sid");
    }
    part
}

/// Describes what was found instead, and how the closest event differs.
fn seen(found: &Value) -> String {
    let count = match found["found"].as_u64() {
        Some(0) | None => "none".to_owned(),
        Some(count) => count.to_string(),
    };
    let differs = found["closest"][0]["differs"].as_object();
    let differs: Vec<String> = differs
        .into_iter()
        .flatten()
        .take(DIFFERENCES_MAX)
        .map(|(name, each)| format!("{} {}", name.trim_start_matches("data."), short(&each["got"])))
        .collect();
    let missed = found["missed"].as_u64().filter(|missed| *missed > 0);
    let missed = missed.map(|missed| format!("; {missed} events could not be checked")).unwrap_or_default();
    if differs.is_empty() {
        format!("{count}{missed}")
    } else {
        format!("{count}; the closest has {}{missed}", differs.join(", "))
    }
}

/// Returns the last request to the app that matched or, if none did, the one that comes closest.
fn exchange_of(found: &Value) -> Option<Exchange> {
    let closest = &found["closest"][0]["event"];
    let matched = found["matched"].as_array().and_then(|events| events.last());
    let event = matched.filter(|event| event.is_object()).unwrap_or(closest);
    (event["kind"] == "webhook.attempt").then(|| Exchange::of_event(&event["data"]))
}

fn as_number(value: &Value) -> Option<Value> {
    value.as_str()?.parse::<i64>().ok().map(Value::from)
}

/// Returns a value as JSON, cut if it is long.
pub(super) fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= VALUE_CHARS_MAX {
        return text;
    }
    text.chars().take(VALUE_CHARS_MAX).chain(['…']).collect()
}
