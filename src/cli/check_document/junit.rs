//! The results as a JUnit file, which CI systems show: each check is a test case, and one that isn't judged is skipped.

use std::fmt::Write;

use super::print::ranges;
use super::told::{Told, wants_change};
use crate::document::judge::{About, Finding, Judged, Summary, Verdict};

/// Returns the results in JUnit's XML.
pub(super) fn junit(told: &Told<'_>) -> String {
    let Summary { fail, not_judged, .. } = told.report.summary();
    let tests = told.report.results.len();
    let counts = format!("tests=\"{tests}\" failures=\"{fail}\" errors=\"0\" skipped=\"{not_judged}\" time=\"0\"");
    let name = escaped(&format!("fauxfax check {}", told.file.display()));
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n  <testsuite name=\"{name}\" {counts}>\n"
    );
    told.report.results.iter().for_each(|result| case(&mut xml, told, result));
    xml + "  </testsuite>\n</testsuites>\n"
}

fn case(xml: &mut String, told: &Told<'_>, result: &Judged) {
    let About { title, why, source, .. } = result.check.about();
    let found: Vec<&Finding> = result.findings.iter().filter(|finding| wants_change(finding)).collect();
    let mut details = format!("{title}\nwhy: {why}\nsource: {source}\n");
    // Writing to a string never fails.
    found.iter().for_each(|finding| {
        let _ = writeln!(details, "{}: {}; fix: {}", place(told, finding), finding.seen, finding.fix);
    });
    let _ = write!(xml, "    <testcase classname=\"document\" name=\"{}\" time=\"0\"", result.check);
    let seen = match found.len() {
        0 => String::new(),
        1 => found[0].seen.clone(),
        more => format!("{}; {more} findings on {}", found[0].seen, ranges(&result.pages())),
    };
    let _ = match result.verdict {
        Verdict::Pass => writeln!(xml, "/>"),
        Verdict::Fail => writeln!(
            xml,
            ">\n      <failure message=\"{}\">{}</failure>\n    </testcase>",
            escaped(&seen),
            escaped(&details)
        ),
        Verdict::Warn => {
            let text = escaped(&format!("warning: {details}"));
            writeln!(xml, ">\n      <system-out>{text}</system-out>\n    </testcase>")
        }
        Verdict::NotJudged => {
            let why = "no page has letters or lines that are known, as on scans";
            writeln!(xml, ">\n      <skipped message=\"{why}\"/>\n    </testcase>")
        }
    };
}

fn place(told: &Told<'_>, finding: &Finding) -> String {
    let page = finding.page.map_or_else(|| "document".to_owned(), |page| format!("page {page}"));
    let mm = finding.place.map(|area| told.millimetres(&area));
    mm.map_or(page.clone(), |mm| format!("{page}, {:.0} mm from the left, {:.0} mm from the top", mm.left, mm.top))
}

/// Escapes text for XML, which can't contain most control characters at all.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(character),
            '\u{fffe}' | '\u{ffff}' => escaped.push(char::REPLACEMENT_CHARACTER),
            _ if character.is_control() => escaped.push(char::REPLACEMENT_CHARACTER),
            _ => escaped.push(character),
        }
    }
    escaped
}
