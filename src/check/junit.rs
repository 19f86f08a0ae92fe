//! The results as a JUnit file, which CI systems show: each check is a test case, and one that isn't judged is skipped.

use super::report::{Report, Result};
use super::{Exchange, Verdict};
use crate::junit::{Case, Ending, Suite, document};

/// Returns the report in JUnit's XML.
#[must_use]
pub fn junit(report: &Report) -> String {
    let cases = report.results.iter().map(case).collect();
    document(&[Suite { name: "fauxfax check".to_owned(), duration: report.duration, cases }])
}

fn case(result: &Result) -> Case {
    let seen = result.seen.clone();
    let ending = match result.verdict {
        Verdict::Pass => Ending::Passed,
        Verdict::Fail => Ending::Failed { message: seen, text: details(result) },
        Verdict::Warn => Ending::Warned(format!("warning: {seen}\n{}", details(result))),
        Verdict::NotJudged => Ending::Skipped(seen),
    };
    let check = result.check;
    Case { class: check.group.as_str().to_owned(), name: check.id.to_owned(), duration: result.duration, ending }
}

fn details(result: &Result) -> String {
    let check = result.check;
    let told = format!("{}\nwhy: {}\nfix: {}\nsource: {}\n", check.title, check.why, check.fix, check.source);
    let shown =
        |exchange: &Exchange| format!("\n{}\n\n{}\n{}\n", exchange.curl(), exchange.outcome(), exchange.excerpt());
    told + &result.exchange.as_ref().map(shown).unwrap_or_default()
}
