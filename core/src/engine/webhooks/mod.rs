//! Webhooks are questions, which ask an app for TwiML, or notices of statuses. This file has what both have in common:
//! the rules' plans, cookies, and idempotency tokens.

pub(super) mod notice;
mod question;
mod retry;

use std::time::Duration;

use super::Engine;
use super::agenda::{Alarm, AlarmKind, Ordinal};
use super::event::AlertLevel;
use super::random::WorldSeed;
use super::rule::WebhookFault;
use crate::model::overrides::Overrides;
use crate::model::sid::FaxSid;
use crate::model::time::Timestamp;
use crate::model::webhook::{ActingRule, Cookie, Purpose};
use rand::Rng;

/// The maximum number of cookies kept per fax; when an app sets more, the oldest are dropped.
const COOKIES_MAX: usize = 50;

/// The place of a request among those about the same fax. It determines the request's idempotency token.
#[derive(Debug, Clone, Copy)]
pub(super) enum TokenPlace {
    /// The question to the FaxUrl of a number.
    FaxUrl,
    /// The question to the fallback URL, after the FaxUrl failed.
    Fallback,
    /// The status notice with this place among those about the fax, counted from 0.
    Notice(u64),
    /// The report of the alert with this place to the Debugger webhook.
    Alert(u64),
}

/// The rules' plan for sending a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum WebhookPlan {
    /// Not decided yet: an alarm will match the webhook against the rules.
    Undecided,
    /// Sent as usual, since no rule acted.
    Plain,
    /// Sent as a matching rule specifies.
    Ruled {
        /// The earliest time at which the webhook may be sent.
        not_before: Timestamp,
        /// The delay, the invalid signature and the other faults that the rule gives the webhook.
        fault: WebhookFault,
        /// The rule; `None` in a state from a version that did not record it.
        rule: Option<ActingRule>,
    },
}

impl WebhookPlan {
    /// Returns the plan that follows from the rules' decision at this time; `decided` is `None` if no rule acted.
    pub(super) fn of(decided: Option<(ActingRule, WebhookFault)>, now: Timestamp) -> Self {
        let not_before = |fault: &WebhookFault| now.after(Duration::from_millis(fault.delay_ms));
        decided.map_or(Self::Plain, |(rule, fault)| Self::Ruled {
            not_before: not_before(&fault),
            fault,
            rule: Some(rule),
        })
    }
}

/// Merges newly set cookies into the kept cookies of a fax: for each host and name, the last one wins.
pub(super) fn keep_cookies(kept: &mut Vec<Cookie>, set: Vec<Cookie>) {
    for cookie in set {
        kept.retain(|old| old.host != cookie.host || old.name() != cookie.name());
        kept.push(cookie);
    }
    let surplus = kept.len().saturating_sub(COOKIES_MAX);
    kept.drain(..surplus);
}

impl Engine {
    /// Returns the plan for a new webhook. If there are webhook rules, or pedantic mode implies some, the plan is
    /// undecided and an alarm is set to decide it; otherwise, the webhook is sent as usual.
    pub(super) fn first_plan(&mut self, ordinal: Ordinal, now: Timestamp) -> WebhookPlan {
        if !self.must_be_decided() {
            return WebhookPlan::Plain;
        }
        self.set_webhook_alarm(ordinal, now);
        WebhookPlan::Undecided
    }

    pub(super) fn set_webhook_alarm(&mut self, ordinal: Ordinal, at: Timestamp) {
        self.world.agenda.set(Alarm { at, ordinal, kind: AlarmKind::Tell });
    }

    /// Handles the webhook alarm of a fax or call: decides undecided webhooks and sends due ones.
    pub(super) fn webhook_due(&mut self, ordinal: Ordinal, now: Timestamp) {
        if self.world.tables.call(ordinal).is_some() {
            self.question_due(ordinal, now);
            return;
        }
        let of_fax = self.world.tables.fax(ordinal).map(|fax| fax.sid);
        // Notices may still wait after their fax has been deleted.
        let of_gone =
            || self.world.outgoing.iter().find(|(_, outgoing)| outgoing.ordinal == ordinal).map(|(sid, _)| *sid);
        // Since the alarm was set, all notices may have been sent and the fax deleted.
        let Some(sid) = of_fax.or_else(of_gone) else { return };
        self.decide_notices(sid, now);
        self.notify_next(sid, now);
    }

    fn keep_cookies_of(&mut self, sid: FaxSid, cookies: Vec<Cookie>) {
        if let Some(outgoing) = self.world.outgoing.get_mut(&sid) {
            keep_cookies(&mut outgoing.cookies, cookies);
        }
    }

    /// Raises an alert for each fault in the overrides of a URL that is about to be used.
    pub(in crate::engine) fn check_overrides(&mut self, sid: FaxSid, purpose: Purpose, url: &str, now: Timestamp) {
        for fault in Overrides::of(self.account.dialect, purpose, url).1 {
            self.alert(Some(sid), (fault.fault(), AlertLevel::Error), &fault.to_string(), None, now);
        }
    }

    /// Returns a UUID that is the same for each attempt of one request.
    pub(super) fn idempotency_token(&self, sid: FaxSid, place: TokenPlace) -> Box<str> {
        token(self.ids.seed(), sid, place)
    }
}

/// Derives a UUID from the seed, the fax, and the request's place among those about the fax.
fn token(seed: &WorldSeed, sid: FaxSid, place: TokenPlace) -> Box<str> {
    let place = match place {
        TokenPlace::FaxUrl => 0,
        TokenPlace::Fallback => 1,
        TokenPlace::Notice(n) => 2 + n,
        // Alerts count down from the top, so that they never share a place with notices.
        TokenPlace::Alert(n) => u64::MAX - n,
    };
    uuid(seed, sid.bytes(), place)
}

/// Derives a UUID from the seed, the thing that a request is about, and the request's place among those about it.
pub(super) fn uuid(seed: &WorldSeed, about: &[u8; 16], place: u64) -> Box<str> {
    let bits = seed.generator("token", about, place).next_u64();
    let low = seed.generator("token-low", about, place).next_u64();
    // Six of the random bits are replaced by the variant and the version (4) of a random UUID.
    let (variant, node) = (0x8000 | (low >> 48 & 0x3fff), low & 0xffff_ffff_ffff);
    let (time_low, time_mid, version) = (bits >> 32, bits >> 16 & 0xffff, 0x4000 | (bits & 0x0fff));
    format!("{time_low:08x}-{time_mid:04x}-{version:04x}-{variant:04x}-{node:012x}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_limit_the_oldest_cookies_are_dropped() {
        let cookie = |n: usize| Cookie { host: "app.test".to_owned(), pair: format!("c{n}=1") };
        let mut kept = Vec::new();
        keep_cookies(&mut kept, (0..COOKIES_MAX).map(cookie).collect());
        keep_cookies(&mut kept, vec![cookie(0), cookie(COOKIES_MAX)]);
        assert_eq!(kept.len(), COOKIES_MAX);
        let names: Vec<&str> = [kept.first(), kept.last()].into_iter().flatten().map(Cookie::name).collect();
        assert_eq!(names, ["c2", "c50"]);
    }
}
