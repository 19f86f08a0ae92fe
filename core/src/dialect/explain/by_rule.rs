//! Recognises a signature that a tester's rule spoiled on purpose, by finding the exchange in the journal.

use super::{Explanation, Mistake};
use crate::dialect::address::normal_or_as_is;
use crate::engine::Engine;
use crate::engine::journal::{EventFilter, JOURNAL_EVENTS_MAX};
use crate::model::webhook::{Delivery, ExchangeRecord, Signature};

/// Returns the newest delivery to this URL whose signature a rule spoiled, if the journal has one with this signature.
/// A signature that a rule left out is an empty string here.
#[must_use]
pub fn spoiled_delivery(engine: &Engine, url: &str, signature: &str) -> Option<Delivery> {
    let header = engine.account().dialect.signature_header();
    let url = normal_or_as_is(url);
    let given = signature.trim();
    let is_asked_about = |record: &ExchangeRecord| {
        let sent = record.request_headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(header));
        sent.map_or("", |(_, value)| value.as_str()) == given && normal_or_as_is(&record.url) == url
    };
    let events = engine.events(&EventFilter::default(), JOURNAL_EVENTS_MAX);
    let exchanges = events.iter().rev().filter_map(|event| event.kind.exchange());
    let mut spoiled = exchanges.filter(|record| record.delivery.signature != Signature::Good);
    spoiled.find(|record| is_asked_about(record)).map(|record| record.delivery)
}

impl Explanation {
    /// Replaces the app's mistake with the fact that a rule spoiled the signature on purpose. Leaves the explanation of
    /// a valid signature unchanged.
    #[must_use]
    pub fn spoiled_by_rule(self, delivery: &Delivery) -> Self {
        let what = match delivery.signature {
            Signature::Bad => "spoiled this signature on purpose: it was made with a different secret",
            Signature::Missing => "left out the signature on purpose",
            Signature::Stale => {
                "spoiled this signature on purpose: it is that of an earlier status, so it doesn't cover these parameters"
            }
            Signature::Good => return self,
        };
        if self.mistakes.is_empty() {
            return self;
        }
        let rule = delivery.rule().map_or_else(|| "a rule".to_owned(), |id| format!("rule {id}"));
        let detail =
            format!("{rule} {what}. The app is right to refuse this webhook; without the rule, it has `expected`");
        Self { mistakes: vec![Mistake::ByRule], detail, ..self }
    }
}
