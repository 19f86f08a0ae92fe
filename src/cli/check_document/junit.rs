//! The results as a JUnit file, which CI systems show: each check is a test case, and one that isn't judged is skipped.

use std::time::Duration;

use super::print::ranges;
use super::told::{Told, wants_change};
use crate::document::judge::{About, Finding, Judged, Verdict};
use crate::junit::{Case, Ending, Suite, document};

/// Returns the results in JUnit's XML. The checks aren't timed, since they read the same pages together.
pub(super) fn junit(told: &Told<'_>) -> String {
    let cases = told.report.results.iter().map(|result| case(told, result)).collect();
    let name = format!("fauxfax check {}", told.file.display());
    document(&[Suite { name, duration: Duration::ZERO, cases }])
}

fn case(told: &Told<'_>, result: &Judged) -> Case {
    let About { title, why, source, .. } = result.check.about();
    let found: Vec<&Finding> = result.findings.iter().filter(|finding| wants_change(finding)).collect();
    let line = |finding: &&Finding| format!("{}: {}; fix: {}\n", place(told, finding), finding.seen, finding.fix);
    let lines: String = found.iter().map(line).collect();
    let text = format!("{title}\nwhy: {why}\nsource: {source}\n{lines}");
    let ending = match result.verdict {
        Verdict::Pass => Ending::Passed,
        Verdict::Fail => Ending::Failed { message: seen(&found, result), text },
        Verdict::Warn => Ending::Warned(format!("warning: {text}")),
        Verdict::NotJudged => Ending::Skipped("the letters and lines are not known, as in scans".to_owned()),
    };
    let name = result.check.to_string();
    Case { class: "document".to_owned(), name, duration: Duration::ZERO, ending }
}

fn seen(found: &[&Finding], result: &Judged) -> String {
    match found {
        [] => String::new(),
        [one] => one.seen.clone(),
        [first, ..] => format!("{}; {} findings on {}", first.seen, found.len(), ranges(&result.pages())),
    }
}

fn place(told: &Told<'_>, finding: &Finding) -> String {
    let page = finding.page.map_or_else(|| "document".to_owned(), |page| format!("page {page}"));
    let mm = finding.place.map(|area| told.millimetres(&area));
    mm.map_or(page.clone(), |mm| format!("{page}, {:.0} mm from the left, {:.0} mm from the top", mm.left, mm.top))
}
