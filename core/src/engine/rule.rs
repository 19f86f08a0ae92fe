//! A tester's rule as data: its conditions and its effect. Counters and decisions are in `rulebook.rs`.

pub mod check;
pub mod edits;
pub mod fault;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::account::Dialect;
use crate::model::fax::Direction;
use crate::model::line::LineFault;
use crate::model::line::{Coding, Line};
use crate::model::request_edits::RequestEdits;
use crate::model::webhook::{Purpose, Signature};
use crate::model::words::words;

/// The maximum number of characters in a pattern; the numbers and URLs to be matched are shorter.
pub const PATTERN_CHARS_MAX: usize = 2_048;
/// The maximum number of asterisks in a pattern, limited because each may cost a pass over the string.
pub const PATTERN_STARS_MAX: usize = 16;

words!(
    /// The kind of thing that a rule acts on; among rules of one kind, only the first that matches and is due acts.
    RuleKind {
        /// The outcome of a call: delivered, busy, unanswered or broken.
        Outcome = "outcome",
        /// The speed and noise of a call's line.
        Line = "line",
        /// The emulator's response to a REST call.
        Api = "api",
        /// The sending of a webhook to an app.
        Webhook = "webhook",
        /// A download of a fax's media.
        Media = "media",
    }
);

/// A tester's rule, without its counters.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// The calls, webhooks, REST calls or downloads that the rule matches.
    pub matches: Match,
    /// The number of matches that pass before the rule first acts.
    pub after: u32,
    /// The maximum number of times that the rule acts; `None` means no limit.
    pub times: Option<u32>,
    /// The probability, from 0 to 1, that the rule acts on a match, drawn from the world's seed; `None` means always.
    pub chance: Option<f64>,
    /// Whether the rule is active. A disabled rule counts no matches and leaves them to later rules.
    pub enabled: bool,
    /// The effect of the rule when it acts.
    pub effect: RuleEffect,
}

/// The conditions of a rule, all of which must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Match {
    /// The direction of the fax; `None` matches both. Likewise, any other condition that is `None` matches everything.
    pub direction: Option<Direction>,
    /// A pattern for the sender's number or address.
    pub from: Option<Pattern>,
    /// A pattern for the receiver's number or address.
    pub to: Option<Pattern>,
    /// The minimum and the maximum number of pages of the fax, both inclusive; without a maximum, it is `u32::MAX`.
    pub pages: Option<(u32, u32)>,
    /// The HTTP method of a REST call or download, in capitals.
    pub method: Option<Box<str>>,
    /// A pattern for the path of a REST call or download, without its query.
    pub path: Option<Pattern>,
    /// A pattern for the URL that a webhook is sent to.
    pub url: Option<Pattern>,
    /// The purpose of a webhook, such as a FaxUrl or an action.
    pub purpose: Option<Purpose>,
}

/// The effect of a rule on the call, REST call, webhook or download that it matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleEffect {
    /// Decides how a call ends, overriding the machine at the other end.
    Outcome(Outcome),
    /// Changes the line of a call.
    Line(LineOverride),
    /// Fails or delays a REST call.
    Api(ApiFault),
    /// Delays, drops, repeats, reorders or edits a webhook, or gives it an invalid signature.
    Webhook(WebhookFault),
    /// Slows, cuts off, redirects or refuses a download of a fax's media.
    Media(DownloadFault),
}

/// The outcome of a call, as a rule decides it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// An outbound fax gets through, whatever the machine at the called number would do.
    Delivered,
    /// An inbound fax gets through, unless the tester specified a break when placing the call. Later rules can't break
    /// it.
    Received,
    /// The far end of an outbound call is busy.
    Busy,
    /// The far end doesn't pick up.
    NoAnswer,
    /// The transmission breaks after a number of pages, with a fault.
    Failed(LineFault),
}

/// The line properties that a rule changes; `None` leaves a property unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineOverride {
    /// The speed in bits per second.
    pub rate_bps: Option<u32>,
    /// The number of damaged rows per thousand.
    pub noise_per_mille: Option<u16>,
}

impl LineOverride {
    /// Applies the changes to a line. A noisy line loses its error correction, which would repair the damage.
    #[must_use]
    pub fn over(self, line: Line) -> Line {
        let noise_per_mille = self.noise_per_mille.unwrap_or(line.noise_per_mille);
        let corrected = line.coding == Coding::Mmr && noise_per_mille > 0;
        let coding = if corrected { Coding::Mr } else { line.coding };
        Line { rate_bps: self.rate_bps.unwrap_or(line.rate_bps), coding, noise_per_mille }
    }
}

/// The failure that a rule inflicts on a REST call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ApiFault {
    /// The HTTP status and error code of a refusal that replaces the real response. Without a code, the response has
    /// the usual one for the status.
    pub refusal: Option<(u16, Option<u32>)>,
    /// The delay before the response, in milliseconds of real time.
    pub delay_ms: u64,
    /// Whether the connection is reset and no response is sent.
    pub reset: bool,
}

/// The misbehaviour that a rule inflicts on a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WebhookFault {
    /// The delay before the webhook is sent, in milliseconds on the world's clock.
    pub delay_ms: u64,
    /// Whether the webhook is sent twice, with the same idempotency token.
    pub duplicate: bool,
    /// Whether the second delivery of a duplicated notice comes only after the same fax's next notice. It has no effect
    /// on a request for TwiML, whose second delivery is always sent at once.
    pub late: bool,
    /// Whether the webhook is sent after the same fax's next notice.
    pub reorder: bool,
    /// Whether the webhook is never sent.
    pub drop: bool,
    /// The signature of the webhook: valid, wrong in some way, or missing.
    pub signature: Signature,
    /// The changes to the request that don't invalidate its signature; `None` if there are none.
    pub edits: Option<Arc<RequestEdits>>,
}

/// The misbehaviour that a rule inflicts on a download of a fax's media.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DownloadFault {
    /// The delay before the response, in milliseconds of real time.
    pub delay_ms: u64,
    /// The maximum speed of the response's body.
    pub bytes_per_second: Option<u32>,
    /// The number of bytes of the body after which the connection is closed, although more were announced.
    pub cut_after_bytes: Option<u32>,
    /// The number of redirects that lead to the document.
    pub redirects: u32,
    /// The HTTP status of a refusal that replaces the document.
    pub status: Option<u16>,
}

/// The properties of a call, webhook, REST call or download that rules match.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Subject<'a> {
    pub(super) direction: Option<Direction>,
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) pages: Option<u32>,
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) url: &'a str,
    pub(super) purpose: Option<Purpose>,
    /// Whether a webhook asks for TwiML.
    pub(super) is_question: bool,
}

impl RuleEffect {
    /// Returns the kind of this effect.
    #[must_use]
    pub const fn kind(&self) -> RuleKind {
        match self {
            Self::Outcome(_) => RuleKind::Outcome,
            Self::Line(_) => RuleKind::Line,
            Self::Api(_) => RuleKind::Api,
            Self::Webhook(_) => RuleKind::Webhook,
            Self::Media(_) => RuleKind::Media,
        }
    }

    /// Returns the only fax direction that this effect applies to; `None` if it applies to both.
    #[must_use]
    pub const fn direction(&self) -> Option<Direction> {
        match self {
            Self::Outcome(Outcome::Delivered | Outcome::Busy | Outcome::NoAnswer) => Some(Direction::Outbound),
            Self::Outcome(Outcome::Received) => Some(Direction::Inbound),
            Self::Outcome(Outcome::Failed(_)) | Self::Line(_) | Self::Api(_) | Self::Webhook(_) | Self::Media(_) => {
                None
            }
        }
    }
}

impl From<Outcome> for RuleEffect {
    fn from(outcome: Outcome) -> Self {
        Self::Outcome(outcome)
    }
}

impl From<LineOverride> for RuleEffect {
    fn from(line: LineOverride) -> Self {
        Self::Line(line)
    }
}

impl From<ApiFault> for RuleEffect {
    fn from(fault: ApiFault) -> Self {
        Self::Api(fault)
    }
}

impl From<WebhookFault> for RuleEffect {
    fn from(fault: WebhookFault) -> Self {
        Self::Webhook(fault)
    }
}

impl From<RequestEdits> for RuleEffect {
    fn from(edits: RequestEdits) -> Self {
        Self::Webhook(WebhookFault { edits: Some(Arc::new(edits)), ..WebhookFault::default() })
    }
}

impl From<DownloadFault> for RuleEffect {
    fn from(fault: DownloadFault) -> Self {
        Self::Media(fault)
    }
}

impl RuleEffect {
    /// Returns whether the only effect is to give a notice the signature of an earlier one about the same fax.
    fn is_stale_alone(&self) -> bool {
        let stale = WebhookFault { signature: Signature::Stale, ..WebhookFault::default() };
        matches!(self, Self::Webhook(fault) if *fault == stale)
    }
}

/// Returns whether every request with this purpose asks for TwiML. Such a request comes before any notice, so there is
/// no earlier signature to reuse. SignalWire's fallback URL is also notified after a failed action.
const fn is_always_question(purpose: Purpose, dialect: Dialect) -> bool {
    match purpose {
        Purpose::FaxUrl => true,
        Purpose::FallbackUrl => matches!(dialect, Dialect::Twilio),
        Purpose::MediaUrl | Purpose::Action | Purpose::StatusCallback | Purpose::Debugger => false,
    }
}

impl Rule {
    pub(super) fn fits(&self, subject: &Subject<'_>) -> bool {
        let wanted = &self.matches;
        let fits = |pattern: &Option<Pattern>, text: &str| pattern.as_ref().is_none_or(|pattern| pattern.fits(text));
        let direction = self.effect.direction().or(wanted.direction);
        // If the effect and the match both name a direction, the subject must match each of them.
        direction.is_none_or(|direction| subject.direction == Some(direction))
            && wanted.direction.is_none_or(|direction| subject.direction == Some(direction))
            && fits(&wanted.from, subject.from)
            && fits(&wanted.to, subject.to)
            && wanted
                .pages
                .is_none_or(|(least, most)| subject.pages.is_some_and(|pages| (least..=most).contains(&pages)))
            && wanted.method.as_deref().is_none_or(|method| method == subject.method)
            && fits(&wanted.path, subject.path)
            && fits(&wanted.url, subject.url)
            && wanted.purpose.is_none_or(|purpose| subject.purpose == Some(purpose))
            && !(self.effect.is_stale_alone() && subject.is_question)
    }

    /// Returns whether this rule, if it comes before the other one, leaves nothing for the other one to act on.
    pub(super) fn shadows(&self, other: &Self) -> bool {
        let (own, others) = (&self.matches, &other.matches);
        // If a pattern matches the text of another pattern, asterisks included, it also matches everything that the
        // other one matches.
        let wider = |own: &Option<Pattern>, other: &Option<Pattern>| {
            own.as_ref().is_none_or(|own| other.as_ref().is_some_and(|other| own.fits(&other.0)))
        };
        // A rule that is disabled, skips matches, stops after a number of them or acts by chance leaves some to the
        // other one.
        let always =
            self.enabled && self.after == 0 && self.times.is_none() && self.chance.is_none_or(|chance| chance >= 1.0);
        let direction = own.direction.or(self.effect.direction());
        always
            && self.effect.kind() == other.effect.kind()
            && direction.is_none_or(|direction| others.direction.or(other.effect.direction()) == Some(direction))
            && wider(&own.from, &others.from)
            && wider(&own.to, &others.to)
            && own
                .pages
                .is_none_or(|(least, most)| others.pages.is_some_and(|(low, high)| least <= low && high <= most))
            && own.method.as_ref().is_none_or(|method| others.method.as_ref() == Some(method))
            && wider(&own.path, &others.path)
            && wider(&own.url, &others.url)
            && own.purpose.is_none_or(|purpose| others.purpose == Some(purpose))
    }
}

/// A string in which each asterisk matches any number of characters, including none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Box<str>);

impl Serialize for Pattern {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Created by `new`, so that no pattern read from a file exceeds the limits.
        Self::new(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl Pattern {
    /// Parses a pattern, if it is short and simple enough.
    ///
    /// # Errors
    /// Returns the reason that the string isn't a valid pattern: it is empty or exceeds a limit.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("is empty; leave it out to match everything".to_owned());
        }
        if text.chars().count() > PATTERN_CHARS_MAX {
            return Err(format!("must have at most {PATTERN_CHARS_MAX} characters"));
        }
        if text.matches('*').count() > PATTERN_STARS_MAX {
            return Err(format!("must have at most {PATTERN_STARS_MAX} asterisks"));
        }
        Ok(Self(text.into()))
    }

    /// Returns the pattern as the tester wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether the pattern matches the whole string. Each part between asterisks is searched for once, from
    /// left to right.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        // `split` returns at least one part, even of an empty string.
        let mut parts = self.0.split('*');
        let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
        let mut parts: Vec<&str> = parts.collect();
        // Without an asterisk, no part of the string may remain.
        let Some(last) = parts.pop() else { return rest.is_empty() };
        // The first match of each part is the best: a later one would leave less of the string for the following parts.
        for part in parts {
            let Some(at) = rest.find(part) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, text: &str) -> bool {
        Pattern::new(pattern).expect("a valid pattern").fits(text)
    }

    #[test]
    fn an_asterisk_matches_any_characters() {
        for (pattern, text) in [
            ("*", ""),
            ("+1555*", "+15551234567"),
            ("*7", "+17"),
            ("a*b*c", "aXbYc"),
            ("a*a", "aa"),
            ("exact", "exact"),
        ] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("+1555*", "+1556"), ("a*a", "a"), ("exact", "exactly"), ("a*b*c", "acb"), ("*ab", "a")]
        {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn slow_patterns_are_refused_and_the_limit_is_named() {
        assert!(Pattern::new(&"*a".repeat(17)).is_err_and(|why| why.contains("16")));
        assert!(Pattern::new(&"a".repeat(PATTERN_CHARS_MAX + 1)).is_err_and(|why| why.contains("2048")));
        let slow = Pattern::new(&"*a".repeat(PATTERN_STARS_MAX)).expect("within the limit");
        assert!(!slow.fits(&"a".repeat(100_000).replace("aa", "ab")));
    }

    #[test]
    fn a_rule_that_always_acts_first_shadows_narrower_ones() {
        let rule = |to: &str| Rule {
            matches: Match { to: Pattern::new(to).ok(), ..Match::default() },
            after: 0,
            times: None,
            chance: None,
            enabled: true,
            effect: RuleEffect::Outcome(Outcome::Busy),
        };
        assert!(rule("+1*").shadows(&rule("+1555*")) && rule("+1*").shadows(&rule("+15551234567")));
        assert!(!rule("+1555*").shadows(&rule("+1*")));
        assert!(!Rule { times: Some(1), ..rule("*") }.shadows(&rule("+1*")));
        assert!(!Rule { enabled: false, ..rule("*") }.shadows(&rule("+1*")));
        let line = RuleEffect::Line(LineOverride::default());
        assert!(!rule("*").shadows(&Rule { effect: line, ..rule("+1*") }));
    }
}
