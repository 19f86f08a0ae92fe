//! Builds rules, which make calls, lines, REST calls, webhooks and downloads go wrong on purpose. They are the control API's
//! rules, with the same checks.
//!
//! A rule has three parts: what it matches (everything by default), how often it acts, and its effect: an [`Outcome`]
//! for a call, a [`LineOverride`] for the line, an [`ApiFault`] for a REST call, a [`WebhookFault`] for a webhook,
//! [`RequestEdits`] for a webhook that is valid but unusual, or a [`DownloadFault`] for a download of a fax's media.
//!
//! ```
//! use fauxfax::rules::{ApiFault, DownloadFault, LineOverride, RequestEdits, Signature, WebhookFault};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let emulator = fauxfax::Emulator::builder().start().await?;
//! # let account = emulator.account()?;
//! // The next REST call is refused with 429 and the usual code for it, 20429.
//! account.rules().once(ApiFault { refusal: Some((429, None)), ..ApiFault::default() })?;
//! // Every webhook is sent twice.
//! account.rules().always(WebhookFault { duplicate: true, ..WebhookFault::default() })?;
//! // The next webhook is signed with another account's token.
//! account.rules().once(WebhookFault { signature: Signature::OtherToken, ..WebhookFault::default() })?;
//! // Every webhook has a parameter that the app doesn't know. The signature covers it.
//! account.rules().always(RequestEdits::default().set_param("NewInTwilio", "1"))?;
//! // Downloads of media break off after a thousand bytes.
//! account.rules().always(DownloadFault { cut_after_bytes: Some(1_000), ..DownloadFault::default() })?;
//! // Faxes to these numbers go over a slow line.
//! account.rules().to("+1555*").always(LineOverride { rate_bps: Some(4_800), ..LineOverride::default() })?;
//! # Ok(())
//! # }
//! ```

use std::fmt;

use super::Error;
use crate::engine::input::{AddRule, DropRule, DropRules};
pub use crate::engine::rule::{ApiFault, DownloadFault, LineOverride, Outcome, WebhookFault};
use crate::engine::rule::{Match, Pattern, Rule, RuleEffect};
use crate::model::account::Dialect;
pub use crate::model::fault::Fault;
use crate::model::fax::Direction;
pub use crate::model::line::LineFault;
pub use crate::model::request_edits::{HeaderEdits, ParamEdits, ParamOrder, RequestEdits};
use crate::model::webhook::Purpose;
pub use crate::model::webhook::Signature;
use crate::world::World;

/// A rule to be added to an account. It matches everything that its effect can act on, until methods narrow it down.
///
/// Rules are checked in the order in which they were added; among rules with the same kind of effect, the first acts
/// that matches and isn't held back by its number of times, `after` or `chance`.
#[must_use = "a rule is added by once(), times() or always()"]
pub struct AccountRules {
    world: World,
    matches: Match,
    after: u32,
    chance: Option<f64>,
    /// The error for the first invalid pattern, which `once`, `times` and `always` return.
    wrong: Option<Error>,
}

impl AccountRules {
    pub(super) const fn new(world: World) -> Self {
        let matches = Match {
            direction: None,
            from: None,
            to: None,
            pages: None,
            method: None,
            path: None,
            url: None,
            purpose: None,
        };
        Self { world, matches, after: 0, chance: None, wrong: None }
    }

    /// Matches only faxes in this direction.
    pub const fn direction(mut self, direction: Direction) -> Self {
        self.matches.direction = Some(direction);
        self
    }

    /// Matches only faxes from addresses that fit the pattern; `*` matches any characters.
    pub fn from(mut self, pattern: &str) -> Self {
        self.matches.from = self.pattern("from", pattern);
        self
    }

    /// Matches only faxes to addresses that fit the pattern, for example `+1555*`.
    ///
    /// ```
    /// use fauxfax::rules::Outcome::NoAnswer;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = fauxfax::Emulator::builder().start().await?;
    /// # let account = emulator.account()?;
    /// account.rules().to("+1555*").once(NoAnswer)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn to(mut self, pattern: &str) -> Self {
        self.matches.to = self.pattern("to", pattern);
        self
    }

    /// Matches only REST calls and downloads whose path, without its query, fits the pattern, for example `/v1/Faxes*`.
    ///
    /// ```
    /// use fauxfax::rules::ApiFault;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = fauxfax::Emulator::builder().start().await?;
    /// # let account = emulator.account()?;
    /// let slow = ApiFault { delay_ms: 500, ..ApiFault::default() };
    /// account.rules().path("/v1/Faxes*").always(slow)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn path(mut self, pattern: &str) -> Self {
        self.matches.path = self.pattern("path", pattern);
        self
    }

    /// Matches only faxes with a number of pages from `least` to `most`. Webhooks and REST calls have no number of pages.
    pub const fn pages(mut self, least: u32, most: u32) -> Self {
        self.matches.pages = Some((least, most));
        self
    }

    /// Matches only webhooks to URLs that fit the pattern.
    pub fn url(mut self, pattern: &str) -> Self {
        self.matches.url = self.pattern("url", pattern);
        self
    }

    /// Matches only webhooks with this purpose, such as a request for TwiML or a status callback.
    pub const fn purpose(mut self, purpose: Purpose) -> Self {
        self.matches.purpose = Some(purpose);
        self
    }

    /// Lets this many matches pass before the rule acts.
    ///
    /// ```
    /// use fauxfax::rules::Outcome::Busy;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = fauxfax::Emulator::builder().start().await?;
    /// # let account = emulator.account()?;
    /// // The first fax goes through; the second finds the line busy.
    /// account.rules().after(1).once(Busy)?;
    /// # Ok(())
    /// # }
    /// ```
    pub const fn after(mut self, matches: u32) -> Self {
        self.after = matches;
        self
    }

    /// Makes the rule act with this probability, from 0 to 1. Random draws are derived from the seed, so they are the
    /// same in every run.
    pub const fn chance(mut self, chance: f64) -> Self {
        self.chance = Some(chance);
        self
    }

    /// Adds a rule that acts at most once, and returns its id.
    ///
    /// # Errors
    /// Returns [`Error::Rule`] if a pattern is invalid or the rule could never act, or [`Error::Refused`] if there are
    /// too many rules.
    pub fn once(self, effect: impl Into<RuleEffect>) -> Result<u64, Error> {
        self.add(Some(1), effect.into())
    }

    /// Adds a rule that acts at most this many times, and returns its id.
    ///
    /// # Errors
    /// Returns the same errors as [`once`](Self::once).
    pub fn times(self, times: u32, effect: impl Into<RuleEffect>) -> Result<u64, Error> {
        self.add(Some(times), effect.into())
    }

    /// Adds a rule without a limit on how often it acts, and returns its id.
    ///
    /// # Errors
    /// Returns the same errors as [`once`](Self::once).
    pub fn always(self, effect: impl Into<RuleEffect>) -> Result<u64, Error> {
        self.add(None, effect.into())
    }

    /// Removes the rule with this id, regardless of what this builder matches.
    ///
    /// ```
    /// use fauxfax::rules::Outcome::Busy;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = fauxfax::Emulator::builder().start().await?;
    /// # let account = emulator.account()?;
    /// let busy = account.rules().always(Busy)?;
    /// account.rules().remove(busy)?;
    /// assert!(account.rules().remove(busy).is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns [`Error::Refused`] if the account has no rule with this id.
    pub fn remove(self, id: u64) -> Result<(), Error> {
        self.world.handle(DropRule(id))?;
        Ok(())
    }

    /// Removes all of the account's rules.
    ///
    /// # Errors
    /// Returns [`Error::Refused`] if the account's world has broken.
    pub fn clear(self) -> Result<(), Error> {
        self.world.handle(DropRules)?;
        Ok(())
    }

    fn add(self, times: Option<u32>, effect: RuleEffect) -> Result<u64, Error> {
        if let Some(error) = self.wrong {
            return Err(error);
        }
        let rule = Rule { matches: self.matches, after: self.after, times, chance: self.chance, enabled: true, effect };
        rule.check(Dialect::of(self.world.sid())).map_err(|fault| Error::Rule(fault.to_string()))?;
        Ok(self.world.handle(AddRule(rule))?)
    }

    fn pattern(&mut self, field: &str, text: &str) -> Option<Pattern> {
        let read = Pattern::new(text);
        // Keep the error until the rule is added, so that the builder's methods can be chained.
        if let (Err(reason), None) = (&read, &self.wrong) {
            self.wrong = Some(Error::Rule(format!("match.{field}: {reason}")));
        }
        read.ok()
    }
}

impl fmt::Debug for AccountRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountRules")
            .field("account", &self.world.sid())
            .field("matches", &self.matches)
            .field("after", &self.after)
            .field("chance", &self.chance)
            .finish_non_exhaustive()
    }
}
