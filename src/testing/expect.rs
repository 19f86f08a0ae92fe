//! What a test expects of the journal, written as a builder. The comparing is `dialect::matching`'s.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::Error;
use crate::dialect::matching::{Expectation, Pattern, Times, Verdict};
use crate::http::control::event::EventView;

/// An event that is expected, and how often; once or more where that is not said.
#[derive(Debug, Clone)]
#[must_use = "an expectation does nothing until it is verified"]
pub struct Event {
    part: Value,
    times: Times,
}

impl Event {
    /// One of a kind, as `webhook.attempt`.
    pub fn of(kind: &str) -> Self {
        Self::matching(json!({ "kind": kind }))
    }

    /// One with these parts, as the control API's `match`: a text is exact, or `{"prefix"}`, or `{"regex"}`.
    pub const fn matching(part: Value) -> Self {
        Self { part, times: Times { at_least: 1, at_most: usize::MAX } }
    }

    /// With a field that is so: `with("data.params.FaxStatus", "received")`.
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        let mut at = &mut self.part;
        for name in field.split('.') {
            if !at.is_object() {
                *at = Map::new().into();
            }
            at = &mut at[name];
        }
        *at = value.into();
        self
    }

    /// With a field that begins so.
    pub fn with_prefix(self, field: &str, prefix: &str) -> Self {
        self.with(field, json!({ "prefix": prefix }))
    }

    /// With a field in which a regular expression is found.
    pub fn with_regex(self, field: &str, regex: &str) -> Self {
        self.with(field, json!({ "regex": regex }))
    }

    /// Just so often; 0 means never.
    pub const fn times(mut self, times: usize) -> Self {
        self.times = Times { at_least: times, at_most: times };
        self
    }

    pub(super) fn verify(&self, events: &[EventView]) -> Result<(), Error> {
        let not_verified = |text: String| Error::NotVerified(text);
        let pattern = Pattern::parse(&self.part).map_err(|error| not_verified(error.to_string()))?;
        let values: Vec<Value> = events.iter().map(|event| json!(event)).collect();
        let verdict = Expectation::Times(pattern, self.times).check(&values);
        if verdict.verified { Ok(()) } else { Err(not_verified(self.told(&verdict, events))) }
    }

    fn told(&self, verdict: &Verdict, events: &[EventView]) -> String {
        let Times { at_least, at_most } = self.times;
        let wanted = match (at_least, at_most) {
            (least, usize::MAX) => format!("{least} or more"),
            (least, most) if least == most => least.to_string(),
            (least, most) => format!("{least} to {most}"),
        };
        let mut text = format!("expected {wanted} of {}, found {}", self.part, verdict.found.len());
        for miss in &verdict.closest {
            let event = &events[miss.index];
            let _ = write!(text, "\n  {} {} differs:", event.seq, event.kind);
            for difference in &miss.differs {
                let _ = write!(text, "\n    {}: want {}, got {}", difference.field, difference.want, difference.got);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(status: &str) -> EventView {
        let data = json!({ "purpose": "action", "params": { "FaxStatus": status } });
        EventView { seq: 3, at: String::new(), kind: "webhook.attempt", fax_sid: None, data }
    }

    #[test]
    fn what_differs_is_told_field_by_field() {
        let expected = Event::of("webhook.attempt").with("data.params.FaxStatus", "received");
        assert!(expected.verify(&[event("received")]).is_ok());
        let told = expected.verify(&[event("failed")]).expect_err("it differs").to_string();
        assert!(told.contains("data.params.FaxStatus: want \"received\", got \"failed\""), "{told}");
        let never = Event::of("webhook.attempt").times(0).verify(&[event("failed")]).expect_err("there is one");
        assert!(never.to_string().starts_with("expected 0 of"), "{never}");
    }
}
