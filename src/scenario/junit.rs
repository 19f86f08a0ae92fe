//! The results as a JUnit file, which CI systems show: each scenario is a suite, and each step a test case, which is
//! skipped if the step isn't judged.

use super::report::{Report, StepResult};
use crate::check::Verdict;
use crate::junit::{Case, Ending, Suite, document};

/// Returns the results in JUnit's XML. `told` writes what is said about a failed step.
#[must_use]
pub fn junit(reports: &[Report], told: &dyn Fn(&StepResult) -> String) -> String {
    let suite = |report: &Report| {
        let cases = report.steps.iter().map(|step| case(&report.file, step, told)).collect();
        Suite { name: report.title.clone(), duration: report.duration, cases }
    };
    document(&reports.iter().map(suite).collect::<Vec<_>>())
}

fn case(file: &str, step: &StepResult, told: &dyn Fn(&StepResult) -> String) -> Case {
    let ending = match step.verdict {
        Verdict::Pass => Ending::Passed,
        Verdict::Fail => {
            let first = step.mismatches.first();
            let message = first.map(|each| format!("expected {}; seen: {}", each.expected, each.seen));
            Ending::Failed { message: message.unwrap_or_default(), text: told(step) }
        }
        Verdict::Warn | Verdict::NotJudged => Ending::Skipped(step.why.clone().unwrap_or_default()),
    };
    Case { class: file.to_owned(), name: step.name.clone(), duration: step.duration, ending }
}
