//! The rules of a world in order, with their counters and decisions. Decisions are made at deadlines and at the calls
//! of testers and apps, which have a fixed order, and never when the response to an effect happens to arrive.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Engine;
use super::agenda::Ordinal;
use super::event::{EventKind, RuledWebhook};
use super::input::{AddRule, ApiCalled, ChangeRule, DropRule, MediaRequested, RuleChange};
use super::random::Luck;
use super::random::WorldSeed;
use super::rule::{ApiFault, DownloadFault, LineOverride, Outcome, Rule, RuleEffect, RuleKind, Subject, WebhookFault};
use crate::model::fax::Direction;
use crate::model::refusal::Refusal;
use crate::model::sid::FaxSid;
use crate::model::time::Timestamp;
use crate::model::webhook::ActingRule;
use rand::Rng;

/// The number of questions about a fax: to the FaxUrl and to the fallback URL. In the order of a fax's webhooks, they
/// come before all notices.
pub(super) const QUESTIONS: u64 = 2;
/// The maximum number of rules per world, limited because each call, webhook and request may be matched against all of
/// them.
pub const RULES_MAX: usize = 1_000;

/// A rule and its counters, as held by a world.
#[derive(Debug, Clone)]
pub struct HeldRule {
    /// The id of the rule, counted from 1 in the order in which rules are added.
    pub id: u64,
    /// The rule itself, shared with events.
    pub rule: Arc<Rule>,
    /// The number of times that the rule matched and no earlier rule acted.
    pub matched: u64,
    /// The number of times that the rule acted.
    pub fired: u64,
}

/// The rules of a world in the order of their ids.
#[derive(Debug, Clone, Default)]
pub(super) struct RuleBook {
    rules: BTreeMap<u64, HeldRule>,
    pub(super) added: u64,
    /// The number of enabled rules of each kind, in the order of `RuleKind`.
    kinds: [usize; RuleKind::ALL.len()],
}

/// The key of a random draw: the bytes that identify its subject, such as a fax, and the draw's index for that subject.
#[derive(Debug, Clone, Copy)]
struct Draw<'a> {
    parent: &'a [u8],
    place: u64,
}

impl RuleBook {
    pub(super) fn of(rules: &[Rule]) -> Self {
        let mut book = Self::default();
        for rule in rules {
            book.add(rule.clone());
        }
        book
    }

    pub(super) const fn has(&self, kind: RuleKind) -> bool {
        self.kinds[kind as usize] > 0
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &HeldRule> {
        self.rules.values()
    }

    pub(super) fn restore(&mut self, held: HeldRule) {
        // A restored rule keeps its id, and new rules get higher ones.
        self.added = self.added.max(held.id);
        self.kinds[held.rule.effect.kind() as usize] += usize::from(held.rule.enabled);
        self.rules.insert(held.id, held);
    }

    fn add(&mut self, rule: Rule) -> u64 {
        let id = self.added + 1;
        self.restore(HeldRule { id, rule: Arc::new(rule), matched: 0, fired: 0 });
        id
    }

    fn remove(&mut self, id: u64) -> Option<HeldRule> {
        let held = self.rules.remove(&id)?;
        self.kinds[held.rule.effect.kind() as usize] -= usize::from(held.rule.enabled);
        Some(held)
    }

    fn change(&mut self, id: u64, change: RuleChange) -> Option<()> {
        let held = self.remove(id)?;
        let rule = match change {
            RuleChange::Enabled(enabled) => Rule { enabled, ..(*held.rule).clone() },
            RuleChange::Replaced(rule) => rule,
        };
        self.restore(HeldRule { rule: Arc::new(rule), ..held });
        Some(())
    }

    /// Returns the first rule of this kind that matches and acts.
    fn decide(
        &mut self,
        kind: RuleKind,
        subject: &Subject<'_>,
        seed: &WorldSeed,
        draw: Draw<'_>,
    ) -> Option<(u64, Arc<Rule>)> {
        let of_kind = self.rules.values_mut().filter(|held| held.rule.enabled && held.rule.effect.kind() == kind);
        for held in of_kind.filter(|held| held.rule.fits(subject)) {
            // Counted even if the rule doesn't act, because `after` is a number of matches.
            held.matched += 1;
            let rule = &held.rule;
            let is_due = held.matched > u64::from(rule.after);
            let is_left = rule.times.is_none_or(|times| held.fired < u64::from(times));
            if is_due && is_left && rule.chance.is_none_or(|chance| drawn(seed, held.id, draw) < chance) {
                held.fired += 1;
                return Some((held.id, Arc::clone(rule)));
            }
        }
        None
    }
}

/// Draws a number from 0 (inclusive) to 1 (exclusive).
fn drawn(seed: &WorldSeed, rule: u64, draw: Draw<'_>) -> f64 {
    // Each rule has draws of its own, so that adding a rule doesn't change what the others do.
    let parent = [&rule.to_be_bytes(), draw.parent].concat();
    // An `f64` represents every integer of 53 bits exactly.
    let bits = seed.generator("rule", &parent, draw.place).next_u64() >> 11;
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    let fraction = bits as f64 / (1_u64 << 53) as f64;
    fraction
}

impl Engine {
    /// Returns the tester's rules and their counters, in order.
    pub fn rule_book(&self) -> impl Iterator<Item = &HeldRule> {
        self.world.book.iter()
    }

    /// Returns the id of the first earlier rule that leaves nothing for this one to act on, if there is such a rule.
    #[must_use]
    pub fn shadow_of(&self, id: u64) -> Option<u64> {
        let own = self.world.book.iter().find(|held| held.id == id)?;
        // Rules act in the order of their ids, so only an earlier one can come first.
        let earlier = self.world.book.iter().take_while(|held| held.id < id);
        earlier.filter(|held| held.rule.shadows(&own.rule)).map(|held| held.id).next()
    }

    /// Returns whether any enabled rule applies to REST calls, or pedantic mode implies some.
    #[must_use]
    pub fn has_api_rules(&self) -> bool {
        self.world.book.has(RuleKind::Api) || self.is_pedantic()
    }

    pub(super) fn add_rule(&mut self, AddRule(rule): AddRule, _: Timestamp) -> Result<u64, Refusal> {
        if self.world.book.rules.len() >= RULES_MAX {
            return Err(Refusal::LimitReached { what: "rules", limit: RULES_MAX });
        }
        Ok(self.world.book.add(rule))
    }

    pub(super) fn change_rule(&mut self, ChangeRule { id, change }: ChangeRule, _: Timestamp) -> Result<(), Refusal> {
        self.world.book.change(id, change).ok_or(Refusal::NoRule(id))
    }

    pub(super) fn drop_rule(&mut self, DropRule(id): DropRule, _: Timestamp) -> Result<(), Refusal> {
        self.world.book.remove(id).ok_or(Refusal::NoRule(id))?;
        Ok(())
    }

    pub(super) fn drop_rules(&mut self) {
        // Ids continue, so that an id that a tester still holds never names a different rule.
        self.world.book = RuleBook { added: self.world.book.added, ..RuleBook::default() };
    }

    /// Returns the failure that a rule or pedantic mode inflicts on a REST call, if any, with the rule that acted.
    pub(super) fn api_called(&mut self, call: &ApiCalled, now: Timestamp) -> Option<(ActingRule, ApiFault)> {
        let subject = Subject { method: &call.method, path: &call.path, ..Subject::default() };
        self.world.api_calls += 1;
        // REST calls need not concern a fax, so their draws are keyed by a count of all calls.
        let draw = Draw { parent: b"api", place: self.world.api_calls };
        match self.decide((RuleKind::Api, &subject), draw, (None, None), now) {
            Some((id, RuleEffect::Api(fault))) => Some((ActingRule::Tester(id), fault)),
            _ => self.pedantic_api((&call.method, &call.path), now).map(|fault| (ActingRule::Pedantic, fault)),
        }
    }

    /// Returns whether any enabled rule applies to downloads of media, or pedantic mode implies some.
    #[must_use]
    pub fn has_media_rules(&self) -> bool {
        self.world.book.has(RuleKind::Media) || self.is_pedantic()
    }

    /// Returns the failure that a rule or pedantic mode inflicts on a download of a fax's media, if any, with the rule
    /// that acted.
    pub(super) fn media_requested(
        &mut self,
        asked: &MediaRequested,
        now: Timestamp,
    ) -> Option<(ActingRule, DownloadFault)> {
        let MediaRequested { fax: sid, method, path } = asked;
        let fax = self.world.tables.ordinal(*sid).and_then(|ordinal| self.world.tables.fax(ordinal))?;
        let (from, to) = (fax.from.to_string(), fax.to.to_string());
        let (direction, pages, luck) = (Some(fax.direction()), fax.pages(), fax.luck);
        let document_bytes = fax.media.as_ref().map_or(0, |media| media.document.bytes.len());
        let subject = Subject { direction, from: &from, to: &to, pages, method, path, ..Subject::default() };
        self.world.downloads += 1;
        let draw = Draw { parent: b"media", place: self.world.downloads };
        match self.decide((RuleKind::Media, &subject), draw, (Some(*sid), None), now) {
            Some((id, RuleEffect::Media(fault))) => Some((ActingRule::Tester(id), fault)),
            _ => {
                let fault = self.pedantic_download((*sid, luck), document_bytes, (method, path), now)?;
                Some((ActingRule::Pedantic, fault))
            }
        }
    }

    /// Returns the rules' decision on the `calls`th call of an outbound fax: its outcome, with the id of the rule that
    /// decided it, and its line.
    pub(super) fn rules_of_call(
        &mut self,
        ordinal: Ordinal,
        calls: u32,
        now: Timestamp,
    ) -> (Option<(u64, Outcome)>, LineOverride) {
        // Without call rules, no subject needs to be formatted.
        let Some(fax) = self.world.tables.fax(ordinal).filter(|_| self.has_call_rules()) else {
            return (None, LineOverride::default());
        };
        let (from, to, pages) = (fax.from.to_string(), fax.to.to_string(), fax.pages());
        let fax = (fax.sid, fax.luck);
        let direction = Some(Direction::Outbound);
        let subject = Subject { direction, from: &from, to: &to, pages, ..Subject::default() };
        self.call_rules(fax, &subject, u64::from(calls), now)
    }

    /// Returns the rules' decision on a call to a number of the world: its outcome and its line.
    pub(super) fn rules_of_incoming(
        &mut self,
        fax: (FaxSid, Luck),
        (from, to): (&str, &str),
        pages: u32,
        now: Timestamp,
    ) -> (Option<Outcome>, LineOverride) {
        let direction = Some(Direction::Inbound);
        let subject = Subject { direction, from, to, pages: Some(pages), ..Subject::default() };
        // Each incoming call has its own draw key, so its draws need no index.
        let (decided, line) = self.call_rules(fax, &subject, 0, now);
        (decided.map(|(_, outcome)| outcome), line)
    }

    /// Returns the decision of the rules, or else of pedantic mode, on a webhook, with the rule that acted; `place` is
    /// the webhook's index among those of its fax.
    pub(super) fn rules_of_webhook(
        &mut self,
        sid: FaxSid,
        (webhook, url): (RuledWebhook, &str),
        (direction, from, to): (Direction, &str, &str),
        place: u64,
        now: Timestamp,
    ) -> Option<(ActingRule, WebhookFault)> {
        let direction = Some(direction);
        let (purpose, is_question) = (Some(webhook.purpose), place < QUESTIONS);
        let subject = Subject { direction, from, to, url, purpose, is_question, ..Subject::default() };
        let luck = self.luck_of(sid);
        let parent = luck.0.to_be_bytes();
        let draw = Draw { parent: &parent, place };
        match self.decide((RuleKind::Webhook, &subject), draw, (Some(sid), Some(webhook)), now) {
            Some((id, RuleEffect::Webhook(fault))) => Some((ActingRule::Tester(id), fault)),
            _ => {
                let fault = self.pedantic_webhook((sid, luck), webhook, place, now)?;
                Some((ActingRule::Pedantic, fault))
            }
        }
    }

    /// Returns the draw key of a fax or call. For a deleted fax, whose last notices may still be due, it is the
    /// ordinal.
    fn luck_of(&self, sid: FaxSid) -> Luck {
        let ordinal = self.world.tables.ordinal(sid);
        let fax = ordinal.and_then(|ordinal| self.world.tables.fax(ordinal)).map(|fax| fax.luck);
        let call = || Some(self.world.tables.call(ordinal?)?.luck);
        let gone = || self.world.outgoing.get(&sid).map(|outgoing| Luck(outgoing.ordinal));
        fax.or_else(call).or_else(gone).unwrap_or_default()
    }

    pub(super) fn has_call_rules(&self) -> bool {
        self.world.book.has(RuleKind::Outcome) || self.world.book.has(RuleKind::Line)
    }

    fn call_rules(
        &mut self,
        (sid, luck): (FaxSid, Luck),
        subject: &Subject<'_>,
        place: u64,
        now: Timestamp,
    ) -> (Option<(u64, Outcome)>, LineOverride) {
        let luck = luck.0.to_be_bytes();
        let draw = Draw { parent: &luck, place };
        let outcome = match self.decide((RuleKind::Outcome, subject), draw, (Some(sid), None), now) {
            Some((id, RuleEffect::Outcome(outcome))) => Some((id, outcome)),
            _ => None,
        };
        let line = match self.decide((RuleKind::Line, subject), draw, (Some(sid), None), now) {
            Some((_, RuleEffect::Line(line))) => line,
            _ => LineOverride::default(),
        };
        (outcome, line)
    }

    fn decide(
        &mut self,
        (kind, subject): (RuleKind, &Subject<'_>),
        draw: Draw<'_>,
        (fax, webhook): (Option<FaxSid>, Option<RuledWebhook>),
        now: Timestamp,
    ) -> Option<(u64, RuleEffect)> {
        if !self.world.book.has(kind) {
            return None;
        }
        // The seed is the world's and not that of the ids, so that a run repeated after a reset has the same draws.
        let (id, rule) = self.world.book.decide(kind, subject, self.ids.world(), draw)?;
        let effect = rule.effect.clone();
        self.journal.write(now, fax, EventKind::RuleFired { id, rule, webhook });
        Some((id, effect))
    }

    /// Returns whether new webhooks wait for an alarm. They do in pedantic mode, and if there are webhook rules. Both
    /// decide about webhooks in the order of deadlines, not in the order in which responses arrive.
    pub(super) fn must_be_decided(&self) -> bool {
        self.world.book.has(RuleKind::Webhook) || self.is_pedantic()
    }
}
