//! JUnit's XML, in which CI systems show the results of tests: suites of test cases, as `check` and `run` write them.

use std::fmt::Write;
use std::time::Duration;

/// A test suite.
pub(crate) struct Suite {
    pub(crate) name: String,
    /// The time from the suite's start to its end, which may be less than the sum of its cases' durations if cases
    /// overlapped.
    pub(crate) duration: Duration,
    pub(crate) cases: Vec<Case>,
}

/// A test case.
pub(crate) struct Case {
    pub(crate) class: String,
    pub(crate) name: String,
    pub(crate) duration: Duration,
    pub(crate) ending: Ending,
}

/// How a test case ended.
pub(crate) enum Ending {
    Passed,
    /// The case passed, but with this warning. JUnit has no warnings, so the text is written as the case's output.
    Warned(String),
    Failed {
        /// What CI systems show in their overview.
        message: String,
        text: String,
    },
    /// The case was not judged, for this reason.
    Skipped(String),
}

/// Returns the suites as an XML document.
#[must_use]
pub(crate) fn document(suites: &[Suite]) -> String {
    let duration = suites.iter().map(|suite| suite.duration).sum();
    let counts = counts(suites.iter().flat_map(|suite| &suite.cases), duration);
    let mut xml = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n");
    suites.iter().for_each(|suite| add_suite(&mut xml, suite));
    xml + "</testsuites>\n"
}

fn counts<'a>(cases: impl Iterator<Item = &'a Case>, duration: Duration) -> String {
    let (mut tests, mut failures, mut skipped) = (0_usize, 0_usize, 0_usize);
    for case in cases {
        tests += 1;
        failures += usize::from(matches!(case.ending, Ending::Failed { .. }));
        skipped += usize::from(matches!(case.ending, Ending::Skipped(_)));
    }
    format!(
        "tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\" time=\"{:.3}\"",
        duration.as_secs_f64()
    )
}

fn add_suite(xml: &mut String, suite: &Suite) {
    let (name, counts) = (escaped(&suite.name), counts(suite.cases.iter(), suite.duration));
    // Writing to a string never fails.
    let _ = writeln!(xml, "  <testsuite name=\"{name}\" {counts}>");
    suite.cases.iter().for_each(|case| add_case(xml, case));
    xml.push_str("  </testsuite>\n");
}

fn add_case(xml: &mut String, case: &Case) {
    let (class, name, seconds) = (escaped(&case.class), escaped(&case.name), case.duration.as_secs_f64());
    // Writing to a string never fails.
    let _ = write!(xml, "    <testcase classname=\"{class}\" name=\"{name}\" time=\"{seconds:.3}\"");
    let _ = match &case.ending {
        Ending::Passed => writeln!(xml, "/>"),
        Ending::Warned(text) => {
            writeln!(xml, ">\n      <system-out>{}</system-out>\n    </testcase>", escaped(text))
        }
        Ending::Failed { message, text } => {
            let (message, text) = (escaped(message), escaped(text));
            writeln!(xml, ">\n      <failure message=\"{message}\">{text}</failure>\n    </testcase>")
        }
        Ending::Skipped(why) => writeln!(xml, ">\n      <skipped message=\"{}\"/>\n    </testcase>", escaped(why)),
    };
}

/// Escapes text for XML, which can't contain most control characters at all.
pub(crate) fn escaped(text: &str) -> String {
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
