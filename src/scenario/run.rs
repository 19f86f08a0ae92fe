//! Performs the steps of a scenario in order, within a time limit, and reports their results.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::checked::ReadStep;
use super::document::Action;
use super::place::{Options, Place};
use super::read::Scenario;
use super::refs::{self, Replacement, StepValue};
use super::report::{INTERRUPTED, Mismatch, Report, StepResult};
use crate::check::{Direct, Exchange, RunError, Verdict};
use crate::client::ApiError;
use crate::dialect::json;
use crate::dialect::unseen;

/// How long one scenario may take.
pub const RUN_TIME_MAX: Duration = Duration::from_secs(600);
/// How long a response to a `request` may take.
pub(super) const REQUEST_TIME_MAX: Duration = Duration::from_secs(30);
/// The maximum number of a fax's events that are shown.
const EVENTS_SHOWN_MAX: usize = 200;
/// What replaces the account's token in the results.
const MASK: &str = "***";

/// The end of a step that did not succeed.
#[derive(Debug)]
pub(super) enum Stop {
    /// What should have happened did not happen.
    Failed(Box<Failure>),
    /// A call to the emulator failed.
    Api(ApiError),
}

/// What should have happened, and what happened instead.
#[derive(Debug, Default)]
pub(super) struct Failure {
    pub(super) mismatches: Vec<Mismatch>,
    /// The fax that the failure is about; the run's latest fax if left out.
    pub(super) fax: Option<String>,
    pub(super) exchange: Option<Exchange>,
}

impl From<ApiError> for Stop {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(Box::new(failure))
    }
}

impl Failure {
    pub(super) fn of(expected: impl Into<String>, seen: impl Into<String>) -> Self {
        let mismatch = Mismatch { expected: expected.into(), seen: seen.into() };
        Self { mismatches: vec![mismatch], fax: None, exchange: None }
    }

    pub(super) fn about(self, fax: Option<&str>) -> Self {
        Self { fax: fax.map(ToOwned::to_owned), ..self }
    }
}

/// A scenario that is being run.
pub(super) struct Run<'a> {
    pub(super) place: Place,
    pub(super) direct: Direct,
    pub(super) options: &'a Options,
    /// The values of the steps so far, by their names.
    values: BTreeMap<String, Value>,
    /// The fax of the last step that had one.
    pub(super) latest: Option<String>,
    /// The place in the journal at which the last wait ended.
    pub(super) waited: u64,
    /// Whether the user has ended the run.
    pub(super) stopped: watch::Receiver<bool>,
}

/// Runs a scenario. When `cancel` completes, the run ends early. If the emulator outlives the run, what the steps have
/// changed is put back before this returns; the report's notes say what could not be.
///
/// # Errors
/// Fails if the run can't begin, because the emulator or its account can't be used.
pub async fn run(scenario: &Scenario, options: &Options, cancel: impl Future<Output = ()>) -> Result<Report, RunError> {
    let begun = Instant::now();
    let direct = Direct::new(&options.client, false, REQUEST_TIME_MAX)?;
    let place = Place::prepare(options).await?;
    let waited = place.since;
    let (stop, stopped) = watch::channel(false);
    let mut run = Run { place, direct, options, values: BTreeMap::new(), latest: None, waited, stopped };
    let mut report = Report::empty(scenario);
    let mut cancel = pin!(cancel);
    // Why the rest of the steps can't be judged.
    let mut broken: Option<String> = None;
    for step in &scenario.steps {
        if let Some(why) = &broken {
            report.steps.push(StepResult::not_judged(&step.name, step.action.name(), why));
            continue;
        }
        let left = RUN_TIME_MAX.saturating_sub(begun.elapsed());
        let mut judging = Box::pin(run.judged(step, left));
        let result = tokio::select! {
            result = &mut judging => result,
            () = &mut cancel => {
                report.interrupted = true;
                // Only the checks themselves can put back what they changed, so they are stopped and awaited, not
                // dropped.
                if matches!(step.action, Action::Check(_)) {
                    stop.send_replace(true);
                    judging.await;
                }
                (StepResult::not_judged(&step.name, step.action.name(), INTERRUPTED), Some(INTERRUPTED.to_owned()))
            }
        };
        broken = result.1;
        report.lost_emulator |= broken.as_deref() == Some(LOST);
        report.steps.push(result.0);
    }
    report.notes = run.place.restore().await;
    report.duration = begun.elapsed();
    Ok(report)
}
/// Why a step isn't judged if the emulator has stopped responding.
const LOST: &str = "the emulator no longer responds";

impl Run<'_> {
    /// Performs a step. Also returns why the steps after it can't be judged, if they can't.
    async fn judged(&mut self, step: &ReadStep, left: Duration) -> (StepResult, Option<String>) {
        let begun = Instant::now();
        let action = step.action.name();
        let performing = self.perform(step, left);
        let result = match step.action {
            // No time limit here: if the checks were dropped, they could put nothing back. They limit their own time.
            Action::Check(_) => Ok(performing.await),
            Action::Receive(_)
            | Action::Send(_)
            | Action::Rule
            | Action::Clock(_)
            | Action::Request(_)
            | Action::Wait(_)
            | Action::Expect(_) => timeout(left, performing).await,
        };
        let mut failure = match result {
            Ok(Ok(())) => {
                let passed = StepResult {
                    verdict: Verdict::Pass,
                    why: None,
                    duration: begun.elapsed(),
                    ..StepResult::not_judged(&step.name, action, "")
                };
                return (passed, None);
            }
            Ok(Err(Stop::Api(error @ ApiError::Unreachable { .. }))) => {
                let why = error.to_string();
                return (StepResult::not_judged(&step.name, action, &why), Some(LOST.to_owned()));
            }
            Ok(Err(Stop::Api(error))) => Failure::of("the emulator to accept the call", error.to_string()),
            Ok(Err(Stop::Failed(failure))) => *failure,
            Err(_) => late(),
        };
        let fax = failure.fax.clone().or_else(|| self.latest.clone());
        let events = match &fax {
            Some(fax) => self.events(fax).await,
            None => Vec::new(),
        };
        if let Some(exchange) = &mut failure.exchange {
            exchange.mask(&self.place.token, MASK);
        }
        let shown = |text: &str| unseen::replaced(&text.replace(&self.place.token, MASK));
        let mismatches = failure.mismatches.iter();
        let mismatches =
            mismatches.map(|each| Mismatch { expected: shown(&each.expected), seen: shown(&each.seen) }).collect();
        let result = StepResult {
            verdict: Verdict::Fail,
            why: None,
            mismatches,
            exchange: failure.exchange,
            fax,
            events,
            duration: begun.elapsed(),
            ..StepResult::not_judged(&step.name, action, "")
        };
        // Expectations change nothing, and checks put back what they change, so the steps after them can still be
        // judged.
        let is_harmless = matches!(step.action, Action::Expect(_) | Action::Check(_)) && left > begun.elapsed();
        let broken = (!is_harmless).then(|| format!("the step {:?} failed, and this one comes after it", step.name));
        (result, broken)
    }

    async fn perform(&mut self, step: &ReadStep, left: Duration) -> Result<(), Stop> {
        let raw = self.filled(&step.raw).await?;
        let value = match &step.action {
            Action::Receive(_) => self.receive(&raw).await?,
            Action::Send(_) => self.send(&raw, read(&raw)?).await?,
            Action::Rule => self.place.api.post("/rules", &raw).await?,
            Action::Clock(_) => self.clock(&raw, &read(&raw)?).await?,
            Action::Request(_) => self.request(&read(&raw)?).await?,
            Action::Wait(_) => self.wait(&read(&raw)?).await?,
            Action::Expect(_) => self.expect(&read(&raw)?).await?,
            Action::Check(_) => self.check(&read(&raw)?, left).await?,
        };
        if let Some(fax) = fax_of(&value) {
            self.latest = Some(fax.to_owned());
        }
        self.values.insert(step.name.clone(), value);
        Ok(())
    }

    /// Fills in the values of earlier steps.
    async fn filled(&self, raw: &Value) -> Result<Value, Stop> {
        let mut names = Vec::new();
        collect(raw, &mut names);
        let mut values = BTreeMap::new();
        for name in names {
            if let Some(named) = StepValue::of(&name) {
                let value = self.value(named).await?;
                values.insert(name.clone(), value);
            }
        }
        let lookup = |name: &str| {
            let known = values.get(name).cloned().map(Replacement::Text);
            known.ok_or_else(|| format!("{name} has no value"))
        };
        let filled = replace(raw, &|text| refs::replaced(text, true, lookup));
        filled.map_err(|why| Failure::of("a value for each reference", why).into())
    }

    /// Returns a value of an earlier step: of its response, or of its fax as it is now.
    async fn value(&self, named: StepValue<'_>) -> Result<String, Stop> {
        let value = self.values.get(named.step).unwrap_or(&Value::Null);
        let text = |value: &Value| match value {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => Some(other.to_string()),
        };
        if let Some(found) = value.get(named.field).and_then(text) {
            return Ok(found);
        }
        let mut known: Vec<String> = value.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
        if let Some(fax) = fax_of(value) {
            let fax = self.fax(fax).await?;
            if let Some(found) = fax.get(named.field).and_then(text) {
                return Ok(found);
            }
            known.extend(fax.as_object().into_iter().flatten().map(|(name, _)| name.clone()));
        }
        known.sort_unstable();
        known.dedup();
        let expected = format!("the step {:?} to have a value {:?}", named.step, named.field);
        Err(Failure::of(expected, format!("it has {}", known.join(", "))).into())
    }

    /// Returns the SID of the fax of an earlier step.
    pub(super) fn fax_named(&self, step: &str) -> Result<String, Stop> {
        let fax = self.values.get(step).and_then(fax_of).map(ToOwned::to_owned);
        fax.ok_or_else(|| Failure::of(format!("the step {step:?} to have a fax"), "its response names none").into())
    }

    /// Returns a fax or call as the control API shows it.
    pub(super) async fn fax(&self, sid: &str) -> Result<Value, ApiError> {
        self.place.api.get(&format!("/faxes/{sid}"), &[]).await
    }

    /// Returns the events of a fax; none if they can't be read.
    async fn events(&self, fax: &str) -> Vec<Value> {
        let query =
            [("fax", fax), ("since", &*self.place.since.to_string()), ("limit", &*EVENTS_SHOWN_MAX.to_string())];
        let list = self.place.api.get("/events", &query).await.unwrap_or(json!({}));
        list["events"].as_array().cloned().unwrap_or_default()
    }
}

/// Returns the failure of a step that would take longer than the scenario may.
pub(super) fn late() -> Failure {
    Failure::of(format!("the scenario to end within {} s", RUN_TIME_MAX.as_secs()), "it has taken longer")
}

/// Reads a step whose values have been filled in.
fn read<'a, T: serde::Deserialize<'a>>(raw: &'a Value) -> Result<T, Stop> {
    json::read(raw).map_err(|error| Failure::of("valid values", error.to_string()).into())
}

/// Returns the SID of the fax in a step's value.
fn fax_of(value: &Value) -> Option<&str> {
    value["fax_sid"].as_str().or(value["sid"].as_str())
}

fn collect(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::String(text) => names.extend(refs::names(text).into_iter().map(ToOwned::to_owned)),
        Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
        Value::Object(fields) => fields.values().for_each(|value| collect(value, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn replace(value: &Value, with: &dyn Fn(&str) -> Result<String, String>) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => Value::String(with(text)?),
        Value::Array(items) => items.iter().map(|item| replace(item, with)).collect::<Result<Vec<_>, _>>()?.into(),
        Value::Object(fields) => {
            let each = fields.iter().map(|(name, value)| Ok((name.clone(), replace(value, with)?)));
            Value::Object(each.collect::<Result<_, String>>()?)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    })
}
