//! The results of a scenario, as values and as JSON.

use std::time::Duration;

use serde_json::{Value, json};

use super::read::Scenario;
use crate::check::{Exchange, Verdict};

/// Why a step isn't judged if the user has ended the run.
pub(super) const INTERRUPTED: &str = "the run was interrupted";

/// Why no step is judged if an earlier scenario of the same run has found no emulator.
const NO_EMULATOR: &str = "no emulator responded to an earlier scenario";

/// The name and the action of the only step in the results of a scenario that could not begin.
const BEGIN: (&str, &str) = ("the scenario begins", "begin");

/// Something that was expected, and what was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// What was expected.
    pub expected: String,
    /// What was seen.
    pub seen: String,
}

/// The result of one step.
#[derive(Debug, Clone)]
pub struct StepResult {
    /// The step's name.
    pub name: String,
    /// What the step does, such as `receive`.
    pub action: &'static str,
    /// Its verdict.
    pub verdict: Verdict,
    /// Why the step has no verdict.
    pub why: Option<String>,
    /// What was expected and not seen, if the step failed.
    pub mismatches: Vec<Mismatch>,
    /// The request to the app that shows it.
    pub exchange: Option<Exchange>,
    /// The fax or call that it is about.
    pub fax: Option<String>,
    /// The events of that fax, as the control API shows them.
    pub events: Vec<Value>,
    /// The real time that the step took.
    pub duration: Duration,
}

/// The results of a scenario.
#[derive(Debug, Clone)]
pub struct Report {
    /// The path of the file.
    pub file: String,
    /// What the scenario shows.
    pub title: String,
    /// More about it.
    pub description: Option<String>,
    /// The results, in the order of the steps.
    pub steps: Vec<StepResult>,
    /// What could not be put back, as sentences.
    pub notes: Vec<String>,
    /// Whether the run was ended early.
    pub interrupted: bool,
    /// Whether the emulator stopped responding.
    pub lost_emulator: bool,
    /// The real time that the run took.
    pub duration: Duration,
}

/// The number of steps with each verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// The number of steps that passed.
    pub pass: usize,
    /// The number of steps that failed.
    pub fail: usize,
    /// The number of steps without a verdict.
    pub not_judged: usize,
}

impl Report {
    /// Returns a report without results.
    pub(super) fn empty(scenario: &Scenario) -> Self {
        Self {
            file: scenario.path.display().to_string(),
            title: scenario.title.clone(),
            description: scenario.description.clone(),
            steps: Vec::new(),
            notes: Vec::new(),
            interrupted: false,
            lost_emulator: false,
            duration: Duration::ZERO,
        }
    }

    /// Returns the report of a scenario that could not run for this reason. It has a failure, and no step is judged.
    #[must_use]
    pub fn not_run(scenario: &Scenario, why: &str) -> Self {
        let (name, action) = BEGIN;
        let expected = "the scenario to begin".to_owned();
        let failure = StepResult {
            verdict: Verdict::Fail,
            why: None,
            mismatches: vec![Mismatch { expected, seen: why.to_owned() }],
            ..StepResult::not_judged(name, action, "")
        };
        let steps = Self::all_not_judged(scenario, "the scenario could not run");
        Self { steps: [failure].into_iter().chain(steps).collect(), ..Self::empty(scenario) }
    }

    /// Returns the report of a scenario that the user ended before its first step.
    #[must_use]
    pub fn interrupted(scenario: &Scenario) -> Self {
        Self {
            steps: Self::all_not_judged(scenario, INTERRUPTED).collect(),
            interrupted: true,
            ..Self::empty(scenario)
        }
    }

    /// Returns the report of a scenario that was not begun, because the emulator of an earlier one was lost.
    #[must_use]
    pub fn not_begun(scenario: &Scenario) -> Self {
        Self { steps: Self::all_not_judged(scenario, NO_EMULATOR).collect(), ..Self::empty(scenario) }
    }

    fn all_not_judged(scenario: &Scenario, why: &str) -> impl Iterator<Item = StepResult> {
        scenario.steps.iter().map(move |step| StepResult::not_judged(&step.name, step.action.name(), why))
    }

    /// Returns the number of steps with each verdict.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let count = |verdict| self.steps.iter().filter(|step| step.verdict == verdict).count();
        Summary {
            pass: count(Verdict::Pass),
            fail: count(Verdict::Fail),
            not_judged: count(Verdict::NotJudged) + count(Verdict::Warn),
        }
    }

    fn json(&self) -> Value {
        json!({
            "file": self.file, "title": self.title, "description": self.description, "summary": of_summary(self.summary()),
            "steps": self.steps.iter().map(StepResult::json).collect::<Vec<_>>(), "interrupted": self.interrupted,
            "notes": self.notes, "duration_ms": milliseconds(self.duration),
        })
    }
}

impl StepResult {
    /// Returns a step without a verdict.
    pub(super) fn not_judged(name: &str, action: &'static str, why: &str) -> Self {
        Self {
            name: name.to_owned(),
            action,
            verdict: Verdict::NotJudged,
            why: Some(why.to_owned()),
            mismatches: Vec::new(),
            exchange: None,
            fax: None,
            events: Vec::new(),
            duration: Duration::ZERO,
        }
    }

    fn json(&self) -> Value {
        let mismatch = |each: &Mismatch| json!({ "expected": each.expected, "seen": each.seen });
        json!({
            "name": self.name, "action": self.action, "verdict": self.verdict, "why": self.why,
            "mismatches": self.mismatches.iter().map(mismatch).collect::<Vec<_>>(), "fax_sid": self.fax,
            "request": self.exchange.as_ref().map(Exchange::request_json),
            "response": self.exchange.as_ref().map(Exchange::response_json),
            "events": self.events, "duration_ms": milliseconds(self.duration),
        })
    }
}

/// Returns the number of steps with each verdict in several scenarios.
#[must_use]
pub fn total(reports: &[Report]) -> Summary {
    reports.iter().map(Report::summary).fold(Summary::default(), |sum, one| Summary {
        pass: sum.pass + one.pass,
        fail: sum.fail + one.fail,
        not_judged: sum.not_judged + one.not_judged,
    })
}

/// Returns the results of several scenarios as JSON.
#[must_use]
pub fn json(reports: &[Report]) -> Value {
    json!({
        "summary": of_summary(total(reports)),
        "scenarios": reports.iter().map(Report::json).collect::<Vec<_>>(),
    })
}

fn of_summary(Summary { pass, fail, not_judged }: Summary) -> Value {
    json!({ "pass": pass, "fail": fail, "not_judged": not_judged })
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
