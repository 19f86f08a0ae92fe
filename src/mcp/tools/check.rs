//! The tool that judges the app's webhooks with the checks of `crate::check`.

use std::fmt::Write;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::super::answer::Answer;
use super::super::error::ToolError;
use super::super::tool::{Call, Effect, Tool, chosen, one_of, schema_of};
use super::brief;
use crate::check::list::Selection;
use crate::check::{CheckResult, Options, Profile, Progress, Report, Verdict};

pub(super) const TOOLS: &[Tool] = &[Tool {
    name: "check",
    title: "Judge the app's webhooks",
    description: "Judges an app that receives fax webhooks: sends it good and bad requests (wrong signatures, duplicates, odd content, \
                  failures), looks at what it does, and says what to change. Takes from seconds to minutes; reports progress. The app must \
                  use the account's AuthToken, and must verify signatures for the URL exactly as given in `url`. Numbers, faxes and rules \
                  are put back at the end; the clock is frozen meanwhile. Only apps on this machine or in a private network are checked.",
    effect: Effect::Adds,
    calls_app: true,
    ends_itself: true,
    schema: schema_of::<Check>,
    run: |call| Box::pin(async { check(call, call.read()?).await }),
    ..Tool::DEFAULT
}];

/// The maximum number of progress reports that may wait until the client reads them. Later ones are dropped.
const REPORTS_MAX: usize = 64;
/// The maximum number of failures and warnings that are explained in full; the others are only named.
const EXPLAINED_MAX: usize = 12;
/// The maximum length of the curl command that shows a request, in characters.
const CURL_CHARS: usize = 900;

/// The arguments of `check`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Check {
    /// The app's URL for incoming faxes, such as http://localhost:3000/fax.
    url: String,
    /// URL to notify when a fax has been received, in place of the action in the app's TwiML.
    action: Option<String>,
    /// URL that the app names as StatusCallback when it sends a fax.
    status_callback: Option<String>,
    /// Page of the app that lists its faxes, which is compared before and after.
    probe: Option<String>,
    /// Token that the app verifies signatures with; the account's by default.
    auth_token: Option<String>,
    /// Whether to run the checks that an app should pass, in addition to those that it must pass; false by default.
    all: Option<bool>,
    /// Only these checks, by name or code, such as signature-missing or S2.
    only: Option<Vec<String>>,
    /// Checks to leave out, by name or code.
    skip: Option<Vec<String>>,
    /// Only checks about faxes that the app receives (inbound) or sends (outbound).
    #[serde(default)]
    #[schemars(schema_with = "profiles")]
    profile: Option<String>,
}

fn profiles(_: &mut SchemaGenerator) -> Schema {
    one_of(Profile::ALL, Profile::as_str)
}

async fn check(call: &Call, arguments: Check) -> Result<Answer, ToolError> {
    let options = options(call, arguments)?;
    let Some(turn) = call.home.turn() else {
        return Err(ToolError::new("a check is already running; wait until it ends, or cancel it"));
    };
    let (sender, mut receiver) = mpsc::channel(REPORTS_MAX);
    let progress = move |Progress { done, total, latest }: Progress<'_>| {
        let latest = latest.map_or_else(
            || "starting".to_owned(),
            |result| format!("{}: {}", result.check.id, word_of(result.verdict)),
        );
        // If the client reads too slowly, this report is dropped; a later one says more anyway.
        let _ = sender.try_send((done, total, latest));
    };
    let endpoint = call.client.endpoint().clone();
    let running = async {
        let report = crate::check::run(endpoint, options, &progress, call.canceled()).await;
        // Dropping the only sender ends the loop of reports.
        drop(progress);
        report
    };
    let reporting = async {
        while let Some((done, total, latest)) = receiver.recv().await {
            call.report(done, total, latest).await;
        }
    };
    let (report, ()) = tokio::join!(running, reporting);
    drop(turn);
    let report = report?;
    if report.lost_emulator {
        return Err(ToolError::new("the emulator stopped during the check; start it again with `fauxfax serve`"));
    }
    if report.interrupted {
        return Err(ToolError(format!(
            "the check was canceled after {:.0} s; numbers, faxes and rules are as they were before",
            report.duration.as_secs_f64()
        )));
    }
    Ok(told(&report))
}

fn options(call: &Call, arguments: Check) -> Result<Options, ToolError> {
    let profile = arguments.profile.map(|word| chosen("profile", &word, Profile::ALL, Profile::as_str)).transpose()?;
    let profiles = profile.into_iter().collect();
    let only = arguments.only.unwrap_or_default();
    // Checks that are named explicitly are run whatever their severity.
    let quick = !arguments.all.unwrap_or(false) && only.is_empty();
    let selection = Selection { profiles, quick, only, skip: arguments.skip.unwrap_or_default() };
    let checks = selection.checks().map_err(|error| {
        let near = error.nearest.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
        ToolError(format!("only, skip: there is no check {:?}{near}", error.name))
    })?;
    if checks.is_empty() {
        return Err(ToolError::new("only, skip, profile: this selection leaves no checks to run"));
    }
    let mut options = Options::new(&arguments.url, checks);
    if !selection.profiles.is_empty() {
        options.profiles = selection.profiles;
    }
    options.action = arguments.action;
    options.status_callback = arguments.status_callback;
    options.probe = arguments.probe;
    options.auth_token = arguments.auth_token;
    options.account = call.client.account_name().map(ToOwned::to_owned);
    options.client = call.home.client.clone();
    Ok(options)
}

fn told(report: &Report) -> Answer {
    let summary = report.summary();
    let mut text = format!(
        "{} passed, {} failed, {} with a warning, {} not judged ({} requests in {:.0} s).",
        summary.pass,
        summary.fail,
        summary.warn,
        summary.not_judged,
        report.requests,
        report.duration.as_secs_f64()
    );
    let (explained, others): (Vec<_>, Vec<_>) =
        worst_first(report).into_iter().enumerate().partition(|(index, _)| *index < EXPLAINED_MAX);
    for (_, result) in explained {
        // Writing to a string never fails.
        let _ = write!(text, "\n\n{}", explanation(result));
    }
    for (_, result) in others {
        let _ = write!(text, "\n{}: {}", word_of(result.verdict), result.check.id);
    }
    let not_judged = report.results.iter().filter(|result| result.verdict == Verdict::NotJudged);
    let not_judged: Vec<String> = not_judged.map(|result| format!("{}: {}", result.check.id, result.seen)).collect();
    if !not_judged.is_empty() {
        let _ = write!(text, "\n\nNot judged:\n{}", not_judged.join("\n"));
    }
    for note in &report.notes {
        let _ = write!(text, "\nNote: {note}");
    }
    let checks: Vec<Value> = report
        .results
        .iter()
        .map(|result| json!({ "id": result.check.id, "verdict": result.verdict, "severity": result.check.severity }))
        .collect();
    let counts =
        json!({ "pass": summary.pass, "fail": summary.fail, "warn": summary.warn, "not_judged": summary.not_judged });
    Answer::text(text).with(json!({ "summary": counts, "checks": checks }))
}

/// Returns the results that ask for a change: failures, then warnings, each in the order of the checks.
fn worst_first(report: &Report) -> Vec<&CheckResult> {
    let of = |verdict: Verdict| report.results.iter().filter(move |result| result.verdict == verdict);
    of(Verdict::Fail).chain(of(Verdict::Warn)).collect()
}

fn explanation(result: &CheckResult) -> String {
    let check = result.check;
    let mut text = format!(
        "{} {} ({}): {}\n  seen: {}\n  why: {}\n  fix: {}",
        word_of(result.verdict),
        check.id,
        check.severity,
        check.title,
        result.seen,
        check.why,
        check.fix
    );
    if let Some(exchange) = &result.exchange {
        let _ =
            write!(text, "\n  request: {}\n  response: {}", brief(&exchange.curl(), CURL_CHARS), exchange.outcome());
    }
    text
}

const fn word_of(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "FAIL",
        Verdict::Warn => "warn",
        Verdict::NotJudged => "not judged",
    }
}
