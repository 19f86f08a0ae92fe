//! The results as a JUnit file, which CI systems show: each scenario is a suite, and each step a test case; one that isn't
//! judged is skipped.

use std::fmt::Write;

use super::report::{Report, StepResult, Summary, total};
use crate::check::{Verdict, escaped};

/// Returns the results in JUnit's XML. `told` writes what is said about a failed step.
#[must_use]
pub fn junit(reports: &[Report], told: &dyn Fn(&StepResult) -> String) -> String {
    let seconds: f64 = reports.iter().map(|report| report.duration.as_secs_f64()).sum();
    let counts = counts(total(reports), seconds);
    let mut xml = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n");
    reports.iter().for_each(|report| suite(&mut xml, report, told));
    xml + "</testsuites>\n"
}

fn counts(Summary { pass, fail, not_judged }: Summary, seconds: f64) -> String {
    let tests = pass + fail + not_judged;
    format!("tests=\"{tests}\" failures=\"{fail}\" errors=\"0\" skipped=\"{not_judged}\" time=\"{seconds:.3}\"")
}

fn suite(xml: &mut String, report: &Report, told: &dyn Fn(&StepResult) -> String) {
    let (name, counts) = (escaped(&report.title), counts(report.summary(), report.duration.as_secs_f64()));
    // Writing to a string never fails.
    let _ = writeln!(xml, "  <testsuite name=\"{name}\" {counts}>");
    report.steps.iter().for_each(|step| case(xml, &report.file, step, told));
    xml.push_str("  </testsuite>\n");
}

fn case(xml: &mut String, file: &str, step: &StepResult, told: &dyn Fn(&StepResult) -> String) {
    let (file, name, seconds) = (escaped(file), escaped(&step.name), step.duration.as_secs_f64());
    // Writing to a string never fails.
    let _ = write!(xml, "    <testcase classname=\"{file}\" name=\"{name}\" time=\"{seconds:.3}\"");
    let _ = match step.verdict {
        Verdict::Pass => writeln!(xml, "/>"),
        Verdict::Fail => {
            let first = step.mismatches.first();
            let short = first.map(|each| format!("expected {}; seen: {}", each.expected, each.seen));
            let (short, text) = (escaped(&short.unwrap_or_default()), escaped(&told(step)));
            writeln!(xml, ">\n      <failure message=\"{short}\">{text}</failure>\n    </testcase>")
        }
        Verdict::Warn | Verdict::NotJudged => {
            let why = escaped(step.why.as_deref().unwrap_or_default());
            writeln!(xml, ">\n      <skipped message=\"{why}\"/>\n    </testcase>")
        }
    };
}
