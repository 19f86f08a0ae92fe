//! Finds out from the journal whether a tester's rule spoiled a signature on purpose, or whether a rule or pedantic
//! mode changed the request.

use super::{Explanation, Mistake};
use crate::dialect::address::normal_or_as_is;
use crate::dialect::sentence;
use crate::engine::Engine;
use crate::engine::journal::{EventFilter, JOURNAL_EVENTS_MAX};
use crate::model::request_edits::ParamEdits;
use crate::model::webhook::{Delivery, ExchangeRecord, Signature};

/// Returns the newest delivery to this URL that was spoiled or changed on purpose, if the journal has one with this
/// signature. A signature that a rule left out is an empty string here.
#[must_use]
pub fn changed_delivery(engine: &Engine, url: &str, signature: &str) -> Option<Delivery> {
    let header = engine.account().dialect.signature_header();
    let url = normal_or_as_is(url);
    let given = signature.trim();
    let is_asked_about = |record: &ExchangeRecord| {
        let sent = record.request_headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(header));
        sent.map_or("", |(_, value)| value.as_str()) == given && normal_or_as_is(&record.url) == url
    };
    let is_changed =
        |record: &ExchangeRecord| record.delivery.signature != Signature::Good || record.delivery.edits().is_some();
    let events = engine.events(&EventFilter::default(), JOURNAL_EVENTS_MAX);
    let mut exchanges = events.iter().rev().filter_map(|event| event.kind.exchange());
    exchanges.find(|record| is_changed(record) && is_asked_about(record)).map(|record| record.delivery.clone())
}

impl Explanation {
    /// Replaces the app's mistake with the fact that the signature was spoiled, or the request changed, on purpose. If
    /// the request was changed before it was signed, a known mistake is kept and the change only added. The explanation
    /// of a valid signature stays as it is.
    #[must_use]
    pub fn changed_by_rule(self, delivery: &Delivery) -> Self {
        if self.mistakes.is_empty() {
            return self;
        }
        let rule = match delivery.rule() {
            Some(id) => format!("rule {id}"),
            None if delivery.is_pedantic() => "pedantic mode".to_owned(),
            None => "a rule".to_owned(),
        };
        let what = match delivery.signature {
            Signature::Good => return self.edited_by_rule(&rule, delivery),
            Signature::Bad => "spoiled this signature on purpose: it was made with a different secret",
            Signature::Missing => "left out the signature on purpose",
            Signature::Stale => {
                "spoiled this signature on purpose: it is that of an earlier status, so it doesn't cover these parameters"
            }
            Signature::OtherToken => {
                "spoiled this signature on purpose: it was made with a token that isn't this account's"
            }
            Signature::Tampered => {
                "changed a parameter on purpose after the request was signed, so the signature covers its original value"
            }
        };
        let detail =
            format!("{rule} {what}. The app is right to refuse this webhook; its valid signature is `expected`");
        Self { mistakes: vec![Mistake::ByRule], detail, ..self }
    }

    /// Adds what a rule or pedantic mode changed in a request that is signed properly.
    fn edited_by_rule(self, rule: &str, delivery: &Delivery) -> Self {
        let Some(edits) = delivery.edits() else { return self };
        if let Some(url) = &edits.signed_url {
            let detail = format!(
                "{rule} had this request signed for {url} on purpose, as if a reverse proxy had received it there. The app \
                 has to check the signature for that URL, not for the one that the proxy calls"
            );
            return Self { mistakes: vec![Mistake::ByRule], detail, ..self };
        }
        if edits.params == ParamEdits::default() {
            return self;
        }
        let what =
            format!("{rule} changed this request on purpose before it was signed ({})", sentence::of_edits(edits));
        // The rule left the signature valid, so a mistake that explains the app's signature is the app's own.
        if self.mistakes != [Mistake::Unknown] {
            return Self { detail: format!("{}. Besides, {what}", self.detail), ..self };
        }
        let detail = format!("{what}. The signature covers the parameters as they were sent, which the journal shows");
        Self { mistakes: vec![Mistake::ByRule], detail, ..self }
    }
}
