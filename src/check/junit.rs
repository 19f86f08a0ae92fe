//! The results as a JUnit file, which CI systems show: each check is a test case, and one that isn't judged is skipped.

use std::fmt::Write;

use super::report::{Report, Result, Summary};
use super::{Exchange, Verdict};

/// Returns the report in JUnit's XML.
#[must_use]
pub fn junit(report: &Report) -> String {
    let Summary { fail, not_judged, .. } = report.summary();
    let counts = format!(
        "tests=\"{}\" failures=\"{fail}\" errors=\"0\" skipped=\"{not_judged}\" time=\"{:.3}\"",
        report.results.len(),
        report.duration.as_secs_f64()
    );
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n  <testsuite name=\"fauxfax check\" {counts}>\n"
    );
    report.results.iter().for_each(|result| case(&mut xml, result));
    xml + "  </testsuite>\n</testsuites>\n"
}

fn case(xml: &mut String, result: &Result) {
    let check = result.check;
    let (group, id) = (escaped(check.group.as_str()), escaped(check.id));
    // Writing to a string never fails.
    let _ =
        write!(xml, "    <testcase classname=\"{group}\" name=\"{id}\" time=\"{:.3}\"", result.duration.as_secs_f64());
    let seen = escaped(&result.seen);
    let _ = match result.verdict {
        Verdict::Pass => writeln!(xml, "/>"),
        Verdict::Fail => {
            writeln!(
                xml,
                ">\n      <failure message=\"{seen}\">{}</failure>\n    </testcase>",
                escaped(&details(result))
            )
        }
        Verdict::Warn => {
            let text = escaped(&format!("warning: {}\n{}", result.seen, details(result)));
            writeln!(xml, ">\n      <system-out>{text}</system-out>\n    </testcase>")
        }
        Verdict::NotJudged => writeln!(xml, ">\n      <skipped message=\"{seen}\"/>\n    </testcase>"),
    };
}

fn details(result: &Result) -> String {
    let check = result.check;
    let told = format!("{}\nwhy: {}\nfix: {}\nsource: {}\n", check.title, check.why, check.fix, check.source);
    let shown =
        |exchange: &Exchange| format!("\n{}\n\n{}\n{}\n", exchange.curl(), exchange.outcome(), exchange.excerpt());
    told + &result.exchange.as_ref().map(shown).unwrap_or_default()
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
