//! The results of a run: as JSON and as text.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Check, Exchange, Verdict};

/// The result of one check.
#[derive(Debug, Clone)]
pub struct Result {
    /// The check.
    pub check: &'static Check,
    /// Its verdict.
    pub verdict: Verdict,
    /// What was seen, or why the app could not be judged, in one sentence.
    pub seen: String,
    /// The exchange with the app that shows it.
    pub exchange: Option<Exchange>,
    /// The real time that the check took.
    pub duration: Duration,
}

/// The results of a run.
#[derive(Debug, Clone)]
pub struct Report {
    /// The app's address for incoming faxes.
    pub url: String,
    /// The account in which the checks ran.
    pub account: String,
    /// The results, in the order of the checks.
    pub results: Vec<Result>,
    /// What could not be put back, as sentences.
    pub notes: Vec<String>,
    /// Whether the run was ended early.
    pub interrupted: bool,
    /// Whether the emulator stopped responding.
    pub lost_emulator: bool,
    /// The number of requests to the app.
    pub requests: usize,
    /// The real time that the run took.
    pub duration: Duration,
}

/// The number of results with each verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// The number of checks that the app passed.
    pub pass: usize,
    /// The number of checks that the app failed.
    pub fail: usize,
    /// The number of checks with a warning.
    pub warn: usize,
    /// The number of checks without a verdict.
    pub not_judged: usize,
}

impl Report {
    /// Returns the number of results with each verdict.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let count = |verdict| self.results.iter().filter(|result| result.verdict == verdict).count();
        Summary {
            pass: count(Verdict::Pass),
            fail: count(Verdict::Fail),
            warn: count(Verdict::Warn),
            not_judged: count(Verdict::NotJudged),
        }
    }

    /// Returns whether any check could judge the app.
    #[must_use]
    pub fn is_judged(&self) -> bool {
        self.results.iter().any(|result| result.verdict != Verdict::NotJudged)
    }

    /// Returns the report as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        let Summary { pass, fail, warn, not_judged } = self.summary();
        json!({
            "url": self.url,
            "account": self.account,
            "summary": { "pass": pass, "fail": fail, "warn": warn, "not_judged": not_judged },
            "checks": self.results.iter().map(Result::json).collect::<Vec<_>>(),
            "requests": self.requests,
            "duration_ms": milliseconds(self.duration),
            "interrupted": self.interrupted,
            "notes": self.notes,
        })
    }
}

impl Report {
    /// Returns the results of the checks that the app failed.
    pub fn failures(&self) -> impl Iterator<Item = &Result> {
        self.results.iter().filter(|result| result.verdict == Verdict::Fail)
    }
}

/// Lists what the app should change, for a test's failure message.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary { pass, fail, warn, not_judged } = self.summary();
        writeln!(f, "{}: {pass} passed, {fail} failed, {warn} with a warning, {not_judged} not judged", self.url)?;
        for result in self.results.iter().filter(|result| result.wants_a_change()) {
            let Check { id, title, why, fix, .. } = result.check;
            writeln!(f, "{} {id}: {title}\n  Seen: {}\n  Why:  {why}\n  Fix:  {fix}", result.verdict, result.seen)?;
            if let Some(exchange) = &result.exchange {
                writeln!(f, "  {}", exchange.curl())?;
            }
        }
        Ok(())
    }
}

impl Check {
    /// Returns everything about the check as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        let Self { id, code, group, severity, title, why, fix, source, profiles, .. } = self;
        json!({
            "id": id, "code": code, "group": group, "severity": severity, "title": title, "why": why, "fix": fix,
            "source": source, "profiles": profiles,
        })
    }
}

impl Result {
    /// Returns whether the verdict asks for a change, so that the reason and the exchange should be shown.
    #[must_use]
    pub const fn wants_a_change(&self) -> bool {
        matches!(self.verdict, Verdict::Fail | Verdict::Warn)
    }

    fn json(&self) -> Value {
        let Check { id, code, group, severity, title, why, fix, source, .. } = self.check;
        json!({
            "id": id, "code": code, "group": group, "severity": severity, "verdict": self.verdict, "title": title,
            "seen": self.seen, "why": why, "fix": fix, "source": source,
            "request": self.exchange.as_ref().map(Exchange::request_json),
            "response": self.exchange.as_ref().map(Exchange::response_json),
            "duration_ms": milliseconds(self.duration),
        })
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
