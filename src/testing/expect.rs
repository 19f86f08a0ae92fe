//! A builder for the events that a test expects in the journal. The comparison itself is in `dialect::matching`, which
//! the control API uses too.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::Error;
use crate::dialect::matching::{Expectation, Pattern, Times, Verdict};
use crate::http::control::event::EventView;
use crate::model::fax::Status;
use crate::model::sid::FaxSid;
use crate::model::webhook::Purpose;

/// An expected event, and the number of times it is expected: at least once, unless [`times`](Self::times) says
/// otherwise.
///
/// Fields are named by their path in the event's JSON, which `docs/control-api.md` describes.
///
/// ```
/// use fauxfax::{Expect, Purpose, Status};
///
/// let notified = Expect::webhook()
///     .purpose(Purpose::Action)
///     .status(Status::Received)
///     .answered_with(200)
///     .with_prefix("data.params.MediaUrl", "http://")
///     .times(1);
/// # let _ = notified;
/// ```
#[derive(Debug, Clone)]
#[must_use = "an expectation does nothing until it is verified"]
pub struct Expect {
    part: Value,
    times: Times,
}

impl Expect {
    /// Expects a webhook: a request for TwiML or a status notification. Each attempt is a separate event.
    ///
    /// ```
    /// use fauxfax::{Expect, Status};
    ///
    /// let told_of_failure = Expect::webhook().status(Status::Failed);
    /// # let _ = told_of_failure;
    /// ```
    pub fn webhook() -> Self {
        Self::of("webhook.attempt")
    }

    /// Expects that a fax entered this status.
    ///
    /// ```
    /// use fauxfax::{Expect, Status};
    ///
    /// let never_busy = Expect::entered(Status::Busy).times(0);
    /// # let _ = never_busy;
    /// ```
    pub fn entered(status: Status) -> Self {
        Self::of("fax.status").with("data.new", status.as_str())
    }

    /// Expects that this page, counted from 1, was transmitted.
    ///
    /// ```
    /// use fauxfax::{Document, Expect};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = fauxfax::Emulator::builder().start().await?;
    /// # let account = emulator.account()?;
    /// # let app = wiremock::MockServer::start().await;
    /// # wiremock::Mock::given(wiremock::matchers::any()).respond_with(wiremock::ResponseTemplate::new(200)).mount(&app).await;
    /// # account.number("+15017122661")?;
    /// let conversation = account.receive(Document::pages(2)).action(&app.uri()).await?;
    /// account.verify(Expect::page(2).containing("Page 2 of 2").fax(conversation.sid))?;
    ///
    /// let fax = account.fax(conversation.sid)?;
    /// assert!(fax.page_text(2).is_some_and(|text| text.starts_with("fauxfax test page\n")));
    /// # Ok(())
    /// # }
    /// ```
    pub fn page(page: u32) -> Self {
        Self::of("fax.page").with("data.page", page)
    }

    /// Requires that the text of the page contains this text. White space and line ends don't count. A page whose text
    /// is not known, because it is a scan or another picture, contains no text.
    pub fn containing(self, text: &str) -> Self {
        self.with_contained("data.text", text)
    }

    /// Requires that the event is about this fax.
    pub fn fax(self, fax: FaxSid) -> Self {
        self.with("fax_sid", fax.to_string())
    }

    /// Requires that the request to the app was made for this purpose.
    pub fn purpose(self, purpose: Purpose) -> Self {
        self.with("data.purpose", purpose.as_str())
    }

    /// Requires that the request to the app carried this status in its `FaxStatus` parameter.
    pub fn status(self, status: Status) -> Self {
        self.with("data.params.FaxStatus", status.as_str())
    }

    /// Requires that the app responded to the request with this HTTP status.
    pub fn answered_with(self, http_status: u16) -> Self {
        self.with("data.status", http_status)
    }

    /// Expects an event of this kind, for example `webhook.attempt` or `fax.status`.
    pub fn of(kind: &str) -> Self {
        Self::matching(json!({ "kind": kind }))
    }

    /// Expects an event that contains these fields, given in the form of the control API's `match`. A value is compared
    /// exactly, unless it is an object with `prefix`, `regex` or `contains`.
    ///
    /// ```
    /// use serde_json::json;
    ///
    /// let event = fauxfax::Expect::matching(json!({
    ///     "kind": "webhook.attempt",
    ///     "data": { "status": 200, "url": { "regex": "/received$" } },
    /// }));
    /// # let _ = event;
    /// ```
    pub const fn matching(part: Value) -> Self {
        Self { part, times: Times { at_least: 1, at_most: usize::MAX } }
    }

    /// Requires that the field at this dotted path has this value.
    ///
    /// ```
    /// let event = fauxfax::Expect::of("fax.status").with("data.new", "received");
    /// # let _ = event;
    /// ```
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        let mut at = &mut self.part;
        // If the path leads through a value that isn't an object, replace that value: the caller's last call counts.
        for name in field.split('.') {
            if !at.is_object() {
                *at = Map::new().into();
            }
            at = &mut at[name];
        }
        *at = value.into();
        self
    }

    /// Requires that the string at this dotted path begins with `prefix`.
    pub fn with_prefix(self, field: &str, prefix: &str) -> Self {
        self.with(field, json!({ "prefix": prefix }))
    }

    /// Requires that the regular expression matches somewhere in the string at this dotted path.
    pub fn with_regex(self, field: &str, regex: &str) -> Self {
        self.with(field, json!({ "regex": regex }))
    }

    /// Requires that the string at this dotted path contains this text. White space and line ends don't count.
    pub fn with_contained(self, field: &str, text: &str) -> Self {
        self.with(field, json!({ "contains": text }))
    }

    /// Requires exactly this many events; 0 means that no such event may exist.
    ///
    /// ```
    /// let no_failure = fauxfax::Expect::of("fax.status").with("data.new", "failed").times(0);
    /// # let _ = no_failure;
    /// ```
    pub const fn times(mut self, times: usize) -> Self {
        self.times = Times { at_least: times, at_most: times };
        self
    }

    pub(super) fn verify(&self, events: &[EventView]) -> Result<(), Error> {
        let not_verified = |text: String| Error::NotVerified(text);
        let pattern = Pattern::parse(&self.part).map_err(|error| not_verified(error.to_string()))?;
        let values: Vec<Value> = events.iter().map(|event| json!(event)).collect();
        let verdict = Expectation::Times(pattern, self.times).check(&values);
        if verdict.verified { Ok(()) } else { Err(not_verified(self.report(&verdict, events))) }
    }

    fn report(&self, verdict: &Verdict, events: &[EventView]) -> String {
        let Times { at_least, at_most } = self.times;
        let wanted = match (at_least, at_most) {
            (least, usize::MAX) => format!("{least} or more"),
            (least, most) if least == most => least.to_string(),
            (least, most) => format!("{least} to {most}"),
        };
        let mut text = format!("expected {wanted} of {}, found {}", self.part, verdict.found.len());
        for miss in &verdict.closest {
            let event = &events[miss.index];
            // Writing to a string never fails.
            let _ = write!(text, "\n  {} {} differs:", event.seq, event.kind);
            for difference in &miss.differs {
                let _ =
                    write!(text, "\n    {}: expected {}, found {}", difference.field, difference.want, difference.got);
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
    fn typed_expectations_match_the_journals_fields() {
        let fits = Expect::webhook().purpose(Purpose::Action).status(Status::Received);
        assert!(fits.verify(&[event("received")]).is_ok());
        assert!(Expect::webhook().purpose(Purpose::FaxUrl).verify(&[event("received")]).is_err());
        assert!(
            Expect::webhook().answered_with(200).verify(&[event("received")]).is_err(),
            "the event has no response"
        );
        let entered = EventView { kind: "fax.status", data: json!({ "new": "busy" }), ..event("") };
        assert!(Expect::entered(Status::Busy).verify(std::slice::from_ref(&entered)).is_ok());
        assert!(Expect::entered(Status::Failed).verify(&[entered]).is_err());
    }

    #[test]
    fn a_difference_is_reported_field_by_field() {
        let expected = Expect::of("webhook.attempt").with("data.params.FaxStatus", "received");
        assert!(expected.verify(&[event("received")]).is_ok());
        let report = expected.verify(&[event("failed")]).expect_err("it differs").to_string();
        assert!(report.contains("data.params.FaxStatus: expected \"received\", found \"failed\""), "{report}");
        let never = Expect::of("webhook.attempt").times(0).verify(&[event("failed")]).expect_err("there is one");
        assert!(never.to_string().starts_with("expected 0 of"), "{never}");
    }
}
