//! Behaviour on purpose, for tests: what misbehaves, how often. The rules are the control API's, with the same checks.

use super::Error;
use crate::dialect::rule;
pub use crate::engine::input::LineFault;
use crate::engine::input::{AddRule, DropRule, DropRules};
pub use crate::engine::rule::{ApiFault, LineWish, Outcome, WebhookFault};
use crate::engine::rule::{Match, Pattern, Rule, RuleEffect};
pub use crate::model::fault::Fault;
use crate::model::fax::Direction;
use crate::model::webhook::Purpose;
use crate::world::World;

/// The rules of an account, and what the next one fits; without more, everything that its effect can act on.
#[must_use = "a rule is added by once(), times() or always()"]
pub struct AccountRules {
    world: World,
    matches: Match,
    after: u32,
    chance: Option<f64>,
    /// The first pattern that is none.
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

    /// Only faxes that go this way.
    pub const fn direction(mut self, direction: Direction) -> Self {
        self.matches.direction = Some(direction);
        self
    }

    /// Only faxes from here; `*` stands for any characters.
    pub fn from(mut self, pattern: &str) -> Self {
        self.matches.from = self.pattern("from", pattern);
        self
    }

    /// Only faxes to here, as `+1555*`.
    pub fn to(mut self, pattern: &str) -> Self {
        self.matches.to = self.pattern("to", pattern);
        self
    }

    /// Only REST calls of this path, as `/v1/Faxes*`.
    pub fn path(mut self, pattern: &str) -> Self {
        self.matches.path = self.pattern("path", pattern);
        self
    }

    /// Only webhooks to this URL.
    pub fn url(mut self, pattern: &str) -> Self {
        self.matches.url = self.pattern("url", pattern);
        self
    }

    /// Only webhooks for this.
    pub const fn purpose(mut self, purpose: Purpose) -> Self {
        self.matches.purpose = Some(purpose);
        self
    }

    /// The first so many are left alone.
    pub const fn after(mut self, matches: u32) -> Self {
        self.after = matches;
        self
    }

    /// It acts with this chance, drawn from the world's seed.
    pub const fn chance(mut self, chance: f64) -> Self {
        self.chance = Some(chance);
        self
    }

    /// Lets it happen once; answers with the rule's id.
    ///
    /// # Errors
    /// The rule could never act, or there are too many.
    pub fn once(self, effect: impl Into<RuleEffect>) -> Result<u64, Error> {
        self.add(Some(1), effect.into())
    }

    /// Lets it happen so often.
    ///
    /// # Errors
    /// As `once`.
    pub fn times(self, times: u32, effect: impl Into<RuleEffect>) -> Result<u64, Error> {
        self.add(Some(times), effect.into())
    }

    /// Lets it happen whenever it can.
    ///
    /// # Errors
    /// As `once`.
    pub fn always(self, effect: impl Into<RuleEffect>) -> Result<u64, Error> {
        self.add(None, effect.into())
    }

    /// Forgets a rule.
    ///
    /// # Errors
    /// There is none with this id.
    pub fn remove(self, id: u64) -> Result<(), Error> {
        self.world.handle(DropRule(id))?;
        Ok(())
    }

    /// Forgets all rules.
    ///
    /// # Errors
    /// None in practice.
    pub fn clear(self) -> Result<(), Error> {
        self.world.handle(DropRules)?;
        Ok(())
    }

    fn add(self, times: Option<u32>, effect: RuleEffect) -> Result<u64, Error> {
        if let Some(error) = self.wrong {
            return Err(error);
        }
        let wanted = Rule { matches: self.matches, after: self.after, times, chance: self.chance, effect };
        // Read as if it had come from outside, so that it is held to the same checks.
        let rule = rule::parse(&rule::json(&wanted)).map_err(|error| Error::Rule(error.to_string()))?;
        Ok(self.world.handle(AddRule(rule))?)
    }

    fn pattern(&mut self, field: &str, text: &str) -> Option<Pattern> {
        let read = Pattern::new(text);
        if let (Err(reason), None) = (&read, &self.wrong) {
            self.wrong = Some(Error::Rule(format!("match.{field}: {reason}")));
        }
        read.ok()
    }
}
